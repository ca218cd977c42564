"""JSON text of a result in, one self-contained HTML page out."""

from __future__ import annotations

import base64
import hashlib
import importlib
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

from .. import __version__
from ..errors import ConfigError, DataError, OutputError, PolyglotError
from ..files import write_text
from ..probe.results.serialization import read_schema
from .charts.theme import FONT, PALETTES, TEMPLATE
from .escaping import to_script_json, without_lone_surrogates
from .formatting import count, number, percent, tidy
from .plotlyjs import bundle, packed_bundle, script_hash
from .view import Cell, Column, Headline, View

if TYPE_CHECKING:
    from jinja2 import Environment

    from .terminal import SummaryPart

PlotlyJs = Literal["inline", "cdn", "directory"]
PLOTLYJS: tuple[PlotlyJs, ...] = ("inline", "cdn", "directory")
LARGEST_PAGE = 10_000_000
TEMPLATES = Path(__file__).parent / "templates"
CAVEATS_SHOWN = 3
SCRIPTS = ("page.js", "explorer.js")
#: Which module shows which kind of result: a new kind is a line here, a module that offers what `ResultModule` asks,
#: and a template that extends page.html.
KINDS = {
    "polyglot/linear-map/1": "linear_map.page",
    "polyglot/layers/1": "layers",
    "polyglot/cka/1": "cka",
    "polyglot/language-id/1": "language_id",
    "polyglot/composition/1": "composition",
    "polyglot/geometry/1": "geometry",
    "polyglot/retrieval/1": "retrieval",
    "polyglot/question-retrieval/1": "questions",
    "polyglot/compare/1": "compare",
}


class ResultModule(Protocol):
    """What a module of a result type offers."""

    TEMPLATE: str

    def view(self, text: str) -> View:
        """Return the content of the page."""
        ...

    def headline(self, text: str) -> Headline:
        """Return the result in one line."""
        ...

    def summary_parts(self, result: object) -> tuple[SummaryPart, ...]:
        """Return what the terminal shows."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What all pages wear: palettes, font, style sheet and scripts, safe to stand in HTML as they are."""

    version: str
    palettes: dict[str, dict[str, str]]
    font: str
    css: str
    scripts: tuple[str, ...]


def module_for(text: str) -> ResultModule:
    """Return the module that shows a result, by the schema that its JSON text names.

    Raises
    ------
    DataError
        If the text is not a result, or of a kind that this version cannot show.
    """
    return module_named(read_schema(text))


def module_named(schema: str) -> ResultModule:
    """Return the module that shows results of a schema, for example ``polyglot/linear-map/1``.

    Raises
    ------
    DataError
        If this version cannot show it.
    """
    if schema not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise DataError(f"no page for a result of schema {schema!r}; known: {known}; a newer polyglot may know it")
    return cast("ResultModule", importlib.import_module(f".pages.{KINDS[schema]}", __package__))


def look(scripts: tuple[str, ...]) -> Look:
    """Return what a page wears, with the named scripts of the templates folder."""
    from markupsafe import Markup

    sources = tuple(Markup(_asset(name)) for name in scripts)
    return Look(__version__, PALETTES, Markup(FONT), Markup(_asset("page.css")), sources)


def render(text: str, *, plotlyjs: PlotlyJs = "inline") -> str:
    """Return the page of a result.

    Parameters
    ----------
    text : str
        The result as JSON text, as `to_json` writes it. Unknown fields are ignored.
    plotlyjs : {"inline", "cdn", "directory"}
        Where the page finds plotly.js: inside itself (about 2 MB, works anywhere), on plotly's server (needs the
        network), or in a file beside the page (`write_page` puts it there).

    Returns
    -------
    str
        HTML; the same text and option give the same bytes under the same versions of polyglot and plotly.

    Raises
    ------
    ConfigError
        If the option is unknown.
    DataError
        If the text is not a result of a known kind.
    OutputError
        If the page would be larger than 10 MB.
    """
    if plotlyjs not in PLOTLYJS:
        raise ConfigError(f"plotlyjs: expected one of {', '.join(PLOTLYJS)}, got {plotlyjs!r}")
    module = module_for(text)
    try:
        view = module.view(text)
    except PolyglotError:
        raise
    except (LookupError, ValueError, ArithmeticError, TypeError, AttributeError) as error:
        # Every part is of its kind, yet they do not fit each other: no file that a probe wrote, but one may be given.
        raise DataError(
            f"the parts of this result contradict each other ({type(error).__name__}: {error}); run the probe again"
        ) from error
    dressed = look(SCRIPTS)
    html = (
        environment()
        .get_template(module.TEMPLATE)
        .render(
            view=view,
            look=dressed,
            policy=content_security_policy(dressed.scripts, _plotly_source(plotlyjs)),
            plotly=_plotly(plotlyjs),
            numbers={figure.id: place for place, figure in enumerate(view.figures, start=1)},
            figures_json=_trusted(figures_json(view)),
            caveats_shown=CAVEATS_SHOWN,
        )
    )
    html = without_lone_surrogates(html)
    _check_size(html)
    return html


def write_page(text: str, path: Path, *, plotlyjs: PlotlyJs = "inline") -> Path:
    """Write the page of a result, atomically, and return its path.

    Raises
    ------
    ConfigError, DataError, OutputError
        As `render`; also if the file cannot be written.
    """
    html = render(text, plotlyjs=plotlyjs)
    if plotlyjs == "directory":
        shared = path.parent / bundle().file_name
        if not shared.exists():
            write_text(shared, bundle().text)
    write_text(path, html)
    return path


def figures_json(view: View) -> str:
    """Return all panels of a page, with the template and the palettes, as JSON for a script element."""
    panels = {p.id: {"data": p.data, "layout": p.layout, "height": p.height} for f in view.figures for p in f.panels}
    return to_script_json({"panels": panels, "template": TEMPLATE, "palettes": PALETTES})


def content_security_policy(scripts: tuple[str, ...], *more: str) -> str:
    """Return the policy of a page: nothing from anywhere but its own scripts by their hashes, and `more` sources.

    plotly.js draws these figures without `eval`. It sets styles on elements, so styles cannot be listed by hash.
    """
    sources = " ".join([f"'{script_hash(text)}'" for text in scripts] + list(more))
    return (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def environment() -> Environment:
    """Return the template environment: escaping on, undefined names are errors."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(cell=cell_text, exact=cell_exact, number=number, percent=percent, count=count, tidy=tidy)
    return made


def cell_text(value: Cell, column: Column) -> str:
    """Return a cell of a table as it is read."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if column.form == "count":
        return count(value)
    return percent(value, 1) if column.form == "percent" else number(value, 3)


def cell_exact(value: Cell) -> str:
    """Return a number of a table in full, for the CSV; empty where the text as read is meant."""
    return repr(value) if isinstance(value, (int, float)) and not math.isnan(value) else ""


@dataclass(frozen=True, slots=True)
class PlotlyTag:
    """How a page finds plotly.js: packed inside it, or an address (with the hash of what must be there)."""

    packed: str = ""
    source: str = ""
    integrity: str = ""


def _plotly(plotlyjs: PlotlyJs) -> PlotlyTag:
    plotly = bundle()
    if plotlyjs == "inline":
        return PlotlyTag(packed=packed_bundle())
    if plotlyjs == "cdn":
        digest = base64.b64encode(hashlib.sha384(plotly.text.encode("utf-8")).digest()).decode()
        return PlotlyTag(source=plotly.cdn, integrity=f"sha384-{digest}")
    return PlotlyTag(source=plotly.file_name)


def _plotly_source(plotlyjs: PlotlyJs) -> str:
    """Return where the policy lets plotly.js come from."""
    if plotlyjs == "inline":
        return f"'{script_hash(bundle().text)}'"
    return bundle().cdn if plotlyjs == "cdn" else "'self' file:"


def _trusted(text: str) -> str:
    from markupsafe import Markup

    return Markup(text)


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _check_size(html: str) -> None:
    size = len(html.encode("utf-8"))
    if size > LARGEST_PAGE:
        raise OutputError(
            f"the page would be {size / 1e6:.1f} MB, the most is {LARGEST_PAGE / 1e6:.0f} MB: "
            "give fewer sentences with --limit"
        )

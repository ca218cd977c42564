"""JSON text of a result in, the HTML of one self-contained page out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import ConfigError, DataError, OutputError, PolyglotError
from .charts.theme import FONT, PALETTES, TEMPLATE, heading
from .escaping import to_script_json, without_lone_surrogates
from .formatting import count, counted, identifier, number, percent, tidy
from .kinds import module_for
from .links import Links
from .method import cited
from .plotlyjs import PLOTLYJS, PlotlyJs, plotly_tag, script_hash, script_source
from .view import CAVEATS_SHOWN, Cell, Column, View

if TYPE_CHECKING:
    from jinja2 import Environment

NO_LINKS = Links()
LARGEST_PAGE = 10_000_000
AUTHORS = "The polyglot maintainers"  # as CITATION.cff has them
TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("page.js", "explorer.js")
FIRST_SCRIPTS = ("hero.js",)  # run before the packed data, which take long to read


@dataclass(frozen=True, slots=True)
class Assets:
    """What all pages share: palettes, font, style sheet and scripts, safe to stand in HTML as they are."""

    version: str
    palettes: dict[str, dict[str, str]]
    font: str
    css: str
    first_scripts: tuple[str, ...]
    scripts: tuple[str, ...]


@cache
def assets(scripts: tuple[str, ...], first_scripts: tuple[str, ...] = ()) -> Assets:
    """Return what every page holds, with the named scripts of the templates folder."""
    from markupsafe import Markup

    def read(name: str) -> Markup:
        return Markup((TEMPLATES / name).read_text(encoding="utf-8"))

    first, last = (tuple(map(read, names)) for names in (first_scripts, scripts))
    return Assets(__version__, PALETTES, Markup(FONT), read("page.css"), first, last)


def render(text: str, *, plotlyjs: PlotlyJs = "inline", links: Links = NO_LINKS) -> str:
    """Return the page of a result.

    Parameters
    ----------
    text : str
        The result as JSON text, as `to_json` writes it. Unknown fields are ignored.
    plotlyjs : {"inline", "cdn", "directory"}
        Where the page finds plotly.js: inside itself (about 2 MB, works anywhere), on plotly's server (needs the
        network), or in a file beside the page (`write_page` puts it there).
    links : Links
        What stands beside the page; `write_page` finds it.

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
    from markupsafe import Markup

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
    shared = assets(SCRIPTS, FIRST_SCRIPTS)
    html = without_lone_surrogates(
        environment()
        .get_template(module.TEMPLATE)
        .render(
            view=view,
            links=links,
            citation=citation(view),
            assets=shared,
            policy=content_security_policy((*shared.first_scripts, *shared.scripts), script_source(plotlyjs)),
            plotly=plotly_tag(plotlyjs),
            numbers={figure.id: place for place, figure in enumerate(view.figures, start=1)},
            method=cited(number for figure in view.figures for number in figure.method),
            figures_json=Markup(figures_json(view)),
            caveats_shown=CAVEATS_SHOWN,
        )
    )
    size = len(html.encode("utf-8"))
    if size > LARGEST_PAGE:
        raise OutputError(
            f"the page would be {size / 1e6:.1f} MB, the most is {LARGEST_PAGE / 1e6:.0f} MB: "
            "give fewer sentences with --limit"
        )
    return html


def citation(view: View) -> str:
    """Return how to cite a page, in BibTeX: what was measured, by which version, and the command that does it again."""
    return citation_of(identifier(view.title), view.title, view.command or "measured from Python", view.year)


def citation_of(key: str, title: str, command: str, year: str) -> str:
    """Return how to cite what a command made, in BibTeX, under a key of its own."""
    shown, typed = (re.sub(r"[{}\\]", "", text) for text in (title, command))
    lines = (
        f"title = {{{shown}}}",
        f"author = {{{AUTHORS}}}",
        f"year = {{{year}}}",
        f"note = {{polyglot {__version__}, {typed}}}",
    )
    return f"@misc{{polyglot-{key},\n  " + ",\n  ".join(lines) + "\n}"


def figures_json(view: View) -> str:
    """Return all panels of a page, with the template and the palettes, as JSON for a script element."""
    panels = {
        p.id: {"data": p.data, "layout": p.layout, "height": p.height, "heading": heading(f, view.title, __version__)}
        for f in view.figures
        for p in f.panels
    }
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
    made.filters.update(
        cell=cell_text, exact=cell_exact, number=number, percent=percent, count=count, counted=counted, tidy=tidy
    )
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

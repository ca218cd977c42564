"""Which module shows which kind of result, on a page, in an index and in the terminal."""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from ..errors import DataError
from ..probe.results.serialization import read_schema
from .terminal import Summary, SummaryPart
from .view import Headline, View

#: Which module shows which kind of result: a new kind is a line here, a module that offers what `ResultModule` asks,
#: and a template that extends page.html.
KINDS = {
    "polyglot/linear-map/1": "linear_map.page",
    "polyglot/layers/1": "layers.page",
    "polyglot/cka/1": "cka",
    "polyglot/language-id/1": "language_id",
    "polyglot/composition/1": "composition",
    "polyglot/geometry/1": "geometry",
    "polyglot/retrieval/1": "retrieval",
    "polyglot/question-retrieval/1": "questions",
    "polyglot/compare/1": "compare.page",
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


def terminal_summary(result: object) -> Summary:
    """Return what the terminal shows of a result.

    Raises
    ------
    DataError
        If the result is of a kind that this version cannot show.
    """
    return Summary(module_named(str(getattr(result, "schema", ""))).summary_parts(result))

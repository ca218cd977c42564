"""The page of the cells of a study: which are done, how long the rest takes, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..files import write_text
from .escaping import without_lone_surrogates
from .page import assets, content_security_policy, environment
from .pages.study.outcome import OutcomeTable

TEMPLATE = "progress.html"


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """A cell: its name, its kind, its state in a word, a time in words, and why it was refused."""

    name: str
    kind: str
    state: str
    time: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProgressView:
    """What the page shows."""

    title: str
    sentence: str
    rows: Sequence[ProgressRow]
    study: str = ""  # address of the page of the study, where there is one
    again: bool = True  # whether a browser reads the page again after a while
    tables: Sequence[OutcomeTable] = ()


def write_progress(view: ProgressView, page: Path) -> Path:
    """Write the page, atomically, and return its path.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    shared = assets(())
    html = environment().get_template(TEMPLATE).render(
        view=view, assets=shared, policy=content_security_policy(shared.scripts)
    )  # fmt: skip
    write_text(page, without_lone_surrogates(html))
    return page

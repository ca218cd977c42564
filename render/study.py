"""The page of a study: all results of a folder on one page that needs no plotly.js, with their list below."""

from __future__ import annotations

from pathlib import Path

from ..files import write_text
from ..probe.results.study import StudyResult
from .escaping import without_lone_surrogates
from .index import list_results
from .page import AUTHORS, assets, citation_of, content_security_policy, environment
from .pages.study.outcome import outcome_tables
from .pages.study.page import TEMPLATE, study_view
from .pages.study.results import read_study


def render_study(folder: Path, page: Path, outcome: StudyResult | None = None) -> str:
    """Return the page of all results under a folder.

    Parameters
    ----------
    folder : Path
        Holds the JSON of results, in subfolders too.
    page : Path
        Where the page goes: links are relative to its folder, and an image of its name beside it is the one that is
        shown where the page is shared.
    outcome : StudyResult, optional
        What was asked before the results were there, and what they say to it; by default that of the folder.

    Raises
    ------
    OutputError
        If the folder does not exist.
    DataError
        If it has no linear-map result of one model.
    """
    results = read_study(folder, page)
    view, outcome = study_view(results), outcome or results.outcome
    shared = assets(("index.js",))
    image = page.with_suffix(".png")
    html = (
        environment()
        .get_template(TEMPLATE)
        .render(
            view=view,
            outcome=outcome,
            tables=() if outcome is None else outcome_tables(outcome),
            listing=list_results(folder, page.parent),
            authors=AUTHORS,
            citation=citation_of("study", view.title, f"polyglot study {folder.name}", view.date[:4]),
            image=image.name if image.is_file() else "",
            assets=shared,
            policy=content_security_policy(shared.scripts),
        )
    )
    return without_lone_surrogates(html)


def write_study(folder: Path, page: Path, outcome: StudyResult | None = None) -> Path:
    """Write the page of all results under a folder, atomically, and return its path.

    Raises
    ------
    DataError, OutputError
        As `render_study`; also if the file cannot be written.
    """
    write_text(page, render_study(folder, page, outcome))
    return page

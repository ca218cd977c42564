"""Pages as files, written atomically."""

from __future__ import annotations

from pathlib import Path

from ..files import write_text
from .links import links_of
from .page import render
from .plotlyjs import PlotlyJs, bundle, shared_script


def write_page(text: str, path: Path, *, plotlyjs: PlotlyJs = "inline") -> Path:
    """Write the page of a result, atomically, and return its path.

    Raises
    ------
    ConfigError, DataError, OutputError
        As `render`; also if the file cannot be written.
    """
    html = render(text, plotlyjs=plotlyjs, links=links_of(text, path))
    if plotlyjs == "directory":
        shared = path.parent / bundle().packed_name
        if not shared.exists():
            write_text(shared, shared_script())
    write_text(path, html)
    return path

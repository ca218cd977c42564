"""Every figure of a result as an image file, drawn by kaleido where it is installed."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from .. import __version__
from ..errors import OutputError
from .charts.theme import LIGHT, TEMPLATE, heading
from .kinds import module_for
from .view import Panel, PlotlyJson

ImageForm = Literal["svg", "png"]
WIDTH = 720
PNG_SCALE = 3
_NO_COLOR = re.compile("text|title")


def write_images(text: str, folder: Path, form: ImageForm = "svg") -> tuple[Path, ...]:
    """Write every panel of every figure of a result into a folder, in the colours of the light page.

    Parameters
    ----------
    text : str
        The result as JSON text.
    folder : Path
    form : {"svg", "png"}
        PNG files are three times as fine as the screen.

    Returns
    -------
    tuple of Path
        One file a panel, named as the buttons of the page name it.

    Raises
    ------
    DataError
        If the text is not a result of a known kind.
    OutputError
        If kaleido is not installed, finds no browser, or the folder cannot be written.
    """
    if importlib.util.find_spec("kaleido") is None:
        raise OutputError("figures as images need kaleido: pip install 'polyglot-geometry[images]'")
    view = module_for(text).view(text)
    headed = [(heading(figure, view.title, __version__), panel) for figure in view.figures for panel in figure.panels]
    panels = [panel for _, panel in headed]
    files = tuple(folder / f"{panel.id.removesuffix('-plot')}.{form}" for panel in panels)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}; give another folder with --figures") from error
    scale = PNG_SCALE if form == "png" else 1
    _draw(
        [
            {
                "fig": drawing(panel, above),
                "path": file,
                "opts": {"format": form, "width": WIDTH, "height": panel.height + above["height"], "scale": scale},
            }
            for (above, panel), file in zip(headed, files, strict=True)
        ]
    )
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise OutputError(f"kaleido drew no {', '.join(missing)}")
    return files


def drawing(panel: Panel, above: PlotlyJson) -> PlotlyJson:
    """Return a panel under its heading as plotly's JSON, with its colours resolved for white paper."""
    margin = {**TEMPLATE["layout"]["margin"], **panel.layout.get("margin", {})}
    headed = {**panel.layout, "title": above["title"], "margin": {**margin, "t": margin["t"] + above["height"]}}
    layout = painted(headed, LIGHT)
    return {
        "data": painted(panel.data, LIGHT),
        "layout": {**layout, "template": painted(TEMPLATE, LIGHT), "paper_bgcolor": "#ffffff"},
    }


def painted(value: Any, palette: Mapping[str, str], is_color: bool = False) -> Any:  # noqa: ANN401 - plotly's JSON
    """Replace names of colours: only under keys that hold colours is "@name" a name and not somebody's text.

    Examples
    --------
    >>> painted({"marker": {"color": "@ink"}, "text": "@ink"}, {"ink": "#000"})
    {'marker': {'color': '#000'}, 'text': '@ink'}
    """
    if isinstance(value, str):
        return palette[value[1:]] if is_color and value.startswith("@") else value
    if isinstance(value, (list, tuple)):
        return [painted(item, palette, is_color) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: painted(item, palette, "color" in key.lower() or (is_color and not _NO_COLOR.search(key)))
        for key, item in value.items()
    }


def _draw(orders: list[dict[str, Any]]) -> None:
    import kaleido

    try:
        kaleido.write_fig_from_object_sync(orders, kopts={"mathjax": False})
    except (RuntimeError, OSError, ValueError) as error:
        reason = str(error).strip().split(". ")[0].splitlines()[0] if str(error).strip() else type(error).__name__
        raise OutputError(
            f"kaleido could not draw: {reason}; it needs Chrome or Chromium: install one, or name it in BROWSER_PATH"
        ) from error

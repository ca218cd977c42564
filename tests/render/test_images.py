"""Figures as image files: what is handed to kaleido, and what is said where it is missing."""

import importlib.util
import json
import re
import shutil
import sys
import types

import pytest
from polyglot.errors import OutputError
from polyglot.probe.results.serialization import to_json
from polyglot.render.charts.theme import LIGHT, heading
from polyglot.render.images import drawing, painted, write_images
from polyglot.render.pages.linear_map import page as linear_map

needs_kaleido = pytest.mark.skipif(
    importlib.util.find_spec("kaleido") is None or shutil.which("chromium") is None,
    reason="no kaleido with a chromium (pip install kaleido, apt-get install chromium)",
)


@pytest.fixture
def orders(monkeypatch):
    """What was asked of a stand-in for kaleido, which draws nothing but leaves files."""
    asked = []

    def write(orders, kopts):
        assert kopts == {"mathjax": False}  # else it would be fetched from the network
        for order in orders:
            order["path"].write_text("drawn", encoding="utf-8")
        asked.extend(orders)

    stand_in = types.ModuleType("kaleido")
    stand_in.write_fig_from_object_sync = write
    stand_in.__spec__ = importlib.util.spec_from_loader("kaleido", None)
    monkeypatch.setitem(sys.modules, "kaleido", stand_in)
    return asked


def test_every_panel_becomes_a_file_with_its_colours(orders, result_json, tmp_path):
    files = write_images(result_json, tmp_path / "figures", "png")
    panels = [panel for figure in linear_map.view(result_json).figures for panel in figure.panels]
    assert [f.name for f in files] == [panel.id.removesuffix("-plot") + ".png" for panel in panels]
    assert all(f.is_file() for f in files)
    for order, panel in zip(orders, panels, strict=True):
        text = json.dumps(order["fig"])
        assert not re.search(r'"[^"]*color[^"]*": "@', text, flags=re.I)
        assert order["opts"].items() >= {"format": "png", "width": 720, "scale": 3}.items()
        assert order["opts"]["height"] >= panel.height + 60
        title = order["fig"]["layout"]["title"]
        assert title["subtitle"]["text"].startswith("MiniLM: English → French · polyglot ")
        assert title["text"] in {f.title for f in linear_map.view(result_json).figures} or "<br>" in title["text"]


def test_names_of_colours_are_left_alone_in_texts():
    figure = {"color": "@ink", "text": "@ink", "colorscale": [[0, "@ink"]], "colorbar": {"title": "@ink"}}
    black = {"color": "#000", "text": "@ink", "colorscale": [[0, "#000"]], "colorbar": {"title": "@ink"}}
    assert painted(figure, {"ink": "#000"}) == black


def test_the_paper_is_white(result):
    figure = linear_map.view(to_json(result)).figures[0]
    drawn = drawing(figure.panels[0], heading(figure, "A page", "1.0"))["layout"]
    assert drawn["paper_bgcolor"] == "#ffffff"
    assert drawn["title"]["font"]["color"] == LIGHT["ink"]


def test_without_kaleido_one_line_names_the_extra(monkeypatch, result_json, tmp_path):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OutputError, match=r"pip install 'polyglot-geometry\[images\]'"):
        write_images(result_json, tmp_path / "figures")
    assert not (tmp_path / "figures").exists()


def test_without_a_browser_one_line_says_what_to_do(orders, monkeypatch, result_json, tmp_path):
    def fail(orders, kopts):
        raise RuntimeError("No browser found. And a lot\nmore.")

    monkeypatch.setattr(sys.modules["kaleido"], "write_fig_from_object_sync", fail)
    with pytest.raises(OutputError, match=r"No browser found; it needs Chrome or Chromium") as failed:
        write_images(result_json, tmp_path)
    assert "\n" not in str(failed.value)


def test_a_folder_that_is_a_file_is_refused(orders, result_json, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="give another folder with --figures"):
        write_images(result_json, tmp_path / "file")


@needs_kaleido
@pytest.mark.parametrize(("form", "magic"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_kaleido_draws_them(bare_json, tmp_path, form, magic):
    for file in write_images(bare_json, tmp_path, form):
        assert file.read_bytes().startswith(magic)

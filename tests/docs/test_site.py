"""The site builds without a warning, holds every public name and command, and loads nothing from another server."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import polyglot
import pytest
import typer
from polyglot.cli import application

ROOT = Path(__file__).resolve().parents[2]
LOADED = re.compile(
    r"<(?:script|img|iframe)[^>]+src=\"?(https?:)?//|<link[^>]+rel=\"?(?:stylesheet|preconnect|icon)[^>]+//"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="needs the extra `docs`"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"PYTHONPATH": str(ROOT / ".types"), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_public_name_is_in_the_reference(site):
    documented = set(re.findall(r'id="polyglot\.[\w.]+\.(\w+)"', (site / "api.html").read_text(encoding="utf-8")))
    assert set(polyglot.__all__) - documented == set()


def test_every_command_is_in_the_reference(site):
    page = (site / "commands.html").read_text(encoding="utf-8")
    groups = typer.main.get_command(application()).commands
    names = [f"{name} {inner}" for name, group in groups.items() for inner in getattr(group, "commands", {})]
    assert len(names) > 10
    assert [name for name in names if f"polyglot {name}</code>" not in page] == []


def test_nothing_is_loaded_from_another_server(site):
    assert LOADED.search('<script src="https://unpkg.com/mermaid.js">')
    assert [path.name for path in site.rglob("*.html") if LOADED.search(path.read_text(encoding="utf-8"))] == []


def test_sources_of_the_site_are_not_published(site):
    assert list(site.rglob("*.py")) == []

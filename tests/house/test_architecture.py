"""ARCHITECTURE.md and docs/decisions.md name files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = "analysis|benchmarks|commands|data|docs|models|probe|render|reports|study|tests|train"
NAMED = re.compile(rf"`?((?:{FOLDERS})/[\w./<>-]*)`?")
PAGES = ("ARCHITECTURE.md", "docs/decisions.md", "docs/scale.md")


def named_places(text):
    """Return the paths that a text names, those with a placeholder such as <schema> left out."""
    return {path.rstrip(".") for path in NAMED.findall(text) if "<" not in path}


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page):
    missing = {path for path in named_places((ROOT / page).read_text(encoding="utf-8")) if not (ROOT / path).exists()}
    assert missing == set()


def test_a_missing_file_would_be_noticed():
    assert named_places("see `analysis/maps/nowhere.py`.") == {"analysis/maps/nowhere.py"}
    assert not (ROOT / "analysis/maps/nowhere.py").exists()


def test_architecture_names_a_file_for_each_of_ten_tasks():
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## Where to add what")[1]
    tasks = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| task")]
    assert len(tasks) >= 10
    assert all(NAMED.search(line) for line in tasks)

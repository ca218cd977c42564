"""The wheel holds all rooms, templates and the built-in corpus, and nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("analysis", "commands", "data", "models", "probe", "render", "train")


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Names inside a wheel built from the files that git tracks."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, tracked.split("\0")):
        source, copy = ROOT / name, folder / "tree" / name
        if source.is_file() and not source.is_symlink():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, folder / "tree"]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def tracked_below(folder):
    paths = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return {f"polyglot/{p}" for p in paths.split()}


@pytest.mark.parametrize("room", ROOMS)
def test_every_tracked_file_of_a_room_is_inside(members, room):
    assert tracked_below(room) - members == set()


def test_nothing_else_is_inside(members):
    allowed = {f"polyglot/{room}/" for room in ROOMS}
    modules = {f"polyglot/{path.name}" for path in ROOT.glob("*.py")}
    root = {*modules, "polyglot/py.typed", "polyglot/docs/method.md"}
    others = {m for m in members if m not in root and not any(m.startswith(a) for a in allowed)}
    assert {m for m in others if ".dist-info/" not in m} == set()


def test_no_tests_are_inside(members):
    assert not [m for m in members if "conftest" in m or "/test" in m]


def test_templates_and_corpus_are_inside(members):
    assert any(m.startswith("polyglot/render/templates/") and m.endswith(".html") for m in members)
    assert sum(m.startswith("polyglot/data/builtin/sentences/") for m in members) == 15

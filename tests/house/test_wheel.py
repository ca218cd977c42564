"""The wheel holds all rooms, templates and the built-in corpus, and nothing else; installed, it works without them."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("analysis", "commands", "data", "models", "probe", "render", "study", "train")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A folder with the files that git tracks, and nothing else."""
    folder = tmp_path_factory.mktemp("tracked")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, tracked.split("\0")):
        source, copy = ROOT / name, folder / name
        if source.is_file() and not source.is_symlink():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    return folder


def build(tree, folder, *options):
    """Build a folder of sources and return the wheel."""
    command = [sys.executable, "-m", "build", *options, "--no-isolation", "--outdir", folder, tree]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def names_inside(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def members(tree, tmp_path_factory):
    """Names inside a wheel built from the files that git tracks."""
    return names_inside(build(tree, tmp_path_factory.mktemp("wheel"), "--wheel"))


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


@pytest.fixture(scope="module")
def wheel_of_sdist(tree, tmp_path_factory):
    """A wheel that was built from a source distribution."""
    return build(tree, tmp_path_factory.mktemp("sdist"))


@pytest.mark.slow
def test_the_source_distribution_builds_the_same_wheel(wheel_of_sdist, members):
    assert names_inside(wheel_of_sdist) == members


@pytest.mark.slow
def test_the_wheel_works_in_an_environment_without_the_source(wheel_of_sdist, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = ["pip", "--python", python, "install", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", *install, wheel_of_sdist], check=True, capture_output=True)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    # What the project depends on comes from here; .pth files of that folder, such as one of the source, are not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 4))
    for name, rows in (("x", x), ("y", x @ np.linalg.qr(rng.standard_normal((4, 4)))[0])):
        np.save(tmp_path / f"{name}.npy", rows)

    def run(*command):
        bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where, version = run(python, "-c", "import polyglot; print(polyglot.__file__, polyglot.__version__)").split()
    assert Path(where).is_relative_to(packages)
    assert run(python.with_name("polyglot"), "version").strip() == version
    probe = ("probe", "linear-map", "--vectors", "x.npy", "y.npy", "--permutations", "2")
    assert "x → y is a rotation" in run(python.with_name("polyglot"), *probe)
    assert (tmp_path / "reports" / "linear-map" / "x-y.html").is_file()

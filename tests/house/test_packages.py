"""Lists that name the folders of the house one by one are complete."""

import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("analysis", "commands", "data", "models", "probe", "render", "study", "train")


def test_the_build_lists_every_package():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("__init__.py")}
    assert listed == sorted(["polyglot", *(".".join(("polyglot", *folder.parts)) for folder in folders)])


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_doctests_of_every_module_run():
    recipe = "include Makefile\nlisted:\n\t@echo $(DOCTESTED)\n"
    command = ["make", "--no-print-directory", "-s", "-f", "-", "listed"]
    made = subprocess.run(command, input=recipe, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    listed = {Path(name).relative_to(".types/polyglot").as_posix() for name in made.split()}
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    outside = ("tests/", "benchmarks/", "reports/", "docs/", "examples/", "__main__.py")
    assert {name for name in tracked.split() if not name.startswith(outside)} - listed == set()

"""What names a version or a licence names the same one everywhere; what is pinned twice is pinned alike."""

import re
import tomllib
from pathlib import Path

import polyglot
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_names_this_version_and_licence():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == polyglot.__version__
    assert citation["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


def test_the_changelog_begins_with_this_version():
    assert re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.M)[0] == polyglot.__version__


def pins(name):
    """Return the versions that a file of constraints pins."""
    lines = (line for line in read(f"constraints/{name}.txt").splitlines() if line and not line.startswith("#"))
    return dict(line.split("==") for line in lines)


def number(version):
    """Return a version as numbers that compare."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


def test_every_extra_is_explained():
    explained = set(re.findall(r"^\| `(\w+)` \|", read("docs/install.md"), re.M))
    assert explained == set(PROJECT["optional-dependencies"])


def test_the_lowest_versions_are_those_that_the_project_declares():
    extras = (PROJECT["optional-dependencies"][name] for name in ("offline", "lora", "onnx"))
    declared = [*PROJECT["dependencies"], *(one for extra in extras for one in extra)]
    bounds = dict(re.match(r"([\w-]+)(?:\[\w+\])?[>=]=([\d.]+)", one).groups() for one in declared)
    lowest = pins("lowest")
    assert set(bounds) <= set(lowest)
    assert {
        name for name, bound in bounds.items() if number(lowest[name])[: len(number(bound))] != number(bound)
    } == set()


def test_versions_that_are_known_to_work_are_not_below_the_lowest():
    lowest, good = pins("lowest"), pins("known-good")
    assert set(lowest) <= set(good)
    assert [name for name in lowest if number(good[name]) < number(lowest[name])] == []


def test_classifiers_name_the_versions_of_python_that_the_forge_runs():
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line}
    matrix = yaml.safe_load(read(".github/workflows/ci.yml"))["jobs"]["run"]["strategy"]["matrix"]["python"]
    assert set(matrix) <= named
    assert f">={min(named, key=number)}" == PROJECT["requires-python"]


def test_hooks_run_the_tools_of_make_check():
    repos = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    entries = {hook["id"]: hook["entry"] for repo in repos for hook in repo["hooks"]}
    recipe = read("Makefile").replace("$(BIN)", ".venv/bin")
    for tool in ("ruff-check", "ruff-format", "mypy"):
        assert entries[tool].removesuffix(" --fix") in recipe

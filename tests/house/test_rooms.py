"""Rooms import downwards only, and relatively."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("analysis", "data", "models", "probe", "train", "render", "commands")
GROUND = {"errors", "files", "distributed"}
MAY_IMPORT = {
    "analysis": GROUND,
    "data": GROUND,
    "models": GROUND,
    "probe": GROUND | {"analysis", "data", "models"},
    "train": GROUND | {"analysis", "data", "models", "probe"},
    "render": {"errors", "files", "probe", "__init__"},
    "commands": GROUND | {"analysis", "data", "models", "probe", "train", "render", "__init__"},
}


def rooms_imported(tree, depth):
    """Yield (line, room, module) of every import of another room by a module `depth` folders below the root."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == depth + 1:
            parts = (node.module or "__init__").split(".")
            yield node.lineno, parts[0], ".".join(parts[1:])
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module in (*ROOMS, *GROUND, "polyglot"):
            yield node.lineno, f"absolute import of {node.module}", ""
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] in (*ROOMS, *GROUND, "polyglot"):
                    yield node.lineno, f"absolute import of {name.name}", ""


def modules(room):
    return sorted(p for p in (ROOT / room).rglob("*.py") if "templates" not in p.parts)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_the_rooms_below_it(room):
    wrong = []
    for path in modules(room):
        depth = len(path.relative_to(ROOT).parts) - 1
        for line, other, _ in rooms_imported(ast.parse(path.read_text(encoding="utf-8")), depth):
            if other not in MAY_IMPORT[room]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {other}")
    assert not wrong


def test_render_knows_only_the_result_types_of_probe():
    wrong = []
    for path in modules("render"):
        depth = len(path.relative_to(ROOT).parts) - 1
        for line, room, module in rooms_imported(ast.parse(path.read_text(encoding="utf-8")), depth):
            if room == "probe" and module.split(".")[0] != "results":
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports probe.{module}")
    assert not wrong


def test_a_forbidden_import_is_noticed():
    tree = ast.parse("from ..probe.results import Interval\nimport analysis\nfrom polyglot import errors\n")
    assert [room for _, room, _ in rooms_imported(tree, 1)] == [
        "probe",
        "absolute import of analysis",
        "absolute import of polyglot",
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_lives_there(room):
    docstring = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8")))
    assert docstring is not None
    assert "May import" in docstring


def test_there_is_no_room_for_odds_and_ends():
    names = {p.stem for room in ROOMS for p in modules(room)}
    assert not names & {"utils", "helpers", "misc", "common", "manager"}

"""Rooms import downwards only, and relatively; modules import in no circle; probes import only what all probes share.

Imports count wherever they stand: under `TYPE_CHECKING` and inside functions too.
"""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("analysis", "data", "models", "probe", "train", "study", "render", "commands")
GROUND = {"errors", "files", "distributed", "stages"}
MAY_IMPORT = {
    "analysis": GROUND,
    "data": GROUND,
    "models": GROUND,
    "probe": GROUND | {"analysis", "data", "models"},
    "train": GROUND | {"analysis", "data", "models", "probe"},
    "study": GROUND | {"analysis", "data", "models", "probe", "train"},
    "render": {"errors", "files", "probe", "__init__"},
    "commands": GROUND | {"analysis", "data", "models", "probe", "train", "study", "render", "__init__"},
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


def imports_of(path, root, known):
    """Return the modules of `known` that a file imports: those named, and the packages that names come from."""
    package, found = path.relative_to(root).parts[:-1], set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else ())]
            for name in node.names:
                module = ".".join([*base, name.name])
                found.add(module if module in known else ".".join(base))
    return found & known


def import_graph(root, rooms=ROOMS):
    """Return for every module below the root the modules that it imports."""
    paths = {}
    for path in (p for room in rooms for p in sorted((root / room).rglob("*.py")) if "templates" not in p.parts):
        parts = path.relative_to(root).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return {name: imports_of(path, root, set(paths)) - {name} for name, path in paths.items()}


def circles(graph):
    """Return groups of modules that import each other, directly or by others (Tarjan, 1972)."""
    number, low, path, found = {}, {}, [], []

    def visit(module):
        number[module] = low[module] = len(number)
        path.append(module)
        for other in sorted(graph[module]):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in path:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            place = path.index(module)
            found.append(sorted(path[place:]))
            del path[place:]

    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))
    for module in sorted(graph):
        if module not in number:
            visit(module)
    return [group for group in found if len(group) > 1]


@pytest.fixture(scope="module")
def graph():
    return import_graph(ROOT)


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_imports_itself_by_way_of_others(room, graph):
    assert [group for group in circles(graph) if group[0].split(".")[0] == room] == []


def sideways(graph):
    """Yield imports of one probe by another, and of a probe by what all probes share."""
    for module, others in graph.items():
        parts = module.split(".")
        if parts[0] != "probe" or len(parts) < 2:
            continue
        allowed = {"results"} if parts[1] == "results" else {parts[1], "results", "experiment"}
        for other in others:
            if other.startswith("probe.") and other.split(".")[1] not in allowed:
                yield f"{module} imports {other}"


def test_probes_import_each_other_only_through_what_is_shared(graph):
    assert list(sideways(graph)) == []


@pytest.fixture
def planted(tmp_path):
    """Plant a circle of three modules three folders deep, and two probes that know each other."""
    texts = {
        "analysis/maps/deep/one.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..two import Two\n",
        "analysis/maps/two.py": "def late():\n    from ..three import Three\n",
        "analysis/three.py": "from .maps.deep import one\n",
        "analysis/four.py": "from .three import Three\n",
        "probe/cka/run.py": "from ..layers.run import embed\nfrom ..experiment.pairs import Pairs\n",
        "probe/layers/run.py": "",
        "probe/experiment/pairs.py": "from ..cka import run\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return import_graph(tmp_path, ("analysis", "probe"))


def test_a_planted_circle_is_noticed(planted):
    assert circles(planted) == [
        ["analysis.maps.deep.one", "analysis.maps.two", "analysis.three"],
        ["probe.cka.run", "probe.experiment.pairs"],
    ]


def test_a_planted_import_of_another_probe_is_noticed(planted):
    assert sorted(sideways(planted)) == [
        "probe.cka.run imports probe.layers.run",
        "probe.experiment.pairs imports probe.cka.run",
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_lives_there(room):
    docstring = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8")))
    assert docstring is not None
    assert "May import" in docstring


def test_there_is_no_room_for_odds_and_ends():
    names = {p.stem for room in ROOMS for p in modules(room)}
    assert not names & {"utils", "helpers", "misc", "common", "manager"}

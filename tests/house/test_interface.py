"""`import polyglot`: what a user finds there, documented with examples, and loaded only when it is used."""

import ast
import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import polyglot
import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numpy", "scipy", "sklearn", "torch", "transformers", "sentence_transformers", "pyarrow", "plotly", "typer")
PROMISED = {
    *("load_encoder", "open_corpus", "linear_map", "layers", "cka", "retrieval", "questions", "composition"),
    *("language_id", "geometry", "fit_map", "finetune", "read_result", "write_page"),
}
SPEED = "import time; start = time.process_time(); {}; print(time.process_time() - start)"


def python(code):
    """Run a line in a new interpreter and return what it prints."""
    path = str(Path(polyglot.__file__).parent.parent)
    line = f"import sys; sys.path.insert(0, {path!r}); {code}"
    return subprocess.run([sys.executable, "-c", line], capture_output=True, check=True, text=True).stdout


def test_the_import_is_quick_and_loads_nothing_heavy():
    seconds = min(float(python(SPEED.format("import polyglot"))) for _ in range(3))
    assert seconds < 0.1
    loaded = python(f"import polyglot; print([name for name in {HEAVY} if name in sys.modules])")
    assert loaded.strip() == "[]"


def test_what_is_promised_is_there():
    assert set(polyglot.__all__) >= PROMISED
    assert set(dir(polyglot)) >= set(polyglot.__all__)
    assert len(set(polyglot.__all__)) == len(polyglot.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'linear_maps'"):
        _ = polyglot.linear_maps


def test_type_checkers_see_the_same_names():
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    loaded = {name: module for module, names in polyglot._MODULES.items() for name in names}
    assert seen == loaded
    assert set(seen) == set(polyglot.__all__)


@pytest.mark.parametrize("name", sorted(polyglot.__all__))
def test_a_public_name_is_documented_with_an_example_that_runs(name):
    value = getattr(polyglot, name)
    assert value.__doc__
    if isinstance(value, type) and not hasattr(value, "fit"):
        return  # a record, a config or an error
    home = vars(importlib.import_module(value.__module__))
    found = [test for test in doctest.DocTestFinder(recurse=False).find(value, name, globs=dict(home)) if test.examples]
    assert found
    for test in found:
        assert doctest.DocTestRunner().run(test).failed == 0


def test_text_needs_an_encoder():
    text = polyglot.open_corpus(None, ["en", "fr"], limit=60).bitext("en", "fr")
    with pytest.raises(polyglot.ConfigError, match="expected an encoder, or a pair of them"):
        polyglot.linear_map([1.0, 2.0], text)
    with pytest.raises(polyglot.ConfigError, match="arrays by the name of their language"):
        polyglot.geometry([1.0, 2.0])


def test_a_result_that_is_not_known_is_refused(tmp_path):
    path = tmp_path / "result.json"
    with pytest.raises(polyglot.DataError, match="cannot read"):
        polyglot.read_result(path)
    path.write_text('{"schema": "polyglot/new/1"}')
    with pytest.raises(polyglot.DataError, match="a newer polyglot may know it"):
        polyglot.read_result(path)


def test_every_schema_can_be_read():
    from polyglot.interface import RESULTS

    declared = set()
    for path in (ROOT / "probe" / "results").glob("*.py"):
        module = importlib.import_module(f"polyglot.probe.results.{path.stem}")
        if hasattr(module, "SCHEMA"):
            declared.add(module.SCHEMA)
    assert set(RESULTS) == declared
    for schema, place in RESULTS.items():
        module, kind = place.split(".")
        found = importlib.import_module(f"polyglot.probe.results.{module}")
        assert schema == found.SCHEMA
        assert hasattr(found, kind)

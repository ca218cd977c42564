"""A layer at which all sentences have one vector is marked, and the others are measured."""

import json

import numpy as np
import pyarrow as pa
import pytest
from polyglot.data.bitext import ParallelText
from polyglot.errors import DataError
from polyglot.models.encoder import load_encoder
from polyglot.probe.cka import run as cka
from polyglot.probe.experiment.layer_stack import Stack, is_constant
from polyglot.probe.geometry import run as geometry
from polyglot.probe.language_id import run as language_id
from polyglot.probe.layers import run as layers
from polyglot.probe.results.layers import ConstantLayer, LayersResult, constant_sentence
from polyglot.probe.results.serialization import from_json, to_json

LAYERS = layers.LayersConfig(folds=3, permutations=4, costly_permutations=1, resamples=100, neighbours=5, removed=1)
CKA = cka.CkaConfig(neighbours=5, folds=3, permutations=2, resamples=100)
BOTH = (ConstantLayer("0", 0, ("fr", "en")),)


@pytest.fixture
def cls_encoder(make_letter_model):
    """An encoder that pools [CLS], which at the embedding output is the same for every text."""
    return load_encoder(str(make_letter_model("cls", pooling="cls")), device="cpu")


@pytest.fixture
def letter_table(letter_bitext):
    columns = {"fr": list(letter_bitext.sources), "en": list(letter_bitext.targets)}
    return ParallelText.of("letters", pa.table(columns))


def planted(constant):
    """Two layers of pairs, before them a constant one on the sides named."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 80, 5)) + 1
    y = x + 0.3 * rng.standard_normal((2, 80, 5))
    first = [np.ones((80, 5)) if side in constant else rng.standard_normal((80, 5)) for side in "xy"]
    return [first[0], *x], [first[1], *y]


def test_layers_go_on_behind_a_constant_one(cls_encoder, letter_bitext):
    found = layers.run(cls_encoder, letter_bitext, LAYERS)
    assert found.constant == BOTH
    assert [layer.name for layer in found.layers] == ["1", "2", "pooled"]
    assert from_json(to_json(found), LayersResult) == found


def test_the_layers_that_vary_are_measured_as_without_the_constant_one():
    x, y = planted("x")
    found = layers.measure(x, y, config=LAYERS, layers=("a", "b", "c"))
    assert found.constant == (ConstantLayer("a", 0, ("x",)),)
    assert found.layers == layers.measure(x[1:], y[1:], config=LAYERS, layers=("b", "c")).layers
    assert found.story == layers.measure(x[1:], y[1:], config=LAYERS, layers=("b", "c")).story


def test_an_older_result_has_no_constant_layers():
    older = json.loads(to_json(layers.measure(*planted(""), config=LAYERS)))
    del older["constant"]
    assert from_json(json.dumps(older), LayersResult).constant == ()


def test_tables_of_layers_leave_it_out_on_its_own_side(cls_encoder, letter_bitext):
    found = cka.run(cls_encoder, letter_bitext, CKA)
    assert found.constant == (ConstantLayer("0", 0, ("fr",)), ConstantLayer("0", 0, ("en",)))
    assert found.tables[0].row_layers == found.tables[0].column_layers == ("1", "2", "pooled")
    one_side = cka.measure(*planted("y"), config=CKA).tables[0]
    assert (one_side.row_layers, one_side.column_layers) == (("0", "1", "2"), ("1", "2"))


def test_of_two_models_only_that_one_loses_a_layer(cls_encoder, make_letter_model, letter_bitext):
    other = load_encoder(str(make_letter_model("mean")), device="cpu")
    found = cka.run(cls_encoder, letter_bitext, CKA, other=other)
    assert {one.model for one in found.constant} == {cls_encoder.name}
    assert [len(table.row_layers) for table in found.tables] == [3, 3]
    assert [len(table.column_layers) for table in found.tables] == [4, 4]


def test_geometry_and_language_identity_go_on_too(cls_encoder, letter_table):
    shapes = geometry.run(cls_encoder, letter_table, ["fr", "en"], geometry.GeometryConfig(neighbours=5, blocks=5))
    assert shapes.constant == BOTH
    assert [layer.name for layer in shapes.languages[0].layers] == ["1", "2", "pooled"]
    quick = language_id.LanguageIdConfig(layers=(0, 2), folds=3, resamples=100, controls=2, orders=2)
    read = language_id.run(cls_encoder, letter_table, ["fr", "en"], quick)
    assert read.constant == BOTH
    assert [layer.name for layer in read.layers] == ["2", "pooled"]


def test_a_constant_last_layer_is_still_refused():
    x, y = planted("")
    with pytest.raises(DataError, match="y, layer 2: all source rows are the same vector"):
        layers.measure(x[1:] + x[:1], [*y[1:], np.ones((80, 5))], config=LAYERS)


def test_zeros_are_not_taken_for_a_constant_layer():
    x, y = planted("")
    with pytest.raises(DataError, match=r"layer 0: source rows .* are all zeros"):
        layers.measure([np.zeros((80, 5)), *x], [np.zeros((80, 5)), *y], config=LAYERS)


def test_rounding_is_no_variation_and_a_small_one_is():
    one = np.linspace(1, 2, 6, dtype=np.float32) * np.ones((50, 1), np.float32)
    assert is_constant(one)
    assert is_constant(np.nextafter(one, 3) * (np.arange(50) % 2)[:, None] + one * (np.arange(50) % 2 == 0)[:, None])
    assert not is_constant(one + 1e-4 * np.random.default_rng(0).standard_normal(one.shape))
    assert Stack.of_arrays("x", [one, one]).constant == ("0",)


def test_the_sentence_names_layer_and_side():
    assert constant_sentence(()) == ""
    assert "layer 0 (fr, tiny)" in constant_sentence((ConstantLayer("0", 0, ("fr",), "tiny"),))

import dataclasses

import numpy as np
import pytest
from polyglot.analysis.maps.fold_moments import FoldedSource
from polyglot.analysis.similarity.cka import debiased_cka
from polyglot.analysis.similarity.knn import mutual_knn
from polyglot.data.bitext import Bitext
from polyglot.errors import ConfigError, DataError
from polyglot.probe.cka.run import CkaConfig, measure, run
from polyglot.probe.cka.table import held_out_errors, table_sentence
from polyglot.probe.results.cka import CkaResult
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.layers import ChanceBand
from polyglot.probe.results.serialization import from_json, to_json

QUICK = CkaConfig(neighbours=5, folds=3, permutations=3, resamples=100)


@pytest.fixture(scope="module")
def layers():
    """Three layers of x; y holds a rotation of each in another order, and one layer of its own."""
    rng = np.random.default_rng(0)
    x = [rng.standard_normal((120, 6)) + 1 for _ in range(3)]
    turns = [np.linalg.qr(rng.standard_normal((6, 6)))[0] for _ in range(3)]
    y = [x[i] @ turns[i] + 0.2 * rng.standard_normal((120, 6)) for i in (2, 0, 1)]
    return x, [*y, rng.standard_normal((120, 9)) - 2]


@pytest.fixture(scope="module")
def table(layers):
    return measure(*layers, config=QUICK).tables[0]


@pytest.mark.parametrize("name", ["cka", "mutual_knn", "linear_r2"])
def test_every_measure_finds_the_layer_that_was_made_from_it(table, name):
    values = np.array([[cell.value for cell in row] for row in getattr(table, name)])
    assert values.shape == (3, 4)
    assert values.argmax(axis=1).tolist() == [1, 2, 0]
    best = max(getattr(table, name)[0], key=lambda cell: cell.value)
    assert best.low > table.chance[name].p95


def test_cells_hold_the_plain_measures(table, layers):
    x, y = layers
    assert table.cka[1][3].value == pytest.approx(debiased_cka(x[1], y[3]))
    assert table.mutual_knn[2][0].value == pytest.approx(mutual_knn(x[2], y[0], k=5))
    assert all(cell.low <= cell.value <= cell.high for row in table.linear_r2 for cell in row)


def test_held_out_errors_never_see_the_row_that_they_score(layers):
    x, folds = layers[0][0], np.arange(120) % 3
    y = x @ np.random.default_rng(1).standard_normal((6, 4))
    plain = held_out_errors(FoldedSource.of(x, folds), y)[0]
    spoiled = y.copy()
    spoiled[folds == 0] += 100 * np.random.default_rng(2).standard_normal((40, 4))
    error, total = held_out_errors(FoldedSource.of(x, folds), spoiled)
    assert error[0] > 1000
    assert np.all(plain < 1e-3 * total.mean())


def test_sentence_says_what_is_most_alike_only_above_chance():
    cells = ((Interval(0.2, 0.1, 0.3), Interval(0.6, 0.5, 0.7)), (Interval(0.1, 0, 0.2), Interval(0.3, 0.2, 0.4)))
    layers = (("0", "pooled"), ("0", "pooled"))
    found = table_sentence(layers, cells, ChanceBand(0.01, 0.05, 3))
    assert found.startswith("Most alike are layer 0 and the pooled output: debiased CKA 0.60 [0.50, 0.70]")
    assert found.endswith("for 1 of 2.")
    assert table_sentence(layers, cells, ChanceBand(0.4, 0.55, 3)) == "No two layers are significantly alike."


def test_reads_back_from_json_and_repeats_by_seed(layers):
    result = measure(*layers, config=QUICK)
    assert from_json(to_json(result), CkaResult) == result
    assert measure(*layers, config=QUICK).tables == result.tables


def test_one_model_gives_one_table_and_two_models_one_for_each_language(letter_encoder, letter_texts):
    bitext = Bitext.of("letters", ("en", "de"), letter_texts["en"], letter_texts["de"])
    within = run(letter_encoder, bitext, QUICK)
    assert within.sentence == within.tables[0].sentence
    assert len(within.tables) == 1
    assert (within.tables[0].rows.language, within.tables[0].columns.language) == ("en", "de")
    config = dataclasses.replace(QUICK, layers=(0, 1), other_layers=(2,))
    between = run(letter_encoder, bitext, config, other=letter_encoder, command="polyglot probe cka")
    assert [(t.rows.language, t.columns.language) for t in between.tables] == [("en", "en"), ("de", "de")]
    assert between.tables[0].row_layers == ("0", "1", "pooled")
    assert between.tables[0].column_layers == ("2", "pooled")
    assert between.tables[0].cka[2][0].value == pytest.approx(1, abs=1e-5)
    assert len(between.provenance.models) == 2


def test_refuses_bad_arrays_and_configs(layers, letter_encoder):
    x, y = layers
    with pytest.raises(DataError, match="as many rows"):
        measure(x, [layer[:-1] for layer in y])
    with pytest.raises(DataError, match="a group for each"):
        measure(x, y, groups=[1])
    with pytest.raises(DataError, match="at least 50"):
        run(letter_encoder, Bitext.of("letters", ("en", "fr"), ["a"] * 3, ["b"] * 3))
    wrongs = ({"folds": 2}, {"neighbours": 1}, {"permutations": 1}, {"resamples": 5}, {"layers": ()})
    for wrong in (*wrongs, {"other_layers": ()}):
        with pytest.raises(ConfigError):
            CkaConfig(**wrong)

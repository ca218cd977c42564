"""The retrieval probe on arrays and small texts with known answers; real text where it lies beside the repository."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from polyglot.analysis.maps.estimators import RotationMap
from polyglot.analysis.retrieval import tiles
from polyglot.analysis.retrieval.scores import Pool
from polyglot.analysis.retrieval.tatoeba import weighted_f1
from polyglot.errors import ConfigError, DataError
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.experiment.source_map import SourceMap
from polyglot.probe.results.retrieval import RetrievalResult
from polyglot.probe.results.serialization import from_json, read_schema, to_json
from polyglot.probe.retrieval.errors import ERROR_TYPES, error_type
from polyglot.probe.retrieval.run import RetrievalConfig, measure
from polyglot.probe.retrieval.search import measure_search
from sklearn.metrics import f1_score

QUICK = RetrievalConfig(resamples=200)


def clouds(n=260, d=24, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n, d))
    return y + noise * rng.standard_normal((n, d)), y


@pytest.fixture(scope="module")
def noisy():
    return measure(*clouds(noise=1.4), config=QUICK)


def test_equal_spaces_are_retrieved_without_error():
    x, y = clouds()
    for direction in measure(x, 3 * y, config=QUICK).directions:
        assert direction.pool == direction.queries == 260
        for scores in direction.scores.values():
            for name in ("p_at_1", "p_at_5", "p_at_10", "mrr", "accuracy", "f1"):
                assert getattr(scores, name).value == 1.0
        assert direction.rows["cosine"].ranks == (1,) * 260
        assert direction.rows["csls"].answers == tuple(range(260))


def test_unrelated_spaces_stand_at_their_null():
    x, y = clouds()
    result = measure(x, np.random.default_rng(9).standard_normal(y.shape), config=QUICK)
    scores = result.directions[0].scores["cosine"]
    assert scores.p_at_1.value <= scores.p_at_1.null_p95 + 0.01
    assert scores.mrr.low < scores.mrr.null_p95
    assert scores.p_at_1.null_mean < 0.02


def test_scores_are_those_of_their_rows(noisy):
    for direction in noisy.directions:
        for criterion, scores in direction.scores.items():
            rows = direction.rows[criterion]
            ranks, answers = np.array(rows.ranks), np.array(rows.answers)
            assert scores.p_at_5.value == pytest.approx(np.mean(ranks <= 5))
            assert scores.mrr.value == pytest.approx(np.mean(1 / ranks))
            assert scores.accuracy.value == pytest.approx(np.mean(answers == np.arange(260)))
            assert scores.f1.value == pytest.approx(f1_score(np.arange(260), answers, average="weighted"))
            for name in ("p_at_1", "accuracy", "f1"):
                estimate = getattr(scores, name)
                assert estimate.low <= estimate.value <= estimate.high
                assert estimate.null_mean <= estimate.null_p95 < estimate.low
        gain = direction.gains["csls"]
        assert gain.value == pytest.approx(
            direction.scores["csls"].p_at_1.value - direction.scores["cosine"].p_at_1.value
        )


def test_swapping_the_sides_swaps_the_directions(noisy):
    x, y = clouds(noise=1.4)
    swapped = measure(y, x, config=QUICK).directions
    for one, other in zip(noisy.directions, reversed(swapped), strict=True):
        assert one.rows == other.rows


def test_a_result_survives_its_json_and_is_the_same_each_time(noisy):
    text = to_json(noisy)
    assert read_schema(text) == "polyglot/retrieval/1"
    assert from_json(text, RetrievalResult) == noisy
    again = json.loads(to_json(measure(*clouds(noise=1.4), config=QUICK)))
    first = json.loads(text)
    for record in (again, first):
        record.pop("provenance")
    assert again == first


def test_csls_gains_where_there_are_hubs():
    rng = np.random.default_rng(1)
    y = rng.standard_normal((400, 40)) + 1.0
    x = y + 1.2 * rng.standard_normal((400, 40)) + 1.0
    y[:20] = 1.0 + 0.2 * rng.standard_normal((20, 40))
    direction = measure(x, y, config=QUICK).directions[0]
    assert direction.gains["csls"].low > 0
    assert direction.hubs["csls"].robin_hood < 0.7 * direction.hubs["cosine"].robin_hood
    assert "CSLS changes that by +" in direction.sentence


def test_through_a_map_a_turned_space_is_found_again(tmp_path):
    x, y = clouds(noise=0.3)
    turned = x @ np.linalg.qr(np.random.default_rng(2).standard_normal((24, 24)))[0]
    fitted = RotationMap().fit(turned[:200], y[:200])
    before = measure(turned[200:], y[200:], config=QUICK).directions
    after = measure(turned[200:], y[200:], config=QUICK, source_map=SourceMap(fitted, "turn"))
    assert before[0].scores["cosine"].p_at_1.value < 0.2
    assert all(d.scores["cosine"].p_at_1.value > 0.9 for d in after.directions)
    assert after.through == "turn"
    loaded = SourceMap.load(fitted.save(tmp_path / "fr-en"))
    assert loaded.name == "fr-en"
    assert measure(turned[200:], y[200:], config=QUICK, source_map=loaded).directions == after.directions
    assert after.sentence == " ".join(d.sentence for d in after.directions)


def test_rows_of_one_group_count_as_right_in_p_at_k_but_not_in_accuracy():
    x, y = clouds()
    x, y = np.vstack([x, x[:80]]), np.vstack([y, y[:80]])
    groups = np.concatenate([np.arange(260), np.arange(80)])
    direction = measure(x, y, groups, config=QUICK).directions[0]
    assert (direction.queries, direction.groups, direction.pool) == (340, 260, 260)
    assert direction.scores["cosine"].p_at_1.value == 1.0
    assert direction.scores["cosine"].accuracy.value == pytest.approx(260 / 340)


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_accuracy_of_repeated_rows_does_not_depend_on_the_last_bits_of_products(seed, monkeypatch):
    plain, rng = tiles.product, np.random.default_rng(seed)

    def product(a, b, out):
        plain(a, b, out)
        out.mul_(torch.from_numpy(1 + 2.0**-22 * rng.uniform(-1, 1, out.shape)))

    if seed is not None:
        monkeypatch.setattr(tiles, "product", product)
    x, y = clouds(n=60)
    x, y = np.vstack([x, x[:20]]), np.vstack([y, y[:20]])
    for direction in measure(x, y, np.r_[:60, :20], config=QUICK).directions:
        for scores in direction.scores.values():
            assert (scores.p_at_1.value, scores.accuracy.value) == (1.0, pytest.approx(0.75))
    for direction in measure(x, y, np.arange(80), config=QUICK).directions:  # each row a group of its own
        for scores in direction.scores.values():
            assert (scores.p_at_1.value, scores.accuracy.value) == (pytest.approx(0.75), pytest.approx(0.75))


def text_pairs():
    x, y = clouds(n=60, d=60)
    y = np.eye(60)
    x = np.eye(60)
    targets = [
        f"A plain sentence about matter {chr(97 + i % 26)}{chr(97 + i // 26)} and nothing else." for i in range(60)
    ]
    targets[0], targets[1] = "The train to Lyon leaves at 6.", "The train to Lyon leaves at 8."
    targets[2], targets[3] = "Rain fell on the old roof.", "Rain fell on the old red roof."
    targets[4], targets[5] = "No.", "Ships were lost in the storm of that winter, and nobody came."
    targets[6], targets[7] = "She sang.", "Bread rose."
    for wrong, taken in ((0, 1), (2, 3), (4, 5), (6, 7)):
        x[wrong] = 0.4 * y[wrong] + y[taken]
    numbers = np.arange(60)
    sources = tuple(f"phrase {i}" for i in range(60))
    pool = Pool(numbers, numbers)
    return Pairs(("fr", "en"), x, y, numbers, pool, (numbers, numbers), True, sources=sources, targets=tuple(targets))


def test_wrong_answers_are_classed_with_examples():
    search = measure_search(text_pairs(), QUICK)
    assert {e.kind: e.rows for e in search.errors} == dict.fromkeys(ERROR_TYPES, 1)
    assert [w.kind for w in search.wrong] == list(ERROR_TYPES)
    first = search.wrong[0]
    assert (first.row, first.found, first.rank) == (0, "The train to Lyon leaves at 8.", 2)
    assert first.cosine_found > first.cosine_right
    assert any("pool holds 60 candidates" in w for w in search.warnings)


def test_without_texts_only_numbers_enter():
    search = measure_search(text_pairs(), dataclasses.replace(QUICK, texts=False, rows=False))
    assert search.wrong == ()
    assert search.rows == {}
    assert "train" not in to_json(search)
    assert sum(e.rows for e in search.errors) == 4


@pytest.mark.parametrize(
    ("right", "found", "kind"),
    [
        ("I was born in 1982.", "I was born in 1983.", "numeral or name differs"),
        ("We saw Tom in the park.", "We saw Mary in the park.", "numeral or name differs"),
        ("我有3本书。", "我有5本书。", "numeral or name differs"),
        ("It is very cold today.", "It is cold today.", "near duplicate"),
        ("Why?", "He asked me why I had left the house so early.", "length"),
        ("Cats sleep a lot.", "Dogs bark at night.", "other"),
        ("", "", "other"),
    ],
)
def test_kinds_of_mistakes(right, found, kind):
    assert error_type(right, found) == kind
    assert error_type(found, right) == kind


def test_weighted_f1_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    wanted, predicted = rng.integers(0, 30, 200), rng.integers(0, 30, 200)
    weights = rng.integers(0, 4, 200).astype(float)
    assert weighted_f1(wanted, predicted) == pytest.approx(f1_score(wanted, predicted, average="weighted"))
    expected = f1_score(wanted, predicted, average="weighted", sample_weight=weights, zero_division=0)
    assert weighted_f1(wanted, predicted, weights) == pytest.approx(expected)


def test_errors_come_before_work():
    x, y = clouds()
    with pytest.raises(DataError, match="a search needs one space"):
        measure(x, y[:, :5], config=QUICK)
    fitted = RotationMap().fit(x[:, :5], y)
    with pytest.raises(DataError, match="takes width 5 to 24"):
        measure(x, y, config=QUICK, source_map=SourceMap(fitted, "turn"))
    with pytest.raises(DataError, match="at least 50 pairs"):
        measure(x[:20], y[:20], config=QUICK)
    with pytest.raises(ConfigError, match="permutations of at least 20"):
        RetrievalConfig(permutations=3)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "language", "code", "accuracy", "f1"),
    [
        ("minilm", "fra", "fr", 8.6, 8.2),
        ("minilm", "swh", "sw", 9.0, 5.8),
        ("me5-small", "fra", "fr", 92.2, 90.4),
        ("me5-small", "swh", "sw", 73.3, 67.4),
    ],
)
def test_published_tatoeba_values(shared_data, tmp_path, model, language, code, accuracy, f1):
    from polyglot.data.open import open_corpus
    from polyglot.models.cache import EmbeddingCache
    from polyglot.models.encoder import load_encoder
    from polyglot.probe.retrieval.run import run

    files = [str(shared_data / "tatoeba" / f"tatoeba.{language}-eng.{side}") for side in (language, "eng")]
    encoder = load_encoder(model)
    bitext = open_corpus(files, (code, "en")).bitext(code, "en")
    result = run((encoder, encoder), bitext, QUICK, cache=EmbeddingCache(tmp_path))
    scores = result.directions[0].scores["cosine"]
    assert 100 * scores.accuracy.value == pytest.approx(accuracy, abs=0.3)
    assert 100 * scores.f1.value == pytest.approx(f1, abs=0.3)

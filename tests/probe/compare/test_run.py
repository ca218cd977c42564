"""Results side by side: paired where rows were kept, unpaired where not, and refused where nothing can be said."""

import dataclasses
from functools import lru_cache

import numpy as np
import pytest
from polyglot.analysis.resampling import Interval, holm
from polyglot.errors import ConfigError, DataError
from polyglot.probe.compare.differences import NO_OUTCOMES, OTHER_ROWS, unpaired
from polyglot.probe.compare.run import CompareConfig, Source, file_name, run
from polyglot.probe.linear_map import run as linear_map
from polyglot.probe.results import training as train_result
from polyglot.probe.results.compare import LATENT, CompareResult
from polyglot.probe.results.linear_map import Geometry
from polyglot.probe.results.provenance import Side
from polyglot.probe.results.serialization import from_json, to_json
from polyglot.probe.retrieval.run import RetrievalConfig, measure

QUICK = CompareConfig(resamples=400)


@lru_cache
def searched(model, noise, *, seed=0, rows=True, names=("fr", "en")):
    """Search noisy translations of one fixed set of rows, two to a group, as some model would."""
    y = np.random.default_rng(0).standard_normal((160, 16))
    x = y + noise * np.random.default_rng([1, seed]).standard_normal(y.shape)
    config = RetrievalConfig(resamples=100, rows=rows)
    found = measure(x, y, groups=np.arange(160) // 2, config=config, names=names)
    sides = tuple(Side(name, model, f"{model:0<32}") for name in names)
    same = dataclasses.replace(found.provenance, models=sides, corpus="set", corpus_fingerprint="f" * 32)
    return dataclasses.replace(found, provenance=same)


def compared(*results, config=QUICK, **more):
    return run([Source(f"{i}.json", to_json(result)) for i, result in enumerate(results)], config, **more)


@pytest.fixture(scope="module")
def rough():
    return searched("rough", 1.6)


@pytest.fixture(scope="module")
def fine():
    return searched("fine", 1.2, seed=1)


@pytest.fixture(scope="module")
def pair(rough, fine):
    return compared(rough, fine)


def test_a_paired_difference_is_that_of_its_rows(pair, rough, fine):
    assert pair.unpaired == ""
    for one in pair.differences:
        assert one.paired
        place = ["fr → en", "en → fr"].index(one.part)
        criterion = {"CSLS": "csls", "xsim margin": "margin"}.get(one.row, one.row)
        scores = [r.directions[place].scores[criterion] for r in (rough, fine)]
        name = {"P@1": "p_at_1", "MRR": "mrr", "accuracy": "accuracy"}[one.measure]
        values = [getattr(score, name).value for score in scores]
        assert one.difference.value == pytest.approx(values[1] - values[0])


def test_its_limits_are_those_of_a_literal_bootstrap_of_groups(pair, rough, fine):
    ranks = [np.array(r.directions[0].rows["cosine"].ranks) for r in (rough, fine)]
    gain = (ranks[1] <= 1).astype(float) - (ranks[0] <= 1)
    groups = np.array(rough.directions[0].row_groups)
    rng = np.random.default_rng([0, 1])
    drawn = []
    for _ in range(QUICK.resamples):
        chosen = rng.integers(len(set(groups)), size=len(set(groups)))
        drawn.append(np.mean(np.concatenate([gain[groups == group] for group in chosen])))
    one = next(d for d in pair.differences if d.key == ("fr → en", "P@1", "cosine"))
    assert (one.difference.low, one.difference.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


def test_without_the_rows_the_same_results_are_unpaired_and_said_to_be(pair):
    bare = compared(searched("rough", 1.6, rows=False), searched("fine", 1.2, seed=1, rows=False))
    assert bare.unpaired == NO_OUTCOMES
    assert "paired intervals would be narrower" in bare.warnings[0]
    for one, other in zip(pair.differences, bare.differences, strict=True):
        assert not other.paired
        assert other.difference.value == pytest.approx(one.difference.value)


def test_rows_are_not_paired_across_corpora_or_languages(rough, fine):
    elsewhere = dataclasses.replace(fine, provenance=dataclasses.replace(fine.provenance, corpus_fingerprint="0" * 32))
    assert compared(rough, elsewhere).unpaired == OTHER_ROWS
    assert compared(rough, searched("fine", 1.2, names=("de", "en"))).unpaired == OTHER_ROWS


def test_a_result_does_not_differ_from_itself(rough):
    found = compared(rough, rough)
    assert [result.label for result in found.results] == ["0", "1"]
    assert all(d.difference.value == 0 and d.p_value == 1 and not d.holds for d in found.differences)
    assert "is significant (Holm)" in found.sentence


def test_the_order_turns_the_sign(pair, rough, fine):
    for one, other in zip(pair.differences, compared(fine, rough).differences, strict=True):
        assert other.difference.value == pytest.approx(-one.difference.value)
        assert other.holds == one.holds


def test_p_values_are_adjusted_over_the_whole_family(rough, fine):
    found = compared(rough, fine, searched("finer", 1.1, seed=2))
    assert len(found.differences) == 2 * 2 * 9
    raw = [d.p_value for d in found.differences]
    assert [d.p_adjusted for d in found.differences] == pytest.approx(holm(raw).tolist())
    assert all(d.holds == (d.p_adjusted <= 0.05) for d in found.differences)


def test_unpaired_limits_of_normal_estimates_are_those_of_the_textbook():
    found, p_value = unpaired(Interval(1.0, 0.7, 1.3), Interval(0.2, -0.2, 0.6), 0.95)
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.3, 1.3))
    z = 0.8 / (0.5 / 1.959963985)
    assert p_value == pytest.approx(0.0017, abs=1e-4)
    assert z == pytest.approx(3.136, abs=1e-3)


def test_unpaired_differences_turn_with_their_order_and_keep_skewed_limits():
    a, b = Interval(0.99, 0.95, 0.995), Interval(0.9, 0.85, 0.94)
    one, other = unpaired(a, b, 0.95), unpaired(b, a, 0.95)
    assert (one[0].low, one[0].high) == pytest.approx((-other[0].high, -other[0].low))
    assert one[1] == pytest.approx(other[1])
    assert one[0].value - one[0].low > one[0].high - one[0].value


def test_unpaired_limits_cover_the_difference_of_independent_means():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(600):
        x, y = rng.normal(0.3, 1.0, 80), rng.normal(0.0, 2.0, 80)
        ends = [1.96 * s.std(ddof=1) / np.sqrt(len(s)) for s in (x, y)]
        sides = [Interval(s.mean(), s.mean() - e, s.mean() + e) for s, e in zip((x, y), ends, strict=True)]
        found, _ = unpaired(*sides, 0.95)
        covered += found.low <= 0.3 <= found.high
    assert 0.93 <= covered / 600 <= 0.97


def test_a_certain_difference_has_no_width():
    assert unpaired(Interval(1, 1, 1), Interval(0, 0, 0), 0.95) == (Interval(1, 1, 1), 0.0)
    assert unpaired(Interval(1, 1, 1), Interval(1, 1, 1), 0.95)[1] == 1.0


def test_scores_that_are_not_numbers_stay_out_of_the_family(rough, fine):
    scores = dict(fine.directions[0].scores)
    lost = Interval(float("nan"), float("nan"), float("nan"))
    scores["cosine"] = dataclasses.replace(scores["cosine"], mrr=lost)
    broken = dataclasses.replace(fine.directions[0], scores=scores)
    found = compared(rough, dataclasses.replace(fine, directions=(broken, fine.directions[1])))
    assert len(found.differences) == 17


def test_languages_that_differ_are_named_by_the_one_they_share(rough):
    german = searched("rough", 1.6, seed=3, names=("de", "en"))
    found = compared(rough, german)
    assert [r.label for r in found.results] == ["en–fr", "en–de"]
    assert {d.part for d in found.differences} == {"en → …", "… → en"}
    assert found.common == ("rough",)


def test_languages_without_a_common_one_go_by_place(rough):
    found = compared(rough, searched("rough", 1.6, names=("de", "es")))
    assert {d.part for d in found.differences} == {"part 1", "part 2"}


def test_larger_pools_and_other_corpora_are_warned_of(rough, fine):
    wide = [dataclasses.replace(d, pool=4000) for d in fine.directions]
    other = dataclasses.replace(fine.provenance, corpus="another")
    warnings = " ".join(compared(rough, dataclasses.replace(fine, directions=tuple(wide), provenance=other)).warnings)
    assert "160 to 4000 candidates" in warnings
    assert "the corpora differ (set, another)" in warnings


def test_the_result_reads_back_and_names_its_inputs(pair):
    assert from_json(to_json(pair), CompareResult) == pair
    assert [one.file for one in pair.results] == ["0.json", "1.json"]
    assert len({one.file_fingerprint for one in pair.results}) == 2
    assert file_name(pair) == "retrieval-en-fr-rough-fine"


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_and_too_many_are_refused(rough, count):
    with pytest.raises(ConfigError, match=f"2 to 8 results, got {count}"):
        compared(*[rough] * count)


def test_kinds_are_not_mixed(rough):
    other = Source("layers.json", '{"schema": "polyglot/layers/1"}')
    with pytest.raises(DataError, match=r"polyglot/retrieval/1 \(a\.json\) and polyglot/layers/1 \(layers\.json\)"):
        run([Source("a.json", to_json(rough)), other])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema": "polyglot/geometry/1"}', "no comparison for results of schema polyglot/geometry/1"),
        ('{"schema": "polyglot/layers/1"}', "a.json: not a result: LayersResult has no"),
        ("{", "a.json: not a result"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(text, said):
    with pytest.raises(DataError, match=said):
        run([Source("a.json", text)] * 2)


@pytest.mark.parametrize("settings", [{"level": 1.0}, {"level": 0.2}, {"resamples": 50}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError):
        CompareConfig(**settings)


def test_methods_of_training_stand_side_by_side(trained):
    found = compared(trained("align", 0.9, 80), trained("map", 0.7, 0))
    assert [result.label for result in found.results] == ["align", "map"]
    assert found.sentence.startswith("fr: identity in align and map; ")
    hit = next(d for d in found.differences if d.key == ("fr", "P@1", "after"))
    assert hit.paired
    assert hit.difference.value == pytest.approx(-0.2)
    assert hit.holds
    lost = next(d for d in found.differences if d.measure == "lost")
    assert (lost.unit, lost.part, lost.paired) == ("points", "the old language", False)
    assert [result.seconds for result in found.results] == [80, 0]


def test_training_in_other_languages_is_the_new_language(trained):
    found = compared(trained("align", 0.9, 80), trained("align", 0.7, 80, language="de"))
    assert {d.part for d in found.differences} == {"the new language", "the old language"}
    assert found.unpaired == OTHER_ROWS


@pytest.fixture(scope="module")
def trained(rough):
    def make(method, hits, seconds, language="fr", rows=200):
        ranks = tuple(1 if i < hits * rows else 7 for i in range(rows))
        at = Interval(hits, hits - 0.05, hits + 0.05)
        found = train_result.Retrieval(rows, at, at, at, at)
        verdict = train_result.MapVerdict("identity", "…", {"linear": at})
        metrics = train_result.LanguageMetrics(found, verdict, ranks)
        fields = dict.fromkeys((f.name for f in dataclasses.fields(train_result.LanguageOutcome)), 0)
        fields |= {
            "words": None,
            "language": language,
            "before": metrics,
            "after": metrics,
            "corpus_fingerprint": language,
        }
        fields |= {"paired": "translations", "held_out_fingerprint": language, "held_out_groups": tuple(range(rows))}
        kept = train_result.RetentionScore("similarity", 100, at, at, Interval(0.4, -0.2, 1.0))
        speed = {"steps": 3, "pairs": 9, "seconds": seconds, "cpu_seconds": 1.0, "pairs_per_second": 1.0}
        speed |= {"precision": "float32", "threads": 1, "processes": 1, "losses": (0.5,)}
        return train_result.TrainResult(
            schema=train_result.SCHEMA,
            stage="finetune",
            method=method,
            model="minilm",
            base_fingerprint="",
            fingerprint="",
            run="run",
            languages=(train_result.LanguageOutcome(**fields),),
            retention=train_result.Retention((kept,), 0.01, 1.0, ()),
            speed=train_result.Speed(**speed),
            scores={},
            warnings=(),
            next_command="",
            provenance=dataclasses.replace(rough.provenance, models=(Side(language, "minilm", ""),)),
        )

    return make


def mapped(model, share, verdict="rotation", half=0.02, **changed):
    """A linear-map result of made-up rows with a verdict on geometry and latent shares."""
    found = linear_map.measure(*rows_of_a_rotation(), config=SHORT, names=("fr", "en"))
    at = Interval(share, share - half, share + half)
    shares = {"shift": Interval(0.2, 0.1, 0.3), "rotation": at, "linear": Interval(0.99, 0.97, 1.01)}
    geometry = Geometry(verdict, "suffices", f"Geometry: {verdict}.", 0.05, ("de",), 0.02, shares, {"de": shares})
    directions = tuple(dataclasses.replace(d, **({"geometry": geometry} | changed)) for d in found.directions)
    sides = tuple(Side(name, model, f"{model:0<32}") for name in ("fr", "en"))
    same = dataclasses.replace(found.provenance, models=sides)
    return dataclasses.replace(found, directions=directions, provenance=same)


@lru_cache
def rows_of_a_rotation():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 4))
    return x, x @ np.linalg.qr(rng.standard_normal((4, 4)))[0] + 0.2 * rng.standard_normal((120, 4))


SHORT = linear_map.LinearMapConfig(
    rungs=("rotation", "linear"),
    permutations=2,
    costly_permutations=1,
    resamples=100,
    power_replicates=0,
    failure=False,
)


def test_latent_shares_differ_with_intervals_and_verdicts_stand_side_by_side():
    found = compared(mapped("one", 0.98), mapped("two", 0.7, "undecided"))
    by_key = {one.key: one for one in found.differences}
    rotation = by_key["fr → en", LATENT, "rotation"]
    assert rotation.difference.value == pytest.approx(-0.28)
    assert rotation.difference.high - rotation.difference.value == pytest.approx(np.hypot(0.02, 0.02))
    assert rotation.holds
    assert by_key["fr → en", LATENT, "linear"].difference.value == 0
    assert ("fr → en", LATENT, "shift") not in by_key
    first, second = (result.judgements[0] for result in found.results)
    assert (first.geometry, second.geometry) == ("rotation", "undecided")
    assert first.search == second.search != ""
    assert "fr → en (geometry) and en → fr (geometry): rotation in one, not settled in two" in found.sentence
    assert from_json(to_json(found), CompareResult) == found


def test_where_one_result_has_no_geometry_verdicts_by_r2_are_compared():
    found = compared(mapped("one", 0.98), mapped("old", 0.7, geometry=None, use=None))
    assert not any(one.measure == LATENT for one in found.differences)
    assert found.sentence.startswith("fr → en and en → fr: rotation in one and old")
    assert found.results[1].judgements[0].geometry == ""


def test_geometry_of_a_trained_model_is_compared(trained):
    run_of = trained("align", 0.5, 10.0)
    share = {"rotation": Interval(0.9, 0.8, 1.0)}
    geometry = Geometry("undecided", "…", "Geometry: not settled.", 0.05, ("de",), 0.02, share, {})
    (language,) = run_of.languages
    verdict = dataclasses.replace(language.after.certificate, geometry=geometry)
    after = dataclasses.replace(language.after, certificate=verdict)
    judged = dataclasses.replace(run_of, languages=(dataclasses.replace(language, after=after),))
    found = compared(judged, dataclasses.replace(judged, method="distill"))
    assert any(one.key[1:] == (LATENT, "rotation") for one in found.differences)
    assert found.sentence.startswith(
        "fr: identity in align and distill; fr (geometry): not settled in align and distill"
    )

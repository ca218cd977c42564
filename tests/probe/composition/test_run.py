import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from polyglot.analysis.resampling import holm
from polyglot.data.bitext import ParallelText
from polyglot.errors import ConfigError, DataError
from polyglot.probe.composition.paths import composition_sentence, two_sided
from polyglot.probe.composition.run import CompositionConfig, measure, run
from polyglot.probe.results.composition import CompositionResult
from polyglot.probe.results.serialization import from_json, to_json

QUICK = CompositionConfig(folds=3, permutations=2, resamples=200)
NAMES = ("a", "b", "c")


def planted(noise=0.05, n=180, d=6):
    """One meaning, seen by each language through a matrix of its own, with noise."""
    rng = np.random.default_rng(0)
    meaning = rng.standard_normal((n, d))
    return [meaning @ rng.standard_normal((d, d)) + noise * rng.standard_normal((n, d)) + 1 for _ in NAMES]


@pytest.fixture(scope="module")
def clean():
    return measure(planted(), config=QUICK, names=NAMES)


@pytest.fixture(scope="module")
def poor_bridge():
    """The middle language says half of the meaning only."""
    rows = planted()
    rows[1] = np.hstack([rows[1][:, :3], rows[1][:, :3] + 0.01 * np.random.default_rng(1).standard_normal((180, 3))])
    return measure(rows, config=QUICK, names=NAMES)


def test_every_ordered_pair_path_and_loop_is_there(clean):
    assert {(p.source, p.target) for p in clean.pairs} == {(a, b) for a in NAMES for b in NAMES if a != b}
    assert len({one.path for one in clean.composed}) == 6
    assert len({loop.path for loop in clean.loops}) == 12
    assert all(loop.path[0] == loop.path[-1] for loop in clean.loops)


def test_exact_maps_compose_and_loops_close(clean):
    for pair in clean.pairs:
        assert pair.verdict == "linear"
        assert pair.r2.low > 0.9
        assert pair.r2.null_p95 < 0.1
    for one in clean.composed:
        assert one.agreement.low > 0.95
        assert one.r2_composed.value == pytest.approx(one.r2_direct.value, abs=0.02)
        assert one.p_adjusted > 0.05
    assert all(loop.r2.low > 0.95 for loop in clean.loops)
    assert clean.sentence.startswith("None of the 6 paths")


def test_a_poor_bridge_costs_and_is_named(poor_bridge):
    by_path = {one.path: one for one in poor_bridge.composed}
    over_b = by_path["a", "b", "c"]
    assert over_b.p_at_1_cost.low > 0.2
    assert over_b.p_adjusted < 0.05
    assert over_b.r2_cost.value == pytest.approx(over_b.r2_direct.value - over_b.r2_composed.value)
    assert over_b.p_at_1_cost.value == pytest.approx(over_b.p_at_1_direct.value - over_b.p_at_1_composed.value)
    assert "cost P@1 against the direct map" in poor_bridge.sentence
    loops = {loop.path: loop for loop in poor_bridge.loops}
    assert loops["a", "b", "a"].r2.high < loops["a", "c", "a"].r2.low
    assert loops["a", "b", "a"].p_at_1_cost.low > 0.2


def test_p_values_are_holm_adjusted_over_all_paths(poor_bridge):
    raw = [one.p_value for one in poor_bridge.composed]
    np.testing.assert_allclose([one.p_adjusted for one in poor_bridge.composed], holm(raw))


def test_p_value_of_nothing_is_one_and_of_much_is_small():
    assert two_sided(0.0, np.zeros(10)) == 1
    assert two_sided(0.3, np.full(10, 0.3)) == 0
    assert two_sided(1.96, np.random.default_rng(0).standard_normal(4000)) == pytest.approx(0.05, abs=0.01)


def test_sides_of_different_width_compose():
    rows = planted()
    rows[1] = np.hstack([rows[1], rows[1][:, :2] + 0.1 * np.random.default_rng(2).standard_normal((180, 2))])
    found = measure(rows, config=QUICK, names=NAMES)
    assert found.rungs == ("rotation", "similarity", "linear")
    assert min(one.agreement.low for one in found.composed) > 0.9


def test_run_adds_the_rungs_of_one_space_and_a_curved_one_if_asked(letter_encoder, letter_texts):
    text = ParallelText.of("letters", pa.table(letter_texts))
    config = dataclasses.replace(QUICK, curved=True)
    found = run(letter_encoder, text, ("en", "fr", "de"), config, command="polyglot probe composition en fr de")
    assert found.rungs == ("identity", "shift", "rotation", "similarity", "linear", "nonlinear")
    assert len(found.provenance.models) == 3
    assert from_json(to_json(found), CompositionResult) == found


def test_same_seed_same_result(clean):
    assert measure(planted(), config=QUICK, names=NAMES).composed == clean.composed


def test_unrelated_languages_are_said_to_have_no_map():
    rng = np.random.default_rng(5)
    found = measure([rng.standard_normal((120, 4)) for _ in NAMES], config=QUICK, names=NAMES)
    assert {pair.verdict for pair in found.pairs} == {"no map"}
    assert found.sentence.startswith("6 of 6 pairs of languages have no map better than chance. None of the 6 paths")


def test_sentence_without_paths():
    assert composition_sentence(()) == "There is no path over a third language."


def test_refuses_two_languages_and_bad_configs():
    with pytest.raises(ConfigError, match="at least 3 languages"):
        measure(planted()[:2], config=QUICK, names=("a", "b"))
    rows = planted()
    rows[0] = rows[0][:, :5]
    with pytest.raises(DataError, match="one width"):
        measure(rows, config=dataclasses.replace(QUICK, same_space=True), names=NAMES)
    for wrong in ({"margin": 0}, {"folds": 2}, {"permutations": 1}, {"resamples": 9}):
        with pytest.raises(ConfigError):
            CompositionConfig(**wrong)


def noisy(languages, middle=6, n=360, d=6):
    """One meaning under noise, turned by each language; the second one says some of its coordinates only."""
    rng = np.random.default_rng(2)
    meaning = rng.standard_normal((n, d))
    known = np.arange(d) < middle
    return [
        (meaning * (known if i == 1 else 1)) @ np.linalg.qr(rng.standard_normal((d, d)))[0]
        + 0.5 * rng.standard_normal((n, d))
        for i in range(languages)
    ]


def latent(rows, **options):
    names = "abcdefg"[: len(rows)]
    return {one.path: one for one in measure(rows, config=QUICK, names=tuple(names), **options).composed}


def test_latent_shares_tell_a_poor_bridge_from_noise():
    rows = noisy(5)
    further = dict(zip("xy", rows[3:], strict=True))
    over_b = latent(rows[:3], instruments=further)["a", "b", "c"]
    assert over_b.r2_composed.value < over_b.r2_direct.value - 0.01  # noise counts twice
    assert over_b.latent_direct.value == pytest.approx(1, abs=0.05)
    assert over_b.latent_composed.value == pytest.approx(1, abs=0.05)
    rows = noisy(5, middle=3)
    poor = latent(rows[:3], instruments=dict(zip("xy", rows[3:], strict=True)))["a", "b", "c"]
    assert poor.latent_composed.high < poor.latent_direct.low
    assert poor.latent_composed.value == pytest.approx(0.5, abs=0.12)


def test_languages_that_are_not_on_a_path_are_instruments_where_no_others_are_given():
    rows = noisy(4)
    assert all(one.latent_composed is not None for one in latent(rows).values())
    assert all(one.latent_composed is None for one in latent(rows[:3]).values())


def test_further_languages_of_the_text_are_instruments(letter_encoder, letter_texts):
    more = {"es": ["q" + text for text in letter_texts["en"]], "ru": [text[::-1] for text in letter_texts["en"]]}
    text = ParallelText.of("letters", pa.table({**letter_texts, **more}))
    found = run(letter_encoder, text, ("en", "fr", "de"), QUICK)
    assert found.instruments == ("es", "ru")
    assert found.languages == ("en", "fr", "de")
    assert from_json(to_json(found), CompositionResult) == found
    alone = run(letter_encoder, ParallelText.of("letters", pa.table(letter_texts)), ("en", "fr", "de"), QUICK)
    assert [one.r2_direct for one in alone.composed] == [one.r2_direct for one in found.composed]
    assert alone.instruments == ()

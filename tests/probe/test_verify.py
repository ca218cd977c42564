"""The replay of published values."""

import math

import numpy as np
import pytest
from polyglot.probe import verify as reference
from polyglot.probe.verify import DEMONSTRATION, SURVEY, Deviation, demonstration_data, replay, survey_data


@pytest.fixture(scope="module")
def rows():
    """Sections A to C, without the simulations of D."""
    rng = np.random.default_rng(reference.SEED)
    return (
        *reference.published_values("A", DEMONSTRATION, *demonstration_data()),
        *reference.published_values("B", SURVEY, *survey_data()),
        *reference.equal_measures(*survey_data()),
        *reference.invariances(rng),
    )


def test_every_published_value_is_reproduced(rows):
    assert [row.measure for row in rows if not row.ok] == []
    assert len(rows) == 6 + 16 + 3 + 6


def test_values_are_met_to_all_printed_digits_but_for_pwcca(rows):
    loose = [row.measure for row in rows if row.section in "AB" and row.tolerance > 1e-9]
    assert loose == ["PWCCA"]


def test_a_wrong_measure_is_found():
    x, y = demonstration_data()
    (first, *_) = reference.published_values("A", DEMONSTRATION, x + np.tri(100, 10), y)
    assert not first.ok
    assert abs(first.deviation) > first.tolerance


def test_deviation_compares():
    near = Deviation.of("A", "m", 1.0, 1.5, tolerance=0.5, dissent="others 2")
    assert (near.ok, near.deviation, near.dissent) == (True, 0.5, "others 2")
    assert not Deviation.of("A", "m", 1.0, 0.4, tolerance=0.5).ok
    assert not Deviation.of("A", "m", 1.0, math.nan, tolerance=0.5).ok


def test_data_are_the_published_draws():
    x, y = demonstration_data()
    assert x[0, 0] == pytest.approx(-0.70318731)
    assert x.shape == y.shape == (100, 10)
    assert survey_data()[0][0, 0] == pytest.approx(0.5488135039273248)


def test_small_null_simulations_behave():
    rng = np.random.default_rng(0)
    fitted, held_out = reference.procrustes_null(rng, 2000, 40)
    assert fitted == pytest.approx(0.85 * np.sqrt(40 / 2000), rel=0.05)
    assert abs(held_out) < 0.02
    fitted, held_out = reference.retrieval_null(rng, 100, 64)
    assert fitted > 0.9
    assert held_out < 0.1


def test_precision_counts_the_queries_whose_own_candidate_is_nearest():
    candidates = np.eye(20)
    queries = candidates[[*range(15), 0, 0, 0, 0, 0]]
    assert reference._precision_at_1(queries, candidates) == 0.75


@pytest.mark.slow
def test_the_whole_replay_holds_and_repeats():
    first = replay()
    assert all(row.ok for row in first)
    assert {row.section for row in first} == set("ABCD")
    assert replay() == first

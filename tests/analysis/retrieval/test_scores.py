import numpy as np
import pytest
from polyglot.analysis.resampling import Resamples
from polyglot.analysis.retrieval.ranks import MatchRanks
from polyglot.analysis.retrieval.scores import (
    RETRIEVAL_SCORES,
    Pool,
    fidelity,
    mean_intervals,
    outcomes_in_both_roles,
    retrieval_outcomes,
    retrieve,
    row_squares,
)


def test_fidelity_by_hand():
    y = np.array([[3.0, 0.0], [0.0, 2.0]])
    reference = np.ones((2, 2))
    prediction = np.array([[3.0, 0.0], [1.0, 1.0]])
    found = fidelity(y, prediction, reference)
    assert found.squared_error.tolist() == [0.0, 2.0]
    assert found.cosine.tolist() == pytest.approx([1.0, 0.0])


def test_cosine_is_about_the_training_mean_and_error_is_not():
    rng = np.random.default_rng(0)
    y, prediction, reference = rng.standard_normal((3, 20, 4))
    a, b = fidelity(y, prediction, reference), fidelity(y + 9, prediction + 9, reference + 9)
    np.testing.assert_allclose(a.cosine, b.cosine)
    np.testing.assert_allclose(a.squared_error, b.squared_error)
    np.testing.assert_allclose(fidelity(y, reference + 3 * (prediction - reference), reference).cosine, a.cosine)
    np.testing.assert_allclose(row_squares(y), (y**2).sum(axis=1))


def test_the_pool_holds_each_distinct_target_once():
    y = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [5.0, 6.0]])
    pool = Pool.of_vectors(y, np.array([7, 8, 7, 9]))
    assert pool.rows.tolist() == [0, 1, 3]
    assert pool.groups.tolist() == [7, 8, 9]


def test_retrieval_of_perfect_and_of_turned_predictions():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((30, 8))
    groups = np.arange(30)
    pool = Pool.of_vectors(y, groups)
    forward, backward = retrieve(y * 3, y, groups, pool)
    assert all((ranks.cosine == 1).all() and (ranks.csls == 1).all() for ranks in (forward, backward))
    forward, _ = retrieve(np.roll(y, 1, axis=0), y, groups, pool)
    assert not (forward.cosine == 1).any()


def test_a_candidate_of_the_same_group_counts():
    y = np.eye(4)
    groups = np.array([0, 0, 1, 2])
    forward, _ = retrieve(np.eye(4)[[1, 0, 2, 3]], y, groups, Pool.of_vectors(y, groups))
    assert forward.cosine.tolist() == [1, 1, 1, 1]


def test_outcomes_of_known_ranks():
    ranks = MatchRanks(np.array([1, 2, 5, 6, 10, 11]), np.array([1, 1, 2, 9, 1, 3]))
    outcomes = retrieval_outcomes(ranks)
    assert set(outcomes) == set(RETRIEVAL_SCORES)
    means = {name: values.mean() for name, values in outcomes.items()}
    assert means["p_at_1"] == pytest.approx(1 / 6)
    assert means["p_at_5"] == pytest.approx(3 / 6)
    assert means["p_at_10"] == pytest.approx(5 / 6)
    assert means["mrr"] == pytest.approx(np.mean([1, 1 / 2, 1 / 5, 1 / 6, 1 / 10, 1 / 11]))
    assert means["p_at_1_csls"] == pytest.approx(0.5)


def test_intervals_surround_means():
    outcomes = {"a": np.arange(40.0) / 40, "b": np.ones(40)}
    found = mean_intervals(outcomes, Resamples.draw(np.arange(40), np.random.default_rng(0), 300))
    assert found["a"].value == 19.5 / 40
    assert found["a"].low < 19.5 / 40 < found["a"].high
    assert (found["b"].value, found["b"].high) == (1.0, 1.0)
    assert found["b"].low == pytest.approx(0.025 ** (1 / 40))  # the exact binomial limit of 40 hits in 40


def test_a_group_bears_what_it_costs_others():
    """Query 0 finds candidate 1 before its own; nobody else is in the way of anybody."""
    y = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    prediction = np.array([[0.5, 0.5, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    groups = np.array([4, 7, 9])
    pool = Pool.of_vectors(y, groups)
    ranks = retrieve(prediction, y, groups, pool, influence=True)[0]
    assert ranks.cosine.tolist() == [2, 1, 1]
    found = outcomes_in_both_roles(ranks, groups, pool.groups)
    assert found["p_at_1"].tolist() == pytest.approx([0 + 1 / 3, 1 - 1 + 1 / 3, 1 + 1 / 3])
    assert found["p_at_5"].tolist() == [1.0, 1.0, 1.0]
    assert found["mrr"].mean() == pytest.approx(2.5 / 3)


def test_groups_without_a_query_bear_nothing_and_rows_of_a_group_share():
    ranks = MatchRanks(
        np.array([2, 2, 1]), np.ones(3, int), influence={n: np.array([2.0, 1.0]) for n in RETRIEVAL_SCORES}
    )
    found = outcomes_in_both_roles(ranks, np.array([5, 5, 6]), np.array([5, 8]))
    assert found["p_at_1"].tolist() == pytest.approx([-1 + 2 / 3, -1 + 2 / 3, 1 + 2 / 3])


def test_intervals_in_both_roles_are_never_narrower_than_samples_scatter_and_not_much_wider():
    """The spread of P@1 over fresh samples, pool included, against the mean standard error that the bootstrap gives."""
    rng = np.random.default_rng(0)
    groups, spectrum = np.arange(200), np.arange(1, 33) ** -0.5
    values, plain, both = [], [], []
    for _ in range(150):
        y = rng.standard_normal((200, 32)) * spectrum
        prediction = y + 0.3 * rng.standard_normal(y.shape)
        ranks = retrieve(prediction, y, groups, Pool.of_vectors(y, groups), influence=True)[0]
        resamples = Resamples.draw(groups, rng, 200)
        values.append(retrieval_outcomes(ranks)["p_at_1"].mean())
        plain.append(resamples.mean(retrieval_outcomes(ranks)["p_at_1"])[1].std())
        both.append(resamples.mean(outcomes_in_both_roles(ranks, groups, groups)["p_at_1"])[1].std())
    assert np.mean(plain) < np.std(values) < np.mean(both) < 1.35 * np.std(values)

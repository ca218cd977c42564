import numpy as np
import pytest
from polyglot.analysis.certificate.permutation import NullPlan, NullScores, permutation_null
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.retrieval.scores import RETRIEVAL_SCORES, Pool
from polyglot.analysis.splits import permute_within_strata

RUNGS = ("identity", "rotation", "linear", "nonlinear")


@pytest.fixture
def setting():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 4))
    y = x + 0.3 * rng.standard_normal((90, 4))
    return Ladder(x, np.arange(90) % 5, rungs=RUNGS), y, np.arange(90)


def test_costly_rungs_and_retrieval_are_permuted_less_often(setting):
    ladder, y, groups = setting
    pool = Pool.of_vectors(y, groups)
    null = permutation_null(ladder, y, groups, groups // 45, pool=pool, plan=NullPlan(6, 2, seed=1))
    assert {r: len(v) for r, v in null.forward["r2"].items()} == {
        "identity": 6,
        "rotation": 6,
        "linear": 6,
        "nonlinear": 2,
    }
    assert len(null.ceiling) == 6
    for name in RETRIEVAL_SCORES:
        for side in (null.forward, null.backward):
            assert {len(v) for v in side[name].values()} == {2}
            assert set(side[name]) == set(RUNGS)


def test_values_are_those_of_the_ladder_on_permuted_targets(setting):
    ladder, y, groups = setting
    strata = np.zeros(90, int)
    null = permutation_null(ladder, y, groups, strata, pool=None, plan=NullPlan(3, 1, seed=4))
    rng, best = np.random.default_rng(4), []
    for turn in range(3):
        permuted = y[permute_within_strata(groups, strata, rng)]
        fit = ladder.narrow(unturned=True).fit(permuted, RUNGS if turn < 1 else RUNGS[:3])
        r2 = {
            r: 1 - np.sum((permuted - p) ** 2) / np.sum((permuted - fit.reference) ** 2)
            for r, p in fit.predictions.items()
        }
        assert null.forward["r2"]["linear"][turn] == pytest.approx(r2["linear"])
        best.append(max(r2.values()))
    assert null.ceiling == pytest.approx(tuple(best))


def test_broken_pairs_predict_nothing_and_retrieve_by_chance(setting):
    ladder, y, groups = setting
    null = permutation_null(ladder, y, groups, np.zeros(90, int), pool=Pool.of_vectors(y, groups), plan=NullPlan(8, 8))
    assert -0.6 < null.ceiling_p95 < 0.1
    assert max(null.forward["r2"]["identity"]) < -0.3
    assert np.mean(null.forward["p_at_1"]["linear"]) < 0.05
    assert 0 <= null.p_at_1_p95 < 0.12


def test_without_a_pool_there_is_no_retrieval_null(setting):
    ladder, y, groups = setting
    null = permutation_null(ladder, y, groups, groups, pool=None, plan=NullPlan(2, 1))
    assert set(null.forward) == {"r2", "cosine"}
    assert null.p_at_1_p95 == 0.0


def test_percentiles_are_over_the_best_rung_of_each_permutation():
    null = NullScores({"p_at_1": {"a": [0.0, 0.4], "b": [0.2, 0.1]}}, {}, (0.1, 0.2), 0)
    assert null.p_at_1_p95 == pytest.approx(np.quantile([0.2, 0.4], 0.95))
    assert null.ceiling_p95 == pytest.approx(np.quantile([0.1, 0.2], 0.95))


def test_a_permutation_with_every_rung_counts_whole():
    few = tuple(np.linspace(0.0, 0.1, 20))
    assert NullScores({}, {}, few, 0).ceiling_p95 == pytest.approx(np.quantile(few, 0.95))
    assert NullScores({}, {}, (0.3, *few[1:]), 1).ceiling_p95 == 0.3

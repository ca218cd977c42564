import numpy as np
import pytest
from polyglot.analysis.certificate.jackknife import BLOCKS, block_moments_of, refitted_intervals
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.maps.map_spec import MapSpec
from polyglot.analysis.maps.regression import Shrinkage
from polyglot.analysis.resampling import blocks_of_groups, jackknife_interval
from polyglot.analysis.splits import group_folds

RUNGS = ("shift", "rotation", "similarity", "linear")


def setting(n=120, size=2, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 5)) + 4
    y = x @ rng.standard_normal((5, 5)) + rng.standard_normal((n, 5))
    groups = np.arange(n) // size
    return x, y, groups, group_folds(groups, 5, rng)


def naive_r2(x, y, folds, rung, penalties):
    """Refit every fold from its rows."""
    error = spread = 0.0
    for fold, penalty in enumerate(penalties):
        training, held = folds != fold, folds == fold
        mean_x, mean_y = x[training].mean(axis=0), y[training].mean(axis=0)
        a, b = x[training] - mean_x, y[training] - mean_y
        if rung == "linear":
            weights = np.linalg.solve(a.T @ a + penalty * np.trace(a.T @ a) / 5 / len(a) * np.eye(5), a.T @ b)
        else:
            left, singular, right = np.linalg.svd(a.T @ b)
            scale = singular.sum() / np.sum(a**2) if rung == "similarity" else 1.0
            weights = np.eye(5) if rung == "shift" else scale * left @ right
        error += np.sum((y[held] - mean_y - (x[held] - mean_x) @ weights) ** 2)
        spread += np.sum((y[held] - mean_y) ** 2)
    return 1 - error / spread


@pytest.mark.parametrize("rung", RUNGS)
def test_intervals_equal_a_refit_from_arrays(rung):
    x, y, groups, folds = setting()
    penalties = [1.0, 10.0, 30.0, 100.0, 300.0]
    blocks = list(blocks_of_groups(groups, folds, BLOCKS))
    without = []
    for rows in blocks:
        kept = np.setdiff1d(np.arange(len(x)), rows)
        without.append(naive_r2(x[kept], y[kept], folds[kept], rung, penalties))
    expected = jackknife_interval(naive_r2(x, y, folds, rung, penalties), without)
    found = refitted_intervals(
        block_moments_of(x, y, groups, folds), {rung: [MapSpec(rung, shrinkage=Shrinkage(p)) for p in penalties]}
    )
    assert (found[rung].value, found[rung].low, found[rung].high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-9
    )


def test_the_value_is_that_of_the_ladder():
    x, y, groups, folds = setting()
    fit = Ladder(x, folds, rungs=RUNGS).fit(y)
    specs = {rung: [choices.spec(rung) for choices in fit.choices] for rung in RUNGS}
    found = refitted_intervals(block_moments_of(x, y, groups, folds), specs, np.eye(5))
    for rung in RUNGS:
        r2 = 1 - np.sum((y - fit.predictions[rung]) ** 2) / np.sum((y - fit.reference) ** 2)
        assert found[rung].value == pytest.approx(r2, abs=1e-9)


def test_blocks_hold_every_row_once():
    x, y, groups, folds = setting()
    blocks = block_moments_of(x, y, groups, folds)
    assert sum(b.moments.n for b in blocks) == len(x)
    assert {b.fold for b in blocks} == set(range(5))


@pytest.mark.parametrize("size", [24, 12])
def test_few_large_groups_are_survived(size):
    x, y, groups, folds = setting(size=size)
    found = refitted_intervals(block_moments_of(x, y, groups, folds), {"rotation": [MapSpec("rotation")] * 5})
    assert np.isfinite([found["rotation"].low, found["rotation"].high]).all()

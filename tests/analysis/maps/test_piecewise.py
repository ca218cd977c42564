import numpy as np
import pytest
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget
from polyglot.analysis.maps.piecewise import Locality, LocalRung
from polyglot.analysis.maps.regression import Shrinkage
from polyglot.analysis.maps.ridge import RELATIVE_PENALTIES


def folded(n=200, p=3, seed=0):
    """Two far clouds, each with a map of its own."""
    rng = np.random.default_rng(seed)
    side = rng.integers(2, size=n)
    x = rng.standard_normal((n, p)) + 8 * side[:, None]
    maps = rng.standard_normal((2, p, 2))
    y = np.einsum("ni,nij->nj", x, maps[side]) + 0.1 * rng.standard_normal((n, 2))
    return FoldedTarget.of(FoldedSource.of(x, rng.permutation(np.arange(n) % 5)), y)


def test_two_maps_are_found_where_there_are_two():
    target = folded()
    rung = LocalRung(target.source, seed=0)
    for fold, rows in enumerate(target.source.rows):
        predicted, choice = rung.predict(target, fold, Shrinkage(1e-4))
        straight = target.regression(frozenset({fold})).linear(Shrinkage(1e-4))(target.source.x[rows])
        assert choice.regions >= 2
        assert np.sum((target.y[rows] - predicted) ** 2) < 0.05 * np.sum((target.y[rows] - straight) ** 2)


def test_predictions_equal_a_dense_ridge_on_residuals_in_each_region():
    target, fold = folded(), 1
    source, rung = target.source, LocalRung(target.source, seed=0)
    predicted, choice = rung.predict(target, fold, Shrinkage(1.0))
    ridge = target.regression(frozenset({fold})).linear(Shrinkage(1.0))
    regions = rung.partition(frozenset({fold}), fold, choice.regions)
    constant = np.sqrt(np.mean(source.x**2))
    expected = np.empty_like(predicted)
    held = source.rows[fold]
    distance = ((source.x[:, None] - regions.centres) ** 2).sum(-1)
    region = distance.argmin(axis=1)
    training = source.folds != fold
    for r in range(len(regions.centres)):
        rows, scored = np.flatnonzero(training & (region == r)), np.flatnonzero(region[held] == r)
        a, b = (np.column_stack([np.full(len(i), constant), source.x[i] - ridge.mean_x]) for i in (rows, held[scored]))
        penalty = choice.penalty * np.trace(a.T @ a) / a.shape[1]
        residual = target.y[rows] - ridge(source.x[rows])
        weights = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ residual)
        expected[scored] = ridge(source.x[held[scored]]) + b @ weights
    np.testing.assert_allclose(predicted, expected, atol=1e-6)


def test_the_greatest_penalty_is_the_global_map(monkeypatch):
    target = folded()
    rung = LocalRung(target.source, seed=0)
    monkeypatch.setattr(rung, "choose", lambda *_: Locality(2, RELATIVE_PENALTIES[-1]))
    predicted, _ = rung.predict(target, 0, Shrinkage(10.0))
    ridge = target.regression(frozenset({0})).linear(Shrinkage(10.0))
    np.testing.assert_array_equal(predicted, ridge(target.source.x[target.source.rows[0]]))


def test_held_out_targets_do_not_matter():
    target = folded()
    spoiled = target.y.copy()
    spoiled[target.source.rows[2]] *= -30
    other = FoldedTarget.of(target.source, spoiled)
    a, choice = LocalRung(target.source, seed=0).predict(target, 2, Shrinkage(1.0))
    b, same = LocalRung(target.source, seed=0).predict(other, 2, Shrinkage(1.0))
    assert choice == same
    np.testing.assert_allclose(b + other.centre, a, atol=1e-8)


@pytest.mark.parametrize(("n", "regions"), [(30, (1,)), (60, (2,)), (200, (2, 4, 8))])
def test_few_rows_have_few_regions(n, regions):
    source = folded(n=n).source
    assert LocalRung(source, seed=0).regions_tried(frozenset({0, 1})) == regions


def test_duplicated_rows_leave_fewer_regions_than_asked():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.standard_normal((3, 4)), 40, axis=0)
    target = FoldedTarget.of(FoldedSource.of(x, np.arange(120) % 5), x @ rng.standard_normal((4, 2)))
    predicted, _ = LocalRung(target.source, seed=0).predict(target, 0, Shrinkage(1e-4))
    np.testing.assert_allclose(predicted, target.y[target.source.rows[0]], atol=1e-3)

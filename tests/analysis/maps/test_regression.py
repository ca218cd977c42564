import itertools

import numpy as np
import pytest
from polyglot.analysis.maps.affine import AffineMap
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.maps.low_rank import choose_rank, rank_errors
from polyglot.analysis.maps.map_spec import MapSpec, fit_spec
from polyglot.analysis.maps.regression import Regression, Shrinkage, Split
from polyglot.analysis.maps.shrinkage import choose_kappa, choose_shrinkage, largest_scale
from polyglot.analysis.moments import Moments, fold_moments, merged


def folded(n=60, p=6, q=5, n_folds=5, noise=1.0, seed=0, prior=None):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * np.arange(1, p + 1) + 4
    y = x @ rng.standard_normal((p, q)) + noise * rng.standard_normal((n, q)) - 3
    folds = rng.permutation(np.arange(n) % n_folds)
    return FoldedTarget.of(FoldedSource.of(x, folds), y, prior), x - x.mean(axis=0), y - y.mean(axis=0), folds


def naive_ridge(x, y, penalty, centre=0.0):
    """Solve (Sxx + λI) W = Sxy + λC with λ = penalty · tr(Sxx) / (n p)."""
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    strength = penalty * np.trace(a.T @ a) / x.shape[1] / len(x)
    weights = np.linalg.solve(a.T @ a + strength * np.eye(x.shape[1]), a.T @ b + strength * centre)
    return AffineMap(weights, x.mean(axis=0), y.mean(axis=0))


def naive_polar(matrix):
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return left @ right


def naive_rotation(x, y, kappa, prior):
    cross = (x - x.mean(axis=0)).T @ (y - y.mean(axis=0))
    return naive_polar(cross + kappa * np.linalg.norm(cross) / np.sqrt(min(cross.shape)) / len(x) * prior)


PENALTIES = tuple(float(v) for v in np.geomspace(1e-3, 1e6, 10))


@pytest.mark.parametrize("shape", [(60, 6, 5), (20, 30, 4), (60, 1, 1)])
def test_ridge_errors_are_those_of_explicit_predictions(shape):
    target, x, y, folds = folded(*shape)
    training, held = ~np.isin(folds, (0, 1)), folds == 1
    errors = target.split(frozenset({0, 1}), 1).ridge_errors(PENALTIES)
    expected = [np.sum((y[held] - naive_ridge(x[training], y[training], p)(x[held])) ** 2) for p in PENALTIES]
    np.testing.assert_allclose(errors, expected, rtol=1e-4)


@pytest.mark.parametrize("towards", ["prior", "rotation"])
@pytest.mark.parametrize("scale", [0.0, 0.4, 1.5])
def test_errors_are_quadratic_in_the_scale_of_the_prior(towards, scale):
    target, x, y, folds = folded(noise=5.0, q=6, prior=np.eye(6))
    training, held = ~np.isin(folds, (0, 1)), folds == 1
    split = target.split(frozenset({0, 1}), 1)
    plain, slope, bend = split.errors_in_scale(PENALTIES, towards, 7.0)
    centre = np.eye(6) if towards == "prior" else naive_rotation(x[training], y[training], 7.0, np.eye(6))
    fits = [naive_ridge(x[training], y[training], p, scale * centre) for p in PENALTIES]
    expected = [np.sum((y[held] - fitted(x[held])) ** 2) for fitted in fits]
    np.testing.assert_allclose(plain - 2 * scale * slope + scale**2 * bend, expected, rtol=1e-8)


def test_the_shrinkage_is_no_worse_than_a_search_over_penalties_and_scales():
    target, x, y, folds = folded(noise=20.0, q=6, prior=np.eye(6))
    for outer in range(5):
        chosen = choose_shrinkage(target.inner_splits(outer), np.inf)
        most = largest_scale(target.inner_splits(outer), "prior", np.inf)
        penalties, scales = np.geomspace(1e-2, 1e4, 25), np.linspace(0, most, 13)
        totals, own = np.zeros((len(penalties), len(scales))), 0.0
        for inner in ((outer + 1) % 5, (outer - 1) % 5):
            training, held = ~np.isin(folds, (outer, inner)), folds == inner
            for i, penalty in enumerate(penalties):
                for j, scale in enumerate(scales):
                    fitted = naive_ridge(x[training], y[training], penalty, scale * np.eye(6))
                    totals[i, j] += np.sum((y[held] - fitted(x[held])) ** 2)
            fitted = naive_ridge(x[training], y[training], chosen.penalty, chosen.scale * np.eye(6))
            own += np.sum((y[held] - fitted(x[held])) ** 2)
        assert own <= totals.min() * (1 + 1e-4)


def test_choices_do_not_see_the_outer_fold():
    target, _, y, folds = folded(noise=20.0)
    spoiled = y.copy()
    spoiled[folds == 3] = 1000 * np.random.default_rng(5).standard_normal(spoiled[folds == 3].shape)
    other = FoldedTarget.of(target.source, spoiled)
    splits, other_splits = target.inner_splits(3), other.inner_splits(3)
    kappa = choose_kappa(splits)
    assert choose_kappa(other_splits) == pytest.approx(kappa, rel=1e-6)
    shrinkage = choose_shrinkage(splits, kappa)
    assert choose_shrinkage(other_splits, kappa).penalty == pytest.approx(shrinkage.penalty, rel=1e-6)
    rank = choose_rank(splits, shrinkage)
    assert choose_rank(other_splits, shrinkage) == rank
    spec = MapSpec("low_rank", kappa, shrinkage, rank)
    low, low_other = (fit_spec(t.regression(frozenset({3})), spec) for t in (target, other))
    np.testing.assert_allclose(low_other.weights, low.weights, atol=1e-8)


def test_fit_ridge_equals_the_naive_map():
    target, x, y, folds = folded()
    training, shrinkage = target.regression(frozenset({2})), Shrinkage(4.0)
    fitted, expected = training.linear(shrinkage), naive_ridge(x[folds != 2], y[folds != 2], 4.0)
    np.testing.assert_allclose(fitted(x), expected(x), atol=1e-9)
    assert target.regression(frozenset({2})) is training
    assert training.linear(shrinkage) is fitted


@pytest.mark.parametrize("penalty", [1e-4, 3.0, 300.0])
@pytest.mark.parametrize("towards", ["zero", "prior", "rotation"])
def test_moments_and_fold_sums_give_the_same_regression(penalty, towards):
    target, x, y, folds = folded(noise=10.0, q=6, prior=np.eye(6))
    moments = fold_moments(x, y, folds, dtype="float64")
    training = Regression(merged(moments[fold] for fold in (0, 2, 3)), np.eye(6))
    split, other = target.split(frozenset({1, 4}), 1), Split(training, moments[1])
    shrinkage = Shrinkage(penalty, 0.7, towards, 5.0)
    assert not training.is_factored
    np.testing.assert_allclose(training.linear(shrinkage).weights, split.training.linear(shrinkage).weights, atol=1e-8)
    np.testing.assert_allclose(training.rotation(5.0), split.training.rotation(5.0), atol=1e-9)
    np.testing.assert_allclose(other.ridge_errors(PENALTIES), split.ridge_errors(PENALTIES), rtol=1e-9)
    np.testing.assert_allclose(rank_errors(other, shrinkage), rank_errors(split, shrinkage), rtol=1e-8)


@pytest.mark.parametrize("shape", [(60, 6, 5), (4, 30, 2)])
def test_no_penalty_gives_the_least_norm_solution_on_collinear_columns(shape):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((shape[0], shape[1] // 2)), rng.standard_normal((shape[0], shape[2]))
    x = np.hstack([x, x])
    expected = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(axis=0), rcond=1e-10)[0]
    fitted = Regression(Moments.from_arrays(x, y, dtype="float64")).linear(Shrinkage(0.0))
    np.testing.assert_allclose(fitted.weights, expected, atol=1e-9)


def test_limits_of_the_shrinkage():
    target, x, y, _ = folded(noise=3.0, q=6, prior=np.eye(6))
    training = target.regression(frozenset())
    np.testing.assert_allclose(training.rotation(0.0), naive_polar(x.T @ y), atol=1e-9)
    np.testing.assert_array_equal(training.rotation(np.inf), np.eye(6))
    np.testing.assert_allclose(training.rotation(1e12), np.eye(6), atol=1e-6)
    np.testing.assert_allclose(training.rotation(30.0), naive_rotation(x, y, 30.0, np.eye(6)), atol=1e-9)
    least_squares = np.linalg.lstsq(x, y, rcond=None)[0]
    for towards in ("zero", "prior", "rotation"):
        np.testing.assert_allclose(training.linear(Shrinkage(0.0, 0.5, towards)).weights, least_squares, atol=1e-9)
    np.testing.assert_allclose(training.linear(Shrinkage(np.inf, 0.5, "prior")).weights, 0.5 * np.eye(6))
    far = training.linear(Shrinkage(1e12, 0.5, "rotation", 30.0)).weights
    np.testing.assert_allclose(far, 0.5 * training.rotation(30.0), atol=1e-6)
    np.testing.assert_allclose(training.linear(Shrinkage(9.0)).weights, naive_ridge(x, y, 9.0).weights, atol=1e-9)


def test_the_prior_across_spaces_turns_the_strongest_components():
    rng = np.random.default_rng(0)
    x, turn = rng.standard_normal((400, 8)) * np.linspace(3, 0.3, 8), np.linalg.qr(rng.standard_normal((8, 8)))[0]
    y = x @ turn + 0.1 * rng.standard_normal((400, 8))
    few = Regression(Moments.from_arrays(x[:40], y[:40], dtype="float64"))
    assert np.linalg.matrix_rank(few.prior) == 4
    singular = np.linalg.svd(few.prior, compute_uv=False)
    np.testing.assert_allclose(singular, np.repeat([1.0, 0.0], 4), atol=1e-9)
    about = x[:40] - x[:40].mean(axis=0)
    assert np.sum((about @ few.prior - about @ turn) ** 2) < 0.3 * np.sum(about**2)


@pytest.mark.parametrize("q", [6, 9])
def test_a_prior_of_all_components_is_the_rotation_of_any_kappa(q):
    target, x, y, _ = folded(n=200, noise=20.0, q=q)
    for training in (target.regression(frozenset()), Regression(Moments.from_arrays(x, y, dtype="float64"))):
        axes = training.factor.vectors
        np.testing.assert_allclose(training.prior, axes @ naive_polar(axes.T @ training.sxy), atol=1e-9)
        for kappa in (0.0, 7.0, np.inf):
            np.testing.assert_allclose(training.rotation(kappa), naive_rotation(x, y, 0.0, 0.0), atol=1e-9)
            assert training.is_orthogonal(kappa) == (q == 6)
    few = folded(n=40, q=q)[0].regression(frozenset())
    assert not np.allclose(few.rotation(7.0), few.rotation(0.0), atol=1e-3)


def test_without_a_factor_the_weights_are_the_same():
    target, x, y, folds = folded(noise=5.0, q=6)
    training, shrinkage = target.regression(frozenset({0})), Shrinkage(3.0, 0.8, "rotation", 0.0)
    assert not training.is_factored
    solved = training.linear(shrinkage).weights
    again = FoldedTarget.of(target.source, y).regression(frozenset({0}))
    assert again.factor is target.source.factor(frozenset({0}))
    assert again.is_factored
    np.testing.assert_allclose(again.linear(shrinkage).weights, solved, atol=1e-9)
    assert FoldedTarget.of(target.source.narrow(), y).regression(frozenset({1})).is_factored
    denoised = FoldedSource.of(x, folds, 0.9 * x)
    assert FoldedTarget.of(denoised, y).regression(frozenset({1})).is_factored


@pytest.mark.parametrize("n", [150, 400, 1200])
@pytest.mark.parametrize("truth", ["shift", "rotation"])
def test_a_rung_does_not_lose_to_the_plainer_one_that_it_holds(n, truth):
    """Where the plainer rung is the truth, the freer one comes within a hundredth of its error."""
    rng = np.random.default_rng([n, len(truth)])
    x = rng.standard_normal((n, 64)) * np.arange(1, 65) ** -0.5
    turn = np.eye(64) if truth == "shift" else np.linalg.qr(rng.standard_normal((64, 64)))[0]
    y = x @ turn + 0.5 + rng.standard_normal((n, 64)) * np.sqrt(np.mean(x**2))
    fit = Ladder(x, np.arange(n) % 5, rungs=("shift", "rotation", "similarity", "linear")).fit(y)
    error = {rung: np.sum((y - predicted) ** 2) for rung, predicted in fit.predictions.items()}
    order = ["shift", "rotation", "linear"] if truth == "shift" else ["rotation", "linear"]
    for plainer, freer in itertools.pairwise(order):
        assert error[freer] < 1.01 * error[plainer], (plainer, freer)


def test_no_choice_hangs_on_the_last_bits():
    target, x, y, folds = folded(n=200, noise=5.0, q=6, prior=np.eye(6))
    noise = 1 + 1e-14 * np.random.default_rng(3).standard_normal(x.shape)
    other = FoldedTarget.of(FoldedSource.of(x * noise, folds), y, np.eye(6))
    exact = FoldedTarget.of(target.source, x + 2, np.eye(6)), FoldedTarget.of(other.source, x + 2, np.eye(6))
    for one, two in ((target, other), exact):
        splits = one.inner_splits(0), two.inner_splits(0)
        kappas = [choose_kappa(part) for part in splits]
        assert kappas[0] == pytest.approx(kappas[1], rel=1e-6)
        a, b = (choose_shrinkage(part, kappas[0]) for part in splits)
        assert (a.penalty, a.scale) == pytest.approx((b.penalty, b.scale), rel=1e-6)
        assert a.towards == b.towards
    assert kappas[0] == np.inf


def test_an_instrument_takes_the_noise_of_x_out():
    """The two-stage solution from sums equals a literal one, and finds the map that plain ridge attenuates."""
    rng = np.random.default_rng(0)
    meaning = rng.standard_normal((4000, 4))
    weights = rng.standard_normal((4, 3))
    x, y = meaning + rng.standard_normal((4000, 4)), meaning @ weights + 0.3 * rng.standard_normal((4000, 3))
    other = meaning + rng.standard_normal((4000, 4))
    denoised = (
        np.column_stack([np.ones(4000), other])
        @ np.linalg.lstsq(np.column_stack([np.ones(4000), other]), x, rcond=None)[0]
    )
    target = FoldedTarget.of(FoldedSource.of(x, np.arange(4000) % 5, denoised), y)
    training = target.regression(frozenset())
    a, b, z = x - x.mean(axis=0), y - y.mean(axis=0), denoised - x.mean(axis=0)
    product = z.T @ a
    literal = np.linalg.solve((product + product.T) / 2, z.T @ b)
    fitted = training.linear(Shrinkage(0.0)).weights
    np.testing.assert_allclose(fitted, literal, atol=1e-8)
    np.testing.assert_allclose(training.rotation(0.0), naive_polar(a.T @ b), atol=1e-9)
    plain = np.linalg.lstsq(a, b, rcond=None)[0]
    assert np.linalg.norm(fitted - weights) < 0.1 * np.linalg.norm(plain - weights)
    split, held = target.split(frozenset({1}), 1), np.arange(4000) % 5 == 1
    mean_x, mean_y = x[~held].mean(axis=0), y[~held].mean(axis=0)
    expected = np.sum((y[held] - mean_y - (denoised[held] - mean_x) @ weights) ** 2)
    assert split.error(weights) == pytest.approx(expected)
    assert choose_shrinkage(target.inner_splits(0), choose_kappa(target.inner_splits(0))).penalty < 1000

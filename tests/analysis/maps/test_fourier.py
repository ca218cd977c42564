import numpy as np
import pytest
from polyglot.analysis.maps import fourier as nonlinear
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget
from polyglot.analysis.maps.fourier import FourierFeatures, NonlinearRung, feature_count, median_distance
from polyglot.analysis.maps.regression import Shrinkage
from polyglot.analysis.maps.ridge import RELATIVE_PENALTIES


def folded(curved, n=150, p=3, q=2, seed=0, prior=None):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) + 2
    curve = 2 * np.cos(1.5 * (x[:, :1] - 2)) * np.ones(q) if curved else 0.0
    y = x @ rng.standard_normal((p, q)) + curve + 0.1 * rng.standard_normal((n, q))
    return FoldedTarget.of(FoldedSource.of(x, rng.permutation(np.arange(n) % 5)), y, prior)


def block_ridge(x, features, y, penalty_x, penalty_features):
    """Solve min ‖Y − [X Φ]W‖² + λ₁‖W_x‖² + λ₂‖W_φ‖² as one dense least-squares problem."""
    design = np.hstack([x, features])
    roots = np.sqrt(np.r_[np.full(x.shape[1], penalty_x), np.full(features.shape[1], penalty_features)])
    stacked = np.vstack([design, np.diag(roots)])
    return np.linalg.lstsq(stacked, np.vstack([y, np.zeros((len(roots), y.shape[1]))]), rcond=None)[0]


@pytest.mark.parametrize("penalty", [1e-2, 10.0])
@pytest.mark.parametrize("towards", ["zero", "prior"])
def test_predictions_equal_a_dense_block_penalised_solve(penalty, towards):
    target = folded(curved=True, prior=np.eye(3, 2))
    shrinkage = Shrinkage(penalty, 0.6, towards)
    centre = 0.6 * np.eye(3, 2) if towards == "prior" else np.zeros((3, 2))
    source, held_out = target.source, 1
    rung = NonlinearRung(source, seed=3)
    predicted, choice = rung.predict(target, held_out, shrinkage)
    assert choice.penalty < RELATIVE_PENALTIES[-1]
    excluded = frozenset({held_out})
    features = rung.features(excluded, held_out, choice.bandwidth)
    profiled = rung.profiled(excluded, held_out, penalty, choice.bandwidth)
    x, y = source.x[features.rows] - source.mean(excluded), target.y[features.rows] - target.regression(excluded).mean_y
    weights = block_ridge(
        x,
        features.training.astype(np.float64),
        y - x @ centre,
        penalty * source.factor(excluded).unit / len(x),
        choice.penalty * profiled.factor.unit,
    )
    held = np.hstack([source.x[source.rows[held_out]] - source.mean(excluded), features.held_out])
    straight = held[:, :3] @ centre
    np.testing.assert_allclose(predicted, held @ weights + straight + target.regression(excluded).mean_y, atol=2e-3)


def test_the_inner_choice_is_the_best_of_explicit_predictions():
    target = folded(curved=True)
    source, outer, inner, penalty = target.source, 2, 3, 1.0
    rung = NonlinearRung(source, seed=3)
    excluded = frozenset({outer, inner})
    choice = rung.choose(target, outer, Shrinkage(penalty))
    rows = source.rows[inner]
    errors = {}
    for bandwidth in rung.bandwidths:
        features = rung.features(excluded, inner, bandwidth)
        factor = rung.profiled(excluded, inner, penalty, bandwidth).factor
        mean_y = target.regression(excluded).mean_y
        x, y = source.x[features.rows] - source.mean(excluded), target.y[features.rows] - mean_y
        held = np.hstack([source.x[rows] - source.mean(excluded), features.held_out])
        for relative in RELATIVE_PENALTIES:
            weights = block_ridge(
                x,
                features.training.astype(float),
                y,
                penalty * source.factor(excluded).unit / len(x),
                relative * factor.unit,
            )
            residual = target.y[rows] - mean_y - held @ weights
            errors[bandwidth, relative] = np.sum(residual**2)
    assert errors[choice.bandwidth, choice.penalty] <= 1.01 * min(errors.values())


def test_a_curve_is_found_and_a_line_is_left_alone():
    for curved, gain in ((True, 0.3), (False, -0.02)):
        target = folded(curved, n=300)
        source = target.source
        errors = np.zeros(2)
        for fold, rows in enumerate(source.rows):
            predicted = NonlinearRung(source, seed=0).predict(target, fold, Shrinkage(1e-2))[0]
            straight = target.regression(frozenset({fold})).linear(Shrinkage(1e-2))(source.x[rows])
            errors += [np.sum((target.y[rows] - p) ** 2) for p in (predicted, straight)]
        relative = 1 - errors[0] / errors[1]
        assert relative > gain if curved else abs(relative) < -gain


def test_the_greatest_penalty_is_the_ridge_rung_exactly(monkeypatch):
    target = folded(curved=False)
    rung = NonlinearRung(target.source, seed=0)
    straight = nonlinear.Curvature(1.0, RELATIVE_PENALTIES[-1])
    monkeypatch.setattr(rung, "choose", lambda *_: straight)
    predicted, _ = rung.predict(target, 0, Shrinkage(10.0))
    ridge = target.regression(frozenset({0})).linear(Shrinkage(10.0))
    np.testing.assert_array_equal(predicted, ridge(target.source.x[target.source.rows[0]]))


def test_held_out_targets_do_not_matter():
    target = folded(curved=True)
    spoiled = target.y.copy()
    spoiled[target.source.rows[2]] += 50 * np.random.default_rng(0).standard_normal(
        spoiled[target.source.rows[2]].shape
    )
    other = FoldedTarget.of(target.source, spoiled)
    a, choice = NonlinearRung(target.source, seed=0).predict(target, 2, Shrinkage(1.0))
    b, same = NonlinearRung(target.source, seed=0).predict(other, 2, Shrinkage(1.0))
    assert choice == same
    np.testing.assert_allclose(b + other.centre, a, atol=1e-3)


def test_more_rows_than_the_limit_are_sampled(monkeypatch):
    monkeypatch.setattr(nonlinear, "MAX_ROWS", 120)
    target = folded(curved=True, n=300)
    rung = NonlinearRung(target.source, seed=0)
    predicted, _ = rung.predict(target, 0, Shrinkage(1e-2))
    rows = target.source.rows[0]
    straight = target.regression(frozenset({0})).linear(Shrinkage(1e-2))(target.source.x[rows])
    assert np.sum((target.y[rows] - predicted) ** 2) < np.sum((target.y[rows] - straight) ** 2)


@pytest.mark.parametrize(("rows", "features"), [(10, 16), (60, 16), (100, 32), (1200, 512), (10**6, 1024)])
def test_feature_count_is_a_power_of_two_near_half_the_rows(rows, features):
    assert feature_count(rows) == features


def test_features_are_the_cosines_of_the_formula():
    features = FourierFeatures(np.array([[1.0, 2.0]]), np.array([0.0, 1.0]))
    expected = np.array([[np.cos(0.5), np.cos(2.0)]])
    np.testing.assert_allclose(features(np.array([[0.5]])), expected, rtol=1e-6)


def test_inner_products_approach_the_gaussian_kernel():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 3))
    z = FourierFeatures.draw(3, 40_000, 1.5, rng)(x).astype(np.float64)
    distance = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.testing.assert_allclose(z @ z.T, np.exp(-distance / (2 * 1.5**2)), atol=0.03)


def test_bandwidth_is_in_the_units_of_x():
    x = np.random.default_rng(0).standard_normal((5, 3))
    one = FourierFeatures.draw(3, 8, 1.0, np.random.default_rng(1))
    ten = FourierFeatures.draw(3, 8, 10.0, np.random.default_rng(1))
    np.testing.assert_allclose(one(x), ten(10 * x), atol=1e-5)


def test_median_distance_by_hand_and_by_scale():
    x = np.array([[0.0], [1.0], [3.0]])
    assert median_distance(x, np.random.default_rng(0)) == 2.0
    rows = np.random.default_rng(0).standard_normal((50, 4))
    a, b = (median_distance(s * rows + 5, np.random.default_rng(0)) for s in (1.0, 7.0))
    assert b == pytest.approx(7 * a)


def test_rows_that_coincide_have_unit_distance():
    assert median_distance(np.ones((10, 3)), np.random.default_rng(0)) == 1.0

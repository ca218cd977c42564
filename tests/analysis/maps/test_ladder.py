from functools import partial

import numpy as np
import pytest
from polyglot.analysis.certificate.planted import plant
from polyglot.analysis.maps.ladder import DEFAULT_RUNGS, RUNGS, Ladder
from polyglot.analysis.splits import group_folds
from polyglot.errors import ConfigError, DataError
from sklearn.linear_model import Ridge

CLOSED = ("identity", "shift", "rotation", "similarity", "low_rank", "linear")


def data(n=80, p=6, q=6, seed=0, noise=2.0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * np.linspace(2, 0.5, p) + 5
    y = x @ rng.standard_normal((p, q)) + noise * rng.standard_normal((n, q)) - 7
    return x, y, group_folds(np.arange(n), 5, rng)


def r2(y, fit, rung):
    return 1 - np.sum((y - fit.predictions[rung]) ** 2) / np.sum((y - fit.reference) ** 2)


def literal_linear(x, y, penalty, centre):
    """Ridge towards a centre is ridge of what the centre leaves, by scikit-learn."""
    about = x - x.mean(axis=0)
    alpha = penalty * np.sum(about**2) / x.shape[1] / len(x)
    fitted = Ridge(alpha=alpha, solver="svd").fit(x, y - x @ centre)
    return lambda rows: fitted.predict(rows) + rows @ centre


def literal_rotation(x, y, kappa):
    about_x, about_y = x - x.mean(axis=0), y - y.mean(axis=0)
    cross = about_x.T @ about_y
    if np.isinf(kappa):
        return np.eye(len(cross))
    unit = np.linalg.norm(cross) / np.sqrt(len(cross)) / len(x)
    left, _, right = np.linalg.svd(cross + kappa * unit * np.eye(len(cross)))
    return left @ right


def inner_error(x, y, folds, outer, predict):
    """Σ‖y − ŷ‖² on both inner folds of an outer one, for predict(training x, training y, held-out x)."""
    n_folds, error = folds.max() + 1, 0.0
    for inner in {(outer + 1) % n_folds, (outer - 1) % n_folds}:
        fitted, held = ~np.isin(folds, (outer, inner)), folds == inner
        error += np.sum((y[held] - predict(x[fitted], y[fitted], x[held])) ** 2)
    return error


@pytest.mark.parametrize("shape", [(80, 6, 6), (30, 40, 40)], ids=["n > d", "n < d"])
def test_closed_form_rungs_equal_scikit_learn_and_numpy_fold_by_fold(shape):
    """Method §1 and §2 transcribed; the choices must be as good on the inner folds as any of a coarse search."""
    x, y, folds = data(*shape)
    fit = Ladder(x, folds, rungs=CLOSED).fit(y)
    for outer, choices in enumerate(fit.choices):
        training, held, shrinkage = folds != outer, folds == outer, choices.shrinkage
        mean_x, mean_y = x[training].mean(axis=0), y[training].mean(axis=0)
        np.testing.assert_allclose(fit.reference[held], np.tile(mean_y, (held.sum(), 1)))
        np.testing.assert_allclose(fit.predictions["shift"][held], x[held] + mean_y - mean_x)
        rotation = literal_rotation(x[training], y[training], choices.kappa)
        turned = (x[training] - mean_x) @ rotation
        scale = max(np.sum(turned * (y[training] - mean_y)), 0) / np.sum(turned**2)
        moved = (x[held] - mean_x) @ rotation
        if choices.kappa > 1e-3 or len(x) > x.shape[1]:
            np.testing.assert_allclose(fit.predictions["rotation"][held], moved + mean_y, atol=1e-6)
            np.testing.assert_allclose(fit.predictions["similarity"][held], scale * moved + mean_y, atol=1e-6)

        def linear(a, b, c, penalty, factor, chosen=shrinkage):
            centre = literal_rotation(a, b, chosen.kappa) if chosen.towards == "rotation" else np.eye(x.shape[1])
            return literal_linear(a, b, penalty, factor * centre)(c)

        expected = linear(x[training], y[training], x[held], shrinkage.penalty, shrinkage.scale)
        np.testing.assert_allclose(fit.predictions["linear"][held], expected, atol=1e-6)
        least = min(
            inner_error(x, y, folds, outer, partial(linear, penalty=p, factor=f))
            for p in np.geomspace(0.01, 1e5, 8)
            for f in (0.0, 0.3, 1.0)
        )
        own = inner_error(x, y, folds, outer, partial(linear, penalty=shrinkage.penalty, factor=shrinkage.scale))
        assert own <= least * 1.001
    np.testing.assert_array_equal(fit.predictions["identity"], x)


@pytest.mark.parametrize("rung", ["identity", "shift", "rotation", "similarity", "linear"])
def test_exact_relations_reach_one(rung):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 5)) + 3
    q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    y = {
        "identity": x,
        "shift": x + 2,
        "rotation": x @ q,
        "similarity": 0.3 * x @ q,
        "linear": x @ rng.standard_normal((5, 5)),
    }[rung]
    fit = Ladder(x, np.arange(100) % 5, rungs=CLOSED).fit(y)
    assert r2(y, fit, rung) > 1 - 1e-9
    lower = CLOSED[: CLOSED.index(rung)]
    assert all(r2(y, fit, name) < 1 - 1e-3 for name in lower if name != "low_rank")
    assert r2(y, fit, "linear") > 1 - 1e-9


def test_no_prediction_sees_its_own_row():
    x, y, folds = data(n=120)
    rungs = DEFAULT_RUNGS
    fit = Ladder(x, folds, rungs=rungs).fit(y)
    spoiled = y.copy()
    spoiled[folds == 2] = 500 * np.random.default_rng(1).standard_normal(spoiled[folds == 2].shape)
    other = Ladder(x, folds, rungs=rungs).fit(spoiled)
    for name in rungs:
        np.testing.assert_allclose(
            other.predictions[name][folds == 2], fit.predictions[name][folds == 2], atol=0.05, err_msg=name
        )
    assert other.choices[2].penalty == pytest.approx(fit.choices[2].penalty, rel=1e-5)
    assert other.choices[2].rank == fit.choices[2].rank


def test_moving_and_turning_the_target_moves_and_turns_predictions():
    x, y, folds = data()
    q = np.linalg.qr(np.random.default_rng(3).standard_normal((6, 6)))[0]
    rungs = ("rotation", "similarity", "low_rank", "linear")
    ladder = Ladder(x, folds, rungs=rungs)
    a, b = ladder.fit(y, prior=np.eye(6)), ladder.fit(y @ q + 11, prior=q)
    for name in rungs:
        np.testing.assert_allclose(b.predictions[name], a.predictions[name] @ q + 11, atol=1e-7, err_msg=name)


def test_row_order_does_not_matter():
    x, y, folds = data()
    order = np.random.default_rng(4).permutation(len(x))
    a, b = Ladder(x, folds, rungs=CLOSED).fit(y), Ladder(x[order], folds[order], rungs=CLOSED).fit(y[order])
    for name in CLOSED:
        np.testing.assert_allclose(b.predictions[name], a.predictions[name][order], atol=1e-8, err_msg=name)


@pytest.mark.parametrize(("n", "p", "q"), [(60, 4, 4), (60, 1, 1), (90, 12, 24), (90, 24, 12), (60, 100, 100)], ids=str)
def test_every_shape_is_predicted(n, p, q):
    x, y, folds = data(n, p, q)
    rungs = tuple(r for r in DEFAULT_RUNGS if p == q or r not in ("identity", "shift"))
    fit = Ladder(x, folds, rungs=rungs).fit(y)
    assert set(fit.predictions) == set(rungs)
    assert all(np.isfinite(p).all() and p.shape == y.shape for p in fit.predictions.values())


def test_odd_rows_are_survived():
    x, y, folds = data(n=100)
    x[:20], y[:20] = x[20:40], y[20:40]
    x[:, 2] = 4.0
    x[50], y[50] = 30 * x[50], 30 * y[50]
    fit = Ladder(x, folds, rungs=DEFAULT_RUNGS).fit(y)
    assert all(np.isfinite(p).all() for p in fit.predictions.values())


def test_some_rungs_can_be_asked_for_alone():
    x, y, folds = data()
    ladder = Ladder(x, folds, rungs=CLOSED)
    alone = ladder.fit(y, ("rotation",))
    assert set(alone.predictions) == {"rotation"}
    assert all(np.isnan(c.penalty) for c in alone.choices)
    np.testing.assert_array_equal(alone.predictions["rotation"], ladder.fit(y).predictions["rotation"])
    assert set(ladder.fit(y, ("linear",)).predictions) == {"linear"}


def test_the_mlp_is_at_hand():
    x, y, folds = data(n=60, p=3, q=3)
    fit = Ladder(x, folds, rungs=("linear", "mlp")).fit(y)
    assert r2(y, fit, "mlp") > r2(y, fit, "linear") - 0.1
    assert RUNGS[-1] == "mlp"


def test_what_cannot_be_done_is_said():
    x, y, folds = data()
    with pytest.raises(ConfigError, match="unknown rung 'affine'"):
        Ladder(x, folds, rungs=("affine",))
    with pytest.raises(ConfigError, match=r"at least 3 folds .* got 2"):
        Ladder(x, folds % 2, rungs=CLOSED)
    with pytest.raises(DataError, match="equal widths, got 6 and 3"):
        Ladder(x, folds, rungs=("shift",)).fit(y[:, :3])


@pytest.mark.parametrize("first", [True, False])
def test_a_narrow_ladder_predicts_the_same_with_what_is_factorised_and_without(first):
    x, y = plant("nonlinear", 400, 16, np.random.default_rng(0))
    ladder = Ladder(x, np.arange(400) % 5, rungs=DEFAULT_RUNGS)
    if first:
        ladder.fit(y)
    narrow = ladder.narrow().fit(y)
    wide = ladder.fit(y)
    for one, other in zip(narrow.choices, wide.choices, strict=True):
        assert one.penalty == pytest.approx(other.penalty, rel=0.05)
        assert (one.rank, one.locality, one.curvature) == (other.rank, other.locality, other.curvature)
    for name, predicted in narrow.predictions.items():
        assert predicted.dtype == np.float32, name
        np.testing.assert_allclose(predicted, wide.predictions[name], atol=2e-5 * np.abs(y).max())

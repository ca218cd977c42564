import numpy as np
from polyglot.analysis.maps import mlp
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget
from polyglot.analysis.maps.regression import Shrinkage


def folded(curve, n=600, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 2))
    y = x + curve * np.abs(x[:, ::-1]) + 0.1 * rng.standard_normal((n, 2))
    return FoldedTarget.of(FoldedSource.of(x, rng.permutation(np.arange(n) % 5)), y)


def errors(target, seed=0):
    linear = target.regression(frozenset({0})).linear(Shrinkage(1e-3))
    rows = target.source.rows[0]
    curved = mlp.residual_mlp(target, linear, held_out=0, seed=seed)
    straight = linear(target.source.x[rows])
    return np.sum((target.y[rows] - curved) ** 2), np.sum((target.y[rows] - straight) ** 2), curved, straight


def test_curvature_is_learned(monkeypatch):
    monkeypatch.setattr(mlp, "WIDTHS", (32,))
    curved, straight, first, _ = errors(folded(2.0))
    assert curved < 0.7 * straight
    np.testing.assert_array_equal(first, errors(folded(2.0))[2])


def test_a_network_that_does_not_help_is_left_out(monkeypatch):
    class Harmful:
        def predict(self, x):
            return np.full((len(x), 2), 100.0)

    monkeypatch.setattr(mlp, "trained_network", lambda *_, **__: Harmful())
    _, _, curved, straight = errors(folded(0.0))
    np.testing.assert_array_equal(curved, straight)


def test_training_never_sees_the_held_out_fold(monkeypatch):
    target, seen = folded(1.0), []

    class Silent:
        def predict(self, x):
            return np.zeros((len(x), 2))

    monkeypatch.setattr(mlp, "trained_network", lambda x, y, **_: seen.append(x) or Silent())
    errors(target)
    size = np.sqrt(np.mean(target.source.x**2))
    rows = {tuple(r) for part in seen for r in (part * size).round(9)}
    assert not rows & {tuple(r) for r in target.source.x[target.source.rows[0]].round(9)}

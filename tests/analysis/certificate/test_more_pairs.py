import numpy as np
import pytest
from polyglot.analysis.certificate.more_pairs import FILLED, KAPPAS, MorePairs
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget
from polyglot.analysis.resampling import Resamples
from polyglot.analysis.splits import group_folds

WIDTH = 24
SPECTRUM = np.arange(1, WIDTH + 1) ** -0.5


def population(n, seed, *, noise=0.6):
    """Pairs of one map that is half the identity, in Gaussian rows of a decaying spectrum."""
    weights = 0.5 * np.eye(WIDTH) + 0.5 * np.random.default_rng(1).standard_normal((WIDTH, WIDTH)) / np.sqrt(WIDTH)
    rng = np.random.default_rng([seed, 2])
    x = rng.standard_normal((n, WIDTH)) * SPECTRUM
    return x, x @ weights + noise * rng.standard_normal((n, WIDTH)) * np.sqrt(np.mean(SPECTRUM**2)), weights


def more_pairs(x, y, *, prior=True, seed=0):
    folds = group_folds(np.arange(len(x)), 5, np.random.default_rng(seed))
    return MorePairs(FoldedTarget.of(FoldedSource.of(x, folds), y, np.eye(x.shape[1]) if prior else None))


def foreseen(more, pairs, seed=0):
    resamples = Resamples.draw(np.arange(len(more.target.y)), np.random.default_rng(seed), 300)
    return more.foresee([pairs], resamples)[0]


def ridge_r2(pairs, scale, *, samples=6):
    """R² on fresh rows of ridge towards scale · I, its penalty chosen with hindsight: the naive truth."""
    found = []
    for seed in range(samples):
        x, y, _ = population(pairs, 100 + seed)
        fresh_x, fresh_y, _ = population(20_000, 200 + seed)
        mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
        a, b = x - mean_x, y - mean_y
        errors = []
        for penalty in 10.0 ** np.arange(-2, 4, 0.1):
            weights = np.linalg.solve(a.T @ a + penalty * np.eye(WIDTH), a.T @ b + penalty * scale * np.eye(WIDTH))
            errors.append(np.sum((fresh_y - mean_y - (fresh_x - mean_x) @ weights) ** 2))
        found.append(1 - min(errors) / np.sum((fresh_y - mean_y) ** 2))
    return np.mean(found)


@pytest.mark.parametrize(("prior", "scale"), [(True, 0.5), (False, 0.0)])
def test_five_times_the_pairs_reach_what_was_foreseen(prior, scale):
    truth = ridge_r2(400, scale)
    found = [foreseen(more_pairs(*population(100, seed)[:2], prior=prior, seed=seed), 400) for seed in range(20)]
    values = np.array([r2.value for r2 in found])
    assert values.mean() == pytest.approx(truth, abs=0.01)
    assert truth - values.mean() < 0.25 * (
        truth
        - np.mean(
            [foreseen(more_pairs(*population(100, seed)[:2], prior=prior, seed=seed), 80).value for seed in range(20)]
        )
    )
    assert sum(r2.low <= truth <= r2.high for r2 in found) >= 17


def test_for_the_pairs_of_a_fold_it_is_the_least_held_out_error():
    x, y, _ = population(150, 0)
    more = more_pairs(x, y, prior=False)
    penalties = (10.0 ** np.arange(-2, 4, 0.05)).tolist()
    errors = sum(split.ridge_errors(penalties) for split in more.splits)
    total = sum(split.total for split in more.splits)
    assert more.training_pairs == 120
    assert foreseen(more, 120).value == pytest.approx(1 - errors.min() / total, abs=1e-3)


def test_degrees_of_freedom_are_those_of_the_population():
    more = more_pairs(*population(300, 0)[:2])
    variances = SPECTRUM**2
    unit = variances.mean()
    for place in (40, 50, 60):
        exact = np.sum((variances / (variances + KAPPAS[place] * unit)) ** 2)
        assert np.mean([path.df2[place] for path in more.paths]) == pytest.approx(exact, rel=0.05)


def test_without_noise_the_limit_is_one():
    x, y, _ = population(200, 0, noise=0.0)
    assert foreseen(more_pairs(x, y), 1000).value == pytest.approx(1, abs=1e-3)


def test_too_few_rows_say_nothing_of_many():
    x, y, _ = population(30, 0, noise=0.1)
    more = more_pairs(x, y)
    assert foreseen(more, 10_000) is None
    held = np.isfinite(more.paths[0].df2)
    assert more.paths[0].df2[held].max() < FILLED * 24


def test_turned_spaces_foresee_the_same():
    x, y, _ = population(150, 3)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((WIDTH, WIDTH)))[0]
    plain, turned = foreseen(more_pairs(x, y), 500), foreseen(more_pairs(x @ turn, y @ turn), 500)
    assert turned.value == pytest.approx(plain.value, abs=1e-9)
    assert (turned.low, turned.high) == pytest.approx((plain.low, plain.high), abs=1e-9)


def test_row_errors_sum_to_what_is_foreseen():
    more = more_pairs(*population(150, 4)[:2])
    setting = more.setting(500)
    assert foreseen(more, 500).value == pytest.approx(1 - more.row_errors(setting).sum() / more.totals().sum())
    assert setting.factor < 1 / more.paths[0].correction[setting.place]

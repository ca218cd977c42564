import numpy as np
import pytest
from polyglot.analysis.certificate.equivalence import SharedErrors
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.maps.streamed_ladder import fit_streamed
from polyglot.analysis.resampling import Resamples
from polyglot.analysis.splits import group_folds
from polyglot.analysis.streamed_moments import RowBlocks, gather
from polyglot.errors import ConfigError, DataError

CLOSED = ("identity", "shift", "rotation", "similarity", "low_rank", "linear")


def data(n=2000, p=16, q=16, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * np.linspace(2, 0.5, p) + 5
    y = x @ rng.standard_normal((p, q)) + 3 * rng.standard_normal((n, q)) - 7
    groups = rng.integers(0, 3 * n // 4, n)
    return x, y, groups, group_folds(groups, 5, rng)


def streamed(x, y, groups, folds, rungs, prior=None, **options):
    return fit_streamed(gather(x, y, RowBlocks.of(groups, folds), **options), rungs, prior=prior)


@pytest.mark.parametrize(("kind", "near"), [("float64", 1e-8), ("float32", 1e-6)])
@pytest.mark.parametrize(
    ("prior", "shape"), [("identity", (2000, 16, 16)), ("components", (700, 6, 9)), ("components", (60, 20, 12))]
)
def test_errors_and_choices_are_those_of_the_ladder(kind, near, prior, shape):
    x, y, groups, folds = data(*shape)
    x, y = x.astype(kind), y.astype(kind)
    rungs = CLOSED if prior == "identity" else CLOSED[2:]
    exact = Ladder(x, folds, rungs=rungs, prior=prior).fit(y.astype(float))
    found = streamed(x, y, groups, folds, rungs, np.eye(16) if prior == "identity" else None, piece_rows=300)
    spread = np.sum((y - exact.reference) ** 2)
    for rung in rungs:
        expected = 1 - np.sum((y - exact.predictions[rung]) ** 2) / spread
        assert found.r2[rung] == pytest.approx(expected, abs=near)
    for own, other in zip(found.choices, exact.choices, strict=True):
        assert own.rank == other.rank
        assert own.penalty == pytest.approx(other.penalty, rel=1e-3)


def test_each_block_has_the_errors_of_its_rows():
    x, y, groups, folds = data()
    rows = RowBlocks.of(groups, folds)
    exact = Ladder(x, folds, rungs=CLOSED, prior="identity").fit(y)
    found = fit_streamed(gather(x, y, rows), CLOSED, prior=np.eye(16))
    for rung in CLOSED:
        expected = np.bincount(rows.blocks, np.sum((y - exact.predictions[rung]) ** 2, axis=1))
        np.testing.assert_allclose(found.errors[rung], expected, rtol=1e-8)
    np.testing.assert_allclose(found.total, np.bincount(rows.blocks, np.sum((y - exact.reference) ** 2, axis=1)))


@pytest.mark.parametrize("rungs", [("identity",), ("shift", "identity"), ("rotation",), ("similarity", "shift")])
def test_some_rungs_alone_are_what_they_are_among_others(rungs):
    sides = data()
    whole = streamed(*sides, CLOSED, np.eye(16)).r2
    assert streamed(*sides, rungs, np.eye(16)).r2 == pytest.approx({rung: whole[rung] for rung in rungs})


def test_the_other_direction_is_that_of_swapped_moments():
    x, y, groups, folds = data()
    gathered = gather(x, y, RowBlocks.of(groups, folds))
    turned = fit_streamed(gathered.swapped(), CLOSED, prior=np.eye(16))
    assert turned.r2 == pytest.approx(streamed(y, x, groups, folds, CLOSED, np.eye(16)).r2, abs=1e-9)


def test_turning_and_moving_the_target_changes_no_linear_map():
    x, y, groups, folds = data()
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((16, 16)))[0]
    plain = streamed(x, y, groups, folds, ("linear", "rotation")).r2
    assert streamed(x, y @ turn + 3, groups, folds, ("linear", "rotation")).r2 == pytest.approx(plain, abs=1e-9)


def test_an_exact_map_leaves_nothing():
    x, _, groups, folds = data()
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((16, 16)))[0]
    found = streamed(x, x @ turn, groups, folds, ("rotation", "linear")).r2
    assert found == pytest.approx({"rotation": 1, "linear": 1}, abs=1e-9)


def test_what_has_no_closed_form_is_refused():
    gathered = gather(*data()[:2], RowBlocks.of(*data()[2:]))
    with pytest.raises(ConfigError, match="'nonlinear' has no closed form"):
        fit_streamed(gathered, ("linear", "nonlinear"))


def test_two_folds_are_too_few():
    x, y, groups, _ = data()
    folds = group_folds(groups, 2, np.random.default_rng(0))
    with pytest.raises(ConfigError, match="at least 3 folds"):
        streamed(x, y, groups, folds, ("linear",))


def test_identity_needs_equal_widths():
    x, y, groups, folds = data(300, 4, 5)
    with pytest.raises(DataError, match="equal widths, got 4 and 5"):
        streamed(x, y, groups, folds, ("identity",))


def test_intervals_from_blocks_cover_what_the_population_has():
    """Rows come in runs that share some of their noise, as passages do; over 1 200 samples 93 % were inside."""
    rng, width, runs, length, n = np.random.default_rng(1), 2, 200, 5, 1000
    inside = 0
    for _ in range(400):
        x = rng.standard_normal((n, width))
        noise = rng.standard_normal((n, width)) + np.repeat(rng.standard_normal((runs, width)), length, axis=0)
        groups = np.repeat(np.arange(runs), length)
        rows = RowBlocks.of(groups, group_folds(groups, 5, rng), 10)
        found = fit_streamed(gather(x, x + noise, rows), ("shift",))
        blocks = Resamples.draw(np.arange(len(found.total)), rng, 300)
        interval = SharedErrors.of(found.errors, found.total, blocks).interval("shift")
        inside += interval.low <= 1 / 3 <= interval.high  # variance 1 of x, 2 of the noise
    assert 0.90 <= inside / 400 <= 0.98

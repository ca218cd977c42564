import numpy as np
import pytest
from polyglot.analysis.certificate.geometry import Views
from polyglot.analysis.certificate.latent import PairTerms, latent_share
from polyglot.analysis.certificate.latent_shares import latent_shares
from polyglot.analysis.certificate.streamed_latent import (
    DenoisedSums,
    JointMoments,
    best_penalty,
    component_axes,
    in_components,
    streamed_latent_shares,
    structural_maps,
)
from polyglot.analysis.moments import merged
from polyglot.analysis.splits import group_folds
from polyglot.analysis.streamed_moments import RowBlocks, SideBySide, gather
from polyglot.errors import DataError

D = 6


def planted(kind, n=3000, noise=0.7, seed=0, instruments=2):
    """Latent rows under a map of known kind, with noise on both sides and on renderings of them."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n, D)) * np.geomspace(1.5, 0.6, D)
    rotation = np.linalg.qr(rng.standard_normal((D, D)))[0]
    weights = {
        "shift": np.eye(D),
        "rotation": rotation,
        "similarity": 0.5 * rotation,
        "linear": np.eye(D) + 0.5 * rng.standard_normal((D, D)),
    }[kind]
    x = latent + noise * rng.standard_normal((n, D)) + 2
    y = latent @ weights + noise * rng.standard_normal((n, D)) - 1
    views = [
        latent @ rng.standard_normal((D, D + i)) + noise * rng.standard_normal((n, D + i)) for i in range(instruments)
    ]
    return x, y, views


def joint_of(x, y, views, folds=None, blocks_a_fold=20, **options):
    groups = np.arange(len(x))
    folds = group_folds(groups, 5, np.random.default_rng(0)) if folds is None else folds
    gathered = gather(SideBySide([x, y]), SideBySide(views), RowBlocks.of(groups, folds, blocks_a_fold), **options)
    p, q = x.shape[1], y.shape[1]
    return JointMoments(gathered, slice(0, p), slice(p, p + q), {f"z{i}": v.shape[1] for i, v in enumerate(views)})


@pytest.mark.parametrize("kind", ["shift", "rotation", "similarity", "linear"])
def test_the_plainest_map_that_explains_the_rest_is_the_planted_one(kind):
    order = ["shift", "rotation", "similarity", "linear"]
    joint = joint_of(*planted(kind))
    for direction in (joint, joint.swapped()):
        shares = streamed_latent_shares(direction, same_space=True)
        assert list(shares) == ["identity", *order]
        for rung in order[: order.index(kind)]:
            if not (kind == "similarity" and rung == "rotation" and direction is not joint):
                assert shares[rung].high < 0.95
        assert shares[kind].low > 0.95
        assert shares["linear"].value == pytest.approx(1, abs=0.01)


def test_shares_are_near_those_from_rows():
    x, y, views = planted("linear", n=1500)
    found = streamed_latent_shares(joint_of(x, y, views), same_space=True)
    rows = latent_shares(Views(x, y, {str(i): view for i, view in enumerate(views)}))
    for rung, share in rows.items():
        assert found[rung].value == pytest.approx(share.value, abs=0.015)


def literal_shares(x, y, views, joint, folds, blocks):
    """The same from rows: Π by ridge on components with an intercept, residuals of the same maps."""
    axes = component_axes(joint)
    reduced = [in_components(fold, axes) for fold in joint.gathered.folds]
    centre = joint.gathered.folds[0]
    z = (np.hstack(views) - centre.centre_y) @ axes
    w = np.hstack([x, y]) - centre.centre_x
    a, b = w[:, joint.source], w[:, joint.target]
    penalty, first = best_penalty(reduced, joint.target), best_penalty(reduced, joint.source)
    offset = centre.centre_x[joint.source] - centre.centre_x[joint.target]
    count = len(joint.gathered.fold_of_block)
    pairs = {}
    for fold in range(5):
        test, rest = folds == fold, folds != fold
        maps = structural_maps(reduced, fold, first, (joint.source, joint.target), offset)
        left = {rung: b - one(a) for rung, one in maps.items()} | {"total": b - b[rest].mean(axis=0)}
        about = z[rest].mean(axis=0)
        c, d = z[rest] - about, z[test] - about
        strength = penalty * np.trace(c.T @ c) / z.shape[1]
        smooth = d @ np.linalg.solve(c.T @ c + strength * np.eye(z.shape[1]), c.T) + 1 / rest.sum()
        for name, r in left.items():
            terms = smooth * (r[test] @ r[rest].T)
            found = pairs.setdefault(name, np.zeros((count, count)))
            np.add.at(found, np.ix_(blocks[test], blocks[rest]), terms)
    terms = {name: PairTerms((found + found.T) / 2) for name, found in pairs.items()}
    return {name: latent_share(missed, terms["total"]) for name, missed in terms.items() if name != "total"}


def test_moments_give_what_the_rows_give():
    x, y, views = planted("linear", n=400)
    folds = group_folds(np.arange(400), 5, np.random.default_rng(0))
    joint = joint_of(x, y, views, folds, 4)
    expected = literal_shares(x, y, views, joint, folds, RowBlocks.of(np.arange(400), folds, 4).blocks)
    found = streamed_latent_shares(joint, same_space=True)
    assert set(found) == set(expected)
    for rung, share in found.items():
        assert share.value == pytest.approx(expected[rung].value, abs=1e-9)
        assert (share.low, share.high) == pytest.approx((expected[rung].low, expected[rung].high), abs=1e-9)


def test_denoised_sums_are_those_of_predicted_rows():
    x, y, views = planted("linear", n=300)
    folds = group_folds(np.arange(300), 5, np.random.default_rng(0))
    joint = joint_of(x, y, views, folds)
    axes, centre = component_axes(joint), joint.gathered.folds[0]
    reduced = [in_components(fold, axes) for fold in joint.gathered.folds]
    others = merged(reduced[1:4])
    sums = DenoisedSums.of(reduced[0], others, 0.1, (joint.source, joint.target))
    z, w = (np.hstack(views) - centre.centre_y) @ axes, np.hstack([x, y]) - centre.centre_x
    train, own = np.isin(folds, [1, 2, 3]), folds == 0
    c = z[train] - z[train].mean(axis=0)
    inner = c.T @ c + 0.1 * np.trace(c.T @ c) / z.shape[1] * np.eye(z.shape[1])
    a, b = w[:, joint.source], w[:, joint.target]
    hat = (z[own] - z[train].mean(axis=0)) @ np.linalg.solve(inner, c.T @ a[train]) + a[train].mean(axis=0)
    p, q = np.full(D, 0.3), np.full(D, -0.7)
    crossed = (hat - p).T @ (a[own] - p)
    np.testing.assert_allclose(sums.scatter_xx(p), (crossed + crossed.T) / 2, atol=1e-9)
    np.testing.assert_allclose(sums.scatter_xy(p, q), (hat - p).T @ (b[own] - q), atol=1e-9)
    np.testing.assert_allclose(sums.rotation_xy(p, q), (a[own] - p).T @ (b[own] - q), atol=1e-9)
    np.testing.assert_allclose(sums.error_xx(p), (hat - p).T @ (hat - p), atol=1e-9)
    assert sums.total_y(q) == pytest.approx(np.sum((b[own] - q) ** 2))
    np.testing.assert_allclose(sums.mean_x, a[own].mean(axis=0))


def test_two_spaces_have_no_shift():
    x, y, views = planted("linear")
    shares = streamed_latent_shares(joint_of(x, y[:, :4], views), same_space=False)
    assert list(shares) == ["rotation", "similarity", "linear"]
    assert shares["linear"].value == pytest.approx(1, abs=0.02)


def test_moving_and_scaling_instruments_changes_nothing():
    x, y, views = planted("linear")
    plain = streamed_latent_shares(joint_of(x, y, views), same_space=True)
    moved = streamed_latent_shares(joint_of(x, y, [7 * views[0] + 100, views[1] - 5]), same_space=True)
    for rung, share in plain.items():
        assert moved[rung].value == pytest.approx(share.value, abs=1e-6)


def test_instruments_that_say_nothing_give_no_shares():
    x, y, views = planted("linear", n=500)
    noise = np.random.default_rng(9).standard_normal(views[0].shape)
    assert streamed_latent_shares(joint_of(x, y, [noise]), same_space=True) == {}


def test_instruments_that_do_not_vary_are_refused():
    x, y, views = planted("linear", n=500)
    with pytest.raises(DataError, match="all rows of the instrument z1 are the same vector"):
        streamed_latent_shares(joint_of(x, y, [views[0], np.ones((500, 3))]), same_space=True)


def test_sides_of_other_lengths_are_refused():
    with pytest.raises(DataError, match="as many rows on every side, got 3, 4"):
        SideBySide([np.ones((3, 2)), np.ones((4, 2))])


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """The share of the best rotation is known where latent rows are isotropic; that of the linear map is 1."""
    inside = {"rotation": 0, "linear": 0}
    truth = population_share(np.random.default_rng(1))
    for seed in range(100):
        x, y, views = with_map(np.random.default_rng(1), np.random.default_rng(100 + seed), 2000)
        shares = streamed_latent_shares(joint_of(x, y, views), same_space=False)
        inside["rotation"] += shares["rotation"].low <= truth <= shares["rotation"].high
        inside["linear"] += shares["linear"].low <= 1 <= shares["linear"].high
    assert all(0.88 <= count / 100 <= 1 for count in inside.values()), inside


def with_map(fixed, rng, n):
    """Rows under one fixed linear map; instruments mix all latent axes alike, so that the share is that of the map."""
    weights = np.eye(D) + 0.5 * fixed.standard_normal((D, D))
    latent = rng.standard_normal((n, D))
    noisy = [latent + 0.5 * rng.standard_normal((n, D)) for _ in range(3)]
    return noisy[0], latent @ weights + 0.5 * rng.standard_normal((n, D)), noisy[1:]


def population_share(fixed):
    """1 − ‖M − Q‖² / ‖M‖² for isotropic latent rows, Q the polar factor of M."""
    weights = np.eye(D) + 0.5 * fixed.standard_normal((D, D))
    left, _, right = np.linalg.svd(weights)
    return 1 - np.sum((weights - left @ right) ** 2) / np.sum(weights**2)

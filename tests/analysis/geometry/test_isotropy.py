"""Geometry of clouds whose geometry is known."""

import numpy as np
import pytest
from polyglot.analysis.geometry import intrinsic_dimension as dim
from polyglot.analysis.geometry import isotropy as geo
from polyglot.analysis.retrieval import hubness as hubs
from polyglot.errors import ConfigError, DataError
from scipy.stats import skew


@pytest.fixture
def rng():
    return np.random.default_rng(23)


def test_spectrum_is_that_of_the_covariance(rng):
    x = rng.standard_normal((40, 5)) @ rng.standard_normal((5, 5)) + 9
    expected = np.sort(np.linalg.eigvalsh(np.cov(x.T)))[::-1]
    np.testing.assert_allclose(geo.covariance_spectrum(x), expected, rtol=1e-9)


def naive_isoscore(x):
    """The steps of the paper, one by one."""
    n = x.shape[1]
    principal = (x - x.mean(0)) @ np.linalg.svd(x - x.mean(0))[2].T
    diagonal = np.diag(np.cov(principal.T))
    normalised = np.sqrt(n) * diagonal / np.sqrt(sum(v**2 for v in diagonal))
    defect = np.sqrt(sum((v - 1) ** 2 for v in normalised)) / np.sqrt(2 * (n - np.sqrt(n)))
    dimensions = (n - defect**2 * (n - np.sqrt(n))) ** 2 / n
    return (dimensions - 1) / (n - 1)


def test_isoscore_runs_from_a_line_to_a_ball(rng):
    assert geo.isoscore(np.array([2.0, 0, 0, 0])) == pytest.approx(0, abs=1e-12)
    assert geo.isoscore(np.full(9, 0.3)) == pytest.approx(1)
    ball = rng.standard_normal((20_000, 8))
    assert geo.isoscore(geo.covariance_spectrum(ball)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("used", [1, 2, 5, 9])
def test_isoscore_counts_the_dimensions_in_use(used):
    spectrum = np.zeros(10)
    spectrum[:used] = 4.0
    assert geo.isoscore(spectrum) == pytest.approx((used - 1) / 9, abs=1e-12)


def test_isoscore_is_the_paper(rng):
    x = rng.standard_normal((60, 7)) * np.linspace(0.1, 2, 7) + 3
    expected = naive_isoscore(x)
    assert geo.isoscore(geo.covariance_spectrum(x)) == pytest.approx(expected, rel=1e-10)
    q = np.linalg.qr(rng.standard_normal((7, 7)))[0]
    assert geo.isoscore(geo.covariance_spectrum(5 * x @ q - 1)) == pytest.approx(expected, rel=1e-10)


def test_ranks_of_known_spectra():
    assert geo.effective_rank(np.array([4.0, 4, 4, 0])) == pytest.approx(3)
    assert geo.participation_ratio(np.array([4.0, 4, 4, 0])) == pytest.approx(3)
    assert geo.effective_rank(np.array([9.0, 1.0])) == pytest.approx(np.exp(-0.75 * np.log(0.75) - 0.25 * np.log(0.25)))
    assert geo.participation_ratio(np.array([3.0, 1.0])) == pytest.approx(16 / 10)


def test_mean_cosine_is_the_mean_over_pairs(rng):
    x = rng.standard_normal((25, 4)) + 0.5
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    expected = np.mean([unit[i] @ unit[j] for i in range(25) for j in range(25) if i != j])
    assert geo.mean_cosine(x) == pytest.approx(expected, rel=1e-10)
    assert geo.mean_cosine(x * rng.uniform(1, 5, (25, 1))) == pytest.approx(expected, rel=1e-10)
    assert geo.mean_cosine(np.ones((3, 2))) == pytest.approx(1)


def test_rogue_dimension_is_named(rng):
    x = rng.standard_normal((400, 50))
    x[:, 17] = 40 + 8 * rng.standard_normal(400)
    rogue = geo.rogue_dimensions(x)
    assert rogue.strongest(1).tolist() == [17]
    assert rogue.cosine_share[17] > 0.98
    assert rogue.variance_share[17] == pytest.approx(64 / (64 + 49), abs=0.06)
    assert rogue.variance_share.sum() == pytest.approx(1)
    assert np.abs(rogue.cosine_share).sum() == pytest.approx(1)
    assert rogue.mean_cosine == pytest.approx(geo.mean_cosine(x))


def naive_two_nn(x, discarded):
    ratios = []
    for i, row in enumerate(x):
        d = sorted(np.linalg.norm(row - other) for j, other in enumerate(x) if j != i)
        ratios.append(d[1] / d[0])
    n = len(x)
    kept = min(n - 1, int(n * (1 - discarded)))
    u = np.log(sorted(ratios))[:kept]
    v = [-np.log(1 - i / n) for i in range(1, kept + 1)]
    return np.dot(u, v) / np.dot(u, u)


@pytest.mark.parametrize("width", [3, 24])
@pytest.mark.parametrize("discarded", [0.0, 0.1])
def test_two_nn_is_the_paper(rng, width, discarded):
    x = rng.standard_normal((80, width)) + 50
    assert dim.two_nn_dimension(x, discarded=discarded) == pytest.approx(naive_two_nn(x, discarded), rel=1e-8)


@pytest.mark.parametrize("tile", [1, 900])
def test_two_nn_does_not_depend_on_the_tile(rng, monkeypatch, tile):
    narrow, wide = rng.standard_normal((60, 3)), rng.standard_normal((60, 20))
    expected = [dim.two_nn_dimension(x) for x in (narrow, wide)]
    monkeypatch.setattr(dim, "TILE_ENTRIES", tile)
    assert [dim.two_nn_dimension(x) for x in (narrow, wide)] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_two_nn_finds_the_dimension_of_a_cube_in_a_wide_space(rng, dimension):
    x = rng.uniform(size=(2000, dimension)) @ np.linalg.qr(rng.standard_normal((30, dimension)))[0].T
    assert dim.two_nn_dimension(x) == pytest.approx(dimension, rel=0.1)
    assert dim.two_nn_dimension(np.vstack([x, x[:50]])) == pytest.approx(dim.two_nn_dimension(x), rel=1e-9)


def test_noise_shows_at_small_scales_only(rng):
    x = np.zeros((4000, 8))
    x[:, :1] = rng.uniform(size=(4000, 1))
    x += 1e-4 * rng.standard_normal(x.shape)
    scales = dim.dimension_over_scales(x, rng, decimations=(1, 16))
    assert [scale.rows for scale in scales] == [4000, 250]
    assert scales[0].dimension > 1.3 * scales[1].dimension
    assert scales[1].dimension == pytest.approx(1, rel=0.2)
    assert scales[0].deviation == 0
    assert scales[1].deviation > 0


def test_scales_are_the_mean_of_disjoint_parts(rng):
    x = rng.standard_normal((90, 3))
    order = np.random.default_rng(4).permutation(90)
    parts = [dim.two_nn_dimension(x[order[i * 30 : (i + 1) * 30]]) for i in range(3)]
    (scale,) = dim.dimension_over_scales(x, np.random.default_rng(4), decimations=(3,))
    assert scale.dimension == pytest.approx(np.mean(parts))
    assert scale.deviation == pytest.approx(np.std(parts))


def test_hubness_of_known_counts(rng):
    even = hubs.hubness(np.full(10, 5))
    assert (even.skew, even.robin_hood, even.antihubs, even.largest) == (0, 0, 0, 5)
    hub = hubs.hubness(np.array([40, 0, 0, 0]))
    assert hub.robin_hood == pytest.approx(0.75)
    assert hub.antihubs == 0.75
    assert hub.largest == 40
    counts = rng.poisson(3, 200)
    assert hubs.hubness(counts).skew == pytest.approx(skew(counts))
    assert hubs.hubness(rng.permutation(counts)) == hubs.hubness(counts)


def test_occurrences_count_every_list():
    np.testing.assert_array_equal(hubs.k_occurrence(np.array([[0, 2], [2, 3]]), 5), [1, 0, 2, 1, 0])


def test_raises(rng):
    x = rng.standard_normal((30, 4))
    with pytest.raises(DataError, match="matrix"):
        geo.covariance_spectrum(x[0])
    with pytest.raises(DataError, match="at least 2 rows"):
        geo.mean_cosine(x[:1])
    with pytest.raises(DataError, match="all rows are the same"):
        geo.covariance_spectrum(np.ones((5, 3)))
    with pytest.raises(DataError, match="all rows are the same"):
        geo.rogue_dimensions(np.ones((5, 3)))
    with pytest.raises(DataError, match="row 2 holds NaN"):
        geo.mean_cosine(np.where(np.arange(30)[:, None] == 2, np.nan, x))
    with pytest.raises(DataError, match="row 0 is zero"):
        geo.mean_cosine(np.zeros((3, 2)))
    for bad in (np.array([1.0]), np.array([1.0, -0.1]), np.zeros(3), np.ones((2, 2))):
        with pytest.raises(DataError, match="variances"):
            geo.isoscore(bad)
    for rank in (geo.effective_rank, geo.participation_ratio):
        with pytest.raises(DataError, match="variances"):
            rank(np.zeros(3))
    for discarded in (-0.1, 1.0):
        with pytest.raises(ConfigError, match="discard"):
            dim.two_nn_dimension(x, discarded=discarded)
    with pytest.raises(DataError, match="at least 10 different"):
        dim.two_nn_dimension(np.repeat(x[:9], 5, axis=0))
    with pytest.raises(DataError, match="at one distance"):
        dim.two_nn_dimension(np.eye(12))
    with pytest.raises(ConfigError, match="decimations"):
        dim.dimension_over_scales(x, rng, decimations=(0,))
    for counts in (np.array([3]), np.array([1, -1]), np.zeros(4), np.ones((2, 2))):
        with pytest.raises(DataError, match="k-occurrence"):
            hubs.hubness(counts)

"""Neighbourhood measures against loops over full matrices."""

import numpy as np
import pytest
from polyglot.analysis.similarity import knn as nb
from polyglot.analysis.similarity.cka import debiased_cka
from polyglot.errors import ConfigError, DataError

MEASURES = [nb.mutual_knn, nb.jaccard_knn, nb.second_order_cosine, nb.cknna]


@pytest.fixture
def rng():
    return np.random.default_rng(17)


@pytest.fixture
def pair(rng):
    x = rng.standard_normal((70, 6)) + 0.3
    return x, x[:, :4] + 0.7 * rng.standard_normal((70, 4))


def cosines(rows):
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


def naive_neighbours(rows, k):
    near = []
    for i, row in enumerate(cosines(rows)):
        order = [j for j in np.argsort(-row) if j != i]
        near.append(set(order[:k]))
    return near


def naive_cknna(x, y, k):
    """Dense transcription of the authors' definition by masks."""
    n = len(x)

    def mask(rows):
        near = naive_neighbours(rows, k)
        return np.array([[j in near[i] for j in range(n)] for i in range(n)], float)

    def align(a, b, m):
        k0, l0 = m * cosines(a), m * cosines(b)
        total = np.trace(k0 @ l0) + k0.sum() * l0.sum() / ((n - 1) * (n - 2)) - 2 * np.sum(k0 @ l0) / (n - 2)
        return total / (n * (n - 3))

    mx, my = mask(x), mask(y)
    return align(x, y, mx * my) / np.sqrt(align(x, x, mx) * align(y, y, my))


@pytest.mark.parametrize("tile", [1, 20, 2048])
def test_neighbours_do_not_depend_on_the_tile(pair, monkeypatch, tile):
    monkeypatch.setattr("polyglot.analysis.retrieval.tiles.CPU_SIDE", tile)
    found = nb.cosine_neighbours(pair[0], 5)
    assert [set(row) for row in found.tolist()] == naive_neighbours(pair[0], 5)


@pytest.mark.parametrize("k", [1, 7, 69])
def test_overlaps_are_set_overlaps(pair, k):
    x, y = pair
    sets = list(zip(naive_neighbours(x, k), naive_neighbours(y, k), strict=True))
    assert nb.mutual_knn(x, y, k=k) == pytest.approx(np.mean([len(a & b) / k for a, b in sets]))
    assert nb.jaccard_knn(x, y, k=k) == pytest.approx(np.mean([len(a & b) / len(a | b) for a, b in sets]))


def test_second_order_is_its_loop(pair):
    x, y = pair
    values = []
    for i, (a, b) in enumerate(zip(naive_neighbours(x, 6), naive_neighbours(y, 6), strict=True)):
        union = sorted(a | b)
        u, v = 1 - cosines(x)[i, union], 1 - cosines(y)[i, union]
        values.append(u @ v / np.linalg.norm(u) / np.linalg.norm(v))
    assert nb.second_order_cosine(x, y, k=6) == pytest.approx(np.mean(values), rel=1e-10)


@pytest.mark.parametrize("k", [5, 20, 69])
def test_cknna_is_its_dense_form(pair, k):
    assert nb.cknna(*pair, k=k) == pytest.approx(naive_cknna(*pair, k), rel=1e-9)


def test_cknna_over_all_neighbours_is_debiased_cka_of_unit_rows(pair):
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in pair)
    assert nb.cknna(*pair, k=69) == pytest.approx(debiased_cka(x, y), rel=1e-10)


@pytest.mark.parametrize("measure", MEASURES)
def test_rotation_and_lengths_change_nothing(rng, pair, measure):
    x, y = pair
    q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    moved = (y @ q) * rng.uniform(0.5, 2, (70, 1))
    assert measure(x, moved) == pytest.approx(measure(x, y), rel=1e-10)
    swapped = 1e-3 if measure is nb.cknna else 1e-10  # one of its terms multiplies masks that are not symmetric
    assert measure(y, x) == pytest.approx(measure(x, y), rel=swapped)
    assert measure(x, x) == pytest.approx(1)


def test_independent_rows_share_k_over_n(rng):
    x, y = rng.standard_normal((2, 1000, 8)).astype(np.float32)
    assert nb.mutual_knn(x, y, k=20) == pytest.approx(20 / 999, rel=0.15)


@pytest.mark.parametrize("measure", MEASURES)
def test_raises(pair, measure):
    x, y = pair
    for k in (0, 70):
        with pytest.raises(ConfigError, match="neighbours"):
            measure(x, y, k=k)
    with pytest.raises(DataError, match="row 3 is zero"):
        measure(np.where(np.arange(70)[:, None] == 3, 0, x), y)
    with pytest.raises(DataError, match="one row of y"):
        measure(x, y[1:])


def test_cknna_needs_two_neighbours(pair):
    with pytest.raises(ConfigError, match="at least 2 neighbours"):
        nb.cknna(*pair, k=1)


def test_second_order_of_duplicates_raises():
    x = np.repeat(np.eye(2), 20, axis=0)
    with pytest.raises(DataError, match="coincides with all"):
        nb.second_order_cosine(x, x, k=3)

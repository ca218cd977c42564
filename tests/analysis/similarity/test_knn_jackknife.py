import numpy as np
import pytest
from polyglot.analysis.similarity.knn import cknna, mutual_knn
from polyglot.analysis.similarity.knn_jackknife import NeighbourLists, blocked_cknna, mutual_outcomes, permuted_cknna
from polyglot.errors import ConfigError, DataError


@pytest.fixture
def clouds():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 6)) + 0.5
    return x, x @ rng.standard_normal((6, 9)) + rng.standard_normal((80, 9))


@pytest.fixture
def lists(clouds):
    return tuple(NeighbourLists.of(cloud, k=5) for cloud in clouds)


def test_mutual_outcomes_average_to_mutual_knn(clouds, lists):
    assert mutual_outcomes(*lists).mean() == pytest.approx(mutual_knn(*clouds, k=5))


def test_cknna_and_its_jackknife_equal_computing_every_part_anew(clouds, lists):
    blocks = np.array_split(np.random.default_rng(1).permutation(80), 8)
    found = blocked_cknna(*lists, blocks)
    naive = [cknna(*(np.delete(cloud, block, axis=0) for cloud in clouds), k=5) for block in blocks]
    spread = np.sqrt(7 / 8 * np.sum((np.array(naive) - np.mean(naive)) ** 2))
    assert found.value == pytest.approx(cknna(*clouds, k=5))
    assert (found.high - found.low) / 2 == pytest.approx(2.364624 * spread, rel=1e-4)


def test_permuted_lists_equal_lists_of_permuted_rows(clouds, lists):
    x, y = clouds
    partner = np.random.default_rng(2).permutation(80)
    moved = lists[1].permuted(partner)
    assert mutual_outcomes(lists[0], moved).mean() == pytest.approx(mutual_knn(x, y[partner], k=5))
    assert permuted_cknna(*lists, [partner])[0] == pytest.approx(cknna(x, y[partner], k=5))


def test_length_of_rows_does_not_matter(clouds, lists):
    longer = NeighbourLists.of(clouds[0] * np.linspace(0.1, 9, 80)[:, None], k=5)
    np.testing.assert_array_equal(longer.near[:, :5], lists[0].near[:, :5])


def test_a_row_is_never_its_own_neighbour_even_among_duplicates():
    x = np.repeat(np.eye(3), 6, axis=0)
    near = NeighbourLists.of(x, k=2).near
    assert not np.any(near == np.arange(18)[:, None])


def test_refuses_bad_k_zero_rows_and_one_block(clouds, lists):
    with pytest.raises(ConfigError, match="expected 2 to 79"):
        NeighbourLists.of(clouds[0], k=1)
    with pytest.raises(DataError, match="row 3 is zero"):
        NeighbourLists.of(np.where(np.arange(80)[:, None] == 3, 0.0, clouds[0]), k=5)
    with pytest.raises(ConfigError, match="at least 2 blocks"):
        blocked_cknna(*lists, [np.arange(8)])
    with pytest.raises(ConfigError, match="one k"):
        blocked_cknna(lists[0], NeighbourLists.of(clouds[1], k=6), np.array_split(np.arange(80), 4))

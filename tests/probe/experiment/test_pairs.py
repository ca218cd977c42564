import numpy as np
import pytest
from polyglot.errors import DataError
from polyglot.probe.experiment.pairs import Pairs, check_rows, equal_vector_groups, shared_word_share


def rows(n=60, d=4, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def of(x, y, groups=None, *, same_space=True):
    return Pairs.of_arrays(x, y, groups, names=("a", "b"), same_space=same_space)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_bad_rows_are_refused_with_their_numbers(side, value):
    message = "all zeros" if value == 0 else "NaN or infinity"
    x, y = rows(), rows(seed=1)
    (x, y)[side][[3, 41]] = value
    with pytest.raises(DataError, match=f"{('source', 'target')[side]} rows 3, 41 .*{message}"):
        of(x, y)


def test_many_bad_rows_are_counted():
    x = rows()
    x[:9] = 0
    with pytest.raises(DataError, match=r"rows 0, 1, 2, 3, 4 … \(9 in all\)"):
        check_rows(x, rows())


def test_too_few_rows_and_rows_that_are_all_the_same_are_refused():
    with pytest.raises(DataError, match="at least 50 pairs, got 49"):
        of(rows(49), rows(49))
    with pytest.raises(DataError, match="all target rows are the same"):
        of(rows(), np.ones((60, 4)), np.arange(60))


def test_shapes_and_groups_are_checked():
    with pytest.raises(DataError, match=r"shapes \(60, 4\) and \(59, 4\)"):
        of(rows(), rows(59))
    with pytest.raises(DataError, match="one row a pair"):
        of(rows(), np.ones(60))
    with pytest.raises(DataError, match="a group for each of 60 rows, got 3"):
        of(rows(), rows(), [1, 2, 3])
    with pytest.raises(DataError, match="one space has one width, got 4 and 5"):
        of(rows(), rows(d=5))


def test_rows_with_an_equal_vector_on_either_side_are_one_group_transitively():
    x, y = rows(), rows(seed=1)
    x[1], y[2], x[9] = x[0], y[1], x[8]
    groups = equal_vector_groups(x, y)
    assert groups[0] == groups[1] == groups[2]
    assert groups[8] == groups[9] != groups[0]
    assert len(set(groups.tolist())) == 57


def test_equal_vectors_on_different_sides_are_no_link():
    x = rows()
    assert len(set(equal_vector_groups(x, np.roll(x, 1, axis=0)).tolist())) == 60


def test_float16_and_fortran_order_are_taken_as_they_are():
    x = np.asfortranarray(rows().astype(np.float16))
    pairs = of(x, x)
    assert pairs.x.dtype == np.float64
    np.testing.assert_array_equal(pairs.x, x)


def test_swapped_twice_is_the_same():
    pairs = of(rows(), rows(d=6, seed=1), same_space=False)
    swapped = pairs.swapped()
    assert swapped.names == ("b", "a")
    assert swapped.x is pairs.y
    assert swapped.swapped().names == pairs.names
    np.testing.assert_array_equal(swapped.swapped().pool.rows, pairs.pool.rows)
    assert "--same-space" in pairs.why_not


def test_the_pool_of_either_direction_holds_its_own_distinct_targets():
    x, y = rows(), rows(seed=1)
    y[5] = y[4]
    pairs = of(x, y)
    assert len(pairs.pool.rows) == 59
    assert len(pairs.swapped().pool.rows) == 60


def test_fingerprints_tell_arrays_apart():
    x, y = rows(), rows(seed=1)
    other = y.copy()
    other[0, 0] += 1e-9
    assert of(x, y).fingerprint() == of(x.copy(), y).fingerprint()
    assert len({of(x, y).fingerprint(), of(y, x).fingerprint(), of(x, other).fingerprint()}) == 3


def test_share_of_words_in_common():
    found = shared_word_share(["Paris is big", "one two", "…"], ["Paris ist groß", "drei", "…"])
    assert found.tolist() == pytest.approx([1 / 3, 0, 0])

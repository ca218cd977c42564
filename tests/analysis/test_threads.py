"""Threads over independent works: in order, each with its share, and never one inside another."""

import threading
from contextvars import ContextVar

import numpy as np
import pytest
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.analysis.retrieval.search import nearest, nearest_both_ways
from polyglot.analysis.threads import workers
from threadpoolctl import threadpool_info, threadpool_limits


def blas_threads():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture
def four_threads():
    with threadpool_limits(4, user_api="blas"):
        if blas_threads() != {4}:
            pytest.skip("this BLAS does not take a number of threads")
        yield


@pytest.mark.parametrize(("most", "number", "each"), [(1, 1, 4), (2, 2, 2), (3, 3, 1), (9, 4, 1)])
def test_the_threads_of_blas_are_divided_and_given_back(four_threads, most, number, each):
    with workers(most) as crew:
        assert crew.number == number
        assert blas_threads() == {each}
    assert blas_threads() == {4}


def test_works_run_at_one_time_and_come_back_in_order(four_threads):
    meeting = threading.Barrier(2, timeout=20)

    def work(item):
        meeting.wait()
        return -item

    with workers(2) as crew:
        assert crew.map(work, [5, 1, 4, 2]) == [-5, -1, -4, -2]


def test_within_a_work_nothing_is_divided_again(four_threads):
    def inner(_):
        with workers(4) as crew:
            return crew.number

    with workers(2) as crew:
        assert crew.map(inner, range(3)) == [1, 1, 1]
    with workers(2) as crew:
        assert crew.number == 2


def test_a_failing_work_gives_the_threads_back(four_threads):
    def fail(item):
        raise ValueError(item)

    with pytest.raises(ValueError, match="7"), workers(2) as crew:
        crew.map(fail, [7, 8])
    assert blas_threads() == {4}
    assert inside(2) == 2


def inside(most):
    with workers(most) as crew:
        return crew.number


def test_context_is_that_of_the_caller(four_threads):
    about = ContextVar("about", default="")
    about.set("en → fr")
    with workers(2) as crew:
        assert crew.map(lambda _: about.get(), range(3)) == ["en → fr"] * 3


# ------------------------------------------------------------ results do not depend on the number of threads


def with_threads(number, work):
    with threadpool_limits(number, user_api="blas"):
        return work()


def clouds(n, m, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, 6)), rng.standard_normal((m, 6))
    y[: min(n, m)] += 2 * x[: min(n, m)]
    y[3], x[7], y[11] = y[2], x[6], y[2]  # ties
    return x, y


@pytest.mark.parametrize("criterion", ["cosine", "csls", "margin"])
@pytest.mark.parametrize(("n", "m"), [(70, 53), (17, 90), (90, 17)])
def test_neighbours(criterion, n, m):
    x, y = clouds(n, m)
    one, more = (
        with_threads(t, lambda: nearest_both_ways(x, y, k=5, criterion=criterion, tile_side=8)) for t in (1, 3)
    )
    for alone, together in zip(one, more, strict=True):
        np.testing.assert_array_equal(alone.places, together.places)
        np.testing.assert_allclose(alone.scores, together.scores, atol=1e-6)
    forward = with_threads(3, lambda: nearest(x, y, k=5, criterion=criterion, tile_side=8))
    np.testing.assert_array_equal(forward[1], one[0].places)


def test_ranks():
    x, y = clouds(70, 53)
    groups = np.arange(70) // 2, np.arange(53) // 2
    one, more = (with_threads(t, lambda: match_ranks(x, y, *groups, margin=True, tile_side=8)) for t in (1, 3))
    for alone, together in zip(one, more, strict=True):
        for criterion in ("cosine", "csls", "margin"):
            np.testing.assert_array_equal(alone.of(criterion), together.of(criterion))


def test_ladder():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((240, 7))
    y = x @ rng.standard_normal((7, 5)) + 0.3 * rng.standard_normal((240, 5))
    folds = rng.permutation(np.arange(240) % 5)
    rungs = ("rotation", "similarity", "low_rank", "linear", "local", "nonlinear")
    one, more = (with_threads(t, lambda: Ladder(x, folds, rungs=rungs).fit(y)) for t in (1, 4))
    assert [choice.penalty for choice in one.choices] == [choice.penalty for choice in more.choices]
    for rung in rungs:
        np.testing.assert_allclose(more.predictions[rung], one.predictions[rung], atol=1e-9)

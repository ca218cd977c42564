"""Works side by side: all of them, in order, no more at once than fit."""

import gc
import threading
import weakref

import pytest
from polyglot.probe.experiment import parallel as module
from polyglot.probe.experiment.parallel import in_turn, side_by_side


@pytest.fixture
def most_at_once(monkeypatch):
    """Return how many of ten works ran at one time on sixteen processors, for what each is said to hold."""
    monkeypatch.setattr(module.os, "cpu_count", lambda: 16)

    def count(**options):
        lock, running, seen = threading.Lock(), [], []
        together = threading.Event()

        def work(item):
            with lock:
                running.append(item)
                seen.append(len(running))
            together.wait(0.2)
            with lock:
                running.remove(item)
            return item

        assert side_by_side(work, range(10), **options) == list(range(10))
        return max(seen)

    return count


def test_as_many_as_fit_and_at_least_one(most_at_once):
    assert most_at_once() == module.MOST
    assert most_at_once(bytes_each=module.MOST_BYTES // 3) == 3
    assert most_at_once(bytes_each=10 * module.MOST_BYTES) == 1


def test_an_error_is_that_of_the_work():
    def fail(item):
        raise ValueError(item)

    with pytest.raises(ValueError, match="7"):
        side_by_side(fail, [7, 8])


def test_in_turn_one_is_done_and_freed_before_the_next():
    left = []

    class Circle:
        def __init__(self):
            self.own = self

    def work(item):
        assert all(reference() is None for reference in left)
        circle = Circle()
        left.append(weakref.ref(circle))
        return item

    gc.disable()
    try:
        assert in_turn(work, [3, 1, 2]) == [3, 1, 2]
    finally:
        gc.enable()

import pytest
from polyglot.probe.results.intervals import Interval, excludes_zero, in_points, percent


def test_shares_are_written_in_percent():
    assert percent(Interval(0.934, 0.921, 0.999), 0) == "93 % [92, 100]"
    assert percent(Interval(0.9341, 0.921, 0.999)) == "93.4 % [92.1, 99.9]"


def test_differences_are_written_in_points_with_their_sign():
    assert in_points(Interval(0.05, -0.001, 0.1)) == "+5.0 [−0.1, +10.0] points"


@pytest.mark.parametrize(
    ("low", "high", "excluded"), [(0.1, 0.3, True), (-0.3, -0.1, True), (-0.1, 0.3, False), (0, 1, False)]
)
def test_an_interval_that_touches_zero_does_not_exclude_it(low, high, excluded):
    assert excludes_zero(Interval((low + high) / 2, low, high)) is excluded

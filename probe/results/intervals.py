"""Estimates with their intervals, and how a sentence prints them."""

from __future__ import annotations

from ...analysis.resampling import Interval

__all__ = ["Interval", "excludes_zero", "in_points", "percent"]


def percent(share: Interval, digits: int = 1) -> str:
    """Return a share as a percentage with its interval.

    Examples
    --------
    >>> percent(Interval(0.93, 0.921, 0.938), digits=0)
    '93 % [92, 94]'
    """
    return f"{100 * share.value:.{digits}f} % [{100 * share.low:.{digits}f}, {100 * share.high:.{digits}f}]"


def in_points(difference: Interval) -> str:
    """Return a difference of two shares in points of 100, with its sign.

    Examples
    --------
    >>> in_points(Interval(-0.013, -0.02, 0.001))
    '−1.3 [−2.0, +0.1] points'
    """
    value, low, high = (f"{100 * limit:+.1f}" for limit in (difference.value, difference.low, difference.high))
    return f"{value} [{low}, {high}] points".replace("-", "−")


def excludes_zero(difference: Interval) -> bool:
    """Return whether an interval lies above or below zero as a whole."""
    return not difference.low <= 0 <= difference.high

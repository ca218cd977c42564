"""Compares JSON values: numbers within a tolerance, everything else exactly."""

import pytest


def assert_near(one, other, tolerance, where="result"):
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for name, value in one.items():
            assert_near(value, other[name], tolerance, f"{where}.{name}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            assert_near(left, right, tolerance, f"{where}[{place}]")
    elif isinstance(one, float):
        assert other == pytest.approx(one, abs=tolerance, rel=tolerance), where
    else:
        assert one == other, where

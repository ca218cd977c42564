import pytest
from polyglot.errors import ConfigError
from polyglot.probe.linear_map.config import LinearMapConfig


def test_defaults_are_those_of_the_method():
    config = LinearMapConfig()
    assert (config.margin, config.folds, config.permutations, config.costly_permutations) == (0.05, 5, 20, 5)
    assert "mlp" not in config.rungs


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"margin": 0.0}, "--margin must lie between 0 and 1, got 0.0"),
        ({"margin": 1.0}, "--margin"),
        ({"folds": 2}, "--folds must lie between 3 and 20, got 2"),
        ({"folds": 21}, "--folds"),
        ({"permutations": 1}, "--permutations must be at least 2, got 1"),
        ({"costly_permutations": 0}, "costly permutations"),
        ({"costly_permutations": 21}, "costly permutations"),
        ({"resamples": 99}, "at least 100 resamples, got 99"),
        ({"rungs": ("linear", "affine")}, "unknown rung"),
        ({"rungs": ("rotation",)}, "'linear' cannot be left out"),
    ],
)
def test_values_out_of_range_are_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        LinearMapConfig(**setting)

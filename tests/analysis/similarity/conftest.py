import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def pair(rng):
    x = rng.standard_normal((60, 8)) + 3
    return x, x @ rng.standard_normal((8, 5)) + rng.standard_normal((60, 5)) - 2

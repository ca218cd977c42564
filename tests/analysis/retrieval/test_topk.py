"""The k best entries over tiles against a sort of the whole matrix."""

import numpy as np
import pytest
import torch
from polyglot.analysis.retrieval.topk import TopK


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("k", [1, 4, 30])
def test_top_k_over_tiles_equals_a_stable_sort(axis, k):
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 50, (64, 200)).astype(np.float32)
    best = TopK(64, k)
    for start in range(0, 200, 37):
        part = torch.from_numpy(matrix[:, start : start + 37].copy())
        best.update(slice(0, 64), part if axis == 0 else part.T.contiguous(), start, axis=axis)
    order = np.argsort(-matrix, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(best.places.numpy(), order)
    np.testing.assert_array_equal(best.values.numpy(), np.take_along_axis(matrix, order, axis=1))

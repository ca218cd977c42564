"""The literal definition of the criteria on the whole n × m matrix, and clouds to try it on."""

import numpy as np


def rows(seed, n, d=6):
    return np.random.default_rng(seed).standard_normal((n, d))


def with_hubs(seed, n):
    """Rows about a common direction, and a few that stand at the centre of all."""
    x = rows(seed, n, 8) + 1.0
    x[:3] = x.mean(axis=0) + 0.01 * rows(seed + 1, 3, 8)
    return x


def whole_matrix(queries, candidates, criterion, k):
    """The literal definitions, on float32 cosines."""
    a, b = (side.astype(np.float32) for side in (queries, candidates))
    a, b = (side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12) for side in (a, b))
    cosines = a @ b.T
    if criterion == "cosine":
        return cosines
    near_query = -np.sort(-cosines, axis=1)[:, :k].mean(axis=1)
    near_candidate = -np.sort(-cosines, axis=0)[:k].mean(axis=0)
    if criterion == "csls":
        return 2 * cosines - near_query[:, None] - near_candidate
    return cosines / np.maximum((near_query[:, None] + near_candidate) / 2, 1e-6)


CLOUDS = {
    "random": lambda: (rows(0, 90), rows(1, 70)),
    "near": lambda: (rows(2, 80), rows(2, 80) + 0.4 * rows(3, 80)),
    "hubs": lambda: (with_hubs(4, 75), with_hubs(6, 75)),
    "few": lambda: (rows(8, 5), rows(9, 4)),
}

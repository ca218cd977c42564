"""Literal transcriptions of CKA from Gram matrices."""

import numpy as np


def naive_biased(k, l):  # noqa: E741
    n = len(k)
    h = np.eye(n) - np.ones((n, n)) / n
    hsic = lambda a, b: np.trace(a @ h @ b @ h)  # noqa: E731
    return hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l))


def naive_unbiased_hsic(k, l):  # noqa: E741
    """Song et al. (2012, eq. 4): the sum over different i, j, q, r by their counts."""
    n = len(k)
    one = two = 0.0
    for i in range(n):
        for j in range(n):
            if j == i:
                continue
            one += k[i, j] * l[i, j]
            two += sum(k[i, j] * l[i, q] for q in range(n) if q not in (i, j))
    off = ~np.eye(n, dtype=bool)
    # Ordered quadruples of different indices: all pairs of pairs less those that share one or two indices.
    three = k[off].sum() * l[off].sum() - 4 * two - 2 * one
    return one / (n * (n - 1)) + three / (n * (n - 1) * (n - 2) * (n - 3)) - 2 * two / (n * (n - 1) * (n - 2))


def naive_debiased(x, y):
    k, l = x @ x.T, y @ y.T  # noqa: E741
    return naive_unbiased_hsic(k, l) / np.sqrt(naive_unbiased_hsic(k, k) * naive_unbiased_hsic(l, l))

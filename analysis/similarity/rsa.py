"""Similarity of dissimilarity matrices: representational similarity analysis, distance correlation.

All form the n (n − 1) / 2 pairwise dissimilarities of each side, for up to some ten thousand rows.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.spatial.distance import pdist
from scipy.stats import rankdata

from ...errors import DataError
from ..checks import paired
from ..types import Floats, Rows
from .hsic import Hsics, double_centred, squared_distances
from .preprocess import centred_pair

Dissimilarity = Literal["euclidean", "correlation"]
Comparison = Literal["spearman", "pearson"]


def rsa(x: Rows, y: Rows, *, dissimilarity: Dissimilarity = "euclidean", comparison: Comparison = "spearman") -> float:
    """Correlation of the two sides' pairwise dissimilarities (Kriegeskorte et al., 2008), in [−1, 1].

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    dissimilarity : {"euclidean", "correlation"}
        Distance between rows, or 1 minus their Pearson correlation over columns.
    comparison : {"spearman", "pearson"}
        Rank or product-moment correlation.

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of at least 3 rows, or all dissimilarities of one side are equal.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(rsa(x, 2 * x[:, ::-1] + 1), 2)
    1.0
    """
    a, b = paired(x, y, least_rows=3)
    rdm_x, rdm_y = _rdm(a, dissimilarity), _rdm(b, dissimilarity)
    if comparison == "spearman":
        rdm_x, rdm_y = rankdata(rdm_x), rankdata(rdm_y)
    u, v = rdm_x - rdm_x.mean(), rdm_y - rdm_y.mean()
    scale = np.linalg.norm(u) * np.linalg.norm(v)
    if scale <= 1e-14 * np.linalg.norm(rdm_x) * np.linalg.norm(rdm_y):
        raise DataError("all dissimilarities of one side are equal: RSA needs distances that differ")
    return float(u @ v / scale)


def _rdm(a: Floats, dissimilarity: Dissimilarity) -> Floats:
    if dissimilarity == "correlation" and not np.ptp(a, axis=1).all():
        raise DataError("a row has the same value in every column, so its correlation is not defined: use euclidean")
    return np.asarray(pdist(a, dissimilarity), np.float64)


def whitened_rdm_cosine(x: Rows, y: Rows) -> float:
    """Cosine of squared-Euclidean dissimilarities under their null covariance (Diedrichsen et al., 2021), in [0, 1].

    Whitening by the covariance of dissimilarities with shared conditions is double centring, so that this equals biased
    linear CKA.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.
    """
    a, b = centred_pair(x, y)
    k, l = (double_centred(squared_distances(side)) for side in (a, b))  # noqa: E741
    return Hsics(float(np.vdot(k, l)), float(np.vdot(k, k)), float(np.vdot(l, l))).cka


def distance_correlation(x: Rows, y: Rows) -> float:
    """Distance correlation (Székely et al., 2007; the root, not the square), biased, in [0, 1].

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.
    """
    a, b = centred_pair(x, y)
    k, l = (double_centred(np.sqrt(squared_distances(side))) for side in (a, b))  # noqa: E741
    return float(np.sqrt(Hsics(float(np.vdot(k, l)), float(np.vdot(k, k)), float(np.vdot(l, l))).cka))

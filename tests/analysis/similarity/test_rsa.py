"""Dissimilarity matrices against literal forms."""

import numpy as np
import pytest
from polyglot.analysis.similarity.cka import linear_cka
from polyglot.analysis.similarity.rsa import distance_correlation, rsa, whitened_rdm_cosine
from polyglot.errors import DataError
from scipy.stats import pearsonr, spearmanr


@pytest.fixture
def pair():
    rng = np.random.default_rng(13)
    x = rng.standard_normal((14, 5)) + 1
    return x, x[:, :3] + rng.standard_normal((14, 3))


PAIRS = [(i, j) for i in range(14) for j in range(i)]


@pytest.mark.parametrize("dissimilarity", ["euclidean", "correlation"])
@pytest.mark.parametrize(("comparison", "correlate"), [("spearman", spearmanr), ("pearson", pearsonr)])
def test_rsa_is_the_correlation_over_pairs(pair, dissimilarity, comparison, correlate):
    sides = []
    for rows in pair:
        if dissimilarity == "euclidean":
            sides.append([np.linalg.norm(rows[i] - rows[j]) for i, j in PAIRS])
        else:
            sides.append([1 - np.corrcoef(rows[i], rows[j])[0, 1] for i, j in PAIRS])
    value = rsa(*pair, dissimilarity=dissimilarity, comparison=comparison)
    assert value == pytest.approx(correlate(*sides)[0], rel=1e-10)


def test_rsa_is_one_for_equal_shapes_and_minus_one_for_reversed_order(pair):
    x, _ = pair
    q = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    assert rsa(x, 3 * x @ q + 2) == pytest.approx(1)
    # Distances 1, 3, 2 against 3, 1, 2.
    assert rsa(np.array([[0.0], [1], [3]]), np.array([[0.0], [3], [1]]), comparison="spearman") == pytest.approx(-1)


def test_whitening_dissimilarities_gives_linear_cka(pair):
    """The literal form: cosine under the inverse covariance of squared distances of independent rows."""
    contrasts = np.array([np.eye(14)[i] - np.eye(14)[j] for i, j in PAIRS])
    covariance = (contrasts @ contrasts.T) ** 2
    u, v = ([np.sum((rows[i] - rows[j]) ** 2) for i, j in PAIRS] for rows in pair)
    inner = lambda a, b: np.asarray(a) @ np.linalg.solve(covariance, np.asarray(b))  # noqa: E731
    literal = inner(u, v) / np.sqrt(inner(u, u) * inner(v, v))
    assert whitened_rdm_cosine(*pair) == pytest.approx(literal, rel=1e-9)
    assert whitened_rdm_cosine(*pair) == pytest.approx(linear_cka(*pair), rel=1e-12)


def test_distance_correlation_is_its_literal_form(pair):
    centred = []
    for rows in pair:
        d = np.array([[np.linalg.norm(a - b) for b in rows] for a in rows])
        centred.append([[d[i, j] - d[i].mean() - d[j].mean() + d.mean() for j in range(14)] for i in range(14)])
    a, b = np.array(centred[0]), np.array(centred[1])
    expected = np.sqrt(np.mean(a * b) / np.sqrt(np.mean(a * a) * np.mean(b * b)))
    assert distance_correlation(*pair) == pytest.approx(expected, rel=1e-10)
    x, y = pair
    assert distance_correlation(2 * x - 1, y) == pytest.approx(expected, rel=1e-10)
    assert distance_correlation(x, x) == pytest.approx(1)


def test_raises(pair):
    x, y = pair
    with pytest.raises(DataError, match="at least 3"):
        rsa(x[:2], y[:2])
    with pytest.raises(DataError, match="dissimilarities of one side are equal"):
        rsa(np.eye(14), y)
    with pytest.raises(DataError, match="same value in every column"):
        rsa(np.ones((14, 2)), y, dissimilarity="correlation")
    for measure in (whitened_rdm_cosine, distance_correlation):
        with pytest.raises(DataError, match="are the same"):
            measure(np.ones((14, 2)), y)

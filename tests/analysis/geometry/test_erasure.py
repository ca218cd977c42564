"""Language directions and their removal on planted languages."""

import numpy as np
import pytest
from polyglot.analysis.geometry.erasure import (
    Leace,
    MeanRemoval,
    Projection,
    check_labels,
    class_means,
    language_directions,
)
from polyglot.errors import ConfigError, DataError
from scipy.linalg import sqrtm


@pytest.fixture
def rng():
    return np.random.default_rng(31)


@pytest.fixture
def planted(rng):
    labels = np.repeat([0, 1, 2], [50, 70, 60])
    offsets = 3 * rng.standard_normal((3, 8))
    x = rng.standard_normal((180, 8)) @ rng.standard_normal((8, 8)) + offsets[labels] + 10
    return x, labels


def test_means_are_means(planted):
    x, labels = planted
    np.testing.assert_allclose(class_means(x, labels), [x[labels == c].mean(axis=0) for c in range(3)])


def test_directions_span_the_differences_of_means(planted):
    means = class_means(*planted)
    directions = language_directions(means)
    assert directions.shape == (8, 2)
    np.testing.assert_allclose(directions.T @ directions, np.eye(2), atol=1e-12)
    difference = means[0] - means[2]
    np.testing.assert_allclose(directions @ (directions.T @ difference), difference, atol=1e-10)
    np.testing.assert_allclose(np.abs(language_directions(means, count=1)), np.abs(directions[:, :1]))


def test_one_direction_of_two_languages_is_their_offset():
    directions = language_directions(np.array([[1.0, 2.0, 0.0], [1.0, 5.0, 4.0]]))
    np.testing.assert_allclose(np.abs(directions[:, 0]), [0, 0.6, 0.8], atol=1e-12)


def test_mean_removal_moves_each_class_onto_the_common_mean(planted):
    x, labels = planted
    removed = MeanRemoval.fit(x, labels)(x, labels)
    means = class_means(removed, labels)
    np.testing.assert_allclose(means, np.tile(class_means(x, labels).mean(axis=0), (3, 1)), atol=1e-10)
    np.testing.assert_allclose(removed[labels == 1] - means[1], x[labels == 1] - x[labels == 1].mean(0), atol=1e-10)


def test_projection_takes_out_the_directions_and_nothing_else(planted, rng):
    x, labels = planted
    project = Projection.fit(x, labels)
    once = project(x)
    np.testing.assert_allclose(project(once), once, atol=1e-9)
    np.testing.assert_allclose(np.ptp(class_means(once, labels), axis=0), 0, atol=1e-9)
    within = x - x @ project.directions @ project.directions.T
    np.testing.assert_allclose(once - once @ project.directions @ project.directions.T, within, atol=1e-9)
    q = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    np.testing.assert_allclose(Projection.fit(x @ q, labels)(x @ q), once @ q, atol=1e-8)
    assert Projection.fit(x, labels, count=1).directions.shape == (8, 1)


def naive_leace(x, labels):
    """Theorem 4.3 with dense square roots."""
    z = np.eye(labels.max() + 1)[labels]
    a, b = x - x.mean(0), z - z.mean(0)
    whiten = np.linalg.inv(np.real(sqrtm(a.T @ a / len(x))))
    m = whiten @ (a.T @ b / len(x))
    projection = m @ np.linalg.pinv(m)
    return x - a @ (np.linalg.inv(whiten) @ projection @ whiten).T


def test_leace_is_the_theorem(planted):
    x, labels = planted
    np.testing.assert_allclose(Leace.fit(x, labels)(x), naive_leace(x, labels), atol=1e-7)


def test_leace_leaves_no_covariance_with_the_label(planted):
    x, labels = planted
    erase = Leace.fit(x, labels)
    erased = erase(x)
    np.testing.assert_allclose(class_means(erased, labels), np.tile(x.mean(axis=0), (3, 1)), atol=1e-9)
    np.testing.assert_allclose(erase(erased), erased, atol=1e-9)


def test_leace_changes_less_than_projection_in_the_whitened_metric(planted):
    x, labels = planted
    inverse = np.linalg.inv(np.cov(x.T))

    def cost(y):
        return np.einsum("ij,jk,ik->", y - x, inverse, y - x)

    assert cost(Leace.fit(x, labels)(x)) < cost(Projection.fit(x, labels)(x))


def test_leace_changes_less_than_projection_in_euclidean_length_too(planted):
    x, labels = planted
    assert np.sum((Leace.fit(x, labels)(x) - x) ** 2) <= np.sum((Projection.fit(x, labels)(x) - x) ** 2)


def test_leace_commutes_with_any_affine_map(planted, rng):
    x, labels = planted
    a, b = rng.standard_normal((8, 8)), rng.standard_normal(8)
    moved = x @ a + b
    np.testing.assert_allclose(class_means(Leace.fit(moved, labels)(moved), labels), [moved.mean(0)] * 3, atol=1e-7)
    left = np.linalg.matrix_rank(Leace.fit(x, labels).into)
    assert left == 2


def test_leace_bears_directions_without_variance(planted):
    x, labels = planted
    flat = np.hstack([x, x[:, :2]])
    erased = Leace.fit(flat, labels)(flat)
    np.testing.assert_allclose(erased[:, 8:], erased[:, :2], atol=1e-8)
    np.testing.assert_allclose(erased[:, :8], Leace.fit(x, labels)(x), atol=1e-6)


def test_raises(planted, rng):
    x, labels = planted
    for bad in (labels[:-1], np.zeros(180, int), labels * 2, labels - 1):
        with pytest.raises(DataError, match="label"):
            check_labels(x, bad)
    with pytest.raises(DataError, match="class means are equal"):
        language_directions(np.ones((3, 4)))
    for count in (0, 3):
        with pytest.raises(ConfigError, match="1 to 2 directions"):
            language_directions(class_means(x, labels), count=count)
    with pytest.raises(DataError, match="nothing to erase"):
        Leace.fit(np.ones((180, 3)), labels)


def test_erasure_is_that_of_the_authors_library(planted):
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("concept_erasure", reason="needs concept-erasure, of the extra `dev`")
    x, labels = planted
    rows, one_hot = torch.from_numpy(x), torch.nn.functional.one_hot(torch.from_numpy(labels)).double()
    theirs = library.LeaceEraser.fit(rows, one_hot, shrinkage=False, svd_tol=1e-10)(rows)
    np.testing.assert_allclose(Leace.fit(x, labels)(x), theirs.numpy(), atol=1e-9)

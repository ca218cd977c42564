import numpy as np
from polyglot.analysis.maps.affine import AffineMap


def test_affine_map_by_hand():
    fitted = AffineMap(np.array([[2.0]]), np.array([1.0]), np.array([10.0]))
    assert fitted(np.array([[1.0], [3.0]])).tolist() == [[10.0], [14.0]]

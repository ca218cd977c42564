import numpy as np
from polyglot.models.encoder import load_encoder
from polyglot.train.engine.student import Student
from polyglot.train.insertion.rotation import append_rotation, fit_rotation

ENGLISH = ["the big dog eats the bread", "the old king sees the fire", "the cold child wants water"]


def test_a_planted_rotation_is_found_and_applied(base_folder):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 32)).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(32, 32)))[0]
    weight, bias = fit_rotation(x, (x @ turn + 0.3).astype(np.float32))
    np.testing.assert_allclose(weight, turn.T, atol=1e-5)
    np.testing.assert_allclose(bias, 0.3, atol=1e-5)
    student = Student(load_encoder(str(base_folder), device="cpu"), "float32")
    before = student.encoder.encode(ENGLISH).pooled
    append_rotation(student, weight, bias)
    mapped = before @ turn + 0.3
    expected = mapped / np.linalg.norm(mapped, axis=1, keepdims=True)
    np.testing.assert_allclose(student.encoder.encode(ENGLISH).pooled, expected, atol=1e-5)

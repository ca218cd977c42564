"""The certificate of a trained model: geometry where further languages take the noise out."""

import numpy as np
from polyglot.train.evaluation.metrics import Certify, language_metrics, map_verdict


def views(n=160, d=6):
    rng = np.random.default_rng(0)
    meaning = rng.standard_normal((n, d))

    def noisy(turn):
        return (meaning @ turn + 0.5 * rng.standard_normal((n, d)) + 1).astype(np.float32)

    turns = [np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(3)]
    return noisy(np.eye(d)), noisy(turns[0]), {"de": noisy(turns[1]), "es": noisy(turns[2])}


def test_the_certificate_judges_geometry_where_there_are_instruments():
    new, pivot, instruments = views()
    groups = np.arange(len(new))
    found = map_verdict(new, pivot, groups, Certify(("fr", "en"), instruments), seed=0)
    assert found.sentence.startswith("fr → en ")
    assert found.geometry.instruments == ("de", "es")
    assert found.geometry.sentence.startswith("Geometry, fr → en: ")
    assert found.geometry.shares["rotation"].low > found.geometry.shares["shift"].high
    assert found.r2["linear"].value < found.geometry.shares["linear"].value
    assert map_verdict(new, pivot, groups, Certify(("fr", "en")), seed=0).geometry is None


def test_a_language_that_the_model_does_not_read_gets_no_verdict_on_geometry():
    new, pivot, instruments = views()
    certify = Certify(("ru", "en"), instruments, unknown=0.4)
    geometry = language_metrics(new, pivot, np.arange(len(new)), seed=0, certify=certify).certificate.geometry
    assert geometry.verdict == "undecided"
    assert geometry.reason == "40% of the ru tokens are unknown to the model"

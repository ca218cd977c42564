"""The geometry verdict on planted directions whose answer is known (method §5): nothing wrong, and what settles.

A few seeds of every design in continuous integration; `benchmarks/known_answers.py` runs as many as one likes and
prints the table of docs/known-answers.md. `POLYGLOT_KNOWN_SEEDS` asks for another number of seeds here too.
"""

import os
from functools import lru_cache

import numpy as np
import pytest
from polyglot.analysis.certificate.geometry import GeometryConfig, geometry_verdict
from polyglot.analysis.certificate.planted_views import CURVES, KNOWN_DESIGNS, TRUTHS, Design, plant_views

FIRST = 2000
SEEDS = int(os.environ.get("POLYGLOT_KNOWN_SEEDS", "2"))
WAVES = "linear + 20% waves, reliability 0.9"  # odd curves are outside the families that the verdict speaks of
FAMILY = {"axes": "principal axes", "whitened": "whitened axes", "products": "products"}
NARROW = [name for name, design in KNOWN_DESIGNS.items() if design.d < 100 and name != WAVES]
MILD = [n for n in NARROW if KNOWN_DESIGNS[n].curves is None and min(KNOWN_DESIGNS[n].reliability) >= 0.7]


@lru_cache
def measured(name):
    """Geometry of every seed of a design."""
    design = KNOWN_DESIGNS[name]
    seeds = range(FIRST, FIRST + (SEEDS if design.d < 100 else 1))
    return [
        geometry_verdict(plant_views(design, np.random.default_rng([seed, 7])).views, GeometryConfig(seed=seed))
        for seed in seeds
    ]


def is_wrong(design, geometry):
    """Say whether a settled verdict is false; `linear` is not where curvature is smaller than the resolution stated."""
    if geometry.verdict in {"undecided", design.verdict}:
        return False
    if design.curves and geometry.verdict == "linear":
        resolved = geometry.resolution[FAMILY[design.curves]]
        return resolved is not None and resolved <= design.share
    return True


@pytest.mark.slow
def test_no_settled_verdict_is_wrong():
    wrong = {name: count for name in NARROW if (count := sum(is_wrong(KNOWN_DESIGNS[name], g) for g in measured(name)))}
    assert wrong == {}


@pytest.mark.slow
def test_mild_noise_is_settled():
    settled = [g.verdict == KNOWN_DESIGNS[name].verdict for name in MILD for g in measured(name)]
    assert np.mean(settled) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("reliability", [0.9, 0.7])
def test_twenty_percent_along_principal_axes_is_nonlinear(reliability):
    verdicts = [g.verdict for g in measured(f"linear + 20% axes, reliability {reliability}")]
    assert np.mean([verdict == "nonlinear" for verdict in verdicts]) >= 0.65


@pytest.mark.slow
def test_share_of_the_right_rung_is_one():
    for name in MILD:
        if KNOWN_DESIGNS[name].truth in {"rotation", "similarity", "linear"}:
            values = [g.shares[KNOWN_DESIGNS[name].truth].value for g in measured(name)]
            assert np.mean(values) == pytest.approx(1.0, abs=0.04), name


@pytest.mark.slow
@pytest.mark.parametrize("reliability", [0.9, 0.7])
def test_wide_rotations_are_never_linear(reliability):
    verdicts = {g.verdict for g in measured(f"rotation, 600 × 384, reliability {reliability}")}
    assert verdicts <= {"rotation", "undecided"}


def test_designs_name_what_is_planted():
    assert {d.truth for d in KNOWN_DESIGNS.values()} == set(TRUTHS)
    assert {d.curves for d in KNOWN_DESIGNS.values()} == {None, *CURVES}
    assert Design("mixture").verdict == "rotation"


@pytest.mark.parametrize("name", ["rotation, reliability 0.7", "linear + 20% axes, reliability 0.9", "length only"])
def test_planted_noise_and_curves_have_their_size(name):
    design = KNOWN_DESIGNS[name]
    planted = plant_views(design, np.random.default_rng(0))
    for noisy, clean, reliability in zip(
        (planted.views.x, planted.views.y), (planted.latent_x, planted.latent_y), design.reliability, strict=True
    ):
        share = np.sum(clean.var(axis=0)) / np.sum(noisy.var(axis=0))
        assert design.truth == "length" or share == pytest.approx(reliability, abs=0.02)
    if design.curves:
        basis = np.column_stack([np.ones(design.n), planted.latent_x])
        fitted = basis @ np.linalg.lstsq(basis, planted.latent_y, rcond=None)[0]
        curved = np.sum((planted.latent_y - fitted) ** 2) / np.sum(planted.latent_y.var(axis=0) * design.n)
        assert curved == pytest.approx(design.share, abs=1e-6)

"""Disturbances of the pooled output that leave the meaning as it is, and which measures they move (method §7).

How published measures react to such data is known; here it is shown on the user's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.resampling import Interval
from ...analysis.similarity.cka import linear_cka
from ...analysis.types import Floats
from ..experiment.design import Design
from ..results.layers import Stress, StressedMeasure
from .scores import LayerPlan, Measured, measure_layer

if TYPE_CHECKING:
    from ...models.encoder import Encoder

OUTLIER_NORMS = 30
ROGUE_VARIANCES = 3
SHIFTED_SHARE = 0.1
SHIFTED_SPREADS = 2
PADDED_TEXTS = 48
PADDED_WORDS = 120
SMALLEST_MOVE = 0.02
RETRIEVAL = ("p_at_1", "p_at_1_backward")
JUDGED = ("cka", "cka_without_components", "cka_without_rogue", "mutual_knn", "cknna", "procrustes", "linear_r2")
WORDS = {
    "biased_cka": "biased CKA",
    "cka": "debiased CKA",
    "cka_without_components": "CKA without components",
    "cka_without_rogue": "CKA without rogue dimensions",
    "mutual_knn": "mutual k-NN",
    "cknna": "CKNNA",
    "procrustes": "Procrustes",
    "linear_r2": "linear R²",
}


@dataclass(frozen=True, slots=True, eq=False)
class PaddingInputs:
    """The model and the sentences that padding needs."""

    encoder: Encoder
    sources: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Disturbed:
    """Both sides after a disturbance."""

    name: str
    description: str
    x: Floats  # (n, p)
    y: Floats  # (n, q)


def stress_tests(
    x: Floats,
    y: Floats,
    plain: Measured,
    design: Design,
    plan: LayerPlan,
    *,
    seed: int,
    texts: PaddingInputs | None = None,
) -> Iterator[Stress]:
    """Apply every disturbance to paired rows x (n, p) and y (n, q) and measure again.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
    plain : Measured
        The measures before.
    design, plan
        As they were measured with; nothing is permuted again.
    seed : int
        Draws rows and directions.
    texts : PaddingInputs, optional
        Needed for padding, which is left out without them.
    """
    rng = np.random.default_rng([seed, 21])
    without_permutations = replace(design, partners=())
    before = _with_biased(plain.estimates, x, y)
    disturbances = [one_outlier, rogue_dimension, shifted_subset, shuffled_pairs]
    if texts is not None:
        disturbances.insert(2, partial(padded_batches, texts))
    for disturb in disturbances:
        disturbed = disturb(x, y, rng)
        after = measure_layer(disturbed.x, disturbed.y, without_permutations, plan)
        yield compare_measures(disturbed, before, _with_biased(after.estimates, disturbed.x, disturbed.y))


def _with_biased(estimates: dict[str, Interval], x: Floats, y: Floats) -> dict[str, Interval]:
    value = linear_cka(x, y)
    return {"biased_cka": Interval(value, value, value), **estimates}


def one_outlier(x: Floats, y: Floats, rng: np.random.Generator) -> Disturbed:
    """Lengthen one row on both sides."""
    row = int(rng.integers(len(x)))
    x, y = x.copy(), y.copy()
    x[row] *= OUTLIER_NORMS
    y[row] *= OUTLIER_NORMS
    return Disturbed("one outlier", f"row {row} is {OUTLIER_NORMS} times as long on both sides", x, y)


def rogue_dimension(x: Floats, y: Floats, rng: np.random.Generator) -> Disturbed:
    """Add a common random value to the first coordinate of both sides."""
    wave = rng.standard_normal(len(x))
    x, y = x.copy(), y.copy()
    for side in (x, y):
        side[:, 0] += wave * np.sqrt(ROGUE_VARIANCES * side.var(axis=0).sum())
    words = f"the first coordinate of both sides gets a common random value of {ROGUE_VARIANCES} times the variance"
    return Disturbed("a rogue dimension", words, x, y)


def shifted_subset(x: Floats, y: Floats, rng: np.random.Generator) -> Disturbed:
    """Add one vector to some of the targets."""
    rows = rng.permutation(len(x))[: max(1, round(SHIFTED_SHARE * len(x)))]
    direction = rng.standard_normal(y.shape[1])
    shifted = y.copy()
    shifted[rows] += direction / np.linalg.norm(direction) * SHIFTED_SPREADS * np.sqrt(y.var(axis=0).sum())
    words = f"{len(rows)} targets are moved together by {SHIFTED_SPREADS} times the spread"
    return Disturbed("a shifted subset", words, x, shifted)


def shuffled_pairs(x: Floats, y: Floats, rng: np.random.Generator) -> Disturbed:
    """Give every source the target of another row."""
    order = rng.permutation(len(y))
    partner = np.empty(len(y), np.intp)
    partner[order] = np.roll(order, 1)
    return Disturbed("shuffled pairs", "the targets change places: nothing is left to find", x, y[partner])


def padded_batches(texts: PaddingInputs, x: Floats, y: Floats, rng: np.random.Generator) -> Disturbed:
    """Encode some rows again beside one long text, so that their batch is padded to its length."""
    from ...models.embeddings import distinct

    rows = np.sort(rng.permutation(len(x))[:PADDED_TEXTS])
    long = " ".join(["a"] * PADDED_WORDS)
    x, y = x.copy(), y.copy()
    for side, sentences in ((x, texts.sources), (y, texts.targets)):
        unique, places = distinct([sentences[row] for row in rows])
        batch = [*unique, long]
        encoded = texts.encoder.encode_block(batch, layers=(), batch_tokens=len(batch) * texts.encoder.max_length)
        side[rows] = encoded.pooled[places]
    words = f"{len(rows)} rows of both sides are encoded again in batches padded to a text of {PADDED_WORDS} words"
    return Disturbed("padding", words, x, y)


def compare_measures(disturbed: Disturbed, before: dict[str, Interval], after: dict[str, Interval]) -> Stress:
    """Set measures before and after a disturbance side by side, and name those that left their interval."""
    names = [name for name in ("biased_cka", *JUDGED, *RETRIEVAL) if name in before and name in after]
    if not set(names) & set(RETRIEVAL):
        names += ["p_at_1_mapped", "p_at_1_mapped_backward"]
    measures = tuple(StressedMeasure(n, before[n], after[n], left_interval(before[n], after[n])) for n in names)
    moved = [m for m in measures if m.moved and m.name in WORDS]
    listed = ", ".join(f"{WORDS[m.name]} {m.plain.value:.2f} → {m.stressed.value:.2f}" for m in moved)
    retrieval = any(m.moved for m in measures if m.name.startswith("p_at_1"))
    of_retrieval = "retrieval moved as well" if retrieval else "retrieval did not move"
    sentence = f"{disturbed.name.capitalize()}: {listed or 'no measure moved'}; {of_retrieval}."
    return Stress(disturbed.name, disturbed.description, measures, retrieval, sentence)


def left_interval(before: Interval, after: Interval) -> bool:
    """Return whether a value is outside its earlier interval, and not just at its edge."""
    outside = not before.low <= after.value <= before.high
    return outside and abs(after.value - before.value) > SMALLEST_MOVE

"""Stress: things done to the arrays that leave the meaning as it is, and the measures that move all the same.

What happens to published values on such data is known (method §7); here it is done to the user's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
class Stressed:
    """The model and the sentences, for the one stress that needs them."""

    encoder: Encoder
    sources: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Changed:
    name: str
    description: str
    x: Floats
    y: Floats


def stress_tests(
    x: Floats,
    y: Floats,
    plain: Measured,
    design: Design,
    plan: LayerPlan,
    *,
    seed: int,
    texts: Stressed | None = None,
) -> Iterator[Stress]:
    """Apply every stress to paired rows x (n, p) and y (n, q) and measure again.

    Parameters
    ----------
    plain : Measured
        The measures before.
    design, plan
        As they were measured with; nothing is permuted again.
    seed : int
        Draws rows and directions.
    texts : Stressed, optional
        Needed for the stress of padding.
    """
    quiet = replace(design, partners=())
    before = _with_biased(plain.estimates, x, y)
    for changed in _changes(x, y, np.random.default_rng([seed, 21]), texts):
        after = measure_layer(changed.x, changed.y, quiet, plan)
        yield _compared(changed, before, _with_biased(after.estimates, changed.x, changed.y))


def _with_biased(estimates: dict[str, Interval], x: Floats, y: Floats) -> dict[str, Interval]:
    value = linear_cka(x, y)
    return {"biased_cka": Interval(value, value, value), **estimates}


def _changes(x: Floats, y: Floats, rng: np.random.Generator, texts: Stressed | None) -> Iterator[_Changed]:
    yield _outlier(x, y, rng)
    yield _rogue(x, y, rng)
    if texts is not None:
        yield _padding(x, y, texts, rng)
    yield _shift(x, y, rng)
    yield _Changed("shuffled pairs", "the targets change places: nothing is left to find", x, y[_turned(len(y), rng)])


def _outlier(x: Floats, y: Floats, rng: np.random.Generator) -> _Changed:
    row = int(rng.integers(len(x)))
    moved = []
    for side in (x, y):
        changed = side.copy()
        changed[row] *= OUTLIER_NORMS
        moved.append(changed)
    return _Changed("one outlier", f"row {row} is {OUTLIER_NORMS} times as long on both sides", moved[0], moved[1])


def _rogue(x: Floats, y: Floats, rng: np.random.Generator) -> _Changed:
    wave = rng.standard_normal(len(x))
    moved = []
    for side in (x, y):
        changed = side.copy()
        changed[:, 0] += wave * np.sqrt(ROGUE_VARIANCES * side.var(axis=0).sum())
        moved.append(changed)
    words = f"the first coordinate of both sides gets a common random value of {ROGUE_VARIANCES} times the variance"
    return _Changed("a rogue dimension", words, moved[0], moved[1])


def _shift(x: Floats, y: Floats, rng: np.random.Generator) -> _Changed:
    rows = rng.permutation(len(x))[: max(1, round(SHIFTED_SHARE * len(x)))]
    direction = rng.standard_normal(y.shape[1])
    changed = y.copy()
    changed[rows] += direction / np.linalg.norm(direction) * SHIFTED_SPREADS * np.sqrt(y.var(axis=0).sum())
    words = f"{len(rows)} targets are moved together by {SHIFTED_SPREADS} times the spread"
    return _Changed("a shifted subset", words, x, changed)


def _padding(x: Floats, y: Floats, texts: Stressed, rng: np.random.Generator) -> _Changed:
    """Encode some rows again beside one long text, so that their batch is padded to its length."""
    rows = np.sort(rng.permutation(len(x))[:PADDED_TEXTS])
    moved = []
    for side, sentences in ((x, texts.sources), (y, texts.targets)):
        changed = side.copy()
        changed[rows] = _padded(texts.encoder, [sentences[row] for row in rows])
        moved.append(changed)
    words = f"{len(rows)} rows of both sides are encoded again in batches padded to a text of {PADDED_WORDS} words"
    return _Changed("padding", words, moved[0], moved[1])


def _padded(encoder: Encoder, sentences: list[str]) -> Floats:
    from ...models.embeddings import distinct

    unique, places = distinct(sentences)
    long = " ".join(["a"] * PADDED_WORDS)
    batch = [*unique, long]
    encoded = encoder.encode_block(batch, layers=(), batch_tokens=len(batch) * encoder.max_length)
    return np.asarray(encoded.pooled[places], np.float64)


def _turned(n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    order = rng.permutation(n)
    partner = np.empty(n, np.intp)
    partner[order] = np.roll(order, 1)
    return partner


def _compared(changed: _Changed, before: dict[str, Interval], after: dict[str, Interval]) -> Stress:
    names = [name for name in ("biased_cka", *JUDGED, *RETRIEVAL) if name in before and name in after]
    if not set(names) & set(RETRIEVAL):
        names += ["p_at_1_mapped", "p_at_1_mapped_backward"]
    measures = tuple(StressedMeasure(n, before[n], after[n], _moved(before[n], after[n])) for n in names)
    retrieval = any(m.moved for m in measures if m.name.startswith("p_at_1"))
    return Stress(changed.name, changed.description, measures, retrieval, _sentence(changed.name, measures, retrieval))


def _moved(before: Interval, after: Interval) -> bool:
    """Whether a value left its interval by more than a hair."""
    outside = not before.low <= after.value <= before.high
    return outside and abs(after.value - before.value) > SMALLEST_MOVE


def _sentence(name: str, measures: tuple[StressedMeasure, ...], retrieval: bool) -> str:
    moved = [m for m in measures if m.moved and m.name in WORDS]
    listed = ", ".join(f"{WORDS[m.name]} {m.plain.value:.2f} → {m.stressed.value:.2f}" for m in moved)
    stood = "retrieval moved as well" if retrieval else "retrieval did not move"
    return f"{name.capitalize()}: {listed or 'no measure moved'}; {stood}."

"""`polyglot probe language-id`: how much language each layer holds, and the price of its removal (method §10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.geometry.language_probe import held_out_hits
from ...analysis.types import Integers, Rows
from ..experiment.design import Design, Draws, design_warnings
from ..experiment.several import Several, check_languages, embed_several, several_of_arrays
from ..results.language_id import AS_IT_IS, Baseline, LanguageIdResult, LayerLanguageId
from ..results.layers import POOLED
from ..results.provenance import Origin, provenance
from .config import LanguageIdConfig
from .scores import Labelled, baseline_features, change_of, coded_bits, layer_language_id

if TYPE_CHECKING:
    from ...data.bitext import ParallelText
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder


def run(
    encoder: Encoder,
    text: ParallelText,
    languages: Sequence[str],
    config: LanguageIdConfig = LanguageIdConfig(),  # noqa: B008 - frozen
    *,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> LanguageIdResult:
    """Measure the language identity of a parallel text's embeddings.

    Parameters
    ----------
    encoder : Encoder
    text : ParallelText
        At least 50 rows.
    languages : sequence of str
        Two or more of its languages.
    config : LanguageIdConfig
    cache : EmbeddingCache, optional
        Where embeddings are kept.
    command : str
        What was typed, for the provenance.
    batch_tokens : int, optional
        Token budget of a batch.
    progress : bool
        Whether a bar is drawn while encoding.

    Raises
    ------
    ConfigError
        If there are fewer than two languages, or a layer does not exist.
    DataError
        If the text lacks a language or has too few rows, or an embedding is zero or not finite.
    """
    check_languages(languages, 2)
    origin = Origin.now(command)
    several = embed_several(
        encoder, text, languages, config.layers, cache=cache, batch_tokens=batch_tokens, progress=progress
    )
    return _measured(several, config, replace(origin, models=several.sides, device=encoder.device))


def measure(
    rows: Sequence[Rows],
    groups: Sequence[int] | NDArray[np.integer] | None = None,
    config: LanguageIdConfig = LanguageIdConfig(),  # noqa: B008 - frozen
    *,
    names: Sequence[str],
    command: str = "",
) -> LanguageIdResult:
    """Measure arrays that you already have; there is no baseline of length and script without texts.

    Parameters
    ----------
    rows : sequence of arrays (n, d) or (l, n, d)
        One for each language: the same n ≥ 50 sentences, of one width.
    groups : sequence of int, optional
        Concept group of each row, (n,); by default rows with equal vectors in some language are one group.
    config : LanguageIdConfig
        `layers` is not used: all that is given is measured.
    names : sequence of str
        The languages.

    Raises
    ------
    ConfigError
        If there are fewer than two languages.
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.
    """
    check_languages(names, 2)
    origin = Origin.now(command)
    return _measured(several_of_arrays(rows, names, groups), config, origin)


def _measured(several: Several, config: LanguageIdConfig, origin: Origin) -> LanguageIdResult:
    design = several.design(Draws(config.folds, 1, config.resamples, config.seed))
    types = _types(several)
    layers = tuple(
        layer_language_id(name, _labelled(several, name, types, design), several.languages, config)
        for name in several.layers
    )
    baseline = _baseline(several, design, config)
    return LanguageIdResult(
        languages=several.languages,
        n=several.n,
        groups=len(np.unique(several.groups)),
        folds=config.folds,
        chance=1 / len(several.languages),
        uniform_bits=float(np.log2(len(several.languages))),
        layers=layers,
        baseline=baseline,
        sentence=language_sentence(layers[-1], baseline, 1 / len(several.languages)),
        warnings=(*design_warnings(design, layers[-1].dim), *several.warnings),
        controls=config.controls,
        orders=config.orders,
        resamples=config.resamples,
        provenance=provenance(origin, corpus=several.corpus[0], fingerprint=several.corpus[1], seed=config.seed),
    )


def _types(several: Several) -> Integers:
    """Give each text a number, so that equal ones share a control label; rows without text stand for themselves."""
    if several.texts is None:
        return np.arange(several.n * len(several.languages))
    flat = np.array([text for column in several.texts for text in column], dtype=object)
    return np.unique(flat, return_inverse=True)[1].astype(np.int64)


def _labelled(several: Several, layer: str, types: Integers, design: Design) -> Labelled:
    sides = several.at(layer)
    labels = np.repeat(np.arange(len(sides)), several.n)
    return Labelled(np.concatenate(sides), labels, types, design, several.pools)


def _baseline(several: Several, design: Design, config: LanguageIdConfig) -> Baseline | None:
    if several.texts is None:
        return None
    features, names = baseline_features(several.texts, [stack.lengths for stack in several.stacks])
    classes = len(several.languages)
    labels = np.repeat(np.arange(classes), several.n)
    hits = held_out_hits(features, labels, np.tile(design.folds, classes), penalty=config.penalty)
    accuracy = design.proportion(hits.reshape(classes, -1).mean(axis=0))
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return Baseline(accuracy, coded_bits(scaled, labels, np.tile(design.groups, classes), config), names)


def language_sentence(layer: LayerLanguageId, baseline: Baseline | None, chance: float) -> str:
    """Say what is read off, what the cheapest sufficient removal leaves, and what it costs in retrieval."""
    by_name = {condition.name: condition for condition in layer.conditions}
    plain = by_name[AS_IT_IS].accuracy
    where = "the pooled output" if layer.name == POOLED else f"layer {layer.name}"
    text = (
        f"The language of {100 * plain.value:.1f} % [{100 * plain.low:.1f}, {100 * plain.high:.1f}] of held-out texts"
    )
    text += f" is read off {where} (chance {100 * chance:.0f} %"
    text += f", length and script alone {100 * baseline.accuracy.value:.1f} %)" if baseline is not None else ")"
    removals = [condition for condition in layer.conditions if condition.name != AS_IT_IS]
    best = min(removals, key=lambda condition: condition.accuracy.value)
    if not best.accuracy.high < plain.low:
        return f"{text}; no removal lowers it."
    text += f"; {best.name} leaves {100 * best.accuracy.value:.1f} %"
    if best.p_at_1_change is None:
        return f"{text}."
    clear = best.p_at_1_change.low > 0 or best.p_at_1_change.high < 0
    changed = f"changes P@1 by {change_of(best.p_at_1_change)}" if clear else "does not change P@1 measurably"
    return f"{text} and {changed}."


__all__ = ["LanguageIdConfig", "measure", "run"]

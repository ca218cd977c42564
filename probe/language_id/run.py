"""`polyglot probe language-id`: language identity of each layer, and the cost of its removal (method §10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Labels, Rows
from ...stages import counted
from ..experiment.design import Draws, design_warnings
from ..experiment.language_stacks import LanguageStacks, check_languages, embed_languages, languages_of_arrays
from ..results.intervals import excludes_zero, in_points, percent
from ..results.language_id import AS_IT_IS, Baseline, LanguageIdResult, LayerLanguageId
from ..results.layers import layer_label
from ..results.provenance import Start
from .baseline import length_and_script_baseline
from .config import LanguageIdConfig
from .scores import Labelled, layer_language_id

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
        Of embeddings.
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
    start = Start.now(command)
    stacks = embed_languages(
        encoder, text, languages, config.layers, cache=cache, batch_tokens=batch_tokens, progress=progress
    )
    return _measured(stacks, config, start)


def measure(
    rows: Sequence[Rows],
    groups: Sequence[int] | Labels | None = None,
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
    start = Start.now(command)
    return _measured(languages_of_arrays(rows, names, groups), config, start)


def _measured(stacks: LanguageStacks, config: LanguageIdConfig, start: Start) -> LanguageIdResult:
    stacks, constant = stacks.varying()
    design = stacks.design(Draws(config.folds, 1, config.resamples, config.seed))
    classes = len(stacks.languages)
    labels, types = np.repeat(np.arange(classes), stacks.n), np.arange(classes * stacks.n)
    if stacks.texts is not None:  # equal texts get one control label
        flat = np.array([text for column in stacks.texts for text in column], dtype=object)
        types = np.unique(flat, return_inverse=True)[1].astype(np.int64)
    layers = tuple(
        layer_language_id(
            name,
            Labelled(np.concatenate(stacks.at(name)), labels, types, design, stacks.pools),
            stacks.languages,
            config,
        )
        for name in counted(stacks.layers, "classifying languages, layers")
    )
    baseline = None
    if stacks.texts is not None:
        lengths = [stack.lengths for stack in stacks.stacks]
        baseline = length_and_script_baseline(stacks.texts, lengths, labels, design, config)
    return LanguageIdResult(
        languages=stacks.languages,
        n=stacks.n,
        groups=len(np.unique(stacks.groups)),
        folds=config.folds,
        chance=1 / classes,
        uniform_bits=float(np.log2(classes)),
        layers=tuple(layers),
        baseline=baseline,
        sentence=language_sentence(layers[-1], baseline, 1 / classes),
        warnings=(*design_warnings(design, layers[-1].dim), *stacks.warnings),
        controls=config.controls,
        orders=config.orders,
        resamples=config.resamples,
        provenance=stacks.provenance(start, config.seed),
        constant=constant,
    )


def language_sentence(layer: LayerLanguageId, baseline: Baseline | None, chance: float) -> str:
    """Say how well the language is classified, as it is and after the best removal, and what that costs in P@1."""
    by_name = {condition.name: condition for condition in layer.conditions}
    plain = by_name[AS_IT_IS].accuracy
    alone = "" if baseline is None else f", length and script alone {100 * baseline.accuracy.value:.1f} %"
    text = (
        f"The language of {percent(plain)} of held-out texts is read off {layer_label(layer.name)} "
        f"(chance {100 * chance:.0f} %{alone})"
    )
    removals = [condition for condition in layer.conditions if condition.name != AS_IT_IS]
    best = min(removals, key=lambda condition: condition.accuracy.value)
    if not best.accuracy.high < plain.low:
        return f"{text}; no removal lowers it."
    text += f"; {best.name} leaves {100 * best.accuracy.value:.1f} %"
    if best.p_at_1_change is None:
        return f"{text}."
    significant = excludes_zero(best.p_at_1_change)
    changed = f"changes P@1 by {in_points(best.p_at_1_change)}" if significant else "does not change P@1 significantly"
    return f"{text} and {changed}."


__all__ = ["LanguageIdConfig", "measure", "run"]

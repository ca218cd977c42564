"""`polyglot probe composition`: does A → B → C equal A → C, and do loops close? (method §9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats, Labels, Rows
from ...errors import DataError
from ..experiment.design import Draws, design_warnings
from ..experiment.language_stacks import LanguageStacks, check_languages, embed_languages, languages_of_arrays
from ..experiment.layer_stack import unread
from ..experiment.pairs import embed_columns
from ..results.composition import CompositionResult
from ..results.provenance import Start
from .config import CompositionConfig
from .latent import latent_paths
from .maps import fit_web
from .paths import composed_paths, composition_sentence, loops, without_a_map

if TYPE_CHECKING:
    from ...data.bitext import ParallelText
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder

RUNGS = ("rotation", "similarity", "linear")
SAME_SPACE = ("identity", "shift")


def run(
    encoder: Encoder,
    text: ParallelText,
    languages: Sequence[str],
    config: CompositionConfig = CompositionConfig(),  # noqa: B008 - frozen
    *,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> CompositionResult:
    """Fit maps between all pairs of languages of a parallel text, compose them, and close loops.

    Parameters
    ----------
    encoder : Encoder
    text : ParallelText
        At least 50 rows. Languages that are not asked for take noise out of latent shares.
    languages : sequence of str
        Three or more of its languages; the cost grows with the cube of their number.
    config : CompositionConfig
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
        If there are fewer than three languages.
    DataError
        If the text lacks a language or has too few rows, or an embedding is zero or not finite.
    """
    check_languages(languages, 3)
    start = Start.now(command)
    stacks = embed_languages(encoder, text, languages, (), cache=cache, batch_tokens=batch_tokens, progress=progress)
    further = [code for code in text.languages if code not in languages]
    views = embed_columns(encoder, text, further, cache=cache, batch_tokens=batch_tokens, progress=progress)
    return _measured(stacks, views, config, start, same_space=config.same_space is not False)


def measure(
    rows: Sequence[Rows],
    groups: Sequence[int] | Labels | None = None,
    config: CompositionConfig = CompositionConfig(),  # noqa: B008 - frozen
    *,
    names: Sequence[str],
    instruments: Mapping[str, Rows] | None = None,
    command: str = "",
) -> CompositionResult:
    """Do the same with arrays that you already have.

    Parameters
    ----------
    rows : sequence of arrays (n, d)
        One for each of three or more languages: the same n ≥ 50 sentences; widths may differ.
    groups : sequence of int, optional
        Concept group of each row, (n,); by default rows with equal vectors in some language are one group.
    config : CompositionConfig
        Without `same_space=True` identity and shift are left out.
    names : sequence of str
        The languages.
    instruments : mapping of str to array (n, w), optional
        The same rows in further languages. Without any, languages that are not on a path serve it.

    Raises
    ------
    ConfigError
        If there are fewer than three languages.
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.
    """
    check_languages(names, 3)
    start = Start.now(command)
    stacks = languages_of_arrays(rows, names, groups)
    views = {name: np.asarray(rows, np.float64) for name, rows in (instruments or {}).items()}
    return _measured(stacks, views, config, start, same_space=bool(config.same_space))


def _measured(
    stacks: LanguageStacks,
    instruments: Mapping[str, Floats],
    config: CompositionConfig,
    start: Start,
    *,
    same_space: bool,
) -> CompositionResult:
    design = stacks.design(Draws(config.folds, config.permutations, config.resamples, config.seed))
    rows = tuple(stacks.at(stacks.layers[-1]))
    widths = {side.shape[1] for side in rows}
    if same_space and len(widths) > 1:
        raise DataError(f"one space has one width, got {sorted(widths)}: leave --same-space out")
    rungs = (*(SAME_SPACE if same_space else ()), *RUNGS, *(("nonlinear",) if config.curved else ()))
    web = fit_web(stacks.languages, rows, stacks.pools, design, config, rungs=rungs)
    unread_languages = unread(stacks.stacks)
    latent = {} if unread_languages else latent_paths(web, instruments, same_space=same_space, seed=config.seed)
    composed = composed_paths(web, latent)
    pairs = tuple(fitted.pair for fitted in web.fitted.values())
    return CompositionResult(
        languages=stacks.languages,
        n=stacks.n,
        groups=len(np.unique(stacks.groups)),
        folds=config.folds,
        rungs=rungs,
        pairs=pairs,
        composed=composed,
        loops=loops(web),
        sentence=without_a_map(pairs) + composition_sentence(composed),
        warnings=(*design_warnings(design, max(widths)), *stacks.warnings, *unread_languages),
        margin=config.margin,
        permutations=config.permutations,
        resamples=config.resamples,
        provenance=stacks.provenance(start, config.seed),
        instruments=tuple(instruments) if latent else (),
    )


__all__ = ["CompositionConfig", "measure", "run"]

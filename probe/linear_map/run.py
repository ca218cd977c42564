"""`polyglot probe linear-map`: is translation identity, shift, rotation, linear, or more? (method §1–6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.types import RowSource
from ...distributed import Processes
from ...errors import ConfigError, DataError
from ...files import StoredMatrix, open_paired_matrices
from ..experiment.checks import MINIMUM_ROWS
from ..experiment.pairs import Pairs, embed_instruments, embed_sides, embed_untrained, in_one_space
from ..results.linear_map import LinearMapResult
from ..results.provenance import Start
from .config import LinearMapConfig
from .direction import measure_both
from .streamed import fit_and_sample
from .streamed_text import embed_and_sample

if TYPE_CHECKING:
    from ...data.bitext import Bitext, ParallelText
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder


def run(
    encoders: tuple[Encoder, Encoder],
    bitext: Bitext,
    config: LinearMapConfig = LinearMapConfig(),  # noqa: B008 - frozen
    *,
    instruments: ParallelText | None = None,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> LinearMapResult:
    """Probe both directions of a bitext.

    With more pairs than `config.exact_rows` maps in closed form are of all of them, everything else of a sample.

    Parameters
    ----------
    encoders : (Encoder, Encoder)
        Of the source and of the target language; the same one twice for one model.
    bitext : Bitext
        At least 50 pairs.
    config : LinearMapConfig
    instruments : ParallelText, optional
        The same rows in other languages, which the source encoder reads: they take noise out of the verdict on
        geometry. The languages of the bitext among them are passed over.
    cache : EmbeddingCache, optional
        Of embeddings; without it every text is encoded anew.
    command : str
        What was typed, for the provenance.
    batch_tokens : int, optional
        Token budget of a batch.
    progress : bool
        Whether a bar is drawn while encoding.

    Raises
    ------
    DataError
        If there are too few pairs, or an embedding is zero or not finite.
    """
    if len(bitext) < MINIMUM_ROWS:
        raise DataError(f"{bitext.name} has {len(bitext)} pairs: expected at least {MINIMUM_ROWS}")
    start = Start.now(command)
    same_space, fingerprint = in_one_space(encoders, config.same_space), bitext.fingerprint
    fits = None
    if len(bitext) <= config.exact_rows:
        source, target = embed_sides(encoders, bitext, cache=cache, batch_tokens=batch_tokens, progress=progress)
        views = embed_instruments(
            encoders[0], bitext, instruments, cache=cache, batch_tokens=batch_tokens, progress=progress
        )
    else:
        sampled = embed_and_sample(
            encoders,
            bitext,
            config,
            same_space=same_space,
            instruments=instruments,
            cache=cache,
            batch_tokens=batch_tokens,
            progress=progress,
        )
        views = sampled.instruments
        (source, target), bitext, fits = sampled.sides, sampled.bitext, sampled.found.fits
    pairs = Pairs.of_text(source, target, bitext, same_space=same_space)
    if config.untrained:
        sides = embed_untrained(
            encoders, bitext, config.seed, cache=cache, batch_tokens=batch_tokens, progress=progress
        )
        pairs = replace(pairs, untrained=sides)
    directions = measure_both(pairs, config, views, fits)
    record = start.provenance(
        corpus=bitext.name,
        fingerprint=fingerprint,
        seed=config.seed,
        models=(source.identity, target.identity),
        device=encoders[0].device,
    )
    return LinearMapResult(directions, config.permutations, config.costly_permutations, config.resamples, record)


def measure(
    x: RowSource,
    y: RowSource,
    groups: Sequence[int] | NDArray[np.integer] | None = None,
    config: LinearMapConfig = LinearMapConfig(),  # noqa: B008 - frozen
    *,
    instruments: Mapping[str, NDArray[np.floating]] | None = None,
    names: tuple[str, str] = ("x", "y"),
    command: str = "",
    processes: Processes = Processes(),  # noqa: B008 - frozen
) -> LinearMapResult:
    """Probe arrays that you already have, in both directions.

    With more rows than `config.exact_rows` maps in closed form are of all of them, everything else of a sample.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows, n ≥ 50; float16, float32 or float64, memory-mapped or any `RowSource` if you like.
    groups : sequence of int, optional
        Concept group of each row, (n,); by default rows with equal vectors on either side are one group.
    config : LinearMapConfig
        Without `same_space=True` identity and shift are left out.
    instruments : mapping of str to array (n, w), optional
        Other renderings of the same rows, by name: they take noise out of the verdict on geometry. Within one space
        those as wide as the source are taken to lie in it too: their maps are the wrong-language control.
    names : (str, str)
        What the sides are called in the result.
    processes : Processes
        Those that share the reading of more rows than `config.exact_rows`; only the first returns.

    Raises
    ------
    ProcessDone
        In every process but the first, after what they share.
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite (rows are named).
    ConfigError
        If an untrained encoder is asked for.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 4))
    >>> quick = LinearMapConfig(rungs=("rotation", "linear", "nonlinear"), power_replicates=0, failure=False)
    >>> result = measure(x, x @ np.linalg.qr(rng.standard_normal((4, 4)))[0], config=quick)
    >>> result.directions[0].certificate.verdict
    'rotation'
    """
    if config.untrained:
        raise ConfigError("an untrained encoder embeds text, and arrays have none: leave untrained out")
    start, same_space = Start.now(command), bool(config.same_space)
    views = dict(instruments or {})
    if len(x) <= config.exact_rows:
        pairs = Pairs.of_arrays(np.asarray(x[:]), np.asarray(y[:]), groups, names=names, same_space=same_space)
        fits, fingerprint = None, pairs.fingerprint()
    else:
        found = fit_and_sample(x, y, groups, config, same_space=same_space, instruments=views, processes=processes)
        processes.only_first_goes_on()
        pairs = Pairs.of_arrays(found.x, found.y, found.groups, names=names, same_space=same_space)
        fits, fingerprint = found.fits, found.fingerprint
        views = {name: np.asarray(rows)[found.rows] for name, rows in views.items()}
    wide = {name: np.asarray(rows, np.float64) for name, rows in views.items()}
    directions = measure_both(pairs, config, wide, fits)
    record = start.provenance(corpus="arrays", fingerprint=fingerprint, seed=config.seed)
    return LinearMapResult(directions, config.permutations, config.costly_permutations, config.resamples, record)


def measure_files(
    x: Path,
    y: Path,
    config: LinearMapConfig = LinearMapConfig(),  # noqa: B008 - frozen
    *,
    command: str = "",
    processes: Processes = Processes(),  # noqa: B008 - frozen
) -> LinearMapResult:
    """Probe two .npy files of paired rows, which may be larger than memory.

    Parameters
    ----------
    x, y : Path
    config : LinearMapConfig
    command : str
        What was typed, for the provenance.
    processes : Processes
        As for `measure`.

    Raises
    ------
    DataError
        If a file is missing or not a .npy matrix of floats; else as `measure`.
    """
    sides: tuple[RowSource, RowSource] = open_paired_matrices(x, y)
    if len(sides[0]) > config.exact_rows:
        sides = StoredMatrix(x), StoredMatrix(y)
    return measure(*sides, config=config, names=(x.stem, y.stem), command=command, processes=processes)


__all__ = ["LinearMapConfig", "measure", "measure_files", "run"]

"""`polyglot probe retrieval`: are translations nearest neighbours, by cosine, CSLS and xsim margin? (method §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...distributed import Processes
from ...errors import DataError
from ..experiment.pairs import Pairs, embed_sides
from ..experiment.source_map import Through
from ..results.provenance import Origin, provenance
from ..results.retrieval import RetrievalResult, Search
from ..results.serialization import Provenance
from .config import RetrievalConfig
from .search import measure_search

if TYPE_CHECKING:
    from ...data.bitext import Bitext
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder


def run(
    encoders: tuple[Encoder, Encoder],
    bitext: Bitext,
    config: RetrievalConfig = RetrievalConfig(),  # noqa: B008 - frozen
    *,
    through: Through | None = None,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> RetrievalResult:
    """Search the translation of each sentence, in both directions.

    Parameters
    ----------
    encoders : (Encoder, Encoder)
        Of the source and of the target language; the same one twice for one model.
    bitext : Bitext
        At least 50 pairs.
    config : RetrievalConfig
    through : Through, optional
        A map that the source vectors go through first: fitted elsewhere, on other rows.
    cache : EmbeddingCache, optional
        Where embeddings are kept; without it nothing is kept.
    command : str
        What was typed, for the provenance.
    batch_tokens : int, optional
        Token budget of a batch.
    progress : bool
        Whether a bar is drawn while encoding.

    Raises
    ------
    DataError
        If there are too few pairs, the widths differ, or an embedding is zero or not finite.
    """
    _check_widths(encoders[0].dim, encoders[1].dim, through)
    origin = Origin.now(command)
    processes = Processes() if cache is None else cache.processes
    source, target = embed_sides(encoders, bitext, cache=cache, batch_tokens=batch_tokens, progress=progress, stay=True)
    pairs = Pairs.of_text(source, target, bitext, same_space=True)
    origin = replace(origin, models=(source.identity, target.identity), device=encoders[0].device)
    directions = _both_ways(pairs, config, through, processes)
    processes.only_first_goes_on()
    record = provenance(origin, corpus=bitext.name, fingerprint=bitext.fingerprint, seed=config.seed)
    return _result(directions, config, through, record)


def measure(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    groups: Sequence[int] | NDArray[np.integer] | None = None,
    config: RetrievalConfig = RetrievalConfig(),  # noqa: B008 - frozen
    *,
    through: Through | None = None,
    names: tuple[str, str] = ("x", "y"),
    command: str = "",
) -> RetrievalResult:
    """Search arrays that you already have, in both directions.

    Parameters
    ----------
    x, y : array (n, d), (n, d)
        Paired rows, n ≥ 50.
    groups : sequence of int, optional
        Concept group of each row, (n,); by default rows with equal vectors on either side are one group.
    config : RetrievalConfig
    through : Through, optional
        A map that the rows of x go through first.
    names : (str, str)
        What the sides are called in the result.

    Raises
    ------
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((300, 16))
    >>> measure(x, 2 * x).directions[0].scores["cosine"].p_at_1.value
    1.0
    """
    origin = Origin.now(command)
    pairs = Pairs.of_arrays(x, y, groups, names=names, same_space=False)
    _check_widths(x.shape[1], y.shape[1], through)
    record = provenance(origin, corpus="arrays", fingerprint=pairs.fingerprint(), seed=config.seed)
    return _result(_both_ways(pairs, config, through, Processes()), config, through, record)


def _check_widths(source: int, target: int, through: Through | None) -> None:
    if through is None and source != target:
        raise DataError(
            f"the sides are {source} and {target} wide: a search needs one space; fit a map with `polyglot map fit` "
            "and give it with --map"
        )
    if through is not None:
        through.check_widths(source, target)


def _both_ways(
    pairs: Pairs, config: RetrievalConfig, through: Through | None, processes: Processes
) -> tuple[Search, ...]:
    if through is None:
        return tuple(measure_search(p, config, processes=processes) for p in (pairs, pairs.swapped()))
    mapped = replace(pairs, x=through.fitted.transform(pairs.x))
    if pairs.x.shape[1] != pairs.y.shape[1]:
        return tuple(measure_search(p, config, processes=processes) for p in (mapped, mapped.swapped()))
    ways = ((mapped, pairs), (mapped.swapped(), pairs.swapped()))
    return tuple(measure_search(after, config, before, processes=processes) for after, before in ways)


def _result(
    directions: tuple[Search, ...], config: RetrievalConfig, through: Through | None, record: Provenance
) -> RetrievalResult:
    if through is not None:
        caveats = tuple(through.caveats(record.corpus, record.corpus_fingerprint, record.models))
        directions = tuple(replace(d, warnings=(*caveats, *d.warnings)) for d in directions)
    neighbours = {"csls": config.csls_neighbours, "margin": config.margin_neighbours}
    name = through.name if through else ""
    return RetrievalResult(directions, neighbours, config.permutations, config.resamples, name, record)


__all__ = ["RetrievalConfig", "Through", "measure", "run"]

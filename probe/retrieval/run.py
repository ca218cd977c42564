"""`polyglot probe retrieval`: are translations nearest neighbours, by cosine, CSLS and xsim margin? (method §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...analysis.types import Labels, Rows
from ...distributed import Processes
from ...stages import stage
from ..experiment.pairs import Pairs, embed_sides
from ..experiment.source_map import SourceMap, check_widths
from ..results.provenance import Provenance, Start
from ..results.retrieval import RetrievalResult, Search
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
    source_map: SourceMap | None = None,
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
    source_map : SourceMap, optional
        A map for the source vectors, fitted elsewhere on other rows.
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
        If there are too few pairs, the widths differ, or an embedding is zero or not finite.
    """
    check_widths(encoders[0].dim, encoders[1].dim, source_map)
    start = Start.now(command)
    processes = Processes() if cache is None else cache.processes
    source, target = embed_sides(encoders, bitext, cache=cache, batch_tokens=batch_tokens, progress=progress, stay=True)
    pairs = Pairs.of_text(source, target, bitext, same_space=True)
    models, corpus = (source.identity, target.identity), (bitext.name, bitext.fingerprint)
    warnings = () if source_map is None else tuple(source_map.caveats(*corpus, models))
    stage("searching both ways")
    directions = both_ways(pairs, config, source_map, warnings, processes)
    processes.only_first_goes_on()
    record = start.provenance(
        corpus=corpus[0], fingerprint=corpus[1], seed=config.seed, models=models, device=encoders[0].device
    )
    return _result(directions, config, source_map, record)


def measure(
    x: Rows,
    y: Rows,
    groups: Sequence[int] | Labels | None = None,
    config: RetrievalConfig = RetrievalConfig(),  # noqa: B008 - frozen
    *,
    source_map: SourceMap | None = None,
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
    source_map : SourceMap, optional
        A map for the rows of x.
    names : (str, str)
        What the sides are called in the result.

    Raises
    ------
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((300, 16))
    >>> measure(x, 2 * x).directions[0].scores["cosine"].p_at_1.value
    1.0
    """
    start = Start.now(command)
    pairs = Pairs.of_arrays(x, y, groups, names=names, same_space=False)
    check_widths(x.shape[1], y.shape[1], source_map)
    fingerprint = pairs.fingerprint()
    warnings = () if source_map is None else tuple(source_map.caveats("arrays", fingerprint, ()))
    directions = both_ways(pairs, config, source_map, warnings, Processes())
    record = start.provenance(corpus="arrays", fingerprint=fingerprint, seed=config.seed)
    return _result(directions, config, source_map, record)


def both_ways(
    pairs: Pairs, config: RetrievalConfig, source_map: SourceMap | None, warnings: tuple[str, ...], processes: Processes
) -> tuple[Search, ...]:
    """Search in both directions, with the map and, where the widths allow, without it."""
    if source_map is None:
        return tuple(measure_search(p, config, processes=processes) for p in (pairs, pairs.swapped()))
    mapped = replace(pairs, x=source_map.fitted.transform(pairs.x))
    compared = pairs.x.shape[1] == pairs.y.shape[1]
    ways = ((mapped, pairs), (mapped.swapped(), pairs.swapped()))
    return tuple(
        measure_search(after, config, before if compared else None, processes=processes, warnings=warnings)
        for after, before in ways
    )


def _result(
    directions: tuple[Search, ...], config: RetrievalConfig, source_map: SourceMap | None, record: Provenance
) -> RetrievalResult:
    neighbours = {"csls": config.csls_neighbours, "margin": config.margin_neighbours}
    name = source_map.name if source_map else ""
    return RetrievalResult(directions, neighbours, config.permutations, config.resamples, name, record)


__all__ = ["RetrievalConfig", "measure", "run"]

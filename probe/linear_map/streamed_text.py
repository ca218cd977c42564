"""More text than is embedded in memory: embeddings are read from the cache, and the sample is measured (method §4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats
from ...data.bitext import Bitext, ParallelText
from ...distributed import Processes
from ...stages import stage
from ..experiment.pairs import TextSide, embed_references, further_languages, side
from .config import LinearMapConfig
from .streamed import Sampled, fit_and_sample

if TYPE_CHECKING:
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder


@dataclass(frozen=True, slots=True, eq=False)
class SampledText:
    """The sample as text with its embeddings, and the closed-form maps of all pairs."""

    bitext: Bitext
    sides: tuple[TextSide, TextSide]
    instruments: dict[str, Floats]  # (m, d) by language
    found: Sampled


def embed_and_sample(
    encoders: tuple[Encoder, Encoder],
    bitext: Bitext,
    config: LinearMapConfig,
    *,
    same_space: bool,
    instruments: ParallelText | None = None,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> SampledText:
    """Embed both sides into the cache, fit the closed-form rungs to all pairs, and take the sample.

    Of several processes only the first returns.

    Raises
    ------
    ProcessDone
        In every process but the first, after what they share.
    DataError
        If an embedding is zero or not finite.
    """
    from ...data.groups import concept_groups
    from ...models.cached_rows import CachedRows
    from ...models.encoding import EncodingJob, encode_together

    processes = Processes() if cache is None else cache.processes
    stage("encoding sentences")
    others = [] if instruments is None else further_languages(bitext, instruments)
    columns = list(zip(encoders, (bitext.sources, bitext.targets), strict=True))
    columns += [(encoders[0], instruments.column(code)) for code in others if instruments is not None]
    jobs = [EncodingJob(encoder, texts) for encoder, texts in columns]
    encode_together(jobs, cache, batch_tokens=batch_tokens, progress=progress, stay=True)
    rows = [CachedRows(encoder, texts, cache, batch_tokens=batch_tokens) for encoder, texts in columns]
    for one in rows if processes.alone else ():
        one.encode(progress=progress)
    stage("grouping sentences")
    groups = concept_groups(bitext)
    views = dict(zip(others, rows[2:], strict=True))
    found = fit_and_sample(
        rows[0], rows[1], groups, config, same_space=same_space, instruments=views, processes=processes
    )
    processes.only_first_goes_on()
    sample = replace(bitext.take(found.rows), groups=found.groups)
    languages, references = (bitext.source, bitext.target), sample.references or (None, None)
    first, second = (
        TextSide(side(language, encoder), one.take(found.rows), embed_references(encoder, texts, cache))
        for language, encoder, one, texts in zip(languages, encoders, rows[:2], references, strict=True)
    )
    taken = {language: one.take(found.rows).pooled.astype(np.float64) for language, one in views.items()}
    return SampledText(sample, (first, second), taken, found)

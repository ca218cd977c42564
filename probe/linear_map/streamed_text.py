"""More text than is embedded in memory: embeddings are read from the cache, and the sample is measured (method §4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...data.bitext import Bitext
from ...distributed import Processes
from ...stages import stage
from ..experiment.pairs import TextSide, embed_references, side
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
    found: Sampled


def embed_and_sample(
    encoders: tuple[Encoder, Encoder],
    bitext: Bitext,
    config: LinearMapConfig,
    *,
    same_space: bool,
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
    columns = list(zip(encoders, (bitext.sources, bitext.targets), strict=True))
    jobs = [EncodingJob(encoder, texts) for encoder, texts in columns]
    encode_together(jobs, cache, batch_tokens=batch_tokens, progress=progress, stay=True)
    rows = [CachedRows(encoder, texts, cache, batch_tokens=batch_tokens) for encoder, texts in columns]
    for one in rows if processes.alone else ():
        one.encode(progress=progress)
    stage("grouping sentences")
    groups = concept_groups(bitext)
    found = fit_and_sample(rows[0], rows[1], groups, config, same_space=same_space, processes=processes)
    processes.only_first_goes_on()
    sample = replace(bitext.take(found.rows), groups=found.groups)
    languages, references = (bitext.source, bitext.target), sample.references or (None, None)
    first, second = (
        TextSide(side(language, encoder), one.take(found.rows), embed_references(encoder, texts, cache))
        for language, encoder, one, texts in zip(languages, encoders, rows, references, strict=True)
    )
    return SampledText(sample, (first, second), found)

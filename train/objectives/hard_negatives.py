"""Hard negatives, mined by the library and cached under the fingerprint of the model.

The library's own cache is keyed by folder and text, so a model whose weights have changed would get stale negatives.
"""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...analysis.types import Integers
from ...files import write_bytes

if TYPE_CHECKING:
    from ...models.encoder import Encoder

log = logging.getLogger(__name__)
CANDIDATES = 50


def mine_negatives(
    encoder: Encoder,
    queries: Sequence[str],
    passages: Sequence[str],
    relevant: Integers,
    *,
    negatives: int,
    margin: float,
    cache: Path,
) -> list[list[int]]:
    """Find for each query the passages that score high although they do not answer it.

    Parameters
    ----------
    encoder : Encoder
        The model before training; queries and passages are read with the prompts of their tasks.
    queries, passages : sequence of str
        Of q and p texts.
    relevant : array (q,) of int64
        The passage that answers each query.
    negatives : int
        Greatest number for each query.
    margin : float
        A negative must score at least this share of the positive's score below it, so that passages which also
        answer the query are left out (NV-Retriever, Moreira et al., 2024, "TopK-PercPos").
    cache : Path
        Folder of the cache.

    Returns
    -------
    list of list of int
        Passage numbers for each query, the hardest first; possibly fewer than asked for.
    """
    prompts = [encoder.prompt_for(task) for task in ("query", "document")]
    settings = [encoder.fingerprint, *prompts, negatives, margin, list(queries), list(passages), relevant.tolist()]
    key = hashlib.blake2b(json.dumps(settings).encode(), digest_size=16).hexdigest()
    path = cache / "negatives" / f"{key}.json"
    if (cached := _read(path, len(queries), len(passages))) is not None:
        return cached
    mined = _mine(encoder, queries, passages, relevant, negatives, margin)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(mined).encode())
    except OSError as error:
        log.warning("mined negatives cannot be cached in %s: %s", path.parent, error)
    return mined


def _read(path: Path, queries: int, passages: int) -> list[list[int]] | None:
    try:
        rows: list[list[int]] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    valid = len(rows) == queries and all(0 <= number < passages for row in rows for number in row)
    return rows if valid else None


def _mine(  # noqa: PLR0917 - queries, passages and the settings of mining
    encoder: Encoder,
    queries: Sequence[str],
    passages: Sequence[str],
    relevant: Integers,
    negatives: int,
    margin: float,
) -> list[list[int]]:
    from datasets import Dataset
    from sentence_transformers.util import mine_hard_negatives

    pairs = Dataset.from_dict({"query": list(queries), "positive": [passages[i] for i in relevant]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mined = mine_hard_negatives(
            pairs,
            encoder.model,
            corpus=list(passages),
            num_negatives=negatives,
            range_max=min(CANDIDATES, len(passages) - 1),
            relative_margin=margin,
            sampling_strategy="top",
            query_prompt=encoder.prompt_for("query"),  # an empty one stands against the model's default
            corpus_prompt=encoder.prompt_for("document"),
            output_format="triplet",
            verbose=False,
        )
    numbers = {text: number for number, text in enumerate(passages)}
    query_rows = {query: row for row, query in enumerate(queries)}
    negatives_of: list[list[int]] = [[] for _ in queries]
    for query, negative in zip(mined["query"], mined["negative"], strict=True):
        negatives_of[query_rows[query]].append(numbers[negative])
    return negatives_of

"""Hard negatives, mined by the library and kept under the fingerprint of the model that found them.

The library's own cache goes by folder and text, so a model whose weights have moved would be given the negatives of the
model that it was.
"""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...files import write_bytes

if TYPE_CHECKING:
    from ...models.encoder import Encoder

log = logging.getLogger(__name__)
CANDIDATES = 50


def mined_negatives(
    encoder: Encoder,
    queries: Sequence[str],
    passages: Sequence[str],
    relevant: NDArray[np.int64],
    *,
    negatives: int,
    margin: float,
    cache: Path,
) -> list[list[int]]:
    """Find for each query the passages that the model takes for answers but that are not.

    Parameters
    ----------
    encoder : Encoder
        The model that is about to be trained; its prompt stands before queries and passages alike.
    queries, passages : sequence of str
        Of q and p texts.
    relevant : (q,) int64
        The passage that answers each query.
    negatives : int
        How many at most.
    margin : float
        A negative must score at least this share of the positive's score below it, so that passages which answer as
        well are left out (NV-Retriever, Moreira et al., 2024, "TopK-PercPos").
    cache : Path
        Folder for what was found.

    Returns
    -------
    list of list of int
        Passage numbers for each query, the hardest first; possibly fewer than asked for.
    """
    settings = [encoder.fingerprint, negatives, margin, list(queries), list(passages), relevant.tolist()]
    key = hashlib.blake2b(json.dumps(settings).encode(), digest_size=16).hexdigest()
    path = cache / "negatives" / f"{key}.json"
    if (kept := _read(path, len(queries), len(passages))) is not None:
        return kept
    found = _mine(encoder, queries, passages, relevant, negatives, margin)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(found).encode())
    except OSError as error:
        log.warning("mined negatives cannot be kept in %s: %s", path.parent, error)
    return found


def _read(path: Path, queries: int, passages: int) -> list[list[int]] | None:
    try:
        kept: list[list[int]] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    right = len(kept) == queries and all(0 <= number < passages for row in kept for number in row)
    return kept if right else None


def _mine(  # noqa: PLR0917 - what is mined, and how
    encoder: Encoder,
    queries: Sequence[str],
    passages: Sequence[str],
    relevant: NDArray[np.int64],
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
            query_prompt=encoder.prompt or None,
            corpus_prompt=encoder.prompt or None,
            output_format="triplet",
            verbose=False,
        )
    numbers = {text: number for number, text in enumerate(passages)}
    rows = {query: row for row, query in enumerate(queries)}
    found: list[list[int]] = [[] for _ in queries]
    for query, negative in zip(mined["query"], mined["negative"], strict=True):
        found[rows[query]].append(numbers[negative])
    return found

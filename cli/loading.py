"""What probes need before they run: text and encoders, in the order in which a mistake is cheapest to find."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..data.bitext import Bitext
    from ..models.cache import EmbeddingCache
    from ..models.encoder import Encoder


def load_bitext(corpus: list[str] | None, source: str, target: str, *, limit: int | None, seed: int) -> Bitext:
    """Open the corpus and take two of its languages."""
    from ..data.languages import canonical_code
    from ..data.open import open_corpus

    text = open_corpus(corpus, (source, target), limit=limit, seed=seed)
    return text.bitext(canonical_code(source), canonical_code(target))


def check_models(*names: str | None) -> None:
    """Resolve model names, so that a wrong one is refused before text is read."""
    from ..models.catalog import resolve

    for name in names:
        if name is not None:
            resolve(name)


def load_encoders(
    model: str, target_model: str | None, device: str | None, *, trust_remote_code: bool
) -> tuple[Encoder, Encoder]:
    """Load the encoder of the source side and of the target side: one and the same unless two are named."""
    from ..models.encoder import load_encoder

    source = load_encoder(model, device=device, trust_remote_code=trust_remote_code)
    if target_model is None or target_model == model:
        return source, source
    return source, load_encoder(target_model, device=device, trust_remote_code=trust_remote_code)


def user_cache() -> EmbeddingCache:
    """Return the cache of embeddings that all commands share."""
    from ..models.cache import EmbeddingCache
    from ..models.folders import default_cache_dir

    return EmbeddingCache(default_cache_dir())


def typed_command() -> str:
    """Return what was typed, for the provenance."""
    return shlex.join(["polyglot", *sys.argv[1:]])

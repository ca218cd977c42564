"""What commands need before they run."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..models.cache import EmbeddingCache


def check_models(*names: str | None) -> None:
    """Resolve model names, so that a wrong one is refused before text is read."""
    from ..models.registry import resolve

    for name in names:
        if name is not None:
            resolve(name)


def user_cache(*, half: bool = False) -> EmbeddingCache:
    """Return the cache of embeddings that all commands share, with the processes of this run."""
    from ..distributed import Processes
    from ..files import default_cache_dir
    from ..models.cache import EmbeddingCache

    return EmbeddingCache(default_cache_dir(), "float16" if half else "float32", Processes.current())


def in_several_processes() -> bool:
    """Tell whether this is one of several processes that share a run."""
    from ..distributed import Processes

    return not Processes.current().alone


def typed_command() -> str:
    """Return what was typed, for the provenance."""
    return shlex.join(["polyglot", *sys.argv[1:]])

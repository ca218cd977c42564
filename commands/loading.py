"""What commands need before they run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, DataError

if TYPE_CHECKING:
    from ..models.cache import EmbeddingCache


DEVICES = ("cpu", "cuda", "mps", "xpu", "hpu")


def check_models(*names: str | None, device: str | None = None) -> None:
    """Resolve model names, so that a wrong one is refused before anything is loaded, and look at the device's name.

    Raises
    ------
    ModelError, ConfigError
    """
    from ..models.registry import resolve

    for name in names:
        if name is not None:
            resolve(name)
    if device is not None and device.partition(":")[0] not in DEVICES:
        raise ConfigError(f"unknown device {device!r}: give cpu, cuda, cuda:1 or mps, or leave --device out")


def check_layers(model: str, layers: Sequence[int] | None) -> None:
    """Refuse layers that a model lacks, where its number of layers is known without loading it.

    Raises
    ------
    ConfigError
    """
    from ..models.registry import hidden_layers, resolve

    last = hidden_layers(resolve(model)) if layers else None
    for layer in layers or ():
        if last is not None and not -last - 1 <= layer <= last:
            raise ConfigError(f"layer {layer} does not exist in {model}: expected 0 (embeddings) to {last}")


def check_pair(source: str, target: str) -> None:
    """Refuse two spellings of one language, and files where languages are expected.

    Raises
    ------
    ConfigError, DataError
        The latter for what is no language.
    """
    from ..data.languages import display_name, find_code

    check_languages([source, target])
    if find_code(source.strip()) == find_code(target.strip()):
        raise ConfigError(f"Source and target are both {display_name(source)}: give two languages, such as `en fr`")


def check_languages(spellings: Sequence[str]) -> None:
    """Refuse what is no language, with the option that a file belongs to.

    Raises
    ------
    ConfigError, DataError
        The latter for what is no language and no file.
    """
    from ..data.languages import canonical_code

    for spelled in spellings:
        path = Path(spelled)
        if path.suffix == ".npy":
            raise ConfigError(f"{spelled} is no language: for two files of vectors give --vectors X.npy Y.npy")
        if path.suffix and path.is_file():
            raise ConfigError(f"{spelled} is a file, no language: give it as --corpus {spelled}, and two languages")
        canonical_code(spelled)


def check_map(folder: Path | None) -> None:
    """Refuse a folder of a fitted map that is not there.

    Raises
    ------
    DataError
    """
    if folder is None:
        return
    if not folder.is_dir():
        why = "it is a file" if folder.is_file() else "there is no such folder"
        raise DataError(f"{folder} holds no map, {why}: make it with `polyglot map fit … --out DIR`")
    from ..files import MAP_FILE

    if not (folder / MAP_FILE).is_file():
        raise DataError(f"{folder} holds no map, it has no {MAP_FILE}: give the --out of `polyglot map fit`")


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

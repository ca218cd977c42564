"""Embeddings kept on disk: what was encoded once is read back, and an interrupted run goes on where it stopped.

A shard is one block of distinct texts under one encoder, named by a hash of both. It holds one array for each thing
that was asked for (pooled output, counts, each layer), so that a later request for more layers computes only those.
Next to each array stands a small JSON that names the file of the array and its checksum; it is written last, by
renaming, so that a reader sees a whole array or none. Array files are named by their content: processes that share a
cache cannot mix them.
"""

import hashlib
import io
import json
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .embeddings import Encoded, blocks, distinct, joined
from .folders import default_cache_dir
from .progress import Progress
from .share import Share

if TYPE_CHECKING:
    from .encoder import Encoder

__all__ = ["EmbeddingCache", "default_cache_dir", "encode_cached"]

log = logging.getLogger(__name__)

FORMAT = 1
POOLED = "pooled"
COUNTS = "counts"
STALE_SECONDS = 3600.0
Precision = Literal["float32", "float16"]


class EmbeddingCache:
    """Arrays on disk, each under the key of a block of texts and the name of what it holds.

    Nothing here fails for lack of disk: where the folder cannot be written, one warning is logged and the work goes on.

    Parameters
    ----------
    folder : Path
        Made when first written to. May be shared by processes.
    precision : {"float32", "float16"}
        How embeddings are kept. As float16 they take half the space and are rounded to three digits, whether they are
        read or were just computed; the two kinds stand beside each other and are never mixed.
    share : Share
        This process among those of one run that share the cache, as `torchrun` starts them.
    """

    def __init__(self, folder: Path, precision: Precision = "float32", share: Share = Share()) -> None:  # noqa: B008
        self.folder = folder
        self.precision = precision
        self.share = share
        self._writes = True

    def kept(self, part: str, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array as it will be read back: rounded, where embeddings are kept as float16.

        Parameters
        ----------
        part : str
            What the array holds.
        array : ndarray
            Of a plain type.

        Raises
        ------
        ModelError
            A number is too large for float16.
        """
        if not self._halves(part):
            return array
        if np.abs(array).max(initial=0.0) > np.finfo(np.float16).max:
            raise ModelError(f"the {part} of this model holds numbers above 65504, too large for float16: keep float32")
        return array.astype(np.float16).astype(np.float32)

    def read(self, key: str, part: str, shape: tuple[int, ...] | None = None) -> NDArray[Any] | None:
        """Read an array, and remove it if it is damaged.

        Parameters
        ----------
        key : str
            As `block_key` gives it.
        part : str
            What the array holds.
        shape : tuple of int, optional
            What it must measure; an array of another shape counts as damaged.

        Returns
        -------
        ndarray or None
            None if it is not there, or was damaged.
        """
        note = self._note(key, part)
        try:
            content = note.read_bytes()
        except OSError:
            return None
        try:
            entry: dict[str, str] = json.loads(content)
            data = (note.parent / Path(entry["file"]).name).read_bytes()
            if _checksum(data) != entry["checksum"]:
                raise ValueError("its checksum differs")
            array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
            if shape is not None and array.shape != shape:
                raise ValueError(f"its shape is {array.shape}, expected {shape}")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RecursionError) as error:
            log.warning("the cached %s in %s is damaged (%s); it is made again", part, note.parent, error)
            self._remove(note)
            return None
        return array.astype(np.float32) if self._halves(part) else array

    def write(self, key: str, part: str, array: NDArray[Any]) -> None:
        """Write an array; whoever reads meanwhile sees the whole of it or nothing.

        Parameters
        ----------
        key : str
            As `block_key` gives it.
        part : str
            What the array holds.
        array : ndarray
            Of a plain type.
        """
        if not self._writes:
            return
        buffer = io.BytesIO()
        stored = array.astype(np.float16) if self._halves(part) else array
        np.save(buffer, stored, allow_pickle=False)
        data = buffer.getvalue()
        note = self._note(key, part)
        file = f"{note.stem}.{_checksum(data)[:12]}.npy"
        entry = json.dumps(
            {"file": file, "checksum": _checksum(data), "shape": stored.shape, "dtype": str(stored.dtype)}
        )
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            _remove_stale(note.parent)
            _replace(note.parent / file, data)
            _replace(note, entry.encode())
        except OSError as error:
            self._writes = False
            log.warning("the cache in %s cannot be written (%s); the work goes on without it", self.folder, error)

    def _note(self, key: str, part: str) -> Path:
        name = f"{part}-half" if self._halves(part) else part
        return self.folder / f"embeddings-v{FORMAT}" / key[:2] / key / f"{name}.json"

    def _halves(self, part: str) -> bool:
        return self.precision == "float16" and part != COUNTS

    def _remove(self, note: Path) -> None:
        part = note.name.removesuffix(".json")
        for path in [note, *note.parent.glob(f"{part}.*.npy")]:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("the damaged file %s cannot be removed: %s", path, error)


def block_key(fingerprint: str, texts: Sequence[str]) -> str:
    """Name a block of texts under an encoder.

    Parameters
    ----------
    fingerprint : str
        The encoder's.
    texts : sequence of str
        The texts of the block, in order.

    Returns
    -------
    str
        40 hexadecimal digits.
    """
    digest = hashlib.blake2b(f"{FORMAT} {fingerprint} {len(texts)}".encode(), digest_size=20)
    for text in texts:
        data = text.encode("utf-8")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def encode_cached(
    encoder: "Encoder",
    texts: Sequence[str],
    *,
    layers: Sequence[int] = (),
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> Encoded:
    """Embed texts, reading from the cache what is there and adding to it what is not.

    Parameters
    ----------
    encoder : Encoder
        The model.
    texts : sequence of str, length n
        Equal texts are computed once.
    layers : sequence of int
        Hidden states to give besides the pooled output, as for `Encoder.encode`.
    cache : EmbeddingCache, optional
        Without it everything is computed; the numbers are the same bits on the same machine and token budget.
    batch_tokens : int, optional
        Upper limit of rows × longest row in a batch; the encoder's default if not given.
    progress : bool
        Draw a bar, if on a terminal.

    Returns
    -------
    Encoded
        Rows in the order of `texts`.

    Raises
    ------
    DataError
        Something in `texts` is not text.
    ConfigError
        A layer does not exist, or the budget is not positive.
    """
    asked = encoder.checked_layers(layers)
    budget = encoder.checked_budget(batch_tokens)
    unique, places = distinct(texts)
    parts = [encoder.nothing(len(asked))]
    with Progress(len(unique), "encoding", visible=progress) as bar:
        for block in blocks(unique):
            parts.append(encode_block(encoder, block, asked, budget, cache))
            bar.advance(len(block))
    whole = joined(parts)
    return whole if len(unique) == len(places) else whole.take(places)


def encode_block(
    encoder: "Encoder", texts: Sequence[str], layers: tuple[int, ...], budget: int, cache: EmbeddingCache | None
) -> Encoded:
    """Embed one block of distinct texts, and leave in the cache what was not there.

    Parameters
    ----------
    encoder : Encoder
        The model.
    texts : sequence of str
        As `distinct` and `blocks` give them.
    layers : tuple of int
        As `Encoder.checked_layers` gives them.
    budget : int
        Token budget of a batch.
    cache : EmbeddingCache or None
        Without it everything is computed.
    """
    if cache is None:
        return encoder.encode_block(texts, layers=layers, batch_tokens=budget)
    key = block_key(encoder.fingerprint, texts)
    shapes = _shapes(encoder, len(texts), layers)
    found = {part: cache.read(key, part, shape) for part, shape in shapes.items()}
    missing = tuple(layer for layer in dict.fromkeys(layers) if found[_layer_part(layer)] is None)
    if missing or found[POOLED] is None or found[COUNTS] is None:
        made = _parts(encoder.encode_block(texts, layers=missing, batch_tokens=budget), missing)
        for part, array in made.items():
            if found[part] is None:
                found[part] = cache.kept(part, array)
                cache.write(key, part, array)
    return _assembled(encoder, {part: array for part, array in found.items() if array is not None}, layers)


def _shapes(encoder: "Encoder", rows: int, layers: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    width = encoder.nothing(0).hidden.shape[-1]
    shapes: dict[str, tuple[int, ...]] = {POOLED: (rows, encoder.dim), COUNTS: (3, rows)}
    return shapes | {_layer_part(layer): (rows, width) for layer in layers}


def _layer_part(layer: int) -> str:
    return f"layer-{layer:03d}"


def _parts(made: Encoded, layers: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    counts = np.stack([made.tokens, made.truncated.astype(np.int32), made.unknown])
    return {
        POOLED: made.pooled,
        COUNTS: counts,
        **{_layer_part(layer): made.hidden[place] for place, layer in enumerate(layers)},
    }


def _assembled(encoder: "Encoder", arrays: dict[str, NDArray[Any]], layers: tuple[int, ...]) -> Encoded:
    tokens, truncated, unknown = arrays[COUNTS]
    rows = len(arrays[POOLED])
    hidden = np.empty((len(layers), rows, encoder.nothing(0).hidden.shape[-1]), np.float32)
    for place, layer in enumerate(layers):
        hidden[place] = arrays[_layer_part(layer)]
    return Encoded(arrays[POOLED], hidden, tokens, truncated.astype(bool), unknown)


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    """Write a file under another name, flush it to the disk, and rename it."""
    descriptor, temporary = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _remove_stale(folder: Path) -> None:
    """Delete what killed runs left half written; younger files may belong to a process at work."""
    for leftover in folder.glob(".tmp-*"):
        try:
            if time.time() - leftover.stat().st_mtime > STALE_SECONDS:
                leftover.unlink()
        except FileNotFoundError:
            continue

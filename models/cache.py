"""Embeddings on disk: each block of texts is encoded once, and an interrupted run continues where it stopped.

A shard is one block of distinct texts under one encoder, named by a hash of both. It holds one array for each thing
that was asked for (pooled output, counts, each layer), so that a later request for more layers computes only those.
Beside each array is a small JSON file that names the file of the array and its checksum; it is written last, by
renaming, so that a reader sees a whole array or none. Array files are named by their content: processes that share a
cache cannot mix them.
"""

import hashlib
import io
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..distributed import Processes
from ..errors import ModelError
from ..files import remove_stale, write_bytes

log = logging.getLogger(__name__)

FORMAT = 1
POOLED = "pooled"
COUNTS = "counts"
Precision = Literal["float32", "float16"]


class EmbeddingCache:
    """Arrays on disk, each under the key of a block of texts and the name of what it holds.

    Nothing here fails for lack of disk: where the folder cannot be written, one warning is logged and the work goes on.

    Parameters
    ----------
    folder : Path
        Made when first written to. May be shared by processes.
    precision : {"float32", "float16"}
        How embeddings are stored. As float16 they take half the space and are rounded to three digits, whether they are
        read or were just computed; both kinds can be in one folder and are never mixed.
    processes : Processes
        This process among those of one run that share the cache, as `torchrun` starts them.
    """

    def __init__(
        self,
        folder: Path,
        precision: Precision = "float32",
        processes: Processes = Processes(),  # noqa: B008 - frozen
    ) -> None:
        self.folder = folder
        self.precision = precision
        self.processes = processes
        self._writes = True

    @property
    def writes(self) -> bool:
        """Whether what is encoded is kept: True until the folder turns out not to be writable."""
        return self._writes

    def as_stored(self, part: str, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array as it will be read back: rounded, where embeddings are stored as float16.

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
            for path in [note, *note.parent.glob(f"{note.stem}.*.npy")]:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
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
            remove_stale(note.parent)
            write_bytes(note.parent / file, data)
            write_bytes(note, entry.encode())
        except OSError as error:
            self._writes = False
            log.warning("the cache in %s cannot be written (%s); the work goes on without it", self.folder, error)

    def _note(self, key: str, part: str) -> Path:
        name = f"{part}-half" if self._halves(part) else part
        return self.folder / f"embeddings-v{FORMAT}" / key[:2] / key / f"{name}.json"

    def _halves(self, part: str) -> bool:
        return self.precision == "float16" and part != COUNTS


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


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()

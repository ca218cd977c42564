"""Files of all rooms: the cache folder, writing that leaves the old file or the new one, and opening of .npy.

What is written goes to a scratch name beside its place, `.<name>.<token>.part`, and is renamed when it is whole. A
killed run leaves the scratch file; the next one that writes to the same place removes it once it is an hour old.
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import DataError, OutputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAP_FILE = "map.json"  # what a folder that holds a fitted map has
STALE_SECONDS = 3600.0  # a younger scratch file may belong to a process at work
SCRATCH_SUFFIX = ".part"


def default_cache_dir() -> Path:
    """Return the user's cache folder: `$POLYGLOT_CACHE`, else `$XDG_CACHE_HOME/polyglot`, else `~/.cache/polyglot`.

    Returns
    -------
    Path
        The folder, which need not exist.
    """
    if chosen := os.environ.get("POLYGLOT_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "polyglot"


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, flushed to the disk before it takes its name.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    data : bytes
        All of its content.

    Raises
    ------
    OSError
        If it cannot be written; the file that was there before is then unchanged.
    """
    with replacing(path) as scratch, scratch.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, and make its folder.

    Parameters
    ----------
    path : Path
        Its folder is made if need be.
    text : str
        All of its content; written as UTF-8.

    Raises
    ------
    OutputError
        If the folder cannot be made or written.
    """
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, text.encode("utf-8"))


@contextmanager
def output_errors(path: Path, advice: str = "give another folder with --out") -> Iterator[None]:
    """Turn a failure to write into an error that says what to do.

    Parameters
    ----------
    path : Path
        What is written.
    advice : str
        The next step, in a few words.

    Raises
    ------
    OutputError
        If the block fails with an OSError.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}; {advice}") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a scratch name for a file or folder, which replaces `path` if all goes well.

    Parameters
    ----------
    path : Path
        In a folder that exists.

    Yields
    ------
    Path
        Where to write; nothing is there yet.

    Raises
    ------
    OSError
        If it cannot be renamed.
    """
    with scratch_beside(path) as scratch:
        yield scratch
        move_into_place(scratch, path)


@contextmanager
def scratch_beside(path: Path) -> Iterator[Path]:
    """Yield a scratch name beside `path`, and delete at the end what is still there.

    Parameters
    ----------
    path : Path
        In a folder that exists; scratch files of the same name that killed runs left are removed.

    Yields
    ------
    Path
        Where to write a file or a folder; nothing is there yet.
    """
    remove_stale(path.parent, path.name)
    scratch = scratch_name(path)
    try:
        yield scratch
    finally:
        _remove(scratch)


def scratch_name(path: Path) -> Path:
    """Return a name beside `path` that no other process or thread uses."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}{SCRATCH_SUFFIX}")


def move_into_place(scratch: Path, path: Path) -> None:
    """Rename a finished file or folder; a folder that is already there is renamed first and then deleted.

    Parameters
    ----------
    scratch, path : Path
        From where to where, in one folder.

    Raises
    ------
    OSError
        If it cannot be renamed.
    """
    if not path.is_dir():
        scratch.replace(path)
        return
    with scratch_beside(path) as former:
        path.rename(former)
        try:
            scratch.rename(path)
        except BaseException:
            former.rename(path)
            raise


def remove_stale(folder: Path, name: str | None = None, *, older_than: float = STALE_SECONDS) -> None:
    """Delete what killed runs left half written in a folder; what cannot be deleted is left.

    Parameters
    ----------
    folder : Path
        Need not exist.
    name : str, optional
        Only scratch files of this file or folder; all of them if not given.
    older_than : float
        In seconds; younger ones may belong to a process at work. −∞ for a folder that nobody else writes to.
    """
    named = "*" if name is None else glob.escape(name)
    for leftover in folder.glob(f".{named}.*{SCRATCH_SUFFIX}"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime >= older_than:
                _remove(leftover)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def check_free_for_map(out: Path) -> None:
    """Refuse a folder that holds something else than an earlier map.

    Raises
    ------
    OutputError
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file: give a folder with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / MAP_FILE).is_file():
        raise OutputError(f"{out} holds something that is not a map: give another folder with --out")


def open_matrix(path: Path) -> NDArray[np.floating]:
    """Memory-map a .npy file that holds a matrix of floats.

    Parameters
    ----------
    path : Path
        float16, float32 or float64; read as it is needed, so that it may be larger than memory.

    Returns
    -------
    array (n, d)

    Raises
    ------
    DataError
        If the file is missing or damaged, or holds something else.
    """
    import numpy as np

    if not path.is_file():
        found = f"{path} is a folder" if path.is_dir() else f"no such file: {path}"
        raise DataError(f"{found}; expected a .npy matrix of floats, a row for each text")
    try:
        if not _is_array(path):
            raise DataError(
                f"{path} is no .npy file: give a matrix of floats, a row for each text, saved by numpy.save"
            )
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except DataError:
        raise
    except Exception as error:  # the header is parsed as Python literals, which fail in many ways
        raise DataError(f"cannot read {path} as a .npy matrix: {error}") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f":
        several = not isinstance(array, np.ndarray)
        found = "an archive of several arrays" if several else f"{array.shape} of {array.dtype}"
        raise DataError(f"{path}: expected a .npy matrix of floats, got {found}; save rows × columns as float32")
    return array


def _is_array(path: Path) -> bool:
    """Return whether a file begins as numpy's own do: an array, or an archive of several."""
    with path.open("rb") as file:
        return file.read(6).startswith((b"\x93NUMPY", b"PK\x03\x04"))


class StoredMatrix:
    """A .npy matrix of floats of which a run of rows at a time is read; nothing of the file stays in memory.

    A memory map would count to the memory of the process as far as it has been read.

    Parameters
    ----------
    path : Path
        As `open_matrix` takes it.

    Raises
    ------
    DataError
        As `open_matrix`.
    """

    def __init__(self, path: Path) -> None:
        array = open_matrix(path)
        self.path = path
        self.shape: tuple[int, ...] = array.shape
        self.dtype = array.dtype
        offset = getattr(array, "offset", None)
        self._offset = offset if array.flags.c_contiguous and isinstance(offset, int) else None

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> NDArray[np.floating]:
        """Return a run of rows, (m, d).

        Raises
        ------
        DataError
            If the file has become shorter.
        """
        import numpy as np

        if self._offset is None:  # stored by columns: a run of rows lies in no one place
            return np.array(open_matrix(self.path)[rows])
        start, stop, step = rows.indices(len(self))
        assert step == 1, "only runs of rows are read"
        width, count = self.shape[1], max(stop - start, 0)
        with self.path.open("rb") as file:
            file.seek(self._offset + start * width * self.dtype.itemsize)
            read = np.fromfile(file, self.dtype, count * width)
        if read.size < count * width:
            raise DataError(f"{self.path} has become shorter while it was read: run again")
        return read.reshape(count, width)


def open_paired_matrices(x: Path, y: Path) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Memory-map two .npy files of paired rows.

    Returns
    -------
    array (n, p), (n, q)

    Raises
    ------
    DataError
        If one cannot be read, or they differ in their number of rows.
    """
    first, second = open_matrix(x), open_matrix(y)
    if len(first) != len(second):
        raise DataError(f"{x} has {len(first)} rows, {y} {len(second)}: row i of each must be a pair")
    return first, second

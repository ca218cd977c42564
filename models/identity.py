"""What is known of an encoder without its weights in memory, noted on disk for the next time.

Embeddings that are cached need the encoder's fingerprint and widths, not the encoder. Both follow from the files of a
model folder, the options and the versions of the libraries; a note under the hash of all these spares the load.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..files import remove_stale, write_bytes

_log = logging.getLogger(__name__)

FORMAT = 1
LIBRARIES = ("torch", "transformers", "sentence-transformers", "tokenizers")
OWN_CODE = Path(__file__).parent
CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """What everybody who reads cached embeddings needs to know of an encoder."""

    fingerprint: str  # hash of everything that decides the numbers
    base_fingerprint: str | None  # of the model from which it was finetuned
    prompt: str  # put before every text
    max_length: int  # tokens after which a text is cut
    dim: int  # width of the pooled embeddings
    layers: int  # number of hidden states
    pooled_width: int  # width of a pooled hidden state
    pools_layers: bool  # whether hidden states can be pooled
    device: str  # where it computes
    task_prompts: dict[str, str]  # put before queries and documents, each under the name of its task


class IdentityNotes:
    """Identities of encoders of local folders, each in a small file.

    Nothing here fails for lack of disk, and a damaged note counts as none.

    Parameters
    ----------
    folder : Path
        Cache folder; made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / f"encoders-v{FORMAT}"

    def read(self, key: str) -> EncoderIdentity | None:
        """Return the identity noted under a key; None where there is none."""
        try:
            return EncoderIdentity(**json.loads(self._path(key).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, key: str, identity: EncoderIdentity) -> None:
        """Note an identity under a key."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_stale(self.folder)
            write_bytes(self._path(key), json.dumps(asdict(identity)).encode())
        except OSError as error:
            _log.info("the identity of an encoder cannot be noted in %s: %s", self.folder, error)

    def forget(self, key: str) -> None:
        """Remove a note that is not true."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def folder_digest(folder: Path) -> str:
    """Return a hash of all files of a model folder, of the libraries' versions and of the code that loads.

    Parameters
    ----------
    folder : Path
        A model folder; read in full, at about a second for a gigabyte.
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps({name: _version(name) for name in LIBRARIES}, sort_keys=True).encode())
    _add_files(digest.update, OWN_CODE, "*.py")
    _add_files(digest.update, folder, "*")
    return digest.hexdigest()


def identity_key(digest: str, **options: object) -> str:
    """Return a hash of what `folder_digest` gives and of the options.

    Parameters
    ----------
    digest : str
    **options
        Whatever else decides the identity.
    """
    held = json.dumps([FORMAT, digest, options], sort_keys=True, default=str)
    return hashlib.blake2b(held.encode(), digest_size=16).hexdigest()


def _add_files(add: Callable[[bytes], Any], folder: Path, pattern: str) -> None:
    for path in sorted(path for path in folder.rglob(pattern) if path.is_file()):
        add(f"{path.relative_to(folder).as_posix()} {path.stat().st_size} ".encode())
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                add(chunk)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

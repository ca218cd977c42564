"""Where a result comes from: versions, device, command, time."""

from __future__ import annotations

import platform
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from time import monotonic

from .serialization import Provenance, Side

PACKAGES: tuple[str, ...] = ("polyglot-geometry", "numpy", "scipy", "scikit-learn", "torch", "sentence-transformers")


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known when a command starts."""

    command: str
    started: float
    time: str
    models: tuple[Side, ...] = ()
    device: str = "cpu"

    @classmethod
    def now(cls, command: str) -> Origin:
        """Start the clock."""
        return cls(command, monotonic(), datetime.now(UTC).isoformat(timespec="seconds"))


def provenance(origin: Origin, *, corpus: str, fingerprint: str, seed: int) -> Provenance:
    """Close the record of a command that has finished."""
    return Provenance(
        command=origin.command,
        models=origin.models,
        corpus=corpus,
        corpus_fingerprint=fingerprint,
        seed=seed,
        device=origin.device,
        dtype="float32 embeddings, float64 statistics",
        versions=versions(),
        time=origin.time,
        host=socket.gethostname(),
        seconds=round(monotonic() - origin.started, 1),
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the numbers depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

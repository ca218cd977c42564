"""Where a result comes from: command, models, text, versions, device, time."""

from __future__ import annotations

import platform
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from time import monotonic

PACKAGES: tuple[str, ...] = ("polyglot-geometry", "numpy", "scipy", "scikit-learn", "torch", "sentence-transformers")
VOLATILE = ("time", "host", "seconds")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: a language seen by a model."""

    language: str
    model: str
    model_fingerprint: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a result comes from: enough to make it again."""

    command: str
    models: tuple[Side, ...]
    corpus: str
    corpus_fingerprint: str
    seed: int
    device: str
    dtype: str
    versions: dict[str, str]
    time: str = ""
    host: str = ""
    seconds: float = 0.0
    inputs: str = ""  # digest of all that the numbers depend on; empty where no digest was taken


@dataclass(frozen=True, slots=True)
class Start:
    """What is known when a measurement starts: what was typed, and when."""

    command: str
    clock: float  # of the monotonic clock, s
    time: str

    @classmethod
    def now(cls, command: str) -> Start:
        """Start the clock."""
        return cls(command, monotonic(), datetime.now(UTC).isoformat(timespec="seconds"))

    def provenance(
        self, *, corpus: str, fingerprint: str, seed: int, models: tuple[Side, ...] = (), device: str = "cpu"
    ) -> Provenance:
        """Return the record of a measurement that has finished.

        Parameters
        ----------
        corpus, fingerprint : str
            Name and fingerprint of the text, or of the arrays.
        seed : int
        models : tuple of Side
            Empty for arrays.
        device : str
            Of the encoder.
        """
        return Provenance(
            command=self.command,
            models=models,
            corpus=corpus,
            corpus_fingerprint=fingerprint,
            seed=seed,
            device=device,
            dtype="float32 embeddings, float64 statistics",
            versions=versions(),
            time=self.time,
            host=socket.gethostname(),
            seconds=round(monotonic() - self.clock, 1),
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

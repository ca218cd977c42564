"""A sentence with its vector before and after a map, which show whether a server applies the map.

Some servers load a model without the layers that they do not know. Nothing fails then: the vectors are those of the
source model, and the search is as bad as without a map.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats, Rows
from ...errors import DataError, ModelError

if TYPE_CHECKING:
    from ...analysis.maps.estimators import Map
    from ...models.encoder import Encoder

CANARY_FILE = "canary.json"
SENTENCE = "At 7:45 a canary sang, and three miners (two of them deaf) walked out."
SHOWN_VALUES = 5
NEAR = 0.05  # between unit vectors: rounding to half precision moves them by .001, to eight bits by .02
APART = 0.005  # what a map must move a direction by to be seen through that


@dataclass(frozen=True, slots=True)
class Canary:
    """A text and its vectors; without a model the text is empty, and `plain` is the vector to map."""

    sentence: str
    prompt: str  # that stands before the sentence
    plain: tuple[float, ...]  # (p,) as the source model gives it
    mapped: tuple[float, ...]  # (q,) as the map gives it

    @classmethod
    def of(cls, fitted: Map, encoder: Encoder | None, *, normalised: bool) -> Canary:
        """Make the canary of a map.

        Parameters
        ----------
        fitted : Map
        encoder : Encoder, optional
            Of the source; without it the vector is the mean of the rows that the map was fitted on, one value moved.
        normalised : bool
            Whether mapped vectors are brought to unit length.
        """
        from .vectors import mapped_rows

        if encoder is not None:
            return cls.by(encoder, lambda _, x: mapped_rows(fitted, x, normalised=normalised))
        plain = np.array(fitted.mean_x_, np.float64)[None]
        plain[0, 0] += 1
        mapped = mapped_rows(fitted, plain, normalised=normalised)
        return cls("", "", tuple(plain[0].tolist()), tuple(mapped[0].tolist()))

    @classmethod
    def by(cls, encoder: Encoder, mapped: Callable[[Sequence[str], Floats], Floats]) -> Canary:
        """Make the canary of a function from n texts and their vectors (n, p) to rows (n, q).

        Parameters
        ----------
        encoder : Encoder
            Of the source.
        mapped : callable
        """
        plain = encoder.encode([SENTENCE]).pooled.astype(np.float64)
        row = mapped([SENTENCE], plain)[0]
        return cls(SENTENCE, encoder.prompt, tuple(plain[0].tolist()), tuple(row.tolist()))

    @classmethod
    def read(cls, path: Path) -> Canary:
        """Read a canary from its file, or from the folder of a map.

        Raises
        ------
        DataError
            If it is not there, or damaged.
        """
        file = path / CANARY_FILE if path.is_dir() else path
        if path.is_dir() and not file.is_file():
            raise DataError(f"{path} has no {CANARY_FILE}: give a folder that `polyglot map fit` wrote, with --map")
        try:
            held = json.loads(file.read_text(encoding="utf-8"))
            vectors = {name: tuple(map(float, held[name])) for name in ("plain", "mapped")}
            return cls(str(held["sentence"]), str(held["prompt"]), **vectors)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(
                f"{file} holds no canary ({error}): give a folder that `polyglot map fit` wrote with --map"
            ) from error

    def write(self, path: Path) -> None:
        """Write the canary as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @property
    def text(self) -> str:
        """Say what to send and what to expect."""
        sent = f'"{self.sentence}"' if self.sentence else f"the vector `plain` of {CANARY_FILE}"
        return f"{sent} becomes {_first(self.mapped)}; without the map {_first(self.plain)}"


@dataclass(frozen=True, slots=True)
class CanaryCheck:
    """Whether a vector is that of the mapped canary; None where the two vectors are too near to tell."""

    applied: bool | None
    sentence: str


def check(given: Path, of: Path | None = None) -> CanaryCheck:
    """Say whether a map was applied to the canary.

    Parameters
    ----------
    given : Path
        A model folder as a server loads it, which is loaded and given the sentence; or a .npy file with the vector
        that a server gave for it, (q,) or (1, q).
    of : Path, optional
        Folder of the map, or its canary.json; by default the folder itself, or the folder that holds the file.

    Raises
    ------
    DataError
        If there is no canary, or the file is no vector.
    ModelError
        If the folder holds no model.
    """
    canary = Canary.read(of or (given if given.is_dir() else given.parent))
    return compare(canary, _served(given, canary) if given.is_dir() else _vector(given))


def compare(canary: Canary, vector: Floats) -> CanaryCheck:
    """Compare a vector (q,) with both vectors of a canary, by their directions.

    Parameters
    ----------
    canary : Canary
    vector : array (d,)
    """
    from_mapped, from_plain = (_distance(vector, np.array(held)) for held in (canary.mapped, canary.plain))
    if min(from_mapped, from_plain) > NEAR:
        return CanaryCheck(
            False,
            f"not applied, and not the source model alone: the vector, {len(vector)} wide, is neither the mapped one "
            f"(cosine {_cosine(from_mapped)}) nor the unmapped one (cosine {_cosine(from_plain)}); send exactly "
            f'"{canary.prompt}{canary.sentence}", and check the model, its prompt and its pooling',
        )
    if _distance(np.array(canary.mapped), np.array(canary.plain)) < APART:
        return CanaryCheck(None, "cannot be told: the map hardly moves this sentence")
    if from_mapped < from_plain / 2:
        length, own = np.linalg.norm(vector), np.linalg.norm(canary.mapped)
        scaled = "" if abs(length - own) <= NEAR * own else f"; its length is {length:.3f}, expected {own:.3f}"
        return CanaryCheck(
            True, f"applied: the vector is that of the mapped model (cosine {_cosine(from_mapped)}{scaled})"
        )
    if from_plain < from_mapped / 2:
        return CanaryCheck(
            False,
            "not applied: the vector is that of the model without the map; the server leaves out the last Dense layer "
            "of modules.json: map its vectors with `polyglot map apply`, or export the map with --to onnx",
        )
    return CanaryCheck(None, "cannot be told: the vector lies between the mapped and the unmapped one")


def _served(folder: Path, canary: Canary) -> Floats:
    from ...models.loading import load_model
    from ...models.registry import resolve

    if not canary.sentence or not (folder / "modules.json").is_file():
        raise ModelError(
            f"{folder} holds no model: give the folder that the server loads, or what it gave for the canary, as "
            "VECTOR.npy with --map"
        )
    model = load_model(resolve(str(folder)), device="cpu", trust_remote_code=False)
    return np.asarray(model.encode([canary.sentence], show_progress_bar=False)[0], np.float64)


def _vector(path: Path) -> Floats:
    try:
        found = np.load(path, allow_pickle=False)
    except Exception as error:  # the header is parsed as Python literals, which fail in many ways
        raise DataError(f"cannot read {path} as a .npy vector: {error}") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind != "f" or found.size != max(found.shape, default=0):
        raise DataError(f"{path}: expected the .npy vector of one sentence, (q,) or (1, q), of floats")
    return found.reshape(-1).astype(np.float64)


def _distance(one: Rows, other: Rows) -> float:
    """Distance of two directions, 0 … 2; infinite between spaces of different width. Zero has no direction."""
    if len(one) != len(other):
        return float("inf")
    return float(np.linalg.norm(_unit(one) - _unit(other)))


def _unit(vector: Rows) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-300), np.float64)


def _cosine(distance: float) -> str:
    return "none, another width" if np.isinf(distance) else f"{1 - distance**2 / 2:.4f}"


def _first(vector: tuple[float, ...]) -> str:
    return "[" + ", ".join(f"{value:.4f}" for value in vector[:SHOWN_VALUES]) + (", …]" if len(vector) > 5 else "]")

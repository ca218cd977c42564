"""A fitted map that is applied to the source side before a search."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DataError
from ..results.fitted_map import RECORD_FILE, MapFitResult
from ..results.provenance import Side
from ..results.serialization import from_json

if TYPE_CHECKING:
    from ...analysis.maps.estimators import Map


@dataclass(frozen=True, slots=True, eq=False)
class SourceMap:
    """A fitted map for the source vectors of a search, its name, and the record of its fit."""

    fitted: Map
    name: str
    record: MapFitResult | None = None  # None for a map that was saved without one
    fingerprint: str = ""  # of its weights, where it was read from a folder

    @classmethod
    def load(cls, folder: Path) -> SourceMap:
        """Read the map of a folder that `polyglot map fit` wrote; its name is that of the folder.

        Raises
        ------
        DataError
            If the folder holds no map, or a damaged record of it.
        """
        from ...analysis.maps.estimators import ARRAYS_FILE, load_map

        fitted, record = load_map(folder), folder / RECORD_FILE
        digest = hashlib.blake2b((folder / ARRAYS_FILE).read_bytes(), digest_size=16).hexdigest()
        held = from_json(record.read_text(encoding="utf-8"), MapFitResult) if record.is_file() else None
        return cls(fitted, folder.resolve().name, held, digest)

    def check_widths(self, source: int, target: int) -> None:
        """Refuse sides of other widths than the map's.

        Raises
        ------
        DataError
        """
        widths = self.fitted.n_features_in_, len(self.fitted.mean_y_)
        if widths != (source, target):
            raise DataError(
                f"the map {self.name} takes width {widths[0]} to {widths[1]}, the sides are {source} and {target} "
                "wide: give the map that was fitted for these models"
            )

    def caveats(self, corpus: str, fingerprint: str, sides: Sequence[Side]) -> Iterator[str]:
        """Warn of the text that the map was fitted on, and of models and languages other than those of its fit.

        Parameters
        ----------
        corpus, fingerprint : str
            Of the text that is searched.
        sides : sequence of Side
            Source and target of the search; empty for arrays.
        """
        if self.record is None:
            return
        made = self.record.provenance
        fitted_on = f"map fitted on {made.corpus} ({self.record.n} pairs), scored on {corpus}"
        if made.corpus_fingerprint == fingerprint:
            yield f"{fitted_on}: the same rows, which flatters the map; its card holds the held-out scores"
        elif made.corpus == corpus:
            yield f"{fitted_on}: two samples of one corpus may share rows, which would flatter the map"
        else:
            yield f"{fitted_on}: the gap between the two texts is part of these scores"
        if sides and made.models:
            yield from other_sides(made.models, sides)


def check_widths(source: int, target: int, source_map: SourceMap | None) -> None:
    """Refuse two widths without a map, and a map of other widths.

    Raises
    ------
    DataError
    """
    if source_map is not None:
        source_map.check_widths(source, target)
    elif source != target:
        raise DataError(
            f"the sides are {source} and {target} wide: a search needs one space; fit a map with `polyglot map fit` "
            "and give it with --map"
        )


def other_sides(fitted: Sequence[Side], used: Sequence[Side]) -> Iterator[str]:
    """Warn of models and languages on which a map is used but was not fitted."""
    for role, own, given in zip(("source", "target"), fitted, used, strict=True):
        if own.model_fingerprint != given.model_fingerprint:
            if own.model == given.model:
                yield f"map fitted for {own.model} on the {role} side, with other weights or another prompt than here"
            else:
                yield f"map fitted for {own.model} on the {role} side, not for these weights of {given.model}"
        if own.language != given.language:
            yield f"map fitted with {own.language} on the {role} side, used on {given.language}"

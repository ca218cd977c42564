"""A fitted map that the source side goes through before a search, and how far its text lies from what is searched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DataError
from ..fitted_map.folder import RECORD_FILE
from ..results.fitted_map import MapFitResult
from ..results.serialization import Side, from_json

if TYPE_CHECKING:
    from ...analysis.maps.estimators import Map


@dataclass(frozen=True, slots=True, eq=False)
class Through:
    """A fitted map that the source vectors go through before the search, what it is called, and how it was made."""

    fitted: Map
    name: str
    record: MapFitResult | None = None  # None for a map that was saved without one
    fingerprint: str = ""  # of its weights, where it was read from a folder

    @classmethod
    def load(cls, folder: Path) -> Through:
        """Read the map of a folder that `polyglot map fit` left; it is called as the folder is.

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
        """Say on what the map was fitted, where it is scored, and whether it was made for these models and languages.

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
            yield from self._mismatches(made.models, sides)

    def _mismatches(self, made: Sequence[Side], sides: Sequence[Side]) -> Iterator[str]:
        for role, own, given in zip(("source", "target"), made, sides, strict=True):
            if own.model_fingerprint != given.model_fingerprint:
                yield f"map fitted for {own.model} on the {role} side, not for these weights of {given.model}"
            if own.language != given.language:
                yield f"map fitted with {own.language} on the {role} side, used on {given.language}"

"""What a study rests on: the results of a folder, sorted by what each of them shows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import quote

from ....errors import DataError, OutputError
from ....probe.results import layers as by_layer
from ....probe.results import linear_map, training
from ....probe.results import study as asked
from ....probe.results.layers import LayersResult
from ....probe.results.linear_map import LinearMapResult
from ....probe.results.provenance import Provenance
from ....probe.results.serialization import from_json, read_schema
from ....probe.results.study import StudyResult
from ....probe.results.training import TrainResult

R = TypeVar("R", LinearMapResult, LayersResult, TrainResult)


@dataclass(frozen=True, slots=True)
class Located(Generic[R]):
    """A result, and the address of its page relative to the page of the study; of its JSON where it has no page."""

    result: R
    address: str


@dataclass(frozen=True, slots=True)
class StudyResults:
    """Results of one text, English or another pivot with further languages."""

    maps: tuple[Located[LinearMapResult], ...]  # of each model and pair the one with the most rows
    fewer: tuple[Located[LinearMapResult], ...]  # one model and pair by rows, fewest first; two or more
    layers: tuple[Located[LayersResult], ...]
    stressed: tuple[Located[LayersResult], ...]  # with known disturbances
    trained: tuple[Located[TrainResult], ...]
    pivot: str  # the language that all pairs share; empty where none is
    outcome: StudyResult | None = None  # what was asked before, where the folder holds the result of a study

    @property
    def provenances(self) -> tuple[Provenance, ...]:
        """Where all of them come from."""
        located: tuple[Located[LinearMapResult] | Located[LayersResult], ...] = (
            *self.maps,
            *self.layers,
        )
        return tuple(one.result.provenance for one in located)


def read_study(folder: Path, page: Path) -> StudyResults:
    """Read all results under a folder that a study shows.

    Parameters
    ----------
    folder : Path
        Searched with its subfolders; what is no result is passed over.
    page : Path
        Where the page of the study goes: addresses are relative to its folder.

    Raises
    ------
    OutputError
        If the folder does not exist.
    DataError
        If it has no linear-map result of one model.
    """
    if not folder.is_dir():
        raise OutputError(f"there is no folder {folder}: give one that holds results, such as reports")
    maps: list[Located[LinearMapResult]] = []
    curves: list[Located[LayersResult]] = []
    trained: list[Located[TrainResult]] = []
    outcome: StudyResult | None = None
    for path, schema, text in _texts(folder):
        address = _address(path, page)
        try:
            if schema == linear_map.SCHEMA:
                maps.append(Located(from_json(text, LinearMapResult), address))
            elif schema == by_layer.SCHEMA:
                curves.append(Located(from_json(text, LayersResult), address))
            elif schema == asked.SCHEMA:
                outcome = from_json(text, StudyResult)
            elif schema == training.SCHEMA:
                trained.append(Located(from_json(text, TrainResult), address))
        except DataError:
            continue
    maps = _of_one_text([one for one in maps if one.result.directions and model_of(one.result.provenance)])
    if not maps:
        raise DataError(
            f"{folder} holds no linear-map result: make one first, such as by `polyglot probe linear-map fr en`"
        )
    text_of_maps = maps[0].result.provenance.corpus
    curves = [one for one in curves if one.result.provenance.corpus == text_of_maps and model_of(one.result.provenance)]
    return StudyResults(
        maps=tuple(_largest(maps)),
        fewer=tuple(_by_rows(maps)),
        layers=tuple(one for one in curves if not one.result.stress),
        stressed=tuple(one for one in curves if one.result.stress),
        trained=tuple(one for one in trained if one.result.languages),
        pivot=_pivot(maps),
        outcome=outcome,
    )


def model_of(provenance: Provenance) -> str:
    """Return the one model of a result; empty where there is none, or two."""
    names = {side.model for side in provenance.models if side.model}
    return names.pop() if len(names) == 1 else ""


def pair_of(result: LinearMapResult) -> frozenset[str]:
    """Return the two languages."""
    return frozenset((result.directions[0].source, result.directions[0].target))


def models_in(results: StudyResults) -> tuple[str, ...]:
    """Return the models of the maps, in the order of their names."""
    return tuple(dict.fromkeys(model_of(one.result.provenance) for one in results.maps))


def _texts(folder: Path) -> Iterator[tuple[Path, str, str]]:
    for path in sorted(folder.rglob("*.json")):
        try:
            text = path.read_text(encoding="utf-8")
            schema = read_schema(text)
        except (OSError, UnicodeDecodeError, DataError):
            continue
        yield path, schema, text


def _address(path: Path, page: Path) -> str:
    shown = path.with_suffix(".html") if path.with_suffix(".html").is_file() else path
    return quote(Path(os.path.relpath(shown, page.parent)).as_posix())


def _of_one_text(
    maps: Sequence[Located[LinearMapResult]],
) -> list[Located[LinearMapResult]]:
    """Return the results of the text that most of them rest on."""
    corpora = [one.result.provenance.corpus for one in maps]
    most = max(dict.fromkeys(corpora), key=corpora.count, default="")
    return [one for one in maps if one.result.provenance.corpus == most]


def _groups(
    maps: Sequence[Located[LinearMapResult]],
) -> dict[tuple[str, frozenset[str]], list[Located[LinearMapResult]]]:
    groups: dict[tuple[str, frozenset[str]], list[Located[LinearMapResult]]] = {}
    for one in maps:
        groups.setdefault((model_of(one.result.provenance), pair_of(one.result)), []).append(one)
    return groups


def _rows(one: Located[LinearMapResult]) -> int:
    return one.result.directions[0].n


def _largest(maps: Sequence[Located[LinearMapResult]]) -> Iterator[Located[LinearMapResult]]:
    for some in _groups(maps).values():
        yield max(some, key=_rows)


def _by_rows(maps: Sequence[Located[LinearMapResult]]) -> list[Located[LinearMapResult]]:
    """Return the results of the model and pair that was measured on the most numbers of rows; empty for one number."""
    by_count = [list({_rows(one): one for one in some}.values()) for some in _groups(maps).values()]
    most = max(by_count, key=len)
    return sorted(most, key=_rows) if len(most) > 1 else []


def _pivot(maps: Sequence[Located[LinearMapResult]]) -> str:
    shared = frozenset.intersection(*(pair_of(one.result) for one in maps))
    return next(iter(shared)) if len(shared) == 1 else ""

"""Which part of one result stands beside which part of another, and what the results are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from ...errors import DataError
from .scores import Read

NEW_LANGUAGE = "the new language"
ARROWS = (" → ", " ↔ ")


def common_parts(reads: Sequence[Read]) -> list[dict[str, str]]:
    """Return for every result what each of its parts is called in the comparison.

    Parts of the same name are the same. Where languages differ but all results share one, `en → fr` and `en → de` are
    both `en → …`; where each result has one language, that is the new language; else parts go by their place.

    Raises
    ------
    DataError
        If the results have different numbers of parts.
    """
    names = [tuple(read.parts) for read in reads]
    if all(set(one) == set(names[0]) for one in names):
        return [{name: name for name in one} for one in names]
    if len({len(one) for one in names}) > 1:
        counts = ", ".join(str(len(one)) for one in names)
        raise DataError(f"these results have {counts} parts: compare results of as many languages")
    if all(a == b for read in reads for a, b in read.parts.values()) and len(names[0]) == 1:
        return [{one[0]: NEW_LANGUAGE} for one in names]
    renamed = _by_pivot(reads)
    return renamed or [{name: f"part {place}" for place, name in enumerate(one, start=1)} for one in names]


def _by_pivot(reads: Sequence[Read]) -> list[dict[str, str]]:
    """Name parts by the one language that all share; empty where none or several are shared, or names collide."""
    shared = set.intersection(*({code for pair in read.parts.values() for code in pair} for read in reads))
    if len(shared) != 1:
        return []
    (pivot,) = shared
    renamed = [{name: _around(name, pair, pivot) for name, pair in read.parts.items()} for read in reads]
    sets = [set(one.values()) for one in renamed]
    distinct = all(len(names) == len(one) for names, one in zip(sets, renamed, strict=True))
    return renamed if distinct and all(names == sets[0] for names in sets) else []


def _around(name: str, pair: tuple[str, str], pivot: str) -> str:
    arrow = next((arrow for arrow in ARROWS if arrow in name), " ")
    both_ways = arrow == ARROWS[1]
    return f"{pivot}{arrow}…" if both_ways or pair[0] == pivot else f"…{arrow}{pivot}"


def labels(reads: Sequence[Read], files: Sequence[str]) -> list[str]:
    """Return short distinct names: what differs between results, of model, method, languages, corpus and file."""
    features = [
        (*own, read.provenance.corpus, PurePath(file).stem, PurePath(file).parent.name)
        for own, read, file in zip(_features(reads), reads, files, strict=True)
    ]
    chosen: list[int] = []
    for place in range(len(features[0])):
        if len({one[place] for one in features}) > 1:
            chosen.append(place)
        if len({tuple(one[i] for i in chosen) for one in features}) == len(features):
            break
    named = [", ".join(one[i] for i in chosen if one[i]) or one[-2] for one in features]
    return [name if name not in named[:i] else f"{name} ({i + 1})" for i, name in enumerate(named)]


def what_is_common(reads: Sequence[Read]) -> tuple[str, ...]:
    """Return what all results share of model, method and languages: with the labels it names the comparison."""
    features = _features(reads)
    return tuple(one for place, one in enumerate(features[0]) if one and all(f[place] == one for f in features))


def _features(reads: Sequence[Read]) -> list[tuple[str, str, str]]:
    """Return model, method and languages of every result; the languages that all share come first."""
    codes = [{code for pair in read.parts.values() for code in pair} for read in reads]
    shared = set.intersection(*codes)
    return [
        (
            " / ".join(map(_short, read.models)),
            read.method,
            "–".join([*sorted(own & shared), *sorted(own - shared)]),
        )
        for read, own in zip(reads, codes, strict=True)
    ]


def _short(model: str) -> str:
    """Return a model's name; of a path its last two parts."""
    parts = PurePath(model).parts
    return model if len(parts) < 3 else "/".join(parts[-2:])

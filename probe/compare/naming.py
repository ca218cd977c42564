"""Names of the results of a comparison, and of their parts: parts of one name are compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from ...errors import DataError
from .scores import Read

NEW_LANGUAGE = "the new language"
BOTH_WAYS = " ↔ "
ARROWS = (" → ", BOTH_WAYS)


def common_parts(reads: Sequence[Read]) -> list[dict[str, str]]:
    """Return for every result the name of each of its parts in the comparison.

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
    renamed = parts_by_pivot(reads)
    return renamed or [{name: f"part {place}" for place, name in enumerate(one, start=1)} for one in names]


def parts_by_pivot(reads: Sequence[Read]) -> list[dict[str, str]]:
    """Name parts by the one language that all share; empty where none or several are shared, or names collide."""
    shared = set.intersection(*({code for pair in read.parts.values() for code in pair} for read in reads))
    if len(shared) != 1:
        return []
    (pivot,) = shared
    renamed = []
    for read in reads:
        names = {}
        for name, pair in read.parts.items():
            arrow = next((arrow for arrow in ARROWS if arrow in name), " ")
            first = arrow == BOTH_WAYS or pair[0] == pivot
            names[name] = f"{pivot}{arrow}…" if first else f"…{arrow}{pivot}"
        renamed.append(names)
    sets = [set(one.values()) for one in renamed]
    distinct = all(len(names) == len(one) for names, one in zip(sets, renamed, strict=True))
    return renamed if distinct and all(names == sets[0] for names in sets) else []


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


def _short(model: str) -> str:
    """Return a model without the folders that it lies in; that of a run, which is called `model`, by the run's name."""
    parts = PurePath(model).parts
    if len(parts) > 1 and parts[-1] == "model":
        return parts[-2]
    return "/".join(parts[-2:]) if len(parts) > 2 else model


def _features(reads: Sequence[Read]) -> list[tuple[str, str, str]]:
    """Return models (the run of a trained one), method and languages of every result, shared languages first."""
    codes = [{code for pair in read.parts.values() for code in pair} for read in reads]
    shared = set.intersection(*codes)
    features = []
    for read, own in zip(reads, codes, strict=True):
        models = [_short(model) for model in read.models]
        languages = "–".join([*sorted(own & shared), *sorted(own - shared)])
        features.append((" / ".join(models), read.method, languages))
    return features

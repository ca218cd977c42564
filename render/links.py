"""Where a page leads: the list of results, its own JSON, results to compare it with, and how to cite it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import DataError
from ..probe.results.serialization import read_schema
from .formatting import language_name, model_name

INDEX = "index.html"
STUDY = "study.html"  # leads to all results too
MOST_READ = 40  # neighbours that are looked at, so that a page in a large folder is written at once
MOST_SHOWN = 8
LARGEST = 4_000_000  # bytes of a neighbour
COMPARISON = "polyglot/compare/1"


@dataclass(frozen=True, slots=True)
class Link:
    """A label and an address relative to the page."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses relative to the page; empty where there is nothing to lead to."""

    index: str = ""
    json: str = ""
    partners: tuple[Link, ...] = ()


def links_of(text: str, page: Path) -> Links:
    """Return the links of a page that is about to be written.

    Parameters
    ----------
    text : str
        The result as JSON text.
    page : Path
        Where its page goes; what lies beside it is linked.
    """
    own = page.with_suffix(".json")
    lists = [f"{up}{name}" for name in (INDEX, STUDY) for up in ("", "../")]
    index = next((name for name in lists if (page.parent / name).is_file()), "")
    return Links(index, quote(own.name) if own.is_file() else "", _partners(text, page))


def _partners(text: str, page: Path) -> tuple[Link, ...]:
    """Return pages of results of the same kind that share the languages or the models, and comparisons with it."""
    mine, found = _Subject.of(text), []
    for path in sorted(page.parent.glob("*.json"))[:MOST_READ]:
        beside = path.with_suffix(".html")
        if path.stem == page.stem or not beside.is_file() or path.stat().st_size > LARGEST:
            continue
        try:
            other = _Subject.of(path.read_text(encoding="utf-8"))
        except (OSError, DataError, UnicodeDecodeError):
            continue
        if other.compared:
            if f"{page.stem}.json" in other.compared:
                found.append(Link(f"compared: {path.stem}", quote(beside.name)))
        elif other.kind == mine.kind and (other.languages == mine.languages or other.models == mine.models):
            found.append(Link(other.label or path.stem, quote(beside.name)))
    return tuple(found[:MOST_SHOWN])


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a result is about, read from its JSON alone: no file beside a page may stop it."""

    kind: str
    languages: frozenset[str]
    models: frozenset[str]
    compared: tuple[str, ...]
    label: str

    @classmethod
    def of(cls, text: str) -> _Subject:
        kind = read_schema(text)
        value: dict[str, Any] = json.loads(text)
        record = value.get("provenance")
        sides = record.get("models", []) if isinstance(record, dict) else []
        sides = [side for side in sides if isinstance(side, dict)] if isinstance(sides, list) else []
        languages = list(dict.fromkeys(str(side.get("language", "")) for side in sides))
        models = list(dict.fromkeys(str(side.get("model", "")) for side in sides))
        results = value.get("results", []) if kind == COMPARISON else []
        compared = tuple(Path(str(one.get("file", ""))).name for one in results if isinstance(one, dict))
        names = " and ".join(model_name(model) for model in models)
        label = f"{names}: {' and '.join(map(language_name, languages))}" if sides else ""
        return cls(kind, frozenset(languages), frozenset(models), compared, label)

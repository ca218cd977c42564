"""One page that lists all results of a folder: words typed in any order find them, columns sort them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..errors import DataError, OutputError
from ..files import write_text
from ..probe.results.serialization import read_schema
from .escaping import without_lone_surrogates
from .kinds import module_for
from .links import INDEX, STUDY
from .page import assets, content_security_policy, environment
from .view import Headline


@dataclass(frozen=True, slots=True)
class Entry:
    """A result with the addresses of its page and its JSON, relative to the folder."""

    headline: Headline
    page: str | None
    json: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The results of a folder, and the JSON files that are none."""

    entries: tuple[Entry, ...]
    unread: tuple[str, ...]


def list_results(folder: Path, base: Path | None = None) -> Listing:
    """Read the headlines of all results under a folder, in the order of their paths.

    Parameters
    ----------
    folder : Path
    base : Path, optional
        Folder that addresses are relative to, where it is another one.

    Raises
    ------
    OutputError
        If the folder does not exist.
    """
    if not folder.is_dir():
        raise OutputError(f"no folder {folder}: give one that holds results, for example reports/")
    entries: list[Entry] = []
    unread: list[str] = []
    for path in sorted(folder.rglob("*.json")):
        name = Path(os.path.relpath(path, base or folder)).as_posix()
        headline = _headline(path)
        if headline is None:
            unread.append(name)
            continue
        page = path.with_suffix(".html").is_file()
        address = quote(Path(name).with_suffix(".html").as_posix()) if page else None
        entries.append(Entry(headline, address, quote(name)))
    return Listing(tuple(entries), tuple(unread))


def render_index(listing: Listing, study: str = "") -> str:
    """Return the page of a listing, which leads to the page of a study where an address is given."""
    shared = assets(("index.js",))
    template = environment().get_template("index_page.html")
    policy = content_security_policy(shared.scripts)
    return without_lone_surrogates(template.render(listing=listing, study=study, assets=shared, policy=policy))


def write_index(folder: Path) -> Path:
    """Write `index.html` into a folder of results, atomically, and return its path.

    Raises
    ------
    OutputError
        If the folder does not exist or cannot be written.
    """
    path = folder / INDEX
    study = next((f"{up}{STUDY}" for up in ("", "../") if (folder / up / STUDY).is_file()), "")
    write_text(path, render_index(list_results(folder), study))
    return path


def _headline(path: Path) -> Headline | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    try:
        return module_for(text).headline(text)
    except DataError:
        return _unknown(text)


def _unknown(text: str) -> Headline | None:
    """Return a bare line for a result that has no page, of its provenance and sentence; None for what is no result."""
    try:
        schema = read_schema(text)
    except DataError:
        return None
    value = json.loads(text)
    source = value.get("provenance")
    record: dict[str, object] = source if isinstance(source, dict) else {}
    sides = record.get("models")
    models = [str(side.get("model", "")) for side in sides if isinstance(side, dict)] if isinstance(sides, list) else []
    return Headline(
        kind=schema,
        subject="",
        verdict=str(value.get("sentence") or "no page for results of this kind"),
        models=", ".join(dict.fromkeys(models)),
        corpus=str(record.get("corpus", "")),
        rows=0,
        time=str(record.get("time", "")),
    )

"""A result that was measured from the same text, models, settings and code is read instead of measured again.

All that the numbers depend on is one digest, `provenance.inputs` of the result; there is no other record of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from ...errors import DataError
from ...files import write_text
from ..results.provenance import versions
from ..results.serialization import from_json, to_json

R = TypeVar("R")
PACKAGE = Path(__file__).parents[2]
#: Where the modules lie that numbers come from, sub-folders included; tests, pages and commands are not among them.
MEASURING_FILES = ("__init__.py", "errors.py", "files.py", "distributed.py")
MEASURING_ROOMS = ("analysis", "data", "models", "probe")
log = logging.getLogger(__name__)


def measured(
    path: Path,
    kind: type[R],
    run: Callable[..., R],
    *given: object,
    force: bool = False,
    options: dict[str, Any] | None = None,
    depends_on: tuple[object, ...] = (),
    save: bool = True,
    on_reuse: Callable[[Path], None] | None = None,
    **extras: object,
) -> R:
    """Return the result in a file if it was measured from the same inputs by the same code, else measure it.

    Parameters
    ----------
    path : Path
        JSON of the result.
    kind : type
        Its record, such as `LinearMapResult`.
    run : callable
        Measures: called as ``run(*given, **extras, **options)``.
    *given, **extras
        What the numbers depend on: encoders, texts, maps and question sets count by their fingerprints, settings by
        their values.
    force : bool
        Measure in any case.
    options : dict, optional
        Arguments on which no number depends, such as `cache` and `progress`.
    depends_on : tuple
        What else the numbers depend on.
    save : bool
        Whether a new result is written to the file.
    on_reuse : callable, optional
        Called with the path where the file is used; by default that is logged.

    Raises
    ------
    OutputError
        If the result cannot be written; else as `run`.

    Examples
    --------
    ``measured(Path("en-fr.json"), LinearMapResult, run, (encoder, encoder), bitext, LinearMapConfig())`` measures
    once, and reads the file from then on.
    """
    inputs = inputs_digest(kind, given, sorted(extras.items()), *depends_on)
    found = None if force else reusable(path, inputs, kind)
    if found is not None:
        if on_reuse is None:
            log.info("measured before from the same inputs, read from %s", path)
        else:
            on_reuse(path)
        return found
    some: Any = run(*given, **extras, **(options or {}))
    result: R = dataclasses.replace(some, provenance=dataclasses.replace(some.provenance, inputs=inputs))
    if save:
        write_text(path, to_json(result))
    return result


def reusable(path: Path, inputs: str, kind: type[R]) -> R | None:
    """Return the result of a file if it was measured from these inputs; None if not, or if it cannot be read."""
    try:
        found: Any = from_json(path.read_text(encoding="utf-8"), kind)
    except (OSError, UnicodeDecodeError, DataError):
        return None
    return found if found.provenance.inputs == inputs else None


def inputs_digest(*given: object, rooms: tuple[str, ...] = MEASURING_ROOMS) -> str:
    """Return a digest of what is given, of the code of some rooms, and of the versions of its libraries."""
    words = [*(word for value in given for word in words_of(value)), *sorted(map(str, versions().items()))]
    return hashlib.blake2b("\0".join([*words, code_digest(rooms)]).encode(), digest_size=16).hexdigest()


def words_of(value: object) -> Iterator[str]:
    """Yield what identifies a value: its fingerprint, name, device and prompts of tasks, or what it prints as."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from words_of(item)
        return
    fingerprint = getattr(value, "fingerprint", None)
    if isinstance(fingerprint, str):
        yield from (fingerprint, str(getattr(value, "name", "")), str(getattr(value, "device", "")))
        prompts = getattr(getattr(value, "identity", None), "task_prompts", {})
        yield from (f"{task} {prompt}" for task, prompt in sorted(prompts.items()))
    else:
        yield repr(value)


def code_digest(rooms: tuple[str, ...] = MEASURING_ROOMS) -> str:
    """Return a digest of the names and the texts of all modules that numbers come from, those of some rooms."""
    digest = hashlib.blake2b(digest_size=16)
    modules = [PACKAGE / name for name in MEASURING_FILES]
    modules += [path for room in rooms for path in (PACKAGE / room).rglob("*.py")]
    for path in sorted(path for path in modules if path.is_file()):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()

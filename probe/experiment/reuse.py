"""A result that lies there already, measured from the same text, models, settings and code, is not measured again.

What went in is told by one digest, `provenance.inputs` of the result; there is no other record of what was done.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from ...errors import DataError

R = TypeVar("R")
PACKAGE = Path(__file__).parents[2]
MEASURING = ("*.py", "analysis/**/*.py", "data/**/*.py", "models/**/*.py", "probe/**/*.py")


def inputs_digest(*given: object) -> str:
    """Digest what a measurement depends on: what is given, the code that measures, and the libraries below it.

    Encoders, texts, question sets and fitted maps count by their fingerprints, settings by their values.
    """
    from ..results.provenance import versions

    told = [*(word for value in given for word in _told(value)), *sorted(map(str, versions().items())), _code()]
    return hashlib.blake2b("\0".join(told).encode(), digest_size=16).hexdigest()


def _told(value: object) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _told(item)
        return
    fingerprint = getattr(value, "fingerprint", None)
    if isinstance(fingerprint, str):
        yield from (fingerprint, str(getattr(value, "name", "")), str(getattr(value, "device", "")))
    else:
        yield repr(value)


def _code() -> str:
    """Digest the modules that numbers come from."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(path for pattern in MEASURING for path in PACKAGE.glob(pattern)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def result_from(path: Path, inputs: str, kind: type[R]) -> R | None:
    """Read the result of a file if it was measured from these inputs; None if not, or if it cannot be read."""
    from ..results.serialization import from_json

    try:
        found: Any = from_json(path.read_text(encoding="utf-8"), kind)
    except (OSError, UnicodeDecodeError, DataError):
        return None
    return found if found.provenance.inputs == inputs else None


def with_inputs(result: R, inputs: str) -> R:
    """Return a result that says what it was measured from."""
    some: Any = result
    return dataclasses.replace(some, provenance=dataclasses.replace(some.provenance, inputs=inputs))  # type: ignore[no-any-return]

"""The certificate that chooses a map: read from a saved result, and checked to be of these models and languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ..results.linear_map import SCHEMA, Direction, LinearMapResult
from ..results.serialization import Provenance, from_json, read_schema

ADVICE = "make it with `polyglot probe linear-map` and the same --model, or leave it out"


def read_certificate(path: Path) -> LinearMapResult:
    """Read a result of `polyglot probe linear-map`.

    Raises
    ------
    DataError
        If the file cannot be read or is another kind of result.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    schema = read_schema(text)
    if schema != SCHEMA:
        raise DataError(f"{path} is a result of another probe ({schema}): expected {SCHEMA}")
    return from_json(text, LinearMapResult)


def certified_direction(certificate: LinearMapResult, record: Provenance) -> Direction:
    """Return the direction of a certificate that is of the languages and models of a fit.

    Raises
    ------
    DataError
        Naming what it is of, where that is something else.
    """
    source, target = record.models
    held = {side.language: side for side in certificate.provenance.models}
    for side in (source, target):
        own = held.get(side.language)
        if own is not None and own.model_fingerprint != side.model_fingerprint:
            raise DataError(
                f"the certificate is of {own.model} on the {side.language} side, not of these weights of {side.model}: "
                f"{ADVICE}"
            )
    for direction in certificate.directions:
        if (direction.source, direction.target) == (source.language, target.language) and held:
            return direction
    of = ", ".join(f"{d.source} → {d.target}" for d in certificate.directions) + ("" if held else " of arrays")
    raise DataError(f"the certificate is of {of}, not of {source.language} → {target.language}: {ADVICE}")


def certificate_caveats(certificate: LinearMapResult, direction: Direction, record: Provenance) -> Iterator[str]:
    """Say so where the certificate was measured on other rows than the map is fitted on."""
    made = certificate.provenance
    if made.corpus_fingerprint != record.corpus_fingerprint:
        yield (
            f"the rung was chosen, and the held-out scores measured, on {made.corpus} ({direction.n} pairs); the map "
            f"is fitted on {record.corpus}"
        )

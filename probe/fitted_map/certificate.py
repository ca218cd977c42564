"""A saved certificate, checked to be of the models and languages of a fit."""

from __future__ import annotations

from pathlib import Path

from ...errors import DataError
from ..results.linear_map import SCHEMA, Direction, LinearMapResult
from ..results.provenance import Provenance
from ..results.serialization import from_json, read_schema

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
        If it is of other models or languages.
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

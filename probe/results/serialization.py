"""What all results share: intervals, provenance, and their JSON.

A result is a frozen dataclass with a `schema`. `to_json` writes its fields in order; `from_json` reads them back by
their annotations, ignoring fields that it does not know, so that a reader of version 1 keeps working.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from dataclasses import dataclass
from typing import Any, TypeVar

from ...analysis.resampling import Interval
from ...errors import DataError

__all__ = ["Interval", "Provenance", "Side", "from_json", "read_schema", "to_json"]

R = TypeVar("R")
VOLATILE = ("time", "host", "seconds")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: a language seen by a model."""

    language: str
    model: str
    model_fingerprint: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a result comes from: enough to make it again."""

    command: str
    models: tuple[Side, ...]
    corpus: str
    corpus_fingerprint: str
    seed: int
    device: str
    dtype: str
    versions: dict[str, str]
    time: str = ""
    host: str = ""
    seconds: float = 0.0
    inputs: str = ""  # digest of all that the numbers depend on; empty for what was called from Python


def to_json(result: Any) -> str:  # noqa: ANN401
    """Return a result as JSON text: UTF-8, two spaces, NaN as null."""
    return json.dumps(_plain(result), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def from_json(text: str, kind: type[R]) -> R:
    """Read a result of a known kind from JSON text.

    Raises
    ------
    DataError
        If the text is not JSON, or a field is missing or of another kind.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not a result: the file is not JSON ({error})") from error
    return typing.cast("R", _typed(value, kind, kind.__name__))


def read_schema(text: str) -> str:
    """Return the schema that a JSON result names, for example ``polyglot/linear-map/1``."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not a result: the file is not JSON ({error})") from error
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(schema, str) or not schema.startswith("polyglot/"):
        raise DataError("not a result: expected a JSON object with a `schema` such as polyglot/linear-map/1")
    return schema


def _plain(value: Any) -> Any:  # noqa: ANN401
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def _typed(value: Any, kind: Any, where: str) -> Any:  # noqa: ANN401
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _optional(value, kind, where)
    if dataclasses.is_dataclass(kind):
        return _record(value, kind, where)
    if origin in (dict, tuple):
        return _container(value, kind, where)
    if origin is typing.Literal:
        return value
    return _number(value, where) if kind is float else _expect(value, kind, where)


def _number(value: Any, where: str) -> float:  # noqa: ANN401
    if value is None:
        return float("nan")
    try:
        return float(_expect(value, (int, float), where))
    except OverflowError:
        raise DataError(f"not a result: {where} is too large for a number of 64 bits") from None


def _container(value: Any, kind: Any, where: str) -> Any:  # noqa: ANN401
    if typing.get_origin(kind) is dict:
        _expect(value, dict, where)
        return {k: _typed(v, typing.get_args(kind)[1], f"{where}.{k}") for k, v in value.items()}
    _expect(value, list, where)
    return _tuple(value, typing.get_args(kind), where)


def _optional(value: Any, kind: Any, where: str) -> Any:  # noqa: ANN401
    if value is None:
        return None
    inner = [k for k in typing.get_args(kind) if k is not type(None)]
    return _typed(value, inner[0], where)


def _tuple(value: list[Any], kinds: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_typed(v, kinds[0], f"{where}[{i}]") for i, v in enumerate(value))
    if len(value) != len(kinds):
        raise DataError(f"not a result: {where} should hold {len(kinds)} values, got {len(value)}")
    return tuple(_typed(v, k, f"{where}[{i}]") for i, (v, k) in enumerate(zip(value, kinds, strict=True)))


def _record(value: Any, kind: Any, where: str) -> Any:  # noqa: ANN401
    _expect(value, dict, where)
    hints = _hints(kind)
    fields: dict[str, Any] = {}
    for f in dataclasses.fields(kind):
        if f.name in value:
            fields[f.name] = _typed(value[f.name], hints[f.name], f"{where}.{f.name}")
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise DataError(f"not a result: {where} has no '{f.name}'")
    return kind(**fields)


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    return typing.get_type_hints(kind)


def _expect(value: Any, kind: Any, where: str) -> Any:  # noqa: ANN401
    if not isinstance(value, kind):
        raise DataError(f"not a result: {where} should be {kind}, got {type(value).__name__}")
    return value

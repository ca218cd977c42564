"""Results as JSON.

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
from typing import Any, TypeVar

from ...errors import DataError

R = TypeVar("R")


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
    return typing.cast("R", _typed(_parsed(text), kind, kind.__name__))


def read_schema(text: str) -> str:
    """Return the schema that a JSON result names, for example ``polyglot/linear-map/1``."""
    value = _parsed(text)
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(schema, str) or not schema.startswith("polyglot/"):
        raise DataError("not a result: expected a JSON object with a `schema` such as polyglot/linear-map/1")
    return schema


def _parsed(text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not a result: the file is not JSON ({error})") from error


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
    """Return a value of JSON as an annotation says."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        some = [argument for argument in arguments if argument is not type(None)]
        return None if value is None else _typed(value, some[0], where)
    if dataclasses.is_dataclass(kind):
        return _record(value, kind, where)
    if origin in (dict, tuple):
        return _container(value, origin, arguments, where)
    if kind is not float:
        return value if origin is typing.Literal else _expect(value, kind, where)
    try:
        return float("nan") if value is None else float(_expect(value, (int, float), where))
    except OverflowError:
        raise DataError(f"not a result: {where} is too large for a number of 64 bits") from None


def _container(value: Any, origin: Any, kinds: tuple[Any, ...], where: str) -> Any:  # noqa: ANN401
    if origin is dict:
        return {k: _typed(v, kinds[1], f"{where}.{k}") for k, v in _expect(value, dict, where).items()}
    _expect(value, list, where)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise DataError(f"not a result: {where} should hold {len(kinds)} values, got {len(value)}")
    return tuple(_typed(v, k, f"{where}[{i}]") for i, (v, k) in enumerate(zip(value, kinds, strict=True)))


def _record(value: Any, kind: Any, where: str) -> Any:  # noqa: ANN401
    _expect(value, dict, where)
    hints = annotations_of(kind)
    fields: dict[str, Any] = {}
    for f in dataclasses.fields(kind):
        if f.name in value:
            fields[f.name] = _typed(value[f.name], hints[f.name], f"{where}.{f.name}")
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise DataError(f"not a result: {where} has no '{f.name}'")
    return kind(**fields)


@functools.cache
def annotations_of(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the annotations of a record, evaluated once."""
    return typing.get_type_hints(kind)


def _expect(value: Any, kind: Any, where: str) -> Any:  # noqa: ANN401
    if not isinstance(value, kind):
        raise DataError(f"not a result: {where} should be {kind}, got {type(value).__name__}")
    return value

"""Tables of a study file as records: unknown keys and wrong values are one line with the fix."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any, TypeVar

from ..errors import ConfigError

C = TypeVar("C")
KINDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def near(word: str, known: Collection[str]) -> str:
    """Return a suggestion, and what is known.

    Examples
    --------
    >>> near("aling", ("align", "map"))
    'did you mean align? Known: align, map'
    """
    found = difflib.get_close_matches(word, list(known), n=1)
    return (f"did you mean {found[0]}? Known: " if found else "known: ") + ", ".join(known)


def require_known(given: Collection[str], known: Collection[str], where: str) -> None:
    """Refuse keys that a table does not take.

    Raises
    ------
    ConfigError
    """
    for key in given:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}; {near(key, known)}")


def typed(value: object, kind: type[C], where: str) -> C:
    """Return a value if it is of a kind; whole numbers are numbers.

    Raises
    ------
    ConfigError
    """
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)  # type: ignore[return-value]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(f"{where}: expected {KINDS.get(kind, kind.__name__)}, got {value!r}")
    return value


def listed(value: object, kind: type[C], where: str) -> tuple[C, ...]:
    """Return a list of values of a kind, each once.

    Raises
    ------
    ConfigError
    """
    if not isinstance(value, list):
        raise ConfigError(f"{where}: expected a list such as [{value!r}], got {value!r}")
    items = tuple(typed(item, kind, where) for item in value)
    if len(set(items)) < len(items):
        raise ConfigError(f"{where}: {next(i for i in items if items.count(i) > 1)!r} is given twice; give it once")
    return items


def config_of(kind: type[C], settings: Mapping[str, object], given: Mapping[str, Any], where: str) -> C:
    """Return a config with the settings of a table, and with values that the study itself gives.

    Parameters
    ----------
    kind : type
        A config class; fields of the configs inside it are settings of their own names too.
    settings : mapping
        By field name.
    given : mapping
        By field name; they cannot be settings.
    where : str
        Of the table, for messages.

    Raises
    ------
    ConfigError
        For a name that is no setting, a value of another kind, or one out of range.
    """
    places = _settings(kind)
    hints = {name: hint for name, (_, _, hint) in places.items()}
    require_known(settings, [name for name in places if name not in given], where)
    values = {name: _value(value, hints[name], f"{where}: {name}") for name, value in settings.items()}
    try:
        return _built(kind, {**values, **given}, places)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _settings(kind: type[Any]) -> dict[str, tuple[str, str, Any]]:
    """Return by name the config inside that a setting is of, or nothing; its field there; its annotation.

    Where both have a field of one name, that of the config inside is called by both, such as `retention_questions`.
    """
    hints = typing.get_type_hints(kind)
    found = {field.name: ("", field.name, hints[field.name]) for field in fields(kind)}
    for inner in [field.name for field in fields(kind) if is_dataclass(hints[field.name])]:
        del found[inner]
        for name, (_, _, hint) in _settings(hints[inner]).items():
            found[f"{inner}_{name}" if name in found else name] = (inner, name, hint)
    return found


def _built(kind: type[C], values: Mapping[str, Any], places: Mapping[str, tuple[str, str, Any]]) -> C:
    own = {name: value for name, value in values.items() if not places[name][0]}
    for field in fields(kind):  # type: ignore[arg-type]
        inner = {places[name][1]: value for name, value in values.items() if places[name][0] == field.name}
        if inner:
            assert field.default_factory is not MISSING
            own[field.name] = replace(field.default_factory(), **inner)
    return kind(**own)


def _value(value: object, hint: Any, where: str) -> Any:  # noqa: ANN401 - any value of a config
    """Return a value of TOML as an annotation asks: lists as tuples, whole numbers as numbers."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _value(value, next(kind for kind in arguments if kind is not type(None)), where)
    if origin is tuple:
        return listed(value, arguments[0] if isinstance(arguments[0], type) else str, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(f"{where}: expected one of {', '.join(map(str, arguments))}, got {value!r}")
        return value
    return typed(value, hint, where) if hint in KINDS else hint(value)


def as_values(config: object) -> dict[str, Any]:
    """Return all settings of a config by name, those of the configs inside it too."""
    kind = type(config)
    return {
        name: getattr(getattr(config, inner) if inner else config, own)
        for name, (inner, own, _) in _settings(kind).items()
    }

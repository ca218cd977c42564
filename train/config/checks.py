"""Checks of settings, and how a field becomes an option of the command line."""

from __future__ import annotations

from types import MappingProxyType
from typing import get_args

from ...errors import ConfigError

PYTHON_ONLY = MappingProxyType({"option": ()})  # field metadata: a setting without an option


def option(*names: str) -> MappingProxyType[str, tuple[str, ...]]:
    """Return the field metadata of an option that is not named after its field."""
    return MappingProxyType({"option": names})


def require(condition: bool, message: str) -> None:
    """Refuse a setting unless a condition holds.

    Raises
    ------
    ConfigError
    """
    if not condition:
        raise ConfigError(message)


def require_choice(option: str, value: str, literal: object) -> None:
    """Refuse a value that is not one of a `Literal` type.

    Raises
    ------
    ConfigError
    """
    require(value in get_args(literal), f"{option} must be one of {', '.join(get_args(literal))}, got {value!r}")

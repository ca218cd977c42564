"""Options of the command line made from the config dataclasses: name, help, type and default are defined there once.

A field becomes an option of its own name (`max_steps`: `--max-steps`), or of the names in its metadata; its help is its
description in the class docstring. Fields that are configs themselves give their own fields.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import typer

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of a config, and its option.

    Parameters
    ----------
    path : tuple of str
        Names of the fields that lead to it.
    parameter : Parameter
        Of the command.
    """

    path: tuple[str, ...]
    parameter: inspect.Parameter


def settings_of(config: type[Any], path: tuple[str, ...] = (), defaults: Any = None) -> Iterator[Setting]:  # noqa: ANN401
    """Yield the settings of a config class, those of its nested configs last.

    Parameters
    ----------
    config : type
        A dataclass.
    path : tuple of str
        Names of the fields that lead to it.
    defaults : config, optional
        Its instance with the defaults; by default those of the fields.
    """
    hints, help_texts = get_type_hints(config), parameter_descriptions(config)
    nested = [field for field in fields(config) if is_dataclass(hints[field.name])]
    for field in fields(config):
        options = field.metadata.get("option", (f"--{field.name.replace('_', '-')}",))
        if field in nested or not options:
            continue
        default = field.default if defaults is None else getattr(defaults, field.name)
        yield Setting((*path, field.name), _parameter(hints[field.name], options, help_texts[field.name], default))
    for field in nested:
        assert field.default_factory is not MISSING
        yield from settings_of(hints[field.name], (*path, field.name), field.default_factory())


def parameter_descriptions(config: type[Any]) -> dict[str, str]:
    """Return the description of each field from the "Parameters" sections of a class and its bases."""
    descriptions: dict[str, str] = {}
    for base in reversed(config.__mro__):
        section = inspect.cleandoc(base.__doc__ or "").partition("Parameters\n----------\n")[2]
        for names, text in re.findall(r"^(\S[^:\n]*?) :[^\n]*\n((?:    [^\n]*\n?)+)", section, re.MULTILINE):
            descriptions |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return descriptions


def _parameter(hint: Any, options: tuple[str, ...], help_text: str, default: Any) -> inspect.Parameter:  # noqa: ANN401
    """Return the parameter of a command for a field: tuples as lists, literals as texts, true flags as --x/--no-x."""
    name = options[0].removeprefix("--").replace("-", "_")
    if default is True:
        options = (f"--{name}/--no-{name}",)
    if get_origin(hint) is tuple:
        hint, default = types.GenericAlias(list, (_plain(get_args(hint)[0]),)), list(default)
    annotated: Any = Annotated  # not a type alias: what is annotated is known at run time only
    annotation = annotated[_plain(hint), typer.Option(*options, help=help_text)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _plain(hint: Any) -> Any:  # noqa: ANN401 - any annotation
    return str if get_origin(hint) is Literal else hint


def with_settings(config: type[C]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a config class: its parameter `config` becomes one option for each setting."""
    settings = list(settings_of(config))

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(function, eval_str=True).parameters.values()
        others = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own if p.name != "config"]
        parameters = [*(setting.parameter for setting in settings), *others]

        @functools.wraps(function)
        def command(**given: Any) -> None:  # noqa: ANN401 - what the command line parsed
            values = {setting.path: given.pop(setting.parameter.name) for setting in settings}
            function(config=build_config(config, values), **given)

        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        del command.__wrapped__
        return command

    return decorate


def build_config(config: type[C], values: dict[tuple[str, ...], Any]) -> C:
    """Make a config from the values of its settings, by path.

    Raises
    ------
    ConfigError
        If a value is out of range.
    """
    made: dict[str, Any] = {}
    for field in fields(config):  # type: ignore[arg-type]
        inner = {path[1:]: value for path, value in values.items() if path[0] == field.name and len(path) > 1}
        if inner:
            assert field.default_factory is not MISSING
            given = {path[0]: _as_tuple(value) for path, value in inner.items()}
            made[field.name] = dataclasses.replace(field.default_factory(), **given)
        elif (field.name,) in values:
            made[field.name] = _as_tuple(values[field.name,])
    return config(**made)


def _as_tuple(value: Any) -> Any:  # noqa: ANN401 - any value
    return tuple(value) if isinstance(value, list) else value

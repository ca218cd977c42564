"""Options made from config dataclasses."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import typer
from polyglot.commands.settings import parameter_descriptions, settings_of, with_settings
from polyglot.train.config import ContrastiveConfig, FinetuneConfig, PretrainConfig
from typer.testing import CliRunner


@dataclass(frozen=True, kw_only=True)
class Inner:
    """Inner settings.

    Parameters
    ----------
    steps : int
        Number of
        steps.
    """

    steps: int = 3


@dataclass(frozen=True, kw_only=True)
class Outer:
    """Outer settings.

    Parameters
    ----------
    kind, place : str
        Kind or place.
    names : tuple of str
        Names.
    checked : bool
        Whether to check.
    inner : Inner
    hidden : int
        For Python only.
    """

    kind: Literal["a", "b"] = "a"
    place: Path | None = None
    names: tuple[str, ...] = field(default=("x",), metadata={"option": ("--name",)})
    checked: bool = True
    inner: Inner = field(default_factory=lambda: Inner(steps=7))
    hidden: int = field(default=0, metadata={"option": ()})


def parsed(*arguments):
    made, app = [], typer.Typer()

    @app.command()
    @with_settings(Outer)
    def command(config: Outer, loud: bool = False):
        made.append((config, loud))

    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return made[0]


def test_defaults_are_those_of_the_config():
    assert parsed() == (Outer(), False)


def test_given_values_reach_nested_configs():
    given = ["--kind", "b", "--place", "p", "--name", "y", "--name", "z", "--no-checked", "--steps", "9", "--loud"]
    made = Outer(kind="b", place=Path("p"), names=("y", "z"), checked=False, inner=Inner(steps=9))
    assert parsed(*given) == (made, True)


def test_help_is_the_description_and_defaults_of_nested_configs_are_those_of_the_outer_one():
    assert parameter_descriptions(Outer)["place"] == "Kind or place."
    assert parameter_descriptions(Inner) == {"steps": "Number of steps."}
    found = {setting.path: setting.parameter for setting in settings_of(Outer)}
    assert found.keys() == {("kind",), ("place",), ("names",), ("checked",), ("inner", "steps")}
    assert found["inner", "steps"].default == 7
    assert found["names",].name == "name"


@pytest.mark.parametrize("kind", [FinetuneConfig, ContrastiveConfig, PretrainConfig])
def test_every_setting_is_described_in_its_class(kind):
    settings = list(settings_of(kind))
    assert len({setting.parameter.name for setting in settings}) == len(settings) > 25
    fields = {field.name for field in dataclasses.fields(kind)}
    assert parameter_descriptions(kind).keys() == fields - {"loop", "data", "retention"}

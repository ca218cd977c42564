"""Which probes and stages a study knows, and how their settings become a config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ..train.config import ContrastiveConfig, FinetuneConfig, PretrainConfig, StageConfig
from .settings import config_of

TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a probe or stage is, with the seconds that it takes about on 1500 pairs and two cores."""

    module: str
    result: str
    rough_seconds: float
    config: str = ""
    run: str = "run"

    def load(self, part: str) -> Any:  # noqa: ANN401 - a module of any probe or stage
        """Import a module now, so that reading the file of a study stays quick."""
        return import_module(f"..{part}", __package__)

    def result_type(self) -> type[Any]:
        """Return the class of the result."""
        module = "training" if self.module.startswith("train.") else self.module.split(".")[-1]
        found: type[Any] = getattr(self.load(f"probe.results.{module}"), self.result)
        return found

    def config_type(self) -> type[Any]:
        """Return the class of the config of a probe."""
        found: type[Any] = getattr(self.load(f"{self.module}.config"), self.config)
        return found


PROBES = {
    "linear-map": Kind("probe.linear_map", "LinearMapResult", 240.0, "LinearMapConfig"),
    "layers": Kind("probe.layers", "LayersResult", 280.0, "LayersConfig"),
    "retrieval": Kind("probe.retrieval", "RetrievalResult", 30.0, "RetrievalConfig"),
}
STAGES = {
    "pretrain": Kind("train.stages.pretrain", "TrainResult", 600.0, run="run_pretrain"),
    "contrastive": Kind("train.stages.contrastive", "TrainResult", 600.0, run="run_contrastive"),
    "finetune": Kind("train.stages.finetune", "TrainResult", 400.0, run="run_finetune"),
}
CONFIGS: dict[str, type[StageConfig]] = {
    "pretrain": PretrainConfig,
    "contrastive": ContrastiveConfig,
    "finetune": FinetuneConfig,
}
#: What the study itself says of a training, by the name of the field.
GIVEN = ("out", "resume", "device", "model", "langs", "method", "pivot", "seed", "corpus", "columns", "limit")


def check_probe_settings(probe: str, settings: Mapping[str, object], margin: float, where: str) -> None:
    """Refuse settings that a probe does not have."""
    probe_config(probe, settings, margin, 0, where)


def probe_config(probe: str, settings: Mapping[str, object], margin: float, seed: int, where: str) -> Any:  # noqa: ANN401
    """Return the config of a probe with a seed; without sentences, and with few refits where few are asked for.

    Raises
    ------
    ConfigError
        For what is no setting of the probe.
    """
    kind = PROBES[probe].config_type()
    names = kind.__dataclass_fields__
    given: dict[str, Any] = {"seed": seed}
    if "margin" in names:
        given["margin"] = margin
    defaults: dict[str, object] = {"texts": False} if "texts" in names else {}
    permutations = settings.get("permutations")
    if "costly_permutations" in names and isinstance(permutations, int):
        defaults["costly_permutations"] = min(5, permutations)
    return config_of(kind, {**defaults, **settings}, given, where)


def check_training_settings(stage: str, what: tuple[str, str, str], settings: Mapping[str, object], where: str) -> None:
    """Refuse settings that a stage does not have; `what` is pivot, language and method."""
    training_config(stage, what, settings, {}, where)


def training_config(
    stage: str, what: tuple[str, str, str], settings: Mapping[str, object], given: Mapping[str, Any], where: str
) -> StageConfig:
    """Return the config of a training.

    Parameters
    ----------
    stage : str
    what : (str, str, str)
        Pivot, language and method.
    settings : mapping
        Of the block.
    given : mapping
        What the study decides besides: `out`, `resume`, `device`, `model`, `seed`, `corpus`, `limit`.
    where : str
        Of the block.

    Raises
    ------
    ConfigError
        For what is no setting of the stage.
    """
    pivot, language, method = what
    kind = CONFIGS[stage]
    own = {name: value for name, value in given.items() if value is not None}
    pair = (pivot,) if language == pivot else (pivot, language)
    own["langs"] = (language,) if stage == "finetune" else pair
    if stage == "finetune":
        own |= {"pivot": pivot, "method": method}
    for name in GIVEN:
        if name in settings:
            from ..errors import ConfigError

            raise ConfigError(f"{where}: {name} is decided by the study; leave it out")
    return config_of(kind, settings, own, where)

"""All probes in one table, and the one way of running them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .loading import check_layers
from .progress import shown
from .shared import Probing

#: The name of the report, what the probe is given besides its config, and its keyword arguments.
Inputs = tuple[str, tuple[object, ...], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Probe:
    """Where the parts of a probe are, and how its result is put in a sentence."""

    module: str  # below `probe`, with a function `run`
    config: str  # class, in the module
    result: str  # class, in the module of the same name below `probe.results`
    verdict: Callable[[Any], str] = lambda result: str(result.sentence)

    def load(self, part: str) -> Any:  # noqa: ANN401 - a module of any probe
        """Import a module below `probe` when the command runs, so that help stays quick."""
        return import_module(f"..probe.{part}", __package__)

    def run(self, *given: Any, **options: Any) -> Any:  # noqa: ANN401 - those of the probe
        """Measure; what that needs is imported now, so that a result that is there already is read without it."""
        return self.load(f"{self.module}.run").run(*given, **options)

    def config_type(self) -> type[Any]:
        """Import the class of the config."""
        module, kind = self.config.split(".")
        found: type[Any] = getattr(self.load(f"{self.module}.{module}"), kind)
        return found


def linear_map_verdict(result: Any) -> Iterator[str]:  # noqa: ANN401 - imported when the command runs
    """Yield the verdicts on search, then those on geometry; by R² alone, of all pairs, without instruments."""
    yield from (direction.use.sentence for direction in result.directions)
    for direction in result.directions:
        by_r2 = direction.streamed or direction.certificate
        yield direction.geometry.sentence if direction.geometry else by_r2.sentence


PROBES = {
    "linear-map": Probe(
        "linear_map",
        "config.LinearMapConfig",
        "LinearMapResult",
        lambda result: "\n".join(linear_map_verdict(result)),
    ),
    "layers": Probe(
        "layers",
        "config.LayersConfig",
        "LayersResult",
        lambda result: " ".join(result.story) or "No layer stands out.",
    ),
    "cka": Probe("cka", "config.CkaConfig", "CkaResult"),
    "retrieval": Probe("retrieval", "config.RetrievalConfig", "RetrievalResult"),
    "questions": Probe("questions", "config.QuestionConfig", "QuestionResult"),
    "language-id": Probe("language_id", "config.LanguageIdConfig", "LanguageIdResult"),
    "composition": Probe("composition", "config.CompositionConfig", "CompositionResult"),
    "geometry": Probe("geometry", "config.GeometryConfig", "GeometryResult", lambda result: " ".join(result.sentences)),
}


def run_probe(
    command: str,
    common: Probing,
    inputs: Callable[[], Inputs],
    *models: str | None,
    check: Callable[[], object],
    measured: Callable[[Any], object] | None = None,
    **settings: object,
) -> None:
    """Check what was given, measure, and write the report.

    Parameters
    ----------
    command : str
        Name out of `PROBES`.
    inputs : callable
        Opens the text and loads the encoders; called after everything that is quick to check.
    models : str or None
        Models besides `--model`.
    check : callable
        Refuses wrong names and files; it loads nothing heavy.
    measured : callable, optional
        Measures with the config in place of the probe's `run`, such as on files of vectors.
    settings
        Fields of the config.
    """
    probe = PROBES[command]
    report = common.report(command)
    common.check(*models)
    check()
    layers = settings.get("layers")
    check_layers(common.model, layers if isinstance(layers, tuple) else None)
    config = probe.config_type()(seed=common.seed, **settings)
    with shown(quiet=common.quiet):
        name, given, extras = inputs()
        if measured is not None:
            result: Any = measured(config)
        else:
            kind: type[Any] = getattr(probe.load(f"results.{probe.module}"), probe.result)
            result = common.measured(report, name, kind, probe.run, *given, config, **extras)
        path = report.write(result, name)
    report.show(result, path, probe.verdict(result))

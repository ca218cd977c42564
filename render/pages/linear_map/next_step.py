"""What to do next: one command, made from the one that was typed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ....probe.results.linear_map import Direction
from ....probe.results.provenance import Provenance
from ...formatting import language_name

#: Options that every command on the same model and text takes, and whether a value follows.
CARRIED = {
    "--model": True,
    "--target-model": True,
    "--corpus": True,
    "--columns": True,
    "--limit": True,
    "--skip-bad": False,
    "--device": True,
    "--seed": True,
    "--trust-remote-code": False,
}
PIVOT = "en"


@dataclass(frozen=True, slots=True)
class Step:
    """A reason and a command to copy; `code` says whether it is Python."""

    reason: str
    command: str


def next_step(direction: Direction, provenance: Provenance) -> Step:
    """Return what follows from the verdict on search."""
    source, target = direction.source, direction.target
    verdict = "a map helps" if direction.use is None else direction.use.verdict
    if not provenance.models:
        return _step_of_arrays(direction, verdict)
    options = carried(provenance)
    pair = f"{shlex.quote(source)} {shlex.quote(target)}"
    if verdict == "no map needed":
        reason = "Search as you do now. This shows how well questions find the passages that answer them."
        return Step(reason, _join(f"polyglot probe questions {pair}", options, ("--model", "--device")))
    if verdict == "no map helps":
        inserted = source if source != PIVOT else target
        reason = f"Train the model on translations, which can teach it {language_name(inserted)} where no map can."
        known = tuple(name for name in CARRIED if name != "--target-model")
        return Step(reason, _join(f"polyglot train finetune --lang {shlex.quote(inserted)}", options, known))
    if verdict == "undecided":
        reason = "Measure more pairs, best of the text that you search."
        kept = tuple(name for name in CARRIED if name not in ("--corpus", "--columns", "--limit"))
        return Step(reason, _join(f"polyglot probe linear-map {pair} --corpus YOUR-PAIRS.tsv", options, kept))
    reason = "Fit the map. The folder it leaves is the model with the map inside; your index stays as it is."
    folder = shlex.quote(f"{source}-{target}")
    return Step(reason, _join(f"polyglot map fit {pair} --out {folder}", options, tuple(CARRIED)))


def _step_of_arrays(direction: Direction, verdict: str) -> Step:
    if verdict in ("a map helps", "no map needed"):
        from .first_screen import best_map

        maps = {"shift": "ShiftMap", "rotation": "RotationMap", "similarity": "SimilarityMap", "low_rank": "LowRankMap"}
        name = maps.get(best_map(direction), "RidgeMap")
        reason = "Fit the map to your arrays; `predict` moves new rows."
        files = f"np.load('{direction.source}.npy'), np.load('{direction.target}.npy')"
        return Step(reason, f'python -c "import numpy as np, polyglot; polyglot.{name}().fit({files})"')
    reason = "Measure more pairs."
    return Step(reason, f"polyglot probe linear-map --vectors {direction.source}.npy {direction.target}.npy")


def _join(command: str, options: dict[str, list[str]], names: tuple[str, ...]) -> str:
    return " ".join([command, *(shlex.join(words) for name in names for words in [options.get(name, [])] if words)])


def carried(provenance: Provenance) -> dict[str, list[str]]:
    """Return the options of the typed command that others take too, each with its words; the model always."""
    try:
        words = shlex.split(provenance.command)
    except ValueError:
        words = []
    found: dict[str, list[str]] = {}
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if name in CARRIED:
            given = [name, *([value] if value else words[place + 1 : place + 2])] if CARRIED[name] else [name]
            found[name] = [*found.get(name, []), *given]
    if "--model" not in found and provenance.models[0].model != "minilm":
        found["--model"] = ["--model", provenance.models[0].model]
    return found

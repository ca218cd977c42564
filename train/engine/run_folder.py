"""The folder of a run: settings, checkpoints, model and result. Every file appears whole or not at all.

RUN/run.json            stage, configuration, data fingerprints, versions
RUN/state/step-…/       the last checkpoint: weights, optimiser, random state, losses (safetensors), evaluations (JSON)
RUN/state/best/         the weights with the best held-out score, if that decides
RUN/metrics.jsonl       losses and scores during training
RUN/model/              the trained model, with its card and the fingerprint of its base
RUN/result.json         metrics before and after training
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError, OutputError
from ...files import remove_stale, replacing, write_bytes

if TYPE_CHECKING:
    import torch

RUN_FILE, RESULT_FILE, STATE, MODEL, BEST = "run.json", "result.json", "state", "model", "best"
LINEAGE_FILE = "polyglot.json"
NOT_COMPARED = ("resume", "out", "device")


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Everything from which training resumes."""

    step: int
    world: int
    weights: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]
    random_state: torch.Tensor  # (world, bytes) of uint8
    losses: torch.Tensor  # (step,) float64
    evaluations: list[Any]  # so far, as JSON values


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run folder.

    Parameters
    ----------
    path : Path
        The folder; it need not exist.
    """

    path: Path

    @property
    def model(self) -> Path:
        """Folder of the trained model."""
        return self.path / MODEL

    @property
    def result(self) -> Path:
        """File of the result."""
        return self.path / RESULT_FILE

    def check(self, *, resume: bool) -> None:
        """Check that a run can be started or resumed here; change nothing.

        Raises
        ------
        OutputError
            If the folder holds other files or a finished run, a run that is not to be resumed, or none to resume.
        """
        if resume and not (self.path / RUN_FILE).is_file():
            raise OutputError(f"{self.path} contains no run to resume: leave --resume out to start one there")
        if resume and self.result.is_file():
            raise OutputError(f"the run in {self.path} is finished: there is nothing to resume; give another --out")
        if not resume and self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            content = "a run already" if (self.path / RUN_FILE).is_file() else "other files"
            raise OutputError(f"{self.path} contains {content}: continue it with --resume, or give another --out")

    def start(self, settings: dict[str, Any]) -> None:
        """Write the settings of a new run.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        with self.writing("the run folder"):
            self.path.mkdir(parents=True, exist_ok=True)
            write_bytes(self.path / RUN_FILE, (json.dumps(settings, indent=1, ensure_ascii=False) + "\n").encode())

    def resume(self, settings: dict[str, Any]) -> None:
        """Check that a run is resumed with its own settings, and remove unfinished files.

        Raises
        ------
        ConfigError
            If its settings, data or base have changed.
        """
        old, new = _flat(self.settings()), _flat(json.loads(json.dumps(settings)))
        keys = sorted(key for key in {*old, *new} if key.split(".")[-1] not in NOT_COMPARED)
        changed = [key for key in keys if not key.startswith("chosen") and old.get(key) != new.get(key)]
        if changed:
            key = changed[0]
            raise ConfigError(
                f"the run in {self.path} was started with {key} = {old.get(key)!r}, now it is {new.get(key)!r}: "
                "resume it with the same options and data, or give another --out"
            )
        for folder in (self.path, self.path / STATE):
            remove_stale(folder, older_than=-math.inf)

    def settings(self) -> dict[str, Any]:
        """Return the settings with which the run was started."""
        settings: dict[str, Any] = json.loads((self.path / RUN_FILE).read_text(encoding="utf-8"))
        return settings

    # ------------------------------------------------------------ checkpoints

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Save a checkpoint, then delete the one before.

        Raises
        ------
        OutputError
            If it cannot be written; the one before is kept.
        """
        from safetensors.torch import save_file

        final = self.path / STATE / f"step-{checkpoint.step:09d}"
        with self.writing("a checkpoint"), replacing(final) as scratch:
            scratch.mkdir(parents=True)
            save_file(_on_cpu(checkpoint.weights), scratch / "weights.safetensors")
            save_file(_on_cpu(checkpoint.optimizer), scratch / "optimiser.safetensors")
            loop = {"rng": checkpoint.random_state.contiguous(), "losses": checkpoint.losses}
            save_file(loop, scratch / "loop.safetensors")
            position = {"step": checkpoint.step, "world": checkpoint.world, "moments": checkpoint.evaluations}
            (scratch / "loop.json").write_text(json.dumps(position))
        for older in self._checkpoints()[:-1]:
            shutil.rmtree(older, ignore_errors=True)

    def load_checkpoint(self, world: int) -> Checkpoint | None:
        """Return the last checkpoint, or None.

        Raises
        ------
        ConfigError
            If it was saved by another number of processes.
        """
        from safetensors.torch import load_file

        checkpoints = self._checkpoints()
        if not checkpoints:
            return None
        last = checkpoints[-1]
        position = json.loads((last / "loop.json").read_text())
        if position["world"] != world:
            raise ConfigError(
                f"the run in {self.path} was started with {position['world']} processes, now there are {world}: "
                "resume it with as many as before"
            )
        loop = load_file(last / "loop.safetensors")
        return Checkpoint(
            position["step"],
            world,
            load_file(last / "weights.safetensors"),
            load_file(last / "optimiser.safetensors"),
            loop["rng"],
            loop["losses"],
            position["moments"],
        )

    def save_best(self, weights: dict[str, torch.Tensor]) -> None:
        """Save the weights with the best score so far.

        Raises
        ------
        OutputError
            If they cannot be written; the last checkpoint is kept.
        """
        from safetensors.torch import save_file

        with self.writing("the best weights"), replacing(self.path / STATE / BEST) as scratch:
            scratch.mkdir(parents=True)
            save_file(_on_cpu(weights), scratch / "weights.safetensors")

    def load_best(self) -> dict[str, torch.Tensor]:
        """Return the weights with the best score."""
        from safetensors.torch import load_file

        return load_file(self.path / STATE / BEST / "weights.safetensors")

    def _checkpoints(self) -> list[Path]:
        return sorted((self.path / STATE).glob("step-*"))

    # ------------------------------------------------------------ model and result

    def save_model(self, save: Callable[[Path], None], *, base_fingerprint: str, card: str) -> None:
        """Save the trained model: `save` writes it into a scratch folder that is then renamed.

        Raises
        ------
        OutputError
            If it cannot be written; the run can be resumed from its last checkpoint.
        """
        with self.writing("the model"), replacing(self.model) as scratch:
            scratch.mkdir(parents=True)
            save(scratch)
            (scratch / LINEAGE_FILE).write_text(json.dumps({"base_fingerprint": base_fingerprint}) + "\n")
            (scratch / "README.md").write_text(card, encoding="utf-8")

    def finish(self, result: str) -> None:
        """Save the result and delete the checkpoints."""
        with self.writing("the result"):
            write_bytes(self.result, result.encode())
        shutil.rmtree(self.path / STATE, ignore_errors=True)

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Turn failures to write into one error that says what to do.

        Raises
        ------
        OutputError
        """
        from safetensors import SafetensorError

        try:
            yield
        except (OSError, SafetensorError) as error:
            raise OutputError(
                f"{what} cannot be written to {self.path}: {error}; free some space or mend the folder, "
                "then continue with --resume (or start again elsewhere with --out)"
            ) from error


def _on_cpu(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        key: leaf for name, part in value.items() for key, leaf in _flat(part, f"{prefix}.{name}".strip(".")).items()
    }

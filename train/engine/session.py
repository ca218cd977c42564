"""One run of a stage: its processes, its folder and its base, from the first check to the saved result."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...analysis.types import Floats32
from ...distributed import Processes
from ...errors import ModelError
from ...probe.results.training import TrainResult
from ..config import StageConfig
from ..model_card import model_card
from .precision import choose_precision
from .run_folder import RunFolder
from .signals import SignalHandler, handle_signals
from .student import Student, require_transformer, save_encoder

if TYPE_CHECKING:
    from ...models.encoder import Encoder
    from ...probe.results.provenance import Start


@dataclass(frozen=True, slots=True)
class Run:
    """An open run.

    Parameters
    ----------
    config : StageConfig
    folder : RunFolder
    processes : Processes
    started : Start
        When and by which command it was started.
    signals : SignalHandler
    progress : bool
        Whether progress bars and messages are shown.
    """

    config: StageConfig
    folder: RunFolder
    processes: Processes
    started: Start
    signals: SignalHandler
    progress: bool = False

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.config.loop.seed

    def announce(self, *lines: str) -> None:
        """Write lines to stderr if progress is shown."""
        if self.progress and self.processes.is_first:
            sys.stderr.writelines(f"{line}\n" for line in lines)

    @contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Let the first process run the context before the others, so that they find its results in the cache."""
        if not self.processes.is_first:
            self.processes.barrier()
        yield
        if self.processes.is_first:
            self.processes.barrier()

    def load(self, model: str) -> Encoder:
        """Load the base.

        Raises
        ------
        ModelError
            If it cannot be loaded, is no transformer, or its folder lacks the tokenizer (the library then makes an
            empty one).
        """
        from ...models.encoder import load_encoder

        with self.main_process_first():
            encoder = load_encoder(model, device=self.config.device)
        require_transformer(encoder)
        tokenizer = encoder.model.tokenizer
        if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
            raise ModelError(
                f"{model} has no tokenizer: expected tokenizer.json beside its weights; save the whole model again"
            )
        return encoder

    def start(self, base: Encoder | None, data: Sequence[str]) -> str:
        """Write the settings into the run folder, or check that a resumed run has the same ones.

        Parameters
        ----------
        base : Encoder, optional
        data : sequence of str
            Fingerprints of the text.

        Returns
        -------
        str
            Precision of matrix products; a resumed run keeps that of its start.
        """
        from ...models.loading import chosen_device
        from ...probe.results.provenance import versions

        settings: dict[str, Any] = {
            "stage": self.config.stage,
            "config": _as_json(self.config),
            "base_fingerprint": None if base is None else base.fingerprint,
            "data": list(data),
            "processes": self.processes.world_size,
        }
        if self.processes.is_first and not self.config.resume:
            device = chosen_device(self.config.device) if base is None else base.device
            chosen = {"precision": choose_precision(self.config.loop.precision, device), "versions": versions()}
            self.folder.start({**settings, "chosen": chosen})
        elif self.processes.is_first:
            self.folder.resume(settings)
        self.processes.barrier()
        self.signals.resumable = True
        return str(self.folder.settings()["chosen"]["precision"])

    def encode(self, encoder: Encoder, texts: Sequence[str]) -> Floats32:
        """Embed n texts through the user's cache, (n, d)."""
        from ...files import default_cache_dir
        from ...models.cache import EmbeddingCache
        from ...models.encoding import encode_cached

        cache = EmbeddingCache(default_cache_dir() / "embeddings")
        with self.main_process_first():
            return encode_cached(encoder, texts, cache=cache, progress=self.progress).pooled

    def trained_encoder(self, student: Student) -> Encoder:
        """Return the trained weights as an encoder with its own fingerprint and that of its base."""
        base = student.encoder
        return base.with_these_weights(
            name=str(self.folder.model), base_fingerprint=base.base_fingerprint or base.fingerprint
        )

    def save(self, encoder: Encoder, result: TrainResult) -> None:
        """Save model, card and result, in one process."""
        from ...probe.results.serialization import to_json

        if self.processes.is_first:
            save = partial(save_encoder, encoder)
            self.folder.save_model(save, base_fingerprint=result.base_fingerprint, card=model_card(result))
            self.folder.finish(to_json(result))
        self.processes.barrier()


@contextmanager
def open_run(config: StageConfig, command: str, *, progress: bool = False) -> Iterator[Run]:
    """Handle signals and check the run folder, before anything else.

    Parameters
    ----------
    config : StageConfig
    command : str
        The command line, for the provenance.
    progress : bool
        Whether progress bars and messages are shown.

    Raises
    ------
    OutputError
        If the folder cannot be used; see `RunFolder.check`.
    Interrupted
        If the process receives a signal.
    """
    from ...probe.results.provenance import Start

    folder = RunFolder(config.folder)
    processes = Processes.current()
    with handle_signals(defer_repeated=not processes.alone) as signals:
        folder.check(resume=config.resume)
        signals.resumable = config.resume
        processes.barrier()
        yield Run(config, folder, processes, Start.now(command), signals, progress)


def _as_json(value: Any) -> Any:  # noqa: ANN401 - any configuration
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _as_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    return str(value) if isinstance(value, Path) else value

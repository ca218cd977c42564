"""One run of a stage, from the folder that is refused to the result that is kept: what all stages do alike."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...distributed import Processes
from ...errors import ModelError
from ...probe.results.training import LanguageOutcome, Speed, TrainResult
from ..config import DataConfig, LoopConfig
from ..model_card import model_card
from .history import Watch
from .run_folder import RUN_FILE, RunFolder
from .sampler import BatchPlan, Source
from .signals import Signals, heeded_signals
from .student import Student, chosen_precision
from .trainer import Loop, LoopReport, Objective

if TYPE_CHECKING:
    from ...models.encoder import Encoder
    from ...probe.results.provenance import Origin
    from ...probe.results.serialization import Provenance


class StageConfig(Protocol):
    """What the configurations of all stages have."""

    @property
    def out(self) -> Path:
        """Run folder."""

    @property
    def resume(self) -> bool:
        """Whether an interrupted run goes on."""

    @property
    def device(self) -> str | None:
        """Torch device."""

    @property
    def loop(self) -> LoopConfig:
        """The loop."""

    @property
    def data(self) -> DataConfig:
        """The text."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that has been let into its folder.

    Parameters
    ----------
    config : StageConfig
    folder : RunFolder
    processes : Processes
    origin : Origin
        When and by which command it was started.
    signals : Signals
        What was asked of this process.
    progress : bool
        Whether bars are drawn, where somebody watches.
    """

    config: StageConfig
    folder: RunFolder
    processes: Processes
    origin: Origin
    signals: Signals
    progress: bool = False

    @property
    def seed(self) -> int:
        """Seed of everything."""
        return self.config.loop.seed

    def tell(self, *lines: str) -> None:
        """Say something before the work begins, where somebody watches."""
        if self.progress and self.processes.is_first:
            sys.stderr.writelines(f"{line}\n" for line in lines)

    @contextmanager
    def one_first(self) -> Iterator[None]:
        """Let one process through before the others, so that they find in the cache what it has made."""
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
            If it cannot be loaded, or its folder lacks the tokenizer (the library then makes an empty one).
        """
        from ...models.encoder import load_encoder

        with self.one_first():
            encoder = load_encoder(model, device=self.config.device)
        tokenizer = encoder.model.tokenizer
        if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
            raise ModelError(
                f"{model} has no tokenizer: expected tokenizer.json beside its weights; save it again whole"
            )
        return encoder

    def begin(self, encoder: Encoder | None, data: Sequence[str]) -> str:
        """Write down what the run was told, or compare it with what a resumed run was told.

        Parameters
        ----------
        encoder : Encoder, optional
            The base.
        data : sequence of str
            Fingerprints of the text.

        Returns
        -------
        str
            Precision of matrix products; on resuming, that of the start.
        """
        from ...probe.results.provenance import versions

        told: dict[str, Any] = {
            "stage": type(self.config).__name__.removesuffix("Config").lower(),
            "config": _plain(self.config),
            "base_fingerprint": None if encoder is None else encoder.fingerprint,
            "data": list(data),
            "processes": self.processes.world_size,
        }
        if self.processes.is_first and not self.config.resume:
            device = "cpu" if encoder is None else encoder.device
            chosen = {"precision": chosen_precision(self.config.loop.precision, device), "versions": versions()}
            self.folder.begin({**told, "chosen": chosen})
        elif self.processes.is_first:
            self.folder.take_up(told)
        self.processes.barrier()
        self.signals.resumable = True
        return str(json.loads((self.folder.path / RUN_FILE).read_text(encoding="utf-8"))["chosen"]["precision"])

    def encode(self, encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts through the user's cache."""
        from ...files import default_cache_dir
        from ...models.cache import EmbeddingCache
        from ...models.encoding import encode_cached

        cache = EmbeddingCache(default_cache_dir() / "embeddings")
        with self.one_first():
            return encode_cached(encoder, texts, cache=cache, progress=self.progress).pooled

    def train(self, objective: Objective, sources: Sequence[Source], watch: Watch | None = None) -> LoopReport:
        """Train over data sets as the settings say; what is watched is measured if they ask for it."""
        loop = self.config.loop
        plan = BatchPlan(sources, loop.batch_size, loop.epochs, loop.max_steps, loop.seed, self.processes.world_size)
        return Loop(objective, plan, self, watch if loop.watches else None).run()

    def trained(self, student: Student) -> Encoder:
        """Wrap trained weights as an encoder with a fingerprint of its own and the base's as its lineage."""
        from ...models.encoder import Encoder

        base = student.encoder
        return Encoder(
            student.model,
            name=str(self.folder.model),
            prompt=base.prompt,
            max_length=base.max_length,
            base_fingerprint=base.base_fingerprint or base.fingerprint,
        )

    def speed(self, report: LoopReport, precision: str, student: Student | None = None) -> Speed:
        """Put the report of a loop into a result, with the padding of the batches that a student saw."""
        import torch

        return Speed(
            report.steps,
            report.rows,
            round(report.seconds, 2),
            round(report.cpu_seconds, 2),
            round(report.rows_per_second, 2),
            precision,
            torch.get_num_threads(),
            self.processes.world_size,
            report.losses,
            student.fed.padding if student is not None else None,
        )

    def closed(self, base: Encoder | None, corpus: str, prints: Sequence[str], languages: Sequence[str]) -> Provenance:
        """Close the provenance.

        Parameters
        ----------
        base : Encoder, optional
            The model that was trained further.
        corpus : str
            Name of the text.
        prints : sequence of str
            Its fingerprints.
        languages : sequence of str
            Its languages.
        """
        from ...probe.results.provenance import provenance
        from ...probe.results.serialization import Side

        origin = self.origin
        if base is not None:
            sides = tuple(Side(language, base.name, base.fingerprint) for language in languages)
            origin = dataclasses.replace(origin, models=sides, device=base.device)
        return provenance(origin, corpus=corpus, fingerprint="+".join(prints), seed=self.seed)

    def keep(self, student: Student, result: TrainResult) -> None:
        """Write model, card and result, by one process."""
        from ...probe.results.serialization import to_json

        if self.processes.is_first:
            self.folder.save_model(student.save, base_fingerprint=result.base_fingerprint, card=model_card(result))
            self.folder.finish(to_json(result))
        self.processes.barrier()


@contextmanager
def opened_run(config: StageConfig, command: str, *, progress: bool = False) -> Iterator[Run]:
    """Join the processes, heed signals and check the run folder, before anything else.

    Raises
    ------
    OutputError
        If the folder holds something, or nothing that could be resumed.
    Interrupted
        If the process is told to stop.
    """
    from ...probe.results.provenance import Origin

    folder = RunFolder(Path(config.out))
    processes = Processes.current()
    with heeded_signals(patient=not processes.alone) as signals:
        folder.check(resume=config.resume)
        signals.resumable = config.resume
        processes.barrier()
        yield Run(config, folder, processes, Origin.now(command), signals, progress)


def corpus_name(config: StageConfig) -> str:
    """Return the name of the text of a run."""
    return " ".join(config.data.corpus) or "builtin"


def prints_of(outcomes: Sequence[LanguageOutcome]) -> list[str]:
    """Return the corpus fingerprints of languages."""
    return [outcome.corpus_fingerprint for outcome in outcomes]


def _plain(value: Any) -> Any:  # noqa: ANN401 - any configuration
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value

"""The result of a run, assembled in one place for all stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...analysis.resampling import Interval
from ...probe.results.training import SCHEMA, LanguageOutcome, Retention, Speed, TrainResult
from .history import TrainingReport
from .session import Run
from .student import Student

if TYPE_CHECKING:
    from ...models.encoder import Encoder

NEW_SPACE = "the vectors of this model are not in the space of its base: embed indexes again"


@dataclass(frozen=True, slots=True)
class TrainingText:
    """The text of a run, for the provenance: name of the corpus, fingerprints of its parts, languages."""

    corpus: str
    fingerprints: Sequence[str]
    languages: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutcome:
    """What a stage adds to the result of a run; see `TrainResult` for the fields."""

    method: str
    model: str
    text: TrainingText
    next_command: str
    languages: tuple[LanguageOutcome, ...] = ()
    retention: Retention | None = None
    scores: dict[str, Interval] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    shares_space_with_base: bool = False


def training_result(
    run: Run, student: Student, trained: Encoder, report: TrainingReport, outcome: StageOutcome
) -> TrainResult:
    """Assemble the result of a run.

    Parameters
    ----------
    run : Run
    student : Student
        Its encoder is the base.
    trained : Encoder
        The trained model.
    report : TrainingReport
    outcome : StageOutcome
    """
    from ...probe.results.provenance import Side

    base, text = student.encoder, outcome.text
    return TrainResult(
        schema=SCHEMA,
        stage=run.config.stage,
        method=outcome.method,
        model=outcome.model,
        base_fingerprint=trained.base_fingerprint or base.fingerprint,
        fingerprint=trained.fingerprint,
        run=str(run.folder.path),
        languages=outcome.languages,
        retention=outcome.retention,
        speed=_speed(run, student, report),
        scores=outcome.scores,
        warnings=outcome.warnings,
        next_command=outcome.next_command,
        provenance=run.started.provenance(
            corpus=text.corpus,
            fingerprint="+".join(text.fingerprints),
            seed=run.seed,
            models=tuple(Side(language, base.name, base.fingerprint) for language in text.languages),
            device=base.device,
        ),
        shares_space_with_base=outcome.shares_space_with_base,
        course=report.history,
    )


def _speed(run: Run, student: Student, report: TrainingReport) -> Speed:
    import torch

    return Speed(
        steps=report.steps,
        pairs=report.rows,
        seconds=round(report.seconds, 2),
        cpu_seconds=round(report.cpu_seconds, 2),
        pairs_per_second=round(report.rows_per_second, 2),
        precision=student.precision,
        threads=torch.get_num_threads(),
        processes=run.processes.world_size,
        losses=report.losses,
        padding=student.padding.share,
    )

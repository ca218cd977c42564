"""Finetuning without a new language: queries near the passages that answer them, with mined hard negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.resampling import Interval, percentile_interval
from ...errors import DataError
from ...files import default_cache_dir
from ...probe.results.training import SCHEMA, TrainResult
from ..config import ContrastiveConfig, FinetuneConfig
from ..engine.session import Run
from ..engine.student import Student
from ..evaluation.retention import (
    OldLanguage,
    OldScores,
    open_old_language,
    retention,
    score_old_language,
    without_questions,
)
from ..evaluation.validation import QuestionWatch
from ..objectives.hard_negatives import mined_negatives
from .contrastive import PRECISION, PairObjective, TextRows, info_nce

if TYPE_CHECKING:
    from ...data.questions import Questions

LEAST_QUERIES = 20
RESAMPLES = 1000
NAME = "retrieval of held-out questions (nDCG@10)"


def train_queries(config: FinetuneConfig, run: Run) -> TrainResult:
    """Train on questions and passages in the pivot language; questions of held-out passages measure it.

    Parameters
    ----------
    config : FinetuneConfig
        Without languages.
    run : Run

    Raises
    ------
    DataError
        If there are too few questions.
    """
    from ...data.questions import open_questions

    questions = open_questions(config.questions, config.pivot, config.pivot)
    training, held, deciding = _split_queries(questions.relevant, config)
    text, asked = _measured_text(questions, held, config)
    encoder = run.load(config.model)
    run.begin(encoder, [questions.fingerprint])
    before, asked_before = score_old_language(encoder, text), score_old_language(encoder, asked)
    student = Student(encoder, PRECISION)
    rows = _rows(student, questions, training, config, run)
    criterion = info_nce(student, ContrastiveConfig(out=config.out, scale=config.scale, mini_batch=16), run.processes)
    watch = QuestionWatch(encoder, _asked(questions, deciding))
    report = run.train(PairObjective(student, [rows], criterion, run.processes), [rows.source], watch)
    after = run.trained(student)
    result = TrainResult(
        schema=SCHEMA,
        stage="finetune",
        method="queries",
        model=config.model,
        base_fingerprint=after.base_fingerprint or encoder.fingerprint,
        fingerprint=after.fingerprint,
        run=str(run.folder.path),
        languages=(),
        retention=retention(text, before, score_old_language(after, text), config.retention, seed=run.seed),
        speed=run.speed(report, PRECISION, student),
        scores=_scores(asked_before, score_old_language(after, asked), run.seed),
        warnings=("the vectors of this model do not live in the space of its base: embed indexes again",),
        next_command=f"polyglot train finetune --lang fr --model {run.folder.model}",
        provenance=run.closed(encoder, questions.name, [questions.fingerprint], [config.pivot]),
        shares_space_with_base=False,
        course=report.course,
    )
    run.keep(student, result)
    return result


def _measured_text(
    questions: Questions, held: NDArray[np.int64], config: FinetuneConfig
) -> tuple[OldLanguage, OldLanguage]:
    """Return the text of retention, and the held-out questions among all passages.

    The built-in questions measure no retention here: most of them are trained on.
    """
    kept = open_old_language(config.retention, config.pivot, questions.passages)
    if config.retention.questions is None:
        kept = without_questions(kept)
    return kept, _asked(questions, held)


def _asked(questions: Questions, chosen: NDArray[np.int64]) -> OldLanguage:
    """Return some questions among all passages."""
    queries = [questions.queries[i] for i in chosen]
    return OldLanguage(None, queries, questions.passages, questions.relevant[chosen], [])


def _rows(
    student: Student, questions: Questions, training: NDArray[np.int64], config: FinetuneConfig, run: Run
) -> TextRows:
    """Return the training rows: query, passage, negatives."""
    queries, relevant = [questions.queries[i] for i in training], questions.relevant[training]
    passages, own = questions.passages, questions.negatives
    with run.one_first():
        mined = mined_negatives(
            student.encoder,
            queries,
            passages,
            relevant,
            negatives=config.negatives,
            margin=config.negative_margin,
            cache=default_cache_dir(),
        )
    given = [list(own[i]) if own is not None else [] for i in training]
    filled = fill_negatives(mined, given, relevant, len(passages), config)
    columns = [[passages[row[k]] for row in filled] for k in range(config.negatives)]
    return TextRows.of(student, queries, [passages[i] for i in relevant], *columns)


def _split_queries(
    relevant: NDArray[np.int64], config: FinetuneConfig
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return queries to train on, held out, and to watch: whole passages, drawn with the seed.

    The watched ones are the held-out ones, unless they decide which weights are kept.
    """
    passages = np.unique(relevant)
    count = max(1, round(config.data.held_out * len(passages)))
    drawn = np.random.default_rng([config.loop.seed, 7]).permutation(passages)
    held, deciding = drawn[:count], drawn[count : 2 * count] if config.loop.selects else drawn[:count]
    training = np.flatnonzero(~np.isin(relevant, [*held, *deciding]))
    if len(training) < LEAST_QUERIES or len(passages) < config.negatives + 2:
        raise DataError(
            f"{len(training)} questions over {len(passages)} passages are too few: expected at least {LEAST_QUERIES} "
            f"questions and {config.negatives + 2} passages; give more with --questions"
        )
    return training, *(np.flatnonzero(np.isin(relevant, part)) for part in (held, deciding))  # type: ignore[return-value]


def fill_negatives(
    mined: list[list[int]],
    given: list[list[int]],
    relevant: NDArray[np.int64],
    passages: int,
    config: FinetuneConfig,
) -> list[list[int]]:
    """Give every query the same number of negatives: the mined ones, those that came with it, then any others.

    Parameters
    ----------
    mined, given : list of list of int
        Passage numbers for each of q queries.
    relevant : (q,) int64
    passages : int
        Number of passages, at least two more than negatives are asked for.
    config : FinetuneConfig
        Says how many.
    """
    rng = np.random.default_rng([config.loop.seed, 17])
    filled = []
    for found, own, right in zip(mined, given, relevant.tolist(), strict=True):
        others = rng.permutation(passages)[: 2 * config.negatives + 2].tolist()
        row = [number for number in dict.fromkeys([*found, *own, *others]) if number != right]
        filled.append(row[: config.negatives])
    return filled


def _scores(before: OldScores, after: OldScores, seed: int) -> dict[str, Interval]:
    rng = np.random.default_rng([seed, 19])
    gains = 100 * np.column_stack([before.gains, after.gains])
    drawn = np.array([gains[rng.integers(len(gains), size=len(gains))].mean(axis=0) for _ in range(RESAMPLES)])
    means = gains.mean(axis=0)
    return {
        f"{NAME}, {when}": percentile_interval(float(means[i]), drawn[:, i])
        for i, when in enumerate(("before", "after"))
    }

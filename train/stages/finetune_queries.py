"""Finetuning without a new language: queries towards the passages that answer them, with mined hard negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Integers
from ...errors import DataError
from ...files import default_cache_dir
from ...probe.results.training import TrainResult
from ..config import FinetuneConfig
from ..engine.result import NEW_SPACE, StageOutcome, TrainingText, training_result
from ..engine.session import Run
from ..engine.student import Student
from ..engine.trainer import train
from ..evaluation.evaluators import QuestionEvaluator
from ..evaluation.metrics import scores_before_and_after
from ..evaluation.retention import RetentionBaseline, RetentionText, measure_retention, open_retention_text
from ..objectives.contrastive import PRECISION, ContrastiveObjective, TextRows, info_nce
from ..objectives.hard_negatives import mine_negatives

if TYPE_CHECKING:
    from ...data.questions import Questions

LEAST_QUERIES = 20
MINI_BATCH = 16


def train_queries(config: FinetuneConfig, run: Run) -> TrainResult:
    """Train on questions and passages in the pivot language, and measure on questions of held-out passages.

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
    training, held_out, validation = _split_queries(questions.relevant, config)
    text, test = open_retention_text(config.retention, config.pivot, questions.passages), _select(questions, held_out)
    if config.retention.questions is None:
        text = text.without_questions()  # most of the built-in questions are trained on
    encoder = run.load(config.model)
    run.start(encoder, [questions.fingerprint])
    baseline, before = RetentionBaseline.measure(encoder, text), measure_retention(encoder, test)
    student = Student(encoder, PRECISION)
    rows = _training_rows(student, questions, training, config, run)
    criterion = info_nce(student, run.processes, scale=config.scale, mini_batch=MINI_BATCH)
    objective = ContrastiveObjective(student, [rows], criterion, run.processes)
    report = train(run, objective, [rows.index], QuestionEvaluator(encoder, _select(questions, validation)))
    trained = run.trained_encoder(student)
    after, rng = measure_retention(trained, test), np.random.default_rng([run.seed, 19])
    name = "retrieval of held-out questions (nDCG@10)"
    outcome = StageOutcome(
        method="queries",
        model=config.model,
        text=TrainingText(questions.name, [questions.fingerprint], [config.pivot]),
        retention=baseline.compare(trained, config.retention, seed=run.seed),
        scores=scores_before_and_after(name, 100 * before.gains, 100 * after.gains, rng),
        warnings=(NEW_SPACE,),
        next_command=f"polyglot train finetune --lang fr --model {run.folder.model}",
    )
    result = training_result(run, student, trained, report, outcome)
    run.save(student.encoder, result)
    return result


def _select(questions: Questions, chosen: Integers) -> RetentionText:
    """Return some of the questions with all passages."""
    queries = [questions.queries[i] for i in chosen]
    return RetentionText(None, queries, questions.passages, questions.relevant[chosen], [])


def _training_rows(
    student: Student, questions: Questions, training: Integers, config: FinetuneConfig, run: Run
) -> TextRows:
    """Return the training rows: query, passage, negatives."""
    queries, relevant = [questions.queries[i] for i in training], questions.relevant[training]
    passages, own = questions.passages, questions.negatives
    with run.main_process_first():
        mined = mine_negatives(
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
    return TextRows.of_queries(student, queries, [passages[i] for i in relevant], *columns)


def _split_queries(relevant: Integers, config: FinetuneConfig) -> tuple[Integers, Integers, Integers]:
    """Return queries for training, test and validation, of whole passages drawn with the seed.

    The validation queries are the held-out ones, unless they decide which weights are kept.
    """
    passages = np.unique(relevant)
    count = max(1, round(config.data.held_out * len(passages)))
    drawn = np.random.default_rng([config.loop.seed, 7]).permutation(passages)
    held_out, validation = drawn[:count], drawn[count : 2 * count] if config.loop.selects_best else drawn[:count]
    training = np.flatnonzero(~np.isin(relevant, [*held_out, *validation]))
    if len(training) < LEAST_QUERIES or len(passages) < config.negatives + 2:
        raise DataError(
            f"{len(training)} questions over {len(passages)} passages are too few: expected at least {LEAST_QUERIES} "
            f"questions and {config.negatives + 2} passages; give more with --questions"
        )
    return training, *(np.flatnonzero(np.isin(relevant, part)) for part in (held_out, validation))  # type: ignore[return-value]


def fill_negatives(
    mined: list[list[int]],
    given: list[list[int]],
    relevant: Integers,
    passages: int,
    config: FinetuneConfig,
) -> list[list[int]]:
    """Give every query the same number of negatives: mined ones, then those of the question set, then random ones.

    Parameters
    ----------
    mined, given : list of list of int
        Passage numbers for each of q queries.
    relevant : array (q,) of int64
    passages : int
        Number of passages, at least two more than the negatives of a query.
    config : FinetuneConfig
        With the number of negatives.
    """
    rng = np.random.default_rng([config.loop.seed, 17])
    filled = []
    for hard, own, positive in zip(mined, given, relevant.tolist(), strict=True):
        others = rng.permutation(passages)[: 2 * config.negatives + 2].tolist()
        row = [number for number in dict.fromkeys([*hard, *own, *others]) if number != positive]
        filled.append(row[: config.negatives])
    return filled

"""Questions in one language, passages in another: does the right passage come first, before and after a map?

nDCG@10, MRR@10 and R@100 with one relevant passage a question. Intervals resample questions, by passage, since
questions on one passage fail together; the passages stay fixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.maps.hashed_words import HashedWords
from ...analysis.resampling import Resamples, percentile_interval
from ...analysis.retrieval.criteria import Criterion
from ...analysis.retrieval.ranks import match_ranks
from ...analysis.retrieval.scores import mean_intervals
from ...analysis.retrieval.search import nearest
from ...analysis.types import Floats, Integers, Labels, Rows
from ...errors import DataError
from ...stages import stage
from ..experiment import caveats
from ..experiment.pairs import side
from ..experiment.source_map import SourceMap, check_widths
from ..results.provenance import Start
from ..results.questions import MissedQuestion, PassageScores, QuestionResult, Ranking
from .config import QuestionConfig

if TYPE_CHECKING:
    from ...data.bitext import Bitext
    from ...data.questions import Questions
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder

CRITERIA: tuple[Criterion, ...] = ("cosine", "csls")
AS_THEY_ARE, THROUGH, REFERENCE = "as they are", "through ", "in the language of the passages"
WORDS = "words alone, a control"
SHOWN = 20


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Question vectors in the space of the passages."""

    name: str
    vectors: Rows  # (q, d)


def run(  # noqa: PLR0913 - the inputs of `retrieval.run`, and the reference
    encoders: tuple[Encoder, Encoder],
    questions: Questions,
    config: QuestionConfig = QuestionConfig(),  # noqa: B008 - frozen
    *,
    source_map: SourceMap | None = None,
    reference: Questions | None = None,
    words: Bitext | None = None,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> QuestionResult:
    """Search the passage that answers each question.

    Parameters
    ----------
    encoders : (Encoder, Encoder)
        Of the questions and of the passages; the same one twice for one model. Questions are read as queries and
        passages as documents, each with its prompt, unless an encoder was made with a prompt or a task.
    questions : Questions
        As `data.questions.open_questions` gives them.
    config : QuestionConfig
    source_map : SourceMap, optional
        A map for the question vectors: the search is scored without it (where the widths allow) and with it.
    reference : Questions, optional
        The same questions in the language of the passages: what could be reached. Read as queries by the encoder of
        the passages.
    words : Bitext, optional
        Pairs from the language of the questions to that of the passages; a ridge from their n-grams to the vectors of
        the passages' encoder is the control.
    cache : EmbeddingCache, optional
    command : str
        What was typed, for the provenance.
    batch_tokens : int, optional
        Token budget of a batch.
    progress : bool

    Raises
    ------
    DataError
        If the widths do not fit, or the reference is not of the same questions.
    """
    check_widths(encoders[0].dim, encoders[1].dim, source_map)
    if reference is not None and not np.array_equal(reference.relevant, questions.relevant):
        raise DataError("the reference does not hold the same questions in the same order")
    start = Start.now(command)
    stage("encoding questions and passages")
    encode = partial(_pooled, cache=cache, batch_tokens=batch_tokens, progress=progress)
    asking, answering = encoders[0].for_task("query"), encoders[1].for_task("document")
    passages, vectors = encode(answering, questions.passages), encode(asking, questions.queries)
    asked = [Asked(AS_THEY_ARE, vectors)] if encoders[0].dim == encoders[1].dim else []
    if source_map is not None:
        asked.append(Asked(f"{THROUGH}{source_map.name}", source_map.fitted.transform(vectors)))
    if words is not None:
        fitted = HashedWords.fit(words.sources, encode(answering, words.targets))
        asked.append(Asked(WORDS, fitted(questions.queries)))
    if reference is not None:
        asked.append(Asked(REFERENCE, encode(encoders[1].for_task("query"), reference.queries)))
    stage("searching passages")
    rankings = rank_passages(asked, passages, questions.relevant, config)
    used = next((one for one in asked if one.name.startswith(THROUGH)), asked[0])
    models = (side(questions.query_language, asking), side(questions.passage_language, answering))
    warnings = [] if source_map is None else [*source_map.caveats(questions.name, questions.fingerprint, models)]
    warnings += [*not_beyond_words(used, rankings, questions, config), *caveats.few_passages(len(questions.passages))]
    return QuestionResult(
        questions.query_language,
        questions.passage_language,
        len(questions),
        len(questions.passages),
        rankings,
        tuple(missed_questions(used, passages, rankings, questions)) if config.texts else (),
        config.resamples,
        config.permutations,
        source_map.name if source_map else "",
        tuple(warnings),
        questions_sentence(rankings, questions),
        start.provenance(
            corpus=questions.name,
            fingerprint=questions.fingerprint,
            seed=config.seed,
            models=models,
            device=encoders[0].device,
        ),
    )


def _pooled(
    encoder: Encoder, texts: list[str], *, cache: EmbeddingCache | None, batch_tokens: int | None, progress: bool
) -> Rows:
    from ...models.encoding import encode_cached

    return encode_cached(encoder, texts, cache=cache, batch_tokens=batch_tokens, progress=progress).pooled


def rank_passages(
    asked: Sequence[Asked], passages: Rows, relevant: Labels, config: QuestionConfig
) -> tuple[Ranking, ...]:
    """Score each set of question vectors (q, d) against passages (p, d) by cosine and by CSLS.

    Parameters
    ----------
    asked : sequence of Asked
        The first is what the others are compared with, if it is the questions as they are.
    passages : array (p, d)
    relevant : array (q,) of int
        The passage that answers each question.
    config : QuestionConfig
    """
    resamples = Resamples.draw(relevant, np.random.default_rng([config.seed, 1]), config.resamples)
    found: list[Ranking] = []
    plain: dict[str, Floats] = {}
    for criterion in CRITERIA:
        for part in asked:
            ranks = _ranks(part.vectors, passages, relevant, criterion)
            gain = _outcomes(ranks)["ndcg_at_10"]
            if part.name == AS_THEY_ARE:
                plain[criterion] = gain
            compared = criterion in plain and part.name != AS_THEY_ARE
            difference = percentile_interval(*resamples.mean(gain - plain[criterion])) if compared else None
            null = permuted_scores(part.vectors, passages, relevant, criterion, config)
            intervals = mean_intervals(_outcomes(ranks), resamples)
            scores = PassageScores(**{name: value.with_null(null[name]) for name, value in intervals.items()})
            found.append(Ranking(part.name, criterion, scores, difference, tuple(ranks.tolist())))
    return tuple(found)


def _ranks(questions: Rows, passages: Rows, relevant: Labels, criterion: Criterion) -> Integers:
    return match_ranks(questions, passages, relevant, np.arange(len(passages)))[0].of(criterion)


def _outcomes(ranks: Integers) -> dict[str, Floats]:
    within = (ranks <= 10).astype(np.float64)
    return {
        "ndcg_at_10": within / np.log2(1 + ranks),
        "mrr_at_10": within / ranks,
        "recall_at_100": (ranks <= 100).astype(np.float64),
        "p_at_1": (ranks <= 1).astype(np.float64),
    }


def permuted_scores(
    questions: Rows, passages: Rows, relevant: Labels, criterion: Criterion, config: QuestionConfig
) -> dict[str, list[float]]:
    """Score the same search with the answers of the questions permuted."""
    rng = np.random.default_rng([config.seed, 2])
    null: dict[str, list[float]] = {}
    for _ in range(config.permutations):
        ranks = _ranks(questions, passages, rng.permutation(relevant), criterion)
        for name, outcome in _outcomes(ranks).items():
            null.setdefault(name, []).append(float(outcome.mean()))
    return null


def not_beyond_words(
    used: Asked, rankings: tuple[Ranking, ...], questions: Questions, config: QuestionConfig
) -> Iterator[str]:
    """Warn if a search is not surely better than words alone, question by question."""
    ranks = {ranking.name: np.array(ranking.ranks) for ranking in rankings if ranking.criterion == "cosine"}
    if WORDS not in ranks or used.name == WORDS:
        return
    gains = [_outcomes(ranks[name])["ndcg_at_10"] for name in (used.name, WORDS)]
    resamples = Resamples.draw(questions.relevant, np.random.default_rng([config.seed, 3]), config.resamples)
    gain = percentile_interval(*resamples.mean(gains[0] - gains[1]))
    if gain.low <= 0:
        difference = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]".replace("-", "−")
        yield f"the search {used.name} does not beat words alone: nDCG@10 differs by {difference}"


def missed_questions(
    used: Asked, passages: Rows, rankings: tuple[Ranking, ...], questions: Questions
) -> Iterator[MissedQuestion]:
    """Yield the questions whose answer ranks last by cosine, with the first passage."""
    ranks = np.array(next(r.ranks for r in rankings if r.name == used.name and r.criterion == "cosine"))
    rows = [row for row in np.argsort(-ranks, kind="stable").tolist() if ranks[row] > 1][:SHOWN]
    if not rows:
        return
    first = nearest(used.vectors[rows], passages, k=1)[1][:, 0]
    for row, place in zip(rows, first.tolist(), strict=True):
        right = questions.passages[int(questions.relevant[row])]
        yield MissedQuestion(questions.queries[row], right, questions.passages[place], int(ranks[row]))


def questions_sentence(rankings: tuple[Ranking, ...], questions: Questions) -> str:
    """Say nDCG@10 by cosine of every set of question vectors, and what a map changes."""
    parts = []
    for ranking in rankings:
        if ranking.criterion != "cosine":
            continue
        score, change = ranking.scores.ndcg_at_10, ranking.difference
        part = f"{ranking.name} {score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"
        if change is not None and ranking.name.startswith(THROUGH):
            gain = f"{change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]".replace("-", "−")
            part += f", a change of {gain}"
        parts.append(part)
    return (
        f"{questions.query_language} questions, {questions.passage_language} passages: nDCG@10 {'; '.join(parts)} "
        f"among {len(questions.passages)} passages."
    )


__all__ = ["QuestionConfig", "rank_passages", "run"]

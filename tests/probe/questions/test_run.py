"""Question → passage retrieval: known rankings, literal formulas, and the built-in set through an encoder."""

from types import SimpleNamespace

import numpy as np
import pytest
from polyglot.analysis.maps.estimators import RotationMap
from polyglot.data.open import open_corpus
from polyglot.data.questions import open_questions
from polyglot.errors import ConfigError, DataError, MissingExtraError
from polyglot.probe.experiment.source_map import SourceMap
from polyglot.probe.questions.config import QuestionConfig
from polyglot.probe.questions.run import AS_THEY_ARE, REFERENCE, WORDS, Asked, not_beyond_words, rank_passages, run
from polyglot.probe.results.questions import QuestionResult
from polyglot.probe.results.serialization import from_json, to_json
from sklearn.metrics import ndcg_score

QUICK = QuestionConfig(resamples=200)


@pytest.fixture(scope="module")
def clouds():
    rng = np.random.default_rng(0)
    passages = rng.standard_normal((150, 10))
    relevant = rng.integers(0, 150, 200)
    return passages, relevant, passages[relevant] + 1.2 * rng.standard_normal((200, 10))


def test_the_passages_themselves_are_found_first(clouds):
    passages, relevant, _ = clouds
    for ranking in rank_passages([Asked(AS_THEY_ARE, 2 * passages[relevant])], passages, relevant, QUICK):
        assert set(ranking.ranks) == {1}
        assert ranking.scores.ndcg_at_10.value == ranking.scores.mrr_at_10.value == 1.0


def test_scores_are_the_literal_ones(clouds):
    passages, relevant, questions = clouds
    ranking = rank_passages([Asked(AS_THEY_ARE, questions)], passages, relevant, QUICK)[0]
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (questions, passages)]
    cosines = unit[0] @ unit[1].T
    wanted = np.eye(len(passages))[relevant]
    assert ranking.scores.ndcg_at_10.value == pytest.approx(ndcg_score(wanted, cosines, k=10))
    order = np.argsort(-cosines, axis=1)
    places = np.argmax(order == relevant[:, None], axis=1) + 1
    assert ranking.ranks == tuple(places.tolist())
    assert ranking.scores.mrr_at_10.value == pytest.approx(np.mean(np.where(places <= 10, 1 / places, 0)))
    assert ranking.scores.recall_at_100.value == pytest.approx(np.mean(places <= 100))
    assert ranking.scores.ndcg_at_10.null_p95 < ranking.scores.ndcg_at_10.low


def test_a_map_is_compared_row_by_row(clouds):
    passages, relevant, questions = clouds
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((10, 10)))[0]
    asked = [Asked(AS_THEY_ARE, questions @ turn), Asked("through turn", questions)]
    plain, mapped = (r for r in rank_passages(asked, passages, relevant, QUICK) if r.criterion == "cosine")
    assert plain.difference is None
    assert mapped.difference is not None
    assert mapped.difference.low > 0
    change = mapped.scores.ndcg_at_10.value - plain.scores.ndcg_at_10.value
    assert mapped.difference.value == pytest.approx(change)


def test_questions_on_one_passage_are_resampled_together(clouds):
    passages, relevant, questions = clouds
    single = rank_passages([Asked(AS_THEY_ARE, questions)], passages, relevant, QUICK)[0].scores.p_at_1
    repeated = rank_passages(
        [Asked(AS_THEY_ARE, np.repeat(questions, 4, axis=0))], passages, np.repeat(relevant, 4), QUICK
    )[0].scores.p_at_1
    assert repeated.value == pytest.approx(single.value)
    assert repeated.high - repeated.low == pytest.approx(single.high - single.low, rel=0.25)


def test_a_search_that_is_not_better_than_words_says_so(clouds):
    passages, relevant, questions = clouds
    noise = np.random.default_rng(4).standard_normal(questions.shape)
    held = SimpleNamespace(relevant=relevant)
    for used, warned in ((questions, False), (questions + 3 * noise, True)):
        asked = [Asked(AS_THEY_ARE, used), Asked(WORDS, questions + noise)]
        warnings = list(not_beyond_words(asked[0], rank_passages(asked, passages, relevant, QUICK), held, QUICK))
        assert bool(warnings) is warned
        assert all("does not beat words alone: nDCG@10 differs by −" in warning for warning in warnings)


@pytest.fixture(scope="module")
def minilm():
    from polyglot.models.encoder import load_encoder

    try:
        return load_encoder("minilm", device="cpu")
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_the_built_in_questions_before_and_after_a_map(minilm):
    questions, reference = open_questions(None, "fr", "en"), open_questions(None, "en", "en")
    identity = RotationMap().fit(np.eye(384), np.eye(384))
    bitext = open_corpus(None, ("fr", "en"), limit=200).bitext("fr", "en")
    extras = {"source_map": SourceMap(identity, "same"), "reference": reference, "words": bitext}
    result = run((minilm, minilm), questions, QUICK, **extras)
    assert (result.questions, result.passages) == (len(questions), len(questions.passages))
    names = [r.name for r in result.rankings if r.criterion == "cosine"]
    assert names == [AS_THEY_ARE, "through same", WORDS, REFERENCE]
    plain, same, words, english = (r.scores.ndcg_at_10.value for r in result.rankings[:4])
    assert words > result.rankings[2].scores.ndcg_at_10.null_p95
    assert same == pytest.approx(plain, abs=0.01)
    assert english > plain + 0.2
    assert "nDCG@10 as they are" in result.sentence
    assert from_json(to_json(result), QuestionResult) == result
    assert all(m.rank > 1 for m in result.missed)
    with pytest.raises(DataError, match="takes width 8 to 8, the sides are 384"):
        run((minilm, minilm), questions, QUICK, source_map=SourceMap(RotationMap().fit(np.eye(8), np.eye(8)), "x"))


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="at least 100 resamples"):
        QuestionConfig(resamples=3)

"""Questions are read as the library's `encode_query` reads them, passages as its `encode_document`, by one model."""

import json

import numpy as np
import pytest
from polyglot.data.bitext import Bitext
from polyglot.data.questions import open_questions
from polyglot.models import encoder as encoders
from polyglot.models.cache import EmbeddingCache
from polyglot.models.encoder import load_encoder
from polyglot.probe.experiment import reuse
from polyglot.probe.questions import run as probe
from polyglot.probe.questions.config import QuestionConfig
from polyglot.train.engine.student import Student
from polyglot.train.evaluation.retention import RetentionText, measure_retention, ndcg_at_10
from polyglot.train.objectives.contrastive import TextRows

PROMPTS = {"query": "ask ", "document": "tell me x "}
QUICK = QuestionConfig(resamples=100)


@pytest.fixture
def both(save_model, zoo):
    """The folder of a model that has a prompt for queries, which is the default, and another for documents."""
    return save_model(zoo["combined"], prompts=PROMPTS, default_prompt_name="query")


@pytest.fixture
def asked(tmp_path, sixty):
    """The folder of a question set: sentences of letters ask, and others answer."""
    for language, queries in (("fr", sixty.sources), ("en", sixty.targets)):
        paragraphs = [
            {
                "context": " ".join(reversed(sixty.targets[row].split())),
                "qas": [{"id": str(row), "question": queries[row], "answers": [{"text": "a", "answer_start": 0}]}],
            }
            for row in range(40)
        ]
        (tmp_path / "asked").mkdir(exist_ok=True)
        text = json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]})
        (tmp_path / "asked" / f"letters.{language}.json").write_text(text)
    return tmp_path / "asked"


@pytest.fixture
def sets(asked):
    return open_questions(asked, "fr", "en"), open_questions(asked, "en", "en")


def vectors_searched(monkeypatch, encoder, sets, words=None):
    """Run the probe; return its result, the vectors that it searched with by name, and those of the passages."""
    seen = {}
    rank = probe.rank_passages

    def watch(parts, passages, *rest):
        seen.update({part.name: part.vectors for part in parts}, passages=passages)
        return rank(parts, passages, *rest)

    monkeypatch.setattr(probe, "rank_passages", watch)
    return probe.run((encoder, encoder), sets[0], QUICK, reference=sets[1], words=words), seen


def test_questions_and_passages_are_read_as_the_library_reads_them(both, sets, monkeypatch):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(both), device="cpu")
    result, seen = vectors_searched(monkeypatch, load_encoder(str(both), device="cpu"), sets)
    for name, expected in (
        (probe.AS_THEY_ARE, model.encode_query(sets[0].queries)),
        (probe.REFERENCE, model.encode_query(sets[1].queries)),
        ("passages", model.encode_document(sets[0].passages)),
    ):
        np.testing.assert_allclose(seen[name], expected, atol=1e-6)
    assert np.abs(seen["passages"] - model.encode_query(sets[0].passages)).max() > 0.01
    prints = [load_encoder(str(both), device="cpu", task=task).fingerprint for task in PROMPTS]
    assert [side.model_fingerprint for side in result.provenance.models] == prints
    assert len(set(prints)) == 2


def test_words_are_fitted_to_targets_as_passages_are_read(both, sets, sixty, monkeypatch):
    targets = []
    fit = probe.HashedWords.fit
    monkeypatch.setattr(probe.HashedWords, "fit", lambda texts, y, **more: targets.append(y) or fit(texts, y, **more))
    encoder = load_encoder(str(both), device="cpu")
    bitext: Bitext = sixty
    vectors_searched(monkeypatch, encoder, sets, bitext)
    np.testing.assert_allclose(targets[0], encoder.model.encode_document(list(bitext.targets)), atol=1e-6)


@pytest.mark.parametrize("asked_for", [{"prompt": "x: "}, {"prompt": ""}, {"task": "query"}])
def test_a_prompt_or_a_task_that_was_asked_for_stands(both, sets, monkeypatch, asked_for):
    encoder = load_encoder(str(both), device="cpu", **asked_for)
    assert encoder.for_task("document") is encoder
    _, seen = vectors_searched(monkeypatch, encoder, sets)
    np.testing.assert_array_equal(seen["passages"], encoder.encode(sets[0].passages).pooled)


def test_weights_are_loaded_once_and_only_if_something_is_not_cached(both, sets, monkeypatch, tmp_path):
    loads, load = [], encoders.load_model
    monkeypatch.setattr(encoders, "load_model", lambda card, **rest: loads.append(card.name) or load(card, **rest))
    results = []
    for _ in range(2):
        encoder = load_encoder(str(both), device="cpu", notes=tmp_path / "notes")
        cache = EmbeddingCache(tmp_path / "cache")
        results.append(probe.run((encoder, encoder), sets[0], QUICK, reference=sets[1], cache=cache))
        assert len(loads) == 1
    assert results[0].rankings == results[1].rankings
    assert encoder.for_task("document").encode(["a b"]).pooled.shape == (1, 16)
    assert encoder.encode(["a b"]).pooled.shape == (1, 16)
    assert len(loads) == 2
    assert encoder.for_task("document").model is encoder.model


def test_a_result_is_not_that_of_another_prompt_of_passages(both, change_settings):
    before = load_encoder(str(both), device="cpu")
    change_settings(both, prompts=PROMPTS | {"document": "other "})
    after = load_encoder(str(both), device="cpu")
    assert before.fingerprint == after.fingerprint
    assert list(reuse.words_of(before)) != list(reuse.words_of(after))


def test_a_model_without_prompts_is_one_encoder(save_model, zoo):
    encoder = load_encoder(str(save_model(zoo["combined"])), device="cpu")
    for task in PROMPTS:
        assert encoder.for_task(task).fingerprint == encoder.fingerprint
        assert encoder.for_task(task).prompt == ""


def test_a_model_that_takes_e5_prompts_has_that_of_passages():
    from polyglot.models.registry import known, resolve

    assert [resolve("intfloat/multilingual-e5-base").prompt_for(task) for task in (None, "query", "document")] == [
        "query: ",
        "query: ",
        "passage: ",
    ]
    assert all((card.prompt == "query: ") == (card.passage_prompt == "passage: ") for card in known())


def test_retention_questions_are_read_so_too_before_and_after_training(both, sets):
    encoder = load_encoder(str(both), device="cpu")
    text = RetentionText(None, sets[1].queries, sets[1].passages, sets[1].relevant, [])
    scores = encoder.model.encode_query(text.queries) @ encoder.model.encode_document(text.passages).T
    expected = ndcg_at_10(scores, text.relevant)
    assert np.ptp(expected) > 0
    trained = encoder.with_these_weights(name="trained", base_fingerprint=encoder.fingerprint)
    for one in (encoder, trained):
        np.testing.assert_allclose(measure_retention(one, text).gains, expected, atol=1e-9)


def test_questions_are_trained_with_the_prompts_of_their_tasks(both, sets):
    student = Student(load_encoder(str(both), device="cpu"), "float32")
    rows = TextRows.of_queries(student, sets[1].queries, sets[1].passages)
    model = student.model
    for reader, column, expected in zip(
        rows.readers,
        rows.columns,
        (model.encode_query(sets[1].queries), model.encode_document(sets[1].passages)),
        strict=True,
    ):
        np.testing.assert_allclose(reader.forward(column).detach().numpy(), expected, atol=1e-5)
        assert reader.model is student.model
        assert reader.padding is student.padding

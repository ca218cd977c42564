"""A map from elsewhere: where it was fitted is said wherever it is scored, with the gain row by row."""

import dataclasses

import numpy as np
import pytest
from polyglot.errors import DataError
from polyglot.probe.experiment.source_map import SourceMap
from polyglot.probe.fitted_map.run import MapFitConfig, fit_vectors
from polyglot.probe.results.provenance import Side
from polyglot.probe.results.retrieval import RetrievalResult
from polyglot.probe.results.serialization import from_json, to_json
from polyglot.probe.retrieval.run import RetrievalConfig, measure

WIDTH, NOISE = 12, 0.5
FRENCH, ENGLISH = Side("fr", "minilm", "a1"), Side("en", "minilm", "a1")


def paired(n, seed):
    """Rows of one turned space and of the other."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(np.random.default_rng(7).standard_normal((WIDTH, WIDTH)))[0]
    y = rng.standard_normal((n, WIDTH))
    return (y + NOISE * rng.standard_normal((n, WIDTH))) @ turn, y


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("map") / "turn"
    fit_vectors(*paired(200, 1), place, config=MapFitConfig(rung="rotation", resamples=100, permutations=2))
    return place


@pytest.fixture(scope="module")
def searched(folder):
    return measure(*paired(160, 2), config=RetrievalConfig(resamples=300), source_map=SourceMap.load(folder))


def named(through, corpus="news", sides=()):
    """Return the same map as if it had been fitted to a named corpus."""
    made = dataclasses.replace(through.record.provenance, corpus=corpus, corpus_fingerprint="c0", models=sides)
    return dataclasses.replace(through, record=dataclasses.replace(through.record, provenance=made))


def test_the_gain_is_paired_and_stands_beside_both_scores(searched):
    assert from_json(to_json(searched), RetrievalResult) == searched
    plain = measure(*paired(160, 2), config=RetrievalConfig(resamples=300))
    for direction, unmapped in zip(searched.directions, plain.directions, strict=True):
        assert direction.before == unmapped.scores
        for criterion, gain in direction.map_gains.items():
            after, before = direction.scores[criterion].p_at_1, direction.before[criterion].p_at_1
            assert gain.value == pytest.approx(after.value - before.value)
            assert 0.5 < gain.low < gain.value < gain.high
            # hits that are right with and without the map cancel row by row
            assert gain.high - gain.low < (after.high - after.low) + (before.high - before.low)
        unaided = 100 * direction.before["cosine"].p_at_1.value
        assert f"without the map it is {unaided:.1f} %" in direction.sentence
        assert "a change of +" in direction.sentence
    assert plain.directions[0].before == plain.directions[0].map_gains == {}


def test_the_map_and_its_text_are_named_first(folder):
    through = named(SourceMap.load(folder))
    said = list(through.caveats("recipes", "c1", ()))
    assert said == [
        "map fitted on news (200 pairs), scored on recipes: the gap between the two texts is part of these scores"
    ]
    assert "the same rows" in next(through.caveats("news", "c0", ()))
    assert "may share rows" in next(through.caveats("news", "c1", ()))
    result = measure(*paired(60, 3), config=RetrievalConfig(resamples=100), source_map=through)
    for direction in result.directions:
        assert direction.warnings[0].startswith("map fitted on news (200 pairs), scored on arrays")


def test_other_models_and_languages_are_named(folder):
    through = named(SourceMap.load(folder), sides=(FRENCH, ENGLISH))
    assert len(list(through.caveats("recipes", "c1", (FRENCH, ENGLISH)))) == 1
    tuned, german = Side("fr", "runs/tuned", "b2"), Side("de", "minilm", "a1")
    assert list(through.caveats("recipes", "c1", (tuned, ENGLISH)))[1:] == [
        "map fitted for minilm on the source side, not for these weights of runs/tuned"
    ]
    assert list(through.caveats("recipes", "c1", (german, ENGLISH)))[1:] == [
        "map fitted with fr on the source side, used on de"
    ]


def test_a_map_without_a_record_is_used_and_a_damaged_record_is_not(folder, tmp_path):
    from shutil import copytree

    bare = copytree(folder, tmp_path / "bare")
    (bare / "fit.json").write_text("{}")
    with pytest.raises(DataError, match="not a result"):
        SourceMap.load(bare)
    (bare / "fit.json").unlink()
    through = SourceMap.load(bare)
    assert through.record is None
    assert list(through.caveats("recipes", "c1", ())) == []


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("language", ["fr", "de"])
def test_a_map_from_captions_and_news_finds_more_elsewhere(shared_data, tmp_path, language):
    from polyglot.data.open import open_corpus
    from polyglot.models.cache import EmbeddingCache
    from polyglot.models.encoder import load_encoder
    from polyglot.probe.fitted_map.run import fit
    from polyglot.probe.retrieval.run import run as search

    encoder, cache = load_encoder("minilm", device="cpu"), EmbeddingCache(tmp_path / "cache")
    similar = open_corpus([str(shared_data / "stsb:train")], (language, "en"), limit=2500).bitext(language, "en")
    config = MapFitConfig(rung="rotation", resamples=100, permutations=2)
    fit((encoder, encoder), similar, tmp_path / "map", config, cache=cache)
    through = SourceMap.load(tmp_path / "map")
    code = {"fr": "fra", "de": "deu"}[language]
    files = [str(shared_data / "tatoeba" / f"tatoeba.{code}-eng.{side}") for side in (code, "eng")]
    tatoeba = open_corpus(files, (language, "en")).bitext(language, "en")
    found = search((encoder, encoder), tatoeba, RetrievalConfig(), source_map=through, cache=cache)
    assert found.directions[0].map_gains["cosine"].low > 0.05
    for direction in found.directions:
        assert direction.map_gains["cosine"].low > 0
        assert "map fitted on stsb:train (2500 pairs)" in direction.warnings[0]


@pytest.mark.shared
@pytest.mark.slow
def test_a_shift_from_similar_sentences_finds_more_passages(shared_data, tmp_path):
    """A rotation of the same pairs does not: what it learns of its text need not hold elsewhere (docs/guide-map.md)."""
    from polyglot.data.open import open_corpus
    from polyglot.data.questions import open_questions
    from polyglot.models.cache import EmbeddingCache
    from polyglot.models.encoder import load_encoder
    from polyglot.probe.fitted_map.run import fit
    from polyglot.probe.questions.config import QuestionConfig
    from polyglot.probe.questions.run import run

    encoder, cache = load_encoder("minilm", device="cpu"), EmbeddingCache(tmp_path / "cache")
    similar = open_corpus([str(shared_data / "stsb:train")], ("de", "en"), limit=1000).bitext("de", "en")
    config = MapFitConfig(rung="shift", resamples=100, permutations=2)
    fit((encoder, encoder), similar, tmp_path / "map", config, cache=cache)
    questions = open_questions(shared_data / "xquad", "de", "en").limited(400)
    through = SourceMap.load(tmp_path / "map")
    result = run((encoder, encoder), questions, QuestionConfig(), source_map=through, cache=cache)
    mapped = next(r for r in result.rankings if r.name == "through map" and r.criterion == "cosine")
    assert mapped.difference.low > 0
    assert result.warnings[0].startswith("map fitted on stsb:train (1000 pairs), scored on xquad")

import json

import pytest
from polyglot.data.questions import open_questions
from polyglot.errors import ConfigError, DataError


def xquad(folder, language, *, questions=2, order=(0, 1), word=""):
    def asked(i):
        return [{"id": f"{i}-{k}", "question": f"{language} {i}-{k}?"} for k in range(questions)]

    paragraphs = [{"context": f" {language} context {i}{word} ", "qas": asked(i)} for i in order]
    content = {"data": [{"paragraphs": paragraphs[:1]}, {"paragraphs": paragraphs[1:]}]}
    (folder / f"xquad.{language}.json").write_text(json.dumps(content))


def test_the_built_in_set_has_hard_negatives_of_the_same_topic():
    questions = open_questions(None, "fr", "eng")
    assert (questions.query_language, questions.passage_language) == ("fr", "en")
    assert len(questions) == len(questions.relevant) == len(questions.negatives) >= 250
    assert questions.queries[0].endswith("?")
    for positive, negatives in zip(questions.relevant, questions.negatives, strict=True):
        assert len(negatives) == 2
        assert {positive // 3} == {negative // 3 for negative in negatives}
        assert positive not in negatives
    assert questions.fingerprint != open_questions(None, "en", "en").fingerprint


def test_folders_in_the_format_of_xquad(tmp_path):
    xquad(tmp_path, "en")
    xquad(tmp_path, "zh")
    questions = open_questions(tmp_path, "zho_Hans", "en")
    assert questions.queries == ["zh 0-0?", "zh 0-1?", "zh 1-0?", "zh 1-1?"]
    assert questions.passages == ["en context 0", "en context 1"]
    assert questions.relevant.tolist() == [0, 0, 1, 1]
    assert questions.negatives is None
    assert open_questions(tmp_path, "en", "en").queries[0] == "en 0-0?"


@pytest.mark.parametrize("change", [{"questions": 3}, {"order": (1, 0)}, {"order": (0, 1, 2)}])
def test_files_that_are_not_aligned_are_refused(tmp_path, change):
    xquad(tmp_path, "en")
    xquad(tmp_path, "fr", **change)
    with pytest.raises(DataError, match="are not aligned"):
        open_questions(tmp_path, "fr", "en")


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"data": [{"paragraphs": [{"context": "a"}]}]}', '{"data": 3}', "\xff"]
)
def test_other_formats_are_refused(tmp_path, content):
    (tmp_path / "xquad.en.json").write_text(content, "latin-1")
    with pytest.raises(DataError, match="not in the format of XQuAD"):
        open_questions(tmp_path, "en", "en")


@pytest.mark.parametrize("value", [None, 3, ["a"], {"text": "a"}, "", "\u200b"])
@pytest.mark.parametrize("key", ["context", "question"])
def test_values_that_are_no_text_are_refused(tmp_path, key, value):
    paragraph = {"context": "a", "qas": [{"id": "1", "question": "b?"}]}
    (paragraph if key == "context" else paragraph["qas"][0])[key] = value
    (tmp_path / "xquad.en.json").write_text(json.dumps({"data": [{"paragraphs": [paragraph]}]}))
    with pytest.raises(DataError, match=r"not in the format of XQuAD .*is .* and no text"):
        open_questions(tmp_path, "en", "en")


def test_files_are_found_by_language_region_and_script(tmp_path):
    for name in ("en-US", "zh-TW", "zh-CN"):
        xquad(tmp_path, name)
    questions = open_questions(tmp_path, "en", "zh")
    assert (questions.queries[0], questions.passages[0]) == ("en-US 0-0?", "zh-CN context 0")
    assert open_questions(None, "en-US", "fr").queries == open_questions(None, "en", "fr").queries
    xquad(tmp_path, "cmn")
    xquad(tmp_path, "zh")
    with pytest.raises(DataError, match=r"xquad\.cmn\.json and xquad\.zh\.json are both Chinese"):
        open_questions(tmp_path, "en", "zh")


def test_missing_folders_and_languages_are_named(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        open_questions(tmp_path / "none", "en", "en")
    xquad(tmp_path, "en")
    with pytest.raises(DataError, match=r"no French \(fr\): it holds en"):
        open_questions(tmp_path, "fr", "en")
    with pytest.raises(DataError, match=r"the built-in question set has no German \(de\): it holds en, fr"):
        open_questions(None, "de", "en")


def test_a_limit_draws_questions_and_keeps_all_passages(tmp_path):
    xquad(tmp_path, "en", questions=30)
    xquad(tmp_path, "fr", questions=30)
    whole, same = (open_questions(tmp_path, language, "en") for language in ("fr", "en"))
    drawn, beside = whole.limited(7, seed=3), same.limited(7, seed=3)
    assert len(drawn) == len(drawn.relevant) == 7
    assert drawn.passages == whole.passages
    places = [whole.queries.index(query) for query in drawn.queries]
    assert places == sorted(set(places))
    assert [same.queries[place] for place in places] == beside.queries
    assert drawn.relevant.tolist() == whole.relevant[places].tolist()
    assert drawn.fingerprint != whole.fingerprint
    assert whole.limited(None) is whole.limited(99) is whole
    built_in = open_questions(None, "fr", "en").limited(5)
    assert len(built_in.negatives) == 5
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        whole.limited(0)


@pytest.mark.shared
def test_xquad_itself(shared_data):
    questions = open_questions(shared_data / "xquad", "zh", "en")
    assert (len(questions), len(questions.passages)) == (1190, 240)

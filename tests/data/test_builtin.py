"""The built-in corpus keeps its promises: these tests are what a correction or a new language must pass."""

import itertools
import re
import unicodedata
from collections import Counter, defaultdict

import pytest
from polyglot.data.builtin import (
    FOLDER,
    LANGUAGES,
    builtin_domains,
    builtin_names,
    default_instruments,
    load_builtin,
    load_questions,
)
from polyglot.data.near_duplicates import character_ngrams

ROWS = load_builtin()
TEXTS = {language: ROWS.column(language) for language in LANGUAGES}
SCRIPTS = {
    "ru": re.compile("[а-яё]", re.IGNORECASE),
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ja": re.compile("[\u3040-\u30ff]"),
    "ar": re.compile("[\u0621-\u064a]"),
    **dict.fromkeys(("en", "fr", "de", "es", "sw"), re.compile("[a-z]", re.IGNORECASE)),
}


def plain(text):
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def near_pairs(texts, threshold):
    """Return all pairs of rows whose sets of character 5-grams have at least this Jaccard similarity: exact."""
    grams = [character_ngrams(plain(text), 5) for text in texts]
    rows_with = defaultdict(list)
    found = []
    for row, own in enumerate(grams):
        shared = Counter(other for gram in own for other in rows_with[gram])
        found += [(o, row) for o, n in shared.items() if n >= threshold * (len(own) + len(grams[o]) - n)]
        for gram in own:
            rows_with[gram].append(row)
    return found


def test_there_are_fifteen_domains_of_a_hundred_rows():
    assert len(ROWS) == 1500
    assert Counter(ROWS.domains) == dict.fromkeys(builtin_domains(), 100)
    assert len(builtin_domains()) == 15
    assert builtin_names()[0] == "builtin"
    assert len(builtin_names()) == 16


@pytest.mark.parametrize("domain", builtin_domains())
def test_files_are_well_formed(domain):
    lines = (FOLDER / "sentences" / f"{domain}.tsv").read_text("utf-8").splitlines()
    assert lines[0].split("\t") == ["id", *LANGUAGES, "en_alt", "fr_alt"]
    cells = [line.split("\t") for line in lines[1:]]
    assert [row[0] for row in cells] == [f"{domain}-{number:03}" for number in range(1, 101)]
    assert {len(row) for row in cells} == {len(LANGUAGES) + 3}
    assert all(cell == " ".join(re.split(" +", cell.strip(" "))) for row in cells for cell in row)
    assert all(cell for row in cells for cell in row)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_is_text_of_its_script(language):
    assert all(SCRIPTS[language].search(text) for text in TEXTS[language])
    assert all(unicodedata.is_normalized("NFC", text) for text in TEXTS[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_sentences_are_nearly_the_same(language):
    assert [[TEXTS[language][row] for row in pair] for pair in near_pairs(TEXTS[language], 0.6)] == []


def test_no_cell_is_an_untranslated_copy():
    for first, second in itertools.combinations(LANGUAGES, 2):
        pairs = zip(TEXTS[first], TEXTS[second], strict=True)
        assert [one for one, other in pairs if plain(one) == plain(other)] == []


def test_lengths():
    lengths = [len(text.split()) for text in TEXTS["en"]]
    assert min(lengths) >= 3
    assert max(lengths) <= 40
    assert 11 <= sum(lengths) / len(lengths) <= 13


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_no_translation_is_cut_short_or_runs_on(language):
    ratios = [len(other) / len(english) for english, other in zip(TEXTS["en"], TEXTS[language], strict=True)]
    usual = sorted(ratios)[len(ratios) // 2]
    assert usual / 3 < min(ratios)
    assert max(ratios) < 3 * usual


def test_vocabulary_and_openings_vary():
    words = {word for text in TEXTS["en"] for word in re.findall(r"[a-z'’]+", text.casefold())}
    assert len(words) >= 4500
    openings = Counter(" ".join(plain(text).split()[:4]) for text in TEXTS["en"])
    assert sum(count for count in openings.values() if count > 1) < 0.03 * len(ROWS)


def test_second_references_differ_from_the_first():
    for language in ("en", "fr"):
        references = ROWS.references(language)
        given = [(text, TEXTS[language][row]) for row, text in enumerate(references) if text]
        assert len(given) == len(ROWS)
        for second, first in given:
            one, other = character_ngrams(plain(first), 5), character_ngrams(plain(second), 5)
            assert len(one & other) < 0.6 * len(one | other), (first, second)
    assert ROWS.references("de") is None


def test_typography_of_each_language():
    for row, text in enumerate(TEXTS["fr"]):
        assert not re.search(r"[^\s\d»)…!?][?!;:](\s|$)", text), (row, text)
    for row, text in enumerate(ROWS.references("fr")):
        assert not re.search(r"[^\s\d»)…!?][?!;:](\s|$)", text), (row, text)
    for text in TEXTS["es"]:
        assert text.count("¿") == text.count("?"), text
        assert text.count("¡") == text.count("!"), text
    for text in TEXTS["zh"]:
        assert not re.search("[\u4e00-\u9fff][,;?!]", text), text
    for text in TEXTS["ja"]:
        assert not re.search("[\u3040-\u30ff\u4e00-\u9fff][.,;?!]", text), text
    for text in TEXTS["ar"]:
        assert not re.search("[\u0621-\u064a][,;?]", text), text
    for text in TEXTS["ru"]:
        assert not re.search("[а-яё][a-z]|[a-z][а-яё]", text, re.IGNORECASE), text  # no Latin look-alikes


QUESTIONS = load_questions()


def test_questions_have_one_passage_and_two_hard_negatives():
    assert len(QUESTIONS.queries) >= 250
    assert len({query.texts["en"] for query in QUESTIONS.queries}) == len(QUESTIONS.queries)
    assert Counter(query.positive for query in QUESTIONS.queries) == dict.fromkeys(range(len(QUESTIONS.passages)), 1)
    for query in QUESTIONS.queries:
        topics = [QUESTIONS.topics[passage] for passage in (query.positive, *query.negatives)]
        assert len(topics) == 3
        assert len(set(topics)) == 1
    assert set(Counter(QUESTIONS.topics).values()) == {3}


@pytest.mark.parametrize("language", QUESTIONS.languages)
def test_passages_and_questions_are_of_a_fit_length(language):
    assert all(40 <= len(passage[language].split()) <= 120 for passage in QUESTIONS.passages)
    assert all(4 <= len(query.texts[language].split()) <= 30 for query in QUESTIONS.queries)
    assert all(query.texts[language].endswith("?") for query in QUESTIONS.queries)
    assert near_pairs([passage[language] for passage in QUESTIONS.passages], 0.4) == []


@pytest.mark.parametrize(
    ("corpus", "measured", "instruments"),
    [
        (None, ("en", "fr"), ("de", "es", "ru")),
        (None, ("en-GB", "zh-CN"), ("fr", "de", "es")),
        (("builtin",), ("en", "fr", "de", "es", "ru", "zh"), ("ja", "ar", "sw")),
        (("builtin",), LANGUAGES, ()),
        (("builtin", "builtin"), ("en", "fr"), ()),
        (("my.tsv",), ("en", "fr"), ()),
    ],
)
def test_default_instruments_are_no_form_of_a_measured_language(corpus, measured, instruments):
    assert default_instruments(corpus, measured) == instruments

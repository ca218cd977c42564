import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.data.bitext import ParallelText
from polyglot.data.clean import CleanConfig, clean, normalise
from polyglot.data.readers.lines import Dropped
from polyglot.errors import ConfigError

GOOD = [(f"This is sentence number {i}.", f"Ceci est la phrase numéro {i}.") for i in range(10)]


def cleaned(pairs, config=None):
    english, french = map(list, zip(*pairs, strict=True))
    result = clean(ParallelText.of("made", pa.table({"en": english, "fr": french})), config)
    return list(zip(result.text.column("en"), result.text.column("fr"), strict=True)), result.dropped


def test_good_pairs_stay():
    assert cleaned(GOOD) == (GOOD, ())


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (("This is sentence number 3!", "ceci est la phrase numéro 3"), "repeated"),
        (("Chapter IX", "CHAPTER IX."), "the same text in two languages"),
        (("No.", "Une très longue explication, qui ne finit pas et ne dit rien de plus."), "lengths differ too much"),
        (("x" * 3000, "y" * 3000), "too long"),
        (("\u200b", "rien"), "too short"),
        (("\u200d", "rien"), "too short"),
    ],
)
def test_each_rule_leaves_out_what_it_names(pair, reason):
    kept, dropped = cleaned([*GOOD, pair])
    assert kept == GOOD
    assert dropped == (Dropped(reason, 1),)


def test_rules_can_be_loosened():
    pairs = [*GOOD, GOOD[0], ("Chapter IX", "Chapter IX")]
    config = CleanConfig(drop_untranslated=False, drop_repeated=False)
    assert cleaned(pairs, config) == (pairs, ())


def test_lengths_are_measured_against_what_is_usual_in_a_language():
    pairs = [("A sentence of forty letters, more or less.", "四十个字母左右。")] * 3
    assert cleaned(pairs, CleanConfig(drop_repeated=False, length_ratio=1.5))[1] == ()


def test_what_stands_beside_stays_in_step():
    table = pa.table(
        {"en": ["same", "b  c"], "fr": ["same", "d"], "domain": ["law", "sport"], "fr_reference": [None, "e  f"]}
    )
    text = clean(ParallelText.of("made", table)).text
    assert text.table.to_pydict() == {"en": ["b c"], "fr": ["d"], "domain": ["sport"], "fr_reference": ["e f"]}


@pytest.mark.parametrize("options", [{"shortest": 0}, {"shortest": 9, "longest": 8}, {"length_ratio": 0.5}])
def test_rules_out_of_range_are_refused(options):
    with pytest.raises(ConfigError, match="length"):
        CleanConfig(**options)


def test_joiners_and_vowel_signs_stay():
    for text in ("می‌خواهم", "क्‍ष", "한국어", "Ｆ"):
        assert normalise(text) == text


@settings(deadline=None)
@given(st.text())
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once
    assert once == once.strip()

"""Ciphers are bijections on words, with and without the order of words."""

import numpy as np
import pyarrow as pa
import pytest
from polyglot.data.bitext import ParallelText
from polyglot.data.ciphers import CIPHER, INSTRUMENT, Cipher, code_words, encipher, words_of
from polyglot.errors import ConfigError

ROWS = ["The cat sees a dog.", "A dog sees the cat!", "No cat.", "The dog, the dog", "Seven dogs"]


@pytest.fixture
def text():
    return ParallelText.of("five", pa.table({"en": ROWS, "group": [0, 0, 1, 2, 3]}))


def test_every_word_has_one_code_word_that_is_no_plain_word(text):
    made = encipher(text, "en", Cipher(seed=3))
    pairs = {
        (plain, code)
        for plain_row, code_row in zip(made.column("en"), made.column(CIPHER), strict=True)
        for plain, code in zip(plain_row.split(), code_row.split(), strict=True)
    }
    plain, codes = ({pair[side] for pair in pairs} for side in (0, 1))
    assert plain == {word for row in ROWS for word in words_of(row)}
    assert len(pairs) == len(plain) == len(codes)
    assert not plain & codes
    assert not codes & {word for row in made.column(INSTRUMENT) for word in row.split()}
    assert made.groups.tolist() == [0, 0, 1, 2, 3]


def test_scrambling_moves_words_and_changes_none(text):
    kept, moved = (encipher(text, "en", Cipher(order=order, seed=3)) for order in ("kept", "scrambled"))
    assert kept.column(CIPHER) != moved.column(CIPHER)
    for one, other in zip(kept.column(CIPHER), moved.column(CIPHER), strict=True):
        assert sorted(one.split()) == sorted(other.split())


def test_mispaired_sentences_are_the_same_ones_and_none_keeps_its_own(text):
    kept, mixed = (encipher(text, "en", Cipher(mispaired=mispaired, seed=3)) for mispaired in (False, True))
    assert sorted(kept.column(CIPHER)) == sorted(mixed.column(CIPHER))
    assert not any(one == other for one, other in zip(kept.column(CIPHER), mixed.column(CIPHER), strict=True))
    assert kept.column(INSTRUMENT) == mixed.column(INSTRUMENT)


def test_the_code_is_another_one_with_another_seed_and_the_same_with_the_same():
    words = [f"w{number}" for number in np.arange(40)]
    assert code_words(words, 0) == code_words(words, 0)
    assert code_words(words, 0) != code_words(words, 1)


def test_a_row_without_words_is_refused():
    text = ParallelText.of("two", pa.table({"en": ["A dog.", "…"]}))
    with pytest.raises(ConfigError, match="row 1 of two has no word in en"):
        encipher(text, "en", Cipher())

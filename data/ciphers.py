"""Cipher languages: made of another text by exchanging its words, so that what a verdict must say of them is known.

A cipher is a bijection on words: every word of the plain text has one code word, which is no word of the plain text.
Both sides are bare words in lower case, and a second cipher with a key of its own serves as an instrument.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from ..errors import ConfigError
from .bitext import GROUP, ParallelText

CIPHER, INSTRUMENT = "qaa", "qab"  # codes that ISO 639-2 reserves for private use
Order = Literal["kept", "scrambled"]
ORDERS: tuple[str, ...] = ("kept", "scrambled")
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Cipher:
    """How a text is enciphered.

    Parameters
    ----------
    order : {"kept", "scrambled"}
        Whether code words stand in the order of the words that they stand for.
    mispaired : bool
        Whether every sentence is paired with the cipher of another one, so that no map exists.
    seed : int
        Of the code, the orders and the pairs.
    """

    order: Order = "kept"
    mispaired: bool = False
    seed: int = 0


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case.

    Examples
    --------
    >>> words_of("No, it isn't.")
    ['no', 'it', 'isn', 't']
    """
    return WORD.findall(text.lower())


def code_words(plain: list[str], seed: int, *, language: str = CIPHER) -> dict[str, str]:
    """Return a code word of syllables for each of some distinct words, none of which is among them.

    Parameters
    ----------
    plain : list of str
        Distinct words.
    seed : int
        Of the assignment.
    language : str
        Code words of different languages differ: each ends in a consonant of its own.

    Examples
    --------
    >>> code = code_words(["cat", "dog"], seed=0)
    >>> sorted(code) == ["cat", "dog"], len(set(code.values()) | set(code)) == 4
    (True, True)
    """
    syllables = ["".join(pair) for pair in itertools.product(CONSONANTS, VOWELS)]
    ending = "k" if language == CIPHER else "l"
    taken = set(plain)
    made = ("".join((*parts, ending)) for parts in itertools.product(syllables, repeat=3))
    free = list(itertools.islice((word for word in made if word not in taken), len(plain)))
    drawn = np.random.default_rng([seed, len(language), ord(ending)]).permutation(len(free))
    return {word: free[place] for word, place in zip(plain, drawn, strict=True)}


def encipher(text: ParallelText, language: str, cipher: Cipher) -> ParallelText:
    """Return one language of a text, in bare words, with its cipher (`qaa`) and a second cipher (`qab`).

    Parameters
    ----------
    text : ParallelText
    language : str
        That is enciphered.
    cipher : Cipher

    Raises
    ------
    DataError
        If the text does not hold the language.
    ConfigError
        If a row has no word.
    """
    rows = [words_of(sentence) for sentence in text.column(language)]
    if empty := [number for number, row in enumerate(rows) if not row]:
        raise ConfigError(f"row {empty[0]} of {text.name} has no word in {language}: nothing of it can be enciphered")
    vocabulary = sorted({word for row in rows for word in row})
    rng = np.random.default_rng([cipher.seed, 7])
    columns: dict[str, list[str] | pa.Array] = {language: [" ".join(row) for row in rows]}
    for code in (CIPHER, INSTRUMENT):
        table = code_words(vocabulary, cipher.seed, language=code)
        spelled = [[table[word] for word in row] for row in rows]
        if cipher.order == "scrambled":
            spelled = [[row[place] for place in rng.permutation(len(row))] for row in spelled]
        columns[code] = [" ".join(row) for row in spelled]
    if cipher.mispaired:
        shift = int(rng.integers(1, len(rows)))
        mixed = rng.permutation(len(rows))
        other = np.empty(len(rows), np.int64)
        other[mixed] = np.roll(mixed, shift)  # no sentence keeps its own
        columns[CIPHER] = [columns[CIPHER][place] for place in other]
    if (groups := text.groups) is not None:
        columns[GROUP] = pa.array(groups)
    return ParallelText.of(f"{text.name} in cipher", pa.table(columns))

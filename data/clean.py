"""Cleaning: text brought to one form, and pairs that are surely no translations left out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from ..errors import ConfigError
from .bitext import REFERENCE, ParallelText, is_language_column
from .blank import is_blank
from .groups import comparison_keys
from .readers.lines import Dropped, counted

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff]")  # not the joiners that scripts need
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True, slots=True)
class CleanConfig:
    """What a pair must satisfy.

    Parameters
    ----------
    shortest, longest : int
        Characters that a text may have.
    length_ratio : float
        Greatest ratio of the lengths of two languages of a row, each measured against the median of its language.
    drop_untranslated : bool
        Leave out rows in which two languages have the same text.
    drop_repeated : bool
        Leave out rows that equal an earlier row in all languages, case, punctuation and spaces apart.
    """

    shortest: int = 1
    longest: int = 2000
    length_ratio: float = 4.0
    drop_untranslated: bool = True
    drop_repeated: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.shortest <= self.longest:
            raise ConfigError(f"lengths must satisfy 0 < shortest ≤ longest, got {self.shortest} and {self.longest}.")
        if self.length_ratio < 1:
            raise ConfigError(f"the length ratio must be at least 1, got {self.length_ratio}.")


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """Text that was cleaned, and how many rows were left out for which reason."""

    text: ParallelText
    dropped: tuple[Dropped, ...]


def normalise(text: str) -> str:
    r"""Return a text in NFC, without invisible and control characters, with single spaces.

    Joiners that Indic and Arabic scripts need are not removed, and no letter is changed.

    Examples
    --------
    >>> normalise("  Cafe\u0301 \u200b au   lait\n")
    'Café au lait'
    """
    composed = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return " ".join(_CONTROL.sub(" ", composed).split())


def clean(text: ParallelText, config: CleanConfig | None = None) -> Cleaned:
    """Normalise all sentences and leave out rows that break a rule; the first rule broken is the reason counted.

    Parameters
    ----------
    text : ParallelText
        The corpus.
    config : CleanConfig, optional
        The rules.
    """
    rules = config or CleanConfig()
    columns = {language: [normalise(sentence) for sentence in text.column(language)] for language in text.languages}
    faults = list(_faults(columns, rules))
    kept = [row for row, fault in enumerate(faults) if fault is None]
    table = text.table
    for name in table.column_names:
        if is_language_column(name) or name.endswith(REFERENCE):
            place = table.column_names.index(name)
            values = columns.get(name) or [sentence and normalise(sentence) for sentence in table[name].to_pylist()]
            table = table.set_column(place, name, pa.array(values, pa.large_string()))
    dropped = counted(Counter(fault for fault in faults if fault is not None))
    return Cleaned(ParallelText.of(text.name, table.take(pa.array(kept, pa.int64()))), dropped)


def _faults(columns: dict[str, list[str]], rules: CleanConfig) -> Iterator[str | None]:
    """Yield for each row the rule that it breaks, or None."""
    usual = {}  # about the median length of each language
    for language, sentences in columns.items():
        lengths = sorted(map(len, sentences))
        usual[language] = max(lengths[len(lengths) // 2], 1) if lengths else 1
    keys = zip(*(comparison_keys(sentences) for sentences in columns.values()), strict=True)
    seen: set[tuple[str, ...]] = set()
    for row, key in zip(zip(*columns.values(), strict=True), keys, strict=True):
        relative = [len(sentence) / usual[language] for language, sentence in zip(columns, row, strict=True)]
        if min(map(len, row)) < rules.shortest or any(map(is_blank, row)):
            yield "too short"
        elif max(map(len, row)) > rules.longest:
            yield "too long"
        elif max(relative) > rules.length_ratio * min(relative):
            yield "lengths differ too much"
        elif rules.drop_untranslated and len(set(key)) < len(key):
            yield "the same text in two languages"
        elif rules.drop_repeated and key in seen:
            yield "repeated"
        else:
            seen.add(key)
            yield None

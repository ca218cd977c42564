"""How well a tokenizer covers a language: unknown tokens, tokens for each word, accents that fall together."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...analysis.types import Labels
from .tokenization import WORD, token_rows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_UNKNOWN = 0.05
MOST_FERTILITY = 2.5
SAMPLE = 2000


@dataclass(frozen=True, slots=True)
class TokenizerReport:
    """How a tokenizer covers a language.

    Parameters
    ----------
    language : str
    tokens : int
        Tokens of the sample, special ones left out.
    unknown_rate : float
        Share of tokens that are unknown.
    fertility : float
        Tokens for each word.
    accent_collisions : float
        Share of word forms with the same tokens as another form that differs in accents only.
    warnings : tuple of str
    """

    language: str
    tokens: int
    unknown_rate: float
    fertility: float
    accent_collisions: float
    warnings: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The report as a sentence."""
        return (
            f"{self.language} has {self.fertility:.2f} tokens a word, {self.unknown_rate:.1%} of them unknown; "
            f"{self.accent_collisions:.1%} of word forms have the tokens of another that differs in accents only"
        )


def report_tokenizer(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], language: str) -> TokenizerReport:
    """Measure unknown tokens, fertility and accent collisions on the first 2000 texts of a language.

    Parameters
    ----------
    tokenizer : tokenizer with a Rust backend
    texts : sequence of str
        Not empty.
    language : str
        Name of the language.
    """
    texts = texts[:SAMPLE]
    rows = token_rows(tokenizer, texts)
    tokens = sum(len(row) for row in rows)
    unknown = sum(row.count(tokenizer.unk_token_id) for row in rows) / max(tokens, 1)
    words = [word for text in texts for word in WORD.findall(unicodedata.normalize("NFC", text).lower())]
    fertility = tokens / max(len(words), 1)
    collisions = _accent_collisions(tokenizer, sorted(set(words)))
    return TokenizerReport(
        language, tokens, unknown, fertility, collisions, coverage_warnings(language, unknown, fertility)
    )


def static_report(tokens: Labels, texts: Sequence[str], language: str) -> TokenizerReport:
    """Report how static embeddings cover n texts, of which each looks up some rows, (n,); none is unknown."""
    words = sum(len(WORD.findall(unicodedata.normalize("NFC", text).lower())) for text in texts)
    return TokenizerReport(language, int(tokens.sum()), 0.0, float(tokens.sum()) / max(words, 1), 0.0)


def coverage_warnings(language: str, unknown: float, fertility: float) -> tuple[str, ...]:
    """Return warnings about a language with many unknown tokens or many tokens a word."""
    warnings = []
    if unknown > MOST_UNKNOWN:
        warnings.append(
            f"the tokenizer cannot read {language}: {unknown:.0%} of its tokens are unknown; "
            "extend the vocabulary (--extend-vocab) or take a base whose tokenizer knows the script"
        )
    if fertility > MOST_FERTILITY:
        warnings.append(
            f"the tokenizer spells {language} in pieces: {fertility:.1f} tokens a word; --extend-vocab helps"
        )
    return tuple(warnings)


def _accent_collisions(tokenizer: PreTrainedTokenizerBase, forms: list[str]) -> float:
    if not forms:
        return 0.0
    bare = ["".join(c for c in unicodedata.normalize("NFD", f) if unicodedata.category(c) != "Mn") for f in forms]
    keys = [(form, tuple(row)) for form, row in zip(bare, token_rows(tokenizer, forms), strict=True)]
    counted = Counter(keys)
    return sum(counted[key] > 1 for key in keys) / len(keys)

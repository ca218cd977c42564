"""Which languages to read where nobody names them and not every row has the same: those that keep the most text."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from ..languages import describe

_CANDIDATES = 100  # of the most frequent sets of languages: each is compared with all sets
_log = logging.getLogger(__name__)


def languages_of_most(where: str, held: Counter[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the languages that rows have together, such that the texts of these rows in them are the most.

    Parameters
    ----------
    where : str
        The file, for the line that says which languages are not read.
    held : Counter
        Number of rows by the languages that they have.

    Examples
    --------
    >>> languages_of_most("a.tmx", Counter({("de", "en"): 1, ("en", "fr"): 5, ("fr", "en"): 2}))
    ('en', 'fr')
    """
    rows: Counter[frozenset[str]] = Counter()
    order: dict[frozenset[str], Sequence[str]] = {}
    for languages, number in held.most_common():
        rows[frozenset(languages)] += number
        order.setdefault(frozenset(languages), languages)
    kept = {chosen: sum(n for some, n in rows.items() if chosen <= some) for chosen, _ in rows.most_common(_CANDIDATES)}
    best = max(kept, key=lambda chosen: kept[chosen] * len(chosen))
    if others := sorted({code for languages in rows for code in languages} - best):
        lost = ", ".join(f"{describe(code)} in {_rows_with(code, rows)} of {rows.total()} rows" for code in others)
        _log.warning(
            "%s: %s are read, which %d of %d rows have together. Not read: %s. Name the languages to read others.",
            *(where, ", ".join(order[best]), kept[best], rows.total(), lost),
        )
    return tuple(order[best])


def _rows_with(code: str, rows: Counter[frozenset[str]]) -> int:
    return sum(number for languages, number in rows.items() if code in languages)

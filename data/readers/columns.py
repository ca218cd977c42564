"""Which column of a file holds what: language codes in any spelling, and the few names with a meaning of their own."""

from __future__ import annotations

from collections.abc import Sequence

from ..bitext import DOMAIN, GROUP, REFERENCE, is_language_column
from ..languages import canonical_code, find_code

_REFERENCE_ENDINGS = (REFERENCE, "_alt")


def resolve_columns(names: Sequence[str], wanted: Sequence[str]) -> tuple[str | None, ...]:
    """Return the name of each column of a file in a corpus table, None for a column that is left out.

    Parameters
    ----------
    names : sequence of str
        Column names of the file: language codes in any spelling, `group`, `domain`,
        `<language>_reference` (or `<language>_alt`), `english` and `non_english`.
    wanted : sequence of str
        Canonical codes that are asked for; all are kept where it is empty. `id` is the number of a row unless
        Indonesian is asked for.

    Examples
    --------
    >>> resolve_columns(["id", "eng", "fra_Latn", "en_alt", "score"], [])
    (None, 'en', 'fr', 'en_reference', None)
    >>> resolve_columns(["english", "non_english"], ["fr", "en"])
    ('en', 'fr')
    """
    resolved: list[str | None] = []
    for name in names:
        column = _resolve(name.strip(), wanted)
        resolved.append(None if column in resolved else column)
    return tuple(resolved)


def language_columns(resolved: Sequence[str | None]) -> tuple[str, ...]:
    """Return the languages among resolved columns."""
    return tuple(column for column in resolved if column is not None and is_language_column(column))


def _resolve(name: str, wanted: Sequence[str]) -> str | None:
    lowered = name.lower()
    if lowered in (GROUP, DOMAIN):
        return lowered
    for ending in _REFERENCE_ENDINGS:
        if lowered.endswith(ending) and (code := find_code(name[: -len(ending)])):
            return f"{code}{REFERENCE}" if not wanted or code in wanted else None
    if lowered == "english":
        language: str | None = "en"
    elif lowered == "non_english":
        others = [code for code in wanted if canonical_code(code) != "en"]
        language = others[0] if len(others) == 1 else None
    else:
        language = None if lowered == "id" and "id" not in wanted else find_code(lowered)
    return language if not wanted or language in wanted else None

"""Which of the languages that a corpus holds serves one that is asked for.

The same code serves best. Else a regional or a general form does (`en-US` or `en-GB` for `en`, `pt` for `pt-BR`), in
the same script only: `zh-TW` is written in another than `zh`, `sr-Latn` in another than `sr`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import langcodes

from ..errors import DataError
from .languages import BY_TERRITORY, describe, usual_script


@lru_cache(maxsize=1 << 16)
def distance(held: str, asked: str) -> int | None:
    """Return how far a language that is held is from one that is asked for.

    Returns
    -------
    int or None
        0 for the same code, 1 for the same once scripts and territories are filled in, 2 where one of them names no
        territory; None where it does not serve.

    Examples
    --------
    >>> [distance(held, "zh") for held in ("zh", "zh-CN", "zh-SG", "zh-TW", "yue")]
    [0, 1, 2, None, None]
    """
    if held == asked:
        return 0
    if held in BY_TERRITORY or asked in BY_TERRITORY:
        return None
    one, other = langcodes.get(held), langcodes.get(asked)
    if one.language != other.language or usual_script(held) != usual_script(asked):
        return None
    if one.maximize().territory == other.maximize().territory:
        return 1
    return None if one.territory and other.territory else 2


@lru_cache(maxsize=1 << 14)
def serving(held: tuple[str, ...], wanted: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """Return for each language asked for those that serve it, the nearest first; none where none does.

    A form that could serve two of the languages asked for serves neither, since one text is not two languages.

    Examples
    --------
    >>> serving(("en-GB", "en-US", "fr", "fr-CA"), ("en", "fr"))
    {'en': ('en-US', 'en-GB'), 'fr': ('fr',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for asked in wanted:
        near = [(far, code) for code in held if code not in wanted and (far := distance(code, asked)) is not None]
        found[asked] = (asked,) if asked in held else tuple(code for _, code in sorted(near, key=lambda pair: pair[0]))
    uses = Counter(code for codes in found.values() for code in codes)
    return {asked: tuple(code for code in codes if uses[code] == 1) for asked, codes in found.items()}


def choose(
    where: str, named: Sequence[tuple[str, str]], wanted: Sequence[str], *, fix: str = "Remove or rename one of them."
) -> dict[str, int]:
    """Choose the column or file of each language.

    Parameters
    ----------
    where : str
        What holds them, for messages.
    named : sequence of pairs
        The name of each as it is spelled there, and its canonical code.
    wanted : sequence of str
        Canonical codes; every language that is held where it is empty.
    fix : str
        What to do about two that name one language.

    Returns
    -------
    dict
        For each language found, the place of its column or file in `named`.

    Raises
    ------
    DataError
        If two of them could serve one language; the message names both.
    """
    held = tuple(dict.fromkeys(code for _, code in named))
    chosen: dict[str, int] = {}
    for asked, codes in serving(held, tuple(wanted) or held).items():
        places = [place for place, (_, code) in enumerate(named) if code in codes]
        if len(places) > 1:
            both = " and ".join(named[place][0] for place in places)
            other = f"Ask for one of {', '.join(codes)} instead." if len(codes) > 1 else fix
            raise DataError(f"{where}: {both} are both {describe(asked)}. {other}")
        if places:
            chosen[asked] = places[0]
    return chosen

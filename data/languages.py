"""Language codes: BCP 47, ISO 639-1, ISO 639-3 and NLLB spellings in, one canonical code out.

The canonical code is the shortest BCP 47 tag: `fr`, `fra` and `fra_Latn` are `fr`; `cmn`, `zho` and `zho_Hans` are
`zh`. A script is kept only where it is not the usual one of the language (`zho_Hant` is `zh-Hant`), a territory is
kept as written (`pt-BR`). Of the languages that a macrolanguage encompasses only the one that it usually stands for has
its code (`arb` is `ar`, `arz` is not; `twi` is not `ak`), so all codes of FLORES-200 differ.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

import langcodes

from ..errors import DataError

_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*\Z")

# NLLB and FLORES-200 name an individual language where BCP 47 names its macrolanguage.
_NLLB_LANGUAGE = {
    "ar": "arb", "ay": "ayr", "az": "azj", "bal": "bal", "din": "dik", "fa": "pes", "ff": "fuv", "fil": "tgl",
    "kr": "knc", "ku": "kmr", "lv": "lvs", "mg": "plt", "mn": "khk", "ms": "zsm", "ne": "npi", "no": "nob",
    "om": "gaz", "or": "ory", "ps": "pbt", "qu": "quy", "sq": "als", "sw": "swh", "uz": "uzn", "yi": "ydd", "zh": "zho",
}  # fmt: skip
# Other codes of the language that a macrolanguage stands for (CLDR, aliases of macrolanguages).
_ALSO = {
    "cmn": "zh", "ekk": "et", "esk": "ik", "gug": "gn", "ike": "iu", "kng": "kg", "kpv": "kv", "nb": "no", "zyb": "za",
}  # fmt: skip
_MACROLANGUAGE = {individual: macro for macro, individual in _NLLB_LANGUAGE.items()} | _ALSO
BY_TERRITORY = {"fa-AF": "prs", "sw-CD": "swc"}  # languages that BCP 47 names by where they are spoken
_KNOWN_FOR_OTHER_THINGS = ("bak", "bin", "doi", "id", "min", "new", "sh")  # backups, identifiers, numbers, scripts
_NO_LANGUAGE = (None, "und", "mul", "mis", "zxx")  # undetermined, several, uncoded, none

_SUGGESTED = (
    "en", "fr", "de", "es", "it", "pt", "nl", "ru", "pl", "uk", "cs", "sk", "sl", "hr", "sr", "bg", "ro", "hu",
    "el", "tr", "ar", "fa", "he", "hi", "bn", "ur", "ta", "te", "mr", "ja", "ko", "zh", "vi", "th", "id", "ms",
    "sw", "am", "yo", "ha", "so", "fi", "sv", "da", "no", "is", "et", "lv", "lt", "ga", "cy", "eu", "ca", "gl",
    "ka", "hy", "az", "kk", "uz", "mn", "km", "lo", "my", "ne", "si",
)  # fmt: skip


@lru_cache(maxsize=4096)
def find_code(spelling: str) -> str | None:
    """Return the canonical code of a language, or None where the spelling is not a language code.

    Parameters
    ----------
    spelling : str
        A BCP 47 tag, an ISO 639-1 or 639-3 code, or an NLLB code, in any case, with `-` or `_`.

    Examples
    --------
    >>> [find_code(s) for s in ("fra_Latn", "cmn", "zho_Hans", "zho_Hant", "swh", "pt-BR", "text")]
    ['fr', 'zh', 'zh', 'zh-Hant', 'sw', 'pt-BR', None]
    """
    if not _TAG.match(spelling):
        return None
    head, *rest = spelling.replace("_", "-").split("-")
    tag = "-".join([_MACROLANGUAGE.get(head.lower(), head), *rest])
    if not langcodes.tag_is_valid(tag):
        return None
    language = langcodes.get(langcodes.standardize_tag(tag))
    if language.language in _NO_LANGUAGE:
        return None
    name = _MACROLANGUAGE.get(language.language or "", language.language)
    script = None if language.script == usual_script(name) else language.script
    return str(langcodes.Language.make(language=name, script=script, territory=language.territory).to_tag())


@lru_cache(maxsize=4096)
def usual_script(code: str) -> str:
    """Return the ISO 15924 code of the script in which a language is usually written.

    Examples
    --------
    >>> usual_script("zh"), usual_script("zh-TW"), usual_script("ru")
    ('Hans', 'Hant', 'Cyrl')
    """
    script = langcodes.get(code).maximize().script
    return (
        "Hang" if script == "Kore" else str(script)
    )  # the mixed script in name only: NLLB and BCP 47 users write Hang


def names_a_language(name: str) -> bool:
    """Tell whether the name of a column or file means a language even where nobody asks for it.

    Any three letters may be a code: a code counts where it is one of two letters, gives a script or a territory, or
    belongs to a language whose speakers CLDR counts; and not where the name is known for other things.

    Examples
    --------
    >>> [names_a_language(name) for name in ("fra", "ceb", "taq_Latn", "ids", "oui", "id", "bak")]
    [True, True, True, False, False, False, False]
    """
    code = find_code(name)
    if code is None or name.lower() in _KNOWN_FOR_OTHER_THINGS:
        return False
    return len(code.split("-")[0]) == 2 or re.search("[-_]", name) is not None or _speakers(code) > 0


def _speakers(code: str) -> int:
    return int(langcodes.get(code).speaking_population())


def canonical_code(spelling: str) -> str:
    """Return the canonical code of a language.

    Raises
    ------
    DataError
        If the spelling is no language code; the message suggests codes.

    Examples
    --------
    >>> canonical_code("eng_Latn")
    'en'
    """
    code = find_code(spelling.strip())
    if code is None:
        raise DataError(
            f"unknown language {spelling!r}: expected a code such as en, fra or zho_Hans.{_suggestion(spelling)}"
        )
    return code


def canonical_codes(spellings: Iterable[str]) -> tuple[str, ...]:
    """Return the canonical codes of several languages, in order.

    Raises
    ------
    DataError
        If one is unknown, or two spellings name one language.
    """
    spelled = list(spellings)
    codes = tuple(canonical_code(s) for s in spelled)
    for place, code in enumerate(codes):
        if code in codes[:place]:
            both = f"{spelled[codes.index(code)]} and {spelled[place]}"
            raise DataError(f"{both} are both {display_name(code)}: give different languages.")
    return codes


def display_name(code: str) -> str:
    """Return the English name of a language.

    Examples
    --------
    >>> display_name("zh"), display_name("fra")
    ('Chinese', 'French')
    """
    return str(langcodes.get(canonical_code(code)).display_name("en"))


def iso639_3(code: str) -> str:
    """Return the ISO 639-3 code of a language (its macrolanguage where BCP 47 names one).

    Examples
    --------
    >>> iso639_3("fr"), iso639_3("zh")
    ('fra', 'zho')
    """
    return str(langcodes.get(canonical_code(code)).to_alpha3())


def nllb_code(code: str) -> str:
    """Return the code that NLLB and FLORES-200 use: ISO 639-3 of the individual language, and its script.

    Examples
    --------
    >>> [nllb_code(c) for c in ("en", "zh", "zh-Hant", "ar", "sr")]
    ['eng_Latn', 'zho_Hans', 'zho_Hant', 'arb_Arab', 'srp_Cyrl']
    """
    canonical = canonical_code(code)
    language = langcodes.get(canonical)
    name = language.language or canonical
    individual = BY_TERRITORY.get(canonical) or _NLLB_LANGUAGE.get(name) or langcodes.get(name).to_alpha3()
    return f"{individual}_{language.script or usual_script(canonical)}"


def describe(code: str) -> str:
    """Return a name with its code, for messages.

    Examples
    --------
    >>> describe("de")
    'German (de)'
    """
    return f"{display_name(code)} ({code})"


def _suggestion(spelling: str) -> str:
    """Say which language may have been meant: one of that name, or one with a like code or name."""
    try:
        return f" Did you mean {describe(langcodes.find(spelling).to_tag())}?"
    except (LookupError, ValueError):  # the latter for what is no text: NUL bytes, halves of surrogate pairs
        pass
    names = {display_name(code).casefold(): code for code in _SUGGESTED}
    near = [names[name] for name in difflib.get_close_matches(spelling.casefold(), names, n=2, cutoff=0.7)]
    near += difflib.get_close_matches(spelling.casefold(), _SUGGESTED, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(describe(code) for code in dict.fromkeys(near))}?" if near else ""

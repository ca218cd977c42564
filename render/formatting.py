"""Numbers and names in words, the same on the page and in the terminal."""

from __future__ import annotations

import html
import math
import re

from ..probe.results.intervals import Interval

MINUS = "−"
MISSING = "–"
MODELS = {"minilm": "MiniLM", "me5-small": "mE5-small", "use": "mUSE"}
LONGEST_LABEL = 300
NARROW = "\N{NARROW NO-BREAK SPACE}"


def number(value: float | None, digits: int = 3) -> str:
    """Print a number with a true minus sign; a missing one as a dash."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:.{digits}f}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def shown_verdict(verdict: str) -> str:
    """Return a verdict as people read it."""
    return "not settled" if verdict == "undecided" else verdict


def two_digits(value: float) -> str:
    """Print a number with two digits after the point."""
    return number(value, 2)


def percent(value: float | None, digits: int = 0) -> str:
    """Print a fraction as a percentage."""
    return MISSING if value is None or not math.isfinite(value) else f"{number(100 * value, digits)}{NARROW}%"


def count(value: float | None) -> str:
    """Print a whole number with narrow spaces between thousands."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:,.0f}".replace(",", NARROW).replace("-", MINUS)


def counted(value: int, singular: str, plural: str = "") -> str:
    """Print how many there are of something, one as one.

    Examples
    --------
    >>> counted(1, "pair"), counted(2, "pair")
    ('1 pair', '2 pairs')
    """
    return f"{count(value)} {singular if value == 1 else plural or singular + 's'}"


def plain(value: float) -> str:
    """Print a number in as few digits as it takes (at most four)."""
    return f"{value:.4g}".replace("-", MINUS)


def plain_percent(value: float) -> str:
    """Print a fraction as a percentage in as few digits as it takes."""
    return f"{plain(100 * value)}{NARROW}%"


def tidy(text: str) -> str:
    """Keep a percent sign, and what an equals sign joins, on one line."""
    return text.replace(" %", f"{NARROW}%").replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")


def capitalized(text: str) -> str:
    """Return text that begins with a capital; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def interval(estimate: Interval, digits: int = 3) -> str:
    """Print an estimate with its limits: 0.612 [0.601, 0.622]."""
    low, high = number(estimate.low, digits), number(estimate.high, digits)
    return f"{number(estimate.value, digits)} [{low}, {high}]"


def percent_interval(estimate: Interval, digits: int = 0) -> str:
    """Print a fraction with its limits as percentages: 91 % [89, 93]."""
    low, high = number(100 * estimate.low, digits), number(100 * estimate.high, digits)
    return f"{percent(estimate.value, digits)} [{low}, {high}]"


def rung_name(rung: str) -> str:
    """Print the name of a rung."""
    return rung.replace("_", " ")


def language_name(code: str) -> str:
    """Return the English name of a language code; the code itself where it is not known."""
    import langcodes

    try:
        name = langcodes.Language.get(code).display_name()
    except (ValueError, LookupError):
        return code
    return code if name.startswith("Unknown language") else name


def language_tag(code: str) -> str:
    """Return the tag by which a browser chooses letter shapes and voice; empty, which means unknown, if it is none."""
    import langcodes

    try:
        return langcodes.standardize_tag(code) if langcodes.tag_is_valid(code) else ""
    except (ValueError, LookupError):
        return ""


def identifier(text: str) -> str:
    """Return text reduced to what an identifier or the name of a file may hold; empty where nothing is left.

    Examples
    --------
    >>> identifier("eng_Latn-fr")
    'eng-latn-fr'
    """
    return re.sub(r"[^a-z0-9]+", "-", text[:80].lower()).strip("-")


def shortened(text: str) -> str:
    """Return text cut to what a label may hold."""
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def drawn_text(text: str) -> str:
    """Return text safe to draw in a figure: plotly reads a little HTML in labels, here it shall be read as written."""
    return html.escape(shortened(text), quote=False)


def model_name(model: str) -> str:
    """Return a model as a title names it: no owner, no folders of a run.

    Examples
    --------
    >>> model_name("sentence-transformers/LaBSE"), model_name("runs/align-fr/model"), model_name("minilm")
    ('LaBSE', 'align-fr', 'MiniLM')
    """
    parts = [part for part in re.split(r"[/\\]", model) if part not in ("", ".", "..")]
    if len(parts) > 1 and parts[-1] == "model":
        parts.pop()
    return MODELS.get(model, parts[-1] if parts else model)

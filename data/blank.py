"""What counts as no text: spaces, controls, and characters that Unicode says are not shown."""

from __future__ import annotations

import re

# White space and controls; then default-ignorable code points (Unicode, DerivedCoreProperties), and the empty Braille
# cell. A pattern of literal characters means the same to `re` and to Arrow.
_UNSEEN = (
    "\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
VISIBLE = f"[^{_UNSEEN}]"
_VISIBLE = re.compile(VISIBLE)


def is_blank(text: str | None) -> bool:
    r"""Tell whether a text is missing or shows nothing.

    Examples
    --------
    >>> [is_blank(text) for text in (None, " \u200b\ufeff", "\u2060", "a\u200b", "…")]
    [True, True, True, False, False]
    """
    return text is None or _VISIBLE.search(text) is None

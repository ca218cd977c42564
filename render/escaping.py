"""Text and data made safe to stand inside HTML."""

from __future__ import annotations

import json
import math
from typing import Any

# Inside <script> only "</script" and "<!--" end or change the parse; escaping all of these is simple and enough.
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def to_script_json(value: object) -> str:
    """Return JSON that may stand inside a script element: sorted keys, no `<`, `>`, `&`, NaN as null."""
    text = json.dumps(_finite(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return without_lone_surrogates(text).translate(_UNSAFE)


def without_lone_surrogates(text: str) -> str:
    """Return text that UTF-8 can hold: JSON can spell half a surrogate pair, a file cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _finite(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

"""Small damages to bytes and to JSON values, as disks, editors and strangers do them."""

import json
from dataclasses import dataclass

from hypothesis import strategies as st

ODD_BYTES = (b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\n\n", b'"', b"\\", b"\t", b"<", b"&x;",
             b"]]>", b"{", b"[" * 3000, b"9" * 5000, b"\xc3", b"\x1b[2J", "\u2028".encode(),
             "\u202e".encode())  # fmt: skip
ODD_VALUES = (None, True, False, 0, -1, 3, 1e308, -1e308, 10**400, 0.5, "", "x", "\x00", "\ud800", "<script>", "9" * 50,
              [], {}, [[]], [None], {"": None}, float("nan"), float("inf"))  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """What happens at one place of some bytes: `place` and `length` are shares of their number."""

    kind: str
    place: float
    length: float
    odd: bytes

    def applied(self, data):
        start = int(self.place * len(data))
        stop = min(len(data), start + 1 + int(self.length * 40))
        middle = {
            "cut": b"",
            "repeat": data[start:stop] * 2,
            "flip": bytes(byte ^ 0x41 for byte in data[start:stop]),
            "insert": self.odd + data[start:stop],
            "exchange": self.odd,
        }.get(self.kind)
        return data[:start] if middle is None else data[:start] + middle + data[stop:]


share = st.floats(0, 1, exclude_max=True)
edits = st.lists(
    st.builds(
        Edit,
        st.sampled_from(["cut", "repeat", "flip", "insert", "exchange", "truncate"]),
        share,
        share,
        st.sampled_from(ODD_BYTES),
    ),
    min_size=1,
    max_size=4,
)


def damaged(data, changes):
    """Return bytes after some edits."""
    for edit in changes:
        data = edit.applied(data)
    return data


def places_in(value, path=()):
    """Yield the path of every value inside a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places_in(inner, (*path, key))


def changed(text, place, odd, kind):
    """Return JSON text with one value exchanged for an odd one, removed, or repeated in its list."""
    value = json.loads(text)
    *way, last = place
    holder = value
    for key in way:
        holder = holder[key]
    if kind == "remove":
        del holder[last]
    elif kind == "repeat" and isinstance(holder, list):
        holder.insert(last, holder[last])
    else:
        holder[last] = odd
    return json.dumps(value)

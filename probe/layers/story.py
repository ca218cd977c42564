"""What the layers tell, in up to three sentences, each only where intervals bear it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..results.layers import POOLED, ChanceBand, Layer
from ..results.serialization import Interval

Read = Callable[[Layer], Interval | None]


def story(layers: Sequence[Layer], chance: dict[str, ChanceBand]) -> tuple[str, ...]:
    """Tell where similarity peaks, where language identity is least readable, where the linear map is best.

    A peak is told only where its interval lies clear of the first or of the last layer's, and above chance.
    """
    hidden = [layer for layer in layers if layer.name != POOLED]
    found = (
        _peak(hidden, lambda layer: layer.measures.cka, "Similarity (debiased CKA)", chance.get("cka")),
        _trough(hidden, lambda layer: layer.measures.language_id),
        _peak(
            hidden,
            lambda layer: layer.measures.linear_r2,
            "The share that a linear map predicts (held-out R²)",
            chance.get("linear_r2"),
        ),
    )
    return tuple(sentence for sentence in found if sentence)


def _peak(layers: Sequence[Layer], read: Read, what: str, chance: ChanceBand | None) -> str | None:
    best = _extreme(layers, read, highest=True)
    if best is None or (chance is not None and not best[1].low > chance.p95):
        return None
    return _told(layers, read, best, f"{what} peaks at")


def _trough(layers: Sequence[Layer], read: Read) -> str | None:
    lowest = _extreme(layers, read, highest=False)
    return None if lowest is None else _told(layers, read, lowest, "Language is least readable at")


def _extreme(layers: Sequence[Layer], read: Read, *, highest: bool) -> tuple[Layer, Interval] | None:
    known = [(layer, value) for layer in layers if (value := read(layer)) is not None and value.value == value.value]
    if len(known) < 2:
        return None
    return max(known, key=lambda pair: pair[1].value if highest else -pair[1].value)


def _told(layers: Sequence[Layer], read: Read, best: tuple[Layer, Interval], words: str) -> str | None:
    layer, value = best
    others = [f"{_text(end)} at the {name}" for name, end in _ends(layers, read, layer) if _apart(value, end)]
    if not others:
        return None
    known = "" if value.null_mean is None else f" (broken pairs of like length: {value.null_mean:.2f})"
    return f"{words} {layer_name(layer.name, layers)}: {_text(value)}{known}, against {' and '.join(others)}."


def _ends(layers: Sequence[Layer], read: Read, best: Layer) -> Iterator[tuple[str, Interval]]:
    for name, layer in (("first", layers[0]), ("last", layers[-1])):
        value = read(layer)
        if layer is not best and value is not None:
            yield name, value


def _apart(one: Interval, other: Interval) -> bool:
    return one.low > other.high or one.high < other.low


def layer_name(name: str, layers: Sequence[Layer]) -> str:
    """Return a layer as a reader calls it."""
    if name == POOLED:
        return "the pooled output"
    return "the embedding output (layer 0)" if name == "0" else f"layer {name} of {layers[-1].name}"


def _text(value: Interval) -> str:
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"

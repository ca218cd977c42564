"""Up to four sentences on where in the encoder two languages are most alike, each only where intervals support it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..results.intervals import Interval
from ..results.layers import POOLED, ChanceBand, Layer

Measure = Callable[[Layer], Interval | None]


def layer_sentences(layers: Sequence[Layer], chance: dict[str, ChanceBand]) -> tuple[str, ...]:
    """Say where similarity peaks, where language identity is least readable, where the linear map is best.

    A peak is named only where its interval is apart from that of the first or of the last layer, and above chance.
    """
    hidden = [layer for layer in layers if layer.name != POOLED]
    similarity = extreme_sentence(
        hidden, lambda layer: layer.measures.cka, "Similarity (debiased CKA) peaks at", chance.get("cka")
    )
    found = (
        similarity and similarity + without_rogue(hidden),
        extreme_sentence(
            hidden, lambda layer: layer.measures.language_id, "Language is least readable at", highest=False
        ),
        extreme_sentence(
            hidden,
            lambda layer: layer.measures.linear_r2,
            "The share that a linear map predicts (held-out R²) peaks at",
            chance.get("linear_r2"),
        ),
        extreme_sentence(
            hidden,
            lambda layer: layer.measures.latent_rotation,
            "Noise aside, the share that a rotation explains peaks at",
        ),
    )
    return tuple(sentence for sentence in found if sentence)


def without_rogue(layers: Sequence[Layer]) -> str:
    """Say where CKA is highest without the coordinates that dominate it, if at another layer; else empty."""

    def highest(measure: Measure) -> str:
        known = [(layer, value) for layer in layers if (value := measure(layer)) is not None]
        known = [(layer, value) for layer, value in known if value.value == value.value]
        return max(known, key=lambda pair: pair[1].value)[0].name if known else ""

    plain, bare = highest(lambda layer: layer.measures.cka), highest(lambda layer: layer.measures.cka_without_rogue)
    if not bare or bare == plain:
        return ""
    return f" Without the coordinates that dominate it, it peaks at layer {bare}."


def extreme_sentence(
    layers: Sequence[Layer], measure: Measure, words: str, chance: ChanceBand | None = None, *, highest: bool = True
) -> str:
    """Say at which layer a measure is highest, or lowest; empty where that is not significant."""
    known = [(layer, value) for layer in layers if (value := measure(layer)) is not None and value.value == value.value]
    if len(known) < 2:
        return ""
    layer, value = max(known, key=lambda pair: pair[1].value if highest else -pair[1].value)
    if chance is not None and not value.low > chance.p95:
        return ""
    others = []
    for name, end in (("first", layers[0]), ("last", layers[-1])):
        other = measure(end)
        if end is not layer and other is not None and (value.low > other.high or value.high < other.low):
            others.append(f"{_text(other)} at the {name}")
    if not others:
        return ""
    where = "the embedding output (layer 0)" if layer.name == "0" else f"layer {layer.name} of {layers[-1].name}"
    null = "" if value.null_mean is None else f" (permuted pairs of like length: {value.null_mean:.2f})"
    return f"{words} {where}: {_text(value)}{null}, against {' and '.join(others)}."


def _text(value: Interval) -> str:
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"

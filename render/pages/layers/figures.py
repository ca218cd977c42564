"""The figures of a layers result: measures, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from ....probe.results.layers import Layer, LayersResult
from ...charts.layers import Series, layer_panel, layer_table, where, with_constant
from ...formatting import count, language_name, percent, two_digits
from ...view import Figure

NAMES = {
    "biased_cka": "biased CKA",
    "cka": "debiased CKA",
    "cka_without_components": "CKA without top components",
    "cka_without_rogue": "CKA without rogue dimensions",
    "mutual_knn": "mutual k-NN",
    "cknna": "CKNNA",
    "procrustes": "Procrustes, held out",
    "linear_r2": "linear map, R²",
    "rotation_share": "rotation, share of the best R²",
    "similarity_share": "scaled rotation, share of the best R²",
    "p_at_1": "P@1, as it is",
    "p_at_1_backward": "P@1, as it is, backward",
    "p_at_1_mapped": "P@1, mapped",
    "p_at_1_mapped_backward": "P@1, mapped, backward",
    "language_id": "language identity",
    "latent_rotation": "rotation, latent share",
    "latent_linear": "linear map, latent share",
}
BAND = (
    "The grey band is the maximum over all layers with permuted pairs of like length, mean to 95th percentile: what "
    "the best layer must clear. The chance of each layer alone is in the table."
)


def _series(layers: Sequence[Layer], *names: str) -> list[Series]:
    found = [Series(NAMES[name], tuple(getattr(layer.measures, name) for layer in layers)) for name in names]
    return [one for one in found if any(e is not None for e in one.estimates)]


@dataclass(frozen=True, slots=True)
class FigureText:
    """What stands around a figure: its name, its title, the title of its axis, its caption, its section."""

    name: str
    title: str
    axis: str
    caption: str
    method: tuple[int, ...]


def _figure(result: LayersResult, text: FigureText, series: list[Series], *, band: str, **axis: object) -> Figure:
    layers, series = with_constant([layer.name for layer in result.layers], series, result.constant)
    drawn = layer_panel(f"layers-{text.name}", text.axis, layers, series, band=result.chance.get(band), **axis)
    caption = f"{text.caption} {BAND}" if band in result.chance else text.caption
    return Figure(f"layers-{text.name}", text.title, (drawn,), caption, text.method, layer_table(layers, series))


#: Shares near 1 on an axis from .9975 to 1 look as if they differed.
WHOLE: dict[str, object] = {"range": [-0.02, 1.02]}


def peak_title(result: LayersResult, name: str, what: str) -> str:
    """State where a measure is highest and with which layers it is level; no peak where chance is not cleared."""
    known = [(layer.name, getattr(layer.measures, name)) for layer in result.layers]
    present = [(layer, e) for layer, e in known if e is not None and e.value == e.value]
    if not present:
        return what
    best, top = max(present, key=lambda pair: pair[1].value)
    band = result.chance.get(name)
    if band is not None and not top.low > band.p95:
        return f"{what} does not differ significantly from chance at any layer"
    level = [layer for layer, e in present if layer != best and e.high >= top.low]
    if level:
        others = " and ".join(where(layer) for layer in level) if len(level) < 3 else f"{len(level)} others"
        return f"{what} is highest at {where(best)}, level with {others}"
    return f"{what} is highest at {where(best)}: {two_digits(top.value)}"


def similarity_figure(result: LayersResult) -> Figure:
    """Draw CKA at every layer, plain and without what dominates it."""
    series = _series(result.layers, "cka", "cka_without_components", "cka_without_rogue")
    caption = (
        "Debiased linear CKA of both languages with 95 % block-jackknife intervals, and the same after removal of the "
        f"{result.removed} strongest principal components, and of the {result.removed} coordinates that dominate "
        "cosine or variance, of each side. Where the three differ, the similarity is due to few directions."
    )
    title = peak_title(result, "cka", "Similarity") + without_rogue(result)
    return _figure(result, FigureText("similarity", title, "debiased CKA", caption, (7,)), series, band="cka")


def without_rogue(result: LayersResult) -> str:
    """Say where similarity is highest without the coordinates that dominate it, where that is another layer."""
    plain, bare = (_highest(result, name) for name in ("cka", "cka_without_rogue"))
    if not plain or not bare or plain == bare:
        return ""
    return f"; without the coordinates that dominate it, at {where(bare)}"


def _highest(result: LayersResult, name: str) -> str:
    known = [(layer.name, getattr(layer.measures, name)) for layer in result.layers]
    present = [(layer, e.value) for layer, e in known if e is not None and e.value == e.value]
    return max(present, key=lambda pair: pair[1])[0] if present else ""


def neighbours_figure(result: LayersResult) -> Figure:
    """Draw the agreement of neighbourhoods at every layer."""
    series = _series(result.layers, "mutual_knn", "cknna")
    caption = (
        f"Share of the {result.neighbours} nearest sentences that both languages have in common (mutual k-NN, cluster "
        "bootstrap), and CKA over shared neighbours alone (CKNNA, block jackknife)."
    )
    title = peak_title(result, "mutual_knn", "Agreement of neighbourhoods")
    return _figure(
        result, FigureText("neighbours", title, "share, or alignment", caption, (7,)), series, band="mutual_knn"
    )


def maps_figure(result: LayersResult) -> Figure:
    """Draw how well maps predict at every layer."""
    series = _series(result.layers, "linear_r2", "procrustes", "similarity_share")
    caption = (
        "All on held-out rows: R² of a linear map; cosine of the rotated source with the target (Procrustes); and "
        "the R² "
        "of a rotation with one scale as a share of the best map's. The share of an unscaled rotation is in the table."
    )
    names, band = [layer.name for layer in result.layers], result.chance.get("linear_r2")
    layers, shown = with_constant(names, series, result.constant)
    drawn = layer_panel("layers-maps", "held-out score", layers, shown, band=band)
    table = layer_table(names, [*series, *_series(result.layers, "rotation_share")])
    title = peak_title(result, "linear_r2", "What a linear map predicts")
    caption = f"{caption} {BAND} It is drawn for R²." if band is not None else caption
    return Figure("layers-maps", title, (drawn,), caption, (1, 2, 4), table)


def latent_figure(result: LayersResult) -> Figure:
    """Draw what a rotation and a linear map explain at every layer once noise is taken out."""
    series = _series(result.layers, "latent_rotation", "latent_linear")
    caption = (
        f"Of what {' and '.join(map(language_name, result.instruments))} predict of {language_name(result.target)} at "
        "a layer, from their pooled output, the share that a rotation and a linear map explain; noise of both sides is "
        "taken out, so that 1 is a map that misses nothing. Layers of which the instruments predict too little are "
        "left out. Curvature is not tested here: a high share of the linear map does not show that nothing is curved."
    )
    title = peak_title(result, "latent_rotation", "Noise aside, the share of a rotation")
    return _figure(result, FigureText("latent", title, "latent share", caption, (3,)), series, band="")


def retrieval_figure(result: LayersResult) -> Figure:
    """Draw P@1 at every layer, as it is and through a map."""
    series = _series(result.layers, "p_at_1", "p_at_1_backward", "p_at_1_mapped", "p_at_1_mapped_backward")
    plain = result.layers[-1].measures.p_at_1 is not None
    name, what = ("p_at_1", "Retrieval without a map") if plain else ("p_at_1_mapped", "Retrieval through a map")
    caption = (
        f"How often the right sentence is the nearest of {count(result.pool)}, by cosine, with the vectors as they are "
        "and through the held-out linear map, both ways. Predictions are drawn towards their mean, where the same few "
        "sentences are near to all: the mapped search forward suffers from it, backward it does not."
    )
    title = peak_title(result, name, what)
    return _figure(result, FigureText("retrieval", title, "P@1", caption, (2,)), series, band=name)


def language_figure(result: LayersResult) -> Figure:
    """Draw how well the language is identified at every layer."""
    series = _series(result.layers, "language_id")
    caption = (
        "Held-out accuracy of a linear classifier of the two languages; a sentence and its translation "
        "share a fold. One half is chance."
    )
    values = [layer.measures.language_id for layer in result.layers if layer.measures.language_id is not None]
    lowest = min(values, key=lambda e: e.value)
    title = (
        "The language is identified for every text at every layer"
        if lowest.value >= 1
        else f"The language is identified for at least {percent(floor(1000 * lowest.value) / 1000, 1)} of the texts "
        "at every layer"
    )
    return _figure(
        result, FigureText("language", title, "accuracy", caption, (10,)), series, band="language_id", **WHOLE
    )

"""What one coordinate that both sides share does to measures of similarity, as a warning."""

from __future__ import annotations

from ....probe.results.layers import LayersResult, Stress, StressedMeasure
from ...formatting import language_name, model_name, number, percent_interval
from .results import Located, StudyResults, model_of
from .tracks import Cell, Mark, Row, Tracks, points

ROGUE = "a rogue dimension"  # as `polyglot probe layers --stress` calls it
NAMES = {
    "biased_cka": "CKA, biased",
    "cka": "CKA",
    "cka_without_components": "CKA without main components",
    "cka_without_rogue": "CKA without rogue coordinates",
    "mutual_knn": "mutual k-NN",
    "cknna": "CKNNA",
    "procrustes": "Procrustes",
    "linear_r2": "R² of a linear map",
    "p_at_1": "found first",
    "p_at_1_backward": "found first, backward",
}


def rogue(results: StudyResults) -> Tracks | None:
    """Return every measure before and after; None where no result has this disturbance."""
    for one in results.stressed:
        stress = next((stress for stress in one.result.stress if stress.name == ROGUE), None)
        if stress is not None:
            return _tracks(one, stress)
    return None


def _tracks(one: Located[LayersResult], stress: Stress) -> Tracks:
    result = one.result
    pair = f"{language_name(result.source)} and {language_name(result.target)}"
    return Tracks(
        id="rogue",
        title=_title({measure.name: measure for measure in stress.measures}),
        caption=(
            f"{pair}, pooled output of {model_name(model_of(result.provenance))}, before and after a disturbance: "
            f"{stress.description}. It says nothing of meaning, and most measures rise. So no verdict here rests on "
            "CKA, and similarity without the coordinates that rule it stands beside it on every page of layers."
        ),
        columns=("all measures × 100",),
        rows=tuple(_row(one, measure) for measure in stress.measures),
        legend=(("plain", "as they are"), ("best", "with one common coordinate")),
    )


def _title(measures: dict[str, StressedMeasure]) -> str:
    """Say what similarity does, and what search does."""

    def from_to(name: str) -> str:
        return f"from {points(measures[name].plain)} to {points(measures[name].stressed)}"

    similarity = f"Warning: one common coordinate takes CKA {from_to('cka')}" if "cka" in measures else "Warning"
    if "p_at_1" not in measures:
        return similarity
    return f"{similarity}, and translations found first {from_to('p_at_1')}"


def _row(one: Located[LayersResult], measure: StressedMeasure) -> Row:
    name = NAMES.get(measure.name, measure.name.replace("_", " "))
    change = 100 * (measure.stressed.value - measure.plain.value)
    cell = Cell(
        marks=(Mark("plain", measure.plain.value), Mark("best", measure.stressed.value)),
        text=f"{points(measure.plain)} → {points(measure.stressed)}",
        note=f"{'+' if change > 0 else ''}{number(change, 0)}" if measure.moved else "did not move",
        said=f"{name}: {percent_interval(measure.plain)}, then {percent_interval(measure.stressed)}",
        address=one.address,
        join=True,
    )
    return Row(name, (cell,))

"""Both clouds of every language and model, as they are and under the best map."""

from __future__ import annotations

from dataclasses import dataclass

from ....probe.results.linear_map import LinearMapResult
from ...formatting import count, language_name, model_name
from ..linear_map.hero import Hero, hero
from .results import Located, StudyResults, model_of, models_in


@dataclass(frozen=True, slots=True)
class Cloud:
    """The picture of one language in one model."""

    label: str
    hero: Hero
    address: str


@dataclass(frozen=True, slots=True)
class Clouds:
    """Small multiples, a row for each model."""

    title: str
    caption: str
    rows: tuple[tuple[str, tuple[Cloud, ...]], ...]
    target: str


def clouds(results: StudyResults) -> Clouds | None:
    """Return the pictures of all results that have one; None where none has."""
    found: dict[str, list[Cloud]] = {model: [] for model in models_in(results)}
    for place, one in enumerate(results.maps):
        cloud = _cloud(one, results.pivot, place)
        if cloud is not None:
            found[model_of(one.result.provenance)].append(cloud)
    rows = tuple(
        (model_name(model), tuple(sorted(some, key=lambda one: one.label))) for model, some in found.items() if some
    )
    if not rows:
        return None
    every = [cloud for _, some in rows for cloud in some]
    target = language_name(results.pivot) if results.pivot else "the other language"
    return Clouds(
        title="Two languages lie apart; the best map lays their clouds on each other, though not every pair",
        caption=(
            f"Above: sentences in each language and their translations in {target}, as they are. Below: moved by the "
            f"best map. {count(every[0].hero.joined)} pairs that no map was fitted on, in 2 dimensions of the model's; "
            "lines join translations, solid where they are found first."
        ),
        rows=rows,
        target=target,
    )


def _cloud(one: Located[LinearMapResult], pivot: str, place: int) -> Cloud | None:
    directions = one.result.directions
    direction = next((some for some in directions if some.target == pivot), directions[0])
    picture = hero(direction, f"cloud-{place}")
    if picture is None:
        return None
    return Cloud(language_name(direction.source), picture, one.address)

"""Print the tables behind docs/findings.md from the result of a study: `python reports/findings.py STUDY.json`.

Every number of that page comes from here, with the name of the cell that holds it; `polyglot study reports/study.toml`
measures the cells.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.serialization import from_json
from polyglot.probe.results.study import StudyCell, StudyResult

Row = Sequence[str]


def main(path: str) -> None:
    """Print one table for each kind of cell."""
    study = from_json(Path(path).read_text(encoding="utf-8"), StudyResult)
    print(study.sentence)
    table("maps", ("cell", "direction", *SHARES, "geometry", "no map", "gain", "search", "words alone"), maps(study))
    table("layers", ("cell", "measure", "embedding output", "highest", "last"), layers(study))
    after = ("P@1 before", "P@1 after", "P@1 words alone")
    table("trainings", ("cell", "seeds", *after, "most lost"), trainings(study, after))
    table("search in text that no training saw", ("cell", "seeds", "P@1 to the pivot"), searches(study))
    tests = ("estimate", "p, Holm", "holds")
    table("contrasts", ("name", "model", "language", "by seed", *tests), contrasts(study))
    for family in study.families:
        held = [test for test in family.tests if test.holds]
        print(f"\n{family.name}: {len(held)} of {len(family.tests)} hold")
    table("predictors", ("measure", "gain by", "cells", "languages", "rank correlation"), predictors(study))


SHARES = ("latent linear", "latent rotation", "latent shift")


def maps(study: StudyResult) -> Iterator[Row]:
    """Yield a row for each direction of a linear map."""
    for cell in of_kind(study, "linear-map"):
        for name in dict.fromkeys(key.rsplit(" ", 1)[0] for key in cell.verdicts if key.endswith(" R²")):
            told = (cell.verdicts.get(f"{name} geometry", ""), cell.verdicts.get(f"{name} search", ""))
            shares = [score(cell, f"{name} {share}") for share in SHARES]
            found = [score(cell, f"{name} {key}") for key in ("P@1 no map", "gain", "P@1 words alone")]
            yield short(cell), name, *shares, told[0], found[0], found[1], told[1], found[2]


def layers(study: StudyResult) -> Iterator[Row]:
    """Yield, for each measure by layer, its first, its highest and its last value."""
    for cell in of_kind(study, "layers"):
        for measure in ("cka", "latent_linear", "p_at_1"):
            named = {key.split()[1]: value for key, value in cell.scores.items() if key.endswith(f" {measure}")}
            if named:
                first, last = (named[name] for name in (next(iter(named)), list(named)[-1]))
                best = max(named, key=lambda name: named[name].value)
                yield short(cell), measure, interval(first), f"layer {best}: {interval(named[best])}", interval(last)


def trainings(study: StudyResult, names: Sequence[str]) -> Iterator[Row]:
    """Yield means over seeds, with the least and the greatest."""
    for name, cells in by_seed(study, lambda cell: "P@1 after" in cell.scores).items():
        lost = [value.value for cell in cells for key, value in cell.scores.items() if key.startswith("lost ")]
        told = [over_seeds([cell.scores[key].value for cell in cells if key in cell.scores]) for key in names]
        yield name, str(len(cells)), *told, f"{max(lost):.3f}" if lost else "-"


def searches(study: StudyResult) -> Iterator[Row]:
    """Yield P@1 from a language to the pivot."""
    for name, cells in by_seed(study, lambda cell: cell.kind == "retrieval" and not cell.refused).items():
        key = f"{cells[0].language}-{study.pivot} P@1"
        found = [cell.scores[key] for cell in cells if key in cell.scores]
        alone = interval(found[0]) if len(found) == 1 else over_seeds([value.value for value in found])
        yield name, str(len(cells)), alone


def contrasts(study: StudyResult) -> Iterator[Row]:
    """Yield the contrasts of methods."""
    for one in study.contrasts:
        seeds = ", ".join(f"{value:.3f}" for value in one.by_seed)
        told = (interval(one.estimate), f"{one.p_adjusted:.2g}", "yes" if one.holds else "no")
        yield one.name, one.model, one.language, seeds, *told


def predictors(study: StudyResult) -> Iterator[Row]:
    """Yield what goes with gains."""
    for one in study.predictors:
        yield one.measure, one.gain, str(one.cells), str(one.languages), interval(one.correlation)


def of_kind(study: StudyResult, kind: str) -> list[StudyCell]:
    """Return the measured cells of a kind."""
    return [cell for cell in study.cells if cell.kind == kind and not cell.refused]


def by_seed(study: StudyResult, wanted: Callable[[StudyCell], bool]) -> dict[str, list[StudyCell]]:
    """Return cells that differ in seeds only, by their name without seeds."""
    found = defaultdict[str, list[StudyCell]](list)
    for cell in study.cells:
        if wanted(cell):
            found[short(cell)].append(cell)
    return found


def short(cell: StudyCell) -> str:
    """Return the name of a cell without seeds."""
    return re.sub(r"-s\d+\b", "", cell.name)


def score(cell: StudyCell, key: str) -> str:
    """Return a score of a cell."""
    return interval(cell.scores[key]) if key in cell.scores else "-"


def interval(value: Interval) -> str:
    """Return a value with its interval."""
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"


def over_seeds(values: Sequence[float]) -> str:
    """Return a mean with the least and the greatest value."""
    if not values:
        return "-"
    return f"{sum(values) / len(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def table(title: str, columns: Row, rows: Iterator[Row]) -> None:
    """Print a Markdown table."""
    print(f"\n## {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main(sys.argv[1])

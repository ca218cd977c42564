"""Print the headline table of linear-map results as Markdown: `python reports/headline.py RESULT.json …`.

Every cell comes from a result file, so that no number in the README is typed by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from polyglot.analysis.resampling import Interval
from polyglot.probe.results.linear_map import Direction, LinearMapResult
from polyglot.probe.results.serialization import from_json

RUNGS = ("identity", "shift", "rotation", "linear", "nonlinear", "local")
SCORES = ("model", "direction", *(f"R² {r}" for r in RUNGS), "null (ceiling, 95th percentile)", "share of linear")
VERDICTS = ("verdict", "P@1 identity / rotation / linear", "verdict by P@1", "least curvature found in 80 %")
ANATOMY = ("shift ÷ spread", "median angle", "stretch (5th to 95th percentile)", "noise ceiling")


def main(paths: list[str]) -> None:
    """Print one table of scores and one of verdicts with power and anatomy."""
    found = [(result, d) for result in map(read, paths) for d in result.directions]
    print(markdown(SCORES, [scores(result, d) for result, d in found]))
    print()
    print(markdown(("model", "direction", *VERDICTS, *ANATOMY), [verdicts(result, d) for result, d in found]))


def read(path: str) -> LinearMapResult:
    """Read a result."""
    return from_json(Path(path).read_text(encoding="utf-8"), LinearMapResult)


def scores(result: LinearMapResult, d: Direction) -> list[str]:
    """Return the cells of R²."""
    cells = [ranged(d.rungs[r].r2) if r in d.rungs else "-" for r in RUNGS]
    share = d.certificate.shares.get("linear")
    return [*head(result, d), *cells, f"{d.certificate.ceiling_null_p95:.3f}", ranged(share) if share else "-"]


def verdicts(result: LinearMapResult, d: Direction) -> list[str]:
    """Return the cells of verdict, power and anatomy."""
    judged, form = d.certificate, d.anatomy
    asked = ("identity", "rotation", "linear")
    hits = " / ".join(f"{d.rungs[r].p_at_1.value:.2f}" if r in d.rungs else "-" for r in asked)
    most = max((p.share for p in judged.power), default=0.0)
    power = f"{judged.smallest_detectable:.1%}" if judged.smallest_detectable else f"more than {most:.0%}"
    shift = "-" if form is None or form.shift_to_spread is None else f"{form.shift_to_spread:.2f}"
    angle = "-" if form is None or not form.rotation_angles else f"{median(form.rotation_angles):.0f}°"
    stretch = "-" if form is None or not form.stretch else inner(form.stretch)
    noise = ranged(judged.noise_ceiling) if judged.noise_ceiling else "-"
    linear = judged.shares.get("linear")
    mostly = judged.verdict == "nonlinear" and linear is not None and linear.value >= 0.5
    verdict = "nonlinear (mostly linear)" if mostly else judged.verdict
    return [*head(result, d), verdict, hits, judged.retrieval_verdict, power, shift, angle, stretch, noise]


def head(result: LinearMapResult, d: Direction) -> list[str]:
    """Return model and direction."""
    return [result.provenance.models[0].model, f"{d.source} → {d.target}"]


def inner(values: tuple[float, ...]) -> str:
    """Return the middle nine tenths of some values."""
    order = sorted(values)
    reach = len(order) // 20
    return f"{order[reach]:.2f} to {order[-1 - reach]:.2f}"


def ranged(interval: Interval) -> str:
    """Return a value with its limits."""
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def markdown(columns: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return a table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What the benchmarks share: alternating runs, ratios with spread, JSON, one line a claim."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

CLOCKS = {"wall clock": time.perf_counter, "processor time": time.process_time}


@dataclass(frozen=True)
class Ratio:
    """How much longer the peer takes than we do, over paired runs."""

    claim: str
    ours_seconds: float
    peer_seconds: float
    ratio: float
    low: float
    high: float
    goal: str

    def line(self) -> str:
        """Return the claim with its ratio and spread."""
        return (
            f"{self.claim}: peer / ours = {self.ratio:.2f} [{self.low:.2f}, {self.high:.2f}] "
            f"({self.peer_seconds:.2f} s / {self.ours_seconds:.2f} s; goal {self.goal})"
        )


@dataclass(frozen=True)
class Measure:
    """A number that has no peer: how long, how much memory, how fast it grows."""

    claim: str
    value: float
    low: float
    high: float
    unit: str
    goal: str

    def line(self) -> str:
        """Return the claim with its number and spread."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.claim}: {self.value:.3g}{unit} [{self.low:.3g}, {self.high:.3g}] (goal {self.goal})"

    @classmethod
    def of(cls, claim: str, values: Sequence[float], unit: str, goal: str) -> Measure:
        """Take the median of repeated measurements, and their ends as the spread."""
        return cls(claim, float(np.median(values)), min(values), max(values), unit, goal)


def side_by_side(
    claim: str, ours: Callable[[], object], peer: Callable[[], object], *, runs: int = 3, goal: str = ""
) -> Ratio:
    """Time both in turn, A B A B …, after one warm-up each; the ratio is taken pair by pair."""
    ours()
    peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(runs)]
    ratios = [b / a for a, b in pairs]
    mine, theirs = np.median(pairs, axis=0)
    return Ratio(claim, float(mine), float(theirs), float(np.median(ratios)), min(ratios), max(ratios), goal)


def by_both_clocks(
    claim: str, ours: Callable[[], object], peer: Callable[[], object], *, runs: int = 3, goal: str = ""
) -> list[Ratio]:
    """As `side_by_side`, by the wall clock and in processor time of the same runs; the latter stands a busy machine."""
    ours()
    peer()
    turns = [[_by_clock(work) for work in (ours, peer)] for _ in range(runs)]
    found = []
    for name in CLOCKS:
        pairs = [(mine[name], theirs[name]) for mine, theirs in turns]
        ratios = [b / a for a, b in pairs]
        mine, theirs = np.median(pairs, axis=0)
        label = f"{claim}, {name}"
        found.append(Ratio(label, float(mine), float(theirs), float(np.median(ratios)), min(ratios), max(ratios), goal))
    return found


def _by_clock(run: Callable[[], object]) -> dict[str, float]:
    began = {name: clock() for name, clock in CLOCKS.items()}
    run()
    return {name: clock() - began[name] for name, clock in CLOCKS.items()}


def seconds(run: Callable[[], object]) -> float:
    """Return how long a call takes by the wall clock."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def worked(run: Callable[[], object]) -> float:
    """Return the processor seconds of a call, all threads together; other work on the machine hardly changes them."""
    start = time.process_time()
    run()
    return time.process_time() - start


def arguments(description: str, **defaults: int) -> argparse.Namespace:
    """Parse ``--out FILE`` and one integer option for each default."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    for name, value in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    return parser.parse_args()


def report(results: Sequence[Ratio | Measure], out: Path | None) -> None:
    """Print one line a claim, and write them as JSON."""
    for result in results:
        print(result.line())
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n", encoding="utf-8")

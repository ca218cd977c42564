"""How work grows with the number of rows: the slope of log processor seconds over log rows, for what should be linear.

    python benchmarks/growth.py --smallest 1000 --largest 1000000

The slope is fitted over the upper decades alone too: at few rows fixed costs make any growth look slow.
"""

import tempfile
from pathlib import Path

import numpy as np
from grouping import generate
from polyglot.analysis.moments import Moments
from polyglot.analysis.similarity.streaming_cka import debiased_cka_from_moments
from polyglot.data.groups import concept_groups
from polyglot.data.importing import import_corpus
from polyglot.data.open import open_corpus
from timing import Measure, arguments, report, worked

GOAL = "≤ 1.1"
STEADY = 10_000  # rows from which on fixed costs no longer count


def sizes(smallest, largest):
    """Return the powers of ten from one size to another."""
    return [10**p for p in range(round(np.log10(smallest)), round(np.log10(largest)) + 1)]


def array_works(n, d, rng):
    x = rng.standard_normal((n, d), dtype=np.float32)
    y = rng.standard_normal((n, d), dtype=np.float32)
    return {
        "moments": lambda: Moments.from_arrays(x, y),
        "streaming CKA": lambda: debiased_cka_from_moments(Moments.from_arrays(x, y)),
    }


def text_works(n, folder):
    source, imported = folder / f"{n}.tsv.gz", folder / f"{n}.parquet"
    generate(source, n, seed=0)
    import_corpus([source], imported, ["en", "fr"])
    bitext = open_corpus([str(imported)], ["en", "fr"]).bitext("en", "fr")
    return {
        "import": lambda: import_corpus([source], folder / "again.parquet", ["en", "fr"]),
        "grouping": lambda: concept_groups(bitext),
    }


def slope(rows, times):
    return float(np.polyfit(np.log(rows), np.log(times), 1)[0])


def measure(rows, d, runs):
    """Return the processor seconds of each work at each size, (runs,) a size."""
    times = {}
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for n in rows:
            works = array_works(n, d, rng) | text_works(n, Path(folder))
            for name, work in works.items():
                work()
                times.setdefault(name, []).append([worked(work) for _ in range(runs)])
            print(f"n = {n}: " + ", ".join(f"{name} {min(t[-1]):.3g} s" for name, t in times.items()), flush=True)
    return times


def main():
    options = arguments(__doc__.splitlines()[0], smallest=1000, largest=100_000, d=128, runs=3)
    rows = sizes(options.smallest, options.largest)
    steady = [place for place, n in enumerate(rows) if n >= STEADY]
    found = []
    for name, times in measure(rows, options.d, options.runs).items():
        by_run = np.array(times).T
        claim = f"growth of {name} over {rows[0]} … {rows[-1]} rows, exponent"
        found.append(Measure.of(claim, [slope(rows, t) for t in by_run], "", GOAL))
        if 2 <= len(steady) < len(rows):
            upper = [rows[place] for place in steady]
            claim = f"growth of {name} over {upper[0]} … {upper[-1]} rows, exponent"
            found.append(Measure.of(claim, [slope(upper, t[steady]) for t in by_run], "", GOAL))
        found.append(Measure.of(f"{name} at {rows[-1]} rows", by_run[:, -1].tolist(), "s", "none"))
    report(found, options.out)


if __name__ == "__main__":
    main()

"""A million planted pairs in .npy files: memory and time of what is read piece by piece, and the whole probe.

What reads the files runs in a process of its own. Its memory is the peak of its resident set above that after all
imports; files are read, not mapped, so that nothing of them counts. The planted map is linear: another verdict is an
error. `--exact-rows` is the size of the sample of the second part.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from timing import Measure, Ratio, arguments, report

COMMON = '''
import json, sys, time
import numpy as np
from pathlib import Path
from polyglot.analysis.splits import group_folds
from polyglot.analysis.streamed_moments import RowBlocks, blocks_that_fit, gather
from polyglot.distributed import Processes
from polyglot.files import StoredMatrix
from polyglot.probe.linear_map import streamed
from polyglot.probe.linear_map.run import LinearMapConfig, measure, measure_files

def resident(which):
    """MiB; the peak of getrusage would be inherited from the process that started this one."""
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(which)) / 1024

rng = np.random.default_rng(0)
quick = LinearMapConfig(permutations=2, costly_permutations=1, resamples=100, power_replicates=0, failure=False)
measure(rng.standard_normal((60, 3)), rng.standard_normal((60, 3)), config=quick)  # imports what is imported late
paths, sample = [Path(name) for name in sys.argv[1:3]], int(sys.argv[3])
start = resident("VmRSS")
'''
STREAMED = (
    COMMON
    + """
x, y = map(StoredMatrix, paths)
spent = {}

def timed(name, work):
    began = time.perf_counter()
    made = work()
    spent[name] = time.perf_counter() - began
    return made

pieces = [slice(a, a + 4096) for a in range(0, len(x), 4096)]
groups, _ = timed("scan", lambda: streamed.read_groups(x, y, None, Processes()))
folds = group_folds(groups, 5, np.random.default_rng(0))
blocks = RowBlocks.of(groups, folds, blocks_that_fit((x.shape[1], y.shape[1]), 5))
gathered = timed("moments", lambda: gather(x, y, blocks))
rungs = ("rotation", "similarity", "low_rank", "linear")
fits = timed("maps", lambda: [streamed.fit_streamed(one, rungs) for one in (gathered, gathered.swapped())])
memory = resident("VmHWM") - start
del gathered
timed("reading", lambda: [(x[piece], y[piece]) for piece in pieces])
held_x, held_y = x[:], y[:]

def products():
    for piece in pieces:
        a, b = held_x[piece], held_y[piece]
        a.T @ a, a.T @ b, b.T @ b

timed("products", products)
timed("in memory", lambda: gather(held_x, held_y, blocks))
print(json.dumps({"memory": memory, "spent": spent, "r2": [fit.r2 for fit in fits]}))
"""
)
WHOLE = (
    COMMON
    + """
config = LinearMapConfig(exact_rows=sample, permutations=5, costly_permutations=2, power_replicates=2)
began = time.perf_counter()
result = measure_files(*paths, config)
found = [one.streamed for one in result.directions]
print(json.dumps({"memory": resident("VmHWM") - start, "seconds": time.perf_counter() - began,
                  "verdicts": [one.verdict for one in found],
                  "linear": [one.r2["linear"].value for one in found]}))
"""
)


def planted(folder, n, d):
    """Write n pairs of width d as float32, a linear map with noise between them, and return the files and its R²."""
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((d, d)).astype(np.float32) / np.float32(np.sqrt(d))
    spread = np.geomspace(2, 0.2, d, dtype=np.float32)
    paths = [Path(folder) / f"{name}.npy" for name in ("x", "y")]
    x, y = (np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, d)) for path in paths)
    for start in range(0, n, 50_000):
        rows = slice(start, min(start + 50_000, n))
        block = rng.standard_normal((rows.stop - start, d), dtype=np.float32) * spread
        x[rows] = block + 0.3
        y[rows] = block @ weights + 0.3 * rng.standard_normal(block.shape, dtype=np.float32)
    explained = float(np.sum((spread[:, None] * weights) ** 2))
    return paths, explained / (explained + 0.09 * d)


def alone(program, paths, sample):
    """Run a program in a process of its own and return what it found."""
    command = [sys.executable, "-c", program, *map(str, paths), str(sample)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()[-1])


def main():
    options = arguments(__doc__.splitlines()[0], n=1_000_000, d=384, exact_rows=2000, runs=3)
    with tempfile.TemporaryDirectory() as folder:
        paths, r2 = planted(folder, options.n, options.d)
        runs = [alone(STREAMED, paths, options.exact_rows) for _ in range(options.runs)]
        whole = alone(WHOLE, paths, options.exact_rows)
    wrong = [one["r2"] for one in runs if abs(one["r2"][0]["linear"] - r2) > 0.002]
    named = whole["verdicts"][0]
    size = f"{options.n} pairs, d = {options.d}"
    spent = {name: [one["spent"][name] for one in runs] for name in runs[0]["spent"]}
    total = [sum(one["spent"][name] for name in ("scan", "moments", "maps")) for one in runs]
    bound = [(a + 2 * b) / c for a, b, c in zip(spent["products"], spent["reading"], total, strict=True)]
    ratios = [a / b for a, b in zip(spent["products"], spent["moments"], strict=True)]
    mine, bare = (float(np.median(spent[name])) for name in ("moments", "products"))
    claim = f"moments of {size}, from files, against bare float32 products of rows in memory"
    kept = [a / b for a, b in zip(spent["products"], spent["in memory"], strict=True)]
    held = float(np.median(spent["in memory"]))
    in_memory = f"moments of {size}, rows in memory, against bare float32 products"
    results = [
        Ratio(in_memory, held, bare, float(np.median(kept)), min(kept), max(kept), "≥ 0.7"),
        Ratio(claim, mine, bare, float(np.median(ratios)), min(ratios), max(ratios), "≥ 0.7"),
        Measure.of(f"{size}: reading, checking, grouping", spent["scan"], "s", "none"),
        Measure.of(f"{size}: closed-form maps, both directions", spent["maps"], "s", "none"),
        Measure.of(f"{size}: all of it", total, "s", "none"),
        Measure.of(f"{size}: bare products and two bare readings, as a share of it", bound, "", "none"),
        Measure.of(f"{size}: memory above the interpreter", [one["memory"] for one in runs], "MiB", "≤ 1536"),
        Measure.of(f"{size}: the probe with a sample of {options.exact_rows}", [whole["seconds"]], "s", "none"),
        Measure.of(f"{size}: the probe, memory above the interpreter", [whole["memory"]], "MiB", "≤ 1536"),
        Measure.of(f"{size}: R² of all pairs, planted {r2:.4f}", whole["linear"][:1], "", f"{r2:.4f}"),
    ]
    report(results, options.out)
    print(f"verdict of the probe: {named}, planted: linear")
    return int(bool(wrong) or named != "linear")


if __name__ == "__main__":
    sys.exit(main())

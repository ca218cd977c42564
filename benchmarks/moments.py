"""The moment pass against the machine's own float32 matrix products, and its memory as n grows."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from polyglot.analysis.moments import Moments
from timing import arguments, report, side_by_side

GROWTH = """
import sys, threading, time
import numpy as np
from polyglot.analysis.moments import Moments

def anonymous():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("RssAnon")) / 1024

def watch():
    while not done.is_set():
        seen.append(anonymous())
        time.sleep(0.02)

Moments.from_arrays(np.zeros((10, 8), np.float32), np.zeros((10, 8), np.float32))
x, y = (np.load(path, mmap_mode="r") for path in sys.argv[1:3])
start, seen, done = anonymous(), [], threading.Event()
watcher = threading.Thread(target=watch)
watcher.start()
Moments.from_arrays(x, y)
done.set()
watcher.join()
print(max(seen) - start)
"""


def bare_products(x, y, rows=4096):
    """Take the three matrix products of the moment pass and nothing else."""
    total = torch.zeros(3, x.shape[1], x.shape[1])
    for start in range(0, len(x), rows):
        a, b = x[start : start + rows], y[start : start + rows]
        total[0] += a.T @ a
        total[1] += a.T @ b
        total[2] += b.T @ b
    return total


def growth(folder, n, d):
    """Return the peak anonymous memory in MiB that a moment pass over memory-mapped files adds, in its own process."""
    paths = []
    for name in ("x", "y"):
        path = Path(folder) / f"{name}{n}.npy"
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, d))
        for start in range(0, n, 50_000):
            block = array[start : start + 50_000]
            block[:] = np.random.default_rng(start).standard_normal(block.shape, dtype=np.float32)
        del array
        paths.append(str(path))
    done = subprocess.run([sys.executable, "-c", GROWTH, *paths], capture_output=True, check=True, text=True)
    for path in paths:
        Path(path).unlink()
    return float(done.stdout)


def main():
    options = arguments(__doc__.splitlines()[0], n=60_000, d=384, largest=1_000_000, runs=3)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((options.n, options.d), dtype=np.float32)
    y = rng.standard_normal((options.n, options.d), dtype=np.float32)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    result = side_by_side(
        f"moment pass against its bare float32 products, n = {options.n}, d = {options.d}",
        lambda: Moments.from_arrays(x, y),
        lambda: bare_products(tx, ty),
        runs=options.runs,
        goal="≥ 0.7",
    )
    report([result], options.out)
    with tempfile.TemporaryDirectory() as folder:
        for n in (options.largest // 10, options.largest):
            print(f"n = {n}: {growth(folder, n, 128):.0f} MiB above the start (d = 128, memory-mapped)")


if __name__ == "__main__":
    main()

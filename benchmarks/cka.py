"""Debiased CKA in one pass over moments, beside the formula on Gram matrices, and its memory where those do not fit."""

import threading
import time
from pathlib import Path

import numpy as np
from polyglot.analysis.moments import Moments
from polyglot.analysis.similarity.hsic import unbiased_hsic
from polyglot.analysis.similarity.streaming_cka import debiased_cka_from_moments
from timing import Measure, arguments, report, seconds, side_by_side

MEBIBYTE = 2**20


def related(n, d, rng):
    x = rng.standard_normal((n, d), dtype=np.float32)
    return x, 0.5 * x[:, ::-1] + rng.standard_normal((n, d), dtype=np.float32)


def streamed(x, y):
    return debiased_cka_from_moments(Moments.from_arrays(x, y))


def by_gram(x, y):
    """Take the textbook's way: two n × n matrices in float64."""
    k, l = (side.astype(np.float64) @ side.T.astype(np.float64) for side in (x, y))  # noqa: E741
    return unbiased_hsic(k, l) / np.sqrt(unbiased_hsic(k, k) * unbiased_hsic(l, l))


def held():
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def memory_above(work):
    """Return the most anonymous memory in MiB that a call adds."""
    start, seen, done = held(), [0.0], threading.Event()

    def watch():
        while not done.is_set():
            seen.append(held() - start)
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return max(seen)


def main():
    options = arguments(__doc__.splitlines()[0], n=100_000, gram=4000, d=384, runs=3)
    rng = np.random.default_rng(0)
    x, y = related(options.n, options.d, rng)
    memory = memory_above(lambda: streamed(x, y))  # of the first pass: later ones use again what it gave back
    a, b = x[: options.gram], y[: options.gram]
    print(f"by moments {streamed(a, b):.8f}, by Gram matrices {by_gram(a, b):.8f}")
    small = side_by_side(
        f"debiased CKA at n = {options.gram}, d = {options.d}, against Gram matrices",
        lambda: streamed(a, b),
        lambda: by_gram(a, b),
        runs=options.runs,
        goal="≥ 10 at n ≥ 8000",
    )
    gram = 2 * 8 * options.n**2 / MEBIBYTE
    size = f"debiased CKA at n = {options.n}, d = {options.d}"
    times = [seconds(lambda: streamed(x, y)) for _ in range(options.runs)]
    report(
        [
            small,
            Measure.of(size, times, "s", "no Gram matrix"),
            Measure.of(f"{size}, memory above the rows", [memory], "MiB", f"far below the {gram:.0f} of Gram matrices"),
        ],
        options.out,
    )


if __name__ == "__main__":
    main()

"""Exact retrieval with CSLS beside two bare matrix products and a faiss flat pipeline, by both clocks of one run.

    python benchmarks/retrieval.py --rows 50000 --width 384 --threads 2 [--out FILE.json]

Every round runs each contestant once, in turn; a ratio is taken within its round, and the median over rounds is given
with the lowest and the highest. The wall clock counts where the machine is quiet; where others share it, processor time
does, on one thread, since threads that wait for each other spin.

The peer searches a flat index both ways for 10 neighbours, which is what CSLS needs from an index; it then scores only
the 10 nearest by cosine, as the usual scripts do. The measured side is exact over all candidates; it also does the
peer's task. Prints all of it as JSON and one line; ends with status 1 where a goal is missed by the wall clock.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.analysis.retrieval.search import nearest, nearest_both_ways
from polyglot.analysis.retrieval.tiles import CPU_SIDE
from threadpoolctl import threadpool_limits

MEBIBYTE = 2**20
PRODUCTS, FAISS = "two bare products", "faiss flat, both ways, CSLS of the 10"
CSLS, PEERS_TASK = "CSLS, exact", "both ways, CSLS of the 10"
MOST_OF_PRODUCTS, MOST_OF_FAISS, MOST_MEMORY = 1.3, 1.0, 1024


def main() -> int:
    options = parse()
    torch.set_num_threads(options.threads)
    x, y = planted(options.rows, options.width)
    with threadpool_limits(options.threads):
        rounds, memory = compete(contestants(x, y, options.threads), options.repeats)
    found = {
        "rows": options.rows,
        "width": options.width,
        "threads": options.threads,
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
        "seconds": {clock: {name: median(r[name] for r in turns) for name in turns[0]} for clock, turns in rounds},
        "to_products": {clock: ratios(turns, PRODUCTS) for clock, turns in rounds},
        "to_faiss": {clock: ratios(turns, FAISS) for clock, turns in rounds if FAISS in turns[0]},
        "mebibytes_above_inputs": memory,
    }
    print(json.dumps(found))
    if options.out is not None:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(line(found))
    return int(missed(found))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1, help="rounds, after one small one that warms up")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    return parser.parse_args()


def planted(rows: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, width), dtype=np.float32)
    y = rng.standard_normal((rows, width), dtype=np.float32)
    y *= 1.5
    y += x
    return x, y


def contestants(x: np.ndarray, y: np.ndarray, threads: int) -> dict[str, Callable[[slice], object]]:
    """Name what is timed, each as a function of the rows that take part."""

    def ranks(rows: slice) -> object:
        numbers = np.arange(len(x[rows]))
        return match_ranks(x[rows], y[rows], numbers, numbers)

    works: dict[str, Callable[[slice], object]] = {
        PRODUCTS: lambda rows: (products(x[rows], y[rows]), products(x[rows], y[rows])),
        "nearest 10 by cosine": lambda rows: nearest(x[rows], y[rows], k=10),
        PEERS_TASK: lambda rows: ten_nearest_csls(x[rows], y[rows]),
        CSLS: lambda rows: nearest(x[rows], y[rows], k=1, criterion="csls"),
        "cosine and CSLS ranks, both ways": ranks,
    }
    try:
        import faiss
    except ImportError:
        print("faiss flat pipeline: skipped, faiss-cpu is not installed", file=sys.stderr)
        return works
    faiss.omp_set_num_threads(threads)
    return works | {FAISS: lambda rows: faiss_csls(faiss, x[rows], y[rows])}


def compete(
    works: dict[str, Callable[[slice], object]], repeats: int
) -> tuple[list[tuple[str, list[dict[str, float]]]], float]:
    """Return the seconds of every round by both clocks, and the most memory that our own work took above its inputs."""
    for work in works.values():
        work(slice(0, 2 * CPU_SIDE))
    rounds: tuple[list[dict[str, float]], ...] = ([], [])
    memory = 0.0
    for _ in range(repeats):
        for turns in rounds:
            turns.append({})
        for name, work in works.items():
            start = held_after_reset()
            began = time.perf_counter(), time.process_time()
            work(slice(None))
            rounds[0][-1][name], rounds[1][-1][name] = time.perf_counter() - began[0], time.process_time() - began[1]
            if name not in (PRODUCTS, FAISS):
                memory = max(memory, (most_held() - start) / MEBIBYTE)
    return [("wall", rounds[0]), ("processor", rounds[1])], round(memory, 1)


def products(x: np.ndarray, y: np.ndarray) -> None:
    """Multiply tile by tile into one buffer: what any exact search must do at least."""
    buffer = np.empty((min(CPU_SIDE, len(x)), min(CPU_SIDE, len(y))), np.float32)
    for i in range(0, len(x), CPU_SIDE):
        for j in range(0, len(y), CPU_SIDE):
            a, b = x[i : i + CPU_SIDE], y[j : j + CPU_SIDE]
            np.matmul(a, b.T, out=buffer[: len(a), : len(b)])


def ten_nearest_csls(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Do what the peer does: both searches, here from one pass, and CSLS of the 10 nearest by cosine."""
    forward, backward = nearest_both_ways(x, y, k=10)
    near = backward.scores.mean(axis=1)[forward.places]
    scores = 2 * forward.scores - forward.scores.mean(axis=1, keepdims=True) - near
    return forward.places[np.arange(len(x)), scores.argmax(axis=1)]


def faiss_csls(faiss, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    a, b = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    (near_x, places), (near_y, _) = (search(faiss, one, other) for one, other in ((a, b), (b, a)))
    scores = 2 * near_x - near_x.mean(axis=1, keepdims=True) - near_y.mean(axis=1)[places]
    return places[np.arange(len(x)), scores.argmax(axis=1)]


def search(faiss, queries: np.ndarray, candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    index = faiss.IndexFlatIP(candidates.shape[1])
    index.add(candidates)
    return index.search(queries, 10)


def held_after_reset() -> int:
    """Return the memory held now, in bytes; forget the most held so far where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return most_held()
    return status("VmRSS")


def most_held() -> int:
    """Return the most memory held since the last reset, in bytes."""
    try:
        return status("VmHWM")
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])


def median(values) -> float:
    return round(float(np.median(list(values))), 3)


def ratios(turns: list[dict[str, float]], reference: str) -> dict[str, list[float]]:
    """Return median, lowest and highest ratio to a reference of the same round, by contestant."""
    found = {}
    for name in turns[0]:
        if name != reference:
            values = [turn[name] / turn[reference] for turn in turns]
            found[name] = [round(float(v), 3) for v in (np.median(values), min(values), max(values))]
    return found


def line(found: dict) -> str:
    bare = {clock: values[CSLS][0] for clock, values in found["to_products"].items()}
    text = (
        f"{CSLS}, {found['rows']} × {found['rows']} × {found['width']}, {found['threads']} threads: "
        f"{bare['wall']:.2f} times two bare products by the wall clock, {bare['processor']:.2f} in processor time "
        f"(goal {MOST_OF_PRODUCTS})"
    )
    if found["to_faiss"]:
        wall, processor = (found["to_faiss"][clock] for clock in ("wall", "processor"))
        text += (
            f"; {wall[PEERS_TASK][0]:.2f} times the faiss pipeline at its own task by the wall clock, "
            f"{processor[PEERS_TASK][0]:.2f} in processor time (goal below {MOST_OF_FAISS:g}), exact over all "
            f"candidates {wall[CSLS][0]:.2f} and {processor[CSLS][0]:.2f}"
        )
    return f"{text}; {found['mebibytes_above_inputs']:.0f} MiB above the inputs (goal {MOST_MEMORY})"


def missed(found: dict) -> bool:
    """Tell whether a goal is missed by the wall clock."""
    slow = found["to_products"]["wall"][CSLS][0] > MOST_OF_PRODUCTS
    behind = bool(found["to_faiss"]) and found["to_faiss"]["wall"][PEERS_TASK][0] >= MOST_OF_FAISS
    return slow or behind or found["mebibytes_above_inputs"] > MOST_MEMORY


if __name__ == "__main__":
    sys.exit(main())

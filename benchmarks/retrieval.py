"""Exact retrieval with CSLS beside two bare matrix products and a faiss flat pipeline.

    python benchmarks/retrieval.py --rows 50000 --width 384

The peer searches a flat index both ways for 10 neighbours, which is what CSLS needs from an index; it then scores only
the 10 nearest by cosine, as the usual scripts do. The measured side is exact over all candidates.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import torch
from polyglot.analysis.neighbours import match_ranks, nearest, nearest_both_ways
from polyglot.analysis.tiles import Tiles

MEGABYTE = 2**20


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    x, y = planted(options.rows, options.width)
    print(
        f"{options.rows} × {options.rows} × {options.width}, float32, {options.threads} threads, {options.clock} time"
    )
    held = peak()
    bare = timed(options, lambda: products(x, y))
    print(f"two bare matrix products, same tiles   {2 * bare:8.2f} s   1.00")
    numbers = np.arange(options.rows)
    for label, work in (
        ("nearest 10 by cosine", lambda: nearest(x, y, k=10)),
        ("both ways, CSLS of the 10, as the peer", lambda: ten_nearest_csls(x, y)),
        ("CSLS: both neighbourhoods, best answer", lambda: nearest(x, y, k=1, criterion="csls")),
        ("cosine and CSLS ranks, both ways", lambda: match_ranks(x, y, numbers, numbers)),
    ):
        seconds = timed(options, work)
        print(f"{label:<38} {seconds:8.2f} s   {seconds / (2 * bare):.2f}")
    print(f"most memory above the inputs           {(peak() - held) / MEGABYTE:8.0f} MiB")
    faiss_peer(x, y, options, 2 * bare)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu where others share the machine")
    return parser.parse_args()


def planted(rows: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, width), dtype=np.float32)
    return x, x + 1.5 * rng.standard_normal((rows, width), dtype=np.float32)


def products(x: np.ndarray, y: np.ndarray) -> None:
    for _ in Tiles.of(x, y, "cpu"):
        pass


def ten_nearest_csls(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Do what the peer does: both searches, here from one pass, and CSLS of the 10 nearest by cosine."""
    forward, backward = nearest_both_ways(x, y, k=10)
    near = backward.scores.mean(axis=1)[forward.places]
    scores = 2 * forward.scores - forward.scores.mean(axis=1, keepdims=True) - near
    return forward.places[np.arange(len(x)), scores.argmax(axis=1)]


def timed(options: argparse.Namespace, work: Callable[[], object]) -> float:
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    seconds = []
    for _ in range(options.repeats):
        start = clock()
        work()
        seconds.append(clock() - start)
    return min(seconds)


def peak() -> int:
    """Most memory this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def faiss_peer(x: np.ndarray, y: np.ndarray, options: argparse.Namespace, reference: float) -> None:
    try:
        import faiss
    except ImportError:
        print("faiss flat pipeline: skipped, faiss-cpu is not installed")
        return
    faiss.omp_set_num_threads(options.threads)
    seconds = timed(options, lambda: faiss_csls(faiss, x, y))
    print(f"{'faiss flat, both ways, CSLS of the 10':<38} {seconds:8.2f} s   {seconds / reference:.2f}")


def faiss_csls(faiss: object, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    a, b = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    (near_x, places), (near_y, _) = (search(faiss, one, other) for one, other in ((a, b), (b, a)))
    scores = 2 * near_x - near_x.mean(axis=1, keepdims=True) - near_y.mean(axis=1)[places]
    return places[np.arange(len(x)), scores.argmax(axis=1)]


def search(faiss, queries: np.ndarray, candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    index = faiss.IndexFlatIP(candidates.shape[1])
    index.add(candidates)
    return index.search(queries, 10)


if __name__ == "__main__":
    main()

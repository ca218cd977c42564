"""What all layers cost beside the last one alone: one forward pass gives both, so at most 1.3 times the time.

    python benchmarks/layers.py [--model minilm] [--rows 1500] [--repeats 3] [--threads 2] [--out FILE.json]

Every round encodes the same texts both ways, in turn; the ratio is taken within its round, and the median over rounds
is given with the lowest and the highest, by the wall clock and in processor time. Prints all of it as JSON and one
line; ends with status 1 where the median by the wall clock is above 1.3.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

MOST = 1.3


def main():
    options = parse()
    import torch
    from polyglot.data.open import open_corpus
    from polyglot.models.encoder import load_encoder

    torch.set_num_threads(options.threads)
    encoder = load_encoder(options.model, device=options.device)
    texts = open_corpus(options.corpus, (options.language,), limit=options.rows).column(options.language)
    works = {
        "last layer": encoder.encode,
        "all layers": lambda some: encoder.encode(some, layers=range(encoder.layers)),
    }
    for work in works.values():
        work(texts[:32])
    rounds = [{name: seconds(work, texts) for name, work in works.items()} for _ in range(options.repeats)]
    found = {
        "model": options.model,
        "texts": len(texts),
        "hidden_states": encoder.layers,
        "device": encoder.device,
        "threads": options.threads,
        "load": os.getloadavg()[0],
        "seconds": {name: {clock: spread([r[name][clock] for r in rounds]) for clock in CLOCKS} for name in works},
        "all_to_last": {
            clock: spread([r["all layers"][clock] / r["last layer"][clock] for r in rounds]) for clock in CLOCKS
        },
    }
    print(json.dumps(found))
    if options.out is not None:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(line(found))
    return int(found["all_to_last"]["wall"][0] > MOST)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--device", default=None)
    parser.add_argument("--corpus", action="append", help="as `--corpus` of a probe; by default the built-in text")
    parser.add_argument("--language", default="en")
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    return parser.parse_args()


CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def seconds(work, texts):
    """Return the seconds of one run by both clocks."""
    began = {name: clock() for name, clock in CLOCKS.items()}
    work(texts)
    return {name: clock() - began[name] for name, clock in CLOCKS.items()}


def spread(values):
    """Return median, lowest and highest."""
    return [round(float(value), 3) for value in (np.median(values), min(values), max(values))]


def line(found):
    wall, processor = (found["all_to_last"][clock] for clock in CLOCKS)
    return (
        f"{found['model']}, {found['texts']} texts, {found['hidden_states']} hidden states, {found['device']}, "
        f"{found['threads']} threads: all layers take {wall[0]:.2f} [{wall[1]:.2f}, {wall[2]:.2f}] times the last one "
        f"alone by the wall clock, {processor[0]:.2f} [{processor[1]:.2f}, {processor[2]:.2f}] in processor time "
        f"(goal {MOST})"
    )


if __name__ == "__main__":
    sys.exit(main())

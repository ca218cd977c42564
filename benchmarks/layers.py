"""What all layers cost beside the last one alone: one forward pass gives both, so at most 1.3 times the time.

    python benchmarks/layers.py [--model minilm] [--rows 400] [--repeats 3]

Prints the best of the repeats of either, and their ratio; ends with status 1 where the ratio is above 1.3.
"""

import argparse
import sys
import time

MOST = 1.3


def best_seconds(work, repeats):
    """Return the least of some timings: what the machine can do when nothing else disturbs it."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main():
    from polyglot.data.open import open_corpus
    from polyglot.models.encoder import load_encoder

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--language", default="en")
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()

    encoder = load_encoder(options.model)
    texts = open_corpus(None, (options.language,), limit=options.rows).column(options.language)
    encoder.encode(texts[:32], layers=range(encoder.layers))  # the first pass warms up
    last = best_seconds(lambda: encoder.encode(texts), options.repeats)
    every = best_seconds(lambda: encoder.encode(texts, layers=range(encoder.layers)), options.repeats)
    print(f"{options.model}, {len(texts)} texts, {encoder.layers} hidden states, {encoder.device}")
    print(f"last layer alone {last:.2f} s, all layers {every:.2f} s: {every / last:.2f} times (at most {MOST})")
    return int(every / last > MOST)


if __name__ == "__main__":
    sys.exit(main())

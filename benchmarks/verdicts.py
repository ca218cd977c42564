"""Verdicts on search and geometry of English with other languages, both ways: the tables of docs/verdicts.md.

    python benchmarks/verdicts.py minilm me5-small                               the built-in corpus
    python benchmarks/verdicts.py minilm --corpus FOLDER:test --targets fr de    another one

Embeddings come from the user's cache. Left out, because neither verdict rests on them: power, learning curve, drift,
transfer, jackknife and most permutations.
"""

import argparse
import sys
from pathlib import Path

from polyglot import load_encoder, open_corpus
from polyglot.commands.loading import user_cache
from polyglot.probe.linear_map.run import LinearMapConfig, run
from polyglot.probe.results.intervals import percent
from polyglot.probe.results.serialization import to_json

QUICK = LinearMapConfig(permutations=10, costly_permutations=2, power_replicates=0, failure=False, texts=False)
SHOWN = ("shift", "rotation", "linear")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--corpus")
    parser.add_argument("--targets", nargs="+", default=["fr", "de", "es", "ru", "zh"])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out", type=Path, help="also write each result here")
    options = parser.parse_args()
    languages = ["en", *options.targets] if len(options.targets) > 2 else ["en", "fr", "de", "es", "ru", "zh"]
    text = open_corpus(options.corpus and [options.corpus], languages, limit=options.limit, skip_bad=True)
    print(f"{text.name}: {len(text)} rows\n")
    print("| model | direction | search | P@1 no map → best map | geometry | reliability | shift | rotation |", end="")
    print(" linear | R² linear | words P@1 |\n" + 11 * "|---" + "|", flush=True)
    for name in options.models:
        encoder, cache = load_encoder(name), user_cache()
        for target in options.targets:
            result = run((encoder, encoder), text.bitext("en", target), QUICK, instruments=text, cache=cache)
            for direction in result.directions:
                print(row(name, direction), flush=True)
            if options.out:
                options.out.mkdir(parents=True, exist_ok=True)
                (options.out / f"{name}-en-{target}.json").write_text(to_json(result), encoding="utf-8")


def row(model, direction):
    use, geometry, words = direction.use, direction.geometry, direction.controls.words
    shares = [percent(geometry.shares[r], 0) if r in geometry.shares else "" for r in SHOWN]
    reliability = " ".join(f"{value:.2f}" for value in geometry.reliability)
    found = geometry.verdict if geometry.verdict != "undecided" else f"not settled: {geometry.reason}"
    p_at_1 = {name: scores.p_at_1.value for name, scores in direction.rungs.items()}
    best = max(p_at_1, key=p_at_1.get)
    cells = [
        model,
        f"{direction.source} → {direction.target}",
        "not settled" if use.verdict == "undecided" else use.verdict,
        f"{p_at_1.get('identity', float('nan')):.1%} → {p_at_1[best]:.1%} ({best})",
        found,
        reliability,
        *shares,
        f"{direction.rungs['linear'].r2.value:.3f}",
        "" if words is None else f"{words.p_at_1.value:.1%}",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())

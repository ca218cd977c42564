"""A generated corpus through import and grouping: rows a second and peak memory.

    python benchmarks/grouping.py --rows 1000000

Sentences of invented words are written to a gzip file of tab-separated pairs; every twentieth row repeats an earlier
one on one side, and every twentieth is an earlier one with a word changed on both. The file is imported to Parquet,
opened and grouped; the shares of planted repeats that were found, and of other rows wrongly joined, are counted.
"""

import argparse
import gzip
import json
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from polyglot.data.groups import concept_groups
from polyglot.data.importing import import_corpus
from polyglot.data.open import open_corpus

VOCABULARY = 20_000
BLOCK = 10_000
PLANTED_EVERY = 20


def vocabulary(generator: np.random.Generator, letters: str) -> list[str]:
    lengths = generator.integers(2, 11, VOCABULARY)
    return ["".join(generator.choice(list(letters), length)) for length in lengths]


def pairs(rows: int, seed: int) -> Iterator[tuple[list[str], list[str], int]]:
    """Yield words of both sides and the row repeated, −1 for none; repeats stay within a block."""
    generator = np.random.default_rng(seed)
    words = vocabulary(generator, "abcdefghijklmnoprstuvw"), vocabulary(generator, "abcdefghijklmnoprstuvéàèç")
    cumulative = np.cumsum(1 / np.arange(1, VOCABULARY + 1))
    for start in range(0, rows, BLOCK):
        lengths = generator.integers(6, 24, (BLOCK, 2))
        draws = iter(np.searchsorted(cumulative, generator.random(lengths.sum()) * cumulative[-1]).tolist())
        block: list[list[list[str]]] = []
        for row in range(start, min(start + BLOCK, rows)):
            fresh = [[words[side][w] for w in islice(draws, int(lengths[row - start, side]))] for side in (0, 1)]
            kind, earlier = row % PLANTED_EVERY, -1
            if kind in (7, 13):
                earlier = int(generator.integers(len(block)))
                old = block[earlier]
                fresh = [old[0], fresh[1]] if kind == 7 else [changed(side, generator) for side in old]
            block.append(fresh)
            yield fresh[0], fresh[1], start + earlier if earlier >= 0 else -1


def changed(words: list[str], generator: np.random.Generator) -> list[str]:
    """Change one letter of the longest word."""
    place = max(range(len(words)), key=lambda i: len(words[i]))
    letter = int(generator.integers(len(words[place])))
    word = words[place][:letter] + "z" + words[place][letter + 1 :]
    return [*words[:place], word, *words[place + 1 :]]


def generate(path: Path, rows: int, seed: int) -> np.ndarray:
    planted = np.full(rows, -1)
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.write("en\tfr\n")
        for row, (source, target, earlier) in enumerate(pairs(rows, seed)):
            planted[row] = earlier
            file.write(f"{' '.join(source).capitalize()}.\t{' '.join(target).capitalize()} !\n")
    return planted


def peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(rows: int, seed: int, folder: Path) -> dict:
    planted = generate(folder / "pairs.tsv.gz", rows, seed)
    result = {"rows": rows, "seed": seed, "python": platform.python_version(), "peak_mib_generate": peak_mebibytes()}
    start = time.perf_counter()
    import_corpus([folder / "pairs.tsv.gz"], folder / "pairs.parquet", ["en", "fr"])
    result["import_s"], start = time.perf_counter() - start, time.perf_counter()
    result["peak_mib_import"] = peak_mebibytes()
    bitext = open_corpus([str(folder / "pairs.parquet")], ["en", "fr"]).bitext("en", "fr")
    result["open_s"], start = time.perf_counter() - start, time.perf_counter()
    groups = concept_groups(bitext)
    result["group_s"] = time.perf_counter() - start
    result["peak_mib"] = peak_mebibytes()
    repeats = np.flatnonzero(planted >= 0)
    exact, near = repeats[repeats % PLANTED_EVERY == 7], repeats[repeats % PLANTED_EVERY == 13]
    result |= {
        "import_rows_per_s": rows / result["import_s"],
        "group_rows_per_s": rows / result["group_s"],
        "groups": int(groups.max()) + 1,
        "largest_group": int(np.bincount(groups).max()),
        "repeats_found": float((groups[exact] == groups[planted[exact]]).mean()),
        "near_repeats_found": float((groups[near] == groups[planted[near]]).mean()),
        "joined_beyond_the_planted": rows - len(repeats) - int(groups.max()) - 1,
    }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None, help="also write the numbers to this JSON file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(arguments.rows, arguments.seed, Path(folder))
    text = json.dumps(result, indent=2)
    if arguments.out:
        arguments.out.write_text(text + "\n")
    print(text)
    print(
        f"{result['rows']} generated pairs: import {result['import_rows_per_s']:.0f} rows/s, grouping "
        f"{result['group_rows_per_s']:.0f} rows/s, peak {result['peak_mib']:.0f} MiB; "
        f"{100 * result['repeats_found']:.1f} % of planted repeats and {100 * result['near_repeats_found']:.1f} % of "
        f"near repeats found (goal 100 % and ≥ 90 %)"
    )


if __name__ == "__main__":
    main()

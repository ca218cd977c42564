"""From Python arrays to a verdict: any embeddings will do, this package need not load your model.

    python examples/arrays_to_a_verdict.py
    python examples/arrays_to_a_verdict.py --arrays fr.npy en.npy

Row i of both arrays embeds the same sentence. Without arrays of your own, the built-in sentences are embedded here by
sentence-transformers. German, Spanish and Russian renderings of the same sentences take the noise out of the verdict on
geometry; arrays without such renderings get the verdict on search alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polyglot
from sentence_transformers import SentenceTransformer

INSTRUMENTS = ("de", "es", "ru")
# One model embeds both sides, so that the identity and the shift are maps too. The default measures more: where the map
# fails, the least departure by R² that would be detected, and controls.
QUICK = polyglot.LinearMapConfig(same_space=True, failure=False, power_replicates=0, controls=False)


def embed_builtin(model: SentenceTransformer, text: polyglot.ParallelText) -> dict[str, np.ndarray]:
    """Return by language the vectors of the same sentences, each an array (n, d)."""
    return {language: model.encode(text.column(language)) for language in text.languages}


def main(arguments: list[str] | None = None) -> None:
    """Judge the map between two arrays and write a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrays", nargs=2, metavar=("X", "Y"), help=".npy files, (n, p) and (n, q)")
    parser.add_argument("--model", default="minilm", help="packaged name, folder or hub id")
    parser.add_argument("--limit", type=int, help="at most so many built-in sentences")
    parser.add_argument("--out", type=Path, default=Path("reports"), help="folder of the page")
    given = parser.parse_args(arguments)

    if given.arrays:
        x, y = (np.load(path) for path in given.arrays)
        result = polyglot.linear_map(x, y)
    else:
        text = polyglot.open_corpus(None, ["fr", "en", *INSTRUMENTS], limit=given.limit)
        vectors = embed_builtin(polyglot.load_encoder(given.model).model, text)
        result = polyglot.linear_map(
            vectors.pop("fr"),
            vectors.pop("en"),
            config=QUICK,
            groups=text.bitext("fr", "en").groups,  # sentences that repeat each other stay in one fold
            instruments=vectors,
            names=("fr", "en"),
        )

    for direction in result.directions:
        for verdict in filter(None, (direction.use, direction.geometry)):
            print(verdict.sentence)
    print(polyglot.write_page(result, given.out / "arrays.html"))


if __name__ == "__main__":
    main()

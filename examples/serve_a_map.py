"""Fit a map and serve it: French questions search an English index that is not touched.

    pip install faiss-cpu      # optional, else numpy searches
    python examples/serve_a_map.py

1. The English index is built by the English model, before anybody asks in French.
2. A map from French to English vectors is fitted on pairs of sentences and written to a folder.
3. The folder is a sentence-transformers model: it embeds French questions into the space of the old index.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polyglot
from sentence_transformers import SentenceTransformer

Search = Callable[[np.ndarray], np.ndarray]


def index_of(passages: np.ndarray) -> Search:
    """Return a search by cosine among unit vectors (p, d): queries (q, d) to the nearest passage of each, (q,)."""
    try:
        import faiss
    except ImportError:
        return lambda queries: (queries @ passages.T).argmax(axis=1)
    index = faiss.IndexFlatIP(passages.shape[1])
    index.add(passages)
    return lambda queries: index.search(queries, 1)[1][:, 0]


def main(arguments: list[str] | None = None) -> None:
    """Fit, index, and ask before and after."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="minilm", help="packaged name, folder or hub id")
    parser.add_argument("--limit", type=int, help="at most so many pairs of sentences for the fit")
    parser.add_argument("--rung", help="the map, such as rotation; by default the plainest that is as good as the best")
    parser.add_argument("--out", type=Path, default=Path("fr-en"), help="folder of the map")
    given = parser.parse_args(arguments)

    asked = polyglot.open_questions(None, "fr", "en")
    encoder = polyglot.load_encoder(given.model, device="cpu")
    base = encoder.model
    search = index_of(base.encode(asked.passages, normalize_embeddings=True))

    text = polyglot.open_corpus(None, ["fr", "en"], limit=given.limit).bitext("fr", "en")
    fitted = polyglot.fit_map(encoder, text, given.out, config=polyglot.MapFitConfig(rung=given.rung))
    print(fitted.sentence)

    served = SentenceTransformer(str(given.out), device="cpu")
    found = {
        name: search(model.encode(asked.queries, normalize_embeddings=True))
        for name, model in (("the base", base), ("the served map", served))
    }
    right = {name: passages == asked.relevant for name, passages in found.items()}
    for name, hits in right.items():
        print(f"{name}: the right passage comes first for {hits.mean():.0%} of {len(asked)} French questions")
    for query in np.flatnonzero(right["the served map"] & ~right["the base"])[:1]:
        print(f"now answered: {asked.queries[query]}\n  {asked.passages[asked.relevant[query]]}")


if __name__ == "__main__":
    main()

"""Encoding of texts of very different lengths, beside the `encode` of sentence-transformers with the same model."""

import numpy as np
from timing import Measure, arguments, by_both_clocks, report, worked

LONGEST = 12  # sentences in a text


def mixed_lengths(sentences, count, rng):
    """Join sentences to texts of one to `LONGEST` of them, all different, in random order."""
    texts = []
    for number in range(count):
        picked = rng.choice(len(sentences), int(rng.integers(1, LONGEST + 1)), replace=False)
        texts.append(" ".join(sentences[i] for i in picked) + f" {number}")
    return texts


def main():
    from polyglot.data.open import open_corpus
    from polyglot.models.encoder import load_encoder

    options = arguments(__doc__.splitlines()[0], n=2000, runs=3, batch=32)
    encoder = load_encoder("minilm")
    texts = mixed_lengths(open_corpus(None, ("en",)).column("en"), options.n, np.random.default_rng(0))

    def peer():
        return encoder.model.encode(texts, batch_size=options.batch, show_progress_bar=False)

    apart = np.abs(peer() - encoder.encode(texts).pooled).max()
    print(f"largest difference of a number: {apart:.1e}")
    sentences = open_corpus(None, ("en",), limit=max(50, options.n), seed=0).column("en")
    rates = [len(sentences) / worked(lambda: encoder.encode(sentences)) for _ in range(options.runs)]
    claim = f"encode {options.n} texts of 1 to {LONGEST} sentences, minilm, {encoder.device}, against the library's"
    report(
        [
            *by_both_clocks(claim, lambda: encoder.encode(texts), peer, runs=options.runs, goal="≥ 0.95"),
            Measure.of(
                f"{len(sentences)} English sentences, minilm, {encoder.device}",
                rates,
                "sentences per processor second",
                "none",
            ),
        ],
        options.out,
    )


if __name__ == "__main__":
    main()

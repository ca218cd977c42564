"""Insert a language into an encoder, and compare the training with a map and with the base.

    python examples/insert_a_language.py

French goes into an English encoder, in one pass over the built-in sentences. French questions then search passages
that the base embedded, so that an index that exists remains valid. A map needs no training: it is what training has to
beat.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polyglot
from polyglot.train.config import DataConfig, LoopConfig


def main(arguments: list[str] | None = None) -> None:
    """Train, fit the map, and score both on questions that neither has seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="minilm", help="packaged name, folder or hub id of the base")
    parser.add_argument("--limit", type=int, help="at most so many pairs of sentences")
    parser.add_argument("--epochs", type=int, default=1, help="passes over them")
    parser.add_argument("--out", type=Path, default=Path("runs/french"), help="folder of the run and of the map")
    given = parser.parse_args(arguments)

    trained = polyglot.finetune(
        polyglot.FinetuneConfig(
            model=given.model,
            langs=("fr",),
            out=given.out / "finetune",
            certificate=False,  # `polyglot probe linear-map` says more, afterwards
            device="cpu",
            data=DataConfig(limit=given.limit),
            loop=LoopConfig(epochs=given.epochs),
        )
    )
    print(f"{trained.speed.steps} steps, {trained.speed.seconds:.0f} s")

    base = polyglot.load_encoder(given.model, device="cpu")
    text = polyglot.open_corpus(None, ["fr", "en"], limit=given.limit).bitext("fr", "en")
    rotation = polyglot.MapFitConfig(rung="rotation")  # without `rung`, the plainest map that is as good as the best
    polyglot.fit_map(base, text, given.out / "map", config=rotation)

    asked = polyglot.open_questions(None, "fr", "en")
    ways = {
        "the base": base,
        "a rotation": polyglot.load_encoder(str(given.out / "map"), device="cpu"),
        "trained": polyglot.load_encoder(str(given.out / "finetune" / "model"), device="cpu"),
    }
    for name, encoder in ways.items():
        # Questions by the new encoder, passages by the base.
        found = polyglot.questions((encoder, base), asked).rankings[0].scores
        interval = f"[{found.ndcg_at_10.low:.3f}, {found.ndcg_at_10.high:.3f}]"
        print(f"{name}: nDCG@10 of {len(asked)} French questions {found.ndcg_at_10.value:.3f} {interval}")
    for score in trained.retention.scores if trained.retention else ():
        print(f"{score.name}, before and after: {score.before.value:.1f}, {score.after.value:.1f}")


if __name__ == "__main__":
    main()

"""At which stage is a language inserted? The same pairs and steps at the contrastive stage and at finetuning.

Each base, an English encoder, gets one language three times, in as many steps of as many pairs: by contrastive training
(both sides move), by finetuning with the base's vocabulary, and by finetuning with words of its own. The middle row
differs from the first in the stage, the last from the middle in the vocabulary. Every model is measured twice: with
its own vectors on both sides, and with the English side as the base embeds it, as an old index is. Finished runs in
the output folder are read.

    python benchmarks/stages.py --corpus FOLDER:train --evaluation FOLDER:test --base minilm --base RUN/model --out DIR
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from methods import done, embedded, finish, percent

HEADER = (
    "base",
    "stage",
    "steps",
    "processor s",
    "P@1, own index",
    "P@1, index of the base",
    "English with English of the base, cosine",
)
RATES = {"contrastive": "2e-4", "finetune": "2e-4"}


def main():
    options = parse()
    print("| " + " | ".join(HEADER) + " |")
    print("|" + "---|" * len(HEADER))
    for base in options.base:
        for stage, command in stages(options, base).items():
            folder = options.out / f"{Path(base).parent.name or base}-{stage.replace(', ', '-').replace(' ', '-')}"
            finish(command, folder)
            if done(folder):
                print(
                    "| " + " | ".join((base_name(base), stage, *spent(folder), *scores(options, base, folder))) + " |"
                )


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", action="append", default=[])
    parser.add_argument("--lang", default="fr")
    parser.add_argument("--corpus", action="append", default=[])
    parser.add_argument("--evaluation", action="append", default=[], help="measured on; training rows leave it out")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/stages"))
    options = parser.parse_args()
    options.base = options.base or ["minilm"]
    return options


def stages(options, base):
    """Return the command of each stage."""
    common = ["--model", base, "--epochs", str(options.epochs), "--batch-size", "64", "--seed", str(options.seed)]
    common += ["--no-certificate", "--max-english-loss", "100"]
    for name in ("corpus", "evaluation"):
        common += [item for value in getattr(options, name) for item in (f"--{name}", value)]
    finetune = ["finetune", "--lang", options.lang, "--learning-rate", RATES["finetune"], *common]
    both = ["--lang", "en", "--lang", options.lang]
    return {
        "contrastive": ["contrastive", *both, "--learning-rate", RATES["contrastive"], *common],
        "finetune": [*finetune, "--extend-vocab", "0"],
        "finetune, own words": finetune,
    }


def base_name(base):
    return base if not Path(base).is_dir() else Path(base).parent.name


def spent(folder):
    speed = json.loads((folder / "result.json").read_text("utf-8"))["speed"]
    return str(speed["steps"]), f"{speed['cpu_seconds']:.0f}"


def scores(options, base, folder):
    """Return P@1 in both indexes and the mean cosine of English with itself before."""
    import numpy as np
    from polyglot.data.groups import concept_groups
    from polyglot.data.open import open_corpus
    from polyglot.train.evaluation.metrics import language_metrics

    bitext = open_corpus(options.evaluation, (options.lang, "en")).bitext(options.lang, "en")
    groups, trained = concept_groups(bitext), str(folder / "model")
    new, own, old = embedded(trained, bitext.sources), embedded(trained, bitext.targets), embedded(base, bitext.targets)
    found = [language_metrics(new, index, groups, seed=0, certify=None).retrieval.p_at_1 for index in (own, old)]
    own, old = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (own, old))
    return (*map(percent, found), f"{float(np.mean(np.sum(own * old, axis=1))):.3f}")


if __name__ == "__main__":
    main()

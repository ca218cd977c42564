"""Pairs a second of `polyglot train finetune --lang` beside the trainer of sentence-transformers.

Both start from the same base with the same extended vocabulary and see the same pairs with the same loss (`align_loss`
on the same cached vectors of the teacher, the anchor on the English of every row), batch size, learning rates and
number of epochs; each is scored afterwards on the same held-out pairs. The trainer runs with its own defaults: random
batches, float32, its fused AdamW over every row.

    python benchmarks/train.py --corpus FOLDER:train --pairs 2000 --threads 2
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from timing import Ratio, report

STOCK, GOAL = "stock", "≥ 2.5"
SPEEDS = {"wall clock": "pairs_per_second", "processor time": "pairs_per_cpu_second"}


def main():
    arguments = parse()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(arguments.threads)
    rounds = []
    for _ in range(arguments.runs):
        rounds.append({})
        for name, run in RUNS.items():
            if name in arguments.only:
                rounds[-1][name] = run(arguments)
                print(json.dumps({name: rounds[-1][name], "load": os.getloadavg()[0]}), flush=True)
    found = []
    for name in [name for name in RUNS if name != STOCK and {name, STOCK} <= rounds[0].keys()]:
        found += [claim(name, clock, key, rounds) for clock, key in SPEEDS.items()]
    report(found, arguments.out)


def claim(name, clock, key, rounds):
    """Return the ratio of our speed to that of the library's trainer, with the quality of both."""
    ratios = [turn[name][key] / turn[STOCK][key] for turn in rounds]
    mine, theirs = (float(np.median([turn[side][key] for turn in rounds])) for side in (name, STOCK))
    first = rounds[0]
    text = (
        f"finetune, {name}, {first[name]['pairs']} pairs, {clock}: {mine:.1f} pairs a second, {theirs:.1f} of the "
        f"library's trainer; P@1 {100 * first[name]['p_at_1']:.1f} against {100 * first[STOCK]['p_at_1']:.1f}; "
        f"padding {100 * first[name]['padding']:.0f} % of tokens"
    )
    middle = float(np.median(ratios))
    return Ratio(text, 1 / mine, 1 / theirs, middle, min(ratios), max(ratios), GOAL)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", action="append", default=[])
    parser.add_argument("--lang", default="fr")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--out", type=Path, help="JSON file to write")
    return parser.parse_args()


def configuration(arguments, out, **options):
    from polyglot.train.config import DataConfig, FinetuneConfig, LoopConfig

    return FinetuneConfig(
        out=Path(out) / "run",
        model=arguments.model,
        langs=(arguments.lang,),
        certificate=False,
        loop=LoopConfig(epochs=arguments.epochs),
        data=DataConfig(corpus=tuple(arguments.corpus), limit=arguments.pairs),
        **options,
    )


def ours(arguments, **options):
    from polyglot.train.stages.finetune import run_finetune

    with tempfile.TemporaryDirectory() as out:
        result = run_finetune(configuration(arguments, out, **({"anchor_share": 1.0} | options)))
    outcome = result.languages[0].after.retrieval
    return {
        "pairs_per_second": result.speed.pairs_per_second,
        "pairs_per_cpu_second": round(result.speed.pairs / result.speed.cpu_seconds, 2),
        "p_at_1": round(outcome.p_at_1.value, 3),
        "cosine": round(outcome.cosine.value, 4),
        "drift": round(result.retention.drift, 5),
        "precision": result.speed.precision,
        "padding": result.speed.padding,
        "pairs": result.speed.pairs,
    }


def ours_default(arguments):
    return ours(arguments, anchor_share=0.25)


def stock(arguments):
    from polyglot.models.encoder import Encoder, load_encoder
    from polyglot.train.engine.student import Student
    from polyglot.train.evaluation.metrics import retrieval
    from polyglot.train.evaluation.splits import open_pairs
    from polyglot.train.insertion.vocabulary import add_words
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    config = configuration(arguments, "unused")
    pairs = open_pairs(config.data, arguments.lang, "en", config.loop)
    encoder = load_encoder(arguments.model, device="cpu")
    teacher, held = (encoder.encode(side.targets).pooled for side in (pairs.training, pairs.held_out))
    add_words(Student(encoder, "float32"), pairs.training, config.extend_vocab, method="align")
    seconds, cpu_seconds = train_stock(encoder.model, pairs.training, teacher, config)
    after = Encoder(encoder.model, name="stock", prompt=encoder.prompt)
    found = retrieval(after.encode(pairs.held_out.sources).pooled, held, pairs.held_out_groups, seed=0)
    drift = 1 - np.mean((after.encode(pairs.held_out.targets).pooled * held).sum(axis=1))
    return {
        "pairs_per_second": round(len(pairs.training) * arguments.epochs / seconds, 2),
        "pairs_per_cpu_second": round(len(pairs.training) * arguments.epochs / cpu_seconds, 2),
        "p_at_1": round(found.p_at_1.value, 3),
        "cosine": round(found.cosine.value, 4),
        "drift": round(float(drift), 5),
        "precision": "float32",
    }


def train_stock(model, bitext, teacher, config):
    """Train with the library's trainer; return the seconds and the processor seconds that it took."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    data = Dataset.from_dict({"new": bitext.sources, "known": bitext.targets, "label": teacher.tolist()})
    with tempfile.TemporaryDirectory() as out:
        settings = SentenceTransformerTrainingArguments(
            output_dir=out,
            use_cpu=True,
            per_device_train_batch_size=config.loop.batch_size,
            num_train_epochs=config.loop.epochs,
            learning_rate=config.loop.learning_rate,
            warmup_steps=config.loop.warmup,
            weight_decay=config.loop.weight_decay,
            max_grad_norm=config.loop.max_grad_norm,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_strategy="no",
        )
        trainer = SentenceTransformerTrainer(model, settings, train_dataset=data, loss=align_module(model))
        start, cpu_start = time.perf_counter(), time.process_time()
        trainer.train()
        return time.perf_counter() - start, time.process_time() - cpu_start


RUNS = {STOCK: stock, "anchor on every row": ours, "default": ours_default}


def align_module(model):
    import torch
    from polyglot.distributed import Processes
    from polyglot.train.insertion.losses import AlignWeights, align_loss, cosine_distance

    class Align(torch.nn.Module):
        """The loss of `align` as the library's trainer calls it."""

        def __init__(self):
            super().__init__()
            self.model, self.weights = model, AlignWeights()

        def forward(self, sentence_features, labels):
            new, known = (self.model(features)["sentence_embedding"] for features in sentence_features)
            loss = align_loss(new, labels.to(new), Processes(), self.weights)
            return loss + self.weights.anchor * cosine_distance(known, labels.to(known)).mean()

    return Align()


if __name__ == "__main__":
    main()

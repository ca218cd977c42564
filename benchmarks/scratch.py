"""Encoders from scratch: pretrain → contrastive → finetune on English, then French; and with French from the start.

Text is split once by concept groups, questions by passages; every stage of both chains is measured on the same
held-out rows, with the vectors of the stage's own model on both sides. Finished stages are not run again.

    python benchmarks/scratch.py --out DIR                                   the built-in corpus, minutes
    python benchmarks/scratch.py --corpus F:train --test F:test --scored-pairs F/train.csv --questions Q --out DIR
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from methods import done, finish, percent

LOW, HELD_OUT = 4.0, 0.2
HEADER = ("chain", "stage", "steps", "minutes", "fr → en P@1", "English rephrased P@1", "questions nDCG@10")


def main():
    arguments = parse()
    text = Text.of(arguments)
    lines = [HEADER, ("---",) * len(HEADER)]
    for chain, stages in chains(arguments, text).items():
        for stage, (command, folder) in stages.items():
            finish([*command, "--seed", str(arguments.seed)], folder)
            if not done(folder):
                break
            lines.append((chain, stage, *spent(folder), *text.scores(folder / "model")))
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", action="append", default=[])
    parser.add_argument("--test", action="append", default=[], help="by default a fifth of the corpus")
    parser.add_argument(
        "--scored-pairs", type=Path, help="CSV sentence1,sentence2,score: those of 4 and more are pairs"
    )
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--pretrain-epochs", type=int, default=20)
    parser.add_argument("--contrastive-epochs", type=int, default=10)
    parser.add_argument("--finetune-epochs", type=int, default=5)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/scratch"))
    return parser.parse_args()


def chains(arguments, text):
    """Return the command and the run folder of each stage of each chain."""
    steps = [] if arguments.max_steps is None else ["--max-steps", str(arguments.max_steps)]
    questions = ["--questions", str(text.questions)]
    evaluation = ["--evaluation", str(text.test), "--max-english-loss", "100", "--no-certificate", *steps]
    corpus = ["--corpus", str(text.train)]
    pretrain = ["--size", arguments.size, "--epochs", str(arguments.pretrain_epochs), "--length", "64", *corpus, *steps]
    contrastive = [
        "--epochs",
        str(arguments.contrastive_epochs),
        "--batch-size",
        "64",
        "--learning-rate",
        "5e-4",
        *questions,
    ]
    finetune = ["--epochs", str(arguments.finetune_epochs), *evaluation]
    english = [*(["--pairs", "references"] if text.pairs else []), "--pairs", "questions"]
    pairs = ["--corpus", str(text.pairs or text.train)]
    chain_stages = {}
    for chain, languages in (("English", ["en"]), ("English and French", ["en", "fr"])):
        folder = arguments.out / "-".join(languages)
        langs = [item for language in languages for item in ("--lang", language)]
        kinds = (
            [*english, *pairs] if languages == ["en"] else ["--pairs", "translations", "--pairs", "questions", *corpus]
        )
        from_pretrain = ["--model", str(folder / "pretrain" / "model")]
        from_contrastive = ["--model", str(folder / "contrastive" / "model")]
        chain_stages[chain] = {
            "pretrain": (["pretrain", *langs, *pretrain], folder / "pretrain"),
            "contrastive": (
                ["contrastive", *langs, *from_pretrain, *kinds, *contrastive, *evaluation],
                folder / "contrastive",
            ),
            "finetune on questions": (["finetune", *from_contrastive, *questions, *finetune], folder / "finetune"),
        }
    from_finetune = ["--model", str(arguments.out / "en" / "finetune" / "model")]
    chain_stages["English"]["finetune --lang fr"] = (
        ["finetune", "--lang", "fr", *from_finetune, *corpus, *finetune],
        arguments.out / "en" / "french",
    )
    return chain_stages


def spent(folder):
    speed = json.loads((folder / "result.json").read_text("utf-8"))["speed"]
    return str(speed["steps"]), f"{speed['seconds'] / 60:.1f}"


class Text:
    """Files to train on, written into a folder, and held-out rows to measure on."""

    def __init__(self, folder, held, asked):
        self.train, self.test, self.questions = folder / "train.tsv", folder / "test.tsv", folder / "questions"
        self.pairs = next((path for path in (folder / "pairs.tsv",) if path.is_file()), None)
        self.held, self.asked = held, asked

    @classmethod
    def of(cls, arguments):
        """Split the text and write the files."""
        from polyglot.data.questions import open_questions

        folder = arguments.out / "text"
        folder.mkdir(parents=True, exist_ok=True)
        training, held = split_text(arguments)
        references = training.references[1] if training.references else None
        write_rows(folder / "train.tsv", ("fr", "en"), training.sources, training.targets)
        write_rows(folder / "test.tsv", ("fr", "en"), held.sources, held.targets)
        pairs = scored_pairs(arguments.scored_pairs) if arguments.scored_pairs else []
        pairs += [(x, y) for x, y in zip(training.targets, references or [], strict=False) if y]
        if pairs:
            write_rows(folder / "pairs.tsv", ("en", "en_reference"), *zip(*pairs, strict=True))
        questions = open_questions(arguments.questions, "en", "en")
        passages = np.unique(questions.relevant)
        apart = np.random.default_rng(arguments.seed).permutation(passages)[: round(HELD_OUT * len(passages))]
        chosen = np.isin(questions.relevant, apart)
        write_questions(folder / "questions", questions, np.flatnonzero(~chosen))
        return cls(folder, held, (questions, np.flatnonzero(chosen)))

    def scores(self, model):
        """Return the scores of a model on the held-out rows."""
        from polyglot.models.encoder import load_encoder

        encoder = load_encoder(str(model))
        rephrased = self.held.references[1] if self.held.references else None
        rows = [row for row, text in enumerate(rephrased or []) if text]
        english = ""
        if len(rows) > 1:
            second = [rephrased[row] for row in rows]
            english = matched(encoder, second, [self.held.targets[row] for row in rows])
        return matched(encoder, self.held.sources, self.held.targets), english, answered(encoder, *self.asked)


def split_text(arguments):
    """Return training and held-out rows (fr, en)."""
    from polyglot.data.groups import concept_groups
    from polyglot.data.open import open_corpus

    bitext = open_corpus(arguments.corpus or None, ("fr", "en"), limit=arguments.limit).bitext("fr", "en")
    if arguments.test:
        return bitext, open_corpus(arguments.test, ("fr", "en")).bitext("fr", "en")
    groups = concept_groups(bitext)
    names = np.random.default_rng(arguments.seed).permutation(np.unique(groups))
    apart = np.isin(groups, names[: round(HELD_OUT * len(names))])
    return bitext.take(np.flatnonzero(~apart)), bitext.take(np.flatnonzero(apart))


def scored_pairs(path):
    from polyglot.train.evaluation.retention import read_scored_pairs

    scored = read_scored_pairs(path)
    return [(x, y) for x, y, s in zip(scored.first, scored.second, scored.scores, strict=True) if s >= LOW and x != y]


def write_rows(path, header, *columns):
    rows = ["\t".join(" ".join(cell.split()) for cell in row) for row in (header, *zip(*columns, strict=True))]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_questions(folder, questions, chosen):
    """Write some questions with their passages in the format of XQuAD."""
    folder.mkdir(exist_ok=True)
    paragraphs = [
        {
            "context": questions.passages[passage],
            "qas": [
                {"id": str(row), "question": questions.queries[row]}
                for row in chosen
                if questions.relevant[row] == passage
            ],
        }
        for passage in np.unique(questions.relevant[chosen])
    ]
    held = {"data": [{"title": "", "paragraphs": paragraphs}]}
    (folder / "train.en.json").write_text(json.dumps(held, ensure_ascii=False), encoding="utf-8")


def matched(encoder, sources, targets):
    from polyglot.data.bitext import Bitext
    from polyglot.data.groups import concept_groups
    from polyglot.train.evaluation.metrics import retrieval

    groups = concept_groups(Bitext.of("held out", ("fr", "en"), sources, targets))
    x, y = encoder.encode(sources).pooled, encoder.encode(targets).pooled
    return percent(retrieval(x, y, groups, seed=0).p_at_1)


def answered(encoder, questions, chosen):
    from polyglot.analysis.resampling import Resamples, percentile_interval
    from polyglot.train.evaluation.retention import RetentionText, measure_retention

    queries, relevant = [questions.queries[row] for row in chosen], questions.relevant[chosen]
    gains = measure_retention(encoder, RetentionText(None, queries, questions.passages, relevant, [])).gains
    return percent(percentile_interval(*Resamples.draw(relevant, np.random.default_rng(0)).mean(gains)))


if __name__ == "__main__":
    main()

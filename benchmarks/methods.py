"""All methods of `polyglot train finetune --lang` on the same pairs and steps, as one Markdown table.

Each method runs through the command line in a process of its own and leaves a run folder; a finished one is not run
again and an interrupted one goes on, so the table can be made piece by piece. Options that this script does not know
are handed to every run (`--seed 1`, `--no-certificate`). Without --test, P@1 is that of the pairs which the runs held
out; gains over `map` and `words` are paired by row either way.

    python benchmarks/methods.py --corpus FOLDER:train --evaluation FOLDER:test --test FOLDER:test --epochs 2 --out DIR
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

METHODS = ("map", "words", "align", "distill", "anchor", "embeddings", "lora")
HEADER = (
    "method",
    "CPU s",
    "pairs/s",
    "P@1",
    "gain over map",
    "gain over words",
    "English STS",
    "English retrieval",
    "drift of English",
)


@dataclass(frozen=True)
class Metrics:
    """Metrics of base and trained model on the same rows."""

    before: object
    after: object
    groups: np.ndarray
    rows: str


def main():
    arguments, further = parse()
    folders = {method: arguments.out / method for method in METHODS if method in arguments.only}
    for method, folder in folders.items():
        train(method, folder, arguments, further)
    print(table({method: folder for method, folder in folders.items() if done(folder)}, arguments))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", action="append", default=[])
    parser.add_argument("--evaluation", action="append", default=[])
    parser.add_argument("--test", action="append", default=[], help="measure P@1 on this corpus instead")
    parser.add_argument("--sts", type=Path)
    parser.add_argument("--retention-questions", type=Path)
    parser.add_argument("--lang", default="fr")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--only", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--out", type=Path, default=Path("runs/methods"))
    return parser.parse_known_args()


def done(folder):
    return (folder / "result.json").is_file()


def train(method, folder, arguments, further):
    """Run a method."""
    command = ["finetune", "--lang", arguments.lang, "--method", method, "--model", arguments.model, *further]
    for option in ("corpus", "evaluation"):
        command += [item for value in getattr(arguments, option) for item in (f"--{option}", value)]
    for option in ("sts", "retention_questions", "limit", "epochs", "max_steps"):
        if (value := getattr(arguments, option)) is not None:
            command += [f"--{option.replace('_', '-')}", str(value)]
    finish(command, folder)


def finish(command, folder):
    """Run `polyglot train …` in a folder, or resume it, unless it is finished.

    A broken gate (exit code 1, the model is saved) counts as finished.
    """
    if done(folder):
        return
    whole = [sys.executable, "-m", "polyglot", "train", *command, "--out", str(folder), "--quiet"]
    whole += ["--resume"] if (folder / "run.json").is_file() else []
    print(f"{folder} …", file=sys.stderr, flush=True)
    finished = subprocess.run(whole, capture_output=True, text=True, check=False)
    if not done(folder):
        print(f"{folder} failed: {finished.stderr.strip()}", file=sys.stderr)


def table(folders, arguments):
    from polyglot.probe.results.serialization import from_json
    from polyglot.probe.results.training import TrainResult

    results = {m: from_json((f / "result.json").read_text("utf-8"), TrainResult) for m, f in folders.items()}
    if not results:
        return "no run has finished"
    measured = {method: measure(results[method], folders[method], arguments) for method in results}
    first, some = next(iter(results.values())), next(iter(measured.values()))
    rows = [("the base", "", "", percent(some.before.retrieval.p_at_1), "", "", *retention(first, "before"), "0")]
    rows += [row(method, results[method], measured) for method in results]
    lines = [HEADER, ("---",) * len(HEADER), *rows]
    title = (
        f"{arguments.lang} → {first.languages[0].pairs} training pairs, {len(some.groups)} pairs measured, "
        f"{max(result.speed.steps for result in results.values())} steps"
    )
    return "\n".join([title, "", *(f"| {' | '.join(line)} |" for line in lines)])


def measure(result, folder, arguments):
    """Return the metrics of the run, or measure its model on another corpus."""
    outcome = result.languages[0]
    if not arguments.test:
        groups = np.array(outcome.held_out_groups)
        return Metrics(outcome.before, outcome.after, groups, outcome.held_out_fingerprint)
    from polyglot.data.groups import concept_groups
    from polyglot.data.open import open_corpus
    from polyglot.train.evaluation.metrics import language_metrics

    bitext = open_corpus(arguments.test, (arguments.lang, "en")).bitext(arguments.lang, "en")
    groups = concept_groups(bitext)
    pivot = embedded(arguments.model, bitext.targets)
    both = [
        language_metrics(embedded(model, bitext.sources), pivot, groups, seed=0, certify=None)
        for model in (arguments.model, str(folder / "model"))
    ]
    return Metrics(*both, groups, bitext.fingerprint)


def embedded(model, texts):
    from polyglot.files import default_cache_dir
    from polyglot.models.cache import EmbeddingCache
    from polyglot.models.encoder import load_encoder
    from polyglot.models.encoding import encode_cached

    return encode_cached(load_encoder(model), texts, cache=EmbeddingCache(default_cache_dir() / "embeddings")).pooled


def row(method, result, measured):
    speed, mine = result.speed, measured[method]
    controls = ("map", "words")
    gains = ["" if c == method or c not in measured else paired_gain(mine, measured[c]) for c in controls]
    return (
        f"`{method}`" + (" (gate broken)" if result.gate_broken else ""),
        f"{speed.cpu_seconds:.0f}" if speed.steps else "",
        f"{speed.pairs_per_second:.1f}" if speed.steps else "",
        percent(mine.after.retrieval.p_at_1),
        *gains,
        *retention(result, "after"),
        f"{abs(result.retention.drift):.4f}",
    )


def paired_gain(mine, control):
    """Return the difference of hits on the same rows, in points, with its cluster-bootstrap interval."""
    from polyglot.analysis.resampling import Resamples, percentile_interval

    if mine.rows != control.rows:
        return "not the same rows"
    gain = (np.array(mine.after.ranks) <= 1) * 100.0 - (np.array(control.after.ranks) <= 1) * 100.0
    draws = Resamples.draw(mine.groups, np.random.default_rng(0))
    return points(percentile_interval(*draws.mean(gain)), sign="+")


def retention(result, when):
    """Return similarity and retrieval in the base language, empty if not measured."""
    scores = {score.name.split()[0]: getattr(score, when) for score in result.retention.scores}
    return tuple(points(scores[name]) if name in scores else "" for name in ("similarity", "retrieval"))


def percent(interval):
    return f"{100 * interval.value:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def points(interval, sign=""):
    return f"{interval.value:{sign}.1f} [{interval.low:{sign}.1f}, {interval.high:{sign}.1f}]"


if __name__ == "__main__":
    main()

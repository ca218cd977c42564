"""Words as models and beside one, by `polyglot train finetune`: P@1, seconds, speed and size, as one Markdown table.

The data folder holds stsb/ (STSb Multi MT) and tatoeba/ (the pairs of LASER). Each model is fitted on the training
split of STSb without rows that overlap with its test split, and searches indexes of the base: STSb's test split, and
Tatoeba; words and the base's own vectors in one map stand beside them, and with --trained an encoder trained with words
beside it (`--with-words`), which takes minutes; its seconds are those of the whole run. Each value is printed with its
goal, reached or not. Finished runs in the output folder are read. With --choices, the settings are compared on STSb's
dev split instead, which is how the defaults were chosen.

    python benchmarks/words.py DATA --lang fr --lang ru --lang zh --out runs/words
    python benchmarks/words.py DATA --trained --seeds 3
    python benchmarks/words.py DATA --choices --lang fr
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

TATOEBA = {"fr": "fra", "ru": "rus", "zh": "cmn", "de": "deu", "es": "spa", "it": "ita", "ja": "jpn"}
HEADER = ("language", "form", "pairs", "P@1 STSb test", "P@1 Tatoeba", "fit, s", "sentences/s", "MB")
HELD_OUT = "0.02"  # of the training rows, for the metrics of the run itself
TIMED = {"ngrams": 20_000, "portable": 20_000, "trained": 1000}  # sentences
#: What is typed for each form besides the rest.
TYPED = {
    "ngrams": ("--method", "words"),
    "portable": ("--method", "words", "--portable"),
    "trained": ("--with-words",),
}
#: What the models should reach, by language and form: P@1 on STSb's test split and on Tatoeba.
GOALS = {
    ("fr", "ngrams"): (79, 58),
    ("fr", "portable"): (77, 52),
    ("fr", "with the base"): (84, 63),
    ("ru", "ngrams"): (75, None),
    ("zh", "ngrams"): (73, None),
    ("fr", "trained"): (89, 70),
    ("ru", "trained"): (82, None),
    ("zh", "trained"): (80, None),
}
#: At most so many seconds to fit on two cores, at least so many sentences a second on one, at most so many MB.
LIMITS = {
    "ngrams": (60, 10_000, 60),
    "portable": (60, 50_000, 25),
    "with the base": (60, None, None),
    "trained": (300, None, None),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--lang", action="append", default=None)
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--choices", action="store_true", help="compare settings on the dev split")
    parser.add_argument("--trained", action="store_true", help="only an encoder trained with words beside it")
    parser.add_argument("--seeds", type=int, default=1, help="seeds of each model; more than one prints the spread")
    parser.add_argument("--out", type=Path, default=Path("runs/words"))
    options = parser.parse_args()
    languages = options.lang or ["fr", "ru", "zh"]
    print("| " + " | ".join(CHOICES if options.choices else HEADER) + " |")
    print("|" + "---|" * len(CHOICES if options.choices else HEADER))
    for language in languages:
        for row in choices(options, language) if options.choices else models(options, language):
            print("| " + " | ".join(row) + " |", flush=True)


# ------------------------------------------------------------ models


def models(options, language):
    for form in ("trained",) if options.trained else ("ngrams", "portable"):
        folders = [run(options, language, form, seed) for seed in range(options.seeds)]
        yield row(options, language, form, folders)
    if not options.trained:
        yield with_base(options, language)


def run(options, language, form, seed):
    folder = options.out / f"{language}-{form}-{seed}"
    if not (folder / "result.json").is_file():
        command = [sys.executable, "-m", "polyglot", "train", "finetune", "--lang", language, *TYPED[form]]
        command += ["--corpus", f"{options.data / 'stsb'}:train", "--evaluation", f"{options.data / 'stsb'}:test"]
        command += ["--model", options.model, "--held-out", HELD_OUT, "--no-certificate", "--seed", str(seed)]
        command += ["--quiet", "--out", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def row(options, language, form, folders):
    from polyglot.models.encoder import load_encoder
    from polyglot.probe.results.serialization import from_json
    from polyglot.probe.results.training import TrainResult

    results = [from_json((folder / "result.json").read_text("utf-8"), TrainResult) for folder in folders]
    scores = {name: [] for name in ("stsb", "tatoeba")}
    for folder in folders:
        encoder = load_encoder(str(folder / "model"), device="cpu")
        for name, found in scores.items():
            bitext = test_pairs(options.data, language, name)
            if bitext is not None:
                pivot = embedded(options.model, bitext.targets)
                found.append(p_at_1(encoder.encode(bitext.sources).pooled, pivot, bitext))
    files = sum(path.stat().st_size for path in (folders[0] / "model").rglob("*") if path.is_file())
    texts = test_pairs(options.data, language, "stsb").sources
    cost = (
        float(np.median([(one.provenance if form == "trained" else one.speed).seconds for one in results])),
        speed(folders[0] / "model", texts, TIMED[form]),
        files / 1e6,
    )
    return cells(language, form, results[0].languages[0].pairs, (scores["stsb"], scores["tatoeba"]), cost)


def with_base(options, language):
    """Return the row of words and the base's own vectors in one map, which is no model."""
    from polyglot.analysis.maps.words_and_vectors import WordsAndVectors

    text = split(options, language, "train")
    x, y = embedded(options.model, text.sources), embedded(options.model, text.targets)
    started = time.perf_counter()
    fitted = WordsAndVectors.fit(text.sources, x, y)
    seconds, scores = time.perf_counter() - started, []
    for name in ("stsb", "tatoeba"):
        bitext = test_pairs(options.data, language, name)
        asked = None if bitext is None else fitted(bitext.sources, embedded(options.model, bitext.sources))
        scores.append([] if bitext is None else [p_at_1(asked, embedded(options.model, bitext.targets), bitext)])
    return cells(language, "with the base", len(text), scores, (seconds, None, None))


def cells(language, form, pairs, scores, cost):
    """Return the cells of a row, each with its goal."""
    goals, limits = GOALS.get((language, form), (None, None)), LIMITS[form]
    found = [against(spread(s), np.mean(s), goal) if s else "" for s, goal in zip(scores, goals, strict=True)]
    return (
        language,
        form,
        str(pairs),
        *found,
        against(f"{cost[0]:.0f}", -cost[0], limits[0]),
        "" if cost[1] is None else against(f"{cost[1]:,.0f}", cost[1], limits[1]),
        "" if cost[2] is None else against(f"{cost[2]:.1f}", -cost[2], limits[2]),
    )


def against(shown, value, goal):
    """Show a value beside its goal; a negative value must not exceed it, and is compared as such."""
    if goal is None:
        return shown
    reached = value >= (goal if value >= 0 else -goal)
    sign = "≥" if value >= 0 else "≤"
    return f"{shown} ({sign} {goal:,}{'' if reached else ': not reached'})"


def spread(values):
    middle = f"{np.mean(values):.1f}"
    return middle if len(values) == 1 else f"{middle} [{min(values):.1f}, {max(values):.1f}]"


def speed(folder, texts, timed):
    """Return sentences a second of processor time by the library's own `encode`, on one thread."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    model = SentenceTransformer(str(folder), device="cpu", trust_remote_code=True)
    many = (texts * (timed // len(texts) + 1))[:timed]
    model.encode(many[: timed // 10], batch_size=512)
    started = time.process_time()
    model.encode(many, batch_size=512)
    return timed / (time.process_time() - started)


# ------------------------------------------------------------ choices

CHOICES = ("language", "form", "setting", "P@1 STSb dev", "fit, s")


def choices(options, language):
    """Fit variants to the training split and score them on the dev split."""
    from polyglot.analysis.maps import hashed_ngrams, hashed_words, piece_words
    from polyglot.train.insertion.portable_words import piece_tokenizer, pieces_of

    training, dev = split(options, language, "train"), split(options, language, "dev")
    y, pivot = embedded(options.model, training.targets), embedded(options.model, dev.targets)

    def ngrams(**settings):
        return hashed_words.HashedWords.fit(training.sources, y, **settings)(dev.sources)

    def pieces(most, **settings):
        tokenizer = piece_tokenizer(training.sources, most)
        sides = [
            [one.ids for one in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
            for texts in (training.sources, dev.sources)
        ]
        rows = piece_words.PieceWords.fit(pieces_of(tokenizer), sides[0], y, **settings).rows
        return np.array([rows[ids].mean(axis=0) if ids else y.mean(axis=0) for ids in sides[1]])

    def line(form, setting, make, *given, **settings):
        started = time.perf_counter()
        score = p_at_1(make(*given, **settings), pivot, dev)
        return language, form, setting, f"{score:.1f}", f"{time.perf_counter() - started:.0f}"

    yield line("ngrams", "defaults", ngrams)
    for bits in (14, 15, 17):
        yield line("ngrams", f"2^{bits} n-grams kept", ngrams, most=1 << bits)
    for penalty in (0.06, 0.1, 0.2, 0.3):
        yield line("ngrams", f"penalty {penalty:g}", ngrams, penalty=penalty)
    for tolerance in (0.02, 0.005):
        yield line("ngrams", f"tolerance {tolerance:g}", ngrams, tolerance=tolerance)
    for longest in (3, 4):
        kept, hashed_ngrams.LONGEST = hashed_ngrams.LONGEST, longest
        yield line("ngrams", f"at most {longest} characters", ngrams)
        hashed_ngrams.LONGEST = kept
    yield line("portable", "defaults", pieces, 28_000)
    for most in (8_000, 16_000):
        yield line("portable", f"{most} pieces", pieces, most)
    for penalty in (0.04, 0.15, 0.3):
        yield line("portable", f"penalty {penalty:g}", pieces, 28_000, penalty=penalty)


# ------------------------------------------------------------ text


def split(options, language, name):
    from polyglot.data.leakage import check_overlap, drop_overlap
    from polyglot.data.open import open_corpus

    text = open_corpus([f"{options.data / 'stsb'}:{name}"], (language, "en"))
    others = {"train": ("dev", "test")}.get(name, ())
    for other in others:
        held = open_corpus([f"{options.data / 'stsb'}:{other}"], (language, "en"))
        text = drop_overlap(text, check_overlap(text, held))
    return text.bitext(language, "en")


def test_pairs(data, language, name):
    from polyglot.data.open import open_corpus

    if name == "stsb":
        return open_corpus([f"{data / 'stsb'}:test"], (language, "en")).bitext(language, "en")
    code = TATOEBA.get(language, "")
    files = [data / "tatoeba" / f"tatoeba.{code}-eng.{side}" for side in (code, "eng")]
    if not all(path.is_file() for path in files):
        return None
    from polyglot.data.bitext import Bitext

    sides = [path.read_text("utf-8").splitlines() for path in files]
    return Bitext.of("tatoeba", (language, "en"), *sides)


def embedded(model, texts):
    from polyglot.files import default_cache_dir
    from polyglot.models.cache import EmbeddingCache
    from polyglot.models.encoder import load_encoder
    from polyglot.models.encoding import encode_cached

    return encode_cached(load_encoder(model), texts, cache=EmbeddingCache(default_cache_dir() / "embeddings")).pooled


def p_at_1(found, pivot, bitext):
    """Return P@1 in points; every row with the same English counts as right."""
    from polyglot.analysis.retrieval.ranks import match_ranks

    names = {text: number for number, text in enumerate(bitext.targets)}
    groups = np.array([names[text] for text in bitext.targets], np.int64)
    return 100 * float(np.mean(match_ranks(found, pivot, groups, groups)[0].cosine <= 1))


if __name__ == "__main__":
    main()

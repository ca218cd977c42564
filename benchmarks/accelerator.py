"""What a card does beside its peaks, every number checked against the processor's; ends with status 1 if one differs.

    python benchmarks/accelerator.py                       on an accelerator, at the size of e5-base, within 4 minutes
    python benchmarks/accelerator.py --device cpu --tiny   tiny sizes on the processor, in seconds

Encoding, the products of moments, exact search and training run on the card; the maps of the ladder and what else
moments hold are computed on the processor in either case, which their lines say. The encoder has random weights and a
tokenizer made from the built-in corpus. Each line is timed after a warm-up, copies to the card and back included; rates
count the operations of the formulas, not those that a kernel makes of them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from card import Line, card, table
from encode import mixed_lengths
from ladder import anisotropic
from polyglot.analysis.maps.ladder import LINEAR_RUNGS, Ladder
from polyglot.analysis.moments import SUMS, Moments
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.analysis.retrieval.search import nearest
from polyglot.data.open import open_corpus
from polyglot.distributed import Processes
from polyglot.models.encoder import Encoder
from polyglot.models.loading import chosen_device
from polyglot.train.config import LoopConfig
from polyglot.train.engine.optimizer import Optimizer
from polyglot.train.engine.sampler import Batch
from polyglot.train.engine.student import Student, quiet_library
from polyglot.train.objectives.contrastive import ContrastiveObjective, TextRows, info_nce
from polyglot.train.stages.pretrain_tokenizer import train_tokenizer
from timing import Measure

STEPS = 3


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    layers: int = 12
    width: int = 768
    vocabulary: int = 30_000
    texts: int = 8192  # of one to twelve sentences
    rows: int = 200_000  # of moments
    search: int = 40_000  # rows on either side
    maps: int = 10_000  # rows of the ladder
    pairs: int = 1024  # of a contrastive step
    mini_batch: int = 64
    checked: int = 64  # texts, and pairs, that the processor computes too
    product: int = 8192  # side of a bare product
    repeats: int = 3


TINY = Sizes(2, 32, 500, 24, 600, 300, 200, 16, 8, 12, 128, 1)


@dataclass(frozen=True)
class Bench:
    """The device, the sizes, and the folder of the model."""

    device: str
    sizes: Sizes
    folder: Path
    sentences: dict[str, list[str]]

    @property
    def where(self) -> str:
        """Where the work of a line is done that is not on the processor in any case."""
        return "processor" if self.device == "cpu" else "card"

    def timed(self, work: Callable[[], object], *, warm: Callable[[], object] | None = None) -> list[float]:
        """Return the seconds of each repeat after a warm-up, until the device has finished."""
        (warm or work)()
        found = []
        for _ in range(self.sizes.repeats):
            self.wait()
            start = time.perf_counter()
            work()
            self.wait()
            found.append(time.perf_counter() - start)
        return found

    def wait(self) -> None:
        """Wait for everything that was sent to the device."""
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)

    def encoder(self, device: str, dtype: torch.dtype = torch.float32) -> Encoder:
        """Load the model on a device."""
        from sentence_transformers import SentenceTransformer

        with quiet_library():
            model = SentenceTransformer(str(self.folder), device=device, model_kwargs={"dtype": dtype})
        return Encoder(model, name="random weights")

    def operations(self, lengths: np.ndarray) -> float:
        """Return the operations of a forward pass over texts of so many tokens: products of weights, and attention."""
        layers, d = self.sizes.layers, self.sizes.width
        return float(layers * np.sum(24.0 * lengths * d**2 + 4.0 * lengths.astype(float) ** 2 * d))


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="by default the best there is")
    parser.add_argument("--tiny", action="store_true", help="sizes that a processor computes in seconds")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args(given)
    start, device = time.perf_counter(), chosen_device(options.device)
    sizes = TINY if options.tiny else Sizes()
    text = open_corpus(None, ("en", "fr"), limit=100 if options.tiny else None)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(device, sizes, Path(folder), {code: text.column(code) for code in ("en", "fr")})
        build_model(bench)
        lines = [line for part in PARTS for line in part(bench)]
    name, peaks = card(device)
    print(table(lines, name, peaks))
    print(f"\n{time.perf_counter() - start:.0f} s in all, torch {torch.__version__}")
    if options.out is not None:
        found = [asdict(measure(line, name)) for line in lines]
        options.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    wrong = [line.claim for line in lines if not line.holds]
    for claim in wrong:
        print(f"differs from the processor: {claim}", file=sys.stderr)
    return int(bool(wrong))


def measure(line: Line, name: str) -> Measure:
    """Return a line as the benchmarks keep it."""
    return Measure.of(f"{line.claim}, {name}", line.seconds, "s", "within 4 minutes in all, numbers as the processor's")


def build_model(bench: Bench) -> None:
    """Save an encoder with random weights, its tokenizer made from the built-in corpus."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel

    tokenizer = train_tokenizer([s for column in bench.sentences.values() for s in column], bench.sizes.vocabulary)
    tokenizer.model_max_length = 512
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=bench.sizes.width,
        num_hidden_layers=bench.sizes.layers,
        num_attention_heads=max(1, bench.sizes.width // 64),
        intermediate_size=4 * bench.sizes.width,
        initializer_range=0.05,  # wider than for training, so that texts lie apart
        pad_token_id=tokenizer.pad_token_id,
    )
    with tempfile.TemporaryDirectory() as plain, quiet_library():
        BertModel(config).save_pretrained(plain)
        tokenizer.save_pretrained(plain)
        modules = [Transformer(plain), Pooling(bench.sizes.width, pooling_mode="mean"), Normalize()]
        SentenceTransformer(modules=modules, device="cpu").save(str(bench.folder), create_model_card=False)


def apart(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest distance of two rows as a share of how far rows are from their mean."""
    spread = np.sqrt(np.mean(np.sum((expected - expected.mean(axis=0)) ** 2, axis=1)))
    return float(np.linalg.norm(found.astype(np.float64) - expected, axis=1).max() / spread)


def bare(bench: Bench) -> list[Line]:
    """One product in each precision and one copy: what the card reaches at best."""
    n, rng = bench.sizes.product, np.random.default_rng(0)
    a, b = (torch.from_numpy(rng.standard_normal((n, n), dtype=np.float32)) for _ in range(2))
    rows = min(n, 64)
    expected = a[:rows].double() @ b.double()
    lines = []
    for dtype, unit, tolerance in ((torch.bfloat16, "bfloat16", 1e-2), (torch.float32, "float32", 1e-5)):
        left, right = a.to(bench.device, dtype), b.to(bench.device, dtype)
        found = (left[:rows] @ right).double().cpu()
        distance = float((found - expected).norm() / expected.norm())
        seconds = bench.timed(lambda left=left, right=right: left @ right)
        amounts = {f"{unit} TFLOP/s": 2.0 * n**3}
        claim = f"bare product in {unit}, {n}³"
        lines.append(Line(claim, seconds, amounts, bench.where, {"relative": (distance, tolerance)}))
    source = a.to(bench.device)
    copied = torch.empty_like(source)
    seconds = bench.timed(lambda: copied.copy_(source))
    check = {"entries": (float((copied.cpu() - a).abs().max()), 0.0)}
    return [*lines, Line(f"bare copy, {4 * n**2 / 1e6:.3g} MB", seconds, {"GB/s": 8.0 * n**2}, bench.where, check)]


def encoding(bench: Bench) -> list[Line]:
    """Embed texts of mixed length in both precisions."""
    texts = mixed_lengths(bench.sentences["en"], bench.sizes.texts, np.random.default_rng(0))
    some = texts[: bench.sizes.checked]
    expected = bench.encoder("cpu").encode(some).pooled.astype(np.float64)
    lines = []
    for dtype, unit, tolerance in ((torch.bfloat16, "bfloat16", 0.2), (torch.float32, "float32", 1e-4)):
        encoder = bench.encoder(bench.device, dtype)
        encoded = encoder.encode(texts)
        seconds = bench.timed(lambda encoder=encoder: encoder.encode(texts), warm=lambda: None)
        tokens = np.minimum(encoded.tokens, encoder.max_length)
        amounts = {"tokens/s": float(tokens.sum()), f"{unit} TFLOP/s": bench.operations(tokens)}
        checks = {f"{len(some)} vectors": (apart(encoder.encode(some).pooled, expected), tolerance)}
        shape = f"{len(texts)} texts, {bench.sizes.layers} layers, {bench.sizes.width} wide"
        lines.append(Line(f"encode in {unit}, {shape}", seconds, amounts, bench.where, checks))
    return lines


def moments(bench: Bench) -> list[Line]:
    """Gather moments: their products are on the card, the sums of squares and the blocks' sums are not."""
    n, d = bench.sizes.rows, bench.sizes.width
    x, y = planted(n, d)
    found, expected = (Moments.from_arrays(x, y, device=device) for device in (bench.device, "cpu"))
    distances = [
        np.max(np.abs(getattr(found, name) - getattr(expected, name))) / np.max(np.abs(getattr(expected, name)))
        for name in SUMS
    ]
    seconds = bench.timed(lambda: Moments.from_arrays(x, y, device=bench.device))
    amounts = {"float32 TFLOP/s": 6.0 * n * d**2, "GB/s": 8.0 * n * d}
    where = "processor" if bench.device == "cpu" else "products: card, the rest: processor"
    checks = {"every sum, of its largest": (float(np.max(distances)), 1e-5)}
    return [Line(f"moments, {n} × {d}, two sides", seconds, amounts, where, checks)]


def planted(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x, noise = (rng.standard_normal((n, d), dtype=np.float32) for _ in range(2))
    return x, x + d**0.5 / 4 * noise  # cosines of the right pairs are about four deviations of the others'


def searching(bench: Bench) -> list[Line]:
    """Search exactly: the nearest by CSLS, and the ranks of the right answers by both criteria, both ways."""
    n, d = bench.sizes.search, bench.sizes.width
    x, y = planted(n, d)
    numbers = np.arange(n)

    def best(device):
        return nearest(x, y, k=1, criterion="csls", device=device)

    def ranks(device):
        return match_ranks(x, y, numbers, numbers, device=device)

    amounts = {"float32 TFLOP/s": 4.0 * n**2 * d, "GB/s": 16.0 * n**2}  # two passes; a tile is written and read once
    (scores, places), (expected, at) = best(bench.device), best("cpu")
    checks = {"scores": (float(np.abs(scores - expected).max()), 2e-6), "other places, share": others(places, at, 1e-3)}
    lines = [
        Line(f"nearest by CSLS, {n} × {n} × {d}", bench.timed(lambda: best(bench.device)), amounts, bench.where, checks)
    ]
    pairs = [
        (mine.of(by), theirs.of(by))
        for mine, theirs in zip(ranks(bench.device), ranks("cpu"), strict=True)
        for by in ("cosine", "csls")
    ]
    checks = {
        "P@1": (max(abs(float(np.mean(a == 1) - np.mean(b == 1))) for a, b in pairs), 1e-4),
        "other ranks, share": others(*(np.concatenate(side) for side in zip(*pairs, strict=True)), 1e-2),
    }
    seconds = bench.timed(lambda: ranks(bench.device))
    return [
        *lines,
        Line(f"ranks by cosine and CSLS, both ways, {n} × {n} × {d}", seconds, amounts, bench.where, checks),
    ]


def others(found: np.ndarray, expected: np.ndarray, most: float) -> tuple[float, float]:
    """Return the share of integers that differ, and how many may: at the edge of a tie a last bit of scores decides."""
    return float(np.mean(found != expected)), most


def contrasting(bench: Bench) -> list[Line]:
    """Train by InfoNCE with cached gradients: the loss of some steps on few pairs, the time on many."""
    few, many = bench.sizes.checked, bench.sizes.pairs
    (mine, gradient), (expected, wanted) = (Steps(bench, device, few).losses() for device in (bench.device, "cpu"))
    steps = Steps(bench, bench.device, many)
    steps.take()
    padding = steps.student.padding
    padding.padded = padding.tokens = 0
    seconds = bench.timed(steps.take, warm=lambda: None)
    tokens = padding.tokens / bench.sizes.repeats
    lengths = np.array([len(row) for column in steps.rows.columns for row in column])
    amounts = {"tokens/s": tokens, "float32 TFLOP/s": 4 * bench.operations(lengths)}  # forward twice, backward as two
    checks = {
        f"losses of {STEPS} steps, {few} pairs": (float(np.max(np.abs(mine - expected) / expected)), 1e-3),
        "first gradient, relative": (float(np.linalg.norm(gradient - wanted) / np.linalg.norm(wanted)), 1e-3),
    }
    claim = f"contrastive step, cached gradients, {many} pairs in {bench.sizes.mini_batch}s, with AdamW"
    return [Line(claim, seconds, amounts, bench.where, checks)]


class Steps:
    """Training of the same rows, step by step, without dropout."""

    def __init__(self, bench: Bench, device: str, pairs: int) -> None:
        self.student = Student(bench.encoder(device), "float32")
        columns = [
            [bench.sentences[code][row % len(bench.sentences[code])] for row in range(pairs)] for code in ("en", "fr")
        ]
        self.rows = TextRows.of(self.student, *columns)
        processes = Processes()
        criterion = info_nce(self.student, processes, scale=20, mini_batch=bench.sizes.mini_batch)
        self.objective = ContrastiveObjective(self.student, [self.rows], criterion, processes)
        self.optimizer = Optimizer(self.objective, LoopConfig(learning_rate=1e-5, warmup=0.0), 1000, processes)
        self.number, self.order = 0, np.arange(pairs)

    def take(self) -> float:
        """Take a step; return its loss."""
        self.number += 1
        batch = Batch(self.number - 1, 0, self.order)
        self.optimizer.prepare(batch, self.number)
        loss = self.objective.loss(batch)
        loss.backward()
        self.optimizer.step(self.number)
        return float(loss.detach())

    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses of some steps, and the clipped gradient of the first over all weights but the table's."""
        losses, gradient = [self.take()], self.gradient()
        return np.array([*losses, *(self.take() for _ in range(STEPS - 1))]), gradient

    def gradient(self) -> np.ndarray:
        """Return the gradient of the last step over all weights but the table's."""
        held = [p.grad for p in self.objective.module.parameters() if p.grad is not None and not p.grad.is_sparse]
        return torch.cat([part.flatten() for part in held]).double().cpu().numpy()


def laddering(bench: Bench) -> list[Line]:
    """Fit the closed-form ladder, on the processor, and rank what its rungs predict, on the card."""
    n, d = bench.sizes.maps, bench.sizes.width
    rng = np.random.default_rng(0)
    x, y = anisotropic(n, d, rng)
    folds, numbers = rng.permutation(np.arange(n) % 5), np.arange(n)
    rungs = tuple(sorted(LINEAR_RUNGS))
    start = time.perf_counter()
    predictions = Ladder(x, folds, rungs=rungs).fit(y).predictions
    fitted = [time.perf_counter() - start]

    def reciprocal(device):
        ranks = [match_ranks(predictions[rung], y, numbers, numbers, device=device)[0].csls for rung in rungs]
        return np.mean(1 / np.stack(ranks), axis=1)

    checks = {"mean reciprocal ranks": (float(np.abs(reciprocal(bench.device) - reciprocal("cpu")).max()), 1e-4)}
    amounts = {"float32 TFLOP/s": 4.0 * len(rungs) * n**2 * d}
    seconds = bench.timed(lambda: reciprocal(bench.device))
    return [
        Line(f"closed-form ladder, {len(rungs)} rungs, {n} × {d}", fitted, {}, "processor, always", {}),
        Line(f"ranks by what {len(rungs)} rungs predict", seconds, amounts, bench.where, checks),
    ]


PARTS = (bare, encoding, moments, searching, contrasting, laddering)

if __name__ == "__main__":
    sys.exit(main())

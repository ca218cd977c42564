"""`polyglot train finetune`: insert a language, or bring queries near the passages that answer them."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .card import model_card
from .config import FinetuneConfig
from .language import AddedWords, InsertionObjective, LanguageRows, add_words, append_rotation, fit_rotation
from .loop import Loop, LoopReport
from .metrics import language_metrics
from .pairs import TrainingPairs, open_pairs
from .ranks import Ranks, joined_ranks
from .result import SCHEMA, LanguageMetrics, LanguageOutcome, Speed, TrainResult
from .retention import OldLanguage, OldScores, open_old_language, retention, score_old_language
from .rundir import RunFolder
from .sampler import BatchPlan
from .student import Student, chosen_precision
from .tokenizer import TokenizerReport, report_tokenizer

if TYPE_CHECKING:
    from ..models.encoder import Encoder
    from ..probe.results import Provenance

log = logging.getLogger(__name__)
Vectors = NDArray[np.float32]
READ_FOR_REPORT = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Entering:
    """A language before training: its pairs, what f0 makes of them, and how the base reads it."""

    language: str
    pairs: TrainingPairs
    teacher: Vectors  # f0 of the pivot, training rows
    held_pivot: Vectors  # f0 of the pivot, held-out rows
    before: LanguageMetrics
    read: TokenizerReport


def run_finetune(config: FinetuneConfig, *, command: str = "", progress: bool = False) -> TrainResult:
    """Run the third stage: with languages, insert them; without, train queries towards passages.

    Parameters
    ----------
    config : FinetuneConfig
    command : str
        What was typed, for the provenance.
    progress : bool
        Whether bars are drawn while text is encoded.

    Returns
    -------
    TrainResult
        Also written to `result.json` of the run folder. `gate_broken` tells whether English lost more than allowed;
        the model is kept all the same.

    Raises
    ------
    ConfigError, DataError, ModelError, OutputError, MissingExtraError
        Before long work wherever that can be known.
    """
    folder = RunFolder(Path(config.out))
    with joined_ranks() as ranks:
        folder.check(resume=config.resume)
        ranks.wait()
        if config.langs:
            return _insert(config, folder, ranks, command, progress=progress)
        from .queries import train_queries

        return train_queries(config, folder, ranks, command)


def _insert(config: FinetuneConfig, folder: RunFolder, ranks: Ranks, command: str, *, progress: bool) -> TrainResult:
    from ..probe.provenance import Origin

    origin = Origin.now(command)
    opened = [open_pairs(config.data, language, config.pivot, config.loop.seed) for language in config.langs]
    held_pivot = [text for pairs in opened for text in pairs.held_out.targets]
    old = open_old_language(config.retention, config.pivot, held_pivot)
    encoder = _load(config, ranks)
    precision = begin_run(folder, ranks, config, encoder, [pairs.fingerprint for pairs in opened])
    entering = [_entering(encoder, config, pairs, ranks, progress=progress) for pairs in opened]
    old_before = score_old_language(encoder, old)
    student = Student(encoder, precision)
    if config.method == "map":
        return _insert_map(config, folder, ranks, student, entering, (old, old_before), origin)
    added = [add_words(student, e.pairs.training, config.extend_vocab, method=config.method) for e in entering]
    report = _train(config, folder, ranks, student, entering, added)
    after = trained_encoder(student, config)
    kept = retention(old, old_before, score_old_language(after, old), config.retention, seed=config.loop.seed)
    outcomes = tuple(_outcome(after, config, e, a) for e, a in zip(entering, added, strict=True))
    result = _result(config, folder, (encoder, after), outcomes, report, precision, ranks, origin)
    result = dataclasses.replace(result, retention=kept, warnings=_warnings(result, entering, config, kept.broken))
    keep(folder, ranks, student, result)
    return result


def _load(config: FinetuneConfig, ranks: Ranks) -> Encoder:
    from ..models.encoder import load_encoder

    if not ranks.writes:
        ranks.wait()
    encoder = load_encoder(config.model, device=config.device)
    if ranks.writes:
        ranks.wait()
    return encoder


def begin_run(
    folder: RunFolder,
    ranks: Ranks,
    config: Any,
    encoder: Encoder | None,
    data: Sequence[str],  # noqa: ANN401
) -> str:
    """Write down what a run was told, or compare it with a resumed one; return the precision, the same on resuming."""
    import json

    from ..probe.provenance import versions

    told = {
        "stage": type(config).__name__.removesuffix("Config").lower(),
        "config": _plain(config),
        "base_fingerprint": None if encoder is None else encoder.fingerprint,
        "data": list(data),
        "world": ranks.world,
        "versions": versions(),
    }
    if ranks.writes:
        if config.resume:
            folder.begin(told, resume=True)
        else:
            device = "cpu" if encoder is None else encoder.device
            folder.begin(
                {**told, "versions": {**versions(), "precision": chosen_precision(config.loop.precision, device)}},
                resume=False,
            )
    ranks.wait()
    started = json.loads((folder.path / "run.json").read_text(encoding="utf-8"))
    return str(started["versions"]["precision"])


def _plain(value: Any) -> Any:  # noqa: ANN401 - any configuration
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _entering(
    encoder: Encoder, config: FinetuneConfig, pairs: TrainingPairs, ranks: Ranks, *, progress: bool
) -> Entering:
    held, training = pairs.held_out, pairs.training
    texts = [*training.targets, *held.targets, *held.sources]
    vectors = encode_once(encoder, texts, ranks, progress=progress)
    teacher, held_pivot, held_new = np.split(vectors, np.cumsum([len(training), len(held)]))
    before = language_metrics(
        held_new, held_pivot, pairs.held_out_groups, seed=config.loop.seed, certificate=config.certificate
    )
    read = report_tokenizer(encoder.model.tokenizer, training.sources[:READ_FOR_REPORT], training.source)
    for warning in read.warnings:
        log.warning("%s", warning)
    return Entering(training.source, pairs, teacher, held_pivot, before, read)


def encode_once(encoder: Encoder, texts: Sequence[str], ranks: Ranks, *, progress: bool = False) -> Vectors:
    """Embed texts through the user's cache, one process first so that the others find them there."""
    from ..models.cache import EmbeddingCache, encode_cached
    from ..models.folders import default_cache_dir

    cache = EmbeddingCache(default_cache_dir() / "embeddings")
    if not ranks.writes:
        ranks.wait()
    vectors = encode_cached(encoder, texts, cache=cache, progress=progress).pooled
    if ranks.writes:
        ranks.wait()
    return vectors


def _train(
    config: FinetuneConfig,
    folder: RunFolder,
    ranks: Ranks,
    student: Student,
    entering: Sequence[Entering],
    added: Sequence[AddedWords],
) -> LoopReport:
    rows = [LanguageRows.of(student, e.pairs.training, e.teacher) for e in entering]
    first = min(a.first_row for a in added)
    if config.method == "embeddings" and not any(a.words for a in added):
        raise DataError(
            "the bitext gives the new language no word of its own: the method embeddings has nothing to train"
        )
    objective = InsertionObjective(student, rows, config, ranks, first_row=first)
    loop = config.loop
    plan = BatchPlan([r.source for r in rows], loop.batch_size, loop.epochs, loop.max_steps, loop.seed, ranks.world)
    report = Loop(objective, plan, loop, folder, ranks).run()
    objective.finish()
    return report


def trained_encoder(student: Student, config: Any) -> Encoder:  # noqa: ANN401 - configurations of several stages
    """Wrap the trained weights as an encoder with a fingerprint of its own and the base's as its lineage."""
    from ..models.encoder import Encoder

    base = student.encoder
    return Encoder(
        student.model,
        name=str(RunFolder(Path(config.out)).model),
        prompt=base.prompt,
        max_length=base.max_length,
        base_fingerprint=base.base_fingerprint or base.fingerprint,
    )


def _outcome(after: Encoder, config: FinetuneConfig, entering: Entering, added: AddedWords) -> LanguageOutcome:
    pairs = entering.pairs
    read = report_tokenizer(after.model.tokenizer, pairs.training.sources[:READ_FOR_REPORT], entering.language)
    new = after.encode(pairs.held_out.sources).pooled
    measured = language_metrics(
        new, entering.held_pivot, pairs.held_out_groups, seed=config.loop.seed, certificate=config.certificate
    )
    return LanguageOutcome(
        language=entering.language,
        pairs=len(pairs.training),
        held_out=len(pairs.held_out),
        overlap_dropped=pairs.dropped,
        overlap_kept=pairs.overlapping,
        corpus_fingerprint=pairs.fingerprint,
        new_words=added.words,
        retired_words=added.retired,
        unknown_rate_before=entering.read.unknown_rate,
        unknown_rate_after=read.unknown_rate,
        fertility_before=entering.read.fertility,
        fertility_after=read.fertility,
        accent_collisions_before=entering.read.accent_collisions,
        accent_collisions_after=read.accent_collisions,
        before=entering.before,
        after=measured,
    )


def _insert_map(
    config: FinetuneConfig,
    folder: RunFolder,
    ranks: Ranks,
    student: Student,
    entering: Sequence[Entering],
    old: tuple[OldLanguage, OldScores],
    origin: Any,  # noqa: ANN401 - from the probe room, imported late
) -> TrainResult:
    """Fit the control: a rotation for queries of one new language; English goes on through the base."""
    if len(entering) > 1:
        raise DataError(f"the method map fits one language, got {len(entering)}: run it once for each")
    only, base = entering[0], student.encoder
    fitted = fit_rotation(encode_once(base, only.pairs.training.sources, ranks), only.teacher)
    kept = retention(old[0], old[1], old[1], config.retention, seed=config.loop.seed)
    append_rotation(student, *fitted)
    after = trained_encoder(student, config)
    outcomes = (_outcome(after, config, only, AddedWords(0, 0, 0)),)
    report = LoopReport(0, 0, 0.0, ())
    result = _result(config, folder, (base, after), outcomes, report, "float32", ranks, origin)
    note = f"this model is for queries in {only.language} only: embed {config.pivot} text with the base {config.model}"
    result = dataclasses.replace(result, retention=kept, warnings=(note, *only.read.warnings))
    keep(folder, ranks, student, result)
    return result


def _result(
    config: FinetuneConfig,
    folder: RunFolder,
    encoders: tuple[Encoder, Encoder],
    outcomes: tuple[LanguageOutcome, ...],
    report: LoopReport,
    precision: str,
    ranks: Ranks,
    origin: Any,  # noqa: ANN401 - from the probe room, imported late
) -> TrainResult:
    base, after = encoders
    lang = config.langs[0]
    return TrainResult(
        schema=SCHEMA,
        stage="finetune",
        method=config.method,
        model=config.model,
        base_fingerprint=after.base_fingerprint or base.fingerprint,
        fingerprint=after.fingerprint,
        run=str(folder.path),
        languages=outcomes,
        retention=None,
        speed=speed_of(report, precision, ranks),
        scores={},
        warnings=(),
        next_command=f"polyglot probe linear-map {lang} {config.pivot} --model {folder.model}",
        provenance=closed(origin, config, base, outcomes),
    )


def speed_of(report: LoopReport, precision: str, ranks: Ranks) -> Speed:
    """Put the report of a loop into a result."""
    import torch

    return Speed(
        report.steps,
        report.rows,
        round(report.seconds, 2),
        round(report.rows_per_second, 2),
        precision,
        torch.get_num_threads(),
        ranks.world,
        report.losses,
    )


def closed(origin: Any, config: Any, base: Encoder, outcomes: Sequence[LanguageOutcome]) -> Provenance:  # noqa: ANN401
    """Close the provenance of a run."""
    from ..probe.provenance import provenance
    from ..probe.results import Side

    sides = tuple(Side(o.language, config.model, base.fingerprint) for o in outcomes)
    origin = dataclasses.replace(origin, models=sides, device=base.device)
    prints = "+".join(o.corpus_fingerprint for o in outcomes)
    names = " ".join(config.data.corpus) or "builtin"
    return provenance(origin, corpus=names, fingerprint=prints, seed=config.loop.seed)


def _warnings(
    result: TrainResult, entering: Sequence[Entering], config: FinetuneConfig, broken: Sequence[str]
) -> tuple[str, ...]:
    found = [warning for e in entering for warning in e.read.warnings]
    for outcome in result.languages:
        if outcome.overlap_kept:
            found.append(
                f"{outcome.overlap_kept} training rows of {outcome.language} overlap with evaluation text and were kept"
            )
    if broken:
        lost = f"{config.pivot} lost more than {config.retention.max_english_loss:g} point in {' and '.join(broken)}"
        found.append(f"{lost}: the model is kept; a higher --anchor-weight or a lower --learning-rate loses less")
    for warning in found:
        log.warning("%s", warning)
    return tuple(found)


def keep(folder: RunFolder, ranks: Ranks, student: Student, result: TrainResult) -> None:
    """Write model, card and result, by one process."""
    from ..probe.results import to_json

    if ranks.writes:
        folder.save_model(
            student.save,
            base_fingerprint=result.base_fingerprint,
            card=model_card(result),
        )
        folder.finish(to_json(result))
    ranks.wait()

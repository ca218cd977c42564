"""`polyglot train pretrain`: masked language modelling of a BERT or ModernBERT, with an optional second objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Integers
from ...errors import DataError, ModelError
from ...probe.results.training import TrainResult
from ..config import PretrainConfig
from ..engine.result import StageOutcome, TrainingText, training_result
from ..engine.sampler import RowIndex
from ..engine.session import Run, open_run
from ..engine.trainer import train
from ..evaluation.metrics import scores_before_and_after
from ..insertion.tokenizer_report import report_tokenizer
from ..objectives.masked_language_model import MaskedLossEvaluator, MaskedObjective, held_out_losses
from ..objectives.masking import WholeWordMasker, pack
from .pretrain_model import as_student, open_model, open_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LEAST_HELD_OUT = 2


def run_pretrain(config: PretrainConfig, *, command: str = "", progress: bool = False) -> TrainResult:
    """Run the first stage.

    Parameters
    ----------
    config : PretrainConfig
    command, progress
        As for `open_run`.

    Returns
    -------
    TrainResult
        Its scores are the masked-token loss of held-out text before and after, in nats.

    Raises
    ------
    ConfigError, DataError, ModelError, OutputError
        Before long work wherever that can be known.
    """
    with open_run(config, command, progress=progress) as run:
        return _train(config, run)


def _train(config: PretrainConfig, run: Run) -> TrainResult:
    from ...data.open import open_corpus
    from ...models.loading import chosen_device

    data, seed = config.data, config.loop.seed
    texts = [
        open_corpus(
            data.corpus or None, (language,), columns=data.columns, limit=data.limit, seed=seed, skip_bad=data.skip_bad
        )
        for language in config.langs
    ]
    fingerprints = [text.fingerprint for text in texts]
    precision = run.start(None, fingerprints)
    columns = {language: text.column(language) for language, text in zip(config.langs, texts, strict=True)}
    tokenizer = open_tokenizer(config, list(columns.values()))
    coverage = [report_tokenizer(tokenizer, column, language) for language, column in columns.items()]
    splits = [_split(_pack(tokenizer, column, config), config, language) for language, column in columns.items()]
    model = open_model(config, tokenizer).to(chosen_device(config.device))
    masker = WholeWordMasker.of(tokenizer, model.config.vocab_size)
    training = [split.training for split in splits]
    objective = MaskedObjective(model, training, masker, config, run.processes, precision=precision)
    # packed rows have one length and share no text
    indexes = [RowIndex(np.full(len(p), config.length), np.arange(len(p))[:, None]) for p in training]
    held_out = np.concatenate([split.held_out for split in splits])
    evaluator = MaskedLossEvaluator(objective, np.concatenate([split.validation for split in splits]))
    before = held_out_losses(objective, held_out)
    report = train(run, objective, indexes, evaluator)
    student = as_student(model, tokenizer, run.folder.model, precision)
    after, rng = held_out_losses(objective, held_out), np.random.default_rng([run.seed, 6])
    outcome = StageOutcome(
        method=config.second if config.second != "none" else "mlm",
        model=config.model or f"{config.architecture}-{config.size}",
        text=TrainingText(config.data.corpus_name, fingerprints, config.langs),
        scores=scores_before_and_after("masked-token loss of held-out text", before, after, rng),
        warnings=tuple(warning for language in coverage for warning in language.warnings),
        next_command=f"polyglot train contrastive --model {run.folder.model}",
    )
    result = training_result(run, student, student.encoder, report, outcome)
    run.save(student.encoder, result)
    return result


def _pack(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], config: PretrainConfig) -> Integers:
    order = np.random.default_rng([config.loop.seed, 5]).permutation(len(texts))
    rows = tokenizer([texts[i] for i in order], add_special_tokens=False, verbose=False)["input_ids"]
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    if cls is None or sep is None:
        raise ModelError("the tokenizer has no [CLS] or no [SEP] token, which packing needs; leave --tokenizer out")
    return pack(rows, config.length, cls, sep)


@dataclass(frozen=True, slots=True, eq=False)
class PackedSplit:
    """Packed rows of one language for training, test and validation."""

    training: Integers
    held_out: Integers
    validation: Integers  # the held-out rows, or others if they decide which weights are kept


def _split(packed: Integers, config: PretrainConfig, language: str) -> PackedSplit:
    count = min(max(LEAST_HELD_OUT, round(config.data.held_out * len(packed))), config.data.held_out_rows)
    apart = 2 * count if config.loop.selects_best else count
    if len(packed) < apart + 2:
        raise DataError(
            f"the text in {language} fills {len(packed)} rows of {config.length} tokens: expected {apart + 2} or more; "
            "give more text or a smaller --length"
        )
    held = packed[:count]
    return PackedSplit(packed[apart:], held, packed[count:apart] if config.loop.selects_best else held)

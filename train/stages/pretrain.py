"""`polyglot train pretrain`: masked language modelling of a BERT or ModernBERT, with an optional second objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.resampling import Interval, percentile_interval
from ...analysis.types import Integers
from ...distributed import Processes
from ...errors import DataError, ModelError
from ...probe.results.training import SCHEMA, MapVerdict, TrainResult
from ..config import PretrainConfig, Size
from ..engine.sampler import Batch, Source
from ..engine.session import Run, corpus_name, opened_run
from ..engine.student import Student, quiet_library
from ..engine.trainer import mixed_precision
from ..insertion.vocabulary import report_tokenizer, train_tokenizer
from ..objectives.masking import IGNORED, Masker, pack
from ..objectives.retromae import Decoder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

    from ...data.bitext import ParallelText

RESAMPLES = 1000
HELD_OUT_LEAST = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a new transformer."""

    width: int
    layers: int
    heads: int


SHAPES: dict[Size, Shape] = {"tiny": Shape(64, 2, 2), "small": Shape(384, 6, 6), "base": Shape(768, 12, 12)}


def new_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> Any:  # noqa: ANN401 - BERT or ModernBERT
    """Make an untrained masked language model of a preset size, its weights drawn with the seed.

    Parameters
    ----------
    config : PretrainConfig
    tokenizer : tokenizer
        Its special tokens go into the model's configuration.
    """
    import torch
    from transformers import BertConfig, BertForMaskedLM, ModernBertConfig, ModernBertForMaskedLM

    shape = SHAPES[config.size]
    torch.manual_seed(config.loop.seed)
    shared = {
        "vocab_size": len(tokenizer),
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "pad_token_id": tokenizer.pad_token_id,
    }
    if config.architecture == "bert":
        positions = max(512, config.length)
        return BertForMaskedLM(
            BertConfig(**shared, intermediate_size=4 * shape.width, max_position_embeddings=positions)
        )
    special = {
        "cls_token_id": tokenizer.cls_token_id,
        "bos_token_id": tokenizer.cls_token_id,
        "sep_token_id": tokenizer.sep_token_id,
        "eos_token_id": tokenizer.sep_token_id,
    }
    modern = ModernBertConfig(
        **shared, **special, intermediate_size=2 * shape.width, max_position_embeddings=max(8192, config.length)
    )
    modern._attn_implementation = "sdpa"  # the flex kernel has no backward on a CPU
    return ModernBertForMaskedLM(modern)


class MaskedObjective:
    """Masked language modelling, and the reconstruction from the pooled vector if asked for.

    Parameters
    ----------
    model : BertForMaskedLM or ModernBertForMaskedLM
    packed : sequence of (r, l) int64
        One a language.
    masker : Masker
    config : PretrainConfig
    processes : Processes
    """

    table = None
    first_row = 0

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - BERT or ModernBERT
        packed: Sequence[Integers],
        masker: Masker,
        config: PretrainConfig,
        processes: Processes,
    ) -> None:
        import torch

        self.packed, self.masker, self.config, self.processes = packed, masker, config, processes
        parts = {"model": model}
        if config.second == "retromae":
            parts["decoder"] = Decoder.beside(model)
        self._parts = torch.nn.ModuleDict(parts)
        self.precision = "float32"

    @property
    def module(self) -> torch.nn.Module:
        """The model, and the decoder if there is one."""
        return self._parts

    def touched(self, batch: Batch) -> NDArray[np.int64]:
        """Return nothing: the output layer touches every row."""
        return np.empty(0, np.int64)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return this process's share of the loss."""
        rows = self.packed[batch.dataset][batch.of_rank(self.processes.rank, self.processes.world_size)]
        rng = np.random.default_rng([self.config.loop.seed, 3, batch.step, self.processes.rank])
        with mixed_precision(self.precision, str(self._device())):
            return self._loss(rows, rng) / self.processes.world_size

    def masked_loss(self, rows: Integers, rng: np.random.Generator) -> torch.Tensor:
        """Return the mean masked-token loss of rows, without the second objective."""
        return self._forward(rows, rng, hidden=False).loss  # type: ignore[no-any-return]

    def _loss(self, rows: Integers, rng: np.random.Generator) -> torch.Tensor:
        second = self.config.second == "retromae"
        output = self._forward(rows, rng, hidden=second)
        if not second:
            return output.loss  # type: ignore[no-any-return]
        ids = self._tensor(rows)
        pooled = output.hidden_states[-1].mean(dim=1)
        hidden_words, labels = self.masker(rows, self.config.decoder_masked, rng)
        decoder: Any = self._parts["decoder"]
        embeddings: Any = self._parts["model"]
        states = decoder(pooled, embeddings.get_input_embeddings()(self._tensor(hidden_words)))
        return output.loss + _token_loss(self._scores(states), ids, self._tensor(labels))  # type: ignore[no-any-return]

    def _scores(self, states: torch.Tensor) -> torch.Tensor:
        table: Any = self._parts["model"]
        scores: torch.Tensor = states @ table.get_input_embeddings().weight.T
        return scores

    def _forward(self, rows: Integers, rng: np.random.Generator, *, hidden: bool) -> Any:  # noqa: ANN401
        ids, labels = self.masker(rows, self.config.masked, rng)
        if (labels == IGNORED).all():
            labels[:, 1] = rows[:, 1]
        tokens = self._tensor(ids)
        mask = tokens.new_ones(tokens.shape)
        return self._parts["model"](
            input_ids=tokens, attention_mask=mask, labels=self._tensor(labels), output_hidden_states=hidden
        )

    def _tensor(self, rows: Integers) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.ascontiguousarray(rows)).to(self._device())

    def _device(self) -> torch.device:
        return next(self._parts.parameters()).device


def _token_loss(scores: torch.Tensor, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    import torch

    asked = torch.where(labels == IGNORED, labels, ids)
    return torch.nn.functional.cross_entropy(scores.flatten(0, 1).float(), asked.flatten(), ignore_index=IGNORED)


def run_pretrain(config: PretrainConfig, *, command: str = "", progress: bool = False) -> TrainResult:
    """Run the first stage.

    Parameters
    ----------
    config : PretrainConfig
    command : str
        What was typed, for the provenance.
    progress : bool
        Whether bars are drawn.

    Returns
    -------
    TrainResult
        Its scores are the masked-token loss of held-out text before and after, in nats.

    Raises
    ------
    ConfigError, DataError, ModelError, OutputError
        Before long work wherever that can be known.
    """
    with opened_run(config, command, progress=progress) as run:
        return _pretrain(config, run)


def _pretrain(config: PretrainConfig, run: Run) -> TrainResult:
    texts = [_open(config, language) for language in config.langs]
    precision = run.begin(None, [text.fingerprint for text in texts])
    columns = [text.column(language) for text, language in zip(texts, config.langs, strict=True)]
    tokenizer = _tokenizer(config, columns)
    reports = [
        report_tokenizer(tokenizer, column[:2000], language)
        for language, column in zip(config.langs, columns, strict=True)
    ]
    split = [
        _split(_packed(tokenizer, column, config), config, language)
        for language, column in zip(config.langs, columns, strict=True)
    ]
    model = _model(config, tokenizer)
    masker = Masker.of(tokenizer, model.config.vocab_size)
    objective = MaskedObjective(model, [part.training for part in split], masker, config, run.processes)
    objective.precision = precision
    held = np.concatenate([part.held_out for part in split])
    watch = MaskedWatch(objective, np.concatenate([part.watched for part in split]))
    before = _held_out_losses(objective, held)
    report = run.train(objective, [_source(part.training) for part in split], watch)
    student = _as_encoder(model, tokenizer, config, run)
    result = TrainResult(
        schema=SCHEMA,
        stage="pretrain",
        method=config.second if config.second != "none" else "mlm",
        model=config.model or f"{config.architecture}-{config.size}",
        base_fingerprint=student.encoder.fingerprint,
        fingerprint=student.encoder.fingerprint,
        run=str(run.folder.path),
        languages=(),
        retention=None,
        speed=run.speed(report, precision),
        scores=_scores(before, _held_out_losses(objective, held), config.loop.seed),
        warnings=tuple(warning for read in reports for warning in read.warnings),
        next_command=f"polyglot train contrastive --model {run.folder.model}",
        provenance=run.closed(student.encoder, corpus_name(config), [t.fingerprint for t in texts], config.langs),
        shares_space_with_base=False,
        course=report.course,
    )
    run.keep(student, result)
    return result


def _open(config: PretrainConfig, language: str) -> ParallelText:
    from ...data.open import open_corpus

    data = config.data
    return open_corpus(
        data.corpus or None, (language,), limit=data.limit, seed=config.loop.seed, skip_bad=data.skip_bad
    )


def _tokenizer(config: PretrainConfig, columns: Sequence[list[str]]) -> PreTrainedTokenizerBase:
    """Load the tokenizer that is given, that of the model, or train one."""
    source = config.tokenizer or config.model
    if source is None:
        return train_tokenizer((text for column in columns for text in column), config.vocabulary)
    from transformers import AutoTokenizer

    from ...models.registry import resolve

    card = resolve(source)
    try:
        return AutoTokenizer.from_pretrained(_source_of(card.name))
    except (OSError, ValueError) as error:
        raise ModelError(f"{source} has no tokenizer that can be loaded: {error}; give one by --tokenizer") from error


def _source_of(name: str) -> str:
    from ...models.registry import packaged_model, resolve

    card = resolve(name)
    return str(packaged_model(card.name).folder()) if card.kind == "packaged" else card.source


def _model(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> Any:  # noqa: ANN401 - any masked model
    if config.model is None:
        return new_model(config, tokenizer)
    import torch
    from transformers import AutoModelForMaskedLM

    torch.manual_seed(config.loop.seed)  # the output layer may be new
    try:
        model = AutoModelForMaskedLM.from_pretrained(
            _source_of(config.model), use_safetensors=True, dtype=torch.float32, attn_implementation="sdpa"
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"{config.model} cannot be trained further by masking: {error}") from error
    if len(tokenizer) > model.config.vocab_size:
        model.resize_token_embeddings(len(tokenizer))
    return model


def _packed(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], config: PretrainConfig) -> Integers:
    order = np.random.default_rng([config.loop.seed, 5]).permutation(len(texts))
    rows = tokenizer([texts[i] for i in order], add_special_tokens=False, verbose=False)["input_ids"]
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    if cls is None or sep is None:
        raise ModelError("the tokenizer has no [CLS] or no [SEP] token, which packing needs; leave --tokenizer out")
    return pack(rows, config.length, cls, sep)


@dataclass(frozen=True, slots=True, eq=False)
class PackedParts:
    """Packed rows of one language to train on, to measure on, and to watch."""

    training: Integers
    held_out: Integers
    watched: Integers  # the held-out ones, or others where they decide which weights are kept


def _split(packed: Integers, config: PretrainConfig, language: str) -> PackedParts:
    count = min(max(HELD_OUT_LEAST, round(config.data.held_out * len(packed))), config.data.held_out_rows)
    apart = 2 * count if config.loop.selects else count
    if len(packed) < apart + 2:
        raise DataError(
            f"the text in {language} fills {len(packed)} rows of {config.length} tokens: expected {apart + 2} or more; "
            "give more text or a smaller --length"
        )
    held = packed[:count]
    return PackedParts(packed[apart:], held, packed[count:apart] if config.loop.selects else held)


def _source(packed: Integers) -> Source:
    return Source(np.full(len(packed), packed.shape[1]), np.arange(len(packed))[:, None])


def _held_out_losses(objective: MaskedObjective, held: Integers) -> NDArray[np.float64]:
    """Return the masked-token loss of each held-out row, (h,), under masks that are always the same."""
    import torch

    objective.module.eval()
    rng = np.random.default_rng([objective.config.loop.seed, 4])
    with torch.inference_mode():
        return np.array([float(objective.masked_loss(row[None], rng)) for row in held])


@dataclass(frozen=True, slots=True, eq=False)
class MaskedWatch:
    """The masked-token loss of held-out rows, turned round so that more is better."""

    objective: MaskedObjective
    rows: Integers
    name: str = "− masked-token loss"

    def measure(self, *, certified: bool) -> tuple[float, dict[str, MapVerdict]]:
        """Measure the model as it is."""
        assert not certified
        return -float(_held_out_losses(self.objective, self.rows).mean()), {}


def _scores(before: NDArray[np.float64], after: NDArray[np.float64], seed: int) -> dict[str, Interval]:
    rng = np.random.default_rng([seed, 6])
    losses = np.column_stack([before, after])
    drawn = np.array([losses[rng.integers(len(losses), size=len(losses))].mean(axis=0) for _ in range(RESAMPLES)])
    means = losses.mean(axis=0)
    return {
        f"masked-token loss of held-out text, {when}": percentile_interval(float(means[i]), drawn[:, i])
        for i, when in enumerate(("before", "after"))
    }


def _as_encoder(model: Any, tokenizer: PreTrainedTokenizerBase, config: PretrainConfig, run: Run) -> Student:  # noqa: ANN401
    """Make a sentence encoder of the trained body: mean pooling and unit length."""
    import tempfile

    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    from ...models.encoder import Encoder

    longest = min(model.config.max_position_embeddings, 8192)
    with tempfile.TemporaryDirectory() as scratch, quiet_library():
        model.base_model.save_pretrained(scratch)
        tokenizer.model_max_length = longest
        tokenizer.save_pretrained(scratch)
        body = Transformer(scratch)
    modules = [body, Pooling(model.config.hidden_size, pooling_mode="mean"), Normalize()]
    made = SentenceTransformer(modules=modules, device=str(model.device))
    return Student(Encoder(made, name=str(run.folder.model)), "float32")

"""What each training stage can be told: frozen records, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from ..errors import ConfigError

Method = Literal["align", "distill", "anchor", "embeddings", "lora", "map"]
Precision = Literal["auto", "float32", "bfloat16"]
EmbeddingUpdate = Literal["lazy", "dense"]
Dropout = Literal["off", "model"]
Architecture = Literal["bert", "modernbert"]
Size = Literal["tiny", "small", "base"]
SecondObjective = Literal["none", "retromae"]
PairKind = Literal["translations", "references", "questions"]
METHODS: tuple[str, ...] = get_args(Method)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


def _choice(option: str, value: str, kind: object) -> None:
    _require(value in get_args(kind), f"{option} must be one of {', '.join(get_args(kind))}, got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopConfig:
    """The loop that all stages share.

    Parameters
    ----------
    batch_size : int
        Rows in a batch over all processes together, ≥ 2.
    epochs : int
        Passes over the data (with several data sets: as many steps as that many passes over all of them).
    max_steps : int, optional
        Stop after this many steps.
    learning_rate : float
        Highest learning rate, reached after the warm-up, > 0; it falls linearly to zero.
    embedding_learning_rate : float, optional
        The same for the rows of the word-embedding table; `learning_rate` if not given.
    warmup : float
        Share of the steps in which the rate rises, in [0, 1).
    weight_decay : float
        Decoupled weight decay of matrices; never of embeddings, biases and norms.
    max_grad_norm : float
        Gradients longer than this are shortened to it; > 0.
    precision : {"auto", "float32", "bfloat16"}
        Of the matrix products in the forward pass. Weights and optimiser are always float32. `auto` takes bfloat16
        where the processor multiplies it faster.
    embedding_update : {"lazy", "dense"}
        `lazy` visits only the rows that a batch touches; the numbers are those of `dense`.
    dropout : {"off", "model"}
        Whether the dropout of the model is used.
    checkpoint_every : int
        Steps between checkpoints, ≥ 1.
    evaluate_every : int, optional
        Steps between measurements of the held-out score; measured at the end only if not given.
    certify_every : int, optional
        Steps between linear-map certificates on held-out rows, likewise.
    patience : int, optional
        Stop after so many evaluations in a row without a better score, and keep the best weights. The rows that decide
        are then taken out of the training part: what is reported is measured on others.
    seed : int
        Seed of split, order and dropout, ≥ 0.
    """

    batch_size: int = 64
    epochs: int = 3
    max_steps: int | None = None
    learning_rate: float = 2e-4
    embedding_learning_rate: float | None = None
    warmup: float = 0.05
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    precision: Precision = "auto"
    embedding_update: EmbeddingUpdate = "lazy"
    dropout: Dropout = "off"
    checkpoint_every: int = 200
    evaluate_every: int | None = None
    certify_every: int | None = None
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        _require(self.batch_size >= 2, f"--batch-size must be at least 2, got {self.batch_size}")
        _require(self.epochs >= 1, f"--epochs must be at least 1, got {self.epochs}")
        _require(self.max_steps is None or self.max_steps >= 1, f"--max-steps must be at least 1, got {self.max_steps}")
        rates = (
            self.learning_rate,
            self.learning_rate if self.embedding_learning_rate is None else self.embedding_learning_rate,
        )
        _require(all(0 < rate <= 1 for rate in rates), f"learning rates must lie in (0, 1], got {rates}")
        _require(0 <= self.warmup < 1, f"--warmup must lie in [0, 1), got {self.warmup}")
        _require(self.weight_decay >= 0, f"--weight-decay must not be negative, got {self.weight_decay}")
        _require(self.max_grad_norm > 0, f"--max-grad-norm must be positive, got {self.max_grad_norm}")
        for name in ("checkpoint_every", "evaluate_every", "certify_every", "patience"):
            count = getattr(self, name)
            _require(count is None or count >= 1, f"--{name.replace('_', '-')} must be at least 1, got {count}")
        _require(
            self.patience is None or self.evaluate_every is not None,
            "--patience counts evaluations: give --evaluate-every as well",
        )
        _require(self.seed >= 0, f"--seed must not be negative, got {self.seed}")
        _choice("--precision", self.precision, Precision)
        _choice("embedding_update", self.embedding_update, EmbeddingUpdate)
        _choice("--dropout", self.dropout, Dropout)

    @property
    def selects(self) -> bool:
        """Whether a held-out score decides which weights are kept."""
        return self.patience is not None

    @property
    def watches(self) -> bool:
        """Whether anything is measured before the end."""
        return self.evaluate_every is not None or self.certify_every is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """The text to train on, and the text that must not be in it.

    Parameters
    ----------
    corpus : tuple of str
        As `--corpus` takes it; the built-in corpus where it is empty.
    limit : int, optional
        Greatest number of pairs, sampled with the seed.
    evaluation : tuple of str
        Corpora used for evaluation; training rows that overlap with them are dropped and counted.
    allow_overlap : bool
        Keep such rows; the model card says so.
    held_out : float
        Share of the concept groups kept for the metrics before and after, in (0, 0.5].
    held_out_rows : int
        At most about so many rows are held out.
    skip_bad : bool
        Leave out rows that cannot be used, instead of refusing the corpus.
    """

    corpus: tuple[str, ...] = ()
    limit: int | None = None
    evaluation: tuple[str, ...] = ()
    allow_overlap: bool = False
    held_out: float = 0.1
    held_out_rows: int = 1000
    skip_bad: bool = False

    def __post_init__(self) -> None:
        """Check every range."""
        _require(self.limit is None or self.limit >= 1, f"--limit must be positive, got {self.limit}")
        _require(0 < self.held_out <= 0.5, f"--held-out must lie in (0, 0.5], got {self.held_out}")
        _require(self.held_out_rows >= 1, f"held_out_rows must be positive, got {self.held_out_rows}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionConfig:
    """How the loss of English is measured, and how much of it is allowed.

    Parameters
    ----------
    max_english_loss : float
        Points (of 100) that English similarity or retrieval may lose before the run counts as broken, ≥ 0.
    sts : Path, optional
        English sentence pairs with scores: CSV with the columns sentence1, sentence2, score, with or without a header.
    questions : Path, optional
        English questions and passages: folder in the format of XQuAD; the built-in set if not given.
    """

    max_english_loss: float = 1.0
    sts: Path | None = None
    questions: Path | None = None

    def __post_init__(self) -> None:
        """Check the range."""
        _require(self.max_english_loss >= 0, f"--max-english-loss must not be negative, got {self.max_english_loss}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneConfig:
    """`polyglot train finetune`.

    Parameters
    ----------
    out : Path
        Run folder; refused if it holds a run, unless `resume`.
    model : str
        The base, by name.
    langs : tuple of str
        Languages to insert; without any, queries are trained towards their passages in `pivot`.
    pivot : str
        Language that the base knows.
    method : str
        One of `METHODS`.
    extend_vocab : int
        At most so many words of each new language get token ids of their own; 0 leaves the vocabulary alone.
    anchor_weight, pull_weight : float
        Weights of 1 − cos(fθ(en), f0(en)) and of 1 − cos(fθ(fr), f0(en)) beside InfoNCE.
    anchor_share : float
        Share of the English side of a batch that is run through the student for the anchor, in (0, 1].
    scale : float
        Scale of the cosines in InfoNCE, > 0.
    false_negative : float
        Other rows whose English the teacher finds at least this similar are no negatives.
    lora_rank : int
        Rank of the adapters of `lora`.
    questions : Path, optional
        Questions and passages to train on when no language is inserted, in the format of XQuAD; else the built-in set.
    negatives : int
        Mined hard negatives for each query, ≥ 0.
    negative_margin : float
        A mined negative must score at least this share below its positive, in [0, 1).
    certificate : bool
        Whether the linear-map certificate is measured before and after.
    resume : bool
        Go on where an interrupted run in `out` stopped.
    device : str, optional
        Torch device.
    """

    out: Path
    model: str = "minilm"
    langs: tuple[str, ...] = ()
    pivot: str = "en"
    method: Method = "align"
    extend_vocab: int = 12000
    anchor_weight: float = 3.0
    pull_weight: float = 3.0
    anchor_share: float = 0.25
    scale: float = 20.0
    false_negative: float = 0.9
    lora_rank: int = 16
    questions: Path | None = None
    negatives: int = 3
    negative_margin: float = 0.05
    certificate: bool = True
    resume: bool = False
    device: str | None = None
    loop: LoopConfig = field(default_factory=LoopConfig)
    data: DataConfig = field(default_factory=DataConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)

    def __post_init__(self) -> None:
        """Check every range."""
        _choice("--method", self.method, Method)
        _require(self.extend_vocab >= 0, f"--extend-vocab must not be negative, got {self.extend_vocab}")
        _require(min(self.anchor_weight, self.pull_weight) >= 0, "weights of losses must not be negative")
        _require(0 < self.anchor_share <= 1, f"anchor_share must lie in (0, 1], got {self.anchor_share}")
        _require(self.scale > 0, f"--scale must be positive, got {self.scale}")
        _require(0 < self.false_negative <= 1, f"false_negative must lie in (0, 1], got {self.false_negative}")
        _require(self.lora_rank >= 1, f"--lora-rank must be at least 1, got {self.lora_rank}")
        _require(self.negatives >= 0, f"--negatives must not be negative, got {self.negatives}")
        _require(0 <= self.negative_margin < 1, f"negative_margin must lie in [0, 1), got {self.negative_margin}")
        _require(
            self.method != "embeddings" or self.extend_vocab > 0,
            "the method embeddings trains only new tokens: expected --extend-vocab above 0, got 0",
        )
        _require(self.pivot not in self.langs, f"--lang {self.pivot} is the language that the base knows: give another")
        _require(
            self.method != "map" or not self.loop.watches,
            "the method map takes no steps: leave --evaluate-every, --certify-every and --patience out",
        )
        _require(
            bool(self.langs) or self.loop.certify_every is None,
            "--certify-every measures the map of a new language: give --lang",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastiveConfig:
    """`polyglot train contrastive`.

    Parameters
    ----------
    out, model, resume, device
        As for `FinetuneConfig`.
    langs : tuple of str
        First the language of the pairs' one side, then those paired with it; or one language alone.
    pairs : tuple of str
        What is paired: `translations` of the first language in the others; in the first language itself `references`
        (sentences with a second rendering) and `questions` with the passages that answer them. Where it is empty:
        translations, or references if there is one language.
    questions : Path, optional
        Questions and passages in the format of XQuAD; the built-in set if not given.
    mini_batch : int
        Rows that are held in memory at a time; the batch of the loss is `loop.batch_size`.
    scale : float
        Scale of the cosines, > 0.
    matryoshka : tuple of int
        Narrower widths at which the loss also holds; none where it is empty.
    """

    out: Path
    model: str = "minilm"
    langs: tuple[str, ...] = ("en", "fr")
    pairs: tuple[PairKind, ...] = ()
    questions: Path | None = None
    mini_batch: int = 32
    scale: float = 20.0
    matryoshka: tuple[int, ...] = ()
    certificate: bool = True
    resume: bool = False
    device: str | None = None
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(batch_size=256, learning_rate=5e-5, epochs=1))
    data: DataConfig = field(default_factory=DataConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)

    def __post_init__(self) -> None:
        """Check every range."""
        _require(len(self.langs) >= 1, "expected at least one --lang")
        _require(len(set(self.langs)) == len(self.langs), f"a language stands twice: {', '.join(self.langs)}")
        for kind in self.pairs:
            _choice("--pairs", kind, PairKind)
        several = len(self.langs) > 1
        _require(several or "translations" not in self.kinds, "--pairs translations needs a second --lang")
        _require(
            "translations" in self.kinds or self.loop.certify_every is None,
            "--certify-every measures the map between two languages: give --pairs translations",
        )
        _require(self.mini_batch >= 1, f"--mini-batch must be at least 1, got {self.mini_batch}")
        _require(self.scale > 0, f"--scale must be positive, got {self.scale}")
        _require(all(width >= 1 for width in self.matryoshka), f"widths must be positive, got {self.matryoshka}")

    @property
    def kinds(self) -> tuple[PairKind, ...]:
        """What is paired, each once."""
        return tuple(dict.fromkeys(self.pairs)) or ("translations" if len(self.langs) > 1 else "references",)


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainConfig:
    """`polyglot train pretrain`.

    Parameters
    ----------
    out, resume, device
        As for `FinetuneConfig`.
    langs : tuple of str
        Languages of the text, sampled ∝ n^0.5.
    architecture, size : str
        What is made where no `model` is given.
    model : str, optional
        Folder or hub id whose weights and tokenizer are trained further.
    tokenizer : str, optional
        Folder or hub id of a tokenizer; trained on the text if not given.
    vocabulary : int
        Pieces of a trained tokenizer, ≥ 100.
    length : int
        Tokens in a packed row, ≥ 8; up to 8192 for ModernBERT, 512 for BERT.
    masked : float
        Share of the words that are masked, in (0, 1).
    second : {"none", "retromae"}
        Second objective.
    decoder_masked : float
        Share of words hidden from the reconstructing decoder of the second objective, in (0, 1).
    """

    out: Path
    langs: tuple[str, ...] = ("en",)
    architecture: Architecture = "bert"
    size: Size = "small"
    model: str | None = None
    tokenizer: str | None = None
    vocabulary: int = 8192
    length: int = 128
    masked: float = 0.3
    second: SecondObjective = "none"
    decoder_masked: float = 0.5
    resume: bool = False
    device: str | None = None
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            batch_size=32, learning_rate=5e-4, dropout="model", embedding_update="dense", epochs=1
        )
    )
    data: DataConfig = field(default_factory=DataConfig)

    def __post_init__(self) -> None:
        """Check every range."""
        _require(len(self.langs) >= 1, "expected at least one --lang")
        _choice("--architecture", self.architecture, Architecture)
        _choice("--size", self.size, Size)
        _choice("--second", self.second, SecondObjective)
        _require(self.vocabulary >= 100, f"--vocabulary must be at least 100, got {self.vocabulary}")
        longest = 8192 if self.architecture == "modernbert" or self.model else 512
        _require(8 <= self.length <= longest, f"--length must lie in [8, {longest}], got {self.length}")
        _require(0 < self.masked < 1, f"--masked must lie in (0, 1), got {self.masked}")
        _require(0 < self.decoder_masked < 1, f"decoder_masked must lie in (0, 1), got {self.decoder_masked}")
        _require(self.loop.certify_every is None, "pretraining makes no pairs whose map could be measured")

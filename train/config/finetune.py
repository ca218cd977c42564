"""Settings of `polyglot train finetune`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from .checks import PYTHON_ONLY, option, require, require_choice
from .stage import EncoderStageConfig

Method = Literal["align", "distill", "anchor", "embeddings", "lora", "map", "words"]
METHODS: tuple[str, ...] = get_args(Method)
EMBEDDING_RATE_FACTOR = 10.0  # word embeddings over the other weights, where languages are inserted


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneConfig(EncoderStageConfig):
    """Settings of `polyglot train finetune`; also those of `EncoderStageConfig`.

    Parameters
    ----------
    langs : tuple of str
        A language to insert; repeat it. Without any, queries are trained towards their passages in the pivot.
    method : str
        align, distill, anchor, embeddings, lora; map or words (the controls, in closed form).
    portable : bool
        With the method words: a table of subword pieces, which loads without this package, instead of n-grams.
    with_words : bool
        Add what words alone say of a text to its trained vector: finds more, and loads where this package is installed.
    pivot : str
        Language that the base knows.
    extend_vocab : int
        Greatest number of words of each new language that get token ids of their own; 0 keeps the vocabulary.
    anchor_weight : float
        Weight of the anchor 1 − cos(fθ(en), f0(en)), ≥ 0.
    pull_weight : float
        Weight of the pull 1 − cos(fθ(fr), f0(en)) of a sentence onto its translation, ≥ 0.
    anchor_share : float
        Share of the English side of a batch that the student embeds for the anchor, in (0, 1].
    scale : float
        Scale of the cosines in the contrastive loss, > 0.
    false_negative : float
        Rows whose English has at least this cosine under the teacher are not negatives of each other, in (0, 1].
    bank : int
        Sentences of the pivot, besides those of the batch, against which the contrastive loss compares, ≥ 0.
    lora_rank : int
        Rank of the adapters of lora, ≥ 1.
    questions : Path, optional
        Folder of questions and passages to train on if no language is inserted, in the format of XQuAD; by default the
        built-in set.
    negatives : int
        Mined hard negatives for each question, ≥ 0.
    negative_margin : float
        A mined negative must score at least this share below its positive, in [0, 1).
    """

    langs: tuple[str, ...] = field(default=(), metadata=option("--lang"))
    method: Method = "align"
    portable: bool = False
    with_words: bool = False
    pivot: str = "en"
    extend_vocab: int = 12000
    anchor_weight: float = 3.0
    pull_weight: float = 3.0
    anchor_share: float = field(default=0.25, metadata=PYTHON_ONLY)
    scale: float = 20.0
    false_negative: float = field(default=0.9, metadata=PYTHON_ONLY)
    bank: int = 16384
    lora_rank: int = 16
    questions: Path | None = None
    negatives: int = 3
    negative_margin: float = field(default=0.05, metadata=PYTHON_ONLY)

    def __post_init__(self) -> None:
        """Check every range, and let new words learn faster than what the base knows."""
        if self.langs:
            object.__setattr__(self, "loop", replace(self.loop, embedding_rate_factor=EMBEDDING_RATE_FACTOR))
        require_choice("--method", self.method, Method)
        require(self.extend_vocab >= 0, f"--extend-vocab must not be negative, got {self.extend_vocab}")
        require(min(self.anchor_weight, self.pull_weight) >= 0, "weights of losses must not be negative")
        require(0 < self.anchor_share <= 1, f"anchor_share must lie in (0, 1], got {self.anchor_share}")
        require(self.scale > 0, f"--scale must be positive, got {self.scale}")
        require(0 < self.false_negative <= 1, f"false_negative must lie in (0, 1], got {self.false_negative}")
        require(self.bank >= 0, f"--bank must not be negative, got {self.bank}")
        require(self.lora_rank >= 1, f"--lora-rank must be at least 1, got {self.lora_rank}")
        require(self.negatives >= 0, f"--negatives must not be negative, got {self.negatives}")
        require(0 <= self.negative_margin < 1, f"negative_margin must lie in [0, 1), got {self.negative_margin}")
        require(
            self.method != "embeddings" or self.extend_vocab > 0,
            "the method embeddings trains only new tokens: expected --extend-vocab above 0, got 0",
        )
        require(not self.portable or self.method == "words", "--portable is a form of --method words: give both")
        require(
            not self.with_words or (bool(self.langs) and self.method not in ("map", "words") and self.extend_vocab > 0),
            "--with-words adds words to a trained encoder with a vocabulary of the new language: expected --lang, a "
            "method other than map and words, and --extend-vocab above 0",
        )
        require(self.method != "words" or bool(self.langs), "--method words inserts a language: give --lang")
        require(self.pivot not in self.langs, f"--lang {self.pivot} is the language that the base knows: give another")
        require(
            self.method not in ("map", "words") or not self.loop.evaluates,
            f"the method {self.method} takes no steps: leave --evaluate-every, --certify-every and --patience out",
        )
        require(
            bool(self.langs) or self.loop.certify_every is None,
            "--certify-every measures the map of a new language: give --lang",
        )

    @property
    def name_parts(self) -> tuple[str, ...]:
        """Method and languages."""
        return (self.method, *(self.langs or ("questions",)))

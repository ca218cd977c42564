"""Settings of `polyglot train pretrain`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .checks import PYTHON_ONLY, option, require, require_choice
from .loop import LoopConfig
from .stage import StageConfig

Architecture = Literal["bert", "modernbert"]
Size = Literal["tiny", "small", "base"]
SecondObjective = Literal["none", "retromae"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainConfig(StageConfig):
    """Settings of `polyglot train pretrain`; also those of `StageConfig`.

    Parameters
    ----------
    langs : tuple of str
        A language of the text; repeat it. Languages are sampled ∝ n^0.5.
    architecture : str
        bert or modernbert, unless a model is given.
    size : str
        tiny (for a CPU), small or base, unless a model is given.
    model : str, optional
        Folder or hub id whose weights and tokenizer are trained further; by default new ones.
    tokenizer : str, optional
        Folder or hub id of a tokenizer; by default one is trained on the text.
    vocabulary : int
        Greatest number of tokens of a trained tokenizer, ≥ 100.
    length : int
        Tokens in a packed row, ≥ 8; up to 8192 for ModernBERT, 512 for BERT.
    masked : float
        Share of the words that are masked, in (0, 1).
    second : str
        Second objective: none or retromae.
    decoder_masked : float
        Share of words masked in the input of the decoder of the second objective, in (0, 1).
    """

    langs: tuple[str, ...] = field(default=("en",), metadata=option("--lang"))
    architecture: Architecture = "bert"
    size: Size = "small"
    model: str | None = None
    tokenizer: str | None = None
    vocabulary: int = 8192
    length: int = 128
    masked: float = 0.3
    second: SecondObjective = "none"
    decoder_masked: float = field(default=0.5, metadata=PYTHON_ONLY)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            batch_size=32, learning_rate=5e-4, dropout="model", embedding_update="dense", epochs=1
        )
    )

    def __post_init__(self) -> None:
        """Check every range."""
        require(len(self.langs) >= 1, "expected at least one --lang")
        require_choice("--architecture", self.architecture, Architecture)
        require_choice("--size", self.size, Size)
        require_choice("--second", self.second, SecondObjective)
        require(self.vocabulary >= 100, f"--vocabulary must be at least 100, got {self.vocabulary}")
        longest = 8192 if self.architecture == "modernbert" or self.model else 512
        require(8 <= self.length <= longest, f"--length must lie in [8, {longest}], got {self.length}")
        require(0 < self.masked < 1, f"--masked must lie in (0, 1), got {self.masked}")
        require(0 < self.decoder_masked < 1, f"decoder_masked must lie in (0, 1), got {self.decoder_masked}")
        require(self.loop.certify_every is None, "pretraining has no pairs whose map could be measured")

    @property
    def name_parts(self) -> tuple[str, ...]:
        """Architecture, size and languages."""
        return (self.architecture, self.size, *self.langs)

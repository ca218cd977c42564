"""Settings of `polyglot train contrastive`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .checks import option, require, require_choice
from .loop import LoopConfig
from .stage import EncoderStageConfig

PairKind = Literal["translations", "references", "questions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastiveConfig(EncoderStageConfig):
    """Settings of `polyglot train contrastive`; also those of `EncoderStageConfig`.

    Parameters
    ----------
    langs : tuple of str
        A language; repeat it. First that of one side of the pairs, then those paired with it; or one language alone.
    pairs : tuple of str
        translations of the first language in the others; references (second renderings of its sentences) or questions
        (with the passages that answer them) within the first language; repeat it. By default translations, or
        references if there is one language.
    questions : Path, optional
        Folder of questions and passages in the format of XQuAD; by default the built-in set.
    mini_batch : int
        Rows embedded at a time, ≥ 1: bounds the memory; the loss is that of the whole batch.
    scale : float
        Scale of the cosines in the contrastive loss, > 0.
    matryoshka : tuple of int
        A narrower width at which the loss also holds; repeat it.
    """

    langs: tuple[str, ...] = field(default=("en", "fr"), metadata=option("--lang"))
    pairs: tuple[PairKind, ...] = ()
    questions: Path | None = None
    mini_batch: int = 32
    scale: float = 20.0
    matryoshka: tuple[int, ...] = ()
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(batch_size=256, learning_rate=5e-5, epochs=1))

    def __post_init__(self) -> None:
        """Check every range."""
        require(len(self.langs) >= 1, "expected at least one --lang")
        require(len(set(self.langs)) == len(self.langs), f"a language is given twice: {', '.join(self.langs)}")
        for kind in self.pairs:
            require_choice("--pairs", kind, PairKind)
        several = len(self.langs) > 1
        require(several or "translations" not in self.kinds, "--pairs translations needs a second --lang")
        require(
            "translations" in self.kinds or self.loop.certify_every is None,
            "--certify-every measures the map between two languages: give --pairs translations",
        )
        require(self.mini_batch >= 1, f"--mini-batch must be at least 1, got {self.mini_batch}")
        require(self.scale > 0, f"--scale must be positive, got {self.scale}")
        require(all(width >= 1 for width in self.matryoshka), f"widths must be positive, got {self.matryoshka}")

    @property
    def kinds(self) -> tuple[PairKind, ...]:
        """Kinds of pairs, each once."""
        return tuple(dict.fromkeys(self.pairs)) or ("translations" if len(self.langs) > 1 else "references",)

    @property
    def name_parts(self) -> tuple[str, ...]:
        """Languages."""
        return self.langs

"""Settings that all stages have, and those of the stages that start from an encoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .checks import option
from .data import DataConfig
from .loop import LoopConfig
from .retention import RetentionConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """Settings of every stage.

    Parameters
    ----------
    out : Path, optional
        Run folder; by default runs/ and a name made of stage, method and languages. Refused if it holds a run, unless
        resumed. (torchrun takes no --run.)
    resume : bool
        Continue the interrupted run in the run folder.
    device : str, optional
        cpu, cuda or mps; by default the best available.
    loop : LoopConfig
    data : DataConfig
    """

    out: Path | None = field(default=None, metadata=option("--out", "--run"))
    resume: bool = False
    device: str | None = None
    loop: LoopConfig = field(default_factory=LoopConfig)
    data: DataConfig = field(default_factory=DataConfig)

    @property
    def stage(self) -> str:
        """Name of the stage: pretrain, contrastive or finetune."""
        return type(self).__name__.removesuffix("Config").lower()

    @property
    def name_parts(self) -> tuple[str, ...]:
        """What the default run folder is named after, besides the stage."""
        return ()

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.out or Path("runs") / "-".join((self.stage, *self.name_parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderStageConfig(StageConfig):
    """Settings of the stages that train an encoder further.

    Parameters
    ----------
    model : str
        The base: packaged name, local folder or hub id; see `polyglot models`.
    certificate : bool
        Measure the linear-map certificate before and after training.
    retention : RetentionConfig
    """

    model: str = "minilm"
    certificate: bool = True
    retention: RetentionConfig = field(default_factory=RetentionConfig)

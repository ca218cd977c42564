"""The settings of each training stage: frozen dataclasses, checked when they are made.

A setting is defined once, as a field with its description in the class docstring; the command line takes its option,
help and default from there.
"""

from .contrastive import ContrastiveConfig, PairKind
from .data import DataConfig
from .finetune import METHODS, FinetuneConfig, Method
from .loop import LoopConfig
from .pretrain import Architecture, PretrainConfig, SecondObjective, Size
from .retention import RetentionConfig
from .stage import StageConfig

__all__ = [
    "METHODS",
    "Architecture",
    "ContrastiveConfig",
    "DataConfig",
    "FinetuneConfig",
    "LoopConfig",
    "Method",
    "PairKind",
    "PretrainConfig",
    "RetentionConfig",
    "SecondObjective",
    "Size",
    "StageConfig",
]

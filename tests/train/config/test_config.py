from pathlib import Path

import pytest
from polyglot.errors import ConfigError
from polyglot.train.config import (
    ContrastiveConfig,
    DataConfig,
    FinetuneConfig,
    LoopConfig,
    PretrainConfig,
    RetentionConfig,
)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (LoopConfig, {"batch_size": 1}),
        (LoopConfig, {"epochs": 0}),
        (LoopConfig, {"max_steps": 0}),
        (LoopConfig, {"learning_rate": 0.0}),
        (LoopConfig, {"embedding_learning_rate": 2.0}),
        (LoopConfig, {"warmup": 1.0}),
        (LoopConfig, {"precision": "float16"}),
        (LoopConfig, {"checkpoint_every": 0}),
        (LoopConfig, {"seed": -1}),
        (DataConfig, {"held_out": 0.9}),
        (DataConfig, {"limit": 0}),
        (RetentionConfig, {"max_english_loss": -1.0}),
        (FinetuneConfig, {"out": Path("x"), "method": "magic"}),
        (FinetuneConfig, {"langs": ("fr",), "portable": True}),
        (FinetuneConfig, {"method": "words"}),
        (FinetuneConfig, {"langs": ("fr",), "method": "words", "loop": LoopConfig(evaluate_every=5)}),
        (FinetuneConfig, {"out": Path("x"), "langs": ("en",)}),
        (FinetuneConfig, {"out": Path("x"), "method": "embeddings", "extend_vocab": 0}),
        (FinetuneConfig, {"out": Path("x"), "anchor_share": 0.0}),
        (FinetuneConfig, {"out": Path("x"), "scale": 0.0}),
        (ContrastiveConfig, {"out": Path("x"), "langs": ("en", "en")}),
        (ContrastiveConfig, {"out": Path("x"), "matryoshka": (0,)}),
        (PretrainConfig, {"out": Path("x"), "langs": ()}),
        (PretrainConfig, {"out": Path("x"), "size": "huge"}),
        (PretrainConfig, {"out": Path("x"), "masked": 1.0}),
    ],
)
def test_values_out_of_range_are_refused(kind, options):
    with pytest.raises(ConfigError):
        kind(**options)


def test_defaults_are_fine():
    assert FinetuneConfig(out=Path("x"), langs=("fr",)).method == "align"

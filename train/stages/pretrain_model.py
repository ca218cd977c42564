"""Model and tokenizer of pretraining: new or loaded, and as a sentence encoder when trained."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ModelError
from ..config import PretrainConfig, Size
from ..engine.student import Student, quiet_library
from .pretrain_tokenizer import train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a new transformer."""

    width: int
    layers: int
    heads: int


SHAPES: dict[Size, Shape] = {"tiny": Shape(64, 2, 2), "small": Shape(384, 6, 6), "base": Shape(768, 12, 12)}


def new_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> Any:  # noqa: ANN401 - BERT or ModernBERT
    """Make an untrained masked language model of a preset size, with weights drawn from the seed.

    Parameters
    ----------
    config : PretrainConfig
    tokenizer : tokenizer
        Its size and special tokens go into the configuration of the model.
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


def open_tokenizer(config: PretrainConfig, columns: Sequence[list[str]]) -> PreTrainedTokenizerBase:
    """Load the tokenizer of the settings or that of their model, or train one on columns of texts.

    Raises
    ------
    ModelError
        If it cannot be loaded.
    """
    source = config.tokenizer or config.model
    if source is None:
        return train_tokenizer((text for column in columns for text in column), config.vocabulary)
    from transformers import AutoTokenizer

    location = _location(source)
    try:
        return AutoTokenizer.from_pretrained(location)
    except (OSError, ValueError) as error:
        raise ModelError(f"{source} has no tokenizer that can be loaded: {error}; give one by --tokenizer") from error


def _location(name: str) -> str:
    """Return the folder of a transformer, which may lie in a model's, or the hub id."""
    from ...models.folder import first_part
    from ...models.registry import packaged_model, resolve

    card = resolve(name)
    if card.kind == "hub":
        return card.source
    return str(first_part(packaged_model(card.name).folder() if card.kind == "packaged" else Path(card.source)))


def open_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> Any:  # noqa: ANN401 - any masked model
    """Load the masked language model of the settings, or make a new one.

    Raises
    ------
    ModelError
        If it cannot be loaded.
    """
    if config.model is None:
        return new_model(config, tokenizer)
    import torch
    from transformers import AutoModelForMaskedLM

    torch.manual_seed(config.loop.seed)  # the output layer may be new
    try:
        model = AutoModelForMaskedLM.from_pretrained(
            _location(config.model), use_safetensors=True, dtype=torch.float32, attn_implementation="sdpa"
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"{config.model} cannot be trained further by masking: {error}") from error
    if len(tokenizer) > model.config.vocab_size:
        model.resize_token_embeddings(len(tokenizer))
    return model


def as_student(model: Any, tokenizer: PreTrainedTokenizerBase, name: Path, precision: str) -> Student:  # noqa: ANN401
    """Make a sentence encoder of the body of a masked language model: mean pooling and unit length."""
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
    encoder = SentenceTransformer(modules=modules, device=str(model.device))
    return Student(Encoder(encoder, name=str(name)), precision)

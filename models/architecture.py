"""What a sentence-transformers model is made of, as far as an encoder needs to know."""

from typing import TYPE_CHECKING, Any

from ..errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

UNLIMITED = 1_000_000
# Architectures that count positions from the padding id + 1 on, and so have that many fewer.
OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer"})


def text_transformer(model: "SentenceTransformer", name: str) -> Any:  # noqa: ANN401 - the library is imported late
    """Return the module that reads text.

    Parameters
    ----------
    model : SentenceTransformer
    name : str
        How the user calls it.

    Raises
    ------
    ModelError
        The model does not begin with a text transformer.
    """
    from sentence_transformers.sentence_transformer.modules import Transformer

    first = model[0]
    if not isinstance(first, Transformer) or first.tokenizer is None or list(first.modality_config) != ["text"]:
        raise ModelError(
            f"{name} begins with {type(first).__name__}, which is not a plain text transformer; "
            "expected a model that reads text through a tokenizer into layers, such as BERT, XLM-R or MPNet"
        )
    return first


def pooling_of(model: "SentenceTransformer") -> Any:  # noqa: ANN401 - the library is imported late
    """Return the first pooling module, or None."""
    from sentence_transformers.sentence_transformer.modules import Pooling

    return next((module for module in model if isinstance(module, Pooling)), None)


def position_limit(config: Any) -> int:  # noqa: ANN401 - configurations of all architectures
    """Return the greatest number of tokens that an architecture has positions for."""
    text = config.get_text_config()
    positions = getattr(text, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        return UNLIMITED
    return positions - (text.pad_token_id + 1 if text.model_type in OFFSET_POSITIONS else 0)

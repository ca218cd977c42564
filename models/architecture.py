"""What a sentence-transformers model is made of, as far as an encoder needs to know."""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

UNLIMITED = 1_000_000
#: Settings of a transformer module that hold for the texts of one task.
TASK_SETTINGS = ("query_length", "document_length", "query_expansion")
#: Modules of this package that folders may name; the library imports them only if it is allowed to.
PACKAGE_MODULES = frozenset(
    {
        "polyglot.analysis.maps.ngram_embedding.NgramEmbedding",
        "polyglot.analysis.maps.ngram_addition.NgramAddition",
        "polyglot.analysis.maps.text_transformer.TextTransformer",
        "polyglot.models.offline.use_embedding.UseEmbedding",
    }
)
# Architectures that count positions from the padding id + 1 on, and so have that many fewer.
OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer"})


@dataclass(frozen=True, slots=True, eq=False)
class Architecture:
    """The modules through which a text goes, in their order; modules of the library, which is imported late.

    Parameters
    ----------
    modules : tuple of Module
        Of a router only those of the task's route.
    transformer : Transformer or None
        The first module, where it is a transformer that reads text; None for static and word vectors.
    pooling : Pooling or None
        The first pooling module.
    """

    modules: tuple[Any, ...]
    transformer: Any
    pooling: Any

    @classmethod
    def of(cls, model: "SentenceTransformer", name: str, task: str | None = None) -> "Architecture":
        """Look at a model.

        Parameters
        ----------
        model : SentenceTransformer
        name : str
            How the user calls it.
        task : str, optional
            Which route texts take, where a router chooses by task.

        Raises
        ------
        ModelError
            The model does not begin with a module that reads text, or gives a text another vector in another batch.
        ConfigError
            The model routes texts by task, and the task is not given or unknown.
        """
        from sentence_transformers.sentence_transformer.modules import CNN, Pooling, Transformer

        modules = _on_route(model, name, task)
        first = modules[0]
        _check_reads_text(first, name)
        if any(isinstance(module, CNN) for module in modules):
            raise ModelError(
                f"{name} has a convolution over tokens, which reads the padding of a batch: a text has another vector "
                "beside other texts; expected a model whose vectors depend on the text alone, so take another one"
            )
        pooling = next((module for module in modules if isinstance(module, Pooling)), None)
        return cls(modules, first if isinstance(first, Transformer) else None, pooling)

    @property
    def reader(self) -> Any:  # noqa: ANN401 - the library is imported late
        """The module that turns texts into what the others take."""
        return self.modules[0]

    @property
    def hidden_states(self) -> int:
        """Number of hidden states that can be read: the embedding output and one for each layer; 0 without layers."""
        if self.transformer is None or self.transformer.module_output_name != "token_embeddings":
            return 0
        return int(self.transformer.config.get_text_config().num_hidden_layers) + 1

    @property
    def pooled_width(self) -> int:
        """Width of a pooled hidden state; 0 where there is no pooling or no transformer."""
        if self.transformer is None or self.pooling is None:
            return 0
        modes = self.pooling.pooling_mode
        return int(self.transformer.get_embedding_dimension()) * (1 if isinstance(modes, str) else len(modes))

    @property
    def weighs_layers(self) -> bool:
        """Whether a module takes a weighted mean of hidden states, if the transformer gives them."""
        from sentence_transformers.sentence_transformer.modules import WeightedLayerPooling

        return any(isinstance(module, WeightedLayerPooling) for module in self.modules)


def depends_on_task(model: "SentenceTransformer") -> bool:
    """Return whether a task may change more than the prompt: a route, a length, a template, or code of the model's own.

    Parameters
    ----------
    model : SentenceTransformer
    """
    return any(_depends_on_task(module) for module in model)


def _depends_on_task(module: Any) -> bool:  # noqa: ANN401 - the library is imported late
    from sentence_transformers.base.modules import Router

    named = f"{type(module).__module__}.{type(module).__qualname__}"
    if isinstance(module, Router) or not (named.startswith("sentence_transformers.") or named in PACKAGE_MODULES):
        return True
    if any(getattr(module, setting, None) is not None for setting in TASK_SETTINGS):
        return True
    template = getattr(getattr(module, "tokenizer", None), "chat_template", None)
    return "message" in getattr(module, "modality_config", ()) and "task" in str(template)


def _on_route(model: "SentenceTransformer", name: str, task: str | None) -> tuple[Any, ...]:
    from sentence_transformers.base.modules import Router

    found: list[Any] = []
    for module in model:
        if not isinstance(module, Router):
            found.append(module)
            continue
        routes = ", ".join(dict.fromkeys([*(t for t, _ in module.route_mappings if t), *module.sub_modules]))
        if task is None:
            raise ConfigError(f"{name} routes texts by task: give --task (load_encoder(task=…)), one of {routes}")
        try:
            modules: Any = module.sub_modules[_route(module, task)]
        except ValueError as error:
            raise ConfigError(f"{name} has no route for the task {task!r}: give --task, one of {routes}") from error
        found.extend(modules)
    return tuple(found)


def _route(router: Any, task: str) -> str:  # noqa: ANN401 - the library is imported late
    return str(router._resolve_route(task=task, modality="text"))


def routed(module: Any, task: str | None) -> Any:  # noqa: ANN401 - the library is imported late
    """Return a router that takes the route of a task by default, with the weights of the given one; others as they are.

    Parameters
    ----------
    module : Module
    task : str, optional
    """
    from sentence_transformers.base.modules import Router

    if task is None or not isinstance(module, Router):
        return module
    twin = copy.copy(module)
    twin.default_route = _route(module, task)
    return twin


def _check_reads_text(first: Any, name: str) -> None:  # noqa: ANN401 - the library is imported late
    from sentence_transformers.sentence_transformer.modules import BoW, StaticEmbedding, Transformer, WordEmbeddings

    if isinstance(first, Transformer):
        if first.tokenizer is not None and {"text", "message"} & set(first.modality_config):
            return
        raise ModelError(
            f"{name} begins with a {type(first).__name__} that does not read text but "
            f"{', '.join(map(str, first.modality_config))}; expected a model of sentences, so take another one"
        )
    named = f"{type(first).__module__}.{type(first).__qualname__}"
    if not isinstance(first, (StaticEmbedding, BoW, WordEmbeddings)) and named not in PACKAGE_MODULES:
        raise ModelError(
            f"{name} begins with {type(first).__name__}, which does not read text in a way known here; expected "
            "a transformer such as BERT or XLM-R, static or word vectors, or a bag of words: take another model, or "
            "encode with sentence-transformers and give the vectors as .npy files"
        )


def position_limit(config: Any) -> int:  # noqa: ANN401 - configurations of all architectures
    """Return the greatest number of tokens that an architecture has positions for."""
    text = config.get_text_config()
    positions = getattr(text, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        return UNLIMITED
    return positions - (text.pad_token_id + 1 if text.model_type in OFFSET_POSITIONS else 0)

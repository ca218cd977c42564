"""An encoder and text in, pooled embeddings of any layers out, in one forward pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, ModelError
from .architecture import UNLIMITED, pooling_of, position_limit, text_transformer
from .embeddings import Encoded, batches, blocks, distinct, joined
from .fingerprint import fingerprint, read_lineage
from .loading import load_model
from .progress import Progress
from .registry import resolve
from .static_input import encode_static, is_static
from .tokenization import PromptTokenizer

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["BATCH_TOKENS", "Encoded", "Encoder", "load_encoder"]

BATCH_TOKENS = 8192
# On a CPU larger batches fall out of its caches: 8192 tokens took twice the time of 2048.
CPU_BATCH_TOKENS = 2048


def load_encoder(
    name: str,
    *,
    device: str | None = None,
    prompt: str | None = None,
    max_length: int | None = None,
    trust_remote_code: bool = False,
) -> "Encoder":
    """Load a sentence encoder by name.

    Parameters
    ----------
    name : str
        A short name (`minilm`, `me5-small`), a local folder, or a hub id such as `intfloat/multilingual-e5-base`.
    device : str, optional
        Torch device; the first of CUDA, MPS and CPU that is there if not given.
    prompt : str, optional
        Text put before every sentence; if not given, the known prompt of the model, else its own default.
    max_length : int, optional
        Tokens after which a text is cut; the model's own limit if not given.
    trust_remote_code : bool
        Allow Python code that comes with the model to run.

    Raises
    ------
    ModelError
        The model is unknown, damaged, unreachable or unsafe.
    MissingExtraError
        A packaged model is not installed.
    ConfigError
        The device does not exist, or the maximal length is not possible for the model.

    Examples
    --------
    >>> encoder = load_encoder("minilm")  # doctest: +SKIP
    >>> encoder.encode(["Good morning.", "Bonjour."]).pooled.shape  # doctest: +SKIP
    (2, 384)
    """
    card = resolve(name)
    base = read_lineage(Path(card.source)) if card.kind == "folder" else None
    model = load_model(card, device=device, trust_remote_code=trust_remote_code)
    chosen = card.prompt if prompt is None else prompt
    return Encoder(model, name=name, prompt=chosen, max_length=max_length, base_fingerprint=base)


class Encoder:
    """A sentence encoder whose layers can all be read.

    Parameters
    ----------
    model : SentenceTransformer
        A text transformer, its pooling, and whatever follows; or static embeddings, which have no layers.
    name : str
        How the user calls it.
    prompt : str, optional
        Text put before every sentence; the model's default prompt if not given.
    max_length : int, optional
        Tokens after which a text is cut, prompt and special tokens included; the model's own limit if not given.
    base_fingerprint : str, optional
        Fingerprint of the model from which this one was finetuned.

    Attributes
    ----------
    dim : int
        Width of the pooled embeddings.
    layers : int
        Number of hidden states: the embedding output (0) and one for each layer; none of static embeddings.
    fingerprint : str
        Hash of everything that decides the numbers: weights, tokenizer, modules, prompt and maximal length; the same
        on every device. Taken when the encoder is made: a model that is trained further needs a new encoder.

    Raises
    ------
    ModelError
        The model does not begin with a text transformer.
    ConfigError
        The maximal length is not possible.
    """

    def __init__(
        self,
        model: "SentenceTransformer",
        *,
        name: str,
        prompt: str | None = None,
        max_length: int | None = None,
        base_fingerprint: str | None = None,
    ) -> None:
        self.model = model.eval()
        self.name = name
        own_prompt = model.prompts.get(model.default_prompt_name or "") or ""
        self.prompt = own_prompt if prompt is None else prompt
        self.base_fingerprint = base_fingerprint
        self._static = is_static(model)
        self._transformer: Any = None if self._static else text_transformer(model, name)
        self._tokens: Any = None if self._static else PromptTokenizer(self._transformer.tokenizer, self.prompt)
        self._pooling: Any = pooling_of(model)
        self.max_length = self._possible_length(max_length)
        if not self._static:
            model.max_seq_length = self.max_length
        if (dimension := model.get_embedding_dimension()) is None:
            raise ModelError(f"{name} does not say how wide its embeddings are; save it with sentence-transformers")
        self.dim = int(dimension)
        hidden = None if self._static else self._transformer.config.get_text_config().num_hidden_layers
        self.layers = 0 if hidden is None else int(hidden) + 1
        self.fingerprint = fingerprint(model, prompt=self.prompt, max_length=self.max_length)

    @property
    def device(self) -> str:
        """Where the model computes."""
        return str(self.model.device)

    def encode(
        self,
        texts: Sequence[str],
        *,
        layers: Sequence[int] = (),
        batch_tokens: int | None = None,
        progress: bool = False,
    ) -> Encoded:
        """Embed texts; equal texts are computed once.

        Parameters
        ----------
        texts : sequence of str, length n
            May be empty, and so may each text.
        layers : sequence of int, length l
            Hidden states to return besides the pooled output: 0 is the embedding output, `layers - 1` or -1 the last.
        batch_tokens : int, optional
            Upper limit of rows × longest row in a batch, ≥ 1; a longer single text makes a batch of its own. If not
            given, 8192, but 2048 on a CPU, where larger batches are slower.
        progress : bool
            Draw a bar, if on a terminal.

        Returns
        -------
        Encoded
            Rows in the order of `texts`.

        Raises
        ------
        DataError
            Something in `texts` is not text.
        ConfigError
            A layer does not exist, or the budget is not positive.
        ModelError
            The model gives numbers that are not finite, or does not give its layers.
        """
        asked = self.checked_layers(layers)
        budget = self.checked_budget(batch_tokens)
        unique, places = distinct(texts)
        parts = [self.empty(len(asked))]
        with Progress(len(unique), "encoding", visible=progress) as bar:
            for block in blocks(unique):
                parts.append(self.encode_block(block, layers=asked, batch_tokens=budget))
                bar.advance(len(block))
        return joined(parts).take(places)

    def encode_block(self, texts: Sequence[str], *, layers: Sequence[int], batch_tokens: int) -> Encoded:
        """Embed one block of texts; the unit in which both `encode` and the cache work, so that both give equal bits.

        Parameters
        ----------
        texts : sequence of str
            Distinct texts, as `distinct` and `blocks` give them.
        layers : sequence of int
            Hidden states, as `checked_layers` gives them.
        batch_tokens : int
            Upper limit of rows × longest row in a batch, ≥ 1.
        """
        import torch

        if self._static:
            return encode_static(self.model, texts, self.prompt)
        rows, tokens, unknown = self._tokens.tokenise(texts, self.max_length)
        order = np.argsort([-len(row) for row in rows], kind="stable")
        pooled = np.empty((len(rows), self.dim), np.float32)
        hidden = np.empty((len(layers), len(rows), self._width()), np.float32)
        with torch.inference_mode(), self._returning_layers(asked=bool(layers)):
            for batch in batches([len(rows[row]) for row in order], batch_tokens):
                chosen = order[batch]
                pooled[chosen], hidden[:, chosen] = self._forward([rows[row] for row in chosen], layers)
        bad = np.flatnonzero(~np.isfinite(pooled).all(axis=1))
        if bad.size:
            raise ModelError(
                f"{self.name} gives numbers that are not finite for {bad.size} texts, first {texts[bad[0]][:60]!r}; "
                "its weights are damaged or its precision is too low"
            )
        return Encoded(pooled, hidden, tokens, tokens > self.max_length, unknown)

    def checked_layers(self, layers: Sequence[int]) -> tuple[int, ...]:
        """Turn layer numbers, of which negative ones count from the end, into numbers from 0 on.

        Parameters
        ----------
        layers : sequence of int
            Each from `-layers` to `layers - 1`.

        Raises
        ------
        ConfigError
            A layer does not exist.
        ModelError
            The model has no pooling that could be applied to a layer.
        """
        if self._static and layers:
            raise ModelError(f"{self.name} is a table of static embeddings, which has no layers: ask for none")
        for layer in layers:
            if not -self.layers <= layer < self.layers:
                raise ConfigError(
                    f"layer {layer} does not exist in {self.name}: expected 0 (embeddings) to {self.layers - 1}"
                )
        if layers and self._pooling is None:
            raise ModelError(f"{self.name} has no pooling module, so its layers cannot be pooled; ask for none")
        return tuple(layer % self.layers for layer in layers)

    def checked_budget(self, batch_tokens: int | None) -> int:
        """Return the token budget of a batch: the asked one, or the default of the device.

        Parameters
        ----------
        batch_tokens : int, optional
            Upper limit of rows × longest row, ≥ 1.

        Raises
        ------
        ConfigError
            The budget is not positive.
        """
        if batch_tokens is None:
            return CPU_BATCH_TOKENS if self.model.device.type == "cpu" else BATCH_TOKENS
        if batch_tokens < 1:
            raise ConfigError(f"the token budget of a batch must be at least 1, got {batch_tokens}")
        return batch_tokens

    def empty(self, layers: int) -> Encoded:
        """Return the embeddings of no text.

        Parameters
        ----------
        layers : int
            Number of layers asked for.
        """
        none = np.empty(0, np.int32)
        pooled, hidden = np.empty((0, self.dim), np.float32), np.empty((layers, 0, self._width()), np.float32)
        return Encoded(pooled, hidden, none, none.astype(bool), none)

    def _width(self) -> int:
        return int(self._pooling.get_embedding_dimension()) if self._pooling is not None else 0

    def _forward(
        self, rows: Sequence[list[int]], layers: Sequence[int]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run one padded batch: pooled output (rows, d), asked layers (l, rows, width)."""
        features = self._tokens.padded(rows, self.model.device)
        output = self.model(dict(features))
        pooled = output["sentence_embedding"][:, : self.dim].float().cpu().numpy()
        states = output.get("all_layer_embeddings", ())
        if layers and len(states) != self.layers:
            raise ModelError(f"{self.name} gives {len(states)} hidden states, expected {self.layers}; ask for none")
        hidden = np.empty((len(layers), len(rows), self._width()), np.float32)
        for place, layer in enumerate(layers):
            one = self._pooling({**features, "token_embeddings": states[layer]})["sentence_embedding"]
            hidden[place] = one.float().cpu().numpy()
        return pooled, hidden

    @contextmanager
    def _returning_layers(self, *, asked: bool) -> Iterator[None]:
        """Make the transformer return its hidden states, for as long as it takes."""
        config = self._transformer.model.config
        before = config.output_hidden_states
        config.output_hidden_states = asked
        try:
            yield
        finally:
            config.output_hidden_states = before

    def _possible_length(self, asked: int | None) -> int:
        if self._static:
            if asked is not None:
                raise ConfigError(f"{self.name} reads texts of any length: leave the maximal length out")
            return UNLIMITED
        limit = position_limit(self._transformer.config)
        if asked is None:
            return min(self.model.max_seq_length or UNLIMITED, limit)
        if not self._tokens.shortest <= asked <= limit:
            raise ConfigError(
                f"the maximal length {asked} is not possible for {self.name}: "
                f"expected {self._tokens.shortest} (prompt, special tokens and one more) to {limit}"
            )
        return asked

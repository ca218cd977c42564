"""An encoder and text in, pooled embeddings of any layers out, in one forward pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, ModelError
from .embeddings import Encoded, batches, blocks, distinct, joined
from .fingerprint import fingerprint, read_lineage
from .loading import load_model
from .progress import Progress
from .registry import resolve

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

__all__ = ["BATCH_TOKENS", "Encoded", "Encoder", "load_encoder"]

BATCH_TOKENS = 8192
# On a CPU larger batches fall out of its caches: 8192 tokens took twice the time of 2048.
CPU_BATCH_TOKENS = 2048
UNLIMITED = 1_000_000
# Architectures that count positions from the padding id + 1 on, and so have that many fewer.
OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer"})


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
        Text to put before every sentence; if not given, the known prompt of the model, else its own default.
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
        A text transformer, its pooling, and whatever follows.
    name : str
        How the user calls it.
    prompt : str, optional
        Text to put before every sentence; the model's default prompt if not given.
    max_length : int, optional
        Tokens after which a text is cut, prompt and special tokens included; the model's own limit if not given.
    base_fingerprint : str, optional
        Fingerprint of the model from which this one was finetuned.

    Attributes
    ----------
    dim : int
        Width of the pooled embeddings.
    layers : int
        Number of hidden states: the embedding output (0) and one for each layer.
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
        self.prompt = _default_prompt(model) if prompt is None else prompt
        self.base_fingerprint = base_fingerprint
        self._transformer: Any = _text_transformer(model, name)
        self._tokenizer: Any = self._transformer.tokenizer
        self._pooling: Any = _pooling(model)
        self._prompt_tokens = self._count_prompt_tokens()
        self.max_length = self._possible_length(max_length)
        model.max_seq_length = self.max_length
        self.dim = _dimension(model, name)
        self.layers = int(self._transformer.config.get_text_config().num_hidden_layers) + 1
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
            Hidden states to give besides the pooled output: 0 is the embedding output, `layers - 1` or -1 the last.
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
        parts = [self.nothing(len(asked))]
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

        rows, tokens, unknown = self._tokenise(texts)
        order = np.argsort([-len(row) for row in rows], kind="stable")
        pooled = np.empty((len(rows), self.dim), np.float32)
        hidden = np.empty((len(layers), len(rows), self._width()), np.float32)
        with torch.inference_mode(), self._giving_layers(asked=bool(layers)):
            for batch in batches([len(rows[row]) for row in order], batch_tokens):
                chosen = order[batch]
                pooled[chosen], hidden[:, chosen] = self._forward([rows[row] for row in chosen], layers)
        _check_finite(self.name, texts, pooled)
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
        for layer in layers:
            if not -self.layers <= layer < self.layers:
                raise ConfigError(
                    f"layer {layer} does not exist in {self.name}: expected 0 (embeddings) to {self.layers - 1}"
                )
        if layers and self._pooling is None:
            raise ModelError(f"{self.name} has no pooling module, so its layers cannot be pooled; ask for none")
        return tuple(layer % self.layers for layer in layers)

    def checked_budget(self, batch_tokens: int | None) -> int:
        """Give the token budget of a batch: the asked one, or the default of the device.

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

    def nothing(self, layers: int) -> Encoded:
        """Give the embeddings of no text.

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

    def _tokenise(self, texts: Sequence[str]) -> tuple[list[list[int]], NDArray[np.int32], NDArray[np.int32]]:
        """Give token ids cut at the maximal length, and counts of tokens and unknown tokens before the cut."""
        rows = self._token_ids([self.prompt + text for text in texts])
        tokens = np.array([len(row) for row in rows], np.int32)
        unknown = np.array([self._unknown(row) for row in rows], np.int32)
        long = np.flatnonzero(tokens > self.max_length).tolist()
        if long:
            cut = self._token_ids([self.prompt + texts[row] for row in long], max_length=self.max_length)
            for row, ids in zip(long, cut, strict=True):
                rows[row] = ids
        return rows, tokens, unknown

    def _token_ids(self, texts: list[str], *, max_length: int | None = None) -> list[list[int]]:
        encoded = self._tokenizer(
            texts,
            truncation=max_length is not None,
            max_length=max_length,
            padding=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def _unknown(self, row: list[int]) -> int:
        """Count unknown tokens; some tokenizers have none and name another special token in its place."""
        unknown = self._tokenizer.unk_token_id
        if unknown is None or unknown in (self._tokenizer.eos_token_id, self._tokenizer.pad_token_id):
            return 0
        return row.count(unknown)

    def _forward(
        self, rows: Sequence[list[int]], layers: Sequence[int]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run one padded batch: pooled output (rows, d), asked layers (l, rows, width)."""
        features = self._padded(rows)
        output = self.model(dict(features))
        pooled = output["sentence_embedding"][:, : self.dim].float().cpu().numpy()
        states = output.get("all_layer_embeddings", ())
        if layers and len(states) != self.layers:
            raise ModelError(f"{self.name} gives {len(states)} hidden states, expected {self.layers}; ask for none")
        kept = [self._pooled_layer(states[layer], features) for layer in layers]
        return pooled, np.stack(kept) if kept else np.empty((0, len(rows), self._width()), np.float32)

    def _pooled_layer(self, state: "torch.Tensor", features: dict[str, Any]) -> NDArray[np.float32]:
        pooled = self._pooling({**features, "token_embeddings": state})["sentence_embedding"]
        vectors: NDArray[np.float32] = pooled.float().cpu().numpy()
        return vectors

    def _padded(self, rows: Sequence[list[int]]) -> dict[str, Any]:
        """Pad token ids on the tokenizer's own side and move them to the device."""
        import torch

        longest = max(1, *map(len, rows))
        ids = np.full((len(rows), longest), self._tokenizer.pad_token_id or 0, np.int64)
        mask = np.zeros((len(rows), longest), np.int64)
        for place, row in enumerate(rows):
            start = longest - len(row) if self._tokenizer.padding_side == "left" else 0
            ids[place, start : start + len(row)] = row
            mask[place, start : start + len(row)] = 1
        device = self.model.device
        features: dict[str, Any] = {
            "input_ids": torch.from_numpy(ids).to(device),
            "attention_mask": torch.from_numpy(mask).to(device),
        }
        return {**features, "prompt_length": self._prompt_tokens} if self._prompt_tokens else features

    @contextmanager
    def _giving_layers(self, *, asked: bool) -> Iterator[None]:
        """Make the transformer return its hidden states, for as long as it takes."""
        config = self._transformer.model.config
        before = config.output_hidden_states
        config.output_hidden_states = asked
        try:
            yield
        finally:
            config.output_hidden_states = before

    def _count_prompt_tokens(self) -> int:
        """Count the tokens of the prompt with what the tokenizer puts before it, for poolings that leave it out."""
        if not self.prompt:
            return 0
        ids = self._token_ids([self.prompt])[0]
        return len(ids) - (1 if ids and ids[-1] in self._tokenizer.all_special_ids else 0)

    def _possible_length(self, asked: int | None) -> int:
        limit = _position_limit(self._transformer.config)
        if asked is None:
            return min(self.model.max_seq_length or UNLIMITED, limit)
        shortest = len(self._token_ids([self.prompt])[0]) + 1
        if not shortest <= asked <= limit:
            raise ConfigError(
                f"the maximal length {asked} is not possible for {self.name}: "
                f"expected {shortest} (prompt, special tokens and one more) to {limit}"
            )
        return asked


def _position_limit(config: Any) -> int:  # noqa: ANN401 - configurations of all architectures
    text = config.get_text_config()
    positions = getattr(text, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        return UNLIMITED
    return positions - (text.pad_token_id + 1 if text.model_type in OFFSET_POSITIONS else 0)


def _default_prompt(model: "SentenceTransformer") -> str:
    return model.prompts.get(model.default_prompt_name or "") or ""


def _text_transformer(model: "SentenceTransformer", name: str) -> Any:  # noqa: ANN401 - the library is imported late
    from sentence_transformers.sentence_transformer.modules import Transformer

    first = model[0]
    if not isinstance(first, Transformer) or first.tokenizer is None or list(first.modality_config) != ["text"]:
        raise ModelError(
            f"{name} begins with {type(first).__name__}, which is not a plain text transformer; "
            "expected a model that reads text through a tokenizer into layers, such as BERT, XLM-R or MPNet"
        )
    return first


def _pooling(model: "SentenceTransformer") -> Any:  # noqa: ANN401 - the library is imported late
    from sentence_transformers.sentence_transformer.modules import Pooling

    return next((module for module in model if isinstance(module, Pooling)), None)


def _dimension(model: "SentenceTransformer", name: str) -> int:
    dimension = model.get_embedding_dimension()
    if dimension is None:
        raise ModelError(f"{name} does not say how wide its embeddings are; save it again with sentence-transformers")
    return int(dimension)


def _check_finite(name: str, texts: Sequence[str], pooled: NDArray[np.float32]) -> None:
    bad = np.flatnonzero(~np.isfinite(pooled).all(axis=1))
    if bad.size:
        raise ModelError(
            f"{name} gives numbers that are not finite for {bad.size} texts, first {texts[bad[0]][:60]!r}; "
            "its weights are damaged or its precision is too low"
        )

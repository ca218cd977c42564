"""An encoder and text in, pooled embeddings of any layers out, in one forward pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, ModelError
from .architecture import Architecture, depends_on_task
from .embeddings import Encoded, batches, blocks, distinct, joined
from .fingerprint import fingerprint, read_lineage
from .identity import EncoderIdentity, IdentityNotes, folder_digest, identity_key
from .loading import checked_folder, load_model
from .progress import Progress, nothing
from .prompts import NAMES, Reading
from .registry import ModelCard, resolve
from .tokenization import TextReader

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
    task: str | None = None,
    trust_remote_code: bool = False,
    notes: Path | None = None,
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
    task : str, optional
        `query` or `document`, or another task of the model: its prompt and, in a model that routes texts by task, its
        modules, as the library's `encode_query` and `encode_document` take them.
    trust_remote_code : bool
        Allow Python code that comes with the model to run.
    notes : Path, optional
        Cache folder in which the fingerprint and the widths of local models are noted: the next time their weights are
        loaded when a text is first encoded, not before.

    Raises
    ------
    ModelError
        The model is unknown, damaged, unreachable or unsafe.
    MissingExtraError
        A packaged model is not installed.
    ConfigError
        The device does not exist, the maximal length is not possible for the model, or it needs a task.

    Examples
    --------
    >>> encoder = load_encoder("minilm")  # doctest: +SKIP
    >>> encoder.encode(["Good morning.", "Bonjour."]).pooled.shape  # doctest: +SKIP
    (2, 384)
    """
    card = resolve(name)
    base = read_lineage(Path(card.source)) if card.kind == "folder" else None
    reading = Reading(prompt, max_length, task, card.prompt_for)
    return _Named(name, card, reading, device, trust_remote_code, notes, base).encoder(reading)


class _Named:
    """A model that has a name: its weights are loaded once, whatever the tasks for which it reads texts.

    Parameters
    ----------
    name, device, trust_remote_code, notes
        As for `load_encoder`.
    card : ModelCard
    reading : Reading
        Which was asked for first.
    base : str or None
        Fingerprint of the model from which it was finetuned.
    """

    def __init__(  # noqa: PLR0917 - those of `load_encoder`
        self,
        name: str,
        card: ModelCard,
        reading: Reading,
        device: str | None,
        trust_remote_code: bool,
        notes: Path | None,
        base: str | None,
    ) -> None:
        self.name, self.card, self.device, self.base = name, card, device, base
        self.trust_remote_code = trust_remote_code
        self.notes = None if notes is None or card.kind == "hub" else IdentityNotes(notes)
        self.digest = "" if self.notes is None else folder_digest(self._folder())
        self._model: SentenceTransformer | None = None

    def encoder(self, reading: Reading) -> "Encoder":
        """Return the encoder that reads in a way; without its weights where it is noted."""
        if self.notes is None:
            return self.loaded(reading)
        known, key = self.notes, self._key(reading)
        if (identity := known.read(key)) is not None:
            return Encoder.of_identity(
                identity,
                name=self.name,
                load=lambda: self.loaded(reading),
                forget=lambda: known.forget(key),
                for_task=self._for_task(reading),
            )
        encoder = self.loaded(reading)
        known.write(key, encoder.identity)
        return encoder

    def loaded(self, reading: Reading) -> "Encoder":
        """Return the encoder that reads in a way, with its weights."""
        if self._model is None:
            self._model = load_model(self.card, device=self.device, trust_remote_code=self.trust_remote_code)
        encoder = Encoder.reading(self._model, reading, name=self.name, base_fingerprint=self.base)
        encoder.read_tasks_by(self._for_task(reading))
        return encoder

    def _for_task(self, reading: Reading) -> "Callable[[str], Encoder] | None":
        return (lambda task: self.encoder(replace(reading, task=task))) if reading.may_follow_a_task else None

    def _folder(self) -> Path:
        return checked_folder(self.card, trust_remote_code=self.trust_remote_code)

    def _key(self, reading: Reading) -> str:
        return identity_key(
            self.digest,
            device=self.device,
            prompt=reading.prompt,
            card_prompt=self.card.prompt_for(reading.task),
            max_length=reading.max_length,
            task=reading.task,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """A model in memory with what is read off it."""

    model: "SentenceTransformer"
    architecture: Architecture
    texts: TextReader
    reading: Reading


class Encoder:
    """A sentence encoder whose layers can all be read; its vectors are those of the library's `encode`.

    Parameters
    ----------
    model : SentenceTransformer
        A text transformer, static or word vectors, with whatever follows.
    name : str
        How the user calls it.
    prompt : str, optional
        Text put before every sentence; that of the task, or the model's default prompt, if not given.
    max_length : int, optional
        Tokens after which a text is cut, prompt and special tokens included; the model's own limit if not given.
    task : str, optional
        As for `load_encoder`.
    base_fingerprint : str, optional
        Fingerprint of the model from which this one was finetuned.

    Attributes
    ----------
    dim : int
        Width of the pooled embeddings.
    layers : int
        Number of hidden states: the embedding output (0) and one for each layer; 0 for static and word vectors.
    texts : TextReader
        The model's preprocessing.
    fingerprint : str
        Hash of everything that decides the numbers: weights, tokenizer, modules, prompt and maximal length; the same
        on every device. Taken when the encoder is made: a model that is trained further needs a new encoder.

    Raises
    ------
    ModelError
        The model does not begin with a module that reads text.
    ConfigError
        The maximal length is not possible, or the model routes texts by task and none is given.
    """

    def __init__(
        self,
        model: "SentenceTransformer",
        *,
        name: str,
        prompt: str | None = None,
        max_length: int | None = None,
        task: str | None = None,
        base_fingerprint: str | None = None,
    ) -> None:
        self._take(model, Reading(prompt, max_length, task), name, base_fingerprint)

    @classmethod
    def reading(
        cls, model: "SentenceTransformer", reading: Reading, *, name: str, base_fingerprint: str | None = None
    ) -> Self:
        """Return the encoder of a model that reads texts in a way.

        Parameters
        ----------
        model : SentenceTransformer
        reading : Reading
        name, base_fingerprint
            As of the class, like the errors.
        """
        encoder = cls.__new__(cls)
        encoder._take(model, reading, name, base_fingerprint)
        return encoder

    def _take(self, model: "SentenceTransformer", reading: Reading, name: str, base_fingerprint: str | None) -> None:
        task = reading.task
        own = reading.prompt_of(model, task)
        architecture = Architecture.of(model.eval(), name, task)
        texts = TextReader(model, architecture, name=name, prompt=own, task=task)
        length = texts.possible_length(reading.max_length)
        if (dimension := model.get_embedding_dimension()) is None:
            raise ModelError(f"{name} does not say how wide its embeddings are; save it with sentence-transformers")
        self.name = name
        self.identity = EncoderIdentity(
            fingerprint=fingerprint(model, architecture, prompt=own, max_length=length, reading=texts.saved_settings()),
            base_fingerprint=base_fingerprint,
            prompt=own,
            max_length=length,
            dim=int(dimension),
            layers=architecture.hidden_states,
            pooled_width=architecture.pooled_width,
            pools_layers=architecture.pooling is not None,
            device=str(model.device),
            task_prompts={name: reading.prompt_of(model, name) for name in NAMES},
        )
        self._loaded: _Parts | None = _Parts(model, architecture, texts, reading)
        self._load: Callable[[], Encoder] = lambda: self
        self.read_tasks_by(self._of_same_weights if reading.may_follow_a_task else None)

    @classmethod
    def of_identity(
        cls,
        identity: EncoderIdentity,
        *,
        name: str,
        load: "Callable[[], Encoder]",
        forget: Callable[[], object] = lambda: None,
        for_task: "Callable[[str], Encoder] | None" = None,
    ) -> Self:
        """Return an encoder that is known already, whose weights are loaded when they are first needed.

        Parameters
        ----------
        identity : EncoderIdentity
        name : str
            How the user calls it.
        load : callable
            Returns the encoder with its weights; a ModelError where it is another one.
        forget : callable
            Called where it is another one.
        for_task : callable, optional
            Returns the encoder of a task, as `Encoder.for_task`; by default every task is read in the same way.
        """

        def same() -> Encoder:
            loaded = load()
            if loaded.fingerprint != identity.fingerprint:
                forget()
                raise ModelError(f"the files of {name} changed while they were used; run the command again")
            return loaded

        encoder = cls.__new__(cls)
        encoder.name, encoder.identity = name, identity
        encoder._loaded, encoder._load = None, same
        encoder.read_tasks_by(for_task)
        return encoder

    def for_task(self, task: str) -> "Encoder":
        """Return the encoder that reads texts as the library's `encode_query` or `encode_document` does.

        It has the weights of this one, in memory once. Where a prompt or a task was asked for when this encoder was
        made, that stands, and it is this one.

        Parameters
        ----------
        task : str
            `query` or `document`, or another task of the model.
        """
        if self._for_task is None:
            return self
        if task not in self._tasks:
            self._tasks[task] = self._for_task(task)
        return self._tasks[task]

    def prompt_for(self, task: str) -> str:
        """Return the prompt of the encoder of a task, `query` or `document`; the weights are not needed."""
        return self.identity.task_prompts[task]

    def read_tasks_by(self, for_task: "Callable[[str], Encoder] | None") -> None:
        """Set what returns the encoder of a task; None where every task is read in the same way."""
        self._for_task = for_task
        self._tasks: dict[str, Encoder] = {}

    def with_these_weights(self, *, name: str, base_fingerprint: str | None) -> "Encoder":
        """Return a new encoder of the model, whose weights or modules have changed, that reads texts as this one.

        Parameters
        ----------
        name, base_fingerprint
            As of the class.
        """
        reading = replace(self._parts.reading, max_length=self.max_length)
        return Encoder.reading(self.model, reading, name=name, base_fingerprint=base_fingerprint)

    def _of_same_weights(self, task: str) -> "Encoder":
        reading = replace(self._parts.reading, task=task)
        if reading.prompt_of(self.model, task) == self.prompt and not depends_on_task(self.model):
            return self
        return Encoder.reading(self.model, reading, name=self.name, base_fingerprint=self.base_fingerprint)

    @property
    def _parts(self) -> _Parts:
        if self._loaded is None:
            self._loaded = self._load()._parts
        return self._loaded

    @property
    def model(self) -> "SentenceTransformer":
        """The model, loaded now if it is not yet."""
        return self._parts.model

    @property
    def architecture(self) -> Architecture:
        """What the model is made of."""
        return self._parts.architecture

    @property
    def texts(self) -> TextReader:
        """The model's preprocessing."""
        return self._parts.texts

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the numbers."""
        return self.identity.fingerprint

    @property
    def base_fingerprint(self) -> str | None:
        """Fingerprint of the model from which this one was finetuned."""
        return self.identity.base_fingerprint

    @property
    def prompt(self) -> str:
        """Text put before every sentence."""
        return self.identity.prompt

    @property
    def max_length(self) -> int:
        """Tokens after which a text is cut."""
        return self.identity.max_length

    @property
    def dim(self) -> int:
        """Width of the pooled embeddings."""
        return self.identity.dim

    @property
    def layers(self) -> int:
        """Number of hidden states."""
        return self.identity.layers

    @property
    def device(self) -> str:
        """Where the model computes."""
        return self.identity.device if self._loaded is None else str(self.model.device)

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
                parts.append(self.encode_block(block, layers=asked, batch_tokens=budget, advance=bar.advance))
        return joined(parts).take(places)

    def encode_block(
        self,
        texts: Sequence[str],
        *,
        layers: Sequence[int],
        batch_tokens: int,
        advance: Callable[[int], object] = nothing,
    ) -> Encoded:
        """Embed one block of texts; the unit in which both `encode` and the cache work, so that both give equal bits.

        Parameters
        ----------
        texts : sequence of str
            Distinct texts, as `distinct` and `blocks` give them.
        layers : sequence of int
            Hidden states, as `checked_layers` gives them.
        batch_tokens : int
            Upper limit of rows × longest row in a batch, ≥ 1.
        advance : callable
            Called after every batch with its number of texts.
        """
        import torch

        read = self.texts.read(texts)
        order = np.argsort(-read.lengths, kind="stable")
        pooled = np.empty((len(order), self.dim), np.float32)
        hidden = np.empty((len(layers), len(order), self.architecture.pooled_width), np.float32)
        with torch.inference_mode(), self._hidden_states(asked=bool(layers)) as states:
            for batch in batches(read.lengths[order].tolist(), batch_tokens):
                chosen = order[batch]
                pooled[chosen], hidden[:, chosen] = self._forward(read.take(chosen), layers, states)
                advance(len(chosen))
        unread = (read.lengths == 0) & np.isnan(pooled).all(axis=1)
        pooled[unread] = 0  # as at full precision; the library divides zero by zero at half precision
        bad = np.flatnonzero(~np.isfinite(pooled).all(axis=1))
        if bad.size:
            raise ModelError(
                f"{self.name} gives numbers that are not finite for {bad.size} texts, first {texts[bad[0]][:60]!r}; "
                "its weights are damaged, its precision is too low, or nothing but the prompt is left of the text"
            )
        return Encoded(pooled, hidden, read.tokens, read.truncated, read.unknown)

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
        if layers and not self.layers:
            raise ConfigError(
                f"{self.name} has no layers, it gives a vector for each text at once: ask for none, or take a "
                "transformer"
            )
        for layer in layers:
            if not -self.layers <= layer < self.layers:
                raise ConfigError(
                    f"layer {layer} does not exist in {self.name}: expected 0 (embeddings) to {self.layers - 1}"
                )
        if layers and not self.identity.pools_layers:
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
            return CPU_BATCH_TOKENS if self.device.startswith("cpu") else BATCH_TOKENS
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
        hidden = np.empty((layers, 0, self.identity.pooled_width), np.float32)
        return Encoded(np.empty((0, self.dim), np.float32), hidden, none, none.astype(bool), none)

    def _forward(
        self, batch: dict[str, Any], layers: Sequence[int], states: list[tuple[Any, ...]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run one batch: pooled output (rows, d), asked layers (l, rows, width)."""
        from sentence_transformers.util import batch_to_device

        features = batch_to_device(batch, self.model.device)
        states.clear()
        try:
            output = self.model(dict(features), **self.texts.routing)
        except KeyError as error:
            raise ModelError(
                f"the modules of {self.name} do not fit: one wants {error}, which those before it do not give"
            ) from error
        if "sentence_embedding" not in output:
            raise ModelError(f"{self.name} gives no vector for a text; add a pooling module and save it again")
        pooled = output["sentence_embedding"][:, : self.dim].float().cpu().numpy()
        given = states[0] if states else ()
        if layers and len(given) != self.layers:
            raise ModelError(f"{self.name} gives {len(given)} hidden states, expected {self.layers}; ask for none")
        hidden = np.empty((len(layers), len(pooled), self.architecture.pooled_width), np.float32)
        for place, layer in enumerate(layers):
            one = self.architecture.pooling({**features, "token_embeddings": given[layer]})["sentence_embedding"]
            if one.shape[1] != hidden.shape[-1]:
                raise ModelError(
                    f"layer {layer} of {self.name} is {one.shape[1]} wide when pooled, the last one "
                    f"{hidden.shape[-1]}; ask for layers of the same width"
                )
            hidden[place] = one.float().cpu().numpy()
        return pooled, hidden

    @contextmanager
    def _hidden_states(self, *, asked: bool) -> Iterator[list[tuple[Any, ...]]]:
        """Collect the hidden states of a forward pass, for as long as it takes.

        The modules behind the transformer are given what they are given without this: some of them compute another
        vector where hidden states are there.
        """
        found: list[tuple[Any, ...]] = []
        if not asked:
            yield found
            return
        transformer = self.architecture.transformer
        config = transformer.model.config
        before = config.output_hidden_states

        def take(_module: Any, _inputs: Any, output: dict[str, Any]) -> None:  # noqa: ANN401 - torch is imported late
            found.append(output["all_layer_embeddings"] if before else output.pop("all_layer_embeddings", ()))

        config.output_hidden_states = True
        hook = transformer.register_forward_hook(take)
        try:
            yield found
        finally:
            hook.remove()
            config.output_hidden_states = before

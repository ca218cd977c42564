"""The encoder in training: token ids to unit vectors with gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.types import Integers
from ...errors import ModelError
from ...models.embeddings import blocks
from ...models.progress import hidden_library_bars
from ...models.prompts import set_prompt
from .precision import mixed_precision

if TYPE_CHECKING:
    import torch

    from ...models.encoder import Encoder

TokenRows = list[list[int]]


@contextmanager
def quiet_library() -> Iterator[None]:
    """Silence the progress bars and loading reports of transformers."""
    from transformers.utils import logging

    library: Any = logging
    level = library.get_verbosity()
    library.set_verbosity_error()
    try:
        with hidden_library_bars():
            yield
    finally:
        library.set_verbosity(level)


def require_transformer(encoder: Encoder) -> None:
    """Refuse an encoder without weights that read token ids one after the other.

    Raises
    ------
    ModelError
    """
    from sentence_transformers.base.modules import Router

    from ...analysis.maps.ngram_addition import NgramAddition

    first, *others = encoder.model
    if encoder.architecture.transformer is not first:
        raise ModelError(
            f"{encoder.name} begins with {type(first).__name__}: training takes a transformer that reads text, without "
            "routes; take another base"
        )
    if any(isinstance(module, Router) for module in others):
        raise ModelError(
            f"{encoder.name} routes vectors by task: training takes a model without routes; take another base"
        )
    if any(isinstance(module, NgramAddition) for module in others):
        raise ModelError(
            f"{encoder.name} has words of the languages in it beside its encoder, which would be added to those of a "
            "further language: start from its base, and give all languages at once"
        )


def save_encoder(encoder: Encoder, path: Path) -> None:
    """Save a model as a sentence-transformers folder, weights in safetensors, with the prompt of the encoder."""
    set_prompt(encoder.model, encoder.prompt, encoder.prompt_for("document"))
    with quiet_library():
        encoder.model.save(str(path), create_model_card=False, safe_serialization=True)


@dataclass(slots=True)
class PaddingCounter:
    """Tokens in the batches of a student so far, with and without padding."""

    padded: int = 0
    tokens: int = 0

    @property
    def share(self) -> float | None:
        """Share of padding; None before the first batch."""
        return 1 - self.tokens / self.padded if self.padded else None


@dataclass(frozen=True, slots=True, eq=False)
class Student:
    """An encoder whose weights are trained.

    Parameters
    ----------
    encoder : Encoder
        The base as loaded; its fingerprint is that of f0, and stays so when the weights change.
    precision : {"float32", "bfloat16"}
        Of matrix products in the forward pass.
    """

    encoder: Encoder
    precision: str
    padding: PaddingCounter = field(default_factory=PaddingCounter)
    constants: dict[str, Any] = field(init=False)  # features that are the same for every text
    least_width: int = field(init=False)  # columns of the smallest batch

    def __post_init__(self) -> None:
        """Check the encoder.

        Raises
        ------
        ModelError
            If it is no transformer.
        """
        require_transformer(self.encoder)
        object.__setattr__(self, "constants", self.encoder.texts.constants())
        object.__setattr__(self, "least_width", self.encoder.texts.least_width())

    def for_task(self, task: str) -> Student:
        """Return the student that reads texts of a task, `query` or `document`, with the same weights."""
        return Student(self.encoder.for_task(task), self.precision, self.padding)

    @property
    def model(self) -> Any:  # noqa: ANN401 - the library is imported late
        """The SentenceTransformer."""
        return self.encoder.model

    @property
    def tokenizer(self) -> Any:  # noqa: ANN401 - the library is imported late
        """Its tokenizer."""
        return self.model.tokenizer

    @property
    def body(self) -> Any:  # noqa: ANN401 - the library is imported late
        """The text transformer."""
        return self.model[0].model

    @property
    def table(self) -> torch.nn.Embedding:
        """The word embeddings.

        Raises
        ------
        ModelError
            If the model has none.
        """
        table = self.body.get_input_embeddings()
        if table is None:
            raise ModelError(f"{self.encoder.name} has no word embeddings that could be trained; take another base")
        return table  # type: ignore[no-any-return]

    def save(self, path: Path) -> None:
        """Save the model; see `save_encoder`."""
        save_encoder(self.encoder, path)

    def tokenise(self, texts: Sequence[str]) -> TokenRows:
        """Return the token ids of texts as the model reads them: with its prompt, and cut at its greatest length."""
        return [row for block in blocks(texts) for row in self.encoder.texts.read(block).rows()]

    def forward(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Embed b token rows in one padded batch; return unit vectors, (b, d), in float32."""
        import torch

        with mixed_precision(self.precision, self.encoder.device):
            output = self.model(self.pad(rows))["sentence_embedding"][:, : self.encoder.dim]
        return torch.nn.functional.normalize(output.float(), dim=1)

    def pad(self, rows: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Pad b token rows on the model's side; return ids and mask, (b, l), on the device, and what goes with them."""
        import torch

        lengths = np.array([len(row) for row in rows])
        inside = np.arange(max(self.least_width, lengths.max())) < lengths[:, None]
        if self.encoder.texts.pads_left():
            inside = inside[:, ::-1]
        self.padding.padded += inside.size
        self.padding.tokens += int(lengths.sum())
        ids = np.full(inside.shape, self.tokenizer.pad_token_id or 0, np.int64)
        ids[inside] = np.concatenate([np.asarray(row, np.int64) for row in rows])
        device = self.encoder.device
        mask = torch.from_numpy(np.ascontiguousarray(inside, np.int64)).to(device)
        return {**self.constants, "input_ids": torch.from_numpy(ids).to(device), "attention_mask": mask}


def token_lengths(*columns: TokenRows) -> Integers:
    """Return the number of tokens of each row in the longest of its columns, (n,)."""
    lengths = np.array([[len(row) for row in column] for column in columns], np.int64)
    longest: Integers = lengths.max(axis=0)
    return longest

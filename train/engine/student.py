"""The encoder in training: token ids in, unit vectors with gradients out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...models.progress import hidden_library_bars
from .trainer import mixed_precision

if TYPE_CHECKING:
    import torch

    from ...models.encoder import Encoder

TokenRows = list[list[int]]
FASTER = 1.3


@contextmanager
def quiet_library() -> Iterator[None]:
    """Keep transformers from drawing bars and from reporting on what it loads."""
    from transformers.utils import logging

    library: Any = logging
    level = library.get_verbosity()
    library.set_verbosity_error()
    try:
        with hidden_library_bars():
            yield
    finally:
        library.set_verbosity(level)


@dataclass(slots=True)
class Fed:
    """What went through a student so far: places of its padded batches, and tokens in them."""

    places: int = 0
    tokens: int = 0

    @property
    def padding(self) -> float | None:
        """Share of the places that held padding; None before the first batch."""
        return 1 - self.tokens / self.places if self.places else None


@dataclass(frozen=True, slots=True, eq=False)
class Student:
    """An encoder whose weights move.

    Parameters
    ----------
    encoder : Encoder
        The base as it was loaded; its fingerprint is that of f0 and goes stale as soon as the weights move.
    precision : {"float32", "bfloat16"}
    """

    encoder: Encoder
    precision: str
    fed: Fed = field(default_factory=Fed)

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
        """Write the model as a sentence-transformers folder, weights in safetensors."""
        with quiet_library():
            self.model.save(str(path), create_model_card=False, safe_serialization=True)

    def tokenise(self, texts: Sequence[str]) -> TokenRows:
        """Return the token ids of texts behind the prompt of the model, cut at its maximal length."""
        encoded = self.tokenizer(
            [self.encoder.prompt + text for text in texts],
            truncation=True,
            max_length=self.encoder.max_length,
            padding=False,
            verbose=False,
        )
        rows: TokenRows = encoded["input_ids"]
        return rows

    def forward(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Embed token rows in one padded batch, (b, d), at unit length and in float32."""
        import torch

        with mixed_precision(self.precision, self.encoder.device):
            output = self.model(self.padded(rows))["sentence_embedding"]
        return torch.nn.functional.normalize(output.float(), dim=1)

    def padded(self, rows: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
        """Pad token rows on the tokenizer's side and move them to the device."""
        import torch

        padding = self.tokenizer.pad_token_id or 0
        lengths = np.array([len(row) for row in rows])
        inside = np.arange(max(1, lengths.max())) < lengths[:, None]
        if self.tokenizer.padding_side == "left":
            inside = inside[:, ::-1]
        ids = np.full(inside.shape, padding, np.int64)
        self.fed.places += inside.size
        self.fed.tokens += int(lengths.sum())
        ids[inside] = np.concatenate([np.asarray(row, np.int64) for row in rows])
        device = self.encoder.device
        mask = torch.from_numpy(np.ascontiguousarray(inside, np.int64)).to(device)
        return {"input_ids": torch.from_numpy(ids).to(device), "attention_mask": mask}


def chosen_precision(asked: str, device: str) -> str:
    """Decide the precision of matrix products; `auto` times one product in each on the CPU.

    Parameters
    ----------
    asked : {"auto", "float32", "bfloat16"}
    device : str
        Torch device.
    """
    import torch

    if asked != "auto":
        return asked
    if torch.device(device).type != "cpu":
        return "bfloat16" if torch.device(device).type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    slow, fast = (_seconds(kind) for kind in (torch.float32, torch.bfloat16))
    return "bfloat16" if slow > FASTER * fast else "float32"


def _seconds(kind: torch.dtype) -> float:
    import torch

    x, y = torch.ones(1024, 384, dtype=kind), torch.ones(384, 1536, dtype=kind)
    x @ y
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        x @ y
        taken.append(time.perf_counter() - start)
    return min(taken)


def token_lengths(*columns: TokenRows) -> NDArray[np.int64]:
    """Return the tokens of each row, of the longest of its columns, (n,)."""
    lengths = np.array([[len(row) for row in column] for column in columns], np.int64)
    longest: NDArray[np.int64] = lengths.max(axis=0)
    return longest

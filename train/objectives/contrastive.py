"""InfoNCE of the library, with cached gradients, over rows of two or more texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.types import Integers
from ...distributed import Processes
from ...errors import ConfigError
from ...models.affine import truncates
from ..engine.sampler import Batch, RowIndex, text_keys
from ..engine.student import Student, TokenRows, token_lengths

if TYPE_CHECKING:
    import torch

PRECISION = "float32"  # cached gradients run the encoder again inside `backward`, where autocast is not in force


@dataclass(frozen=True, slots=True, eq=False)
class TextRows:
    """Rows of two or more texts: anchor, positive, and negatives.

    Parameters
    ----------
    columns : list of lists of token ids
    readers : list of Student
        By whom each column is read: the same weights, with the prompt of a task.
    index : RowIndex
        For the sampler.
    """

    columns: list[TokenRows]
    readers: list[Student]
    index: RowIndex

    @classmethod
    def of(cls, student: Student, *columns: Sequence[str]) -> TextRows:
        """Tokenise columns of n texts each; only the first two decide which rows can share a batch."""
        return cls._read([student] * len(columns), columns)

    @classmethod
    def of_queries(cls, student: Student, queries: Sequence[str], *passages: Sequence[str]) -> TextRows:
        """Tokenise n queries and columns of n passages each, with the prompts of queries and of documents."""
        readers = [student.for_task("query"), *[student.for_task("document")] * len(passages)]
        return cls._read(readers, (queries, *passages))

    @classmethod
    def _read(cls, readers: list[Student], columns: Sequence[Sequence[str]]) -> TextRows:
        tokens = [reader.tokenise(column) for reader, column in zip(readers, columns, strict=True)]
        return cls(tokens, readers, RowIndex(token_lengths(*tokens), text_keys(*columns[:2])))


class ContrastiveObjective:
    """A contrastive loss of the library over rows of texts.

    Parameters
    ----------
    student : Student
        In float32.
    datasets : sequence of TextRows
        Numbers of columns may differ: a batch has rows of one data set on every process.
    criterion : Module
        A loss of the library over (features of each column, labels).
    processes : Processes
        The criterion averages over processes as data-parallel training does.
    """

    def __init__(
        self, student: Student, datasets: Sequence[TextRows], criterion: torch.nn.Module, processes: Processes
    ) -> None:
        self.student, self.datasets, self.criterion, self.processes = student, datasets, criterion, processes
        self.first_row = 0

    @property
    def module(self) -> torch.nn.Module:
        """The encoder."""
        return self.student.model  # type: ignore[no-any-return]

    @property
    def table(self) -> torch.nn.Embedding:
        """Its word embeddings."""
        return self.student.table

    def token_ids(self, batch: Batch) -> Integers:
        """Return the token ids of a batch."""
        columns = self.datasets[batch.dataset].columns
        parts = [column[i] for column in columns for i in batch.rows]
        return np.concatenate([[self.student.tokenizer.pad_token_id or 0], *parts]).astype(np.int64)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return this process's share of the loss."""
        import torch

        mine = batch.of_rank(self.processes.rank, self.processes.world_size)
        rows = self.datasets[batch.dataset]
        features = [
            reader.pad([column[i] for i in mine]) for reader, column in zip(rows.readers, rows.columns, strict=True)
        ]
        labels = torch.arange(len(mine), device=self.student.encoder.device)
        loss: torch.Tensor = self.criterion(features, labels)
        return loss / self.processes.world_size


def info_nce(
    student: Student, processes: Processes, *, scale: float, mini_batch: int, matryoshka: tuple[int, ...] = ()
) -> Any:  # noqa: ANN401 - the library is imported late
    """Make the criterion: both directions, each with a softmax of its own; if asked for, at narrower widths too.

    Parameters
    ----------
    student : Student
    processes : Processes
    scale : float
        Of the cosines.
    mini_batch : int
        Rows embedded at a time.
    matryoshka : tuple of int
        Narrower widths.

    Raises
    ------
    ConfigError
        If a width is not narrower than the encoder.
    """
    from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss, MatryoshkaLoss

    if any(width >= student.encoder.dim for width in matryoshka):
        raise ConfigError(f"--matryoshka {matryoshka}: widths must be below {student.encoder.dim}")
    criterion = CachedMultipleNegativesRankingLoss(
        student.model,
        scale=scale,
        mini_batch_size=mini_batch,
        gather_across_devices=processes.world_size > 1,
        directions=("query_to_doc", "doc_to_query"),
        partition_mode="per_direction",
    )
    if matryoshka or truncates(student.model):
        return MatryoshkaLoss(student.model, criterion, [student.encoder.dim, *matryoshka])
    return criterion

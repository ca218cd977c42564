"""The objectives of language insertion.

| method     | what is trained                     | loss                                                            |
|------------|-------------------------------------|-----------------------------------------------------------------|
| align      | everything                          | InfoNCE(fθ(fr), f0(en)) + anchor of English + pull of the pair  |
| distill    | everything                          | regression of fθ(en) and fθ(fr) onto f0(en)                     |
| anchor     | everything                          | (1 − cos(fθ(en), f0(en))) + 0.4 (1 − cos(fθ(en), fθ(fr)))       |
| embeddings | the new words' embeddings           | as align; English keeps its bits                                |
| lora       | low-rank adapters and the new words | as align                                                        |
| map        | nothing: a rotation after the model | closed form (see rotation.py)                                   |

With every method but `map` the language first gets words of its own in the vocabulary (see vocabulary.py), each at the
mean of the English words with which the bitext aligns it. For a related language that gives most of the gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.checks import unit_rows
from ...analysis.types import Floats32, Integers
from ...distributed import Processes
from ...errors import MissingExtraError
from ..config import FinetuneConfig
from ..engine.sampler import Batch, RowIndex, text_keys
from ..engine.student import Student, TokenRows, token_lengths
from .losses import AlignWeights, align_loss, cosine_distance, squared_distance
from .words_addition import WordsBeside

if TYPE_CHECKING:
    import torch

    from ...data.bitext import Bitext

PAIR_WEIGHT = 0.4  # of `anchor`, as published


@dataclass(frozen=True, slots=True, eq=False)
class LanguageRows:
    """Tokenised training pairs of one language, and f0 of their known side.

    Parameters
    ----------
    new, known : list of list of int
        Token ids of both sides of n pairs.
    teacher : array (n, d) of float32
        f0 of the known side, unit rows.
    index : RowIndex
        For the sampler.
    words : WordsBeside, optional
        Vectors of n-grams that are added to those of the new side.
    """

    new: TokenRows
    known: TokenRows
    teacher: Floats32
    index: RowIndex
    words: WordsBeside | None = None

    @classmethod
    def of(cls, student: Student, bitext: Bitext, teacher: Floats32) -> LanguageRows:
        """Tokenise a bitext (new language, known language) of n pairs, of which f0 of the known side is (n, d)."""
        new, known = student.tokenise(bitext.sources), student.tokenise(bitext.targets)
        unit = unit_rows(teacher, zeros="keep")
        index = RowIndex(token_lengths(new, known), text_keys(bitext.sources, bitext.targets))
        return cls(new, known, unit.astype(np.float32), index)


class InsertionObjective:
    """The loss of a method over the pairs of one language or several.

    Parameters
    ----------
    student : Student
        With extended vocabulary.
    languages : sequence of LanguageRows
        One for each data set of the sampler.
    config : FinetuneConfig
    processes : Processes
    first_row : int
        The first new row of the embedding table.
    """

    def __init__(
        self,
        student: Student,
        languages: Sequence[LanguageRows],
        config: FinetuneConfig,
        processes: Processes,
        *,
        first_row: int,
    ) -> None:
        self.student, self.languages, self.config, self.processes = student, languages, config, processes
        self._weights = AlignWeights(config.scale, config.anchor_weight, config.pull_weight, config.false_negative)
        self._anchors = config.method != "embeddings" and config.anchor_weight > 0
        self._anchor_every = 1 if config.method in ("distill", "anchor") else max(1, round(1 / config.anchor_share))
        self.first_row = first_row if config.method in ("embeddings", "lora") else 0
        self._adapters = self._freeze(config)

    @property
    def module(self) -> torch.nn.Module:
        """The encoder."""
        return self.student.model  # type: ignore[no-any-return]

    @property
    def table(self) -> torch.nn.Embedding:
        """Its word embeddings."""
        return self.student.table

    def token_ids(self, batch: Batch) -> Integers:
        """Return the token ids that any process reads at this step."""
        rows = self.languages[batch.dataset]
        parts = [rows.new[i] for i in batch.rows]
        for rank in range(self.processes.world_size):
            parts += [rows.known[i] for i in self._anchored(batch, rank)]
        return np.concatenate([[self.student.tokenizer.pad_token_id or 0], *parts]).astype(np.int64)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return this process's share of the loss."""
        rows = self.languages[batch.dataset]
        mine, anchored = (
            batch.of_rank(self.processes.rank, self.processes.world_size),
            self._anchored(batch, self.processes.rank),
        )
        vectors = self.student.forward([rows.new[i] for i in mine] + [rows.known[i] for i in anchored])
        new, known = vectors[: len(mine)], vectors[len(mine) :]
        if rows.words is not None:
            new = rows.words.added(new, mine)
        teacher, teacher_of_known = self._teacher(rows, mine), self._teacher(rows, anchored)
        if self.config.method == "distill":
            return (squared_distance(new, teacher) + squared_distance(known, teacher_of_known)).sum() / len(batch.rows)
        if self.config.method == "anchor":
            anchor, pairs = cosine_distance(known, teacher_of_known), cosine_distance(known, new)
            return (anchor + PAIR_WEIGHT * pairs).sum() / len(batch.rows)
        loss = align_loss(new, teacher, self.processes, self._weights, self._bank(rows, batch.step))
        if len(anchored):
            anchor = cosine_distance(known, teacher_of_known).sum() / (len(anchored) * self.processes.world_size)
            loss = loss + self._weights.anchor * anchor
        return loss

    def finish(self) -> None:
        """Merge adapters into the weights, and make all weights trainable again."""
        if self._adapters is not None:
            self._adapters.merge_and_unload()
        for parameter in self.module.parameters():
            parameter.requires_grad_(True)

    def _bank(self, rows: LanguageRows, step: int) -> torch.Tensor | None:
        """Return f0 of English against which a step contrasts the new language: all, or the next rows in turn."""
        size = min(self.config.bank, len(rows.teacher))
        if size == 0:
            return None
        return self._teacher(rows, (step * size + np.arange(size)) % len(rows.teacher))

    def _teacher(self, rows: LanguageRows, chosen: Integers) -> torch.Tensor:
        import torch

        return torch.from_numpy(rows.teacher[chosen]).to(self.student.encoder.device)

    def _anchored(self, batch: Batch, rank: int) -> Integers:
        """Return the rows whose English side a process embeds: every k-th, with another offset at each step."""
        if not self._anchors:
            return np.empty(0, np.int64)
        mine = batch.of_rank(rank, self.processes.world_size)
        return mine[batch.step % min(self._anchor_every, len(mine)) :: self._anchor_every]

    def _freeze(self, config: FinetuneConfig) -> Any:  # noqa: ANN401 - peft is optional
        if config.method not in ("embeddings", "lora"):
            return None
        for parameter in self.module.parameters():
            parameter.requires_grad_(False)
        adapters = (
            add_adapters(self.student.body, config.lora_rank, config.loop.seed) if config.method == "lora" else None
        )
        self.table.weight.requires_grad_(self.first_row < len(self.table.weight))
        return adapters


def add_adapters(body: Any, rank: int, seed: int) -> Any:  # noqa: ANN401 - peft is optional
    """Add low-rank adapters to all linear layers of a transformer, in place (Hu et al., 2022).

    Raises
    ------
    MissingExtraError
        If peft is not installed.
    """
    import torch

    try:
        from peft import LoraConfig, LoraModel
    except ImportError as error:
        raise MissingExtraError("the method lora", "lora") from error
    torch.manual_seed(seed)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
    return LoraModel(body, config, "default")

"""How a new language enters an encoder: what moves, and towards what.

| method     | what moves                          | loss                                                            |
|------------|-------------------------------------|-----------------------------------------------------------------|
| align      | everything                          | InfoNCE(fθ(fr), f0(en)) + anchor of English + pull of the pair  |
| distill    | everything                          | regression of fθ(en) and fθ(fr) onto f0(en)                     |
| anchor     | everything                          | (1 − cos(fθ(en), f0(en))) + 0.4 (1 − cos(fθ(en), fθ(fr)))       |
| embeddings | the new words' embeddings           | as align; English keeps its bits                                |
| lora       | low-rank adapters and the new words | as align                                                        |
| map        | nothing: a rotation after the model | closed form                                                     |

Whatever the method, the language first gets words of its own in the vocabulary, each at the mean of the English words
with which the bitext aligns it. That is closed form too, and most of the way for a related language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.checks import unit_rows
from ...distributed import Processes
from ...errors import MissingExtraError
from ..config import FinetuneConfig, Method
from ..engine.sampler import Batch, Source, text_keys
from ..engine.student import Student, TokenRows, token_lengths
from .losses import AlignWeights, align_loss, cosine_distance, squared_distance
from .vocabulary import choose_words, extend_tokenizer, words_of
from .word_alignment import align_words

if TYPE_CHECKING:
    import torch

    from ...data.bitext import Bitext

PAIR_WEIGHT = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class LanguageRows:
    """The training pairs of one language as the loop needs them.

    Parameters
    ----------
    new, known : list of list of int
        Token ids of both sides.
    teacher : (n, d) float32
        f0 of the known side, unit rows; computed once.
    source : Source
        For the sampler.
    """

    new: TokenRows
    known: TokenRows
    teacher: NDArray[np.float32]
    source: Source

    @classmethod
    def of(cls, student: Student, bitext: Bitext, teacher: NDArray[np.float32]) -> LanguageRows:
        """Tokenise the pairs (new language, known language) of a bitext."""
        new, known = student.tokenise(bitext.sources), student.tokenise(bitext.targets)
        unit = unit_rows(teacher, zeros="keep")
        source = Source(token_lengths(new, known), text_keys(bitext.sources, bitext.targets))
        return cls(new, known, unit.astype(np.float32), source)


@dataclass(frozen=True, slots=True)
class AddedWords:
    """How many words a language got, and how many of them had been tokens of the base."""

    words: int
    retired: int
    first_row: int


def add_words(student: Student, bitext: Bitext, most: int, *, method: Method) -> AddedWords:
    """Give a language words of its own, placed by word alignment.

    Parameters
    ----------
    student : Student
        Its tokenizer and its embedding table are extended.
    bitext : Bitext
        Training pairs (new language, known language).
    most : int
        Number of words at most; 0 adds none.
    method : str
        `embeddings` takes no word that the known side of the bitext holds, so that no text of it changes.
    """
    import torch

    table = student.table
    size = len(table.weight)
    if most == 0:
        return AddedWords(0, 0, size)
    columns = [[words_of(student.tokenizer, text) for text in side] for side in (bitext.sources, bitext.targets)]
    strict = method == "embeddings"
    found = choose_words(
        student.tokenizer, table.weight.detach().cpu().numpy(), align_words(*columns), most, strict=strict
    )
    ids = extend_tokenizer(student.tokenizer, found.words)
    if not len(ids):
        return AddedWords(0, 0, size)
    student.body.resize_token_embeddings(max(size, int(ids.max()) + 1), mean_resizing=False)
    with torch.no_grad():
        student.table.weight[torch.from_numpy(ids)] = torch.from_numpy(found.vectors).to(student.encoder.device)
    return AddedWords(len(ids), found.retired, int(ids.min()))


class InsertionObjective:
    """The loss of a method over the pairs of one language or several.

    Parameters
    ----------
    student : Student
        With its vocabulary extended.
    languages : sequence of LanguageRows
        One a data set of the sampler.
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
        self._english = config.method != "embeddings" and config.anchor_weight > 0
        self._every = 1 if config.method in ("distill", "anchor") else max(1, round(1 / config.anchor_share))
        self.first_row = first_row if config.method in ("embeddings", "lora") else 0
        self._adapted = self._freeze(config)

    @property
    def module(self) -> torch.nn.Module:
        """The whole encoder."""
        return self.student.model  # type: ignore[no-any-return]

    @property
    def table(self) -> torch.nn.Embedding:
        """Its word embeddings."""
        return self.student.table

    def touched(self, batch: Batch) -> NDArray[np.int64]:
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
        teacher, teacher_of_known = self._teacher(rows, mine), self._teacher(rows, anchored)
        if self.config.method == "distill":
            return (squared_distance(new, teacher) + squared_distance(known, teacher_of_known)).sum() / len(batch.rows)
        if self.config.method == "anchor":
            held, pairs = cosine_distance(known, teacher_of_known), cosine_distance(known, new)
            return (held + PAIR_WEIGHT * pairs).sum() / len(batch.rows)
        loss = align_loss(new, teacher, self.processes, self._weights)
        if len(anchored):
            share = cosine_distance(known, teacher_of_known).sum() / (len(anchored) * self.processes.world_size)
            loss = loss + self._weights.anchor * share
        return loss

    def finish(self) -> None:
        """Put adapters into the weights, so that the model is an ordinary one."""
        if self._adapted is not None:
            self._adapted.merge_and_unload()
        for parameter in self.module.parameters():
            parameter.requires_grad_(True)

    def _teacher(self, rows: LanguageRows, chosen: NDArray[np.int64]) -> torch.Tensor:
        import torch

        return torch.from_numpy(rows.teacher[chosen]).to(self.student.encoder.device)

    def _anchored(self, batch: Batch, rank: int) -> NDArray[np.int64]:
        """Return the rows whose English side a process runs: every k-th, another part at each step."""
        if not self._english:
            return np.empty(0, np.int64)
        mine = batch.of_rank(rank, self.processes.world_size)
        return mine[batch.step % min(self._every, len(mine)) :: self._every]

    def _freeze(self, config: FinetuneConfig) -> Any:  # noqa: ANN401 - peft is optional
        if config.method not in ("embeddings", "lora"):
            return None
        for parameter in self.module.parameters():
            parameter.requires_grad_(False)
        adapted = adapt(self.student.body, config.lora_rank, config.loop.seed) if config.method == "lora" else None
        self.table.weight.requires_grad_(self.first_row < len(self.table.weight))
        return adapted


def adapt(body: Any, rank: int, seed: int) -> Any:  # noqa: ANN401 - peft is optional
    """Put low-rank adapters beside all linear layers of a transformer, in place (Hu et al., 2022).

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
    adapters = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
    return LoraModel(body, adapters, "default")


def fit_rotation(
    new: NDArray[np.float32], known: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit the rotation with shift that takes f0 of the new language to f0 of the known one: the control `map`.

    Parameters
    ----------
    new, known : (n, d)

    Returns
    -------
    weight, bias : (d, d), (d,)
        y = weight · x + bias, as a dense layer applies it (Schönemann, 1966).
    """
    x, y = new.astype(np.float64), known.astype(np.float64)
    left, _, right = np.linalg.svd((x - x.mean(axis=0)).T @ (y - y.mean(axis=0)))
    rotation = left @ right
    bias = y.mean(axis=0) - x.mean(axis=0) @ rotation
    return rotation.T.astype(np.float32), bias.astype(np.float32)


def append_rotation(student: Student, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
    """Append a fitted map to an encoder as a dense layer and a normalisation."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize

    layer = Dense(
        in_features=weight.shape[1],
        out_features=weight.shape[0],
        activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(weight),
        init_bias=torch.from_numpy(bias),
    )
    student.model.append(layer.to(student.encoder.device))
    student.model.append(Normalize())

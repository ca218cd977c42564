"""Texts in, what the model's own preprocessing makes of them out, and how long they are.

The library's `preprocess` does the work: prompt, chat template, and the tokenizer settings that a model folder saves.
Here its rows are only counted and cut into batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, ModelError
from .architecture import TASK_SETTINGS, UNLIMITED, Architecture, depends_on_task, position_limit

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SIZES = ("truncation", "max_length")
TASK_LENGTHS = ("query_length", "document_length")


@dataclass(frozen=True, slots=True, eq=False)
class ReadTexts:
    """Texts as a model takes them.

    Parameters
    ----------
    features : dict
        What the model's preprocessing gives for all n texts: padded `input_ids` and `attention_mask` (n, longest) and
        whatever else; empty where rows cannot be cut out of it.
    texts : sequence of str
    lengths : array (n,) of int
        Tokens after the cut, without padding.
    tokens, unknown : array (n,) of int32
        Tokens and unknown tokens before the cut.
    reader : TextReader
    """

    features: dict[str, Any]
    texts: Sequence[str]
    lengths: NDArray[np.int64]
    tokens: NDArray[np.int32]
    unknown: NDArray[np.int32]
    reader: "TextReader"

    @property
    def truncated(self) -> NDArray[np.bool_]:
        """Whether a text was cut, (n,)."""
        return np.asarray(self.tokens > self.lengths)

    def take(self, rows: NDArray[np.intp]) -> dict[str, Any]:
        """Return the features of some texts as one batch, without columns that are padding in all of them.

        Parameters
        ----------
        rows : array (b,) of int
        """
        if not self.features:
            return self.reader.preprocess([self.texts[row] for row in rows])
        import torch

        chosen = torch.from_numpy(rows)
        used = torch.nonzero(self.features["attention_mask"][chosen].any(dim=0)).flatten()
        columns = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
        if self.reader.pads_to_a_length():
            columns = slice(None)
        shape = tuple(self.features["input_ids"].shape)
        batch = {}
        for name, value in self.features.items():
            if isinstance(value, torch.Tensor) and value.ndim and len(value) == len(self.texts):
                part = value[chosen]
                batch[name] = part[:, columns] if tuple(value.shape[:2]) == shape else part
            else:
                batch[name] = value
        return batch

    def rows(self) -> list[list[int]]:
        """Return the token ids of each text without padding.

        Raises
        ------
        ModelError
            If the model takes more than token ids.
        """
        types = self.features.get("token_type_ids")
        if "input_ids" not in self.features or (types is not None and bool(types.any())):
            raise ModelError(
                "the model takes more than token ids (it marks segments, or has no tokenizer of its own), which "
                "training does not handle; take another base"
            )
        ids, mask = self.features["input_ids"], self.features["attention_mask"].bool()
        return [row[inside].tolist() for row, inside in zip(ids, mask, strict=True)]


class TextReader:
    """The preprocessing of a model, with the prompt that comes before every text.

    Parameters
    ----------
    model : SentenceTransformer
    architecture : Architecture
    name : str
        How the user calls the model.
    prompt : str
        May be empty.
    task : str, optional
        As the library's `encode` takes it.

    Attributes
    ----------
    limit : int
        Tokens that the architecture has positions for.
    """

    def __init__(
        self, model: "SentenceTransformer", architecture: Architecture, *, name: str, prompt: str, task: str | None
    ) -> None:
        self.model, self.name, self.prompt, self.task = model, name, prompt, task
        self._module: Any = architecture.reader
        self._transformer: Any = architecture.transformer
        self.limit = UNLIMITED if self._transformer is None else position_limit(self._transformer.config)
        if getattr(self._transformer, "can_flatten_inputs", False):
            self._transformer.unpad_inputs = False  # rows are cut out of padded batches
        tokenizer = self._module.tokenizer
        # Some tokenizers have no unknown token and name another special token in its place; no token is −1.
        named = getattr(tokenizer, "unk_token_id", None)
        others = (None, getattr(tokenizer, "eos_token_id", None), getattr(tokenizer, "pad_token_id", None))
        self._unknown_id = -1 if named in others else named

    @property
    def routing(self) -> dict[str, str]:
        """What the library's `encode` gives the modules besides texts: the task, if there is one."""
        return {} if self.task is None else {"task": self.task}

    def preprocess(self, texts: Sequence[str], **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - the library's own
        """Return what the library's `encode` feeds the model for texts."""
        return dict(self.model.preprocess(list(texts), prompt=self.prompt or None, **self.routing, **settings))

    def read(self, texts: Sequence[str]) -> ReadTexts:
        """Read n texts.

        Parameters
        ----------
        texts : sequence of str

        Raises
        ------
        ModelError
            The model's preprocessing gives no attention mask, or a text is longer than the model has positions for.
        """
        if self._transformer is None:
            return self._read_words(texts)
        if not texts:
            none = np.zeros(0, np.int64)
            return ReadTexts({}, texts, none, none.astype(np.int32), none.astype(np.int32), self)
        features = self.preprocess(texts)
        ids, inside = self._ids_and_mask(features)
        lengths = inside.sum(axis=1)
        tokens, unknown = lengths.copy(), (inside & (ids == self._unknown_id)).sum(axis=1)
        longest = np.flatnonzero(lengths == lengths.max()).tolist()  # where anything was cut, it was these
        whole_ids, whole = self._ids_and_mask(
            self.preprocess([texts[row] for row in longest], processing_kwargs=self._uncut())
        )
        tokens[longest] = whole.sum(axis=1)
        unknown[longest] = (whole & (whole_ids == self._unknown_id)).sum(axis=1)
        if not lengths.max():
            raise ModelError(f"{self.name} gives no token for {texts[0][:40]!r}: leave empty texts out")
        if lengths.max() > self.limit:
            raise ModelError(
                f"{self.name} has positions for {self.limit} tokens and its saved settings do not cut texts; the text "
                f"{texts[longest[0]][:40]!r} has {lengths.max()}: shorten it, or give max_length"
            )
        return ReadTexts(features, texts, lengths, tokens.astype(np.int32), unknown.astype(np.int32), self)

    def shortest(self) -> int:
        """Number of tokens of the prompt, of what the tokenizer adds, and one more; 1 without a tokenizer of tokens."""
        if self._transformer is None:
            return 1
        return int(self._ids_and_mask(self.preprocess([""], processing_kwargs=self._uncut()))[1].sum()) + 1

    def possible_length(self, asked: int | None) -> int:
        """Return after how many tokens a text is cut, and make the model cut there.

        Parameters
        ----------
        asked : int, optional
            The model's own limit if not given.

        Raises
        ------
        ConfigError
            The model cannot be given this length.
        """
        if self._transformer is None:
            if asked is not None:
                raise ConfigError(f"{self.name} reads words, not a sequence: it has no maximal length; leave it out")
            own_length = getattr(self._module, "max_seq_length", None) or UNLIMITED
            return int(min(own_length, UNLIMITED))
        if asked is None:
            own = min(self._module.max_seq_length or UNLIMITED, self.limit)
            self._module.max_seq_length = own
            saved = self._saved_length()
            return own if saved is None else min(saved, self.limit)
        if not self.shortest() <= asked <= self.limit:
            raise ConfigError(
                f"the maximal length {asked} is not possible for {self.name}: "
                f"expected {self.shortest()} (prompt, special tokens and one more) to {self.limit}"
            )
        self._cut_at(asked)
        return asked

    def constants(self) -> dict[str, Any]:
        """Return the features that are the same for every text, such as the length of the prompt."""
        import torch

        features = self.preprocess(["a"])
        return {name: value for name, value in features.items() if not isinstance(value, torch.Tensor)}

    def pads_left(self) -> bool:
        """Whether shorter rows of a batch are padded on their left."""
        side = self._module.tokenizer.padding_side
        for bucket in ("text", "common"):
            side = self._settings().get(bucket, {}).get("padding_side", side)
        return bool(side == "left")

    def pads_to_a_length(self) -> bool:
        """Whether the model pads every batch to one length, which may move the positions of its tokens."""
        return any(bucket.get("padding") == "max_length" for bucket in self._settings().values())

    def least_width(self) -> int:
        """Return how many columns the smallest batch has: 1, unless the model pads to a length."""
        return int(self.preprocess(["a"])["input_ids"].shape[1]) if self.pads_to_a_length() else 1

    def saved_settings(self) -> dict[str, Any]:
        """Return what decides the token ids besides the tokenizer, where it differs from the library's defaults."""
        task = self.task if depends_on_task(self.model) else None
        if self._transformer is None:
            return {} if task is None else {"task": task}
        found = {name: getattr(self._transformer, name, None) for name in TASK_SETTINGS}
        found |= {"processing_kwargs": self._settings(), "task": task}
        found |= {"padding_side": "left" if self.pads_left() else None}
        if "message" in self._transformer.modality_config:
            found["chat_template"] = self._module.tokenizer.chat_template
        return {name: value for name, value in found.items() if value}

    def _settings(self) -> dict[str, dict[str, Any]]:
        return getattr(self._transformer, "processing_kwargs", None) or {}

    def _saved_length(self) -> int | None:
        """The length that the model's own settings ask for, which goes before that of its tokenizer."""
        lengths = {"query": "query_length", "document": "document_length"}
        found: int | None = getattr(self._transformer, lengths.get(self.task or "", ""), None)
        for bucket in ("text", "common", "chat_template"):
            found = self._settings().get(bucket, {}).get("max_length", found)
        return found

    def _cut_at(self, length: int) -> None:
        self._module.max_seq_length = length
        for name in TASK_LENGTHS:
            if getattr(self._transformer, name, None) is not None:
                setattr(self._transformer, name, length)
        for bucket in self._settings().values():
            if bucket.get("max_length") is not None:
                bucket["max_length"] = length
            if bucket.get("truncation") in (False, "do_not_truncate"):
                bucket["truncation"] = "longest_first"

    def _uncut(self) -> dict[str, dict[str, Any]]:
        """Settings under which a text is read whole."""
        from transformers import PreTrainedTokenizerBase

        whole: dict[str, Any] = {"truncation": False, "max_length": None, "padding": True}
        own = self._settings()
        found = {bucket: dict(whole) for bucket in own if any(size in own[bucket] for size in SIZES)}
        quiet = {"verbose": False} if isinstance(self._module.processor, PreTrainedTokenizerBase) else {}
        return {**found, "text": {**whole, **quiet}}

    def _ids_and_mask(self, features: dict[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        if "attention_mask" not in features or "input_ids" not in features:
            raise ModelError(
                f"the saved settings of {self.name} give no attention mask: what pads a batch would count as text; "
                "set return_attention_mask in sentence_bert_config.json, or leave it out"
            )
        return features["input_ids"].numpy(), features["attention_mask"].numpy().astype(bool)

    def _read_words(self, texts: Sequence[str]) -> ReadTexts:
        """Count the words or pieces of texts that a model without a sequence reads; it preprocesses each batch."""
        prompted = [self.prompt + text for text in texts]
        tokenizer = self._module.tokenizer
        if tokenizer is None:  # n-grams: each text has those that it has, none of which is cut or unknown
            found = np.asarray(self._module.occurrences(prompted), np.int64)
            return ReadTexts({}, texts, found, found.astype(np.int32), np.zeros(len(texts), np.int32), self)
        if hasattr(tokenizer, "encode_batch"):
            encodings = tokenizer.encode_batch(prompted, add_special_tokens=False)
            unknown_piece = getattr(tokenizer.model, "unk_token", None)
            counts = [
                (len(e.ids), sum(len(rest.ids) for rest in e.overflowing), e.tokens.count(unknown_piece))
                for e in encodings
            ]
            kept, cut, unknown = np.array(counts, np.int64).reshape(len(texts), 3).T
            return ReadTexts({}, texts, kept, (kept + cut).astype(np.int32), unknown.astype(np.int32), self)
        known = np.array([len(tokenizer.tokenize(text)) for text in prompted], np.int64)
        words = np.maximum(known, [len(text.split()) for text in prompted])
        longest = getattr(self._module, "max_seq_length", None) or UNLIMITED
        # Words that the model has no vector for are left out before the cut.
        lengths = np.where(known > longest, longest, words)
        return ReadTexts({}, texts, lengths, words.astype(np.int32), (words - known).astype(np.int32), self)

"""Texts behind a prompt in, token ids out, and ids in padded batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PromptTokenizer:
    """The tokenizer of a model with the prompt that comes before every text.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The model's own.
    prompt : str
        May be empty.
    """

    def __init__(self, tokenizer: Any, prompt: str) -> None:  # noqa: ANN401 - the library is imported late
        self.tokenizer = tokenizer
        self.prompt = prompt
        # Some tokenizers have no unknown token and name another special token in its place; no token is −1.
        named, others = tokenizer.unk_token_id, (None, tokenizer.eos_token_id, tokenizer.pad_token_id)
        self._unknown_id = -1 if named in others else named
        empty = self._ids([prompt])[0]
        self.shortest = len(empty) + 1  # prompt, special tokens and one more
        # With what the tokenizer puts before the prompt, for poolings that leave it out.
        ends_special = bool(empty) and empty[-1] in tokenizer.all_special_ids
        self.prompt_tokens = len(empty) - ends_special if prompt else 0

    def tokenise(
        self, texts: Sequence[str], max_length: int
    ) -> tuple[list[list[int]], NDArray[np.int32], NDArray[np.int32]]:
        """Return token ids, and how many tokens and unknown tokens there were before the cut.

        Parameters
        ----------
        texts : sequence of str, length n
        max_length : int
            Tokens after which a text is cut.

        Returns
        -------
        ids : list of list of int
            Prompt and special tokens included.
        tokens, unknown : array (n,) of int32
        """
        rows = self._ids([self.prompt + text for text in texts])
        tokens = np.array([len(row) for row in rows], np.int32)
        unknown = np.array([row.count(self._unknown_id) for row in rows], np.int32)
        long = np.flatnonzero(tokens > max_length).tolist()
        if long:
            cut = self._ids([self.prompt + texts[row] for row in long], max_length=max_length)
            for row, ids in zip(long, cut, strict=True):
                rows[row] = ids
        return rows, tokens, unknown

    def padded(self, rows: Sequence[list[int]], device: Any) -> dict[str, Any]:  # noqa: ANN401 - torch is imported late
        """Pad token ids on the tokenizer's own side and move them to a device.

        Parameters
        ----------
        rows : sequence of list of int
            As `tokenise` gives them.
        device : torch.device

        Returns
        -------
        dict
            `input_ids` and `attention_mask`, (rows, longest row) of int64, and `prompt_length` where there is a prompt.
        """
        import torch

        longest = max(1, *map(len, rows))
        ids = np.full((len(rows), longest), self.tokenizer.pad_token_id or 0, np.int64)
        mask = np.zeros((len(rows), longest), np.int64)
        for place, row in enumerate(rows):
            start = longest - len(row) if self.tokenizer.padding_side == "left" else 0
            ids[place, start : start + len(row)] = row
            mask[place, start : start + len(row)] = 1
        features: dict[str, Any] = {
            "input_ids": torch.from_numpy(ids).to(device),
            "attention_mask": torch.from_numpy(mask).to(device),
        }
        return {**features, "prompt_length": self.prompt_tokens} if self.prompt_tokens else features

    def _ids(self, texts: list[str], *, max_length: int | None = None) -> list[list[int]]:
        encoded = self.tokenizer(
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

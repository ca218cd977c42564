"""The 4-bit model format E5S1.

A file holds, little-endian and in this order: a header with the sizes, a unigram vocabulary with scores, a character
map, a directory of tensors, and the tensors: matrices in 4-bit blocks, the rest in float32.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError

BLOCK_VALUES = 32
BLOCK_BYTES = 18


@dataclass(frozen=True, slots=True)
class E5Header:
    """Sizes of the encoder, in the order in which the file gives them."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    layer_norm_eps: float
    block: int


@dataclass(frozen=True, slots=True)
class E5Tokenizer:
    """A unigram vocabulary with its scores, special ids and character map, in the ids of XLM-RoBERTa."""

    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    bos: int
    eos: int
    pad: int
    unk: int
    characters: dict[str, str]


@dataclass(frozen=True, slots=True)
class E5Tensor:
    """An entry of the tensor directory: `values` numbers, at `offset`, quantised if `dtype` is 1 and float32 if 0."""

    dtype: int
    values: int
    offset: int
    size: int


class _Reader:
    """A cursor over little-endian bytes."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def numbers(self, form: str) -> tuple[Any, ...]:
        packed = struct.Struct("<" + form)
        values = packed.unpack_from(self.data, self.at)
        self.at += packed.size
        return values

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values

    def bytes(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise ValueError("the data end too early")
        self.at += count
        return self.data[self.at - count : self.at].tobytes()


@dataclass(frozen=True, slots=True)
class E5File:
    """A parsed 4-bit model file; its tensors are decoded when they are asked for."""

    data: memoryview
    header: E5Header
    tokenizer: E5Tokenizer
    directory: dict[str, E5Tensor]

    def tensor(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Decode one tensor.

        Parameters
        ----------
        name : str
            Name in the directory.
        *shape : int
            Shape to give it, row-major.

        Returns
        -------
        array of float32, of that shape

        Raises
        ------
        ModelError
            The tensor is absent or of another size.
        """
        entry = self.directory.get(name)
        if entry is None or entry.values != int(np.prod(shape)) or entry.offset + entry.size > len(self.data):
            raise ModelError(f"the 4-bit model file is damaged: tensor {name} of shape {shape} is not in it")
        raw = self.data[entry.offset : entry.offset + entry.size]
        values = np.frombuffer(raw, "<f4") if entry.dtype == 0 else dequantise(np.frombuffer(raw, np.uint8))
        return values.reshape(shape)


def dequantise(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Decode 4-bit blocks: 18 bytes hold a half-precision scale d and 32 nibbles q; a value is d · (q − 8).

    Parameters
    ----------
    blocks : array (18 · b,) of uint8
        Whole blocks; low nibbles of a block are its values 0–15, high nibbles its values 16–31.

    Returns
    -------
    array (32 · b,) of float32
    """
    rows = blocks.reshape(-1, BLOCK_BYTES)
    scales = np.ascontiguousarray(rows[:, :2]).view("<f2").astype(np.float32)
    values = np.empty((len(rows), BLOCK_VALUES), np.float32)
    values[:, :16] = rows[:, 2:] & 0x0F
    values[:, 16:] = rows[:, 2:] >> 4
    values -= 8.0
    values *= scales
    return values.reshape(-1)


def read_e5(path: Path) -> E5File:
    """Parse a 4-bit E5 model file.

    Parameters
    ----------
    path : Path
        A file that begins with the magic `E5S1`.

    Raises
    ------
    ModelError
        The file is of another format, or cut.
    """
    data = memoryview(path.read_bytes())
    reader = _Reader(data)
    try:
        if reader.bytes(4) != b"E5S1" or reader.numbers("I") != (1,):
            raise ValueError("its magic or version is not E5S1, 1")
        header = E5Header(*reader.numbers("7ifi"))
        tokenizer, directory = _read_tokenizer(reader), {}
        for _ in range(*reader.numbers("i")):
            name = reader.bytes(*reader.numbers("H")).decode("ascii")
            directory[name] = E5Tensor(*reader.numbers("BIQQ"))
        return E5File(data, header, tokenizer, directory)
    except (ValueError, struct.error) as error:
        raise ModelError(f"{path.name} is not a whole 4-bit E5 model: {error}; reinstall its package") from error


def _read_tokenizer(reader: _Reader) -> E5Tokenizer:
    count, bos, eos, pad, unk = reader.numbers("5i")
    (size,) = reader.numbers("Q")
    offsets = reader.array("<u4", count + 1).tolist()
    scores = reader.array("<f4", count)
    blob = reader.bytes(size)
    pieces = tuple(blob[start:end].decode("utf-8") for start, end in pairwise(offsets))
    characters = {}
    for _ in range(reader.numbers("iI")[0]):
        codepoint, length = reader.numbers("IB")
        characters[chr(codepoint)] = "".join(map(chr, reader.numbers(f"{length}I")))
    return E5Tokenizer(pieces, scores, bos, eos, pad, unk, characters)

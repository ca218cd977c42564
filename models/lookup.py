"""An encoder without training: every word has a vector, a text has the mean of its words'. Word order says nothing.

On a cipher the map between its two sides is known exactly, whatever the text. With E a table of vectors, f the mean
over a text, and π the cipher, let the code word π(w) have the vector E(w)·A + b. Then f(cipher of s) = f(s)·A + b for
every text s, since a mean of affine images is the affine image of the mean: with A = I and b = 0 the map is the
identity, with A = I a shift, with A orthogonal and b = 0 a rotation, and with singular values of A from 1/4 to 4 a
linear map that no rotation is near. Order cannot change it: a mean has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .encoder import Encoder

Planted = Literal["identity", "shift", "rotation", "linear"]
PLANTED: tuple[str, ...] = ("identity", "shift", "rotation", "linear")
UNKNOWN = "[UNK]"
WIDTH = 16
SHIFT = 2.0  # length of a planted shift, in root mean squares of a text's vector
STRETCH = 4.0  # greatest singular value of a planted linear map, and 1 over the least


def random_vectors(words: Sequence[str], width: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return an independent vector of normal values, (width,), for each word."""
    rows = np.random.default_rng([seed, width]).standard_normal((len(words), width))
    return dict(zip(words, rows, strict=True))


def planted_vectors(
    vectors: Mapping[str, NDArray[np.float64]],
    codes: Sequence[Mapping[str, str]],
    planted: Planted,
    *,
    length: float,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the vectors of words and of their code words: the first code by the planted map, others by rotations.

    Parameters
    ----------
    vectors : mapping of word to array (d,)
    codes : sequence of mapping
        Code word of each word, one mapping a cipher.
    planted : {"identity", "shift", "rotation", "linear"}
        Of the first cipher.
    length : float
        Words in a text, about: decides how long a shift is.
    seed : int
        Of the maps.
    """
    rng = np.random.default_rng([seed, 11])
    width = len(next(iter(vectors.values())))
    table = dict(vectors)
    for number, code in enumerate(codes):
        matrix, shift = np.eye(width), np.zeros(width)
        if number or planted == "rotation":
            matrix = _rotation(width, rng)
        elif planted == "linear":
            matrix = _rotation(width, rng) * np.geomspace(1 / STRETCH, STRETCH, width) @ _rotation(width, rng)
        elif planted == "shift":
            direction = rng.standard_normal(width)
            shift = direction / np.linalg.norm(direction) * SHIFT * np.sqrt(width / length)
        table |= {code[word]: vector @ matrix + shift for word, vector in vectors.items()}
    return table


def _rotation(width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw an orthogonal matrix uniformly (Stewart, 1980)."""
    q, r = np.linalg.qr(rng.standard_normal((width, width)))
    return np.asarray(q * np.sign(np.diag(r)))


def lookup_encoder(vectors: Mapping[str, NDArray[np.float64]], name: str = "words") -> Encoder:
    """Return the encoder of a table of word vectors; a word that is not in it has the vector zero.

    Parameters
    ----------
    vectors : mapping of word to array (d,)
        Words in lower case.
    name : str
        What results call it.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    words = sorted(vectors)
    vocabulary = {word: number for number, word in enumerate([UNKNOWN, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+"), "removed", invert=True)
    rows = np.stack([np.zeros(len(vectors[words[0]])), *(vectors[word] for word in words)])
    module = StaticEmbedding(tokenizer, embedding_weights=torch.from_numpy(rows.astype(np.float32)))
    return Encoder(SentenceTransformer(modules=[module], device="cpu"), name=name, prompt="")

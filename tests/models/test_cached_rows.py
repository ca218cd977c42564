import numpy as np
import pytest
from polyglot.errors import ConfigError
from polyglot.models import embeddings
from polyglot.models.cache import EmbeddingCache
from polyglot.models.cached_rows import CachedRows
from polyglot.models.encoding import encode_cached

TEXTS = [f"{a} {b}{c}" for a in "abcdefgh" for b in "klmno" for c in "pqrst"]
REPEATED = [*TEXTS, *TEXTS[::7], "ab", *TEXTS[3:9]]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(embeddings, "BLOCK_TEXTS", 16)


@pytest.fixture(params=["cache", "no cache", "no folder"])
def cache(request, tmp_path):
    if request.param == "no cache":
        return None
    if request.param == "no folder":
        (tmp_path / "cache").write_text("a file where the folder should be")
    return EmbeddingCache(tmp_path / "cache")


def test_rows_are_those_that_are_encoded(tiny_encoder, cache):
    whole = encode_cached(tiny_encoder, REPEATED)
    rows = CachedRows(tiny_encoder, REPEATED, cache)
    rows.encode()
    assert (rows.shape, len(rows), rows.dtype) == (whole.pooled.shape, len(REPEATED), np.float32)
    for run in (slice(0, 40), slice(190, 231), slice(None), slice(5, 5), slice(225, 999)):
        np.testing.assert_array_equal(rows[run], whole.pooled[run])
    chosen = np.array([230, 3, 3, 77])
    found = rows.take(chosen)
    for name in ("pooled", "tokens", "truncated", "unknown"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole.take(chosen), name))


def test_each_text_is_encoded_once(tiny_encoder, cache, monkeypatch):
    encoded = []
    encode_block = tiny_encoder.encode_block

    def counted(texts, **options):
        encoded.extend(texts)
        return encode_block(texts, **options)

    monkeypatch.setattr(tiny_encoder, "encode_block", counted)
    rows = CachedRows(tiny_encoder, REPEATED, cache)
    rows.encode()
    rows[:]
    rows.take(np.arange(50))
    assert sorted(encoded) == sorted(set(REPEATED))


def test_few_blocks_are_held_where_there_is_a_cache(tiny_encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("polyglot.models.cached_rows.KEPT_BLOCKS", 3)
    rows = CachedRows(tiny_encoder, REPEATED, EmbeddingCache(tmp_path / "cache"))
    rows.encode()
    rows[:]
    assert len(rows._held) == 3


def test_a_budget_that_is_none_is_refused(tiny_encoder):
    with pytest.raises(ConfigError):
        CachedRows(tiny_encoder, TEXTS, batch_tokens=0)

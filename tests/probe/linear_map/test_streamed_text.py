"""Text with more pairs than `exact_rows`: embeddings come from the cache, the sample is measured as text."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from polyglot.data.bitext import ParallelText
from polyglot.models import embeddings
from polyglot.models.cache import EmbeddingCache
from polyglot.probe.linear_map.run import LinearMapConfig, run

QUICK = LinearMapConfig(
    permutations=3,
    costly_permutations=1,
    resamples=200,
    power_replicates=0,
    failure=False,
    rungs=("identity", "shift", "rotation", "linear"),
    exact_rows=120,
)


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqr")
    plain = ["".join(rng.choice(letters, size=rng.integers(8, 22))) for _ in range(400)]
    plain[300:310] = plain[:10]
    turned = str.maketrans("abcdef", "bcdefg")
    columns = {"en": plain, "fr": ["zz" + one for one in plain], "de": [one.translate(turned) for one in plain]}
    return ParallelText.of("letters", pa.table(columns))


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(embeddings, "BLOCK_TEXTS", 64)


@pytest.mark.parametrize("cached", [True, False])
def test_r2_of_all_pairs_is_that_of_the_exact_ladder(letter_encoder, text, tmp_path, small_blocks, cached):
    cache = EmbeddingCache(tmp_path) if cached else None
    bitext = text.bitext("en", "fr")
    encoders = (letter_encoder, letter_encoder)
    found = run(encoders, bitext, QUICK, cache=cache, instruments=text)
    exact = run(encoders, bitext, dataclasses.replace(QUICK, exact_rows=400), cache=cache, instruments=text)
    assert found.provenance.corpus_fingerprint == exact.provenance.corpus_fingerprint == bitext.fingerprint
    for some, every in zip(found.directions, exact.directions, strict=True):
        assert (some.streamed.n, some.streamed.groups) == (every.n, every.groups) == (400, 390)
        assert 100 < some.n == some.streamed.sample <= 120
        assert some.geometry.instruments == every.geometry.instruments == ("de",)
        for rung, share in some.streamed.latent.items():
            assert share.value == pytest.approx(every.geometry.shares[rung].value, abs=0.1)
        for rung, scores in every.rungs.items():
            assert some.streamed.r2[rung].value == pytest.approx(scores.r2.value, abs=1e-6)
    sampled = {point.source_text for point in found.directions[0].explorer}
    assert sampled <= set(text.column("en"))

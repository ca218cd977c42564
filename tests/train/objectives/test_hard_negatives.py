from dataclasses import replace

import numpy as np
from polyglot.models.encoder import load_encoder
from polyglot.train.objectives.hard_negatives import mine_negatives


def test_mined_negatives_are_cached_under_the_fingerprint_of_the_model(base_folder, tmp_path, monkeypatch):
    encoder = load_encoder(str(base_folder), device="cpu")
    passages = [f"the {a} {s}" for a in ("big", "red", "old", "cold") for s in ("dog", "cat", "king", "child")]
    queries, relevant = [f"{p} eats" for p in passages], np.arange(16)
    settings = {"negatives": 2, "margin": 0.0, "cache": tmp_path}
    found = mine_negatives(encoder, queries, passages, relevant, **settings)
    assert all(row not in negatives for row, negatives in enumerate(found))
    assert sum(map(len, found)) > 0
    monkeypatch.setattr("polyglot.train.objectives.hard_negatives._mine", lambda *_: [[0]] * 16)
    assert mine_negatives(encoder, queries, passages, relevant, **settings) == found
    encoder.identity = replace(encoder.identity, fingerprint="moved")
    assert mine_negatives(encoder, queries, passages, relevant, **settings) == [[0]] * 16

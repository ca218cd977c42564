import json

import numpy as np
import pytest
from polyglot.errors import DataError, OutputError
from polyglot.models.encoder import load_encoder
from polyglot.train.finetune import run_finetune


@pytest.mark.parametrize("method", ["align", "distill", "anchor", "embeddings", "lora", "map"])
def test_every_method_ends_with_a_model_that_loads_and_beats_the_base(finetune_config, method):
    config = finetune_config(method=method)
    result = run_finetune(config)
    before, after = result.languages[0].before.retrieval, result.languages[0].after.retrieval
    assert after.cosine.value > before.cosine.value
    again = load_encoder(str(config.out / "model"), device="cpu")
    assert again.fingerprint == result.fingerprint
    assert again.base_fingerprint == result.base_fingerprint == load_encoder(config.model, device="cpu").fingerprint
    assert json.loads((config.out / "result.json").read_text())["schema"] == "polyglot/train/1"
    assert not (config.out / "state").exists()

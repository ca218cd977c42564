"""What would go wrong on an accelerator, seen without one: tensors on the device `meta` have a place but no numbers."""

import pytest
import torch
from polyglot.distributed import Processes
from polyglot.errors import ConfigError
from polyglot.train.config import PretrainConfig
from polyglot.train.engine import random_state as states
from polyglot.train.engine.lazy_adamw import LazyAdamW
from polyglot.train.engine.random_state import random_state, set_random_state
from polyglot.train.objectives.masked_language_model import MaskedObjective
from polyglot.train.stages.pretrain import run_pretrain

META = torch.device("meta")


def test_saved_moments_go_to_the_device_of_the_table():
    lazy = LazyAdamW(torch.nn.Parameter(torch.empty(4, 3, device=META)), lambda step: 1.0)
    saved = LazyAdamW(torch.nn.Parameter(torch.zeros(4, 3)), lambda step: 1.0).state()
    lazy.restore(saved)
    assert {tensor.device for tensor in lazy.state().values()} == {META}


def test_the_whole_table_is_finished_by_rows_of_its_own_device(monkeypatch):
    lazy = LazyAdamW(torch.nn.Parameter(torch.empty(4, 3, device=META)), lambda step: 1.0)
    asked = []
    monkeypatch.setattr(lazy, "catch_up", lambda rows, step: asked.append((rows.device, rows.shape, step)))
    lazy.finish(7)
    assert asked == [(META, (4,), 7)]


def test_a_resumed_table_does_not_share_memory_with_the_checkpoint():
    saved = LazyAdamW(torch.nn.Parameter(torch.zeros(4, 3)), lambda step: 1.0).state()
    lazy = LazyAdamW(torch.nn.Parameter(torch.zeros(4, 3)), lambda step: 1.0)
    lazy.restore(saved)
    lazy.step(torch.tensor([1]), torch.ones(1, 3), 1)
    assert lazy.last.tolist() == [0, 1, 0, 0]
    assert saved["last"].tolist() == [0, 0, 0, 0]


def test_the_decoder_is_where_the_model_is():
    from transformers import BertConfig, BertForMaskedLM

    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    with torch.device("meta"):
        model = BertForMaskedLM(BertConfig(vocab_size=11, **shape))
    config = PretrainConfig(second="retromae")
    objective = MaskedObjective(model, [], None, config, Processes())
    assert {parameter.device for parameter in objective.module.parameters()} == {META}
    assert len(list(objective.module["decoder"].parameters())) > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device is here")
def test_pretraining_goes_where_it_is_sent(corpus_file, tmp_path):
    from polyglot.train.config import DataConfig

    config = PretrainConfig(out=tmp_path / "run", device="cuda", data=DataConfig(corpus=(str(corpus_file),)))
    with pytest.raises(ConfigError, match="the device 'cuda' is not here"):
        run_pretrain(config)
    assert not (tmp_path / "run").exists()


def test_the_state_of_both_generators_is_kept(monkeypatch):
    own = torch.arange(16, dtype=torch.uint8)
    restored = []
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: own)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: restored.append((state.tolist(), device)))
    device = torch.device("cuda:1")
    state = states.random_state(device)
    drawn = torch.rand(3)
    set_random_state(state, device)
    assert torch.equal(torch.rand(3), drawn)
    assert restored == [(own.tolist(), device)]
    set_random_state(state, torch.device("cpu"))
    assert torch.equal(torch.rand(3), drawn)
    assert len(restored) == 1
    assert torch.equal(random_state(torch.device("cpu")), torch.get_rng_state())

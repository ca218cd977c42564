import json

import pytest
from polyglot.errors import ConfigError
from polyglot.train.config import ContrastiveConfig, DataConfig, LoopConfig
from polyglot.train.contrastive import run_contrastive


@pytest.fixture
def contrastive_config(base_folder, corpus_file, tmp_path):
    def make(out="run", **options):
        return ContrastiveConfig(
            out=tmp_path / out,
            model=str(base_folder),
            langs=("en", "fr"),
            mini_batch=8,
            certificate=False,
            device="cpu",
            loop=LoopConfig(batch_size=32, epochs=6, learning_rate=2e-3),
            data=DataConfig(corpus=(str(corpus_file),)),
            **options,
        )

    return make


@pytest.mark.parametrize("matryoshka", [(), (16, 8)])
def test_translations_come_near_each_other(contrastive_config, matryoshka):
    config = contrastive_config(matryoshka=matryoshka)
    outcome = run_contrastive(config).languages[0]
    assert outcome.after.retrieval.p_at_1.value > outcome.before.retrieval.p_at_1.value + 0.1
    assert json.loads((config.out / "result.json").read_text())["shares_space_with_base"] is False


def test_a_width_that_is_not_narrower_is_refused(contrastive_config):
    with pytest.raises(ConfigError, match="below 32"):
        run_contrastive(contrastive_config(matryoshka=(32,)))

import numpy as np
import pytest
from polyglot.errors import ConfigError, DataError
from polyglot.models.encoder import load_encoder
from polyglot.train.config import DataConfig, LoopConfig, PretrainConfig
from polyglot.train.stages.pretrain import run_pretrain


@pytest.fixture
def pretrain_config(corpus_file, tmp_path):
    def make(out="run", **options):
        options = {"length": 32, "size": "tiny", "vocabulary": 150, "langs": ("en",), **options}
        loop = LoopConfig(batch_size=8, epochs=options.pop("epochs", 4), learning_rate=3e-3, embedding_update="dense")
        return PretrainConfig(
            out=tmp_path / out, device="cpu", loop=loop, data=DataConfig(corpus=(str(corpus_file),)), **options
        )

    return make


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"architecture": "modernbert", "epochs": 2}, marks=pytest.mark.slow),
        {"second": "retromae"},
        {"langs": ("en", "fr")},
    ],
)
def test_the_held_out_loss_falls_and_the_encoder_loads(pretrain_config, options):
    config = pretrain_config(**options)
    before, after = run_pretrain(config).scores.values()
    assert after.value < before.value - 0.1
    assert np.isfinite(load_encoder(str(config.out / "model"), device="cpu").encode(["the dog"]).pooled).all()


def test_making_the_encoder_prints_nothing(pretrain_config, capfd):
    run_pretrain(pretrain_config(epochs=1))
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_long_rows_run_with_modernbert(pretrain_config):
    config = pretrain_config(architecture="modernbert", length=512, epochs=1)
    assert run_pretrain(config).speed.steps >= 1
    assert load_encoder(str(config.out / "model"), device="cpu").max_length == 8192


def test_a_model_is_trained_further_with_its_tokenizer(pretrain_config, base_folder):
    config = pretrain_config(model=str(base_folder), epochs=1)
    result = run_pretrain(config)
    assert result.model == str(base_folder)
    assert load_encoder(str(config.out / "model"), device="cpu").dim == 32


def test_rows_that_the_architecture_cannot_hold_are_refused(pretrain_config):
    with pytest.raises(ConfigError, match=r"\[8, 512\]"):
        pretrain_config(length=1024)


def test_too_little_text_is_refused(pretrain_config):
    with pytest.raises(DataError, match="smaller --length"):
        run_pretrain(pretrain_config(architecture="modernbert", length=4096))


def test_an_interrupted_pretraining_resumes_with_its_vocabulary(pretrain_config, monkeypatch, same_weights):
    import dataclasses

    from polyglot.train.engine.trainer import Trainer

    def every_ten(out, **options):
        config = pretrain_config(out, **options)
        return dataclasses.replace(config, loop=dataclasses.replace(config.loop, checkpoint_every=10))

    after_step = Trainer._after_step

    def stop(self, step, logger):
        after_step(self, step, logger)
        if step == 15:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_after_step", stop)
        with pytest.raises(KeyboardInterrupt):
            run_pretrain(every_ten("stopped"))
    run_pretrain(every_ten("stopped", resume=True))
    whole = every_ten("whole")
    run_pretrain(whole)
    same_weights(whole.out, whole.out.with_name("stopped"))

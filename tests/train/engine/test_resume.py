import json

import pytest
from polyglot.errors import ConfigError, OutputError
from polyglot.train.engine.run_folder import RunFolder
from polyglot.train.engine.trainer import Trainer
from polyglot.train.stages.finetune import run_finetune


def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(finetune_config, signal_at_step, same_weights):
    loop = {"checkpoint_every": 7, "dropout": "model"}
    whole = finetune_config("whole", loop=loop)
    run_finetune(whole)
    killed = finetune_config("killed", loop=loop)
    signal_at_step(killed, 17, "SIGKILL")
    assert [path.name for path in (killed.out / "state").iterdir()] == ["step-000000014"]
    assert not (killed.out / "model").exists()
    resumed = finetune_config("killed", loop=loop, resume=True)
    result = run_finetune(resumed)
    assert result.speed.pairs <= (result.speed.steps - 14) * 16
    assert list(result.speed.losses) == json.loads((whole.out / "result.json").read_text())["speed"]["losses"]
    same_weights(whole.out, killed.out)


def test_a_run_that_stopped_before_its_first_checkpoint_starts_again(finetune_config, monkeypatch, same_weights):
    def stop(self, step, logger):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_after_step", stop)
        with pytest.raises(KeyboardInterrupt):
            run_finetune(finetune_config())
    run_finetune(finetune_config(resume=True))
    run_finetune(finetune_config("other"))
    config = finetune_config()
    same_weights(config.out, config.out.with_name("other"))


def test_an_existing_run_is_refused_and_kept(finetune_config):
    config = finetune_config(loop={"epochs": 1})
    run_finetune(config)
    before = {p.name: p.stat().st_mtime_ns for p in config.out.rglob("*")}
    with pytest.raises(OutputError, match="a run already"):
        run_finetune(config)
    with pytest.raises(OutputError, match="finished"):
        run_finetune(finetune_config(loop={"epochs": 1}, resume=True))
    assert {p.name: p.stat().st_mtime_ns for p in config.out.rglob("*")} == before


def test_a_folder_with_other_files_is_refused(finetune_config):
    config = finetune_config()
    config.out.mkdir()
    (config.out / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="other files"):
        run_finetune(config)


def test_nothing_to_resume_is_said(finetune_config):
    with pytest.raises(OutputError, match="no run to resume"):
        run_finetune(finetune_config(resume=True))


def test_a_run_is_not_resumed_with_other_options(finetune_config, monkeypatch):
    def stop(self, step, logger):
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_after_step", stop)
    with pytest.raises(KeyboardInterrupt):
        run_finetune(finetune_config())
    with pytest.raises(ConfigError, match=r"learning_rate = 0.001, now it is 0.002"):
        run_finetune(finetune_config(resume=True, loop={"learning_rate": 2e-3}))


def test_a_full_disk_is_an_error_that_keeps_the_last_checkpoint(finetune_config, monkeypatch):
    import safetensors.torch as library

    save, calls = library.save_file, []

    def full(tensors, path, *rest):
        calls.append(path)
        if len(calls) > 4:
            raise OSError(28, "No space left on device")
        save(tensors, path, *rest)

    config = finetune_config(loop={"checkpoint_every": 7})
    with monkeypatch.context() as patched:
        patched.setattr(library, "save_file", full)
        with pytest.raises(OutputError, match=r"No space left.*--resume"):
            run_finetune(config)
    assert [path.name for path in (config.out / "state").iterdir()] == ["step-000000007"]
    run_finetune(finetune_config(loop={"checkpoint_every": 7}, resume=True))
    assert json.loads((config.out / "result.json").read_text())["stage"] == "finetune"


def test_a_model_that_cannot_be_written_leaves_the_checkpoint(tmp_path):
    folder = RunFolder(tmp_path)

    def fail(path):
        (path / "half").write_text("…")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="the model cannot be written"):
        folder.save_model(fail, base_fingerprint="f", card="")
    assert list(tmp_path.iterdir()) == []

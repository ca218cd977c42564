import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
import torch
from polyglot.errors import ConfigError, OutputError
from polyglot.train.finetune import run_finetune
from polyglot.train.loop import Loop
from polyglot.train.rundir import RunFolder
from safetensors.torch import load_file


def weights(run):
    return load_file(run / "model" / "model.safetensors")


def assert_same(one, other):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=1e-6, rtol=0)


def killing_script(config, folder, step):
    """Give a program that runs a configuration and kills itself without warning after a step."""
    return textwrap.dedent(
        f"""
        import os, signal
        from pathlib import Path
        from polyglot.train.config import DataConfig, FinetuneConfig, LoopConfig, RetentionConfig
        from polyglot.train.finetune import run_finetune
        from polyglot.train.loop import Loop

        kept = Loop._after

        def after(self, step, notes, began):
            kept(self, step, notes, began)
            if step == {step}:
                os.kill(os.getpid(), signal.SIGKILL)

        Loop._after = after
        PosixPath = Path
        run_finetune({config!r})
        """
    )


def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(finetune_config, tmp_path):
    loop = {"checkpoint_every": 7, "dropout": "model"}
    whole = finetune_config("whole", loop=loop)
    run_finetune(whole)
    killed = finetune_config("killed", loop=loop)
    program = tmp_path / "program.py"
    program.write_text(killing_script(killed, tmp_path, step=17))
    done = subprocess.run(
        [sys.executable, str(program)], env=dict(os.environ), check=False, timeout=120, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [path.name for path in (killed.out / "state").iterdir()] == ["step-000000014"]
    assert not (killed.out / "model").exists()
    resumed = finetune_config("killed", loop=loop, resume=True)
    result = run_finetune(resumed)
    assert result.speed.pairs <= (result.speed.steps - 14) * 16
    assert_same(whole.out, killed.out)


def test_a_run_that_stopped_before_its_first_checkpoint_starts_again(finetune_config, monkeypatch):
    def stop(self, step, notes, began):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_after", stop)
        with pytest.raises(KeyboardInterrupt):
            run_finetune(finetune_config())
    run_finetune(finetune_config(resume=True))
    run_finetune(finetune_config("other"))
    config = finetune_config()
    assert_same(config.out, config.out.with_name("other"))


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
    with pytest.raises(OutputError, match="no run that could be resumed"):
        run_finetune(finetune_config(resume=True))


def test_a_run_is_not_resumed_with_other_options(finetune_config, monkeypatch):
    def stop(self, step, notes, began):
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "_after", stop)
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

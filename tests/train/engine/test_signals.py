"""Ctrl-C, SIGTERM and a full disk, to a real process."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
from polyglot.train.engine.signals import Interrupted, handle_signals
from polyglot.train.stages.finetune import run_finetune

OPTIONS = {"batch_size": 16, "epochs": 10, "learning_rate": 1e-3, "precision": "float32", "checkpoint_every": 1000}


def typed(config, *more):
    given = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    return [
        *("train", "finetune", "--lang", "fr", "--model", config.model, "--corpus", config.data.corpus[0]),
        *("--run", str(config.out), "--no-certificate", "--device", "cpu", "--quiet", "--dropout", "model"),
        *given,
        *more,
    ]


def started(config, *more):
    return subprocess.Popen(
        [sys.executable, "-m", "polyglot", *typed(config, *more)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},  # other sums otherwise
    )


def wait_for_steps(process, config, text):
    """Wait until the run has written a line of metrics."""
    path = config.out / "metrics.jsonl"
    for _ in range(1200):
        if path.exists() and text in path.read_text():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("no step was taken in a minute")


STOPS = [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]


@pytest.mark.parametrize(("number", "code"), STOPS)
def test_a_run_that_is_stopped_saves_its_step_and_resumes(finetune_config, same_weights, number, code):
    config = finetune_config("stopped", loop={**OPTIONS, "dropout": "model"})
    process = started(config, "--evaluate-every", "10")
    wait_for_steps(process, config, "P@1")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in out + err
    step = int(re.match(r"interrupted: step (\d+) of \d+ is saved; continue with: polyglot train .* --resume$", err)[1])
    assert [path.name for path in (config.out / "state").iterdir()] == [f"step-{step:09d}"]
    if number == signal.SIGTERM:
        return
    run_finetune(finetune_config("stopped", loop={**OPTIONS, "dropout": "model", "evaluate_every": 10}, resume=True))
    run_finetune(finetune_config("whole", loop={**OPTIONS, "dropout": "model"}))
    same_weights(config.out, config.out.with_name("whole"), atol=1e-6)


def test_a_full_disk_ends_in_one_line_and_the_run_resumes(finetune_config):
    """A file size limit makes the kernel refuse the model file as a full disk would refuse it."""
    import resource

    config = finetune_config("full")
    process = subprocess.run(
        [sys.executable, "-m", "polyglot", *typed(config, "--max-steps", "4", "--checkpoint-every", "2")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},  # other sums otherwise
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )
    assert process.returncode == 1, process.stderr
    said = process.stderr.splitlines()
    assert re.fullmatch(r"error: .* cannot be written to .*--resume.*", said[-1])
    assert "Traceback" not in process.stderr
    assert not (config.out / "model").exists()
    loop = {**OPTIONS, "dropout": "model", "max_steps": 4, "checkpoint_every": 2}
    assert run_finetune(finetune_config("full", loop=loop, resume=True)).speed.steps == 4


def test_signals_are_deferred_within_steps_and_a_second_one_is_not():
    with handle_signals() as signals, signals.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.pending == signal.SIGTERM
        with pytest.raises(Interrupted) as second:
            os.kill(os.getpid(), signal.SIGINT)
        assert second.value.signal == signal.SIGINT
        signals.pending = None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_after_the_last_check_is_not_lost():
    with handle_signals() as signals, pytest.raises(Interrupted), signals.deferred():
        os.kill(os.getpid(), signal.SIGTERM)


def test_repeated_signals_of_a_launcher_are_deferred():
    with handle_signals(defer_repeated=True) as signals, signals.deferred():
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert signals.pending == signal.SIGTERM
        signals.pending = None


def test_another_thread_handles_nothing():
    import threading

    seen = []

    def look():
        with handle_signals() as signals:
            seen.append(signals.pending)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [None]
    assert signal.getsignal(signal.SIGTERM) is before

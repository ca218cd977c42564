"""Forks processes that run the command line: the imports are paid once, and each run is a process of its own.

Orders come as lines of JSON, answers go back as lines: the process number of a started run, the exit code of an awaited
one. What is to happen to a run (a kill in the middle of its work) is done here, in the test's own wrapper around the
command line; the product knows nothing of it.
"""

import functools
import itertools
import json
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

import polyglot.probe.linear_map.run
import polyglot.probe.retrieval.run
import polyglot.study.outcome
import polyglot.study.run
import polyglot.train.stages.finetune  # noqa: F401 - paid once
import sentence_transformers  # noqa: F401 - paid once
from polyglot.cli import main
from polyglot.files import scratch_name
from polyglot.models import embeddings as encoded
from polyglot.models.encoder import Encoder
from polyglot.probe.experiment import held_out
from polyglot.probe.linear_map import config as linear_map_config
from polyglot.render import write
from polyglot.study import cell_run
from polyglot.train.engine.trainer import Trainer

BLOCK_TEXTS = 64  # so that a small corpus makes several shards
QUICK = {"power_replicates": 0, "failure": False, "resamples": 100}
CRASHED = 70  # the exit code where the command line let an exception through


def kill_in_third_block(_):
    blocks, encode = [], Encoder.encode_block

    def killed(self, texts, **options):
        blocks.append(texts)
        if len(blocks) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return encode(self, texts, **options)

    Encoder.encode_block = killed


def kill_while_a_shard_is_written(_):
    """Half of the third array is on the disk, under its scratch name."""
    written, fsync = [], os.fsync

    def killed(descriptor):
        written.append(descriptor)
        if len(written) == 5:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        fsync(descriptor)

    os.fsync = killed


def kill_at_the_fourth_step(_):
    """A checkpoint was saved at the second step."""
    step_of = Trainer._step

    def killed(self, batch):
        if batch.step == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return step_of(self, batch)

    Trainer._step = killed


def kill_before_the_training_is_a_cell(_):
    """The run is finished, its result is not yet among the cells."""
    written = cell_run.write_text

    def killed(path, text):
        if path.name.startswith("finetune"):
            os.kill(os.getpid(), signal.SIGKILL)
        written(path, text)

    cell_run.write_text = killed


def note_cells(path):
    """Append the name of every cell that this process runs to a file, and who it is."""
    run = cell_run.CellRunner.run

    def noted(self, cell):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {cell.name}\n")
        run(self, cell)

    cell_run.CellRunner.run = noted


def be_of_two(rank):
    """Be one of two processes that torchrun started."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2"}


def kill_in_the_null(_):
    """The ladder of both directions is fitted, or nearly; nothing of it is written yet."""
    held_out.permutation_null = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)


def kill_while_the_page_is_written(_):
    def killed(path, text):
        scratch_name(path).write_text(text[: len(text) // 2], encoding="utf-8")
        os.kill(os.getpid(), signal.SIGKILL)

    write.write_text = killed


def kill_while_the_result_is_written(_):
    def killed(self, _):
        os.kill(os.getpid(), signal.SIGKILL)

    Path.replace = killed


def wait_in_second_block(flag):
    """Say by a file that the work has begun, and go on slowly, so that a signal meets it there."""
    encode = Encoder.encode_block

    def slow(self, texts, **options):
        made = encode(self, texts, **options)
        if any(Path(os.environ["POLYGLOT_CACHE"]).rglob("pooled.json")):
            Path(flag).touch()
            time.sleep(60)
        return made

    Encoder.encode_block = slow


def wait_in_the_null(flag):
    """Say by a file that both directions are at work, and compute on for long, as threads do that hold no lock."""

    def long(*_, **__):
        Path(flag).touch()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            time.sleep(0.05)

    held_out.permutation_null = long


def jumping_clock(_):
    """Let the wall clock jump back and forth by decades, as on a machine that sets it late."""
    jumps = itertools.cycle((0.0, -1e9, 2e9))
    clock = time.time
    time.time = lambda: clock() + next(jumps)


def small_files_only(size):
    """Let every write beyond so many bytes of a file fail, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))


def run(arguments):
    """Be the command line once, and return its exit code."""
    sys.argv = ["polyglot", *arguments]
    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def start(order):
    """Become a run of the command line, as a new process would."""
    for descriptor, name in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), descriptor)
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    for name, value in order["hooks"].items():
        globals()[name](value)
    code = CRASHED
    try:
        code = run(order["arguments"])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    encoded.BLOCK_TEXTS = BLOCK_TEXTS
    linear_map_config.LinearMapConfig = functools.partial(linear_map_config.LinearMapConfig, **QUICK)
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "here":  # in this process, so that all later runs find their modules loaded
            answer = run(order["arguments"])
        elif order["do"] == "wait":
            answer = os.waitstatus_to_exitcode(os.waitpid(order["process"], 0)[1])
        elif not (answer := os.fork()):
            start(order)
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    serve()

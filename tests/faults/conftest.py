"""Real processes for the faults: a tiny model, a small corpus, and a server that forks the command line."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
PAIRS = 200  # four shards a side
PATIENCE_SECONDS = 120


@dataclass
class Run:
    """A command line at work or done."""

    server: "Server"
    process: int
    folder: Path

    def wait(self):
        return self.server.ask(do="wait", process=self.process)

    @property
    def out(self):
        return (self.folder / "out").read_text(encoding="utf-8")

    @property
    def err(self):
        return (self.folder / "err").read_text(encoding="utf-8")


@dataclass
class Server:
    """Starts the command line in processes of its own."""

    process: subprocess.Popen
    runs: int = 0

    def ask(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, folder, *arguments, cache=None, **hooks):
        self.runs += 1
        notes = folder / f"run{self.runs}"
        notes.mkdir(parents=True)
        environment = {"POLYGLOT_CACHE": str(cache or folder / "cache")}
        process = self.ask(
            do="start",
            arguments=list(map(str, arguments)),
            folder=str(folder),
            environment=environment,
            hooks=hooks,
            out=str(notes / "out"),
            err=str(notes / "err"),
        )
        return Run(self, process, notes)

    def run(self, folder, *arguments, cache=None, **hooks):
        """Return the exit code and the run."""
        run = self.start(folder, *arguments, cache=cache, **hooks)
        return run.wait(), run


@pytest.fixture(scope="session")
def polyglot(tmp_path_factory):
    cache = tmp_path_factory.mktemp("first") / "cache"
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    process = subprocess.Popen(
        [sys.executable, str(HERE / "forks.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **one_thread, "TOKENIZERS_PARALLELISM": "false", "POLYGLOT_CACHE": str(cache)},
    )
    yield Server(process)
    process.stdin.close()
    process.wait(timeout=PATIENCE_SECONDS)
    process.stdout.close()


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """The tiny model of the tests of models/."""
    spec = importlib.util.spec_from_file_location("tiny_models", HERE.parent / "models" / "conftest.py")
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    return tiny.build_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Random words and the same words with other letters."""
    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnop")
    turned = str.maketrans("abcdef", "bcdefg")
    lines = ["en\tfr"]
    for _ in range(PAIRS):
        text = " ".join("".join(rng.choice(letters, size=rng.integers(2, 6))) for _ in range(6))
        lines.append(f"{text}\tzz {text.translate(turned)}")
    path = tmp_path_factory.mktemp("corpus") / "pairs.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def command(model, corpus):
    """A probe that takes a third of a second."""
    return probe_of("retrieval", model, corpus)


@pytest.fixture(scope="session")
def certificate(model, corpus):
    """A probe that takes a second, most of it in two threads."""
    return [*probe_of("linear-map", model, corpus), "--permutations", "2"]


def probe_of(name, model, corpus):
    return ["probe", name, "en", "fr", "--model", model, "--corpus", corpus, "--device", "cpu", "--quiet",
            "--force", "--out", "reports"]  # fmt: skip


@pytest.fixture(scope="session")
def undisturbed(polyglot, command, certificate, tmp_path_factory):
    """Folder of runs that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for arguments in (command, certificate):
        moved = [str(folder / "reports") if argument == "reports" else str(argument) for argument in arguments]
        assert polyglot.ask(do="here", arguments=moved) == 0
    return folder


def result_of(folder, probe="retrieval"):
    """Return a run's result without what changes from run to run."""
    result = json.loads((folder / "reports" / probe / "en-fr.json").read_text(encoding="utf-8"))
    for name in ("time", "host", "seconds", "command"):
        result["provenance"].pop(name)
    return result


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def wait_for(path):
    until = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < until, f"{path} never came"
        time.sleep(0.02)

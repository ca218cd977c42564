"""`torchrun -m polyglot train …` itself, with two processes on the CPU."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from polyglot.models.encoder import load_encoder

TEXTS = ["le grand chien mange le pain", "the big dog eats the bread", "der the king sees the fire x3"]


def trained(out, launcher, model, corpus):
    """Train in two languages from the command line and return (result, embeddings, stdout)."""
    command = [
        *(sys.executable, "-m", *launcher, "polyglot", "train", "finetune", "--lang", "fr", "--lang", "de"),
        *("--model", str(model), "--corpus", str(corpus), "--out", str(out), "--method", "distill"),
        *("--batch-size", "16", "--max-steps", "14", "--evaluate-every", "7", "--patience", "3", "--quiet"),
        *("--learning-rate", "1e-3", "--precision", "float32", "--no-certificate", "--device", "cpu"),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((out / "result.json").read_text())
    return result, load_encoder(str(out / "model"), device="cpu").encode(TEXTS).pooled, done.stdout


@pytest.mark.slow
def test_two_processes_of_torchrun_end_as_one_process_does(base_folder, corpus_file, tmp_path):
    corpus = tmp_path / "three.tsv"
    lines = corpus_file.read_text().splitlines()
    third = ["fr\ten\tde", *(f"{line}\tder {line.split(chr(9))[1]} x{i}" for i, line in enumerate(lines[1:]))]
    corpus.write_text("\n".join(third) + "\n")
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    one, alone, _ = trained(tmp_path / "one", [], base_folder, corpus)
    two, shared, out = trained(tmp_path / "two", launcher, base_folder, corpus)
    np.testing.assert_allclose(alone, shared, atol=1e-4)
    assert np.abs(alone - load_encoder(str(base_folder), device="cpu").encode(TEXTS).pooled).max() > 0.05
    assert (one["speed"]["processes"], two["speed"]["processes"]) == (1, 2)
    assert one["speed"]["pairs"] == two["speed"]["pairs"]
    assert [m["step"] for m in two["course"]["moments"]] == [7, 14]
    assert out.count("run: ") == 1
    assert not list((tmp_path / "two").rglob(".*.part"))

import json
import os
import socket
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from polyglot.models.encoder import load_encoder
from polyglot.train.stages.finetune import run_finetune


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_in_two(tmp_path, configs):
    """Run configurations one after another in two processes that talk through gloo."""
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import torch
            from pathlib import Path
            from polyglot.train.config import ContrastiveConfig, DataConfig, FinetuneConfig, LoopConfig, RetentionConfig
            from polyglot.train.stages.contrastive import run_contrastive
            from polyglot.train.stages.finetune import run_finetune

            torch.set_num_threads(1)
            torch.distributed.init_process_group("gloo")
            PosixPath = Path
            for config in {configs!r}:
                (run_finetune if isinstance(config, FinetuneConfig) else run_contrastive)(config)
            torch.distributed.destroy_process_group()
            """
        )
    )
    port = str(free_port())
    shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    running = [
        subprocess.Popen(
            [sys.executable, str(program)],
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for process in running:
            _, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors
    finally:
        for process in running:
            process.kill()


def embedded(folder):
    texts = [
        "le grand chien mange le pain",
        "the big dog eats the bread",
        "le roi voit le feu",
        "the king sees the fire",
    ]
    return load_encoder(str(folder), device="cpu").encode(texts).pooled


def speed(run):
    return json.loads((run / "result.json").read_text())["speed"]


@pytest.mark.slow
def test_two_processes_train_as_one_does(finetune_config, base_folder, corpus_file, tmp_path):
    from polyglot.train.config import ContrastiveConfig, DataConfig, LoopConfig

    def make(out):
        return finetune_config(out, loop={"max_steps": 12, "checkpoint_every": 5}, anchor_share=1.0)

    corpus = tmp_path / "three.tsv"
    lines = corpus_file.read_text().splitlines()
    third = ["fr\ten\tde", *(f"{line}\tder {line.split(chr(9))[1]} x{i}" for i, line in enumerate(lines[1:]))]
    corpus.write_text("\n".join(third) + "\n")
    contrastive = ContrastiveConfig(
        out=tmp_path / "several",
        model=str(base_folder),
        langs=("en", "fr", "de"),
        mini_batch=4,
        certificate=False,
        device="cpu",
        loop=LoopConfig(batch_size=16, max_steps=8, precision="float32"),
        data=DataConfig(corpus=(str(corpus),)),
    )
    run_in_two(tmp_path, [make("two"), contrastive])
    run_finetune(make("one"))
    # Weights whose gradient is zero but for rounding, as biases of keys, are moved by rounding alone.
    vectors = [embedded(tmp_path / run / "model") for run in ("one", "two")]
    np.testing.assert_allclose(*vectors, atol=1e-4)
    assert np.abs(vectors[0] - embedded(base_folder)).max() > 0.05
    assert speed(tmp_path / "two")["processes"] == 2
    assert abs(speed(tmp_path / "one")["pairs"] - speed(tmp_path / "two")["pairs"]) <= 12
    assert speed(tmp_path / "several")["steps"] == 8

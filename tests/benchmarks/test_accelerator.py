"""The benchmark of an accelerator runs at tiny sizes on the processor, and sees a number that differs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2] / "benchmarks"
PARTS = ("bare product", "bare copy", "encode in bfloat16", "encode in float32", "moments", "nearest by CSLS")
PARTS += ("ranks by cosine and CSLS", "contrastive step, cached gradients", "closed-form ladder")


def run(*words, **options):
    done = subprocess.run(
        [sys.executable, *words], cwd=HERE, capture_output=True, text=True, check=False, timeout=300, **options
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def card(monkeypatch):
    """The module beside the script; its name is taken by nothing else."""
    monkeypatch.syspath_prepend(str(HERE))
    import card

    yield card
    del sys.modules["card"]


def test_tiny_sizes_run_on_the_processor(tmp_path):
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "POLYGLOT_CACHE": str(tmp_path / "cache")}
    out = tmp_path / "found.json"
    words = ("accelerator.py", "--device", "cpu", "--tiny", "--out", str(out))
    code, said, problems = run(*words, env=environment)
    assert code == 0, problems
    rows = [row.split(" | ") for row in said.splitlines() if row.startswith("| ")][1:]
    assert {len(row) for row in rows} == {6}
    for part in PARTS:
        assert any(row[0].startswith(f"| {part}") for row in rows), part
    assert "DIFFERS" not in said
    assert [f"| {found['claim'].removesuffix(', the processor')}" for found in json.loads(out.read_text())] == [
        row[0] for row in rows
    ]


def test_a_number_that_differs_or_is_none_ends_with_status_1():
    program = (
        "import accelerator\n"
        "apart = {'product': 0.2, 'copy': float('nan'), 'search': 0.1}\n"
        "lines = [accelerator.Line(n, [1.0], {}, 'card', {'entries': (a, 0.1)}) for n, a in apart.items()]\n"
        "accelerator.PARTS = (lambda bench: lines,)\n"
        "accelerator.build_model = lambda bench: None\n"
        "raise SystemExit(accelerator.main(['--device', 'cpu', '--tiny']))"
    )
    code, said, problems = run("-c", program)
    assert code == 1, problems
    assert said.count("(≤ 0.1, DIFFERS)") == 2
    assert problems.splitlines()[-2:] == [f"differs from the processor: {name}" for name in ("product", "copy")]


def test_rates_stand_beside_the_peaks_of_a_known_card(card, monkeypatch):
    monkeypatch.setattr(card.torch.cuda, "get_device_name", lambda device: names.pop(0))
    names = ["NVIDIA H200", "NVIDIA H100 PCIe", "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-40GB", "Other"]
    found = [card.card("cuda")[1] for _ in range(5)]
    assert found == [*(card.PEAKS[name] for name in ("H200", "H100 PCIe", "H100", "A100")), None]
    amounts = {"tokens/s": 10.0, "float32 TFLOP/s": 67e12, "GB/s": 2400e9}
    line = card.Line("work", [2.0, 1.0, 4.0], amounts, "card", {"rows": (1e-7, 1e-6)})
    assert line.row(found[0]) == (
        "| work | card | 2 [1, 4] | 5 tokens/s, 33.5 float32 TFLOP/s, 1.2e+03 GB/s | 50% of 67, 25% of 4800 | "
        "rows: 1.0e-07 (≤ 1e-06) |"
    )
    assert " | – | " in line.row(None)

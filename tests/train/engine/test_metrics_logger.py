import sys
import types

from polyglot.train.engine.metrics_logger import lines_until
from polyglot.train.stages.finetune import run_finetune


def test_metrics_of_later_steps_and_incomplete_lines_are_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 5, "loss": 1}\n{"step": 9, "loss": 2}\nnonsense\n{"step": 5')
    assert lines_until(path, 5) == ['{"step": 5, "loss": 1}\n']
    assert lines_until(tmp_path / "missing", 5) == []


def test_numbers_go_to_tensorboard_if_installed(finetune_config, monkeypatch):
    written = []

    class SummaryWriter:
        def __init__(self, folder, purge_step):
            written.append(("folder", purge_step))

        def add_scalar(self, name, number, step):
            written.append((name, step))

        def close(self):
            written.append(("closed", 0))

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    run_finetune(finetune_config(loop={"max_steps": 6, "evaluate_every": 3}))
    assert written == [("folder", 1), ("loss", 3), ("P@1", 3), ("loss", 6), ("P@1", 6), ("closed", 0)]

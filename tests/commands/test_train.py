"""The options of `polyglot train`: what is typed arrives in the configuration, and what errors name exists."""

import re
from pathlib import Path

import polyglot.train
import pytest
import typer
from polyglot.cli import application
from polyglot.commands import train
from polyglot.train.config import ContrastiveConfig, FinetuneConfig, PretrainConfig
from typer.testing import CliRunner

COMMANDS = ("finetune", "contrastive", "pretrain")


def configured(monkeypatch, stage, *arguments):
    """Return the configuration that a command line makes."""
    seen = []
    monkeypatch.setattr(train, "_run", lambda run, config, quiet: seen.append(config))
    result = CliRunner().invoke(application(), ["train", stage, *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return seen[0]


def options_of(stage):
    command = typer.main.get_command(application()).commands["train"].commands[stage]
    return {option for parameter in command.params for option in parameter.opts}


def test_defaults_are_those_of_the_configurations(monkeypatch):
    assert configured(monkeypatch, "finetune", "--lang", "fr") == FinetuneConfig(langs=("fr",))
    assert configured(monkeypatch, "contrastive") == ContrastiveConfig()
    assert configured(monkeypatch, "pretrain") == PretrainConfig()


def test_run_folders_are_named_after_stage_method_and_languages():
    assert FinetuneConfig(langs=("fr",)).folder == Path("runs/finetune-align-fr")
    assert FinetuneConfig().folder == Path("runs/finetune-align-questions")
    assert ContrastiveConfig().folder == Path("runs/contrastive-en-fr")
    assert PretrainConfig().folder == Path("runs/pretrain-bert-small-en")
    assert PretrainConfig(out=Path("elsewhere")).folder == Path("elsewhere")


@pytest.mark.parametrize(
    ("typed", "where", "value"),
    [
        ("--retention-questions q", "retention.questions", Path("q")),
        ("--sts s.csv", "retention.sts", Path("s.csv")),
        ("--no-certificate", "certificate", False),
        ("--precision float32", "loop.precision", "float32"),
        ("--held-out 0.2", "data.held_out", 0.2),
        ("--skip-bad", "data.skip_bad", True),
        ("--columns -,fr,en", "data.columns", ("-,fr,en",)),
        ("--anchor-weight 1.5", "anchor_weight", 1.5),
        ("--pull-weight 0.5", "pull_weight", 0.5),
        ("--lora-rank 4", "lora_rank", 4),
        ("--negatives 5", "negatives", 5),
        ("--checkpoint-every 7", "loop.checkpoint_every", 7),
        ("--pivot de", "pivot", "de"),
        ("--certify-every 9", "loop.certify_every", 9),
        ("--evaluate-every 3 --patience 2", "loop.patience", 2),
        ("--warmup 0.2", "loop.warmup", 0.2),
        ("--dropout model", "loop.dropout", "model"),
        ("--out elsewhere", "out", Path("elsewhere")),
        ("--seed 4", "loop.seed", 4),
        ("--evaluation a.tsv --evaluation b.tsv", "data.evaluation", ("a.tsv", "b.tsv")),
    ],
)
def test_what_is_typed_arrives(monkeypatch, typed, where, value):
    found = configured(monkeypatch, "finetune", "--lang", "fr", *typed.split())
    for name in where.split("."):
        found = getattr(found, name)
    assert found == value


def test_what_other_stages_take_arrives(monkeypatch):
    made = configured(
        monkeypatch, "contrastive", "--lang", "en", "--mini-batch", "8", "--pairs", "questions", "--questions", "q"
    )
    assert (made.langs, made.mini_batch, made.pairs, made.questions) == (("en",), 8, ("questions",), Path("q"))
    assert configured(monkeypatch, "pretrain", "--masked", "0.15").masked == 0.15


def test_every_option_that_a_message_names_exists():
    named = {
        option
        for path in Path(polyglot.train.__file__).parent.rglob("*.py")
        for option in re.findall(r"--[a-z][a-z-]+[a-z]", path.read_text(encoding="utf-8"))
    }
    of_probes = {"--target-model"}  # with which the model that was trained is measured
    assert named - {option for stage in COMMANDS for option in options_of(stage)} == of_probes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("finetune --lang fr --method magic", "--method"),
        ("finetune --lang fr --precision float16", "--precision"),
        ("finetune --lang fr --held-out 0.9", "--held-out"),
        ("finetune --lang fr --patience 2", "--evaluate-every"),
        ("finetune --lang en", "--lang en"),
        ("contrastive --lang en --pairs translations", "a second --lang"),
        ("contrastive --lang en --pairs nonsense", "--pairs"),
        ("pretrain --masked 1.5", "--masked"),
    ],
)
def test_values_out_of_range_are_one_line(monkeypatch, capsys, tmp_path, arguments, said):
    from polyglot.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["polyglot", "train", *arguments.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    error = capsys.readouterr().err
    assert stop.value.code == 1
    assert said in error
    assert len(error.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []

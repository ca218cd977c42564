"""What is measured on the way, and what it decides."""

import dataclasses
import json

import numpy as np
import pytest
from polyglot.errors import ConfigError, DataError
from polyglot.models.encoder import load_encoder
from polyglot.probe.results.serialization import from_json
from polyglot.probe.results.training import TrainResult
from polyglot.train.config import DataConfig, LoopConfig, PretrainConfig
from polyglot.train.engine.history import RunHistory
from polyglot.train.evaluation.evaluators import PairEvaluator
from polyglot.train.evaluation.splits import open_pairs
from polyglot.train.stages.finetune import run_finetune
from polyglot.train.stages.pretrain import run_pretrain
from safetensors.torch import load_file

EVALUATED = {"evaluate_every": 6, "certify_every": 12, "checkpoint_every": 7, "dropout": "model"}
HELD = {"held_out": 0.35}


def kept_result(run):
    return from_json((run / "result.json").read_text(), TrainResult)


def metrics(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("patience", [pytest.param(None, marks=pytest.mark.slow), 9])
def test_score_and_certificate_along_the_way_survive_a_kill(finetune_config, signal_at_step, same_weights, patience):
    loop = {**EVALUATED, "patience": patience}
    whole = finetune_config("whole", loop=loop, data=HELD)
    result = run_finetune(whole)
    evaluations = result.course.moments
    last = result.course.steps
    assert [m.step for m in evaluations if m.score is not None] == sorted({*range(6, last + 1, 6), last})
    assert [m.step for m in evaluations if m.certificates] == sorted({*range(12, last + 1, 12), last})
    if patience is None:
        assert evaluations[-1].score == result.languages[0].after.retrieval.p_at_1.value
    else:
        assert result.course.kept_step == max(evaluations, key=lambda evaluation: evaluation.score or 0).step
    assert {"identity", "rotation", "linear"} <= set(evaluations[-1].certificates["fr"].r2)

    killed = finetune_config("killed", loop=loop, data=HELD)
    signal_at_step(killed, 15, "SIGKILL")
    again = run_finetune(finetune_config("killed", loop=loop, data=HELD, resume=True))
    same_weights(whole.out, killed.out)
    assert again.speed.losses == result.speed.losses
    assert again.course == result.course == kept_result(killed.out).course
    assert metrics(killed.out) == metrics(whole.out)


def test_evaluation_does_not_change_the_training(finetune_config, same_weights):
    run_finetune(finetune_config("seen", loop=EVALUATED | {"certify_every": None}))
    run_finetune(finetune_config("unseen", loop={"checkpoint_every": 7, "dropout": "model"}))
    config = finetune_config("seen")
    same_weights(config.out, config.out.with_name("unseen"))


class Falling:
    """An evaluator whose score rises up to a step and then falls."""

    name = "P@1"

    def __init__(self, encoder, datasets, seed):
        self.scores = iter([0.1, 0.3, 0.2, 0.3, 0.1, 0.0])

    def evaluate(self, *, certify):
        return next(self.scores), {}


def test_patience_ends_a_run_with_its_best_weights(finetune_config, monkeypatch):
    loop = {"evaluate_every": 4, "checkpoint_every": 100, "epochs": 3}
    short = finetune_config("short", loop={**loop, "patience": 2})
    with monkeypatch.context() as patched:
        patched.setattr(PairEvaluator, "of", lambda encoder, datasets, loop: Falling(encoder, datasets, loop.seed))
        result = run_finetune(short)
    assert (result.course.kept_step, result.course.steps) == (8, 16)
    assert result.course.stopped_early
    assert result.speed.steps == 16
    assert "step 8" in (short.out / "model" / "README.md").read_text()
    assert not (short.out / "state").exists()

    # The weights of step 8 are those of the same run seen at step 8.
    seen = {}
    monkeypatch.setattr(
        "polyglot.train.engine.run_folder.RunFolder.save_best", lambda self, weights: seen.update(copied(weights))
    )
    monkeypatch.setattr("polyglot.train.engine.run_folder.RunFolder.load_best", lambda self: dict(seen))
    monkeypatch.setattr(PairEvaluator, "of", lambda encoder, datasets, loop: Falling(encoder, datasets, loop.seed))
    run_finetune(finetune_config("other", loop={**loop, "patience": 2}))
    saved = load_file(short.out / "model" / "model.safetensors")
    assert all(
        np.array_equal(saved[name.split("0.model.")[-1]], tensor) for name, tensor in seen.items() if "model." in name
    )


def copied(weights):
    return {name: tensor.clone() for name, tensor in weights.items()}


def test_the_rows_that_decide_are_not_those_that_are_reported(corpus_file):
    data = DataConfig(corpus=(str(corpus_file),))
    plain = open_pairs(data, "fr", "en", LoopConfig())
    deciding = open_pairs(data, "fr", "en", LoopConfig(evaluate_every=5, patience=2))
    assert plain.validation is plain.held_out or plain.validation.fingerprint == plain.held_out.fingerprint
    assert deciding.held_out.fingerprint == plain.held_out.fingerprint
    parts = [set(part.sources) for part in (deciding.training, deciding.held_out, deciding.validation)]
    assert len(set.union(*parts)) == sum(map(len, parts)) == len(plain.training) + len(plain.held_out)


def test_the_first_of_equal_scores_is_the_best():
    history = RunHistory(LoopConfig(evaluate_every=1, patience=2), 10)
    for step, score in enumerate([0.2, 0.5, None, 0.5], start=1):
        history.losses.append(float(step))
        history.add(step, score, {})
    assert history.best.step == 2
    assert not history.out_of_patience
    history.add(5, 0.4, {})
    assert history.out_of_patience
    assert history.evaluations[1].loss == 2.0


def test_too_few_rows_for_a_certificate_are_refused_before_training(finetune_config):
    with pytest.raises(DataError, match=r"--certify-every needs 100 held-out pairs, there are 40"):
        run_finetune(finetune_config(loop={"certify_every": 5}))


def test_questions_are_evaluated_and_decide(finetune_config):
    config = dataclasses.replace(finetune_config(loop={"epochs": 1, "evaluate_every": 4, "patience": 5}), langs=())
    course = run_finetune(config).course
    assert course.score == "nDCG@10"
    assert course.kept_step == max(course.moments, key=lambda evaluation: evaluation.score).step


def test_pretraining_keeps_the_best_weights(corpus_file, tmp_path):
    config = PretrainConfig(
        out=tmp_path / "run",
        size="tiny",
        vocabulary=150,
        length=32,
        device="cpu",
        loop=LoopConfig(batch_size=8, epochs=3, learning_rate=3e-3, evaluate_every=10, patience=3),
        data=DataConfig(corpus=(str(corpus_file),)),
    )
    course = run_pretrain(config).course
    assert course.moments[-1].score > course.moments[0].score
    assert load_encoder(str(config.out / "model"), device="cpu").dim == 64


@pytest.mark.parametrize(
    ("loop", "options", "said"),
    [
        ({"patience": 2}, {}, "--evaluate-every"),
        ({"evaluate_every": 0}, {}, "--evaluate-every must be at least 1"),
        ({"evaluate_every": 5}, {"method": "map"}, "takes no steps"),
        ({"certify_every": 5}, {"langs": ()}, "give --lang"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(finetune_config, loop, options, said):
    with pytest.raises(ConfigError, match=said):
        dataclasses.replace(finetune_config(loop=loop), **options)

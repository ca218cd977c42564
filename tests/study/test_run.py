"""A study runs from its file to its result, and each of its cells is what its probe says by hand."""

import json
import shutil

import numpy as np
import pytest
from polyglot.data.open import open_corpus
from polyglot.distributed import Processes
from polyglot.errors import ConfigError, DataError
from polyglot.models.encoder import load_encoder
from polyglot.probe.results.serialization import from_json, to_json
from polyglot.probe.results.study import StudyResult
from polyglot.probe.retrieval import run as retrieval
from polyglot.study import cell_run
from polyglot.study.run import Study

from .conftest import QUICK

CELLS = 6


@pytest.fixture
def planned(study_file, tmp_path):
    return Study.planned(study_file(), tmp_path / "out")


def plain(path):
    """Return a result without what changes from run to run."""
    value = json.loads(path.read_text(encoding="utf-8"))
    for name in ("time", "host", "seconds", "command", "inputs"):
        value["provenance"].pop(name)
    return value


@pytest.mark.slow
def test_a_study_leaves_one_result_and_a_second_run_measures_nothing(planned, tmp_path, monkeypatch):
    states = []
    result = planned.run(Processes(), command="polyglot study study.toml", on_change=states.append)
    assert [cell.name for cell in result.cells] == [cell.name for cell in planned.cells]
    assert all((tmp_path / "out" / cell.result).is_file() and not cell.refused for cell in result.cells)
    assert from_json((tmp_path / "out" / "study.json").read_text(encoding="utf-8"), StudyResult) == result
    assert [sum(one.state == "done" for one in moment) for moment in states] == list(range(CELLS + 1))
    assert all(one.estimate.measured for one in states[-1])
    (contrast,) = result.contrasts
    assert (contrast.methods, contrast.seeds, contrast.language) == (("align", "map"), (0,), "fr")
    assert contrast.p_adjusted == contrast.p_value
    scores = {cell.method: cell.scores for cell in result.cells if cell.kind == "finetune"}
    after = {method: scores[method]["P@1 after"].value for method in ("align", "map")}
    assert contrast.estimate.value == pytest.approx(after["align"] - after["map"], abs=1e-9)
    assert any("text that its training took from" in warning for warning in result.warnings)
    assert "at least 6 needed" in result.left_out[0]
    monkeypatch.setattr(cell_run.CellRunner, "run", lambda *_: pytest.fail("measured again"))
    again = planned.run(Processes(), command="polyglot study study.toml")
    assert [cell.scores for cell in again.cells] == [cell.scores for cell in result.cells]


@pytest.mark.slow
def test_a_cell_is_what_its_probe_says_by_hand(planned, tmp_path, tiny_model, monkeypatch):
    planned.run(Processes())
    text = open_corpus([str(tmp_path / "toy.tsv")], ["en", "fr"], limit=120, seed=0)
    trained = next(cell for cell in planned.cells if cell.needs)
    base = next(cell for cell in planned.cells if cell.kind == "retrieval" and not cell.needs)
    run = planned.folder.run(planned.by_key[trained.needs])
    for cell, model in ((base, tiny_model), (trained, run / "model")):
        encoder = load_encoder(str(model), device="cpu")
        encoder.name = next(iter(plain(planned.folder.result(cell))["provenance"]["models"]))["model"]
        config = retrieval.RetrievalConfig(resamples=100, texts=False, seed=0)
        by_hand = retrieval.run((encoder, encoder), text.bitext("en", "fr"), config)
        path = tmp_path / "by-hand.json"
        path.write_text(to_json(by_hand), encoding="utf-8")
        assert plain(path) == plain(planned.folder.result(cell))


def test_what_a_probe_refuses_is_said_and_the_rest_goes_on(study_file, tmp_path):
    text = """
    [corpora.toy]
    corpus = ["toy.tsv"]
    limit = 60
    [[probes]]
    probe = "layers"
    models = ["words"]
    languages = ["fr"]
    settings = { layers = [3] }
    [[probes]]
    probe = "retrieval"
    models = ["words"]
    languages = ["fr"]
    settings = { resamples = 100 }
    """
    result = Study.planned(study_file(text), tmp_path / "out").run(Processes())
    layers, retrieved = result.cells
    assert "no layers" in layers.refused
    assert layers.result == ""
    assert retrieved.scores
    assert result.sentence.startswith("1 of 2 cells")


@pytest.mark.slow
def test_a_training_whose_model_was_deleted_is_trained_again(planned):
    planned.run(Processes())
    trained, measured = planned.cells[1], planned.cells[4]
    folder = planned.folder.run(trained) / "model"
    weights = (folder / "model.safetensors").read_bytes()
    shutil.rmtree(folder)
    planned.folder.result(measured).unlink()
    assert not planned.folder.done(trained)
    planned.run(Processes())
    assert planned.folder.done(measured)
    assert (folder / "model.safetensors").read_bytes() == weights


def test_other_errors_end_the_run_and_leave_no_half_cell(planned, monkeypatch):
    monkeypatch.setattr(cell_run.CellRunner, "_train", lambda *_: (_ for _ in ()).throw(OSError("no disk")))
    with pytest.raises(OSError, match="no disk"):
        planned.run(Processes())
    assert not any(planned.folder.done(cell) for cell in planned.cells)


def test_a_damaged_cell_is_said(study_file, tmp_path):
    planned = Study.planned(study_file(), tmp_path / "out", "retrieval-model")
    planned.run(Processes())
    planned.folder.result(planned.selected[0]).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="not JSON"):
        planned.run(Processes())


CIPHERS = """
title = "Known answers"
[corpora.base]
corpus = ["toy.tsv"]
""" + "".join(
    f'[corpora.{name}]\ncorpus = ["toy.tsv"]\ncipher = "{truth}"\norder = "{order}"\nwidth = 6\n'
    for name, truth, order in (
        ("identity", "identity", "kept"),
        ("shift", "shift", "kept"),
        ("rotation", "rotation", "kept"),
        ("linear", "linear", "kept"),
        ("scrambled", "linear", "scrambled"),
        ("unrelated", "no map", "kept"),
    )
)
MEASURED = f"""
[[probes]]
probe = "linear-map"
models = ["words"]
corpora = ["identity", "shift", "rotation", "linear", "scrambled", "unrelated"]
languages = ["qaa"]
settings = {QUICK}
[[families]]
test = "gain"
[[families]]
name = "a linear map"
test = "linear"
"""


@pytest.mark.slow
def test_ciphers_are_answered_as_known_before(study_file, tmp_path):
    result = Study.planned(study_file(CIPHERS + MEASURED), tmp_path / "out").run(Processes())
    expected = {cell.corpus: cell.expected for cell in result.cells}
    assert expected["scrambled"] == "linear"
    assert {cell.corpus: cell.verdicts["en-qaa geometry"] for cell in result.cells} == expected
    assert {cell.corpus: cell.verdicts["qaa-en geometry"] for cell in result.cells} == expected
    assert all(cell.as_expected for cell in result.cells)
    assert "6 of 6 known answers found" in result.sentence
    kept, scrambled = (next(c for c in result.cells if c.corpus == name) for name in ("linear", "scrambled"))
    for rung in ("rotation", "linear"):  # a mean of word vectors has no order; folds go by the texts
        shares = [cell.scores[f"en-qaa latent {rung}"].value for cell in (kept, scrambled)]
        assert np.isclose(*shares, atol=0.05), rung
    gain, linear = result.families
    held = {(test.cell, test.about) for test in gain.tests if test.holds}
    assert not any("unrelated" in cell or "identity" in cell for cell, _ in held)
    assert {test.cell for test in linear.tests if test.holds} == {
        cell.name for cell in result.cells if cell.corpus != "unrelated"
    }


def test_a_part_of_a_study_runs_with_what_it_needs(study_file, tmp_path):
    part = Study.planned(study_file(), tmp_path / "out", "align-s0-toy")
    assert [cell.name for cell in part.selected] == [
        "finetune-inserted-model-toy-fr-align-s0",
        "retrieval-inserted-model-toy-fr-align-s0-toy-fr-s0",
    ]
    with pytest.raises(ConfigError, match="no cell has 'zh' in its name"):
        Study.planned(study_file(), tmp_path / "out", "zh")
    alone = Study.planned(study_file(), tmp_path / "out", "retrieval-model").run(Processes())
    assert [cell.name for cell in alone.cells] == ["retrieval-model-toy-fr-s0"]
    assert alone.warnings == ("5 cells are not measured yet: run the study again without --only",)

"""Contrasts, families and predictors from made-up results whose answers are known."""

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from polyglot.analysis.resampling import Interval, holm
from polyglot.probe.results.provenance import Start
from polyglot.probe.results.serialization import from_json, to_json
from polyglot.probe.results.training import TrainResult
from polyglot.study.cells import Cell
from polyglot.study.file import Corpus, StudyFile
from polyglot.study.outcome import above, outcome
from polyglot.study.predictors import MEASURES

LANGUAGES = ("fr", "de", "es", "ru", "zh", "it", "pt")
SEEDS = (0, 1)


@pytest.fixture(scope="module")
def made_up():
    """The functions that make up results for the tests of pages."""
    path = Path(__file__).parents[1] / "render" / "study_folder.py"
    spec = importlib.util.spec_from_file_location("study_folder", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def study():
    from polyglot.study.file import ContrastPlan

    plans = (ContrastPlan("align less map", "inserted", ("align", "map"), 0.0),)
    corpora = {"builtin": Corpus("builtin")}
    return StudyFile(Path("s.toml"), "text", "Study", "en", 0.05, 0.05, None, corpora, (), (), (), plans)


@pytest.fixture
def folder(tmp_path):
    from polyglot.study.folder import StudyFolder

    made = StudyFolder(tmp_path / "out")
    made.prepare([])
    return made


def training(folder, made_up, language, method, seed, ranks):
    """Leave the made-up result of an insertion as a cell."""
    name = f"finetune-{language}-{method}-{seed}"
    values = {"seed": seed, "key": f"{name}-0123456789", "method": method, "stage": "finetune", "trained": "inserted"}
    cell = Cell(name, "finetune", "minilm", "builtin", language, base="minilm", **values)
    result = from_json(made_up.trained(method, float(np.mean(np.array(ranks) == 1))), TrainResult)
    outcome_of = result.languages[0]
    after = dataclasses.replace(outcome_of.after, ranks=tuple(ranks))
    one = dataclasses.replace(
        outcome_of,
        language=language,
        after=after,
        held_out_fingerprint=f"rows-{language}-{seed}",
        held_out_groups=tuple(range(len(ranks))),
    )
    folder.result(cell).write_text(to_json(dataclasses.replace(result, languages=(one,))), encoding="utf-8")
    (folder.run(cell) / "model").mkdir(parents=True)
    return cell


def tokens(folder, language, unknown, fertility):
    name = f"tokens-{language}"
    cell = Cell(name, "tokens", "minilm", "builtin", language, 0, f"{name}-0123456789", base="minilm")
    folder.result(cell).write_text(f'{{"unknown tokens": {unknown}, "fertility": {fertility}}}', encoding="utf-8")
    return cell


def put_together(study, cells, folder):
    return outcome(study, cells, folder, Start.now("polyglot study s.toml"))


def test_a_contrast_pairs_rows_within_seeds_and_weighs_seeds_equally(study, folder, made_up):
    rng = np.random.default_rng(0)
    cells, differences = [], {}
    for language, gain in (("fr", 0.5), ("de", 0.0)):
        for seed, rows in zip(SEEDS, (200, 100), strict=True):  # seeds with unequal numbers of held-out rows
            plain = rng.random(rows) < 0.3
            better = plain | (rng.random(rows) < gain)
            for method, hits in (("map", plain), ("align", better)):
                cells.append(training(folder, made_up, language, method, seed, np.where(hits, 1, 2).tolist()))
            differences.setdefault(language, []).append(float(better.mean() - plain.mean()))
    result = put_together(study, cells, folder)
    by_language = {one.language: one for one in result.contrasts}
    for language, seeds in differences.items():
        one = by_language[language]
        assert (one.seeds, one.methods, one.model) == (SEEDS, ("align", "map"), "minilm")
        assert one.by_seed == pytest.approx(seeds)
        assert one.estimate.value == pytest.approx(np.mean(seeds))
    assert [by_language[language].holds for language in ("fr", "de")] == [True, False]
    raw = [one.p_value for one in result.contrasts]
    assert [one.p_adjusted for one in result.contrasts] == pytest.approx(holm(raw).tolist())


def test_a_contrast_of_other_rows_is_left_out_with_the_reason(study, folder, made_up):
    cells = [training(folder, made_up, "fr", method, 0, [1, 2]) for method in ("map", "align")]
    path = folder.result(cells[0])
    path.write_text(path.read_text(encoding="utf-8").replace("rows-fr-0", "others"), encoding="utf-8")
    result = put_together(study, cells, folder)
    assert result.contrasts == ()
    assert "align less map, fr: the held-out rows are not the same" in result.left_out


def test_what_predicts_a_gain_is_found_and_constants_are_left_out(study, folder, made_up):
    cells = []
    for number, language in enumerate(LANGUAGES):
        found = number + 8  # of 20: more words that the tokenizer knows, more found
        cells.append(training(folder, made_up, language, "align", 0, [1] * found + [2] * (20 - found)))
        cells.append(tokens(folder, language, unknown=0.5 - number / 20, fertility=2.0))
    result = put_together(study, cells, folder)
    by_measure = {one.measure: one for one in result.predictors if one.gain == "align"}
    assert by_measure["unknown tokens"].correlation.value == -1
    assert (by_measure["unknown tokens"].cells, by_measure["unknown tokens"].languages) == (7, 7)
    assert -1 < by_measure["other script"].correlation.value < 1
    assert "fertility with the gain by align: all 7 cells have one value" in result.left_out
    assert "CKA with the gain by align: 0 cells, at least 6 needed" in result.left_out
    named = {said.split(" with ")[0] for said in result.left_out if " with the gain by " in said}
    assert named | set(by_measure) == set(MEASURES)


def test_fewer_than_six_cells_say_nothing(study, folder, made_up):
    cells = [training(folder, made_up, language, "align", 0, [1, 2]) for language in LANGUAGES[:5]]
    result = put_together(study, cells, folder)
    assert result.predictors == ()
    assert result.left_out[-1] == "what predicts gains: 5 models and languages were measured, at least 6 needed"


def test_cells_that_are_not_measured_are_counted(study, folder, made_up):
    trained = training(folder, made_up, "fr", "align", 0, [1, 2])
    result = put_together(study, [trained, Cell("no", "layers", "minilm", "builtin", "fr", 0, "key")], folder)
    assert [cell.name for cell in result.cells] == ["finetune-fr-align-0"]
    assert result.warnings[0].startswith("1 cell is not measured yet")


def test_p_values_go_by_the_lower_side_of_the_interval():
    one = Interval(0.2, 0.1, 0.9)
    assert above(one, 0.1) == pytest.approx(0.025, abs=1e-6)
    assert above(one, 0.2) == pytest.approx(0.5)
    assert above(Interval(0.0, 0.0, 0.0), 0.0) == 1

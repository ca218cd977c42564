"""Cells are told apart by all that they depend on, and shared where that is the same."""

import pytest
from polyglot.probe.experiment import reuse
from polyglot.study.run import Study

from .conftest import STUDY

TWO_BLOCKS = STUDY + '\n[[probes]]\nprobe = "retrieval"\nmodels = ["inserted"]\nlanguages = ["fr"]\nSETTINGS\n'
CHAIN = """
[[training]]
name = "later"
stage = "finetune"
models = ["inserted"]
languages = ["fr"]
seeds = [0, 1]
settings = { max_steps = 2 }
"""


@pytest.fixture
def planned(study_file, tmp_path):
    return lambda text=STUDY: Study.planned(study_file(text), tmp_path / "out").cells


def keys(cells):
    return {cell.name: cell.key for cell in cells}


def test_names_are_readable_and_models_come_before_what_measures_them(planned):
    cells = planned()
    assert [cell.name for cell in cells] == [
        "finetune-inserted-model-toy-fr-map-s0",
        "finetune-inserted-model-toy-fr-align-s0",
        "retrieval-model-toy-fr-s0",
        "retrieval-inserted-model-toy-fr-map-s0-toy-fr-s0",
        "retrieval-inserted-model-toy-fr-align-s0-toy-fr-s0",
        "retrieval-untrained-model-toy-fr-s0",
    ]
    assert [cell.needs for cell in cells[3:5]] == [cell.key for cell in cells[:2]]
    assert [cell.saw for cell in cells] == [False, False, False, True, True, False]


def test_blocks_that_ask_for_the_same_cell_share_it(planned):
    assert keys(planned(TWO_BLOCKS.replace("SETTINGS", "settings = { resamples = 100 }"))) == keys(planned())
    other = planned(TWO_BLOCKS.replace("SETTINGS", "settings = { resamples = 200 }"))
    assert [cell.name for cell in other[6:]] == [f"{cell.name}-2" for cell in other[3:5]]


def test_one_training_serves_all_that_starts_from_it(planned):
    cells = planned(STUDY.replace("[[probes]]", CHAIN + "[[probes]]"))
    later = [cell for cell in cells if cell.trained == "later"]
    assert [cell.needs for cell in later] == [cells[0].key] * 2 + [cells[1].key] * 2
    assert len({cell.key for cell in later}) == 4
    assert {cell.base for cell in later} == {cells[0].model}


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("limit = 120", "limit = 121", 6),
        ("max_steps = 6", "max_steps = 7", 4),
        ("resamples = 100", "resamples = 101", 4),
        ("seeds = [0]", "seeds = [1]", 4),
        ('title = "A tiny study"', 'title = "Another"', 0),
    ],
)
def test_a_key_changes_with_what_its_cell_depends_on(planned, old, new, changed):
    before, after = ([cell.key for cell in planned(text)] for text in (STUDY, STUDY.replace(old, new)))
    assert sum(one != other for one, other in zip(before, after, strict=True)) == changed


def test_keys_change_with_the_code_of_what_they_use(planned, monkeypatch):
    before = keys(planned())
    digest = reuse.code_digest
    monkeypatch.setattr(reuse, "code_digest", lambda rooms: digest(rooms) + "x" * ("train" in rooms))
    after = keys(planned())
    unchanged = {name for name in before if before[name] == after[name]}
    assert unchanged == {"retrieval-model-toy-fr-s0", "retrieval-untrained-model-toy-fr-s0"}


def test_ciphers_have_known_answers_in_the_words_encoder_alone(planned):
    text = """
    [corpora.code]
    cipher = "shift"
    corpus = ["toy.tsv"]
    [[probes]]
    probe = "linear-map"
    models = ["words", "MODEL"]
    languages = ["qaa"]
    """
    assert [(cell.kind, cell.expected) for cell in planned(text)] == [
        ("linear-map", "shift"),
        ("linear-map", ""),
        ("tokens", ""),
    ]

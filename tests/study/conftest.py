"""A study of a tiny model on a toy text: half a second a cell."""

import importlib.util
import json
from pathlib import Path

import pytest

TRAIN = Path(__file__).parents[1] / "train" / "conftest.py"
QUICK = "{ permutations = 2, power_replicates = 0, resamples = 100, failure = false, controls = false }"
STUDY = """
title = "A tiny study"
device = "cpu"

[corpora.toy]
corpus = ["toy.tsv"]
limit = 120

[[training]]
name = "inserted"
stage = "finetune"
models = ["MODEL"]
languages = ["fr"]
methods = ["map", "align"]
seeds = [0]
settings.max_steps = 6
settings.batch_size = 16
settings.certificate = false
settings.checkpoint_every = 2
settings.precision = "float32"
settings.retention_questions = "QUESTIONS"

[[probes]]
probe = "retrieval"
models = ["MODEL", "inserted", "untrained:MODEL"]
languages = ["fr"]
settings = { resamples = 100 }

[[contrasts]]
training = "inserted"
methods = ["align", "map"]
"""


def write_questions(folder):
    """Write a question set of four passages: what the built-in one would say of a toy model costs seconds."""
    passages = [
        {
            "context": f"The {word} eats bread in the old house.",
            "qas": [{"id": word, "question": f"Who is the {word}?"}],
        }
        for word in ("dog", "cat", "bird", "horse")
    ]
    folder.mkdir()
    text = json.dumps({"data": [{"title": "toy", "paragraphs": passages}]})
    (folder / "toy.en.json").write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def toy():
    """The functions that make the tiny model and the toy text of the tests of training."""
    spec = importlib.util.spec_from_file_location("toy_training", TRAIN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_model(toy, tmp_path_factory):
    return toy.build_model(tmp_path_factory.mktemp("base"))


@pytest.fixture
def study_file(toy, tiny_model, tmp_path):
    """Give a function that writes a study beside the toy text and reads it."""
    from polyglot.study.file import read_study_file

    toy.write_corpus(tmp_path / "toy.tsv", toy.sentences(200))
    write_questions(tmp_path / "questions")

    def write(text=STUDY, name="study.toml"):
        path = tmp_path / name
        filled = text.replace("MODEL", str(tiny_model)).replace("QUESTIONS", str(tmp_path / "questions"))
        path.write_text(filled, encoding="utf-8")
        return read_study_file(path)

    return write


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYGLOT_CACHE", str(tmp_path / "cache"))

import dataclasses

import numpy as np
import pytest
from polyglot.errors import DataError
from polyglot.train.stages.finetune import run_finetune
from polyglot.train.stages.finetune_queries import fill_negatives


def test_negatives_are_filled_up_without_the_answer(finetune_config):
    config = finetune_config(negatives=3)
    filled = fill_negatives([[4], [0, 1, 2, 3]], [[5, 4], []], np.array([1, 5]), 10, config)
    assert filled[0][:2] == [4, 5]
    assert len(filled[0]) == len(set(filled[0])) == 3
    assert 1 not in filled[0]
    assert filled[1] == [0, 1, 2]


def test_queries_are_trained_on_the_built_in_questions(finetune_config):
    config = dataclasses.replace(finetune_config(loop={"epochs": 1}), langs=())
    result = run_finetune(config)
    before, after = result.scores.values()
    assert after.value != before.value
    assert result.method == "queries"
    assert not result.shares_space_with_base


def test_too_few_questions_are_refused(finetune_config, tmp_path):
    import json

    paragraph = {
        "context": "the dog eats bread",
        "qas": [{"id": "1", "question": "who eats", "answers": [{"text": "dog", "answer_start": 4}]}],
    }
    (tmp_path / "few").mkdir()
    (tmp_path / "few" / "few.en.json").write_text(json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]}))
    config = dataclasses.replace(finetune_config(), langs=(), questions=tmp_path / "few")
    with pytest.raises(DataError, match="too few"):
        run_finetune(config)

import dataclasses
import json

from polyglot.probe.results.serialization import from_json, to_json
from polyglot.probe.results.training import TrainResult
from polyglot.train.model_card import outcome_table
from polyglot.train.stages.finetune import run_finetune


def test_a_result_reads_back_and_is_the_same_for_the_same_seed(finetune_config):
    first, second = (run_finetune(finetune_config(out, loop={"max_steps": 6})) for out in ("first", "second"))
    text = (finetune_config("first").out / "result.json").read_text()
    assert to_json(from_json(text, TrainResult)) == text
    assert json.loads(text)["next_command"].startswith("polyglot probe linear-map fr en --model ")

    def lasting(result):
        speed = dataclasses.replace(result.speed, seconds=0.0, cpu_seconds=0.0, pairs_per_second=0.0)
        made = dataclasses.replace(result.provenance, time="", seconds=0.0)
        return dataclasses.replace(result, run="", next_command="", speed=speed, provenance=made)

    assert to_json(lasting(first)) == to_json(lasting(second))


def test_the_card_holds_the_table_and_where_the_data_came_from(finetune_config):
    config = finetune_config(loop={"max_steps": 6})
    result = run_finetune(config)
    card = (config.out / "model" / "README.md").read_text()
    for row in outcome_table(result):
        assert " | ".join(row) in card
    assert result.languages[0].corpus_fingerprint in card
    assert result.base_fingerprint in card
    assert "shares" in card or "space of the base" in card

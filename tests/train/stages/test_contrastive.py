import dataclasses
import json

import pytest
from polyglot.errors import ConfigError, DataError
from polyglot.train.config import ContrastiveConfig, DataConfig, LoopConfig
from polyglot.train.stages.contrastive import run_contrastive


@pytest.fixture
def contrastive_config(base_folder, corpus_file, tmp_path):
    def make(out="run", **options):
        return ContrastiveConfig(
            out=tmp_path / out,
            model=str(base_folder),
            langs=("en", "fr"),
            mini_batch=8,
            certificate=False,
            device="cpu",
            loop=LoopConfig(batch_size=32, epochs=6, learning_rate=2e-3),
            data=DataConfig(corpus=(str(corpus_file),)),
            **options,
        )

    return make


@pytest.mark.parametrize("matryoshka", [(), pytest.param((16, 8), marks=pytest.mark.slow)])
def test_translations_come_near_each_other(contrastive_config, matryoshka):
    config = contrastive_config(matryoshka=matryoshka)
    outcome = run_contrastive(config).languages[0]
    assert outcome.after.retrieval.p_at_1.value > outcome.before.retrieval.p_at_1.value + 0.1
    assert json.loads((config.out / "result.json").read_text())["shares_space_with_base"] is False


def test_a_width_that_is_not_narrower_is_refused(contrastive_config):
    with pytest.raises(ConfigError, match="below 32"):
        run_contrastive(contrastive_config(matryoshka=(32,)))


def english_config(contrastive_config, corpus, **options):
    data = DataConfig(corpus=(str(corpus),), held_out=0.2)
    return dataclasses.replace(contrastive_config(), langs=("en",), data=data, **options)


@pytest.fixture
def paraphrases(corpus_file, tmp_path):
    """A corpus of English sentences of which most have a second rendering, and French ones."""
    rows = [line.split("\t") for line in corpus_file.read_text().splitlines()[1:]]
    path = tmp_path / "paraphrases.tsv"
    second = ["" if i % 5 == 0 else f"{en.replace('the', 'a')} now" for i, (_, en) in enumerate(rows)]
    lines = [f"{fr}\t{en}\t{other}" for (fr, en), other in zip(rows, second, strict=True)]
    path.write_text("fr\ten\ten_reference\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_one_language_is_paired_with_its_second_renderings(contrastive_config, paraphrases):
    config = english_config(contrastive_config, paraphrases)
    result = run_contrastive(config)
    (outcome,) = result.languages
    assert (outcome.language, outcome.paired) == ("en", "references")
    assert outcome.pairs + outcome.held_out == 320
    assert outcome.after.retrieval.cosine.value > outcome.before.retrieval.cosine.value
    assert outcome.after.certificate is None
    assert "en references: 256 pairs" in (config.out / "model" / "README.md").read_text()


def test_kinds_of_pairs_share_no_held_out_text(contrastive_config, paraphrases):
    from polyglot.train.stages.contrastive import open_datasets

    kinds = ("translations", "references")
    config = english_config(contrastive_config, paraphrases)
    opened = open_datasets(dataclasses.replace(config, langs=("en", "fr"), pairs=kinds))
    assert [pairs.paired for pairs in opened] == [*kinds]
    assert len(opened[0].training) < 320
    held = {text for pairs in opened for text in (*pairs.held_out.sources, *pairs.held_out.targets)}
    trained = {text for pairs in opened for text in (*pairs.training.sources, *pairs.training.targets)}
    assert not held & trained


def test_questions_are_paired_with_their_passages(contrastive_config, paraphrases):
    config = english_config(contrastive_config, paraphrases, pairs=("questions",))
    result = run_contrastive(config)
    assert result.languages[0].paired == "questions"
    assert [score.name for score in result.retention.scores] == []


def test_a_corpus_without_second_renderings_says_what_to_give(contrastive_config, corpus_file):
    with pytest.raises(DataError, match=r"en_reference.*--pairs questions"):
        run_contrastive(english_config(contrastive_config, corpus_file))

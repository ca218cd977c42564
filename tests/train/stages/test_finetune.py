import dataclasses
import json
import shutil

import numpy as np
import pytest
from polyglot.data.builtin import load_builtin
from polyglot.errors import DataError, MissingExtraError, ModelError
from polyglot.models.encoder import load_encoder
from polyglot.probe.results.serialization import from_json
from polyglot.probe.results.training import TrainResult
from polyglot.train.config import DataConfig, LoopConfig, RetentionConfig
from polyglot.train.evaluation.splits import open_pairs
from polyglot.train.insertion.tokenizer_report import MOST_FERTILITY
from polyglot.train.stages.finetune import run_finetune

ENGLISH = ["the big dog eats the bread", "the old king sees the fire", "the cold child wants water"]


@pytest.mark.parametrize("method", ["align", "distill", "anchor", "embeddings", "lora", "map", "words"])
def test_every_method_ends_with_a_model_that_loads_and_beats_the_base(finetune_config, method):
    config = finetune_config(method=method)
    result = run_finetune(config)
    before, after = result.languages[0].before.retrieval, result.languages[0].after.retrieval
    assert after.cosine.value > before.cosine.value
    again = load_encoder(str(config.out / "model"), device="cpu")
    assert again.fingerprint == result.fingerprint
    assert again.base_fingerprint == result.base_fingerprint == load_encoder(config.model, device="cpu").fingerprint
    assert json.loads((config.out / "result.json").read_text())["schema"] == "polyglot/train/1"
    assert not (config.out / "state").exists()
    if method in ("embeddings", "map", "words"):
        assert result.retention.drift == pytest.approx(0.0, abs=1e-9)


def test_words_in_the_portable_form_and_of_two_languages_at_once(finetune_config, toy_sentences, tmp_path):
    rows = [(fr, en, fr[::-1]) for fr, en in toy_sentences(300)]
    text = "fr\ten\tde\n" + "".join("\t".join(row) + "\n" for row in rows)
    (tmp_path / "three.tsv").write_text(text, encoding="utf-8")
    data = {"corpus": (str(tmp_path / "three.tsv"),)}
    for out, portable in (("ngrams", False), ("portable", True)):
        config = dataclasses.replace(
            finetune_config(out, method="words", data=data, portable=portable), langs=("fr", "de")
        )
        result = run_finetune(config)
        assert [one.language for one in result.languages] == ["fr", "de"]
        for one in result.languages:
            assert one.after.retrieval.p_at_1.value > one.before.retrieval.p_at_1.value + 0.2
            assert one.words is None
        assert result.speed.pairs == sum(one.pairs for one in result.languages)
        assert "for queries in fr, de only" in (config.out / "model" / "README.md").read_text()
        assert load_encoder(str(config.out / "model"), device="cpu").fingerprint == result.fingerprint


def test_words_beside_a_trained_encoder(finetune_config):
    plain = finetune_config("plain", loop={"max_steps": 20})
    config = finetune_config("with-words", with_words=True, loop={"max_steps": 20})
    results = [run_finetune(one) for one in (plain, config)]
    scores = [result.languages[0].after.retrieval for result in results]
    assert scores[1].cosine.value > scores[0].cosine.value
    trained = load_encoder(str(config.out / "model"), device="cpu")
    assert trained.fingerprint == results[1].fingerprint
    texts = [*ENGLISH, "le grand chien mange le pain", "le vieux roi voit le feu"]
    both = trained.encode(texts).pooled
    trained.model[-1].weight, weight = 0.0, trained.model[-1].weight
    same = np.sum(trained.encode(texts).pooled * both, axis=1)
    np.testing.assert_allclose(same[:3], 1, atol=1e-6)  # English keeps the encoder's vector
    assert np.max(same[3:]) < 0.9999
    trained.model[-1].weight = weight
    accents = trained.encode(["le grand chien", "le gränd chien"]).pooled  # the tokens are the same
    assert np.abs(accents[0] - accents[1]).max() > 1e-4
    assert "trust_remote_code=True" in (config.out / "model" / "README.md").read_text()
    with pytest.raises(ModelError, match="give all languages at once"):
        run_finetune(dataclasses.replace(finetune_config("again"), model=str(config.out / "model")))


def test_a_method_that_does_not_beat_words_says_so(finetune_config):
    weak = finetune_config("weak", loop={"max_steps": 1})
    result = run_finetune(weak)
    one = result.languages[0]
    assert one.words.retrieval.p_at_1.value >= one.after.retrieval.p_at_1.value
    hits = [np.array(ranks) <= 1 for ranks in (one.after.ranks, one.words.ranks)]
    assert one.words.gain.value == pytest.approx(hits[0].mean() - hits[1].mean())
    assert one.words.gain.low <= one.words.gain.value <= one.words.gain.high
    assert any("align does not beat words alone" in warning for warning in result.warnings)
    card = (weak.out / "model" / "README.md").read_text()
    assert "| fr: P@1 beyond words alone |" in card
    assert "does not beat words alone" in card


def test_embeddings_leaves_english_bit_identical(finetune_config):
    config = finetune_config(method="embeddings")
    base = load_encoder(config.model, device="cpu").encode(ENGLISH).pooled
    assert run_finetune(config).retention.unchanged == 1.0
    trained = load_encoder(str(config.out / "model"), device="cpu")
    assert np.array_equal(trained.encode(ENGLISH).pooled, base)
    assert not np.array_equal(
        trained.encode(["le grand chien"]).pooled,
        load_encoder(config.model, device="cpu").encode(["le grand chien"]).pooled,
    )


def test_lazy_and_dense_updates_end_alike(finetune_config):
    vectors = []
    for update in ("lazy", "dense"):
        config = finetune_config(update, loop={"embedding_update": update, "max_steps": 25})
        run_finetune(config)
        vectors.append(load_encoder(str(config.out / "model"), device="cpu").encode(ENGLISH).pooled)
    np.testing.assert_allclose(*vectors, atol=1e-3)


def test_tokenizer_coverage_is_announced_and_warned_of_if_it_stays_poor(finetune_config, capsys):
    short = {"max_steps": 2}
    extended = run_finetune(finetune_config("own", loop=short), progress=True)
    printed = capsys.readouterr().err
    assert "fr has " in printed
    assert "get token ids of their own" in printed
    plain = run_finetune(finetune_config("none", loop=short, extend_vocab=0), progress=True)
    printed = capsys.readouterr().err
    fertility = plain.languages[0].fertility_after
    assert f"{fertility:.2f} tokens a word" in printed
    assert extended.languages[0].fertility_after < fertility
    in_pieces = [any("in pieces" in warning for warning in result.warnings) for result in (extended, plain)]
    assert in_pieces == [False, fertility > MOST_FERTILITY]
    assert ("! the tokenizer" in printed) == bool(plain.warnings)


def test_a_broken_gate_warns_and_saves_the_model(finetune_config, caplog):
    loop = {"learning_rate": 3e-2}
    config = finetune_config(anchor_weight=0.0, loop=loop, retention=RetentionConfig(max_english_loss=0.0))
    result = run_finetune(config)
    assert result.gate_broken
    assert any("the model is saved" in warning for warning in result.warnings)
    assert "the model is saved" in (config.out / "model" / "README.md").read_text()
    assert load_encoder(str(config.out / "model"), device="cpu").dim == 32


def test_rows_of_the_evaluation_corpus_are_dropped_or_reported(finetune_config, corpus_file, tmp_path):
    lines = corpus_file.read_text().splitlines()
    (tmp_path / "evaluation.tsv").write_text("\n".join(lines[:31]) + "\n")
    data = {"evaluation": (str(tmp_path / "evaluation.tsv"),)}
    dropped = run_finetune(finetune_config("clean", data=data, method="map")).languages[0]
    assert dropped.overlap_dropped == 30
    assert dropped.pairs + dropped.held_out == 370
    config = finetune_config("leaky", data={**data, "allow_overlap": True}, method="map")
    outcome = run_finetune(config).languages[0]
    assert (outcome.overlap_dropped, outcome.overlap_kept) == (0, 30)
    assert "30 rows overlap with evaluation text" in (config.out / "model" / "README.md").read_text()


def test_a_language_that_the_corpus_lacks_is_named(finetune_config):
    config = dataclasses.replace(finetune_config(), langs=("de",))
    with pytest.raises(DataError, match="German"):
        run_finetune(config)
    assert not config.out.exists()


def test_too_few_pairs_are_refused(finetune_config, tmp_path):
    (tmp_path / "few.tsv").write_text("fr\ten\nle chien\tthe dog\n")
    config = finetune_config(data={"corpus": (str(tmp_path / "few.tsv"),)})
    with pytest.raises(DataError, match="1 pairs"):
        run_finetune(config)
    assert not config.out.exists()


def test_a_model_without_tokenizer_is_refused(finetune_config, base_folder, tmp_path):

    bare = shutil.copytree(base_folder, tmp_path / "bare")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (bare / name).unlink()
    config = dataclasses.replace(finetune_config(), model=str(bare))
    with pytest.raises(ModelError):
        run_finetune(config)
    assert not config.out.exists()


def test_lora_without_peft_says_what_to_install(finetune_config, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"polyglot-geometry\[lora\]"):
        run_finetune(finetune_config(method="lora"))


def test_the_certificate_of_the_built_in_corpus_judges_geometry(finetune_config):
    config = finetune_config(method="map", data={"corpus": (), "limit": 240, "held_out": 0.5})
    result = run_finetune(dataclasses.replace(config, certificate=True))
    for metrics in (result.languages[0].before, result.languages[0].after):
        assert metrics.certificate.geometry.instruments == ("de", "es", "ru")
    read = from_json((config.out / "result.json").read_text(), TrainResult).languages[0].after.certificate.geometry
    assert read.sentence == result.languages[0].after.certificate.geometry.sentence
    assert "| fr: geometry to f0, noise aside |" in (config.out / "model" / "README.md").read_text()


def test_held_out_rows_are_found_in_the_further_languages():
    pairs = open_pairs(DataConfig(limit=150), "fr", "en", LoopConfig())
    text = load_builtin(("fr", "en", "de"))
    rows = dict(zip(zip(text.column("fr"), text.column("en"), strict=True), text.column("de"), strict=True))
    assert set(pairs.instruments) == {"de", "es", "ru"}
    sides = zip(pairs.held_out.sources, pairs.held_out.targets, strict=True)
    assert pairs.instruments["de"] == [rows[side] for side in sides]


def test_the_certificate_is_measured_before_and_after(finetune_config):
    config = dataclasses.replace(finetune_config(method="map", data={"held_out": 0.4}), certificate=True)
    outcome = run_finetune(config).languages[0]
    assert {"identity", "rotation", "linear"} <= set(outcome.before.certificate.r2)
    assert outcome.before.certificate.sentence.startswith("fr → en ")
    assert outcome.before.certificate.geometry is None  # the file holds no further language
    assert outcome.after.certificate.r2["identity"].value > outcome.before.certificate.r2["identity"].value

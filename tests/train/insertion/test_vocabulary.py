import numpy as np
import pytest
from polyglot.train.insertion.tokenization import split_words
from polyglot.train.insertion.vocabulary import NewWords, choose_words, extend_tokenizer
from polyglot.train.insertion.word_alignment import align_words


def aligned(tokenizer, pairs):
    return align_words(*([split_words(tokenizer, text) for text in side] for side in zip(*pairs, strict=True)))


def test_a_new_word_gets_the_mean_of_its_partners(tokenizer):
    table = np.random.default_rng(0).normal(size=(len(tokenizer), 5)).astype(np.float32)
    found = choose_words(
        tokenizer, table, aligned(tokenizer, [("le chien", "the dog"), ("le lit", "the bed")] * 30), 10
    )
    assert isinstance(found, NewWords)
    place = dict(zip(found.words, found.vectors, strict=True))
    ids = tokenizer.get_vocab()
    np.testing.assert_allclose(place["chien"], table[ids["dog"]], atol=0.05 * np.abs(table).max())
    bed = table[[ids["b"], ids["##e"], ids["##d"]]].mean(axis=0)
    np.testing.assert_allclose(place["lit"], bed, atol=0.05 * np.abs(table).max())


def test_a_word_of_the_known_side_stays_with_it(tokenizer):
    pairs = [("le pain", "the bread"), ("le dog", "the dog")] * 30 + [("pain", "pain")]
    found = choose_words(tokenizer, np.zeros((len(tokenizer), 2), np.float32), aligned(tokenizer, pairs), 10)
    assert set(found.words) == {"le", "pain"}
    assert found.replaced == 1
    strict = choose_words(
        tokenizer, np.zeros((len(tokenizer), 2), np.float32), aligned(tokenizer, pairs), 10, strict=True
    )
    assert set(strict.words) == {"le"}


def test_a_token_is_not_taken_over_on_little_evidence(tokenizer):
    found = choose_words(
        tokenizer, np.zeros((len(tokenizer), 2), np.float32), aligned(tokenizer, [("le pain", "the bread")] * 3), 10
    )
    assert set(found.words) == {"le"}


@pytest.mark.parametrize(("times", "words"), [(60, {"le"}), (120, {"le", "pain"})])
def test_where_the_body_is_frozen_a_token_is_taken_over_on_much_evidence_only(tokenizer, times, words):
    pairs = [("le pain", "the bread")] * times
    found = choose_words(
        tokenizer, np.zeros((len(tokenizer), 2), np.float32), aligned(tokenizer, pairs), 10, strict=True
    )
    assert set(found.words) == words


def test_only_so_many_words_are_taken_the_most_frequent_first(tokenizer):
    pairs = [("le chien", "the dog"), ("le lit", "the bed"), ("le lit", "a bed")]
    found = choose_words(tokenizer, np.zeros((len(tokenizer), 2), np.float32), aligned(tokenizer, pairs), 2)
    assert found.words == ("le", "lit")


def test_new_words_are_read_as_wholes_only_and_old_text_keeps_its_tokens(tokenizer, tmp_path):
    from transformers import AutoTokenizer

    texts = ["the dog eats bread", "chienlit", "schien", "Pain, painful pains"]
    before = [tokenizer(text)["input_ids"] for text in texts]
    size = len(tokenizer)
    ids = extend_tokenizer(tokenizer, ["chien", "pain", "été"])
    assert ids.tolist() == [size, size + 1, size + 2]
    assert tokenizer("Le CHIEN.", add_special_tokens=False)["input_ids"].count(size) == 1
    after = [tokenizer(text)["input_ids"] for text in texts]
    assert after[:3] == before[:3]
    assert after[3].count(size + 1) == 1
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    for text in [*texts, "un chien, l'été"]:
        assert again(text)["input_ids"] == tokenizer(text)["input_ids"]

import numpy as np
import pytest
from polyglot.errors import ModelError
from polyglot.train.insertion.tokenization import split_words, word_beginnings


def test_a_tokenizer_without_fast_form_is_refused():
    class Slow:
        pass

    with pytest.raises(ModelError, match="no fast form"):
        split_words(Slow(), "text")


def test_each_han_character_is_a_word(tokenizer):
    assert split_words(tokenizer, "一只狗 dog") == ["一", "只", "狗", "dog"]


def test_tokens_that_begin_a_word(tokenizer):
    begins = word_beginnings(tokenizer, len(tokenizer))
    vocabulary = tokenizer.get_vocab()
    assert not any(begins[vocabulary[token]] for token in vocabulary if token.startswith(("##", "[")))
    assert all(begins[vocabulary[word]] for word in ("dog", "cat"))
    tokenizer.add_tokens(["chien"])
    longer = word_beginnings(tokenizer, len(tokenizer) + 2)
    np.testing.assert_array_equal(longer, [*begins, True, False, False])


def test_a_tokenizer_that_marks_beginnings():
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    pieces = [("<unk>", 0.0), ("▁the", -1.0), ("▁d", -2.0), ("og", -2.0), ("▁", -3.0)]
    made = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.Unigram(pieces, 0)), unk_token="<unk>")
    np.testing.assert_array_equal(word_beginnings(made, 5), [False, True, True, False, True])

import pytest
from polyglot.errors import ModelError
from polyglot.train.insertion.tokenization import split_words


def test_a_tokenizer_without_fast_form_is_refused():
    class Slow:
        pass

    with pytest.raises(ModelError, match="no fast form"):
        split_words(Slow(), "text")


def test_each_han_character_is_a_word(tokenizer):
    assert split_words(tokenizer, "一只狗 dog") == ["一", "只", "狗", "dog"]

import logging
from collections import Counter

import pytest
from polyglot.data.readers.majority import languages_of_most


@pytest.mark.parametrize(
    ("held", "languages"),
    [
        ({("de", "en"): 1, ("en", "fr"): 5}, ("en", "fr")),
        ({("en", "fr"): 1, ("en", "fr", "de"): 5}, ("en", "fr", "de")),
        ({("en", "fr", "de"): 1, ("en", "fr"): 5}, ("en", "fr")),
        ({("en", "fr"): 2, ("fr", "en"): 2, ("en", "de"): 3}, ("en", "fr")),
        ({("en", "fr"): 2, ("en", "de"): 2, ("de", "fr"): 2}, ("en", "fr")),
    ],
)
def test_the_languages_that_keep_most_text_are_read(held, languages):
    chosen = languages_of_most("a.tmx", Counter(held))
    assert set(chosen) == set(languages)


def test_what_is_not_read_is_said_and_nothing_else(caplog):
    with caplog.at_level(logging.WARNING):
        languages_of_most("a.tmx", Counter({("en", "fr"): 5}))
        assert caplog.messages == []
        languages_of_most("a.tmx", Counter({("en", "fr"): 5, ("en", "fr", "de"): 1, ("es", "en"): 2}))
    assert caplog.messages == [
        "a.tmx: en, fr are read, which 6 of 8 rows have together. Not read: German (de) in 1 of 8 rows, "
        "Spanish (es) in 2 of 8 rows. Name the languages to read others."
    ]

"""Each warning is given where its cause is, and nowhere else."""

from types import SimpleNamespace

import numpy as np
import pytest
from polyglot.probe.experiment import caveats


def encoded(unknown, truncated):
    return SimpleNamespace(unknown_share=unknown / 100, truncated=np.array([truncated, False], bool))


@pytest.mark.parametrize(("unknown", "cut", "words"), [(5, False, []), (6, False, ["6%"]), (50, True, ["50%", "1 fr"])])
def test_tokens(unknown, cut, words):
    found = list(caveats.tokens(encoded(unknown, cut), "fr", "minilm"))
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


def test_identical_texts_are_counted_whatever_their_case():
    bitext = SimpleNamespace(sources=["Oui ", "non", "a"], targets=["oui", "no", "b"])
    assert list(caveats.identical_texts(bitext)) == ["1 pairs have identical source and target text"]


def test_repeated_pairs_name_what_follows():
    assert list(caveats.repeated_pairs(np.arange(3))) == []
    assert list(caveats.repeated_pairs(np.array([0, 0, 1]), "so")) == [
        "1 of 3 pairs repeat or nearly repeat another: so"
    ]


@pytest.mark.parametrize(
    ("warn", "at", "below"),
    [
        (lambda n: caveats.few_pairs(n, 50), 100, 99),
        (caveats.small_pool, 200, 199),
        (caveats.few_passages, 200, 199),
        (lambda n: caveats.few_rows(n, 10), 100, 99),
        (lambda n: caveats.few_pairs_for_a_ladder(n, 50, 40), 200, 199),
        (lambda n: caveats.few_pairs_for_a_ladder(1000, 50, n), 40, 39),
    ],
)
def test_thresholds(warn, at, below):
    assert list(warn(at)) == []
    (text,) = warn(below)
    assert text.startswith(str(below)) or str(below) in text


def test_a_very_small_sample_gets_one_of_the_two_warnings_of_size():
    (text,) = caveats.few_pairs_for_a_ladder(60, 50, 60)
    assert "fewer than two pairs a dimension" in text

import numpy as np
from polyglot.train.insertion.word_alignment import align_words

PAIRS = [("le chien", "the dog"), ("le pain", "the bread"), ("un chien", "a dog"), ("un pain", "a bread")]


def columns(pairs):
    return [p[0].split() for p in pairs], [p[1].split() for p in pairs]


def oracle(new, known, iterations):
    """Follow Brown et al. (1993), model 1, word by word."""
    t, counts = {}, {}
    for _ in range(iterations):
        counts, totals = {}, {}
        for sentence, partner in zip(new, known, strict=True):
            partners = ["", *partner]
            for f in sentence:
                norm = sum(t.get((f, e), 1.0) for e in partners)
                for e in partners:
                    c = t.get((f, e), 1.0) / norm
                    counts[f, e] = counts.get((f, e), 0.0) + c
                    totals[e] = totals.get(e, 0.0) + c
        t = {(f, e): c / totals[e] for (f, e), c in counts.items()}
    return counts


def test_counts_are_those_of_the_literal_algorithm():
    new, known = columns([*PAIRS, ("le le chien", "the dog dog")])
    found = align_words(new, known)
    expected = oracle(new, known, 8)
    assert len(found.counts) == len(expected)
    for f, e, count in zip(found.new_of, found.known_of, found.counts, strict=True):
        assert np.isclose(count, expected[found.new_words[f], found.known_words[e]])


def test_words_find_their_partners():
    found = align_words(*columns(PAIRS))
    best = {word: row[0][0] for word, row in zip(found.new_words, found.partners(0.1, 3), strict=True)}
    assert best == {"le": "the", "chien": "dog", "un": "a", "pain": "bread"}


def test_each_occurrence_of_a_word_counts_once():
    new, known = columns(PAIRS)
    assert np.isclose(align_words(new, known).counts.sum(), sum(map(len, new)))

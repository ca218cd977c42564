"""The words control, from docs/method.md section 5: n-grams counted by hand, plain NumPy, no code of the package."""

import unicodedata
from collections import Counter

import numpy as np

from .ladder import neighbours

PENALTIES = np.geomspace(0.03, 10.0, 11)
UNSPACED = ("HIRAGANA", "KATAKANA", "CJK", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def is_unspaced(texts):
    """Tell whether most letters of the first thousand texts are of a script without spaces between words."""
    letters = [letter for text in texts[:1000] for letter in text if letter.isalpha()]
    return 2 * sum(unicodedata.name(letter, "").startswith(UNSPACED) for letter in letters) > len(letters)


def ngrams(text, unspaced):
    """Count the character n-grams of a text in lower case: of 2 to 5 within padded words, or of 1 to 3 across them."""
    text = text.lower()
    pieces = [" ".join(text.split())] if unspaced else [f" {word} " for word in text.split()]
    counted = Counter()
    for piece in pieces:
        for length in (1, 2, 3) if unspaced else (2, 3, 4, 5):
            counted.update(piece[at : at + length] for at in range(len(piece) - length + 1))
    return counted


def unit_features(counts, training):
    """Return (1 + log tf)(1 + log (1 + n)/(1 + df)) in unit rows, (texts, n-grams), df of the training rows."""
    documents = Counter(ngram for row in training for ngram in counts[row])
    place = {ngram: column for column, ngram in enumerate(documents)}
    features = np.zeros((len(counts), len(place)))
    for row, counted in enumerate(counts):
        for ngram, times in counted.items():
            if ngram in place:
                idf = 1 + np.log((1 + len(training)) / (1 + documents[ngram]))
                features[row, place[ngram]] = (1 + np.log(times)) * idf
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(norms > 0, norms, 1)


def predict(counts, y, training, rows, penalties):
    """Predict some rows of y by a kernel ridge on the training rows, for every penalty."""
    features, mean = unit_features(counts, training), y[training].mean(axis=0)
    kernel, across = features[training] @ features[training].T, features[rows] @ features[training].T
    for penalty in penalties:
        dual = np.linalg.solve(kernel + penalty * np.eye(len(training)), y[training] - mean)
        yield across @ dual + mean


def held_out_words(texts, y, folds):
    """Predict every row of y from the words of its text by a map fitted without its fold, (n, q)."""
    unspaced = is_unspaced(texts)
    counts, n_folds, predicted = [ngrams(text, unspaced) for text in texts], folds.max() + 1, np.empty(y.shape)
    for fold in range(n_folds):
        errors = np.zeros(len(PENALTIES))
        for inner in neighbours(fold, n_folds):
            rows, training = np.flatnonzero(folds == inner), np.flatnonzero(~np.isin(folds, [fold, inner]))
            guesses = predict(counts, y, training, rows, PENALTIES)
            errors += [np.sum((y[rows] - guess) ** 2) for guess in guesses]
        rows, training = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        (predicted[rows],) = predict(counts, y, training, rows, PENALTIES[[np.argmin(errors)]])
    return predicted

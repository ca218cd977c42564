"""What token length and script alone say of a text's language."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from ...analysis.geometry.language_probe import held_out_hits
from ...analysis.types import Floats, Integers
from ..experiment.design import Design
from ..results.language_id import Baseline
from .config import LanguageIdConfig
from .scores import coded_bits


def length_and_script_baseline(
    texts: Sequence[Sequence[str]],
    tokens: Sequence[Integers],
    labels: Integers,
    design: Design,
    config: LanguageIdConfig,
) -> Baseline:
    """Classify languages by token length and script.

    Parameters
    ----------
    texts : sequence of sequence of str
        n texts of each of c languages.
    tokens : sequence of array (n,)
        Their token counts.
    labels : array (c n,)
    design : Design
        Of the n sentences.
    config : LanguageIdConfig
    """
    features, names = baseline_features(texts, tokens)
    classes = len(texts)
    hits = held_out_hits(features, labels, np.tile(design.folds, classes), penalty=config.penalty)
    accuracy = design.proportion(hits.reshape(classes, -1).mean(axis=0))
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return Baseline(accuracy, coded_bits(scaled, labels, np.tile(design.groups, classes), config), names)


def baseline_features(texts: Sequence[Sequence[str]], tokens: Sequence[Integers]) -> tuple[Floats, tuple[str, ...]]:
    """Return token length, its logarithm, and the share of each script among the letters, (c n, features).

    The script of a letter is the first word of its Unicode name.
    """
    flat = [text for column in texts for text in column]
    lengths = np.concatenate([np.asarray(column, np.float64) for column in tokens])
    shares_of_texts: list[dict[str, float]] = []
    for text in flat:
        letters = [letter for letter in text if letter.isalpha()]
        shares: dict[str, float] = {}
        for letter in letters:
            script = unicodedata.name(letter, "UNKNOWN").split()[0].lower()
            shares[script] = shares.get(script, 0.0) + 1 / len(letters)
        shares_of_texts.append(shares)
    names = sorted({script for shares in shares_of_texts for script in shares})
    table = np.array([[shares.get(name, 0.0) for name in names] for shares in shares_of_texts])
    return np.column_stack([lengths, np.log1p(lengths), table.reshape(len(flat), -1)]), ("tokens", "log tokens", *names)

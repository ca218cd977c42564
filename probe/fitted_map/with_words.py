"""`polyglot map fit --with-words`: words and the source vectors in one map, beside the same search without words.

The map reads texts as well as vectors, so no layer behind the encoder holds it: the folder carries the map and no
model, and `polyglot map apply` takes the texts.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.certificate.permutation import NullScores
from ...analysis.maps.search_stretch import search_predictions
from ...analysis.maps.words_and_vectors import WordsAndVectors
from ...analysis.retrieval.scores import fidelity
from ...analysis.types import Floats, Integers
from ...files import check_free_for_map
from ..experiment.held_out import (
    HeldOut,
    RungSearches,
    centred_searches,
    fit_held_out,
    ladder_warnings,
    rung_errors,
    scores_of_rung,
)
from ..experiment.pairs import Pairs, embed_sides, in_one_space
from ..results.fitted_map import MapFitResult
from ..results.intervals import percent
from ..results.provenance import Start
from .folder import normalises, write_words_folder
from .run import FOLDS, MapFitConfig

if TYPE_CHECKING:
    from ...data.bitext import Bitext
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder

RUNG, WITHOUT = "words", "linear"
FEWER = " That is fewer: give more pairs, or fit the map without --with-words."
NO_NULL = NullScores({}, {}, (), 0)


def fit_with_words(
    encoders: tuple[Encoder, Encoder],
    bitext: Bitext,
    out: Path,
    config: MapFitConfig,
    *,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> MapFitResult:
    """Fit words and vectors of the source to the space of the target side, and write the map to a folder.

    Parameters
    ----------
    encoders, bitext, out, cache, command, batch_tokens, progress
        As for `run.fit`.
    config : MapFitConfig
        Its resamples, space and seed.

    Raises
    ------
    DataError
        If there are too few pairs.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    check_free_for_map(out)
    start = Start.now(command)
    source, target = embed_sides(encoders, bitext, cache=cache, batch_tokens=batch_tokens, progress=progress)
    pairs = Pairs.of_text(source, target, bitext, same_space=in_one_space(encoders, config.same_space))
    held_out = held_out_with_words(pairs, resamples=config.resamples, seed=config.seed)
    fitted = WordsAndVectors.fit(bitext.sources, pairs.x, pairs.y)
    scores, linear = (scores_of_rung(held_out, NO_NULL, rung) for rung in (RUNG, WITHOUT))
    before = scores_of_rung(held_out, NO_NULL, "identity") if pairs.same_space else None
    pool = len(pairs.pool.rows)
    result = MapFitResult(
        source=pairs.names[0],
        target=pairs.names[1],
        rung=RUNG,
        chosen_by="asked",
        verdict="",
        retrieval_verdict="",
        shares={},
        sentence=(
            f"{pairs.names[0]} → {pairs.names[1]}: words and vectors in one map fitted on {len(pairs.x)} pairs; held "
            f"out, the translation is the nearest of {pool} for {percent(scores.p_at_1)}, "
            f"{percent(linear.p_at_1)} by a linear map of the vectors alone."
            + (FEWER if scores.p_at_1.value < linear.p_at_1.value else "")
        ),
        n=len(pairs.x),
        groups=pairs.n_groups,
        dims=(pairs.x.shape[1], pairs.y.shape[1]),
        folds=FOLDS,
        pool=pool,
        scores=scores,
        before=before,
        settings={"penalty": fitted.penalty},
        carries_model=False,
        normalised=normalises(encoders[1].model),
        warnings=ladder_warnings(pairs),
        provenance=start.provenance(
            corpus=bitext.name,
            fingerprint=bitext.fingerprint,
            seed=config.seed,
            models=(source.identity, target.identity),
            device=encoders[0].device,
        ),
    )
    write_words_folder(out, fitted, result, encoders)
    return result


def held_out_with_words(pairs: Pairs, *, resamples: int, seed: int) -> HeldOut:
    """Score words and vectors on rows held out of the fit, beside a linear map of the vectors on the same folds."""
    plain = fit_held_out(pairs, ("identity", WITHOUT), folds=FOLDS, resamples=resamples, seed=seed)
    predicted = _held_out_predictions(pairs, plain.ladder.source.folds)
    fit = replace(plain.fit, predictions={**plain.fit.predictions, RUNG: predicted})
    asked = {**search_predictions(plain.fit, plain.stretches), RUNG: predicted}
    return replace(
        plain,
        fit=fit,
        fidelity={**plain.fidelity, RUNG: fidelity(pairs.y, predicted, fit.reference)},
        errors=rung_errors(fit, pairs.y, plain.resamples),
        searches=RungSearches.of(pairs, asked),
        centred=centred_searches(pairs, fit),
        standardised=rung_errors(fit, pairs.y, plain.resamples, standardised=True),
    )


def _held_out_predictions(pairs: Pairs, folds: Integers) -> Floats:
    assert pairs.sources is not None
    predicted = np.empty(pairs.y.shape)
    for fold in range(int(folds.max()) + 1):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        texts = [[pairs.sources[row] for row in rows.tolist()] for rows in (outside, inside)]
        fitted = WordsAndVectors.fit(texts[0], pairs.x[outside], pairs.y[outside])
        predicted[inside] = fitted(texts[1], pairs.x[inside])
    return predicted

"""Controls: what stands beside every claim about a map (method §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...analysis.maps.fixed_shrinkage import wrong_language
from ...analysis.maps.search_stretch import stretched_by_fold
from ...analysis.maps.words import MOST_ROWS, held_out_words
from ...analysis.retrieval.scores import found_first, row_squares
from ...analysis.types import Floats
from ...stages import stage
from ..experiment.held_out import HeldOut, fit_held_out
from ..experiment.pairs import Pairs
from ..results.linear_map import Controls, ControlScores, UntrainedControl, WrongLanguageControl
from .control_scores import Outcomes
from .paraphrase import paraphrase_control

OWN = "linear"  # the rung that controls stand beside


def controls_of(held_out: HeldOut, pairs: Pairs, others: Mapping[str, Floats], seed: int) -> Controls:
    """Measure the controls that the pairs allow.

    Parameters
    ----------
    held_out : HeldOut
        The ladder of the pairs: its folds, penalties and stretches serve the controls as well.
    pairs : Pairs
    others : mapping of str to array (n, w)
        The same rows in other languages.
    seed : int
    """
    stage("controls")
    own = OwnMap(held_out, pairs, held_out.searches.outcomes(OWN)["p_at_1"])
    return Controls(
        words=words_control(own, seed),
        wrong_language=wrong_language_controls(own, others),
        paraphrase=paraphrase_control(held_out, pairs, seed),
        untrained=untrained_control(own, seed),
    )


@dataclass(frozen=True, slots=True, eq=False)
class OwnMap:
    """The linear map that controls stand beside."""

    held_out: HeldOut
    pairs: Pairs
    hits: Floats  # (n,) P@1 in both roles

    def scores_beside(self, predicted: Floats) -> ControlScores:
        """Score held-out predictions (n, q) of the same targets; they ask with the stretches of this map."""
        pairs, reference = self.pairs, self.held_out.fit.reference
        stretches, folds = self.held_out.stretches[OWN], self.held_out.ladder.source.rows
        asked = stretched_by_fold(predicted, reference, folds, stretches)
        hits = found_first(asked, pairs.y, pairs.groups, pairs.pool)
        outcomes = Outcomes(row_squares(pairs.y - predicted), row_squares(pairs.y - reference), hits)
        return outcomes.scores(self.held_out.resamples, self.hits)


def words_control(own: OwnMap, seed: int) -> ControlScores | None:
    """Predict the targets from the words of the sources; None without texts, or with more than a kernel can hold."""
    texts = own.pairs.sources
    if texts is None or len(texts) > MOST_ROWS:
        return None
    return own.scores_beside(held_out_words(texts, own.pairs.y, own.held_out.ladder.source.folds, seed=seed))


def wrong_language_controls(own: OwnMap, others: Mapping[str, Floats]) -> dict[str, WrongLanguageControl]:
    """Apply the maps of other languages to this source: only within one space, whose rows any of its maps takes."""
    if not own.pairs.same_space:
        return {}
    fit = own.held_out.fit
    shrinkages = [choices.spec(OWN).shrinkage for choices in fit.choices]
    scores = {}
    for language, rows in others.items():
        if rows.shape == own.pairs.x.shape:
            found = wrong_language(own.pairs.x, rows, fit.target, shrinkages)
            scores[language] = WrongLanguageControl(
                own.scores_beside(found.as_it_is), own.scores_beside(found.recentred)
            )
    return scores


def untrained_control(own: OwnMap, seed: int) -> UntrainedControl | None:
    """Measure the same rows in encoders with random weights: a linear map, and no map within one space."""
    if own.pairs.untrained is None:
        return None
    x, y = own.pairs.untrained
    pairs = replace(own.pairs, x=x, y=y)
    resamples, folds = own.held_out.resamples, int(own.held_out.ladder.source.folds.max()) + 1
    rungs = ("identity", OWN) if pairs.same_space else (OWN,)
    held_out = fit_held_out(pairs, rungs, folds=folds, resamples=len(resamples.weights), seed=seed)
    total, hits = row_squares(y - held_out.fit.reference), held_out.searches.hits()
    scores = {
        rung: Outcomes(row_squares(y - held_out.fit.predictions[rung]), total, hits[rung]).scores(resamples, own.hits)
        for rung in rungs
    }
    return UntrainedControl(scores[OWN], scores.get("identity"))

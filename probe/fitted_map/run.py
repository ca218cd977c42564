"""`polyglot map fit`: the lowest rung that suffices, fitted on all rows, as a folder that can be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.certificate.equivalence import MARGIN
from ...analysis.maps.estimators import Map, make_map
from ...analysis.maps.fold_moments import FoldedSource, FoldedTarget
from ...analysis.maps.ladder import DEFAULT_RUNGS
from ...analysis.maps.search_stretch import stretch_of
from ...analysis.splits import group_folds
from ...errors import ConfigError, DataError
from ...files import check_free_for_map
from ...stages import stage
from ..experiment.checks import require, require_resampling
from ..experiment.pairs import Pairs, embed_sides, in_one_space
from ..results.fitted_map import MapFitResult
from ..results.intervals import percent
from ..results.linear_map import LinearMapResult
from ..results.provenance import Provenance, Start
from .certificate import read_certificate
from .choice import FITTED_RUNGS, ChosenBy, RungEvidence, choose_rung, measure_rungs
from .folder import normalises, write_folder

if TYPE_CHECKING:
    from ...data.bitext import Bitext
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder

FOLDS = 5


@dataclass(frozen=True, slots=True)
class MapFitConfig:
    """Settings of `polyglot map fit`.

    Parameters
    ----------
    rung : str, optional
        The map to fit; chosen by a certificate where it is not given.
    chosen_by : {"p_at_1", "r2"}
        Which verdict of the certificate decides: the lowest rung within one point of the best P@1, since a map is
        fitted to search with, or the lowest within the margin of the best R².
    margin : float
        δ of the verdict on R², 0 < δ < 1.
    permutations : int
        Permuted refits of the quick certificate, ≥ 2.
    resamples : int
        Cluster-bootstrap resamples, ≥ 100.
    same_space : bool or None
        Whether both sides live in one space; None decides by the models.
    seed : int
    """

    rung: str | None = None
    chosen_by: ChosenBy = "p_at_1"
    margin: float = MARGIN
    permutations: int = 5
    resamples: int = 1000
    same_space: bool | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        if self.rung is not None and self.rung not in FITTED_RUNGS:
            raise ConfigError(f"unknown rung {self.rung!r}: expected one of {', '.join(FITTED_RUNGS)}")
        if self.chosen_by not in ("p_at_1", "r2"):
            raise ConfigError(f"a rung is chosen by p_at_1 or r2, got {self.chosen_by!r}")
        require(0 < self.margin < 1, f"--margin must lie between 0 and 1, got {self.margin}")
        require_resampling(folds=FOLDS, permutations=self.permutations, resamples=self.resamples)

    def measured(self, pairs: Pairs) -> RungEvidence:
        """Score the whole ladder where a rung is to be chosen, else only what is asked."""
        asked = tuple(r for r in DEFAULT_RUNGS if r in {"identity", "linear", self.rung})
        return measure_rungs(
            pairs,
            DEFAULT_RUNGS if self.rung is None else asked,
            margin=self.margin,
            folds=FOLDS,
            permutations=self.permutations,
            resamples=self.resamples,
            seed=self.seed,
        )


def fit(  # noqa: PLR0913 - the inputs of `linear_map.run`, and where the map goes
    encoders: tuple[Encoder, Encoder],
    bitext: Bitext,
    out: Path,
    config: MapFitConfig = MapFitConfig(),
    *,
    certificate: LinearMapResult | None = None,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> MapFitResult:
    """Fit a map from the source language to the space of the target side and write it to a folder.

    Parameters
    ----------
    encoders : (Encoder, Encoder)
        Of the source and of the target language; the same one twice for one model.
    bitext : Bitext
        At least 50 pairs.
    out : Path
        Folder to be made; an earlier map there is replaced, anything else is left alone.
    config : MapFitConfig
    certificate : LinearMapResult, optional
        A result of `polyglot probe linear-map` for the same models, whose verdict is taken; by default a quick one is
        computed.
    cache, command, batch_tokens, progress
        As in `probe.linear_map.run`.

    Returns
    -------
    MapFitResult
        Also written to the folder, as `fit.json`.

    Raises
    ------
    DataError
        If there are too few pairs, no map clears its null, or the certificate is of other models or languages.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    check_free_for_map(out)
    start = Start.now(command)
    source, target = embed_sides(encoders, bitext, cache=cache, batch_tokens=batch_tokens, progress=progress)
    pairs = Pairs.of_text(source, target, bitext, same_space=in_one_space(encoders, config.same_space))
    record = start.provenance(
        corpus=bitext.name,
        fingerprint=bitext.fingerprint,
        seed=config.seed,
        models=(source.identity, target.identity),
        device=encoders[0].device,
    )
    stage("fitting maps")
    evidence = config.measured(pairs) if certificate is None else RungEvidence.of_certificate(certificate, record)
    fitted = fit_chosen(pairs, evidence, config)
    result = fit_result(fitted, pairs, evidence, config, record, encoders=encoders)
    write_folder(out, fitted, result, encoders)
    return result


def fit_vectors(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    out: Path,
    groups: Sequence[int] | NDArray[np.integer] | None = None,
    config: MapFitConfig = MapFitConfig(),
    *,
    names: tuple[str, str] = ("x", "y"),
    command: str = "",
) -> MapFitResult:
    """Fit a map between arrays that you already have; the folder then carries the map but no model.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows, n ≥ 50.
    out : Path
        As in `fit`.
    groups : sequence of int, optional
        Concept group of each row, (n,).
    config : MapFitConfig
    names : (str, str)
        What the sides are called.

    Raises
    ------
    DataError, OutputError
        As `fit`.
    """
    check_free_for_map(out)
    start = Start.now(command)
    pairs = Pairs.of_arrays(x, y, groups, names=names, same_space=bool(config.same_space))
    record = start.provenance(corpus="arrays", fingerprint=pairs.fingerprint(), seed=config.seed)
    evidence = config.measured(pairs)
    fitted = fit_chosen(pairs, evidence, config)
    result = fit_result(fitted, pairs, evidence, config, record, encoders=None)
    write_folder(out, fitted, result, None)
    return result


def fit_chosen(pairs: Pairs, evidence: RungEvidence, config: MapFitConfig) -> Map:
    """Fit the rung that was asked for, or that the evidence favours, on all rows.

    Raises
    ------
    DataError
        If no map clears its null, or the rung cannot be fitted.
    """
    rung = config.rung or choose_rung(evidence, config.chosen_by)
    if rung not in evidence.rungs or rung not in FITTED_RUNGS:
        unheld = "the certificate does not hold it" if rung in FITTED_RUNGS else "no folder can hold it"
        why = evidence.absent.get(rung, unheld)
        raise DataError(f"the rung {rung!r} cannot be fitted: {why}; ask for another with --rung")
    return fitted_for_search(pairs, rung, config.seed)


def fitted_for_search(pairs: Pairs, rung: str, seed: int) -> Map:
    """Fit a rung to all rows and stretch its deviations by the factor with the best P@1 on inner folds, `stretch_`.

    The identity is left as it is.
    """
    made = make_map(rung, seed)
    if "prior" in made.get_params():
        made.set_params(prior="identity" if pairs.same_space else "components")
    fitted: Map = made.fit(pairs.x, pairs.y, pairs.groups)
    if rung == "identity":
        return fitted
    prior = np.eye(pairs.x.shape[1]) if pairs.same_space else None
    folds = group_folds(pairs.groups, FOLDS, np.random.default_rng(seed))
    target = FoldedTarget.of(FoldedSource.of(pairs.x, folds), pairs.y, prior)
    return fitted.stretched(stretch_of(target, fitted.spec_, pairs.groups, held_out=target.source.no_fold))


def fit_result(
    fitted: Map,
    pairs: Pairs,
    evidence: RungEvidence,
    config: MapFitConfig,
    record: Provenance,
    *,
    encoders: tuple[Encoder, Encoder] | None,
) -> MapFitResult:
    """Return the record of a fitted map; without encoders it is one between arrays."""
    rung, chosen = fitted.rung, config.rung is None
    numbers = {"stretch": fitted.stretch_} | {name: float(getattr(fitted, f"{name}_")) for name in fitted.numbers}
    scores, before = evidence.rungs[rung], evidence.rungs.get("identity")
    without = "" if before is None else f", {100 * before.p_at_1.value:.1f} % without a map"
    return MapFitResult(
        source=pairs.names[0],
        target=pairs.names[1],
        rung=rung,
        chosen_by=config.chosen_by if chosen else "asked",
        verdict=evidence.verdict if chosen else "",
        retrieval_verdict=evidence.retrieval_verdict if chosen else "",
        shares=evidence.shares if chosen else {},
        sentence=(
            f"{pairs.names[0]} → {pairs.names[1]}: {rung.replace('_', ' ')} map fitted on {len(pairs.x)} pairs; held "
            f"out, the translation is the nearest of {evidence.pool} for {percent(scores.p_at_1)}{without}."
        ),
        n=len(pairs.x),
        groups=pairs.n_groups,
        dims=(pairs.x.shape[1], pairs.y.shape[1]),
        folds=evidence.folds,
        pool=evidence.pool,
        scores=scores,
        before=before,
        settings={name: value for name, value in numbers.items() if np.isfinite(value)},
        carries_model=encoders is not None and fitted.affine is not None,
        normalised=encoders is not None and normalises(encoders[1].model),
        warnings=evidence.warnings,
        provenance=record,
    )


__all__ = ["FITTED_RUNGS", "ChosenBy", "MapFitConfig", "choose_rung", "fit", "fit_vectors", "read_certificate"]

"""`polyglot map fit`: the lowest map that suffices, fitted on all rows and put into a folder that can be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ...analysis.certificate.equivalence import MARGIN, NO_MAP, NONLINEAR, VERDICT_ORDER
from ...analysis.maps.estimators import Map, make_map
from ...analysis.maps.fold_moments import FoldedSource, FoldedTarget
from ...analysis.maps.ladder import DEFAULT_RUNGS
from ...analysis.maps.search_stretch import stretch_of
from ...analysis.splits import group_folds
from ...errors import ConfigError, DataError
from ..experiment.pairs import Pairs, embed_sides
from ..linear_map.config import LinearMapConfig
from ..linear_map.direction import measure_direction
from ..results.fitted_map import MapFitResult
from ..results.linear_map import Direction, LinearMapResult
from ..results.provenance import Origin, provenance
from ..results.serialization import Provenance
from .certificate import certificate_caveats, certified_direction, read_certificate
from .folder import check_free, write_folder

if TYPE_CHECKING:
    from ...data.bitext import Bitext
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder

INNER_FOLDS = 5  # on which the stretch for the search is chosen
ChosenBy = Literal["p_at_1", "r2"]
#: Rungs whose maps a folder can hold.
FITTED_RUNGS: tuple[str, ...] = DEFAULT_RUNGS


@dataclass(frozen=True, slots=True)
class MapFitConfig:
    """What `polyglot map fit` can be told.

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
        """Check what the certificate does not."""
        if self.rung is not None and self.rung not in FITTED_RUNGS:
            raise ConfigError(f"unknown rung {self.rung!r}: expected one of {', '.join(FITTED_RUNGS)}")
        if self.chosen_by not in ("p_at_1", "r2"):
            raise ConfigError(f"a rung is chosen by p_at_1 or r2, got {self.chosen_by!r}")
        self.certificate()

    def certificate(self) -> LinearMapConfig:
        """Return the quick certificate: the whole ladder where a rung is to be chosen, else only what is asked."""
        asked = tuple(r for r in DEFAULT_RUNGS if r in {"identity", "linear", self.rung})
        return LinearMapConfig(
            rungs=DEFAULT_RUNGS if self.rung is None else asked,
            margin=self.margin,
            permutations=self.permutations,
            costly_permutations=1,
            resamples=self.resamples,
            power_replicates=0,
            failure=False,
            texts=False,
            same_space=self.same_space,
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
    from ..linear_map.run import same_space

    check_free(out)
    origin = Origin.now(command)
    source, target = embed_sides(encoders, bitext, cache=cache, batch_tokens=batch_tokens, progress=progress)
    one_space = same_space(encoders, config.certificate())
    pairs = Pairs.of_text(source, target, bitext, same_space=one_space)
    origin = replace(origin, models=(source.identity, target.identity), device=encoders[0].device)
    record = provenance(origin, corpus=bitext.name, fingerprint=bitext.fingerprint, seed=config.seed)
    direction = _measured(pairs, config) if certificate is None else _certified(certificate, record)
    fitted, result = _fitted(pairs, direction, config, record)
    return write_folder(out, fitted, result, encoders)


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
    check_free(out)
    origin = Origin.now(command)
    pairs = Pairs.of_arrays(x, y, groups, names=names, same_space=bool(config.same_space))
    record = provenance(origin, corpus="arrays", fingerprint=pairs.fingerprint(), seed=config.seed)
    fitted, result = _fitted(pairs, _measured(pairs, config), config, record)
    return write_folder(out, fitted, result, None)


def _measured(pairs: Pairs, config: MapFitConfig) -> Direction:
    return measure_direction(pairs, config.certificate())


def _certified(certificate: LinearMapResult, record: Provenance) -> Direction:
    direction = certified_direction(certificate, record)
    caveats = certificate_caveats(certificate, direction, record)
    return replace(direction, warnings=(*caveats, *direction.warnings))


def _fitted(pairs: Pairs, direction: Direction, config: MapFitConfig, record: Provenance) -> tuple[Map, MapFitResult]:
    rung = config.rung or choose_rung(direction, config.chosen_by)
    if rung not in direction.rungs or rung not in FITTED_RUNGS:
        unheld = "the certificate does not hold it" if rung in FITTED_RUNGS else "no folder can hold it"
        why = direction.absent.get(rung, unheld)
        raise DataError(f"the rung {rung!r} cannot be fitted: {why}; ask for another with --rung")
    fitted, stretch = fitted_for_search(pairs, rung, config.seed)
    judged = direction.certificate
    numbers = {name: float(getattr(fitted, f"{name}_")) for name in fitted.numbers}
    result = MapFitResult(
        source=direction.source,
        target=direction.target,
        rung=rung,
        chosen_by="asked" if config.rung else config.chosen_by,
        verdict=judged.verdict if config.rung is None else "",
        retrieval_verdict=judged.retrieval_verdict if config.rung is None else "",
        shares=judged.shares if config.rung is None else {},
        sentence="",
        n=len(pairs.x),
        groups=len(np.unique(pairs.groups)),
        dims=direction.dims,
        folds=direction.folds,
        pool=direction.pool,
        scores=direction.rungs[rung],
        before=direction.rungs.get("identity"),
        settings={name: value for name, value in (numbers | {"stretch": stretch}).items() if np.isfinite(value)},
        carries_model=False,
        normalised=False,
        warnings=direction.warnings,
        provenance=record,
    )
    return fitted, replace(result, sentence=_sentence(result))


def fitted_for_search(pairs: Pairs, rung: str, seed: int) -> tuple[Map, float]:
    """Fit a rung to all rows, its deviations stretched by the factor with the best P@1 on inner folds; return both.

    The identity is left as it is.
    """
    made = make_map(rung, seed)
    if "prior" in made.get_params():
        made.set_params(prior="identity" if pairs.same_space else "components")
    fitted = made.fit(pairs.x, pairs.y, pairs.groups)
    if rung == "identity":
        return fitted, 1.0
    prior = np.eye(pairs.x.shape[1]) if pairs.same_space else None
    folds = group_folds(pairs.groups, INNER_FOLDS, np.random.default_rng(seed))
    target = FoldedTarget.of(FoldedSource.of(pairs.x, folds), pairs.y, prior)
    stretch = stretch_of(target, fitted.spec_, pairs.groups, held_out=target.source.no_fold)
    return fitted.stretched(stretch), stretch


def choose_rung(direction: Direction, chosen_by: ChosenBy) -> str:
    """Return the rung to fit: the one that the verdict names, and where it names none, the best that it leaves.

    *nonlinear* gives the ceiling, a map that bends; *undecided* gives `linear`, which holds all plainer maps.

    Raises
    ------
    DataError
        If the verdict is that there is no map.
    """
    judged = direction.certificate
    verdict = judged.retrieval_verdict if chosen_by == "p_at_1" else judged.verdict
    if NO_MAP in (judged.verdict, verdict):
        raise DataError(
            f"no map from {direction.source} to {direction.target} clears its null on these {direction.n} pairs: give "
            "more pairs or another model; --rung fits one all the same"
        )
    if verdict in VERDICT_ORDER:
        return verdict
    if verdict == NONLINEAR and chosen_by == "p_at_1":
        fitted = [name for name in direction.rungs if name in FITTED_RUNGS]
        return max(fitted, key=lambda name: direction.rungs[name].p_at_1.value)
    return judged.ceiling if verdict == NONLINEAR else "linear"


def _sentence(result: MapFitResult) -> str:
    found = result.scores.p_at_1
    before = "" if result.before is None else f", {100 * result.before.p_at_1.value:.1f} % without a map"
    return (
        f"{result.source} → {result.target}: {result.rung.replace('_', ' ')} map fitted on {result.n} pairs; held out, "
        f"the translation is the nearest of {result.pool} for {100 * found.value:.1f} % [{100 * found.low:.1f}, "
        f"{100 * found.high:.1f}]{before}."
    )


__all__ = ["FITTED_RUNGS", "MapFitConfig", "choose_rung", "fit", "fit_vectors", "read_certificate"]

"""The geometry verdict: the plainest map between what lies under the noise of two sides (method §5).

A rung is claimed only where its latent share surely exceeds 1 − margin and every plainer rung surely falls short.
Anything else is undecided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...errors import ConfigError, DataError
from ..maps.affine import AffineMap
from ..maps.instruments import (
    MAX_COMPONENTS,
    AxisReliability,
    Smoother,
    axis_reliability,
    principal_components,
    quadratic_features,
    rows_of_folds,
)
from ..maps.structural import KAPPAS, Folds, InstrumentedSums, StructuralFit
from ..resampling import Interval
from ..splits import group_folds, permute_within_strata
from ..types import Floats, Integers
from .curvature import Evidence, Straightness, enough_rows, straightness
from .curvature_kernels import Source, curvature_kernels
from .curvature_residuals import CURVATURE_FOLDS, Regularisation, crossed_residuals
from .latent import (
    Correction,
    PairTerms,
    latent_share,
    map_products,
    pair_terms,
    smoother_weights,
    total_products,
)
from .refitting import corrections

FOLDS = 5
RUNGS: tuple[str, ...] = ("identity", "shift", "rotation", "similarity", "linear")
VERDICTS: tuple[str, ...] = (*RUNGS, "nonlinear", "no map", "undecided")
FIRST_STAGE_COMPONENTS = 256
MAP_LEVEL, NO_MAP_LEVEL = 0.02, 0.05
UNTESTED = "odd curves such as waves"  # no kernel is made for them: planted ones pass as linear
WEAK = 4.0  # standard errors of the denominator of shares below which instruments are weak

NO_MAP = "pairs predict no more than permuted pairs"
MAP_UNSURE = "pairs may predict no more than permuted pairs"
NO_INSTRUMENTS = "no instruments"
WEAK_INSTRUMENTS = "the instruments predict too little of the target"
CURVED = "curvature surely above the margin"
CURVATURE_OPEN = "curvature is visible and may exceed the margin"
SUFFICES = "suffices, and every plainer map falls short"
RUNG_OPEN = "a map neither suffices nor falls short"
CURVATURE_UNTESTED = "a linear map suffices, but there are too few rows to test curvature"
CURVATURE_NOT_EXCLUDED = "a linear map suffices, but curvature is not excluded"
LINEAR_FALLS_SHORT = "a linear map falls short, but no curvature is visible"
REASONS: tuple[str, ...] = (
    NO_MAP,
    MAP_UNSURE,
    NO_INSTRUMENTS,
    WEAK_INSTRUMENTS,
    CURVED,
    CURVATURE_OPEN,
    SUFFICES,
    RUNG_OPEN,
    CURVATURE_UNTESTED,
    CURVATURE_NOT_EXCLUDED,
    LINEAR_FALLS_SHORT,
)


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """One direction: source, target, and instruments of the same rows.

    Parameters
    ----------
    x : array (n, p)
    y : array (n, q)
    instruments : mapping of name to array (n, ·)
        Other renderings of the same meanings, with noise of their own; none is allowed and gives no latent shares.
    groups : array (n,), optional
        Concept groups, which never cross folds; every row its own by default.
    strata : array (n,), optional
        Pairs are permuted within them (like length); one by default.
    same_space : bool
        Whether identity and shift mean anything; needs p = q.

    Raises
    ------
    DataError
        If lengths or widths disagree, values are not finite, or there are fewer than 10 groups.
    """

    x: Floats
    y: Floats
    instruments: Mapping[str, Floats]
    groups: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    strata: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    same_space: bool = True

    def __post_init__(self) -> None:
        n = len(self.x)
        if not self.groups.size:
            object.__setattr__(self, "groups", np.arange(n))
        if not self.strata.size:
            object.__setattr__(self, "strata", np.zeros(n, np.int64))
        for name, part in {"x": self.x, "y": self.y, **self.instruments}.items():
            if part.ndim != 2 or len(part) != n or not np.isfinite(part).all():
                raise DataError(f"{name}: expected finite values of shape ({n}, width), got shape {part.shape}")
        for name, labels in (("groups", self.groups), ("strata", self.strata)):
            if labels.shape != (n,):
                raise DataError(f"{name}: expected one number for each of {n} rows, got shape {labels.shape}")
        if self.same_space and self.x.shape[1] != self.y.shape[1]:
            raise DataError(
                f"same_space: expected equal widths, got {self.x.shape[1]} and {self.y.shape[1]}; pass same_space=False"
            )
        if len(np.unique(self.groups)) < 2 * FOLDS:
            raise DataError(f"expected at least {2 * FOLDS} groups of rows, got {len(np.unique(self.groups))}")


@dataclass(frozen=True, slots=True)
class GeometryConfig:
    """How a geometry verdict is reached.

    Parameters
    ----------
    margin : float
        δ: a map suffices above a latent share of 1 − δ, and curvature of δ counts; in (0, 0.4].
    permutations : int
        Of the null of `no map`, at least 49: fewer cannot reach its level.
    seed : int
    """

    margin: float = 0.05
    permutations: int = 49
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.margin <= 0.4:
            raise ConfigError(f"margin: expected a share above 0 and at most 0.4, got {self.margin}")
        if self.permutations < 49:
            raise ConfigError(f"permutations: expected at least 49, got {self.permutations}")


@dataclass(frozen=True, slots=True)
class Geometry:
    """A geometry verdict with what it rests on."""

    verdict: str  # one of VERDICTS
    reason: str  # one of REASONS
    open_rung: str | None  # the rung that neither suffices nor falls short
    scale: str  # "latent", or "observed" where no shares are measured: without instruments, or without a map
    margin: float
    map_p_value: float  # of no map, by permuted pairs
    shares: dict[str, Interval]  # latent share of each rung
    by_instrument: dict[str, dict[str, Interval]]  # the same through each single instrument
    reliability: tuple[float, float] | None  # of source and target
    straightness: Straightness | None  # None where there are too few rows, or no instruments

    @property
    def resolution(self) -> dict[str, float | None]:
        """Least share of curvature that this sample resolves in each family; None where it resolves none."""
        return {} if self.straightness is None else {r.family: r.share for r in self.straightness.resolutions}

    @property
    def small_curvature(self) -> bool:
        """Curvature is visible, but below the margin in every family that this sample resolves."""
        return self.straightness is not None and self.straightness.visible and self.straightness.below_margin

    @property
    def instruments_agree(self) -> bool:
        """The intervals of every rung through single instruments overlap; where not, instruments share noise."""
        return all(
            max(shares[rung].low for shares in self.by_instrument.values())
            <= min(shares[rung].high for shares in self.by_instrument.values())
            for rung in (self.shares if self.by_instrument else ())
        )

    def sentence(self) -> str:
        """Say the verdict, its reason, and what this sample could not see, in one line."""
        what = "not settled" if self.verdict == "undecided" else self.verdict
        parts = [f"{what}: {self.reason}" + (f" ({self.open_rung})" if self.open_rung else "")]
        if self.small_curvature:
            parts.append(f"curvature is visible but below the margin of {self.margin:.0%}")
        if self.straightness is None and self.verdict in RUNGS:
            parts.append("curvature was not tested: too few rows")
        unseen = [family for family, share in self.resolution.items() if share is None]
        if self.straightness is not None and self.verdict in RUNGS:
            unseen.append(UNTESTED)
            parts.append(f"this sample cannot see curvature of these kinds: {', '.join(unseen)}")
        return "; ".join(parts)


def geometry_verdict(views: Views, config: GeometryConfig | None = None) -> Geometry:
    """Judge what map leads from the source to the target of one direction, noise aside.

    Parameters
    ----------
    views : Views
    config : GeometryConfig, optional

    Returns
    -------
    Geometry
        `undecided` unless the evidence settles it.
    """
    config = config or GeometryConfig()
    folds = group_folds(views.groups, FOLDS, np.random.default_rng([config.seed, 1]))
    p_value = map_p_value(views, folds, config)
    if not views.instruments or p_value > NO_MAP_LEVEL:
        found = ("no map", NO_MAP) if p_value > NO_MAP_LEVEL else ("undecided", NO_INSTRUMENTS)
        return Geometry(*found, None, "observed", config.margin, p_value, {}, {}, None, None)
    components = first_stage(views.instruments)
    fits = structural_fits(views, folds, Effort(), components)
    maps = maps_by_rung(fits)
    scores = components[:, :MAX_COMPONENTS]
    smoother = Smoother.fit([scores, quadratic_features(scores)], views.y, folds)
    residual = noise_residuals(views, folds, maps["linear"])
    refitted = corrections(smoother, fits, views.x, residual, config.seed)
    products = {rung: map_products(smoother.rows, views.x, views.y, fitted) for rung, fitted in maps.items()}
    products["mean"] = total_products(smoother.rows, views.y)
    total, shares = _shares(views.groups, smoother, products, refitted)
    by_instrument = {
        name: shares if len(views.instruments) == 1 else _single(views, name, smoother, products, (refitted, total))
        for name in views.instruments
    }
    source, target = (axis_reliability(a, b, scores, folds) for a, b in ((views.x, views.y), (views.y, views.x)))
    straight = _straightness(views, fits, (scores, source, target), config)
    verdict = decide(shares, straight, p_value, config.margin, weak=total.total < WEAK * total.error)
    reliability = (source.overall, target.overall)
    return Geometry(*verdict, "latent", config.margin, p_value, shares, by_instrument, reliability, straight)


def map_p_value(views: Views, folds: Integers, config: GeometryConfig) -> float:
    """p-value of Σ y·Π(y), Π on the source and its curves, when pairs are permuted within strata."""
    scores = principal_components([views.x])
    smoother = Smoother.fit([scores, quadratic_features(scores)], views.y, folds)
    rng, centred = np.random.default_rng([config.seed, 5]), views.y - views.y.mean(axis=0)
    weights = smoother_weights(smoother).astype(np.float32)
    products = (centred @ centred.T).astype(np.float32)

    def weighted(drawn: Integers) -> float:
        return float(np.einsum("ij,ij->i", weights, products[np.ix_(drawn, drawn)]).sum(dtype=np.float64))

    observed, above = weighted(np.arange(len(products))), 0
    for _ in range(config.permutations):
        above += weighted(permute_within_strata(views.groups, views.strata, rng)) >= observed
    return (1 + above) / (1 + config.permutations)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is fitted.

    Parameters
    ----------
    scored : int
        Folds that are held out in turn, the first ones; at most FOLDS.
    kappas : tuple of float
        Pulls of the rotation that are tried beside ∞.
    """

    scored: int = FOLDS
    kappas: tuple[float, ...] = KAPPAS


def first_stage(instruments: Mapping[str, Floats]) -> Floats:
    """Return components of instruments (n, ·), from which x̂ is predicted, (n, m); Π uses the first of them."""
    return principal_components(list(instruments.values()), FIRST_STAGE_COMPONENTS)


def structural_fits(views: Views, folds: Integers, effort: Effort, components: Floats) -> list[StructuralFit]:
    """Fit every rung through the components (n, m) of the instruments, once for each fold that is scored."""
    first = Smoother.fit([components], views.x, folds)
    shared: dict[tuple[Folds, float], Floats] = {}
    return [
        StructuralFit(
            InstrumentedSums.of(views.x, views.y, folds, first.without(views.x, k)),
            k,
            views.same_space,
            shared if views.same_space else {},  # between spaces the prior depends on x̂, which differs by fold
            effort.kappas,
        )
        for k in range(effort.scored)
    ]


def maps_by_rung(fits: Sequence[StructuralFit]) -> dict[str, list[AffineMap]]:
    """Return the maps of every rung, one for each fit."""
    fitted = [fit.maps() for fit in fits]
    return {rung: [maps[rung] for maps in fitted] for rung in fitted[0]}


def noise_residuals(views: Views, folds: Integers, maps: Sequence[AffineMap]) -> Floats:
    """Residuals of every row under the map fitted without its fold, of the size of the noise, (n, q).

    Out of sample they are larger than the noise by the error of the fit, and in sample smaller by about the same. Rows
    of folds that are not scored have none out of sample: theirs in sample, under the first map, are brought to the size
    of the others.
    """
    residual, inside, scored = views.y - maps[0](views.x), 0.0, folds < len(maps)
    for fold, rows in enumerate(rows_of_folds(folds)[: len(maps)]):
        left = views.y - maps[fold](views.x)
        residual[rows] = left[rows]
        inside += float(np.sum(left**2) - np.sum(left[rows] ** 2)) / (FOLDS - 1)
    outside, rest = float(np.sum(residual[scored] ** 2)), float(np.sum(residual[~scored] ** 2))
    size = float(np.sqrt(inside * outside))
    if rest > 0:
        residual[~scored] *= np.sqrt(size / rest * np.sum(~scored) / np.sum(scored))
    if outside > 0:
        residual[scored] *= np.sqrt(size / outside)
    return residual


def _shares(
    groups: Integers, smoother: Smoother, products: Mapping[str, Floats], refitted: Mapping[str, Correction]
) -> tuple[PairTerms, dict[str, Interval]]:
    """Return the denominator and the share of every rung, from products of residuals."""
    weights = smoother_weights(smoother)
    total = pair_terms(weights, products["mean"], groups)
    return total, {
        rung: latent_share(pair_terms(weights, part, groups), total, refitted.get(rung))
        for rung, part in products.items()
        if rung != "mean"
    }


def _single(
    views: Views,
    name: str,
    joint: Smoother,
    products: Mapping[str, Floats],
    refitted: tuple[Mapping[str, Correction], PairTerms],
) -> dict[str, Interval]:
    """Shares of the same maps through a single instrument; corrections are those of all, as parts of the total."""
    scores = principal_components([views.instruments[name]])
    folds = np.empty(len(views.y), np.int64)
    for fold, rows in enumerate(joint.rows):
        folds[rows] = fold
    smoother = Smoother.fit([scores, quadratic_features(scores)], views.y, folds, (joint.ratio,))
    size = float(np.sum(smoother_weights(smoother) * products["mean"])) / refitted[1].total
    scaled = {rung: correction.scaled(size) for rung, correction in refitted[0].items()}
    return _shares(views.groups, smoother, products, scaled)[1]


def _straightness(
    views: Views,
    fits: Sequence[StructuralFit],
    sides: tuple[Floats, AxisReliability, AxisReliability],
    config: GeometryConfig,
) -> Straightness | None:
    """Test the structural linear rung for curvature; None where there are too few rows."""
    names, index = np.unique(views.groups, return_inverse=True)
    if not enough_rows(len(names), views.x.shape[1]):
        return None
    scores, along, target = sides
    folds = group_folds(views.groups, CURVATURE_FOLDS, np.random.default_rng([config.seed, 2]))
    first = Smoother.fit([scores], views.x, folds)
    source = Source.of(views.x, along, first)
    crossed = crossed_residuals(views.x, views.y, first, Regularisation.of(fits))
    evidence = Evidence(crossed, curvature_kernels(source), float(target.latent.sum()), index.astype(np.int64))
    return straightness(evidence, source, margin=config.margin, seed=config.seed)


def decide(
    shares: Mapping[str, Interval], straight: Straightness | None, map_p: float, margin: float, *, weak: bool = False
) -> tuple[str, str, str | None]:
    """Return verdict, reason and open rung.

    Visible curvature counts against a rung only where curvature of the margin is not excluded. `linear` needs
    curvature excluded in every family that the sample resolves.
    """
    if map_p > MAP_LEVEL:
        return ("no map", NO_MAP, None) if map_p > NO_MAP_LEVEL else ("undecided", MAP_UNSURE, None)
    if weak:
        return "undecided", WEAK_INSTRUMENTS, None
    if straight is not None and straight.visible and not straight.below_margin:
        return ("nonlinear", CURVED, None) if straight.above_margin else ("undecided", CURVATURE_OPEN, None)
    for rung in (r for r in RUNGS if r in shares):
        if shares[rung].low <= 1 - margin <= shares[rung].high:
            return "undecided", RUNG_OPEN, rung
        if shares[rung].low > 1 - margin:
            return _sufficient(rung, straight)
    return "undecided", LINEAR_FALLS_SHORT, None


def _sufficient(rung: str, straight: Straightness | None) -> tuple[str, str, str | None]:
    if rung == "linear" and straight is None:
        return "undecided", CURVATURE_UNTESTED, None
    if rung == "linear" and straight is not None and not straight.straight:
        return "undecided", CURVATURE_NOT_EXCLUDED, None
    return rung, SUFFICES, None

"""The geometry verdict of a direction as a part of the result; other languages take the noise out (method §3)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...analysis.certificate.geometry import Geometry as GeometryFound
from ...analysis.certificate.geometry import GeometryConfig, Views, geometry_verdict
from ...analysis.splits import deciles
from ...analysis.types import Floats
from ...stages import stage
from ..experiment.all_rows import sample_of_groups
from ..experiment.caveats import UNREAD
from ..experiment.pairs import Pairs
from ..results.intervals import percent
from ..results.linear_map import Geometry
from .config import LinearMapConfig

SAMPLED_ROWS = 6000  # of a sample: the verdict holds some n × n matrices
SHOWN_SHARES = ("shift", "rotation", "linear")
IN_WORDS = {"shift": "a shift", "rotation": "a rotation", "linear": "any linear map"}


def sampled_geometry(pairs: Pairs, instruments: dict[str, Floats], config: LinearMapConfig) -> Geometry | None:
    """Judge as `geometry_of` does, of a sample of pairs on at most `SAMPLED_ROWS` of them, whole groups at random."""
    if len(pairs.x) <= SAMPLED_ROWS or not instruments:
        return geometry_of(pairs, instruments, config)
    rows = sample_of_groups(pairs.groups, SAMPLED_ROWS, np.random.default_rng([config.seed, 6]))
    lengths = (pairs.lengths[0][rows], pairs.lengths[1][rows])
    fewer = replace(pairs, x=pairs.x[rows], y=pairs.y[rows], groups=pairs.groups[rows], lengths=lengths)
    found = geometry_of(fewer, {name: view[rows] for name, view in instruments.items()}, config)
    return None if found is None else replace(found, rows=len(rows))


def geometry_of(pairs: Pairs, instruments: dict[str, Floats], config: LinearMapConfig) -> Geometry | None:
    """Judge what map leads from the source to the target, noise aside; None without instruments.

    Parameters
    ----------
    pairs : Pairs
        n rows.
    instruments : dict of array (n, w)
        Embeddings of the same rows in other languages, by language.
    config : LinearMapConfig
    """
    if not instruments:
        return None
    unread = [(share, name) for share, name in zip(pairs.unknown, pairs.names, strict=True) if share > UNREAD]
    if unread:
        share, name = max(unread)
        reason = f"{share:.0%} of the {name} tokens are unknown to the model"
        sentence = f"Geometry, {pairs.names[0]} → {pairs.names[1]}: not settled: {reason}."
        return Geometry("undecided", reason, sentence, config.margin, tuple(instruments), float("nan"), {}, {})
    stage("geometry, noise aside")
    strata = deciles(pairs.lengths[0].astype(np.float64))
    views = Views(pairs.x, pairs.y, instruments, pairs.groups, strata, pairs.same_space)
    found = geometry_verdict(views, GeometryConfig(margin=config.margin, seed=config.seed))
    return Geometry(
        verdict=found.verdict,
        reason=found.reason,
        sentence=geometry_sentence(pairs.names, tuple(instruments), found),
        margin=found.margin,
        instruments=tuple(instruments),
        map_p_value=found.map_p_value,
        shares=found.shares,
        by_instrument=found.by_instrument,
        reliability=found.reliability or (),
        resolution=found.resolution,
        curvature_p_value=None if found.straightness is None else found.straightness.p_value,
    )


def geometry_sentence(names: tuple[str, str], instruments: tuple[str, ...], found: GeometryFound) -> str:
    """Return the verdict on geometry in a sentence, with the latent shares that it rests on."""
    verdict = f"Geometry, {names[0]} → {names[1]}: {found.sentence()}."
    shares = [f"{IN_WORDS[rung]} {percent(found.shares[rung], 0)}" for rung in SHOWN_SHARES if rung in found.shares]
    if not shares:
        return verdict
    return f"{verdict} Of what {', '.join(instruments)} share with {names[1]}: {', '.join(shares)}."

"""More pairs than are held in memory: closed-form maps of all of them, everything else of a sample (method §4).

One reading checks, fingerprints and groups the rows, a second gathers moments of every block of every fold and keeps
the rows of the sample. Under `torchrun` each process reads a run of rows; sums are exchanged, and the first measures
the sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...analysis.certificate.equivalence import SharedErrors, decide
from ...analysis.certificate.permutation import NullScores
from ...analysis.certificate.streamed_latent import JointMoments, streamed_latent_shares
from ...analysis.maps.ladder import LINEAR_RUNGS, SAME_SPACE_RUNGS
from ...analysis.maps.streamed_ladder import StreamedFit, fit_streamed
from ...analysis.resampling import Interval, Resamples, percentile_interval
from ...analysis.splits import group_folds
from ...analysis.streamed_moments import GatheredMoments, RowBlocks, SideBySide, blocks_that_fit, gather
from ...analysis.types import Floats, Indices, Integers, Labels, Rows, RowSource
from ...distributed import Processes
from ...errors import DataError
from ...stages import stage
from ..experiment.all_rows import KeptRows, equal_row_labels, linked_groups, sample_of_groups, scan
from ..experiment.held_out import HeldOut
from ..experiment.pairs import all_the_same, check_shapes
from ..experiment.parallel import side_by_side
from ..results.linear_map import AllPairs
from .choices import choice_of_fold
from .config import LinearMapConfig
from .sentences import Limits, verdict_sentence


@dataclass(frozen=True, slots=True, eq=False)
class PairFit:
    """The closed-form maps of all pairs in one direction."""

    fit: StreamedFit
    n: int
    groups: int
    latent: dict[str, Interval]  # latent share of each structural map; empty without instruments


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """The sample, the closed-form maps of all pairs in both directions, and a digest of all their numbers."""

    rows: Indices  # (m,) ascending
    x: Floats  # (m, p)
    y: Floats  # (m, q)
    groups: Integers  # (m,)
    fits: tuple[PairFit, PairFit]
    fingerprint: str


def fit_and_sample(
    x: RowSource,
    y: RowSource,
    groups: Sequence[int] | Labels | None,
    config: LinearMapConfig,
    *,
    same_space: bool,
    instruments: Mapping[str, RowSource] | None = None,
    processes: Processes = Processes(),  # noqa: B008 - frozen
) -> Sampled:
    """Fit the closed-form rungs to all pairs, and draw the sample that everything else is measured on.

    Parameters
    ----------
    x, y : rows (n, p), (n, q)
    groups : sequence of int, optional
        Concept group of each row, (n,); by default rows with equal vectors on either side are one group.
    config : LinearMapConfig
        The sample has at most `exact_rows` pairs.
    same_space : bool
    instruments : mapping of str to rows (n, w), optional
        Other renderings of the same rows, by name.
    processes : Processes
        All of them get the same.

    Raises
    ------
    DataError
        If shapes disagree, or a row is zero, NaN or infinite (rows are named).
    """
    check_shapes(x, y, groups, same_space=same_space)
    stage("reading rows")
    numbers, fingerprint = read_groups(x, y, groups, processes)
    stage("moments of all pairs")
    folds = group_folds(numbers, config.folds, np.random.default_rng(config.seed))
    rows = sample_of_groups(numbers, config.exact_rows, np.random.default_rng([config.seed, 4]))
    kept = KeptRows(rows, x, y)
    pairs, joint = gather_pairs(x, y, instruments or {}, (numbers, folds), kept=kept, processes=processes)
    stage("closed-form maps of all pairs")
    rungs = [rung for rung in config.rungs if rung in LINEAR_RUNGS and (same_space or rung not in SAME_SPACE_RUNGS)]
    prior, n_groups = np.eye(x.shape[1]) if same_space else None, len(np.unique(numbers))

    def fitted(one: GatheredMoments, with_instruments: JointMoments | None) -> PairFit:
        latent: dict[str, Interval] = {}
        if with_instruments is not None:
            latent = streamed_latent_shares(with_instruments, same_space=same_space, processes=processes)
        return PairFit(fit_streamed(one, rungs, prior=prior, processes=processes), len(numbers), n_groups, latent)

    forward = fitted(pairs, joint)
    backward = fitted(pairs.swapped(), None if joint is None else joint.swapped())
    return Sampled(rows, *kept.sides(processes), numbers[rows], (forward, backward), fingerprint)


def gather_pairs(
    x: RowSource,
    y: RowSource,
    instruments: Mapping[str, RowSource],
    groups_and_folds: tuple[Integers, Integers],
    *,
    kept: KeptRows,
    processes: Processes,
) -> tuple[GatheredMoments, JointMoments | None]:
    """Gather the moments of x and y, and those with the instruments, in one reading that also fills the sample."""
    groups, folds = groups_and_folds
    n_folds, p, q = int(folds.max()) + 1, x.shape[1], y.shape[1]
    if not instruments:
        blocks = RowBlocks.of(groups, folds, blocks_that_fit((p, q), n_folds))
        return gather(x, y, blocks, processes=processes, see=kept.see), None
    widths = {name: rows.shape[1] for name, rows in instruments.items()}
    blocks = RowBlocks.of(groups, folds, blocks_that_fit((p + q, sum(widths.values())), n_folds))

    def see(piece: slice, both: Rows, _: Rows) -> None:
        kept.see(piece, both[:, :p], both[:, p:])

    sides = SideBySide([x, y]), SideBySide([*instruments.values()])
    if len(sides[1]) != len(x):
        raise DataError(f"expected {len(x)} rows of every instrument, got {len(sides[1])}")
    joint = JointMoments(gather(*sides, blocks, processes=processes, see=see), slice(0, p), slice(p, p + q), widths)
    return joint.pairs(), joint


def read_groups(
    x: RowSource, y: RowSource, groups: Sequence[int] | Labels | None, processes: Processes
) -> tuple[Integers, str]:
    """Check all rows; return their groups (n,), by equal vectors where none are given, and a digest of both sides."""
    sides = (("source", x), ("target", y))
    if processes.alone:
        found = side_by_side(lambda side: scan(*side), sides)
    else:
        found = [scan(name, side, processes) for name, side in sides]
    for (name, _), read in zip(sides, found, strict=True):
        if (read.keys == read.keys[0]).all():
            raise DataError(all_the_same(name))
    digest = "".join(read.digest for read in found)
    if groups is not None:
        return np.asarray(groups, np.int64), digest
    labels = [equal_row_labels(side, read.keys) for (_, side), read in zip(sides, found, strict=True)]
    return linked_groups(labels), digest


def all_pairs(
    found: PairFit,
    held_out: HeldOut,
    null: NullScores,
    config: LinearMapConfig,
    *,
    names: tuple[str, str],
    limits: Limits,
) -> AllPairs:
    """Return R² of the closed-form rungs over all pairs, and the verdict by R² that it leads to.

    Parameters
    ----------
    found : PairFit
    held_out : HeldOut
        Of the sample.
    null : NullScores
        Of the sample: with more pairs chance explains less.
    config : LinearMapConfig
    names : (str, str)
    limits : Limits
        What the sample would have shown.
    """
    blocks = len(found.fit.total)
    resamples = Resamples.draw(np.arange(blocks), np.random.default_rng([config.seed, 5]), config.resamples)
    closed = SharedErrors.of(found.fit.errors, found.fit.total, resamples)
    scores = with_curved_rungs(closed, held_out.errors)
    decision = decide(scores, null.ceiling_p95, config.margin)
    verdict = verdict_sentence(names, decision, scores, limits)
    return AllPairs(
        n=found.n,
        groups=found.groups,
        blocks=blocks,
        sample=len(held_out.fit.reference),
        r2={rung: closed.interval(rung) for rung in closed.names},
        gaps={rung: gap_to_sample(closed, held_out.errors, rung) for rung in closed.names},
        ceiling=decision.ceiling,
        verdict=decision.verdict,
        sentence=f"{verdict} Maps in closed form are of all {found.n} pairs, others of a sample of "
        f"{len(held_out.fit.reference)}.",
        shares=decision.shares,
        equivalences={name: str(value) for name, value in decision.equivalences.items()},
        choices=tuple(map(choice_of_fold, found.fit.choices)),
        latent=found.latent,
    )


def with_curved_rungs(closed: SharedErrors, sample: SharedErrors) -> SharedErrors:
    """Add the rungs that only a sample has; what each gains there over the best closed-form one is added to its R².

    Parameters
    ----------
    closed : SharedErrors
        Of the closed-form rungs over all pairs.
    sample : SharedErrors
        Of all rungs in the sample; as many resamples.
    """
    own = [sample.names.index(name) for name in closed.names]
    further = [column for column, name in enumerate(sample.names) if name not in closed.names]
    gains = sample.r2[further] - sample.r2[own].max()
    drawn = sample.resampled[:, further] - sample.resampled[:, own].max(axis=1, keepdims=True)
    return SharedErrors(
        (*closed.names, *(sample.names[column] for column in further)),
        np.append(closed.r2, closed.r2.max() + gains),
        np.hstack([closed.resampled, closed.resampled.max(axis=1, keepdims=True) + drawn]),
    )


def gap_to_sample(closed: SharedErrors, sample: SharedErrors, rung: str) -> Interval:
    """Return R² of a rung over all pairs less that in the sample; resamples of both are drawn independently."""
    a, b = closed.names.index(rung), sample.names.index(rung)
    return percentile_interval(float(closed.r2[a] - sample.r2[b]), closed.resampled[:, a] - sample.resampled[:, b])

"""A linear-map result in the terminal."""

from __future__ import annotations

from ....probe.results.linear_map import Certificate, Direction, LinearMapResult
from ...formatting import MISSING, interval, language_name, number, percent_interval, rung_name
from ...terminal import SummaryColumn, SummaryPart, SummaryTable
from .all_pairs import all_pairs_note
from .controls import summary_controls
from .ladder import rungs_in_order


def summary_parts(result: LinearMapResult) -> tuple[SummaryPart, ...]:
    """Return a table of the ladder and the verdict for each direction."""
    parts = []
    for one in result.directions:
        label = f"{language_name(one.source)} → {language_name(one.target)}"
        heading = f"{label}  ({one.n} pairs, {one.groups} groups, {one.pool} candidates)"
        learned = one.learning_curve.sentence if one.learning_curve else ""
        note = " ".join(filter(None, (all_pairs_note(one.streamed) if one.streamed else "", learned)))
        parts.append(SummaryPart(heading, *sentences(one), _table(one), one.warnings, note, summary_controls(one)))
    return tuple(parts)


def retrieval_sentence(judged: Certificate) -> str:
    """Say whether retrieval, judged on its own, agrees with the verdict; empty where there is no verdict on it."""
    if not judged.retrieval_verdict:
        return ""
    if judged.retrieval_verdict == judged.verdict:
        return f"Retrieval agrees: judged by P@1 alone the verdict is “{judged.verdict}” too."
    gap = judged.retrieval_gaps.get(judged.verdict)
    behind = ""
    if gap is not None:
        low, high = sorted((-100 * gap.low, -100 * gap.high))
        points = f"{number(-100 * gap.value, 0)} points [{number(low, 0)}, {number(high, 0)}]"
        behind = f"; {rung_name(judged.verdict)} finds {points} fewer than the best rung"
    return f"Retrieval disagrees: judged by P@1 alone the verdict is “{judged.retrieval_verdict}”{behind}."


def sentences(direction: Direction) -> tuple[str, str]:
    """Return what comes first and second: search and geometry, by R² alone in results that have neither."""
    judged = direction.certificate
    if direction.use is None:
        return judged.sentence, retrieval_sentence(judged)
    by_r2 = direction.streamed or judged
    return direction.use.sentence, direction.geometry.sentence if direction.geometry else by_r2.sentence


def _table(direction: Direction) -> SummaryTable:
    columns = (
        SummaryColumn("map", right=False),
        SummaryColumn("held-out R²"),
        SummaryColumn("chance", drop=3),
        SummaryColumn("share of best", drop=1),
        SummaryColumn("verdict", drop=1, right=False),
        SummaryColumn("P@1", drop=2),
        SummaryColumn("CSLS", drop=5),
        SummaryColumn("P@1 backward", drop=4),
    )
    rungs = rungs_in_order(direction)
    judged = direction.certificate
    shares = dict.fromkeys(rungs, MISSING)
    for name, share in judged.shares.items():
        shares[name] = "below the mean" if share.high < 0 else percent_interval(share)
    rows = tuple(
        (
            rung_name(name),
            interval(scores.r2),
            number(scores.r2.null_p95),
            shares[name],
            "best" if name == judged.ceiling else judged.equivalences.get(name, ""),
            percent_interval(scores.p_at_1),
            percent_interval(scores.p_at_1_csls),
            percent_interval(scores.backward.p_at_1),
        )
        for name, scores in rungs.items()
    )
    names = list(rungs)
    return SummaryTable(columns, rows, names.index(judged.verdict) if judged.verdict in names else None)

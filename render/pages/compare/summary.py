"""A comparison in the terminal."""

from __future__ import annotations

from ....probe.results.compare import SHARE, CompareResult, score_name
from ...formatting import interval, number, percent, rung_name, shown_verdict
from ...terminal import SummaryColumn, SummaryPart, SummaryTable


def summary_parts(result: CompareResult) -> tuple[SummaryPart, ...]:
    """Return a table of the results for each part, and one of the differences."""
    parts = tuple(dict.fromkeys(score.part for one in result.results for score in one.scores))
    tables = [SummaryPart(part, "", "", _scores_table(result, part), ()) for part in parts]
    heading = f"{len(result.differences)} differences from {result.reference}"
    return (*tables, SummaryPart(heading, result.sentence, "", _differences_table(result), result.warnings))


def _scores_table(result: CompareResult, part: str) -> SummaryTable:
    """One row a result; its verdict and the scores that are tested."""
    keys = list(
        dict.fromkeys((s.measure, s.row) for one in result.results for s in one.scores if s.part == part and s.tested)
    )
    judged = {one.label: j for one in result.results for j in one.judgements if j.part == part and j.verdict}
    kinds = [kind for kind in ("search", "geometry") if any(getattr(j, kind) for j in judged.values())]
    by = SummaryColumn("verdict by R²" if kinds else "verdict", drop=15 if kinds else 0, right=False)
    columns = [SummaryColumn("", right=False), *(SummaryColumn(kind, right=False) for kind in kinds)]
    columns += [by, SummaryColumn("detectable curvature", drop=20)] if judged else []
    columns += [
        SummaryColumn(m if m == SHARE else f"{m} ({rung_name(r)})", drop=place) for place, (m, r) in enumerate(keys)
    ]
    rows = []
    for one in result.results:
        found = {(s.measure, s.row): s for s in one.scores if s.part == part}
        judgement = judged.get(one.label)
        words = [shown_verdict(getattr(judgement, kind)) if judgement else "" for kind in kinds]
        words += [judgement.verdict, percent(judgement.smallest_detectable)] if judgement else ["", ""]
        cells = [interval(found[key].estimate) if key in found else "" for key in keys]
        rows.append((one.label, *(words if judged else []), *cells))
    return SummaryTable(tuple(columns), tuple(rows))


def _differences_table(result: CompareResult) -> SummaryTable:
    columns = (
        SummaryColumn("", right=False),
        SummaryColumn("score", right=False),
        SummaryColumn("of", right=False, drop=1),
        SummaryColumn("difference"),
        SummaryColumn("p (Holm)", drop=2),
        SummaryColumn("", right=False),
    )
    rows = tuple(
        (
            one.result,
            score_name(one.measure, one.row),
            one.part,
            interval(one.difference, 1 if one.unit == "points" else 3),
            "< 0.001" if one.p_adjusted < 0.001 else number(one.p_adjusted),
            "holds" if one.holds else "",
        )
        for one in result.differences
    )
    return SummaryTable(columns, rows)

"""The page of a composition result: its view, from the result alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from ...probe.results.composition import Composed, CompositionResult, Loop, PairMap
from ...probe.results.intervals import Interval
from ...probe.results.serialization import from_json
from ..charts.intervals import INTERVAL_COLUMNS, interval_cells
from ..charts.layers import TEMPLATE, FindingsView, matrix_panel
from ..charts.marks import dots, over, vertical_line
from ..charts.theme import Reach, panel, row_axis, row_height, value_axis
from ..formatting import (
    MISSING,
    count,
    interval,
    language_name,
    number,
    percent_interval,
    plain_percent,
    rung_name,
    two_digits,
)
from ..terminal import SummaryColumn, SummaryPart, SummaryTable
from ..view import Cell, Column, Fact, Figure, FigureGroup, Headline, Panel, Table, Verdict
from .provenance import models_of, provenance_facts

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

ALPHA = 0.05


def view(text: str) -> FindingsView:
    """Return the page's content for the JSON text of a composition result."""
    result = from_json(text, CompositionResult)
    groups = (
        FigureGroup("From each language to each", (pairs_figure(result),)),
        FigureGroup("Over a third language", (paths_figure(result),)),
        FigureGroup("Loops", (loops_figure(result),)),
    )
    return FindingsView(
        kind="composition",
        title=f"{_subject(result)}: do the maps compose?",
        question=(
            f"Linear maps between {_subject(result)}, fitted in {models_of(result.provenance)}: does the path over "
            "a third language equal the direct map, and do loops return to the start? All on held-out rows."
        ),
        verdicts=(Verdict(_subject(result), "", result.sentence, "", None, result.warnings),),
        figures=tuple(figure for group in groups for figure in group.figures),
        facts=(
            *provenance_facts(result.provenance),
            Fact(
                "draws",
                (
                    f"{count(result.resamples)} bootstrap samples of groups; {result.permutations} permutations; "
                    f"margin {plain_percent(result.margin)}"
                ),
            ),
        ),
        command=result.provenance.command,
        rows=(
            f"{count(result.n)} sentences in each language, {count(result.groups)} groups of like meaning, "
            f"{result.folds} folds by group; rungs: {', '.join(rung_name(r) for r in result.rungs)}."
        ),
        groups=groups,
    )


def headline(text: str) -> Headline:
    """Return a composition result in one line."""
    result = from_json(text, CompositionResult)
    source, sentence = result.provenance, result.sentence
    return Headline("composition", _subject(result), sentence, models_of(source), source.corpus, result.n, source.time)


def summary_parts(result: CompositionResult) -> tuple[SummaryPart, ...]:
    """Return the paths with what they cost."""
    latent = any(one.latent_composed for one in result.composed)
    columns = (
        SummaryColumn("path", right=False),
        SummaryColumn("P@1 direct", drop=1),
        SummaryColumn("P@1 composed", drop=2),
        SummaryColumn("cost"),
        SummaryColumn("p, Holm", drop=1),
        SummaryColumn("agreement", drop=3),
        *((SummaryColumn("latent direct", drop=4), SummaryColumn("latent composed", drop=1)) if latent else ()),
    )
    rows = tuple(
        (
            " → ".join(one.path),
            percent_interval(one.p_at_1_direct, 1),
            percent_interval(one.p_at_1_composed, 1),
            percent_interval(one.p_at_1_cost, 1),
            number(one.p_adjusted),
            interval(one.agreement),
            *(map(_share, (one.latent_direct, one.latent_composed)) if latent else ()),
        )
        for one in result.composed
    )
    heading = f"{_subject(result)}  ({result.n} sentences in each)"
    return (SummaryPart(heading, result.sentence, "", SummaryTable(columns, rows), result.warnings),)


def _share(estimate: Interval | None) -> str:
    return MISSING if estimate is None else percent_interval(estimate)


def _subject(result: CompositionResult) -> str:
    return ", ".join(language_name(code) for code in result.languages)


def pairs_figure(result: CompositionResult) -> Figure:
    """Draw the verdict and R² of every pair of languages."""
    by_pair = {(pair.source, pair.target): pair for pair in result.pairs}
    verdicts = Counter(pair.verdict for pair in result.pairs)
    panels = (
        _matrix(result, by_pair, "r2", "linear map, held-out R²", lambda pair: pair.r2),
        _matrix(
            result,
            by_pair,
            "rotation",
            "scaled rotation, share of the best",
            lambda pair: pair.shares.get("similarity"),
        ),
        _matrix(result, by_pair, "p1", "P@1 through the linear map", lambda pair: pair.p_at_1),
    )
    caption = (
        "Each cell maps the row's language to the column's, scored on held-out rows: what a linear map predicts, how "
        "much "
        f"of the best map's R² a rotation with one scale reaches, and P@1. Verdicts: "
        f"{', '.join(f'{name} {times}' for name, times in sorted(verdicts.items()))}. The ladder here "
        "is "
        f"quick ({', '.join(rung_name(r) for r in result.rungs)}): a verdict is among these rungs."
    )
    return Figure(
        "composition-pairs", pairs_title(result.pairs), panels, caption, (1, 2, 3, 4, 5), _pairs_table(result.pairs)
    )


def _matrix(
    result: CompositionResult,
    by_pair: dict[tuple[str, str], PairMap],
    name: str,
    title: str,
    read: Callable[[PairMap], Interval | None],
) -> Panel:
    codes = result.languages
    names = [language_name(code) for code in codes]
    estimates = [[read(by_pair[a, b]) if (a, b) in by_pair else None for b in codes] for a in codes]
    values = [[e.value if e is not None and math.isfinite(e.value) else None for e in row] for row in estimates]
    return matrix_panel(f"composition-{name}", title, names, names, values, axes=("to", "from"))


def pairs_title(pairs: Sequence[PairMap]) -> str:
    """Name the pair that a linear map predicts best and the one that it predicts least, if intervals are apart."""
    best, worst = max(pairs, key=lambda p: p.r2.value), min(pairs, key=lambda p: p.r2.value)
    if not best.r2.low > worst.r2.high:
        return "No pair of languages is mapped better than another"
    high, low = (f"{p.source} → {p.target} ({two_digits(p.r2.value)})" for p in (best, worst))
    return f"A linear map predicts most for {high}, least for {low}"


def _pairs_table(pairs: Sequence[PairMap]) -> Table:
    columns = (Column("from", "name"), Column("to", "text"), Column("verdict", "text"), Column("score", "text"))
    rows: list[tuple[Cell, ...]] = []
    for pair in pairs:
        parts = {"R², linear": pair.r2, "P@1, linear": pair.p_at_1}
        parts |= {f"share, {rung_name(rung)}": share for rung, share in pair.shares.items()}
        rows += [(pair.source, pair.target, pair.verdict, name, *interval_cells(e)) for name, e in parts.items()]
    return Table.of((*columns, *INTERVAL_COLUMNS), rows)


def paths_figure(result: CompositionResult) -> Figure:
    """Draw composed maps beside the direct ones."""
    ordered = sorted(result.composed, key=lambda one: -one.p_at_1_cost.value)
    names = [" → ".join(one.path) for one in ordered]
    panels: tuple[Panel, ...] = (
        _row_panel("composition-cost", "P@1 lost against the direct map", names, [o.p_at_1_cost for o in ordered]),
        _row_panel("composition-agreement", "agreement with the direct map", names, [o.agreement for o in ordered]),
    )
    known = [one for one in ordered if one.latent_composed is not None]
    noise = ""
    if known:
        shares = [one.latent_composed for one in known if one.latent_composed is not None]
        title = "latent share of the composed map"
        panels += (_row_panel("composition-latent", title, [" → ".join(one.path) for one in known], shares),)
        noise = (
            " Below: the share of what further languages predict of the last one that the two maps explain, noise "
            "taken out of all three; that of the direct map is in the table. 1 where nothing is missed."
        )
    caption = (
        "Two maps one after the other against the direct one. First panel: P@1 of the direct map less P@1 of the "
        "composed one, paired, with 95 % intervals; right of zero the detour costs. Second panel: 1 less the squared "
        "distance of the two predictions over the spread of the direct one's; 1 where they are equal. P-values in the "
        f"table are adjusted over all {len(ordered)} paths (Holm).{noise}"
    )
    return Figure("composition-paths", paths_title(ordered), panels, caption, (9,), _composed_table(ordered))


def paths_title(composed: Sequence[Composed]) -> str:
    """Say how many paths cost P@1 after adjustment."""
    worse = [one for one in composed if one.p_adjusted < ALPHA and one.p_at_1_cost.value > 0]
    if not worse:
        return "No detour costs P@1 measurably"
    most = max(worse, key=lambda one: one.p_at_1_cost.value)
    return f"{len(worse)} of {len(composed)} detours cost P@1, most {' → '.join(most.path)}"


def _row_panel(panel_id: str, title: str, names: Sequence[str], estimates: Sequence[Interval]) -> Panel:
    reach = Reach.of(estimates)
    low = min([reach.lowest, *(e.low for e in estimates)])
    layout = {
        "xaxis": value_axis(title, range=[low - 0.02, reach.highest]),
        "yaxis": row_axis(names),
        **over(vertical_line(0, "", dash="solid")),
    }
    drawn = dots(title, range(len(names)), estimates, names)
    return panel(panel_id, title, [drawn], layout, row_height(len(names), 70))


def _composed_table(composed: Sequence[Composed]) -> Table:
    names = {
        "r2_direct": "R², direct",
        "r2_composed": "R², composed",
        "r2_cost": "R², lost",
        "agreement": "agreement",
        "p_at_1_direct": "P@1, direct",
        "p_at_1_composed": "P@1, composed",
        "p_at_1_cost": "P@1, lost",
        "latent_direct": "latent share, direct",
        "latent_composed": "latent share, composed",
    }
    columns = (Column("path", "name"), Column("score", "text"), *INTERVAL_COLUMNS, Column("p"), Column("p, Holm"))
    rows: list[tuple[Cell, ...]] = []
    for one in composed:
        for field, name in names.items():
            if getattr(one, field) is None:
                continue
            tested = (one.p_value, one.p_adjusted) if field == "p_at_1_cost" else (None, None)
            rows.append((" → ".join(one.path), name, *interval_cells(getattr(one, field)), *tested))
    return Table.of(columns, rows)


def loops_figure(result: CompositionResult) -> Figure:
    """Draw the variance recovered by loops, maps that return to their first language."""
    names = [" → ".join(loop.path) for loop in result.loops]
    panels = (
        _row_panel("composition-loop-r2", "variance recovered (R²)", names, [loop.r2 for loop in result.loops]),
        _row_panel("composition-loop-p1", "P@1 lost", names, [loop.p_at_1_cost for loop in result.loops]),
    )
    caption = (
        "Maps that return to their first language, against the identity: the share of the variance that is recovered, "
        "and how much less often a row is nearest to its own loop than to itself. Ridge maps shrink, so every map of a "
        "loop loses variance even where all agree."
    )
    columns = (Column("loop", "name"), Column("score", "text"), *INTERVAL_COLUMNS)
    rows = [
        (name, score, *interval_cells(estimate))
        for name, loop in zip(names, result.loops, strict=True)
        for score, estimate in (("R²", loop.r2), ("P@1", loop.p_at_1), ("P@1, lost", loop.p_at_1_cost))
    ]
    title = loops_title(result.loops)
    return Figure("composition-loops", title, panels, caption, (9,), Table.of(columns, rows))


def loops_title(loops: Sequence[Loop]) -> str:
    """Name the loops that recover most and least variance."""
    best, worst = max(loops, key=lambda loop: loop.r2.value), min(loops, key=lambda loop: loop.r2.value)
    if not best.r2.low > worst.r2.high:
        return f"All loops recover about as much variance: R² {two_digits(best.r2.value)} at most"
    high, low = (f"{' → '.join(loop.path)} ({two_digits(loop.r2.value)})" for loop in (best, worst))
    return f"Most variance is recovered over {high}, least over {low}"

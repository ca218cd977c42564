"""The model card of a run, and its table for the terminal."""

from __future__ import annotations

from ..analysis.inference import Interval
from .result import LanguageOutcome, TrainResult


def outcome_table(result: TrainResult) -> tuple[tuple[str, str, str], ...]:
    """Return (score, before, after) of everything that a run measured, as text with intervals.

    Parameters
    ----------
    result : TrainResult
    """
    rows: list[tuple[str, str, str]] = []
    for outcome in result.languages:
        rows += _language_rows(outcome)
    if result.retention is not None:
        for kept in result.retention.scores:
            rows.append((f"old language, {kept.name}", _points(kept.before, 1), _points(kept.after, 1)))
        rows.append(("old language, mean 1 − cos to f0", "0", f"{result.retention.drift:.4f}"))
    rows += [(name, "", _points(score, 1)) for name, score in result.scores.items()]
    return tuple(rows)


def _language_rows(outcome: LanguageOutcome) -> list[tuple[str, str, str]]:
    before, after, name = outcome.before, outcome.after, outcome.language
    rows = [
        (f"{name}: P@1 to the index of the base", *_both(before.retrieval.p_at_1, after.retrieval.p_at_1)),
        (f"{name}: P@1 back", *_both(before.retrieval.p_at_1_back, after.retrieval.p_at_1_back)),
        (f"{name}: cosine of pairs", f"{before.retrieval.cosine.value:.3f}", f"{after.retrieval.cosine.value:.3f}"),
        (f"{name}: tokens a word", f"{outcome.fertility_before:.2f}", f"{outcome.fertility_after:.2f}"),
        (f"{name}: unknown tokens", f"{outcome.unknown_rate_before:.1%}", f"{outcome.unknown_rate_after:.1%}"),
    ]
    if before.certificate is not None and after.certificate is not None:
        rows.append((f"{name}: map to f0", before.certificate.verdict, after.certificate.verdict))
    return rows


def _both(before: Interval, after: Interval) -> tuple[str, str]:
    return _points(before), _points(after)


def _points(interval: Interval, scale: float = 100) -> str:
    return f"{scale * interval.value:.1f} [{scale * interval.low:.1f}, {scale * interval.high:.1f}]"


def model_card(result: TrainResult) -> str:
    """Write the card of a trained model in Markdown with the header that model hubs read.

    Parameters
    ----------
    result : TrainResult
    """
    languages = [outcome.language for outcome in result.languages]
    header = ["---", "library_name: sentence-transformers", f"base_model: {result.model}"]
    header += ["language:", *(f"- {language}" for language in languages)] if languages else []
    lines = [
        *header,
        "tags:",
        "- sentence-transformers",
        "- polyglot",
        "---",
        "",
        f"# {result.model}, {result.stage}",
        "",
    ]
    lines += [_summary(result, languages), "", "| | before | after |", "|---|---|---|"]
    lines += [f"| {name} | {before} | {after} |" for name, before, after in outcome_table(result)]
    lines += ["", "Intervals: 95 %, cluster bootstrap of concept groups on held-out rows.", "", "## Data", ""]
    lines += [_data_line(outcome) for outcome in result.languages] or [f"- {result.provenance.corpus}"]
    if result.warnings:
        lines += ["", "## Warnings", "", *(f"- {warning}" for warning in result.warnings)]
    lines += ["", "## How it was made", "", *_making(result), ""]
    return "\n".join(lines)


def _summary(result: TrainResult, languages: list[str]) -> str:
    if not languages or result.stage == "pretrain":
        return f"Trained by `polyglot train {result.stage}` from `{result.model}`."
    shared = " Its vectors live in the space of the base: an index made with the base goes on working."
    return f"`{result.model}` with {', '.join(languages)} inserted by the method `{result.method}`.{shared}"


def _data_line(outcome: LanguageOutcome) -> str:
    overlap = f"{outcome.overlap_dropped} rows dropped because they overlap with evaluation text"
    if outcome.overlap_kept:
        overlap = f"**{outcome.overlap_kept} rows overlap with evaluation text and were kept on demand**"
    return (
        f"- {outcome.language}: {outcome.pairs} pairs, {outcome.held_out} more held out; {overlap}; "
        f"corpus fingerprint `{outcome.corpus_fingerprint}`"
    )


def _making(result: TrainResult) -> list[str]:
    speed, made = result.speed, result.provenance
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    return [
        f"- command: `{made.command}`" if made.command else "- called from Python",
        f"- base fingerprint `{result.base_fingerprint}`, fingerprint `{result.fingerprint}`, seed {made.seed}",
        f"- {speed.steps} steps, {speed.pairs_per_second:g} pairs/s, products in {speed.precision}, "
        f"{speed.processes} process(es) of {speed.threads} threads",
        f"- {versions}",
    ]

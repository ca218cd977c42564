"""The model card of a run, and its table of metrics for the terminal."""

from __future__ import annotations

from ..analysis.resampling import Interval
from ..probe.results.linear_map import Geometry
from ..probe.results.training import (
    Evaluation,
    LanguageOutcome,
    Retention,
    RetentionScore,
    TrainingHistory,
    TrainResult,
)

RUNG_NAMES = {"identity": "no map", "linear": "a linear map"}
MOST_EVALUATIONS = 12
WITH_WORDS = "with words"  # ending of a method whose model has words beside the encoder
LOADING = (
    "For n-grams the library wants `trust_remote_code=True` before it imports a module of the installed package "
    "`polyglot`; the folder holds no code."
)


def outcome_table(result: TrainResult) -> tuple[tuple[str, str, str], ...]:
    """Return (score, before, after) of all metrics of a run, as text with intervals.

    Parameters
    ----------
    result : TrainResult
    """
    rows: list[tuple[str, str, str]] = []
    for outcome in result.languages:
        rows += _language_rows(outcome, to_base=result.shares_space_with_base)
    if result.retention is not None:
        for score in result.retention.scores:
            rows.append((f"base language, {score.name}", _points(score.before, 1), _points(score.after, 1)))
        rows.append(("base language, mean 1 − cos to f0", "0", f"{result.retention.drift:z.4f}"))
        if result.retention.unchanged:
            rows.append(("base language, sentences with unchanged vector", "", f"{result.retention.unchanged:.1%}"))
    rows += [(name, "", _points(score, 1)) for name, score in result.scores.items()]
    return tuple(rows)


def _language_rows(outcome: LanguageOutcome, *, to_base: bool) -> list[tuple[str, str, str]]:
    before, after, name = outcome.before, outcome.after, _name(outcome)
    index = " to the index of the base" if to_base else ""
    rows = [
        (f"{name}: P@1{index}", *_pair(before.retrieval.p_at_1, after.retrieval.p_at_1)),
        (f"{name}: P@1 back", *_pair(before.retrieval.p_at_1_back, after.retrieval.p_at_1_back)),
        (f"{name}: cosine of pairs", f"{before.retrieval.cosine.value:.3f}", f"{after.retrieval.cosine.value:.3f}"),
        (f"{name}: tokens a word", f"{outcome.fertility_before:.2f}", f"{outcome.fertility_after:.2f}"),
        (f"{name}: unknown tokens", f"{outcome.unknown_rate_before:.1%}", f"{outcome.unknown_rate_after:.1%}"),
    ]
    if outcome.words is not None:
        words = outcome.words
        rows.insert(1, (f"{name}: P@1 of words alone, a control", "", _points(words.retrieval.p_at_1)))
        rows.insert(2, (f"{name}: P@1 beyond words alone", "", _points(words.gain)))
    if before.certificate is not None and after.certificate is not None:
        to = " to f0" if to_base else ""
        rows.append((f"{name}: map{to}", before.certificate.verdict, after.certificate.verdict))
        for rung in ("identity", "linear"):
            r2 = before.certificate.r2.get(rung), after.certificate.r2.get(rung)
            if r2[0] is not None and r2[1] is not None:
                rows.append((f"{name}: R² of {RUNG_NAMES[rung]}{to}", *_pair(r2[0], r2[1])))
        geometry = before.certificate.geometry, after.certificate.geometry
        if geometry[0] is not None and geometry[1] is not None:
            rows.append((f"{name}: geometry{to}, noise aside", _settled(geometry[0]), _settled(geometry[1])))
    return rows


def _settled(geometry: Geometry) -> str:
    return "not settled" if geometry.verdict == "undecided" else geometry.verdict


def _name(outcome: LanguageOutcome) -> str:
    return outcome.language if outcome.paired == "translations" else f"{outcome.language} {outcome.paired}"


def _pair(before: Interval, after: Interval) -> tuple[str, str]:
    return _points(before), _points(after)


def _points(interval: Interval, scale: float = 100) -> str:
    return f"{scale * interval.value:z.1f} [{scale * interval.low:z.1f}, {scale * interval.high:z.1f}]"


def model_card(result: TrainResult) -> str:
    """Write the card of a trained model in Markdown with the header that model hubs read.

    Parameters
    ----------
    result : TrainResult
    """
    languages = list(dict.fromkeys(outcome.language for outcome in result.languages))
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
    lines += ["", "Intervals: 95 %, cluster bootstrap of concept groups on held-out rows."]
    if result.method == "words":
        lines += ["", "## Use", "", *_words_usage(result)]
    if result.method.endswith(WITH_WORDS):
        lines += ["", "## Use", "", f"Words are added to its vectors by a module of this package. {LOADING}"]
    if result.retention is not None and result.retention.scores:
        lines += ["", "## Loss in the base language", ""]
        lines += [_loss_line(score, result.retention) for score in result.retention.scores]
    if result.course is not None:
        lines += ["", "## Evaluations during training", "", *_history_lines(result.course)]
    lines += ["", "## Data", ""]
    lines += [_data_line(outcome) for outcome in result.languages] or [f"- {result.provenance.corpus}"]
    if result.warnings:
        lines += ["", "## Warnings", "", *(f"- {warning}" for warning in result.warnings)]
    lines += ["", "## Training", "", *_training_lines(result), ""]
    return "\n".join(lines)


def _words_usage(result: TrainResult) -> list[str]:
    return [
        f"Static embeddings, for queries; the index is made, and everything else embedded, with `{result.model}`.",
        "",
        "```python",
        "from polyglot.models.encoder import load_encoder",
        "",
        f"index = load_encoder({result.model!r}).encode(passages).pooled",
        "found = load_encoder('THIS_FOLDER').encode(queries).pooled @ index.T",
        "```",
        "",
        f"`SentenceTransformer('THIS_FOLDER')` loads the portable form by itself. {LOADING}",
    ]


def _loss_line(score: RetentionScore, retention: Retention) -> str:
    broken = ": **exceeded**" if score.name in retention.broken else ""
    return f"- {score.name}, {score.rows} rows: {_points(score.lost, 1)} points, {retention.max_loss:g} allowed{broken}"


def _history_lines(history: TrainingHistory) -> list[str]:
    every = max(1, -(-len(history.moments) // MOST_EVALUATIONS))
    shown = [evaluation for i, evaluation in enumerate(reversed(history.moments)) if i % every == 0][::-1]
    lines = [f"| step | loss | {history.score} | map |", "|---|---|---|---|", *(_evaluation_row(e) for e in shown), ""]
    if history.stopped_early:
        lines.append(f"Stopped after {history.steps} of {history.planned} steps: the score had stopped rising.")
    lines.append(f"The weights are those of step {history.kept_step}.")
    return lines


def _evaluation_row(evaluation: Evaluation) -> str:
    score = "" if evaluation.score is None else f"{evaluation.score:.3f}"
    maps = [
        f"{language}: {certificate.verdict}, R² of a linear map {certificate.r2['linear'].value:.3f}"
        for language, certificate in evaluation.certificates.items()
        if "linear" in certificate.r2
    ]
    return f"| {evaluation.step} | {evaluation.loss:.3f} | {score} | {'; '.join(maps)} |"


def _summary(result: TrainResult, languages: list[str]) -> str:
    if not languages or result.stage == "pretrain":
        return f"Trained by `polyglot train {result.stage}` from `{result.model}`."
    shared = " Its vectors are in the space of the base: an index made with the base can still be used."
    return f"`{result.model}` with {', '.join(languages)} inserted by the method `{result.method}`.{shared}"


def _data_line(outcome: LanguageOutcome) -> str:
    overlap = f"{outcome.overlap_dropped} rows dropped because they overlap with evaluation text"
    if outcome.overlap_kept:
        overlap = f"**{outcome.overlap_kept} rows overlap with evaluation text and were kept as asked**"
    return (
        f"- {_name(outcome)}: {outcome.pairs} pairs, {outcome.held_out} more held out; {overlap}; "
        f"corpus fingerprint `{outcome.corpus_fingerprint}`"
    )


def _training_lines(result: TrainResult) -> list[str]:
    speed, provenance = result.speed, result.provenance
    versions = ", ".join(f"{name} {version}" for name, version in provenance.versions.items())
    return [
        f"- command: `{provenance.command}`" if provenance.command else "- called from Python",
        f"- base fingerprint `{result.base_fingerprint}`, fingerprint `{result.fingerprint}`, seed {provenance.seed}",
        f"- {speed.steps} steps, {speed.pairs_per_second:g} pairs/s, products in {speed.precision}, "
        f"{speed.processes} process(es) of {speed.threads} threads"
        + (f", {100 * speed.padding:.0f} % of the tokens in its batches were padding" if speed.padding else ""),
        f"- {versions}",
    ]

"""All cells of a study in one result: short scores, families with Holm, contrasts of methods, predictors of gains."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from ..analysis.resampling import Interval, Resamples, holm, percentile_interval
from ..probe.results.layers import LayersResult
from ..probe.results.linear_map import LinearMapResult
from ..probe.results.provenance import Start
from ..probe.results.retrieval import RetrievalResult
from ..probe.results.serialization import from_json
from ..probe.results.study import StudyCell, StudyContrast, StudyFamily, StudyResult, StudyTest
from ..probe.results.training import TrainResult
from .cells import Cell
from .file import ContrastPlan, FamilyPlan, StudyFile
from .folder import StudyFolder
from .kinds import PROBES, STAGES, TOKENS
from .predictors import predictors
from .schedule import reason, state

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A cell with its result: a record, or counts of tokens; None where it was refused."""

    cell: Cell
    result: Any
    line: StudyCell


def outcome(study: StudyFile, cells: Sequence[Cell], folder: StudyFolder, start: Start) -> StudyResult:
    """Read the results of all cells and put them together.

    Parameters
    ----------
    study : StudyFile
    cells : sequence of Cell
        Those that are not done and not refused are left out, and counted in a warning.
    folder : StudyFolder
    start : Start
        When and by which command the study was started.

    Raises
    ------
    DataError
        If a result cannot be read; delete its file to measure the cell again.
    """
    by_key = {cell.key: cell for cell in cells}
    settled = [cell for cell in cells if state(folder, cell, by_key) in ("done", "refused")]
    measured = [_read(cell, folder, by_key) for cell in settled]
    families = tuple(_family(one, study.level, measured) for one in study.families)
    contrasts, missing = _contrasts(study, measured)
    found, left_out = predictors([(one.cell, one.result, one.line) for one in measured], study)
    lines = tuple(one.line for one in measured)
    return StudyResult(
        title=study.title,
        sentence=_sentence(lines, families, contrasts),
        file=study.text,
        pivot=study.pivot,
        level=study.level,
        margin=study.margin,
        cells=lines,
        families=families,
        contrasts=contrasts,
        predictors=found,
        left_out=(*missing, *left_out),
        warnings=tuple(_warnings(lines, len(cells) - len(settled))),
        provenance=start.provenance(
            corpus=", ".join(study.corpora),
            fingerprint="+".join(sorted(one.cell.key for one in measured)),
            seed=0,
            device=study.device or "",
        ),
    )


def _read(cell: Cell, folder: StudyFolder, cells: Mapping[str, Cell]) -> Measured:
    where = folder.result(cell)
    shown = {
        **{name: getattr(cell, name) for name in ("name", "kind", "model", "corpus", "language", "method", "stage")},
        "seed": cell.seed,
        "key": cell.key,
        "expected": cell.expected,
        "model_saw_text": cell.saw,
    }
    if not where.is_file():
        return Measured(cell, None, StudyCell(**shown, result="", refused=reason(folder, cell, cells)))
    text, path = where.read_text(encoding="utf-8"), where.relative_to(folder.path).as_posix()
    if cell.kind == TOKENS:
        counts = {name: Interval(value, value, value) for name, value in json.loads(text).items()}
        return Measured(cell, counts, StudyCell(**shown, result=path, scores=counts))
    result = from_json(text, {**PROBES, **STAGES}[cell.kind].result_type())
    verdicts, scores = _short(result)
    right = None
    if cell.expected:
        right = all(said == cell.expected for name, said in verdicts.items() if name.endswith(" geometry"))
    return Measured(cell, result, StudyCell(**shown, result=path, verdicts=verdicts, scores=scores, as_expected=right))


def _short(result: Any) -> tuple[dict[str, str], dict[str, Interval]]:  # noqa: ANN401 - a result of any kind
    """Return the verdicts and the scores of a result that a study compares."""
    if isinstance(result, LinearMapResult):
        return _of_maps(result)
    if isinstance(result, TrainResult):
        return _of_training(result)
    if isinstance(result, RetrievalResult):
        return {}, {f"{one.source}-{one.target} P@1": one.scores["cosine"].p_at_1 for one in result.directions}
    scores: dict[str, Interval] = {}
    for layer in result.layers if isinstance(result, LayersResult) else ():
        scores |= {
            f"layer {layer.name} {name}": value
            for name in ("cka", "mutual_knn", "latent_linear", "p_at_1")
            if (value := getattr(layer.measures, name)) is not None
        }
    return {}, scores


def _of_maps(result: LinearMapResult) -> tuple[dict[str, str], dict[str, Interval]]:
    verdicts: dict[str, str] = {}
    scores: dict[str, Interval] = {}
    for one in result.directions:
        name = f"{one.source}-{one.target}"
        verdicts[f"{name} R²"] = one.certificate.verdict
        if one.geometry is not None:
            verdicts[f"{name} geometry"] = one.geometry.verdict
            scores |= {f"{name} latent {rung}": share for rung, share in one.geometry.shares.items()}
        if one.use is not None:
            verdicts[f"{name} search"] = one.use.verdict
            scores |= {f"{name} P@1 {which}": score for which, score in one.use.p_at_1.items()}
            scores |= {f"{name} gain": one.use.gain} if one.use.gain is not None else {}
        if one.controls.words is not None:
            scores[f"{name} P@1 words alone"] = one.controls.words.p_at_1
    return verdicts, scores


def _of_training(result: TrainResult) -> tuple[dict[str, str], dict[str, Interval]]:
    verdicts: dict[str, str] = {}
    scores = dict(result.scores)
    for one in result.languages:
        scores |= {"P@1 before": one.before.retrieval.p_at_1, "P@1 after": one.after.retrieval.p_at_1}
        scores |= {"P@1 words alone": one.words.retrieval.p_at_1} if one.words is not None else {}
        if one.after.certificate is not None and one.after.certificate.geometry is not None:
            verdicts["geometry after"] = one.after.certificate.geometry.verdict
    if result.retention is not None:
        scores |= {f"lost {score.name}": score.lost for score in result.retention.scores}
    return verdicts, scores


# ------------------------------------------------------------ families and contrasts


def _family(plan: FamilyPlan, level: float, measured: Sequence[Measured]) -> StudyFamily:
    found = list(_tests(plan, measured))
    adjusted = holm([p for *_, p in found]) if found else np.empty(0)
    tests = tuple(
        StudyTest(cell, about, estimate, p, float(after), bool(after <= level))
        for (cell, about, estimate, p), after in zip(found, adjusted, strict=True)
    )
    return StudyFamily(plan.name, plan.test, plan.margin, tests)


def _tests(plan: FamilyPlan, measured: Sequence[Measured]) -> Iterator[tuple[str, str, Interval, float]]:
    """Yield cell, direction, estimate and one-sided p-value of every linear-map cell."""
    for one in measured:
        for direction in one.result.directions if isinstance(one.result, LinearMapResult) else ():
            about = f"{direction.source}-{direction.target}"
            if plan.test == "linear" and direction.geometry is not None and "linear" in direction.geometry.shares:
                share = direction.geometry.shares["linear"]
                yield one.cell.name, about, share, above(share, 1 - plan.margin)
            gain = None if direction.use is None else direction.use.gain
            if plan.test == "gain" and gain is not None:
                yield one.cell.name, about, gain, above(gain, plan.margin)


def above(estimate: Interval, margin: float) -> float:
    """Return the one-sided p-value that an estimate is at most a margin, normal with the width of its lower limit.

    Examples
    --------
    >>> round(above(Interval(0.2, 0.1, 0.3), 0.1), 3), above(Interval(0.1, 0.1, 0.1), 0.0)
    (0.025, 0.0)
    """
    reach = float(norm.ppf(0.5 + estimate.level / 2))
    spread = (estimate.value - estimate.low) / reach
    if spread <= 0:
        return 0.0 if estimate.value > margin else 1.0
    return float(norm.sf((estimate.value - margin) / spread))


def _contrasts(study: StudyFile, measured: Sequence[Measured]) -> tuple[tuple[StudyContrast, ...], list[str]]:
    """Return all contrasts, adjusted over all, and why some could not be computed."""
    made: list[dict[str, Any]] = []
    missing: list[str] = []
    for plan in study.contrasts:
        sides = [
            {
                (one.cell.needs or one.cell.model, one.cell.corpus, one.cell.language, one.cell.seed): one
                for one in measured
                if one.cell.trained == plan.training and one.cell.kind in STAGES and one.cell.method == method
            }
            for method in plan.methods
        ]
        for group in dict.fromkeys(key[:3] for key in sides[0]):
            shared = [key for key in sides[0] if key[:3] == group and key in sides[1]]
            pairs = [(sides[0][key], sides[1][key]) for key in shared]
            found = _contrast(plan, pairs)
            if isinstance(found, str):
                missing.append(f"{plan.name}, {group[2]}: {found}")
            else:
                made.append(found)
    adjusted = holm([one["p_value"] for one in made]) if made else np.empty(0)
    contrasts = tuple(
        StudyContrast(**one, p_adjusted=float(p), holds=bool(p <= study.level))
        for one, p in zip(made, adjusted, strict=True)
    )
    return contrasts, missing


def _contrast(plan: ContrastPlan, pairs: Sequence[tuple[Measured, Measured]]) -> dict[str, Any] | str:
    """Return the fields of a contrast, or why it cannot be computed: rows of both methods are paired within a seed."""
    differences: list[np.ndarray[Any, Any]] = []
    groups: list[tuple[int, ...]] = []
    for first, second in pairs:
        if not (isinstance(first.result, TrainResult) and isinstance(second.result, TrainResult)):
            return "a training was refused"
        one, other = first.result.languages[0], second.result.languages[0]
        if not one.after.ranks or one.held_out_fingerprint != other.held_out_fingerprint:
            return "the held-out rows are not the same"
        differences.append(
            np.subtract(np.array(one.after.ranks) == 1, np.array(other.after.ranks) == 1, dtype=np.float64)
        )
        groups.append(one.held_out_groups)
    if not pairs:
        return "no seed was trained by both methods"
    # Every seed counts the same; a group that several seeds hold out is drawn in all of them at once.
    rows, labels = np.concatenate(differences), np.concatenate([np.asarray(some, np.int64) for some in groups])
    weight = np.concatenate([np.full(len(some), 1 / len(some)) for some in differences])
    drawn = Resamples.draw(labels, np.random.default_rng([0, 3]), RESAMPLES)
    estimate = percentile_interval(*drawn.ratio_of_sums(rows * weight, weight))
    cell = pairs[0][0].cell
    return {
        "name": plan.name,
        "model": cell.base,
        "corpus": cell.corpus,
        "language": cell.language,
        "methods": plan.methods,
        "seeds": tuple(first.cell.seed for first, _ in pairs),
        "by_seed": tuple(float(some.mean()) for some in differences),
        "estimate": estimate,
        "margin": plan.margin,
        "p_value": above(estimate, plan.margin),
    }


# ------------------------------------------------------------ in words


def _sentence(cells: Sequence[StudyCell], families: Sequence[StudyFamily], contrasts: Sequence[StudyContrast]) -> str:
    """Say how many cells there are, how many known answers were found, and what holds."""
    refused = sum(bool(cell.refused) for cell in cells)
    said = [f"{len(cells) - refused} of {_counted(len(cells))}" if refused else _counted(len(cells))]
    known = [cell for cell in cells if cell.as_expected is not None]
    if known:
        said.append(f"{sum(bool(cell.as_expected) for cell in known)} of {len(known)} known answers found")
    said += [f"{one.name}: {sum(test.holds for test in one.tests)} of {len(one.tests)} hold" for one in families]
    if contrasts:
        said.append(f"contrasts: {sum(one.holds for one in contrasts)} of {len(contrasts)} hold")
    return "; ".join(said) + "."


def _warnings(cells: Sequence[StudyCell], open_cells: int) -> Iterator[str]:
    if open_cells:
        are = "is" if open_cells == 1 else "are"
        yield f"{_counted(open_cells)} {are} not measured yet: run the study again without --only"
    if saw := [cell.name for cell in cells if cell.model_saw_text]:
        yield (
            f"{_counted(len(saw))} of a trained model on text that its training took from ({saw[0]}, …): measure on "
            "another corpus, or name the corpus in settings.evaluation of the training"
        )
    for cell in cells:
        if cell.as_expected is False:
            yield f"{cell.name} should say {cell.expected}: {', '.join(dict.fromkeys(cell.verdicts.values()))}"


def _counted(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"

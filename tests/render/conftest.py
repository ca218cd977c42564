"""A made-up linear-map result, as rich as a real one: no model and no map was needed for it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.linear_map import (
    Anatomy,
    Certificate,
    Choice,
    Direction,
    Drift,
    DriftPoint,
    ExplorerPoint,
    Hubness,
    LearningCurve,
    LearningPoint,
    LinearMapResult,
    MapPicture,
    Neighbour,
    PairsNeeded,
    PowerPoint,
    ResidualGroup,
    RetrievalScores,
    RungScores,
    SearchExample,
    Transfer,
    Use,
    WorstRow,
)
from polyglot.probe.results.provenance import Provenance, Side
from polyglot.probe.results.serialization import to_json

from .visits import CHROMIUM, FLAGS, Visits

R2 = {
    "mean": 0.0,
    "identity": -0.41,
    "shift": 0.118,
    "rotation": 0.462,
    "similarity": 0.487,
    "low_rank": 0.604,
    "linear": 0.611,
    "local": 0.613,
    "nonlinear": 0.634,
}
ENGLISH = (
    "The ferry leaves at six.",
    "She never answers letters.",
    "Bread is cheaper here.",
    "Rain ruined the harvest.",
)
FRENCH = (
    "Le ferry part à six heures.",
    "Elle ne répond jamais.",
    "Le pain est moins cher ici.",
    "La pluie a tout gâché.",
)
OTHERS = ("العبّارة تغادر في السادسة.", "渡轮六点开。", "מעולם לא ענתה.", "Хлеб здесь дешевле.")


def interval(value: float, half: float = 0.01, null: tuple[float, float] | None = None) -> Interval:
    mean, high = null or (None, None)
    return Interval(value, value - half, value + half, 0.95, mean, high)


def _retrieval(p1: float) -> dict[str, Interval]:
    null = (0.0004, 0.0009)
    return {
        "p_at_1": interval(p1, 0.012, null),
        "p_at_5": interval(min(0.99, p1 * 1.15 + 0.02), 0.01, null),
        "p_at_10": interval(min(0.99, p1 * 1.2 + 0.03), 0.01, null),
        "mrr": interval(min(0.99, p1 * 1.08 + 0.01), 0.01, null),
        "p_at_1_csls": interval(min(0.99, p1 * 1.06 + 0.01), 0.011, null),
    }


def _rung(name: str, shade: float) -> RungScores:
    r2 = R2[name] - shade
    p1 = max(0.001, 1.25 * (r2 + 0.08)) if r2 > -0.08 else 0.21
    null = (-0.62, -0.58) if name == "identity" else (-0.012, 0.003)
    return RungScores(
        r2=interval(r2, 0.009, null),
        cosine=interval(max(0.0, r2) ** 0.5, 0.006, (0.001, 0.006)),
        **_retrieval(min(0.9, p1)),
        backward=RetrievalScores(**_retrieval(min(0.9, 0.9 * p1))),
        r2_refitted=interval(r2 - 0.001, 0.012) if name in ("rotation", "similarity", "linear") else None,
    )


def _certificate(rungs: dict[str, RungScores], source: str, target: str) -> Certificate:
    top = rungs["nonlinear"].r2.value
    names = ("identity", "shift", "rotation", "similarity", "linear")
    shares = {name: interval(rungs[name].r2.value / top, 0.011) for name in names}
    equivalences = {
        n: "suffices" if s.low > 0.95 else "falls short" if s.high < 0.95 else "undecided" for n, s in shares.items()
    }
    return Certificate(
        verdict="linear",
        sentence=f"{source} → {target} is a linear map: it reaches 96 % [95, 97] of what the best map found explains "
        "(held-out R² 0.61). Curvature of 3 % would have been seen.",
        ceiling="nonlinear",
        margin=0.05,
        shares=shares,
        equivalences=equivalences,
        ceiling_null_p95=0.006,
        by_margin={
            "0.01": "nonlinear",
            "0.02": "nonlinear",
            "0.03": "undecided",
            "0.05": "linear",
            "0.1": "linear",
            "0.2": "linear",
        },
        retrieval_verdict="linear",
        retrieval_margin=0.01,
        retrieval_gaps={name: interval(rungs[name].p_at_1.value - 0.9, 0.01) for name in names},
        curvature_gain=interval(0.023, 0.006),
        smallest_detectable=0.03,
        power=(
            PowerPoint(0.01, 0.1, 10),
            PowerPoint(0.02, 0.5, 10),
            PowerPoint(0.03, 0.9, 10),
            PowerPoint(0.08, 1.0, 10),
        ),
        noise_ceiling=interval(0.78, 0.02),
        noise_ceiling_rows=612,
        ceiling_on_those_rows=interval(0.65, 0.03),
    )


def _texts(rng: np.random.Generator, n: int, source: tuple[str, ...], target: tuple[str, ...]) -> list[tuple[str, str]]:
    picks = rng.integers(len(source), size=n)
    pairs = [(f"{source[p]} ({i})", f"{target[p]} ({i})") for i, p in enumerate(picks)]
    for i, other in enumerate(OTHERS):
        pairs[7 * i + 3] = (pairs[7 * i + 3][0], other)
    return pairs


def _explorer(rng: np.random.Generator, texts: list[tuple[str, str]]) -> tuple[ExplorerPoint, ...]:
    topics = rng.normal(size=(len(texts), 2)) + 3 * rng.integers(-1, 2, size=(len(texts), 2))
    points = []
    for i, (source, target) in enumerate(texts):
        place = topics[i]
        there = place + np.array([2.5, 0.6]) + 0.3 * rng.normal(size=2)
        mapped = there + 0.4 * rng.normal(size=2)
        others = [int(v) for v in rng.integers(len(texts), size=4)]
        before = (i, *others) if rng.random() < 0.3 else (*others, i)
        after = (i, *others) if rng.random() < 0.8 else (*others, i)
        points.append(ExplorerPoint(i, source, target, tuple(place), tuple(there), tuple(mapped), before, after))
    return tuple(points)


def _residuals(rng: np.random.Generator) -> tuple[ResidualGroup, ...]:
    parts = [("length", w) for w in ("1–4 words", "5–8 words", "9–12 words", "13 words or more")]
    parts += [("domain", d) for d in ("conversation", "news", "recipes")]
    parts += [("shared words", s) for s in ("none", "one", "two or more")]
    return tuple(
        ResidualGroup(
            kind, label, int(rng.integers(90, 900)), interval(0.5 + 0.03 * i, 0.03), interval(0.6 + 0.03 * i, 0.03)
        )
        for i, (kind, label) in enumerate(parts)
    )


def _picture(explorer: tuple[ExplorerPoint, ...]) -> MapPicture:
    shown = explorer[:90]
    moved = {
        "identity": tuple(p.source_xy for p in shown),
        "shift": tuple((p.source_xy[0] + 2.5, p.source_xy[1]) for p in shown),
        "rotation": tuple((p.mapped_xy[0], p.source_xy[1]) for p in shown),
        "linear": tuple(p.mapped_xy for p in shown),
    }
    found = {name: tuple((p.before if name == "identity" else p.after)[0] == p.row for p in shown) for name in moved}
    texts = [[getattr(p, f"{side}_text") for p in shown[:60]] for side in ("source", "target")]
    return MapPicture(
        tuple(p.row for p in shown), 5910, tuple(p.target_xy for p in shown), moved, found, *map(tuple, texts)
    )


def _examples(first: ExplorerPoint, second: ExplorerPoint) -> tuple[SearchExample, ...]:
    s, t, other = first.source_text, first.target_text, second.target_text
    return (
        SearchExample("mended", 812, 0, s, t, other, t),
        SearchExample("broken", 64, 0, s, t, t, other),
        SearchExample("unchanged", 5124, 0, s, t, other, other),
    )


def _use(rungs: dict[str, RungScores]) -> Use:
    scores = {"no map": "identity", "best": "rotation", "linear": "linear"}
    return Use(
        "a map helps",
        "Search: a map helps.",
        "rotation",
        {name: rungs[rung].p_at_1 for name, rung in scores.items()},
        interval(0.2),
    )


def _direction(source: str, target: str, seed: int, points: int) -> Direction:
    rng = np.random.default_rng(seed)
    rungs = {name: _rung(name, 0.01 * seed) for name in R2}
    sides = (ENGLISH, FRENCH) if source == "en" else (FRENCH, ENGLISH)
    texts = _texts(rng, points, *sides)
    domains = ("conversation", "news", "recipes", "software")
    near = tuple(Neighbour(texts[i][1], 0.8 - 0.05 * i, i == 2) for i in range(3))
    return Direction(
        source=source,
        target=target,
        n=6000,
        groups=5871,
        dims=(384, 384),
        folds=5,
        pool=5903,
        rungs=rungs,
        absent={},
        certificate=_certificate(rungs, source, target),
        judged="linear",
        choices=(Choice(0.01, 120, 4, 0.3, 1.5, 0.2),),
        worst=tuple(WorstRow(i, *texts[i], 0.1 + 0.01 * i, 40 * i + 3, near) for i in range(20)),
        warnings=(
            "the model knows no French: its tokenizer splits 31 % of French words into single letters",
            "129 pairs are near-duplicates and share a group",
            "4 sentences were cut at 256 tokens",
            "the domain column is missing for 12 rows",
        ),
        anatomy=Anatomy(
            shift_to_spread=0.62,
            rotation_angles=tuple(sorted(np.abs(rng.normal(50, 35, 384)) % 180)),
            mean_turning=47.3,
            stretch=tuple(sorted(np.exp(rng.normal(-0.4, 0.5, 210)), reverse=True)),
            stretch_spread=0.51,
            rank_of_difference=212.4,
            distance_to_orthogonality=0.31,
            distance_to_similarity=0.27,
        ),
        drift=Drift(tuple(DriftPoint(0.2 + 0.05 * i, 0.3 + 0.02 * i) for i in range(15)), 0.42, 0.31, 0.36, 0.02),
        learning_curve=LearningCurve(
            tuple(
                LearningPoint(n, interval(0.66 - 4 * n**-0.55, 0.012, (-0.01, 0.004)))
                for n in (300, 600, 1200, 2400, 4800)
            ),
            foreseen=tuple(LearningPoint(n, interval(0.66 - 4 * n**-0.55, 0.013)) for n in (7000, 20_000)),
            needed=PairsNeeded(0.64, 12_000, 19_000),
            sentence="With 20 000 pairs like these a linear map would explain R² 0.63–0.66 (now 0.61–0.63).",
        ),
        residuals=_residuals(rng),
        transfer=Transfer(domains, tuple(tuple(0.6 - 0.09 * abs(i - j) for j in range(4)) for i in range(4))),
        hubness={"cosine": Hubness(2.41, 0.47, 0.21, 10), "csls": Hubness(1.12, 0.36, 0.11, 10)},
        explorer=_explorer(rng, texts),
    )


def make_result(points: int = 240) -> LinearMapResult:
    side = {"model": "minilm", "model_fingerprint": "sha256:4f7c0d1e9a2b"}
    return LinearMapResult(
        directions=(_direction("en", "fr", 0, points), _direction("fr", "en", 1, points)),
        permutations=20,
        costly_permutations=5,
        resamples=2000,
        provenance=Provenance(
            command="polyglot probe linear-map en fr --seed 0",
            models=(Side("en", **side), Side("fr", **side)),
            corpus="built-in (en–fr)",
            corpus_fingerprint="sha256:91be55aa03c7",
            seed=0,
            device="cpu",
            dtype="float32",
            versions={"polyglot": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6"},
            time="2026-01-01T00:00:00Z",
            host="example",
            seconds=93.4,
        ),
    )


@pytest.fixture(scope="session")
def result() -> LinearMapResult:
    return make_result()


@pytest.fixture(scope="session")
def result_json(result: LinearMapResult) -> str:
    return to_json(result)


@pytest.fixture(scope="session")
def pictured(result: LinearMapResult) -> LinearMapResult:
    """The same result with what newer versions add: the verdict on search, a picture, examples."""
    return dataclasses.replace(
        result,
        directions=tuple(
            dataclasses.replace(
                one, use=_use(one.rungs), picture=_picture(one.explorer), examples=_examples(*one.explorer[:2])
            )
            for one in result.directions
        ),
    )


@pytest.fixture(scope="session")
def pictured_json(pictured: LinearMapResult) -> str:
    return to_json(pictured)


@pytest.fixture(scope="session")
def bare_json(result: LinearMapResult) -> str:
    """The same result with everything optional missing."""
    bare = dataclasses.replace(
        result.directions[0],
        worst=(),
        warnings=(),
        anatomy=None,
        drift=None,
        learning_curve=None,
        residuals=(),
        transfer=None,
        hubness={},
        explorer=(),
        certificate=dataclasses.replace(
            result.directions[0].certificate,
            curvature_gain=None,
            smallest_detectable=None,
            power=(),
            noise_ceiling=None,
        ),
    )
    return to_json(dataclasses.replace(result, directions=(bare,)))


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def visits(browser):
    """Visits of one test; at its end no page may have complained."""
    made = Visits(browser)
    yield made
    made.close()
    assert made.complaints == []

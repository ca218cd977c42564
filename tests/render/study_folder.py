"""Made-up results in a folder, as `make reports` leaves them: two models, three languages, fewer pairs, training."""

import json
from pathlib import Path

from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.layers import MEASURES, Layer, LayerMeasures, LayersResult, Stress, StressedMeasure
from polyglot.probe.results.linear_map import LinearMapResult
from polyglot.probe.results.provenance import Provenance, Side
from polyglot.probe.results.serialization import to_json
from polyglot.probe.results.training import (
    LanguageMetrics,
    LanguageOutcome,
    Retention,
    RetentionScore,
    Retrieval,
    Speed,
    TrainResult,
    WordsOutcome,
)

MODELS = ("me5-small", "minilm")
LANGUAGES = ("fr", "de", "zh")


def share(value, half=0.02):
    return {"value": value, "low": value - half, "high": value + half, "level": 0.95}


def mapped(
    text: str, model: str, language: str, *, rows: int = 1500, search="a map helps", geometry="undecided"
) -> str:
    """Return the made-up result of French as one of another language, model and size, with both verdicts."""
    value = json.loads(text)
    for one in value["directions"]:
        one["source"], one["target"] = (code.replace("fr", language) for code in (one["source"], one["target"]))
        one["n"], one["explorer"], one["worst"] = rows, [], []
        one["use"] |= {"verdict": search}
        one["controls"]["words"] = {"r2": share(0.1), "p_at_1": share(0.12)}
        one["geometry"] = {
            "verdict": geometry,
            "reason": "curvature is visible and may exceed the margin",
            "sentence": "Geometry.",
            "margin": 0.05,
            "instruments": ["es"],
            "map_p_value": 0.02,
            "shares": {"rotation": share(0.5), "linear": share(0.83)},
            "by_instrument": {},
        }
    for side in value["provenance"]["models"]:
        side["model"] = model
    value["provenance"]["corpus"] = "builtin"
    value["provenance"]["command"] = f"polyglot probe linear-map en {language} --model {model}"
    return json.dumps(value)


def layered(model: str, language: str, stress: tuple[Stress, ...] = ()) -> str:
    """Return similarity that peaks at layer 1, and search at layer 2."""
    layers = []
    for name, cka, found in (("0", 0.4, 0.1), ("1", 0.9, 0.2), ("2", 0.7, 0.6)):
        values = dict.fromkeys(MEASURES, Interval(0.5, 0.4, 0.6, 0.95))
        values |= {key: Interval(v, v - 0.02, v + 0.02, 0.95) for key, v in (("cka", cka), ("p_at_1", found))}
        layers.append(Layer(name, (8, 8), LayerMeasures(**values)))
    sides = (Side("en", model, "f00d"), Side("fr", model, "f00d"))
    where = Provenance("polyglot probe layers", sides, "builtin", "beef", 0, "cpu", "float32", {"numpy": "2"})
    result = LayersResult(
        source="en",
        target=language,
        n=1500,
        groups=1500,
        pool=1500,
        folds=5,
        neighbours=10,
        removed=3,
        layers=tuple(layers),
        chance={},
        story=("Similarity peaks at layer 1.",),
        stress=stress,
        warnings=(),
        permutations=20,
        costly_permutations=5,
        resamples=100,
        provenance=where,
    )
    return to_json(result)


def stressed() -> tuple[Stress, ...]:
    """Return a coordinate that lifts similarity and not search."""

    def measure(name, plain, after):
        at = [Interval(value, value - 0.02, value + 0.02, 0.95) for value in (plain, after)]
        return StressedMeasure(name, *at, moved=plain != after)

    measures = (measure("cka", 0.17, 1.0), measure("cka_without_rogue", 0.17, 0.17), measure("p_at_1", 0.4, 0.13))
    return (Stress("one outlier", "a row", (), False, ""), Stress("a rogue dimension", "a wave", measures, True, "…"))


def trained(method: str, after: float) -> str:
    """Return French inserted into a model by a method."""

    def metrics(value):
        p = Interval(value, value - 0.02, value + 0.02, 0.95)
        return LanguageMetrics(Retrieval(1000, p, p, p, p), None)

    plain = Interval(0.42, 0.4, 0.44, 0.95)
    lost = Interval(0.3, 0.1, 0.5, 0.95)
    outcome = LanguageOutcome(
        language="fr",
        pairs=9000,
        held_out=1000,
        overlap_dropped=0,
        overlap_kept=0,
        corpus_fingerprint="beef",
        new_words=0,
        retired_words=0,
        unknown_rate_before=0.0,
        unknown_rate_after=0.0,
        fertility_before=1.0,
        fertility_after=1.0,
        accent_collisions_before=0.0,
        accent_collisions_after=0.0,
        before=metrics(0.42),
        after=metrics(after),
        words=None if method == "words" else WordsOutcome(metrics(0.3).retrieval, plain, ()),
    )
    result = TrainResult(
        schema="polyglot/train/1",
        stage="finetune",
        method=method,
        model=f"runs/{method}/model",
        base_fingerprint="f00d",
        fingerprint="f00e",
        run=f"runs/{method}",
        languages=(outcome,),
        retention=Retention((RetentionScore("sts", 100, plain, plain, lost),), 0.01, 2.0, ()),
        speed=Speed(10, 9000, 60.0, 60.0, 150.0, "float32", 1, 1, (1.0, 0.5)),
        scores={},
        warnings=(),
        next_command="",
        provenance=Provenance(
            "polyglot train finetune", (Side("fr", "minilm", "f00d"),), "stsb", "beef", 0, "cpu", "float32", {}
        ),
    )
    return to_json(result)


def write_folder(result: LinearMapResult, folder: Path) -> Path:
    """Write everything that a study shows into a folder; French in `minilm` has a page, the rest JSON alone."""
    folder.mkdir(parents=True, exist_ok=True)
    text = to_json(result)
    for model in MODELS:
        for language in LANGUAGES:
            helped = "no map needed" if (model, language) == ("me5-small", "fr") else "a map helps"
            if (model, language) == ("minilm", "zh"):
                helped = "undecided"
            (folder / f"linear-map-{model}-en-{language}.json").write_text(
                mapped(text, model, language, search=helped), encoding="utf-8"
            )
            (folder / f"layers-{model}-en-{language}.json").write_text(layered(model, language), encoding="utf-8")
    fewer = mapped(text, "minilm", "fr", rows=300, search="undecided")
    (folder / "linear-map-minilm-en-fr-300.json").write_text(fewer, encoding="utf-8")
    (folder / "layers-stress-minilm-en-fr.json").write_text(layered("minilm", "fr", stressed()), encoding="utf-8")
    for method, after in (("words", 0.35), ("align", 0.86)):
        (folder / f"train-{method}.json").write_text(trained(method, after), encoding="utf-8")
    (folder / "linear-map-minilm-en-fr.html").write_text("page", encoding="utf-8")
    (folder / "other.json").write_text('{"no": "result"}', encoding="utf-8")
    return folder

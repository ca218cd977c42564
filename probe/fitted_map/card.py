"""The card of a fitted map: what it is, how well it did, from what it was made, how it is used."""

from __future__ import annotations

from ..results.fitted_map import MapFitResult
from ..results.serialization import Interval

MEANINGS = {
    "identity": "nothing: the two sides share one place already",
    "shift": "adds one fixed vector",
    "rotation": "turns the space",
    "similarity": "turns the space and scales it",
    "low_rank": "a linear map of low rank",
    "linear": "any linear map, by ridge regression",
    "local": "a linear map for each region of the space",
    "nonlinear": "a linear map and a curved part (random Fourier features)",
}


def card(result: MapFitResult) -> str:
    """Return the README.md of a map's folder."""
    parts = (_front(result), _what(result), _scores(result), _use(result), _made_from(result))
    return "\n".join(part.rstrip() + "\n" for part in parts if part)


def _front(result: MapFitResult) -> str:
    languages = "\n".join(f"- {side.language}" for side in result.provenance.models)
    header = f"language:\n{languages}\n" if languages else ""
    library = "library_name: sentence-transformers\npipeline_tag: sentence-similarity\n" if result.carries_model else ""
    return f"---\n{header}{library}tags:\n- embedding-map\n---\n"


def _what(result: MapFitResult) -> str:
    name = result.rung.replace("_", " ")
    text = f"# {result.source} → {result.target}: {name} map\n\n{result.sentence}\n\nThe map {_meaning(result)}.\n"
    if result.verdict:
        decides = "P@1" if result.chosen_by == "p_at_1" else "R²"
        text += (
            f"\nVerdict of the certificate: **{result.verdict}** by R², **{result.retrieval_verdict}** by P@1; "
            f"this map was chosen by {decides}.\n"
        )
    else:
        text += "\nThis map was asked for; no certificate stands behind the choice.\n"
    return text + "".join(f"\n> {warning}\n" for warning in result.warnings)


def _meaning(result: MapFitResult) -> str:
    text = MEANINGS[result.rung]
    return text if text.startswith(("adds", "turns")) else f"is {text}"


def _scores(result: MapFitResult) -> str:
    rows = [
        ("R²", result.scores.r2, result.before.r2 if result.before else None),
        ("P@1", result.scores.p_at_1, result.before.p_at_1 if result.before else None),
        ("P@1, CSLS", result.scores.p_at_1_csls, result.before.p_at_1_csls if result.before else None),
        ("MRR", result.scores.mrr, result.before.mrr if result.before else None),
    ]
    lines = "\n".join(f"| {name} | {_cell(before)} | {_cell(after)} |" for name, after, before in rows)
    return (
        f"## Held-out scores\n\n{result.folds} folds by concept group; {result.pool} candidates; 95 % intervals.\n\n"
        f"| score | without a map | with it |\n|---|---|---|\n{lines}\n"
    )


def _cell(estimate: Interval | None) -> str:
    return "–" if estimate is None else f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _use(result: MapFitResult) -> str:
    vectors = (
        "Vectors of the source model: `polyglot map apply THIS_FOLDER vectors.npy --out mapped.npy`, or\n\n"
        "```python\nfrom polyglot.analysis.maps.estimators import load_map\n\n"
        "mapped = load_map('THIS_FOLDER').transform(vectors)\n```\n"
    )
    if not result.carries_model:
        return f"## Use\n\nThis folder maps vectors; it holds no model, since {_why_no_model(result)}.\n\n{vectors}"
    return (
        "## Use\n\nThe folder is a sentence-transformers model: the source encoder, the map as a dense layer, and the "
        "normalisation of the target encoder.\n\n```python\nfrom sentence_transformers import SentenceTransformer\n\n"
        "queries = SentenceTransformer('THIS_FOLDER').encode([...])\n```\n\n"
        f"Sentences in {result.source} land where the target model puts their translations in {result.target}: search "
        f"an index of that model as it is. Do not encode {result.target} with this folder; its own sentences would be "
        f"moved too.\n\n{vectors}"
    )


def _why_no_model(result: MapFitResult) -> str:
    return (
        "a map that bends is not a layer of the library"
        if result.rung in ("local", "nonlinear")
        else "it was fitted to vectors"
    )


def _made_from(result: MapFitResult) -> str:
    source = result.provenance
    sides = "\n".join(f"- {s.language}: {s.model}, `{s.model_fingerprint}`" for s in source.models)
    settings = ", ".join(f"{name} {value:g}" for name, value in result.settings.items())
    return (
        f"## Made from\n\n{sides}\n- {result.n} pairs in {result.groups} groups of {source.corpus}, "
        f"`{source.corpus_fingerprint}`\n"
        + (f"- chosen on all rows: {settings}\n" if settings else "")
        + f"- seed {source.seed}\n"
    )

"""The card of a fitted map: what it is, how well it did, from what it was made, how it is used."""

from __future__ import annotations

from ..results.fitted_map import MapFitResult
from ..results.intervals import Interval
from .canary import Canary

MEANINGS = {
    "identity": "nothing: the two sides share one place already",
    "shift": "adds one fixed vector",
    "rotation": "turns the space",
    "similarity": "turns the space and scales it",
    "low_rank": "a linear map of low rank",
    "linear": "any linear map, by ridge regression",
    "words": "a linear map of the vectors and of the words of the texts together",
    "local": "a linear map for each region of the space",
    "nonlinear": "a linear map and a curved part (random Fourier features)",
}


def card(result: MapFitResult, canary: Canary) -> str:
    """Return the README.md of a map's folder."""
    checked = canary_section(canary, with_words=result.rung == "words")
    parts = (heading(result), scores_table(result), usage(result), checked, sources(result))
    return "\n".join(part.rstrip() + "\n" for part in parts)


def heading(result: MapFitResult) -> str:
    """Return the metadata of the card, its title, the result, the map's meaning and the warnings."""
    languages = "".join(f"- {side.language}\n" for side in result.provenance.models)
    header = f"language:\n{languages}" if languages else ""
    library = "library_name: sentence-transformers\npipeline_tag: sentence-similarity\n" if result.carries_model else ""
    meaning = MEANINGS[result.rung]
    does = meaning if meaning.startswith(("adds", "turns")) else f"is {meaning}"
    chosen = "This map was asked for; no certificate stands behind the choice."
    if result.verdict:
        chosen = (
            f"Verdict of the certificate: **{result.verdict}** by R², **{result.retrieval_verdict}** by P@1; "
            f"this map was chosen by {'P@1' if result.chosen_by == 'p_at_1' else 'R²'}."
        )
    return (
        f"---\n{header}{library}tags:\n- embedding-map\n---\n\n"
        f"# {result.source} → {result.target}: {result.rung.replace('_', ' ')} map\n\n{result.sentence}\n\n"
        f"The map {does}.\n\n{chosen}\n" + "".join(f"\n> {warning}\n" for warning in result.warnings)
    )


def scores_table(result: MapFitResult) -> str:
    """Return the held-out scores without the map and with it."""
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


def usage(result: MapFitResult) -> str:
    """Return how the folder is used."""
    vectors = (
        "Vectors of the source model: `polyglot map apply THIS_FOLDER vectors.npy --out mapped.npy`, or\n\n"
        "```python\nfrom polyglot.analysis.maps.estimators import load_map\n\n"
        "mapped = load_map('THIS_FOLDER').transform(vectors)\n```\n"
    )
    if result.rung == "words":
        return (
            "## Use\n\nThis map reads texts beside their vectors, so no layer behind an encoder holds it and the "
            "folder carries no model. Texts one a line, vectors by the source model in the same order:\n\n"
            "`polyglot map apply THIS_FOLDER vectors.npy --texts texts.txt --out mapped.npy`\n"
        )
    if not result.carries_model:
        curved = result.rung in ("local", "nonlinear")
        why = "a map that is not affine is not a layer of the library" if curved else "it was fitted to vectors"
        return f"## Use\n\nThis folder maps vectors; it holds no model, since {why}.\n\n{vectors}"
    return (
        "## Use\n\nThe folder is a sentence-transformers model: the source encoder, the map as a dense layer, and the "
        "normalisation of the target encoder.\n\n```python\nfrom sentence_transformers import SentenceTransformer\n\n"
        "queries = SentenceTransformer('THIS_FOLDER').encode([...])\n```\n\n"
        f"Sentences in {result.source} land where the target model puts their translations in {result.target}: search "
        f"an index of that model as it is. Do not encode {result.target} with this folder; its own sentences would be "
        f"moved too.\n\n{vectors}"
    )


def canary_section(canary: Canary, *, with_words: bool) -> str:
    """Return what a server, or a program that maps vectors, must give where it applies the map."""
    prompted = f" with the prompt `{canary.prompt}` before it" if canary.prompt else ""
    sent = f"Send it the sentence `{canary.sentence}`{prompted}" if canary.sentence else "Map the vector `plain`"
    why = "Some servers leave out a layer that they do not know, without an error."
    if with_words:
        why = "Vectors of another model, or in another order than their texts, are mapped without an error."
        sent = f"Map the sentence `{canary.sentence}`{prompted}"
    return (
        f"## Is the map applied?\n\n{why} {sent}; the vectors are in `canary.json`:\n\n{canary.text}\n\n"
        "`polyglot map check VECTOR.npy --map THIS_FOLDER` compares what the server gave.\n"
    )


def sources(result: MapFitResult) -> str:
    """Return the models, the text and the settings that the map was made from."""
    source = result.provenance
    sides = "\n".join(f"- {s.language}: {s.model}, `{s.model_fingerprint}`" for s in source.models)
    settings = ", ".join(f"{name} {value:g}" for name, value in result.settings.items())
    return (
        f"## Made from\n\n{sides}\n- {result.n} pairs in {result.groups} groups of {source.corpus}, "
        f"`{source.corpus_fingerprint}`\n"
        + (f"- chosen on all rows: {settings}\n" if settings else "")
        + f"- seed {source.seed}\n"
    )

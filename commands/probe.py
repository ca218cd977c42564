"""`polyglot probe …`: one command a probe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError
from . import options
from .loading import check_models, typed_command
from .shared import Probing, probing

app = typer.Typer(no_args_is_help=True, help="Measure the geometry of languages in an embedding model.")

Permutations = Annotated[int, typer.Option("--permutations", help="Permuted or broken pairings for the null.")]
Layers = Annotated[list[int] | None, typer.Option("--layer", help="A layer to measure; repeat it. By default all.")]


@app.command("linear-map")
@probing
def linear_map(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Source language, such as fr.")] = "",
    target: Annotated[str, typer.Argument(metavar="TGT", help="Target language, such as en.")] = "",
    *,
    vectors: Annotated[
        tuple[Path, Path] | None, typer.Option("--vectors", help="Two .npy files of paired rows instead of text.")
    ] = None,
    same_space: Annotated[bool, typer.Option("--same-space", help="Both sides live in one space.")] = False,
    margin: Annotated[float, typer.Option("--margin", help="Share of the ceiling that may be lost.")] = 0.05,
    permutations: Permutations = 20,
    mlp: Annotated[bool, typer.Option("--mlp", help="Add the MLP rung.")] = False,
    target_model: options.TargetModel = None,
    common: Probing,
) -> None:
    """Is the map from SRC to TGT identity, shift, rotation, linear, or more?"""
    report = common.report("linear-map")
    if vectors is None and not (source and target):
        raise typer.BadParameter("expected two languages such as `en fr`, or --vectors X.npy Y.npy")
    from ..analysis.maps.ladder import DEFAULT_RUNGS
    from ..probe.linear_map.config import LinearMapConfig

    config = LinearMapConfig(
        rungs=(*DEFAULT_RUNGS, "mlp") if mlp else DEFAULT_RUNGS,
        margin=margin,
        permutations=permutations,
        costly_permutations=min(5, permutations),
        texts=not common.no_texts,
        same_space=True if same_space else None,
        seed=common.seed,
    )
    from ..probe.linear_map import run as probe
    from ..probe.results.linear_map import LinearMapResult

    if vectors is not None:
        result = probe.measure_files(*vectors, config, command=typed_command())
        name = "-".join(path.stem for path in vectors)
    else:
        check_models(common.model, target_model)
        bitext = common.bitext(source, target)
        name = f"{bitext.source}-{bitext.target}"
        given = common.encoders(target_model), bitext, config
        result = common.measured(report, name, LinearMapResult, probe.run, *given)
    report.write(result, name, verdict=" ".join(d.certificate.sentence for d in result.directions))


@app.command("layers")
@probing
def layers(
    source: options.Source,
    target: options.Target,
    *,
    only: Layers = None,
    stress: Annotated[bool, typer.Option("--stress", help="Apply known disturbances; show what moves.")] = False,
    permutations: Permutations = 20,
    common: Probing,
) -> None:
    """Show where in the encoder two languages meet: similarity, maps, retrieval, language identity by layer."""
    from ..probe.layers import run as probe
    from ..probe.layers.config import LayersConfig
    from ..probe.results.layers import LayersResult

    report = common.report("layers")
    config = LayersConfig(
        layers=tuple(only) if only else None,
        permutations=permutations,
        costly_permutations=min(5, permutations),
        stress=stress,
        seed=common.seed,
    )
    check_models(common.model)
    bitext = common.bitext(source, target)
    name = f"{bitext.source}-{bitext.target}"
    result = common.measured(report, name, LayersResult, probe.run, common.encoder(), bitext, config)
    report.write(result, name, verdict=" ".join(result.story) or "No peak stands out.")


@app.command("cka")
@probing
def cka(
    source: options.Source,
    target: options.Target,
    *,
    other: Annotated[str | None, typer.Option("--other", help="A second model, such as a finetuned one.")] = None,
    permutations: Annotated[
        int, typer.Option("--permutations", help="Broken pairings for the null; each costs as much as the table.")
    ] = 5,
    common: Probing,
) -> None:
    """Compare layers with layers by CKA: of two languages in one model, or of two models for each language."""
    from ..probe.cka import run as probe
    from ..probe.cka.config import CkaConfig
    from ..probe.results.cka import CkaResult

    report = common.report("cka")
    config = CkaConfig(permutations=permutations, seed=common.seed)
    check_models(common.model, other)
    bitext = common.bitext(source, target)
    second = None if other is None else common.encoder(other)
    name, given = f"{bitext.source}-{bitext.target}", (common.encoder(), bitext, config)
    result = common.measured(report, name, CkaResult, probe.run, *given, other=second)
    report.write(result, name, verdict=result.sentence)


@app.command("retrieval")
@probing
def retrieval(
    source: options.Source,
    target: options.Target,
    *,
    through: Annotated[Path | None, typer.Option("--through", help="A fitted map for the source side.")] = None,
    target_model: options.TargetModel = None,
    common: Probing,
) -> None:
    """Search translations both ways: P@k, accuracy, weighted F1, CSLS and margins, hubness, classed errors."""
    from ..probe.experiment.source_map import SourceMap
    from ..probe.results.retrieval import RetrievalResult
    from ..probe.retrieval import run as probe
    from ..probe.retrieval.config import RetrievalConfig

    report = common.report("retrieval")
    config = RetrievalConfig(texts=not common.no_texts, seed=common.seed)
    check_models(common.model, target_model)
    bitext = common.bitext(source, target)
    fitted = None if through is None else SourceMap.load(through)
    name, given = f"{bitext.source}-{bitext.target}", (common.encoders(target_model), bitext, config)
    result = common.measured(report, name, RetrievalResult, probe.run, *given, source_map=fitted)
    report.write(result, name, verdict=result.sentence)


@app.command("questions")
@probing
def questions(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Language of the questions, such as fr.")],
    target: Annotated[str, typer.Argument(metavar="TGT", help="Language of the passages, such as en.")],
    *,
    through: Annotated[Path | None, typer.Option("--through", help="A fitted map for the questions.")] = None,
    target_model: options.TargetModel = None,
    common: Probing,
) -> None:
    """Search the passage that answers each question: nDCG@10, MRR@10, R@100, before and after a map.

    The built-in set is in English and French; --corpus takes a folder in the format of XQuAD.
    """
    from ..probe.experiment.source_map import SourceMap
    from ..probe.questions import run as probe
    from ..probe.results.questions import QuestionResult

    report = common.report("questions")
    config = probe.QuestionConfig(texts=not common.no_texts, seed=common.seed)
    check_models(common.model, target_model)
    asked = common.questions(source, target)
    fitted = None if through is None else SourceMap.load(through)
    same = asked.query_language == asked.passage_language
    reference = None if same else common.questions(target, target)
    name = f"{asked.query_language}-{asked.passage_language}"
    given = common.encoders(target_model), asked, config
    extras = {"source_map": fitted, "reference": reference}
    result = common.measured(report, name, QuestionResult, probe.run, *given, **extras)
    report.write(result, name, verdict=result.sentence)


@app.command("language-id")
@probing
def language_id(
    languages: options.Languages,
    *,
    only: Annotated[
        list[int] | None, typer.Option("--layer", help="A layer besides the pooled output; repeat it.")
    ] = None,
    all_layers: Annotated[bool, typer.Option("--all-layers", help="Every layer besides the pooled output.")] = False,
    common: Probing,
) -> None:
    """Measure how much language identity embeddings hold, and what removing it costs."""
    from ..probe.language_id import run as probe
    from ..probe.language_id.config import LanguageIdConfig
    from ..probe.results.language_id import LanguageIdResult

    report = common.report("language-id")
    if only and all_layers:
        raise ConfigError("--layer and --all-layers contradict each other: give one of them")
    config = LanguageIdConfig(layers=None if all_layers else tuple(only or ()), seed=common.seed)
    check_models(common.model)
    text = common.text(languages)
    name, given = "-".join(text.languages), (common.encoder(), text, text.languages, config)
    result = common.measured(report, name, LanguageIdResult, probe.run, *given)
    report.write(result, name, verdict=result.sentence)


@app.command("composition")
@probing
def composition(
    languages: options.Languages,
    *,
    curved: Annotated[bool, typer.Option("--curved", help="Let the curved rungs set the ceiling too.")] = False,
    common: Probing,
) -> None:
    """Does A→B→C equal A→C, and do loops close?"""
    from ..probe.composition import run as probe
    from ..probe.composition.config import CompositionConfig
    from ..probe.results.composition import CompositionResult

    report = common.report("composition")
    config = CompositionConfig(curved=curved, seed=common.seed)
    check_models(common.model)
    text = common.text(languages)
    name, given = "-".join(text.languages), (common.encoder(), text, text.languages, config)
    result = common.measured(report, name, CompositionResult, probe.run, *given)
    report.write(result, name, verdict=result.sentence)


@app.command("geometry")
@probing
def geometry(languages: options.Languages, *, only: Layers = None, common: Probing) -> None:
    """Measure the cloud of each language: isotropy, effective rank, intrinsic dimension, hubness, by layer."""
    from ..probe.geometry import run as probe
    from ..probe.geometry.config import GeometryConfig
    from ..probe.results.geometry import GeometryResult

    report = common.report("geometry")
    config = GeometryConfig(layers=tuple(only) if only else None, seed=common.seed)
    check_models(common.model)
    text = common.text(languages)
    name, given = "-".join(text.languages), (common.encoder(), text, text.languages, config)
    result = common.measured(report, name, GeometryResult, probe.run, *given)
    report.write(result, name, verdict=" ".join(result.sentences))

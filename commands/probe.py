"""`polyglot probe …`: one command a probe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigError
from ..files import open_paired_matrices
from . import options
from .loading import check_languages, check_map, typed_command
from .probe_table import Inputs, run_probe
from .shared import Probing, probing

app = typer.Typer(no_args_is_help=True)

Layers = Annotated[list[int] | None, typer.Option("--layer", help="A layer to measure; repeat it. By default all.")]
Permutations = Annotated[int, typer.Option("--permutations", help="Permuted pairings for the null.")]


def _pair(common: Probing, source: str, target: str, load: Callable[[], object], **extras: object) -> Inputs:
    """Return the inputs of a probe on two languages."""
    bitext = common.bitext(source, target)
    return f"{bitext.source}-{bitext.target}", (load(), bitext), extras


def _pair_with_instruments(
    common: Probing, languages: tuple[str, str], load: Callable[[], object], instruments: Sequence[str] | None
) -> Inputs:
    """Return the inputs of a probe on two languages, and the text with those that take noise out; None: the default."""
    from ..data.languages import canonical_code

    text = common.text_with_instruments(languages, instruments)
    bitext = text.bitext(*map(canonical_code, languages))
    extras: dict[str, object] = {"instruments": text} if len(text.languages) > 2 else {}
    return f"{bitext.source}-{bitext.target}", (load(), bitext), extras


def _instruments(named: list[str] | None, *, none: bool) -> Sequence[str] | None:
    """Return the instruments asked for; None for the default."""
    if named and none:
        raise ConfigError("--instrument and --no-instruments contradict each other: give one of them")
    return () if none else named


def _several(common: Probing, languages: list[str]) -> Inputs:
    """Return the inputs of a probe on any number of languages."""
    text = common.text(languages)
    return "-".join(text.languages), (common.encoder(), text, text.languages), {}


@app.command("linear-map", epilog="Example: polyglot probe linear-map fr en --corpus my.tsv")
@probing
def linear_map(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Source language, such as fr.")] = "",
    target: Annotated[str, typer.Argument(metavar="TGT", help="Target language, such as en.")] = "",
    *,
    vectors: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--vectors", help="Two .npy files instead of text: row i of each a pair."),
    ] = None,
    same_space: Annotated[bool, typer.Option("--same-space", help="Both files of --vectors are of one space.")] = False,
    margin: Annotated[float, typer.Option("--margin", help="Share of the best that a plainer map may lose.")] = 0.05,
    permutations: Permutations = 20,
    mlp: Annotated[bool, typer.Option("--mlp", help="Add a small neural network to the maps.")] = False,
    target_model: options.TargetModel = None,
    instrument: options.Instrument = None,
    no_instruments: options.NoInstruments = False,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="Add an encoder of the same shape with random weights as a control.")
    ] = False,
    exact_rows: Annotated[
        int,
        typer.Option(
            "--exact-rows",
            help="With more pairs, closed-form maps are of all of them, read piece by piece; everything else is of a "
            "random sample of so many.",
        ),
    ] = 10_000,
    common: Probing,
) -> None:
    """Is the map from SRC to TGT identity, shift, rotation, linear, or more?"""
    common.report("linear-map")
    if vectors is None and not (source and target):
        check_languages([source] if source else [])
        raise typer.BadParameter("expected two languages such as `en fr`, or --vectors X.npy Y.npy")
    if vectors is not None and untrained:
        raise ConfigError("--untrained embeds text, and --vectors brings none: leave one of them out")
    instruments = _instruments(instrument, none=no_instruments)
    from ..analysis.maps.ladder import DEFAULT_RUNGS

    def inputs() -> Inputs:
        if vectors is not None:
            return "-".join(path.stem for path in vectors), (), {}
        return _pair_with_instruments(common, (source, target), lambda: common.encoders(target_model), instruments)

    def measured(config: Any) -> object:  # noqa: ANN401
        from ..distributed import Processes
        from ..probe.linear_map.run import measure_files

        assert vectors is not None
        return measure_files(*vectors, config, command=typed_command(), processes=Processes.current())

    def check() -> None:
        if vectors is None:
            common.check_pair(source, target, instruments)
        else:
            open_paired_matrices(*vectors)

    run_probe(
        "linear-map",
        common,
        inputs,
        target_model,
        check=check,
        measured=measured if vectors else None,
        rungs=(*DEFAULT_RUNGS, "mlp") if mlp else DEFAULT_RUNGS,
        margin=margin,
        permutations=permutations,
        costly_permutations=min(5, permutations),
        texts=not common.no_texts,
        same_space=same_space or None,
        untrained=untrained,
        exact_rows=exact_rows,
    )


@app.command("layers", epilog="Example: polyglot probe layers fr en --model me5-small")
@probing
def layers(
    source: options.Source,
    target: options.Target,
    *,
    only: Layers = None,
    stress: Annotated[bool, typer.Option("--stress", help="Apply known disturbances; show what moves.")] = False,
    permutations: Permutations = 20,
    instrument: options.Instrument = None,
    no_instruments: options.NoInstruments = False,
    common: Probing,
) -> None:
    """Show where in the encoder two languages agree: similarity, maps, retrieval, language identity by layer."""
    instruments = _instruments(instrument, none=no_instruments)
    run_probe(
        "layers",
        common,
        lambda: _pair_with_instruments(common, (source, target), common.encoder, instruments),
        check=lambda: common.check_pair(source, target, instruments),
        layers=tuple(only) if only else None,
        permutations=permutations,
        costly_permutations=min(5, permutations),
        stress=stress,
    )


@app.command("cka", epilog="Example: polyglot probe cka fr en --other me5-small")
@probing
def cka(
    source: options.Source,
    target: options.Target,
    *,
    other: Annotated[str | None, typer.Option("--other", help="A second model, such as a finetuned one.")] = None,
    permutations: Annotated[
        int, typer.Option("--permutations", help="Permuted pairings for the null; each costs as much as the table.")
    ] = 5,
    common: Probing,
) -> None:
    """Compare layers with layers by CKA: of two languages in one model, or of two models for each language."""

    def inputs() -> Inputs:
        name, given, _ = _pair(common, source, target, common.encoder)
        return name, given, {"other": None if other is None else common.encoder(other)}

    run_probe("cka", common, inputs, other, check=lambda: common.check_pair(source, target), permutations=permutations)


@app.command("retrieval", epilog="Example: polyglot probe retrieval fr en --map fr-en")
@probing
def retrieval(
    source: options.Source,
    target: options.Target,
    *,
    fitted: options.FittedMap = None,
    through: options.Through = None,
    target_model: options.TargetModel = None,
    common: Probing,
) -> None:
    """Search translations both ways: P@k, accuracy, weighted F1, CSLS and margins, hubness, kinds of errors."""

    def inputs() -> Inputs:
        name, given, _ = _pair(common, source, target, lambda: common.encoders(target_model))
        return name, given, {"source_map": _map_of(fitted or through)}

    def check() -> None:
        common.check_pair(source, target)
        check_map(fitted or through)

    run_probe("retrieval", common, inputs, target_model, check=check, texts=not common.no_texts)


@app.command("questions", epilog="Example: polyglot probe questions fr en")
@probing
def questions(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Language of the questions, such as fr.")],
    target: Annotated[str, typer.Argument(metavar="TGT", help="Language of the passages, such as en.")],
    *,
    fitted: options.FittedMap = None,
    through: options.Through = None,
    target_model: options.TargetModel = None,
    words: Annotated[
        list[str] | None,
        typer.Option("--words", help="Pairs for the control, words alone; by default the built-in corpus."),
    ] = None,
    common: Probing,
) -> None:
    """Search the passage that answers each question: nDCG@10, MRR@10, R@100, before and after a map.

    The built-in set is in English and French; --corpus takes a folder in the format of XQuAD.
    """

    def inputs() -> Inputs:
        asked = common.questions(source, target)
        same = asked.query_language == asked.passage_language
        extras = {
            "source_map": _map_of(fitted or through),
            "reference": None if same else common.questions(target, target),
            "words": None if same else _pairs_of_words(words, asked.query_language, asked.passage_language),
        }
        name = f"{asked.query_language}-{asked.passage_language}"
        return name, (common.encoders(target_model), asked), extras

    def check() -> None:
        check_languages([source, target])
        common.check_questions()
        check_map(fitted or through)

    run_probe("questions", common, inputs, target_model, check=check, texts=not common.no_texts)


def _pairs_of_words(corpus: list[str] | None, source: str, target: str) -> object:
    """Open the pairs from which words alone are fitted; None where the built-in corpus lacks a language."""
    from ..data.builtin import LANGUAGES
    from ..data.open import open_corpus
    from ..stages import stage

    if corpus is None and not {source, target} <= set(LANGUAGES):
        return None
    stage(f"reading {'the built-in sentences' if corpus is None else ', '.join(corpus)}")
    return open_corpus(corpus, (source, target)).bitext(source, target)


def _map_of(folder: Path | None) -> object:
    """Read a fitted map for the source side, where one is given."""
    from ..probe.experiment.source_map import SourceMap

    return None if folder is None else SourceMap.load(folder)


@app.command("language-id", epilog="Example: polyglot probe language-id en fr de")
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
    common.report("language-id")
    if only and all_layers:
        raise ConfigError("--layer and --all-layers contradict each other: give one of them")
    run_probe(
        "language-id",
        common,
        lambda: _several(common, languages),
        check=lambda: common.check_several(languages, least=2),
        layers=None if all_layers else tuple(only or ()),
    )


@app.command("composition", epilog="Example: polyglot probe composition en fr de")
@probing
def composition(
    languages: options.Languages,
    *,
    curved: Annotated[bool, typer.Option("--curved", help="Let the curved rungs set the ceiling too.")] = False,
    instrument: options.Instrument = None,
    no_instruments: options.NoInstruments = False,
    common: Probing,
) -> None:
    """Does A→B→C equal A→C, and do loops close?"""
    instruments = _instruments(instrument, none=no_instruments)

    def inputs() -> Inputs:
        from ..data.languages import canonical_codes

        asked = canonical_codes(languages)
        text = common.text_with_instruments(languages, instruments)
        return "-".join(asked), (common.encoder(), text, asked), {}

    run_probe(
        "composition",
        common,
        inputs,
        check=lambda: common.check_several(languages, least=3, further=instruments),
        curved=curved,
    )


@app.command("geometry", epilog="Example: polyglot probe geometry en fr")
@probing
def geometry(languages: options.Languages, *, only: Layers = None, common: Probing) -> None:
    """Measure the cloud of each language: isotropy, effective rank, intrinsic dimension, hubness, by layer."""
    run_probe(
        "geometry",
        common,
        lambda: _several(common, languages),
        check=lambda: common.check_several(languages, least=1),
        layers=tuple(only) if only else None,
    )

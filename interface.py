"""The functions of `import polyglot`: each probe takes arrays, or an encoder and text; results are read and drawn.

What these functions do is defined in the rooms; here the call is chosen by what is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, overload

from .analysis.types import Rows
from .data.bitext import Bitext, ParallelText
from .data.questions import Questions
from .errors import ConfigError, DataError
from .models.encoder import Encoder
from .probe.cka.config import CkaConfig
from .probe.composition.config import CompositionConfig
from .probe.fitted_map.run import MapFitConfig
from .probe.geometry.config import GeometryConfig
from .probe.language_id.config import LanguageIdConfig
from .probe.layers.config import LayersConfig
from .probe.linear_map.config import LinearMapConfig
from .probe.questions.config import QuestionConfig
from .probe.results.cka import CkaResult
from .probe.results.composition import CompositionResult
from .probe.results.fitted_map import MapFitResult
from .probe.results.geometry import GeometryResult
from .probe.results.language_id import LanguageIdResult
from .probe.results.layers import LayersResult
from .probe.results.linear_map import LinearMapResult
from .probe.results.questions import QuestionResult
from .probe.results.retrieval import RetrievalResult
from .probe.results.serialization import from_json, read_schema, to_json
from .probe.results.training import TrainResult
from .probe.retrieval.config import RetrievalConfig
from .render.plotlyjs import PlotlyJs
from .train.config import FinetuneConfig

R = TypeVar("R")
Encoders = Encoder | tuple[Encoder, Encoder]
#: The class of every result, by the schema that its JSON names.
RESULTS = {
    "polyglot/linear-map/1": "linear_map.LinearMapResult",
    "polyglot/layers/1": "layers.LayersResult",
    "polyglot/cka/1": "cka.CkaResult",
    "polyglot/retrieval/1": "retrieval.RetrievalResult",
    "polyglot/question-retrieval/1": "questions.QuestionResult",
    "polyglot/composition/1": "composition.CompositionResult",
    "polyglot/language-id/1": "language_id.LanguageIdResult",
    "polyglot/geometry/1": "geometry.GeometryResult",
    "polyglot/map-fit/1": "fitted_map.MapFitResult",
    "polyglot/compare/1": "compare.CompareResult",
    "polyglot/train/1": "training.TrainResult",
    "polyglot/study/1": "study.StudyResult",
}


@overload
def linear_map(x: Encoders, y: Bitext, *, config: LinearMapConfig = ..., **options: Any) -> LinearMapResult: ...
@overload
def linear_map(x: Rows, y: Rows, *, config: LinearMapConfig = ..., **options: Any) -> LinearMapResult: ...
def linear_map(x: Any, y: Any, *, config: LinearMapConfig | None = None, **options: Any) -> LinearMapResult:
    """Is the map from one language to the other identity, shift, rotation, linear, or more?

    Parameters
    ----------
    x, y : array (n, p), (n, q); or Encoder and Bitext
        Paired rows, n ≥ 50; or the encoder of both languages (a pair of encoders for two models), and their text.
    config : LinearMapConfig, optional
    options
        As `probe.linear_map.run.measure` takes with arrays (`groups`, `names`), or `run` with text (`cache`,
        `progress`).

    Returns
    -------
    LinearMapResult

    Raises
    ------
    DataError
        If there are too few rows, or they are not paired finite vectors.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 3))
    >>> quick = LinearMapConfig(rungs=("identity", "shift", "linear"), permutations=2, costly_permutations=1,
    ...     resamples=100, power_replicates=0, failure=False, same_space=True)
    >>> result = linear_map(x, x + 1 + 0.1 * rng.standard_normal(x.shape), config=quick)
    >>> result.directions[0].certificate.verdict
    'shift'
    """
    from .probe.linear_map.run import measure, run

    if isinstance(y, Bitext):
        return run(_pair(x), y, config or LinearMapConfig(), **options)
    return measure(x, y, config=config or LinearMapConfig(), **options)


@overload
def layers(x: Encoder, y: Bitext, *, config: LayersConfig = ..., **options: Any) -> LayersResult: ...
@overload
def layers(x: Sequence[Rows], y: Sequence[Rows], *, config: LayersConfig = ..., **options: Any) -> LayersResult: ...
def layers(x: Any, y: Any, *, config: LayersConfig | None = None, **options: Any) -> LayersResult:
    """Where in an encoder do two languages agree: similarity, maps, retrieval and language identity at every layer.

    Parameters
    ----------
    x, y : sequence of array (n, d); or Encoder and Bitext
        Paired rows at every layer, the last ones pooled; or an encoder and the text of two languages.
    config : LayersConfig, optional
    options
        As `probe.layers.run.measure` takes with arrays, or `run` with text; with `instruments`, the same rows in
        further languages, latent shares are measured too.

    Returns
    -------
    LayersResult

    Raises
    ------
    DataError
        If there are too few rows, or they are not paired finite vectors.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> meaning = rng.standard_normal((60, 4))
    >>> x, y = ([0.3 * rng.standard_normal((60, 4)) + k * meaning for k in (0, 1)] for _ in "xy")
    >>> quick = LayersConfig(permutations=2, costly_permutations=1, resamples=100)
    >>> [round(layer.measures.cka.value, 1) for layer in layers(x, y, config=quick).layers]
    [-0.0, 0.8]
    """
    from .probe.layers.run import measure, run

    if isinstance(y, Bitext):
        return run(x, y, config or LayersConfig(), **options)
    return measure(x, y, config=config or LayersConfig(), **options)


@overload
def cka(x: Encoder, y: Bitext, *, config: CkaConfig = ..., **options: Any) -> CkaResult: ...
@overload
def cka(x: Sequence[Rows], y: Sequence[Rows], *, config: CkaConfig = ..., **options: Any) -> CkaResult: ...
def cka(x: Any, y: Any, *, config: CkaConfig | None = None, **options: Any) -> CkaResult:
    """Compare every layer of one side with every layer of the other by debiased CKA.

    Parameters
    ----------
    x, y : sequence of array (n, d); or Encoder and Bitext
        Paired rows at every layer; or an encoder and the text of two languages (`other=` takes a second encoder).
    config : CkaConfig, optional
    options
        As `probe.cka.run.measure` takes with arrays, or `run` with text.

    Returns
    -------
    CkaResult

    Raises
    ------
    DataError
        If there are too few rows, or they are not paired finite vectors.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = [rng.standard_normal((60, 4)) for _ in range(2)]
    >>> table = cka(x, [x[1], x[0]], config=CkaConfig(permutations=2)).tables[0].cka
    >>> [[round(abs(cell.value)) for cell in row] for row in table]
    [[0, 1], [1, 0]]
    """
    from .probe.cka.run import measure, run

    if isinstance(y, Bitext):
        return run(x, y, config or CkaConfig(), **options)
    return measure(x, y, config=config or CkaConfig(), **options)


@overload
def retrieval(x: Encoders, y: Bitext, *, config: RetrievalConfig = ..., **options: Any) -> RetrievalResult: ...
@overload
def retrieval(x: Rows, y: Rows, *, config: RetrievalConfig = ..., **options: Any) -> RetrievalResult: ...
def retrieval(x: Any, y: Any, *, config: RetrievalConfig | None = None, **options: Any) -> RetrievalResult:
    """How often is the translation the nearest neighbour, both ways, by cosine, CSLS and xsim margin?

    Parameters
    ----------
    x, y : array (n, d), (n, d); or Encoder and Bitext
        Paired rows, n ≥ 50; or the encoder of both languages (a pair of encoders for two models), and their text.
    config : RetrievalConfig, optional
    options
        As `probe.retrieval.run.measure` takes with arrays, or `run` with text.

    Returns
    -------
    RetrievalResult

    Raises
    ------
    DataError
        If there are too few rows, or they are not paired finite vectors.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 8))
    >>> quick = RetrievalConfig(permutations=20, resamples=100)
    >>> result = retrieval(x, x + 0.01 * rng.standard_normal(x.shape), config=quick)
    >>> result.directions[0].scores["cosine"].p_at_1.value
    1.0
    """
    from .probe.retrieval.run import measure, run

    if isinstance(y, Bitext):
        return run(_pair(x), y, config or RetrievalConfig(), **options)
    return measure(x, y, config=config or RetrievalConfig(), **options)


def questions(
    encoder: Encoders, asked: Questions, *, config: QuestionConfig | None = None, **options: Any
) -> QuestionResult:
    """Does the passage that answers a question come first: nDCG@10, MRR@10 and R@100, before and after a map.

    Parameters
    ----------
    encoder : Encoder or (Encoder, Encoder)
        Of questions and passages, which it reads with the prompts of queries and of documents unless it was loaded with
        a prompt or a task.
    asked : Questions
        As `open_questions` reads them.
    config : QuestionConfig, optional
    options
        As `probe.questions.run.run` takes them: `source_map`, `reference`, `cache`, `progress`.

    Returns
    -------
    QuestionResult

    Examples
    --------
    >>> from polyglot import load_encoder, open_questions
    >>> asked = open_questions(None, "fr", "en")
    >>> len(asked.queries) == len(asked.relevant)
    True
    >>> questions(load_encoder("minilm"), asked).sentence  # doctest: +SKIP
    """
    from .probe.questions.run import run

    return run(_pair(encoder), asked, config or QuestionConfig(), **options)


@overload
def composition(
    x: Encoder, text: ParallelText, *, config: CompositionConfig = ..., **options: Any
) -> CompositionResult: ...
@overload
def composition(x: Mapping[str, Rows], *, config: CompositionConfig = ..., **options: Any) -> CompositionResult: ...
def composition(
    x: Any, text: ParallelText | None = None, *, config: CompositionConfig | None = None, **options: Any
) -> CompositionResult:
    """Does the map A → B → C equal the map A → C, and do loops close?

    Parameters
    ----------
    x : mapping of str to array (n, d); or Encoder
        Rows of each language, by its name, row i the same sentence in all; or an encoder.
    text : ParallelText
        With an encoder: sentences in three languages or more.
    config : CompositionConfig, optional
    options
        As `probe.composition.run.measure` takes with arrays, or `run` with text.

    Returns
    -------
    CompositionResult

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> a = rng.standard_normal((60, 3))
    >>> rows = {"a": a, "b": a[:, ::-1] + 1, "c": 2 * a + 0.1 * rng.standard_normal(a.shape)}
    >>> result = composition(rows, config=CompositionConfig(permutations=2, resamples=100))
    >>> len(result.pairs)
    6
    """
    from .probe.composition.run import measure, run

    return _over_languages(run, measure, x, text, config or CompositionConfig(), options)


@overload
def language_id(
    x: Encoder, text: ParallelText, *, config: LanguageIdConfig = ..., **options: Any
) -> LanguageIdResult: ...
@overload
def language_id(x: Mapping[str, Rows], *, config: LanguageIdConfig = ..., **options: Any) -> LanguageIdResult: ...
def language_id(
    x: Any, text: ParallelText | None = None, *, config: LanguageIdConfig | None = None, **options: Any
) -> LanguageIdResult:
    """How much language identity do embeddings hold, and what does removing it cost?

    Parameters
    ----------
    x : mapping of str to array (n, d); or Encoder
        Rows of each language, by its name, row i the same sentence in all; or an encoder.
    text : ParallelText
        With an encoder: sentences in two languages or more.
    config : LanguageIdConfig, optional
    options
        As `probe.language_id.run.measure` takes with arrays, or `run` with text.

    Returns
    -------
    LanguageIdResult

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 3))
    >>> quick = LanguageIdConfig(controls=2, orders=2, resamples=100)
    >>> result = language_id({"en": x, "fr": x + 9}, config=quick)
    >>> result.layers[-1].conditions[0].accuracy.value
    1.0
    """
    from .probe.language_id.run import measure, run

    return _over_languages(run, measure, x, text, config or LanguageIdConfig(), options)


@overload
def geometry(x: Encoder, text: ParallelText, *, config: GeometryConfig = ..., **options: Any) -> GeometryResult: ...
@overload
def geometry(x: Mapping[str, Rows], *, config: GeometryConfig = ..., **options: Any) -> GeometryResult: ...
def geometry(
    x: Any, text: ParallelText | None = None, *, config: GeometryConfig | None = None, **options: Any
) -> GeometryResult:
    """Measure the point cloud of each language: isotropy, effective rank, intrinsic dimension, hubness.

    Parameters
    ----------
    x : mapping of str to array (n, d); or Encoder
        Rows of each language, by its name; or an encoder.
    text : ParallelText
        With an encoder: sentences in one language or more.
    config : GeometryConfig, optional
    options
        As `probe.geometry.run.measure` takes with arrays, or `run` with text.

    Returns
    -------
    GeometryResult

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((60, 3))
    >>> flat = x * (1, 1, 0.01)
    >>> result = geometry({"round": x, "flat": flat})
    >>> [round(one.layers[-1].plain.effective_rank.value) for one in result.languages]
    [3, 2]
    """
    from .probe.geometry.run import measure, run

    return _over_languages(run, measure, x, text, config or GeometryConfig(), options)


@overload
def fit_map(x: Encoders, y: Bitext, out: str | Path, *, config: MapFitConfig = ..., **options: Any) -> MapFitResult: ...
@overload
def fit_map(x: Rows, y: Rows, out: str | Path, *, config: MapFitConfig = ..., **options: Any) -> MapFitResult: ...
def fit_map(x: Any, y: Any, out: str | Path, *, config: MapFitConfig | None = None, **options: Any) -> MapFitResult:
    """Fit a map from one language to the other and write it to a folder, with a card and a model that carries it.

    Parameters
    ----------
    x, y : array (n, p), (n, q); or Encoder and Bitext
        Paired rows, n ≥ 50 (the folder then carries no model); or the encoder of both languages, and their text.
    out : str or Path
        Folder to be made; an earlier map there is replaced.
    config : MapFitConfig, optional
    options
        As `probe.fitted_map.run.fit_vectors` takes with arrays, or `fit` with text.

    Returns
    -------
    MapFitResult

    Raises
    ------
    DataError
        If there are too few pairs, or no map clears its null.
    OutputError
        If the folder holds something else, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fitted = fit_map(x, 2 * x, f"{folder}/map", config=MapFitConfig(rung="linear", permutations=2))
    >>> fitted.rung
    'linear'
    """
    from .probe.fitted_map.run import fit, fit_vectors

    config = config or MapFitConfig()
    if isinstance(y, Bitext):
        return fit(_pair(x), y, Path(out), config, **options)
    return fit_vectors(x, y, Path(out), config=config, **options)


def finetune(config: FinetuneConfig, *, progress: bool = False) -> TrainResult:
    """Insert languages into an encoder by bitext, or train questions towards the passages that answer them.

    Parameters
    ----------
    config : FinetuneConfig
        The run folder, the base, the languages, the method, and everything else.
    progress : bool
        Whether bars are drawn.

    Returns
    -------
    TrainResult
        Also written to `result.json` of the run folder.

    Examples
    --------
    >>> french = FinetuneConfig(out=Path("runs/fr"), langs=("fr",))
    >>> french.method
    'align'
    >>> finetune(french).gate_broken  # doctest: +SKIP
    False
    """
    from .train.stages.finetune import run_finetune

    return run_finetune(config, progress=progress)


def read_result(path: str | Path) -> Any:
    """Read the JSON of a result, of any probe or training run.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    LinearMapResult, LayersResult, …
        The class that the schema names.

    Raises
    ------
    DataError
        If the file cannot be read, or is no result of a known kind.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> result = geometry({"en": np.random.default_rng(0).standard_normal((60, 3))})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "en.json")
    ...     size = path.write_text(to_json(result), encoding="utf-8")
    ...     read_result(path) == result
    True
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    schema = read_schema(text)
    if schema not in RESULTS:
        known = ", ".join(sorted(RESULTS))
        raise DataError(f"no result of schema {schema!r}; known: {known}; a newer polyglot may know it")
    module, kind = RESULTS[schema].split(".")
    return from_json(text, getattr(import_module(f".probe.results.{module}", __package__), kind))


def write_page(result: Any, path: str | Path, *, plotlyjs: PlotlyJs = "inline") -> Path:
    """Write the page of a result: one self-contained HTML file.

    Parameters
    ----------
    result : LinearMapResult, LayersResult, … or str
        A result of a probe, or its JSON text.
    path : str or Path
    plotlyjs : {"inline", "cdn", "directory"}
        Where the page finds plotly.js: inside itself, on plotly's server, or in a file beside the page.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    DataError, OutputError
        If the result has no page, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> result = geometry({"en": np.random.default_rng(0).standard_normal((60, 3))})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_page(result, f"{folder}/en.html", plotlyjs="cdn")
    ...     page.read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    from .render.write import write_page as write

    return write(result if isinstance(result, str) else to_json(result), Path(path), plotlyjs=plotlyjs)


def _over_languages(  # noqa: PLR0917
    run: Callable[..., R],
    measure: Callable[..., R],
    x: Any,
    text: ParallelText | None,
    config: object,
    options: dict[str, Any],
) -> R:
    """Run a probe on the text of several languages, or measure the named arrays."""
    if text is not None:
        return run(x, text, text.languages, config, **options)
    if not isinstance(x, Mapping):
        raise ConfigError(f"expected text with an encoder, or arrays by the name of their language; got {x!r}")
    return measure(list(x.values()), config=config, names=tuple(x), **options)


def _pair(encoders: Encoders) -> tuple[Encoder, Encoder]:
    """Return the encoders of both sides: one and the same where one is given."""
    if isinstance(encoders, Encoder):
        return encoders, encoders
    if isinstance(encoders, tuple) and len(encoders) == 2:
        return encoders
    raise ConfigError(f"expected an encoder, or a pair of them, with text; got {type(encoders).__name__}")

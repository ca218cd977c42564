"""polyglot: is translation inside an embedding model approximately a linear map?

What is listed in `__all__` is imported when it is first used: `import polyglot` itself loads nothing.

Examples
--------
>>> import polyglot
>>> text = polyglot.open_corpus(None, ["fr", "en"])
>>> encoder = polyglot.load_encoder("minilm")  # doctest: +SKIP
>>> result = polyglot.linear_map(encoder, text.bitext("fr", "en"))  # doctest: +SKIP
>>> polyglot.write_page(result, "fr-en.html")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .analysis.maps.curved_estimators import LocalMap, NonlinearMap
    from .analysis.maps.estimators import IdentityMap, LowRankMap, RidgeMap, RotationMap, ShiftMap, SimilarityMap
    from .analysis.similarity.cca import mean_cca, pwcca, svcca
    from .analysis.similarity.cka import debiased_cka, linear_cka, rbf_cka
    from .analysis.similarity.knn import cknna, jaccard_knn, mutual_knn, second_order_cosine
    from .analysis.similarity.rsa import rsa
    from .analysis.similarity.shape import bures_similarity, procrustes_score, shape_distance
    from .data.bitext import Bitext, ParallelText
    from .data.open import open_corpus
    from .data.questions import Questions, open_questions
    from .errors import ConfigError, DataError, MissingExtraError, ModelError, OutputError, PolyglotError
    from .interface import (
        cka,
        composition,
        finetune,
        fit_map,
        geometry,
        language_id,
        layers,
        linear_map,
        questions,
        read_result,
        retrieval,
        write_page,
    )
    from .models.encoder import Encoder, load_encoder
    from .probe.cka.config import CkaConfig
    from .probe.composition.config import CompositionConfig
    from .probe.fitted_map.run import MapFitConfig
    from .probe.geometry.config import GeometryConfig
    from .probe.language_id.config import LanguageIdConfig
    from .probe.layers.config import LayersConfig
    from .probe.linear_map.config import LinearMapConfig
    from .probe.questions.config import QuestionConfig
    from .probe.retrieval.config import RetrievalConfig
    from .train.config import FinetuneConfig

__version__ = "0.2.0"
__all__ = [
    "Bitext",
    "CkaConfig",
    "CompositionConfig",
    "ConfigError",
    "DataError",
    "Encoder",
    "FinetuneConfig",
    "GeometryConfig",
    "IdentityMap",
    "LanguageIdConfig",
    "LayersConfig",
    "LinearMapConfig",
    "LocalMap",
    "LowRankMap",
    "MapFitConfig",
    "MissingExtraError",
    "ModelError",
    "NonlinearMap",
    "OutputError",
    "ParallelText",
    "PolyglotError",
    "QuestionConfig",
    "Questions",
    "RetrievalConfig",
    "RidgeMap",
    "RotationMap",
    "ShiftMap",
    "SimilarityMap",
    "bures_similarity",
    "cka",
    "cknna",
    "composition",
    "debiased_cka",
    "finetune",
    "fit_map",
    "geometry",
    "jaccard_knn",
    "language_id",
    "layers",
    "linear_cka",
    "linear_map",
    "load_encoder",
    "mean_cca",
    "mutual_knn",
    "open_corpus",
    "open_questions",
    "procrustes_score",
    "pwcca",
    "questions",
    "rbf_cka",
    "read_result",
    "retrieval",
    "rsa",
    "second_order_cosine",
    "shape_distance",
    "svcca",
    "write_page",
]
#: Module of each public name.
_MODULES = {
    "interface": (
        "cka",
        "composition",
        "finetune",
        "fit_map",
        "geometry",
        "language_id",
        "layers",
        "linear_map",
        "questions",
        "read_result",
        "retrieval",
        "write_page",
    ),
    "data.bitext": ("Bitext", "ParallelText"),
    "data.open": ("open_corpus",),
    "data.questions": ("Questions", "open_questions"),
    "models.encoder": ("Encoder", "load_encoder"),
    "analysis.maps.estimators": ("IdentityMap", "LowRankMap", "RidgeMap", "RotationMap", "ShiftMap", "SimilarityMap"),
    "analysis.maps.curved_estimators": ("LocalMap", "NonlinearMap"),
    "analysis.similarity.cca": ("mean_cca", "pwcca", "svcca"),
    "analysis.similarity.cka": ("debiased_cka", "linear_cka", "rbf_cka"),
    "analysis.similarity.knn": ("cknna", "jaccard_knn", "mutual_knn", "second_order_cosine"),
    "analysis.similarity.rsa": ("rsa",),
    "analysis.similarity.shape": ("bures_similarity", "procrustes_score", "shape_distance"),
    "probe.cka.config": ("CkaConfig",),
    "probe.composition.config": ("CompositionConfig",),
    "probe.fitted_map.run": ("MapFitConfig",),
    "probe.geometry.config": ("GeometryConfig",),
    "probe.language_id.config": ("LanguageIdConfig",),
    "probe.layers.config": ("LayersConfig",),
    "probe.linear_map.config": ("LinearMapConfig",),
    "probe.questions.config": ("QuestionConfig",),
    "probe.retrieval.config": ("RetrievalConfig",),
    "train.config": ("FinetuneConfig",),
    "errors": ("ConfigError", "DataError", "MissingExtraError", "ModelError", "OutputError", "PolyglotError"),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            value: object = getattr(import_module(f".{module}", __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _warn_of_namesake() -> None:
    """Warn if files of PyPI's `polyglot`, a natural-language pipeline of the same import name, are in this folder."""
    from pathlib import Path

    if Path(__file__).with_name("downloader.py").exists():
        import warnings

        warnings.warn(
            "the distributions polyglot-geometry and polyglot are both installed and overwrite each other's files: "
            "keep one of them in an environment. To keep this one: pip uninstall polyglot, "
            "then pip install --force-reinstall --no-deps polyglot-geometry",
            stacklevel=3,
        )


_warn_of_namesake()

"""The folder of a fitted map: weights, record, card, and, where the map is affine, a model that carries it.

    map.safetensors, map.json   the map itself, for vectors
    fit.json                    scores, verdict, data, models
    README.md                   the card
    canary.json                 a sentence with its vectors before and after the map, for `polyglot map check`
    polyglot.json               the base model, and whether mapped vectors are brought to unit length
    modules.json, …             the source encoder followed by the map, as a sentence-transformers model

The model is the source encoder with a `Dense` layer behind it, W and b = μy − μx W, without an activation, and a
`Normalize` where the target encoder ends in one. No code of this project is needed to load it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.maps.estimators import Map
from ...analysis.maps.words_and_vectors import WordsAndVectors
from ...analysis.types import Floats32
from ...files import output_errors, replacing
from ...models.affine import affine_layer, full_width, truncates
from ...models.architecture import routed
from ...models.progress import hidden_library_bars
from ...models.prompts import prompts_with
from ..results.fitted_map import RECORD_FILE, MapFitResult
from ..results.serialization import to_json
from .canary import CANARY_FILE, Canary
from .card import card
from .vectors import LINEAGE_FILE, as_target

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    from ...models.encoder import Encoder

CARD_FILE = "README.md"
SETTINGS_OF_MODEL = "config_sentence_transformers.json"


def write_folder(out: Path, fitted: Map, result: MapFitResult, encoders: tuple[Encoder, Encoder] | None) -> None:
    """Write everything beside `out`, then rename it; an earlier map is replaced.

    Parameters
    ----------
    out : Path
    fitted : Map
    result : MapFitResult
        Its record, which says whether the folder carries a model.
    encoders : (Encoder, Encoder), optional
        Of the source and of the target; None for a map between arrays.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    lineage = _lineage(result, encoders)
    if encoders is not None and truncates(encoders[0].model):
        lineage["source_width"] = full_width(encoders[0].model)
    canary = Canary.of(fitted, encoders[0] if encoders else None, normalised=result.normalised)
    with output_errors(out, "give another folder with --out"), replacing(out) as scratch:
        scratch.mkdir(parents=True)
        if encoders is not None and result.carries_model:
            with hidden_library_bars():
                model = carried(encoders[0], fitted, normalised=result.normalised)
                model.save(str(scratch), create_model_card=False)
            add_settings(scratch / SETTINGS_OF_MODEL, encoders[0].name)
        _write_beside(scratch, fitted, result, lineage, canary)


def write_words_folder(
    out: Path, fitted: WordsAndVectors, result: MapFitResult, encoders: tuple[Encoder, Encoder]
) -> None:
    """Write a map that reads words beside vectors, as `write_folder` does; the folder carries no model.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    canary = Canary.by(encoders[0], lambda texts, x: as_target(fitted(texts, x), normalised=result.normalised))
    with output_errors(out, "give another folder with --out"), replacing(out) as scratch:
        _write_beside(scratch, fitted, result, _lineage(result, encoders), canary)


def _lineage(result: MapFitResult, encoders: tuple[Encoder, Encoder] | None) -> dict[str, object]:
    lineage: dict[str, object] = {"map": result.rung, "normalised": result.normalised}
    if encoders is not None:
        lineage |= {"base_fingerprint": encoders[1].fingerprint, "source_fingerprint": encoders[0].fingerprint}
    return lineage


def _write_beside(
    scratch: Path, fitted: Map | WordsAndVectors, result: MapFitResult, lineage: dict[str, object], canary: Canary
) -> None:
    """Write the map, and what describes it, into a folder."""
    fitted.save(scratch)
    (scratch / RECORD_FILE).write_text(to_json(result), encoding="utf-8")
    (scratch / CARD_FILE).write_text(card(result, canary), encoding="utf-8")
    canary.write(scratch / CANARY_FILE)
    (scratch / LINEAGE_FILE).write_text(json.dumps(lineage, indent=1) + "\n", encoding="utf-8")


def normalises(model: SentenceTransformer) -> bool:
    """Return whether the vectors of a model have unit length: it ends by scaling them, and does not cut them then."""
    from sentence_transformers.sentence_transformer.modules import Normalize

    return isinstance(model[-1], Normalize) and not truncates(model)


def carried(encoder: Encoder, fitted: Map, *, normalised: bool) -> SentenceTransformer:
    """Return the encoder followed by an affine map, as one model with the settings of the encoder's.

    It reads texts with the encoder's prompt by default. What the encoder cuts off by `truncate_dim` the map does not
    read, so that the model itself cuts nothing.
    """
    from collections import OrderedDict

    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize

    base = encoder.model  # the library takes named modules as well as a list
    modules: Any = OrderedDict((name, routed(module, encoder.texts.task)) for name, module in base.named_children())
    for module in (dense_layer(fitted, width=full_width(base)), *([Normalize()] if normalised else [])):
        modules[str(len(modules))] = module
    prompts, default = prompts_with(base, encoder.prompt, encoder.prompt_for("document"))
    model = SentenceTransformer(
        modules=modules,
        device=encoder.device,
        prompts=prompts,
        default_prompt_name=default,
        similarity_fn_name=base.similarity_fn_name,
    )
    model.module_kwargs = base.module_kwargs
    return model.eval()


def add_settings(settings: Path, name: str) -> None:
    """Add to the settings of a model those of its base that the library does not know, where the base is a folder."""
    path = Path(name).expanduser() / SETTINGS_OF_MODEL
    if not path.is_file():
        return
    own, carried_over = (json.loads(file.read_text(encoding="utf-8")) for file in (settings, path))
    carried_over.pop("truncate_dim", None)
    settings.write_text(json.dumps({**carried_over, **own}, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def affine_parts(fitted: Map) -> tuple[Floats32, Floats32]:
    """Return W (p, q) and b = μy − μx W (q,) of an affine map, float32, so that a row x goes to x W + b."""
    affine = fitted.affine
    assert affine is not None
    bias = affine.mean_y - affine.mean_x @ affine.weights
    return np.ascontiguousarray(affine.weights, dtype=np.float32), bias.astype(np.float32)


def dense_layer(fitted: Map, *, width: int | None = None) -> Dense:
    """Return an affine map as a layer without an activation, float32, behind a model that is `width` wide."""
    return affine_layer(*affine_parts(fitted), width=width)

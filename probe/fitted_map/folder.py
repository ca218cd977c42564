"""The folder of a fitted map: weights, record, card, and, where the map is affine, a model that carries it.

    map.safetensors, map.json   the map itself, for vectors
    fit.json                    scores, verdict, data, models
    README.md                   the card
    polyglot.json               the base model, and whether mapped vectors are brought to unit length
    modules.json, …             the source encoder followed by the map, as a sentence-transformers model

The model is the source encoder with a `Dense` layer behind it, W and b = μy − μx W, without an activation, and a
`Normalize` where the target encoder ends in one. No code of this project is needed to load it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.maps.estimators import SETTINGS_FILE, Map
from ...analysis.maps.words_and_vectors import WordsAndVectors
from ...analysis.types import Floats32
from ...errors import OutputError
from ...files import output_errors, replacing
from ...models.progress import hidden_library_bars
from ..results.fitted_map import RECORD_FILE, MapFitResult
from ..results.serialization import to_json
from .card import card

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    from ...models.encoder import Encoder

LINEAGE_FILE, CARD_FILE = "polyglot.json", "README.md"


def check_free(out: Path) -> None:
    """Refuse a folder that holds something else than an earlier map.

    Raises
    ------
    OutputError
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file: give a folder with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / SETTINGS_FILE).is_file():
        raise OutputError(f"{out} holds something that is not a map: give another folder with --out")


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
    lineage: dict[str, object] = {"map": result.rung, "normalised": result.normalised}
    if encoders is not None:
        lineage |= {"base_fingerprint": encoders[1].fingerprint, "source_fingerprint": encoders[0].fingerprint}
    with output_errors(out, "give another folder with --out"), replacing(out) as scratch:
        scratch.mkdir(parents=True)
        if encoders is not None and result.carries_model:
            with hidden_library_bars():
                model = carried(encoders[0], fitted, normalised=result.normalised)
                model.save(str(scratch), create_model_card=False)
        fitted.save(scratch)
        (scratch / RECORD_FILE).write_text(to_json(result), encoding="utf-8")
        (scratch / CARD_FILE).write_text(card(result), encoding="utf-8")
        (scratch / LINEAGE_FILE).write_text(json.dumps(lineage, indent=1) + "\n", encoding="utf-8")


def write_words_folder(
    out: Path, fitted: WordsAndVectors, result: MapFitResult, encoders: tuple[Encoder, Encoder]
) -> None:
    """Write a map that reads words beside vectors, as `write_folder` does; the folder carries no model.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    lineage = {
        "map": result.rung,
        "normalised": result.normalised,
        "base_fingerprint": encoders[1].fingerprint,
        "source_fingerprint": encoders[0].fingerprint,
    }
    with output_errors(out, "give another folder with --out"), replacing(out) as scratch:
        fitted.save(scratch)
        (scratch / RECORD_FILE).write_text(to_json(result), encoding="utf-8")
        (scratch / CARD_FILE).write_text(card(result), encoding="utf-8")
        (scratch / LINEAGE_FILE).write_text(json.dumps(lineage, indent=1) + "\n", encoding="utf-8")


def normalises(model: SentenceTransformer) -> bool:
    """Return whether a model ends by scaling its vectors to unit length."""
    from sentence_transformers.sentence_transformer.modules import Normalize

    return isinstance(model[-1], Normalize)


def carried(encoder: Encoder, fitted: Map, *, normalised: bool) -> SentenceTransformer:
    """Return the encoder followed by an affine map, as one model with the encoder's prompt as its default."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize

    modules = [*encoder.model, dense_layer(fitted), *([Normalize()] if normalised else [])]
    prompts = {"map": encoder.prompt} if encoder.prompt else None
    return SentenceTransformer(
        modules=modules,
        device=encoder.device,
        prompts=prompts,
        default_prompt_name="map" if prompts else None,
    ).eval()


def affine_layer(fitted: Map) -> tuple[Floats32, Floats32]:
    """Return W (p, q) and b = μy − μx W (q,) of an affine map, float32, so that a row x goes to x W + b."""
    affine = fitted.affine
    assert affine is not None
    bias = affine.mean_y - affine.mean_x @ affine.weights
    return np.ascontiguousarray(affine.weights, dtype=np.float32), bias.astype(np.float32)


def dense_layer(fitted: Map) -> Dense:
    """Return an affine map as a layer without an activation, float32."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense

    weights, bias = affine_layer(fitted)
    p, q = weights.shape
    return Dense(
        p,
        q,
        bias=True,
        activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(np.ascontiguousarray(weights.T)),
        init_bias=torch.from_numpy(bias),
    )

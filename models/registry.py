"""What a model name means: where the model comes from, which languages it knows, which prompt it wants."""

import difflib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import ModelError
from .offline.me5_small import ME5_SMALL
from .offline.minilm import MINILM
from .offline.packaged import PackagedModel
from .offline.use import USE

Kind = Literal["packaged", "folder", "hub"]

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
PACKAGED = {model.name: model for model in (MINILM, ME5_SMALL, USE)}
E5_QUERY = "query: "  # models that want it before questions want "passage: " before what is searched
OFFLINE_NAMES = "minilm (English), me5-small (about 100 languages) and use (16 languages)"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model before it is loaded.

    Parameters
    ----------
    name : str
        The name by which the user calls it.
    source : str
        Package of the index, folder, or hub id.
    kind : {"packaged", "folder", "hub"}
        What `source` is.
    languages : str
        For which languages it was trained, in words; empty if not known.
    prompt : str or None
        Text put before each sentence on both sides of a bitext; None if not known, then the model's own default holds.
    pooling : str
        `mean`, `cls`, `lasttoken`; empty if not known.
    note : str
        One line for a list of models.
    passage_prompt : str or None
        Text put before each passage that a question searches, where the model wants another one there.
    """

    name: str
    source: str
    kind: Kind
    languages: str
    prompt: str | None
    pooling: str
    note: str
    passage_prompt: str | None = None

    def prompt_for(self, task: str | None) -> str | None:
        """Return what is known of the prompt of a task: `query`, `document`, or None for texts of no task."""
        return self.passage_prompt if task == "document" and self.passage_prompt is not None else self.prompt


def _hub(name: str, languages: str, prompt: str, pooling: str, note: str) -> ModelCard:
    return ModelCard(name, name, "hub", languages, prompt, pooling, note, "passage: " if prompt == E5_QUERY else None)


_KNOWN = (
    ModelCard(
        name=MINILM.name,
        source=MINILM.distribution,
        kind="packaged",
        languages="English",
        prompt="",
        pooling="mean",
        note="all-MiniLM-L6-v2, 384 wide, 6 layers; the default",
    ),
    ModelCard(
        name=ME5_SMALL.name,
        source=ME5_SMALL.distribution,
        kind="packaged",
        languages="about 100",
        prompt=E5_QUERY,
        pooling="mean",
        note="multilingual-e5-small from 4-bit weights, 384 wide, 12 layers",
        passage_prompt="passage: ",
    ),
    ModelCard(
        name=USE.name,
        source=USE.distribution,
        kind="packaged",
        languages="16: ar de en es fr it ja ko nl pl pt ru th tr zh zh-TW",
        prompt="",
        pooling="",
        note="universal-sentence-encoder-multilingual 3, quantised, 512 wide, no transformer",
    ),
    _hub("sentence-transformers/all-MiniLM-L6-v2", "English", "", "mean", "384 wide, 6 layers"),
    _hub("sentence-transformers/all-MiniLM-L12-v2", "English", "", "mean", "384 wide, 12 layers"),
    _hub("sentence-transformers/all-mpnet-base-v2", "English", "", "mean", "768 wide, 12 layers"),
    _hub("intfloat/e5-small-v2", "English", E5_QUERY, "mean", "384 wide, 12 layers"),
    _hub("intfloat/e5-base-v2", "English", E5_QUERY, "mean", "768 wide, 12 layers"),
    _hub("intfloat/e5-large-v2", "English", E5_QUERY, "mean", "1024 wide, 24 layers"),
    _hub("BAAI/bge-small-en-v1.5", "English", "", "cls", "384 wide, 12 layers"),
    _hub("BAAI/bge-base-en-v1.5", "English", "", "cls", "768 wide, 12 layers"),
    _hub("intfloat/multilingual-e5-small", "about 100", E5_QUERY, "mean", "384 wide, 12 layers"),
    _hub("intfloat/multilingual-e5-base", "about 100", E5_QUERY, "mean", "768 wide, 12 layers"),
    _hub("intfloat/multilingual-e5-large", "about 100", E5_QUERY, "mean", "1024 wide, 24 layers"),
    _hub("sentence-transformers/LaBSE", "109", "", "cls", "768 wide, 12 layers, a dense layer after pooling"),
    _hub("BAAI/bge-m3", "more than 100", "", "cls", "1024 wide, 24 layers"),
    _hub("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", "about 50", "", "mean", "384 wide, 12 layers"),
    _hub("sentence-transformers/paraphrase-multilingual-mpnet-base-v2", "about 50", "", "mean", "768 wide, 12 layers"),
    _hub(
        "sentence-transformers/distiluse-base-multilingual-cased-v2",
        "about 50",
        "",
        "mean",
        "768 wide inside, 512 after a dense layer, 6 layers",
    ),
)


def known() -> tuple[ModelCard, ...]:
    """List the models that have a name here; any other hub id or local folder works too.

    Returns
    -------
    tuple of ModelCard
        Packaged models first.
    """
    return _KNOWN


def resolve(name: str) -> ModelCard:
    """Return what a model name means: a short name, an existing local folder, or a hub id, tried in this order.

    Parameters
    ----------
    name : str
        `minilm`, `runs/my-model`, `intfloat/multilingual-e5-base`.

    Returns
    -------
    ModelCard
        Nothing is loaded or fetched; for unknown hub ids and folders, prompt and languages are not known.

    Raises
    ------
    ModelError
        The name is none of the three.

    Examples
    --------
    >>> resolve("me5-small").prompt
    'query: '
    """
    for card in _KNOWN:
        if name == card.name:
            return card
    with suppress(OSError, RuntimeError, ValueError):
        if name.strip() and (folder := Path(name).expanduser()).is_dir():
            return ModelCard(name, str(folder), "folder", "", None, "", "a local folder")
    if HUB_ID.fullmatch(name) and ".." not in name:
        return ModelCard(name, name, "hub", "", None, "", "not in the list of known models")
    raise ModelError(_no_such_model(name))


def installed(card: ModelCard) -> bool:
    """Tell whether a model can be loaded here without a network.

    Parameters
    ----------
    card : ModelCard
        As `known` or `resolve` give it.
    """
    if card.kind == "packaged":
        return packaged_model(card.name).is_installed()
    if card.kind == "folder":
        return Path(card.source).is_dir()
    return in_hub_cache(card.source)


def hidden_layers(card: ModelCard) -> int | None:
    """Return the number of a model's layers, the embeddings not counted, as far as it is known without loading it.

    Parameters
    ----------
    card : ModelCard
        As `known` or `resolve` give it. Of a folder its config.json is read; None where that does not say it.
    """
    if card.kind == "packaged":
        return packaged_model(card.name).hidden_layers
    with suppress(OSError, ValueError):
        found = json.loads((Path(card.source) / "config.json").read_text(encoding="utf-8"))
        count = found.get("num_hidden_layers") if isinstance(found, dict) else None
        return count if isinstance(count, int) else None
    return None


def packaged_model(name: str) -> PackagedModel:
    """Return a model that its own package of the index holds.

    Parameters
    ----------
    name : str
        `minilm`, `me5-small` or `use`.

    Raises
    ------
    ModelError
        The name is unknown.
    """
    if name not in PACKAGED:
        raise ModelError(f"no packaged model is called '{name}'; the packaged models are {', '.join(PACKAGED)}")
    return PACKAGED[name]


def in_hub_cache(hub_id: str) -> bool:
    """Tell whether a hub model was fetched before.

    Parameters
    ----------
    hub_id : str
        `org/name`.
    """
    return cached_file(hub_id, "config.json") is not None


def cached_file(hub_id: str, file: str) -> Path | None:
    """Return a file of a hub model that was fetched before, or None.

    Parameters
    ----------
    hub_id : str
        `org/name`.
    file : str
        Its name in the model.
    """
    from huggingface_hub import try_to_load_from_cache

    # The sentence-transformers library keeps its models apart if this variable is set.
    folder = os.environ.get("SENTENCE_TRANSFORMERS_HOME")
    found = try_to_load_from_cache(hub_id, file, cache_dir=folder)
    return Path(found) if isinstance(found, str) else None


def _no_such_model(name: str) -> str:
    if not name.strip():
        return f"the model name is empty; give a short name ({OFFLINE_NAMES}), a folder, or a hub id like org/name"
    is_file = False
    with suppress(OSError, ValueError):
        is_file = Path(name).is_file()
    in_parts = name.count("/") > 1 or "\\" in name
    if in_parts or name.startswith((".", "/", "~")) or name.endswith("/") or is_file:
        what = "is a file" if is_file else "does not exist"
        return f"the model folder {name!r} {what}; expected a sentence-transformers folder, or a hub id like org/name"
    near = _nearest(name)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"no model is called {name!r}; {hint}expected a short name ({OFFLINE_NAMES}), an existing folder, "
        "or a hub id like org/name; `polyglot models` lists what is known"
    )


def _nearest(name: str) -> list[str]:
    """Compare with whole names and with what follows the organisation, whichever is nearer."""
    by_ending = {card.name.rsplit("/", 1)[-1].lower(): card.name for card in reversed(_KNOWN)}
    by_name = {card.name.lower(): card.name for card in _KNOWN}
    choices = {**by_ending, **by_name}
    matches = difflib.get_close_matches(name.lower(), choices, n=3, cutoff=0.6)
    return list(dict.fromkeys(choices[match] for match in matches))

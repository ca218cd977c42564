"""The cells of a study: one measurement or training each, named by what it is and keyed by all that it depends on.

The key of a cell is a digest of its text, of its model, of its settings, of the code and of the versions of its
libraries. A model that the study trains counts by the key of its training, so that cells can be told apart before
anything is trained; two blocks that ask for the same cell share it, and all that starts from one training shares that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..probe.experiment.reuse import MEASURING_ROOMS
from .file import NEW, UNTRAINED, WORDS, Block, Corpus, StudyFile
from .inputs import Inputs
from .kinds import TOKENS, probe_config, training_config
from .settings import as_values

TRAINING_ROOMS = (*MEASURING_ROOMS, "train")
NOT_IN_KEY = ("out", "resume", "device", "model", "corpus", "evaluation")
PRECISE = 12  # digits of a key in the name of a file


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement, or one training.

    Parameters
    ----------
    name : str
        Readable; unique in a study.
    kind : str
        Name of a probe or of a stage; `tokens` for how a tokenizer covers a language.
    model : str
        As the file names it: of a training block the name of that block.
    corpus, language : str
        Name of the corpus in the file; the language that is paired with the pivot.
    seed : int
    key : str
        Digest of all that the numbers depend on.
    config : config of the probe or stage, optional
    method : str
        Of a training, or of the training whose model is measured.
    stage : str
        The same of the stage.
    trained : str
        Name of the training block that the cell is of, or whose model it takes.
    needs : str
        Key of the cell whose model this one takes; empty for a model that is there.
    base : str
        The model at the beginning of the chain of trainings.
    expected : str
        Verdict on geometry that is known; empty where none is.
    saw : bool
        Whether a training before saw the text that is measured.
    """

    name: str
    kind: str
    model: str
    corpus: str
    language: str
    seed: int
    key: str
    config: Any = None
    method: str = ""
    stage: str = ""
    trained: str = ""
    needs: str = ""
    base: str = ""
    expected: str = ""
    saw: bool = False

    @property
    def file(self) -> str:
        """Name of its files, without ending."""
        return f"{self.name}-{self.key[:PRECISE]}"


def plan(study: StudyFile, inputs: Inputs) -> tuple[Cell, ...]:
    """Return the cells of a study, those that others need first.

    Parameters
    ----------
    study : StudyFile
    inputs : Inputs
        Opens text and reads who models are; nothing is encoded.

    Raises
    ------
    DataError, ConfigError, ModelError, MissingExtraError
        If a text or a model cannot be opened.
    """
    found: dict[str, Cell] = {}
    for block in study.training:
        for cell in _trainings(study, block, inputs, tuple(found.values())):
            found.setdefault(cell.key, cell)
    trained = tuple(found.values())
    for block in study.probes:
        for cell in _probes(study, block, inputs, trained):
            found.setdefault(cell.key, cell)
    return tuple(_with_names_of_their_own(list(found.values())))


def _with_names_of_their_own(cells: Sequence[Cell]) -> Iterator[Cell]:
    """Yield the cells; where two differ in settings alone, the later one gets a number."""
    taken: dict[str, int] = {}
    for cell in cells:
        taken[cell.name] = number = taken.get(cell.name, 0) + 1
        yield cell if number == 1 else replace(cell, name=f"{cell.name}-{number}")


def _sources(block: Block, trained: Sequence[Cell]) -> Iterator[tuple[str, Cell | None]]:
    """Yield the models of a block, of training blocks each of their models."""
    for model in block.models:
        before: list[Cell | None] = [cell for cell in trained if cell.trained == model]
        for cell in before or [None]:
            yield model, cell


def _trainings(study: StudyFile, block: Block, inputs: Inputs, trained: Sequence[Cell]) -> Iterator[Cell]:
    for model, before in _sources(block, trained):
        for corpus in (study.corpora[name] for name in block.corpora):
            for language in block.languages:
                for method in block.methods:
                    for seed in block.seeds:
                        what = (model, corpus, language, method, seed)
                        yield _training(study, block, inputs, before, what)


def _training(
    study: StudyFile,
    block: Block,
    inputs: Inputs,
    before: Cell | None,
    what: tuple[str, Corpus, str, str, int],
) -> Cell:
    model, corpus, language, method, seed = what
    evaluation = [study.corpora.get(name, name) for name in _evaluation(block)]
    given = {
        "seed": seed,
        "limit": corpus.limit,
        "corpus": inputs.training_corpus(corpus),
        "device": study.device,
        "model": None if model == NEW else model,
    }
    settings = {name: value for name, value in block.settings.items() if name != "evaluation"}
    if evaluation:
        given["evaluation"] = tuple(
            path
            for one in evaluation
            for path in ((one,) if isinstance(one, str) else inputs.training_corpus(one) or ("builtin",))
        )
    config = training_config(block.kind, (study.pivot, language, method), settings, given, f"{block.where} settings")
    values = {name: value for name, value in as_values(config).items() if name not in NOT_IN_KEY}
    pair = (study.pivot,) if language == study.pivot else (study.pivot, language)
    key = inputs.key(
        block.kind,
        sorted(values.items()),
        inputs.text(corpus, pair, whole=True).fingerprint,
        *(str(one) if isinstance(one, str) else inputs.text(one, pair, whole=True).fingerprint for one in evaluation),
        before.key if before else inputs.model_words(model, seed),
        rooms=TRAINING_ROOMS,
    )
    return Cell(
        name=_slug(block.kind, block.name, _chain(before) or model, corpus.name, language, method, f"s{seed}"),
        kind=block.kind,
        model=model,
        corpus=corpus.name,
        language=language,
        seed=seed,
        key=key,
        config=config,
        method=method,
        stage=block.kind,
        trained=block.name,
        needs=before.key if before else "",
        base=before.base if before else model,
    )


def _evaluation(block: Block) -> list[str]:
    return [str(name) for name in block.settings.get("evaluation", [])]


def _probes(study: StudyFile, block: Block, inputs: Inputs, trained: Sequence[Cell]) -> Iterator[Cell]:
    for model, before in _sources(block, trained):
        for corpus in (study.corpora[name] for name in block.corpora):
            for language in block.languages:
                if before is not None and before.language not in (study.pivot, language):
                    continue  # a model is measured in the language that it was trained for
                for seed in block.seeds:
                    yield from _measured(study, block, inputs, before, (model, corpus, language, seed))


def _measured(
    study: StudyFile, block: Block, inputs: Inputs, before: Cell | None, what: tuple[str, Corpus, str, int]
) -> Iterator[Cell]:
    """Yield a probe, and with a linear map how the tokenizer of its model covers the language."""
    model, corpus, language, seed = what
    config = probe_config(block.kind, block.settings, study.margin, seed, f"{block.where} settings")
    text = inputs.text(corpus, (study.pivot, language))
    who: object = before.key if before else inputs.model_words(model, seed, corpus)
    rooms = TRAINING_ROOMS if before else MEASURING_ROOMS
    planted = model == WORDS and bool(corpus.cipher)
    own = before.name.removeprefix(f"{before.kind}-") if before else model
    cell = Cell(
        name=_slug(block.kind, own, corpus.name, language, f"s{seed}"),
        kind=block.kind,
        model=model,
        corpus=corpus.name,
        language=language,
        seed=seed,
        key=inputs.key(block.kind, config, text.fingerprint, text.name, (study.pivot, language), who, rooms=rooms),
        config=config,
        method=before.method if before else "",
        stage=before.stage if before else "",
        trained=before.trained if before else "",
        needs=before.key if before else "",
        base=before.base if before else model,
        expected=corpus.cipher if planted and block.kind == "linear-map" else "",
        saw=before is not None and before.corpus == corpus.name and not getattr(before.config.data, "evaluation", ()),
    )
    yield cell
    if block.kind == "linear-map" and before is None and model != WORDS and not model.startswith(UNTRAINED):
        key = inputs.key(TOKENS, text.fingerprint, language, who, rooms=TRAINING_ROOMS)
        yield replace(
            cell,
            name=_slug(TOKENS, own, corpus.name, language),
            kind=TOKENS,
            key=key,
            config=None,
            expected="",
        )


def _chain(before: Cell | None) -> str:
    return "" if before is None else before.name.removeprefix(f"{before.kind}-")


def _slug(*parts: str) -> str:
    """Join what is not empty into the name of a file; of a path its last part."""
    named = (UNTRAINED * part.startswith(UNTRAINED) + Path(part.removeprefix(UNTRAINED)).name for part in parts if part)
    return re.sub(r"[^\w.-]+", "-", "-".join(named))

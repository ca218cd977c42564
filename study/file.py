"""The file of a study: what it says, checked before anything heavy is loaded."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.ciphers import CIPHER, INSTRUMENT, ORDERS
from ..data.languages import canonical_code
from ..data.open import find_corpus
from ..errors import ConfigError, DataError, PolyglotError
from ..models.registry import resolve
from ..train.config import METHODS
from .kinds import PROBES, STAGES, check_probe_settings, check_training_settings
from .settings import listed, near, require_known, typed

WORDS, UNTRAINED, NEW = "words", "untrained:", "new"  # models that no package holds
MISPAIRED = "no map"
TRUTHS = ("identity", "shift", "rotation", "linear", MISPAIRED)
TESTS = ("gain", "linear")
LEAST_PAIRS = 50


@dataclass(frozen=True, slots=True)
class Corpus:
    """Text of a study: a corpus as `--corpus` takes it, or the cipher of one of its languages."""

    name: str
    corpus: tuple[str, ...] = ()
    limit: int | None = None
    seed: int = 0
    instruments: tuple[str, ...] | None = None
    cipher: str = ""  # what map the words encoder is given; empty for plain text
    order: str = "kept"
    width: int = 16


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the matrix: what is probed, or trained."""

    kind: str  # name of a probe, or of a stage
    models: tuple[str, ...]
    corpora: tuple[str, ...]
    languages: tuple[str, ...]
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    where: str
    name: str = ""  # of a training block, by which others take its models
    methods: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class FamilyPlan:
    """Verdicts that are tested together."""

    name: str
    test: str
    margin: float


@dataclass(frozen=True, slots=True)
class ContrastPlan:
    """Two methods of a training block, the first less the second."""

    name: str
    training: str
    methods: tuple[str, str]
    margin: float


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study as it is written down before it runs."""

    path: Path
    text: str
    title: str
    pivot: str
    level: float
    margin: float
    device: str | None
    corpora: Mapping[str, Corpus]
    probes: tuple[Block, ...]
    training: tuple[Block, ...]
    families: tuple[FamilyPlan, ...]
    contrasts: tuple[ContrastPlan, ...]


def read_study_file(path: Path) -> StudyFile:
    """Read and check the file of a study.

    Raises
    ------
    DataError
        If it cannot be read, is no TOML, or names a corpus or a language that is not there.
    ConfigError
        For an unknown key, model, probe, stage or method, and values out of range; in one line, with the fix.
    ModelError
        For an unknown model.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}; give the TOML file of a study") from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is no TOML: {error}; docs/study.md shows one") from error
    try:
        return _study(path, text, table)
    except PolyglotError as error:
        raise type(error)(f"{path}: {error}") from error


def _study(path: Path, text: str, table: dict[str, Any]) -> StudyFile:
    keys = (
        *("title", "pivot", "level", "margin", "device"),
        *("corpora", "probes", "training", "families", "contrasts"),
    )
    require_known(table, keys, "the file")
    margin = _between(table.get("margin", 0.05), "margin", 0.4)
    corpora = {
        name: _corpus(name, typed(given, dict, f"[corpora.{name}]"), path.parent)
        for name, given in typed(table.get("corpora", {"builtin": {}}), dict, "corpora").items()
    }
    pivot = canonical_code(typed(table.get("pivot", "en"), str, "pivot"))
    training: list[Block] = []
    for where, given in _tables(table, "training"):
        training.append(_block(given, where, corpora, training, STAGES))
    probes = tuple(_block(given, where, corpora, training, PROBES) for where, given in _tables(table, "probes"))
    if not (probes or training):
        raise ConfigError("nothing is to be done: give [[probes]] or [[training]]; docs/study.md shows a file")
    study = StudyFile(
        path=path,
        text=text,
        title=typed(table.get("title", path.stem), str, "title"),
        pivot=pivot,
        level=_between(table.get("level", 0.05), "level", 0.5),
        margin=margin,
        device=typed(table["device"], str, "device") if "device" in table else None,
        corpora=corpora,
        probes=probes,
        training=tuple(training),
        families=tuple(_family(given, where, margin) for where, given in _tables(table, "families")),
        contrasts=tuple(_contrast(given, where, training) for where, given in _tables(table, "contrasts")),
    )
    for block in (*training, *probes):
        _check_block(study, block)
    return study


def _tables(table: Mapping[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    given = table.get(key, [])
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ConfigError(f"{key} is a list of tables: write [[{key}]], not [{key}]")
    for number, one in enumerate(given, 1):
        yield f"[[{key}]] {one.get('name', number)}", one


def _between(value: object, where: str, most: float) -> float:
    number = typed(value, float, where)
    if not 0 < number <= most:
        raise ConfigError(f"{where}: expected a number above 0, at most {most:g}, got {number:g}")
    return number


def _corpus(name: str, given: dict[str, Any], folder: Path) -> Corpus:
    where = f"[corpora.{name}]"
    require_known(given, ("corpus", "limit", "seed", "instruments", "cipher", "order", "width"), where)
    paths = [
        str(folder / one) if not Path(one).is_absolute() and (folder / one.partition(":")[0]).exists() else one
        for one in listed(given.get("corpus", []), str, f"{where} corpus")
    ]
    limit = typed(given["limit"], int, f"{where} limit") if "limit" in given else None
    if limit is not None and limit < LEAST_PAIRS:
        raise ConfigError(f"{where} limit: expected at least {LEAST_PAIRS}, got {limit}")
    cipher = typed(given.get("cipher", ""), str, f"{where} cipher")
    if "cipher" in given:
        _require_one_of(cipher, TRUTHS, f"{where} cipher")
    elif {"order", "width"} & set(given):
        raise ConfigError(f'{where}: order and width are of ciphers; give cipher = "rotation", or leave them out')
    order = typed(given.get("order", "kept"), str, f"{where} order")
    _require_one_of(order, ORDERS, f"{where} order")
    width = typed(given.get("width", 16), int, f"{where} width")
    if width < 2:
        raise ConfigError(f"{where} width: expected at least 2, got {width}")
    instruments = listed(given["instruments"], str, f"{where} instruments") if "instruments" in given else None
    named = None if instruments is None else tuple(map(canonical_code, instruments))
    return Corpus(
        name, tuple(paths), limit, typed(given.get("seed", 0), int, f"{where} seed"), named, cipher, order, width
    )


def _require_one_of(value: str, known: tuple[str, ...], where: str) -> None:
    if value not in known:
        raise ConfigError(f"{where}: unknown {value!r}; {near(value, known)}")


def _block(
    given: dict[str, Any], where: str, corpora: Mapping[str, Corpus], before: list[Block], kinds: Mapping[str, object]
) -> Block:
    what = "probe" if kinds is PROBES else "stage"
    own = ("name", "methods") if what == "stage" else ()
    require_known(given, (what, "models", "corpora", "languages", "seeds", "settings", *own), where)
    for key in (what, "models", "languages", *(("name",) if own else ())):
        if key not in given:
            raise ConfigError(f"{where}: {key} is missing; docs/study.md shows a file")
    kind = typed(given[what], str, f"{where} {what}")
    _require_one_of(kind, tuple(kinds), f"{where} {what}")
    models = listed(given["models"], str, f"{where} models")
    for model in models:
        if model == NEW and kind != "pretrain":
            raise ConfigError(f"{where} models: {NEW} is what pretraining begins with; name a model that is there")
        if model not in (WORDS, NEW, *(block.name for block in before)):
            resolve(model.removeprefix(UNTRAINED))
    named = listed(given.get("corpora", list(corpora)), str, f"{where} corpora")
    for one in named:
        _require_one_of(one, tuple(corpora), f"{where} corpora")
    methods = listed(given.get("methods", ["align"] if kind == "finetune" else [""]), str, f"{where} methods")
    for method in methods if "methods" in given else ():
        if kind != "finetune":
            raise ConfigError(f"{where}: only the stage finetune has methods; leave methods out")
        _require_one_of(method, METHODS, f"{where} methods")
    name = typed(given.get("name", ""), str, f"{where} name")
    if own and name in (WORDS, NEW, *(block.name for block in before)):
        raise ConfigError(f"{where}: there is {name!r} already; give another name")
    seeds = listed(given.get("seeds", [0]), int, f"{where} seeds")
    if any(seed < 0 for seed in seeds):
        raise ConfigError(f"{where} seeds: expected 0 or more, got {min(seeds)}")
    languages = tuple(map(canonical_code, listed(given["languages"], str, f"{where} languages")))
    for what_is_empty, items in (("models", models), ("corpora", named), ("languages", languages), ("seeds", seeds)):
        if not items:
            raise ConfigError(f"{where} {what_is_empty}: expected at least one, got an empty list")
    settings = typed(given.get("settings", {}), dict, f"{where} settings")
    return Block(kind, models, named, languages, seeds, settings, where, name, methods)


def _check_block(study: StudyFile, block: Block) -> None:
    """Refuse languages that a text does not hold, and settings that the probe or stage does not have."""
    for name in block.corpora:
        corpus = study.corpora[name]
        wanted = [study.pivot, *(code for code in block.languages if code != study.pivot)]
        if corpus.cipher:
            if unknown := [code for code in wanted[1:] if code not in (CIPHER, INSTRUMENT)]:
                raise ConfigError(
                    f"{block.where}: [corpora.{name}] is a cipher and holds no {unknown[0]}; its language is {CIPHER}"
                )
            wanted = wanted[:1]
        find_corpus(corpus.corpus or None, (*wanted, *(corpus.instruments or ())), limit=corpus.limit)
    if block.kind in PROBES and study.pivot in block.languages:
        raise ConfigError(f"{block.where} languages: {study.pivot} is the pivot; give the languages paired with it")
    if block.kind in PROBES:
        check_probe_settings(block.kind, block.settings, study.margin, f"{block.where} settings")
    else:
        for method in block.methods:
            for language in block.languages:
                check_training_settings(
                    block.kind, (study.pivot, language, method), block.settings, f"{block.where} settings"
                )
        if any(model == WORDS or model.startswith(UNTRAINED) for model in block.models):
            raise ConfigError(f"{block.where} models: {WORDS} and {UNTRAINED}… are for probes; name another")


def _family(given: dict[str, Any], where: str, margin: float) -> FamilyPlan:
    require_known(given, ("name", "test", "margin"), where)
    test = typed(given.get("test", "gain"), str, f"{where} test")
    _require_one_of(test, TESTS, f"{where} test")
    return FamilyPlan(
        typed(given.get("name", test), str, f"{where} name"),
        test,
        typed(given.get("margin", 0.0 if test == "gain" else margin), float, f"{where} margin"),
    )


def _contrast(given: dict[str, Any], where: str, training: list[Block]) -> ContrastPlan:
    require_known(given, ("name", "training", "methods", "margin"), where)
    blocks = {block.name: block for block in training}
    name = typed(given.get("training", ""), str, f"{where} training")
    _require_one_of(name, tuple(blocks), f"{where} training")
    methods = listed(given.get("methods", []), str, f"{where} methods")
    for method in methods:
        _require_one_of(method, blocks[name].methods, f"{where} methods")
    if len(methods) != 2:
        raise ConfigError(f'{where} methods: expected two such as ["align", "words"], got {list(methods)}')
    title = typed(given.get("name", f"{methods[0]} less {methods[1]}"), str, f"{where} name")
    return ContrastPlan(title, name, (methods[0], methods[1]), typed(given.get("margin", 0.0), float, where))

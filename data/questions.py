"""Questions and the passages that answer them: the built-in set, or folders in the format of XQuAD."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from .blank import is_blank
from .builtin import QUESTION_LANGUAGES, load_questions
from .languages import canonical_code, find_code
from .matching import choose
from .readers.batches import check_languages


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """Queries in one language and passages in the same or another.

    Parameters
    ----------
    name : str
        Name of the set, for reports.
    query_language, passage_language : str
        Canonical codes.
    queries : list of str
        The q questions.
    passages : list of str
        The p passages, distinct.
    relevant : (q,) int64
        The passage that answers each question.
    negatives : tuple of tuple of int, optional
        For each question passages on its topic that do not answer it.
    fingerprint : str
        blake2b of all of it.
    """

    name: str
    query_language: str
    passage_language: str
    queries: list[str]
    passages: list[str]
    relevant: NDArray[np.int64]
    negatives: tuple[tuple[int, ...], ...] | None
    fingerprint: str

    def __len__(self) -> int:
        return len(self.queries)

    def limited(self, limit: int | None, seed: int = 0) -> Questions:
        """Return at most so many questions, drawn with the seed and in their order; all passages are kept.

        Raises
        ------
        ConfigError
            If the limit is below 1.
        """
        if limit is not None and limit < 1:
            raise ConfigError(f"--limit must be at least 1, got {limit}")
        if limit is None or limit >= len(self):
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), limit, replace=False)).tolist()
        return _questions(
            self.name,
            (self.query_language, self.passage_language),
            [self.queries[row] for row in rows],
            self.passages,
            relevant=self.relevant[rows].tolist(),
            negatives=None if self.negatives is None else tuple(self.negatives[row] for row in rows),
        )


def open_questions(path: str | Path | None, query_language: str, passage_language: str) -> Questions:
    """Open a question set.

    Parameters
    ----------
    path : str, Path or None
        None for the built-in set (English and French, with hard negatives), or a folder with files
        `NAME.LANGUAGE.json` in the format of XQuAD, the same paragraphs and questions in each.
    query_language, passage_language : str
        Languages in any spelling; they may be the same.

    Raises
    ------
    DataError
        If the folder or a language is missing, a file is not in that format, or two files are not aligned.

    Examples
    --------
    >>> asked = open_questions(None, "fr", "en")
    >>> asked.query_language, asked.passage_language
    ('fr', 'en')
    """
    asked, answered = canonical_code(query_language), canonical_code(passage_language)
    wanted = tuple(dict.fromkeys((asked, answered)))
    if path is None:
        where, named = "the built-in question set", [(code, code) for code in QUESTION_LANGUAGES]
        check_languages(where, QUESTION_LANGUAGES, wanted)
        forms = {code: named[place][1] for code, place in choose(where, named, wanted).items()}
        held = load_questions()
        return _questions(
            "builtin-questions",
            (asked, answered),
            [query.texts[forms[asked]] for query in held.queries],
            [passage[forms[answered]] for passage in held.passages],
            relevant=[query.positive for query in held.queries],
            negatives=tuple(query.negatives for query in held.queries),
        )
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(f"no such folder: {folder}. Expected files such as xquad.en.json and xquad.fr.json in it.")
    found = [(file, find_code(file.stem.rpartition(".")[2])) for file in sorted(folder.glob("*.json"))]
    files = [(file, code) for file, code in found if code is not None]
    check_languages(folder, tuple(dict.fromkeys(code for _, code in files)), wanted)
    chosen = choose(str(folder), [(file.name, code) for file, code in files], wanted)
    return _aligned(folder.name, (asked, files[chosen[asked]][0]), (answered, files[chosen[answered]][0]))


def _questions(
    name: str,
    languages: tuple[str, str],
    queries: list[str],
    passages: list[str],
    *,
    relevant: list[int],
    negatives: tuple[tuple[int, ...], ...] | None = None,
) -> Questions:
    content = json.dumps([languages, queries, passages, relevant, negatives], ensure_ascii=False)
    fingerprint = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
    return Questions(name, *languages, queries, passages, np.array(relevant, np.int64), negatives, fingerprint)


@dataclass(frozen=True, slots=True)
class _Article:
    """What a file holds: passages, questions with their identity, and the passage of each."""

    passages: list[str]
    queries: list[str]
    identities: list[str]
    relevant: list[int]


def _aligned(name: str, asked: tuple[str, Path], answered: tuple[str, Path]) -> Questions:
    queries, passages = _read(asked[1]), _read(answered[1])
    counts = [(len(one.passages), len(one.queries)) for one in (queries, passages)]
    if counts[0] != counts[1] or queries.identities != passages.identities or queries.relevant != passages.relevant:
        raise DataError(
            f"{asked[1]} and {answered[1]} are not aligned: {counts[0][0]} and {counts[1][0]} paragraphs, "
            f"{counts[0][1]} and {counts[1][1]} questions, or another order. Both must hold the same in the same order."
        )
    return _questions(name, (asked[0], answered[0]), queries.queries, passages.passages, relevant=queries.relevant)


def _read(path: Path) -> _Article:
    """Read passages in order; a paragraph that repeats an earlier text gives no second passage."""
    found, places = _Article([], [], [], []), dict[str, int]()
    try:
        articles = json.loads(path.read_text("utf-8"))["data"]
        for paragraph in (paragraph for article in articles for paragraph in article["paragraphs"]):
            text = _text(paragraph["context"])
            place = places.setdefault(text, len(places))
            if place == len(found.passages):
                found.passages.append(text)
            for question in paragraph["qas"]:
                found.queries.append(_text(question["question"]))
                found.identities.append(str(question["id"]))
                found.relevant.append(place)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path} is not in the format of XQuAD ({type(error).__name__}: {error}): expected "
            'data[].paragraphs[] with "context" and "qas"[] with "id" and "question".'
        ) from error
    return found


def _text(value: object) -> str:
    """Return a text as it is asked or answered; what is none is refused, and never turned into one."""
    if not isinstance(value, str) or is_blank(value):
        raise TypeError(f"a context or question is {json.dumps(value)[:80]} and no text")
    return value.strip()

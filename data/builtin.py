"""The built-in corpus: sentences in nine languages, questions and passages in two, written for this project (CC0)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ..errors import DataError
from .bitext import DOMAIN, ParallelText
from .languages import canonical_codes
from .matching import distance
from .readers.batches import check_languages
from .readers.lines import BadRows
from .readers.tables import read_delimited

FOLDER = Path(__file__).parent / "builtin"
DEFAULT = "builtin"
LANGUAGES = ("en", "fr", "de", "es", "ru", "zh", "ja", "ar", "sw")
QUESTION_LANGUAGES = ("en", "fr")
MOST_INSTRUMENTS = 3  # more add encoding time, and little evidence


def builtin_names() -> tuple[str, ...]:
    """Return the names that `--corpus` takes for built-in text: the whole, and one for each domain."""
    return (DEFAULT, *(f"{DEFAULT}:{domain}" for domain in builtin_domains()))


def default_instruments(corpus: Sequence[str] | None, languages: Sequence[str]) -> tuple[str, ...]:
    """Return the languages that take noise out where none are named: others of the built-in corpus, in its order.

    None is a form of one that is measured. Of other text none, since opening them may cost as much as opening a pair,
    or rows that lack them.

    Parameters
    ----------
    corpus : sequence of str or None
        What was given for the corpus; None or empty for the built-in one.
    languages : sequence of str
        Those that are measured, in any spelling.

    Examples
    --------
    >>> default_instruments(None, ["en", "deu"]), default_instruments(["my.tsv"], ["en", "de"])
    (('fr', 'es', 'ru'), ())
    """
    if corpus and not (len(corpus) == 1 and corpus[0] in builtin_names()):
        return ()
    measured = canonical_codes(languages)
    others = [code for code in LANGUAGES if all(distance(code, asked) is None for asked in measured)]
    return tuple(others[:MOST_INSTRUMENTS])


def builtin_domains() -> tuple[str, ...]:
    """Return the domains of the built-in sentences."""
    return tuple(sorted(path.stem for path in (FOLDER / "sentences").glob("*.tsv")))


def load_builtin(languages: Sequence[str] = (), domain: str | None = None) -> ParallelText:
    """Return the built-in sentences, with second references in English and French.

    Parameters
    ----------
    languages : sequence of str
        Languages wanted, in any spelling; all of them where it is empty.
    domain : str, optional
        One domain; all of them where it is not given.

    Raises
    ------
    DataError
        For a language or a domain that the corpus does not hold.
    """
    wanted = canonical_codes(languages) or LANGUAGES
    check_languages("the built-in corpus", LANGUAGES, wanted)
    domains = builtin_domains()
    if domain is not None and domain not in domains:
        raise DataError(f"the built-in corpus has no domain {domain!r}: it holds {', '.join(domains)}.")
    tables = []
    for name in domains if domain is None else (domain,):
        rows = read_delimited(FOLDER / "sentences" / f"{name}.tsv", wanted, BadRows(), separator="\t").table()
        tables.append(rows.append_column(DOMAIN, pa.array([name] * rows.num_rows, pa.large_string())))
    return ParallelText.of(DEFAULT if domain is None else f"{DEFAULT}:{domain}", pa.concat_tables(tables))


@dataclass(frozen=True, slots=True)
class Query:
    """A question with the numbers of the passage that answers it and of those that only seem to."""

    texts: dict[str, str]  # by language code
    positive: int
    negatives: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions and passages in several languages.

    Parameters
    ----------
    languages : tuple of str
        Languages in which every question and every passage is given.
    topics : tuple of str
        Topic of each passage.
    passages : tuple of dict
        Text of each passage by language.
    queries : tuple of Query
        Each names its passage, and as hard negatives the other passages of its topic.
    """

    languages: tuple[str, ...]
    topics: tuple[str, ...]
    passages: tuple[dict[str, str], ...]
    queries: tuple[Query, ...]


def load_questions() -> QuestionSet:
    """Return the built-in questions and passages in English and French."""
    topics: list[str] = []
    passages: list[dict[str, str]] = []
    queries: list[Query] = []
    files = sorted((FOLDER / "questions").glob("*.jsonl"))
    for record in (json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()):
        first = len(passages)
        numbers = range(first, first + len(record["passages"]))
        topics += [record["topic"]] * len(numbers)
        passages += [_texts(passage) for passage in record["passages"]]
        for positive, query in zip(numbers, record["queries"], strict=True):
            queries.append(Query(_texts(query), positive, tuple(n for n in numbers if n != positive)))
    return QuestionSet(QUESTION_LANGUAGES, tuple(topics), tuple(passages), tuple(queries))


def _texts(record: dict[str, str]) -> dict[str, str]:
    return {language: record[language] for language in QUESTION_LANGUAGES}

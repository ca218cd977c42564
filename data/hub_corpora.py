"""Public corpora that have a name: what each is, where it is stored, and in which layout."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..errors import DataError


class Layout(Enum):
    """How a public corpus is stored."""

    ENGLISH_PAIRS = "Parquet with columns english and non_english, a config such as en-fr for each language"
    MULTI_PARALLEL = "Parquet with a column for each language, named by its NLLB code"
    NLLB = "tab-separated gzip, nine columns, a file for each pair of NLLB codes"
    CCMATRIX = "tab-separated gzip, score and two texts, a file for each pair of ISO 639-1 codes"


# Columns of the tab-separated ones, which have no header.
COLUMNS = {
    Layout.NLLB: (
        *("source", "target", "laser_score", "source_lid", "target_lid"),
        *("source_origin", "source_url", "target_origin", "target_url"),
    ),
    Layout.CCMATRIX: ("score", "source", "target"),
}


@dataclass(frozen=True, slots=True)
class HubCorpus:
    """A public corpus.

    Parameters
    ----------
    name : str
        What `--corpus` takes.
    layout : Layout
        How it is stored.
    place : str
        Name on the hub, or address with `{pair}` for the languages.
    what : str
        One line for the list of corpora, with what to beware of.
    split : str
        Split that is read.
    """

    name: str
    layout: Layout
    place: str
    what: str
    split: str = "train"

    @property
    def on_hub(self) -> bool:
        """Whether it is a dataset of the hub, and not a plain address."""
        return self.layout in (Layout.ENGLISH_PAIRS, Layout.MULTI_PARALLEL)


def _english(name: str, what: str) -> HubCorpus:
    return HubCorpus(name, Layout.ENGLISH_PAIRS, f"sentence-transformers/parallel-sentences-{name}", what)


_CORPORA = (
    _english("opus-100", "English with 99 languages, sampled from OPUS; holds Tatoeba text"),
    _english("tatoeba", "short sentences by volunteers; overlaps the Tatoeba test sets, never evaluate on both"),
    _english("talks", "subtitles of talks"),
    _english("europarl", "proceedings of the European Parliament"),
    _english("wikimatrix", "mined from Wikipedia by an encoder; noisy"),
    _english("global-voices", "news by volunteers"),
    _english("news-commentary", "political and economic commentary"),
    _english("opensubtitles", "film subtitles; noisy"),
    HubCorpus(
        "ccmatrix",
        Layout.CCMATRIX,
        "https://data.statmt.org/cc-matrix/{pair}.bitextf.tsv.gz",
        "mined from web pages by an encoder, any pair; noisy, ordered by score",
    ),
    HubCorpus(
        "nllb",
        Layout.NLLB,
        "https://storage.googleapis.com/allennlp-data-bucket/nllb/{pair}.gz",
        "mined from the web by an encoder, 1 600 pairs; noisy, ordered by score",
    ),
    HubCorpus(
        "flores",
        Layout.MULTI_PARALLEL,
        "mteb/flores",
        "997 sentences in 200 languages, professionally translated; for evaluation only",
        split="dev",
    ),
)


def hub_names() -> tuple[str, ...]:
    """Return the names of public corpora that `--corpus` takes."""
    return tuple(corpus.name for corpus in _CORPORA)


def hub_corpus(name: str) -> HubCorpus:
    """Return a public corpus by name.

    Raises
    ------
    DataError
        If there is none of that name.
    """
    for corpus in _CORPORA:
        if corpus.name == name:
            return corpus
    raise DataError(f"unknown public corpus {name!r}: expected one of {', '.join(hub_names())}.")

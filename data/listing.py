"""What `polyglot data list` and `polyglot data show` print: the corpora there are, and a few rows of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .bitext import Bitext
from .builtin import DEFAULT, LANGUAGES, builtin_domains, load_builtin
from .hub_corpora import Layout, hub_corpus, hub_names
from .open import open_corpus
from .package_catalogs import PACKAGES, PREFIX


@dataclass(frozen=True, slots=True)
class CorpusListing:
    """One line of the list of corpora: what `--corpus` takes, which languages, and what it is."""

    name: str
    languages: str
    needs_network: bool
    what: str


def list_corpora() -> tuple[CorpusListing, ...]:
    """Return the corpora that have a name: the built-in one first, then public ones."""
    rows = len(load_builtin(LANGUAGES[:1]))
    domains = ", ".join(builtin_domains())
    about = f"{rows} sentences written for this project (CC0); one domain by {DEFAULT}:DOMAIN: {domains}"
    builtin = CorpusListing(DEFAULT, ", ".join(LANGUAGES), needs_network=False, what=about)
    listed = [builtin]
    for corpus in map(hub_corpus, hub_names()):
        languages = "en and another" if corpus.layout is Layout.ENGLISH_PAIRS else "any two"
        listed.append(CorpusListing(corpus.name, languages, needs_network=True, what=corpus.what))
    for package in PACKAGES:
        what = f"interface texts of {package.what}; after `pip install {package.name}`"
        listed.append(CorpusListing(f"{PREFIX}{package.name}", "en and another", needs_network=False, what=what))
    return tuple(listed)


def preview(
    corpus: Sequence[str] | None,
    source: str,
    target: str,
    *,
    columns: Sequence[str] = (),
    rows: int = 10,
    seed: int = 0,
    skip_bad: bool = False,
) -> Bitext:
    """Return a few pairs of a corpus, drawn with the seed.

    Raises
    ------
    DataError
        As `open_corpus` does.
    """
    text = open_corpus(corpus, (source, target), columns=columns, seed=seed, skip_bad=skip_bad, minimum=1)
    return text.bitext(source, target).sample(rows, seed)

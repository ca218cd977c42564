"""One entrance for `--corpus`: a built-in name, a hub name, a package, a file, or a folder of one language a file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from .bitext import ParallelText
from .builtin import DEFAULT, LANGUAGES, builtin_names, load_builtin
from .hub import read_hub
from .hub_corpora import hub_names
from .languages import canonical_codes
from .matching import serving
from .package_catalogs import PREFIX, package_folder
from .readers.batches import Reading, check_languages, sampled, stacked
from .readers.folders import moses_name, moses_stems, read_folder, read_stem
from .readers.formats import TABLE_SUFFIXES, read_file
from .readers.layouts import has_layout
from .readers.lines import BadRows, bare_suffix, text_lines
from .readers.moses import read_moses

MINIMUM_PAIRS = 50
LONGEST_NAME = 300  # of a name in a message
_log = logging.getLogger(__name__)


def open_corpus(
    corpus: Sequence[str] | None,
    languages: Sequence[str],
    *,
    columns: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    minimum: int = MINIMUM_PAIRS,
) -> ParallelText:
    """Open the text that `--corpus` names and check that it is aligned.

    Parameters
    ----------
    corpus : sequence of str or None
        None for the built-in corpus; or one of: a built-in name; a hub name; `package:NAME`, the message catalogs of
        an installed package; a file; a folder with one file a language or a tree of message catalogs (`FOLDER:PART`
        takes only the files of one stem or split, such as `stsb:test`); or one Moses file for each language, in their
        order; or several table files, which are stacked.
    languages : sequence of str
        Languages wanted, in any spelling; all that the corpus names where it is empty.
    columns : sequence of str
        What stands in each column of a file: a language, `group`, `domain`, `<language>_reference`, or `-` for a
        column that is left out; or `NAME=LANGUAGE` for those that are read. Several may be joined with commas. By
        default the file says it.
    limit : int, optional
        Greatest number of rows: a sample drawn with the seed, never the first rows.
    seed : int
        Seed of that sample.
    skip_bad : bool
        Leave out rows that cannot be used, and warn how many, instead of raising.
    minimum : int
        Fewest rows that are accepted.

    Raises
    ------
    DataError
        If the corpus or a language in it is unknown, a file is missing, damaged or not aligned with its partner, a
        row cannot be used, too few rows remain, or a hub name cannot be reached.

    Examples
    --------
    >>> text = open_corpus(None, ["fr", "en"], limit=100)
    >>> text.languages, len(text)
    (('en', 'fr'), 100)
    """
    source = find_corpus(corpus, languages, columns=columns, limit=limit, minimum=minimum)
    bad = BadRows(skip=skip_bad)
    text = ParallelText.of(source.name, sampled(source.read(bad, limit=limit, seed=seed), limit, seed).table())
    dropped = bad.dropped()
    listed = ", ".join(f"{one.rows}: {one.reason}" for one in dropped)
    if len(text) < minimum:
        skipped = f"{bad.counts.total()} bad rows were skipped" if bad.counts else "rows were left out"
        after = f" after {skipped} ({listed})" if dropped else ""
        raise DataError(f"{text.name} has {len(text)} pairs{after}: expected at least {minimum}. Give more text.")
    if dropped:
        _log.warning("%s: left out %d rows (%s)", text.name, sum(one.rows for one in dropped), listed)
    return text


def find_corpus(
    corpus: Sequence[str] | None,
    languages: Sequence[str],
    *,
    columns: Sequence[str] = (),
    limit: int | None = None,
    minimum: int = MINIMUM_PAIRS,
) -> CorpusSource:
    """Refuse what can be refused before anything is read; the arguments are those of `open_corpus`.

    Raises
    ------
    DataError
        If the corpus or a language is unknown, a file is missing, or the limit is below the minimum.
    """
    if limit is not None and limit < minimum:
        raise DataError(f"--limit {limit} is too small: expected at least {minimum} pairs.")
    source = CorpusSource.find(list(corpus or [DEFAULT]), canonical_codes(languages), columns)
    if source.corpus[0] in builtin_names():
        check_languages("the built-in corpus", LANGUAGES, source.wanted)
    return source


@dataclass(frozen=True, slots=True)
class CorpusSource:
    """What `--corpus` names, found but not read.

    Parameters
    ----------
    name : str
        Name of the corpus in reports.
    corpus : tuple of str
        As given on the command line.
    wanted : tuple of str
        Canonical codes of the languages to read; all where it is empty.
    columns : tuple of str
        What stands in each column, where the file does not say it.
    """

    name: str
    corpus: tuple[str, ...]
    wanted: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @classmethod
    def find(cls, corpus: Sequence[str], wanted: tuple[str, ...], columns: Sequence[str] = ()) -> CorpusSource:
        """Find out what a corpus is called.

        Raises
        ------
        DataError
            If there is no such file, folder or name, or columns are named of what has none.
        """
        first = called = corpus[0]
        if len(corpus) == 1 and first.startswith(PREFIX):
            first = str(package_folder(first))
            corpus = [first]
        if vectors := [name for name in corpus if name.endswith((".npy", ".npz"))]:
            raise DataError(
                f"{vectors[0][:LONGEST_NAME]} holds vectors, and --corpus takes text: probe them by --vectors."
            )
        if len(corpus) > 1:
            if missing := [name for name in corpus if not (_is_path(name) and Path(name).is_file())]:
                raise DataError(f"no such file: {missing[0][:LONGEST_NAME]}. Check the path given to --corpus.")
        elif first not in (*builtin_names(), *hub_names()) and not _is_path(first) and not _part_of_folder(first):
            raise _unknown(first)
        known = first in (*builtin_names(), *hub_names())
        if columns and not all(_is_path(name) and Path(name).is_file() for name in corpus):
            raise DataError(f"--columns is about files, and {called[:LONGEST_NAME]} is none: leave it out.")
        given = tuple(name.strip() for names in columns for name in names.split(","))
        named = known or called.startswith(PREFIX)
        return cls(called if named else Path(first).name or first, tuple(corpus), wanted, given)

    def read(self, bad: BadRows, *, limit: int | None = None, seed: int = 0) -> Reading:
        """Open the corpus as a stream; the limit and the seed only decide how much of a hub corpus is fetched."""
        name = self.corpus[0]
        if len(self.corpus) > 1:
            return _several_files([Path(path) for path in self.corpus], self.wanted, bad, self.columns)
        if name in builtin_names():
            text = load_builtin(self.wanted, domain=name.partition(":")[2] or None)
            return Reading(tuple(text.table.column_names), iter(text.table.to_batches()))
        if name in hub_names():
            return read_hub(name, self.wanted, limit=limit, seed=seed, bad=bad)
        if Path(name).is_file():
            return _one_file(Path(name), self.wanted, bad, self.columns)
        folder, part = _part_of_folder(name) or (Path(name), None)
        return read_folder(folder, part, self.wanted, bad)


def _part_of_folder(name: str) -> tuple[Path, str] | None:
    """Return folder and part of `FOLDER:PART`."""
    folder, colon, part = name.rpartition(":")
    return (Path(folder), part) if colon and _is_path(folder) and Path(folder).is_dir() else None


def _is_path(name: str) -> bool:
    """Tell whether there is such a file or folder; no name of any kind makes it fail."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long for the system, or not a name at all
        return False


def _unknown(name: str) -> DataError:
    name = name[:LONGEST_NAME]
    if "/" in name or "\\" in name or bare_suffix(Path(name)) in TABLE_SUFFIXES:
        return DataError(f"no such file or folder: {name}. Check the path given to --corpus.")
    return DataError(
        f"unknown corpus {name!r}: expected a file, a folder, {DEFAULT} or {DEFAULT}:DOMAIN, {PREFIX}NAME, or one of "
        f"{', '.join(hub_names())}. `polyglot data list` shows them."
    )


def _one_file(path: Path, wanted: tuple[str, ...], bad: BadRows, given: tuple[str, ...]) -> Reading:
    """Open a file that holds all languages, or a Moses file together with its siblings."""
    name = moses_name(path)
    if name is None or given:
        return read_file(path, wanted, bad, given=given)
    stem, language = name
    siblings = moses_stems(path.parent, wanted).get(stem, [(path, language, language)])
    held = tuple(code for _, _, code in siblings)
    if bare_suffix(path) == ".txt" and (not all(serving(held, wanted).values()) or len(held) < 2) and _has_tabs(path):
        return read_file(path, wanted, bad)
    check_languages(f"{stem or path.name} in {path.parent}", tuple(dict.fromkeys(held)), wanted)
    return read_stem(siblings, wanted, bad)


def _is_table(path: Path) -> bool:
    return has_layout(path) or (bare_suffix(path) in TABLE_SUFFIXES and bare_suffix(path) != ".txt")


def _has_tabs(path: Path) -> bool:
    """Tell whether the first line of a text file is a row of a table."""
    return "\t" in (next(text_lines(path, BadRows(skip=True)), None) or "")


def _several_files(paths: list[Path], wanted: tuple[str, ...], bad: BadRows, given: tuple[str, ...]) -> Reading:
    """Open one Moses file for each language, or stack files that each hold all languages."""
    if given or all(_is_table(path) for path in paths):
        return stacked([read_file(path, wanted, bad, given=given) for path in paths])
    if len(paths) != len(wanted):
        raise DataError(
            f"{len(paths)} text files were given for {len(wanted)} languages ({', '.join(wanted)}): "
            "expected one for each, in their order."
        )
    return read_moses(paths, wanted, bad)

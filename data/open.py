"""One entrance for `--corpus`: a built-in name, a hub name, a file, or a folder of one language a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ..errors import DataError
from .bitext import ParallelText
from .builtin import DEFAULT, builtin_names, load_builtin
from .folders import moses_stems, read_folder, read_stem
from .languages import canonical_codes, find_code
from .lines import BadRows, bare_path, bare_suffix
from .readers import TABLE_SUFFIXES, check_languages, read_moses, read_table_file

MINIMUM_PAIRS = 50


def open_corpus(
    corpus: Sequence[str] | None,
    languages: Sequence[str],
    *,
    limit: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    minimum: int = MINIMUM_PAIRS,
) -> ParallelText:
    """Open the text that `--corpus` names and check that it is aligned.

    Parameters
    ----------
    corpus : sequence of str or None
        None for the built-in corpus; or one of: a built-in name; a hub name; a file; a folder with one file a
        language (`FOLDER:PART` takes only the files of one stem or split, such as `stsb:test`); or one Moses file for
        each language, in their order.
    languages : sequence of str
        Languages wanted, in any spelling; all that the corpus names where it is empty.
    limit : int, optional
        Greatest number of rows: a sample drawn with the seed, never the first rows.
    seed : int
        Seed of that sample.
    skip_bad : bool
        Leave out rows that cannot be used, instead of raising.
    minimum : int
        Fewest rows that are accepted.

    Raises
    ------
    DataError
        If the corpus or a language in it is unknown, a file is missing, damaged or not aligned with its partner, a
        row cannot be used, too few rows remain, or a hub name cannot be reached.
    """
    wanted = canonical_codes(languages)
    if limit is not None and limit < minimum:
        raise DataError(f"--limit {limit} is too small: expected at least {minimum} pairs.")
    bad = BadRows(skip=skip_bad)
    text = _open(list(corpus or [DEFAULT]), wanted, bad, limit=limit, seed=seed)
    if len(text) < minimum:
        dropped = f" after {bad.counts.total()} bad rows were skipped" if bad.counts else ""
        raise DataError(f"{text.name} has {len(text)} pairs{dropped}: expected at least {minimum}. Give more text.")
    return text if limit is None else text.sample(limit, seed)


def _open(corpus: list[str], wanted: tuple[str, ...], bad: BadRows, *, limit: int | None, seed: int) -> ParallelText:
    if len(corpus) > 1:
        return ParallelText.of(Path(corpus[0]).name, _several_files([Path(name) for name in corpus], wanted, bad))
    name = corpus[0]
    if name in builtin_names():
        return load_builtin(wanted, domain=name.partition(":")[2] or None)
    if Path(name).is_file():
        return ParallelText.of(Path(name).name, _one_file(Path(name), wanted, bad))
    folder, part = _folder_and_part(name)
    if folder is not None:
        label = f"{folder.name}:{part}" if part else folder.name
        return ParallelText.of(label, read_folder(folder, part, wanted, bad))
    if _looks_like_path(name):
        raise DataError(f"no such file or folder: {name}. Check the path given to --corpus.")
    raise DataError(f"unknown corpus {name!r}: expected a file, a folder, or one of {', '.join(builtin_names())}.")


def _looks_like_path(name: str) -> bool:
    return "/" in name or "\\" in name or bare_suffix(Path(name)) in TABLE_SUFFIXES


def _one_file(path: Path, wanted: tuple[str, ...], bad: BadRows) -> pa.Table:
    """Open a file that holds all languages, or a Moses file together with its siblings."""
    language = find_code(bare_suffix(path)[1:])
    if bare_suffix(path) in TABLE_SUFFIXES or language is None:
        return read_table_file(path, wanted, bad).table()
    siblings = moses_stems(path.parent).get(bare_path(path).stem, {language: path})
    check_languages(f"{bare_path(path).stem} in {path.parent}", tuple(siblings), wanted)
    return read_stem(siblings, wanted, bad)


def _several_files(paths: list[Path], wanted: tuple[str, ...], bad: BadRows) -> pa.Table:
    """Open one Moses file for each language, or stack files that each hold all languages."""
    for path in paths:
        if not path.is_file():
            raise DataError(f"no such file: {path}. Check the path given to --corpus.")
    if all(bare_suffix(path) in TABLE_SUFFIXES and bare_suffix(path) != ".txt" for path in paths):
        tables = [read_table_file(path, wanted, bad).table() for path in paths]
        return pa.concat_tables(tables, promote_options="default")
    if len(paths) != len(wanted):
        raise DataError(
            f"{len(paths)} text files were given for {len(wanted)} languages ({', '.join(wanted)}): "
            "expected one for each, in their order."
        )
    return read_moses(paths, wanted, bad).table()


def _folder_and_part(name: str) -> tuple[Path | None, str | None]:
    if Path(name).is_dir():
        return Path(name), None
    head, colon, part = name.rpartition(":")
    return (Path(head), part) if colon and Path(head).is_dir() else (None, None)

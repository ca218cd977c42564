"""Aligned text: `ParallelText`, a column of sentences for each language, and `Bitext`, two of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..errors import DataError
from .fingerprint import table_fingerprint
from .languages import canonical_code, describe
from .matching import choose

GROUP, DOMAIN, REFERENCE = "group", "domain", "_reference"

References = tuple["list[str | None] | None", "list[str | None] | None"]


@dataclass(frozen=True, slots=True, eq=False)
class Bitext:
    """Sentence pairs: row i of the sources is translated by row i of the targets.

    Parameters
    ----------
    name : str
        Name of the corpus, for reports.
    source, target : str
        Canonical language codes.
    fingerprint : str
        blake2b of both columns and their groups and references; equal text has equal fingerprints.
    sources, targets : list of str
        The n sentences of each side.
    domains : list of str, optional
        Domain of each row.
    groups : (n,) int64, optional
        Concept groups that the corpus itself gives; rows of one group never cross a split.
    references : pair of lists, optional
        A second rendering of each source and of each target row, None where a row has none.
    """

    name: str
    source: str
    target: str
    fingerprint: str
    sources: list[str]
    targets: list[str]
    domains: list[str] | None = None
    groups: NDArray[np.int64] | None = None
    references: References | None = None

    @classmethod
    def of(
        cls,
        name: str,
        languages: tuple[str, str],
        sources: Sequence[str],
        targets: Sequence[str],
        *,
        domains: Sequence[str] | None = None,
        groups: NDArray[np.int64] | None = None,
        references: References | None = None,
    ) -> Bitext:
        """Make a bitext from lists and compute its fingerprint.

        Raises
        ------
        DataError
            If the sides, groups or references differ in length.
        """
        beside = [domains, groups, *(references or ())]
        lengths = {len(sources), len(targets), *(len(column) for column in beside if column is not None)}
        if len(lengths) > 1:
            raise DataError(
                f"{name}: the columns of a bitext must be of one length, got {len(sources)} sources, "
                f"{len(targets)} targets and lengths {sorted(lengths)} in all."
            )
        made = cls(
            name,
            canonical_code(languages[0]),
            canonical_code(languages[1]),
            "",
            list(sources),
            list(targets),
            None if domains is None else list(domains),
            None if groups is None else np.asarray(groups, np.int64),
            references,
        )
        return made._sealed()

    def __len__(self) -> int:
        return len(self.sources)

    def swapped(self) -> Bitext:
        """Return the same pairs in the other direction."""
        references = self.references and (self.references[1], self.references[0])
        turned = replace(
            self,
            source=self.target,
            target=self.source,
            sources=self.targets,
            targets=self.sources,
            references=references,
        )
        return turned._sealed()

    def sample(self, n: int, seed: int) -> Bitext:
        """Return n rows drawn without replacement, in their original order; all if there are no more."""
        return self if n >= len(self) else self.take(sampled_rows(len(self), n, seed))

    def take(self, rows: NDArray[np.int64]) -> Bitext:
        """Return some rows, (m,), in the order given."""
        picked = rows.tolist()
        references = self.references and (_pick(self.references[0], picked), _pick(self.references[1], picked))
        taken = replace(
            self,
            sources=[self.sources[i] for i in picked],
            targets=[self.targets[i] for i in picked],
            domains=None if self.domains is None else [self.domains[i] for i in picked],
            groups=None if self.groups is None else self.groups[rows],
            references=references,
        )
        return taken._sealed()

    def _sealed(self) -> Bitext:
        """Return the same pairs with the fingerprint of what they hold."""
        columns: dict[str, object] = {f"source:{self.source}": self.sources, f"target:{self.target}": self.targets}
        columns |= {} if self.domains is None else {DOMAIN: self.domains}
        columns |= {} if self.groups is None else {GROUP: self.groups}
        for side, texts in zip(("source", "target"), self.references or (None, None), strict=True):
            columns |= {} if texts is None else {f"{side}{REFERENCE}": pa.array(texts, pa.string())}
        return replace(self, fingerprint=table_fingerprint(pa.table(columns)))


@dataclass(frozen=True, slots=True, eq=False)
class ParallelText:
    """Sentences in several languages: row i of each is a translation of the others.

    Parameters
    ----------
    name : str
        Name of the corpus, for reports.
    languages : tuple of str
        Canonical codes of the languages it holds.
    table : pyarrow.Table
        A string column for each language, named by its code; optionally `group`, `domain` and `<code>_reference`.
        Memory-mapped where it comes from an Arrow file, so that it need not fit in memory.
    fingerprint : str
        blake2b of column names and content; independent of how the table is cut into chunks.
    """

    name: str
    languages: tuple[str, ...]
    table: pa.Table
    fingerprint: str

    @classmethod
    def of(cls, name: str, table: pa.Table) -> ParallelText:
        """Make a parallel text from a table whose columns are named by canonical language codes.

        Raises
        ------
        DataError
            If the table has no language column.
        """
        languages = tuple(column for column in table.column_names if is_language_column(column))
        if not languages:
            raise DataError(f"{name}: a corpus needs a column for each language, got {table.column_names}.")
        return cls(name, languages, table, table_fingerprint(table))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def column(self, language: str) -> list[str]:
        """Return the n sentences of one language, or of the one form of it that the corpus holds (`en-US` for `en`).

        Raises
        ------
        DataError
            If the corpus does not hold the language, or several forms of it.
        """
        texts: list[str] = self.table.column(self._held(language)).to_pylist()
        return texts

    def references(self, language: str) -> list[str | None] | None:
        """Return the second renderings in one language, None where a row has none; None if there are none at all."""
        name = f"{self._held(language)}{REFERENCE}"
        if name not in self.table.column_names:
            return None
        texts: list[str | None] = self.table.column(name).to_pylist()
        return texts

    @property
    def domains(self) -> list[str] | None:
        """The domain of each row, where the corpus gives them."""
        if DOMAIN not in self.table.column_names:
            return None
        return [domain or "" for domain in self.table.column(DOMAIN).to_pylist()]

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """The group of each row, (n,), where the corpus gives them; each row without one is a group of its own."""
        if GROUP not in self.table.column_names:
            return None
        return _group_numbers(self.table.column(GROUP))

    def bitext(self, source: str, target: str) -> Bitext:
        """Return two languages as sentence pairs, with domains, groups and references where the corpus has them.

        Raises
        ------
        DataError
            If the corpus does not hold one of them; the message says which ones it has.
        """
        references: References | None = (self.references(source), self.references(target))
        return Bitext.of(
            self.name,
            (source, target),
            self.column(source),
            self.column(target),
            domains=self.domains,
            groups=self.groups,
            references=None if references == (None, None) else references,
        )

    def sample(self, n: int, seed: int) -> ParallelText:
        """Return n rows drawn without replacement, in their original order; all if there are no more."""
        return self if n >= len(self) else self.take(sampled_rows(len(self), n, seed))

    def take(self, rows: NDArray[np.int64]) -> ParallelText:
        """Return some rows, (m,), in the order given."""
        return ParallelText.of(self.name, self.table.take(pa.array(rows, pa.int64())))

    def _held(self, language: str) -> str:
        code = canonical_code(language)
        chosen = choose(f"the corpus {self.name}", [(held, held) for held in self.languages], (code,))
        if code not in chosen:
            raise DataError(
                f"the corpus {self.name} has no {describe(code)}: it holds {', '.join(self.languages)}. "
                "Choose among these, or give another --corpus."
            )
        return self.languages[chosen[code]]


def is_language_column(name: str) -> bool:
    """Tell whether a column of a corpus table holds sentences."""
    return name not in (GROUP, DOMAIN) and not name.endswith(REFERENCE)


def sampled_rows(total: int, n: int, seed: int) -> NDArray[np.int64]:
    """Draw n of total row numbers without replacement, ascending, (n,).

    Raises
    ------
    DataError
        If n is not positive.
    """
    if n < 1:
        raise DataError(f"the number of rows to sample must be positive, got {n}.")
    drawn = np.random.default_rng(seed).choice(total, size=n, replace=False, shuffle=False)
    return np.sort(drawn).astype(np.int64)


def _group_numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return a number for each value of a group column, (n,); each row without a value gets one of its own."""
    encoded = pc.dictionary_encode(column.combine_chunks() if column.num_chunks != 1 else column.chunk(0))
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    numbers = np.array(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), np.int64)
    alone = np.flatnonzero(numbers < 0)
    numbers[alone] = len(encoded.dictionary) + np.arange(len(alone))
    return numbers


def _pick(texts: list[str | None] | None, rows: list[int]) -> list[str | None] | None:
    return None if texts is None else [texts[i] for i in rows]

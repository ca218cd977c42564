"""`polyglot compare`: results of one kind side by side, with the intervals of their differences (method §4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ...errors import ConfigError, DataError
from ..results.compare import Compared, CompareResult, Difference, score_name
from ..results.provenance import Start
from ..results.serialization import read_schema
from .differences import NO_OUTCOMES, Entry, Procedure, differences, why_unpaired
from .naming import common_parts, labels, what_is_common
from .scores import READERS, Read

T = TypeVar("T")
MOST = 8
LONGEST_NAME = 120
POOL_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class CompareConfig:
    """How results are compared.

    Parameters
    ----------
    level : float
        Of the intervals, and 1 − the family-wise error rate of "holds".
    resamples : int
        Cluster-bootstrap resamples of paired differences, ≥ 100.
    seed : int
        Seed of the resamples.
    """

    level: float = 0.95
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        if not 0.5 <= self.level < 1:
            raise ConfigError(f"level must lie between 0.5 and 1, got {self.level}")
        if self.resamples < 100:
            raise ConfigError(f"expected at least 100 resamples, got {self.resamples}")


@dataclass(frozen=True, slots=True)
class Source:
    """The JSON text of a result, and the file that it came from."""

    file: str
    text: str


def run(
    sources: Sequence[Source],
    config: CompareConfig = CompareConfig(),
    *,
    command: str = "",
) -> CompareResult:
    """Put results side by side; the first is the reference of every difference.

    Parameters
    ----------
    sources : sequence of Source
        2 … 8 results of one kind: linear-map, layers, retrieval or training.
    config : CompareConfig
    command : str
        What was typed, for the provenance.

    Raises
    ------
    ConfigError
        If there are fewer than 2 results or more than 8.
    DataError
        If they are of different kinds, of a kind that cannot be compared, or not results.
    """
    if not 2 <= len(sources) <= MOST:
        raise ConfigError(f"compare takes 2 to {MOST} results, got {len(sources)}")
    start = Start.now(command)
    kind, reads = read_results(sources)
    entries = name_entries(reads, sources)
    found = differences(entries, Procedure(config.level, config.resamples, config.seed))
    reason = why_not_paired(entries, found)
    results = tuple(compared(entry, source) for entry, source in zip(entries, sources, strict=True))
    return CompareResult(
        kind=kind,
        reference=entries[0].label,
        common=what_is_common(reads),
        results=results,
        differences=found,
        unpaired=reason,
        sentence=sentence(results, found),
        warnings=comparison_warnings(reads, found, reason),
        level=config.level,
        resamples=config.resamples,
        provenance=start.provenance(
            corpus=", ".join(dict.fromkeys(read.provenance.corpus for read in reads)),
            fingerprint="+".join(dict.fromkeys(read.provenance.corpus_fingerprint for read in reads)),
            seed=config.seed,
            models=tuple(dict.fromkeys(side for read in reads for side in read.provenance.models)),
        ),
    )


def file_name(result: CompareResult) -> str:
    """Return a name for the files of a comparison: its kind, what all results share, and their labels."""
    kind = result.kind.split("/")[1]
    words = "-".join([kind, *result.common, *(one.label for one in result.results)])
    return re.sub(r"\W+", "-", words).strip("-")[:LONGEST_NAME]


def read_results(sources: Sequence[Source]) -> tuple[str, list[Read]]:
    """Return the one kind of all results, and what is compared of each.

    Raises
    ------
    DataError
        If they are of different kinds, of a kind that cannot be compared, or not results.
    """
    kinds = [_of_file(source, read_schema) for source in sources]
    for source, kind in zip(sources, kinds, strict=True):
        if kind != kinds[0]:
            raise DataError(
                f"compare takes results of one kind, got {kinds[0]} ({sources[0].file}) and {kind} ({source.file})"
            )
    if kinds[0] not in READERS:
        raise DataError(f"no comparison for results of schema {kinds[0]}; known: {', '.join(sorted(READERS))}")
    return kinds[0], [_of_file(source, READERS[kinds[0]]) for source in sources]


def _of_file(source: Source, read: Callable[[str], T]) -> T:
    try:
        return read(source.text)
    except DataError as error:
        raise DataError(f"{source.file}: {error}") from error


def name_entries(reads: Sequence[Read], sources: Sequence[Source]) -> list[Entry]:
    """Give every result its label, and its parts the names that they have in the comparison."""
    renamed = common_parts(reads)
    named = labels(reads, [source.file for source in sources])
    return [
        Entry(
            label,
            read,
            tuple(replace(score, part=names.get(score.part, score.part)) for score in read.scores),
            {common: own for own, common in names.items()},
        )
        for label, read, names in zip(named, reads, renamed, strict=True)
    ]


def compared(entry: Entry, source: Source) -> Compared:
    """Return a result as the comparison shows it."""
    read = entry.read
    common = {own: name for name, own in entry.own_part.items()}
    return Compared(
        label=entry.label,
        file=source.file,
        file_fingerprint=hashlib.blake2b(source.text.encode("utf-8"), digest_size=16).hexdigest(),
        models=read.models,
        languages=tuple(dict.fromkeys(code for pair in read.parts.values() for code in pair)),
        corpus=read.provenance.corpus,
        corpus_fingerprint=read.provenance.corpus_fingerprint,
        rows=read.rows,
        facts=read.facts,
        seconds=read.seconds,
        judgements=tuple(replace(one, part=common.get(one.part, one.part)) for one in read.judgements),
        scores=entry.scores,
        command=read.provenance.command,
    )


def why_not_paired(entries: Sequence[Entry], found: Sequence[Difference]) -> str:
    """Return why differences are not paired, of the first that is not."""
    by_label = {entry.label: entry for entry in entries}
    for one in found:
        if not one.paired:
            score = next(s for s in by_label[one.result].scores if (s.part, s.measure, s.row) == one.key)
            return why_unpaired(entries[0], by_label[one.result], score)
    return ""


def comparison_warnings(reads: Sequence[Read], differences: Sequence[Difference], reason: str) -> tuple[str, ...]:
    """Warn of unpaired differences, and of corpora, pools and margins that are not the same."""
    found = []
    corpora = dict.fromkeys(read.provenance.corpus for read in reads)
    if reason:
        some = sum(not one.paired for one in differences)
        many = f"{some} of {len(differences)} differences are" if some < len(differences) else "differences are"
        wider = ": of the same rows, as these are, paired intervals would be narrower" if reason == NO_OUTCOMES else ""
        found.append(f"{many} unpaired, since {reason}{wider}")
    if len(corpora) > 1:
        found.append(f"the corpora differ ({', '.join(corpora)}): so may how hard their sentences are")
    pools = [pool for read in reads for pool in read.pools]
    if pools and max(pools) > (1 + POOL_TOLERANCE) * min(pools):
        found.append(f"the pools hold {min(pools)} to {max(pools)} candidates: P@1 is easier in the smaller")
    margins = {j.margin for read in reads for j in read.judgements if j.margin is not None}
    if len(margins) > 1:
        found.append("the verdicts were reached at different margins")
    return tuple(found)


def sentence(results: Sequence[Compared], found: Sequence[Difference]) -> str:
    """Say in one sentence what the verdicts are, and which differences from the first result are significant.

    Verdicts are those on search and on geometry where all results have them, those by R² where one has none on search.
    """
    said: dict[str, list[str]] = {}
    judged = [one for result in results for one in result.judgements if one.verdict]
    kinds = [kind for kind in ("search", "geometry") if judged and all(getattr(one, kind) for one in judged)]
    for kind in kinds if "search" in kinds else ["verdict", *kinds]:
        for part in dict.fromkeys(one.part for one in judged):
            subject = part if kind == "verdict" else f"{part} ({kind})"
            said.setdefault(verdicts_of_part(part, results, kind), []).append(subject)
    verdicts = [f"{' and '.join(parts)}: {words}" for words, parts in said.items()]
    return f"{'; '.join([*verdicts, significant_differences(results[0].label, found)])}."


def verdicts_of_part(part: str, results: Sequence[Compared], kind: str = "verdict") -> str:
    """Return the verdicts of a kind, a field of `Judgement`, on a part, each with the labels of its results."""
    labels_of: dict[str, list[str]] = {}
    for result in results:
        for one in result.judgements:
            if one.part == part and one.verdict:
                verdict = getattr(one, kind)
                said = "not settled" if kind != "verdict" and verdict == "undecided" else verdict
                labels_of.setdefault(said, []).append(result.label)
    if len(labels_of) == 1 and len(results) > 2:
        return f"{next(iter(labels_of))} in all"
    return ", ".join(f"{verdict} in {' and '.join(named)}" for verdict, named in labels_of.items())


def significant_differences(reference: str, found: Sequence[Difference]) -> str:
    """Return how many differences are significant, and the first of them with its interval."""
    if not found:
        return f"no score can be compared with those of {reference}"
    held = [one for one in found if one.holds]
    if not held:
        return f"none of {len(found)} differences from {reference} is significant (Holm)"
    leading = (found[0].measure, found[0].row)
    first = next((one for one in held if (one.measure, one.row) == leading), held[0])
    low, high = sorted((abs(first.difference.low), abs(first.difference.high)))
    digits = 1 if first.unit == "points" else 3
    size = f"{abs(first.difference.value):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
    word = "higher" if first.difference.value > 0 else "lower"
    are = "is" if len(held) == 1 else "are"
    count = f"{len(held)} of {len(found)} differences from {reference} {are} significant (Holm)"
    return f"{count}: {score_name(first.measure, first.row)}, {first.part}, is {size} {word} in {first.result}"


__all__ = ["CompareConfig", "Source", "file_name", "run"]

"""Public corpora as streams: where the text of some languages is, and a sample of its rows.

Rows of public corpora are ordered (NLLB and CCMatrix by alignment score, others by document), so the first n rows are
never taken: shards are shuffled, many more rows than asked for are read, and the sample is drawn from all of these.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .blank import is_blank
from .hub_corpora import COLUMNS, HubCorpus, Layout, hub_corpus
from .languages import canonical_code, describe, nllb_code, usual_script
from .readers.batches import NumberedCells, Reading, row_batches, sampled
from .readers.lines import BadRows

if TYPE_CHECKING:
    from datasets import IterableDataset

DEFAULT_ROWS = 100_000  # taken where no --limit is given: some of these corpora hold 10^8 pairs
REACH = 20  # rows read for each row asked for
LEAST_REACH = 200_000
SHUFFLE_BUFFER = 10_000
TIMEOUT = 10.0  # seconds until an address counts as unreachable


def read_hub(name: str, wanted: Sequence[str], *, limit: int | None, seed: int, bad: BadRows) -> Reading:
    """Open a public corpus as a stream of sampled rows.

    Parameters
    ----------
    name : str
        One of `hub_names`.
    wanted : sequence of str
        Canonical codes: two languages, or any number for `flores`.
    limit : int or None
        Rows to take; `DEFAULT_ROWS` where it is None.
    seed : int
        Seed of the shuffling and of the sample.
    bad : BadRows
        What to do with rows that lack a text.

    Raises
    ------
    DataError
        If the corpus does not pair these languages, or cannot be reached.
    """
    corpus = hub_corpus(name)
    address = corpus_address(corpus, wanted)
    require_network(corpus, address)
    rows = DEFAULT_ROWS if limit is None else limit
    try:
        stream = open_stream(corpus, wanted).shuffle(seed=seed, buffer_size=SHUFFLE_BUFFER)
    except (OSError, ValueError) as error:
        raise _unreachable(corpus, address, f"{type(error).__name__}: {error}") from error
    return sample_stream(stream, corpus, wanted, limit=rows, seed=seed, bad=bad)


def sample_stream(
    stream: IterableDataset, corpus: HubCorpus, wanted: Sequence[str], *, limit: int, seed: int, bad: BadRows
) -> Reading:
    """Draw rows from a stream in the corpus's own columns, named by language in the result.

    At most `limit` × `REACH` rows, and at least `LEAST_REACH`, are read; the sample is uniform over these.
    """
    names = text_columns(corpus, wanted)
    reach = max(limit * REACH, LEAST_REACH)
    cells = _cells(stream.take(reach), names, bad, corpus.name)
    return sampled(Reading(tuple(wanted), row_batches(corpus.name, tuple(wanted), cells, bad)), limit, seed)


def text_columns(corpus: HubCorpus, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the column of the corpus that holds each wanted language.

    Examples
    --------
    >>> text_columns(hub_corpus("opus-100"), ["fr", "en"])
    ('non_english', 'english')
    >>> text_columns(hub_corpus("flores"), ["fr", "zh"])
    ('fra_Latn', 'zho_Hans')
    >>> text_columns(hub_corpus("nllb"), ["fr", "en"])
    ('target', 'source')
    """
    if corpus.layout is Layout.MULTI_PARALLEL:
        return tuple(nllb_code(code) for code in wanted)
    if corpus.layout is Layout.ENGLISH_PAIRS:
        return tuple("english" if code == "en" else "non_english" for code in wanted)
    order = language_pair(corpus, wanted)
    return tuple(("source", "target")[order.index(_spelled(corpus, code))] for code in wanted)


def corpus_address(corpus: HubCorpus, wanted: Sequence[str]) -> str:
    """Return the address of the text of these languages, to fetch it by hand.

    Raises
    ------
    DataError
        If the corpus does not pair these languages.

    Examples
    --------
    >>> corpus_address(hub_corpus("nllb"), ["fr", "en"])
    'https://storage.googleapis.com/allennlp-data-bucket/nllb/eng_Latn-fra_Latn.gz'
    """
    multi_parallel = corpus.layout is Layout.MULTI_PARALLEL and len(wanted) > 0
    if len(wanted) != 2 and not multi_parallel:
        raise DataError(f"{corpus.name} is read for two languages, got {len(wanted)}: give SRC and TGT.")
    if corpus.layout is Layout.ENGLISH_PAIRS and "en" not in wanted:
        named = " and ".join(describe(code) for code in wanted)
        raise DataError(f"{corpus.name} pairs English with other languages, got {named}. Try nllb, ccmatrix or flores.")
    if corpus.on_hub:
        return f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co')}/datasets/{corpus.place}"
    return corpus.place.format(pair="-".join(language_pair(corpus, wanted)))


def language_pair(corpus: HubCorpus, wanted: Sequence[str]) -> tuple[str, str]:
    """Return two languages as the corpus spells them, in the order of its file names."""
    first, second = sorted(_spelled(corpus, code) for code in wanted)
    return first, second


def require_network(corpus: HubCorpus, address: str) -> None:
    """Raise at once where the corpus cannot be reached, instead of retrying for minutes.

    Raises
    ------
    DataError
        With what to do without a network.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise _unreachable(corpus, address, "HF_HUB_OFFLINE is set")
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=TIMEOUT):
            return
    except urllib.error.HTTPError as error:
        if error.code in (404, 410):
            raise _unreachable(corpus, address, f"there is no such file ({error.code}): not this pair") from error
        return  # the host answers; what it refuses to HEAD it may still send
    except (OSError, ValueError) as error:
        raise _unreachable(corpus, address, str(getattr(error, "reason", error))) from error


def _spelled(corpus: HubCorpus, code: str) -> str:
    """Return a language as the file names of the corpus spell it.

    Raises
    ------
    DataError
        If a script is asked for that these names cannot say.
    """
    if corpus.layout is Layout.NLLB:
        return nllb_code(code)
    language = canonical_code(code).split("-")[0]
    if usual_script(language) != usual_script(canonical_code(code)):
        raise DataError(f"{corpus.name} does not say in which script its text is: ask for {language}, or try nllb.")
    return language


def open_stream(corpus: HubCorpus, wanted: Sequence[str]) -> IterableDataset:
    """Return the rows of a corpus in its own order, fetched as they are read."""
    from datasets import load_dataset

    if corpus.layout in COLUMNS:
        return stream_tab_separated(corpus_address(corpus, wanted), COLUMNS[corpus.layout])
    other = next((code for code in wanted if code != "en"), "en")
    config = f"en-{other}" if corpus.layout is Layout.ENGLISH_PAIRS else None
    return load_dataset(corpus.place, config, split=corpus.split, streaming=True)


def stream_tab_separated(address: str, columns: Sequence[str]) -> IterableDataset:
    """Stream a tab-separated file without header or quoting, from an address or a local path.

    A row of another width has no text in any column, so that it is counted: a reader of CSV skips it in silence.
    """
    from datasets import load_dataset

    lines = load_dataset("text", data_files=address, split="train", streaming=True)
    return lines.map(partial(_split_row, columns=tuple(columns)), remove_columns=["text"])


def _split_row(row: dict[str, str], columns: tuple[str, ...]) -> dict[str, str | None]:
    cells = row["text"].split("\t")
    return dict(zip(columns, cells if len(cells) == len(columns) else [None] * len(columns), strict=True))


def _cells(
    stream: Iterable[dict[str, Any]], names: tuple[str, ...], bad: BadRows, corpus: str
) -> Iterator[NumberedCells]:
    """Yield the texts of a stream; rows of mined corpora that lack one are left out, as nobody can mend them."""
    try:
        for number, row in enumerate(stream, start=1):
            if missing := [name for name in names if name not in row]:
                raise DataError(f"{corpus} has no column {missing[0]}: it holds {', '.join(row)}. It has changed.")
            texts = tuple(row[name] for name in names)
            if all(isinstance(text, str) and not is_blank(text) for text in texts):
                yield number, texts
            else:
                lost = any(value is not None for value in row.values())
                bad.leave_out("no text in one of the languages" if lost else "wrong number of cells")
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"reading {corpus} broke off: {type(error).__name__}: {error}. Try again.") from error


def _unreachable(corpus: HubCorpus, address: str, reason: str) -> DataError:
    fetch = "download it there" if corpus.on_hub else f"fetch {address} there"
    return DataError(
        f"cannot read {corpus.name} from {address}: {reason}. Check the network or HF_HUB_OFFLINE; or, on a machine "
        f"with a network, {fetch} (`polyglot data import {corpus.name} --out FILE.parquet`) and give the file as "
        "--corpus; or leave --corpus away to use the built-in corpus."
    )

import gzip
import urllib.error
import urllib.request

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polyglot.data import hub
from polyglot.data.hub_corpora import Layout, hub_corpus
from polyglot.data.open import open_corpus
from polyglot.data.readers.lines import BadRows
from polyglot.errors import DataError


@pytest.fixture
def reachable(monkeypatch):
    monkeypatch.setattr(hub, "require_network", lambda corpus, address: None)


def nllb_file(path, rows):
    texts = [(f"English {i}", f"Français {i}") for i in range(rows)]
    texts[5] = ("NA", 'null "open')
    texts[6] = ("", "no English")
    lines = [
        "\t".join([a, b, f"{2 - i / rows}", "1.0", "0.9", "src", "url", "tgt", "url"]) for i, (a, b) in enumerate(texts)
    ]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return str(path)


def read(name, wanted, *, limit=None, seed=0):
    bad = BadRows()
    table = hub.read_hub(name, wanted, limit=limit, seed=seed, bad=bad).table()
    return table.to_pydict(), bad


@pytest.fixture
def nllb(tmp_path, monkeypatch, reachable):
    path = nllb_file(tmp_path / "eng_Latn-fra_Latn.gz", 300)
    monkeypatch.setattr(hub, "corpus_address", lambda corpus, wanted: path)


def test_nine_columns_of_nllb_become_two(nllb):
    columns, bad = read("nllb", ("fr", "en"))
    assert set(columns) == {"fr", "en"}
    assert len(columns["en"]) == 299
    assert {(b.replace("English", ""), a.replace("Français", "")) for a, b in zip(*columns.values(), strict=True)} >= {
        (f" {i}", f" {i}") for i in range(7, 300)
    }
    assert bad.left_out == {"no text in one of the languages": 1}


def test_cells_that_look_empty_stay_text(nllb):
    columns, _ = read("nllb", ("en", "fr"))
    assert columns["fr"][columns["en"].index("NA")] == 'null "open'


def test_samples_follow_the_seed_and_are_not_the_first_rows(nllb):
    def rows(seed):
        return {
            int(text.split()[1]) for text in read("nllb", ("en", "fr"), limit=50, seed=seed)[0]["en"] if text != "NA"
        }

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)
    assert max(rows(1)) > 200
    assert len(rows(1)) >= 49


def test_rows_of_another_width_are_counted(tmp_path, monkeypatch, reachable):
    path = tmp_path / "de-fr.bitextf.tsv.gz"
    rows = [f"1.2\tSatz {i}\tphrase {i}" for i in range(60)]
    rows[3], rows[7], rows[9] = "1.2\tSatz\tmit\tTab", "1.2", "1.2\t\u200b\tphrase"
    path.write_bytes(gzip.compress(("\n".join(rows) + "\n").encode()))
    monkeypatch.setattr(hub, "corpus_address", lambda corpus, wanted: str(path))
    columns, bad = read("ccmatrix", ("de", "fr"))
    assert sorted(columns["de"]) == sorted(f"Satz {i}" for i in range(60) if i not in (3, 7, 9))
    assert bad.left_out == {"wrong number of cells": 2, "no text in one of the languages": 1}


def test_a_hub_name_opens_as_a_corpus(nllb):
    text = open_corpus(["nllb"], ["fra_Latn", "eng_Latn"], limit=60, seed=1)
    assert (text.name, text.languages, len(text)) == ("nllb", ("fr", "en"), 60)


def test_ccmatrix_has_three_columns_and_another_order(tmp_path, monkeypatch, reachable):
    path = tmp_path / "de-fr.bitextf.tsv.gz"
    path.write_bytes(gzip.compress("".join(f"1.2\tSatz {i}\tphrase {i}\n" for i in range(80)).encode()))
    monkeypatch.setattr(hub, "corpus_address", lambda corpus, wanted: str(path))
    columns, _ = read("ccmatrix", ("fr", "de"))
    assert sorted(columns["fr"]) == sorted(f"phrase {i}" for i in range(80))
    assert [t.split()[1] for t in columns["fr"]] == [t.split()[1] for t in columns["de"]]


def parquet_stream(path, table):
    from datasets import load_dataset

    pq.write_table(table, path)
    return load_dataset("parquet", data_files=str(path), split="train", streaming=True)


def test_english_pairs_and_language_columns_are_read_by_name(tmp_path):
    english = parquet_stream(tmp_path / "a.parquet", pa.table({"english": ["a", "b"], "non_english": ["c", None]}))
    bad = BadRows()
    reading = hub.sample_stream(english, hub_corpus("talks"), ("sw", "en"), limit=9, seed=0, bad=bad)
    assert reading.table().to_pydict() == {"sw": ["c"], "en": ["a"]}
    assert bad.left_out.total() == 1
    many = parquet_stream(tmp_path / "b.parquet", pa.table({"eng_Latn": ["a"], "zho_Hans": ["b"], "fra_Latn": ["c"]}))
    reading = hub.sample_stream(many, hub_corpus("flores"), ("zh", "fr", "en"), limit=9, seed=0, bad=bad)
    assert reading.table().to_pydict() == {"zh": ["b"], "fr": ["c"], "en": ["a"]}


def test_a_changed_corpus_says_which_columns_it_holds(tmp_path):
    stream = parquet_stream(tmp_path / "a.parquet", pa.table({"text": ["a"]}))
    reading = hub.sample_stream(stream, hub_corpus("talks"), ("fr", "en"), limit=9, seed=0, bad=BadRows())
    with pytest.raises(DataError, match="no column non_english: it holds text"):
        reading.table()


def test_a_stream_that_breaks_off_says_so(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"a\tb\tc\n" * 9000)[:-20])
    stream = hub.stream_tab_separated(str(path), hub.COLUMNS[Layout.CCMATRIX])
    reading = hub.sample_stream(stream, hub_corpus("ccmatrix"), ("de", "fr"), limit=9, seed=0, bad=BadRows())
    with pytest.raises(DataError, match="reading ccmatrix broke off"):
        reading.table()


@pytest.mark.parametrize(
    ("name", "wanted", "end"),
    [
        ("nllb", ("zh", "en"), "nllb/eng_Latn-zho_Hans.gz"),
        ("nllb", ("en", "sw"), "nllb/eng_Latn-swh_Latn.gz"),
        ("ccmatrix", ("fr", "de"), "cc-matrix/de-fr.bitextf.tsv.gz"),
        ("opus-100", ("fr", "en"), "datasets/sentence-transformers/parallel-sentences-opus-100"),
        ("flores", ("fr", "zh"), "datasets/mteb/flores"),
    ],
)
def test_addresses(name, wanted, end):
    assert hub.corpus_address(hub_corpus(name), wanted).endswith(end)


def test_a_script_that_a_corpus_does_not_name_is_refused():
    for code in ("zh-Hant", "zh-TW", "sr-Latn"):
        with pytest.raises(DataError, match=f"in which script its text is: ask for {code[:2]}, or try nllb"):
            hub.corpus_address(hub_corpus("ccmatrix"), (code, "en"))
    assert hub.corpus_address(hub_corpus("ccmatrix"), ("pt-BR", "en")).endswith("en-pt.bitextf.tsv.gz")
    assert hub.corpus_address(hub_corpus("nllb"), ("tw", "en")).endswith("eng_Latn-twi_Latn.gz")


def test_pairs_that_a_corpus_does_not_hold_are_refused_before_any_request():
    with pytest.raises(DataError, match=r"pairs English with other languages, got French \(fr\) and German \(de\)"):
        open_corpus(["opus-100"], ["fr", "de"])
    with pytest.raises(DataError, match="read for two languages, got 0"):
        open_corpus(["nllb"], [])
    with pytest.raises(DataError, match="unknown public corpus"):
        hub_corpus("nothing")


@pytest.mark.parametrize("name", ["opus-100", "nllb"])
def test_offline_mode_is_respected_at_once(monkeypatch, name):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match=r"HF_HUB_OFFLINE is set.*polyglot data import.*built-in corpus"):
        open_corpus([name], ["en", "fr"])


@pytest.mark.parametrize("error", [urllib.error.URLError("no route"), TimeoutError("timed out"), OSError("no route")])
def test_without_a_network_the_error_says_what_to_do(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(urllib.request, "urlopen", fail)
    with pytest.raises(DataError, match=r"cannot read europarl from .*(no route|timed out).*with a network"):
        open_corpus(["europarl"], ["en", "fr"])


def test_a_pair_that_is_not_there_is_told_from_a_dead_network(monkeypatch):
    def missing(request, **_):
        raise urllib.error.HTTPError(request.full_url, 404, "Not Found", {}, None)

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(urllib.request, "urlopen", missing)
    with pytest.raises(DataError, match=r"there is no such file \(404\)"):
        open_corpus(["nllb"], ["en", "fr"])


def test_other_refusals_are_left_to_the_stream(monkeypatch):
    def refused(request, **_):
        raise urllib.error.HTTPError(request.full_url, 405, "HEAD is not allowed", {}, None)

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(urllib.request, "urlopen", refused)
    hub.require_network(hub_corpus("nllb"), "https://example.org/x")

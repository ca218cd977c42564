import polyglot.data.readers.batches
import pyarrow.parquet as pq
import pytest
from polyglot.data.importing import import_corpus
from polyglot.data.open import open_corpus
from polyglot.data.readers.lines import Dropped
from polyglot.errors import DataError, OutputError

ROWS = [f"sentence {i}\tphrase {i}\tlaw" for i in range(200)]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("\n".join(["eng\tfra\tdomain", *ROWS]) + "\n")
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_what_is_written_is_what_is_opened(tmp_path, source, suffix):
    report = import_corpus([source], tmp_path / f"b{suffix}", ["en", "fr"])
    assert (report.rows, report.languages, report.dropped) == (200, ("en", "fr"), ())
    opened = open_corpus([str(report.path)], [])
    assert opened.fingerprint == report.fingerprint == open_corpus([str(source)], []).fingerprint
    assert opened.domains == ["law"] * 200


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_languages_of_rare_codes_are_languages_in_what_is_written(tmp_path, suffix):
    (tmp_path / "a.tsv").write_text("".join(f"a {i}\tb {i}\n" for i in range(60)))
    report = import_corpus([tmp_path / "a.tsv"], tmp_path / f"b{suffix}", columns=["lus,ids"])
    assert report.languages == ("lus", "ids")
    opened = open_corpus([str(report.path)], [])
    assert (opened.languages, opened.fingerprint) == (("lus", "ids"), report.fingerprint)


def test_arrow_files_are_memory_mapped(tmp_path, source):
    import pyarrow as pa

    report = import_corpus([source], tmp_path / "b.arrow")
    before = pa.total_allocated_bytes()
    opened = open_corpus([str(report.path)], ["en", "fr"])
    assert pa.total_allocated_bytes() - before < 1000
    assert opened.column("en")[199] == "sentence 199"


def test_rows_are_written_in_groups(tmp_path, source, monkeypatch):
    monkeypatch.setattr(polyglot.data.readers.batches, "BATCH_ROWS", 64)
    report = import_corpus([source], tmp_path / "b.parquet")
    assert pq.ParquetFile(report.path).num_row_groups == 4


def test_dropped_rows_are_counted_by_reason(tmp_path, source):
    source.write_bytes(source.read_bytes() + b"only one cell\n\tno english\tlaw\nbad \xff\tx\tlaw\nshort\n")
    with pytest.raises(DataError, match="line 202: wrong number of cells"):
        import_corpus([source], tmp_path / "b.parquet")
    report = import_corpus([source], tmp_path / "b.parquet", skip_bad=True)
    assert report.rows == 200
    assert report.dropped == (Dropped("wrong number of cells", 2), Dropped("empty line", 1), Dropped("not UTF-8", 1))


def test_nothing_half_written_stays_behind(tmp_path, source):
    out = tmp_path / "b.parquet"
    import_corpus([source], out)
    before = out.read_bytes()
    source.write_bytes(source.read_bytes() + b"broken\n")
    with pytest.raises(DataError):
        import_corpus([source], out)
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tsv", "b.parquet"]


def test_samples_are_drawn_with_the_seed(tmp_path, source):
    report = import_corpus([source], tmp_path / "b.parquet", limit=60, seed=5)
    assert report.rows == 60
    assert report.fingerprint == open_corpus([str(source)], [], limit=60, seed=5).fingerprint


def test_several_files_and_languages_are_taken(tmp_path, source):
    other = tmp_path / "c.jsonl"
    other.write_text('{"en": "a", "fr": "b", "de": "c"}\n')
    report = import_corpus([source, other], tmp_path / "b.parquet", ["fra"])
    assert (report.rows, report.languages) == (201, ("fr",))
    with pytest.raises(DataError, match="different languages"):
        import_corpus([source, other], tmp_path / "b.parquet")


@pytest.mark.parametrize(
    ("name", "message"),
    [("b.tsv", "ends in .parquet or .arrow"), ("none/b.parquet", "there is no folder"), ("dir.parquet", "a folder")],
)
def test_bad_outputs_are_refused_first(tmp_path, source, name, message):
    (tmp_path / "dir.parquet").mkdir()
    with pytest.raises(OutputError, match=message):
        import_corpus([source], tmp_path / name)


def test_a_file_is_not_written_over_itself(tmp_path, source):
    report = import_corpus([source], tmp_path / "b.parquet")
    with pytest.raises(OutputError, match="it is what is read"):
        import_corpus([report.path], report.path)


def test_importing_nothing_is_refused(tmp_path, source):
    with pytest.raises(DataError, match="at least one file"):
        import_corpus([], tmp_path / "b.parquet")
    source.write_text("en\tfr\nx\n")
    with pytest.raises(DataError, match="no pairs are left"):
        import_corpus([source], tmp_path / "b.parquet", skip_bad=True)
    assert not (tmp_path / "b.parquet").exists()


def test_folders_that_cannot_be_written_say_so(tmp_path, source, monkeypatch):
    from pathlib import Path

    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match="Permission denied"):
        import_corpus([source], tmp_path / "b.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tsv"]

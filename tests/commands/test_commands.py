"""What a user sees: exit codes, one-line errors, and where results land."""

import json

import numpy as np
import pytest
from polyglot.cli import application, main
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """Two small files of paired rows, the second a rotation of the first with noise."""
    folder = tmp_path_factory.mktemp("vectors")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 6))
    y = x @ np.linalg.qr(rng.standard_normal((6, 6)))[0] + 0.1 * rng.standard_normal((120, 6))
    np.save(folder / "x.npy", x.astype(np.float16))
    np.save(folder / "y.npy", y.astype(np.float32))
    return [str(folder / "x.npy"), str(folder / "y.npy")]


def run_main(monkeypatch, capsys, *arguments):
    """Run the command line as a process would, and return (exit code, stdout, stderr)."""
    monkeypatch.setattr("sys.argv", ["polyglot", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    out, err = capsys.readouterr()
    return stop.value.code or 0, out, err


@pytest.fixture(scope="module")
def probed(vectors, tmp_path_factory):
    """Output folder, exit code and stdout of one probe of two vector files."""
    folder = tmp_path_factory.mktemp("reports")
    arguments = ["probe", "linear-map", "--vectors", *vectors, "--out", str(folder), "--permutations", "2"]
    result = CliRunner().invoke(application(), arguments)
    return folder / "linear-map", result.exit_code, result.stdout


def test_the_end_is_every_verdict_once_and_the_page(probed):
    folder, code, out = probed
    assert code == 0
    assert out.strip().splitlines()[-1] == str(folder / "x-y.html")
    verdicts = ("Search, x → y: ", "Search, y → x: ", "x → y is a rotation", "y → x is ")
    assert [out.count(verdict) for verdict in verdicts] == [1, 1, 1, 1]
    assert sorted(verdicts, key=out.index) == list(verdicts)
    assert all(len(line) <= 80 for line in out.splitlines()[:-1])


def test_the_result_names_its_schema_and_its_command(probed):
    result = json.loads((probed[0] / "x-y.json").read_text(encoding="utf-8"))
    assert result["schema"] == "polyglot/linear-map/1"
    assert result["provenance"]["command"].split()[0] == "polyglot"


def test_a_result_renders_again_to_the_same_bytes(probed):
    page = probed[0] / "x-y.html"
    first = page.read_bytes()
    page.unlink()
    result = CliRunner().invoke(application(), ["report", str(page.with_suffix(".json")), "--out", str(page)])
    assert result.exit_code == 0
    assert page.read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["probe", "linear-map", "en", "fr", "--corpus", "missing.tsv"], "missing.tsv"),
        (["probe", "linear-map", "en", "xx"], "unknown language"),
        (["probe", "linear-map", "en", "pt"], "Portuguese"),
        (["probe", "linear-map", "en", "fr", "--model", "nomodel"], "nomodel"),
        (["probe", "linear-map", "en", "fr", "--limit", "20"], "at least 50"),
        (["probe", "linear-map", "en", "fr", "--format", "pdf"], "--format"),
        (["probe", "linear-map", "en", "fr", "--margin", "2"], "--margin"),
        (["probe", "linear-map", "--vectors", "a.npy", "b.npy"], "a.npy"),
        (["report", "missing.json"], "missing.json"),
        (["data", "show", "en", "xx"], "unknown language"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(monkeypatch, capsys, tmp_path, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = run_main(monkeypatch, capsys, *arguments)
    assert code == 1
    assert err.startswith("error: ")
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in out + err


@pytest.mark.parametrize(("sizes", "said"), [((60, 59), "60"), ((20, 20), "20")])
def test_moses_files_that_do_not_fit(monkeypatch, capsys, tmp_path, sizes, said):
    for language, size in zip(("fr", "en"), sizes, strict=True):
        lines = [f"{language} sentence number {i}" for i in range(size)]
        (tmp_path / f"a.{language}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = [item for x in ("fr", "en") for item in ("--corpus", str(tmp_path / f"a.{x}"))]
    code, _, err = run_main(monkeypatch, capsys, "probe", "linear-map", "fr", "en", *files, "--out", str(tmp_path))
    assert code == 1
    assert said in err


def test_the_error_of_a_bad_row_names_an_option_that_the_command_has(monkeypatch, capsys, tmp_path):
    for language in ("fr", "en"):
        lines = [f"{language} sentence number {i}" if i != 7 or language == "fr" else "" for i in range(40)]
        (tmp_path / f"a.{language}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ["probe", "linear-map", "fr", "en", "--out", str(tmp_path)]
    files = [item for x in ("fr", "en") for item in ("--corpus", str(tmp_path / f"a.{x}"))]
    _, _, err = run_main(monkeypatch, capsys, *command, *files)
    assert "line 8" in err
    assert "--skip-bad" in err
    code, _, err = run_main(monkeypatch, capsys, *command, *files, "--skip-bad")
    assert code == 1
    assert "39 pairs after 1 bad rows were skipped" in err


def test_columns_are_named_and_what_is_left_out_is_said_in_one_line(monkeypatch, capsys, caplog, tmp_path):
    path, out = tmp_path / "a.tsv", tmp_path / "a.parquet"
    path.write_text(
        "".join(f"{i}\tHello {i}\tBonjour {i}\n" for i in range(60)) + "61\tHello\t\u200b\n", encoding="utf-8"
    )
    _, _, err = run_main(monkeypatch, capsys, "data", "show", "en", "fr", "--corpus", str(path))
    assert "--columns en,fr,-" in err
    columns = ["--columns", "-,en,fr", "--skip-bad"]
    code, shown, err = run_main(monkeypatch, capsys, "data", "show", "en", "fr", "--corpus", str(path), *columns)
    assert code == 0
    assert "Bonjour" in shown
    assert caplog.messages == ["a.tsv: left out 1 rows (1: empty line)"]
    code, printed, err = run_main(monkeypatch, capsys, "data", "import", str(path), "--out", str(out), *columns)
    assert code == 0
    assert err.strip() == "dropped 1: empty line"
    assert "60 rows in en, fr" in printed


def test_an_output_folder_that_is_a_file_is_refused_before_work(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run_main(monkeypatch, capsys, "probe", "linear-map", "en", "fr", "--out", str(tmp_path / "file"))
    assert code == 1
    assert "cannot write" in err


def test_no_languages_is_a_usage_error():
    assert CliRunner().invoke(application(), ["probe", "linear-map"]).exit_code == 2


def test_data_show_prints_pairs(monkeypatch, capsys):
    code, out, _ = run_main(monkeypatch, capsys, "data", "show", "en", "fr", "--rows", "3")
    assert code == 0
    assert out.split()[:2] == ["en", "fr"]


def test_overlap_of_a_corpus_with_itself_is_found(monkeypatch, capsys):
    code, out, _ = run_main(monkeypatch, capsys, "data", "check", "builtin", "builtin:law", "--lang", "en")
    assert code == 1
    assert "100 of 1500 rows" in out


def test_an_interrupt_is_one_line_and_exit_code_130(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("polyglot.cli.application", lambda words: interrupted)
    code, _, err = run_main(monkeypatch, capsys, "models")
    assert code == 130
    assert err == "interrupted\n"


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setattr("sys.argv", ["polyglot", "--debug", "report", "missing.json"])
    with pytest.raises(Exception, match=r"missing\.json"):
        main()

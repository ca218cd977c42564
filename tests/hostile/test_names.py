"""Names that try to leave their place: of models, of corpora, of languages, of parts."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polyglot.data.open import open_corpus
from polyglot.errors import DataError, ModelError
from polyglot.models.registry import resolve

from .conftest import require_one_line

TRICKS = (
    "../minilm",
    "../../etc/passwd",
    "/etc/passwd",
    "/etc",
    "builtin/../../x",
    "builtin:../../x",
    "builtin:law/../law",
    "org/../name",
    "org/..",
    "./../x",
    "minilm/../../x",
    "~root/x",
    "~nobody-there/x",
    "a\0b",
    "builtin\0",
    "x" * 10_000,
    "a/" * 2_000 + "b",
    "https://example.org/model",
    "file:///etc/passwd",
    "s3://bucket/key",
    "hf://org/name",
    "\\\\server\\share",
    "C:\\model",
    "con",
    "-rf",
    "--limit",
    "$(id)",
    "`id`",
    "a b",
    "a\nb",
    "\x1b[2J",
    "\ud800",
    "٪",
    "",
    " ",
    ".",
    "..",
)


@pytest.fixture(autouse=True)
def somewhere_empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", [name for name in TRICKS if name not in ("/etc", ".", "..")])
def test_no_trick_names_a_model(name):
    with pytest.raises(ModelError) as error:
        resolve(name)
    assert len(str(error.value).splitlines()) == 1
    str(error.value).encode("utf-8")


@pytest.mark.parametrize("name", TRICKS)
def test_no_trick_names_a_corpus(name):
    with pytest.raises(DataError) as error:
        open_corpus([name], ["en", "fr"])
    assert len(str(error.value).splitlines()) == 1
    str(error.value).encode("utf-8")


@pytest.mark.parametrize("name", TRICKS)
def test_no_trick_names_one_of_several_files(name, tmp_path):
    (tmp_path / "a.fr").write_text("x\n", encoding="utf-8")
    with pytest.raises(DataError):
        open_corpus(["a.fr", name], ["fr", "en"])


@pytest.mark.parametrize("name", [name for name in TRICKS if not name.startswith("-")])  # which would be options
def test_no_trick_names_a_language(refused, name):
    assert len(refused("data", "show", "en", name)) < 12_000


def is_folder_elsewhere(name):
    try:
        folder = Path(name).expanduser().resolve()
        return folder.is_dir() and folder != Path.cwd()
    except (OSError, ValueError, RuntimeError):
        return False


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_name_or_one_line(name):
    assume(not is_folder_elsewhere(name))  # "/" or "..": all catalogs of the machine that runs the tests
    try:
        assert resolve(name).name == name
    except ModelError as error:
        require_one_line(error)
    try:
        open_corpus([name], ["en", "fr"])
    except DataError as error:
        require_one_line(error)


def test_a_folder_that_is_no_model_is_refused_in_one_line(refused, tmp_path):
    for folder in ("/etc", tmp_path, "."):
        assert "is not a model" in refused("probe", "retrieval", "en", "fr", "--model", folder, "--limit", "60")


def brings_code(model, tmp_path):
    """A copy of the model that leaves a file behind where its code is run."""
    folder = shutil.copytree(model, tmp_path / "model")
    code = f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom transformers import BertConfig as Own\n"
    (folder / "own.py").write_text(code, encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"auto_map": {"AutoConfig": "own.Own"}, "model_type": "own-bert"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_code_of_a_model_runs_only_where_it_is_trusted(refused, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = brings_code(tiny_model, tmp_path)
    command = ["probe", "retrieval", "en", "fr", "--limit", "60", "--model", folder, "--out", tmp_path]
    assert "--trust-remote-code" in refused(*command)
    assert not (tmp_path / "ran").exists()


def test_pickled_weights_are_refused_even_where_code_is_trusted(refused, tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n(S'touch ran'\ntR.")
    command = ["probe", "retrieval", "en", "fr", "--limit", "60", "--model", folder, "--out", tmp_path]
    for more in ([], ["--trust-remote-code"]):
        assert "pickled" in refused(*command, *more)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["config.json", "modules.json", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"\0", b'{"a": ' + b"9" * 10_000 + b"}"], ids=["deep", "nul", "long"]
)
def test_hostile_json_in_a_model_is_one_line(refused, tiny_model, tmp_path, name, content):
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    (folder / name).write_bytes(content)
    refused("probe", "retrieval", "en", "fr", "--limit", "60", "--model", folder, "--out", tmp_path)

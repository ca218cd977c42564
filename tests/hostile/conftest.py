"""The command line with hostile input: what it must answer, whatever it is given."""

import importlib.util
from pathlib import Path

import pytest


def require_one_line(error):
    assert len(str(error).splitlines()) == 1


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The tiny model of the tests of models/."""
    path = Path(__file__).parents[1] / "models" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tiny_models", path)
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    return tiny.build_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def refused(monkeypatch, capsys, tmp_path):
    """Run the command line, check that one line of error follows its stages, with exit code 1, and return the line."""
    from polyglot.cli import main

    def run(*arguments):
        monkeypatch.setenv("POLYGLOT_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("sys.argv", ["polyglot", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        assert stop.value.code == 1
        assert out == ""
        *stages, line = err.splitlines()
        assert line.startswith("error: ")
        assert all(said.endswith(" …") for said in stages)
        assert line.isprintable()
        return line

    return run

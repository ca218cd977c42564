"""PyPI has another `polyglot` with the same import name: whoever has both installed is warned at import."""

import importlib.util
import shutil
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def load(tmp_path):
    """Give a function that imports a copy of the package's first file, with further files beside it."""

    def load(*others):
        shutil.copy2(ROOT / "__init__.py", tmp_path)
        for name in others:
            (tmp_path / name).touch()
        spec = importlib.util.spec_from_file_location("copied", tmp_path / "__init__.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_files_of_the_other_distribution_are_noticed_at_import(load):
    with pytest.warns(UserWarning, match="pip uninstall polyglot"):
        assert load("base.py", "downloader.py", "text.py").__version__


def test_alone_it_says_nothing(load):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load()


def test_no_module_of_this_package_has_the_name_that_tells_the_other():
    assert not (ROOT / "downloader.py").exists()

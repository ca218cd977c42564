import importlib.util
from pathlib import Path

import pytest

MODELS = Path(__file__).resolve().parents[1] / "models" / "conftest.py"


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory):
    """The folder of a tiny random BERT over single letters."""
    spec = importlib.util.spec_from_file_location("tiny_models", MODELS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build_model(tmp_path_factory.mktemp("tiny"))

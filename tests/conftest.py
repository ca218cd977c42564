import importlib.util
import signal
from pathlib import Path

import hypothesis
import pytest

# The same examples in every run, so that a change is judged by what it changed: `pytest --hypothesis-profile explore`
# draws new ones, and what it finds becomes a test of its own.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("explore", derandomize=False)
hypothesis.settings.load_profile("same")

# A shell that starts the tests in the background has them ignore SIGINT, and whatever they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

TINY_MODELS = Path(__file__).parent / "models" / "conftest.py"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real parallel text beside the repository, for measuring only."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real parallel text in ../shared/data, which is not here")
    return folder


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory):
    """The folder of a tiny random BERT over single letters."""
    spec = importlib.util.spec_from_file_location("tiny_models", TINY_MODELS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build_model(tmp_path_factory.mktemp("tiny"))

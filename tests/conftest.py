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


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real parallel text beside the repository, for measuring only."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real parallel text in ../shared/data, which is not here")
    return folder

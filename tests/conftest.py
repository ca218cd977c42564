import signal
from pathlib import Path

import pytest

# A shell that starts the tests in the background has them ignore SIGINT, and whatever they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real parallel text beside the repository, for measuring only."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real parallel text in ../shared/data, which is not here")
    return folder

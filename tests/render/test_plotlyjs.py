"""plotly.js found, packed and hashed."""

import base64
import gzip
import hashlib
import importlib.util
import re

import pytest
from polyglot.errors import OutputError
from polyglot.render import plotlyjs


def test_the_bundle_is_the_one_of_the_installed_package():
    bundle = plotlyjs.bundle()
    assert re.fullmatch(r"\d+\.\d+\.\d+", bundle.version)
    assert bundle.file_name == f"plotly-{bundle.version}.min.js"
    assert bundle.cdn.startswith("https://")
    assert bundle.cdn.endswith(bundle.file_name)


def test_packed_text_unpacks_to_itself_and_packs_the_same_twice():
    text = "naïve 渡轮 </script>" * 50
    assert gzip.decompress(base64.b64decode(plotlyjs.pack(text))).decode() == text
    assert plotlyjs.pack(text) == plotlyjs.pack(text)


def test_the_hash_is_that_of_the_content_security_policy():
    expected = base64.b64encode(hashlib.sha256(b"let a = 1").digest()).decode()
    assert plotlyjs.script_hash("let a = 1") == f"sha256-{expected}"


def test_a_missing_plotly_says_what_to_do(monkeypatch):
    plotlyjs.bundle.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OutputError, match="pip install plotly"):
        plotlyjs.bundle()


def test_a_plotly_without_its_script_says_what_to_do(monkeypatch, tmp_path):
    plotlyjs.bundle.cache_clear()
    spec = importlib.util.spec_from_file_location("plotly", tmp_path / "__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(OutputError, match="reinstall"):
        plotlyjs.bundle()

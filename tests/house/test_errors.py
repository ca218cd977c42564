"""Errors hold their fix."""

from polyglot.errors import MissingExtraError, PolyglotError


def test_a_missing_extra_names_the_command():
    error = MissingExtraError("the model 'minilm'", "offline")
    assert 'pip install "polyglot-geometry[offline]"' in str(error)
    assert isinstance(error, PolyglotError)

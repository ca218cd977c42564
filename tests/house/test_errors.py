"""Errors hold their fix."""

from polyglot.errors import ConfigError, DataError, MissingExtraError, OutputError, PolyglotError


def test_a_missing_extra_names_the_command():
    error = MissingExtraError("the model 'minilm'", "offline")
    assert 'pip install "polyglot-geometry[offline]"' in str(error)
    assert isinstance(error, PolyglotError)


def test_errors_of_validation_are_value_errors():
    assert issubclass(DataError, ValueError)
    assert issubclass(ConfigError, ValueError)
    assert not issubclass(OutputError, ValueError)

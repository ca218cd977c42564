"""Where this project keeps what can be made again."""

import os
from pathlib import Path


def default_cache_dir() -> Path:
    """Give the user's cache folder: `$POLYGLOT_CACHE`, else `$XDG_CACHE_HOME/polyglot`, else `~/.cache/polyglot`.

    Returns
    -------
    Path
        The folder, which need not exist.
    """
    if chosen := os.environ.get("POLYGLOT_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "polyglot"

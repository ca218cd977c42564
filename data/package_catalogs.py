"""Interface texts of Python packages: `--corpus package:NAME` reads the message catalogs of an installed package.

They are what translators of programs work with: short, repetitive, with placeholders. The packages are found, never
imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..errors import DataError

PREFIX = "package:"


@dataclass(frozen=True, slots=True)
class CatalogPackage:
    """A package of the package index with message catalogs in many languages."""

    name: str
    what: str


PACKAGES = (
    CatalogPackage("django", "a web framework and its administration, about 400 messages in English and French"),
    CatalogPackage("wagtail", "a content management system, about 900 messages in English and French"),
    CatalogPackage("sphinx", "a documentation generator, about 870 messages in English and French"),
)


def package_folder(corpus: str) -> Path:
    """Return the folder of the installed package that `package:NAME` names.

    Parameters
    ----------
    corpus : str

    Raises
    ------
    DataError
        If the name is none of a package, or no such package is installed.
    """
    name = corpus.removeprefix(PREFIX)
    if not name.isidentifier():
        raise DataError(f"{corpus!r} names no package: expected {PREFIX} and the name by which it is imported.")
    spec = find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise DataError(
            f"no package {name} is installed, whose message catalogs {corpus} would read: install it first."
        )
    return Path(places[0])

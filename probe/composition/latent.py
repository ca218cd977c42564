"""Latent shares of composed maps beside direct ones, where further languages take the noise out (method §9)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from ...analysis.certificate.latent_composition import Path, PathShares, path_shares
from ...analysis.types import Floats
from ..experiment.parallel import side_by_side
from .maps import Web

MOST_LANGUAGES = 4  # each three of them cost six fits


def latent_paths(web: Web, instruments: Mapping[str, Floats], *, same_space: bool, seed: int) -> dict[Path, PathShares]:
    """Return the latent shares of every path of a web, by places of its languages.

    Parameters
    ----------
    web : Web
    instruments : mapping of str to array (n, ·)
        Further languages. Without any, those of the web that are not on a path serve it; of three there is none.
    same_space : bool
    seed : int
    """
    if len(web.languages) > MOST_LANGUAGES:
        return {}
    work = [(three, _instruments(web, three, instruments)) for three in combinations(range(len(web.languages)), 3)]
    found = side_by_side(
        lambda one: path_shares(
            [web.rows[place] for place in one[0]], one[1], web.design.groups, same_space=same_space, seed=seed
        ),
        [one for one in work if one[1]],
        name="paths, noise aside",
    )
    return {
        (three[a], three[b], three[c]): shares
        for (three, _), paths in zip([one for one in work if one[1]], found, strict=True)
        for (a, b, c), shares in paths.items()
    }


def _instruments(web: Web, three: tuple[int, ...], further: Mapping[str, Floats]) -> Mapping[str, Floats]:
    others = (place for place in range(len(web.languages)) if place not in three)
    return further or {web.languages[place]: web.rows[place] for place in others}

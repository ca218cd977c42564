"""How sure a result is, in three plain lines: noise, curvature, pairs and text."""

from __future__ import annotations

from collections.abc import Sequence

from ....probe.results.linear_map import Direction, Geometry
from ....probe.results.provenance import Provenance
from ...formatting import count, language_name, percent, plain_percent


def certainty(direction: Direction, provenance: Provenance) -> tuple[tuple[str, str], ...]:
    """Return three lines, each with the name of what it is about."""
    return (
        ("Noise", noise_line(direction)),
        ("Curvature", curvature_line(direction)),
        ("Pairs", pairs_line(direction, provenance)),
    )


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them.

    Examples
    --------
    >>> listed(["German", "Spanish", "Russian"])
    'German, Spanish and Russian'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def noise_line(direction: Direction) -> str:
    """Say what took the noise out, and how much there was."""
    geometry = direction.geometry
    if geometry is None or not geometry.instruments:
        return "not taken out, for want of the same sentences in a further language; R² includes it."
    others = listed([language_name(code) for code in geometry.instruments])
    line = f"the same sentences in {others} separate meaning from noise"
    if geometry.rows is not None:
        line += f", in {count(geometry.rows)} of these pairs"
    if len(geometry.reliability) < 2:
        return f"{line}."
    source, target = (percent(1 - share) for share in geometry.reliability)
    names = language_name(direction.source), language_name(direction.target)
    return f"{line}; {source} of the {names[0]} variance and {target} of the {names[1]} is noise."


def curvature_line(direction: Direction) -> str:
    """Say whether curvature is seen, or which would have been."""
    geometry, judged = direction.geometry, direction.certificate
    said = "" if geometry is None else _seen_curvature(geometry)
    if said:
        return said
    if geometry is not None and geometry.resolution:
        seen = {family: share for family, share in geometry.resolution.items() if share is not None}
        if not seen:
            return "these pairs are too few or too noisy to show any."
        most = max(seen.values())
        kinds = listed(list(seen))
        rest = "other kinds could be missed" if len(seen) < len(geometry.resolution) else "odd curves could be missed"
        return f"{plain_percent(most)} or more would have been seen ({kinds}); {rest}."
    if judged.smallest_detectable is not None:
        return f"{plain_percent(judged.smallest_detectable)} or more of what is explained would have been seen."
    if judged.power:
        return f"even {plain_percent(max(point.share for point in judged.power))} of what is explained could be missed."
    return "not tested."


def _seen_curvature(geometry: Geometry) -> str:
    """Say how much of the curvature is seen; empty where none is."""
    margin = plain_percent(geometry.margin)
    if geometry.reason.startswith("curvature surely"):
        return f"more than {margin} of what is shared is curved."
    if geometry.reason.startswith("curvature is visible"):
        return f"some is visible; more than {margin} of what is shared is not excluded."
    return ""


def pairs_line(direction: Direction, provenance: Provenance) -> str:
    """Say how many pairs of what text there were."""
    repeats = direction.n - direction.groups
    apart = f", {count(repeats)} of them repeats that stay together" if repeats else ""
    corpus = "the built-in text" if provenance.corpus.startswith("builtin") else f"“{provenance.corpus}”"
    if not provenance.models:
        corpus = "your arrays"
    if direction.streamed is not None:
        corpus = f"{count(direction.streamed.n)} of {corpus}, a random sample"
    return (
        f"{count(direction.n)} of {corpus}{apart}; each was searched by maps fitted without it. "
        "Other text may give other numbers."
    )

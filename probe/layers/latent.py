"""Latent shares at every layer: what maps explain once the noise of both sides is taken out (method §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...analysis.certificate.geometry import Views, first_stage
from ...analysis.certificate.latent_shares import latent_shares
from ...analysis.resampling import Interval
from ...analysis.types import Floats, Integers, Rows
from ..experiment.language_stacks import LanguageStacks
from ..experiment.layer_stack import unread


@dataclass(frozen=True, slots=True, eq=False)
class LatentPlan:
    """Instruments of all layers, the pooled output of further languages, and what of them serves every layer.

    One set of instruments makes layers comparable: each share is one of what the same meanings predict of the target.
    Those of the same layer would bring what its words have in common, such as names and full stops.
    """

    instruments: Mapping[str, Floats]  # by language, (n, ·) each
    components: Floats  # (n, m)
    groups: Integers  # (n,)
    seed: int

    @classmethod
    def of(cls, pair: LanguageStacks, instruments: Mapping[str, Floats], seed: int) -> LatentPlan | None:
        """Prepare the instruments of a pair; None without any, or where the model does not read a language.

        Raises
        ------
        DataError
            If an instrument is not a matrix of finite values with the rows of the pair.
        """
        if not instruments or unread(pair.stacks):
            return None
        x, y = pair.at(pair.layers[-1])
        checked = Views(x, y, instruments, pair.groups, same_space=False).instruments
        return cls(checked, first_stage(checked), pair.groups, seed)

    def shares(self, x: Rows, y: Rows) -> dict[str, Interval]:
        """Return the shares of one layer, x (n, p) and y (n, q), by measure; none where instruments say too little."""
        source, target = np.asarray(x, np.float64), np.asarray(y, np.float64)
        same_space = source.shape[1] == target.shape[1]
        views = Views(source, target, self.instruments, self.groups, same_space=same_space)
        found = latent_shares(views, components=self.components, seed=self.seed)
        return {f"latent_{rung}": share for rung, share in found.items()}

"""A card, its peaks, and the table of what was measured on it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch

#: Dense products in bfloat16 and in float32 without TF32, TFLOP/s, and memory, GB/s, of the makers' data sheets.
PEAKS = {
    "H200": (989, 67, 4800),
    "H100 PCIe": (756, 51, 2000),
    "H100": (989, 67, 3350),
    "A100.*80GB": (312, 19.5, 2039),
    "A100": (312, 19.5, 1555),
}
#: Units of rates: how much of what is counted one is, and which of the peaks it is a share of.
SCALES = {"tokens/s": 1, "bfloat16 TFLOP/s": 1e12, "float32 TFLOP/s": 1e12, "GB/s": 1e9}
UNITS = {"tokens/s": None, "bfloat16 TFLOP/s": 0, "float32 TFLOP/s": 1, "GB/s": 2}


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    claim: str
    seconds: list[float]
    amounts: dict[str, float]  # by unit: what was done in the time
    where: str
    checks: dict[str, tuple[float, float]]  # what is compared: how far it is from the processor's, and the tolerance

    @property
    def holds(self) -> bool:
        """Whether every number is the processor's, within its tolerance; one that is no number is not."""
        return all(apart <= tolerance for apart, tolerance in self.checks.values())

    def row(self, peaks: tuple[float, ...] | None) -> str:
        """Return the line in Markdown."""
        middle = float(np.median(self.seconds))
        rates = {unit: amount / middle / SCALES[unit] for unit, amount in self.amounts.items()}
        shares = [
            f"{rate / peaks[UNITS[unit]]:.0%} of {peaks[UNITS[unit]]:g}"
            for unit, rate in rates.items()
            if peaks is not None and UNITS[unit] is not None and "card" in self.where
        ]
        checks = [
            f"{what}: {apart:.1e} (≤ {tolerance:g}{'' if apart <= tolerance else ', DIFFERS'})"
            for what, (apart, tolerance) in self.checks.items()
        ]
        cells = (
            self.claim,
            self.where,
            f"{middle:.3g} [{min(self.seconds):.3g}, {max(self.seconds):.3g}]",
            ", ".join(f"{rate:.3g} {unit}" for unit, rate in rates.items()) or "–",
            ", ".join(shares) or "–",
            "; ".join(checks) or "–",
        )
        return f"| {' | '.join(cells)} |"


def card(device: str) -> tuple[str, tuple[float, ...] | None]:
    """Return the name of the device, and its peaks where they are known."""
    if not device.startswith("cuda"):
        return ("the processor" if device == "cpu" else device), None
    name = torch.cuda.get_device_name(device)
    return name, next((peaks for pattern, peaks in PEAKS.items() if re.search(pattern, name)), None)


def table(lines: list[Line], name: str, peaks: tuple[float, ...] | None) -> str:
    """Return the table in Markdown."""
    known = "peaks not known" if peaks is None else "peaks in TFLOP/s and GB/s"
    header = f"| {name} | computed on | seconds | rate | of the peak ({known}) | from the processor's |"
    return "\n".join([header, "|---|---|---|---|---|---|", *(line.row(peaks) for line in lines)])

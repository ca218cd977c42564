"""Precision of the matrix products in the forward pass."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

LEAST_SPEEDUP = 1.3


@contextmanager
def mixed_precision(precision: str, device: str) -> Iterator[None]:
    """Run matrix products in bfloat16 if asked for.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
    device : str
        Torch device.
    """
    import torch

    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bfloat16"):
        yield


def choose_precision(precision: str, device: str) -> str:
    """Return the precision of matrix products; `auto` takes bfloat16 where it is faster (on a CPU: measured).

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
    device : str
        Torch device.
    """
    import torch

    if precision != "auto":
        return precision
    kind = torch.device(device).type
    if kind != "cpu":
        return "bfloat16" if kind == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if _speedup_of_bfloat16() > LEAST_SPEEDUP else "float32"


@lru_cache(maxsize=1)
def _speedup_of_bfloat16() -> float:
    """Measure a product small enough to end at once where the processor has no bfloat16, and every sum is emulated."""
    import torch

    return _product_seconds(torch.float32) / _product_seconds(torch.bfloat16)


def _product_seconds(dtype: torch.dtype) -> float:
    import torch

    x, y = torch.ones(256, 384, dtype=dtype), torch.ones(384, 384, dtype=dtype)
    x @ y
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        x @ y
        seconds.append(time.perf_counter() - start)
    return min(seconds)

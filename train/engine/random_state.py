"""The state of the random numbers that training draws on a device, as dropout does, to go on from it exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def random_state(device: torch.device) -> torch.Tensor:
    """Return the state of the processor's generator, followed by that of a CUDA device, (s,) of uint8.

    Parameters
    ----------
    device : torch.device
        On which the model is trained.
    """
    import torch

    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return torch.cat(states)


def set_random_state(state: torch.Tensor, device: torch.device) -> None:
    """Go on from a state that `random_state` returned; on another kind of device only the processor's is set.

    Parameters
    ----------
    state : tensor (s,) of uint8
    device : torch.device
        On which the model is trained.
    """
    import torch

    size = len(torch.get_rng_state())
    torch.set_rng_state(state[:size].clone())
    if device.type == "cuda" and len(state) > size:
        torch.cuda.set_rng_state(state[size:].clone(), device)

"""A device that is not there: tensors sent to it stay in memory, marked, and are refused where a card refuses them.

A card refuses a call whose tensors lie in different places (a number in memory may), an index from the card
into a tensor in memory (the other way round is allowed), and numpy. What a call returns lies where its arguments do, or
where it is asked to.
"""

import contextlib

import torch
from torch.overrides import TorchFunctionMode

DEVICE = "cuda:0"
SET_DATA = torch.Tensor.data.__set__
ANY_PLACE = (torch.Tensor.copy_, torch._has_compatible_shallow_copy_type, SET_DATA)
INDEXED = {torch.Tensor.__getitem__, torch.Tensor.__setitem__}
SENT = {torch.Tensor.to, torch.Tensor.cpu}
REFUSED = {torch.Tensor.numpy, torch.Tensor.__array__}


class Simulated(TorchFunctionMode):
    """Within the context the device is there; `calls` counts what was computed on it."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func == torch.Tensor.device.__get__:  # made anew each time
            return torch.device(DEVICE) if marked(args[0]) else func(*args, **kwargs)
        if func in REFUSED and marked(args[0]):
            raise TypeError(f"can't convert {DEVICE} device type tensor to numpy")
        if func in SENT:
            return sent(func, args, kwargs)
        if func == SET_DATA and marked(args[1]):  # as a module is sent
            mark(args[0])
        asked = kwargs.get("device")
        if asked is not None and torch.device(asked).type == "cuda":
            kwargs["device"] = "cpu"
        checked_places(func, args, kwargs)
        here = any(map(marked, tensors((args, kwargs)))) if asked is None else torch.device(asked).type == "cuda"
        self.calls += here
        found = func(*args, **kwargs)
        for tensor in tensors(found):
            if here:
                mark(tensor)
        return found


def marked(value):
    return isinstance(value, torch.Tensor) and "simulated" in value.__dict__


def mark(tensor):
    tensor.__dict__["simulated"] = True
    return tensor


def tensors(value):
    """Yield the tensors in a structure of tuples, lists and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))


def sent(func, args, kwargs):
    """Send a tensor to a device, or back, or change its type where it is."""
    tensor, *rest = (value for value in args if value is not None and not isinstance(value, bool))
    target = "cpu" if func is torch.Tensor.cpu else kwargs.pop("device", None)
    for value in list(rest):
        with contextlib.suppress(TypeError, RuntimeError):
            target = torch.device(value)
            rest.remove(value)
    goes = marked(tensor) if target is None else torch.device(target).type == "cuda"
    with torch._C.DisableTorchFunction():
        found = tensor.to(*rest, **kwargs) if rest or kwargs else tensor
        found = found if goes == marked(tensor) and found is tensor else found.clone()
    return mark(found) if goes else found


def counts(tensor):
    """Tell whether a tensor must lie where the others do: a number in memory goes anywhere."""
    return tensor.ndim > 0 or marked(tensor)


def checked_places(func, args, kwargs):
    """Refuse tensors in different places."""
    if func in ANY_PLACE:
        return
    if func in INDEXED:
        owner, index, *values = args
        if not marked(owner) and any(map(marked, tensors(index))):
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        places = {marked(tensor) for tensor in (owner, *tensors(values)) if counts(tensor)}
    else:
        places = {marked(tensor) for tensor in tensors((args, kwargs)) if counts(tensor)}
    if len(places) > 1:
        raise RuntimeError(f"expected all tensors to be on the same device, got {DEVICE} and cpu in {func}")

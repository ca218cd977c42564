"""A resolved name in, a `SentenceTransformer` out: nothing unsafe is executed, nothing waits for a dead network."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, ModelError
from .folder import MODULES, SETTINGS, check_folder, names_package_module, refuse_other_kinds
from .progress import hidden_library_bars
from .registry import OFFLINE_NAMES, ModelCard, cached_file, in_hub_cache, packaged_model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)

HUB_TIMEOUT_SECONDS = 10.0
NO_POOLING = "%s names no pooling: its token vectors are averaged, whatever it was trained for"


def load_model(card: ModelCard, *, device: str | None, trust_remote_code: bool) -> "SentenceTransformer":
    """Load the model of a card.

    Parameters
    ----------
    card : ModelCard
        As `resolve` gives it.
    device : str, optional
        `cuda`, `cuda:1`, `mps`, `cpu`; the first that is there if not given.
    trust_remote_code : bool
        Allow Python code that comes with the model to run.

    Raises
    ------
    ModelError
        The model cannot be reached, is damaged, holds pickled weights, or wants to run its own code.
    MissingExtraError
        A packaged model is not installed.
    ConfigError
        The device does not exist.
    """
    device = chosen_device(device)
    if card.kind == "hub":
        return _load_from_hub(card.source, device, trust_remote_code)
    folder = checked_folder(card, trust_remote_code=trust_remote_code)
    if not (folder / MODULES).is_file():
        log.warning(NO_POOLING, folder)
    return _load(str(folder), device, trust_remote_code or names_package_module(folder), local=True)


def checked_folder(card: ModelCard, *, trust_remote_code: bool) -> Path:
    """Return the folder of a local model, as `check_folder` looked at it.

    Parameters
    ----------
    card : ModelCard
        Of a packaged model or a folder.
    trust_remote_code : bool
        Let folders pass that bring Python code.

    Raises
    ------
    ModelError
        As `check_folder`.
    MissingExtraError
        A packaged model is not installed.
    """
    folder = packaged_model(card.name).folder() if card.kind == "packaged" else Path(card.source)
    check_folder(folder, trust_remote_code=trust_remote_code)
    return folder


def chosen_device(device: str | None) -> str:
    """Return the device to compute on: the asked one if it exists, else CUDA, MPS or the CPU, in this order.

    Parameters
    ----------
    device : str, optional
        Name of a torch device. Each process that torchrun started takes an accelerator of its own for `cuda`.

    Raises
    ------
    ConfigError
        The name is not a device, or no such device is here.
    """
    import torch

    place = int(os.environ.get("LOCAL_RANK", "0"))
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device is None:
        first = next(name for name, present in here.items() if present)
        return f"{first}:{place}" if here["cuda"] and place else first  # the first process keeps the plain name
    if device == "cuda" and place:
        device = f"cuda:{place}"
    try:
        kind = torch.device(device)
    except RuntimeError:
        kind = None
    lacking = kind is None or not here.get(kind.type, False)
    if lacking or (kind is not None and kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count()):
        present = ", ".join(name for name, found in here.items() if found)
        raise ConfigError(f"the device {device!r} is not here; present: {present}; leave the option out to choose one")
    return device


def _load_from_hub(hub_id: str, device: str, trust_remote_code: bool) -> "SentenceTransformer":
    """Take the model from the local hub cache if it is whole there; only then ask the network, once."""
    if in_hub_cache(hub_id):
        _look_at_cache(hub_id)
        try:
            return _load(hub_id, device, trust_remote_code, local=True)
        except ModelError as error:
            log.info("%s is in the hub cache but cannot be loaded from there: %s", hub_id, error)
    _ask_hub(hub_id)
    model = _load(hub_id, device, trust_remote_code, local=False)
    _look_at_cache(hub_id)
    return model


def _look_at_cache(hub_id: str) -> None:
    """Refuse a model of another kind; say what the library adds to one of plain transformers."""
    if (settings := cached_file(hub_id, SETTINGS)) is not None:
        refuse_other_kinds(settings, hub_id)
    if cached_file(hub_id, MODULES) is None:
        log.warning(NO_POOLING, hub_id)


def _ask_hub(hub_id: str) -> None:
    """Make one request with a short limit, because the library's downloads try again for minutes on a dead network."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        HfApi().model_info(hub_id, timeout=HUB_TIMEOUT_SECONDS)
    except GatedRepoError as error:
        raise ModelError(
            f"the hub model {hub_id} is gated: accept its terms there and log in with `hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"the hub has no model {hub_id} (or it is private); check the name, or give a local folder"
        ) from error
    except Exception as error:
        raise ModelError(
            f"the hub model {hub_id} is not in the local cache and the hub cannot be reached ({type(error).__name__}); "
            f"use a model that needs no network: {OFFLINE_NAMES}, "
            'installed by pip install "polyglot-geometry[offline]"; or give a local model folder'
        ) from error


def _load(source: str, device: str, trust_remote_code: bool, *, local: bool) -> "SentenceTransformer":
    import torch
    from sentence_transformers import SentenceTransformer

    try:
        with _quiet_libraries(progress_bars=not local) as report, _without_network() if local else nullcontext():
            model = SentenceTransformer(
                source,
                device=device,
                local_files_only=local,
                trust_remote_code=trust_remote_code,
                model_kwargs={"use_safetensors": True, "dtype": torch.float32},
            )
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ModelError(
            f"the model {source} cannot be loaded: {reason}; "
            "it must be a whole sentence-transformers model with safetensors weights"
        ) from error
    if report.missing:
        raise ModelError(
            f"the weights of {source} lack {', '.join(report.missing[:3])}, which would be drawn at random; "
            "the folder's config.json does not fit its weights: save or download the model again"
        )
    return model


class _LoadReport(logging.Filter):
    """Remove the library's report of a load from the log and collect the names of missing weights.

    A pooler may be missing: sentence encoders do not use it.
    """

    MISSING = re.compile(r"^(\S+)\s*\|.*\bMISSING\b", re.MULTILINE)
    COLOUR = re.compile(r"\x1b\[[0-9;]*m")

    def __init__(self) -> None:
        super().__init__()
        self.missing: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        names = self.MISSING.findall(self.COLOUR.sub("", record.getMessage()))
        self.missing += [name for name in names if "pooler" not in name]
        return False


@contextmanager
def _quiet_libraries(*, progress_bars: bool) -> Iterator[_LoadReport]:
    """Hide the notices of the libraries while a model loads; errors still come through."""
    report = _LoadReport()
    loader, sentences = logging.getLogger("transformers.modeling_utils"), logging.getLogger("sentence_transformers")
    level = sentences.level
    loader.addFilter(report)
    sentences.setLevel(logging.ERROR)
    try:
        with nullcontext() if progress_bars else hidden_library_bars():
            yield report
    finally:
        loader.removeFilter(report)
        sentences.setLevel(level)


@contextmanager
def _without_network() -> Iterator[None]:
    """Keep the libraries from asking the hub: `local_files_only` does not reach all of them, and they try for long."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before

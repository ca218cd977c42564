"""What identifies an encoder: a hash of everything that decides its numbers, and the record of its base."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from .architecture import Architecture

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LINEAGE_FILE = "polyglot.json"
# Entries of a configuration about its file or the library, not about what the model computes.
INCIDENTAL = frozenset(
    {
        "_name_or_path",
        "transformers_version",
        "architectures",
        "dtype",
        "torch_dtype",
        "output_hidden_states",
        "use_cache",
    }
)


def fingerprint(
    model: "SentenceTransformer", architecture: Architecture, *, prompt: str, max_length: int, reading: dict[str, Any]
) -> str:
    """Hash weights, tokenizer, configuration of all modules, prompt and maximal length.

    Parameters
    ----------
    model : SentenceTransformer
        On any device; the hash does not depend on it.
    architecture : Architecture
        Of the model.
    prompt : str
        Text put before every sentence.
    max_length : int
        Tokens after which a text is cut.
    reading : dict
        What else decides the token ids, where it differs from the library's defaults.

    Returns
    -------
    str
        32 hexadecimal digits.

    Notes
    -----
    A pooler is left out: sentence encoders do not use it, and where a file lacks it the library draws it at random.
    """
    import torch

    digest = hashlib.blake2b(digest_size=16)
    settings = {"prompt": prompt, "max_length": max_length, "truncate_dim": model.truncate_dim}
    modules: list[Any] = [
        [type(module).__name__, getattr(module, "get_config_dict", dict)()] for module in architecture.modules
    ]
    reader = architecture.reader
    described: list[Any] = [settings, modules, _configuration(reader), _tokenizer(reader.tokenizer)]
    if architecture.transformer is not None:
        del modules[0]  # its own configuration describes it more exactly
        if architecture.weighs_layers:
            reading = {**reading, "output_hidden_states": bool(reader.config.output_hidden_states)}
    described += [reading] if reading else []
    digest.update(json.dumps(described, sort_keys=True, ensure_ascii=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        if "pooler." in name:
            continue
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.flatten().view(torch.uint8).numpy().data if values.numel() else b"")
    return digest.hexdigest()


def _configuration(reader: Any) -> dict[str, Any]:  # noqa: ANN401 - the library is imported late
    """Keep what differs from the defaults of the architecture, so that a newer library gives the same hash."""
    config = getattr(reader, "config", None)
    if config is None:
        return {}
    return {key: value for key, value in config.to_diff_dict().items() if key not in INCIDENTAL}


def _tokenizer(tokenizer: Any) -> dict[str, Any]:  # noqa: ANN401 - the library is imported late
    """Describe the tokenizer without truncation and padding, which are states of the last call."""
    if tokenizer is None:  # of n-grams, whose module says how they are made
        return {}
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    described: dict[str, Any] = (
        json.loads(backend.to_str()) if hasattr(backend, "to_str") else {"vocab": tokenizer.get_vocab()}
    )
    return {key: value for key, value in described.items() if key not in ("truncation", "padding")}


def read_lineage(folder: Path) -> str | None:
    """Read from which model a finetuned one was made.

    Parameters
    ----------
    folder : Path
        A model folder; `polyglot.json` in it holds `{"base_fingerprint": "…"}`.

    Returns
    -------
    str or None
        Fingerprint of the base; None if the folder has no record.

    Raises
    ------
    ModelError
        The file is there but damaged.
    """
    path = folder / LINEAGE_FILE
    if not path.is_file():
        return None
    try:
        base = json.loads(path.read_text(encoding="utf-8")).get("base_fingerprint")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} is damaged: {error}; delete it or train the run again") from error
    if base is not None and not isinstance(base, str):
        raise ModelError(f"{path} is damaged: base_fingerprint is {base!r}, expected text; train the run again")
    return base

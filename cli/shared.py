"""The options that every probe shares: defined once, given to a command as one record."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, TypedDict, get_type_hints

from . import options
from .loading import typed_command, user_cache
from .report import Report

if TYPE_CHECKING:
    from ..data.bitext import Bitext, ParallelText
    from ..models.cache import EmbeddingCache
    from ..models.encoder import Encoder


class RunOptions(TypedDict):
    """Keyword arguments that the `run` of every probe takes."""

    cache: EmbeddingCache
    command: str
    batch_tokens: int | None
    progress: bool


@dataclass(frozen=True, slots=True)
class Common:
    """What was given for the shared options."""

    model: options.Model = options.DEFAULT_MODEL
    corpus: options.Corpus = None
    limit: options.Limit = None
    skip_bad: options.SkipBad = False
    device: options.Device = None
    batch_tokens: options.BatchTokens = None
    seed: options.Seed = 0
    out: options.Out = options.REPORTS
    output_format: options.Format = "both"
    plotlyjs: options.Plotlyjs = "inline"
    open_page: options.OpenPage = False
    quiet: options.Quiet = False
    trust_remote_code: options.TrustCode = False

    def report(self, probe: str) -> Report:
        """Return where the results of a probe go; refuses what cannot be written."""
        return Report(self.out / probe, self.output_format, self.plotlyjs, self.open_page, self.quiet)

    def text(self, languages: list[str]) -> ParallelText:
        """Open the corpus in some languages."""
        from ..data.open import open_corpus

        return open_corpus(self.corpus, languages, limit=self.limit, seed=self.seed, skip_bad=self.skip_bad)

    def bitext(self, source: str, target: str) -> Bitext:
        """Open the corpus and take two of its languages."""
        from ..data.languages import canonical_code

        return self.text([source, target]).bitext(canonical_code(source), canonical_code(target))

    def encoder(self, model: str | None = None) -> Encoder:
        """Load the model, or another one with the same options."""
        from ..models.encoder import load_encoder

        return load_encoder(model or self.model, device=self.device, trust_remote_code=self.trust_remote_code)

    def encoders(self, target_model: str | None) -> tuple[Encoder, Encoder]:
        """Load the encoder of the source side and of the target side: one and the same unless two are named."""
        source = self.encoder()
        return source, source if target_model in (None, self.model) else self.encoder(target_model)

    def run_options(self) -> RunOptions:
        """Return what the `run` of every probe takes besides its inputs."""
        return {
            "cache": user_cache(),
            "command": typed_command(),
            "batch_tokens": self.batch_tokens,
            "progress": not self.quiet,
        }


def shared(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options: its parameter `common` becomes one option for each field of `Common`."""
    hints = get_type_hints(Common, include_extras=True)
    own = inspect.signature(function, eval_str=True).parameters
    parameters = [p for p in own.values() if p.name != "common"]
    for field in fields(Common):
        assert field.default is not MISSING
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(field.name, kind, default=field.default, annotation=hints[field.name]))

    @functools.wraps(function)
    def command(**given: Any) -> None:  # noqa: ANN401 - what the command line parsed
        common = Common(**{field.name: given.pop(field.name) for field in fields(Common)})
        function(**given, common=common)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    del command.__wrapped__
    return command

"""Options that several commands share: defined once, given to a command as one record."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, get_type_hints

import typer

from ..errors import ConfigError
from ..stages import stage
from . import options
from .loading import (
    check_languages,
    check_models,
    check_pair,
    in_several_processes,
    typed_command,
    user_cache,
)
from .report import Report

if TYPE_CHECKING:
    from ..data.bitext import Bitext, ParallelText
    from ..data.questions import Questions
    from ..models.cache import EmbeddingCache
    from ..models.encoder import Encoder

R = TypeVar("R")


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
    columns: options.Columns = None
    limit: options.Limit = None
    skip_bad: options.SkipBad = False
    device: options.Device = None
    batch_tokens: options.BatchTokens = None
    seed: options.Seed = 0
    quiet: options.Quiet = False
    trust_remote_code: options.TrustCode = False
    half_cache: options.HalfCache = False
    task: options.Task = None

    def check(self, *models: str | None) -> None:
        """Refuse names and numbers that are wrong whatever the text holds, before anything is loaded.

        Raises
        ------
        ConfigError, ModelError
        """
        check_models(self.model, *models, device=self.device)
        for option, value, least in (("--batch-tokens", self.batch_tokens, 1), ("--seed", self.seed, 0)):
            if value is not None and value < least:
                raise ConfigError(f"{option} must be at least {least}, got {value}")

    def check_text(self, languages: Sequence[str], further: Sequence[str] | None = ()) -> None:
        """Refuse a corpus that is not there, and languages that are none or that the built-in corpus lacks.

        Raises
        ------
        ConfigError, DataError
        """
        from ..data.open import find_corpus

        asked = [*languages, *(further or ())]
        check_languages(asked)
        find_corpus(self.corpus, asked, columns=self.columns or (), limit=self.limit)

    def check_pair(self, source: str, target: str, further: Sequence[str] | None = ()) -> None:
        """Refuse what `check_text` does, and a language paired with itself."""
        check_pair(source, target)
        self.check_text([source, target], further)

    def check_several(self, languages: Sequence[str], *, least: int, further: Sequence[str] | None = ()) -> None:
        """Refuse what `check_text` does, and too few languages."""
        if len(languages) < least:
            raise ConfigError(
                f"expected at least {least} languages, got {len(languages)}: {', '.join(languages)}; "
                f"such as `{' '.join(('en', 'fr', 'de')[:least])}`"
            )
        self.check_text(languages, further)

    def check_questions(self) -> None:
        """Refuse a question set that is not one folder, and one that is not there."""
        if self.corpus is not None and len(self.corpus) != 1:
            raise ConfigError(f"a question set is one folder, got {len(self.corpus)}: give --corpus once")
        if self.corpus is not None and not Path(self.corpus[0]).is_dir():
            raise ConfigError(
                f"no such folder: {self.corpus[0]}; a question set has a file NAME.LANGUAGE.json a language"
            )

    def text(self, languages: list[str]) -> ParallelText:
        """Open the corpus in some languages."""
        from ..data.open import open_corpus

        stage(f"reading {'the built-in sentences' if self.corpus is None else ', '.join(self.corpus)}")
        return open_corpus(
            self.corpus,
            languages,
            columns=self.columns or (),
            limit=self.limit,
            seed=self.seed,
            skip_bad=self.skip_bad,
        )

    def text_with_instruments(self, languages: Sequence[str], instruments: Sequence[str] | None) -> ParallelText:
        """Open the corpus in some languages and in those that serve as instruments; None are those of the default."""
        from ..data.builtin import default_instruments

        chosen = default_instruments(self.corpus, languages) if instruments is None else instruments
        return self.text([*languages, *chosen])

    def bitext(self, source: str, target: str) -> Bitext:
        """Open the corpus and take two of its languages."""
        from ..data.languages import canonical_code

        return self.text([source, target]).bitext(canonical_code(source), canonical_code(target))

    def questions(self, asked: str, answered: str) -> Questions:
        """Open the question set, or the built-in one: questions in one language, passages in another."""
        from ..data.questions import open_questions

        folder = None if self.corpus is None else self.corpus[0]
        return open_questions(folder, asked, answered).limited(self.limit, self.seed)

    def encoder(self, model: str | None = None) -> Encoder:
        """Load the model, or another one with the same options."""
        stage(f"loading {model or self.model}")
        from ..files import default_cache_dir
        from ..models.encoder import load_encoder

        return load_encoder(
            model or self.model,
            device=self.device,
            task=self.task,
            trust_remote_code=self.trust_remote_code,
            notes=None if in_several_processes() else default_cache_dir(),
        )

    def encoders(self, target_model: str | None) -> tuple[Encoder, Encoder]:
        """Load the encoder of the source side and of the target side: one and the same unless two are named."""
        source = self.encoder()
        return source, source if target_model in (None, self.model) else self.encoder(target_model)

    def run_options(self) -> RunOptions:
        """Return what the `run` of every probe takes besides its inputs."""
        return {
            "cache": user_cache(half=self.half_cache),
            "command": typed_command(),
            "batch_tokens": self.batch_tokens,
            "progress": not self.quiet,
        }


@dataclass(frozen=True, slots=True)
class Probing(Common):
    """What was given for the options of a probe."""

    no_texts: options.NoTexts = False
    out: options.Out = options.REPORTS
    output_format: options.Format = "both"
    plotlyjs: options.Plotlyjs = "inline"
    open_page: options.OpenPage = False
    force: options.Force = False
    again: options.Again = False

    def report(self, probe: str) -> Report:
        """Return where the results of a probe go; refuses what cannot be written."""
        return Report(self.out / probe, self.output_format, self.plotlyjs, self.open_page, self.quiet)

    def measured(
        self,
        report: Report,
        name: str,
        kind: type[R],
        run: Callable[..., R],
        *given: object,
        **extras: object,
    ) -> R:
        """Return what a probe measures, or the report of that name where it was measured from the same inputs."""
        from ..probe.experiment import reuse

        def say_where(path: Path) -> None:
            typer.echo(f"measured before from the same text, model, settings and code, read from {path}", err=True)
            typer.echo("to measure it again give --force", err=True)

        return reuse.measured(
            report.path_of(name),
            kind,
            run,
            *given,
            force=self.force or self.again or in_several_processes(),
            options={**self.run_options()},
            depends_on=(self.half_cache, self.batch_tokens),
            save=False,
            on_reuse=say_where,
            **extras,
        )


def given_as(**records: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options by records: its parameter of a record's name becomes one option for each field of it."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(function, eval_str=True).parameters
        parameters = [p for p in own.values() if p.name not in records]
        for record in records.values():
            hints = get_type_hints(record, include_extras=True)
            parameters += [
                inspect.Parameter(
                    field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
                )
                for field in fields(record)
            ]

        @functools.wraps(function)
        def command(**given: Any) -> None:  # noqa: ANN401 - what the command line parsed
            made = {
                name: record(**{field.name: given.pop(field.name) for field in fields(record)})
                for name, record in records.items()
            }
            function(**given, **made)

        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        del command.__wrapped__
        return command

    return decorate


shared = given_as(common=Common)
probing = given_as(common=Probing)

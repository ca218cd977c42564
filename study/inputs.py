"""Texts and models of a study, each opened once in a process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.bitext import GROUP, ParallelText
from ..data.builtin import default_instruments
from ..data.ciphers import CIPHER, INSTRUMENT, Cipher, code_words, encipher
from ..data.open import open_corpus
from ..files import default_cache_dir, write_text
from ..probe.experiment.reuse import inputs_digest, words_of
from .file import MISPAIRED, NEW, UNTRAINED, WORDS, Corpus, StudyFile

if TYPE_CHECKING:
    from ..models.encoder import Encoder

WORDS_WIDTH = 64  # of the words encoder on plain text


@dataclass(slots=True, eq=False)
class Inputs:
    """Opens what cells need.

    Parameters
    ----------
    study : StudyFile
    folder : Path
        Of the study's output; ciphers that are trained on are written into it.
    """

    study: StudyFile
    folder: Path
    texts: dict[tuple[object, ...], ParallelText] = field(default_factory=dict)
    encoders: dict[str, Encoder] = field(default_factory=dict)
    code: dict[tuple[str, ...], str] = field(default_factory=dict)

    def key(self, *given: object, rooms: tuple[str, ...]) -> str:
        """Return a digest of what is given, of the code of some rooms (read once), and of versions of libraries."""
        if rooms not in self.code:
            self.code[rooms] = inputs_digest(rooms=rooms)
        words = (word for value in given for word in words_of(value))
        return hashlib.blake2b("\0".join([*words, self.code[rooms]]).encode(), digest_size=16).hexdigest()

    def text(self, corpus: Corpus, languages: Sequence[str], *, whole: bool = False) -> ParallelText:
        """Open some languages of a corpus with its instruments; `whole` for training text, which has none.

        Raises
        ------
        DataError
            As `open_corpus`.
        """
        asked = tuple(languages)
        key = (corpus.name, asked, whole)
        if key not in self.texts:
            self.texts[key] = self._opened(corpus, asked, whole=whole)
        return self.texts[key]

    def _opened(self, corpus: Corpus, languages: tuple[str, ...], *, whole: bool) -> ParallelText:
        given = corpus.corpus or None
        if corpus.cipher:
            pivot = self.study.pivot
            plain = open_corpus(given, (pivot,), limit=corpus.limit, seed=corpus.seed)
            mispaired = corpus.cipher == MISPAIRED
            return encipher(plain, pivot, Cipher(corpus.order, mispaired, corpus.seed))  # type: ignore[arg-type]
        instruments: tuple[str, ...] = ()
        if not whole:
            found = default_instruments(given, languages) if corpus.instruments is None else corpus.instruments
            instruments = tuple(code for code in found if code not in languages)
        return open_corpus(given, (*languages, *instruments), limit=corpus.limit, seed=corpus.seed)

    def training_corpus(self, corpus: Corpus) -> tuple[str, ...]:
        """Return a corpus as training takes it: a cipher as the path of its file, which is written now."""
        if not corpus.cipher:
            return corpus.corpus
        text = self.text(corpus, (self.study.pivot, CIPHER), whole=True)
        path = self.folder / "texts" / f"{corpus.name}-{text.fingerprint[:12]}.tsv"
        if not path.is_file():
            names = [*text.languages, *([GROUP] if text.groups is not None else [])]
            columns = [text.table.column(name).to_pylist() for name in names]
            rows = ("\t".join(map(str, row)) for row in zip(*columns, strict=True))
            write_text(path, "\n".join(["\t".join(names), *rows]) + "\n")
        return (str(path),)

    # ------------------------------------------------------------ models

    def model_words(self, model: str, seed: int, corpus: Corpus | None = None) -> tuple[str, ...]:
        """Return what identifies a model that is there; of weights drawn at random the seed too."""
        if model == NEW:
            return (NEW,)
        if model == WORDS:
            width = corpus.width if corpus is not None and corpus.cipher else WORDS_WIDTH
            cipher = (corpus.cipher, str(corpus.seed)) if corpus is not None else ()
            return (WORDS, str(width), *cipher, str(seed))
        if model.startswith(UNTRAINED):
            return (UNTRAINED, self.encoder(model.removeprefix(UNTRAINED)).fingerprint, str(seed))
        encoder = self.encoder(model)
        return (encoder.fingerprint, encoder.device)

    def encoder(self, model: str, *, name: str = "") -> Encoder:
        """Load a model; its weights only where a text is encoded anew.

        Raises
        ------
        ModelError, MissingExtraError, ConfigError
            As `load_encoder`.
        """
        if model not in self.encoders:
            from ..models.encoder import load_encoder

            self.encoders[model] = load_encoder(model, device=self.study.device, notes=default_cache_dir())
            self.encoders[model].name = name or model
        return self.encoders[model]

    def drawn(self, model: str, corpus: Corpus, languages: tuple[str, str], seed: int) -> Encoder:
        """Return an encoder whose weights are drawn: of the words of a text, or in the shape of another.

        Parameters
        ----------
        model : str
            `words`, or `untrained:NAME`.
        corpus : Corpus
        languages : (str, str)
        seed : int
        """
        if model == WORDS:
            return self._words(corpus, languages, seed)
        from ..models.untrained import untrained

        made = untrained(self.encoder(model.removeprefix(UNTRAINED)), seed=seed)
        made.name = model
        return made

    def _words(self, corpus: Corpus, languages: tuple[str, str], seed: int) -> Encoder:
        from ..data.ciphers import words_of
        from ..models.lookup import lookup_encoder, planted_vectors, random_vectors

        text = self.text(corpus, languages)
        if not corpus.cipher:
            every = {word for code in text.languages for row in text.column(code) for word in words_of(row)}
            return lookup_encoder(random_vectors(sorted(every), WORDS_WIDTH, seed))
        rows = [row.split() for row in text.column(self.study.pivot)]
        plain = sorted({word for row in rows for word in row})
        codes = [code_words(plain, corpus.seed, language=code) for code in (CIPHER, INSTRUMENT)]
        planted = "rotation" if corpus.cipher == MISPAIRED else corpus.cipher
        length = sum(map(len, rows)) / len(rows)
        vectors = random_vectors(plain, corpus.width, seed)
        return lookup_encoder(planted_vectors(vectors, codes, planted, length=length, seed=seed))  # type: ignore[arg-type]

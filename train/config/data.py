"""Settings of the training text."""

from __future__ import annotations

from dataclasses import dataclass, field

from .checks import PYTHON_ONLY, require


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """The text to train on, and the text that must not be in it.

    Parameters
    ----------
    corpus : tuple of str
        Built-in or hub name, file, or folder; repeat it for a pair of Moses files. By default the built-in corpus.
    columns : tuple of str
        What stands in each column of the files, such as -,en,fr (- is left out), or NAME=LANGUAGE; if need be.
    limit : int, optional
        Sample at most this many pairs, with the seed.
    skip_bad : bool
        Leave out rows that cannot be used, and count them, instead of refusing the corpus.
    evaluation : tuple of str
        Corpus used for evaluation; training rows that overlap with it are dropped and counted. Repeat it.
    allow_overlap : bool
        Keep overlapping rows; the model card says so.
    held_out : float
        Share of the concept groups held out for the metrics before and after training, in (0, 0.5].
    held_out_rows : int
        Greatest number of held-out rows.
    """

    corpus: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    limit: int | None = None
    skip_bad: bool = False
    evaluation: tuple[str, ...] = ()
    allow_overlap: bool = False
    held_out: float = 0.1
    held_out_rows: int = field(default=1000, metadata=PYTHON_ONLY)

    def __post_init__(self) -> None:
        """Check every range."""
        require(self.limit is None or self.limit >= 1, f"--limit must be positive, got {self.limit}")
        require(0 < self.held_out <= 0.5, f"--held-out must lie in (0, 0.5], got {self.held_out}")
        require(self.held_out_rows >= 1, f"held_out_rows must be positive, got {self.held_out_rows}")

    @property
    def corpus_name(self) -> str:
        """Name of the text in results."""
        return " ".join(self.corpus) or "builtin"

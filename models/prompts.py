"""The prompts of a model: which one a task takes, and how a model is saved so that others take the same one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: Under which names the library looks for the prompt of a task, the first that is there.
NAMES = {"query": ("query",), "document": ("document", "passage", "corpus")}


def prompt_of(model: "SentenceTransformer", task: str | None = None) -> str | None:
    """Return the prompt that a model's own configuration gives to a task.

    Parameters
    ----------
    model : SentenceTransformer
    task : str, optional
        `query`, `document`, or the name of a prompt; the default prompt if not given, or if the task has none.

    Returns
    -------
    str or None
        None if the configuration names no prompt for it.
    """
    prompts = model.prompts
    for name in NAMES.get(task or "", (task,)):
        if name is not None and prompts.get(name):
            return prompts[name]
    return prompts.get(model.default_prompt_name or "")


def no_prompt(task: str | None) -> str | None:
    """Know no prompt of any task."""
    return None


def chosen_prompt(
    model: "SentenceTransformer", task: str | None, known_prompt: Callable[[str | None], str | None]
) -> str:
    """Return the prompt with which a model reads the texts of a task, or of none.

    Parameters
    ----------
    model : SentenceTransformer
    task : str or None
    known_prompt : callable
        Returns what is known of the prompt of a task beside the settings of the model. It goes before the default
        prompt of the model, and behind what the model has for a task.
    """
    own = None if task is None else prompt_of(model, task)
    if own is None:
        own = known_prompt(task)
    return (prompt_of(model) if own is None else own) or ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How texts are read: what was asked for, and what is known of the model's prompts beside its own settings."""

    prompt: str | None = None  # as for `Encoder`
    max_length: int | None = None
    task: str | None = None
    known_prompt: Callable[[str | None], str | None] = no_prompt  # of a task, or of none

    @property
    def may_follow_a_task(self) -> bool:
        """Whether neither prompt nor task was asked for."""
        return self.prompt is None and self.task is None

    def prompt_of(self, model: "SentenceTransformer", task: str | None) -> str:
        """Return the prompt with which a model reads the texts of a task, unless a prompt or a task was asked for.

        Parameters
        ----------
        model : SentenceTransformer
        task : str or None
        """
        asked = self.task or task
        return chosen_prompt(model, asked, self.known_prompt) if self.prompt is None else self.prompt


def prompts_with(
    model: "SentenceTransformer", prompt: str, document: str | None = None
) -> tuple[dict[str, str], str | None]:
    """Return the prompts of a model, and the name of its default, so that texts are read with a prompt by default.

    Every prompt of the model stays. A model that has none for queries and documents gets this one for both, or another
    one for documents, and where only `passage` or `corpus` is named, `document`, at which the library looks first, gets
    the same text.

    Parameters
    ----------
    model : SentenceTransformer
    prompt : str
        May be empty: then there is no default.
    document : str, optional
        Of documents, where the model has no prompts.
    """
    prompts = {name: text or "" for name, text in model.prompts.items()}
    if not any(prompts.values()):
        prompts |= dict.fromkeys(NAMES, prompt) | ({} if document is None else {"document": document})
    if not prompts.get("document"):
        prompts["document"] = next((prompts[name] for name in NAMES["document"] if prompts.get(name)), "")
    if not prompt:
        return prompts, None
    named = (model.default_prompt_name or "", *prompts)
    default = next((name for name in named if prompts.get(name) == prompt), "default")
    return {**prompts, default: prompt}, default


def set_prompt(model: "SentenceTransformer", prompt: str, document: str | None = None) -> None:
    """Make a model read texts with a prompt by default, in place, as `prompts_with` says.

    Parameters
    ----------
    model : SentenceTransformer
    prompt : str
        May be empty.
    document : str, optional
        Of documents, where the model has no prompts.
    """
    prompts, model.default_prompt_name = prompts_with(model, prompt, document)
    model.prompts = {**prompts}

"""The prompts of a model: which one a task takes, and how a model is saved so that others take the same one."""

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


def prompts_with(model: "SentenceTransformer", prompt: str) -> tuple[dict[str, str], str | None]:
    """Return the prompts of a model, and the name of its default, so that texts are read with a prompt by default.

    Every prompt of the model stays. A model that has none for queries and documents gets this one for both, and where
    only `passage` or `corpus` is named, `document`, at which the library looks first, gets the same text.

    Parameters
    ----------
    model : SentenceTransformer
    prompt : str
        May be empty: then there is no default.
    """
    prompts = {name: text or "" for name, text in model.prompts.items()}
    if not any(prompts.values()):
        prompts |= dict.fromkeys(NAMES, prompt)
    if not prompts.get("document"):
        prompts["document"] = next((prompts[name] for name in NAMES["document"] if prompts.get(name)), "")
    if not prompt:
        return prompts, None
    named = (model.default_prompt_name or "", *prompts)
    default = next((name for name in named if prompts.get(name) == prompt), "default")
    return {**prompts, default: prompt}, default


def set_prompt(model: "SentenceTransformer", prompt: str) -> None:
    """Make a model read texts with a prompt by default, in place, as `prompts_with` says.

    Parameters
    ----------
    model : SentenceTransformer
    prompt : str
        May be empty.
    """
    prompts, model.default_prompt_name = prompts_with(model, prompt)
    model.prompts = {**prompts}

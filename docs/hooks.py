"""Pages of the site that stand elsewhere or are made: README and others of the root, commands, public names."""

from __future__ import annotations

import re
from pathlib import Path

import polyglot
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from polyglot.cli import application
from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[1]
#: Pages that are files of the root, by their name in the site.
FROM_ROOT = {
    "index.md": "README.md",
    "architecture.md": "ARCHITECTURE.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
}
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(#[^)\s]*)?\)")
PUBLISHED = (".html", ".json", ".js", ".png")
#: Headings of the page of public names, by the beginning of their modules.
HEADINGS = {
    "interface": "Probes, training, results",
    "data": "Text",
    "models": "Encoders",
    "analysis.maps": "Maps",
    "analysis.similarity": "Similarity of representations",
    "probe": "Settings of probes",
    "train": "Settings of training",
    "errors": "Errors",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and the published study with the results that it leads to."""
    made = {name: (ROOT / path).read_text(encoding="utf-8") for name, path in FROM_ROOT.items()}
    made |= {"examples.md": examples(), "commands.md": commands(), "api.md": public_names()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for path in (*(ROOT / "reports").glob("study.*"), *(ROOT / "reports" / "study").iterdir()):
        if path.suffix in PUBLISHED:
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return a page with the links, which are those of the repository, as they are in the site."""
    names = {path: name for name, path in FROM_ROOT.items()} | {"examples/README.md": "examples.md"}

    def moved(match: re.Match[str]) -> str:
        target = match[1].removeprefix("../")
        return f"]({names.get(target, target.removeprefix('docs/'))}{match[2] or ''})"

    return LINK.sub(moved, markdown)


def examples() -> str:
    """Return the list of examples, and below it each script."""
    text = re.sub(
        r"\[(\w+)\.py\]\(\w+\.py\)", r"[\1.py](#\1py)", (ROOT / "examples/README.md").read_text(encoding="utf-8")
    )
    scripts = sorted((ROOT / "examples").glob("*.py"))
    return text + "".join(f"\n## {path.name}\n\n```python\n{path.read_text(encoding='utf-8')}```\n" for path in scripts)


def commands() -> str:
    """Return every command with its options, as Typer documents an application."""
    command = get_command(application())
    return get_docs_for_click(obj=command, ctx=Context(command), name="polyglot", title="Commands")


def public_names() -> str:
    """Return a page that has mkdocstrings document every public name."""
    parts = ["# Python\n\nEverything below is imported from `polyglot`.\n"]
    for room, heading in HEADINGS.items():
        modules = {module: names for module, names in polyglot._MODULES.items() if module.startswith(room)}
        parts.append(f"\n## {heading}\n")
        parts += [f"\n::: polyglot.{module}.{name}\n" for module, names in modules.items() for name in names]
    return "".join(parts)

"""Documents: links lead somewhere, commands are parsed by the application, Python names exist."""

import ast
import importlib
import inspect
import re
import shlex
import subprocess
from pathlib import Path

import polyglot
import pytest
import typer
from polyglot import cli

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
PAGES = [name for name in TRACKED.split() if not name.startswith(("reports/", "data/", ".github/"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PLACEHOLDERS = ("…", "[", "|", "{")


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, *languages):
    """Return the code blocks of a page in some languages."""
    return [text for language, text in FENCE.findall(read(page)) if language in languages]


def typed(page):
    """Return the arguments of every `polyglot` that a page has typed into a shell."""
    lines = "\n".join(blocks(page, "", "console", "sh", "bash")).replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        words = line.removeprefix("$ ")
        starts = re.match(r"(?:polyglot|(?:torchrun|python)(?: --[\w-]+ \S+)* -m polyglot) ", words)
        if starts:
            found.append(shlex.split(words[starts.end() :], comments=True))
    return found


def mentioned(page):
    """Return the arguments of every `polyglot` that a page mentions within a line."""
    prose = FENCE.sub("", read(page))
    return [code.split()[1:] for code in INLINE.findall(prose) if code.startswith("polyglot ")]


@pytest.fixture(scope="module")
def application():
    """The application whose commands do nothing: what is left of them is how they read their arguments."""

    def disarm(command):
        command.callback = lambda **_: None
        for inner in getattr(command, "commands", {}).values():
            disarm(inner)
        return command

    return disarm(typer.main.get_command(cli.application()))


def parse(application, words):
    """Have the application read arguments; raises what it would print."""
    application.main(args=words, standalone_mode=False)


def command_named(application, words):
    """Return the command that the first words name, and the words behind it."""
    words = list(words)
    command = application
    while words and (inner := getattr(command, "commands", {}).get(words[0])):
        command, words = inner, words[1:]
    return command, words


def options(command):
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def all_options(command):
    return options(command).union(*(all_options(inner) for inner in getattr(command, "commands", {}).values()))


def options_of_scripts():
    """Return the options that scripts beside the package take, and the one that every command has."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks").glob("*.py"))
    return {"--help"}.union(*(re.findall(r'"(--[\w-]+)"', text) for text in texts))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    targets = [target for target, _ in LINK.findall(FENCE.sub("", read(page))) if target]
    assert [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if typed(page)])
def test_commands_are_read_by_the_application(page, application):
    for words in typed(page):
        parse(application, words)


@pytest.mark.parametrize("page", [page for page in PAGES if mentioned(page) and page != "CHANGELOG.md"])
def test_commands_within_a_line_exist_with_their_options(page, application):
    for words in mentioned(page):
        command, rest = command_named(application, words)
        assert command is not application or words[0].startswith((*PLACEHOLDERS, "-")), words
        group = hasattr(command, "commands")
        assert not (group and rest) or rest[0].startswith((*PLACEHOLDERS, "-")), words
        given = {word.strip("[]") for word in rest if word.strip("[]").startswith("--")}
        assert group or given <= options(command) | {"--help"}, words


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_options_within_a_line_are_those_of_some_command(page, application):
    named = {code.split()[0] for code in INLINE.findall(FENCE.sub("", read(page))) if code.startswith("--")}
    assert named - all_options(application) - options_of_scripts() == set()


def public_calls(tree):
    """Yield (name, keywords) of every use of a public name."""
    for node in ast.walk(tree):
        call = node.func if isinstance(node, ast.Call) else node
        if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id == "polyglot":
            yield call.attr, [key.arg for key in node.keywords] if isinstance(node, ast.Call) else []


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_python_uses_names_that_exist(page):
    for block in blocks(page, "python"):
        tree = ast.parse(block)
        for name, keywords in public_calls(tree):
            assert name in polyglot.__all__
            taken = inspect.signature(getattr(polyglot, name)).parameters
            open_ended = any(one.kind is one.VAR_KEYWORD for one in taken.values())
            assert open_ended or set(keywords) <= set(taken)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("polyglot"):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names)


def test_pages_are_found():
    assert {"README.md", "docs/tutorial.md", "examples/README.md"} <= set(PAGES)
    assert sum(len(typed(page)) for page in PAGES) > 20


@pytest.mark.parametrize("words", [["probe", "linear-mop", "fr", "en"], ["probe", "layers", "fr", "en", "--lmit", "3"]])
def test_a_command_that_does_not_exist_is_noticed(application, words):
    with pytest.raises(Exception, match="No such"):
        parse(application, words)

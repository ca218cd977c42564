"""docs/method.md: every section that code or pages refer to is there, and pages carry its text."""

import re
import subprocess
from pathlib import Path

import pytest
from polyglot.errors import PolyglotError
from polyglot.render import method
from polyglot.render.page import render

ROOT = Path(__file__).resolve().parents[2]
STUDY = sorted((ROOT / "reports" / "study").glob("*.json"))
REFERENCE = re.compile(r"\b[Mm]ethod(?:,)? (?:§|sections? )(\d+(?:(?:, | and |–)§?\d+)*)")
ABSENT = re.compile(r"METHOD(?:\.md)? ?§|METHOD\.md")


def tracked(*patterns):
    names = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in names.split() if (ROOT / name).is_file()]


def numbers(text):
    """Yield the numbers of the sections that a text refers to, those inside a range too."""
    for match in REFERENCE.finditer(text):
        for part in re.split(r", | and ", match[1].replace("§", "")):
            first, _, last = part.partition("–")
            yield from range(int(first), int(last or first) + 1)


def test_references_are_read():
    said = "(method §3) and method §1–3, §10; Method, section 5. METHOD §9 and methods 4"
    assert list(numbers(said)) == [3, 1, 2, 3, 10, 5]


def test_sections_are_numbered_from_one_and_begin_with_a_paragraph():
    found = method.sections()
    assert list(found) == list(range(1, len(found) + 1))
    for section in found.values():
        assert re.match(r"[A-Z].*[.]$", section.text)
        assert not re.search(r"[*`|#]|\n", section.text)


def test_every_reference_in_code_and_documents_has_its_section():
    files = tracked("*.py", "*.md", "*.html", ":(exclude)reports/*")
    cited = {number for path in files for number in numbers(path.read_text(encoding="utf-8"))}
    assert len(cited) > 5
    assert cited <= set(method.sections())


def test_no_reference_has_the_numbers_of_an_older_document():
    here = Path(__file__).resolve()
    old = [path for path in tracked("*.py", "*.html", "*.md") if ABSENT.search(path.read_text(encoding="utf-8"))]
    assert [path for path in old if path.resolve() != here] == []


@pytest.mark.parametrize("kind", sorted({path.name.split("-")[0] for path in STUDY}))
def test_links_of_a_page_lead_to_sections_inside_it(kind):
    path = next(path for path in STUDY if path.name.startswith(kind))
    try:
        html = render(path.read_text(encoding="utf-8"), plotlyjs="cdn")
    except PolyglotError as error:
        pytest.skip(str(error))
    links = {int(number) for number in re.findall(r'<a href="#section-(\d+)">', html)}
    texts = {int(number) for number in re.findall(r'<h3 id="section-(\d+)">', html)}
    assert links
    assert links == texts
    assert not re.search(r"Method, sections? \d", html)

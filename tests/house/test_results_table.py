"""docs/results.md says of every result schema what its fields are: the same as the dataclasses, in their order."""

import dataclasses
import importlib
import re
from pathlib import Path

import pytest
from polyglot.render.kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^## `(polyglot/[a-z-]+/\d+)`: `(\w+)` in (\S+)\.py$", re.M)
ROW = re.compile(r"^\| `(\w+)` \| (.+) \|$", re.M)


def sections():
    """Return (schema, class name, module) and the text of every section."""
    found = list(HEADING.finditer(TEXT))
    ends = [match.start() for match in found[1:]] + [len(TEXT)]
    return {match.groups(): TEXT[match.end() : end] for match, end in zip(found, ends, strict=True)}


def schemas():
    """Return every schema that a module of results declares, by module."""
    found = {}
    for path in (ROOT / "probe" / "results").glob("*.py"):
        declared = re.search(r'^SCHEMA = "(.+)"$', path.read_text(encoding="utf-8"), re.M)
        if declared:
            found[path.relative_to(ROOT).with_suffix("").as_posix()] = declared[1]
    return found


def test_every_schema_has_a_section_and_every_section_a_schema():
    assert {module: schema for schema, _, module in sections()} == schemas()


@pytest.mark.parametrize("named", sections(), ids=lambda named: named[0])
def test_the_table_lists_the_fields_in_their_order(named):
    schema, kind, module = named
    fields = dataclasses.fields(getattr(importlib.import_module(f"polyglot.{module.replace('/', '.')}"), kind))
    rows = ROW.findall(sections()[named])
    assert [name for name, _ in rows] == [field.name for field in fields]
    assert all(meaning.strip() for _, meaning in rows)
    default = next(field.default for field in fields if field.name == "schema")
    assert default in (schema, dataclasses.MISSING)


def test_every_page_is_of_a_schema_that_is_listed():
    assert set(KINDS) <= set(schemas().values())

"""Where a page leads: only to what lies beside it."""

import dataclasses
import json
import re

import pytest
from polyglot.probe.results.serialization import to_json
from polyglot.render.links import Link, links_of
from polyglot.render.write import write_page


@pytest.fixture(scope="module")
def small(result):
    one = dataclasses.replace(result.directions[0], explorer=(), worst=())
    return json.loads(to_json(dataclasses.replace(result, directions=(one,))))


def put(folder, name, value, *, page=True):
    (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    if page:
        (folder / f"{name}.html").write_text("page", encoding="utf-8")


def of_model(value, model, target="fr"):
    sides = [{**side, "model": model} for side in value["provenance"]["models"]]
    sides[1]["language"] = target
    return {**value, "provenance": {**value["provenance"], "models": sides}}


def test_a_page_alone_leads_nowhere(small, tmp_path):
    links = links_of(json.dumps(small), tmp_path / "en-fr.html")
    assert (links.index, links.json, links.partners) == ("", "", ())
    html = write_page(json.dumps(small), tmp_path / "en-fr.html", plotlyjs="directory").read_text(encoding="utf-8")
    assert all(address.startswith("#") for address in re.findall(r'href="([^"]*)"', html))


def test_a_page_leads_to_its_json_the_index_and_its_like(small, tmp_path):
    folder = tmp_path / "linear-map"
    folder.mkdir()
    (tmp_path / "index.html").write_text("index", encoding="utf-8")
    put(folder, "en fr", small)
    put(folder, "e5", of_model(small, "me5-small"))
    put(folder, "de", of_model(small, "minilm", "de"))
    put(folder, "de-e5", of_model(small, "me5-small", "de"))
    put(folder, "no-page", of_model(small, "me5-small"), page=False)
    put(folder, "side-by-side", {"schema": "polyglot/compare/1", "results": [{"file": "x/en fr.json"}]})
    put(folder, "of-others", {"schema": "polyglot/compare/1", "results": [{"file": "e5.json"}]})
    put(folder, "no-result", {"a": 1})
    (folder / "broken.json").write_text("{", encoding="utf-8")
    links = links_of(json.dumps(small), folder / "en fr.html")
    assert (links.index, links.json) == ("../index.html", "en%20fr.json")
    assert links.partners == (
        Link("MiniLM: English and German", "de.html"),
        Link("mE5-small: English and French", "e5.html"),
        Link("compared: side-by-side", "side-by-side.html"),
    )
    html = write_page(json.dumps(small), folder / "en fr.html", plotlyjs="directory").read_text(encoding="utf-8")
    assert '<a href="e5.html">mE5-small: English and French</a>' in html
    assert '<a href="../index.html">All results</a>' in html


def test_without_an_index_a_page_leads_to_the_study(small, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    (tmp_path / "study.html").write_text("study", encoding="utf-8")
    assert links_of(json.dumps(small), folder / "a.html").index == "../study.html"
    (folder / "index.html").write_text("index", encoding="utf-8")
    assert links_of(json.dumps(small), folder / "a.html").index == "index.html"


def test_the_citation_names_title_year_version_and_command(small, tmp_path):
    html = write_page(json.dumps(small), tmp_path / "en-fr.html", plotlyjs="directory").read_text(encoding="utf-8")
    cited = re.search(r'<details id="cite">.*?</details>', html, flags=re.S).group()
    for words in ("MiniLM: English → French", "year = {2026}", "polyglot probe linear-map en fr --seed 0"):
        assert words in cited

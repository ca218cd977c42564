"""The page as text: one file, everything escaped, the same bytes every time."""

import base64
import dataclasses
import gzip
import json
import re
from html.parser import HTMLParser

import pytest
from polyglot.errors import ConfigError, DataError, OutputError
from polyglot.probe.results.serialization import to_json
from polyglot.render import page
from polyglot.render.plotlyjs import bundle, script_hash
from polyglot.render.write import write_page

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "<!-- {{ 7 * 7 }} {% raw %} ${1} -->",
    "a\u200bb\u202ec\ufeff\u2028\u0000",
    "half a pair: \ud800",
    "x" * 5000,
    "<b>&lt;</b> &amp; @accent",
)
SAFE_FIELDS = {"schema", "verdict", "judged", "ceiling", "kind"}  # names that decide what is shown, not texts


class Structure(HTMLParser):
    """The elements of a page with the names of their attributes, and what stands in its scripts."""

    def __init__(self):
        super().__init__()
        self.elements = []
        self.scripts = []
        self._in_script = False

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        if tag == "script":
            self._in_script = True
            self.scripts.append([dict(attrs), ""])

    def handle_endtag(self, tag):
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data):
        if self._in_script:
            self.scripts[-1][1] += data


def structure(html):
    parsed = Structure()
    parsed.feed(html)
    return parsed


def with_texts(value, text, key=""):
    if isinstance(value, str):
        return value if key in SAFE_FIELDS or key in ("by_margin", "equivalences") else text
    if isinstance(value, list):
        return [with_texts(v, text, key) for v in value]
    if isinstance(value, dict):
        inherit = key if key in ("by_margin", "equivalences") else None
        return {k: with_texts(v, text, inherit or k) for k, v in value.items()}
    return value


@pytest.fixture(scope="module")
def small_json(pictured):
    one = pictured.directions[0]
    one = dataclasses.replace(one, explorer=one.explorer[:8], worst=one.worst[:2])
    return to_json(dataclasses.replace(pictured, directions=(one,)))


@pytest.fixture(scope="module")
def html(pictured_json):
    return page.render(pictured_json)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_changes_the_structure_of_the_page(small_json, text):
    value = json.loads(small_json)
    hostile = page.render(json.dumps(with_texts(value, text)), plotlyjs="directory")
    harmless = page.render(json.dumps(with_texts(value, "plain")), plotlyjs="directory")
    assert structure(hostile).elements == structure(harmless).elements
    assert len(structure(hostile).scripts) == len(structure(harmless).scripts)
    hostile.encode("utf-8")


def test_a_text_is_shown_as_it_was_written(small_json):
    value = json.loads(small_json)
    value["directions"][0]["worst"][0]["source_text"] = '5 < 6 & "7" </script>'
    html = page.render(json.dumps(value), plotlyjs="directory")
    assert "5 &lt; 6 &amp; &#34;7&#34; &lt;/script&gt;" in html


def test_the_same_result_gives_the_same_bytes(pictured_json, html):
    assert page.render(pictured_json) == html


def test_the_order_of_fields_and_unknown_fields_change_nothing(pictured_json, html):
    value = json.loads(pictured_json)
    value = dict(reversed(value.items()))
    value["an_idea_of_version_1_1"] = {"text": "ignored"}
    value["directions"][0]["another"] = [1, 2]
    assert page.render(json.dumps(value)) == html


def test_the_page_asks_nothing_of_the_network(html):
    addresses = [a for a in re.findall(r'(?:src|href|action)="([^"]*)"', html) if not a.startswith("#")]
    assert addresses == []
    assert "@import" not in html
    assert "url(" not in html


def test_the_policy_names_every_script_and_no_other(html):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html).group(1).replace("&#39;", "'")
    allowed = set(re.findall(r"sha256-[\w+/=]+", policy))
    run = {script_hash(text) for attrs, text in structure(html).scripts if attrs.get("type") is None}
    assert allowed == run | {script_hash(bundle().text)}
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]


def test_the_page_is_small_enough_to_send(html):
    assert len(html.encode()) < 3_000_000


def test_plotly_stands_in_the_page_once(html):
    assert len([1 for attrs, _ in structure(html).scripts if attrs.get("id") == "plotly-packed"]) == 1


def test_every_figure_has_title_caption_table_and_label(html):
    figures = re.findall(r'<figure class="result.*?</figure>', html, flags=re.S)
    assert len(figures) == 18
    for figure in figures:
        assert re.search(r"<h4[^>]*>.*?\w.*?</h4>", figure, flags=re.S)
        assert "<figcaption" in figure
        assert "Method, section" in figure
        assert "<details" in figure
        assert "<tbody>" in figure
        assert all(re.search(r'aria-label="[^"]+"', plot) for plot in re.findall(r'<div class="plot"[^>]*>', figure))
        assert "data-csv" in figure


def test_the_verdict_comes_before_every_figure(html):
    assert html.index('class="sentence"') < html.index("<figure ")


def test_caveats_are_counted_beside_how_sure_the_result_is(html):
    sure = html[html.index('class="sure"') : html.index('class="every"')]
    assert "<summary>4 caveats</summary>" in sure
    assert sure.count("<li") == 3 + 4


def test_the_provenance_says_how_to_make_it_again(html):
    block = html[html.index('id="provenance"') :]
    for word in ("polyglot probe linear-map en fr --seed 0", "sha256:4f7c0d1e9a2b", "sha256:91be55aa03c7", "float32"):
        assert word in block


def test_sentences_find_their_own_direction(html):
    assert re.search(r'dir="auto" lang="fr">العبّارة', html)


def test_exact_numbers_stand_beside_rounded_ones_for_the_csv(html):
    assert re.search(r'<td class="n" data-v="0\.0091?\d*">0\.009</td>', html) or 'data-v="0.462"' in html


def test_plotly_can_come_from_its_server(result_json):
    html = page.render(result_json, plotlyjs="cdn")
    tag = re.search(r"<script src=.*?>", html).group(0)
    assert bundle().cdn in tag
    assert 'integrity="sha384-' in tag
    assert 'crossorigin="anonymous"' in tag
    assert len(html) < 800_000


def test_plotly_can_lie_beside_the_page(result_json, tmp_path):
    path = write_page(result_json, tmp_path / "en-fr.html", plotlyjs="directory")
    assert path.read_text(encoding="utf-8") == page.render(result_json, plotlyjs="directory")
    shared = (tmp_path / bundle().packed_name).read_text(encoding="utf-8")
    packed = re.fullmatch(r'window\.plotlyPacked = "([\w+/=]+)";\n', shared).group(1)
    assert gzip.decompress(base64.b64decode(packed)).decode() == bundle().text


def test_a_written_page_is_the_rendered_one_and_nothing_else_is_left(pictured_json, html, tmp_path):
    path = write_page(pictured_json, tmp_path / "new" / "en-fr.html")
    assert path.read_text(encoding="utf-8") == html
    assert [p.name for p in path.parent.iterdir()] == ["en-fr.html"]


def test_a_page_that_cannot_be_written_is_an_error(result_json, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--out"):
        write_page(result_json, tmp_path / "file" / "en-fr.html")


def test_a_page_that_is_too_large_is_refused_before_it_is_written(small_json, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "LARGEST_PAGE", 100_000)
    with pytest.raises(OutputError, match="--limit"):
        write_page(small_json, tmp_path / "en-fr.html", plotlyjs="directory")
    assert not (tmp_path / "en-fr.html").exists()


def test_an_unknown_place_for_plotly_is_an_error(result_json):
    with pytest.raises(ConfigError, match="inline, cdn, directory"):
        page.render(result_json, plotlyjs="elsewhere")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "polyglot/linear-map/99"}', '{"schema": "other/1"}'])
def test_what_is_no_known_result_is_an_error(text):
    with pytest.raises(DataError):
        page.render(text)


def test_scripts_cannot_end_themselves_early():
    for name in ("hero.js", "page.js", "explorer.js", "index.js"):
        source = (page.TEMPLATES / name).read_text(encoding="utf-8")
        assert "</script" not in source.lower()
        assert "<!--" not in source


def test_a_bare_result_has_a_page_too(bare_json):
    html = page.render(bare_json, plotlyjs="directory")
    assert html.count("<figure ") == 2
    assert '<button type="button" role="tab"' not in html

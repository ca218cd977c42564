"""The page of a result in a real browser (see visits.py)."""

import json
import re
from pathlib import Path

import pytest
from polyglot.probe.compare.run import CompareConfig, Source, run
from polyglot.probe.results.serialization import to_json
from polyglot.render.index import write_index
from polyglot.render.write import write_page

from .visits import Visits, needs_axe, needs_chromium, serious, until

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def address(pictured_json, tmp_path_factory):
    value = json.loads(pictured_json)
    first = value["directions"][0]["explorer"][5]
    first["source_text"], first["target_text"] = "<b>Bold</b> & <i>brave</i>", "</script><img src=x onerror=alert(1)>"
    return write_page(json.dumps(value), tmp_path_factory.mktemp("page") / "en-fr.html").as_uri()


def ready(page):
    page.wait_for_selector("html[data-ready]", state="attached")
    page.evaluate("for (const details of document.querySelectorAll('.statistics')) details.open = true")
    until(page, "document.querySelectorAll('#en-fr .plot svg.main-svg:first-child').length === 17")
    return page


@pytest.fixture(scope="module")
def kept(browser, address):
    """One page that many tests look at."""
    made = Visits(browser)
    yield made, ready(made.open(address))
    made.close()


@pytest.fixture
def page(kept):
    """The page that is kept open, as it was at first; it may not have complained since."""
    made, page = kept
    page.get_by_role("tab", name="English → French").click()
    if page.locator("#en-fr-explorer .clear").is_visible():
        page.locator("#en-fr-explorer .clear").click()
    page.mouse.move(1, 1)
    yield page
    assert made.complaints == []


def center(page, selector, place):
    found = page.locator(selector).nth(place)
    found.scroll_into_view_if_needed()
    box = found.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def point_at(page, panel, place):
    page.locator(panel).scroll_into_view_if_needed()
    page.mouse.move(*center(page, f"{panel} .points path", place))


def marked(page, side):
    script = "id => document.getElementById(id).data[0].selectedpoints"
    return page.evaluate(script, f"en-fr-explorer-{side}")


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_every_visible_figure_is_drawn_and_nothing_overflows(visits, address, width, scheme):
    page = ready(visits.open(address, width=width, scheme=scheme))
    assert page.locator("#en-fr .plot").count() == 17
    assert page.evaluate("document.documentElement.scrollWidth") <= width


CUT = """() => [...document.querySelectorAll(".plot")].filter((plot) => plot.clientWidth).flatMap((plot) => {
  const box = plot.getBoundingClientRect();
  return [...plot.querySelectorAll(".xtitle, .ytitle, .xtick text, .ytick text, .legendtext")]
    .filter((text) => text.textContent)
    .filter((text) => {
      const own = text.getBoundingClientRect();
      const across = own.left < box.left - 1 || own.right > box.right + 1;
      return across || own.top < box.top - 1 || own.bottom > box.bottom + 1;
    })
    .map((text) => `${plot.id}: ${text.textContent}`);
})"""


@pytest.mark.parametrize("width", [390, 1280])
def test_no_axis_is_cut(visits, address, comparison, tmp_path, width):
    page = ready(visits.open(address, width=width))
    assert page.evaluate(CUT) == []
    page = visits.open(write_page(comparison, tmp_path / "page.html").as_uri(), width=width)
    until(page, "document.querySelectorAll('.plot svg.main-svg:first-child').length === 8")
    assert page.evaluate(CUT) == []


SOURCES = "#en-fr-hero .still:nth-of-type({}) .sources:not(.cloud)"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_first_screen_needs_no_scrolling(visits, address, width, height, motion):
    page = visits.open(address, width=width, height=height, motion=motion)
    for selector in ("h1", ".chip", ".sentence", ".geometry", ".big", ".unit", ".maps", ".still", ".hero figcaption"):
        box = page.locator(f"#en-fr .first {selector} >> visible=true").first.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= height, selector
        assert box["x"] + box["width"] <= width, selector


def test_keys_choose_the_map_and_its_points_and_number_move(visits, address):
    page = visits.open(address, motion="no-preference")
    assert page.locator("#en-fr-hero svg:visible").count() == 1
    before = page.locator(SOURCES.format(1)).get_attribute("d")
    page.locator("#en-fr-hero input").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('#en-fr-hero output').textContent.includes('68\u202f% found first [67, 69]')")
    assert page.locator(SOURCES.format(1)).get_attribute("d") != before
    assert page.locator("#en-fr-hero .found").first.get_attribute("d").count("M") > 30


def test_a_pair_of_the_picture_is_read_by_pointer_and_by_keys(visits, address, pictured):
    page = visits.open(address, motion="no-preference")
    page.locator("#en-fr-hero svg").first.focus()
    page.keyboard.press("ArrowRight")
    said = page.locator("#en-fr-hero .pair-text")
    assert said.locator("span").all_text_contents() == [
        pictured.directions[0].picture.source_texts[0],
        pictured.directions[0].picture.target_texts[0],
    ]
    page.keyboard.press("Escape")
    assert "not found first" in said.text_content()


def test_with_reduced_motion_there_are_two_still_pictures(page):
    assert page.locator("#en-fr-hero svg:visible").count() == 2
    names = page.locator("#en-fr-hero .still-name").all_text_contents()
    assert [name.split(":")[0] for name in names] == ["no map", "rotation"]
    first, second = (page.locator(SOURCES.format(place)).get_attribute("d") for place in (1, 2))
    page.locator("#en-fr-hero label", has_text="linear").click()
    assert page.locator(SOURCES.format(1)).get_attribute("d") == first
    assert page.locator(SOURCES.format(2)).get_attribute("d") != second
    page.locator("#en-fr-hero label", has_text="rotation").click()


def test_the_other_direction_is_drawn_when_its_tab_is_opened(page):
    assert not page.locator("#fr-en").is_visible()
    page.get_by_role("tab", name="French → English").click()
    page.wait_for_selector("#fr-en-ladder-r2-plot svg.main-svg")
    assert page.locator("#fr-en").is_visible()
    assert not page.locator("#en-fr").is_visible()


def test_tabs_answer_to_the_arrow_keys(page):
    page.get_by_role("tab", name="English → French").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-fr-en"
    assert page.locator("#fr-en").is_visible()


def test_a_dot_of_the_ladder_tells_its_interval_and_chance(page):
    point_at(page, "#en-fr-ladder-r2-plot", 1)
    text = page.locator("#en-fr-ladder-r2-plot .hoverlayer").text_content()
    assert "rotation" in text
    assert "0.462 [0.453, 0.471]" in text
    assert "chance" in text


def test_a_dot_of_the_explorer_shows_both_texts_as_they_are_written(page):
    point_at(page, "#en-fr-explorer-source", 5)
    shown = page.locator(".pointed:visible")
    assert "<b>Bold</b> & <i>brave</i>" in shown.text_content()
    assert "</script><img src=x onerror=alert(1)>" in shown.text_content()
    assert shown.locator("b, i, img").count() == 0


def test_a_dot_of_the_explorer_shows_neighbours_before_and_after(page, result):
    page.locator("#en-fr-explorer-source").scroll_into_view_if_needed()
    point_at(page, "#en-fr-explorer-source", 40)
    wanted = result.directions[0].explorer
    lists = page.locator(".pointed:visible ol")
    for found, rows in ((lists.nth(0), wanted[40].before), (lists.nth(1), wanted[40].after)):
        texts = [text.removeprefix("✓ ") for text in found.locator("li").all_text_contents()]
        assert [t for t, row in zip(texts, rows, strict=True) if row != 5] == [
            wanted[row].target_text for row in rows if row != 5
        ]


def test_brushing_one_side_marks_the_same_pairs_on_the_other(page):
    page.locator("#en-fr-explorer-source").scroll_into_view_if_needed()
    area = page.locator("#en-fr-explorer-source .nsewdrag").bounding_box()
    page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + 0.3 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.6 * area["width"], area["y"] + 0.7 * area["height"], steps=6)
    page.mouse.up()
    until(page, "document.querySelector('#en-fr-explorer output').textContent")
    assert 0 < len(marked(page, "source")) < 240
    assert sorted(marked(page, "target")) == sorted(marked(page, "source"))
    assert page.locator("#en-fr-explorer output").text_content().startswith(f"{len(marked(page, 'source'))} of 240")


def test_a_kind_is_marked_by_its_key_and_search_takes_mark_and_pin_away(page, result):
    page.locator("#en-fr-explorer summary").first.click()
    page.locator("#en-fr-explorer tbody button").first.click()
    page.locator("#en-fr-explorer summary").first.click()
    key = page.locator("#en-fr-explorer .key button", has_text="only after the map")
    key.press("Enter")
    points = result.directions[0].explorer
    assert marked(page, "target") == [i for i, p in enumerate(points) if p.before[0] != p.row == p.after[0]]
    assert key.get_attribute("aria-pressed") == "true"
    page.fill("#en-fr-explorer input", "gâché")
    until(page, "document.querySelector('#en-fr-explorer output').textContent.includes('marked')")
    assert key.get_attribute("aria-pressed") == "false"
    assert page.locator("#en-fr-explorer .reading .hint").is_visible()
    page.locator("#en-fr-explorer .clear").click()


def test_the_description_of_a_dot_stays_over_its_own_panel(page):
    for side, place in (("source", 30), ("target", 31)):
        point_at(page, f"#en-fr-explorer-{side}", place)
        box = page.locator(".pointed:visible").bounding_box()
        panel = page.locator(f"#en-fr-explorer-{side}").bounding_box()
        assert box["x"] >= panel["x"] - 1
        assert box["x"] + box["width"] <= panel["x"] + panel["width"] + 1


def test_search_marks_both_sides_without_regard_to_accents_and_case(page, result):
    page.fill("#en-fr-explorer input", "GACHE")
    until(page, "document.querySelector('#en-fr-explorer output').textContent")
    points = result.directions[0].explorer
    expected = [i for i, p in enumerate(points) if "gâché" in p.target_text]
    assert marked(page, "source") == marked(page, "target") == expected
    page.locator("#en-fr-explorer summary").click()
    assert page.locator("#en-fr-explorer tbody tr").count() == len(expected)
    page.locator("#en-fr-explorer summary").click()
    page.locator("#en-fr-explorer .clear").click()
    until(page, "!document.querySelector('#en-fr-explorer output').textContent")
    assert marked(page, "source") is None


def test_a_row_of_the_table_can_be_read_without_a_pointer(page, result):
    page.locator("#en-fr-explorer summary").click()
    page.locator("#en-fr-explorer tbody button").nth(2).press("Enter")
    assert result.directions[0].explorer[2].target_text in page.locator("#en-fr-explorer .reading").text_content()
    page.locator("#en-fr-explorer summary").click()


def test_figures_follow_the_scheme_when_it_changes(visits, address):
    page = ready(visits.open(address, scheme="light"))
    color = "document.querySelector('#en-fr-power-plot .point').style.fill"
    light = page.evaluate(color)
    page.emulate_media(color_scheme="dark")
    until(page, f"{color} !== '{light}'")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 27)"


def test_the_csv_holds_the_table_in_full(page):
    with page.expect_download() as waiting:
        page.locator("#en-fr-ladder [data-csv]").click()
    rows = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert waiting.value.suggested_filename == "en-fr-ladder.csv"
    assert rows[0].startswith('"rung","search","score","value"')
    assert len(rows) == 1 + page.locator("#en-fr-ladder tbody tr").count()
    assert re.search(r'^"linear","","R²",0\.611,', "\n".join(rows), flags=re.M)


@pytest.mark.parametrize(("form", "magic"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_a_figure_can_be_saved(page, form, magic):
    with page.expect_download() as waiting:
        page.locator(f"#en-fr-power [data-image={form}]").click()
    assert waiting.value.suggested_filename == f"en-fr-power.{form}"
    assert Path(waiting.value.path()).read_bytes().startswith(magic)


def test_print_fills_few_pages_with_both_directions_in_light(visits, address, tmp_path):
    page = visits.open(address, scheme="dark")
    page.wait_for_selector("html[data-ready]", state="attached")
    page.wait_for_selector("#en-fr-residual-r2-plot svg.main-svg")
    page.evaluate(
        """addEventListener("beforeprint", () => {
          window.printed = {
            drawn: [...document.querySelectorAll(".plot")].filter((p) => p.querySelector(".main-svg")).map((p) => p.id),
            wide: Math.max(...[...document.querySelectorAll(".plot .main-svg")].map((s) => s.width.baseVal.value)),
            fill: document.querySelector("#fr-en-residual-r2-plot .point").style.fill,
            still: document.querySelector("#fr-en-hero .still-name").textContent,
          };
        })"""
    )
    paper = tmp_path / "page.pdf"
    page.pdf(path=paper, format="A4")
    printed = page.evaluate("window.printed")
    assert {"en-fr-residual-r2-plot", "fr-en-residual-p1-plot"} <= set(printed["drawn"])
    assert printed["wide"] <= 700
    assert printed["fill"] == "rgb(10, 102, 168)"
    assert printed["still"].startswith("no map")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) <= 8
    assert page.locator("details[open]").count() == 0


def test_without_scripts_the_numbers_are_still_there(visits, address):
    page = visits.open(address, scripts=False)
    assert page.locator("noscript").count() > 0
    assert page.locator("#en-fr-ladder tbody tr").count() > 50
    assert page.locator("#fr-en").is_visible()


def test_a_shared_plotly_beside_the_page_is_used(visits, result_json, tmp_path):
    path = write_page(result_json, tmp_path / "en-fr.html", plotlyjs="directory")
    page = visits.open(path.as_uri())
    page.wait_for_selector("#en-fr-residual-r2-plot svg.main-svg")


def test_pages_of_one_folder_share_one_plotly(visits, result_json, comparison, tmp_path):
    for name, text in (("en-fr", result_json), ("comparison", comparison)):
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
        path = write_page(text, tmp_path / f"{name}.html", plotlyjs="directory")
        assert path.stat().st_size < 1_000_000
        page = visits.open(path.as_uri())
        page.wait_for_selector(".plot svg.main-svg")
    assert len(list(tmp_path.glob("plotly-*.packed.js"))) == 1
    page = visits.open(write_index(tmp_path).as_uri())
    page.get_by_role("link", name="linear maps, ").click()
    page.wait_for_selector(".plot svg.main-svg")


@pytest.fixture(scope="module")
def comparison(result_json):
    """Three results side by side, as JSON."""
    value = json.loads(result_json)
    texts = []
    for place, name in enumerate(("minilm", "me5-small", "finetune-align-fr/model")):
        for side in value["provenance"]["models"]:
            side["model"] = name
        value["directions"][0]["rungs"]["linear"]["r2"]["value"] -= 0.005 * place
        texts.append(json.dumps(value))
    return to_json(run([Source(f"{i}.json", text) for i, text in enumerate(texts)], CompareConfig()))


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_a_comparison_is_drawn_whole(visits, comparison, tmp_path, width, scheme):
    page = visits.open(write_page(comparison, tmp_path / "page.html").as_uri(), width=width, scheme=scheme)
    page.wait_for_selector(".plot svg.main-svg")
    count = page.locator(".plot").count()
    assert count == 8
    until(page, f"document.querySelectorAll('.plot svg.main-svg:first-child').length === {count}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    point_at(page, "#compare-differences-0-plot", 0)
    assert "me5-small: held-out R²" in page.locator("#compare-differences-0-plot .hoverlayer").text_content()


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_comparison(visits, comparison, tmp_path, scheme):
    page = visits.open(write_page(comparison, tmp_path / "page.html").as_uri(), scheme=scheme)
    page.wait_for_selector(".plot svg.main-svg")
    page.locator("#compare-differences summary").click()
    assert serious(page, {}) == []


def test_the_index_sorts_and_searches(visits, result_json, tmp_path):
    value = json.loads(result_json)
    for name, rows in (("a", 90), ("b", 1000), ("c", 200)):
        value["directions"][0]["n"] = rows
        value["provenance"]["corpus"] = f"corpus {name}"
        (tmp_path / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    page = visits.open(write_index(tmp_path).as_uri())
    page.get_by_role("button", name="pairs").click()
    assert page.locator("td.n").all_text_contents() == ["90", "200", "1\u202f000"]
    page.get_by_role("button", name="pairs").click()
    assert page.locator("td.n").all_text_contents() == ["1\u202f000", "200", "90"]
    page.fill("input", "CORPUS B")
    assert page.locator("tbody tr:visible").count() == 1


@needs_axe
def test_axe_finds_nothing_serious(page):
    assert serious(page, {}) == []


@needs_axe
def test_axe_finds_nothing_serious_in_an_open_table(page):
    page.locator("#en-fr-power summary").click()
    page.locator("#en-fr-explorer summary").click()
    assert serious(page, {"runOnly": ["wcag2a", "wcag2aa"]}) == []
    page.locator("#en-fr-power summary").click()
    page.locator("#en-fr-explorer summary").click()


@needs_axe
def test_axe_finds_enough_contrast_in_the_dark(visits, address):
    page = ready(visits.open(address, scheme="dark"))
    assert serious(page, {"runOnly": ["color-contrast"]}) == []

"""The page of a study and the index of a folder in a real browser (see visits.py)."""

import re

import pytest
from polyglot.render.index import write_index
from polyglot.render.study import write_study

from .study_folder import write_folder
from .visits import needs_axe, needs_chromium, serious, until

pytestmark = needs_chromium
SCREENS = [(1280, 800, "light"), (390, 844, "dark"), (1280, 800, "dark"), (390, 844, "light")]


@pytest.fixture(scope="module")
def study(pictured, tmp_path_factory):
    folder = write_folder(pictured, tmp_path_factory.mktemp("study") / "results")
    return write_study(folder, folder.parent / "study.html").as_uri()


@pytest.fixture(scope="module")
def index(pictured, tmp_path_factory):
    return write_index(write_folder(pictured, tmp_path_factory.mktemp("index"))).as_uri()


@pytest.mark.parametrize(("width", "height", "scheme"), SCREENS)
@pytest.mark.parametrize("name", ["study", "index"])
def test_nothing_is_wider_than_the_screen(visits, request, name, width, height, scheme):
    page = visits.open(request.getfixturevalue(name), width=width, height=height, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate(
        """width => [...document.querySelectorAll("main *")]
          .filter((one) => !one.closest(".hidden, svg") && one.getClientRects().length)
          .filter((one) => { const box = one.getBoundingClientRect(); return box.right > width + 1 || box.left < -1; })
          .map((one) => one.outerHTML.slice(0, 120))""",
        width,
    )
    assert cut == []


def test_the_finding_and_the_first_cells_need_no_scrolling(visits, study):
    for width, height in ((1280, 800), (390, 844)):
        page = visits.open(study, width=width, height=height)
        for selector in ("h1", ".by", "#search h2", "#search .strip"):
            box = page.locator(selector).first.bounding_box()
            assert box["y"] + box["height"] <= height, (width, selector)


def test_marks_stand_where_their_numbers_say(visits, study):
    page = visits.open(study)
    found = page.evaluate(
        """() => [...document.querySelectorAll("#search .cell")].map((cell) => {
          const strip = cell.querySelector(".strip").getBoundingClientRect();
          const dot = cell.querySelector(".mark-best").getBoundingClientRect();
          return [(dot.left + dot.width / 2 - strip.left) / strip.width, cell.querySelector(".hidden").textContent];
        })"""
    )
    assert len(found) == 12
    for place, said in found:
        assert 100 * place == pytest.approx(float(re.search(r"best map \(rotate\) (\d+)", said)[1]), abs=1)


def test_every_cell_is_reached_by_keys_in_the_order_of_the_page(visits, study):
    page = visits.open(study)
    page.locator("#search .cell").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.querySelectorAll('#search .cell')[1]")
    page.locator("#search .cell").nth(3).press("Enter")
    page.wait_for_url("**/*.*")
    assert "linear-map-" in page.url


@pytest.mark.parametrize("name", ["study", "index"])
@pytest.mark.parametrize("words", ["fr minilm", "MINILM  fr", "minilm french"])
def test_words_in_any_order_filter_the_list(visits, request, name, words):
    page = visits.open(request.getfixturevalue(name))
    page.get_by_label("Words in any order").fill(words)
    shown = page.locator(".listing tbody tr:visible")
    kinds = shown.locator("td:nth-child(2)").all_text_contents()
    assert kinds.count("linear map") == 2
    assert all("MiniLM" in one for one in shown.locator("td:nth-child(4)").all_text_contents())
    assert page.locator(".search output").text_content().startswith(f"{len(kinds)} of ")


def test_a_column_is_sorted_by_keys(visits, index):
    page = visits.open(index)
    page.get_by_role("button", name="pairs").press("Enter")
    counts = [
        int(text) for text in page.locator(".listing td.n").evaluate_all("all => all.map((one) => one.dataset.v)")
    ]
    assert counts == sorted(counts)
    assert page.locator("th[aria-sort]").text_content() == "pairs"


def test_without_scripts_everything_but_the_filter_is_there(visits, study):
    page = visits.open(study, scripts=False)
    assert page.locator("#search .cell:visible").count() == 12
    assert page.locator("#clouds svg:visible").count() == 12
    assert page.locator("#layers svg:visible").count() == 4
    assert not page.locator(".search").is_visible()
    assert page.locator(".listing tbody tr:visible").count() > 12


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves(visits, study, motion):
    page = visits.open(study, motion=motion)
    assert page.evaluate("document.getAnimations().length") == 0
    if motion == "reduce":
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_print_is_light_and_fills_few_pages(visits, study, tmp_path):
    page = visits.open(study, scheme="dark")
    paper = tmp_path / "study.pdf"
    page.pdf(path=paper, format="A4")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) <= 8
    page.emulate_media(media="print", color_scheme="dark")
    until(page, "getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'")
    assert page.locator("#search .cell:visible").count() == 12


@needs_axe
@pytest.mark.parametrize(("width", "height", "scheme"), SCREENS)
@pytest.mark.parametrize("name", ["study", "index"])
def test_axe_finds_nothing_serious(visits, request, name, width, height, scheme):
    page = visits.open(request.getfixturevalue(name), width=width, height=height, scheme=scheme)
    assert serious(page, {}) == []

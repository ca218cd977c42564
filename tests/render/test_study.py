"""The page of a study: what each section says, what is left out, and where it leads."""

import dataclasses
import json
import re

import pytest
from polyglot.errors import DataError, OutputError
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.provenance import Provenance
from polyglot.probe.results.serialization import to_json
from polyglot.probe.results.study import StudyFamily, StudyResult, StudyTest
from polyglot.render.charts.lines import line_panel
from polyglot.render.pages.study.insertion import insertion
from polyglot.render.pages.study.page import study_view
from polyglot.render.pages.study.results import read_study
from polyglot.render.study import render_study, write_study

from .study_folder import mapped, write_folder


@pytest.fixture(scope="module")
def folder(pictured, tmp_path_factory):
    return write_folder(pictured, tmp_path_factory.mktemp("study") / "results")


@pytest.fixture(scope="module")
def view(folder):
    return study_view(read_study(folder, folder.parent / "study.html"))


@pytest.fixture(scope="module")
def html(folder):
    return render_study(folder, folder.parent / "study.html")


def test_the_title_is_the_finding(view):
    assert view.title == "A map helps search in 8 of 12 cases; in none is translation shown to be linear"
    assert (
        view.lead.count("English with Chinese, French and German in mE5-small and MiniLM, 1\u202f500 sentence pairs")
        == 1
    )
    assert view.date == "2026-01-01"


def test_the_matrix_has_every_direction_in_every_model(view):
    assert view.matrix.columns == ("mE5-small", "MiniLM")
    assert [row.label for row in view.matrix.rows] == [
        f"{a} → {b}" for other in ("Chinese", "French", "German") for a, b in (("English", other), (other, "English"))
    ]
    assert all(cell for row in view.matrix.rows for cell in row.cells)


def test_a_cell_has_its_numbers_in_marks_and_words_and_leads_to_its_page(view, pictured):
    cell = view.matrix.rows[2].cells[1]
    rungs = pictured.directions[0].rungs
    assert [mark.look for mark in cell.marks] == ["plain", "best", "linear", "words"]
    assert [mark.value for mark in cell.marks[:3]] == [
        rungs[name].p_at_1.value for name in ("identity", "rotation", "linear")
    ]
    assert cell.address == "results/linear-map-minilm-en-fr.html"
    assert cell.said.startswith(
        "English → French in MiniLM: no map 21\u202f% [20, 22]; best map (rotate) 68\u202f% [67, 69];"
    )
    assert cell.said.endswith("; a map helps")


def test_a_result_without_a_page_leads_to_its_json(view):
    assert view.matrix.rows[4].cells[1].address == "results/linear-map-minilm-en-de.json"


def test_what_is_not_settled_is_hollow(view):
    hollow = {
        (row.label, column)
        for row in view.matrix.rows
        for column, cell in zip(view.matrix.columns, row.cells, strict=True)
        if any(mark.hollow for mark in cell.marks)
    }
    assert hollow == {("English → Chinese", "MiniLM"), ("Chinese → English", "MiniLM")}


def test_noise_stands_between_the_two_verdicts(view, pictured):
    assert view.noise.title == "By R² alone all 12 cases pass for linear or plainer; with noise taken out none of 12"
    cell = view.noise.rows[0].cells[0]
    assert [mark.look for mark in cell.marks] == ["naive", "best"]
    assert cell.marks[0].value == pictured.directions[0].certificate.shares["linear"].value
    assert (cell.marks[1].value, cell.marks[1].hollow) == (0.83, True)
    assert cell.note == "linear → not settled"
    assert view.noise.enough == pytest.approx(0.95)


def test_fewer_pairs_stand_in_their_order(view):
    assert [row.label for row in view.fewer.rows] == ["300 pairs", "1\u202f500 pairs"]
    assert view.fewer.title.endswith(
        "pairs search goes from “not settled” to “a map helps”, geometry stays “not settled”"
    )
    assert view.fewer.title.startswith("MiniLM, French → English:")


def test_clouds_are_small_multiples_of_every_model(view):
    assert [(model, [cloud.label for cloud in some]) for model, some in view.clouds.rows] == [
        (model, ["Chinese", "French", "German"]) for model in ("mE5-small", "MiniLM")
    ]


def test_layers_are_shown_in_two_metrics_that_disagree(view):
    assert view.by_layer.title == "Similarity and search are highest at different layers in all 6 results"
    assert len(view.by_layer.panels) == 4
    similarity, search = view.by_layer.panels[:2]
    assert [line.peak_name for line in similarity.lines] == ["1", "1", "1"]
    assert [line.peak_name for line in search.lines] == ["2", "2", "2"]


def test_a_common_coordinate_is_a_warning(view):
    assert view.rogue.title == (
        "Warning: one common coordinate takes CKA from 17 to 100, and translations found first from 40 to 13"
    )
    assert [(row.label, row.cells[0].text, row.cells[0].note) for row in view.rogue.rows] == [
        ("CKA", "17 → 100", "+83"),
        ("CKA without rogue coordinates", "17 → 17", "did not move"),
        ("found first", "40 → 13", "−27"),
    ]
    assert len(view.by_layer.panels) == 4


def test_of_several_seeds_the_middle_run_is_shown_and_of_other_bases_none(folder):
    results = read_study(folder, folder.parent / "study.html")
    one = next(run for run in results.trained if run.result.method == "align")

    def found_first(value, model="minilm"):
        language = one.result.languages[0]
        retrieval = dataclasses.replace(language.after.retrieval, p_at_1=Interval(value, value, value))
        outcome = dataclasses.replace(language, after=dataclasses.replace(language.after, retrieval=retrieval))
        sides = tuple(dataclasses.replace(side, model=model) for side in one.result.provenance.models)
        provenance = dataclasses.replace(one.result.provenance, models=sides)
        changed = dataclasses.replace(one.result, languages=(outcome,), provenance=provenance)
        return dataclasses.replace(one, result=changed)

    runs = (found_first(0.9), found_first(0.5), found_first(0.7), found_first(0.99, "runs/own/model"))
    shown = insertion(dataclasses.replace(results, trained=runs))
    assert [row.label for row in shown.rows] == ["align"]
    assert len(shown.columns) == 1
    assert shown.rows[0].cells[0].text.endswith("→ 70")
    assert shown.caption.endswith("Of 3 seeds the run in the middle.")


def test_methods_of_insertion_stand_beside_words(view):
    assert [row.label for row in view.insertion.rows] == ["words", "align"]
    assert view.insertion.title == "Inserted by “align”, French goes from 42 to 86 of 100 found first"
    assert [mark.look for mark in view.insertion.rows[1].cells[0].marks] == ["plain", "best", "words"]
    assert view.insertion.rows[1].cells[0].note == "lost at most 0.3"


def test_a_section_without_results_is_left_out(result_json, tmp_path):
    value = json.loads(result_json)
    (tmp_path / "one.json").write_text(json.dumps(value), encoding="utf-8")
    view = study_view(read_study(tmp_path, tmp_path / "study.html"))
    absent = ("clouds", "noise", "fewer", "by_layer", "rogue", "insertion")
    assert {name: getattr(view, name) for name in absent} == dict.fromkeys(absent)
    html = render_study(tmp_path, tmp_path / "study.html")
    assert re.findall(r'<section id="(\w+)"', html) == ["search", "limits", "results", "cite"]


def test_results_of_another_text_are_not_mixed_in(pictured_json, tmp_path):
    for place, corpus in enumerate(("one", "one", "two")):
        value = json.loads(mapped(pictured_json, "minilm", ("fr", "de", "es")[place]))
        value["provenance"]["corpus"] = corpus
        (tmp_path / f"{place}.json").write_text(json.dumps(value), encoding="utf-8")
    view = study_view(read_study(tmp_path, tmp_path / "study.html"))
    assert [row.label for row in view.matrix.rows][::2] == ["English → French", "English → German"]
    assert "Spanish" not in view.lead


def test_the_page_is_the_same_twice_and_needs_neither_plotly_nor_the_network(folder, html):
    assert render_study(folder, folder.parent / "study.html") == html
    assert "plotly" not in html.lower()
    assert not re.findall(r'(?:src|href)="https?:', html)
    assert len(html) < 500_000


def test_every_link_leads_to_a_file(folder, html):
    addresses = set(re.findall(r'href="([^"#]+)"', html))
    assert len(addresses) > 10
    assert all((folder.parent / address).is_file() for address in addresses)


def test_the_page_says_who_when_and_under_which_licence(html):
    assert re.search(r'class="by">The polyglot maintainers · <time datetime="2026-01-01">', html)
    assert "Apache License 2.0" in html
    assert "author = {The polyglot maintainers}" in html


def test_a_shared_image_is_named_where_there_is_one(folder, html):
    assert "og:image" not in html
    page = folder.parent / "shared.html"
    page.with_suffix(".png").write_bytes(b"\x89PNG")
    assert '<meta property="og:image" content="shared.png">' in render_study(folder, page)


def test_texts_are_escaped(pictured_json, tmp_path):
    (tmp_path / "a.json").write_text(mapped(pictured_json, "<script>alert(1)</script>", "fr"), encoding="utf-8")
    html = render_study(tmp_path, tmp_path / "study.html")
    assert "<script>alert" not in html
    assert "script>" in html


def test_a_result_of_two_models_is_passed_over(pictured_json, tmp_path):
    value = json.loads(pictured_json)
    value["provenance"]["models"][0]["model"] = "another"
    (tmp_path / "a.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(DataError, match="holds no linear-map result"):
        read_study(tmp_path, tmp_path / "study.html")


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        write_study(tmp_path / "nowhere", tmp_path / "study.html")


def test_a_written_page_is_the_rendered_one(folder, html):
    path = write_study(folder, folder.parent / "study.html")
    assert path.read_text(encoding="utf-8") == html


def test_a_share_left_of_the_axis_is_an_arrow(pictured, tmp_path):
    value = json.loads(mapped(to_json(pictured), "minilm", "fr"))
    for one in value["directions"]:
        one["geometry"]["shares"]["linear"] = {"value": -0.4, "low": -0.5, "high": -0.3, "level": 0.95}
    (tmp_path / "a.json").write_text(json.dumps(value), encoding="utf-8")
    html = render_study(tmp_path, tmp_path / "study.html")
    noise = html[html.index('<section id="noise"') : html.index('<section id="limits"')]
    assert noise.count('class="beyond"') == 2
    assert "left:-" not in noise


def test_a_line_leaves_out_what_was_not_measured_and_marks_its_peak():
    panel = line_panel("one", ("0", "1", "2"), (("a", (0.0, None, 1.0)), ("b", (None, None, None))))
    (line,) = panel.lines
    assert line.path.count(",") == 2
    assert line.peak_name == "2"
    assert panel.said == "one: a highest at 2, 100"


def test_what_was_asked_before_stands_on_the_page(folder):
    page = folder.parent / "study.html"
    assert "What was asked before it ran" not in render_study(folder, page)
    where = Provenance("polyglot study", (), "builtin", "", 0, "cpu", "", {})
    test = StudyTest("cell", "en-fr", Interval(0.5, 0.25, 0.75), 0.001, 0.002, holds=True)
    family = StudyFamily("a map <helps>", "gain", 0.01, (test,))
    result = StudyResult("A", "1 of 1 holds.", "file", "en", 0.05, 0.05, (), (family,), (), (), (), (), where)
    html = render_study(folder, page, result)
    section = html[html.index('id="asked"') : html.index('id="limits"')]
    assert "1 of 1 holds." in section
    assert "a map &lt;helps&gt;: gain, margin 0.01: 1 of 1 hold" in section
    assert "0.500 [0.250, 0.750]" in section
    path = folder / "study.json"
    path.write_text(to_json(result), encoding="utf-8")
    assert section in render_study(folder, page)
    path.unlink()

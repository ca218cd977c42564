"""The canary tells a model with its map from one whose server left the map out."""

import json

import numpy as np
import pytest
from polyglot.analysis.maps.estimators import load_map
from polyglot.cli import main
from polyglot.errors import DataError, ModelError
from polyglot.probe.fitted_map.canary import CANARY_FILE, SENTENCE, Canary, check, compare
from polyglot.probe.fitted_map.run import MapFitConfig, fit_vectors
from polyglot.probe.fitted_map.use import export

LINEAR = MapFitConfig(rung="linear", resamples=100, permutations=2)
PLAIN, MAPPED = np.array([1.0, 2.0, -1.0, 0.5]), np.array([-1.0, 0.5, 2.0, 1.0])
CANARY = Canary("a sentence", "q: ", tuple(PLAIN), tuple(MAPPED))


@pytest.fixture(scope="module")
def of_vectors(tmp_path_factory):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 6))
    folder = tmp_path_factory.mktemp("vectors") / "map"
    fit_vectors(x, x @ rng.standard_normal((6, 6)), folder, config=LINEAR)
    return folder


@pytest.mark.parametrize("served", [MAPPED, 3 * MAPPED, MAPPED.astype(np.float16), np.round(MAPPED * 40) / 40])
def test_the_mapped_vector_is_known_through_rounding_and_scaling(served):
    found = compare(CANARY, served)
    assert found.applied
    assert found.sentence.startswith("applied: ")


def test_another_length_is_said():
    assert "its length is 7.500, expected 2.500" in compare(CANARY, 3 * MAPPED).sentence
    assert "length" not in compare(CANARY, MAPPED).sentence


@pytest.mark.parametrize("served", [PLAIN, PLAIN / 7, PLAIN.astype(np.float16)])
def test_the_unmapped_vector_is_known_and_the_way_out_is_said(served):
    found = compare(CANARY, served)
    assert found.applied is False
    assert "without the map" in found.sentence
    assert "map apply" in found.sentence


@pytest.mark.parametrize("served", [np.array([1.0, -1.0, 1.0, -1.0]), np.ones(7), np.zeros(4), (PLAIN + MAPPED) / 2])
def test_any_other_vector_is_neither(served):
    found = compare(CANARY, served)
    assert found.applied is False
    assert "neither" in found.sentence
    assert '"q: a sentence"' in found.sentence


def test_a_map_that_moves_nothing_cannot_be_told():
    still = Canary("a", "", tuple(PLAIN), tuple(PLAIN + 1e-6))
    assert compare(still, PLAIN).applied is None


def test_widths_tell_a_map_between_two_spaces():
    narrow = Canary("a", "", (1.0, 2.0), tuple(MAPPED))
    assert compare(narrow, np.array([1.0, 2.0])).applied is False
    assert compare(narrow, MAPPED).applied


def test_a_map_of_vectors_has_a_vector_as_its_canary(of_vectors):
    canary = Canary.read(of_vectors)
    assert canary.sentence == ""
    expected = load_map(of_vectors).transform(np.array([canary.plain]))[0]
    np.testing.assert_allclose(canary.mapped, expected, atol=1e-12)
    assert f"{canary.mapped[0]:.4f}" in (of_vectors / "README.md").read_text()


def test_a_file_of_one_vector_is_checked_against_a_map(of_vectors, tmp_path):
    canary = Canary.read(of_vectors)
    np.save(tmp_path / "served.npy", np.array([canary.mapped], np.float32))
    assert check(tmp_path / "served.npy", of_vectors).applied
    assert check(tmp_path / "served.npy", of_vectors / CANARY_FILE).applied
    np.save(of_vectors / "served.npy", np.array(canary.plain, np.float32))
    assert check(of_vectors / "served.npy").applied is False


def test_exports_carry_the_canary(of_vectors, tmp_path):
    pytest.importorskip("onnx", reason="the export needs the extra `onnx`")
    export(of_vectors, tmp_path / "dense")
    export(of_vectors, tmp_path / "map.onnx", "onnx")
    held = (of_vectors / CANARY_FILE).read_text()
    assert (tmp_path / "dense" / CANARY_FILE).read_text() == (tmp_path / "map.canary.json").read_text() == held


def test_an_older_map_is_exported_with_a_canary_of_vectors(of_vectors, tmp_path):
    import shutil

    older = shutil.copytree(of_vectors, tmp_path / "older")
    (older / CANARY_FILE).unlink()
    export(older, tmp_path / "dense")
    assert Canary.read(tmp_path / "dense") == Canary.read(of_vectors)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"sentence": "a", "prompt": "", "plain": ["x"], "mapped": []}'])
def test_a_damaged_canary_is_named(tmp_path, content):
    (tmp_path / CANARY_FILE).write_text(content)
    with pytest.raises(DataError, match="holds no canary"):
        Canary.read(tmp_path)


def test_what_is_no_vector_and_no_model_is_refused(of_vectors, tmp_path):
    np.save(tmp_path / "two.npy", np.zeros((2, 6)))
    np.save(tmp_path / "whole.npy", np.arange(6))
    (tmp_path / "text.npy").write_text("no")
    for name in ("two", "whole", "text", "absent"):
        with pytest.raises(DataError, match=r"\.npy vector"):
            check(tmp_path / f"{name}.npy", of_vectors)
    with pytest.raises(ModelError, match="holds no model: give the folder that the server loads"):
        check(of_vectors)


@pytest.fixture
def served_model(letter_model, letter_bitext, tmp_path):
    """A map's folder with its model, and a copy that a server loads without the last layers."""
    import shutil

    from polyglot.models.encoder import load_encoder
    from polyglot.probe.fitted_map.run import fit

    encoder = load_encoder(str(letter_model), device="cpu")
    fit((encoder, encoder), letter_bitext, tmp_path / "map", LINEAR)
    bare = shutil.copytree(tmp_path / "map", tmp_path / "bare")
    modules = json.loads((bare / "modules.json").read_text())
    (bare / "modules.json").write_text(json.dumps(modules[:3]))
    return tmp_path / "map", bare


def test_a_folder_is_asked_itself(served_model, monkeypatch, capsys):
    folder, bare = served_model
    assert SENTENCE in (folder / "README.md").read_text()
    for given, options, code, words in (
        (folder, (), 0, "applied: "),
        (bare, (), 1, "not applied: "),
        (bare, ("--map", str(folder)), 1, "not applied: "),
    ):
        monkeypatch.setattr("sys.argv", ["polyglot", "map", "check", str(given), *options])
        with pytest.raises(SystemExit) as stop:
            main()
        assert (stop.value.code or 0) == code
        assert capsys.readouterr().out.startswith(words)

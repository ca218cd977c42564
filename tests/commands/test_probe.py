"""The probes from the command line: what their options become, and what a whole run of the small ones leaves."""

import json

import pytest
from polyglot.cli import application, main
from polyglot.errors import ConfigError, DataError, MissingExtraError
from polyglot.files import MAP_FILE
from typer.testing import CliRunner

PROBES = ("linear-map", "layers", "cka", "retrieval", "questions", "language-id", "composition", "geometry")


def run_main(monkeypatch, capsys, *arguments):
    """Run the command line as a process would, and return (exit code, stdout, stderr)."""
    monkeypatch.setattr("sys.argv", ["polyglot", *arguments])
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
    return code, *capsys.readouterr()


@pytest.fixture
def given(monkeypatch, capsys, tmp_path):
    """Return what reaches the `run` of a probe for some arguments; no model is loaded."""

    def reach(module, *arguments):
        seen = []

        def run(*inputs, **options):
            seen.append((inputs, options))
            raise DataError("stop here")

        monkeypatch.setattr(f"polyglot.probe.{module}.run.run", run)
        monkeypatch.setattr("polyglot.models.encoder.load_encoder", lambda *_, **__: "encoder")
        code, _, err = run_main(monkeypatch, capsys, "probe", *arguments, "--quiet", "--out", str(tmp_path))
        assert (code, err) == (1, "error: stop here\n"), err
        return seen[0]

    return reach


@pytest.fixture(scope="module")
def installed():
    from polyglot.models.registry import installed, resolve

    try:
        if not installed(resolve("minilm")):
            pytest.skip("needs the packaged model minilm")
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A folder in the format of XQuAD: ten passages, a question on each, in two languages."""
    folder = tmp_path_factory.mktemp("asked")
    things = ("bread", "rain", "trains", "soup", "letters", "ships", "clocks", "wolves", "coal", "chess")
    for language, start in (("en", "What is said about"), ("fr", "Que dit-on de")):
        paragraphs = [
            {"context": f"This passage is about {thing}.", "qas": [{"id": thing, "question": f"{start} {thing}?"}]}
            for thing in things
        ]
        (folder / f"set.{language}.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return folder


@pytest.mark.parametrize("probe", PROBES)
def test_every_probe_takes_the_shared_options(probe):
    shown = CliRunner().invoke(application(), ["probe", probe, "--help"], env={"COLUMNS": "300"}).stdout
    for option in ("--no-texts", "--limit", "--seed", "--corpus", "--skip-bad", "--out"):
        assert option in shown


def test_an_untrained_encoder_is_asked_for_and_needs_text(given, monkeypatch, capsys, tmp_path):
    (_, _, config), _ = given("linear_map", "linear-map", "en", "fr", "--untrained")
    assert config.untrained
    (_, _, config), _ = given("linear_map", "linear-map", "en", "fr")
    assert not config.untrained
    arrays = ("--vectors", "x.npy", "y.npy", "--untrained", "--out", str(tmp_path))
    code, _, err = run_main(monkeypatch, capsys, "probe", "linear-map", *arrays)
    assert code == 1
    assert "--untrained embeds text" in err


@pytest.mark.parametrize(
    ("module", "command", "texts"),
    [
        ("linear_map", ["linear-map", "en", "fr"], True),
        ("linear_map", ["linear-map", "en", "fr", "--no-texts"], False),
        ("retrieval", ["retrieval", "en", "fr"], True),
        ("retrieval", ["retrieval", "en", "fr", "--no-texts"], False),
        ("questions", ["questions", "fr", "en"], True),
        ("questions", ["questions", "fr", "en", "--no-texts"], False),
    ],
)
def test_texts_are_left_out_where_asked(given, module, command, texts):
    (_, _, config), _ = given(module, *command)
    assert config.texts is texts


@pytest.mark.parametrize(
    ("options", "instruments"),
    [((), {"de", "es", "ru"}), (("--instrument", "zh"), {"zh"}), (("--no-instruments",), None)],
)
@pytest.mark.parametrize(("module", "command"), [("linear_map", "linear-map"), ("layers", "layers")])
def test_other_languages_of_the_built_in_corpus_are_instruments(given, module, command, options, instruments):
    (_, bitext, _), extras = given(module, command, "fr", "en", *options)
    if instruments is None:
        assert "instruments" not in extras
    else:
        assert set(extras["instruments"].languages) == {"fr", "en"} | instruments
        assert extras["instruments"].column("fr") == bitext.sources


@pytest.mark.parametrize(
    ("options", "instruments"),
    [((), ("es", "ru", "zh")), (("--instrument", "zh"), ("zh",)), (("--no-instruments",), ())],
)
def test_composition_reads_further_languages_beside_those_asked_for(given, options, instruments):
    (_, text, languages, _), _ = given("composition", "composition", "en", "fr", "de", *options)
    assert languages == ("en", "fr", "de")
    assert text.languages == (*languages, *instruments)


@pytest.mark.parametrize(
    "command", [["linear-map", "en", "fr"], ["layers", "en", "fr"], ["composition", "en", "fr", "de"]]
)
def test_instruments_and_none_contradict_each_other(command):
    found = CliRunner().invoke(application(), ["probe", *command, "--instrument", "zh", "--no-instruments"])
    assert isinstance(found.exception, ConfigError)
    assert "--instrument and --no-instruments contradict each other" in str(found.exception)


@pytest.mark.parametrize(
    ("options", "layers"),
    [((), ()), (("--layer", "2", "--layer", "-1"), (2, -1)), (("--all-layers",), None)],
)
def test_language_id_measures_the_pooled_output_and_the_layers_asked_for(given, options, layers):
    (*_, config), _ = given("language_id", "language-id", "en", "fr", *options)
    assert config.layers == layers


def test_one_layer_and_all_layers_contradict(monkeypatch, capsys, tmp_path):
    arguments = ["language-id", "en", "fr", "--layer", "1", "--all-layers", "--out", str(tmp_path)]
    code, _, err = run_main(monkeypatch, capsys, "probe", *arguments)
    assert code == 1
    assert "--layer and --all-layers contradict each other" in err


@pytest.mark.parametrize(("options", "permutations"), [((), 5), (("--permutations", "9"), 9)])
def test_the_costly_null_of_cka_is_small_by_default(given, options, permutations):
    (*_, config), _ = given("cka", "cka", "en", "fr", *options)
    assert config.permutations == permutations


def test_questions_are_read_in_both_languages_and_limited_alike(given, asked):
    (_, questions, _), options = given("questions", "questions", "fr", "en", "--corpus", str(asked))
    assert (questions.query_language, questions.passage_language) == ("fr", "en")
    reference = options["reference"]
    assert (reference.query_language, reference.relevant.tolist()) == ("en", questions.relevant.tolist())
    assert (options["words"].source, options["words"].target) == ("fr", "en")
    command = ["questions", "fr", "en", "--corpus", str(asked), "--limit", "5", "--seed", "2"]
    (_, drawn, config), options = given("questions", *command)
    assert (len(drawn), len(drawn.passages), config.seed) == (5, 10, 2)
    assert options["reference"].relevant.tolist() == drawn.relevant.tolist()
    _, options = given("questions", "questions", "en", "en", "--corpus", str(asked))
    assert (options["reference"], options["words"]) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["de", "en"], "no German (de): it holds en, fr"),
        (["fr", "ru", "--corpus", "FOLDER"], "no Russian (ru): it holds en, fr"),
        (["fr", "en", "--corpus", "nowhere"], "no such folder: nowhere"),
        (["fr", "en", "--corpus", "a", "--corpus", "b"], "one folder, got 2"),
        (["fr", "en", "--map", "nowhere"], "nowhere holds no map"),
    ],
)
def test_what_the_question_set_lacks_is_one_line(monkeypatch, capsys, tmp_path, asked, arguments, said):
    monkeypatch.chdir(tmp_path)
    typed = [str(asked) if argument == "FOLDER" else argument for argument in arguments]
    code, _, err = run_main(monkeypatch, capsys, "probe", "questions", *typed)
    assert code == 1
    assert said in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("installed")
def test_questions_through_a_map_from_fit_to_page(monkeypatch, capsys, tmp_path, asked):
    monkeypatch.setenv("POLYGLOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    fit = [
        "map",
        "fit",
        "fr",
        "en",
        "--out",
        "fr-en",
        "--rung",
        "shift",
        "--corpus",
        "builtin:kitchen",
        "--limit",
        "60",
    ]
    code, _, err = run_main(monkeypatch, capsys, *fit, "--limit", "60", "--quiet")
    assert code == 0, err
    probe = ["probe", "questions", "fr", "en", "--corpus", str(asked), "--map", "fr-en", "--quiet"]
    code, out, err = run_main(monkeypatch, capsys, *probe)
    assert code == 0, err
    page, sentence = out.strip().splitlines()
    assert "nDCG@10 as they are" in sentence
    assert "through fr-en" in sentence
    caveat = f"map fitted on builtin:kitchen (60 pairs), scored on {asked.name}"
    assert caveat in (tmp_path / page).read_text(encoding="utf-8")
    text = (tmp_path / "reports" / "questions" / "fr-en.json").read_text(encoding="utf-8")
    result = json.loads(text)
    assert result["warnings"][0].startswith(caveat)
    mapped = [ranking for ranking in result["rankings"] if ranking["name"] == "through fr-en"]
    assert all(ranking["difference"]["low"] <= ranking["difference"]["value"] for ranking in mapped)
    assert "is said about" in text or not result["missed"]
    code, _, _ = run_main(monkeypatch, capsys, *probe, "--no-texts")
    numbers = (tmp_path / "reports" / "questions" / "fr-en.json").read_text(encoding="utf-8")
    assert code == 0
    assert "Que dit-on" not in numbers
    assert "passage is about" not in numbers


@pytest.mark.parametrize("command", PROBES)
def test_options_have_the_defaults_of_the_config(command):
    import inspect

    from polyglot.commands import probe, probe_table

    config = inspect.signature(probe_table.PROBES[command].config_type()).parameters
    shown = inspect.signature(getattr(probe, command.replace("-", "_"))).parameters
    apart = {
        "same_space",
        "device",
    }  # decided by the models; of the search, not the encoder
    same = {name for name in shown if name in config} - apart
    assert {name: shown[name].default for name in same} == {name: config[name].default for name in same}
    assert "seed" in same


def test_old_spellings_still_work_and_say_their_new_name(monkeypatch, capsys, tmp_path, asked):
    from polyglot.probe.experiment.source_map import SourceMap

    loaded, seen = [], []
    monkeypatch.setattr(SourceMap, "load", lambda folder: loaded.append(str(folder)))
    monkeypatch.setattr("polyglot.models.encoder.load_encoder", lambda *_, **__: "encoder")

    def run(*inputs, **options):
        seen.append(options)
        raise DataError("stop here")

    monkeypatch.setattr("polyglot.probe.questions.run.run", run)
    command = ["probe", "questions", "fr", "en", "--corpus", str(asked), "--out", str(tmp_path), "--quiet"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fr-en").mkdir()
    (tmp_path / "fr-en" / MAP_FILE).write_text("{}")
    _, _, err = run_main(monkeypatch, capsys, *command, "--through", "fr-en", "--again")
    assert loaded == ["fr-en"]
    assert len(seen) == 1
    assert "now called --map" in err
    assert "now called --force" in err
    _, _, err = run_main(monkeypatch, capsys, *command, "--map", "fr-en", "--force")
    assert err == "error: stop here\n"


def test_old_spellings_are_not_shown():
    for command in (["probe", "retrieval"], ["probe", "questions"], ["map", "fit"]):
        shown = CliRunner().invoke(application(), [*command, "--help"], env={"COLUMNS": "300"}).stdout
        assert "--through" not in shown
        assert "--again" not in shown
    assert "--map" not in shown


def test_a_map_needs_a_folder_under_either_name(monkeypatch, capsys, tmp_path):
    code, _, err = run_main(monkeypatch, capsys, "map", "fit", "fr", "en")
    assert code == 2
    assert "--out DIR" in err
    folder = tmp_path / "file"
    folder.write_text("")
    monkeypatch.setattr("polyglot.models.encoder.load_encoder", lambda *_, **__: "encoder")
    code, _, err = run_main(monkeypatch, capsys, "map", "fit", "fr", "en", "--map", str(folder))
    assert code == 1
    assert "now called --out" in err
    assert "is a file" in err

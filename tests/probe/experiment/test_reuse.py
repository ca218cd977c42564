"""A result that lies there is kept only while everything that its numbers depend on is the same."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
from polyglot.commands.report import Report
from polyglot.commands.shared import Probing
from polyglot.files import write_text
from polyglot.probe.experiment import reuse
from polyglot.probe.results.provenance import Provenance
from polyglot.probe.results.serialization import to_json


@dataclasses.dataclass(frozen=True)
class Found:
    value: float
    provenance: Provenance
    schema: str = "polyglot/found/1"


@dataclasses.dataclass(frozen=True)
class Settings:
    seed: int = 0


class Probe:
    """Stands for a probe: counts how often it measures, and leaves its report."""

    def __init__(self, folder):
        self.report, self.runs = Report(folder), 0

    def run(self, *_, **__):
        self.runs += 1
        return Found(float(self.runs), Provenance("polyglot", (), "text", "", 0, "cpu", "", {}))

    def __call__(self, *given, common=Probing(), **extras):  # noqa: B008 - frozen
        result = common.measured(self.report, "en-fr", Found, self.run, *given, **extras)
        write_text(self.report.path_of("en-fr"), to_json(result))
        return result


@pytest.fixture
def probe(tmp_path):
    return Probe(tmp_path)


ENCODER = SimpleNamespace(fingerprint="weights", name="minilm", device="cpu")
TEXT = SimpleNamespace(fingerprint="rows", name="builtin")


def test_the_same_inputs_are_measured_once(probe, capsys):
    first, second = probe((ENCODER, ENCODER), TEXT, Settings()), probe((ENCODER, ENCODER), TEXT, Settings())
    assert probe.runs == 1
    assert second == first
    assert len(first.provenance.inputs) == 32
    assert "--force" in capsys.readouterr().err


@pytest.mark.parametrize(
    "other",
    [
        (SimpleNamespace(fingerprint="other", name="minilm", device="cpu"), TEXT, Settings()),
        (SimpleNamespace(fingerprint="weights", name="minilm", device="cuda"), TEXT, Settings()),
        (ENCODER, SimpleNamespace(fingerprint="other", name="builtin"), Settings()),
        (ENCODER, TEXT, Settings(seed=1)),
        (ENCODER, TEXT),
    ],
)
def test_other_inputs_are_measured(probe, other):
    probe(ENCODER, TEXT, Settings())
    assert probe(*other).value == 2


def test_what_comes_by_name_counts_too(probe):
    plain = probe(ENCODER, source_map=None)
    assert probe(ENCODER, source_map=SimpleNamespace(fingerprint="map", name="fr-en")).value == 2
    assert probe(ENCODER, source_map=SimpleNamespace(fingerprint="other", name="fr-en")).value == 3
    assert probe(ENCODER, source_map=None) != plain


@pytest.mark.parametrize("option", ["again", "half_cache"])
def test_options_that_measure_again(probe, option):
    probe(ENCODER)
    assert probe(ENCODER, common=Probing(**{option: True})).value == 2


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Put a small package in the place of this one."""
    root = tmp_path / "package"
    for name in ("analysis/maps/curved/fourier.py", "probe/layers/run.py", "errors.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("ANSWER = 41\n")
    monkeypatch.setattr(reuse, "PACKAGE", root)
    return root


@pytest.mark.parametrize("name", ["analysis/maps/curved/fourier.py", "probe/layers/run.py", "errors.py"])
def test_other_code_measures_again_however_deep_it_lies(probe, package, name):
    probe(ENCODER)
    before = reuse.code_digest()
    (package / name).write_text("ANSWER = 42\n")
    assert reuse.code_digest() != before
    assert probe(ENCODER).value == 2


@pytest.mark.parametrize("name", ["data/readers/new/format.py", "files.py", "models/offline/one.py"])
def test_a_module_that_is_added_measures_again(package, name):
    before = reuse.code_digest()
    (package / name).parent.mkdir(parents=True, exist_ok=True)
    (package / name).write_text("")
    assert reuse.code_digest() != before


@pytest.mark.parametrize("name", ["tests/probe/test_new.py", "render/page.py", "build/lib/analysis/new.py"])
def test_code_that_gives_no_number_does_not_count(package, name):
    before = reuse.code_digest()
    (package / name).parent.mkdir(parents=True, exist_ok=True)
    (package / name).write_text("x = 1\n")
    assert reuse.code_digest() == before


def test_the_digest_covers_every_module_of_the_measuring_rooms():
    rooms = [reuse.PACKAGE / room for room in reuse.MEASURING_ROOMS]
    assert all(any(room.rglob("*.py")) for room in rooms)


def test_python_callers_measure_once_and_read_from_then_on(tmp_path):
    calls, found = [], []

    def run(encoder, settings, *, progress=False):
        calls.append(progress)
        return Found(1.0, Provenance("", (), "text", "", settings.seed, "cpu", "", {}))

    def once(settings=Settings(), **more):
        options = {"progress": True}
        return reuse.measured(tmp_path / "one.json", Found, run, ENCODER, settings, options=options, **more)

    first = once()
    assert once(on_reuse=found.append) == first
    assert (calls, found) == ([True], [tmp_path / "one.json"])
    assert len(once(force=True).provenance.inputs) == 32
    once(Settings(seed=1))
    once(Settings(seed=1), depends_on=("float16",))
    assert len(calls) == 4


def test_other_libraries_measure_again(probe, monkeypatch):
    probe(ENCODER)
    monkeypatch.setattr(reuse, "versions", lambda: {"numpy": "1.0"})
    assert probe(ENCODER).value == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "polyglot/other/1"}', "\udcff"])
def test_what_cannot_be_read_is_measured_again(probe, text):
    probe(ENCODER)
    probe.report.path_of("en-fr").write_text(text, encoding="utf-8", errors="surrogateescape")
    assert probe(ENCODER).value == 2


def test_a_result_without_digest_is_measured_again(probe):
    probe(ENCODER)
    path = probe.report.path_of("en-fr")
    plain = json.loads(path.read_text(encoding="utf-8"))
    del plain["provenance"]["inputs"]
    path.write_text(json.dumps(plain), encoding="utf-8")
    assert probe(ENCODER).value == 2


def test_each_of_several_processes_measures(probe, monkeypatch):
    probe(ENCODER)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert probe(ENCODER).value == 2

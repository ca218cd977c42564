"""A result that lies there is kept only while everything that its numbers depend on is the same."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
from polyglot.commands.report import Report
from polyglot.commands.shared import Probing
from polyglot.files import write_text
from polyglot.probe.experiment import reuse as unchanged
from polyglot.probe.results.serialization import Provenance, to_json


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
    plain = probe(ENCODER, through=None)
    assert probe(ENCODER, through=SimpleNamespace(fingerprint="map", name="fr-en")).value == 2
    assert probe(ENCODER, through=SimpleNamespace(fingerprint="other", name="fr-en")).value == 3
    assert probe(ENCODER, through=None) != plain


@pytest.mark.parametrize("option", ["again", "half_cache"])
def test_options_that_measure_again(probe, option):
    probe(ENCODER)
    assert probe(ENCODER, common=Probing(**{option: True})).value == 2


def test_other_code_measures_again(probe, tmp_path, monkeypatch):
    probe(ENCODER)
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis" / "maps.py").write_text("ANSWER = 42\n")
    monkeypatch.setattr(unchanged, "PACKAGE", tmp_path)
    assert probe(ENCODER).value == 2


def test_other_libraries_measure_again(probe, monkeypatch):
    probe(ENCODER)
    monkeypatch.setattr("polyglot.probe.results.provenance.versions", lambda: {"numpy": "1.0"})
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

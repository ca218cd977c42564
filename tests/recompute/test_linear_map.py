"""Every headline number of a linear-map result, computed again by a script that shares no code with the package."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from polyglot.data.groups import concept_groups
from polyglot.data.open import open_corpus
from polyglot.models.embeddings import Encoded
from polyglot.probe.linear_map.run import LinearMapConfig, measure, run
from polyglot.probe.results.serialization import to_json

from . import linear_map as again
from .ladder import polar

ROOT = Path(__file__).resolve().parents[2]
CLOSED = ("identity", "shift", "rotation", "similarity", "low_rank", "linear")
SETTINGS = {"permutations": 2, "costly_permutations": 1, "resamples": 100, "power_replicates": 0, "failure": False}


def config(rungs=CLOSED, **changes):
    return LinearMapConfig(rungs=rungs, **{**SETTINGS, "same_space": True, "seed": 3, **changes})


def planted(maps, n=300, noise=0.35, seed=0):
    """Views of the same n meanings through some maps (d, ·), each with noise and a mean of its own."""
    rng, d = np.random.default_rng(seed), len(maps[0])
    meanings = rng.standard_normal((n, d)) / np.sqrt(np.arange(1, d + 1))
    spread = meanings.std()
    return [
        meanings @ m + spread * (noise * rng.standard_normal((n, m.shape[1])) + rng.standard_normal(m.shape[1]))
        for m in maps
    ]


def turns(d, count, seed=1):
    """Random rotations (d, d)."""
    rng = np.random.default_rng(seed)
    return [np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(count)]


def uneven_groups(n):
    """Number rows so that the first fifth of them are in pairs, and the first ten in one group."""
    rows = np.arange(n)
    return np.where(rows < 10, 0, np.where(rows < n // 5, rows // 2, rows))


def measured(*sides, **options):
    return json.loads(to_json(measure(*sides, **options)))


@pytest.fixture(scope="module")
def one_space():
    """A slight turn within one space, uneven groups, three instruments."""
    turn = polar(np.eye(12) + 0.5 * turns(12, 1)[0])
    x, y, *others = planted([np.eye(12), turn, *turns(12, 3)])
    arrays = again.Arrays(x, y, uneven_groups(len(x)), dict(zip(("de", "es", "it"), others, strict=True)))
    return arrays, measured(x, y, arrays.groups, config(), instruments=arrays.instruments)


@pytest.fixture(scope="module")
def numbers(one_space):
    """Reported and recomputed values by direction and name."""
    return {(direction, name): both for direction, name, *both in again.compared(*one_space)}


def test_every_number_within_one_space(numbers):
    for key, (value, recomputed) in numbers.items():
        assert recomputed == pytest.approx(value, abs=again.TOLERANCE), key


def test_the_numbers_are_worth_comparing(numbers):
    values = {key: value for key, (value, _) in numbers.items()}
    shares = {name for _, name in values if name.startswith("latent share")}
    assert {"identity", "shift", "rotation", "similarity", "linear"} <= {name.split()[2] for name in shares}
    assert {name for _, name in values} >= {"search no map", "search best", "search gain", "observed share linear"}
    assert 0.1 < values["x → y", "shift p_at_1"] < 0.95
    assert values["x → y", "linear r2"] > values["x → y", "shift r2"] > 0.1
    assert values["x → y", "latent share shift by all"] < 0.95 < values["x → y", "latent share rotation by all"]


def test_the_verdict_on_search_follows(one_space, numbers):
    for direction in one_space[1]["directions"]:
        names = f"{direction['source']} → {direction['target']}"
        found = {name: recomputed for (way, name), (_, recomputed) in numbers.items() if way == names}
        null = max(scores["p_at_1"]["null_p95"] for scores in direction["rungs"].values())  # of one permutation
        assert again.search_says(found, null) == direction["use"]["verdict"]


def test_a_wrong_number_is_noticed(one_space):
    arrays, result = one_space
    wrong = json.loads(json.dumps(result))
    wrong["directions"][1]["geometry"]["shares"]["linear"]["value"] += 2e-3
    wrong["directions"][0]["rungs"]["rotation"]["mrr"]["value"] -= 2e-3
    found = again.disagreements(arrays, wrong)
    assert [line.split(": ")[0] for line in found] == ["x → y, rotation mrr", "y → x, latent share linear by all"]


def test_every_number_across_spaces_by_one_instrument():
    x, y, other = planted([*turns(12, 1), turns(12, 1, seed=5)[0][:, :9], *turns(12, 1, seed=6)])
    settings = config(CLOSED[2:], same_space=False)
    result = measured(x, y, config=settings, instruments={"de": other})
    arrays = again.Arrays(x, y, np.arange(len(x)), {"de": other})
    assert again.disagreements(arrays, result) == []


def test_the_command_agrees_where_there_is_neither_instrument_nor_group(tmp_path):
    """Rows of a corpus of usual size, through the files that somebody else would have."""
    x, y = planted([np.eye(16), np.diag(np.linspace(0.5, 1.5, 16))], n=600)
    (tmp_path / "result.json").write_text(to_json(measure(x, y, config=config())), encoding="utf-8")
    np.savez(tmp_path / "arrays.npz", x=x, y=y, groups=np.arange(len(x)))
    command = [sys.executable, "-m", "tests.recompute.linear_map", tmp_path / "arrays.npz", tmp_path / "result.json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("0 disagreements\n", "", 0)


class PlantedEncoder:
    """Knows each text of a corpus: the meaning of its row, turned by its language, with noise."""

    name, fingerprint, base_fingerprint, device = "planted", "f00d", None, "cpu"
    layers, max_length, prompt, dim = 1, 64, "", 12

    def __init__(self, text):
        views = planted(turns(self.dim, len(text.languages)), n=len(text.column(text.languages[0])), seed=2)
        self.known = {}
        for language, view in zip(text.languages, views, strict=True):
            self.known |= dict(zip(text.column(language), view.astype(np.float32), strict=True))

    def checked_layers(self, layers):
        return layers

    def checked_budget(self, batch_tokens):
        return batch_tokens or 1000

    def empty(self, layers):
        return self.encode_block([], layers=range(layers), batch_tokens=1)

    def vectors(self, texts):
        return np.array([self.known[text] for text in texts], np.float32).reshape(len(texts), self.dim)

    def encode_block(self, texts, *, layers, batch_tokens, advance=abs):
        pooled, none = self.vectors(texts), np.zeros(len(texts), np.int32)
        tokens = np.array([len(text) for text in texts], np.int32)
        return Encoded(pooled, pooled[None].repeat(len(layers), 0), tokens, none.astype(bool), none)


def test_every_number_of_texts_with_words_and_a_curved_rung():
    text = open_corpus(["builtin"], ("fr", "zh", "de", "es"), limit=160)
    bitext, encoder = replace(text.bitext("fr", "zh"), references=None), PlantedEncoder(text)
    settings = config(("rotation", "linear", "nonlinear"), same_space=False)
    result = json.loads(to_json(run((encoder, encoder), bitext, settings, instruments=text)))
    sides = {code: encoder.vectors(text.column(code)).astype(np.float64) for code in text.languages}
    x, y, groups = sides.pop("fr"), sides.pop("zh"), concept_groups(bitext)
    arrays = again.Arrays(x, y, groups, sides, bitext.sources, bitext.targets)
    assert again.disagreements(arrays, result) == []
    assert all(direction["controls"]["words"] for direction in result["directions"])


def test_the_script_has_nothing_of_the_package():
    for path in Path(__file__).parent.glob("*.py"):
        if path.name.startswith("test_"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level < 2
                names = [] if node.level else [node.module]
            assert {name.split(".")[0] for name in names} <= {"numpy", *sys.stdlib_module_names}

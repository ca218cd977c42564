"""Every consumer of a model folder gives what the library's own `encode` gives: encoder, student, map folder, ONNX."""

import functools

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from polyglot.errors import ConfigError, ModelError
from polyglot.models.encoder import load_encoder
from polyglot.probe.fitted_map.run import MapFitConfig, fit
from polyglot.probe.fitted_map.use import export
from polyglot.train.engine.student import Student

CHAT = "{% for m in messages %}< {{ m['role'] }} > {{ m['content'] }}{% endfor %} < a >"
LINEAR = MapFitConfig(rung="linear", resamples=100, permutations=2)
PLAIN = {
    **{f"pooling {p}": {"pooling": p} for p in ("mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean")},
    "pooling lasttoken, padded left": {"pooling": "lasttoken", "side": "left"},
    "two poolings": {"pooling": ("cls", "mean"), "after": True},
    "weighted layers": {"weigh": True, "hidden_states": True},
    "weighted layers that are not given": {"weigh": True},
    "dense before pooling": {"before": True},
    "dense before and after pooling, weighted layers": {
        "before": True,
        "after": True,
        "weigh": True,
        "hidden_states": True,
    },
    "not normalised": {"normal": False},
    "cut to 8 tokens": {"settings": {"text": {"max_length": 8}}},
    "cut and without special tokens": {"settings": {"text": {"max_length": 8, "add_special_tokens": False}}},
    "cut by common settings": {"settings": {"common": {"max_length": 6, "truncation": True}}},
    "padded to a length on the left": {
        "settings": {"text": {"padding": "max_length", "max_length": 20, "padding_side": "left"}}
    },
    "segments": {"segments": True},
    "decoder": {"decoder": True, "pooling": "lasttoken"},
    "decoder with a chat template": {"decoder": True, "pooling": "lasttoken", "side": "left", "chat_template": CHAT},
    "decoder with a chat template, cut": {
        "decoder": True,
        "pooling": "lasttoken",
        "chat_template": CHAT,
        "settings": {"text": {"max_length": 9}},
    },
}
TOKENIZER_SETTINGS = [
    {"max_length": 9},
    {"max_length": 6, "truncation_side": "left"},
    {"padding_side": "left"},
    {"add_special_tokens": False},
]
UNTRAINABLE = {"segments", "words", "static", "bag", "router query", "router document"}


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def student_vectors(encoder, texts):
    """Embed texts as training does."""
    import torch

    student = Student(encoder, "float32")
    with torch.no_grad():
        return student.forward(student.tokenise(texts)).numpy()


def onnx_vectors(graph, rows):
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(str(graph)).run(None, {"vectors": rows})[0]


def require_parity(folder, out, bitext, library, texts, *, task=None, trains=True):
    """Compare every consumer of a folder with the library on the same folder."""
    options = {} if task is None else {"task": task}
    expected = library(folder, texts, **options)
    encoder = load_encoder(str(folder), device="cpu", task=task)
    close = functools.partial(np.testing.assert_allclose, atol=1e-5, rtol=1e-5)
    close(encoder.encode(texts).pooled, expected)
    if encoder.layers:
        encoded = encoder.encode(texts, layers=range(encoder.layers))
        close(encoded.pooled, expected)
        assert np.isfinite(encoded.hidden).all()
    if trains:
        close(student_vectors(encoder, texts), unit(expected))
        Student(encoder, "float32").save(out / "saved")
        close(library(out / "saved", texts), expected)
    else:
        with pytest.raises(ModelError, match="training"):
            student_vectors(encoder, texts)
    result = fit((encoder, encoder), bitext, out / "map", LINEAR)
    carried = library(out / "map", texts)
    close(load_encoder(str(out / "map"), device="cpu", task=task).encode(texts).pooled, carried, atol=2e-5)
    mapped = onnx_vectors(export(out / "map", out / "map.onnx", "onnx"), expected)
    close(carried, mapped, atol=1e-4 * max(1.0, np.abs(mapped).max()))
    assert result.normalised == bool(np.allclose(np.linalg.norm(carried, axis=1), 1, atol=1e-4))


@pytest.mark.parametrize("name", PLAIN)
def test_a_combination_of_modules(name, save_model, zoo, library, texts, sixty, tmp_path):
    folder = save_model(functools.partial(zoo["combined"], **PLAIN[name]))
    require_parity(folder, tmp_path, sixty, library, texts, trains=name not in UNTRAINABLE)


@pytest.mark.parametrize("name", ["words", "static", "bag"])
def test_a_model_without_layers(name, save_model, zoo, library, texts, sixty, tmp_path):
    folder = save_model(zoo[name])
    require_parity(folder, tmp_path, sixty, library, texts[:7], trains=False)
    with pytest.raises(ConfigError, match="has no layers"):
        load_encoder(str(folder), device="cpu").encode(["a"], layers=[0])


@pytest.mark.parametrize("name", ["router", "router behind the pooling"])
@pytest.mark.parametrize("task", ["query", "document"])
def test_a_model_that_routes_by_task(name, task, save_model, zoo, library, texts, sixty, tmp_path):
    folder = save_model(zoo[name])
    require_parity(folder, tmp_path, sixty, library, texts, task=task, trains=False)


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    make=st.fixed_dictionaries(
        {
            "pooling": st.sampled_from(["mean", "cls", "max", "weightedmean", "lasttoken", ("cls", "mean")]),
            "weigh": st.booleans(),
            "hidden_states": st.booleans(),
            "before": st.booleans(),
            "after": st.booleans(),
            "normal": st.booleans(),
            "include": st.booleans(),
            "decoder": st.booleans(),
            "settings": st.sampled_from([None, *({"text": one} for one in TOKENIZER_SETTINGS)]),
        }
    ),
    cut=st.sampled_from([None, 5]),
    prompt=st.sampled_from(["", "q: "]),
)
def test_any_combination_of_modules(make, cut, prompt, save_model, zoo, library, texts, sixty, tmp_path_factory):
    without_special_tokens = not ((make["settings"] or {}).get("text") or {}).get("add_special_tokens", True)
    assume(make["include"] or not without_special_tokens)  # of a text without a token the library pools nothing: NaN
    assume(not (make["decoder"] and make["pooling"] == "cls"))  # the first token sees no other: there is one vector
    out = tmp_path_factory.mktemp("any")
    named = {"prompts": {"query": prompt}, "default_prompt_name": "query"} if prompt else {}
    folder = save_model(functools.partial(zoo["combined"], **make), name=out.name, truncate_dim=cut, **named)
    require_parity(folder, out, sixty, library, texts)

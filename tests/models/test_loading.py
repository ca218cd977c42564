import json

import numpy as np
import pytest
from polyglot.errors import ConfigError, ModelError
from polyglot.models.encoder import load_encoder
from polyglot.models.folder import first_part
from polyglot.models.loading import check_folder, chosen_device


def pickled(folder):
    from safetensors.torch import load_file
    from torch import save

    save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    return folder


def change_json(path, **content):
    path.write_text(json.dumps(json.loads(path.read_text()) | content))


def test_pickled_weights_are_refused(tiny_copy):
    (pickled(tiny_copy) / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="are pickled"):
        load_encoder(str(tiny_copy), device="cpu")


def test_pickled_weights_beside_safe_ones_are_not_opened(tiny_copy, tiny_encoder):
    (pickled(tiny_copy) / "pytorch_model.bin").write_bytes(b"never opened")
    assert load_encoder(str(tiny_copy), device="cpu").fingerprint == tiny_encoder.fingerprint


def test_pickled_weights_of_a_module_are_refused(tiny_copy):
    (tiny_copy / "1_Pooling" / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ModelError, match="1_Pooling are pickled"):
        check_folder(tiny_copy, trust_remote_code=False)


def test_a_folder_that_brings_code_is_refused(tiny_copy):
    change_json(tiny_copy / "config.json", auto_map={"AutoModel": "modeling.Evil"})
    with pytest.raises(ModelError, match=r"auto_map in config\.json.*trust_remote_code"):
        load_encoder(str(tiny_copy), device="cpu")
    check_folder(tiny_copy, trust_remote_code=True)


def test_a_module_of_its_own_is_refused(tiny_copy):
    path = tiny_copy / "modules.json"
    modules = json.loads(path.read_text())
    modules[1]["type"] = "custom_st.Pooling"
    path.write_text(json.dumps(modules))
    with pytest.raises(ModelError, match=r"custom_st\.Pooling"):
        load_encoder(str(tiny_copy), device="cpu")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("modules.json", "{", "not readable JSON"),
        ("modules.json", '{"a": 1}', "is damaged"),
        ("modules.json", '["x"]', "is damaged"),
        ("config.json", "{", "not readable JSON"),
        ("tokenizer.json", "{", "cannot be loaded"),
        ("model.safetensors", "x", "cannot be loaded"),
    ],
)
def test_damaged_folders_are_errors(tiny_copy, name, content, message):
    (tiny_copy / name).write_text(content)
    with pytest.raises(ModelError, match=message):
        load_encoder(str(tiny_copy), device="cpu")


def test_a_folder_without_weights_is_an_error(tiny_copy):
    (tiny_copy / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_encoder(str(tiny_copy), device="cpu")


def test_any_folder_is_not_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"is not a model: expected modules\.json"):
        load_encoder(str(tmp_path), device="cpu")


def test_weights_that_would_be_drawn_at_random_are_an_error(tiny_copy):
    from safetensors.torch import load_file, save_file

    path = tiny_copy / "model.safetensors"
    weights = load_file(path)
    kept = {name: tensor for name, tensor in weights.items() if "layer.1.output.dense" not in name}
    assert len(kept) < len(weights)
    save_file(kept, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lack .*output\.dense.*drawn at random"):
        load_encoder(str(tiny_copy), device="cpu")


def test_a_missing_pooler_is_no_matter(tiny_copy, tiny_encoder):
    from safetensors.torch import load_file, save_file

    path = tiny_copy / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if "pooler" not in name}
    save_file(kept, path, metadata={"format": "pt"})
    assert load_encoder(str(tiny_copy), device="cpu").fingerprint == tiny_encoder.fingerprint


def test_loading_is_silent(tiny_copy, capfd, caplog):
    change_json(tiny_copy / "config_sentence_transformers.json", prompts={"query": "q: "}, default_prompt_name="query")
    load_encoder(str(tiny_copy), device="cpu")
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_plain_transformers_folders_are_pooled_by_means(tiny_model_folder, tiny_encoder):
    import numpy as np

    plain = load_encoder(str(tiny_model_folder.parent / "plain"), device="cpu")
    hidden = tiny_encoder.encode(["cat"], layers=[-1]).hidden[0]
    np.testing.assert_allclose(plain.encode(["cat"]).pooled, hidden, atol=1e-6)


@pytest.mark.parametrize("device", ["cuda:99", "abacus", "cpu:x"])
def test_absent_devices_are_errors(device):
    with pytest.raises(ConfigError, match=r"is not here; present: .*cpu"):
        chosen_device(device)


def test_device_is_chosen():
    assert chosen_device(None) in {"cuda", "mps", "cpu"}
    assert chosen_device("cpu") == "cpu"


@pytest.mark.parametrize("error", [ConnectionError("down"), TimeoutError("slow"), OSError("no route")])
def test_without_a_network_one_error_says_what_to_do(monkeypatch, error):
    from huggingface_hub import HfApi

    def unreachable(self, name, *, timeout):
        assert timeout <= 30
        raise error

    monkeypatch.setattr(HfApi, "model_info", unreachable)
    with pytest.raises(ModelError, match=r"cannot be reached.*minilm.*offline.*local model folder"):
        load_encoder("no-such-org/no-such-model", device="cpu")


def test_absent_and_gated_hub_models_are_told_apart(monkeypatch):
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    for kind, message in ((GatedRepoError, "is gated"), (RepositoryNotFoundError, "has no model")):

        def refuse(self, name, *, timeout, kind=kind):
            raise kind.__new__(kind)

        monkeypatch.setattr(HfApi, "model_info", refuse)
        with pytest.raises(ModelError, match=message):
            load_encoder("no-such-org/no-such-model", device="cpu")


def test_a_model_in_the_hub_cache_needs_no_network(tiny_model_folder, tiny_encoder, tmp_path, monkeypatch):
    """The cache of the hub library, filled by hand."""
    import shutil

    from huggingface_hub import HfApi
    from polyglot.models.registry import installed, resolve

    commit = "a" * 40
    repository = tmp_path / "models--some-org--tiny"
    shutil.copytree(tiny_model_folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: pytest.fail("asked the network"))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("asked the network"))
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path))
    assert installed(resolve("some-org/tiny"))
    encoder = load_encoder("some-org/tiny", device="cpu")
    assert encoder.fingerprint == tiny_encoder.fingerprint


@pytest.mark.parametrize(
    ("kind", "gives"),
    [
        ("CrossEncoder", "a score for two texts"),
        ("SparseEncoder", "a weight"),
        ("MultiVectorEncoder", "several vectors"),
    ],
)
def test_a_model_of_another_kind_is_refused_with_what_it_gives(tiny_copy, kind, gives):
    change_json(tiny_copy / "config_sentence_transformers.json", model_type=kind)
    with pytest.raises(ModelError, match=f"is a {kind}: it gives {gives}"):
        load_encoder(str(tiny_copy), device="cpu")


def test_a_model_of_another_kind_in_the_hub_cache_is_refused(tiny_copy, monkeypatch):
    from polyglot.models import loading, registry

    change_json(tiny_copy / "config_sentence_transformers.json", model_type="CrossEncoder")
    for module in (loading, registry):
        monkeypatch.setattr(module, "cached_file", lambda _, name: tiny_copy / name)
    with pytest.raises(ModelError, match="org/judge is a CrossEncoder"):
        load_encoder("org/judge", device="cpu")


def test_a_model_that_names_no_pooling_is_averaged_as_the_library_does_and_said(tiny_copy, tiny_encoder, caplog):
    (tiny_copy / "modules.json").unlink()
    plain = load_encoder(str(tiny_copy), device="cpu").encode(["a cat", "b"]).pooled
    assert "names no pooling: its token vectors are averaged" in caplog.text
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(plain, tiny_encoder.encode(["a cat", "b"]).pooled, atol=1e-6)


def test_a_transformer_in_a_folder_of_its_own_is_found(tiny_copy, tiny_encoder):
    """As older versions of the library saved it."""
    part = tiny_copy / "0_Transformer"
    part.mkdir()
    for file in [path for path in tiny_copy.iterdir() if path.is_file()]:
        if file.name not in ("modules.json", "config_sentence_transformers.json"):
            file.rename(part / file.name)
    path = tiny_copy / "modules.json"
    modules = json.loads(path.read_text())
    modules[0] |= {"path": "0_Transformer", "type": "sentence_transformers.models.Transformer"}
    path.write_text(json.dumps(modules))
    assert first_part(tiny_copy) == part
    found = load_encoder(str(tiny_copy), device="cpu").encode(["a cat", "b"]).pooled
    np.testing.assert_array_equal(found, tiny_encoder.encode(["a cat", "b"]).pooled)


def test_the_transformer_of_other_folders_is_the_folder(tiny_copy, tmp_path):
    assert first_part(tiny_copy) == tiny_copy
    assert first_part(tmp_path) == tmp_path


def test_every_process_takes_an_accelerator_of_its_own(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [chosen_device(name) for name in (None, "cuda", "cpu")] == ["cuda", "cuda", "cpu"]
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert [chosen_device(name) for name in (None, "cuda", "cuda:0", "cpu")] == ["cuda:1", "cuda:1", "cuda:0", "cpu"]
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ConfigError, match="the device 'cuda:2' is not here"):
        chosen_device("cuda")

import pytest
from polyglot.errors import ModelError
from polyglot.models.offline.packaged import PackagedModel
from polyglot.models.registry import hidden_layers, installed, known, resolve


def test_packaged_models_come_first_and_names_are_unique():
    names = [card.name for card in known()]
    assert names[:2] == ["minilm", "me5-small"]
    assert len(set(names)) == len(names)


def test_every_known_name_resolves_to_its_card():
    assert [resolve(card.name) for card in known()] == list(known())


def test_the_e5_family_takes_a_prompt_and_nothing_else_does():
    for card in known():
        assert card.prompt == ("query: " if "e5-" in card.name else ""), card.name


def test_a_folder_resolves_and_wins_over_a_hub_id(tmp_path, monkeypatch):
    (tmp_path / "runs" / "french").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for name in ("runs/french", "./runs/french", str(tmp_path / "runs/french"), "runs"):
        card = resolve(name)
        assert card.kind == "folder"
        assert card.prompt is None
        assert installed(card)


def test_an_unknown_hub_id_resolves_with_its_prompt_open(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    card = resolve("some-org/some.model_v2")
    assert (card.kind, card.source, card.prompt) == ("hub", "some-org/some.model_v2", None)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("minilmm", "minilm"),
        ("me5_small", "me5-small"),
        ("e5-base-v2", "intfloat/e5-base-v2"),
        ("LaBSE", "sentence-transformers/LaBSE"),
        ("bge-m3", "BAAI/bge-m3"),
    ],
)
def test_an_unknown_short_name_gets_suggestions(name, suggestion):
    with pytest.raises(ModelError, match=f"did you mean .*{suggestion}"):
        resolve(name)


def test_a_name_like_no_other_gets_no_suggestion():
    with pytest.raises(ModelError, match="no model is called 'qqqq'; expected") as caught:
        resolve("qqqq")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", ["../x", "/no/such/folder", "a/b/c", "~/no-such-folder", "a\\b", "org/", "./x"])
def test_paths_that_lead_nowhere_are_errors(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        resolve(name)


@pytest.mark.parametrize("name", ["org/..", "-o/m", "org/mo del", "a\0b", "x" * 5000, "~nobody-here/x"])
def test_odd_names_are_errors(tmp_path, monkeypatch, name):
    with pytest.raises(ModelError):
        resolve(name)


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_an_error(name):
    with pytest.raises(ModelError, match="is empty"):
        resolve(name)


def test_a_file_is_not_a_model(tmp_path, monkeypatch):
    (tmp_path / "weights.bin").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="is a file"):
        resolve("weights.bin")


def test_installed_looks_for_the_package(monkeypatch):
    monkeypatch.setattr(PackagedModel, "is_installed", lambda model: model.name == "minilm")
    assert installed(resolve("minilm"))
    assert not installed(resolve("me5-small"))


def test_installed_looks_into_the_hub_cache(monkeypatch):
    import huggingface_hub

    card = resolve("intfloat/e5-base-v2")
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda repo, file, cache_dir: None)
    assert not installed(card)
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda repo, file, cache_dir: f"/cache/{repo}/{file}"
    )
    assert installed(card)


def test_the_number_of_layers_is_known_before_a_model_is_loaded(tmp_path):
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 3}', encoding="utf-8")
    assert hidden_layers(resolve("minilm")) == 6
    assert hidden_layers(resolve("me5-small")) == 12
    assert hidden_layers(resolve(str(tmp_path))) == 3
    for text in ("[]", "{", '{"num_hidden_layers": "many"}'):
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
        assert hidden_layers(resolve(str(tmp_path))) is None
    assert hidden_layers(resolve("org/unknown")) is None

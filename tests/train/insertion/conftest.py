import pytest
from polyglot.models.encoder import load_encoder


@pytest.fixture
def tokenizer(base_folder):
    return load_encoder(str(base_folder), device="cpu").model.tokenizer

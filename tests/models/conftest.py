import pytest

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def build_model(folder, *, seed=0, pooling="mean", include_prompt=True, padding_side="right", width=16):
    """Save a tiny random BERT over single letters as a sentence-transformers folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{letter}" for letter in LETTERS), ":"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=48,
        padding_side=padding_side,
    )
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * width,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    plain = folder / "plain"
    BertModel(config).save_pretrained(plain)
    fast.save_pretrained(plain)
    modules = [
        Transformer(str(plain)),
        Pooling(width, pooling_mode=pooling, include_prompt=include_prompt),
        Normalize(),
    ]
    model = SentenceTransformer(modules=modules, device="cpu")
    path = folder / "model"
    model.save(str(path), create_model_card=False)
    return path


@pytest.fixture
def make_tiny_model(tmp_path):
    """Give a function that saves a variant of the tiny model and returns its folder."""
    return lambda name="variant", **options: build_model(tmp_path / name, **options)


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_encoder(tiny_model_folder):
    from polyglot.models.encoder import load_encoder

    return load_encoder(str(tiny_model_folder), device="cpu")


@pytest.fixture
def tiny_copy(tiny_model_folder, tmp_path):
    """Give a copy of the tiny model that a test may damage."""
    import shutil

    return shutil.copytree(tiny_model_folder, tmp_path / "copy")


@pytest.fixture(scope="session")
def me5_folder():
    from polyglot.errors import MissingExtraError
    from polyglot.models.packaged import packaged_folder

    try:
        return packaged_folder("me5-small")
    except MissingExtraError as error:
        pytest.skip(str(error))

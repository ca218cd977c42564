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
    from polyglot.models.registry import packaged_model

    try:
        return packaged_model("me5-small").folder()
    except MissingExtraError as error:
        pytest.skip(str(error))


def e5_bytes(*, hidden=32, layers=1, heads=2, wide=64, vocabulary=10, positions=16, seed=0):
    """Write a tiny 4-bit E5 file, from the description of the format."""
    import struct

    import numpy as np

    rng = np.random.default_rng(seed)
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁ab", "▁", "c", "a", "b", "<mask>"]
    scores = [0.0, 0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -3.0, -3.0, 0.0]
    encoded = [piece.encode() for piece in pieces]
    offsets = np.concatenate([[0], np.cumsum([len(piece) for piece in encoded])]).astype("<u4")
    characters = b"".join(struct.pack("<IB", ord(char), 1) + struct.pack("<I", 32) for char in "\t\u00a0")
    head = b"E5S1" + struct.pack("<I7ifi", 1, hidden, layers, heads, wide, vocabulary, positions, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, encoded)))
    head += offsets.tobytes() + np.array(scores, "<f4").tobytes() + b"".join(encoded)
    head += struct.pack("<iI", 2, len(characters)) + characters
    sizes = {"emb.word": vocabulary * hidden, "emb.pos": positions * hidden, "emb.type": 2 * hidden}
    sizes |= {"emb.ln.w": hidden, "emb.ln.b": hidden}
    for layer in range(layers):
        for name, rows, columns in [*((n, hidden, hidden) for n in ("q", "k", "v", "ao")), ("fi", wide, hidden)]:
            sizes |= {f"l{layer}.{name}.w": rows * columns, f"l{layer}.{name}.b": rows}
        sizes |= {f"l{layer}.fo.w": wide * hidden, f"l{layer}.fo.b": hidden}
        sizes |= {f"l{layer}.{name}.{part}": hidden for name in ("aln", "oln") for part in "wb"}
    quantised = {name for name in sizes if name == "emb.word" or (name.endswith(".w") and "ln." not in name)}
    tensors = {}
    for name, size in sizes.items():
        if name in quantised:
            blocks = [rng.normal(0, 0.1, 1).astype("<f2").tobytes() + rng.bytes(16) for _ in range(size // 32)]
            tensors[name] = (1, size, b"".join(blocks))
        else:
            tensors[name] = (0, size, rng.normal(size=size).astype("<f4").tobytes())
    directory_size = 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in tensors)
    at = len(head) + directory_size
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, (dtype, size, data) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", dtype, size, at, len(data))
        at += len(data)
        body += data
    return head + directory + body


@pytest.fixture
def tiny_e5(tmp_path):
    path = tmp_path / "tiny-e5.bin"
    path.write_bytes(e5_bytes())
    return path

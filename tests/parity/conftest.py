"""Tiny models of every make, saved as folders, and what each consumer of a folder makes of the same texts."""

import json

import numpy as np
import pytest

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WIDTH = 16
TEXTS = [
    "a cat sat",
    "the dog",
    "a",
    "xyz xyz xyz xyz",
    "ask not what",
    "b b",
    "A CAT SAT",
    "π b",
    "a b c d e f g h i j",
]


def letter_tokenizer(*, side="right", segments=False, chat_template=None):
    """A tokenizer of single letters; with `segments` its first token is of the second segment."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{letter}" for letter in LETTERS), ":", "<", ">"]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    single = "[CLS]:1 $A:0 [SEP]:0" if segments else "[CLS] $A [SEP]"
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    inputs = ["input_ids", "attention_mask", *(["token_type_ids"] if segments else [])]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=48, padding_side=side, model_input_names=inputs, **names
    )
    fast.chat_template = chat_template
    return fast


def transformer(folder, *, decoder=False, hidden_states=False, settings=None, **tokenizer):
    """A transformer module; `settings` are the tokenizer settings that its folder saves."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Transformer
    from transformers import BertConfig, BertModel, Qwen2Config, Qwen2Model

    torch.manual_seed(0)
    shape = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64}
    shape |= {
        "vocab_size": 59,
        "intermediate_size": 32,
        "initializer_range": 0.5,
        "output_hidden_states": hidden_states,
    }
    if decoder:
        Qwen2Model(Qwen2Config(**shape, num_key_value_heads=2, pad_token_id=0)).save_pretrained(folder)
    else:
        BertModel(BertConfig(**shape)).save_pretrained(folder)
    letter_tokenizer(**tokenizer).save_pretrained(folder)
    return Transformer(str(folder), processing_kwargs=settings)


def combined(folder, *, pooling="mean", weigh=False, before=False, after=False, normal=True, include=True, **options):
    """The modules of a model: what stands before and after its pooling."""
    import torch
    from sentence_transformers.sentence_transformer.modules import (
        Dense,
        Normalize,
        Pooling,
        WeightedLayerPooling,
    )

    modules, width = [transformer(folder, **options)], WIDTH
    torch.manual_seed(1)
    if weigh:
        weights = torch.nn.Parameter(torch.tensor([0.2, 1.0, 0.5]))
        modules.append(WeightedLayerPooling(WIDTH, num_hidden_layers=2, layer_start=0, layer_weights=weights))
    if before:
        modules.append(Dense(WIDTH, 12, module_input_name="token_embeddings"))
        width = 12
    modules.append(Pooling(width, pooling_mode=pooling, include_prompt=include))
    width = modules[-1].get_embedding_dimension()
    if after:
        modules.append(Dense(width, 10))
    return [*modules, *([Normalize()] if normal else [])]


def words():
    """Word vectors of some letters."""
    import torch
    from sentence_transformers.sentence_transformer.modules import LSTM, Pooling, WordEmbeddings
    from sentence_transformers.sentence_transformer.modules.tokenizer import WhitespaceTokenizer

    vectors = np.random.default_rng(0).standard_normal((26, 8)).astype(np.float32)
    torch.manual_seed(0)
    reader = WordEmbeddings(WhitespaceTokenizer(list(LETTERS), stop_words=set()), vectors)
    return [reader, LSTM(8, 6), Pooling(12, pooling_mode="mean")]


def static():
    """Vectors of pieces, added up without an order."""
    import torch
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(0)
    return [StaticEmbedding(letter_tokenizer(), embedding_dim=12)]


def bag():
    """A bag of letters as words."""
    from sentence_transformers.sentence_transformer.modules import BoW, Dense

    return [BoW(vocab=list(LETTERS), word_weights={"a": 0.5}), Dense(26, 8)]


def router(folder):
    """Queries through static vectors, documents through a transformer."""
    from sentence_transformers.base.modules import Router

    modules = combined(folder, normal=False)
    return [Router.for_query_document(query_modules=static_of_width(), document_modules=modules)]


def router_behind(folder):
    """Vectors of a transformer through another layer for queries than for documents."""
    import torch
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sentence_transformer.modules import Dense

    torch.manual_seed(4)
    routes = {"query_modules": [Dense(WIDTH, 8)], "document_modules": [Dense(WIDTH, 8)]}
    return [*combined(folder, normal=False), Router.for_query_document(**routes)]


def static_of_width():
    import torch
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(3)
    return [StaticEmbedding(letter_tokenizer(), embedding_dim=WIDTH)]


@pytest.fixture
def save_model(tmp_path):
    """Give a function that saves modules as a folder, with the settings of its model."""

    def save(make, *, name="model", **settings):
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(modules=make(tmp_path / f"{name}-plain"), device="cpu", **settings)
        model.save(str(tmp_path / name), create_model_card=False)
        return tmp_path / name

    return save


@pytest.fixture
def library():
    """Give a function that embeds texts with the library alone, from a folder."""

    def encode(folder, texts, **options):
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        return model.encode(list(texts), show_progress_bar=False, **options)

    return encode


@pytest.fixture
def change_settings():
    """Give a function that changes config_sentence_transformers.json of a folder."""

    def change(folder, **content):
        path = folder / "config_sentence_transformers.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | content))

    return change


@pytest.fixture(scope="session")
def sixty():
    """Sixty pairs of sentences of letters."""
    from polyglot.data.bitext import Bitext

    rng = np.random.default_rng(0)
    sentences = [" ".join(rng.choice(list(LETTERS[:12]), rng.integers(4, 9))) for _ in range(60)]
    turned = str.maketrans("abcdefghijkl", "bcdefghijklm")
    return Bitext.of("letters", ("fr", "en"), sentences, [text.translate(turned) for text in sentences])


@pytest.fixture
def zoo():
    """Give the makers of modules by name."""
    return {
        "combined": combined,
        "words": lambda _: words(),
        "static": lambda _: static(),
        "bag": lambda _: bag(),
        "router": router,
        "router behind the pooling": router_behind,
    }


@pytest.fixture
def texts():
    return TEXTS

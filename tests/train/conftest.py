import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

SUBJECTS = {"dog": "chien", "cat": "felin", "bird": "oiseau", "horse": "cheval", "child": "enfant", "king": "roi"}
VERBS = {"eats": "mange", "sees": "voit", "hears": "entend", "wants": "veut", "finds": "trouve", "sells": "vend"}
OBJECTS = {"bread": "pain", "water": "eau", "fire": "feu", "stone": "pierre", "house": "maison", "tree": "arbre"}
ADJECTIVES = {"big": "grand", "red": "rouge", "old": "vieux", "white": "blanc", "cold": "froid"}


def sentences(count, seed=0):
    """Return distinct (fr, en) pairs of a toy language."""
    rng = np.random.default_rng(seed)
    every = [
        (f"le {ADJECTIVES[a]} {SUBJECTS[s]} {VERBS[v]} le {OBJECTS[o]}", f"the {a} {s} {v} the {o}")
        for s in SUBJECTS
        for v in VERBS
        for o in OBJECTS
        for a in ADJECTIVES
    ]
    return [every[i] for i in rng.permutation(len(every))[:count]]


def write_corpus(path, pairs):
    path.write_text("fr\ten\n" + "".join(f"{fr}\t{en}\n" for fr, en in pairs), encoding="utf-8")
    return path


def build_model(folder, *, seed=0, width=32, dropout=0.1):
    """Save a tiny random BERT that knows whole English words of the toy language, and letters."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["the", *SUBJECTS, *VERBS, *OBJECTS, *ADJECTIVES, "pain"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), *words]
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
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
        mask_token="[MASK]",
        model_max_length=64,
    )
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * width,
        max_position_embeddings=64,
        initializer_range=0.2,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    BertModel(config).save_pretrained(folder / "plain")
    fast.save_pretrained(folder / "plain")
    modules = [Transformer(str(folder / "plain")), Pooling(width, pooling_mode="mean"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "model"), create_model_card=False)
    return folder / "model"


@pytest.fixture(scope="session")
def toy_sentences():
    """Give the function that makes pairs of the toy language."""
    return sentences


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus") / "toy.tsv", sentences(400))


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYGLOT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def finetune_config(base_folder, corpus_file, tmp_path):
    """Give a function that makes a small configuration for the toy language."""
    from polyglot.train.config import DataConfig, FinetuneConfig, LoopConfig

    def make(out="run", *, loop=None, data=None, **options):
        return FinetuneConfig(
            out=tmp_path / out,
            model=str(base_folder),
            langs=("fr",),
            certificate=False,
            device="cpu",
            loop=LoopConfig(
                **{"batch_size": 16, "epochs": 2, "learning_rate": 1e-3, "precision": "float32", **(loop or {})}
            ),
            data=DataConfig(**{"corpus": (str(corpus_file),), **(data or {})}),
            **options,
        )

    return make


@pytest.fixture
def same_weights():
    """Give a function that compares the models of two runs."""
    import torch
    from safetensors.torch import load_file

    def compare(one, other, atol=1e-6):
        one, other = (load_file(run / "model" / "model.safetensors") for run in (one, other))
        assert one.keys() == other.keys()
        for name in one:
            torch.testing.assert_close(one[name], other[name], atol=atol, rtol=0)

    return compare


@pytest.fixture
def signal_at_step(tmp_path):
    """Give a function that runs a configuration in a process of its own, which signals itself within a step."""

    def run(config, step, name):
        program = tmp_path / "program.py"
        program.write_text(
            textwrap.dedent(
                f"""
                import os, signal
                from pathlib import Path
                from polyglot.train.config import DataConfig, FinetuneConfig, LoopConfig, RetentionConfig
                from polyglot.train.stages.finetune import run_finetune
                from polyglot.train.engine.trainer import Trainer

                step_of = Trainer._step

                def take(self, batch):
                    if batch.step == {step}:
                        os.kill(os.getpid(), signal.{name})
                    return step_of(self, batch)

                Trainer._step = take
                PosixPath = Path
                run_finetune({config!r})
                """
            )
        )
        done = subprocess.run(
            [sys.executable, str(program)],
            env=dict(os.environ),
            check=False,
            timeout=120,
            capture_output=True,
            text=True,
        )
        if name == "SIGKILL":
            assert done.returncode == -signal.SIGKILL, done.stderr
        return done

    return run

"""What is computed on a card is computed there as a whole: no tensor in memory among those on the device."""

import numpy as np
import pytest
import torch
from polyglot.analysis.moments import SUMS, Moments
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.analysis.retrieval.scores import GAINS
from polyglot.analysis.retrieval.search import nearest, nearest_both_ways
from polyglot.distributed import Processes
from polyglot.train.engine.lazy_adamw import LazyAdamW
from polyglot.train.insertion.losses import AlignWeights, align_loss

from .simulated import DEVICE, Simulated, marked


@pytest.fixture
def device():
    with Simulated() as mode:
        yield mode


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((70, 6)).astype(np.float32)
    return x, np.concatenate([x[:60] + rng.standard_normal((60, 6)), x[:5]]).astype(np.float32)


def test_the_device_refuses_what_a_card_refuses(device):
    there, here = torch.arange(3.0, device=DEVICE), torch.arange(3.0)
    assert there.device == torch.device(DEVICE)
    assert (2 * there).device.type == "cuda"
    assert there.cpu().device.type == here.device.type == "cpu"
    assert here.to(DEVICE).device.type == here.to(DEVICE, torch.float64).device.type == "cuda"
    assert (there + torch.tensor(1.0)).device.type == there[torch.tensor([0])].device.type == "cuda"
    for mixed in (
        lambda: there + here,
        lambda: torch.cat([there, here]),
        lambda: here[there > 1],
        there.numpy,
        lambda: np.asarray(there),
    ):
        with pytest.raises((RuntimeError, TypeError), match=r"same device|to numpy"):
            mixed()
    assert there.cpu().numpy().tolist() == [0, 1, 2]
    assert marked(there)
    assert not marked(here)


@pytest.mark.parametrize("side", [16, None])
def test_searches(device, rows, side):
    x, y = rows
    for criterion in ("cosine", "csls", "margin"):
        found = nearest(x, y, k=3, criterion=criterion, device=DEVICE, tile_side=side)
        expected = nearest(x, y, k=3, criterion=criterion, tile_side=side)
        np.testing.assert_allclose(found[0], expected[0], atol=1e-6)
        np.testing.assert_array_equal(found[1], expected[1])
    both = nearest_both_ways(x, y, k=2, criterion="csls", device=DEVICE, tile_side=side)
    again = nearest_both_ways(x, y, k=2, criterion="csls", tile_side=side)
    for mine, theirs in zip(both, again, strict=True):
        np.testing.assert_array_equal(mine.places, theirs.places)
    assert device.calls > 100


@pytest.mark.parametrize("side", [16, None])
def test_ranks_and_influences(device, rows, side):
    x, y = rows
    groups = np.arange(70), np.concatenate([np.arange(60), np.arange(5)])
    found, expected = (
        match_ranks(x, y, *groups, margin=True, gains=GAINS, device=where, tile_side=side) for where in (DEVICE, "cpu")
    )
    for mine, theirs in zip(found, expected, strict=True):
        for criterion in ("cosine", "csls", "margin"):
            np.testing.assert_array_equal(mine.of(criterion), theirs.of(criterion))
        for name in GAINS:
            np.testing.assert_allclose(mine.influence[name], theirs.influence[name], atol=1e-6)
    assert device.calls > 100


def test_moments(device, rows):
    x, y = rows[0][:65], rows[1]
    found, expected = (Moments.from_arrays(x, y, device=where, block_rows=16) for where in (DEVICE, "cpu"))
    for name in SUMS:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-5, atol=1e-4)
    assert device.calls > 0


def test_lazy_adamw_over_saving_and_resuming(device):
    start = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    tables = []
    for where in (DEVICE, "cpu"):
        table = torch.nn.Parameter(start.clone())
        if where == DEVICE:
            table.data = table.data.to(DEVICE)
        lazy = LazyAdamW(table, lambda step: 1e-2)
        for step, rows in ((1, [0, 2]), (2, [1]), (5, [0, 3])):
            chosen = torch.tensor(rows, device=where)
            lazy.catch_up(chosen, step - 1)
            lazy.step(chosen, torch.ones(len(rows), 4, device=where), step)
            saved = {name: tensor.cpu() for name, tensor in lazy.state().items()}
            lazy = LazyAdamW(table, lambda step: 1e-2)
            lazy.restore(saved)
        with lazy.up_to_date(6):
            pass
        lazy.finish(7)
        assert all(tensor.device.type == torch.device(where).type for tensor in lazy.state().values())
        tables.append(table.detach().cpu().numpy())
    np.testing.assert_array_equal(*tables)
    assert np.abs(tables[0] - start.numpy()).max() > 1e-2


def test_the_loss_of_insertion(device, rows):
    x, y = (torch.nn.functional.normalize(torch.from_numpy(side[:12]), dim=1) for side in rows)
    bank = torch.nn.functional.normalize(torch.from_numpy(rows[1][12:40]), dim=1)
    here = align_loss(x, y, Processes(), AlignWeights(), bank)
    there = align_loss(*(side.to(DEVICE) for side in (x, y)), Processes(), AlignWeights(), bank.to(DEVICE))
    assert there.device.type == "cuda"
    assert float(there) == float(here)


def test_words_beside_an_encoder(device):
    from polyglot.analysis.maps.hashed_ngrams import NgramVocabulary
    from polyglot.analysis.maps.ngram_addition import NgramAddition
    from polyglot.analysis.maps.ngram_embedding import NgramEmbedding
    from polyglot.analysis.maps.text_transformer import characters

    vocabulary = NgramVocabulary.of(["the dog", "chien"])
    arrays = tuple(map(torch.from_numpy, (vocabulary.buckets, vocabulary.frequencies)))
    table = torch.randn(len(vocabulary), 4, generator=torch.Generator().manual_seed(0))
    vectors = []
    for where in (DEVICE, "cpu"):
        module = NgramAddition(NgramEmbedding(table, *arrays, torch.zeros(4)), np.ones(4, bool), first_new=3)
        if where == DEVICE:
            module = module.to(DEVICE)
        features = {
            "input_ids": torch.tensor([[1, 2], [3, 0]], device=where),
            "attention_mask": torch.tensor([[1, 1], [1, 0]], device=where),
            "characters": characters(["the dog", "chien"]).to(where),
            "sentence_embedding": torch.ones(2, 5, device=where),
        }
        found = module(features)["sentence_embedding"]
        assert found.device.type == torch.device(where).type
        vectors.append(found.detach().cpu().numpy())
    np.testing.assert_array_equal(*vectors)
    assert np.ptp(vectors[0][1]) > 0.01


def test_encoding_and_the_contrastive_loss(device, tiny_model_folder):
    from polyglot.models.encoder import load_encoder
    from polyglot.train.engine.sampler import Batch
    from polyglot.train.engine.student import Student
    from polyglot.train.objectives.contrastive import ContrastiveObjective, TextRows, info_nce

    texts, losses = ["a cat", "the dog sat", "b", ""], []
    here, there = (load_encoder(str(tiny_model_folder), device="cpu") for _ in range(2))
    there.model.to(DEVICE)
    assert there.device == DEVICE
    found, expected = (encoder.encode(texts, layers=[0, -1]) for encoder in (there, here))
    np.testing.assert_array_equal(found.pooled, expected.pooled)
    np.testing.assert_array_equal(found.hidden, expected.hidden)
    for encoder in (there, here):
        student = Student(encoder, "float32")
        rows = TextRows.of(student, texts[:3], [text[::-1] for text in texts[:3]])
        criterion = info_nce(student, Processes(), scale=20, mini_batch=2)
        objective = ContrastiveObjective(student, [rows], criterion, Processes())
        with torch.no_grad():
            loss = objective.loss(Batch(0, 0, np.arange(3)))
        losses.append(float(loss))
        assert loss.device.type == torch.device(encoder.device).type
    assert losses[0] == losses[1]


@pytest.mark.parametrize("second", ["none", "retromae"])
def test_the_loss_of_pretraining(device, second):
    from polyglot.train.config import PretrainConfig
    from polyglot.train.engine.sampler import Batch
    from polyglot.train.objectives.masked_language_model import MaskedObjective
    from polyglot.train.objectives.masking import WholeWordMasker
    from transformers import BertConfig, BertForMaskedLM

    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    torch.manual_seed(0)
    model = BertForMaskedLM(BertConfig(vocab_size=11, **shape)).eval().to(DEVICE)
    masker = WholeWordMasker(np.ones(11, bool), np.array([0, 1]), 2)
    rows = np.random.default_rng(0).integers(3, 11, (4, 12))
    objective = MaskedObjective(model, [rows], masker, PretrainConfig(second=second), Processes())
    loss = objective.loss(Batch(0, 0, np.arange(4)))
    assert loss.device.type == "cuda"
    assert np.isfinite(float(loss.detach()))

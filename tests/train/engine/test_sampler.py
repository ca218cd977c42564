import numpy as np
import pytest
from polyglot.errors import DataError
from polyglot.train.engine.sampler import BatchPlan, RowIndex, epoch_batches, text_keys


def dataset(n=500, seed=0, repeats=1):
    rng = np.random.default_rng(seed)
    keys = np.column_stack([np.arange(n) // repeats, 10_000 + np.arange(n)])
    return RowIndex(rng.integers(4, 60, size=n), keys)


def plan(*datasets, world=1, **options):
    options = {"batch_size": 16, "epochs": 2, "max_steps": None, "seed": 3, **options}
    return BatchPlan(datasets, world=world, **options)


def test_every_row_occurs_once_in_an_epoch():
    batches = epoch_batches(dataset(), 16, np.random.default_rng(0))
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    assert max(map(len, batches)) == 16


def test_no_text_occurs_twice_in_a_batch():
    data = dataset(300, repeats=3)
    for batch in epoch_batches(data, 16, np.random.default_rng(0)):
        assert len(np.unique(data.keys[batch, 0])) == len(batch)


def test_a_text_in_both_columns_does_not_share_a_batch():
    keys = text_keys(["Bonjour.", "salut", "hello"], ["hello !", "hi", "good day"])
    assert keys[0, 1] == keys[2, 0]
    batches = epoch_batches(RowIndex(np.array([3, 3, 3]), keys), 4, np.random.default_rng(0))
    assert not any({0, 2} <= set(batch.tolist()) for batch in batches)


def test_rows_of_similar_length_share_a_batch():
    data = dataset(2000)
    padded = sum(data.lengths[batch].max() * len(batch) for batch in epoch_batches(data, 16, np.random.default_rng(0)))
    assert padded < 1.25 * data.lengths.sum()


def test_processes_share_each_batch_of_one_data_set():
    made = plan(dataset(300), dataset(40, seed=1), world=2)
    for batch in made.batches():
        first, second = batch.of_rank(0, 2), batch.of_rank(1, 2)
        assert len(first) == len(second)
        assert sorted([*first, *second]) == sorted(batch.rows.tolist())


def test_data_sets_are_drawn_by_the_root_of_their_size():
    made = plan(dataset(1600), dataset(100, seed=1), epochs=8)
    share = np.mean([batch.dataset for batch in made.batches()])
    assert abs(share - 1 / 5) < 0.06


def test_a_plan_resumes_at_any_step():
    made = plan(dataset(300), dataset(40, seed=1))
    whole, rest = list(made.batches()), list(made.batches(7))
    assert len(whole) == made.total
    assert [(b.step, b.dataset, b.rows.tolist()) for b in whole[7:]] == [
        (b.step, b.dataset, b.rows.tolist()) for b in rest
    ]


def test_epochs_differ_and_seeds_differ():
    made = list(plan(dataset(160)).batches())
    assert [b.rows.tolist() for b in made[:10]] != [b.rows.tolist() for b in made[10:]]
    assert [b.rows.tolist() for b in plan(dataset(160), seed=4).batches()] != [b.rows.tolist() for b in made]


def test_an_empty_data_set_is_refused():
    with pytest.raises(DataError, match="at least 2 rows"):
        plan(dataset(1))
    with pytest.raises(DataError, match="none"):
        plan()

import pytest
import torch
from polyglot.train.engine.lazy_adamw import LazyAdamW


def gradients(steps, rows, width, seed=0):
    """Draw for each step the touched rows and their gradient; rows pause for up to hundreds of steps."""
    generator = torch.Generator().manual_seed(seed)
    for step in range(1, steps + 1):
        often = torch.randperm(4, generator=generator)[:2]
        rare = torch.tensor([4 + step // 60 % (rows - 5)]) if step % 60 == 1 else torch.tensor([], dtype=torch.int64)
        touched = torch.cat([often, rare]).sort().values
        yield step, touched, torch.randn(len(touched), width, generator=generator) * 1e-2


def rate(step):
    return 1e-2 * min(1.0, step / 20) * (1 - step / 500)


def test_the_numbers_are_those_of_the_dense_optimiser():
    start = torch.randn(12, 6, generator=torch.Generator().manual_seed(1))
    dense = torch.nn.Parameter(start.clone())
    reference = torch.optim.AdamW([dense], lr=1.0, weight_decay=0.0)
    table = torch.nn.Parameter(start.clone())
    lazy = LazyAdamW(table, rate)
    for step, rows, gradient in gradients(400, 12, 6):
        lazy.catch_up(rows, step - 1)
        torch.testing.assert_close(table[rows], dense[rows], atol=2e-5, rtol=0)
        lazy.step(rows, gradient, step)
        dense.grad = torch.zeros_like(dense)
        dense.grad[rows] = gradient
        reference.param_groups[0]["lr"] = rate(step)
        reference.step()
    lazy.finish(400)
    torch.testing.assert_close(table, dense, atol=2e-5, rtol=0)
    assert (dense - start).abs().max() > 0.1
    assert torch.equal(table[11], start[11])


def test_finishing_in_between_changes_nothing():
    tables = []
    for stops in ((), (100, 250)):
        table = torch.nn.Parameter(torch.zeros(12, 6))
        lazy = LazyAdamW(table, rate)
        for step, rows, gradient in gradients(400, 12, 6):
            lazy.catch_up(rows, step - 1)
            lazy.step(rows, gradient, step)
            if step in stops:
                lazy.finish(step)
        lazy.finish(400)
        tables.append(table.detach())
    torch.testing.assert_close(*tables, atol=1e-6, rtol=0)


def test_rows_before_the_first_keep_their_bits():
    table = torch.nn.Parameter(torch.randn(12, 6))
    before = table.detach().clone()
    lazy = LazyAdamW(table, rate, first_row=2)
    for step, rows, gradient in gradients(50, 12, 6):
        lazy.catch_up(rows, step - 1)
        lazy.step(rows, gradient, step)
    lazy.finish(50)
    assert torch.equal(table[:2], before[:2])
    assert not torch.equal(table[2:4], before[2:4])


@pytest.mark.parametrize("stop", [37])
def test_it_resumes_from_its_state(stop):
    def run(until, table, lazy, start=0):
        for step, rows, gradient in gradients(until, 12, 6):
            if step > start:
                lazy.catch_up(rows, step - 1)
                lazy.step(rows, gradient, step)
        lazy.finish(until)

    whole = torch.nn.Parameter(torch.zeros(12, 6))
    run(90, whole, LazyAdamW(whole, rate))
    part = torch.nn.Parameter(torch.zeros(12, 6))
    first = LazyAdamW(part, rate)
    run(stop, part, first)
    second = LazyAdamW(part, rate)
    second.restore({key: value.clone() for key, value in first.state().items()})
    run(90, part, second, start=stop)
    torch.testing.assert_close(part, whole, atol=1e-6, rtol=0)

"""Processes of one run: their parts, and what they exchange through gloo."""

import os
import socket
import subprocess
import sys

import pytest
import torch
from polyglot.distributed import ProcessDone, Processes, apart

PROGRAM = """
import torch
from polyglot.distributed import Processes

processes = Processes.current()
rank, one = processes.rank, torch.full((2,), 1.0 + processes.rank)
processes.barrier()
assert Processes.current() == processes
for operation, expected in (("sum", 6.0), ("max", 3.0), ("min", 1.0)):
    values = one.clone()
    processes.all_reduce(values, operation)
    assert values.tolist() == [expected] * 2
several = [one.clone(), torch.full((1, 3), float(rank))]
processes.sum_together(several)
assert [t.tolist() for t in several] == [[6.0, 6.0], [[3.0] * 3]]
processes.sum_together([])
assert processes.minimum(5 - rank) == 3
assert processes.all_agree(True)
assert not processes.all_agree(rank != 1)
assert processes.broadcast(0.1 if rank == 0 else float("nan")) == 0.1
own = torch.full((2, 1), float(rank), requires_grad=True)
rows, columns = processes.gather(own), processes.gather(own, dim=1)
assert rows.flatten().tolist() == [0, 0, 1, 1, 2, 2]
assert columns.tolist() == [[0, 1, 2]] * 2
(rows.sum() + columns.sum()).backward()
assert own.grad.tolist() == [[2.0]] * 2
uneven = processes.gather_uneven(torch.full((rank, 2), rank, dtype=torch.uint8))
assert uneven.tolist() == [[1, 1], [2, 2], [2, 2]]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_three_processes_exchange_what_they_have():
    shared = {**os.environ, "WORLD_SIZE": "3", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env={**shared, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank in range(3)
    ]
    try:
        for process in running:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
    finally:
        for process in running:
            process.kill()


def test_one_process_needs_no_group():
    processes = Processes.current()
    assert processes == Processes(0, 1)
    assert processes.is_first
    rows = torch.ones(2, 3, requires_grad=True)
    for same in (processes.gather(rows), processes.gather_uneven(rows)):
        assert same is rows
    processes.all_reduce(rows)
    processes.sum_together([rows])
    processes.barrier()
    processes.only_first_goes_on()
    assert processes.broadcast(0.5) == 0.5
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize("fine", [True, False])
def test_agreement_of_one_is_its_own(fine):
    assert Processes().all_agree(fine) is fine


def test_processes_are_what_the_launcher_says(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert Processes.current() == Processes(0, 1)
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert Processes.current() == Processes(3, 8)


@pytest.mark.parametrize("length", [0, 2, 10])
def test_every_row_falls_to_one_process(length):
    parts = [Processes(rank, 3) for rank in range(3)]
    assert [i for part in parts for i in range(length)[part.rows_of(length)]] == list(range(length))
    assert sorted(i for part in parts for i in part.numbers_of(range(length))) == list(range(length))


def test_only_the_first_goes_on():
    with pytest.raises(ProcessDone):
        Processes(1, 2).only_first_goes_on()


def test_apart_a_process_is_alone_for_a_while(monkeypatch):
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with apart() as here:
        assert here == Processes(2, 4)
        assert Processes.current().alone
    assert Processes.current() == Processes(2, 4)

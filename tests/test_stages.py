"""Stages of long computations: records for who listens, nothing for who does not."""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from polyglot.analysis.certificate.permutation import NullPlan, permutation_null
from polyglot.analysis.maps.ladder import Ladder
from polyglot.stages import Stage, about, counted, stage


def shuffled():
    """Run a small null of 4 permutations."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 60, 3))
    rows = np.arange(60)
    ladder = Ladder(x, rows % 3, rungs=("rotation", "linear"))
    return permutation_null(ladder, y, rows, np.zeros(60, np.int64), pool=None, plan=NullPlan(4, 1))


def test_who_listens_hears_every_permutation(caplog):
    caplog.set_level(logging.INFO, "polyglot.stages")
    shuffled()
    said = [record.msg for record in caplog.records]
    assert said == [Stage("shuffling pairs", "", done, 4) for done in range(4)]


def test_who_does_not_listen_hears_nothing_and_gets_the_same_numbers(caplog):
    quiet = shuffled()
    assert caplog.records == []
    caplog.set_level(logging.INFO, "polyglot.stages")
    assert shuffled().ceiling == quiet.ceiling


def test_a_stage_says_what_it_is_about_in_its_own_thread_only(caplog):
    caplog.set_level(logging.INFO, "polyglot.stages")
    with about("en → fr"), ThreadPoolExecutor(1) as other:
        stage("fitting maps")
        other.submit(stage, "of nothing named").result()
    stage("after")
    assert caplog.messages == ["en → fr: fitting maps", "of nothing named", "after"]


def test_counting_passes_items_on():
    assert list(counted((5, 6), "items")) == [5, 6]

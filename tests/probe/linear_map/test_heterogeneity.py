from dataclasses import replace

import numpy as np
import pytest
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.retrieval.scores import fidelity, retrieve, row_squares
from polyglot.analysis.splits import group_folds
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.linear_map.config import LinearMapConfig
from polyglot.probe.linear_map.heterogeneity import (
    RowScores,
    anatomy_of,
    drift_of,
    residual_groups,
    transfer_of,
)

CONFIG = LinearMapConfig(resamples=200)


@pytest.fixture
def pairs():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((240, 5))
    y = x + 0.3 * rng.standard_normal((240, 5))
    made = Pairs.of_arrays(x, y, None, names=("en", "fr"), same_space=True)
    lengths = np.repeat([3, 8, 20, 40], 60)
    texts = tuple(f"word{i} common" for i in range(240))
    targets = tuple("common" if i % 2 else f"autre{i}" for i in range(240))
    domains = np.array(["law", "news"])[np.arange(240) // 120]
    return replace(made, lengths=(lengths, lengths), sources=texts, targets=targets, domains=domains)


def fitted(pairs):
    ladder = Ladder(pairs.x, group_folds(pairs.groups, 5, np.random.default_rng(0)), rungs=("identity", "linear"))
    return ladder, ladder.fit(pairs.y)


def test_parts_of_the_rows_are_scored_as_if_alone(pairs):
    _, fit = fitted(pairs)
    judged = fidelity(pairs.y, fit.predictions["linear"], fit.reference)
    total = row_squares(pairs.y - fit.reference)
    ranks = retrieve(fit.predictions["linear"], pairs.y, pairs.groups, pairs.pool)[0]
    parts = {
        (p.kind, p.label): p for p in residual_groups(pairs, RowScores(judged.squared_error, total, ranks), CONFIG)
    }
    lengths = [p for (kind, _), p in parts.items() if kind == "length"]
    assert sum(p.rows for p in lengths) == 240
    law = parts["domain", "law"]
    assert law.rows == 120
    assert law.r2.value == pytest.approx(1 - judged.squared_error[:120].sum() / total[:120].sum())
    assert law.p_at_1.value == pytest.approx(np.mean(ranks.cosine[:120] == 1))
    assert parts["shared words", "none"].rows == parts["shared words", "more than a fifth"].rows == 120
    assert ("shared words", "up to a fifth") not in parts


def test_arrays_have_no_parts(pairs):
    _, fit = fitted(pairs)
    ranks = retrieve(fit.predictions["linear"], pairs.y, pairs.groups, pairs.pool)[0]
    total = row_squares(pairs.y - fit.reference)
    judged = RowScores(row_squares(pairs.y - fit.predictions["linear"]), total, ranks)
    zeros = np.zeros(240, np.int64)
    bare = replace(pairs, lengths=(zeros, zeros), sources=None, targets=None, domains=None)
    assert residual_groups(bare, judged, CONFIG) == ()


def test_anatomy_of_a_near_identity(pairs):
    _, fit = fitted(pairs)
    anatomy = anatomy_of(fit, pairs)
    assert max(anatomy.rotation_angles) < 10
    assert anatomy.shift_to_spread < 0.1
    assert anatomy.stretch == pytest.approx((1,) * 5, abs=0.1)


def test_a_linear_map_does_not_drift(pairs):
    _, fit = fitted(pairs)
    drift = drift_of(fit, pairs, CONFIG)
    assert drift.p_value > 0.05
    assert drift.statistic == pytest.approx(np.mean([p.difference for p in drift.points]))
    assert drift_of(fit, replace(pairs, x=pairs.x[:80], y=pairs.y[:80]), CONFIG) is None


def test_transfer_needs_two_domains(pairs):
    transfer = transfer_of(pairs, CONFIG)
    assert transfer.domains == ("law", "news")
    assert np.array(transfer.r2).min() > 0.8
    assert transfer_of(replace(pairs, domains=None), CONFIG) is None
    assert transfer_of(replace(pairs, domains=np.full(240, "law")), CONFIG) is None

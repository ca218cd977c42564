import pytest
import torch
from polyglot.distributed import Processes
from polyglot.train.insertion.losses import AlignWeights, align_loss, cosine_distance, squared_distance


def unit(n, d, seed):
    x = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(x, dim=1)


def oracle(new, teacher, scale, pull, false_negative, bank=()):
    """Write the loss out row by row."""
    n, total = len(new), 0.0
    for queries, candidates, further in ((new, teacher, bank), (teacher, new, ())):
        for i in range(n):
            logits = [
                scale * float(queries[i] @ candidates[j])
                for j in range(n)
                if i == j or float(teacher[i] @ teacher[j]) < false_negative
            ]
            logits += [scale * float(queries[i] @ row) for row in further if float(teacher[i] @ row) < false_negative]
            right = scale * float(queries[i] @ candidates[i])
            total += float(torch.logsumexp(torch.tensor(logits, dtype=torch.float64), 0)) - right
    return total / (2 * n) + pull * sum(1 - float(new[i] @ teacher[i]) for i in range(n)) / n


@pytest.mark.parametrize("false_negative", [0.9, 0.3])
def test_it_is_what_the_definition_says(false_negative):
    new, teacher = unit(9, 6, 0), unit(9, 6, 1)
    teacher[4] = teacher[2]
    found = align_loss(new, teacher, Processes(), AlignWeights(pull=2.5, false_negative=false_negative))
    assert float(found) == pytest.approx(oracle(new, teacher, 20.0, 2.5, false_negative), abs=1e-9)


def test_a_bank_adds_negatives_of_the_new_language_and_none_that_is_the_pair_itself():
    new, teacher = unit(9, 6, 0), unit(9, 6, 1)
    bank = torch.cat([unit(20, 6, 5), teacher[3:6]])
    found = align_loss(new, teacher, Processes(), AlignWeights(pull=2.5, false_negative=0.5), bank)
    assert float(found) == pytest.approx(oracle(new, teacher, 20.0, 2.5, 0.5, bank), abs=1e-9)
    weights = AlignWeights()
    alone, repeated = (float(align_loss(new, teacher, Processes(), weights, rows)) for rows in (None, teacher[:1]))
    assert repeated > alone  # a negative of the eight other rows
    only = float(align_loss(new[:1], teacher[:1], Processes(), weights, teacher[:1]))
    assert only == pytest.approx(weights.pull * float(cosine_distance(new[:1], teacher[:1])), abs=1e-9)


def test_a_turn_of_both_sides_changes_nothing():
    new, teacher = unit(9, 6, 0), unit(9, 6, 1)
    turn = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64))[0]
    weights = AlignWeights()
    assert float(align_loss(new @ turn, teacher @ turn, Processes(), weights)) == pytest.approx(
        float(align_loss(new, teacher, Processes(), weights))
    )


def test_distances_of_known_vectors():
    x, y = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert cosine_distance(x, y).tolist() == [0.0, 1.0]
    assert squared_distance(x, y).tolist() == [0.0, 1.0]

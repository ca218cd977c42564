import numpy as np
import pytest
from polyglot.errors import DataError
from polyglot.train.config import RetentionConfig
from polyglot.train.evaluation.retention import (
    RetentionMeasures,
    RetentionText,
    ScoredPairs,
    ndcg_at_10,
    read_scored_pairs,
    retention,
)


def test_ndcg_of_known_ranks():
    scores = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 1.0, 0.0]])
    found = ndcg_at_10(scores, np.array([0, 2, 0]))
    assert found.tolist() == pytest.approx([1.0, 0.5, 1 / np.log2(3)])
    assert ndcg_at_10(np.arange(12.0)[None], np.array([0])).tolist() == [0.0]


def test_equal_passages_tie_whatever_the_last_bits():
    scores = np.full((2, 3), 0.25) + np.array([[0, 3e-8, -1], [3e-8, 0, -1]])
    assert ndcg_at_10(scores, np.array([0, 0])).tolist() == [1 / np.log2(3)] * 2


def test_ndcg_is_that_of_scikit_learn():
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(0)
    scores, relevant = rng.normal(size=(40, 15)), rng.integers(15, size=40)
    truth = np.eye(15)[relevant]
    assert ndcg_at_10(scores, relevant).mean() == pytest.approx(ndcg_score(truth, scores, k=10))


def scores(cosines, gains):
    return RetentionMeasures(np.asarray(cosines), np.asarray(gains), np.ones((3, 2), np.float32))


@pytest.fixture
def text():
    truth = np.arange(200.0)
    pairs = ScoredPairs(["a"] * 200, ["b"] * 200, truth)
    return RetentionText(pairs, ["q"] * 100, ["p"], np.zeros(100, np.int64), ["x"] * 3)


def test_no_loss_passes_the_gate(text):
    same = scores(np.arange(200.0), np.full(100, 0.5))
    found = retention(text, same, same, RetentionConfig(max_english_loss=0.0), seed=0)
    assert found.broken == ()
    assert found.drift == pytest.approx(0.0)
    assert [score.lost.value for score in found.scores] == [0.0, 0.0]
    assert [score.before.value for score in found.scores] == pytest.approx([100.0, 50.0])


def test_a_loss_breaks_the_gate_and_lies_in_its_interval(text):
    rng = np.random.default_rng(0)
    before = scores(np.arange(200.0), rng.random(100))
    after = scores(np.arange(200.0) + 60 * rng.normal(size=200), before.gains - 0.02)
    found = retention(text, before, after, RetentionConfig(), seed=0)
    assert found.broken == ("similarity (Spearman)", "retrieval (nDCG@10)")
    for score in found.scores:
        assert score.lost.low <= score.lost.value <= score.lost.high
        assert score.lost.value == pytest.approx(score.before.value - score.after.value)
    assert retention(text, before, after, RetentionConfig(max_english_loss=50.0), seed=0).broken == ()


def test_scored_pairs_are_read_with_and_without_header(tmp_path):
    rows = "".join(f'"a, {i}",b,{i}.5\n' for i in range(12))
    for name, header in (("bare.csv", ""), ("header.csv", "sentence1,sentence2,score\n")):
        (tmp_path / name).write_text(header + rows)
        found = read_scored_pairs(tmp_path / name)
        assert found.first[3] == "a, 3"
        assert found.scores.tolist() == [i + 0.5 for i in range(12)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,1\n" * 5, "at least 10"),
        ("a,b,1\n" * 11 + "a,b\n", "row 12"),
        ("a,b,1\n" * 11 + "a,b,x\n", "row 12"),
        ("a,b,1\n" * 11 + "a,b,nan\n", "row 12"),
        ("a,b,1\n" * 11 + "a,\u200b,1\n", "row 12"),
        ("a,b,1\n" * 5 + 'a,"b,1\n' + "a,b,1\n" * 20, "line 6: not a CSV row .a quote opens here"),
    ],
)
def test_what_is_not_scored_pairs_is_refused(tmp_path, content, message):
    (tmp_path / "pairs.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_scored_pairs(tmp_path / "pairs.csv")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.csv"):
        read_scored_pairs(tmp_path / "nothing.csv")

import numpy as np
from polyglot.train.objectives.masking import IGNORED, WholeWordMasker, pack


def test_packing_is_exact():
    packed = pack([[7, 8], [9], [5, 6, 4]], 4, 1, 2)
    assert packed.tolist() == [[1, 7, 8, 2], [1, 9, 2, 5], [1, 6, 4, 2]]


def test_masking_takes_whole_words_and_never_special_tokens():
    starts = np.array([True] * 10 + [False] * 10)
    masker = WholeWordMasker(starts, np.array([0, 1, 2]), 3)
    ids = np.array([[1, 5, 15, 16, 6, 7, 17, 2]] * 400)
    masked, labels = masker(ids, 0.3, np.random.default_rng(0))
    chosen = labels != IGNORED
    assert not chosen[:, [0, 7]].any()
    assert (chosen[:, 1] == chosen[:, 2]).all()
    assert (chosen[:, 1] == chosen[:, 3]).all()
    assert abs(chosen[:, 4].mean() - 0.3) < 0.08
    assert (labels[chosen] == ids[chosen]).all()
    assert (masked[~chosen] == ids[~chosen]).all()
    assert abs((masked[chosen] == 3).mean() - 0.8) < 0.08

"""Search scores and the stretch of predictions, from docs/method.md section 2: plain NumPy, no code of the package."""

import numpy as np

from .ladder import Fit, neighbours

STRETCHES = (1.0, 1.6, 2.5, 4.0, 6.3, 10.0, np.inf)
MOST_QUERIES, MOST_TARGETS = 150, 5000
TIE = 1e-6


def unit(rows):
    """Scale rows to length one."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def asked(predicted, mean, stretch):
    """Return predictions with their deviation from the mean stretched, or that deviation alone."""
    deviation = predicted - mean
    return deviation if np.isinf(stretch) else mean + stretch * deviation


def pool_of(targets):
    """Return the first row of every distinct target, a text or a vector."""
    first = {}
    for row, target in enumerate(targets):
        first.setdefault(target if isinstance(target, str) else tuple(target), row)
    return sorted(first.values())


def ranks(scores, query_groups, candidate_groups):
    """Return the rank of the best right candidate of each query; wrong ones within the tolerance come first."""
    found = []
    for line, group in zip(scores, query_groups, strict=True):
        right = candidate_groups == group
        found.append(1 + np.sum(line[~right] >= line[right].max() - TIE))
    return np.array(found)


def cosines(queries, y, pool):
    """Return the cosine of every query with every candidate."""
    return unit(queries) @ unit(y[pool]).T


def retrieval(queries, y, groups, pool):
    """Return the retrieval scores of a search among the pool, and of the search back."""
    cosine = cosines(queries, y, pool)
    near = [np.sort(c, axis=1)[:, -10:].mean(axis=1) for c in (cosine, cosine.T)]
    csls = cosine - near[0][:, None] / 2 - near[1] / 2
    forward, backward = (groups, groups[pool]), (groups[pool], groups)
    return _scores(cosine, csls, *forward), _scores(cosine.T, csls.T, *backward)


def _scores(cosine, csls, query_groups, candidate_groups):
    rank = ranks(cosine, query_groups, candidate_groups)
    by_csls = ranks(csls, query_groups, candidate_groups)
    scores = {f"p_at_{k}": np.mean(rank <= k) for k in (1, 5, 10)}
    return scores | {"mrr": np.mean(1 / rank), "p_at_1_csls": np.mean(by_csls == 1)}


def queries_of(x, y, design, predicted, reference):
    """Return the held-out predictions of each rung, stretched by what the inner folds of each fold choose."""
    queries = {rung: np.array(rows) for rung, rows in predicted.items()}
    for rung in (name for name in predicted if name != "identity"):
        queries[rung] = stretched_as(x, y, design, rung, predicted[rung], reference)
    return queries


def stretched_as(x, y, design, rung, predicted, reference):
    """Stretch predictions as a rung is in each fold: its own, or those of a control that asks beside it."""
    queries = np.array(predicted)
    for fold in range(len(design.choices)):
        inside = design.folds == fold
        stretch = chosen_stretch(x, y, design, rung, fold)
        queries[inside] = asked(predicted[inside], reference[inside], stretch)
    return queries


def chosen_stretch(x, y, design, rung, fold):
    """Choose the stretch of a rung for one fold: most right targets first on the two neighbouring folds."""
    folds, groups, n_folds = design.folds, design.groups, len(design.choices)
    others = [row for k in range(n_folds) if k != fold for row in np.flatnonzero(folds == k)]
    margins = [[] for _ in STRETCHES]
    for inner in neighbours(fold, n_folds):
        training = ~np.isin(folds, [fold, inner])
        fit = Fit(x[training], y[training], design.choices[fold], design.same_space)
        rows = np.flatnonzero(folds == inner)[:MOST_QUERIES]
        among = np.array(sorted({*others[:MOST_TARGETS], *rows}))
        right, predicted = groups[rows][:, None] == groups[among], fit.predict(rung, x[rows])
        for place, stretch in enumerate(STRETCHES):
            margins[place].extend(leads(asked(predicted, fit.mean_y, stretch) @ unit(y[among]).T, right))
    return best_stretch(np.array(margins))


def leads(scores, right):
    """Return by how much the best right target of each query leads the best wrong one, in quarters of a deviation."""
    best, wrong = (np.where(mask, scores, -np.inf).max(axis=1) for mask in (right, ~right))
    return (best - wrong) / (0.25 * scores.std(axis=1))


def best_stretch(margins):
    """Return the stretch with the best soft score among those within half a standard error of the most hits."""
    hits, soft = np.sum(margins > 1e-9, axis=1), np.mean(-np.logaddexp(0, -margins), axis=1)
    most = hits.max()
    least = most - 0.5 * np.sqrt(max(most * (1 - most / margins.shape[1]), 1.0))
    scores = np.where(hits >= least, soft, -np.inf)
    return STRETCHES[int(np.flatnonzero(scores >= scores.max() - 1e-9)[0])]

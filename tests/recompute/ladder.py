"""Held-out predictions of the closed-form rungs, from docs/method.md section 1: plain NumPy, no code of the package.

Rows are centred and multiplied as the formulas say, fold by fold; nothing is shared between folds or rungs.
"""

import numpy as np

CLOSED_FORM = ("identity", "shift", "rotation", "similarity", "low_rank", "linear")


def deal_folds(groups, n_folds, rng):
    """Deal whole groups to folds: in random order, the larger first, each to the fold with the fewest rows so far."""
    names, sizes = np.unique(groups, return_counts=True)
    shuffled = rng.permutation(len(names)).tolist()
    shuffled.sort(key=lambda group: -sizes[group])
    filled, fold_of = [0] * n_folds, {}
    for group in shuffled:
        fold = filled.index(min(filled))
        fold_of[names[group]] = fold
        filled[fold] += sizes[group]
    return np.array([fold_of[group] for group in groups])


def neighbours(fold, n_folds):
    """Return the folds on which choices for a fold are made: those before and after it, in a ring."""
    return sorted({(fold - 1) % n_folds, (fold + 1) % n_folds})


def polar(matrix):
    """Return the nearest (semi-)orthogonal matrix."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return left @ right


class Fit:
    """Every closed-form rung on some training rows, with what was chosen for it."""

    def __init__(self, x, y, choice, same_space):
        """Take training rows x (n, p) and y (n, q), and a choice of the result's JSON."""
        self.choice, self.same_space = choice, same_space
        self.mean_x, self.mean_y = x.mean(axis=0), y.mean(axis=0)
        self.n, self.p, self.q = len(x), x.shape[1], y.shape[1]
        self.sxx = (x - self.mean_x).T @ (x - self.mean_x)
        self.sxy = (x - self.mean_x).T @ (y - self.mean_y)

    def prior(self):
        """P: the identity, or the strongest components of x, one for ten pairs, onto what they predict of y."""
        if self.same_space:
            return np.eye(self.p)
        rank = max(1, min(self.p, self.q, self.n // 10))
        axes = np.linalg.eigh(self.sxx)[1][:, -rank:]
        return axes @ polar(axes.T @ self.sxy)

    def rotation(self):
        """Q = polar(Sxy + κ ‖Sxy‖/(n√d) P); κ is null for P itself."""
        kappa = self.choice["kappa"]
        if kappa is None:
            return self.prior()
        unit = np.linalg.norm(self.sxy) / (self.n * np.sqrt(min(self.p, self.q)))
        return polar(self.sxy + kappa * unit * self.prior())

    def similarity(self):
        """s Q with the s ≥ 0 of least squares."""
        rotation = self.rotation()
        return max(np.sum(rotation * self.sxy), 0.0) / np.sum(rotation * (self.sxx @ rotation)) * rotation

    def linear(self):
        """(Sxx + λI) W = Sxy + λ s C, λ in units of tr(Sxx)/(n p)."""
        strength = self.choice["penalty"] * np.trace(self.sxx) / (self.n * self.p)
        centre = {"prior": self.prior, "rotation": self.rotation}[self.choice["towards"]]()
        right = self.sxy + strength * self.choice["scale"] * centre
        return np.linalg.solve(self.sxx + strength * np.eye(self.p), right)

    def low_rank(self):
        """W projected onto the strongest principal directions of its fitted values."""
        weights = self.linear()
        directions = np.linalg.eigh(weights.T @ self.sxx @ weights)[1][:, -self.choice["rank"] :]
        return weights @ directions @ directions.T

    def predict(self, rung, x):
        """Map rows x (m, p) by a rung, (m, q)."""
        if rung == "identity":
            return x
        weights = np.eye(self.p) if rung == "shift" else getattr(self, rung)()
        return (x - self.mean_x) @ weights + self.mean_y


def held_out(x, y, folds, choices, rungs, same_space):
    """Predict every row by each rung fitted without its fold; return predictions by rung and the training means."""
    predicted, reference = {rung: np.empty(y.shape) for rung in rungs}, np.empty(y.shape)
    for fold, choice in enumerate(choices):
        inside = folds == fold
        fit = Fit(x[~inside], y[~inside], choice, same_space)
        reference[inside] = fit.mean_y
        for rung in rungs:
            predicted[rung][inside] = fit.predict(rung, x[inside])
    return predicted, reference


def r2(y, predicted, reference):
    """Return 1 − Σ‖y − ŷ‖² / Σ‖y − μy‖²."""
    return 1 - np.sum((y - predicted) ** 2) / np.sum((y - reference) ** 2)


def mean_cosine(y, predicted, reference):
    """Return the mean cosine of ŷ − μy and y − μy."""
    pairs = zip(predicted - reference, y - reference, strict=True)
    return np.mean([a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in pairs])

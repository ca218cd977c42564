"""Closed-form rungs with 13 penalties and 5 folds against scikit-learn's RidgeCV and SciPy's orthogonal_procrustes.

Both sides choose the penalty of every outer fold on the same two inner folds, refit, predict the held-out rows, and fit
a rotation for every outer fold. A second line lets RidgeCV use its own leave-one-out shortcut.
"""

import warnings

import numpy as np
from polyglot.analysis.maps.ladder import Ladder
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import RidgeCV
from timing import arguments, report, side_by_side

PENALTIES = np.geomspace(1e-4, 1e2, 13)


def anisotropic(n, d, rng):
    spectrum = np.arange(1, d + 1) ** -0.5
    x = rng.standard_normal((n, d)) * spectrum
    return x, x @ rng.standard_normal((d, d)) / np.sqrt(d) + 0.3 * rng.standard_normal((n, d)) * spectrum


def peer(x, y, folds, *, leave_one_out):
    """Do with scikit-learn and SciPy what the ladder does: ridge with a chosen penalty, and a rotation, out of fold."""
    ridge, rotation = np.empty_like(y), np.empty_like(y)
    for fold in range(5):
        training, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        inner = folds[training]
        splits = [
            (np.flatnonzero(inner != other), np.flatnonzero(inner == other))
            for other in ((fold + 1) % 5, (fold - 1) % 5)
        ]
        mean_x, mean_y = x[training].mean(axis=0), y[training].mean(axis=0)
        centred = x[training] - mean_x
        unit = np.sum(centred**2) / x.shape[1]
        model = RidgeCV(PENALTIES * unit, cv=None if leave_one_out else splits).fit(x[training], y[training])
        ridge[held_out] = model.predict(x[held_out])
        q, _ = orthogonal_procrustes(centred, y[training] - mean_y)
        rotation[held_out] = (x[held_out] - mean_x) @ q + mean_y
    return ridge, rotation


def main():
    options = arguments(__doc__.splitlines()[0], n=20_000, d=384, runs=2)
    rng = np.random.default_rng(0)
    x, y = anisotropic(options.n, options.d, rng)
    folds = rng.permutation(np.arange(options.n) % 5)

    def ours():
        return Ladder(x, folds, rungs=("rotation", "linear")).fit(y).predictions

    def r2(prediction):
        return 1 - np.sum((y - prediction) ** 2) / np.sum((y - y.mean(axis=0)) ** 2)

    warnings.simplefilter("ignore")
    mine, (ridge, rotation) = ours(), peer(x, y, folds, leave_one_out=True)
    print(f"R² ours / peer: ridge {r2(mine['linear']):.5f} / {r2(ridge):.5f}, ", end="")
    print(f"rotation {r2(mine['rotation']):.5f} / {r2(rotation):.5f}")
    size = f"n = {options.n}, d = {options.d}"
    report(
        [
            side_by_side(
                f"closed-form rungs, same inner folds, {size}",
                ours,
                lambda: peer(x, y, folds, leave_one_out=False),
                runs=options.runs,
                goal="≥ 50",
            ),
            side_by_side(
                f"closed-form rungs, peer by leave-one-out shortcut, {size}",
                ours,
                lambda: peer(x, y, folds, leave_one_out=True),
                runs=options.runs,
                goal="none",
            ),
        ],
        options.out,
    )


if __name__ == "__main__":
    main()

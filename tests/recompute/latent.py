"""Latent shares and reliability, from docs/method.md section 3: plain NumPy, no code of the package.

Π and every map are solved fold by fold from rows. The noise that fitting leaves is drawn with the documented seed.
"""

from itertools import pairwise

import numpy as np

from .ladder import deal_folds, neighbours, polar

N_FOLDS = 5
KAPPAS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, np.inf)
DECADES = np.linspace(-5.0, 4.0, 91)
CURVED_RATIOS = (1.0, 10.0, 100.0, 1000.0)
REPLICATES, UNSURE = 3, 0.4


def principal_scores(views, most):
    """Return principal components of views scaled to one total variance, at most one for eight rows."""
    centred = [view - view.mean(axis=0) for view in views]
    joined = np.hstack([view / np.sqrt(np.sum(view**2) / len(view)) for view in centred])
    _, singular, axes = np.linalg.svd(joined, full_matrices=False)
    width = max(1, min(most, joined.shape[1], len(joined) // 8, int(np.sum(singular**2 > 1e-10 * singular[0] ** 2))))
    return joined @ axes[:width].T


def curves(scores):
    """Return squares and products of the first ten standardised scores, about their means."""
    top = (scores / scores.std(axis=0))[:, :10]
    products = [top[:, i] * top[:, j] for i in range(top.shape[1]) for j in range(i, top.shape[1])]
    return np.transpose(products) - np.mean(products, axis=1)


def minimum(at, values):
    """Return where the parabola through the least of some values and its neighbours is least."""
    best = int(np.argmin(values))
    if best in (0, len(values) - 1):
        return at[best]
    left, middle, right = values[best - 1 : best + 2]
    bend = left - 2 * middle + right
    step = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return at[best] + np.clip(step, -0.5, 0.5) * (at[best + 1] - at[best - 1]) / 2


def path_errors(features, y, inside, penalties):
    """Return Σ‖y − ŷ‖² over some rows, predicted by ridge from the others, for every penalty."""
    centre, mean = features[~inside].mean(axis=0), y[~inside].mean(axis=0)
    a = features[~inside] - centre
    values, axes = np.linalg.eigh(a.T @ a)
    across, cross = (features[inside] - centre) @ axes, axes.T @ a.T @ (y[~inside] - mean)
    paths = (across @ (cross / (values + penalty)[:, None]) for penalty in penalties)
    return np.array([np.sum((y[inside] - mean - path) ** 2) for path in paths])


class Smoother:
    """Π: ridge with an intercept on features of the instruments, each fold from the others."""

    def __init__(self, blocks, y, folds, ratios=CURVED_RATIOS):
        """Choose penalty and ratio by the error of the predictions of y."""
        self.folds, best = folds, np.inf
        for ratio in ratios if len(blocks) > 1 else (1.0,):
            sized = [block / np.sqrt(np.mean(block.var(axis=0))) for block in blocks]
            features = np.hstack([sized[0], *(block / np.sqrt(ratio) for block in sized[1:])])
            penalties = 10.0 ** np.linspace(-4.0, 2.0, 13) * len(y) * np.mean(features.var(axis=0))
            missed = sum(path_errors(features, y, folds == fold, penalties) for fold in range(folds.max() + 1))
            if missed.min() < best:
                best, self.features, self.ratio = missed.min(), features, ratio
                self.penalty = penalties[np.argmin(missed)]

    def predict(self, y, fold, excluded=()):
        """Predict the rows of a fold from those outside it and outside other folds."""
        inside, train = self.folds == fold, ~np.isin(self.folds, [fold, *excluded])
        centre, mean = self.features[train].mean(axis=0), y[train].mean(axis=0)
        a, penalty = self.features[train] - centre, self.penalty * train.sum() / np.sum(~inside)
        weights = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ (y[train] - mean))
        return (self.features[inside] - centre) @ weights + mean

    def form(self, residual, fold):
        """Return Σ r·Π(r) over the rows of a fold."""
        return np.sum(residual[self.folds == fold] * self.predict(residual, fold))


class StructuralFit:
    """Every rung fitted outside one fold, with x̂ in place of one of the two x."""

    def __init__(self, x, y, first, fold, same_space):
        """Take all rows, the first stage and the fold that is held out."""
        self.x, self.y, self.fold, self.same_space, self.folds = x, y, fold, same_space, first.folds
        self.hat = np.empty(x.shape)
        for k in range(N_FOLDS):
            self.hat[first.folds == k] = first.predict(x, k, [fold])
        self.inner = [({fold, k}, k) for k in neighbours(fold, N_FOLDS)]
        self.kappa = self._kappa()
        self.penalty, self.scale, self.towards = self._shrinkage()

    def rows(self, excluded):
        """Return x̂, x and y outside some folds about the means of x and y there, and these means."""
        used = ~np.isin(self.folds, list(excluded))
        mean_x, mean_y = self.x[used].mean(axis=0), self.y[used].mean(axis=0)
        return self.hat[used] - mean_x, self.x[used] - mean_x, self.y[used] - mean_y, mean_x, mean_y

    def held(self, excluded, fold):
        """Return x̂ and y of a fold about the means of x and y outside some folds."""
        *_, mean_x, mean_y = self.rows(excluded)
        return self.hat[self.folds == fold] - mean_x, self.y[self.folds == fold] - mean_y

    def scatter(self, excluded):
        """Return the symmetric part of Σ x̂xᵀ, and Σ x̂yᵀ."""
        hat, x, y, *_ = self.rows(excluded)
        return (hat.T @ x + x.T @ hat) / 2, hat.T @ y

    def basis(self, excluded):
        """Return eigenvalues and eigenvectors of Sxx; values are at least twice the size of the most negative one."""
        values, axes = np.linalg.eigh(self.scatter(excluded)[0])
        return np.maximum(values, -2 * min(values[0], 0)), axes

    def prior(self, excluded):
        """P: the identity, or the strongest components of x, one for ten rows, onto what they predict of y."""
        if self.same_space:
            return np.eye(self.x.shape[1])
        sxx, sxy = self.scatter(excluded)
        rank = max(1, min(*sxy.shape, len(self.rows(excluded)[0]) // 10))
        axes = np.linalg.eigh(sxx)[1][:, -rank:]
        return axes @ polar(axes.T @ sxy)

    def pulled(self, excluded, kappa):
        """Sxy of x itself, with the prior weighing as κ n pairs do, n all rows."""
        _, x, y, *_ = self.rows(excluded)
        sxy = x.T @ y
        unit = np.linalg.norm(sxy) / (len(x) * np.sqrt(min(sxy.shape)))
        return sxy + kappa * len(self.x) * unit * self.prior(excluded)

    def rotation(self, excluded, kappa):
        """Return the rotation at κ."""
        return self.prior(excluded) if np.isinf(kappa) else polar(self.pulled(excluded, kappa))

    def _kappa(self):
        def loss(kappa):
            total = 0.0
            for excluded, fold in self.inner:
                hat, y = self.held(excluded, fold)
                total += np.sum((y - hat @ self.rotation(excluded, kappa)) ** 2)
            return total

        losses = [loss(kappa) for kappa in KAPPAS]
        best = int(np.argmin(losses))
        if 1 < best < len(KAPPAS) - 2:
            refined = np.exp(minimum(np.log(KAPPAS[1:-1]), losses[1:-1]))
            if loss(refined) < losses[best]:
                return refined
        return KAPPAS[best]

    def _shrinkage(self):
        both = self.same_space and np.isfinite(self.kappa)
        options = [self._towards(centre) for centre in (("prior", "rotation") if both else ("rotation",))]
        return min(options, key=lambda option: option[0])[1:]

    def centre(self, excluded, towards):
        """C: the prior, or the rotation at the chosen κ."""
        return self.prior(excluded) if towards == "prior" else self.rotation(excluded, self.kappa)

    def _towards(self, towards):
        penalties = 10.0**DECADES * np.trace(self.scatter({self.fold})[0]) / self.x.shape[1]
        plain, slope, bend = np.zeros((3, len(penalties)))
        for excluded, fold in self.inner:
            hat, y = self.held(excluded, fold)
            sxy, centre = self.scatter(excluded)[1], self.centre(excluded, towards)
            values, axes = self.basis(excluded)
            data, pull, along = axes.T @ sxy, axes.T @ centre, hat @ axes
            for k, penalty in enumerate(penalties):
                missed = y - along @ (data / (values + penalty)[:, None])
                drawn = along @ (penalty * pull / (values + penalty)[:, None])
                plain[k] += np.sum(missed**2)
                slope[k] += np.sum(missed * drawn)
                bend[k] += np.sum(drawn**2)
        most = 2 * self.similarity_scale(self.rotation({self.fold}, self.kappa))
        scales = np.clip(slope / np.maximum(bend, 1e-12 * bend.max()), 0, most)
        losses = plain - 2 * scales * slope + scales**2 * bend
        at = minimum(DECADES, losses)
        unit = penalties[0] / 10.0 ** DECADES[0]
        return losses.min(), 10.0**at * unit, np.interp(at, DECADES, scales), towards

    def similarity_scale(self, rotation, added=0.0):
        """Return the s ≥ 0 of least squares for a rotation, with something added to Sxy."""
        sxx, sxy = self.scatter({self.fold})
        return max(np.sum(rotation * (sxy + added)), 0.0) / np.sum(rotation * (sxx @ rotation))

    def solve(self, sxy, prior):
        """Solve (Sxx + λI) W = Sxy + λ prior for some Sxy and some prior."""
        values, axes = self.basis({self.fold})
        return axes @ (axes.T @ (sxy + self.penalty * prior) / (values + self.penalty)[:, None])

    def linear_prior(self):
        """S C, towards which the linear map is shrunk."""
        return self.scale * self.centre({self.fold}, self.towards)

    def weights(self):
        """Return the weights of every rung but the identity."""
        rotation = self.rotation({self.fold}, self.kappa)
        found = {"shift": np.eye(self.x.shape[1])} if self.same_space else {}
        found |= {"rotation": rotation, "similarity": self.similarity_scale(rotation) * rotation}
        return found | {"linear": self.solve(self.scatter({self.fold})[1], self.linear_prior())}

    def residuals(self):
        """Return what every rung misses of all rows."""
        *_, mean_x, mean_y = self.rows({self.fold})
        missed = {"identity": self.y - self.x} if self.same_space else {}
        return missed | {
            rung: self.y - mean_y - (self.x - mean_x) @ weights for rung, weights in self.weights().items()
        }


def noise_of(fits, folds):
    """Return residuals of the linear rung out of fold, of a size half way between that in sample and that out of it."""
    linear, missed = [fit.residuals()["linear"] for fit in fits], np.empty(fits[0].y.shape)
    for k, residual in enumerate(linear):
        missed[folds == k] = residual[folds == k]
    inside = sum(np.sum(residual[folds != k] ** 2) for k, residual in enumerate(linear)) / (N_FOLDS - 1)
    return missed * (inside / np.sum(missed**2)) ** 0.25


def turning(change, rotation):
    """Return what of a change of Sxy turns a rotation: all but the symmetric part beside it."""
    if change.shape[0] < change.shape[1]:
        return turning(change.T, rotation.T).T
    inside = rotation.T @ change
    return change - rotation @ (inside + inside.T) / 2


def left_by_fitting(fits, smoother, seed):
    """Return what fitting leaves in Σ r·Π(r) by rung, and its standard error.

    Residuals of the linear rung get random signs, the maps move with them, and the mean change of the sum is what
    noise leaves. The pull is what the penalty takes from a truth shrunk half as far, less half of what noise adds.
    """
    folds, rng, residual = smoother.folds, np.random.default_rng([seed, 21]), noise_of(fits, smoother.folds)
    noise, pull, spurious = dict.fromkeys(("rotation", "similarity", "linear"), 0.0), 0.0, 0.0
    for k, fit in enumerate(fits):
        train, weights, rotation = folds != k, fit.weights(), fit.rotation({k}, fit.kappa)
        hat, x, *_, mean_x, _ = fit.rows({k})
        centred, (sxx, sxy) = fit.x - mean_x, fit.scatter({k})

        def lost(cross, prior, fit=fit, sxx=sxx, centred=centred, k=k):
            truth = fit.solve(cross, fit.solve(cross, prior))
            return smoother.form(centred @ (fit.solve(sxx @ truth, prior) - truth), k)

        pull += lost(sxy, fit.linear_prior())
        before = {rung: smoother.form(centred @ (weights["linear"] - weights[rung]), k) for rung in noise}
        for signs in rng.choice([-1.0, 1.0], size=(REPLICATES, len(centred), 1)):
            for flipped in (signs * residual, -signs * residual):
                moved, alone = flipped[train] - flipped[train].mean(axis=0), smoother.form(flipped, k)
                added, turned = (hat - hat.mean(axis=0)).T @ moved, np.zeros_like(rotation)
                if np.isfinite(fit.kappa):
                    turned = polar(fit.pulled({k}, fit.kappa) + turning(x.T @ moved, rotation)) - rotation
                prior = fit.scale * turned if fit.towards == "rotation" else 0 * turned
                after = rotation + turned
                change = {
                    "rotation": turned,
                    "similarity": fit.similarity_scale(after, added) * after - weights["similarity"],
                    "linear": fit.solve(added, prior),
                }
                for rung in noise:
                    missed = centred @ (weights["linear"] - weights[rung] - change[rung]) + flipped
                    noise[rung] += (smoother.form(missed, k) - before[rung] - alone) / (2 * REPLICATES)
                spurious += lost(added, prior) / (2 * REPLICATES)
    left = {rung: (value, UNSURE * abs(value)) for rung, value in noise.items()}
    value, error = left["linear"]
    pull -= spurious / 2
    return left | {"linear": (value + pull, np.linalg.norm([error, UNSURE * pull, spurious / 2]))}


def pair_terms(smoother, missed, groups):
    """Return h r·r of every pair of groups, symmetrised, from what the map of each fold misses of all rows."""
    names, index = np.unique(groups, return_inverse=True)
    member = np.eye(len(names))[index]
    pairs = np.zeros((len(groups), len(groups)))
    for k, residual in enumerate(missed):
        inside = smoother.folds == k
        pairs[inside] = smoother.predict(np.eye(len(groups)), k) * (residual[inside] @ residual.T)
    summed = member.T @ pairs @ member
    return (summed + summed.T) / 2


def share(missed, total, left):
    """Return a latent share and its limits from pair terms, and from what fitting leaves with its standard error."""
    ratio = missed.sum() / total.sum()
    terms = missed - ratio * total
    twice = 2 * np.sum(terms**2)
    variance = max(4 * np.sum(terms.sum(axis=1) ** 2) - twice, twice) + left[1] ** 2
    reach = 1.959964 * np.sqrt(variance) / abs(total.sum())
    value = 1 - ratio + left[0] / total.sum()
    return value, value - reach, value + reach


def latent(x, y, instruments, groups, *, same_space, seed):
    """Return latent shares with their limits by rung, the same by each single instrument, and reliabilities."""
    folds = deal_folds(groups, N_FOLDS, np.random.default_rng([seed, 1]))
    first = Smoother([principal_scores(instruments.values(), 256)], x, folds)
    fits = [StructuralFit(x, y, first, k, same_space) for k in range(N_FOLDS)]
    scores = principal_scores(instruments.values(), 128)
    smoother = Smoother([scores, curves(scores)], y, folds)
    missed = [fit.residuals() for fit in fits]
    deviations = [y - fit.rows({k})[-1] for k, fit in enumerate(fits)]
    left, size = left_by_fitting(fits, smoother, seed), pair_terms(smoother, deviations, groups).sum()

    def shares(by):
        total = pair_terms(by, deviations, groups)
        return {
            rung: share(
                pair_terms(by, [part[rung] for part in missed], groups),
                total,
                np.multiply(left.get(rung, (0.0, 0.0)), total.sum() / size),
            )
            for rung in missed[0]
        }

    single = {}
    for name, view in instruments.items():
        own = principal_scores([view], 128)
        alone = smoother if len(instruments) == 1 else Smoother([own, curves(own)], y, folds, (smoother.ratio,))
        single[name] = shares(alone)
    return shares(smoother), single, [reliability(x, y, scores, folds), reliability(y, x, scores, folds)]


def reliability(x, first, second, folds):
    """Return the share of the variance of x that is not noise, by triads with two other views along principal axes."""
    centred = x - x.mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred / len(x))
    variance = np.maximum(values[::-1], 1e-3 * values.mean())
    along = centred @ axes[:, ::-1]
    a, b = _apart(first, along, folds, 1), _apart(second, along, folds, 3)
    edges = sorted({round(edge) - 1 for edge in np.geomspace(1, len(values) + 1, 17)})
    latent_variance = 0.0
    for start, stop in pairwise(edges):
        part = slice(start, stop)
        ta, tb, ab, tt = (np.sum(u[:, part] * v[:, part]) for u, v in ((along, a), (along, b), (a, b), (along, along)))
        share = ta * tb / (ab * tt) if min(ta, tb, ab) > 0 else 0.0
        latent_variance += np.clip(share, 0.02, 1.0) * variance[part].sum()
    return latent_variance / variance.sum()


def _apart(view, scores, folds, ahead):
    """Predict scores from a view, each fold from two folds further on."""
    v, predicted = view - view.mean(axis=0), np.empty(scores.shape)
    penalty = 0.3 * np.mean(v.var(axis=0)) * 2 * len(v) / N_FOLDS
    for fold in range(N_FOLDS):
        train = np.isin(folds, [(fold + ahead) % N_FOLDS, (fold + ahead + 1) % N_FOLDS])
        weights = np.linalg.solve(v[train].T @ v[train] + penalty * np.eye(v.shape[1]), v[train].T @ scores[train])
        predicted[folds == fold] = v[folds == fold] @ weights
    return predicted

"""The map families: exact recoveries, agreement of rows and moments, scikit-learn's habits, folders."""

import json

import numpy as np
import pytest
from polyglot.analysis.maps.affine_estimators import grouped_moments, splits_of
from polyglot.analysis.maps.estimators import (
    MAP_FAMILIES,
    IdentityMap,
    LocalMap,
    LowRankMap,
    NonlinearMap,
    RidgeMap,
    RotationMap,
    ShiftMap,
    SimilarityMap,
    load_map,
    make_map,
)
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.maps.low_rank import choose_rank
from polyglot.analysis.maps.map_spec import solve
from polyglot.analysis.maps.regression import Shrinkage
from polyglot.analysis.maps.shrinkage import choose_kappa, choose_shrinkage
from polyglot.analysis.moments import Moments
from polyglot.analysis.splits import group_folds
from polyglot.errors import ConfigError, DataError
from safetensors.numpy import load_file, save_file
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FAMILIES = tuple(MAP_FAMILIES.values())


def turn(rng, p, q):
    return np.linalg.qr(rng.standard_normal((max(p, q), max(p, q))))[0][:p, :q]


@pytest.fixture
def cloud():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((240, 6)) * np.array([3, 2, 1.5, 1, 1, 0.5]) + 4
    return rng, x


@pytest.fixture
def pairs(cloud):
    """Bent, noisy, and of unequal widths."""
    rng, x = cloud
    y = x @ rng.standard_normal((6, 6)) + np.sin(x @ rng.standard_normal((6, 6))) + 0.3 * rng.standard_normal((240, 6))
    return x, y


def test_each_family_recovers_its_own_kind_exactly(cloud):
    rng, x = cloud
    q, a = turn(rng, 6, 6), rng.standard_normal((6, 6))
    low = rng.standard_normal((6, 2)) @ rng.standard_normal((2, 6))
    exact = [
        (IdentityMap(), x),
        (ShiftMap(), x + 3),
        (RotationMap(), x @ q + 1),
        (SimilarityMap(), 0.4 * x @ q - 2),
        (RidgeMap(penalty=0.0), x @ a + 1),
        (LowRankMap(rank=2, penalty=0.0), x @ low),
        (LocalMap(regions=2, shrinkage=1e9, penalty=0.0), x @ a),
        (NonlinearMap(bandwidth=1.0, curvature=1e12, penalty=0.0), x @ a),
    ]
    for fitted, y in exact:
        np.testing.assert_allclose(fitted.fit(x, y).transform(x), y, atol=1e-5)
        assert fitted.score(x, y) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("width", [3, 9])
def test_a_rotation_between_widths_is_semi_orthogonal(cloud, width):
    rng, x = cloud
    q = turn(rng, 6, width)
    weights = RotationMap().fit(x, x @ q + 0.01 * rng.standard_normal((240, width))).weights_
    gram = weights @ weights.T if width > 6 else weights.T @ weights
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


@pytest.mark.parametrize(
    "family", [ShiftMap(), RotationMap(), SimilarityMap(), RidgeMap(), RidgeMap(penalty=24.0), LowRankMap()], ids=repr
)
def test_rows_and_moments_give_the_same_map(pairs, family):
    x, y = pairs
    rows = clone(family).fit(x, y)
    solved = clone(family).fit_moments(grouped_moments(x, y, folds=5, seed=0))
    np.testing.assert_allclose(solved.transform(x), rows.transform(x), atol=1e-9)
    assert [getattr(solved, f"{n}_") for n in solved.numbers] == [getattr(rows, f"{n}_") for n in rows.numbers]


def test_single_moments_are_enough_where_nothing_is_chosen(pairs):
    x, y = pairs
    whole = Moments.from_arrays(x, y, dtype="float64")
    one = RidgeMap(penalty=0.02).fit_moments(whole).transform(x)
    np.testing.assert_allclose(one, RidgeMap(penalty=0.02).fit(x, y).transform(x), atol=1e-9)
    with pytest.raises(ConfigError, match="moments of each fold"):
        RidgeMap().fit_moments(whole)
    with pytest.raises(ConfigError, match="cannot be solved from moments"):
        LocalMap().fit_moments(whole)


def test_the_penalty_is_that_of_a_refit_for_every_fold_and_penalty(pairs):
    x, y = pairs
    y = y + 8 * np.random.default_rng(1).standard_normal(y.shape)
    folds = group_folds(np.arange(240), 5, np.random.default_rng(0))
    errors = []
    penalties = np.geomspace(0.1, 1e4, 51)
    for penalty in penalties:
        parts = [folds == f for f in range(5)]
        fits = [RidgeMap(penalty).fit(x[~held], y[~held]).transform(x[held]) for held in parts]
        errors.append(sum(np.sum((y[held] - fit) ** 2) for held, fit in zip(parts, fits, strict=True)))
    chosen = choose_shrinkage(splits_of(grouped_moments(x, y)), 0.0, ("zero",)).penalty
    best = int(np.argmin(errors))
    assert penalties[best - 1] < chosen < penalties[best + 1]
    assert RidgeMap(prior="zero").fit(x, y).penalty_ == RidgeMap(prior=None).fit(x, y).penalty_ == chosen


def test_limits_and_priors_of_the_shrunk_families(pairs):
    x, y = pairs
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    left, _, right = np.linalg.svd(a.T @ b)
    for plain in (RotationMap(kappa=0.0), RotationMap(prior=None)):
        np.testing.assert_allclose(plain.fit(x, y).weights_, left @ right, atol=1e-9)
    np.testing.assert_array_equal(RotationMap(kappa=np.inf).fit(x, y).weights_, np.eye(6))
    scale = np.sum((a @ left @ right) * b) / np.sum(a**2)
    np.testing.assert_allclose(SimilarityMap(kappa=0.0).fit(x, y).weights_, scale * left @ right, atol=1e-9)
    strength = 24.0 * np.trace(a.T @ a) / 6 / len(x)
    ridge = np.linalg.solve(a.T @ a + strength * np.eye(6), a.T @ b)
    np.testing.assert_allclose(RidgeMap(penalty=24.0).fit(x, y).weights_, ridge, atol=1e-9)
    for prior in ("identity", "components", "rotation"):
        stiff = RidgeMap(penalty=np.inf, prior=prior).fit(x, y)
        singular = np.linalg.svd(stiff.weights_, compute_uv=False)
        np.testing.assert_allclose(singular, stiff.scale_, atol=1e-9)
    for wrong in (RotationMap(prior="nothing"), RidgeMap(prior="nothing")):
        with pytest.raises(ConfigError, match="a prior is one of"):
            wrong.fit(x, y)
    with pytest.raises(ConfigError, match="no map between widths 6 and 3"):
        RidgeMap(prior="identity").fit(x, y[:, :3])


def test_few_pairs_are_enough_where_the_prior_is_right():
    rng = np.random.default_rng(8)
    x, new = rng.standard_normal((60, 40)), rng.standard_normal((500, 40))
    noise = rng.standard_normal((60, 40))
    target = 0.7 * new
    errors = {
        prior: np.sum((RidgeMap(prior=prior).fit(x, 0.7 * x + noise).transform(new) - target) ** 2)
        for prior in ("auto", "identity", "zero")
    }
    assert errors["auto"] <= 1.2 * errors["identity"] < 0.3 * errors["zero"]


def test_a_map_of_an_earlier_version_is_read(pairs, tmp_path):
    """Its record lacks what is chosen now, and its settings lack the prior."""
    x, y = pairs
    fitted = RidgeMap(penalty=24.0).fit(x, y)
    folder = fitted.save(tmp_path / "map")
    record = json.loads((folder / "map.json").read_text())
    record["settings"] = {"penalty": 0.1, "folds": 5, "seed": 0}
    record["fitted"] = {"penalty": 0.1}
    (folder / "map.json").write_text(json.dumps(record))
    np.testing.assert_array_equal(load_map(folder).transform(x), fitted.transform(x))
    fitted = RotationMap().fit(x, y)
    folder = fitted.save(tmp_path / "rotation")
    record = json.loads((folder / "map.json").read_text())
    (folder / "map.json").write_text(json.dumps(record | {"settings": {}, "fitted": {}}))
    np.testing.assert_array_equal(load_map(folder).transform(x), fitted.transform(x))


def test_an_infinite_number_survives_the_folder(pairs, tmp_path):
    x, y = pairs
    folder = RotationMap(kappa=np.inf).fit(x, y).save(tmp_path)
    assert "Infinity" not in json.dumps(json.loads((folder / "map.json").read_text())["fitted"])
    assert load_map(folder).kappa_ == np.inf


def test_the_rank_is_found():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((300, 12))
    y = x @ rng.standard_normal((12, 4)) @ rng.standard_normal((4, 12)) + 1.5 * rng.standard_normal((300, 12))
    assert choose_rank(splits_of(grouped_moments(x, y)), Shrinkage(0.0)) == 4
    fitted = LowRankMap().fit(x, y)
    assert np.linalg.matrix_rank(fitted.weights_, tol=1e-8) == fitted.rank_ == 4


@pytest.mark.parametrize("rung", ["shift", "rotation", "similarity", "linear", "low_rank"])
def test_the_map_predicts_what_the_ladder_scored(pairs, rung):
    x, y = pairs
    folds = group_folds(np.arange(240), 5, np.random.default_rng(3))
    ladder = Ladder(x, folds, rungs=(rung,), prior="identity")
    fit = ladder.fit(y)
    for fold in range(5):
        held = folds == fold
        moments = Moments.from_arrays(x[~held], y[~held], dtype="float64")
        (fitted,) = solve(moments, [fit.choices[fold].spec(rung)], np.eye(6))
        np.testing.assert_allclose(fitted(x[held]), fit.predictions[rung][held], atol=1e-8)


@pytest.mark.parametrize("family", [RotationMap, SimilarityMap, RidgeMap, LowRankMap])
def test_choices_on_all_rows_are_those_of_the_ladder_with_no_fold_held_out(pairs, family):
    x, y = pairs
    folds = group_folds(np.arange(240), 5, np.random.default_rng(0))
    target = Ladder(x, folds, rungs=("linear",), prior="identity").target(y)
    splits = target.inner_splits(target.source.no_fold)
    fitted = family().fit(x, y)
    kappa = choose_kappa(splits)
    assert fitted.kappa_ == pytest.approx(kappa, rel=1e-6)
    if hasattr(fitted, "penalty_"):
        assert fitted.penalty_ == pytest.approx(choose_shrinkage(splits, kappa).penalty, rel=1e-6)


@pytest.mark.parametrize("family", [LocalMap, NonlinearMap])
def test_a_curved_map_beats_the_straight_one_on_a_bent_target_only(family):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((600, 3))
    linear = rng.standard_normal((3, 3))
    curved = np.abs(x) * 2 + x @ linear
    new = rng.standard_normal((300, 3))
    target = np.abs(new) * 2 + new @ linear
    assert family().fit(x, curved).score(new, target) > RidgeMap().fit(x, curved).score(new, target) + 0.2
    straight = x @ np.ones((3, 3)) + rng.standard_normal((600, 3))
    assert family().fit(x, straight).score(new, new @ np.ones((3, 3))) > 0.98


def test_local_corrections_equal_a_literal_ridge_in_each_region(pairs):
    x, y = pairs
    fitted = LocalMap(regions=3, shrinkage=0.05, penalty=2.4).fit(x, y)
    moved = x - x.mean(axis=0)
    nearest = np.argmin(((moved[:, None] - fitted.centres_) ** 2).sum(axis=2), axis=1)
    base = RidgeMap(penalty=2.4).fit(x, y).transform(x)
    for region in range(3):
        rows = nearest == region
        design = np.column_stack([np.full(rows.sum(), fitted.constant_), moved[rows]])
        gram = design.T @ design
        strength = 0.05 * np.trace(gram) / len(gram)
        weights = np.linalg.solve(gram + strength * np.eye(len(gram)), design.T @ (y - base)[rows])
        np.testing.assert_allclose(fitted.transform(x)[rows], base[rows] + design @ weights, atol=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_map_predicts_the_same_bits(pairs, family, tmp_path):
    x, y = pairs
    fitted = family().fit(x, y)
    loaded = load_map(fitted.save(tmp_path / "map"))
    assert type(loaded) is family
    assert loaded.get_params() == fitted.get_params()
    np.testing.assert_array_equal(loaded.transform(x), fitted.transform(x))
    assert loaded.score(x, y) == fitted.score(x, y)
    assert {p.name for p in (tmp_path / "map").iterdir()} == {"map.json", "map.safetensors"}


def test_a_folder_with_array_names_of_the_first_version_is_read(pairs, tmp_path):
    x, y = pairs
    fitted = NonlinearMap(bandwidth=1.0, curvature=0.1).fit(x, y)
    arrays = load_file(fitted.save(tmp_path) / "map.safetensors")
    arrays["bends"], arrays["straightened"] = arrays.pop("feature_weights"), arrays.pop("linear_correction")
    save_file(arrays, tmp_path / "map.safetensors")
    np.testing.assert_array_equal(load_map(tmp_path).transform(x), fitted.transform(x))


@pytest.mark.parametrize("family", FAMILIES)
def test_scikit_learn_can_handle_it(pairs, family):
    x, y = pairs
    scores = cross_val_score(family(), x, y, cv=3)
    assert np.isfinite(scores).all()
    fitted = make_pipeline(StandardScaler(), family()).fit(x, y)
    assert fitted.predict(x).shape == y.shape
    np.testing.assert_array_equal(clone(family()).fit_transform(x, y), family().fit(x, y).transform(x))
    with pytest.raises(NotFittedError):
        family().transform(x)
    with pytest.raises(DataError, match=r"X has 3 features, but \w+ is expecting 6 features"):
        family().fit(x, y).transform(x[:, :3])


@pytest.mark.parametrize("family", [ShiftMap(), RotationMap(), SimilarityMap(), RidgeMap()], ids=repr)
def test_inverse_undoes_the_map(pairs, family):
    x, y = pairs
    fitted = family.fit(x, y)
    np.testing.assert_allclose(fitted.inverse_transform(fitted.transform(x)), x, atol=1e-8)


def test_a_map_that_narrows_has_no_inverse(pairs):
    x, y = pairs
    with pytest.raises(DataError, match="no inverse"):
        RotationMap().fit(x, y[:, :2]).inverse_transform(y[:, :2])
    with pytest.raises(DataError, match="no inverse"):
        LowRankMap(rank=2).fit(x, y).inverse_transform(y)


def test_groups_keep_copies_on_one_side_of_the_inner_folds():
    rng = np.random.default_rng(5)
    x = np.repeat(rng.standard_normal((30, 40)), 8, axis=0) + 1e-3 * rng.standard_normal((240, 40))
    y = np.repeat(rng.standard_normal((30, 40)), 8, axis=0)
    groups = np.repeat(np.arange(30), 8)
    assert RidgeMap(prior=None).fit(x, y).penalty_ < RidgeMap(prior=None).fit(x, y, groups).penalty_ / 100


def test_bad_settings_and_folders_are_refused(pairs, tmp_path):
    x, y = pairs
    with pytest.raises(ConfigError, match="0 or more"):
        RidgeMap(penalty=-1.0).fit(x, y)
    with pytest.raises(ConfigError, match="1 or more"):
        LowRankMap(rank=0, penalty=1.0).fit(x, y)
    with pytest.raises(DataError, match="equal widths"):
        ShiftMap().fit(x, y[:, :3])
    with pytest.raises(ConfigError, match="no map is called 'affine'"):
        make_map("affine")
    for family in (RotationMap(), RidgeMap(), RidgeMap(penalty=1.0)):
        with pytest.raises(DataError, match="no rows"):
            family.fit_moments([])
    with pytest.raises(DataError, match="holds no map"):
        load_map(tmp_path)
    folder = RidgeMap().fit(x, y).save(tmp_path / "map")
    record = json.loads((folder / "map.json").read_text())
    (folder / "map.json").write_text(json.dumps(record | {"rung": "rotation", "settings": {}, "format": "other"}))
    with pytest.raises(DataError, match="holds no map"):
        load_map(folder)

"""Every map family passes scikit-learn's own checks of an estimator, but for those that contradict it by design."""

import numpy as np
import pandas as pd
import pytest
from polyglot.analysis.maps.estimators import (
    MAP_FAMILIES,
    IdentityMap,
    LocalMap,
    LowRankMap,
    NonlinearMap,
    RidgeMap,
    ShiftMap,
    load_map,
)
from polyglot.errors import ConfigError, DataError
from sklearn.utils.estimator_checks import parametrize_with_checks

FAMILIES = tuple(MAP_FAMILIES.values())


#: These hand a transformer a one-dimensional y, which a map refuses by design: its targets are rows.
ONE_DIMENSIONAL = (
    "check_transformer_data_not_an_array",
    "check_transformer_general",
    "check_transformer_preserve_dtypes",
)
#: These fit a y of another width than x, which an identity or a shift refuses by design: both live in one space.
UNEQUAL_WIDTHS = (
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1sample",
    "check_fit2d_predict1d",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
    "check_regressor_data_not_an_array",
    "check_regressor_multioutput",
    "check_regressors_int",
    "check_regressors_no_decision_function",
    "check_regressors_train",
)
#: These compare with the shape of the y that they gave, or give one in a form that `Widened` leaves alone.
NOT_WIDENED = ("check_regressor_data_not_an_array", "check_regressor_multioutput", "check_regressors_train")


class Widened:
    """Fits the one column of y that a check gives as often as x has columns."""

    def fit(self, x, y, groups=None):
        if np.ndim(x) == np.ndim(y) == 2 and len(x) == len(y) and np.shape(y)[1] == 1:
            y = np.tile(np.asarray(y), (1, np.shape(x)[1]))
        return super().fit(x, y, groups)


class WidenedIdentity(Widened, IdentityMap):
    pass


class WidenedShift(Widened, ShiftMap):
    pass


def expected_failures(estimator):
    """Return the checks that contradict a map, each with the reason."""
    reasons = dict.fromkeys(ONE_DIMENSIONAL, "fits a one-dimensional y")
    if isinstance(estimator, Widened):
        return reasons | dict.fromkeys(NOT_WIDENED, "knows nothing of the columns that were added to y")
    if isinstance(estimator, (IdentityMap, ShiftMap)):
        reasons |= dict.fromkeys(UNEQUAL_WIDTHS, "fits a y of another width than x")
    return reasons


@parametrize_with_checks(
    [*(family() for family in FAMILIES), WidenedIdentity(), WidenedShift()], expected_failed_checks=expected_failures
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture
def pairs():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4))
    return x, x @ rng.standard_normal((4, 4)) + 0.1 * rng.standard_normal((60, 4))


@pytest.mark.parametrize("family", FAMILIES)
def test_one_dimensional_targets_are_refused_in_the_words_of_scikit_learn(pairs, family):
    x, y = pairs
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array instead"):
        family().fit(x, y[:, 0])
    with pytest.raises(DataError, match="Reshape your data"):
        family().fit(x, y[:, 0])


@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_have_names_and_take_the_form_that_is_asked_for(pairs, family):
    x, y = pairs
    fitted = family().fit(x, y)
    names = [f"{family.__name__.lower()}{i}" for i in range(4)]
    assert fitted.get_feature_names_out().tolist() == names
    table = fitted.set_output(transform="pandas").transform(x)
    assert isinstance(table, pd.DataFrame)
    assert table.columns.tolist() == names
    assert type(fitted.predict(x)) is np.ndarray
    np.testing.assert_array_equal(table.to_numpy(), fitted.predict(x))
    assert fitted.score(x, y) == family().fit(x, y).score(x, y)


@pytest.mark.parametrize(
    "family",
    [
        RidgeMap(penalty=np.float32(0.5), folds=np.int64(4), seed=np.int64(1)),
        LowRankMap(rank=np.int64(2), penalty=np.float64(0.1)),
        LocalMap(regions=np.int32(2), shrinkage=np.float32(0.25)),
        NonlinearMap(bandwidth=np.float32(1.0), curvature=np.float16(0.5)),
    ],
    ids=lambda m: m.rung,
)
def test_numpy_scalars_as_settings_are_saved(pairs, family, tmp_path):
    x, y = pairs
    fitted = family.fit(x, y)
    loaded = load_map(fitted.save(tmp_path))
    assert loaded.get_params() == fitted.get_params()
    np.testing.assert_array_equal(loaded.transform(x), fitted.transform(x))


@pytest.mark.parametrize("family", [RidgeMap, LowRankMap, LocalMap, NonlinearMap])
def test_no_penalty_on_collinear_columns_is_the_least_norm_solution(pairs, family):
    x, y = pairs
    twice = np.hstack([x, x[:, :2], np.ones((60, 1))])
    expected = np.linalg.lstsq(twice - twice.mean(axis=0), y - y.mean(axis=0), rcond=1e-10)[0]
    fitted = family(penalty=0.0).fit(twice, y)
    assert np.isfinite(fitted.transform(twice)).all()
    if family is not LowRankMap:
        np.testing.assert_allclose(fitted.weights_, expected, atol=1e-8)


@pytest.mark.parametrize("family", [RidgeMap, LocalMap, NonlinearMap])
def test_errors_of_validation_are_value_errors(pairs, family):
    x, y = pairs
    spoiled = x.copy()
    spoiled[7, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        family().fit(spoiled, y)
    with pytest.raises(ValueError, match="0 or more"):
        family(penalty=-1.0).fit(x, y)
    with pytest.raises(ConfigError, match="0 or more"):
        family(penalty=-1.0).fit(x, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        family().fit(x, y[:-1])
    with pytest.raises(ValueError, match="NaN"):
        family().fit(x, y).transform(spoiled)


def test_the_row_that_is_not_finite_is_named(pairs):
    x, y = pairs
    y[7, 2] = np.inf
    for family in (RidgeMap(penalty=0.1), LocalMap()):
        with pytest.raises(DataError, match=r"row 7 .*holds NaN or infinity"):
            family.fit(x, y)


def test_maps_that_need_equal_widths_say_so(pairs):
    x, y = pairs
    for family in (IdentityMap, ShiftMap):
        with pytest.raises(ValueError, match="equal widths, got 4 and 3"):
            family().fit(x, y[:, :3])

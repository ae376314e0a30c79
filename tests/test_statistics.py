"""Intervals hold what was planted as often as they say; units are never split; a fit never sees whom it is tried on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from forensics import statistics
from forensics.errors import ParameterError


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def planted(area, with_, without, rng):
    """Normal scores whose true AUC is ``area``, with their labels."""
    apart = norm.ppf(area) * np.sqrt(2)
    scores = np.concatenate([rng.normal(apart, 1, with_), rng.normal(0, 1, without)])
    return scores, np.arange(with_ + without) < with_


# -- counts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "bound"), [(1, 0.95), (10, 0.25887), (59, 0.04951), (299, 0.00997)])
def test_none_of_n_gives_the_one_sided_bound(n, bound):
    assert statistics.upper_bound_of_none(n) == pytest.approx(bound, abs=5e-6)
    none = statistics.share(0, n)
    assert (none.value, none.low, none.high) == (0.0, None, statistics.upper_bound_of_none(n))
    assert "one-sided 95 %" in none.method and "two-sided" not in none.method


def test_some_of_n_gives_clopper_pearson():
    some = statistics.share(1, 10)  # table value: 0.25 to 44.50 %
    assert (some.low, some.high) == pytest.approx((0.00253, 0.44502), abs=5e-6)
    assert (some.value, some.n, some.units) == (0.1, 10, 10) and "two-sided" in some.method
    low, high = statistics.clopper_pearson(10, 10)
    assert high == 1.0 and low == pytest.approx(0.025 ** (1 / 10))


def test_shares_and_counts_out_of_range_are_refused():
    for refused in (lambda: statistics.upper_bound_of_none(0), lambda: statistics.share(0, 0)):
        with pytest.raises(ParameterError, match="at least one observation"):
            refused()
    for k, n in ((-1, 3), (4, 3)):
        with pytest.raises(ParameterError, match="between 0 and n"):
            statistics.share(k, n)
    with pytest.raises(ParameterError, match="not negative"):
        statistics.poisson_interval(-1)


def test_poisson_interval_is_garwoods():
    assert statistics.poisson_interval(0) == pytest.approx((0, 3.68888), abs=1e-5)
    assert statistics.poisson_interval(3) == pytest.approx((0.61867, 8.76727), abs=1e-5)


# -- units -----------------------------------------------------------------------------------------------------------


def test_recordings_that_share_a_person_or_a_group_are_one_unit():
    persons = ["a", "b", "c", "d", "a", "e", "f"]
    groups = ["1", "2", "1", "", "2", "", ""]
    # c is tied to a by group 1, and a to b by group 2; d, e and f have no group and are not thereby together.
    assert statistics.units(persons, groups).tolist() == [0, 0, 0, 1, 0, 2, 3]


def test_a_person_is_not_a_group_of_the_same_name():
    assert statistics.units(["P01", "x"], ["", "P01"]).tolist() == [0, 1]


def test_each_recording_has_a_person_and_a_group():
    with pytest.raises(ParameterError, match="a person and a group"):
        statistics.units(["a"], [])
    assert statistics.units([], []).tolist() == []


@settings(deadline=None)  # a loaded machine is no failure
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "1", "2", "3"])), min_size=1, max_size=15))
def test_units_part_whatever_shares_nothing(rows):
    unit = statistics.units(*zip(*rows, strict=True))
    linked = [[p == q or g == h != "" for q, h in rows] for p, g in rows]
    for middle, one, other in itertools.product(range(len(rows)), repeat=3):  # transitive closure, by Warshall
        linked[one][other] |= linked[one][middle] and linked[middle][other]
    assert (unit[:, None] == unit).tolist() == linked
    assert list(dict.fromkeys(unit.tolist())) == list(range(unit.max() + 1))


# -- bootstrap -------------------------------------------------------------------------------------------------------


def mean_of(values):
    return lambda weights: weights @ values / weights.sum(1)


def test_the_interval_of_a_mean_holds_it_as_often_as_it_says(rng):
    held = 0
    for trial in range(200):
        values = np.random.default_rng(trial).normal(3, 1, 30)
        low, high = statistics.bootstrap(mean_of(values), np.arange(30), 500, trial)
        held += low <= 3 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_rows_of_one_unit_count_once(rng):
    values = rng.normal(size=20)
    plain = statistics.bootstrap(mean_of(values), np.arange(20))
    tenfold = statistics.bootstrap(mean_of(np.tile(values, 10)), np.tile(np.arange(20), 10))
    as_if_independent = statistics.bootstrap(mean_of(np.tile(values, 10)), np.arange(200))
    assert tenfold == pytest.approx(plain, abs=1e-12)
    assert np.diff(as_if_independent) < 0.5 * np.diff(plain)


def test_the_same_seed_gives_the_same_interval(rng):
    values = rng.normal(size=20)
    first, again, other = (statistics.bootstrap(mean_of(values), range(20), 200, seed) for seed in (0, 0, 1))
    assert first == again != other


def test_a_statistic_that_few_resamples_can_show_is_refused():
    with pytest.raises(ParameterError, match="nine in ten"):
        statistics.bootstrap(lambda weights: np.where(weights[:, 0] > 0, 1.0, np.nan), range(10))
    with pytest.raises(ParameterError, match="at least one unit"):
        statistics.bootstrap(mean_of(np.zeros(0)), [])


# -- area under the curve --------------------------------------------------------------------------------------------


def test_the_area_is_scikit_learns_with_ties_and_weights(rng):
    scores, labels = rng.integers(0, 5, 60).astype(float), rng.random(60) < 0.4
    assert statistics.auc(scores, labels, range(60)).value == pytest.approx(roc_auc_score(labels, scores))
    weights = rng.integers(0, 4, (1, 60)).astype(float)
    expected = roc_auc_score(labels, scores, sample_weight=weights[0])
    assert statistics._area(scores, labels)(weights)[0] == pytest.approx(expected)


@pytest.mark.parametrize(("area", "with_", "without"), [(0.5, 12, 25), (0.8, 10, 40), (0.95, 20, 80)])
def test_the_areas_interval_holds_the_planted_area_as_often_as_it_says(area, with_, without, rng):
    held = 0
    for trial in range(250):
        found = statistics.auc(*planted(area, with_, without, rng), range(with_ + without), 400, trial)
        held += (found.low or 0) <= area <= (1 if found.high is None else found.high)
    assert 0.90 <= held / 250 <= 0.99


def test_copies_of_recordings_narrow_nothing(rng):
    scores, labels = planted(0.8, 15, 25, rng)
    persons = [f"person {k}" for k in range(40)]
    once = statistics.auc(scores, labels, statistics.units(persons, [""] * 40))
    thrice = statistics.auc(np.tile(scores, 3), np.tile(labels, 3), statistics.units(persons * 3, [""] * 120))
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), abs=1e-12)
    assert (thrice.n, thrice.units) == (120, once.units)


def test_dependence_within_persons_widens_the_interval(rng):
    """Four recordings of each of 20 persons, all of a person alike: as wide as with one each."""
    scores, labels = planted(0.75, 10, 10, rng)
    noise = rng.normal(0, 0.01, 80)
    many, same = np.repeat(scores, 4) + noise, np.repeat(labels, 4)
    by_person = statistics.auc(many, same, np.repeat(np.arange(20), 4))
    by_recording = statistics.auc(many, same, range(80))
    assert by_person.high - by_person.low > 1.6 * (by_recording.high - by_recording.low)


def test_all_pairs_apart_gives_a_one_sided_bound_never_a_width_of_nothing():
    labels = np.arange(30) < 10
    above = statistics.auc(labels.astype(float), labels, range(30))
    assert (above.value, above.high) == (1.0, None) and above.low == pytest.approx(0.05 ** (1 / 10))
    below = statistics.auc(-labels.astype(float), labels, range(30))
    assert (below.value, below.low) == (0.0, None) and below.high == pytest.approx(1 - 0.05 ** (1 / 10))
    assert "10 disjoint pairs" in above.method
    # Ten units that hold both classes give five pairs whose units differ.
    assert "5 disjoint pairs" in statistics.auc([1.0, 0.0] * 10, [True, False] * 10, np.repeat(range(10), 2)).method
    alone = statistics.auc([1.0, 0.0], [True, False], [0, 0])
    assert (alone.low, alone.high) == (0.0, None)


def test_turned_scores_turn_the_area(rng):
    scores, labels = planted(0.8, 12, 20, rng)
    up, down = (statistics.auc(sign * scores, labels, range(32)) for sign in (1, -1))
    assert (down.value, down.low, down.high) == pytest.approx((1 - up.value, 1 - up.high, 1 - up.low), abs=1e-9)


@pytest.mark.parametrize(
    ("scores", "labels", "units", "words"),
    [
        ([1, np.nan], [True, False], [0, 1], "counted, not scored"),
        ([1, 2], [True, True], [0, 1], "both classes"),
        ([1, 2], [True, False], [0], "a label and a unit"),
    ],
)
def test_what_is_no_score_is_refused(scores, labels, units, words):
    with pytest.raises(ParameterError, match=words):
        statistics.auc(scores, labels, units)


# -- two methods -----------------------------------------------------------------------------------------------------


def test_a_better_method_is_told_from_a_worse_one_that_saw_the_same(rng):
    common, labels = planted(0.9, 40, 40, rng)
    worse = common + rng.normal(0, 3.0, 80)
    gain = statistics.paired_comparison(common, worse, labels, range(80))
    assert gain.low > 0
    loss = statistics.paired_comparison(worse, common, labels, range(80))
    assert (loss.value, loss.low, loss.high) == pytest.approx((-gain.value, -gain.high, -gain.low))


def test_pairing_removes_what_both_methods_share(rng):
    common, labels = planted(0.75, 30, 30, rng)
    a, b = (common + rng.normal(0, 0.1, 60) for _ in range(2))
    paired = statistics.paired_comparison(a, b, labels, range(60))
    alone = statistics.auc(a, labels, range(60))
    assert paired.high - paired.low < 0.5 * (alone.high - alone.low)
    assert paired.low <= 0 <= paired.high


def test_a_difference_that_no_resample_changes_has_no_interval(rng):
    scores, labels = planted(0.75, 10, 10, rng)
    same = statistics.paired_comparison(scores, scores, labels, range(20))
    assert (same.value, same.low, same.high) == (0.0, None, None) and "no interval" in same.method


# -- splits and cross-fitting ----------------------------------------------------------------------------------------


@settings(deadline=None)  # a loaded machine is no failure
@given(st.integers(0, 1000))
def test_no_unit_lies_in_two_folds(seed):
    rng = np.random.default_rng(seed)
    unit, labels = rng.integers(0, 25, 120), rng.random(120) < 0.4
    fold = statistics.folds(unit, labels, 5, seed)
    assert all(len(set(fold[unit == u])) == 1 for u in set(unit))
    assert sorted(set(fold)) == list(range(5))
    assert fold.tolist() == statistics.folds(unit, labels, 5, seed).tolist()


def test_there_are_no_more_folds_than_units_of_a_class():
    labels = np.arange(40) < 3
    fold = statistics.folds(range(40), labels, 10)
    assert sorted(fold[labels]) == [0, 1, 2] and set(fold) == {0, 1, 2}
    with pytest.raises(ParameterError, match="two units of each class"):
        statistics.folds([0] * 5 + list(range(1, 20)), np.arange(24) < 5)


def nearest(features, labels):
    """A fit that remembers everything: the label of the nearest example."""
    return lambda tried: labels[np.abs(tried[:, None, 0] - features[:, 0]).argmin(1)].astype(float)


def test_a_person_is_never_in_the_fit_that_scores_it():
    """A feature that tells the person and nothing else: 40 persons, 6 recordings each, labels by person."""
    rng = np.random.default_rng(5)
    unit = np.repeat(np.arange(40), 6)
    features = (rng.random(40)[unit] + rng.normal(0, 1e-6, 240))[:, None]
    leaked, honest = [], []
    for seed in range(10):
        labels = rng.permutation(np.arange(40) < 20)[unit]
        rows = statistics.folds(range(240), labels, 10, seed)  # as if each recording were a person
        leaked.append(roc_auc_score(labels, statistics.cross_fit(nearest, features, labels, range(240), rows)))
        whole = statistics.folds(unit, labels, 10, seed)
        honest.append(roc_auc_score(labels, statistics.cross_fit(nearest, features, labels, unit, whole)))
        with pytest.raises(ParameterError, match="a unit lies in one fold"):
            statistics.cross_fit(nearest, features, labels, unit, rows)
    assert min(leaked) > 0.95
    assert np.mean(honest) == pytest.approx(0.5, abs=0.08)


def test_noise_cross_fitted_scores_as_noise():
    rng = np.random.default_rng(11)
    areas = []
    for seed in range(12):
        features, labels = rng.normal(size=(60, 4)), np.arange(60) < 20
        fold = statistics.folds(range(60), labels, 10, seed)
        areas.append(
            roc_auc_score(labels, statistics.cross_fit(statistics.logistic, features, labels, range(60), fold))
        )
    assert np.mean(areas) == pytest.approx(0.5, abs=0.07)


def test_a_planted_feature_is_found_and_gaps_in_it_are_bridged(rng):
    scores, labels = planted(0.95, 40, 60, rng)
    features = np.column_stack([scores, rng.normal(size=100), np.full(100, np.nan)])
    features[::7, 0] = np.nan
    fold = statistics.folds(range(100), labels)
    fitted = statistics.cross_fit(statistics.logistic, features, labels, range(100), fold)
    assert np.isfinite(fitted).all() and roc_auc_score(labels, fitted) > 0.8


def test_a_gap_can_tell_the_class_by_itself(rng):
    labels = np.arange(40) < 20
    features = np.where(labels, np.nan, rng.normal(size=40))[:, None]
    fitted = statistics.cross_fit(statistics.logistic, features, labels, range(40), statistics.folds(range(40), labels))
    assert roc_auc_score(labels, fitted) > 0.99


def test_a_fit_of_one_class_is_refused():
    with pytest.raises(ParameterError, match="both classes"):
        statistics.cross_fit(nearest, np.zeros((4, 1)), [True, True, False, False], range(4), [0, 0, 1, 1])

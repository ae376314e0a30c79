"""What a count of blinks can say: its two intervals, the time between blinks, loops, and how long an absence lasts."""

import re
from dataclasses import replace

import coverage_rates
import numpy as np
import planted
import pytest

from forensics.analysis import blink
from forensics.analysis.blink import Settings, rate, repeats
from forensics.errors import ParameterError
from forensics.report import phrases
from forensics.statistics import clustered_interval, median_interval, poisson_interval
from forensics.timeline import Interval

NEVER_MISSED = Settings(least_recall=1.0)


# -- two intervals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 7, 40])
def test_without_variation_the_over_dispersed_interval_is_garwood_s(n):
    assert clustered_interval(n, 0.0, 1.0) == pytest.approx(poisson_interval(n), rel=1e-9, abs=1e-12)
    assert clustered_interval(n, 0.001, 1.0) == pytest.approx(poisson_interval(n), rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("n", [0, 1, 7, 40])
def test_its_ends_are_those_means_that_leave_two_and_a_half_percent(n):
    """Against the counts of gamma-mixed Poisson draws, not against the formula."""
    random, draws = np.random.default_rng(n), 400_000
    low, high = clustered_interval(n, 0.4, 1.0)
    rates = random.gamma(0.4**-2, 0.4**2, draws)
    assert np.mean(random.poisson(high * rates) <= n) == pytest.approx(0.025, abs=0.002)
    assert low == 0 if n == 0 else np.mean(random.poisson(low * rates) >= n) == pytest.approx(0.025, abs=0.002)


@pytest.mark.parametrize(("variation", "dispersion"), [(0.0, 1.3), (0.2, 1.0), (0.37, 4 / 3)])
@pytest.mark.parametrize("n", [0, 1, 5, 60])
def test_it_holds_garwood_s_inside_it(n, variation, dispersion):
    """But for the lower end of a single blink, where both are 0.0253."""
    low, high = clustered_interval(n, variation, dispersion)
    steady = poisson_interval(n)
    assert low <= 1.001 * steady[0] and high > steady[1]


def test_counts_and_dispersions_that_cannot_be_are_refused():
    for bad in ((-1, 0.1, 1.0), (1, -0.1, 1.0), (1, 0.1, 0.9)):
        with pytest.raises(ParameterError, match="a dispersion not under 1"):
            clustered_interval(*bad)


@pytest.mark.parametrize("variation_doubles", [(0.0, 0.0, 0.95), (0.37, 0.2, 0.93), (0.3, 0.4, 0.93)])
@pytest.mark.parametrize("mean", [0.5, 3, 12, 40])
def test_intervals_hold_the_planted_mean(mean, variation_doubles):
    variation, doubles, least = variation_doubles
    n = coverage_rates.drawn(mean, variation, doubles, 8000, np.random.default_rng(1))
    assert n.mean() == pytest.approx(mean, rel=0.05)
    (steady, _), (clustered, _) = coverage_rates.held(mean, n, NEVER_MISSED)
    assert clustered >= least
    if not variation:
        assert steady >= 0.95
    elif mean == 40:
        assert steady < 0.75  # why Garwood's is not the one printed


def test_the_printed_interval_is_the_wider_one_and_both_are_told():
    wide, steady = blink.measure_rate(9, 30.0, Settings()), blink.measure_steady_rate(9, 30.0, Settings())
    assert wide.value == steady.value == 18.0
    assert wide.low < steady.low and wide.high > steady.high and not steady.unusual


def test_a_rate_is_marked_only_where_both_intervals_lie_below():
    """Between the two lengths the steady interval alone lies below the range."""
    settings = Settings(task="conversation")
    assert blink.measure_steady_rate(0, 45.0, settings).high < 10.5 < blink.measure_rate(0, 45.0, settings).high
    assert not blink.measure_rate(0, 45.0, settings).unusual
    assert blink.measure_rate(0, 60.0, settings).unusual


# -- absence -------------------------------------------------------------------------------------------------------


def test_the_length_table_at_a_steady_rate_is_arithmetic():
    """At 10.5 a minute no blink in 17.1 s happens 5 % of the time, in 26.3 s 1 %."""
    table = {row.task: row for row in blink.absences(Settings())}
    assert set(table) == set(blink.TASKS)
    assert table["conversation"].steady == pytest.approx((17.12, 26.31), abs=0.01)
    for row in table.values():
        assert row.lowest == blink.TASKS[row.task][0]
        assert row.steady[0] < row.clustered[0] < row.clustered[1] < row.marked


def test_the_over_dispersed_lengths_leave_as_few_without_a_blink_as_they_say():
    random, settings = np.random.default_rng(0), Settings(double_blinks=0.0)
    for seconds, chance in zip(blink.absences(settings)[1].clustered, rate.CHANCES, strict=True):
        n = coverage_rates.drawn(seconds / 60 * 8.0, settings.rate_variation, 0.0, 400_000, random)
        assert np.mean(n == 0) == pytest.approx(chance, rel=0.06)


@pytest.mark.parametrize("task", blink.TASKS)
def test_the_verdict_obeys_the_table(task):
    settings = Settings(task=task)
    marked = next(row.marked for row in blink.absences(settings) if row.task == task)
    assert not blink.measure_rate(0, 0.99 * marked, settings).unusual
    assert blink.measure_rate(0, 1.01 * marked, settings).unusual


def test_the_table_is_printed_with_every_task_and_rounded_up():
    text = rate.markdown(blink.absences(Settings()))
    (row,) = [line for line in text.splitlines() if line.startswith("| conversation")]
    assert re.findall(r"\d+(?= s)", row)[:2] == ["18", "27"]


def test_the_chart_tells_the_seconds_needed_and_seen():
    t_s = planted.pictures_s(25, 20.0)
    finding, *_ = blink.assess(planted.scene([eyes(t_s, (3.0, 9.1))]), Settings(task="rest"))
    chart = blink.charts(finding)[1]
    assert list(dict.fromkeys(chart.table["task"])) == list(blink.TASKS) and len(chart.table["criterion"]) == 20
    assert "72 s on" in chart.caption and "20.0 s seen here" in chart.caption


# -- the task ------------------------------------------------------------------------------------------------------


def eyes(t_s, peaks_s, noise_px=0.2, seed=0, slow=0.0):
    """A face that blinks; ``slow``: how far the lids also wander, as a living person's do."""
    random = np.random.default_rng(seed)
    wander = np.interp(t_s, np.arange(0, t_s[-1] + 1, 0.25), random.normal(0, slow, int(4 * (t_s[-1] + 1)) + 1))
    lid = planted.lid(t_s, peaks_s) * (1 + wander)
    return planted.track(t_s, planted.face(right_lid=lid, left_lid=lid), noise_px=noise_px, seed=seed)


def reference(spoken, task="unknown"):
    track = eyes(planted.pictures_s(25, 20.0), (3.0, 9.1))
    scene = replace(planted.scene([track]), speech=spoken)
    finding, *_ = blink.assess(scene, Settings(task=task))
    return finding.measurement("blink_rate")


def test_speech_over_most_of_the_time_is_told_and_narrows_nothing():
    talks, silent = reference([Interval(1, 19)]), reference([])
    assert "Speech fills 90 % of the visible time" in talks.reference and "10.5 to 32.5" in talks.reference
    assert talks.reference.startswith("1.4 to 32.5 1/min")
    assert "Speech" not in silent.reference and "Speech" not in reference(None).reference
    assert "Speech" not in reference([Interval(1, 9)]).reference
    assert (talks.low, talks.high, talks.unusual) == (silent.low, silent.high, silent.unusual)


def test_the_analyst_s_task_is_not_talked_over():
    assert "Speech" not in reference([Interval(0, 20)], "rest").reference


def test_speech_while_the_eyes_are_hidden_does_not_count():
    assert rate.spoken_share([Interval(0, 10)], [Interval(8, 30)]) == pytest.approx(0.2)
    assert rate.spoken_share([], [Interval(8, 30)]) is None


# -- time between blinks -------------------------------------------------------------------------------------------


def test_no_interval_reaches_across_time_that_was_not_seen():
    found = blink.between_blinks([1.0, 2.5, 9.0, 11.0, 30.0], [Interval(0, 5), Interval(8, 12), Interval(20, 40)])
    np.testing.assert_allclose(found, [1.5, 2.0])
    assert len(blink.between_blinks([], [Interval(0, 5)])) == 0


def test_the_median_and_its_interval_are_order_statistics():
    found = blink.measure_intervals(np.array([3.0, 1.0, 2.0, 5.0, 4.0, 6.0]))
    assert (found.value, found.low, found.high, found.n) == (3.5, 1.0, 6.0, 6)
    few = blink.measure_intervals(np.array([3.0, 1.0]))
    assert few.value == 2.0 and few.low is few.high is few.level is None
    assert blink.measure_intervals(np.zeros(0)) is None
    assert median_interval(np.arange(1.0, 11.0)) == (2.0, 9.0)  # of ten, the second and the ninth: Conover's table


def test_planted_times_between_blinks_are_found():
    gaps = np.array([2.1, 3.0, 1.4, 2.6, 4.2, 1.9, 2.2, 3.3, 2.8])
    t_s = planted.pictures_s(30, 30.0)
    finding, *_ = blink.assess(planted.scene([eyes(t_s, 2.0 + np.concatenate([[0], np.cumsum(gaps)]))]), Settings())
    assert finding.measurement("inter_blink_interval").value == pytest.approx(np.median(gaps), abs=0.04)
    found = finding.measurement("blink_regularity")
    assert found.value == pytest.approx(np.std(gaps, ddof=1) / gaps.mean(), abs=0.02)
    assert found.low < found.value < found.high and found.n == 9 and not found.unusual


def test_a_clock_a_chance_and_bursts_are_told_apart():
    random = np.random.default_rng(1)
    clock, chance = random.normal(3, 0.2, 60), random.exponential(3, 60)
    bursts = np.where(np.arange(60) % 10 < 8, 0.4, 12.0) * random.uniform(0.9, 1.1, 60)
    even, poisson, clustered = (blink.measure_regularity(x, Settings()) for x in (clock, chance, bursts))
    assert even.high < 0.2 < poisson.low < 1 < poisson.high and clustered.low > 1


def test_too_few_or_equal_intervals_have_no_regularity():
    assert blink.measure_regularity(np.arange(1.0, 8.0), Settings()) is None
    assert blink.measure_regularity(np.full(20, 3.0), Settings()) is None
    assert blink.measure_regularity(np.array([3.0] * 19 + [4.0]), Settings()) is None


# -- loops ---------------------------------------------------------------------------------------------------------

#: Of a stretch of 6 s at 25 pictures a second.
LOOP_PEAKS = (1.3, 2.9, 4.8)


def looped(times=2, noise_px=0.1, seed=0, fps=25):
    """A living stretch of 6 s shown ``times`` times, then 8 s more of the person; each picture newly measured."""
    t_s = planted.pictures_s(fps, 6.0)
    once = eyes(t_s, LOOP_PEAKS, noise_px=0.0, seed=seed, slow=0.08).landmarks
    more = eyes(planted.pictures_s(fps, 8.0), (0.9, 3.4, 4.9, 7.1), noise_px=0.0, seed=seed + 100, slow=0.08).landmarks
    landmarks = np.concatenate([once] * times + [more])
    whole = planted.pictures_s(fps, 6.0 * times + 8.0)
    return planted.looked_again(planted.track(whole, landmarks, noise_px=noise_px, seed=seed), noise_px, n=60)


def loops(*tracks):
    finding, *_ = blink.assess(planted.scene(list(tracks)), Settings())
    assert finding.state == "assessed"
    return [e for e in finding.events if e.kind == "repeated_blinks"]


@pytest.mark.parametrize("fps", [25, 30, 50])
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_loop_is_found_where_it_is(seed, fps):
    (event,) = loops(looped(seed=seed, fps=fps))
    assert event.details["lag_s"] == pytest.approx(6.0, abs=0.01)
    assert event.interval.start_s >= 0 and event.interval.end_s <= 6.3  # noise may end it early
    assert event.interval.duration >= 3 and event.details["blinks"] >= 2 and event.details["eye"] == "both"
    assert event.details["difference"] < event.details["difference_of_separate_blinks"] / 2
    assert not event.unusual


def test_a_loop_of_three_is_one_event_longer_than_its_period():
    (event,) = loops(looped(times=3))
    assert event.details["lag_s"] == pytest.approx(6.0, abs=0.01) and event.interval.duration > 6


@pytest.mark.parametrize("seed", range(6))
def test_a_person_who_blinks_often_is_no_loop(seed):
    t_s = planted.pictures_s(25, 120.0)
    peaks = np.cumsum(np.random.default_rng(seed).uniform(0.8, 5, 40))
    track = planted.looked_again(eyes(t_s, peaks[peaks < 119], noise_px=0.1, seed=seed, slow=0.08), 0.1, n=60)
    assert loops(track) == []


@pytest.mark.parametrize("seed", range(3))
def test_blinks_that_are_all_alike_are_no_loop(seed):
    """Lids that rest between blinks of one shape, two or three seconds apart: two like two others tell of nothing."""
    t_s = planted.pictures_s(25, 60.0)
    peaks = np.cumsum(np.random.default_rng(seed).choice([2.0, 3.0], 30))
    assert loops(planted.looked_again(eyes(t_s, peaks[peaks < 59], seed=seed), 0.2, n=60)) == []


def test_landmarks_that_scatter_tell_of_no_loop():
    noisy = looped(noise_px=0.1)
    peaks = [p + k for k in (0, 6) for p in LOOP_PEAKS]
    assert len(repeats.repeated_blinks([noisy], peaks, 0.02, Settings())) == 1
    assert repeats.repeated_blinks([noisy], peaks, 0.05, Settings()) == []
    assert repeats.repeated_blinks([noisy], peaks[:1], 0.02, Settings()) == []


def test_pictures_left_out_do_not_shift_a_stretch_onto_another():
    """A lag is one of time: rows that repeat with other times between them are no repetition."""
    track = looped()
    t_s = track.t_s.copy()
    t_s[t_s >= 6.0] += 0.4 * (t_s[t_s >= 6.0] - 6.0)
    peaks = np.concatenate([LOOP_PEAKS, 6 + 1.4 * np.array(LOOP_PEAKS)])
    slow = planted.looked_again(planted.track(t_s, track.landmarks), 0.1)
    assert repeats.repeated_blinks([slow], peaks, 0.02, Settings()) == []


def test_new_names_have_words_and_digits():
    for name in ("blink_rate_steady", "inter_blink_interval", "blink_regularity"):
        assert name in phrases.QUANTITIES
    assert "repeated_blinks" in phrases.EVENTS

"""Planted blinks are counted, all of them and nothing else; what a clip's length can tell is told exactly."""

from dataclasses import replace

import numpy as np
import planted
import pytest

from forensics.analysis import blink
from forensics.analysis.blink import Settings
from forensics.errors import ParameterError
from forensics.report import weighed
from forensics.timeline import Interval, Series

SECONDS = 20.0
CLOCKS = {
    "25": planted.pictures_s(25, SECONDS),
    "30": planted.pictures_s(30, SECONDS),
    "60": planted.pictures_s(60, SECONDS),
    "uneven": planted.uneven_s(28, SECONDS),
}
#: Uneven times, one pair close together; none at the edge of the clip.
PEAKS_S = np.array([0.913, 3.377, 4.021, 7.5, 9.864, 13.13, 16.672, 19.207])


def test_the_card_that_reports_print_is_of_this_version():
    """Else a court would read figures of another method: tests/real/blinks.py makes it."""
    assert f"method {blink.METHOD.name}, version {blink.METHOD.version}." in weighed.card("blink")


def eyes(t_s, peaks_s=PEAKS_S, left_peaks_s=None, height_px=200.0, noise_px=0.0, seed=0, **shape):
    """A face whose lids close at these times; noise as the landmark model's own."""
    right, left = (planted.lid(t_s, p, **shape) for p in (peaks_s, peaks_s if left_peaks_s is None else left_peaks_s))
    return planted.track(t_s, planted.face(height_px, right_lid=right, left_lid=left), noise_px=noise_px, seed=seed)


def assessed(*tracks, settings=None, interval=None):
    finding, *_ = blink.assess(planted.scene(list(tracks), interval=interval), settings or Settings())
    return finding


def peaks(finding, eye="right"):
    return np.array([e.details["peak_s"] for e in finding.events if e.details["eye"] == eye])


# -- the truth is found --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("seed", range(4))
def test_planted_blinks_are_counted_exactly(clock, seed):
    """At any place between two pictures, with the landmark model's noise."""
    at_s = PEAKS_S + np.random.default_rng(seed).uniform(-0.05, 0.05, len(PEAKS_S))
    finding = assessed(eyes(CLOCKS[clock], at_s, noise_px=0.2, seed=seed))
    assert finding.measurement("blink_rate").n == len(PEAKS_S)
    for eye in ("right", "left"):  # at 60 pictures a second noise chooses among the deepest two or three
        np.testing.assert_allclose(peaks(finding, eye), at_s, atol=0.045)


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("seed", range(4))
def test_the_deepest_point_lies_within_half_a_picture_of_the_truth(clock, seed):
    """Plus 10 ms: the grid, and lids that open more slowly than they close."""
    t_s = CLOCKS[clock]
    at_s = PEAKS_S + np.random.default_rng(seed).uniform(-0.05, 0.05, len(PEAKS_S))
    step_s = np.diff(t_s)[np.searchsorted(t_s, at_s) - 1]
    found = peaks(assessed(eyes(t_s, at_s)))
    assert np.all(np.abs(found - at_s) <= step_s / 2 + 0.01)


def test_both_eyes_have_one_event_a_blink_with_the_picture_it_is_seen_in():
    track = eyes(CLOCKS["60"])
    events = assessed(track).events
    assert len(events) == 2 * len(PEAKS_S)
    for event in events:
        row = int(np.flatnonzero(track.frame == event.details["frame"])[0])
        assert track.t_s[row] == pytest.approx(event.details["peak_s"], abs=0.5 / 60 + 0.001)
        assert track.pts[row] == event.details["pts"] and event.details["track"] == "A1"
        assert event.interval.start_s < event.details["peak_s"] < event.interval.end_s
        assert event.details["depth"] > 0.9 and event.details["complete"] is True


def test_duration_is_the_time_from_a_fifth_down_to_a_fifth_from_open():
    """sin² of a quarter turn passes one fifth at 0.295 of the turn."""
    found = assessed(eyes(CLOCKS["60"])).measurement("blink_duration")
    share = 1 - 2 / np.pi * np.arcsin(np.sqrt(Settings().lid_moves))
    assert found.value == pytest.approx(1000 * share * (planted.CLOSING_S + planted.OPENING_S), abs=8)
    assert found.low <= found.value <= found.high and found.n == len(PEAKS_S)


def test_rate_is_per_visible_minute():
    finding = assessed(eyes(CLOCKS["25"]))
    assert finding.measurement("blink_rate").value == pytest.approx(len(PEAKS_S) / SECONDS * 60, rel=0.01)
    assert finding.coverage == pytest.approx(1.0, abs=0.01)


def test_moving_the_clip_in_time_moves_the_blinks_with_it():
    track = eyes(CLOCKS["25"], noise_px=0.2)
    later = planted.track(track.t_s + 100, track.landmarks)
    before, after = assessed(track), assessed(later)
    np.testing.assert_allclose(peaks(after) - 100, peaks(before), atol=0.011)
    assert after.measurement("blink_rate").value == pytest.approx(before.measurement("blink_rate").value, rel=1e-3)


@pytest.mark.parametrize("opening", [0.6, 1.6])
def test_narrow_and_wide_eyes_blink_alike(opening):
    """The aspect ratio of the open eye is the person's own; dips count relative to it."""
    t_s = CLOCKS["30"]
    lid = opening * planted.lid(t_s, PEAKS_S)
    track = planted.track(t_s, planted.face(right_lid=lid, left_lid=lid), noise_px=0.15)
    assert assessed(track).measurement("blink_rate").n == len(PEAKS_S)
    assert np.median(blink.openness(track, "left", Settings()).values) == pytest.approx(1, abs=0.1)


def test_slow_changes_of_gaze_change_no_count():
    t_s = CLOCKS["30"]
    lid = planted.lid(t_s, PEAKS_S) * (1 + 0.2 * np.sin(2 * np.pi * t_s / 9))
    track = planted.track(t_s, planted.face(right_lid=lid, left_lid=lid), noise_px=0.2)
    assert assessed(track).measurement("blink_rate").n == len(PEAKS_S)


# -- what is not a blink -------------------------------------------------------------------------------------------


def test_a_long_glance_down_is_not_counted():
    t_s = CLOCKS["30"]
    lid = np.where((t_s > 6) & (t_s < 7), 0.35, 1.0)
    track = planted.track(t_s, planted.face(right_lid=lid, left_lid=lid), noise_px=0.2)
    assert assessed(track).measurement("blink_rate").n == 0


def test_a_wink_of_one_eye_is_told_and_not_counted():
    for right, left in ((PEAKS_S, ()), ((), PEAKS_S)):
        finding = assessed(eyes(CLOCKS["30"], right, left, noise_px=0.2))
        assert finding.measurement("blink_rate").n == 0
        assert {(e.kind, e.details["eye"]) for e in finding.events} == {("wink", "right" if len(right) else "left")}
        assert len(finding.events) == len(PEAKS_S)


def test_eyes_that_close_one_after_the_other_do_not_blink_together():
    assert assessed(eyes(CLOCKS["60"], PEAKS_S, PEAKS_S + 0.2)).measurement("blink_rate").n == 0


def test_a_shallow_dip_is_not_counted():
    assert assessed(eyes(CLOCKS["30"], shut=0.75)).measurement("blink_rate").n == 0


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_gives_no_blink(seed):
    """Noise of 0.4 px at an eye 28 px wide: as much as the model's on poor pictures."""
    finding = assessed(eyes(CLOCKS["25"], (), noise_px=0.4, seed=seed))
    assert finding.measurement("blink_rate").n == 0


def test_a_dip_while_the_head_is_turned_away_is_not_seen():
    t_s = CLOCKS["25"]
    pose = np.stack([planted.transform(50.0 if 6 < t < 8.5 else 0.0) for t in t_s])
    track = planted.track(t_s, eyes(t_s).landmarks, pose=pose)
    finding = assessed(track)
    assert finding.measurement("blink_rate").n == len(PEAKS_S) - 1  # the one at 7.5 s
    assert finding.coverage == pytest.approx(1 - 2.5 / SECONDS, abs=0.01)


@pytest.mark.parametrize(("shut", "form"), [(0.0, "blink"), (0.5, "half blink")])
def test_the_form_of_a_blink_is_told(shut, form):
    events = assessed(eyes(CLOCKS["30"], shut=shut)).events
    assert len(events) == 2 * len(PEAKS_S) and {e.details["form"] for e in events} == {form}


def test_eyes_shut_for_long_are_one_closure():
    """As in tiredness; a glance down leaves a slit."""
    t_s = CLOCKS["30"]
    lid = np.where((t_s > 6) & (t_s < 6.8), 0.02, 1.0)
    track = planted.track(t_s, planted.face(right_lid=lid, left_lid=lid), noise_px=0.1)
    events = assessed(track).events
    assert [e.details["form"] for e in events] == ["long closure"] * 2
    assert events[0].interval.duration == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("shut_s", [0.8, 1.1, 1.5, 2.5, 3.5])
@pytest.mark.parametrize("seed", range(2))
def test_a_tired_person_s_closures_are_counted_each_once(shut_s, seed):
    """Whose eyes are shut for seconds does not lack blinks."""
    t_s = planted.pictures_s(25, 60.0)
    lid = np.where((t_s % 6 > 2) & (t_s % 6 < 2 + shut_s), 0.05, 1.0)
    track = planted.track(t_s, planted.face(right_lid=lid, left_lid=lid), noise_px=0.2, seed=seed)
    finding = assessed(track, settings=Settings(task="conversation"))
    assert finding.measurement("blink_rate").n == 10 and not finding.unusual
    assert {e.details["form"] for e in finding.events} == {"long closure"}


def test_time_seen_in_snatches_is_no_time_without_blinks():
    """8 pictures, then 12 missing, as in a stalling call: no blink can be found, so none is missing."""
    t_s = np.arange(0, 18000)[np.arange(18000) % 20 < 8] / 60
    finding = assessed(eyes(t_s, np.arange(2.0, 300, 4.6), noise_px=0.2), settings=Settings(task="conversation"))
    assert finding.reasons == ("too_few_visible_seconds",) and finding.coverage == 0


def test_closing_opening_and_the_eyes_lag_are_told():
    """The left eye 40 ms behind the right."""
    events = assessed(eyes(CLOCKS["60"], PEAKS_S, PEAKS_S + 0.04)).events
    share = 1 - 2 / np.pi * np.arcsin(np.sqrt(Settings().lid_moves))
    assert len(events) == 2 * len(PEAKS_S)
    for name, true in (
        ("closing_s", share * planted.CLOSING_S),
        ("opening_s", share * planted.OPENING_S),
        ("lag_s", 0.04),
    ):
        assert np.median([e.details[name] for e in events]) == pytest.approx(true, abs=0.012), name


# -- what the length of the clip can tell --------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)])
def test_interval_of_a_count_is_garwood_s(n, low, high):
    """Published values of the exact 95 % Poisson interval, here per minute of one visible minute; no blink missed."""
    found = blink.measure_steady_rate(n, 60.0, Settings(least_recall=1.0))
    assert (found.value, found.low, found.high) == (n, pytest.approx(low, abs=0.006), pytest.approx(high, abs=0.006))
    assert blink.measure_steady_rate(n, 60.0, Settings(least_recall=0.5)).high == pytest.approx(2 * high, abs=0.01)
    assert (found.level, found.n, found.unit) == (0.95, n, "1/min")


@pytest.mark.parametrize(
    ("task", "seconds", "unusual"),
    [
        ("unknown", 10, False),
        ("unknown", 60, False),
        ("unknown", 300, False),
        ("unknown", 420, True),
        ("conversation", 10, False),
        ("conversation", 40, False),
        ("conversation", 60, True),
        ("reading", 60, False),
    ],
)
def test_no_blinks_are_unusual_only_where_the_clip_is_long_enough(task, seconds, unusual):
    """At a steady rate 300 s and 40 s would do (3.689 / recall expected); clustered blinks can stay away for longer."""
    assert blink.measure_rate(0, seconds, Settings(task=task)).unusual is unusual


def test_a_task_without_a_published_range_is_refused():
    with pytest.raises(ParameterError, match=r"a task is one of reading, rest, conversation, unknown, found 'chess'"):
        blink.measure_rate(0, 60.0, Settings(task="chess"))


def test_a_high_rate_is_not_unusual():
    assert blink.measure_rate(300, 60.0, Settings()).unusual is False


def test_absence_over_seven_minutes_is_told_end_to_end():
    long = eyes(planted.pictures_s(15, 420.0), (), noise_px=0.2)
    assert assessed(long).unusual
    assert not assessed(eyes(planted.pictures_s(15, 10.0), (), noise_px=0.2)).unusual


def test_few_blinks_have_a_median_duration_without_an_interval():
    found = assessed(eyes(CLOCKS["60"], PEAKS_S[:5])).measurement("blink_duration")
    assert found.n == 5 and found.low is found.high is found.level is None
    assert blink.measure_shape([]) == ()


def test_two_appearances_of_one_person_are_counted_together():
    t_s = CLOCKS["25"]
    first = eyes(t_s)
    second = replace(planted.track(t_s + 60, first.landmarks), name="A2")
    finding = assessed(first, second, interval=Interval(0, 100))
    assert finding.measurement("blink_rate").n == 2 * len(PEAKS_S)
    assert finding.measurement("blink_rate").value == pytest.approx(24.0, rel=0.01)  # of 40 visible seconds, not 100
    assert finding.subjects == ("A1", "A2") and finding.coverage == pytest.approx(0.4, abs=0.01)


# -- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "fps", "seconds", "height_px", "yaw"),
    [
        ("eyes_too_small", 25, 20.0, 80.0, 0.0),
        ("head_turned", 25, 20.0, 200.0, 40.0),
        ("frame_rate_too_low", 10, 20.0, 200.0, 0.0),
        ("too_few_visible_seconds", 25, 2.8, 200.0, 0.0),
    ],
)
def test_refused_with_one_reason(reason, fps, seconds, height_px, yaw):
    t_s = planted.pictures_s(fps, seconds)
    points = eyes(t_s, (1.0,), height_px=height_px, noise_px=0.2).landmarks
    finding = assessed(planted.track(t_s, points, pose=planted.transform(yaw)))
    assert finding.reasons == (reason,) and not finding.measurements and not finding.events


def test_the_same_faces_are_assessed_on_the_other_side_of_each_threshold():
    for fps, seconds, height_px, yaw in (
        (25, 20.0, 90.0, 0.0),
        (25, 20.0, 200.0, 30.0),
        (12.5, 20.0, 200.0, 0.0),
        (25, 3.3, 200.0, 0.0),
    ):
        t_s = planted.pictures_s(fps, seconds)
        points = eyes(t_s, (1.0,), height_px=height_px, noise_px=0.2).landmarks
        assert assessed(planted.track(t_s, points, pose=planted.transform(yaw))).state == "assessed"


def test_eyes_that_never_move_are_a_picture_of_eyes():
    """A photograph held before the camera, dark glasses: the landmarks hardly move against each other."""
    assert assessed(eyes(CLOCKS["25"], (), noise_px=0.02)).reasons == ("eyes_still",)


def test_a_frozen_picture_shows_no_eyes():
    """Of 20 s the picture stands still for 8: the rate is per minute of the other 12."""
    t_s = CLOCKS["25"]
    at_s = PEAKS_S[PEAKS_S > 9]
    scene = replace(planted.scene([eyes(t_s, at_s, noise_px=0.2)]), freezes=[Interval(0.0, 8.0)])
    finding, *_ = blink.assess(scene, Settings())
    assert finding.measurement("blink_rate").value == pytest.approx(60 * len(at_s) / 12, rel=0.01)
    assert finding.coverage == pytest.approx(0.6, abs=0.01)


def test_a_clip_without_a_face_is_refused_once():
    audio = planted.sound(np.zeros(24000))
    finding, *_ = blink.assess(planted.scene([], audio), Settings())
    assert finding.reasons == ("no_picture",) and finding.person is None


# -- signal --------------------------------------------------------------------------------------------------------


def test_the_aspect_ratio_is_lid_distance_over_corner_distance():
    points = planted.face(right_lid=0.5, left_lid=1.0)
    assert blink.eye_aspect_ratio(points, "right") == pytest.approx(0.5 * planted.OPEN_EYE, rel=1e-4)
    assert blink.eye_aspect_ratio(points, "left") == pytest.approx(planted.OPEN_EYE, rel=1e-4)


@pytest.mark.parametrize(("open_from", "open_to", "n"), [(0, 0, 0), (120, 200, 1), (100, 180, 1), (100, 200, 2)])
def test_blinks_do_not_reach_across_what_was_not_measured(open_from, open_to, n):
    """Shut before and after a gap of a second: a dip is whole where both its sides are seen."""
    values = np.ones(300)
    values[95:100] = values[200:205] = 0.1
    values[100:200] = np.nan
    values[open_from:open_to] = 1.0
    grid = np.arange(300) / 100
    eye = blink.Eye(Series("x", grid, values, "1"), Series("y", grid, 0.6 * (1 - values), "1"))
    assert len(blink.blinks({"right": eye, "left": eye}, Settings())) == n


# -- the landmarks' own error --------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise_px", [0.1, 0.5])
def test_the_landmarks_error_is_that_of_the_ratio(noise_px):
    """Four lid points at a 28 px wide eye: the ratio's error follows from theirs."""
    seen = planted.looked_again(eyes(CLOCKS["25"]), noise_px)
    found = blink.openness_error([seen], Settings())
    width = float(np.median(seen.quality["eye_width"].values))
    assert found.value == pytest.approx(noise_px / width / planted.OPEN_EYE, rel=0.25)
    finding = assessed(seen)
    assert finding.measurement("openness_error").value == found.value
    assert (
        all(e.details["depth_repeatability_2sd"] == round(2 * found.value, 2) for e in finding.events)
        and finding.events
    )


def test_eyes_whose_landmarks_scatter_are_refused():
    finding = assessed(planted.looked_again(eyes(CLOCKS["25"]), 2.0))
    assert finding.reasons == ("landmarks_uncertain",)


def test_an_error_that_was_not_sampled_is_left_out():
    finding = assessed(eyes(CLOCKS["25"]))
    assert {m.name for m in finding.measurements} == {
        "blink_rate",
        "blink_rate_steady",
        "blink_duration",
        "blink_closing",
        "blink_opening",
        "eye_lag",
        "inter_blink_interval",
    }
    assert all(e.details["depth_repeatability_2sd"] is None for e in finding.events)

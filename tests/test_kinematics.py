"""A mouth that moves as planted: sizes, speeds, rates and what goes together are found again, whatever the camera."""

from dataclasses import replace

import numpy as np
import planted
import pytest

from forensics import finding, report
from forensics.analysis import lipsync
from forensics.analysis.lipsync import Settings, kinematics, verdict
from forensics.analysis.lipsync.features import RIGID
from forensics.report import phrases
from forensics.timeline import Interval

SETTINGS = Settings()
SECONDS = 12.0
CLOCKS = {
    "20": planted.pictures_s(20, SECONDS),
    "25": planted.pictures_s(25, SECONDS),
    "60": planted.pictures_s(60, SECONDS),
    "uneven": planted.uneven_s(28, SECONDS),
}
#: Percent of the eyes' distance in the units of RIGID.
PERCENT = kinematics.EYES_APART / 100


def wave(t_s, hz):
    """0 to 1 and back, ``hz`` times a second, from 0 on."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * hz * np.asarray(t_s))


def mouth(t_s, opening=10.0, width=50.0, aside=0.0, px=100.0, chin=1.6, noise_px=0.0, turned=(0.0, 0.0, 0.0)):
    """A face with this gap and width of the mouth, its middle ``aside``, in % of the eyes' distance, (n,) or one."""
    gap, wide, off = (PERCENT * np.broadcast_to(v, len(t_s)) for v in (opening, width, aside))
    points = np.zeros((len(t_s), 478, 3))
    points[:, list(RIGID)] = list(RIGID.values())
    points[:, 152, 1] = chin
    for landmark, sign in ((13, -0.5), (14, 0.5)):
        points[:, landmark, 1] = 0.9 + sign * gap
    for landmark, sign in ((61, -0.5), (291, 0.5)):
        points[:, landmark, 0], points[:, landmark, 1] = off + sign * wide, 0.9
    return planted.track(t_s, px * points @ planted.rotation(*turned).T + (320, 320, 0), noise_px=noise_px)


def moved(track, within=None, settings=SETTINGS):
    whole = track.interval
    return kinematics.move([track], within or [whole], np.arange(whole.start_s, whole.end_s, 0.01), settings)


def measured(track, within=None):
    return {m.name: m for m in kinematics.measure(moved(track, within), SETTINGS)}


def answered(track, spoken=None, settings=SETTINGS, seconds=SECONDS):
    """The finding on kinematics of a clip in which this track is seen and ``spoken`` is said."""
    audio = planted.voice_of(planted.Talk(1, seconds), seconds)
    found = lipsync.assess(
        planted.scene([track], audio, [planted.whole(audio)] if spoken is None else spoken), settings
    )
    return next(f for f in found if f.question == "lipsync.kinematics")


@pytest.fixture(autouse=True)
def no_phonemes(monkeypatch):
    monkeypatch.setattr(verdict, "phonemes", lambda audio: [])


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("px", [60.0, 400.0])
@pytest.mark.parametrize("turned", [(0.0, 0.0, 0.0), (30.0, 0.0, 0.0), (-20.0, 15.0, 10.0)])
def test_sizes_are_the_same_at_any_distance_and_turn(px, turned):
    shape = kinematics.mouth_shape(mouth(np.arange(3.0), 8.0, 52.0, 2.0, px=px, turned=turned).landmarks)
    np.testing.assert_allclose(shape, [[8.0, 52.0, 24.0, 28.0]] * 3, atol=0.01)


def test_a_falling_chin_changes_no_size():
    """The face's height would grow with it."""
    up, down = (kinematics.mouth_shape(mouth(np.arange(2.0), chin=y).landmarks) for y in (1.5, 1.8))
    np.testing.assert_allclose(up, down)


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_planted_gesture_s_size_speed_and_rate_are_found(clock):
    """Of a cosine 95 % of the time lies within 0.997 of its range; the smoothing damps its speed by a known part."""
    t_s, hz, size = CLOCKS[clock], 2.37, 15.0  # in no step with rows or pictures
    found = measured(mouth(t_s, 2 + size * wave(t_s, hz), 50 + 6 * wave(t_s, hz)))
    damped = np.exp(-0.5 * (2 * np.pi * hz * SETTINGS.smoothing_s) ** 2)
    assert found["opening_range"].value == pytest.approx(size, rel=0.06)
    assert found["lip_opening"].value == pytest.approx(2 + size / 2, rel=0.06)
    assert found["opening_speed"].value == pytest.approx(damped * size * np.pi * hz, rel=0.08)
    assert found["spread_range"].value == pytest.approx(6, rel=0.06)
    assert found["spread_speed"].value == pytest.approx(damped * 6 * np.pi * hz, rel=0.08)
    assert found["gesture_rate"].value == pytest.approx(hz, abs=0.1)
    assert found["spread_frequency"].value == pytest.approx(hz, abs=0.15)


@pytest.mark.parametrize("hz", [1.5, 3.0, 4.5])
def test_the_rate_of_gestures_is_counted(hz):
    t_s = planted.pictures_s(30, SECONDS)
    assert measured(mouth(t_s, 12 * wave(t_s, hz)))["gesture_rate"].value == pytest.approx(hz, abs=0.1)


def test_what_is_smaller_than_a_gesture_is_not_counted():
    t_s = CLOCKS["25"]
    found = measured(mouth(t_s, 15 * wave(t_s, 0.7) + 1.5 * wave(t_s, 3.7)))
    assert found["gesture_rate"].value == pytest.approx(0.7, abs=0.1)


def test_the_landmarks_scatter_makes_no_gestures_of_a_moving_mouth():
    t_s = CLOCKS["25"]
    clean, scattered = (measured(mouth(t_s, 15 * wave(t_s, 2.0), noise_px=px)) for px in (0.0, 0.6))
    assert scattered["gesture_rate"].value == pytest.approx(clean["gesture_rate"].value, abs=0.2)
    assert scattered["opening_range"].value == pytest.approx(clean["opening_range"].value, rel=0.1)


# -- what goes together ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "expected"), [(1, 1.0), (-1, -1.0)])
def test_opening_goes_with_spreading_or_rounding(sign, expected):
    t_s = CLOCKS["25"]
    found = measured(mouth(t_s, 10 * wave(t_s, 2.0), 50 + sign * 5 * wave(t_s, 2.0)))
    assert found["opening_with_spread"].value == pytest.approx(expected, abs=0.01)


def test_corners_agree_in_spreading_and_oppose_where_the_mouth_shifts():
    t_s = CLOCKS["25"]
    spreads, shifts = mouth(t_s, width=50 + 5 * wave(t_s, 2.0)), mouth(t_s, width=50.0, aside=3 * wave(t_s, 2.0))
    assert measured(spreads)["corner_agreement"].value == pytest.approx(1, abs=0.001)
    assert measured(shifts)["corner_agreement"].value == pytest.approx(-1, abs=0.001)


def test_a_measure_without_a_value_is_left_out():
    found = measured(mouth(CLOCKS["25"], 10 * wave(CLOCKS["25"], 2.0), 50.0))
    assert "opening_range" in found and "opening_with_spread" not in found


# -- time --------------------------------------------------------------------------------------------------------------


def test_only_the_time_named_counts():
    t_s = CLOCKS["25"]
    found = measured(mouth(t_s, np.where(t_s < 6, 5 * wave(t_s, 2.0), 20 * wave(t_s, 2.0))), [Interval(0, 5.9)])
    assert found["opening_range"].value == pytest.approx(5, rel=0.05) and found["opening_range"].n == 6


def test_a_later_clock_changes_nothing():
    t_s = CLOCKS["25"]
    track = mouth(t_s, 10 * wave(t_s, 2.2), 50 + 3 * wave(t_s, 1.3), noise_px=0.2)
    later = replace(planted.track(t_s + 77.7, track.landmarks))
    for a, b in zip(measured(track).values(), measured(later).values(), strict=True):
        assert b.value == pytest.approx(a.value, rel=0.03)


def test_repeated_pictures_are_no_look_at_the_mouth():
    """25 pictures a second shown twice each are 25, not 50; a picture held for a second is not a resting mouth."""
    t_s = planted.pictures_s(50, SECONDS)
    shown = np.arange(len(t_s)) // 2
    twice = mouth(t_s, 12 * wave(t_s[2 * shown], 2.03))
    assert kinematics.rate_of([twice]) == pytest.approx(25, abs=0.1)
    held = np.where((t_s > 5) & (t_s < 6), 250, np.arange(len(t_s)))
    movement = moved(mouth(t_s, 12 * wave(t_s[held], 2.03)))
    assert kinematics.measured_s(movement) == pytest.approx(SECONDS - 1, abs=0.1)


def test_lost_pictures_leave_the_rest():
    t_s = CLOCKS["25"]
    t_s = t_s[(t_s < 4) | (t_s > 6)]
    found = measured(mouth(t_s, 12 * wave(t_s, 2.0)))
    assert found["gesture_rate"].value == pytest.approx(2.0, abs=0.15)
    assert found["opening_range"].value == pytest.approx(12, rel=0.05)


# -- intervals ---------------------------------------------------------------------------------------------------------


def test_intervals_hold_what_longer_speech_measures():
    """Of 24 stretches of 10 s at least 20 for each measure; the truth is that of 240 s."""
    seconds = 240.0
    talk, t_s = planted.Talk(5, seconds), planted.pictures_s(25, seconds)
    other = planted.Talk(6, seconds).opening(t_s)
    track = mouth(t_s, 2 + 14 * talk.opening(t_s), 50 + 5 * other, noise_px=0.2)
    movement = moved(track)
    truth = {m.name: m.value for m in kinematics.measure(movement, replace(SETTINGS, resamples=2))}
    held = dict.fromkeys(truth, 0)
    for k in range(24):
        for m in kinematics.measure(moved(track, [Interval(10.0 * k, 10.0 * k + 10)]), SETTINGS):
            held[m.name] += m.low <= truth[m.name] <= m.high
    assert all(count >= 20 for count in held.values()), held


def test_intervals_stay_within_what_is_possible():
    t_s = CLOCKS["25"]
    for m in measured(mouth(t_s, 10 * wave(t_s, 2.0), 50 + 5 * wave(t_s, 2.0), noise_px=0.1)).values():
        assert m.low <= m.value <= m.high and m.low >= (-1 if m.unit == "1" else 0)
        assert m.unit != "1" or m.high <= 1


# -- the finding -------------------------------------------------------------------------------------------------------


def talking(t_s, **changes):
    opening = planted.Talk(1, SECONDS).opening(t_s)
    return mouth(t_s, 2 + 14 * opening, 50 + 4 * wave(t_s, 1.7), noise_px=0.2, **changes)


def test_the_answer_holds_every_measure_as_a_fact():
    found = answered(talking(CLOCKS["25"]))
    assert found.state == "assessed" and not found.unusual and found.score is None
    assert [m.name for m in found.measurements] == list(kinematics.UNITS)
    for m in found.measurements:
        assert "authentic development clips: " in m.reference and "persons" in m.reference
        assert m.name in phrases.QUANTITIES and m.unit in finding.DIGITS
    units = report.schema()["$defs"]["measurement"]["properties"]["unit"]["enum"]
    assert {m.unit for m in found.measurements} <= set(units)


@pytest.mark.parametrize(
    ("track", "spoken", "reason"),
    [
        (talking(planted.pictures_s(15, SECONDS)), None, "frame_rate_too_low"),
        (talking(CLOCKS["25"]), [Interval(1.0, 5.0)], "too_little_speech"),
        (talking(CLOCKS["25"]), [Interval(1.0, 2.0)], "too_little_speech"),
        (talking(CLOCKS["25"]), [], "no_speech"),
        (talking(CLOCKS["25"], px=15.0), None, "face_too_small"),
        (mouth(CLOCKS["25"], 5.0, noise_px=0.05), None, "mouth_still"),
    ],
)
def test_what_cannot_be_measured_is_refused(track, spoken, reason):
    found = answered(track, spoken)
    assert found.state == "not_assessable" and reason in found.reasons and not found.measurements


def test_a_clip_without_sound_is_refused():
    found = lipsync.assess(planted.scene([talking(CLOCKS["25"])]), SETTINGS)
    (own,) = (f for f in found if f.question == "lipsync.kinematics")
    assert own.reasons == ("no_sound",)


def test_the_shipped_ranges_are_those_of_persons():
    known = kinematics.authentic()
    assert list(known) == list(kinematics.UNITS)
    for name, own in known.items():
        assert own["unit"] == kinematics.UNITS[name] and own["persons"] >= 50
        assert own["low_interval"][0] <= own["low"] < own["median"] < own["high"] <= own["high_interval"][1]

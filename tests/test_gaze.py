"""Eyes that look where they were told are seen to; heads that turn are not gaze; what cannot be told is refused."""

from dataclasses import replace

import numpy as np
import planted
import pytest
from chart_rules import faults

from forensics.analysis import blink
from forensics.analysis.blink import Settings
from forensics.analysis.blink import gaze as looked
from forensics.finding import REASONS
from forensics.report import phrases
from forensics.timeline import Interval

T_S = planted.pictures_s(25, 12.0)
N = len(T_S)
#: mm in the head: outer and inner corners, forehead and chin.
OUTER_MM, INNER_MM, FOREHEAD_MM, CHIN_MM = 45.0, 17.0, 70.0, -110.0
MOVES = 12 * np.sin(2 * np.pi * T_S / 2.7)  # deg, from side to side


def vectors(azimuth, elevation):
    """Unit vectors (n, 3): x to the picture's right, y up, z to the camera."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.stack([np.cos(e) * np.sin(a), np.sin(e) * np.ones_like(a), np.cos(e) * np.cos(a)], -1)


def head(right=(0.0, 0.0), left=None, pose=(0.0, 0.0, 0.0), scale=2.0, iris_mm=(11.7, 11.7), lids_mm=9.0, n=N):
    """Landmarks (n, 478, 3) px and poses (n, 4, 4) of a head whose eyes look, in the head, by these azimuths and
    elevations, at ``scale`` px a mm, seen from far away."""
    points, whole = np.zeros((n, 478, 3)), np.ones(n)
    points[:, planted.FOREHEAD, 1], points[:, planted.CHIN, 1] = FOREHEAD_MM, CHIN_MM
    for side, looks, diameter, marks in zip(
        (-1, 1), (right, right if left is None else left), iris_mm, looked.LANDMARKS, strict=True
    ):
        temporal, up, front = looked.CENTRE_MM
        middle = side * (OUTER_MM + INNER_MM) / 2
        points[:, marks[looked.OUTER], 0], points[:, marks[looked.INNER], 0] = side * OUTER_MM, side * INNER_MM
        for mark, y in ((looked.UPPER, lids_mm / 2), (looked.LOWER, -lids_mm / 2)):
            points[:, marks[mark], 0], points[:, marks[mark], 1] = middle, y
        look = vectors(looks[0] * whole, looks[1] * whole)
        centre = np.array([middle + side * temporal, up, front]) + looked.REACH_MM * look
        points[:, marks[looked.IRIS]] = centre
        turned = np.stack([planted.rotation(*angles) for angles in np.broadcast_to(np.transpose(pose), (n, 3))])
        across = turned[:, :, 0] * (1, 1, 0) / np.linalg.norm(turned[:, :2, 0], axis=1, keepdims=True)  # as seen
        upright = np.cross((0.0, 0.0, 1.0), across)
        for a, b, seen in ((looked.RIGHTMOST, looked.LEFTMOST, across), (looked.TOP, looked.BOTTOM, upright)):
            # The outermost points of a disc that faces along ``look``: the axis less its part along it, made a unit.
            axis = np.einsum("nji,nj->ni", turned, seen)
            rim = axis - (axis * look).sum(1, keepdims=True) * look
            rim *= diameter / 2 / np.linalg.norm(rim, axis=1, keepdims=True)
            points[:, marks[a]], points[:, marks[b]] = centre + rim, centre - rim
    points = np.einsum("nij,nvj->nvi", turned, points) * scale * (1, -1, -1) + (320, 320, 0)
    poses = np.stack([planted.transform(*angles) for angles in np.broadcast_to(np.transpose(pose), (n, 3))])
    return points, poses


def person(noise_px=0.0, seed=0, t_s=T_S, **how):
    points, poses = head(n=len(t_s), **how)
    return planted.track(t_s, points, pose=poses, noise_px=noise_px, seed=seed)


def answered(*tracks, settings=None, **changes):
    scene = replace(planted.scene(list(tracks)), **changes)
    (finding,) = looked.assess_all(scene, settings or Settings())
    return finding


def value(finding, name):
    return finding.measurement(name).value


# -- the truth is found ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pose", [(0, 0, 0), (15, 0, 0), (-15, 10, 0), (5, -12, 20)])
@pytest.mark.parametrize("looks", [(0, 0), (20, 0), (-25, 5), (8, -12)])
def test_each_eye_looks_where_it_was_told_in_the_head(looks, pose):
    found = looked.gaze(person(right=looks, pose=pose), Settings())
    np.testing.assert_allclose(found.head, np.broadcast_to(looks, found.head.shape), atol=0.3)


def test_a_turning_head_whose_eyes_stay_on_the_lens_looks_into_it():
    yaw = 15 * np.sin(2 * np.pi * T_S / 4)
    finding = answered(person(right=(-yaw, 0.0), pose=(yaw, 0 * yaw, 0 * yaw)))
    assert value(finding, "gaze_azimuth") == pytest.approx(0, abs=0.2)
    assert value(finding, "gaze_elevation") == pytest.approx(0, abs=0.2)
    camera = finding.evidence["gaze"][0].camera
    assert np.abs(camera).max() < 0.3 and value(finding, "gaze_spread") > 25  # the eyes turn against the head


def test_a_turning_head_whose_eyes_rest_in_it_has_no_gaze_of_its_own():
    yaw = 15 * np.sin(2 * np.pi * T_S / 4)
    finding = answered(person(pose=(yaw, 0 * yaw, 0 * yaw)))
    assert value(finding, "gaze_spread") < 0.3


@pytest.mark.parametrize("turned_in", [-8.0, 0.0, 10.0])
def test_vergence_is_the_difference_of_both_eyes(turned_in):
    finding = answered(person(right=(MOVES + turned_in / 2, 0.0), left=(MOVES - turned_in / 2, 0.0)))
    assert value(finding, "vergence") == pytest.approx(turned_in, abs=0.2)
    assert finding.measurement("vergence").low < turned_in < finding.measurement("vergence").high


@pytest.mark.parametrize("ratio", [0.9, 1.0, 1.1])
@pytest.mark.parametrize("looks", [0.0, 25.0])
def test_iris_sizes_and_roundness_are_seen_from_the_front(ratio, looks):
    """An iris turned by 25 degrees shows 0.91 of its width, which is put right."""
    size = 11.7 * np.sqrt([1 / ratio, ratio])
    finding = answered(person(right=(looks, 0.0), pose=(0, 0, 10), iris_mm=size))
    assert value(finding, "iris_ratio") == pytest.approx(ratio, abs=0.005)
    assert value(finding, "iris_roundness") == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("scale", [0.7, 1.0, 3.0])
def test_distance_from_the_camera_changes_nothing(scale):
    near, far = (answered(person(right=(MOVES, 0.0), scale=s)) for s in (2.0, scale))
    for name in ("gaze_azimuth", "gaze_spread", "vergence", "iris_ratio"):
        assert value(near, name) == pytest.approx(value(far, name), abs=0.05)


def test_eyes_that_move_together_agree_and_eyes_that_do_not_do_not():
    def agreement(left):
        track = planted.looked_again(person(0.1, right=(MOVES, 0.0), left=(left, 0.0)), 0.1)
        return answered(track).measurement("gaze_agreement")

    other = 12 * np.sin(2 * np.pi * T_S / 1.3 + 1)
    together, apart = agreement(MOVES), agreement(other)
    assert together.value > 0.97 and together.low > 0.95 and together.high <= 1
    assert abs(apart.value) < 0.25 and apart.low < apart.value < apart.high


def test_agreement_of_eyes_that_hardly_move_is_not_told():
    noisy = planted.looked_again(person(0.3, right=(3.0, 0.0)), 0.3)
    assert "gaze_agreement" not in {m.name for m in answered(noisy).measurements}
    assert "gaze_agreement" not in {m.name for m in answered(person(right=(MOVES, 0.0))).measurements}  # not sampled


def test_nothing_is_ever_unusual_and_every_name_has_words():
    finding = answered(planted.looked_again(person(0.1, right=(MOVES, 0.0), left=(-MOVES, 0.0)), 0.1))
    assert not finding.unusual and finding.method.version == "1" and finding.score is None
    for m in finding.measurements:
        assert phrases.measured(vars(m)) and m.reference.startswith("none") and m.name in phrases.QUANTITIES
    assert "irises_hidden" in REASONS and phrases.question(finding.question) != finding.question


# -- intervals -------------------------------------------------------------------------------------------------------


def test_repeating_every_picture_does_not_narrow_the_interval():
    track = person(0.2, right=(MOVES, 0.0))
    twice = np.repeat(T_S, 2) + np.tile([0, 1e-4], len(T_S))
    again = planted.track(twice, np.repeat(track.landmarks, 2, 0), pose=np.repeat(track.transform, 2, 0))
    a, b = (answered(t).measurement("gaze_spread") for t in (track, again))
    assert a.n == b.n and b.high - b.low > 0.6 * (a.high - a.low)


def test_two_stretches_of_time_give_no_interval():
    finding = answered(
        person(t_s=planted.pictures_s(25, 2.0), right=(5.0, 0.0)), settings=Settings(shortest_gaze_s=1.9)
    )
    assert finding.measurement("vergence").low is None and finding.measurement("vergence").n == 2


def test_medians_hold_the_systematic_part():
    m = answered(person(right=(MOVES, 0.0))).measurement("gaze_elevation")
    assert m.high - m.low >= 2 * Settings().systematic_gaze_deg


@pytest.mark.parametrize("noise_px", [0.1, 0.4])
def test_the_landmarks_error_is_that_of_the_angle(noise_px):
    """Iris against two corners: sqrt(1 + 1/2) of a landmark's error, over the reach."""
    finding = answered(planted.looked_again(person(right=(3.0, 0.0)), noise_px, n=60))
    expected = np.degrees(noise_px * np.sqrt(1.5) / 2.0 / looked.REACH_MM)
    assert value(finding, "gaze_error") == pytest.approx(expected, rel=0.2)


# -- what is not seen ------------------------------------------------------------------------------------------------


def test_an_appearance_that_was_not_sampled_again_takes_nothing_from_the_error():
    """A face that comes back for less than a cell of the pass may have no second look."""
    sampled = planted.looked_again(person(0.1, right=(MOVES, 0.0)), 0.1)
    later = replace(sampled, name="A2", t_s=sampled.t_s + 20, repeats=None)
    alone, both = (looked.measure_error(tracks, Settings()) for tracks in ([sampled], [sampled, later]))
    assert alone == both and looked.measure_error([later], Settings()) is None


def test_shut_eyes_are_not_measured():
    lids = np.where((T_S > 4) & (T_S < 7), 3.0, 9.0)[:, None]
    points, poses = head(right=(MOVES, 0.0))
    for marks in looked.LANDMARKS:
        points[:, marks[looked.UPPER], 1] = 320 - lids[:, 0]
        points[:, marks[looked.LOWER], 1] = 320 + lids[:, 0]
    track = planted.track(T_S, points, pose=poses)
    found = looked.gaze(track, Settings())
    assert not found.seen[(T_S > 4) & (T_S < 7)].any() and found.seen[(T_S < 4) | (T_S >= 7)].all()
    assert answered(track).coverage == pytest.approx(0.75, abs=0.02)


def test_a_frozen_picture_shows_no_gaze():
    finding = answered(person(right=(MOVES, 0.0)), freezes=[Interval(2.0, 8.0)])
    assert finding.coverage == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        ("eyes_too_small", {"scale": 0.3}),
        ("head_turned", {"pose": (24, 0, 0)}),
        ("irises_hidden", {"lids_mm": 5.0}),
        ("too_few_visible_seconds", {"t_s": planted.pictures_s(25, 1.5)}),
    ],
)
def test_refused_with_one_reason(reason, how):
    finding = answered(person(**how))
    assert finding.reasons == (reason,) and not finding.measurements and not blink.charts(finding)


def test_irises_that_scatter_are_refused():
    assert answered(planted.looked_again(person(), 3.0)).reasons == ("landmarks_uncertain",)


def test_a_face_without_irises_has_them_hidden():
    """All at one place, as a made-up file may have them: nothing is divided by nothing."""
    track = planted.track(T_S, planted.face(mouth=np.zeros(len(T_S))))
    assert answered(track).reasons == ("irises_hidden",)


def test_nobody_has_no_gaze():
    scene = planted.scene([], planted.sound(np.zeros(24000)))
    (finding,) = [f for f in blink.assess(scene, Settings()) if f.question == "blink.gaze"]
    assert finding.reasons == ("no_picture",) and finding.person is None


def test_gaze_is_answered_beside_the_rate():
    scene = planted.scene([planted.track(T_S, planted.face(mouth=np.zeros(len(T_S))), noise_px=0.2)])
    assert [f.question for f in blink.assess(scene, Settings())] == ["blink.rate", "blink.gaze"]


# -- chart -----------------------------------------------------------------------------------------------------------


def test_the_chart_shows_what_was_seen():
    finding = answered(planted.looked_again(person(right=(MOVES, 0.0)), 0.1))
    (chart,) = blink.charts(finding)
    assert chart.name == "blink-gaze" and len({len(column) for column in chart.table.values()}) == 1
    np.testing.assert_allclose(chart.table["left_azimuth"], MOVES, atol=0.3)
    assert len(chart.figure.axes) == 4
    assert faults(chart) == []

"""Faces close up: painted highlights and rims are read as painted; what they tell of eyes, skin and light is found."""

from dataclasses import replace

import numpy as np
import planted
import pytest

from forensics import closeup
from forensics.analysis import lighting
from forensics.analysis.lighting import Settings, surround

BETWEEN, SURROUND, HIGHLIGHTS = (f"lighting.{q}" for q in ("between_faces", "surround", "highlights"))
IRIS = 24.0


def findings(mesh, *tracks, settings=None):
    return lighting.assess(planted.scene(list(tracks), mesh=mesh), settings or Settings())


def answer(question, found, person="A"):
    (finding,) = (f for f in found if (f.question, f.person) == (question, person))
    return finding


def close(**planned):
    """The answers of a lit head of six seconds with planted close-ups."""
    mesh, track = planted.lit_track(20, 10, n=150)
    return findings(mesh, planted.looked_closely(track, **planned))


# -- highlights, as painted ------------------------------------------------------------------------------------------


def eyes(spots=((4.0, -3.0), (4.0, -3.0)), radius=1.8, lids=1.0, level=230):
    """A picture with two irises of 24 px in white eyes and a bright disc in each, and its landmarks."""
    y, x = np.mgrid[:200, :320]
    picture = np.full((200, 320), 120.0)
    landmarks = np.zeros((478, 3))
    for eye, (centre, spot) in enumerate(zip(((100.3, 100.6), (220.1, 99.8)), spots, strict=True)):
        around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        outline = np.stack([-30 * np.cos(around), -15 * lids * np.sin(around)], 1)
        landmarks[list(closeup.EYES[eye]), :2] = outline + centre
        inside = ((x - centre[0]) / 30) ** 2 + ((y - centre[1]) / 15 / max(lids, 0.01)) ** 2 <= 1
        picture[inside] = 200
        away = np.hypot(x - centre[0], y - centre[1])
        picture[inside & (away <= IRIS / 2)] = 40
        if spot is not None:
            picture[inside & (np.hypot(x - centre[0] - spot[0], y - centre[1] - spot[1]) <= radius)] = level
        middle, right, top, left, bottom = closeup.IRISES[eye]
        landmarks[middle, :2] = centre
        for place, way in ((right, (1, 0)), (top, (0, -1)), (left, (-1, 0)), (bottom, (0, 1))):
            landmarks[place, :2] = np.array(centre) + np.array(way) * IRIS / 2
    return np.repeat(picture[:, :, None], 3, 2).astype(np.uint8), landmarks


@pytest.mark.parametrize("spots", [((4, -3), (4, -3)), ((-5, 2), (3, 5)), ((0, 0), (-4, -4))])
def test_painted_highlights_are_found_at_their_place(spots):
    found, irises = closeup.glints(*eyes(spots))
    for eye, spot in enumerate(spots):
        assert found[eye, 0, :2] * IRIS == pytest.approx(spot, abs=0.5)
        assert 0.2 < found[eye, 0, 2] < 0.9 and 0.01 < found[eye, 0, 3] < 0.05
        assert np.isnan(found[eye, 1:]).all()
    assert irises[:, 0] == pytest.approx(IRIS) and (irises[:, 1] > 0.9).all()
    assert irises[:, 2] == pytest.approx(closeup.linear_light(np.array([40]))[0], abs=0.003)


@pytest.mark.parametrize(
    ("planned", "why"),
    [
        ({"spots": (None, (4, -3))}, "none is there"),
        ({"spots": ((11, 0), (4, -3))}, "it runs into the white of the eye"),
        ({"radius": 7.0}, "a whole window"),
        ({"lids": 0.1}, "the lids are shut"),
        ({"level": 42}, "too faint"),
    ],
)
def test_what_is_no_highlight_is_not_told(planned, why):
    assert np.isnan(closeup.glints(*eyes(**planned))[0][0]).all(), why


def test_eyes_at_the_picture_s_edge_are_left_out():
    picture, landmarks = eyes()
    found, irises = closeup.glints(np.ascontiguousarray(picture[:, 90:]), landmarks - [90, 0, 0])
    assert np.isnan(found[0]).all() and np.isnan(irises[0]).all() and np.isfinite(found[1, 0]).all()


# -- highlights, as told ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.12, 0.0), (-0.05, 0.2)])
def test_the_shift_between_the_eyes_is_measured(shift):
    finding = answer(HIGHLIGHTS, close(spots=((0.1, -0.1), (0.1 + shift[0], -0.1 + shift[1]))))
    for axis, truth in zip("xy", shift, strict=True):
        m = finding.measurement(f"highlight_shift_{axis}")
        assert m.value == pytest.approx(100 * truth, abs=1) and m.low <= 100 * truth <= m.high and m.n == 30
    assert finding.score == pytest.approx(100 * np.hypot(*shift), abs=1.5) and not finding.unusual
    assert finding.measurement("highlight_share").value == 100


def test_of_several_highlights_the_pair_that_agrees_is_compared():
    spots = np.full((1, 2, 4, 4), np.nan)
    spots[0, 0, :2] = (0.3, 0.1, 0.5, 0.01), (-0.1, -0.2, 0.4, 0.01)
    spots[0, 1, :2] = (-0.12, -0.2, 0.5, 0.01), (0.0, 0.4, 0.3, 0.01)
    left, right = lighting.best_pairs(spots, Settings())
    assert left[0] == pytest.approx((-0.1, -0.2)) and right[0] == pytest.approx((-0.12, -0.2))
    spots[0, 0, 1, 2] = 0.2  # under half the brightest of its eye: not clear
    assert lighting.best_pairs(spots, Settings())[0][0] == pytest.approx((0.3, 0.1))


def test_eyes_without_highlights_small_or_shut_are_refused():
    assert answer(HIGHLIGHTS, close(spots=(None, (0.1, 0.1)))).reasons == ("no_highlights",)
    mesh, track = planted.lit_track(20, 10, n=150)
    track = planted.looked_closely(track)
    small = replace(track.closeups, irises=track.closeups.irises * (0.4, 1, 1))
    shut = replace(track.closeups, irises=track.closeups.irises * (1, 0.3, 1))
    for irises, reason in ((small, "eyes_too_small"), (shut, "irises_hidden")):
        found = answer(HIGHLIGHTS, findings(mesh, replace(track, closeups=irises)))
        assert found.reasons == (reason,)
    assert answer(HIGHLIGHTS, findings(*planted.lit_track(20, 10, n=150))).reasons == ("irises_hidden",)


# -- the rim, as painted ---------------------------------------------------------------------------------------------


def test_light_and_detail_of_a_painted_rim_are_read():
    """Left grey, right white; noise of 6 levels above the middle only."""
    points = planted.face(height_px=200.0, centre=(300.0, 300.0))[0]
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    points[list(closeup.OVAL), :2] = 300 + np.stack([80 * np.sin(turn), -100 * np.cos(turn)], 1)
    picture = np.full((600, 600), 100.0)
    picture[:, 300:] = 180
    picture[:300] += np.random.default_rng(0).normal(0, 6, (300, 600))
    light, detail, each = closeup.rim(np.repeat(picture.round()[:, :, None], 3, 2).astype(np.uint8), points)
    right, left, top, bottom = 9, 27, 0, 18
    assert light[right] == pytest.approx(closeup.linear_light(np.array([180]))[0], rel=0.03)
    assert light[left] == pytest.approx(closeup.linear_light(np.array([100]))[0], rel=0.03)
    # Less a Gaussian of one pixel, white noise keeps 0.86 of its spread.
    assert detail[2, :, 0] == pytest.approx(0.86 * 6, rel=0.2) and detail[16, :, 0].max() < 0.5
    assert each.shape == (478, 2) and np.isfinite(light[top]).all() and np.isfinite(light[bottom]).all()


def test_what_lies_outside_the_picture_is_unknown():
    points = planted.face(height_px=200.0, centre=(100.0, 100.0))[0]
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    points[list(closeup.OVAL), :2] = 100 + np.stack([80 * np.sin(turn), -100 * np.cos(turn)], 1)
    light, detail, _ = closeup.rim(np.full((400, 400, 3), 90, np.uint8), points)
    assert np.isnan(light[0, -1]).all() and np.isfinite(light[18]).all() and np.isnan(detail[0, -1]).all()
    light, _, _ = closeup.rim(np.full((400, 400, 3), 90, np.uint8), points + [900, 0, 0])
    assert np.isnan(light).all()


# -- the rim, as told ------------------------------------------------------------------------------------------------


def test_what_lies_around_is_measured_against_the_inner_face():
    finding = answer(SURROUND, close(around=(0.35, 0.2, 0.14), inside=(0.5, 0.3, 0.2), detail=(3.0, 2.0)))
    brightness = lighting.LUMINANCE @ (0.35, 0.2, 0.14) / (lighting.LUMINANCE @ (0.5, 0.3, 0.2))
    truth = {
        "surround_light": brightness,
        "surround_side": 1.0,
        "surround_red": (0.35 / 0.2) / (0.5 / 0.3),
        "surround_blue": (0.14 / 0.2) / (0.2 / 0.3),
        "surround_detail": 3.2 / 2.2,
    }
    for name, value in truth.items():
        m = finding.measurement(name)
        assert m.value == pytest.approx(value, rel=0.02) and m.low <= m.value <= m.high, name
    assert finding.measurement("surround_flicker").value < 2 and not finding.unusual
    assert finding.score == pytest.approx(np.log(3.2 / 2.2), abs=0.02)


def test_one_sided_and_flickering_light_of_the_inner_face_is_measured():
    mesh, track = planted.lit_track(20, 10, n=150)
    track = planted.looked_closely(track)
    light = track.closeups.rim_light.copy()
    light[:, 1:18, :6] *= 1.3  # the inner face, on the picture's right
    light[::2, :, :6] *= 1.2
    found = answer(SURROUND, findings(mesh, replace(track, closeups=replace(track.closeups, rim_light=light))))
    assert found.measurement("surround_side").value == pytest.approx(1 / 1.3, rel=0.03)
    # A step of ln 1.2 each time, as the spread of one of two equal sides.
    assert found.measurement("surround_flicker").value == pytest.approx(148.26 * np.log(1.2) / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("step_s", [1.0, 5.0])
def test_close_ups_far_apart_have_ratios_and_no_flicker(step_s):
    """A slow camera: none has a neighbour in time."""
    random = np.random.default_rng(0)
    light, detail = 0.3 * random.normal(1, 0.01, (30, 36, 14, 3)), random.normal(2, 0.05, (30, 36, 14))
    rim = lighting.Rim(step_s * np.arange(30), light, detail)
    names = {m.name for m in lighting.measure_surround(lighting.contrast(rim, Settings()), Settings())}
    assert "surround_light" in names and "surround_flicker" not in names


def test_a_long_take_keeps_neighbours():
    rows = surround.in_runs(np.arange(3000), 600)
    assert len(rows) <= 600 and (np.diff(rows) == 1).mean() > 0.9 and rows[0] == 0 and rows[-1] == 2999
    np.testing.assert_array_equal(surround.in_runs(np.arange(50), 600), np.arange(50))


def test_hair_or_background_around_the_face_is_refused():
    assert answer(SURROUND, close(around=(0.02, 0.02, 0.02))).reasons == ("surround_hidden",)
    assert answer(SURROUND, close(around=(0.1, 0.3, 0.1))).reasons == ("surround_hidden",)
    assert answer(SURROUND, close(detail=(9.0, 2.0))).reasons == ("surround_hidden",)


def test_a_turned_head_and_a_short_look_are_refused():
    mesh, track = planted.lit_track(20, 10, n=150, yaw=35)
    assert answer(SURROUND, findings(mesh, planted.looked_closely(track))).reasons == ("head_turned",)
    mesh, track = planted.lit_track(20, 10, n=30)
    assert answer(SURROUND, findings(mesh, planted.looked_closely(track))).reasons == ("too_few_visible_seconds",)


def test_spokes_outside_the_picture_are_left_out():
    mesh, track = planted.lit_track(20, 10, n=150)
    track = planted.looked_closely(track)
    light, detail = track.closeups.rim_light.copy(), track.closeups.rim_detail.copy()
    for values in (light, detail):
        values[:, 30:, 6:] = np.nan
    cut = replace(track.closeups, rim_light=light, rim_detail=detail)
    found = answer(SURROUND, findings(mesh, replace(track, closeups=cut)))
    assert found.state == "assessed" and found.evidence["spokes"].max() < 30


# -- two faces -------------------------------------------------------------------------------------------------------


def side_by_side(one, other, later_s=0.0):
    mesh, first = planted.lit_track(*one, ambient=0.3, albedo_sd=0.1, n=50)
    _, second = planted.lit_track(*other, ambient=0.3, albedo_sd=0.1, n=50, seed=1)
    return findings(mesh, first, replace(second, name="B1", t_s=second.t_s + later_s))


@pytest.mark.parametrize(
    ("one", "other", "truth"), [((20, 10), (20, 10), 0), ((-25, 0), (25, 0), 50), ((0, 30), (0, -10), 40)]
)
def test_the_angle_between_the_lights_of_two_faces_is_found(one, other, truth):
    found = side_by_side(one, other)
    for person in "AB":
        finding = answer(BETWEEN, found, person)
        m = finding.measurement("light_between_faces")
        assert m.low <= truth <= m.high and abs(m.value - truth) < 8 and not finding.unusual
        assert (m.low > 0) == (truth > 0) and set(finding.subjects) == {"A1", "B1"}


def test_faces_that_are_never_seen_together_are_not_compared():
    assert answer(BETWEEN, side_by_side((20, 10), (20, 10), later_s=5.0)).reasons == ("no_other_face",)
    assert answer(BETWEEN, side_by_side((20, 10), (20, 10), later_s=1.7)).reasons == ("too_few_visible_seconds",)


def test_a_face_in_flat_light_is_not_compared():
    mesh, first = planted.lit_track(20, 10, n=50)
    _, flat = planted.lit_track(20, 10, ambient=0.95, n=50)
    found = findings(mesh, first, replace(flat, name="B1"))
    assert "light_too_flat" in answer(BETWEEN, found).reasons and answer("lighting.direction", found).reasons == ()

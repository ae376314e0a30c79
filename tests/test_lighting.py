"""A head lit from a known side: the side is found, left is left and up is up, and unfit light is refused."""

from dataclasses import replace

import numpy as np
import planted
import pytest

from forensics import closeup, landmarks, pixels
from forensics.analysis import lighting
from forensics.analysis.lighting import Settings
from forensics.timeline import Repeats

SIDES = [(0, 0), (30, 0), (-30, 20), (45, 30), (10, -35), (-50, -10)]


def findings(mesh, *tracks, transfer=1, settings=None):
    return lighting.assess(planted.scene(list(tracks), mesh=mesh, transfer=transfer), settings or Settings())


def answer(question, found):
    (finding,) = (f for f in found if f.question == question)
    return finding


def assessed(mesh, *tracks, transfer=1, settings=None):
    return answer("lighting.direction", findings(mesh, *tracks, transfer=transfer, settings=settings))


def turning(mesh, *tracks, settings=None):
    return answer("lighting.head_fixed", findings(mesh, *tracks, settings=settings))


def direction(finding):
    return finding.measurement("light_azimuth").value, finding.measurement("light_elevation").value


def lit(*args, settings=None, **kwargs):
    mesh, track = planted.lit_track(*args, **kwargs)
    return assessed(mesh, track, settings=settings)


def apart_deg(a, b):
    """Angle between two directions (azimuth, elevation)."""

    def unit(azimuth, elevation):
        x, y = np.radians((azimuth, elevation))
        return np.array([np.cos(y) * np.sin(x), np.sin(y), np.cos(y) * np.cos(x)])

    return np.degrees(np.arccos(np.clip(unit(*a) @ unit(*b), -1, 1)))


# -- the truth is found --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("ambient", [0.0, 0.3, 0.6])
def test_the_side_of_the_light_is_found(side, ambient):
    """Without even light the far side is black, as in a shadow, which the model does not know."""
    assert apart_deg(direction(lit(*side, ambient=ambient)), side) < (7 if ambient == 0 else 1)


@pytest.mark.parametrize("side", SIDES)
def test_uneven_skin_moves_the_direction_by_little(side):
    """Spots of 15 % darker and lighter skin."""
    finding = lit(*side, ambient=0.3, albedo_sd=0.15)
    assert apart_deg(direction(finding), side) < 5
    for name, truth in zip(("light_azimuth", "light_elevation"), side, strict=True):
        assert finding.measurement(name).low <= truth <= finding.measurement(name).high


@pytest.mark.parametrize("side", [s for s in SIDES if apart_deg(s, (0, 0)) <= 45])
def test_matt_skin_that_is_dark_on_the_far_side_is_read_within_5_degrees(side):
    """The first-order model has no shadow; up to 45 degrees from the camera it errs by little."""
    assert apart_deg(direction(lit(*side, ambient=0.2, shape="lambert")), side) < 5


def test_light_from_the_picture_s_right_is_positive_and_from_above_is_positive():
    """The sign by the picture alone: the side on which the skin is brighter."""
    mesh, track = planted.lit_track(30, 25)
    x, y, bright = track.landmarks[0][:, 0], track.landmarks[0][:, 1], track.vertex_rgb[0][:, 1]
    assert bright[x > 340].mean() > bright[x < 300].mean() and bright[y < 300].mean() > bright[y > 340].mean()
    azimuth, elevation = direction(assessed(mesh, track))
    assert azimuth > 0 and elevation > 0


@pytest.mark.parametrize(("ambient", "share"), [(0.0, 1.0), (0.3, 0.7), (0.6, 0.4)])
def test_directionality_is_the_share_of_the_light_that_has_a_direction(ambient, share):
    found = lit(20, 10, ambient=ambient).measurement("light_directionality")
    assert found.value == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("level", [0.05, 0.4, 0.9])
def test_exposure_changes_nothing(level):
    assert apart_deg(direction(lit(30, 20, level=level)), (30, 20)) < 2


@pytest.mark.parametrize(("yaw", "pitch"), [(25, 0), (-25, 0), (0, 15), (-15, -10)])
def test_a_turned_head_in_the_same_light_gives_the_same_direction(yaw, pitch):
    """The direction belongs to the camera's frame, not to the face's."""
    for side in ((25, 15), (-20, 10)):
        assert apart_deg(direction(lit(*side, ambient=0.3, yaw=yaw, pitch=pitch)), side) < 5


def test_the_mirror_image_changes_the_azimuth_s_sign_only():
    mesh, track = planted.lit_track(35, 20, albedo_sd=0.1)
    mirrored = planted.track(track.t_s, track.landmarks * (-1, 1, 1) + (640, 0, 0), rgb=track.vertex_rgb)
    azimuth, elevation = direction(assessed(mesh, track))
    assert direction(assessed(mesh, mirrored)) == (pytest.approx(-azimuth, abs=0.2), pytest.approx(elevation, abs=0.2))


def test_size_and_place_in_the_picture_change_nothing():
    mesh, track = planted.lit_track(35, 20)
    moved = planted.track(track.t_s, track.landmarks * 2.5 + (100, -50, 7), rgb=track.vertex_rgb)
    assert direction(assessed(mesh, moved)) == pytest.approx(direction(assessed(mesh, track)), abs=0.2)


def test_skin_outside_the_picture_is_left_out():
    mesh, track = planted.lit_track(20, 10)
    rgb = np.where(track.landmarks[:, :, :1] > 350, np.nan, track.vertex_rgb)  # cut off by the frame's edge
    assert apart_deg(direction(assessed(mesh, replace(track, vertex_rgb=rgb))), (20, 10)) < 2


def test_highlights_and_moles_count_less():
    """One landmark in 50 white, one in 50 black: each would pull a plain least-squares fit."""
    mesh, track = planted.lit_track(20, 10, ambient=0.3)
    rgb = track.vertex_rgb.copy()
    spots = np.random.default_rng(0).permutation(478)
    rgb[:, spots[:10]], rgb[:, spots[10:20]] = 1.0, 0.0
    spotted, settings = assessed(mesh, replace(track, vertex_rgb=rgb)), Settings(huber=1e6)
    robust = apart_deg(direction(spotted), (20, 10))
    assert (
        robust < 1 < apart_deg(direction(assessed(mesh, replace(track, vertex_rgb=rgb), settings=settings)), (20, 10))
    )


def test_light_that_wanders_shows_in_each_picture():
    mesh, first = planted.lit_track(-30, 0)
    _, second = planted.lit_track(30, 0)
    both = planted.track(
        planted.pictures_s(25, 1.6),
        np.concatenate([first.landmarks, second.landmarks]),
        rgb=np.concatenate([first.vertex_rgb, second.vertex_rgb]),
    )
    finding = assessed(mesh, both)
    assert len(finding.evidence["t_s"]) == 8  # five a second
    np.testing.assert_allclose(finding.evidence["azimuth"], [-30] * 4 + [30] * 4, atol=2)


# -- normals -------------------------------------------------------------------------------------------------------


def test_normals_of_the_mesh_are_those_of_the_head():
    mesh, on_sphere = planted.head_mesh()
    truth = on_sphere / planted.HEAD
    truth /= np.linalg.norm(truth, axis=1, keepdims=True)
    image = on_sphere * planted.HEAD * (1, -1, -1)
    inner = (on_sphere[:, :2] ** 2).sum(1) < 0.8
    for triangles in (mesh["triangles"], mesh["triangles"][:, ::-1]):  # whatever their winding
        found = lighting.normals(image, triangles)
        angle = np.degrees(np.arccos(np.clip((found * truth).sum(1), -1, 1)))
        assert np.median(angle[inner]) < 1.5 and angle[inner].max() < 10


@pytest.mark.slow
def test_the_real_mesh_on_a_real_face_points_at_the_viewer():
    """And a portrait relit from each side, by its own normals, is read back."""
    skimage = pytest.importorskip("skimage.data")
    portrait = skimage.astronaut()[:300, 80:380]
    with landmarks.FaceModel() as model:
        (seen,) = model.detect(portrait)
    triangles, skin = landmarks.mesh()
    assert len(triangles) == 852 and triangles.max() == 467 and 200 < skin.sum() < 400
    assert not skin[[13, 14, 33, 263, 159, 105, 468]].any() and skin[[151, 50, 280, 199]].all()
    facing = lighting.normals(seen.landmarks.astype(float), triangles)
    forehead, right_cheek, left_cheek, chin = facing[151], facing[50], facing[280], facing[199]
    assert forehead[2] > 0.7 and chin[2] > 0.5
    assert right_cheek[0] < -0.1 and left_cheek[0] > 0.1  # the person's left cheek lies on the picture's right
    points = np.broadcast_to(seen.landmarks, (20, 478, 3))
    mesh = {"triangles": triangles, "skin": skin}
    for side in ((30.0, 10.0), (-30.0, -10.0)):
        a, e = np.radians(side)
        light = 0.3 + 0.7 * facing @ (np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a))
        rgb = np.broadcast_to(0.4 * light[:, None], (20, 478, 3))
        assert (
            apart_deg(direction(assessed(mesh, planted.track(planted.pictures_s(25, 0.8), points, rgb=rgb))), side) < 1
        )
    sampled, sharpness, clipped = closeup.face_light(portrait, seen.landmarks)
    assert np.isfinite(sampled).all() and 0 < np.median(sampled) < 1 and sharpness > 0 and clipped < 0.05


# -- light around a landmark ---------------------------------------------------------------------------------------


def test_samples_of_a_picture_are_bilinear_and_unknown_outside():
    """All of 478 points, as in use: a wrong call of OpenCV left some of them unknown."""
    random = np.random.default_rng(0)
    picture, (x, y) = random.uniform(0, 1, (120, 100, 3)).astype(np.float32), random.uniform(2, 90, (2, 478))
    column, row, a, b = x.astype(int), y.astype(int), (x % 1)[:, None], (y % 1)[:, None]
    truth = (1 - b) * ((1 - a) * picture[row, column] + a * picture[row, column + 1]) + b * (
        (1 - a) * picture[row + 1, column] + a * picture[row + 1, column + 1]
    )
    np.testing.assert_allclose(pixels.sample(picture, np.stack([x, y], 1)), truth, atol=1e-4)
    assert np.isnan(pixels.sample(picture, np.array([[-3.0, 50], [50, 125]]))).all()


def test_light_is_sampled_where_the_landmark_lies():
    """A picture whose left half is half as bright in linear light as its right half; white is 1."""
    picture = np.full((300, 300, 3), 255, np.uint8)
    picture[:, :150] = 180
    points = planted.face(height_px=150.0, centre=(150.0, 150.0))[0]
    light, _, clipped = closeup.face_light(picture, points)
    left, right = light[planted.EYES["right"][0], 1], light[planted.EYES["left"][0], 1]
    assert right == pytest.approx(1.0, abs=1e-3)
    assert left == pytest.approx(((180 / 255 + 0.099) / 1.099) ** (1 / 0.45), abs=1e-3)
    assert clipped == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("grey", "linear"), [(0, 0.0), (255, 1.0), (15, 15 / 255 / 4.5), (128, 0.2612)])
def test_linear_light_is_the_inverse_of_bt_709(grey, linear):
    assert closeup.linear_light(np.array([grey]))[0] == pytest.approx(linear, abs=5e-4)


# -- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("light_too_flat", {"ambient": 0.85}),
        ("too_dark", {"level": 0.01}),
        ("over_exposed", {"clipped": 0.2}),
        ("light_fit_poor", {"ambient": 0.3, "albedo_sd": 0.9}),
        ("too_few_visible_seconds", {"n": 10}),
    ],
)
def test_refused_with_one_reason(reason, changes):
    finding = lit(30, 10, **changes)
    assert finding.reasons == (reason,) and not finding.measurements


@pytest.mark.parametrize("transfer", [16, 18])
def test_high_dynamic_range_is_refused(transfer):
    finding = assessed(*planted.lit_track(30, 10), transfer=transfer)
    assert finding.reasons == ("transfer_not_supported",)


def test_a_small_face_is_refused():
    mesh, track = planted.lit_track(30, 10)
    small = planted.track(track.t_s, track.landmarks * 0.25, rgb=track.vertex_rgb)
    assert assessed(mesh, small).reasons == ("face_too_small",)


def test_light_from_behind_the_head_is_not_given_a_direction():
    assert "light_ambiguous" in lit(100, 0, ambient=0.3, level=0.8).reasons


def test_no_light_known_anywhere_is_too_dark():
    mesh, track = planted.lit_track(30, 10)
    nothing = replace(track, vertex_rgb=np.full_like(track.vertex_rgb, np.nan))
    assert assessed(mesh, nothing).reasons == ("too_dark",)


def test_a_face_that_is_much_in_its_own_shadow_is_refused():
    """A lamp from the side without other light; the same with light from elsewhere is answered."""
    assert "self_shadowed" in lit(70, 0, ambient=0.0, shape="lambert").reasons
    assert "self_shadowed" not in lit(70, 0, ambient=0.3, shape="lambert").reasons


def test_half_a_face_holds_no_direction():
    mesh, track = planted.lit_track(30, 10, ambient=0.3)
    strip = np.where(track.landmarks[:, :, :1] > 285, np.nan, track.vertex_rgb)  # a fourth of its width
    direction_of_strip, follows, *_ = findings(mesh, replace(track, vertex_rgb=strip))
    assert "light_ill_conditioned" in direction_of_strip.reasons
    assert "light_ill_conditioned" not in follows.reasons  # light that stays needs no direction


# -- the ellipse ---------------------------------------------------------------------------------------------------


def unit(azimuth, elevation):
    a, e = np.radians((azimuth, elevation))
    return np.array([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)])


def pooled(side, seed, settings=None):
    mesh, track = planted.lit_track(*side, ambient=0.3, albedo_sd=0.15, n=2, seed=seed)
    settings = settings or Settings()
    skin = lighting.signal.skin_samples(lighting.signal.spread([track], settings), mesh, settings)
    return lighting.pooled_light(skin, settings)


@pytest.mark.parametrize("side", [(30, 20), (-20, -30), (0, 55)])
def test_the_ellipse_holds_the_truth_as_often_as_it_says(side):
    """Spots of 15 % on 60 skins: in 0.95 of them, by binomial scatter in 0.87 to 1."""
    settings = Settings()
    held = [lighting.holds(pooled(side, seed), unit(*side), settings) for seed in range(60)]
    assert 0.87 <= np.mean(held) <= 1.0
    far = unit(side[0] + 40, side[1] - 30)
    assert not any(lighting.holds(pooled(side, seed), far, settings) for seed in range(5))


def test_the_ellipse_s_edge_lies_where_its_inside_ends():
    light, settings = pooled((35, 50), 0), Settings()
    edge = lighting.outline(light, settings)
    np.testing.assert_allclose(np.linalg.norm(edge, axis=1), 1)
    middle = light.light[1:] / np.linalg.norm(light.light[1:])
    for point in edge[::8]:
        within, beyond = (middle + k * (point - middle) for k in (0.97, 1.03))
        assert lighting.holds(light, within, settings) and not lighting.holds(light, beyond, settings)


def test_an_azimuth_is_less_sure_the_higher_the_light():
    low, high = (lit(20, elevation, ambient=0.3, albedo_sd=0.15) for elevation in (0, 50))
    assert width(high, "azimuth") > 1.3 * width(low, "azimuth")


def test_the_map_shows_where_the_light_does_not_explain_the_skin():
    mesh, track = planted.lit_track(20, 10, ambient=0.3)
    rgb = track.vertex_rgb.copy()
    spot = np.hypot(*(track.landmarks[0, :, :2] - (340, 350)).T) < 15
    rgb[:, spot] *= 0.6
    rest = assessed(mesh, replace(track, vertex_rgb=rgb)).evidence["residual"]
    assert rest[spot].max() < -15 and np.abs(rest[~spot]).max() < 8


# -- a jump of the light -------------------------------------------------------------------------------------------


def switched(at_s=3.2, seconds=8.0, before=(-25.0, 10.0), after=(25.0, 10.0), yaw=None, **kwargs):
    """A head whose light changes at an instant."""
    t_s = planted.pictures_s(25, seconds)
    late = (t_s >= at_s)[:, None]
    azimuth, elevation = np.where(late, after, before).T
    return planted.turning_track(azimuth, elevation, np.zeros(len(t_s)) if yaw is None else yaw, **kwargs)


def test_a_lamp_that_is_switched_is_a_jump_at_its_picture_with_both_directions():
    (jump,) = assessed(*switched(noise=0.003, noise_px=0.3)).events
    assert jump.kind == "light_jump" and not jump.unusual and "lamp" in jump.what and "exposure" in jump.what
    assert (jump.interval.start_s, jump.interval.end_s) == pytest.approx((3.16, 3.2))
    told = jump.details
    assert told["azimuth_before_deg"] == pytest.approx(-25, abs=2) == -told["azimuth_after_deg"]
    assert told["elevation_before_deg"] == pytest.approx(10, abs=2) == told["elevation_after_deg"]
    assert told["pictures_before"] == 26 and told["pictures_after"] == 26  # all of a second, not the coarse sample
    assert told["apart_deg"] == pytest.approx(apart_deg((-25, 10), (25, 10)), abs=2) and told["head_turned_deg"] < 1


def test_two_lights_are_not_pooled_into_one():
    """The direction is that of the longer time; both together would be explained by no single light."""
    finding = assessed(*switched(at_s=3.2, before=(-50, 0), after=(50, 20), noise=0.003))
    assert len(finding.events) == 1 and direction(finding) == pytest.approx((50, 20), abs=3)
    assert any("jump" in limit for limit in finding.limits)


def test_a_jump_of_the_height_is_found_too():
    (jump,) = assessed(*switched(before=(5, -15), after=(5, 25), noise=0.003)).events
    assert jump.details["elevation_after_deg"] - jump.details["elevation_before_deg"] == pytest.approx(40, abs=3)


@pytest.mark.parametrize(
    "change",
    [
        {"after": (-15, 10)},  # by less than the systematic error of a direction
        {"after": (-25, 10)},  # by nothing
        {"noise": 0.25},  # within the scatter
        {"at_s": 7.6},  # stays for too short a time to tell
    ],
)
def test_what_is_no_jump(change):
    mesh, track = switched(**{"noise": 0.003, **change})
    assert assessed(mesh, track, settings=Settings(least_explained=-9.0)).events == ()


def test_a_flash_does_not_stay():
    t_s = planted.pictures_s(25, 8)
    azimuth = np.where((t_s > 3) & (t_s < 3.3), 40.0, -20.0)
    assert assessed(*planted.turning_track(azimuth, 10.0, np.zeros(len(t_s)), noise=0.003)).events == ()


def test_a_lamp_that_is_carried_past_does_not_jump():
    """60 degrees in 4 s: more than enough, but steady."""
    azimuth = np.interp(planted.pictures_s(25, 8), (2, 6), (-30, 30))
    assert assessed(*planted.turning_track(azimuth, 10.0, np.zeros(200), noise=0.003)).events == ()


@pytest.mark.parametrize("period_s", [1.5, 2.0, 3.1, 4.0])
def test_light_that_swings_with_the_head_does_not_jump(period_s):
    """30 degrees to and fro, more than turning under mixed light does."""
    albedo = np.random.default_rng(0).normal(1, 0.3, 478).clip(0.3, 1.7)
    track = planted.turning_track(35, 20, planted.swing_deg(8, period_s=period_s), 1.0, albedo=albedo, noise=0.002)
    assert assessed(*track).events == ()


def test_the_light_never_jumps_between_two_appearances():
    mesh, first = planted.turning_track(-25, 10, np.zeros(100))
    _, second = planted.turning_track(25, 10, np.zeros(100), name="A2")
    later = replace(second, t_s=second.t_s + first.interval.end_s)
    assert assessed(mesh, first, later).events == ()


def test_in_a_long_clip_a_jump_is_still_found_at_its_picture():
    """One picture in 4 s is looked at first."""
    mesh, track = switched(at_s=33.32, seconds=60, noise=0.003)
    (jump,) = assessed(mesh, track, settings=Settings(most_pictures=60, jump_s=3.0, jump_pictures=1000)).events
    assert jump.interval.end_s == pytest.approx(33.32)


# -- light that stays and light that turns with the head -----------------------------------------------------------


def beard(on_sphere):
    """Skin that is a third darker over the lower face, and a fifth lighter on one side."""
    return np.where(on_sphere[:, 1] < -0.3, 0.66, 1.0) * (1 + 0.2 * np.tanh(3 * on_sphere[:, 0]))


@pytest.mark.parametrize("follows", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("side", [(35, 20), (-40, 10), (5, 30), (50, 10)])
def test_how_far_the_light_follows_the_head_is_found(side, follows):
    finding = turning(*planted.turning_track(*side, planted.swing_deg(8), follows, noise=0.002, noise_px=0.3))
    found, misfit = finding.measurements
    assert (found.name, misfit.name) == ("light_follows_head", "light_misfit_ratio") and not finding.unusual
    assert {0.0: misfit.value < 0.7, 0.5: 0.5 < misfit.value < 2, 1.0: misfit.value > 1.4}[follows]
    assert found.value == pytest.approx(follows, abs=0.12) and found.low < follows < found.high
    assert finding.score == found.value and "turns with the head" in finding.score_direction


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("follows", [0.0, 1.0])
def test_strongly_uneven_skin_is_not_taken_for_light_on_the_head(follows, seed):
    """Spots of 30 %; the naive slope of the direction against yaw would be drawn towards 1."""
    albedo = np.random.default_rng(seed).normal(1, 0.3, 478).clip(0.3, 1.7)
    yaw = planted.swing_deg(8)
    found = turning(*planted.turning_track(35, 20, yaw, follows, albedo=albedo, noise=0.002)).measurements[0]
    assert found.value == pytest.approx(follows, abs=0.25) and found.low < follows < found.high
    assert not found.low < 1 - follows < found.high


def test_a_beard_and_a_darker_side_stay_within_the_interval():
    _, on_sphere = planted.head_mesh()
    for follows in (0.0, 1.0):
        mesh, track = planted.turning_track(35, 20, planted.swing_deg(8), follows, albedo=beard(on_sphere), noise=0.002)
        found = turning(mesh, track).measurements[0]
        assert found.low < follows < found.high


def test_exposure_that_changes_as_the_head_turns_changes_nothing():
    yaw = planted.swing_deg(8)
    found = [
        turning(*planted.turning_track(35, 20, yaw, exposure=exposure, noise=0.001)).measurements[0].value
        for exposure in (1.0, 1 + yaw / 50)
    ]
    assert found[0] == pytest.approx(found[1], abs=0.03)


def test_nods_count_as_turns_do():
    yaw, pitch = planted.swing_deg(8, 9), planted.swing_deg(8, 12, period_s=2.3)
    for follows in (0.0, 1.0):
        found = turning(*planted.turning_track(20, 35, yaw, follows, pitch=pitch, noise=0.002)).measurements[0]
        assert found.value == pytest.approx(follows, abs=0.12)


def test_copies_of_the_pictures_do_not_narrow_the_interval():
    mesh, slow = planted.turning_track(35, 20, planted.swing_deg(8, fps=5), noise=0.004, fps=5)
    twice = planted.track(
        *(np.repeat(a, 2, 0) for a in (slow.t_s, slow.landmarks)),
        pose=np.repeat(slow.transform, 2, 0),
        rgb=np.repeat(slow.vertex_rgb, 2, 0),
    )
    widths = [
        (m := turning(mesh, track, settings=Settings(pictures_per_s=99)).measurements[0]).high - m.low
        for track in (slow, twice)
    ]
    assert widths[1] == pytest.approx(widths[0], rel=0.05)


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("head_turned_too_little", {"yaw": planted.swing_deg(8, 4)}),
        ("light_too_flat", {"ambient": 0.85}),
        ("too_few_visible_seconds", {"yaw": planted.swing_deg(2.5)}),
        ("frame_rate_too_low", {"yaw": planted.swing_deg(8, fps=1), "fps": 1}),
        ("light_fits_both", {"noise": 0.3, "follows": 0.5}),
    ],
)
def test_light_on_the_head_is_refused_with_one_reason(reason, change):
    yaw, settings = change.pop("yaw", planted.swing_deg(8)), Settings(least_explained=-9.0)
    assert turning(*planted.turning_track(35, 20, yaw, **change), settings=settings).reasons == (reason,)


def test_a_face_half_hidden_is_refused():
    mesh, track = planted.turning_track(35, 20, planted.swing_deg(8))
    cut = np.where(track.landmarks[:, :, :1] > 290, np.nan, track.vertex_rgb)  # by the frame's edge
    assert turning(mesh, replace(track, vertex_rgb=cut)).reasons == ("head_turned",)


def test_black_pictures_change_nothing():
    mesh, track = planted.turning_track(35, 20, planted.swing_deg(8), noise=0.002)
    rgb = track.vertex_rgb.copy()
    rgb[50:60] = 0.0
    found = turning(mesh, replace(track, vertex_rgb=rgb)).measurements[0]
    assert found.value == pytest.approx(turning(mesh, track).measurements[0].value, abs=0.05)


def test_the_longest_time_without_a_jump_is_measured():
    """Across the jump the skin's mean would mix two lights."""
    finding = turning(*switched(at_s=3.0, seconds=12, yaw=planted.swing_deg(12), noise=0.002))
    assert min(finding.evidence["t_s"]) >= 3.0 and finding.measurements[0].value == pytest.approx(0, abs=0.12)
    assert finding.coverage == pytest.approx(9 / 12, abs=0.03)


# -- error of the landmarks ----------------------------------------------------------------------------------------


def repeated(track, noise_px, pictures=12, copies=5):
    """The track with some pictures looked at again, each landmark off by ``noise_px``."""
    rows = np.linspace(0, len(track.t_s) - 1, pictures).astype(int)
    noise = np.random.default_rng(1).normal(0, noise_px, (pictures, copies, 478, 3))
    shapes = np.zeros((pictures, copies, 52))
    return replace(track, repeats=Repeats(rows, track.landmarks[rows][:, None] + noise, shapes))


def width(finding, name):
    found = finding.measurement(f"light_{name}")
    return (found.high - found.low) / 2


def test_landmark_noise_widens_the_interval_as_it_turns_the_direction():
    """Truth by brute force: the scatter of the direction when the landmarks themselves are noisy."""
    mesh, track = planted.lit_track(30, 20, ambient=0.3, albedo_sd=0.1)
    light = track.vertex_rgb[0] @ lighting.LUMINANCE
    for noise_px in (1.0, 2.0):
        random = np.random.default_rng(2)
        facing = lighting.normals(track.landmarks[:1] + random.normal(0, noise_px, (300, 478, 3)), mesh["triangles"])
        seen = np.where(facing[..., 2] >= Settings().facing, light, np.nan)
        truth = [a.std() for a in lighting.direction(lighting.fit_lights(facing, seen, Settings())[0][:, 1:])]
        found = lighting.landmark_error([repeated(track, noise_px)], mesh, Settings())
        assert found == pytest.approx(truth, rel=0.35)
        plain, wide = (
            assessed(mesh, t, settings=Settings(systematic_deg=0.0)) for t in (track, repeated(track, noise_px))
        )
        for name, error in zip(("azimuth", "elevation"), found, strict=True):
            assert width(wide, name) > np.hypot(0.6 * width(plain, name), 1.96 * error)
            assert width(wide, name) < width(plain, name) + 1.96 * error + 0.1


def test_without_repeats_the_landmarks_error_is_unknown_and_adds_nothing():
    mesh, track = planted.lit_track(30, 20, ambient=0.3, albedo_sd=0.1)
    none = replace(track, repeats=Repeats(np.zeros(0, int), np.zeros((0, 5, 478, 3)), np.zeros((0, 5, 52))))
    assert np.isnan(lighting.landmark_error([track, none], mesh, Settings())).all()
    assert assessed(mesh, none).measurements == assessed(mesh, track).measurements


# -- one face in one shot ------------------------------------------------------------------------------------------


def test_light_of_two_shots_is_not_pooled_although_the_analyst_named_one_person():
    mesh, first = planted.lit_track(-30, 10, n=50)
    _, second = planted.lit_track(30, 10, n=75)
    second = replace(second, name="B1", t_s=second.t_s + first.interval.end_s)
    both = [replace(track, named="the speaker") for track in (first, second)]
    for finding in findings(mesh, *both):
        assert finding.person == "the speaker" and finding.subjects == ("B1",) and finding.coverage < 0.62
    assert direction(assessed(mesh, *both)) == pytest.approx((30, 10), abs=2)


# -- the circle ----------------------------------------------------------------------------------------------------


def test_directions_go_round_the_circle():
    azimuth, elevation = lighting.direction(np.array([[0, 0, 1.0], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 1]]))
    np.testing.assert_allclose(azimuth[:3], [0, 90, -90])
    np.testing.assert_allclose(elevation, [0, 0, 0, 90, -45])
    np.testing.assert_allclose(lighting.beside(np.array([179.0, -179.0, 10.0]), 180.0), [-1, 1, -170])

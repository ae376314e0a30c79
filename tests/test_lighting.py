"""A head lit from a known side: the side is found, left is left and up is up, and unfit light is refused."""

from dataclasses import replace

import numpy as np
import planted
import pytest

from forensics import landmarks, observe, pixels
from forensics.analysis import lighting
from forensics.analysis.lighting import Settings

SIDES = [(0, 0), (30, 0), (-30, 20), (45, 30), (10, -35), (-50, -10)]


def assessed(mesh, *tracks, transfer=1, settings=None):
    (finding,) = lighting.assess(planted.scene(list(tracks), mesh=mesh, transfer=transfer), settings or Settings())
    return finding


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
    np.testing.assert_allclose(finding.evidence["azimuth"], [-30] * 20 + [30] * 20, atol=2)
    assert len(finding.evidence["t_s"]) == 40


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
    sampled, sharpness, clipped = observe.face_light(portrait, seen.landmarks)
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
    light, _, clipped = observe.face_light(picture, points)
    left, right = light[planted.EYES["right"][0], 1], light[planted.EYES["left"][0], 1]
    assert right == pytest.approx(1.0, abs=1e-3)
    assert left == pytest.approx(((180 / 255 + 0.099) / 1.099) ** (1 / 0.45), abs=1e-3)
    assert clipped == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("grey", "linear"), [(0, 0.0), (255, 1.0), (15, 15 / 255 / 4.5), (128, 0.2612)])
def test_linear_light_is_the_inverse_of_bt_709(grey, linear):
    assert observe.linear_light(np.array([grey]))[0] == pytest.approx(linear, abs=5e-4)


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


# -- the circle ----------------------------------------------------------------------------------------------------


def test_directions_go_round_the_circle():
    azimuth, elevation = lighting.direction(np.array([[0, 0, 1.0], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 1]]))
    np.testing.assert_allclose(azimuth[:3], [0, 90, -90])
    np.testing.assert_allclose(elevation, [0, 0, 0, 90, -45])
    np.testing.assert_allclose(lighting._around(np.array([179.0, -179.0, 10.0]), 180.0), [-1, 1, -170])

"""Faces near and far are found, followed and mapped back; what cannot be fitted is told; no cell knows another."""

from dataclasses import replace

import numpy as np
import planted
import pytest
from scipy import ndimage

from forensics import landmarks
from forensics.landmarks import Detection
from forensics.search import COARSE, FINE, Lookout, Settings, tiles
from forensics.tracks import face_box, overlap

SETTINGS = Settings()
WIDTH, HEIGHT = 960, 540


# -- a made-up world: faces are bright squares --------------------------------------------------------------------


def picture(*boxes, width=WIDTH, height=HEIGHT):
    shown = np.zeros((height, width, 3), np.uint8)
    for x, y, side in boxes:
        shown[y : y + side, x : x + side] = 200
    return shown


def squares(rgb):
    """Boxes x0, y0, x1, y1 of the bright squares."""
    found = ndimage.find_objects(ndimage.label(rgb[..., 0] > 100)[0])
    return [np.array([x.start, y.start, x.stop, y.stop], float) for y, x in found]


class Finder:
    """Sees what fills a tenth of the picture's longer side or more, as the real one; counts what it looked at."""

    def __init__(self):
        self.wholes = self.parts = 0

    def find(self, rgb):
        whole = rgb.shape[:2] == (HEIGHT, WIDTH)
        self.wholes, self.parts = self.wholes + whole, self.parts + (not whole)
        seen = [(box, *(box[2:] - box[:2])) for box in squares(rgb)]
        # The less of a face is in the tile, the less sure.
        return [(box, 0.9 * min(w / h, h / w)) for box, w, h in seen if w >= 0.1 * max(rgb.shape)]


class Model:
    """Fits a face to each bright square of a crop; ``blind`` fits none."""

    POINTS = planted.face(centre=(0.0, 0.0))[0]

    def __init__(self, blind=False):
        self.blind = blind

    def detect(self, rgb):
        return [] if self.blind else [self.face(box) for box in squares(rgb)]

    def face(self, box):
        own = face_box(self.POINTS)
        scale = (box[2:] - box[:2]) / (own[2:] - own[:2])
        points = self.POINTS.copy()
        points[:, :2] = (points[:, :2] - own[:2]) * scale + box[:2]
        return Detection(points.astype(np.float32), np.zeros(52, np.float32), np.eye(4, dtype=np.float32))


def lookout(blind=False, **settings):
    finder = Finder()
    return Lookout(Model(blind), finder, replace(SETTINGS, **settings)), finder


def boxes(faces):
    return [face_box(f.landmarks).round().astype(int).tolist() for f in faces]


# -- finding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seen", [(300, 100, 250), (700, 350, 120), (430, 260, 40), (920, 500, 30), (0, 0, 30), (500, 20, 16)]
)
def test_a_face_of_any_size_and_place_is_found_where_it_is(seen):
    look, _ = lookout()
    faces, sightings = look.look(picture(seen), 0.0)
    x, y, side = seen
    np.testing.assert_allclose(boxes(faces), [[x, y, x + side, y + side]], atol=max(1, 0.02 * side))
    assert sightings == []


def test_near_and_far_faces_of_one_picture_are_all_found_the_largest_first():
    look, _ = lookout()
    faces, _ = look.look(picture((100, 100, 200), (600, 60, 60), (800, 400, 40)), 0.0)
    assert [b[0] for b in boxes(faces)] == pytest.approx([100, 600, 800], abs=1)


def test_of_more_faces_than_the_stated_number_the_largest_are_kept():
    look, _ = lookout(most_faces=2)
    faces, (left_out,) = look.look(picture((100, 100, 80), (400, 60, 120), (700, 300, 100)), 0.0)
    assert [b[0] for b in boxes(faces)] == pytest.approx([400, 700], abs=1)
    assert left_out.box[0] == pytest.approx(100, abs=1)


def test_a_picture_without_a_face_gives_none():
    look, _ = lookout()
    assert look.look(picture(), 0.0) == ([], [])


def test_a_face_to_which_nothing_can_be_fitted_is_sighted_not_missed():
    look, _ = lookout(blind=True)
    faces, (sighting,) = look.look(picture((430, 260, 40)), 0.0)
    assert faces == [] and overlap(sighting.box, np.array([430, 260, 470, 300])) > 0.9


def test_a_large_face_that_cannot_be_fitted_is_sighted_once():
    look, _ = lookout(blind=True)
    _, (sighting,) = look.look(picture((400, 200, 120)), 0.0)
    assert sighting.box.tolist() == [400, 200, 520, 320]


@pytest.mark.parametrize("size", [(8192, 16), (16, 9000), (20000, 700), (1, 1), (100, 3)])
def test_oblong_and_tiny_pictures_are_searched_in_bounded_time(size):
    look, finder = lookout()
    assert look.look(picture(width=size[0], height=size[1]), 0.0) == ([], [])
    assert finder.parts <= 1200


def test_faces_that_jump_do_not_pile_up_regions():
    look, _ = lookout()
    for k in range(12):
        look.look(picture(*((40 + 130 * j + 60 * (k % 2), 60 + 200 * (k % 3), 50) for j in range(6))), k / 1000)
    assert len(look._regions) <= SETTINGS.most_faces


def test_a_doubtful_sighting_is_not_told():
    look, _ = lookout(blind=True, surest=0.95)
    assert look.look(picture((430, 260, 40)), 0.0) == ([], [])


def test_tiles_are_searched_twice_a_second_while_nothing_is_found_and_not_more():
    look, finder = lookout()
    a_search = len(list(tiles(WIDTH, HEIGHT, (*COARSE, *FINE))))
    for k in range(50):  # 2 s at 25 pictures a second
        look.look(picture(), k / 25)
    assert finder.parts == 4 * a_search


def test_while_a_face_is_followed_no_tile_is_searched_again():
    look, finder = lookout()
    for k in range(50):
        look.look(picture((300 + 2 * k, 200, 60)), k / 25)
    assert finder.parts == len(list(tiles(WIDTH, HEIGHT, COARSE)))
    assert finder.wholes == 4


@pytest.mark.parametrize("size", [(960, 540), (540, 960), (480, 480), (1921, 333), (320, 240), (160, 160)])
def test_every_face_of_up_to_half_a_tile_lies_whole_in_one(size):
    for part in (*COARSE, *FINE):
        squares = list(tiles(*size, [part]))
        side = squares[0][2]
        assert all(left >= 0 and left + side <= size[0] and 0 <= top <= size[1] - side for left, top, _ in squares)
        for axis in (0, 1):
            starts = sorted({s[axis] for s in squares})
            assert starts[0] == 0 and starts[-1] + side == size[axis]
            assert max(np.diff(starts), default=0) <= side / 2 + 1


# -- following ------------------------------------------------------------------------------------------------------


def test_a_distant_face_is_followed_as_it_moves():
    look, _ = lookout()
    for k in range(40):
        faces, _ = look.look(picture((300 + 5 * k, 200 + k, 30)), k / 25)
        np.testing.assert_allclose(boxes(faces), [[300 + 5 * k, 200 + k, 330 + 5 * k, 230 + k]], atol=1)


def test_a_face_behind_a_cut_is_found_in_the_next_picture():
    look, _ = lookout()
    look.look(picture((100, 100, 150)), 0.0)
    faces, _ = look.look(picture((600, 200, 180)), 0.04)
    np.testing.assert_allclose(boxes(faces), [[600, 200, 780, 380]], atol=2)


def test_a_face_that_blinks_out_is_found_again_where_it_was():
    look, _ = lookout()
    shown = picture((700, 300, 30))
    assert [len(look.look(p, k / 25)[0]) for k, p in enumerate([shown, picture(), shown])] == [1, 0, 1]


def test_two_faces_that_meet_stay_two_and_one_face_is_never_two():
    look, _ = lookout()
    counts = [len(look.look(picture((300, 200, 60), (364 + 4 * k, 200, 60)), k / 25)[0]) for k in range(12)]
    assert counts == [2] * 12


def test_where_following_began_hardly_changes_what_is_measured():
    """Excerpts begin inside a cell: the crop moves in steps, so that both ways of coming there share it."""
    film = [picture((300 + k, 200, 90)) for k in range(30)]
    early, late = lookout()[0], lookout()[0]
    ends = [early.look(p, k / 25)[0] for k, p in enumerate(film)][12:]
    begun = [late.look(p, k / 25)[0] for k, p in enumerate(film[12:], 12)]
    same = [np.array_equal(a[0].landmarks, b[0].landmarks) for a, b in zip(ends, begun, strict=True)]
    assert all(same[1:])


# -- repeats --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [40, 120, 400])
def test_repeats_are_mapped_back_into_the_picture(side):
    look, _ = lookout()
    shown = picture((280, 80, side))
    (face,), _ = look.look(shown, 0.0)
    again = look.repeat(shown, face)
    assert len(again) == 4
    for other in again:
        np.testing.assert_allclose(other.landmarks, face.landmarks, atol=max(1.0, 0.012 * side))


def test_copies_that_lose_the_face_are_told():
    look, _ = lookout()
    (face,), _ = look.look(picture((280, 80, 100)), 0.0)
    assert look.repeat(picture(), face) == [None] * 4


# -- the real model -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("height_px", [200, 80, 40])
def test_a_real_face_is_found_and_measured_alike_at_any_distance(height_px):
    """One photograph, shown smaller and smaller in a wide scene: the landmarks stay in their places."""
    portrait = pytest.importorskip("skimage.data").astronaut()[:300, 80:380]
    transform = pytest.importorskip("skimage.transform")
    with landmarks.FaceModel() as model, landmarks.FaceFinder() as finder:
        (near,) = model.detect(portrait)[:1]
        factor = height_px / np.ptp(near.landmarks[:, 1])
        small = transform.resize(portrait, [round(300 * factor)] * 2, anti_aliasing=True)
        scene = np.full((720, 1280, 3), 90, np.uint8)
        scene[40 : 40 + len(small), 700 : 700 + len(small)] = np.round(255 * small)
        look = Lookout(model, finder, SETTINGS)
        (face, *others), _ = look.look(scene, 0.0)
        again = look.repeat(scene, face)
    assert others == [] and len(again) == 4
    expected = near.landmarks[:, :2] * factor + (700, 40)
    # Not much more than what two crops of one portrait differ by.
    assert np.median(np.linalg.norm(face.landmarks[:, :2] - expected, axis=1)) < 0.03 * height_px
    assert np.stack([a.landmarks[:, :2] for a in again]).std(0, ddof=1).mean() < 0.02 * height_px

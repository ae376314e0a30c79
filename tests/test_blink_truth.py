"""How blinks found are held against blinks labelled: matching, what is not scored, and the figures' counts."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import planted
import pytest

sys.path.insert(0, str(Path(__file__).parent / "real"))
import blinks

T_S = planted.pictures_s(25, 12.0)
PEAKS_S = (2.0, 5.0, 8.0)


def label(*peaks, sure=True, **changes):
    """Blinks of 9 pictures labelled around these."""
    made = [{"onset": p - 3, "peak": p, "offset": p + 5, "eye": "both", "complete": True, "sure": sure} for p in peaks]
    return {"frames": [0, len(T_S) - 1], "blinks": made, "unreadable": []} | changes


def clip(labels):
    lid = planted.lid(T_S, PEAKS_S)
    track = planted.track(T_S, planted.face(right_lid=lid, left_lid=lid), noise_px=0.1)
    return blinks.Labelled({"path": "x.mp4"}, track, labels)


def counts(labels):
    score = blinks.scored(clip(labels), lambda dip: dip.is_blink(blinks.SETTINGS))
    return score.hit, score.missed, score.false


def test_each_found_blink_is_matched_once_and_the_best_overlap_first():
    assert blinks.overlap((0, 4), (2, 6)) == pytest.approx(1 / 3) and blinks.overlap((0, 1), (1, 2)) == 0
    assert blinks.matched([(0, 10), (9, 20)], [(1, 11)]) == {0: 0}
    assert blinks.matched([(0, 10), (9, 20)], [(8, 19), (0, 10)]) == {1: 0, 0: 1}
    assert blinks.matched([(0, 10)], [(9, 30)]) == {}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (label(50, 125, 200), (3, 0, 0)),
        (label(50, 125, 200, 260), (3, 1, 0)),
        (label(50, 125), (2, 0, 1)),
        (label(50, 125, 200, sure=False), (0, 0, 0)),  # doubtful: neither found nor false
        (label(50, 125, unreadable=[[190, 210]]), (2, 0, 0)),
        (label(50, 125, 200, frames=[0, 150]), (2, 0, 0)),  # behind what was labelled
        (label(50, 125, 200, frames=[0, 203]), (2, 0, 0)),  # not ended at the last picture labelled
    ],
)
def test_hits_misses_and_false_ones_are_counted(labels, expected):
    assert counts(labels) == expected


def test_errors_are_those_of_onset_peak_and_offset():
    score = blinks.scored(clip(label(50, 125, 200)), lambda dip: True)
    assert score.errors_ms.shape == (3, 3)
    assert np.abs(score.errors_ms[:, 1]).max() <= 40  # a picture


def test_f1_is_that_of_counts():
    assert blinks.f1(np.array([3, 1, 1])) == pytest.approx(0.75)


def test_constants_are_fitted_without_the_unit_that_they_score():
    """The one clip whose labels say that nothing is a blink is scored by a fit that has not seen them."""
    others = [clip(label(50, 125)) for _ in range(3)]
    scores = blinks.left_out([*others, clip(label())], np.arange(4))
    assert scores[3].false == 3


def test_a_thinned_clip_has_fewer_pictures_at_their_own_times():
    made = blinks.thinned(clip(label(50)), 12)
    assert len(made.track.t_s) == pytest.approx(12 * 12, abs=15) and set(made.track.t_s) <= set(T_S)
    assert blinks.thinned(clip(label(50)), 60) is None

"""Values on the time line: intervals, series, sound in blocks."""

import numpy as np
import pytest

from forensics.analysis.lipsync import speaker
from forensics.errors import ParameterError
from forensics.timeline import (
    Audio,
    DiskArray,
    FaceTrack,
    Interval,
    Series,
    chunks,
    inside,
    intersection,
    runs,
    share,
    total_s,
    union,
)


def spans(intervals):
    return [(i.start_s, i.end_s) for i in intervals]


# -- intervals -----------------------------------------------------------------------------------------------------


def test_the_start_is_inside_and_the_end_is_not():
    assert 1.0 in Interval(1, 2) and 2.0 not in Interval(1, 2)


def test_common_part_and_hull():
    assert Interval(0, 2) & Interval(1, 3) == Interval(1, 2)
    assert Interval(0, 1) & Interval(1, 2) is None  # they touch: no time is common
    assert Interval(0, 1) | Interval(4, 5) == Interval(0, 5)


def test_an_interval_that_ends_before_it_starts_is_refused_with_both_values():
    with pytest.raises(ParameterError, match=r"ends no earlier than it starts, found \(2, 1\)"):
        Interval(2, 1)
    with pytest.raises(ParameterError):
        Interval(0, float("nan"))


def test_union_sorts_and_joins_what_touches():
    assert spans(union([Interval(3, 4), Interval(0, 1), Interval(1, 2)])) == [(0, 2), (3, 4)]
    assert spans(union([Interval(0, 5), Interval(1, 2)])) == [(0, 5)]  # the inner one does not shorten the outer
    assert union([]) == []


def test_union_bridges_gaps_up_to_the_one_allowed():
    apart = [Interval(0, 1), Interval(1.2, 2), Interval(2.5, 3)]
    assert spans(union(apart, gap_s=0.2)) == [(0, 2), (2.5, 3)]


def test_intersection_is_the_time_both_cover():
    first, second = [Interval(0, 2), Interval(3, 6)], [Interval(1, 4), Interval(5, 7)]
    assert spans(intersection(first, second)) == [(1, 2), (3, 4), (5, 6)]
    assert spans(intersection(second, first)) == [(1, 2), (3, 4), (5, 6)]
    assert spans(intersection(iter(first), iter(second))) == [(1, 2), (3, 4), (5, 6)]


def test_overlaps_count_once_and_a_share_never_passes_one():
    assert total_s([Interval(0, 2), Interval(1, 3)]) == 3
    assert share([Interval(0, 2), Interval(1, 3)], Interval(0, 4)) == 0.75
    assert share([Interval(-5, 9)], Interval(0, 4)) == 1.0
    assert share([Interval(0, 1)], Interval(2, 2)) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_many_intervals_are_what_each_of_them_says(seed):
    """Overlapping, touching, empty and out of order, on a coarse grid; against each instant asked by itself."""
    random = np.random.default_rng(seed)
    sets = [
        [
            Interval(float(a), float(a + d))
            for a, d in zip(random.integers(0, 40, n), random.integers(0, 6, n), strict=True)
        ]
        for n in random.integers(0, 15, 2)
    ]
    t_s = np.arange(-1, 50, 0.5)
    each = [np.array([any(i.start_s <= t < i.end_s for i in some) for t in t_s]) for some in sets]
    for some, mask in zip(sets, each, strict=True):
        np.testing.assert_array_equal(inside(t_s, some), mask)
    both, left = intersection(*sets), speaker.without(*sets)
    np.testing.assert_array_equal(inside(t_s, both), each[0] & each[1])
    np.testing.assert_array_equal(inside(t_s, left), each[0] & ~each[1])
    assert total_s(both) + total_s(left) == pytest.approx(total_s(sets[0]))


def test_inside_marks_starts_and_not_ends():
    t_s = np.array([0.0, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(inside(t_s, [Interval(1, 2), Interval(3, 4)]), [False, True, False, True])


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ([], []),
        ([0, 0], []),
        ([1, 1], [(0, 2)]),
        ([1, 0, 1], [(0, 1), (2, 3)]),
        ([0, 1, 1, 0], [(1, 3)]),
    ],
)
def test_runs_are_first_and_behind_last(mask, expected):
    assert runs(np.array(mask, bool)) == expected


def test_chunks_cover_every_index_once():
    assert [i for part in chunks(10, 4) for i in range(10)[part]] == list(range(10))
    assert max(part.stop - part.start for part in chunks(10, 4)) == 4


# -- series --------------------------------------------------------------------------------------------------------


def test_interpolation_is_linear_and_unknown_outside():
    series = Series("x", np.array([0.0, 1.0]), np.array([0.0, 10.0]), "1")
    np.testing.assert_allclose(series.at(np.array([-0.1, 0.0, 0.25, 1.0, 1.1]), 2.0), [np.nan, 0, 2.5, 10, np.nan])


def test_no_line_is_drawn_across_a_long_gap():
    series = Series("x", np.array([0.0, 0.1, 1.0, 1.1]), np.ones(4), "1")
    known = np.isfinite(series.at(np.array([0.05, 0.5, 1.05]), longest_gap_s=0.2))
    np.testing.assert_array_equal(known, [True, False, True])


def test_what_was_not_measured_is_a_gap_as_well():
    t_s = np.arange(5) / 10
    series = Series("x", t_s, np.array([1, np.nan, np.nan, np.nan, 1.0]), "1")
    assert np.isnan(series.at(np.array([0.2]), longest_gap_s=0.3))
    assert series.at(np.array([0.2]), longest_gap_s=0.41) == 1


def test_one_value_is_not_a_series_to_interpolate():
    assert np.isnan(Series("x", np.zeros(1), np.ones(1), "1").at(np.zeros(1), 1.0))


def test_between_keeps_the_start_and_not_the_end():
    part = Series("x", np.arange(5.0), np.arange(5.0), "s").between(Interval(1, 3))
    np.testing.assert_array_equal(part.values, [1, 2])
    assert (part.name, part.unit) == ("x", "s")


def test_series_of_unlike_lengths_or_falling_times_are_refused():
    with pytest.raises(ParameterError, match=r"mouth: as many times as values, found \(2, 3\)"):
        Series("mouth", np.zeros(2), np.zeros(3), "1")
    with pytest.raises(ParameterError, match="mouth: times in ascending order"):
        Series("mouth", np.array([1.0, 0.0]), np.zeros(2), "1")


# -- arrays on disk ------------------------------------------------------------------------------------------------


def test_rows_on_disk_read_like_rows_in_memory(tmp_path):
    rows = np.arange(24, dtype=np.float32).reshape(6, 4)
    np.save(tmp_path / "rows.npy", rows)
    held = DiskArray(tmp_path / "rows.npy")
    assert (len(held), held.shape, held.dtype) == (6, (6, 4), np.float32)
    np.testing.assert_array_equal(held[2:4], rows[2:4])
    np.testing.assert_array_equal(np.asarray(held), rows)
    assert np.asarray(held, np.float64).dtype == np.float64


def test_what_was_read_from_disk_is_a_copy(tmp_path):
    np.save(tmp_path / "rows.npy", np.zeros(3))
    held = DiskArray(tmp_path / "rows.npy")
    held[:][0] = 9
    assert held[0] == 0


# -- sound ---------------------------------------------------------------------------------------------------------


def test_mono_is_the_mean_of_all_channels():
    audio = Audio(np.array([[1, 0], [0.5, -0.5]], np.float32), 10, 0.0)
    block, start_s = audio.mono(Interval(0, 1))
    np.testing.assert_allclose(block, [0.5, 0])
    assert block.dtype == np.float32 and start_s == 0


def test_a_block_says_when_its_first_sample_sounds():
    audio = Audio(np.arange(100, dtype=np.float32)[:, None], 10, start_s=-2.0)
    block, start_s = audio.mono(Interval(0.0, 1.0))
    assert (block[0], len(block), start_s) == (20, 10, 0.0)
    block, start_s = audio.mono(Interval(-9.0, -1.5))  # begins before the sound does
    assert (block[0], len(block), start_s) == (0, 5, -2.0)


def test_a_block_outside_the_sound_is_empty():
    audio = Audio(np.zeros((100, 1), np.float32), 10, 0.0)
    assert len(audio.mono(Interval(20, 30))[0]) == 0
    assert len(audio.mono(Interval(-30, -20))[0]) == 0


@pytest.mark.parametrize(("seconds", "expected"), [(4.0, [(1, 5), (5, 9), (9, 11)]), (5.0, [(1, 6), (6, 11)])])
def test_windows_cover_the_sound_without_an_empty_last_one(seconds, expected):
    assert spans(Audio(np.zeros((100, 1), np.float32), 10, 1.0).windows(seconds)) == expected


def test_windows_together_hold_every_sample():
    audio = Audio(np.arange(1001, dtype=np.float32)[:, None], 44100, 0.0123)
    blocks = [audio.mono(window)[0] for window in audio.windows(0.01)]
    np.testing.assert_array_equal(np.concatenate(blocks), np.arange(1001))


def test_sound_of_another_shape_or_no_rate_is_refused():
    with pytest.raises(ParameterError, match=r"samples have the shape \(n, channels\), found \(10,\)"):
        Audio(np.zeros(10, np.float32), 10, 0.0)
    with pytest.raises(ParameterError, match="a sampling rate is positive, found 0"):
        Audio(np.zeros((10, 1), np.float32), 0, 0.0)


# -- tracks --------------------------------------------------------------------------------------------------------


def bare_track(name, t_s, rows=None):
    n = len(t_s) if rows is None else rows
    count = np.arange(len(t_s))
    return FaceTrack(
        name, t_s, count, count, np.zeros((n, 478, 3)), np.zeros((n, 52)), np.zeros((n, 4, 4)), np.zeros((n, 478, 3))
    )


def test_a_track_lasts_until_one_picture_behind_its_last():
    shown = bare_track("A1", np.array([1.0, 1.04, 1.08])).interval
    assert (shown.start_s, shown.end_s) == (1.0, pytest.approx(1.12))
    assert bare_track("A1", np.array([1.0])).interval == Interval(1.0, 1.0)


@pytest.mark.parametrize(("name", "person"), [("A1", "A"), ("B12", "B"), ("AA3", "AA")])
def test_the_person_is_the_letters_of_the_name(name, person):
    assert bare_track(name, np.zeros(1)).person == person


def test_a_track_with_rows_missing_is_refused_by_name():
    with pytest.raises(ParameterError, match=r"track B2: all arrays have as many rows, found \[2, 3\]"):
        bare_track("B2", np.arange(3.0), rows=2)

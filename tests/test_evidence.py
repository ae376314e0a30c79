"""Container facts: planted gaps, drops, repeats and jumps are told where they are; what varies honestly is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import planted
import pytest

from forensics import plots
from forensics.analysis import evidence
from forensics.analysis.evidence import Settings
from forensics.survey import COLUMNS, Survey
from forensics.timeline import Interval

PICTURE, SOUND = 0, 1


def packets(stream, t_s, duration_s, **columns):
    t_s = np.asarray(t_s, float)
    given = {"stream": stream, "t_s": t_s, "dts_s": np.sort(t_s), "duration_s": duration_s, "size": 1000} | columns
    return {name: np.broadcast_to(given.get(name, 0), len(t_s)).astype(kind) for name, kind in COLUMNS.items()}


def survey(picture_s, sound_s=(), boxes=None, declared=0, **columns):
    parts = [packets(PICTURE, picture_s, 0.04, **columns), packets(SOUND, sound_s, 0.02)]
    facts = {
        "streams": [{"index": PICTURE, "kind": "video", "declared_packets": declared}],
        "boxes": boxes,
        "credentials": {"state": "none"},
    }
    joined = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
    return Survey(facts, joined, PICTURE, SOUND if len(sound_s) else None)


def scene(of, interval=None, repeated=None, decoded_s=None):
    t_s = of.of(PICTURE)["t_s"] if decoded_s is None else decoded_s
    whole = Interval(float(t_s[0]), float(t_s[-1]) + 0.04)
    made = planted.scene([], None, interval=interval or whole)
    again = np.zeros(len(t_s), bool) if repeated is None else repeated
    pictures = {"t_s": np.sort(t_s), "repeated": again}
    return replace(made, survey=of, observation=replace(made.observation, pictures=pictures))


def assess(of, settings=None, **where):
    (finding,) = evidence.assess(scene(of, **where), settings or Settings())
    return finding


def values(finding):
    return {m.name: m.value for m in finding.measurements}


EVEN = np.arange(250) / 25


def test_an_even_clip_has_nothing_to_tell():
    finding = assess(survey(EVEN, np.arange(500) * 0.02, key=np.arange(250) % 50 == 0))
    assert finding.state == "assessed" and finding.person is None and not finding.events and finding.coverage == 1
    assert values(finding) == {
        "key_picture_distance": 2.0,
        "uneven_steps": 0.0,
        "picture_gaps": 0.0,
        "dropped_pictures": 0.0,
        "repeated_pictures": 0.0,
        "sound_jumps": 0.0,
    }


def test_dropped_pictures_are_counted_where_they_are_missing():
    finding = assess(survey(np.delete(EVEN, [60, 100, 101])))
    assert [(e.kind, e.interval, e.details["pictures"]) for e in finding.events] == [
        ("dropped_pictures", Interval(EVEN[59], EVEN[61]), 1),
        ("dropped_pictures", Interval(EVEN[99], EVEN[102]), 2),
    ]
    assert values(finding)["dropped_pictures"] == 3


def test_a_phone_s_varying_rate_drops_nothing():
    """In the dark every exposure lengthens by its own amount; nothing can be told of what is missing."""
    steps = np.random.default_rng(0).uniform(0.025, 0.07, 249)
    finding = assess(survey(np.concatenate([[0.0], np.cumsum(steps)])))
    assert not finding.events and "dropped_pictures" not in values(finding) and values(finding)["uneven_steps"] > 20


def test_millisecond_clocks_are_even():
    finding = assess(survey(np.round(np.arange(300) / 29.97, 3)))
    assert not finding.events and values(finding)["uneven_steps"] == 0


@pytest.mark.parametrize("step_s", [0.04, 0.2])
def test_a_gap_is_told_but_a_slide_show_is_not_a_row_of_gaps(step_s):
    t_s = np.concatenate([np.arange(40) * step_s, np.arange(40) * step_s + 40 * step_s + 3])
    finding = assess(survey(t_s))
    gap = next(e for e in finding.events if e.kind == "picture_gap")
    assert gap.interval.duration == pytest.approx(3 + step_s) and values(finding)["picture_gaps"] == 1
    assert not assess(survey(np.arange(30) * 10.0)).events  # 0.1 a second


def test_repeated_pictures_are_told_in_runs():
    again = np.zeros(250, bool)
    again[[10, 11, 12, 200]] = True
    finding = assess(survey(EVEN), repeated=again)
    assert [(e.kind, e.interval.start_s, e.details["pictures"]) for e in finding.events] == [
        ("repeated_pictures", EVEN[10], 3),
        ("repeated_pictures", EVEN[200], 1),
    ]
    assert finding.events[0].interval.end_s == EVEN[13] and values(finding)["repeated_pictures"] == 4


def test_gaps_and_overlaps_of_the_sound_are_told():
    blocks = np.arange(400) * 0.02
    blocks[100:] += 0.5
    blocks[300:] -= 0.1
    finding = assess(survey(EVEN, blocks))
    assert [e.kind for e in finding.events] == ["sound_gap", "sound_overlap"]
    gap, overlap = (e.interval for e in finding.events)
    assert gap.start_s == pytest.approx(2.0) and gap.duration == pytest.approx(0.5)
    assert overlap.duration == pytest.approx(0.1) and values(finding)["sound_jumps"] == 2


def test_a_clock_of_milliseconds_is_no_jump_of_the_sound():
    blocks = np.round(np.arange(400) * 1024 / 48000, 3)
    found = survey(EVEN, blocks)
    found.packets["duration_s"][found.packets["stream"] == SOUND] = 0.021
    assert not assess(found).events


def test_decoding_times_that_step_back_are_a_jump():
    dts = EVEN.copy()
    dts[100:] -= 1.0
    finding = assess(survey(EVEN, dts_s=dts))
    (jump,) = finding.events
    assert jump.kind == "time_jump" and jump.interval.start_s == pytest.approx(3.0) and "0.960 s" in jump.what


def test_the_order_of_decoding_is_no_jump():
    """B pictures stand behind the one they are shown before."""
    order = np.arange(250).reshape(-1, 2)[:, ::-1].ravel()
    assert not assess(survey(EVEN[order], dts_s=EVEN - 0.08)).events


def test_hidden_pictures_are_counted_and_not_shown():
    boxes = {"fragments": 0, "trailing_bytes": 17}
    hidden = np.arange(250) < 44
    finding = assess(survey(EVEN, boxes=boxes, declared=250, hidden=hidden))
    assert values(finding)["pictures_not_shown"] == 44 and values(finding)["trailing_bytes"] == 17
    assert len(finding.evidence["t_s"]) == 206


def test_fragmented_files_declare_no_count_to_hold_against():
    boxes = {"fragments": 9, "trailing_bytes": 0}
    assert "pictures_not_shown" not in values(assess(survey(EVEN, boxes=boxes, declared=25)))


def test_only_the_examined_part_is_told():
    finding = assess(survey(np.delete(EVEN, [60, 200])), interval=Interval(4.0, 9.0))
    assert [e.interval.start_s for e in finding.events] == [EVEN[199]]
    assert finding.covered == (Interval(4.0, 9.0),)


def test_events_are_listed_up_to_a_number_and_all_counted():
    finding = assess(survey(np.delete(EVEN, np.arange(5, 245, 20))), replace(Settings(), most_events=5))
    assert len(finding.events) == 5 and values(finding)["dropped_pictures"] == 12


def test_nothing_is_ever_unusual():
    finding = assess(survey(np.delete(EVEN, [60, 100, 101]), np.arange(300) * 0.03, same=True))
    assert finding.events and not finding.unusual and finding.score is None
    assert not any(m.reference or m.low is not None for m in finding.measurements)


def test_without_a_survey_it_is_refused():
    (finding,) = evidence.assess(replace(scene(survey(EVEN)), survey=None), Settings())
    assert finding.reasons == ("container_not_surveyed",) and not evidence.charts(finding)


def test_a_clip_of_sound_alone_is_assessed_and_drawn():
    sound = survey([], np.arange(400) * 0.02)
    made = replace(planted.scene([], None, interval=Interval(0, 8.0)), survey=replace(sound, picture=None))
    made = replace(made, observation=replace(made.observation, pictures={}))
    (finding,) = evidence.assess(made, Settings())
    assert set(values(finding)) == {"sound_jumps"} and finding.coverage == 1
    (chart,) = evidence.charts(finding)
    assert b"<svg" in plots.svg(chart.figure)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_clips_of_hardly_a_picture_are_assessed(n):
    made = scene(survey(EVEN), decoded_s=EVEN, interval=Interval(0, 10))
    made = replace(made, survey=survey(EVEN[:n], key=True))
    (finding,) = evidence.assess(made, Settings())
    assert finding.state == "assessed" and not finding.events
    for chart in evidence.charts(finding):
        plots.svg(chart.figure)

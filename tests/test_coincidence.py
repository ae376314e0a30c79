"""Breaks planted at one instant fall together more often than by chance; those planted apart do not."""

from pathlib import Path

import numpy as np
import planted
import pytest

from forensics import coincidence
from forensics.finding import About, Event, Question
from forensics.method import Method
from forensics.timeline import Interval

SECONDS = 60.0
ANY = Question("any.question", "one", "other", Method("none", "1", "none"), (), ())


def told(kind, at_s):
    events = tuple(Event(kind, Interval(t - 0.01, t), "planted") for t in at_s)
    return ANY.answer(About(Interval(0, SECONDS), coincidence.Settings()), events=events)


def assessed(cuts, joins, **more):
    """The finding of ``joins`` of the sound, left-out pictures at ``cuts``, and other kinds."""
    track = planted.track(planted.pictures_s(10, SECONDS), planted.face(mouth=np.zeros(600)))
    findings = [told("dropped_pictures", cuts), told("splice", joins), *(told(k, at) for k, at in more.items())]
    return coincidence.assess(planted.scene([track]), findings, coincidence.Settings())


def value(finding, name):
    return finding.measurement(name).value


def test_breaks_planted_together_stand_out():
    at = np.array([7.0, 21.0, 33.5, 48.0])
    finding = assessed(at, at + 0.05)
    assert value(finding, "breaks") == value(finding, "breaks_together") == 8
    assert value(finding, "coincidence_percentile") > 99 and not finding.unusual
    assert [e.interval.start_s for e in finding.events] == pytest.approx(sorted([*at, *(at + 0.05)]), abs=0.02)


def test_breaks_planted_apart_do_not():
    finding = assessed([7.0, 21.0, 33.5, 48.0], [9.0, 15.0, 40.0], light_jump=[55.0])
    assert value(finding, "breaks_together") == 0 and value(finding, "coincidence_percentile") == 0
    assert not finding.events


def test_breaks_of_one_source_do_not_fall_together_with_themselves():
    finding = assessed([7.0, 7.05, 7.1], [30.0])
    assert value(finding, "breaks_together") == 0


def test_by_chance_the_rank_is_spread_evenly():
    """Breaks drawn at random: a rank of 95 and more in about one of twenty, not in a third."""
    random = np.random.default_rng(0)
    drawn = [assessed(random.uniform(1, 59, 40), random.uniform(1, 59, 30)) for _ in range(40)]
    high = np.mean([value(f, "coincidence_percentile") >= 95 for f in drawn])
    assert high <= 0.15
    assert 20 < np.median([value(f, "coincidence_percentile") for f in drawn]) < 75


def test_too_few_breaks_or_of_one_kind_are_refused():
    assert assessed([], []).reasons == assessed([5.0], [5.0]).reasons == assessed([1.0, 2, 3, 4], []).reasons
    assert assessed([], []).reasons == ("too_few_breaks",)


def spanning(kind, start_s, end_s):
    event = Event(kind, Interval(start_s, end_s), "planted")
    return ANY.answer(About(Interval(0, SECONDS), coincidence.Settings()), events=(event,))


def at(*findings):
    track = planted.track(planted.pictures_s(10, SECONDS), planted.face(mouth=np.zeros(600)))
    return coincidence.instants(planted.scene([track]), findings, 0.1)


def test_both_ends_of_a_silence_count_and_those_outside_do_not():
    found = at(spanning("digital_silence", 5.0, 7.0), told("splice", [70.0]))
    assert found["sound"] == pytest.approx([5.0, 7.0]) and list(found) == ["sound"]


def test_a_jump_of_the_offset_lies_in_its_middle_and_a_light_seen_on_two_persons_is_one():
    found = at(spanning("offset_jump", 9.0, 11.0), told("light_jump", [20.0]), told("light_jump", [20.05]))
    assert found["lips"] == pytest.approx([10.0]) and found["light"] == pytest.approx([19.99])


def test_every_kind_is_made_somewhere():
    """A kind that no analysis makes would never count."""
    package = Path(coincidence.__file__).parent
    source = "".join(path.read_text("utf-8") for path in (package / "analysis").rglob("*.py"))
    kinds = [kind for several in coincidence.SOURCES.values() for kind in several]
    assert [kind for kind in kinds if f'"{kind}"' not in source] == []

"""Each analysis finds what was planted in the sample made for it, and nothing in the samples that nothing was done to.

Long samples are examined in the part that holds what was planted: one examination a sample.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from forensics.case import Case
from forensics.pipeline import examine
from forensics.timeline import Interval

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
#: The part examined, s; the others are examined whole.
PART = {
    "talker.mp4": Interval(0.0, 11.0),
    "talker_voice_spliced.mp4": Interval(4.3, 14.2),  # a sentence beside each join
    "talker_band_limited.mp4": Interval(0.0, 4.0),
    "talker_variable_rate.mp4": Interval(0.0, 11.0),
    "talker_distant.mp4": Interval(4.0, 6.0),
}
#: Where nothing was done.
HONEST = (
    "talker.mp4",
    "talker_variable_rate.mp4",
    "talker_distant.mp4",
    "talker_light_on_camera.mp4",
    "two_talkers.mp4",
)
#: What an editor, a lamp or a stranger's sound leave, all facts: none of them in an untouched recording.
TRACES = ("level_jump", "digital_silence", "light_jump", "speech_without_face")


class Seen:
    """The findings on one sample beside the truth of it."""

    def __init__(self, clip: Path, case: Path, truth: dict):
        self.truth, self.part = truth, PART.get(clip.name, Interval(0.0, truth["duration_s"]))
        with Case(case, clip) as opened:
            examination = examine(opened, PART.get(clip.name))
        self.findings, self.tracks = examination.findings, examination.scene.tracks

    def finding(self, question, person=None):
        (found,) = [f for f in self.findings if f.question == question and person in (None, f.person)]
        return found

    def value(self, question, name, person=None):
        return self.finding(question, person).measurement(name)

    def events(self, kind):
        return [e for f in self.findings for e in f.events if e.kind == kind]

    def blinks(self, person="A"):
        """Peaks of the left eye's blinks, s."""
        events = self.finding("blink.rate", person).events
        return [e.details["peak_s"] for e in events if e.details["eye"] == "left"]

    def planted_blinks(self, of=None):
        return [b["peak_s"] for b in (of or self.truth)["blinks"] if b["peak_s"] in self.part]


def sample_folder(spare):
    """The folder of the bundled samples; built into ``spare`` where one is missing."""
    made = ROOT / "samples" / "out"
    if all((made / name).exists() for name in ("truth.json", "talker_no_blinks.mp4", *PART, *HONEST)):
        return made
    subprocess.run([sys.executable, str(ROOT / "samples" / "build.py"), "--out", str(spare)], check=True)
    return spare


@pytest.fixture(scope="session")
def seen(tmp_path_factory):
    """Examine the sample of this name, once."""
    folder = sample_folder(tmp_path_factory.mktemp("samples"))
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["files"]

    @cache
    def look(name):
        return Seen(folder / name, tmp_path_factory.mktemp("cases") / name, truth[name])

    return look


# -- nothing planted, nothing found --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_sample_shows_nothing_unusual_and_no_trace(seen, name):
    assert not seen(name).truth["altered"]
    assert not [(f.question, m.name) for f in seen(name).findings for m in f.measurements if m.unusual]
    assert not [e for kind in TRACES for e in seen(name).events(kind)]


# -- lips ------------------------------------------------------------------------------------------------------------


def test_lips_belong_to_their_own_words_and_not_to_others(seen):
    own, other = (seen(name).finding("lipsync.link") for name in ("talker.mp4", "talker_other_words.mp4"))
    assert own.state == other.state == "assessed"
    assert own.score > own.settings.least_z > other.score
    assert own.measurement("sync_percentile").value > other.measurement("sync_percentile").value


def test_no_offset_is_told_of_other_words(seen):
    assert seen("talker_other_words.mp4").finding("lipsync.offset").reasons == ("sync_not_established",)


@pytest.mark.parametrize("name", ["talker.mp4", "talker_variable_rate.mp4", "talker_light_on_camera.mp4"])
def test_sound_and_lips_lie_together_in_any_dress(seen, name):
    """Left-out frames keep their times; a turned, lit head keeps its lips."""
    offset = seen(name).value("lipsync.offset", "av_offset")
    assert offset.low <= 0 <= offset.high and abs(offset.value) < 40  # one picture


def test_each_of_two_who_speak_in_turn_is_named_while_they_speak(seen):
    """Turns of two seconds are shorter than the window of four: they are named in part, and hardly ever wrong."""
    both = seen("two_talkers.mp4")
    for side, person, other in (("left", "A", "B"), ("right", "B", "A")):
        turns = [Interval(s["start_s"], s["end_s"]) for s in both.truth["persons"][side]["sentences"]]
        named = {p: 0.0 for p in (person, other)}
        for event in both.events("speaks"):
            common = [event.interval & turn for turn in turns]
            named[event.details["person"]] += sum(c.duration for c in common if c)
        spoken = sum(turn.duration for turn in turns)
        print(side, spoken, named)
        assert named[person] > spoken / 2
        assert named[other] < 0.15 * spoken  # half a second where the turns change


# -- blinks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["talker.mp4", "talker_variable_rate.mp4", "talker_light_on_head.mp4", "talker_light_on_camera.mp4"]
)
def test_blinks_are_found_where_they_were_planted(seen, name):
    """Within a picture and a half; two pictures where some are left out."""
    tolerance = 0.08 if name == "talker_variable_rate.mp4" else 0.06
    np.testing.assert_allclose(seen(name).blinks(), seen(name).planted_blinks(), atol=tolerance)


def test_each_of_two_persons_has_their_own_blinks(seen):
    both = seen("two_talkers.mp4")
    for side, person in (("left", "A"), ("right", "B")):
        planted = both.planted_blinks(both.truth["persons"][side])
        np.testing.assert_allclose(both.blinks(person), planted, atol=0.06)


def test_eyes_that_never_move_have_no_rate(seen):
    """Nothing but blinks moved the lids: without them they are a picture's, of which no rate of 0 is told."""
    unblinking = seen("talker_no_blinks.mp4").finding("blink.rate")
    assert unblinking.reasons == ("eyes_still",) and not unblinking.events


# -- light -----------------------------------------------------------------------------------------------------------


def test_a_light_that_stands_still_is_found_where_it_stands(seen):
    camera = seen("talker_light_on_camera.mp4")
    for which in ("azimuth", "elevation"):
        found = camera.value("lighting.direction", f"light_{which}")
        planted = camera.truth["light"][f"{which}_deg"]
        assert found.low <= planted <= found.high and abs(found.value - planted) < 15


@pytest.mark.parametrize("name", ["talker_light_on_head.mp4", "talker_light_on_camera.mp4"])
def test_the_head_is_seen_to_turn_as_planned(seen, name):
    """The model sees about 0.8 of the turn of a picture that is only moved."""
    (track,) = seen(name).tracks
    planned, found = seen(name).truth["yaw_deg_per_frame"], track.quality["yaw"].values
    assert np.corrcoef(planned, found)[0, 1] > 0.98
    assert 0.65 < np.polyfit(planned, found, 1)[0] < 1.05


def test_a_light_that_turns_with_the_head_follows_it_and_one_that_stands_does_not(seen):
    """1 follows wholly, 0 not at all; a control that is refused is no false alarm either."""
    head = seen("talker_light_on_head.mp4").value("lighting.head_fixed", "light_follows_head")
    assert head.low > 0 and abs(head.value - 1) < 0.5
    control = seen("talker_light_on_camera.mp4").finding("lighting.head_fixed")
    if control.state == "assessed":
        still = control.measurement("light_follows_head")
        assert still.low <= 0 and abs(still.value) < 0.5 and still.value < head.low
    else:
        assert control.reasons == ("light_ambiguous",)


def test_a_light_that_jumps_is_found_at_its_instant(seen):
    turned = seen("talker_light_turned.mp4")
    (jump,) = turned.events("light_jump")
    light = turned.truth["light"]
    assert jump.interval.end_s == pytest.approx(light["change_s"], abs=0.2)
    for side in ("before", "after"):
        assert jump.details[f"azimuth_{side}_deg"] == pytest.approx(light[side]["azimuth_deg"], abs=20)


# -- sound -----------------------------------------------------------------------------------------------------------


def test_another_room_is_heard_at_both_joins(seen):
    spliced = seen("talker_voice_spliced.mp4")
    jumps = spliced.events("level_jump")
    np.testing.assert_allclose([j.interval.end_s for j in jumps], spliced.truth["joins_s"], atol=0.3)
    steps = np.diff(spliced.truth["room_tone_dbfs"])
    np.testing.assert_allclose([j.details["step_db"] for j in jumps], steps, atol=3)


def test_the_band_s_limit_is_found_and_the_full_band_has_none(seen):
    limited = seen("talker_band_limited.mp4")
    found = limited.value("voice.recording", "bandwidth").value
    assert found == pytest.approx(limited.truth["band_limit_hz"], rel=0.05)
    assert seen("talker.mp4").value("voice.recording", "bandwidth").value == limited.truth["sound_rate_hz"] / 2


# -- what is too far away --------------------------------------------------------------------------------------------


def test_a_distant_face_is_found_and_refused_for_its_size(seen):
    distant = seen("talker_distant.mp4")
    reasons = {f.question: f.reasons for f in distant.findings if f.person == "A"}
    assert reasons["blink.rate"] == ("eyes_too_small",)
    for question in ("lipsync.link", "lipsync.offset", "lighting.direction", "lighting.head_fixed"):
        assert "face_too_small" in reasons[question]

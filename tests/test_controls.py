"""Controls plant what they say, and tell it where it can be told."""

from dataclasses import replace

import numpy as np
import planted
import pytest

from forensics import controls, pipeline
from forensics.analysis import lighting
from forensics.controls import planting
from forensics.timeline import Audio, Interval

SECONDS = 14.0


@pytest.fixture(scope="module")
def scene():
    """A talking, blinking face and its voice; a lit head's light and close-ups."""
    t_s = planted.pictures_s(25, SECONDS)
    talk = planted.Talk(3, SECONDS)
    opening = talk.opening(t_s)
    lid = planted.lid(t_s, np.arange(1.2, SECONDS, 2.7))
    track = planted.track(
        t_s, planted.face(mouth=0.06 * opening, right_lid=lid, left_lid=lid), jaw=opening, noise_px=0.2
    )
    track = planted.looked_again(planted.looked_closely(track), 0.2)
    audio = planted.voice_of(talk, SECONDS, 0.0, rate_hz=24000)
    return planted.scene([track], audio, [Interval(0.5, SECONDS - 0.5)], mesh=planted.head_mesh()[0])


@pytest.fixture(scope="module")
def found(scene):
    return controls.run(scene, pipeline.Settings(), controls.Settings(voice_s=8.0))


def of(found, kind):
    return [c for c in found if c.kind == kind]


def test_every_kind_is_planted_once_for_each_size(found):
    settings = controls.Settings()
    kinds = [c.kind for c in found]
    assert kinds.count("sound_late") == len(settings.late_ms) and kinds.count("light_jump") == len(settings.light_deg)
    assert {"other_words", "other_words_half", "no_blinks", "light_on_head", "word_cut", "voice_resynthesised"} <= set(
        kinds
    )
    for control in found:
        assert (control.n == 0) == bool(control.reasons) and 0 <= control.told <= control.n
        assert set(control.as_json()) >= {
            "kind",
            "what",
            "question",
            "told_by",
            "n",
            "told",
            "beside_untouched",
            "reasons",
        }


def test_late_sound_and_other_words_are_told_in_clear_speech(found):
    late = of(found, "sound_late")
    assert [c.told for c in late][-1] == late[-1].n == 2
    (words,) = of(found, "other_words")
    assert words.told == words.n == len(controls.Settings().turns)


def test_what_changed_nothing_is_not_told(scene):
    """Alterations of size nothing: the criteria must not fire."""
    none = controls.Settings(late_ms=(0.0,), turns=(0.0,), redder=1.0, lighter=1.0, smoother=1.0, moved_iris=(0.0,))
    silent = replace(scene, observation=replace(scene.observation, audio=None), speech=None)
    found = [c for part in (controls._lips, controls._closeups) for c in part(scene, pipeline.Settings(), none)]
    assert sum(c.n for c in found) >= 6 and all(c.told == 0 for c in found)
    assert {c.kind for c in controls.run(silent, pipeline.Settings())}.isdisjoint({"word_cut", "voice_resynthesised"})


def test_blinks_are_taken_out_and_told():
    """Eyes that nothing but blinks moved are still without them; a hundredth of a pixel is no movement."""
    t_s = planted.pictures_s(25, SECONDS)
    lid = planted.lid(t_s, np.arange(1.2, SECONDS, 2.7))
    face = planted.face(mouth=np.zeros(len(t_s)), right_lid=lid, left_lid=lid)
    scene = planted.scene([planted.track(t_s, face, noise_px=0.01)])
    (control,) = controls._eyes(scene, pipeline.Settings(), controls.Settings())
    assert (control.told, control.n) == (1, 1)


def test_a_missing_blink_is_not_told_in_a_short_clip_whose_eyes_move(found):
    """None in 14 s is nothing unusual, so the control says that it would not have been told."""
    (control,) = of(found, "no_blinks")
    assert (control.told, control.n) == (0, 1)


def test_altered_skin_and_moved_highlights_are_told(found):
    for kind in ("face_redder", "face_lighter", "face_smoother", "highlight_moved"):
        assert all(c.told == c.n > 0 for c in of(found, kind)), kind


def test_a_control_without_an_untouched_answer_says_why(found):
    assert all(c.reasons for c in of(found, "light_jump"))  # the talking face has no mesh of normals


# -- planting --------------------------------------------------------------------------------------------------------


def test_a_cut_takes_out_what_it_says_and_tells_where():
    audio = Audio(np.arange(1000, dtype=np.float32)[:, None], 100, 2.0)
    made, joins = planting.cut(audio, [4.0, 8.0], 0.5)
    assert len(made.samples) == 900 and joins == pytest.approx([4.0, 7.5])
    assert made.samples[199, 0] == 199 and made.samples[200, 0] == 250


def test_pictures_that_are_earlier_are_so_by_what_was_asked():
    track = planted.track(planted.pictures_s(25, 2.0), planted.face(mouth=np.linspace(0, 0.1, 50)))
    moved = planting.early(track, 0.08)
    np.testing.assert_allclose(moved.t_s, track.t_s - 0.08)
    np.testing.assert_allclose(moved.quality["yaw"].t_s, moved.t_s)


def test_a_rolled_face_keeps_what_came_before():
    track = planted.track(planted.pictures_s(25, 4.0), planted.face(mouth=np.linspace(0, 0.1, 100)))
    half = planting.rolled(track, 0.5, since_s=2.0)
    np.testing.assert_array_equal(half.landmarks[:50], track.landmarks[:50])
    np.testing.assert_array_equal(half.landmarks[50:75], track.landmarks[75:])


def test_a_turned_lamp_is_found_where_it_was_turned_to():
    mesh, track = planted.lit_track(10, 10, n=150, ambient=0.3)
    blank = planting.Unlit.of(track, mesh, lighting.Settings())
    scene = planted.scene([blank.turned(60.0, 3.0)], mesh=mesh)
    (jump,) = lighting.assess(scene, lighting.Settings())[0].events
    assert jump.interval.end_s == pytest.approx(3.0, abs=0.1)
    before, after = (jump.details[f"azimuth_{when}_deg"] for when in ("before", "after"))
    assert before == pytest.approx(-30, abs=8) and after == pytest.approx(30, abs=8)


def test_the_first_part_holds_its_close_ups_and_repeats_alone():
    track = planted.looked_again(planted.looked_closely(planted.lit_track(10, 10, n=150)[1]), 0.1)
    part = planting.first_part(track, 2.0)
    assert len(part.t_s) == 50 and part.closeups.row.max() < 50 and part.repeats.row.max() < 50
    assert len(part.closeups.rim_light) == len(part.closeups) == 10


def test_resynthesised_sound_keeps_its_length_and_is_the_same_each_time():
    audio = planted.sound(planted.vowel(150.0, 2.0, 24000), 24000)
    one, other = (planting.resynthesised(audio, Interval(0.0, 2.0)) for _ in range(2))
    np.testing.assert_array_equal(one.samples, other.samples)
    assert one.interval.duration == pytest.approx(2.0, abs=0.05)

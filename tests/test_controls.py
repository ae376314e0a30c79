"""Controls plant what they say, and tell it where it can be told."""

import json
from dataclasses import replace
from pathlib import Path

import corpus
import jsonschema
import numpy as np
import planted
import pytest
import synth

from forensics import cli, controls, custody, decode, encode, observe, pipeline, replay, report
from forensics.analysis import blink, lighting
from forensics.case import Case
from forensics.clip import opened
from forensics.controls import Control, degrading, planting
from forensics.errors import MediaError
from forensics.report import planted as tables
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
    return controls.run(scene, pipeline.Settings(), controls.Settings(voice_s=8.0)).controls


def of(found, kind):
    return [c for c in found if c.kind == kind]


def size_of(found, kind):
    (one,) = [size for size in controls.sizes(found) if size.kind == kind]
    return one


#: Alterations of size nothing.
NOTHING = controls.Settings(
    late_ms=(0.0,),
    turns=(0.0,),
    blinks=(0.0,),
    light_deg=(0.0,),
    redder=(0.0,),
    lighter=(0.0,),
    smoother=(0.0,),
    moved_iris=(0.0,),
    cuts=(1,),
    cut_s=0.0,
)


def test_every_kind_is_planted_once_for_each_size(found):
    settings = controls.Settings()
    kinds = [c.kind for c in found]
    for kind, field in (
        ("sound_late", "late_ms"),
        ("light_jump", "light_deg"),
        ("other_words_part", "replaced"),
        ("no_blinks", "blinks"),
        ("word_cut", "cuts"),
        ("face_redder", "redder"),
    ):
        assert [c.size for c in of(found, kind)] == list(getattr(settings, field)), kind
    assert {"other_words", "light_on_head", "voice_resynthesised"} <= set(kinds)
    for control in found:
        assert (control.n == 0) == bool(control.reasons) and 0 <= control.told <= control.n
        assert (control.appearance == "") == (control.kind in ("word_cut", "voice_resynthesised"))


def test_late_sound_and_other_words_are_told_in_clear_speech(found):
    late = of(found, "sound_late")
    assert [c.told for c in late][-1] == late[-1].n == 2
    assert 20.0 <= size_of(found, "sound_late").smallest <= 160.0
    (words,) = of(found, "other_words")
    assert words.told == words.n == len(controls.Settings().turns)


def test_what_changed_nothing_is_not_told(scene):
    """Alterations of size nothing: the criteria must not fire."""
    silent = replace(scene, observation=replace(scene.observation, audio=None), speech=None)
    parts = (controls._lips, controls._closeups, controls._eyes, controls._joins)
    found = [c for part in parts for c in part(scene, pipeline.Settings(), NOTHING)]
    assert sum(c.n for c in found) >= 8 and all(c.told == 0 for c in found)
    only = controls.run(silent, pipeline.Settings(), NOTHING).controls
    assert {c.kind for c in only}.isdisjoint({"word_cut", "voice_resynthesised"})


def test_a_lamp_that_is_not_turned_is_not_told_and_one_turned_by_60_degrees_is():
    mesh, track = planted.lit_track(10, 10, n=150, ambient=0.3)
    scene = planted.scene([track], mesh=mesh)
    for angle, told in ((0.0, False), (60.0, True)):
        asked = replace(NOTHING, light_deg=(angle,), places=(0.5,))
        lamp = next(c for c in controls._light(scene, pipeline.Settings(), asked) if c.kind == "light_jump")
        assert (lamp.n, lamp.told) == (1, int(told))


def test_blinks_are_taken_out_and_told():
    """Eyes that nothing but blinks moved are still without them; a hundredth of a pixel is no movement."""
    t_s = planted.pictures_s(25, SECONDS)
    lid = planted.lid(t_s, np.arange(1.2, SECONDS, 2.7))
    face = planted.face(mouth=np.zeros(len(t_s)), right_lid=lid, left_lid=lid)
    scene = planted.scene([planted.track(t_s, face, noise_px=0.01)])
    found = list(controls._eyes(scene, pipeline.Settings(), controls.Settings(blinks=(0.0, 100.0))))
    assert [(c.told, c.n) for c in found] == [(0, 1), (1, 1)]
    assert size_of(found, "no_blinks").smallest == 100.0


def test_a_missing_blink_is_not_told_in_a_short_clip_whose_eyes_move(found):
    """None in 14 s is nothing unusual, so the control says that it would not have been told."""
    blinks = size_of(found, "no_blinks")
    assert blinks.trials[-1] == (100.0, 1, 0) and not blinks.told and blinks.smallest is None


def test_altered_skin_and_moved_highlights_are_told_from_some_size_on(found):
    for kind in ("face_redder", "face_lighter", "face_smoother", "highlight_moved"):
        one = size_of(found, kind)
        # Not each larger one: a face smoothed to nothing holds no detail to compare.
        assert any(n == told > 0 for _, n, told in one.trials) and one.smallest <= one.trials[-1][0], kind


def test_a_control_without_an_untouched_answer_says_why(found):
    assert all(c.reasons for c in of(found, "light_jump"))  # the talking face has no mesh of normals


def test_sizes_are_put_side_by_side_in_ascending_order():
    """The smallest told in every trial; larger ones that are not are named."""
    late = [Control("late", "", "q", "", 2, told, (), False, ms, "ms") for ms, told in ((80, 2), (20, 1), (160, 1))]
    (one,) = controls.sizes(late)
    assert one.trials == ((20, 2, 1), (80, 2, 2), (160, 2, 1)) and (one.smallest, one.missed) == (80, [160])
    (none,) = controls.sizes([replace(c, told=0) for c in late])
    assert (none.told, none.smallest, none.missed) == (False, None, [])
    (refused,) = controls.sizes([replace(c, n=0, told=0, reasons=("no_speech",)) for c in late])
    assert refused.trials == () and refused.reasons == ("no_speech",)


def test_the_longest_appearances_are_planted_in_and_the_others_named(scene):
    """Each on its own; one that no question answers about is named too."""
    (long,) = scene.tracks
    short = replace(planting.first_part(long, 1.0), name="B1")
    other = replace(planting.first_part(long, 12.0), name="C1")
    quick = replace(NOTHING, appearances=2)
    silent = replace(scene, observation=replace(scene.observation, audio=None), speech=None)
    done = controls.run(replace(silent, tracks=[short, long, other]), pipeline.Settings(), quick)
    assert {c.appearance for c in done.controls} == {long.name, "C1"} and done.left == (("B1", "others_longer"),)
    done = controls.run(replace(silent, tracks=[short, long]), pipeline.Settings(), quick)
    assert {c.appearance for c in done.controls} == {long.name} and done.left == (("B1", "nothing_answered"),)


# -- degraded copies -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Textured pictures at uneven times, and clicks; its times."""
    rng = np.random.default_rng(0)
    pictures = [np.kron(rng.integers(0, 255, (15, 20, 3), np.uint8), np.ones((8, 8, 1), np.uint8)) for _ in range(40)]
    t_s = [0.0, *np.cumsum(rng.choice([0.033, 0.067, 0.04], 39)).round(3).tolist()]
    sound = synth.Sound(synth.click([0.5, 0.9], 2.0))
    return synth.write(tmp_path_factory.mktemp("film") / "a.mp4", synth.Pictures(pictures, t_s), sound), t_s


KINDS = degrading.kinds(controls.Settings())


def copied(path, folder, kinds=KINDS):
    folder.mkdir()
    with opened(path) as fd:
        return degrading.make(fd, 0, 1, Interval(0.3, 1.2), kinds, folder)


def seen(path):
    """Times and pictures of a copy; times of its clicks."""
    with opened(path) as fd:
        shown = [(p.t_s, p.rgb()) for p in decode.pictures(fd, 0, decode.Losses())]
        blocks = list(decode.sound(fd, 1))
    samples = np.concatenate([arrays["samples"] for _, arrays in blocks if "samples" in arrays])[:, 0]
    loud = np.flatnonzero(abs(samples) > 0.3) / blocks[0][0]["rate_hz"] + blocks[0][0]["start_s"]
    return *zip(*shown, strict=True), loud


def test_copies_keep_the_times_of_pictures_and_sound_to_the_tick(film, tmp_path):
    path, t_s = film
    numbers = copied(path, tmp_path / "copies")
    own = np.array([t for t in t_s if 0.3 <= t < 1.2])
    for kind in KINDS:
        times, pictures, clicks = seen(tmp_path / "copies" / f"{kind.name}.mov")
        assert len(times) == numbers[kind.name] and pictures[0].shape[0] == 120 // kind.shrink
        if kind.fps:
            np.testing.assert_allclose(np.diff(times), 1 / 15, atol=1e-9)
        else:
            np.testing.assert_allclose(times, own - own[0], atol=1e-9)
        assert clicks[0] == pytest.approx(0.5 - own[0], abs=0.001)


def test_a_lower_rate_shows_at_each_tick_what_was_shown_then(film, tmp_path):
    path, t_s = film
    slow = tuple(kind for kind in KINDS if kind.fps)
    copied(path, tmp_path / "copies", slow)
    times, pictures, _ = seen(tmp_path / "copies" / f"{slow[0].name}.mov")
    with opened(path) as fd:
        whole = [p.rgb().astype(float) for p in decode.pictures(fd, 0, decode.Losses())]
    first = next(t for t in t_s if t >= 0.3)
    for t, picture in zip(times, pictures, strict=True):
        nearest = int(np.argmin([np.abs(picture - other).mean() for other in whole]))
        assert nearest == np.searchsorted(t_s, first + t + 1e-6, "right") - 1


def test_copies_are_as_bad_as_they_say_and_the_same_each_time(film, tmp_path):
    path, t_s = film
    for run in ("a", "b"):
        copied(path, tmp_path / run)
    with opened(path) as fd:
        whole = {round(p.t_s, 3): p.rgb().astype(float) for p in decode.pictures(fd, 0, decode.Losses())}
    first, error = next(t for t in t_s if t >= 0.3), {}
    for kind in KINDS:
        one, other = (tmp_path / run / f"{kind.name}.mov" for run in ("a", "b"))
        assert one.read_bytes() == other.read_bytes(), kind.name
        if not kind.fps and kind.shrink == 1:
            times, pictures, _ = seen(one)
            error[kind.name] = np.std([p - whole[round(t + first, 3)] for t, p in zip(times, pictures, strict=True)])
    assert error["crf_23"] < error["crf_30"] < error["crf_38"]
    fine = np.std([p.astype(float) for p in seen(tmp_path / "a" / "noise.mov")[1]])
    assert error["noise"] > 0.7 * controls.Settings().noise_sd and fine > 0


def test_a_wheel_without_the_encoder_refuses_by_code(film, monkeypatch):
    monkeypatch.setattr(encode, "ENCODER", "libnone")
    with opened(film[0]) as fd, pytest.raises(MediaError, match="E_NO_ENCODER"):
        next(encode.copies(fd, 0, 1, [0.0, 1.0], [vars(KINDS[0])], degrading.MOST_BYTES))


def test_copies_that_would_not_fit_are_refused_while_they_are_made(film, tmp_path, monkeypatch):
    monkeypatch.setattr(degrading, "MOST_BYTES", 1000)
    with pytest.raises(MediaError, match="E_TOO_LARGE: The copies"):
        copied(film[0], tmp_path / "a")
    assert not list((tmp_path / "a").iterdir())


def test_the_part_copied_is_the_longest_appearance_where_most_is_spoken(scene):
    (track,) = scene.tracks
    assert degrading.part(scene, 20.0, 2.0) is None
    late = replace(scene, speech=[Interval(7.0, SECONDS - 0.5)])
    assert degrading.part(late, 6.0, 2.0) == Interval(6.0, 12.0)
    brief = replace(scene, tracks=[planting.first_part(track, 3.0)])
    assert degrading.part(brief, 6.0, 2.0) == brief.tracks[0].interval


def test_answers_are_compared_with_the_interval_they_had(scene):
    before = lighting.assess(scene, lighting.Settings())
    shifted = [
        replace(f, measurements=tuple(replace(m, value=m.value, low=m.low, high=m.high) for m in f.measurements))
        for f in before
    ]
    assert not any(answer.outside for answer in degrading.compared(before, shifted))
    assessed = next(f for f in before if any(m.low is not None for m in f.measurements))
    (m, *rest) = sorted(assessed.measurements, key=lambda m: m.low is None)
    width = m.high - m.low
    moved = replace(m, value=m.value + 3 * width, low=m.low + 3 * width, high=m.high + 3 * width)
    (answer,) = degrading.compared([assessed], [replace(assessed, measurements=(moved, *rest))])
    assert answer.outside == [m.name]
    (gone,) = degrading.compared([assessed], [])
    assert gone.after == ("face_not_found",) and gone.outside == []


def test_the_face_of_a_copy_is_the_one_at_the_same_place_and_time(scene):
    (track,) = scene.tracks
    small = replace(track, name="Z1", landmarks=track.landmarks[:] / 2, t_s=track.t_s - 1.0)
    far = replace(track, name="Y1", landmarks=track.landmarks[:] / 2 + 4000.0, t_s=track.t_s - 1.0)
    copy = replace(scene, tracks=[far, small])
    assert degrading.same(copy, track, 1.0, 0.5).tracks == [small]
    assert degrading.same(replace(scene, tracks=[far]), track, 1.0, 0.5) is None


# -- in a case -------------------------------------------------------------------------------------------------------

#: One size of each planting: what is asked here is how copies are made, kept and told of.
FEW = pipeline.Settings(
    controls=controls.Settings(
        planted=True,
        crf=(38,),
        late_ms=(80.0,),
        turns=(0.5,),
        light_deg=(60.0,),
        places=(0.5,),
        redder=(10.0,),
        lighter=(20.0,),
        smoother=(30.0,),
        moved_iris=(20.0,),
    )
)


def test_copies_are_derivations_of_the_case_examined_by_the_same_pass(face_clip, tmp_path, kept, monkeypatch):
    """Logged with their hashes, in the report, found again by a second run, and removable."""
    kept(face_clip)
    with Case(tmp_path / "case", face_clip) as case:
        done = pipeline.report(case, settings=FEW)
        told = custody.told(case.entries())
        monkeypatch.setattr(degrading, "make", None)
        monkeypatch.setattr(observe, "see", None)
        again = pipeline.report(case, settings=FEW)
        assert again.controls == done.controls
    copies = {Path(name).stem: digest for name, (digest, _) in told.items() if name.endswith(".mov")}
    assert set(copies) == {"crf_38", "size_2", "noise"}  # the clip has 10 pictures/s: none of 15 is made of it
    found = json.loads((case.folder / "findings.json").read_text("utf-8"))
    jsonschema.validate(found, report.schema())
    one, *others = found["controls"]["copies"]
    assert [c["name"] for c in (one, *others)] == ["part", "crf_38", "size_2", "noise"]
    assert {c["pictures"] for c in (one, *others)} == {50} and not any(c["refused"] for c in others)
    assert all(len(c["answers"]) > 5 for c in others) and found["controls"]["part"] == pytest.approx(
        [0.0, 5.0], abs=0.1
    )
    assert {"controls.csv"} <= {p.name for p in (case.folder / "tables").iterdir()}
    html = (case.folder / "report.html").read_text("utf-8")
    assert "Controls planted in this recording" in html and "CRF 38" in html
    assert not custody.verify(case.folder).bad
    with Case(tmp_path / "case", face_clip) as case:
        case.discard()
    assert not custody.verify(case.folder).bad and not list(case.folder.rglob("*.mov"))


def test_a_recording_of_sound_alone_is_planted_in_but_not_copied(tmp_path):
    path = synth.write(tmp_path / "talk.mkv", synth.Sound(synth.tone(2.0), codec="pcm_s16le", sample_format="s16"))
    with Case(tmp_path / "case", path) as case:
        done = pipeline.report(case, settings=FEW).controls
    assert done.refused == ("no_picture",) and done.copies == () and not list(case.folder.rglob("*.mov"))
    assert {c.kind for c in done.controls} == {"word_cut", "voice_resynthesised"}
    assert "No degraded copies were examined. The file holds no picture." in (case.folder / "report.html").read_text()


def test_without_an_encoder_the_report_says_so(face_clip, tmp_path, monkeypatch):
    def refuse(*_):
        raise MediaError("E_NO_ENCODER", "There is none.", "Install it.")

    monkeypatch.setattr(degrading, "make", refuse)
    with Case(tmp_path / "case", face_clip) as case:
        done = pipeline.examine(case, settings=FEW).controls
        assert done.refused == ("E_NO_ENCODER",) and "copies_refused" in [e["action"] for e in case.entries()]
    assert "No encoder of H.264" in tables.notes({"left": [], "copies": [], "refused": list(done.refused)})[0]


def test_the_command_examines_as_the_case_was_examined(tmp_path, monkeypatch, capsys):
    """Part and settings are those of its last report; a short table is printed."""
    path = synth.write(tmp_path / "talk.mkv", synth.Sound(synth.tone(3.0), codec="pcm_s16le", sample_format="s16"))
    with Case(tmp_path / "case", path) as case:
        pipeline.report(case, Interval(0.5, 2.5), pipeline.Settings(blink=blink.Settings(task="reading")))
    monkeypatch.setattr("sys.argv", ["forensics", "controls", str(path), "--out", str(case.folder)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    with Case(tmp_path / "case", path) as case:
        interval, settings = replay.as_before(case.entries())
    assert (interval, settings.blink.task, settings.controls.planted) == (Interval(0.5, 2.5), "reading", True)
    printed = capsys.readouterr().out
    assert "sound" in printed and "cannot be told here" in printed.lower()


@pytest.mark.parametrize("name", ["hls", "html"])
def test_a_hostile_file_is_refused_as_by_a_report(name, tmp_path, monkeypatch, capsys):
    (tmp_path / "evidence").mkdir()
    path = corpus.named(tmp_path / "evidence", name, (corpus.INDIRECT | corpus.NOT_MEDIA)[name])
    monkeypatch.setattr("sys.argv", ["forensics", "controls", str(path), "--out", str(tmp_path / "case")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = {"hls": "E_INDIRECT", "html": "E_NOT_MEDIA"}[name]
    assert ended.value.code == 3 and capsys.readouterr().err.startswith(code)


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

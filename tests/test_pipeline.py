"""The whole path on the bundled sample, against what was planted in it, against itself, and against stored numbers.

``python tests/test_pipeline.py`` stores the numbers anew (tests/golden/talker.json), once the version of the method
that changed has been raised.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from forensics import landmarks, observe, search, speech, tracks
from forensics.case import Case
from forensics.pipeline import Settings, examine, report
from forensics.timeline import DiskArray, Interval, share

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden" / "talker.json"
TALKER, LATE = "talker.mp4", "talker_sound_200ms_late.mp4"
EXCERPT = Interval(4.4, 9.0)

pytestmark = pytest.mark.slow


# -- runs ----------------------------------------------------------------------------------------------------------


def find_samples(spare):
    """The folder of the bundled samples; built into ``spare`` where they are not there yet."""
    made = ROOT / "samples" / "out"
    if all((made / name).exists() for name in (TALKER, LATE, "truth.json")):
        return made
    subprocess.run([sys.executable, str(ROOT / "samples" / "build.py"), "--out", str(spare)], check=True)
    return spare


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return find_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def truth(samples):
    return json.loads((samples / "truth.json").read_text(encoding="utf-8"))["files"][TALKER]


class Run:
    """One report on one clip in a case of its own."""

    def __init__(self, clip, folder, **settings):
        self.clip, self.folder, self.steps = clip, folder, []
        self.settings = Settings(observe=observe.Settings(**settings))

    def report(self, interval=None):
        with Case(self.folder, self.clip) as case:
            self.examination = report(case, interval, self.settings, lambda *step: self.steps.append(step))
        return self

    def measurement(self, name):
        return next(m for f in self.examination.findings for m in f.measurements if m.name == name)

    def events(self, kind):
        return [e for f in self.examination.findings for e in f.events if e.kind == kind]

    def files(self, pattern):
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in sorted(self.folder.glob(pattern))}

    def observed(self):
        """The arrays of the one pass, as bytes."""
        return {p.name: p.read_bytes() for p in self.folder.glob("cache/*/*.npy")}


@pytest.fixture(scope="module")
def plain(samples, tmp_path_factory):
    return Run(samples / TALKER, tmp_path_factory.mktemp("plain") / "case").report()


@pytest.fixture(scope="module")
def excerpt(samples, tmp_path_factory):
    return Run(samples / TALKER, tmp_path_factory.mktemp("excerpt") / "case").report(EXCERPT)


# -- the planted truth ---------------------------------------------------------------------------------------------


def test_every_question_is_answered_for_the_one_person(plain):
    asked = [(f.question, f.person, f.state) for f in plain.examination.findings]
    assert asked == [
        ("lipsync.link", "A", "assessed"),
        ("lipsync.offset", "A", "assessed"),
        ("lipsync.closure", "A", "assessed"),
        ("lipsync.kinematics", "A", "assessed"),
        ("lipsync.coverage", "A", "assessed"),
        ("lipsync.speaker", None, "assessed"),
        ("blink.rate", "A", "assessed"),
        ("blink.gaze", "A", "assessed"),
        ("lighting.direction", "A", "assessed"),
        ("lighting.head_fixed", "A", "not_assessable"),
        ("lighting.between_faces", "A", "not_assessable"),
        ("lighting.surround", "A", "assessed"),
        ("lighting.highlights", "A", "assessed"),
        ("voice.measures", None, "assessed"),
        ("voice.recording", None, "assessed"),
        ("voice.take", None, "not_assessable"),
        ("voice.spectrum", None, "assessed"),
        ("voice.synthesis", None, "assessed"),
        ("evidence.container", None, "assessed"),
        ("coincidence.instants", None, "not_assessable"),
    ]


def test_sound_and_lips_of_the_untouched_copy_lie_together(plain):
    """Within one picture, 40 ms; the interval holds the truth, 0."""
    offset = plain.measurement("av_offset")
    assert abs(offset.value) < 40 and offset.low <= 0 <= offset.high


def test_the_copy_with_late_sound_is_200_ms_later(plain, samples, tmp_path):
    with Case(tmp_path / "case", samples / LATE) as case:
        findings = examine(case).findings
    late = next(f for f in findings if f.question == "lipsync.offset").measurement("av_offset")
    assert late.value - plain.measurement("av_offset").value == pytest.approx(200, abs=15)
    blinks = [e.details["peak_s"] for f in findings for e in f.events if e.kind == "blink"]
    assert blinks == [e.details["peak_s"] for e in plain.events("blink")]  # its picture is the same


def test_the_planted_blinks_are_counted_each_within_60_ms(plain, truth):
    """A picture and a half at 25 a second."""
    planted = [b["peak_s"] for b in truth["blinks"]]
    assert plain.measurement("blink_rate").n == len(planted) == 7
    for eye in ("right", "left"):
        found = [e.details["peak_s"] for e in plain.events("blink") if e.details["eye"] == eye]
        np.testing.assert_allclose(found, planted, atol=0.060)


def test_speech_is_found_where_the_sentences_are(plain, truth):
    heard = plain.examination.scene.speech
    for sentence in truth["sentences"]:
        assert share(heard, Interval(sentence["start_s"], sentence["end_s"])) > 0.85, sentence["text"]
    assert not any(t in i for i in heard for t in (0.1, 18.8))  # room tone at both ends


def test_one_face_in_one_shot_without_a_freeze(plain, truth):
    scene = plain.examination.scene
    (track,) = scene.tracks
    assert (track.name, len(track.t_s)) == ("A1", truth["frames"])
    assert len(scene.shots) == 1 and not scene.freezes and not scene.brief


def test_an_untouched_recording_has_no_event_that_is_unusual(plain):
    assert not any(f.unusual for f in plain.examination.findings)
    assert not plain.events("level_jump") and not plain.events("digital_silence")


# -- the same again ------------------------------------------------------------------------------------------------


def test_two_runs_with_other_numbers_of_workers_give_the_same_bytes(excerpt, samples, tmp_path):
    again = Run(samples / TALKER, tmp_path / "case", workers=1).report(EXCERPT)
    assert (again.settings.observe.workers, excerpt.settings.observe.workers) == (1, 2)
    assert not again.examination.from_cache and again.observed() == excerpt.observed()
    for pattern, least in (("findings.json", 1), ("tables/*.csv", 5), ("charts/*.svg", 5), ("stills/*.jpg", 1)):
        assert again.files(pattern) == excerpt.files(pattern)
        assert len(again.files(pattern)) >= least


def test_a_second_run_of_a_case_takes_the_pass_from_its_cache(excerpt):
    steps = []
    with Case(excerpt.folder, excerpt.clip) as case:
        again = examine(case, EXCERPT, excerpt.settings, lambda *step: steps.append(step))
    assert again.from_cache and not excerpt.examination.from_cache
    assert [f.as_json() for f in again.findings] == [f.as_json() for f in excerpt.examination.findings]
    assert "looking" not in dict(steps)


def test_another_setting_of_the_pass_is_not_taken_from_the_cache(excerpt):
    settings = Settings(observe=observe.Settings(cell_s=1.0))
    with Case(excerpt.folder, excerpt.clip) as case:
        other = examine(case, EXCERPT, settings)
    assert not other.from_cache
    np.testing.assert_array_equal(other.scene.tracks[0].landmarks[:], excerpt.examination.scene.tracks[0].landmarks[:])


def test_another_part_of_the_clip_is_not_taken_from_the_cache(excerpt):
    with Case(excerpt.folder, excerpt.clip) as case:
        other = examine(case, Interval(0.0, 1.2))
    assert not other.from_cache
    assert (other.scene.tracks[0].t_s[0], len(other.scene.tracks[0].t_s)) == (0.0, 30)


# -- an excerpt ----------------------------------------------------------------------------------------------------


def test_an_excerpt_holds_the_events_inside_it_and_no_other(excerpt, plain):
    inside = [e.details["frame"] for e in plain.events("blink") if e.details["peak_s"] in EXCERPT]
    assert [e.details["frame"] for e in excerpt.events("blink")] == inside
    assert len(inside) == 4  # two blinks of two eyes
    for finding in excerpt.examination.findings:
        assert all(e.interval.start_s >= EXCERPT.start_s and e.interval.end_s <= EXCERPT.end_s for e in finding.events)
        assert all(c.start_s >= EXCERPT.start_s and c.end_s <= EXCERPT.end_s + 0.04 for c in finding.covered)
        assert finding.coverage <= 1


def test_an_excerpt_sees_the_same_pictures_as_the_whole(excerpt, plain):
    part, whole = (run.examination.scene.tracks[0] for run in (excerpt, plain))
    rows = np.isin(whole.frame, part.frame)
    np.testing.assert_array_equal(part.t_s, whole.t_s[rows])
    assert EXCERPT.start_s <= part.t_s[0] < EXCERPT.start_s + 0.04 and part.t_s[-1] < EXCERPT.end_s
    for name in ("landmarks", "blendshapes", "vertex_rgb"):
        np.testing.assert_array_equal(getattr(part, name)[:], getattr(whole, name)[:][rows])


def test_an_excerpt_is_told_as_such(excerpt, plain):
    clip = json.loads(excerpt.files("findings.json")["findings.json"])["clip"]
    assert not json.loads(plain.files("findings.json")["findings.json"])["clip"]["excerpt"]
    assert clip["excerpt"] and clip["examined"] == [EXCERPT.start_s, EXCERPT.end_s]


# -- the pass ------------------------------------------------------------------------------------------------------


def test_progress_rises_to_the_end(plain):
    assert plain.steps[-1] == ("done", 1.0)
    for name in dict(plain.steps):
        shares = [s for what, s in plain.steps if what == name]
        assert all(0 <= s <= 1 for s in shares) and shares == sorted(shares), name
    assert max(s for what, s in plain.steps if what == "looking") > 0.9


def test_large_arrays_stay_on_disk(plain):
    observation = plain.examination.scene.observation
    assert isinstance(observation.audio.samples, DiskArray)
    assert all(isinstance(a, DiskArray) for a in observation.faces.values())


def test_light_is_known_at_every_landmark_inside_the_picture(plain):
    """A wrong call of OpenCV left a third of them unknown; nothing else showed it."""
    track = plain.examination.scene.tracks[0]
    assert np.isfinite(track.vertex_rgb[:]).mean() > 0.99


# -- stored numbers ------------------------------------------------------------------------------------------------

#: What another processor may change: far below each measurement's own interval.
TOLERANCE = {
    "sync_percentile": 0.9,
    "av_offset": 3.0,
    "speaker_known": 4.0,
    "closure_rate": 4.0,
    "closure_percentile": 4.0,
    "lip_opening": 0.1,
    "opening_range": 0.2,
    "opening_speed": 1.0,
    "gesture_rate": 0.05,
    "spread_range": 0.2,
    "spread_speed": 1.0,
    "spread_frequency": 0.05,
    "opening_with_spread": 0.02,
    "corner_agreement": 0.02,
    "speech_without_lips": 4.0,
    "lips_without_speech": 4.0,
    "mouth_opening_error": 0.01,
    "openness_error": 0.003,
    "blink_rate": 0.05,
    "blink_rate_steady": 0.05,
    "blink_duration": 1.5,
    "blink_closing": 1.5,
    "blink_opening": 1.5,
    "eye_lag": 0.0,
    "inter_blink_interval": 0.02,
    "blink_regularity": 0.01,
    "gaze_azimuth": 0.5,
    "gaze_elevation": 0.5,
    "gaze_spread": 0.3,
    "gaze_error": 0.2,
    "vergence": 0.7,
    "iris_ratio": 0.01,
    "iris_roundness": 0.01,
    "light_azimuth": 2.0,
    "light_elevation": 2.0,
    "light_directionality": 0.03,
    "light_condition": 0.3,
    "surround_light": 0.01,
    "surround_side": 0.02,
    "surround_red": 0.01,
    "surround_blue": 0.01,
    "surround_detail": 0.02,
    "surround_flicker": 0.5,
    "highlight_shift_x": 1.0,
    "highlight_shift_y": 1.0,
    "highlight_share": 5.0,
    "f0_median": 0.8,
    "jitter_local": 0.03,
    "shimmer_local": 0.4,
    "hnr": 0.2,
    "formant_1": 4.0,
    "formant_2": 8.0,
    "formant_3": 15.0,
    "articulation_rate": 0.1,
    "bandwidth": 50.0,
    "noise_floor": 0.1,
    "harmonic_contrast_low": 0.5,
    "harmonic_contrast_middle": 0.5,
    "harmonic_contrast_high": 0.2,
    "fine_play": 0.1,
    "codec_holes": 0.01,
    "synthesis_score": 0.02,
    # Counted in the file, the same everywhere:
    "key_picture_distance": 0.0,
    "uneven_steps": 0.0,
    "picture_gaps": 0.0,
    "dropped_pictures": 0.0,
    "repeated_pictures": 0.0,
    "pictures_not_shown": 0.0,
    "trailing_bytes": 0.0,
    "sound_jumps": 0.0,
}


def golden_of(examination):
    """Versions of the methods, and the measurements with the versions they rest on."""
    shared = {m.__name__.rpartition(".")[2]: m.METHOD.version for m in (observe, search, landmarks, tracks, speech)}
    return {
        "shared": shared,
        "findings": {
            f.question: {
                "version": f.method.version,
                "events": len(f.events),
                "measurements": {m.name: [m.value, m.unit] for m in f.measurements},
            }
            for f in examination.findings
        },
    }


def differences(stored, now):
    """What differs from the stored numbers, in sentences that say what to do."""
    store = "store the numbers anew: python tests/test_pipeline.py"
    if stored["shared"] != now["shared"]:
        return [f"The shared methods' versions are {now['shared']}, stored are {stored['shared']}: {store}."]
    told = []
    if stored["findings"].keys() != now["findings"].keys():
        told.append(
            f"Other questions than stored, {sorted(stored['findings'].keys() ^ now['findings'].keys())}: {store}."
        )
    for question in stored["findings"].keys() & now["findings"].keys():
        was, is_ = stored["findings"][question], now["findings"][question]
        if was["version"] != is_["version"]:
            told.append(f"{question} has version {is_['version']}, stored is {was['version']}: {store}.")
        elif changed := _changed(was, is_):
            told.append(
                f"{question} gives other numbers under the same version {is_['version']} ({'; '.join(changed)}): "
                "raise the version of the METHOD whose numbers changed (of this analysis, or of observe, search, "
                f"landmarks, tracks or speech), note it in CHANGELOG.md, and {store}."
            )
    return told


def _changed(was, is_):
    changed = [] if was["events"] == is_["events"] else [f"events: {was['events']} became {is_['events']}"]
    for name in sorted(was["measurements"].keys() | is_["measurements"].keys()):
        before, after = was["measurements"].get(name), is_["measurements"].get(name)
        same = before and after and before[1] == after[1] and abs(before[0] - after[0]) <= TOLERANCE[name]
        if not same:
            changed.append(f"{name}: {before} became {after}")
    return changed


def test_numbers_change_only_with_their_method_s_version(plain):
    told = differences(json.loads(GOLDEN.read_text(encoding="utf-8")), golden_of(plain.examination))
    assert not told, "\n".join(told)


def made_up(value=12.0, version="1", shared="1", events=2):
    return {
        "shared": {"observe": shared},
        "findings": {
            "blink.rate": {"version": version, "events": events, "measurements": {"blink_rate": [value, "1/min"]}}
        },
    }


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (made_up(), None),
        (made_up(12.04), None),
        (made_up(12.5), "raise the version of the METHOD"),
        (made_up(events=3), "events: 2 became 3"),
        (made_up(12.5, version="2"), "blink.rate has version 2, stored is 1: store the numbers anew"),
        (made_up(12.5, shared="2"), "The shared methods' versions are"),
    ],
)
def test_the_comparison_with_stored_numbers_tells_what_to_do(now, words):
    told = differences(made_up(), now)
    assert (told == []) if words is None else (len(told) == 1 and words in told[0])


def test_every_tolerance_is_less_than_half_of_its_measurement_s_interval(plain):
    for finding in plain.examination.findings:
        for m in finding.measurements:
            if m.low is not None and m.high > m.low:
                assert TOLERANCE[m.name] <= (m.high - m.low) / 2, m.name


def store():
    """Write the golden file from a fresh run."""
    with tempfile.TemporaryDirectory() as folder:
        clip = find_samples(Path(folder) / "samples") / TALKER
        with Case(Path(folder) / "case", clip) as case:
            golden = golden_of(examine(case))
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    store()

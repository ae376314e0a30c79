"""The samples: their truth is checked on the finished files, by the model that the house uses."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from scipy.signal import correlate
from scipy.spatial import Delaunay

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
sys.path.insert(0, str(SAMPLES))  # a folder of scripts, not a package: its modules import each other by name

import build  # noqa: E402
import films  # noqa: E402
import media  # noqa: E402
import motion  # noqa: E402
import relief  # noqa: E402
import script as scripts  # noqa: E402
import speech  # noqa: E402

from forensics.landmarks import BLENDSHAPES, FaceModel  # noqa: E402

pytestmark = pytest.mark.slow

IN_STEP, LATE = "talker.mp4", "talker_sound_200ms_late.mp4"
OTHER_WORDS, SPLICED, LIMITED, UNEVEN = (
    f"talker_{name}.mp4" for name in ("other_words", "voice_spliced", "band_limited", "variable_rate")
)
#: One drawn picture for all; what else is drawn is looked at in test_planted.py.
ONE_PICTURE = (IN_STEP, LATE, OTHER_WORDS, SPLICED, LIMITED, UNEVEN)
UPPER_LIP, LOWER_LIP, FOREHEAD, CHIN = 13, 14, 10, 152  # face mesh: inner lips, ends of the face's height
BLINKS = [BLENDSHAPES.index("eyeBlinkLeft"), BLENDSHAPES.index("eyeBlinkRight")]


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder that ``python samples/build.py`` writes: make builds it anew when a script there changes."""
    return SAMPLES / "out"


@pytest.fixture(scope="session")
def truth(samples: Path) -> dict[str, Any]:
    return dict(json.loads((samples / "truth.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def seen(samples: Path) -> dict[str, np.ndarray]:
    """Every decoded frame of the clip as the model sees it: opening per face height, blink scores."""
    faces, opening, blink = [], [], []
    with av.open(str(samples / IN_STEP)) as clip, FaceModel() as model:
        for frame in clip.decode(video=0):
            found = model.detect(frame.to_ndarray(format="rgb24"))
            faces.append(len(found))
            points = found[0].landmarks[:, :2]
            height = np.linalg.norm(points[FOREHEAD] - points[CHIN])
            opening.append(np.linalg.norm(points[UPPER_LIP] - points[LOWER_LIP]) / height)
            blink.append(found[0].blendshapes[BLINKS])
    return {"faces": np.array(faces), "opening": np.array(opening), "blink": np.array(blink)}


@pytest.fixture(scope="session")
def script() -> build.Script:
    return build.write_script()


def frames_at(truth: dict[str, Any], kind: str, key: str) -> list[int]:
    """The frames nearest to the events' instants."""
    return [round(event[key] * truth["files"][IN_STEP]["fps"]) for event in truth["files"][IN_STEP][kind]]


def test_truth_names_every_file_and_what_was_done(samples: Path, truth: dict[str, Any]) -> None:
    assert truth["schema"] == build.SCHEMA
    assert set(truth["files"]) == {p.name for p in samples.glob("*.mp4")} > set(ONE_PICTURE)
    assert [truth["files"][n]["av_offset_ms"] for n in ONE_PICTURE] == [0, 200, None, 0, 0, 0]
    assert [truth["files"][n]["altered"] for n in ONE_PICTURE] == [False, True, True, True, True, False]
    assert {"av", "mediapipe", "numpy", "espeakng-loader", "espeak-ng"} <= set(truth["software"])
    for facts in (truth["files"][name] for name in ONE_PICTURE):
        for kind in ("phonemes", "sentences", "bilabial_closures"):
            assert all(0 <= e["start_s"] < e["end_s"] <= facts["duration_s"] for e in facts[kind])
        assert all(b["onset_s"] < b["peak_s"] < b["offset_s"] for b in facts["blinks"])
        assert len(facts["blinks"]) >= 6 and len(facts["bilabial_closures"]) >= 30
        assert str(ROOT) not in json.dumps(facts)


def test_every_bilabial_spoken_has_one_closure_near_it(truth: dict[str, Any]) -> None:
    facts = truth["files"][IN_STEP]
    spoken = [p for p in facts["phonemes"] if p["name"].strip("',") in speech.BILABIALS]
    assert [p["name"] for p in spoken] == [c["phoneme"] for c in facts["bilabial_closures"]]
    for phoneme, closure in zip(spoken, facts["bilabial_closures"], strict=True):
        assert phoneme["start_s"] - speech.STOP_LOOK_BACK_S <= closure["centre_s"] <= phoneme["end_s"]


def test_plan_is_the_same_bytes_twice(script: build.Script) -> None:
    again = build.write_script()
    for described in (build.describe, lambda s: build.describe_file(s, 200)):
        assert json.dumps(described(script)) == json.dumps(described(again))
    assert build.sound(script, 200).tobytes() == build.sound(again, 200).tobytes()


def test_truth_is_the_script_s(script: build.Script, truth: dict[str, Any]) -> None:
    described = json.loads(json.dumps(build.describe(script)))
    assert {key: truth[key] for key in described} == described


@pytest.mark.parametrize("name", [IN_STEP, LATE])
def test_streams_start_together_and_last_as_long(samples: Path, truth: dict[str, Any], name: str) -> None:
    facts = truth["files"][name]
    with av.open(str(samples / name)) as clip:
        times = [float(frame.time) for frame in clip.decode(video=0)]
    sound, rate_hz, start_s = media.read_sound(samples / name)
    assert 16 <= facts["duration_s"] <= 20
    np.testing.assert_allclose(times, np.arange(facts["frames"]) / facts["fps"], atol=1e-6)
    assert start_s == 0 and rate_hz == facts["sound_rate_hz"]
    assert len(sound) / rate_hz == pytest.approx(facts["duration_s"], abs=1e-6)
    assert abs(facts["sound_residual_ms"]) < 1


def test_frames_are_not_duplicates(samples: Path) -> None:
    with av.open(str(samples / IN_STEP)) as clip:
        grey = [frame.to_ndarray(format="gray").astype(np.int16) for frame in clip.decode(video=0)]
    change = [np.abs(b - a).mean() for a, b in itertools.pairwise(grey)]
    assert min(change) > 0.2  # 8-bit steps: the noise alone


def test_pauses_hold_room_tone(samples: Path, truth: dict[str, Any]) -> None:
    sound, rate_hz, _ = media.read_sound(samples / IN_STEP)
    first = truth["files"][IN_STEP]["sentences"][0]["start_s"]
    pause = sound[int(0.1 * rate_hz) : int((first - 0.1) * rate_hz)]
    assert 20 * np.log10(np.sqrt(np.mean(pause**2))) == pytest.approx(build.ROOM_DBFS, abs=3)


def test_sound_of_the_late_copy_is_200_ms_later_and_the_picture_of_all_copies_the_same(samples: Path) -> None:
    (early, rate_hz, _), (late, _, _) = (media.read_sound(samples / n) for n in (IN_STEP, LATE))
    lag = int(np.argmax(correlate(late, early, mode="full"))) - (len(early) - 1)
    assert 1000 * lag / rate_hz == pytest.approx(200, abs=2)
    packets = []
    for name in ONE_PICTURE[:-1]:
        with av.open(str(samples / name)) as clip:
            packets.append([(p.pts, bytes(p)) for p in clip.demux(video=0) if p.pts is not None])
    assert all(those == packets[0] for those in packets)


def test_the_other_words_are_spoken_at_other_times(truth: dict[str, Any]) -> None:
    """Their pauses lie elsewhere: whether someone speaks agrees by less than half (0.37 as built)."""
    t_s = np.arange(0, truth["files"][IN_STEP]["duration_s"], 0.02)

    def speaking(name: str) -> np.ndarray:
        spans = [(p["start_s"], p["end_s"]) for p in truth["files"][name]["sentences"]]
        return np.any([(t_s >= a) & (t_s < b) for a, b in spans], axis=0)

    assert truth["files"][OTHER_WORDS]["text"] != truth["files"][IN_STEP]["text"]
    assert abs(np.corrcoef(speaking(IN_STEP), speaking(OTHER_WORDS))[0, 1]) < 0.5
    assert truth["files"][OTHER_WORDS]["sentences"][-1]["end_s"] > 0.85 * t_s[-1]  # to the end of the clip


def test_the_spliced_sound_differs_between_its_joins_only(samples: Path, truth: dict[str, Any]) -> None:
    joins_s = truth["files"][SPLICED]["joins_s"]
    (plain, rate_hz, _), (joined, _, _) = (media.read_sound(samples / n) for n in (IN_STEP, SPLICED))
    first, behind = (round(t_s * rate_hz) for t_s in joins_s)
    margin = 2048  # the codec's blocks
    assert np.abs(joined - plain)[: first - margin].max() < 0.01
    assert np.abs(joined - plain)[behind + margin :].max() < 0.01
    between = (joined - plain)[first + margin : behind - margin]
    assert 20 * np.log10(between.std()) == pytest.approx(scripts.OTHER_ROOM_DBFS, abs=1)
    sentences = truth["files"][SPLICED]["sentences"]
    assert not any(s["start_s"] <= t_s <= s["end_s"] for s in sentences for t_s in joins_s)


def test_nothing_is_left_above_the_band_s_limit(samples: Path, truth: dict[str, Any]) -> None:
    heard, rate_hz, _ = media.read_sound(samples / LIMITED)
    power = np.abs(np.fft.rfft(heard)) ** 2
    hz = np.fft.rfftfreq(len(heard), 1 / rate_hz)
    limit_hz = truth["files"][LIMITED]["band_limit_hz"]
    assert power[hz > 1.05 * limit_hz].sum() < 1e-5 * power.sum()
    assert rate_hz == 48_000


def test_frames_of_the_uneven_copy_keep_their_times(samples: Path, truth: dict[str, Any]) -> None:
    facts = truth["files"][UNEVEN]
    with av.open(str(samples / UNEVEN)) as clip:
        times = [float(frame.time) for frame in clip.decode(video=0)]
    np.testing.assert_allclose(times, facts["presentation_s"], atol=1e-6)
    steps = np.diff(times)
    assert len(times) == facts["frames"] and len(np.unique(steps.round(3))) >= 3
    assert 0.6 < len(times) / truth["files"][IN_STEP]["frames"] < 0.9


def test_sound_of_a_click_comes_back_where_it_was_put(tmp_path: Path) -> None:
    """The encoder's priming is taken off by the edit list: clicks keep their time."""
    rate_hz, at_s = build.RATE_HZ, (0.25, 0.9)
    sound = np.zeros(48 * 1024, np.float32)
    for t_s in at_s:
        sound[round(t_s * rate_hz)] = 0.9
    picture = media.encode_picture((np.full((64, 64, 3), 9 * k, np.uint8) for k in range(25)), build.FPS)
    media.write_clip(tmp_path / "click.mp4", picture, sound, rate_hz, {})
    heard, _, start_s = media.read_sound(tmp_path / "click.mp4")
    for t_s in at_s:
        first = round((t_s - 0.1) * rate_hz)
        peak = first + int(np.argmax(np.abs(heard[first : first + rate_hz // 5])))
        assert start_s + peak / rate_hz == pytest.approx(t_s, abs=0.001)


def test_one_face_in_every_frame(seen: dict[str, np.ndarray], truth: dict[str, Any]) -> None:
    assert len(seen["faces"]) == truth["files"][IN_STEP]["frames"]
    assert set(seen["faces"]) == {1}


def test_measured_opening_follows_the_plan(seen: dict[str, np.ndarray], truth: dict[str, Any]) -> None:
    planned = np.array(truth["plan_per_frame"]["opening"])
    by_lag = [np.corrcoef(planned[5:-5], np.roll(seen["opening"], -k)[5:-5])[0, 1] for k in (-1, 0, 1)]
    assert by_lag[1] > 0.9
    assert by_lag[1] == max(by_lag)  # the frames of the plan are the frames of the film


def test_lips_meet_at_bilabials(seen: dict[str, np.ndarray], truth: dict[str, Any]) -> None:
    """Within 0.5 % of the face's height; a wide vowel measures 7 %."""
    shut = seen["opening"][frames_at(truth, "bilabial_closures", "centre_s")]
    assert shut.max() < 0.005
    assert seen["opening"].max() > 0.06


def test_eyes_shut_at_planned_blinks_only(seen: dict[str, np.ndarray], truth: dict[str, Any]) -> None:
    at_peaks = seen["blink"][frames_at(truth, "blinks", "peak_s")]
    between = seen["blink"][np.array(truth["plan_per_frame"]["lid"]) == 0]
    assert at_peaks.min() > 0.5
    assert between.max() < 0.3


def test_a_closure_is_found_where_it_was_planted() -> None:
    """A voice of 1 kHz that falls silent for 80 ms before a /p/ released at 0.5 s."""
    rate_hz = 22050
    t_s = np.arange(rate_hz) / rate_hz
    voice = np.sin(2 * np.pi * 1000 * t_s) * ~((t_s > 0.42) & (t_s < 0.5))
    phonemes = (speech.Phoneme("'a", 0.1, 0.5), speech.Phoneme("p", 0.5, 0.55))
    (closure,) = speech.closures_heard(voice.astype(np.float32), rate_hz, phonemes)
    assert closure.start_s == pytest.approx(0.42, abs=0.005)
    assert closure.end_s == pytest.approx(0.5, abs=0.005)


def test_plan_shuts_lips_and_lids_at_their_instants() -> None:
    closure, blink = speech.Closure("m", 0.48, 0.56), motion.Blink.at(1.0)
    phonemes = tuple(speech.Phoneme(*p) for p in (("a", 0.2, 0.48), ("m", 0.48, 0.56), ("a", 0.56, 0.8)))
    plan = motion.make_plan(np.arange(0, 1.5, 0.01), phonemes, (closure,), (blink,))
    assert plan.opening[52] == pytest.approx(-motion.PRESS)
    assert plan.opening[35] > 0.8 and abs(plan.opening[5]) < 0.01
    assert np.argmax(plan.lid) == 100 and plan.lid[100] == 1
    assert plan.lid[91] == 0 and plan.lid[115] == 0


def test_plan_refuses_an_unknown_phoneme() -> None:
    with pytest.raises(ValueError, match=r"every phoneme needs a mouth shape.*'x'"):
        motion.make_plan(np.arange(3) / 25, (speech.Phoneme("x", 0.0, 0.1),), (), ())


def test_who_is_called_for_by_no_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no sample is called nobody\.mp4"):
        build.build(tmp_path, ["nobody.mp4"])


def test_two_speak_in_turn_and_blink_apart() -> None:
    left, right = scripts.write_dialogue()
    turns = sorted((s["start_s"], s["end_s"], who) for who, p in (("l", left), ("r", right)) for s in p.sentences)
    assert "".join(who for *_, who in turns) == "lrlr"
    assert all(before[1] < after[0] for before, after in itertools.pairwise(turns))
    assert left.frames == right.frames and np.abs(left.voice * right.voice).max() == 0
    peaks = sorted(b.peak_s for p in (left, right) for b in p.blinks)
    assert np.diff(peaks).min() > 0.5


def test_a_plan_without_blinks_is_else_the_same(script: build.Script) -> None:
    unblinking = script.without_blinks()
    assert script.plan.lid.max() == 1 and unblinking.plan.lid.max() == 0 and not unblinking.blinks
    assert unblinking.plan.opening is script.plan.opening


def ball() -> relief.Relief:
    """The relief of a grey picture whose mesh is the front of a ball, 150 px in radius, at the face's place."""
    ring = np.arange(0, 2 * np.pi, np.pi / 12)
    polar = [(0.0, 0.0)] + [(r, a) for r in (0.2, 0.4, 0.6, 0.8, 0.95) for a in ring]
    xy = np.array([(r * np.cos(a), r * np.sin(a)) for r, a in polar])
    points = np.column_stack([320 + 150 * xy[:, 0], 320 + 150 * xy[:, 1], -150 * np.sqrt(1 - (xy**2).sum(1))])
    triangles = Delaunay(xy).simplices.astype(np.int64)
    grey = np.full((640, 640, 3), 128, np.uint8)
    return relief.Relief(grey, points.astype(np.float32), triangles, np.ones(len(points), bool))


def test_a_ball_under_a_lamp_is_shaded_by_the_cosine() -> None:
    lamp, shape = relief.Lamp(40.0, 20.0, ambient=0.2), ball()
    gain = shape.gain(lamp)[..., 0] / relief.EXPOSURE
    for x, y in ((320, 320), (380, 320), (260, 280), (320, 240)):
        normal = np.array([x - 320, 320 - y, 0]) / 150
        normal[2] = np.sqrt(1 - normal @ normal)
        expected = 0.2 + 0.8 * max(normal @ lamp.direction, 0)
        assert gain[y, x] == pytest.approx(expected, abs=0.05), (x, y)


def test_a_head_turned_under_a_lamp_is_shaded_as_one_lit_from_the_other_side() -> None:
    shape = ball()
    turned = shape.gain(relief.Lamp(30.0, 0.0), yaw_deg=20.0)
    np.testing.assert_allclose(turned, shape.gain(relief.Lamp(10.0, 0.0)), atol=1e-5)


def test_what_is_near_moves_with_the_turn_and_what_is_beside_the_head_stays() -> None:
    picture = np.zeros((640, 640, 3), np.float32)
    picture[:, 318:323] = 255
    shape = ball()
    assert int(shape.turn(picture, 15.0)[320, :, 0].argmax()) > 340  # to the picture's right
    np.testing.assert_allclose(shape.turn(picture, 15.0)[638], picture[638], atol=1)  # below the collar


def test_light_is_multiplied_in_linear_light() -> None:
    face = np.full((1, 1, 3), 180.0, np.float32)
    halved = relief.relight(face, np.full((1, 1, 1), 0.5, np.float32))
    assert relief.to_linear(halved / 255) == pytest.approx(relief.to_linear(face / 255) / 2, rel=1e-4)


def test_a_picture_is_encoded_at_the_numbers_of_its_frames() -> None:
    frames = [np.full((64, 64, 3), 20 * k, np.uint8) for k in range(4)]
    picture = media.encode_picture(frames, 25, [0, 1, 5, 6])
    assert len(list(media.decode_picture(picture))) == 4
    assert films.kept_frames(50) == films.kept_frames(50) and films.kept_frames(50)[0] == 0

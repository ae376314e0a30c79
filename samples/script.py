"""What is said when and by whom, what moves with it, and what the microphone records of it.

Everything is decided here before a picture is drawn: the truth that the samples are made from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import motion
import numpy as np
import speech
from films import FPS
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, firwin, resample_poly, sosfilt

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
BRIEF = 3  # sentences where the lips are not the point

# Other sentences with other pauses for the same 19.2 s.
OTHER_SENTENCES = (
    "These are other words than those of the lips.",
    "Nobody knew where the old ship had gone.",
    "Seven people walked home in the rain.",
    "The museum opens at nine.",
    "Every evening some birds sing.",
)
OTHER_REST_BEFORE_S = (1.30, 1.15, 1.40, 0.60, 1.30)

# Who speaks when: left, right, left, right.
DIALOGUE = (
    "This talking portrait is a synthetic sample.",
    "Seven people walked home in the rain.",
    "Bob bought a map of Panama.",
    "Tomorrow we shall probably meet a famous painter.",
)
TURN_S = 0.6  # silence before each turn

# Irregular, some in speech and some in pauses, about 22 a minute as in conversation. On the
# frame grid, so that one frame shows each eye fully shut.
BLINK_PEAKS_S = (0.48, 3.72, 5.96, 8.12, 11.28, 14.40, 16.04)
RIGHT_BLINK_PEAKS_S = (1.52, 4.60, 6.96, 10.20)  # of the second person; never with the first one's

VOICE_PEAK = 0.5  # of full scale, -6 dBFS
ROOM_DBFS = -60.0  # root mean square of the room tone, so that pauses are not digital silence
ROOM_LOWPASS_HZ = 1000.0  # rooms rumble more than they hiss
ROOM_SEED = 7

LATE_MS = 200
OTHER_ROOM_DBFS, OTHER_ROOM_SEED = -34.0, 8  # 26 dB above: a quiet office beside a street
SPLICED = 2  # the sentence that comes from another take
BAND_LIMIT_HZ = 3400.0  # upper end of the telephone's band (ITU-T G.712)
BAND_TAPS = 2047  # a transition of about 80 Hz


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

    @property
    def duration_s(self) -> float:
        return seconds(self.frames / FPS)

    @property
    def text(self) -> str:
        return " ".join(sentence["text"] for sentence in self.sentences)

    def without_blinks(self) -> Script:
        return replace(self, blinks=(), plan=replace(self.plan, lid=np.zeros_like(self.plan.lid)))


Placed = list[tuple[float, speech.Utterance]]


def write_script(
    texts: tuple[str, ...] = SENTENCES,
    rests_s: tuple[float, ...] = REST_BEFORE_S,
    blink_peaks_s: tuple[float, ...] = BLINK_PEAKS_S,
    frames: int | None = None,
) -> Script:
    """The sentences spoken and set on the time line, and the motions that go with them; ``frames`` as needed."""
    spoken, version = speech.speak(texts)
    placed, end_s = place(spoken, rests_s)
    return _script(placed, blink_peaks_s, frames or frames_for(end_s), version)


def write_dialogue() -> tuple[Script, Script]:
    """The left and the right person's script on one time line; they speak in turn."""
    voices = speech.VOICE, speech.SECOND_VOICE
    (left, version), (right, _) = (speech.speak(DIALOGUE[k::2], voice) for k, voice in enumerate(voices))
    turns = [utterance for pair in zip(left, right, strict=True) for utterance in pair]
    placed, end_s = place(turns, (TURN_S,) * len(turns))
    frames = frames_for(end_s)
    first, second = (
        _script(placed[k::2], peaks_s, frames, version)
        for k, peaks_s in enumerate((BLINK_PEAKS_S, RIGHT_BLINK_PEAKS_S))
    )
    return first, second


def place(spoken: Iterable[speech.Utterance], rests_s: tuple[float, ...]) -> tuple[Placed, float]:
    """Each utterance with its start in s, after its rest; and the end of the last one."""
    placed, clock = [], 0.0
    for utterance, rest_s in zip(spoken, rests_s, strict=True):
        clock += rest_s
        placed.append((clock, utterance.at(clock)))
        clock += len(utterance.pcm) / utterance.rate_hz
    return placed, clock


def frames_for(speech_end_s: float) -> int:
    return FRAMES_STEP * int(np.ceil((speech_end_s + REST_AFTER_S) * FPS / FRAMES_STEP))


def _script(placed: Placed, blink_peaks_s: tuple[float, ...], frames: int, version: str) -> Script:
    phonemes = tuple(p for _, u in placed for p in u.phonemes)
    closures = tuple(c for _, u in placed for c in u.closures)
    every = (motion.Blink.at(peak_s) for peak_s in blink_peaks_s)
    blinks = tuple(blink for blink in every if blink.offset_s < frames / FPS)
    plan = motion.make_plan(np.arange(frames) / FPS, phonemes, closures, blinks)
    sentences = tuple(_sentence(start_s, u) for start_s, u in placed)
    voice = _voice(placed, frames * RATE_HZ // FPS)
    return Script(sentences, phonemes, closures, blinks, plan, voice, version)


def _sentence(start_s: float, utterance: speech.Utterance) -> dict[str, Any]:
    end_s = start_s + len(utterance.pcm) / utterance.rate_hz
    return {"text": utterance.text, "start_s": seconds(start_s), "end_s": seconds(end_s)}


def _voice(placed: Placed, samples: int) -> NDArray[np.float32]:
    """The sentences at ``RATE_HZ`` on silence; the resampler's filter has no delay."""
    track = np.zeros(samples, np.float32)
    for start_s, utterance in placed:
        pcm = resample_poly(utterance.pcm.astype(float), RATE_HZ, utterance.rate_hz)
        first = round(start_s * RATE_HZ)
        track[first : first + len(pcm)] += pcm.astype(np.float32)
    return np.asarray(track * (VOICE_PEAK / np.abs(track).max()), np.float32)


# -- sounds ----------------------------------------------------------------------------------------------------------


def room_tone(samples: int, dbfs: float = ROOM_DBFS, seed: int = ROOM_SEED) -> NDArray[np.float32]:
    """Faint low-passed noise (n,) from a fixed seed, ``dbfs`` loud."""
    white = np.random.default_rng(seed).standard_normal(samples)
    tone = sosfilt(butter(1, ROOM_LOWPASS_HZ, fs=RATE_HZ, output="sos"), white)
    level = 10 ** (dbfs / 20)
    return np.asarray(tone * level / np.sqrt(np.mean(tone**2)), np.float32)


def sound(script: Script, late_ms: int = 0) -> NDArray[np.float32]:
    """Voice in its room, ``late_ms`` after the picture: room tone in front, the end cut off."""
    late = late_ms * RATE_HZ // 1000
    whole = room_tone(late + len(script.voice))
    whole[late:] += script.voice
    return whole[: len(script.voice)]


def spliced(script: Script) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """The sound with one sentence from a take in another room, and the two joins, in the middle of the pauses."""
    before, here, after = script.sentences[SPLICED - 1 : SPLICED + 2]
    joins_s = (before["end_s"] + here["start_s"]) / 2, (here["end_s"] + after["start_s"]) / 2
    first, behind = (round(t_s * RATE_HZ) for t_s in joins_s)
    heard = sound(script)
    other = script.voice + room_tone(len(heard), OTHER_ROOM_DBFS, OTHER_ROOM_SEED)
    heard[first:behind] = other[first:behind]
    return heard, (seconds(first / RATE_HZ), seconds(behind / RATE_HZ))


def band_limited(heard: NDArray[np.float32]) -> NDArray[np.float32]:
    """``heard`` (n,) without what lies above ``BAND_LIMIT_HZ``; symmetric taps, so without delay."""
    taps = firwin(BAND_TAPS, BAND_LIMIT_HZ, fs=RATE_HZ)
    return np.asarray(fftconvolve(heard, taps, mode="same"), np.float32)


def together(left: Script, right: Script) -> NDArray[np.float32]:
    """Both voices in one room."""
    return room_tone(len(left.voice)) + left.voice + right.voice


def seconds(value: float) -> float:
    """Seconds to the microsecond: finer than a sample, free of binary tails."""
    return round(float(value), 6)

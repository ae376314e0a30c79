"""Speech whose phoneme times are known: espeak-ng through ctypes.

The only importer of the speech library. espeak-ng reports, while it makes the
sound, at which sample each phoneme begins; no aligner has to guess. The times
of the lip closures are then read off the clean sound itself, because the
event of a stop marks its release for /p/ but its beginning for /b/.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

# Constants of espeak-ng's speak_lib.h, under the names used there.
AUDIO_OUTPUT_SYNCHRONOUS = 2
ESPEAK_INITIALIZE_PHONEME_EVENTS = 0x0001
ESPEAK_RATE = 1
ESPEAK_CHARS_UTF8 = 1
ESPEAK_EVENT_PHONEME = 7
EE_OK = 0

VOICE = "en-us+f3"  # American English with espeak-ng's third female variant, to suit the portrait
SECOND_VOICE = "en-us+m3"  # its third male variant: an octave lower
WORDS_PER_MINUTE = 150  # below the default of 175: more frames of picture per closure
RANDOM_SEED = 1  # any fixed number: the breath and hiss of the voice are drawn from it
BILABIALS = ("p", "b", "m")
NASAL = "m"

# The spectrum above 500 Hz is nearly empty while the lips are shut: /m/ and the
# voicing of /b/ live below it, the vowels' formants above.
CLOSURE_HIGHPASS_HZ = 500.0
ENVELOPE_S = 0.005  # one glottal period or so; shorter follows single pulses
# Depth below the loudest vowel (95th percentile). Read off this voice: vowels reach
# 0 to -10 dB, /m/ lies 17 to 30 dB below, the held part of stops more than 30 dB below.
NASAL_DEPTH_DB = 14.0
STOP_DEPTH_DB = 30.0
STOP_LOOK_BACK_S = 0.09  # longest hold of a stop that espeak-ng places before the event
# One frame of 25 fps video has to fall inside every closure: at least 40 ms, plus a margin.
SHORTEST_CLOSURE_S = 0.05


@dataclass(frozen=True)
class Phoneme:
    """One phoneme with espeak-ng's own name (stress marks kept), in seconds."""

    name: str
    start_s: float
    end_s: float

    @property
    def plain(self) -> str:
        """The name without stress marks: ``'eI`` becomes ``eI``."""
        return self.name.strip("',%=|")


@dataclass(frozen=True)
class Closure:
    """Lips shut for one bilabial, in seconds, as heard in the clean voice."""

    phoneme: str
    start_s: float
    end_s: float

    @property
    def centre_s(self) -> float:
        return (self.start_s + self.end_s) / 2


@dataclass(frozen=True)
class Utterance:
    """One spoken sentence: ``pcm`` float32 (n,) in -1..1, phonemes, closures."""

    text: str
    pcm: NDArray[np.float32]
    rate_hz: int
    phonemes: tuple[Phoneme, ...]
    closures: tuple[Closure, ...]

    def at(self, start_s: float) -> Utterance:
        """The same utterance with every time counted from ``start_s``."""

        def moved(item: Any) -> Any:
            return replace(item, start_s=item.start_s + start_s, end_s=item.end_s + start_s)

        return replace(
            self,
            phonemes=tuple(moved(p) for p in self.phonemes),
            closures=tuple(moved(c) for c in self.closures),
        )


class _Identifier(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    """``espeak_EVENT`` of speak_lib.h; ``sample`` counts from the start of the text."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identifier),
    ]


_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def _installed(name: str) -> Path:
    for file in importlib.metadata.files("espeakng-loader") or []:
        if file.name == name:
            return Path(str(file.locate()))
    raise FileNotFoundError(f"the installed package espeakng-loader holds no file named {name}")


class Speaker:
    """espeak-ng, opened once per process (the library holds one global voice).

    The library takes its random seed from the clock (it is set anew before every
    text) and carries state from text to text, even across its own termination:
    the same bytes come only from the same texts in the same order in a fresh
    process. ``speak`` sees to that.
    """

    def __init__(self, voice: str) -> None:
        self._library = ctypes.CDLL(str(_installed("libespeak-ng.so")))
        data = _installed("phontab").parent.parent
        self.rate_hz: int = self._library.espeak_Initialize(
            AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data).encode(), ESPEAK_INITIALIZE_PHONEME_EVENTS
        )
        if self.rate_hz <= 0:
            raise RuntimeError(f"espeak_Initialize answered {self.rate_hz}, not a sampling rate")
        self._blocks: list[bytes] = []
        self._events: list[tuple[str, int]] = []
        self._callback = _SynthCallback(self._collect)  # kept: C holds only the address
        self._library.espeak_SetSynthCallback(self._callback)
        self._check("voice", self._library.espeak_SetVoiceByName(voice.encode()))
        self._check("rate", self._library.espeak_SetParameter(ESPEAK_RATE, WORDS_PER_MINUTE, 0))

    @property
    def version(self) -> str:
        self._library.espeak_Info.restype = ctypes.c_char_p
        return str(self._library.espeak_Info(None).decode())

    def say(self, text: str) -> Utterance:
        """One text spoken, with the times of its phonemes and lip closures."""
        self._blocks, self._events = [], []
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(RANDOM_SEED))
        data = text.encode()
        answer = self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, ESPEAK_CHARS_UTF8, None, None)
        self._check("synthesis", answer)
        pcm = np.frombuffer(b"".join(self._blocks), np.int16).astype(np.float32) / np.float32(32768)
        phonemes = _phonemes(self._events, len(pcm), self.rate_hz)
        closures = closures_heard(pcm, self.rate_hz, phonemes)
        return Utterance(text, pcm, self.rate_hz, phonemes, closures)

    def _collect(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self._blocks.append(ctypes.string_at(wave, 2 * count))
        index = 0
        while events[index].type != 0:  # the list ends with an event of type 0
            if events[index].type == ESPEAK_EVENT_PHONEME:
                name = bytes(events[index].id.string).decode()
                self._events.append((name, events[index].sample))
            index += 1
        return 0  # go on speaking

    @staticmethod
    def _check(what: str, answer: int) -> None:
        if answer != EE_OK:
            raise RuntimeError(f"espeak-ng refused the {what}: error {answer}")


def speak(texts: tuple[str, ...], voice: str = VOICE) -> tuple[tuple[Utterance, ...], str]:
    """All texts spoken in a fresh process, and espeak-ng's version: same bytes each time."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as pool:
        return pool.submit(_speak_here, texts, voice).result()


def _speak_here(texts: tuple[str, ...], voice: str) -> tuple[tuple[Utterance, ...], str]:
    speaker = Speaker(voice)
    return tuple(speaker.say(text) for text in texts), speaker.version


def _phonemes(events: list[tuple[str, int]], samples: int, rate_hz: int) -> tuple[Phoneme, ...]:
    """Each phoneme lasts until the next begins; the last one until the sound ends."""
    starts = [sample for _, sample in events] + [samples]
    return tuple(
        Phoneme(name, start / rate_hz, end / rate_hz)
        for (name, start), end in zip(events, starts[1:], strict=True)
        if end > start
    )


def closures_heard(pcm: NDArray[np.float32], rate_hz: int, phonemes: tuple[Phoneme, ...]) -> tuple[Closure, ...]:
    """Where the lips must be shut: one closure per /p b m/, from the clean voice.

    The closure is the quiet stretch above 500 Hz around the quietest instant of
    the phoneme (for stops the hold before the event is searched as well). Not to
    be trusted in noise: give it the voice before room tone is added.
    """
    level = _level_db(pcm, rate_hz)
    loud = float(np.percentile(level, 95))
    found = []
    for phoneme in phonemes:
        if phoneme.plain in BILABIALS:
            found.append(_closure(phoneme, level - loud, rate_hz))
    return tuple(found)


def _level_db(pcm: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    high = sosfiltfilt(butter(4, CLOSURE_HIGHPASS_HZ, "hp", fs=rate_hz, output="sos"), pcm)
    width = round(ENVELOPE_S * rate_hz)
    power = np.convolve(high**2, np.ones(width) / width, mode="same")
    return np.asarray(10 * np.log10(power + 1e-12))  # the floor keeps digital silence finite


def _closure(phoneme: Phoneme, level_db: NDArray[np.float64], rate_hz: int) -> Closure:
    nasal = phoneme.plain == NASAL
    depth = NASAL_DEPTH_DB if nasal else STOP_DEPTH_DB
    first = max(0, int((phoneme.start_s - (0 if nasal else STOP_LOOK_BACK_S)) * rate_hz))
    last = int(phoneme.end_s * rate_hz)
    quiet = level_db[first:last] < -depth
    if not quiet.any():
        raise ValueError(f"a bilabial needs a stretch {depth} dB below the vowels; {phoneme} has none")
    start, end = _run(quiet, int(np.argmin(level_db[first:last])))
    centre = (2 * first + start + end) / 2 / rate_hz
    half = max((end - start) / rate_hz, SHORTEST_CLOSURE_S) / 2
    return Closure(phoneme.plain, centre - half, centre + half)


def _run(flags: NDArray[np.bool_], index: int) -> tuple[int, int]:
    """The half-open run of equal flags around ``index``."""
    breaks = np.flatnonzero(np.diff(flags.astype(np.int8))) + 1
    edges = np.concatenate(([0], breaks, [len(flags)]))
    place = int(np.searchsorted(edges, index, side="right"))
    return int(edges[place - 1]), int(edges[place])

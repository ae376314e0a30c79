"""Does the voice's phase look more like that of synthetic copies than of the recordings they were made from?

A vocoder makes the waveform anew from a spectrum without phases; what it invents runs otherwise over time and
frequency than what a throat, a room and a microphone give. Measured: how alike the phase's steps (over frequency: group
delay; over time: instantaneous frequency) are between neighbours, in ten bands and under four lengths of window, up to
7.5 kHz, over pieces of speech. A direction in these figures was learned from the *differences* between copies and their
originals, where speaker, room, microphone and words cancel, against the spread of authentic voices of many corpora.
Reference: Fisher 1936 (discriminant); Hatch et al. 2006 (within-class covariance); phase for detecting synthesis: De
Leon et al. 2012, Saratxaga et al. 2016.
Not to be trusted as a verdict: synthesisers unlike those it was fitted to score low, some authentic voices score high.
How often is on the model card and stands beside every score; no score is marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import scipy

from forensics import weights
from forensics.analysis.voice.pieces import bootstrap, pieces
from forensics.analysis.voice.recording import background
from forensics.analysis.voice.settings import Settings as VoiceSettings
from forensics.analysis.voice.settings import SynthesisSettings as Settings
from forensics.analysis.voice.spectrum import Spectra, edge, spectra, together
from forensics.finding import About, Finding, Measurement, Question
from forensics.method import Method
from forensics.timeline import Audio, Interval, Series, inside, intersection, total_s, union

#: Of the weights in ``forensics/data``.
NAME = "voice"
METHOD = Method(
    "neighbouring phases, direction learned from copies less originals",
    "2",
    "Fisher 1936; Hatch et al. 2006; De Leon et al. 2012",
)
#: All sound is brought to one rate, so that the file's own does not tell; speech above 7.5 kHz is left out.
RATE_HZ = 16000
EDGES_HZ = (100, 500, 1000, 1500, 2000, 2750, 3500, 4500, 5500, 6500, 7500)
#: Lengths of windows in samples, 8 to 64 ms: from under one period of the voice to several phonemes' edges.
WINDOWS = (128, 256, 512, 1024)
FIGURES = 7  # of each band under each window
#: Rumble below, which is the room's; noise laid under all sound re its level, so that digital silence has no phase.
RUMBLE_HZ, DITHER_DB = 60.0, -60.0
#: Share of the frames of speech, %, that are between words or in stops.
QUIETEST = 5.0
#: Loudest-to-quietest range of frames that count as speech: below, the room speaks.
RANGE_DB = 30.0

QUESTION = Question(
    "voice.synthesis",
    "The voice was synthesised or converted.",
    "The voice was spoken.",
    METHOD,
    (
        "Where both the corpus and the generator were unknown to the fit, it told copies from spoken voices about as "
        "badly as chance (tests/real/SYNTHESIS.md), and in a case the generator is unknown: no inference rests on it.",
        "Learned from few vocoders and two corpora with copies: formant synthesis (eSpeak) scores like spoken voices.",
        "The score is descriptive: where it stands among development voices is no probability that a voice was made.",
        "Languages, ages, disorders of the voice, singing and several voices at once were not tested.",
    ),
    (
        "Noise suppression, codecs, bandwidth extension, rooms and loudspeakers change phases, too.",
        "A spoken voice may have been processed as a whole: dubbing, anonymisation, restoration.",
    ),
)


@dataclass(frozen=True)
class Model:
    """``centre``, ``scale`` and ``direction`` (d,); scores without the own corpus, of ``authentic`` and ``synthetic``.

    ``error``: equal error rate of all these, that of the worst corpus, and area under the curve of all, each with its
    95 % interval, (3, 3).
    """

    centre: np.ndarray
    scale: np.ndarray
    direction: np.ndarray
    authentic: np.ndarray
    synthetic: np.ndarray
    error: np.ndarray

    def score(self, figures: np.ndarray) -> np.ndarray:
        """Of figures (..., d): 0 for the mean of authentic voices, in their standard deviations; higher = copy."""
        return ((figures - self.centre) / self.scale) @ self.direction


@cache
def shipped() -> Model:
    """The model that comes with the package. Raises CaseError where its file is not the shipped one."""
    return Model(**{key: value.astype(float) for key, value in weights.shipped(NAME).items()})


# -- the signal ------------------------------------------------------------------------------------------------------


def spectrum(sound: np.ndarray, size: int) -> np.ndarray:
    """Complex spectra (size / 2 + 1, n) of ``sound`` under Hann windows of ``size`` samples, three quarters shared."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[:: size // 4]
    return scipy.fft.rfft(frames * np.hanning(size + 1)[:-1].astype(np.float32), axis=1).T


def neighbouring_phases(sound: np.ndarray, size: int) -> np.ndarray:
    """Mean cosines (bands * FIGURES,) between steps of the phase of ``sound`` at RATE_HZ that lie side by side.

    1 where the phase runs evenly, 0 where it is as that of noise. Only bins count that are loud enough as a frame.
    """
    z = spectrum(sound, size)
    power = scipy.ndimage.uniform_filter1d((np.abs(z) ** 2).sum(0), 5)
    loud = power > np.percentile(power, 95) * 10 ** (-RANGE_DB / 10)
    unit = z / (np.abs(z) + 1e-12)
    in_time, delay = unit[:, 1:] * unit[:, :-1].conj(), -unit[1:] * unit[:-1].conj()
    hz, found = np.fft.rfftfreq(size, 1 / RATE_HZ), []
    for low, high in pairwise(EDGES_HZ):
        rows = np.flatnonzero((hz >= low) & (hz < high))
        t, d = in_time[rows], delay[rows]
        across = d[1:] * d[:-1].conj()
        for steps, first in (
            (t[1:] * t[:-1].conj(), 1),  # instantaneous frequency: of neighbouring bins
            (t[:, 1:] * t[:, :-1].conj(), 2),  # and of neighbouring instants
            (d, 0),  # group delay: early or late in the window
            (across, 0),  # of neighbouring bins
            (across**2, 0),
            (d[:, 1:] * d[:, :-1].conj(), 1),  # of neighbouring instants
            (d[:, 2:] * d[:, :-2].conj(), 2),
        ):
            found.append(steps[:, loud[first:]].real.mean())
    return np.array(found)


def figures(block: np.ndarray, rate_hz: int) -> np.ndarray:
    """All figures (d,) of one piece of speech (n,): level, rumble and sampling rate taken out first."""
    import soxr

    sound = soxr.resample(block.astype(np.float32), rate_hz, RATE_HZ)
    sound = scipy.signal.sosfilt(scipy.signal.butter(4, RUMBLE_HZ, "hp", fs=RATE_HZ, output="sos"), sound)
    dither = np.random.default_rng(0).normal(0, 10 ** (DITHER_DB / 20), len(sound))
    sound = sound / (np.sqrt(np.mean(sound**2)) + 1e-12) + dither
    return np.concatenate([neighbouring_phases(sound.astype(np.float32), size) for size in WINDOWS])


def spoken_pieces(spoken: Sequence[Interval], settings: Settings) -> list[Interval]:
    """The first seconds of speech in pieces that are long enough to measure."""
    found: list[Interval] = []
    left_s = settings.most_speech_s
    for phrase in union(spoken, settings.bridged_s):
        taken = Interval(phrase.start_s, min(phrase.end_s, phrase.start_s + max(left_s, 0.0)))
        found += [p for p in pieces(taken, settings.piece_s) if p.duration >= settings.shortest_piece_s]
        left_s -= taken.duration
    return found


def measure_pieces(audio: Audio, parts: Sequence[Interval]) -> np.ndarray:
    """Figures (n, d) of each piece."""
    return np.array([figures(audio.mono(part)[0], audio.rate_hz) for part in parts])


def upper_db(found: Spectra) -> float:
    """Power of the upper two bands re all, dB: a band that fades out has no edge to be found."""
    power = 10 ** (found.average_db() / 10)
    upper = power[(found.hz >= EDGES_HZ[-3]) & (found.hz < EDGES_HZ[-1])].sum()
    return float(10 * np.log10((upper + 1e-30) / (power.sum() + 1e-30)))


def snr_db(level: Series, spoken: list[Interval]) -> float:
    """Median level of speech over that of the pauses, dB; without pauses, or where a gate has muted them, over the
    quietest of the speech itself, which overstates the noise. NaN without speech."""
    quiet = background(level, spoken).values
    speech = level.values[inside(level.t_s, spoken) & np.isfinite(level.values)]
    if not len(speech):
        return float("nan")
    noise = np.nanmedian(quiet) if np.isfinite(quiet).any() else np.percentile(speech, QUIETEST)
    return float(np.median(speech) - noise)


# -- verdict ---------------------------------------------------------------------------------------------------------


def refusals(audio: Audio, level: Series, spoken: list[Interval], settings: Settings) -> list[str]:
    """Reason codes why the score would lie outside what it was tried on."""
    parts, found = spoken_pieces(spoken, settings), []
    if total_s(parts) < settings.least_speech_s:
        return ["too_little_speech"] if spoken else ["no_speech"]
    heard = together([spectra(audio, part) for part in parts])
    end = edge(heard.hz, heard.average_db(), VoiceSettings())
    narrow = audio.rate_hz < settings.least_rate_hz or (end and end.hz < settings.least_band_hz)
    if narrow or upper_db(heard) < settings.least_upper_db:
        found.append("band_too_narrow")
    if not snr_db(level, spoken) >= settings.least_snr_db:
        found.append("sound_too_noisy")
    return found


def measure_synthesis(scores: np.ndarray, model: Model) -> Measurement:
    """Mean score of the pieces (n,) with its bootstrap, and where it stands among the development voices."""
    value = float(scores.mean())
    interval = bootstrap([np.array([s]) for s in scores], lambda some: float(np.mean(some)), VoiceSettings())
    low, high = interval or (None, None)
    (eer, eer_low, eer_high), (worst, worst_low, worst_high) = 100 * model.error[:2]
    below, under = int((model.authentic < value).sum()), int((model.synthetic < value).sum())
    return Measurement(
        "synthesis_score",
        value,
        "1",
        low,
        high,
        0.95 if interval else None,
        len(scores),
        METHOD.name,
        f"no range: higher than {below} of {len(model.authentic)} spoken and {under} of {len(model.synthetic)} "
        f"synthetic development voices, scored without their corpus; equal error rate {eer:.0f} % "
        f"(95 % interval {eer_low:.0f} to {eer_high:.0f} %), in the corpus that fared worst {worst:.0f} % "
        f"({worst_low:.0f} to {worst_high:.0f} %; 50 % is chance)",
    )


def assess_synthesis(
    audio: Audio,
    level: Series,
    spoken: list[Interval],
    examined: Interval,
    settings: Settings | None = None,
    model: Model | None = None,
) -> Finding:
    """How the voice's phases stand on the direction from originals to their synthetic copies. Never marked."""
    settings, model = settings or Settings(), model or shipped()
    spoken = intersection(spoken, [examined])
    parts = spoken_pieces(spoken, settings)
    about = About(examined, settings, parts, subjects=("sound",))
    if reasons := refusals(audio, level, spoken, settings):
        return QUESTION.refuse(about, *reasons)
    scores = model.score(measure_pieces(audio, parts))
    return QUESTION.answer(
        about,
        measurements=(measure_synthesis(scores, model),),
        evidence={"pieces": parts, "scores": scores, "spoken": model.authentic, "synthetic": model.synthetic},
        score=float(scores.mean()),
        score_direction="higher: phases more like those of synthetic copies",
    )

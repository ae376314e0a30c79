"""Measures of voice and room that were tried: do halves of one recording agree, and does a codec leave them?

    python tests/real/candidates.py --cases FOLDER     (cases made by tests/real/gate.py --cases FOLDER)

A measure is kept where the halves of untouched recordings agree (intraclass correlation) and AAC at 64 kbit/s moves
it by less than recordings differ. Beside: how synthetic copies differ from their own originals. Writes
tests/real/CANDIDATES.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy
import soxr
import voice as study
from gate import DATA, HERE, commit
from synthesis import coded, table

sys.path.insert(0, str(HERE.parent))
import planted

from forensics import speech, statistics
from forensics.analysis import voice
from forensics.analysis.voice.fine import count_holes
from forensics.timeline import Audio, Interval, inside, intersection, runs, total_s
from forensics.training_voice import heard

CANDIDATES = HERE / "CANDIDATES.md"
SETTINGS = voice.Settings()
#: Of each recording: the first seconds, and speech needed in them, so that each half holds three.
LONGEST_S, SPEECH_S = 20.0, 6.0
KEPT = ("harmonic_contrast_low", "harmonic_contrast_middle", "harmonic_contrast_high", "fine_play", "codec_holes")
TRIED = {
    "harmonic_contrast_low": "energy between harmonics, 0.3 to 2 kHz, dB",
    "harmonic_contrast_middle": "the same, 2 to 4 kHz, dB",
    "harmonic_contrast_high": "the same, 4 to 7.5 kHz, dB",
    "fine_play": "play of the fine spectrum, dB",
    "codec_holes": "empty cells below the edge, %",
    "modulation_centre": "modulation spectrum: its centre from 2 to 16 Hz, Hz",
    "modulation_depth": "modulation spectrum: depth from 2 to 16 Hz, share",
    "bicoherence": "bispectrum: mean bicoherence, 94 to 1500 Hz",
    "phase_coupling": "bispectrum: evenness of its phase over frames",
    "formant_roughness": "formants: second differences of the second, log share",
    "fall_s": "decay: 60 dB at the median slope of steady falls, s",
    "decay_s": "decay: 60 dB at the slope of straight stretches of 0.2 s, s",
    "pauses": "pauses over 0.1 s a minute",
    "pause_share": "share of pauses",
    "breaths": "breaths a minute: noise of 0.1 to 0.6 s in pauses",
}


@dataclass(frozen=True)
class Recording:
    """A stretch of sound with where someone speaks."""

    audio: Audio
    spoken: list[Interval]

    def within(self, part: Interval) -> Recording:
        return replace(self, spoken=intersection(self.spoken, [part]))


# -- the measures ------------------------------------------------------------------------------------------------------


def kept(one: Recording, stretches: list[voice.Voiced]) -> dict[str, float]:
    """Those that a report gives, where nothing withholds them."""
    limit_hz = band_end(one.audio)
    fine = voice.measure_fine(one.audio, stretches, limit_hz)
    found, _ = voice.measure_fine_structure(fine, limit_hz, lambda band_hz: np.inf, SETTINGS)
    return {m.name: m.value for m in found}


def band_end(audio: Audio) -> float:
    spectra = voice.spectra(audio, audio.interval)
    edge = voice.edge(spectra.hz, spectra.average_db(), SETTINGS)
    return edge.hz if edge else audio.rate_hz / 2


def modulation(one: Recording) -> dict[str, float]:
    """Spectrum of the envelope of 300 to 3400 Hz in windows of 2 s (Houtgast & Steeneken 1985), of mostly speech."""
    rate = one.audio.rate_hz
    sections = scipy.signal.butter(4, (300, min(3400, 0.45 * rate)), "bandpass", fs=rate, output="sos")
    envelope = np.sqrt(10 ** (_level(scipy.signal.sosfilt(sections, _mono(one)), rate) / 10))
    speaks = inside(0.01 * np.arange(len(envelope)), one.spoken)
    window, powers = np.hanning(200), []
    for k in range(0, len(envelope) - 199, 100):
        if speaks[k : k + 200].mean() >= 0.6:
            part = envelope[k : k + 200]
            powers.append(np.abs(np.fft.rfft((part / part.mean() - 1) * window, 1024)) ** 2)
    if not powers:
        return {}
    hz, power = np.fft.rfftfreq(1024, 0.01), np.mean(powers, axis=0)
    band = (hz >= 2) & (hz <= 16)
    depth = np.sqrt(2 * power[band].sum() / 1024 / (window**2).sum())
    return {
        "modulation_centre": float(np.exp(np.average(np.log(hz[band]), weights=power[band]))),
        "modulation_depth": float(depth),
    }


def bispectrum(one: Recording) -> dict[str, float]:
    """Bicoherence and its phases (Fackrell 1996) over 80 frames of 64 ms of speech at 8 kHz."""
    parts = [one.audio.mono(i)[0] for i in one.spoken]
    sound = soxr.resample(np.concatenate([*parts, np.zeros(1, np.float32)]), one.audio.rate_hz, 8000)
    if len(sound) < 512:
        return {}
    frames = np.lib.stride_tricks.sliding_window_view(sound, 512)[::256] * np.hanning(512)
    z = np.fft.rfft(frames, axis=1)
    power = (np.abs(z) ** 2).sum(1)
    z = z[power > 1e-3 * np.percentile(power, 95)]
    if len(z) < 80:
        return {}
    z, k = z[np.linspace(0, len(z) - 1, 80).astype(int)], np.arange(6, 97, 3)
    pairs, sums = z[:, k][:, :, None] * z[:, k][:, None, :], z[:, k[:, None] + k]
    triple = pairs * sums.conj()
    size = np.sqrt((np.abs(pairs) ** 2).mean(0) * (np.abs(sums) ** 2).mean(0)) + 1e-30
    upper = np.triu_indices(len(k))
    return {
        "bicoherence": float(np.abs(triple.mean(0) / size)[upper].mean()),
        "phase_coupling": float(np.abs(np.exp(1j * np.angle(triple)).mean(0))[upper].mean()),
    }


def roughness(stretches: list[voice.Voiced]) -> dict[str, float]:
    """Second differences of the second formant in voiced frames, log of their median share."""
    steps = [np.abs(np.diff(np.log(s.formants_hz[:, 1]), 2)) for s in stretches if len(s.formants_hz) > 2]
    known = np.concatenate([*steps, np.zeros(0)])
    known = known[np.isfinite(known) & (known > 0)]
    return {"formant_roughness": float(np.log(np.median(known)))} if len(known) >= 80 else {}


def decays(one: Recording) -> dict[str, float]:
    """Times of a fall by 60 dB, 0.5 to 4 kHz: of falls without a rise; of straight stretches of 0.2 s."""
    rate = one.audio.rate_hz
    sections = scipy.signal.butter(4, (500, min(4000, 0.45 * rate)), "bandpass", fs=rate, output="sos")
    level = _level(scipy.signal.sosfilt(sections, _mono(one)), rate)
    span = Interval(one.spoken[0].start_s, one.spoken[-1].end_s + 0.5)
    level = level[inside(0.01 * np.arange(len(level)), [span])]
    found, smooth = {}, scipy.ndimage.uniform_filter1d(level, 3)
    slopes = []
    for first, behind in runs(np.append(np.diff(smooth) < -0.05, False)):
        part = smooth[first : behind + 1]
        part = part[part >= np.percentile(level, 10) + 8]
        if len(part) >= 8 and part[0] - part[-1] >= 15:
            slopes.append(np.polyfit(0.01 * np.arange(len(part)), part, 1)[0])
    if len(slopes) >= 6:
        found["fall_s"] = float(-60 / np.median(slopes))
    windows, t_s = np.lib.stride_tricks.sliding_window_view(level, 20), 0.01 * (np.arange(20) - 9.5)
    slope = windows @ t_s / (t_s @ t_s)
    rest = (windows - windows.mean(1, keepdims=True) - slope[:, None] * t_s).std(1)
    straight = (slope * 0.2 < -8) & (rest < 1.5) & (windows.min(1) > np.percentile(level, 5) + 6)
    times = [-60 / slope[a + rest[a:b].argmin()] for a, b in runs(straight)]
    if len(times) >= 3:
        found["decay_s"] = float(np.median(times))
    return found


def pauses(one: Recording) -> dict[str, float]:
    """Pauses between stretches of speech, and noises in them that are as long as a breath and have no pitch."""
    first, last = one.spoken[0].start_s, one.spoken[-1].end_s
    between = [
        Interval(a.end_s, b.start_s)
        for a, b in zip(one.spoken, one.spoken[1:], strict=False)
        if b.start_s - a.end_s >= 0.1
    ]
    minutes = (last - first) / 60
    found = {"pauses": len(between) / minutes, "pause_share": total_s(between) / (last - first)}
    if one.audio.rate_hz < 16000 or total_s(between) < 0.2:
        return found
    sounds = [soxr.resample(one.audio.mono(i)[0], one.audio.rate_hz, 16000) for i in between]
    levels = [_level(s.astype(float), 16000) for s in sounds]
    floor, n = np.percentile(np.concatenate(levels), 10), 0
    for sound, level in zip(sounds, levels, strict=True):
        for a, b in runs(scipy.ndimage.uniform_filter1d(level, 5) > floor + 6):
            part = sound[160 * a : 160 * b].astype(float)
            if not 0.1 <= 0.01 * (b - a) <= 0.6:
                continue
            hz, power = scipy.signal.welch(part, 16000, nperseg=512)
            power = power[(hz > 500) & (hz < 6000)] + 1e-20
            flat = np.exp(np.log(power).mean()) / power.mean()
            like = np.fft.irfft(np.abs(np.fft.rfft(part - part.mean(), 2 * len(part))) ** 2)
            n += bool(flat > 0.15 and like[32:267].max() < 0.4 * like[0])
    return found | {"breaths": n / minutes}


def _mono(one: Recording) -> np.ndarray:
    return one.audio.mono(one.audio.interval)[0].astype(float)


def _level(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """dB of each 10 ms."""
    n = round(0.01 * rate_hz)
    return 10 * np.log10((samples[: len(samples) // n * n].reshape(-1, n) ** 2).mean(1) + 1e-14)


def everything(one: Recording) -> dict[str, float]:
    if not one.spoken:
        return {}
    stretches = voice.measure_stretches(one.audio, one.spoken, SETTINGS)
    others = (modulation, bispectrum, decays, pauses)
    return kept(one, stretches) | roughness(stretches) | {k: v for f in others for k, v in f(one).items()}


# -- the recordings ----------------------------------------------------------------------------------------------------


def halves(one: Recording) -> tuple[Recording, Recording]:
    """Before and behind the instant at which half of the speech is said."""
    left_s, middle = total_s(one.spoken) / 2, one.spoken[-1].end_s
    for i in one.spoken:
        if left_s <= i.duration:
            middle = i.start_s + left_s
            break
        left_s -= i.duration
    end_s = one.audio.interval.end_s
    return one.within(Interval(0.0, middle)), one.within(Interval(middle, end_s))


def recording(sound: study.Sound) -> Recording:
    """The first seconds."""
    audio = planted.sound(sound.samples[: round(LONGEST_S * sound.rate_hz)], sound.rate_hz)
    return Recording(audio, intersection(sound.spoken, [audio.interval]))


def half_job(sound: study.Sound) -> dict[str, dict[str, float]]:
    one = recording(sound)
    first, second = halves(one)
    coded_ = study.through_aac(_mono(one), one.audio.rate_hz, 64_000)
    through = replace(one, audio=planted.sound(coded_, one.audio.rate_hz))
    return dict(zip(("all", "first", "second", "AAC 64"), map(everything, (one, first, second, through)), strict=True))


def agreement(weights: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intraclass correlation ICC(1,1) of two values each (Shrout & Fleiss 1979), for each row of ``weights``."""
    mean, n = (a + b) / 2, weights.sum(-1)
    grand = (weights * mean).sum(-1) / n
    between = 2 * (weights * (mean - grand[..., None]) ** 2).sum(-1) / (n - 1)
    within = (weights * ((a - mean) ** 2 + (b - mean) ** 2)).sum(-1) / n
    return (between - within) / (between + within)


def half_lines(persons: Sequence[str], results: list[dict[str, dict[str, float]]]) -> list[str]:
    lines = ["| measure | | n | median | spread | halves: ICC | AAC 64: mean shift | rms shift over spread |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name, what in TRIED.items():
        whole, first, second, through = (
            np.array([r[k].get(name, np.nan) for r in results]) for k in ("all", "first", "second", "AAC 64")
        )
        both = np.isfinite(first) & np.isfinite(second)
        row = f"| {name}{', kept' if name in KEPT else ''} | {what} | {int(both.sum())}"
        if both.sum() < 10:
            lines.append(f"{row} | | | too few | | |")
            continue
        a, b, units = first[both], second[both], np.array(persons)[both]
        value = float(agreement(np.ones(len(a)), a, b))
        low, high = statistics.bootstrap(lambda w, a=a, b=b: agreement(w, a, b), units)
        spread, shift = float(np.nanstd(whole, ddof=1)), (through - whole)[np.isfinite(through - whole)]
        moved = f"{shift.mean():+.3g} | {np.sqrt((shift**2).mean()) / spread:.2f}"
        middle = float(np.nanmedian(whole))
        lines.append(f"{row} | {middle:.3g} | {spread:.3g} | {value:.2f} [{low:.2f}, {high:.2f}] | {moved} |")
    return lines


def pair_job(row: dict[str, str]) -> tuple[str, str, dict[str, float]]:
    audio = heard(DATA / row["file"])
    audio = replace(audio, start_s=0.0)
    spoken = speech.speech_intervals(speech.speech_probability(audio))
    return row["pair"], row["generator"] if row["label"] != "authentic" else "", everything(Recording(audio, spoken))


def pair_lines(pairs: list[tuple[str, str, dict[str, float]]], results: list[dict[str, dict[str, float]]]) -> list[str]:
    originals = {pair: found for pair, generator, found in pairs if not generator}
    makers = sorted({g for p, g, _ in pairs if g and p in originals})
    lines = ["| measure | " + " | ".join(makers) + " |", "|---|" + "---|" * len(makers)]
    for name in TRIED:
        spread = np.nanstd([r["all"].get(name, np.nan) for r in results], ddof=1)
        cells = []
        for maker in makers:
            own = [(f.get(name), originals[p].get(name)) for p, g, f in pairs if g == maker and p in originals]
            d = np.array([(a - b) / spread for a, b in own if a is not None and b is not None])
            cells.append(f"{d.mean():+.2f} ± {d.std(ddof=1):.2f}, n {len(d)}" if len(d) > 1 else "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


CODECS = {
    "as it is": None,
    "AAC 96": ("aac", "adts", 96_000),
    "AAC 32": ("aac", "adts", 32_000),
    "MP3 64": ("libmp3lame", "mp3", 64_000),
    "MP3 32": ("libmp3lame", "mp3", 32_000),
    "MP3 32, then AAC 64": ("libmp3lame", "mp3", 32_000),
}


def hole_job(sound: study.Sound) -> dict[str, float]:
    one, found = recording(sound), {}
    for name, how in CODECS.items():
        audio = coded(*how)(one.audio) if how else one.audio
        if "then" in name:
            samples = study.through_aac(audio.mono(audio.interval)[0], audio.rate_hz, 64_000)
            audio = planted.sound(samples, audio.rate_hz)
        limit_hz = band_end(audio)
        parts = [audio.mono(p)[0] for i in one.spoken for p in voice.pieces(i, SETTINGS.piece_s)]
        holes, cells = np.sum([count_holes(part, audio.rate_hz, limit_hz) for part in parts], axis=0)
        found[name] = 100 * holes / cells if cells else np.nan
    return found


def hole_lines(results: list[dict[str, float]]) -> list[str]:
    lines = ["| through | n | median % | 10 % to 90 % of recordings | more than as it is |", "|---|---|---|---|---|"]
    for name in CODECS:
        values, plain = (np.array([r[k] for r in results]) for k in (name, "as it is"))
        known = np.isfinite(values) & np.isfinite(plain)
        low, middle, high = np.percentile(values[known], (10, 50, 90))
        more = study.share(int((values > plain)[known].sum()), int(known.sum()))
        lines.append(f"| {name} | {int(known.sum())} | {middle:.2f} | {low:.2f} to {high:.2f} | {more} |")
    return lines


ECHOES_S = (0.0, 0.3, 0.5, 0.8, 1.2)


def echo_job(sound: study.Sound) -> list[dict[str, float]]:
    """Decays read where the recording is laid into a room of known decay (noise that falls; direct sound beside)."""
    one, found = recording(sound), []
    for seconds in ECHOES_S:
        made = _mono(one)
        if seconds:
            t_s = np.arange(round(1.5 * seconds * one.audio.rate_hz)) / one.audio.rate_hz
            room = np.random.default_rng(1).normal(0, 1, len(t_s)) * 10 ** (-3 * t_s / seconds)
            room *= 0.3 / np.sqrt((room**2).sum())
            room[0] += 0.5
            made = scipy.signal.fftconvolve(made, room)[: len(made)]
        found.append(decays(replace(one, audio=planted.sound(made, one.audio.rate_hz))))
    return found


def echo_lines(results: list[list[dict[str, float]]]) -> list[str]:
    lines = ["| planted, s | fall_s: n, median, 10 to 90 % | decay_s: n, median, 10 to 90 % |", "|---|---|---|"]
    for k, seconds in enumerate(ECHOES_S):
        cells = []
        for name in ("fall_s", "decay_s"):
            values = [r[k][name] for r in results if name in r[k]]
            low, middle, high = np.percentile(values, (10, 50, 90)) if values else (np.nan,) * 3
            cells.append(f"{len(values)} of {len(results)}, {middle:.2f}, {low:.2f} to {high:.2f}")
        lines.append(f"| {seconds or 'none'} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", required=True, type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/candidates.py needs ../shared/data, which is absent")
    found = [s for s in study.sounds(options.cases) if s.source != "edited productions"]
    able = [s for s in found if total_s(recording(s).spoken) >= SPEECH_S]
    rows = [r for r in table() if r["file"].startswith("voices/") and r["pair"]]
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        results = pool.map(half_job, able, chunksize=1)
        pairs = pool.map(pair_job, rows, chunksize=1)
        holes = pool.map(hole_job, able[::2], chunksize=1)
        echoes = pool.map(echo_job, able[::3], chunksize=1)
    persons = [s.person for s in able]
    lines = [
        "# Measures of voice and room that were tried",
        "",
        f"Made by `python tests/real/candidates.py` at commit {commit()} on the authentic clips and real voices of "
        f"`../shared/data` with {SPEECH_S:.0f} s of speech in their first {LONGEST_S:.0f} s: {len(able)} recordings of "
        f"{len(set(persons))} persons, edited productions left out. Kept is what the halves of one recording agree on "
        "(intraclass correlation; 95 % bootstrap over persons) and what AAC at 64 kbit/s moves by less than recordings "
        "differ (spread: their standard deviation). Agreement shows that a recording is measured, not that its making "
        "is.",
        "",
        *half_lines(persons, results),
        "",
        "Group delay is not tried again: `voice.synthesis` rests on it. Left out: the modulation spectrum, "
        "bicoherence and breaths, whose halves agree too little; the evenness of the bispectrum's phase, which stands "
        "for phases that `voice.synthesis` measures; decays, for the reason below; pauses, which change with what is "
        "said and are seen in the coverage of speech.",
        "",
        "## Synthetic copies less their own originals",
        "",
        "In spreads of the table above, mean ± standard deviation over sentences; one reader's sentences in most "
        "(LJ Speech), so nothing here is a rate.",
        "",
        *pair_lines(pairs, results),
        "",
        "## Holes of codecs, planted",
        "",
        *hole_lines(holes),
        "",
        "## Decay, planted",
        "",
        "Untouched recordings hold rooms of their own, mostly short ones. Where no echo was planted, straight falls "
        "are rare and read as long as a hall's; steady falls read the mouth's own, and none are left in a hall.",
        "",
        *echo_lines(echoes),
    ]
    CANDIDATES.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""What the voice's analyses find of what was planted into real recordings, and what they find in untouched ones.

    python tests/real/voice.py --cases FOLDER [--only WORD …]    (cases made by tests/real/gate.py --cases FOLDER)

Splices, band edges, mains hum, pulse trains, and the measures of real voices behind codecs, telephones and noise.
Writes tests/real/VOICE.md, with ``--only`` those of its sections that hold a word in their title; the others stay.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import soxr
from gate import DATA, commit, share

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import planted
import synth

from forensics import decode, open_case, speech
from forensics.analysis import voice
from forensics.analysis.voice.recording import fading_db
from forensics.clip import opened
from forensics.statistics import bootstrap, poisson_interval
from forensics.timeline import Audio, Interval

VOICE = Path(__file__).resolve().parent / "VOICE.md"
SETTINGS = voice.Settings()
SHORTEST_S, WITHIN_S = 5.0, 0.05
THRESHOLDS_DB = (6.0, 8.0, 10.0, 12.0, 15.0, 20.0)
#: Every so many recordings take part where each is encoded many times.
EVERY_EDGE, EVERY_SHIFT = 6, 3
#: Clips that are edited productions by description or look: true cuts may be in them.
EDITED = {"hamilton", "P11_real", "wjz_bazigar_part1", "t014_33ad2a", "t040_752dda", "t016_34f296"}
KINDS = {
    "cut": "cut: 0.3 to 1.5 s taken out",
    "zero": "cut at rising zero crossings",
    "take": "the same speaker's other take",
    "other": "another speaker",
    "fade": "cut, 20 ms cross-fade",
    "fade_other": "another speaker, 20 ms cross-fade",
    "aac_cut": "cut, then AAC 128 kbit/s",
    "aac_other": "another speaker, then AAC 128 kbit/s",
    "low_cut": "cut, then AAC 48 kbit/s",
}
MEASURES = (
    "f0_median",
    "jitter_local",
    "shimmer_local",
    "hnr",
    "formant_1",
    "formant_2",
    "formant_3",
    "articulation_rate",
    "harmonic_contrast_low",
    "harmonic_contrast_middle",
    "harmonic_contrast_high",
    "fine_play",
    "codec_holes",
)


@dataclass(frozen=True)
class Sound:
    """One recording's mean of all channels, with where someone speaks."""

    name: str
    person: str
    source: str
    samples: np.ndarray
    rate_hz: int
    spoken: list[Interval]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz

    def audio(self) -> Audio:
        return planted.sound(self.samples, self.rate_hz)


def source(path: str) -> str:
    name = Path(path).stem
    if path.startswith("voices/"):
        return "corpora and speeches, sound only"
    if name in EDITED:
        return "edited productions"
    return "web pages" if name[0] == "t" and name[1:4].isdigit() else "corpora, studio, films"


def sounds(cases: Path) -> list[Sound]:
    """Authentic clips' sound from their cases, and the real voices."""
    found = []
    with (DATA / "index.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            path, name = row["path"], Path(row["path"]).stem
            if path.startswith("clips/authentic"):
                scene = open_case(cases / name).scene
                audio, spoken = scene.observation.audio, scene.speech
                if audio is None:
                    continue
            elif path.startswith("voices/real"):
                audio = decoded(DATA / path)
                spoken = speech.speech_intervals(speech.speech_probability(audio))
            else:
                continue
            samples = audio.mono(audio.interval)[0]
            moved = [Interval(i.start_s - audio.start_s, i.end_s - audio.start_s) for i in spoken or []]
            found.append(Sound(name, row["person"], source(path), samples, audio.rate_hz, moved))
    return found


def decoded(path: Path) -> Audio:
    """The first stream of sound."""
    about: dict[str, Any] = {}
    blocks = []
    with opened(path) as fd:
        for header, arrays in decode.sound(fd, 0):
            about |= header
            blocks += [arrays["samples"]] if "samples" in arrays else []
    return Audio(np.concatenate(blocks), about["rate_hz"], about["start_s"])


def through_aac(samples: np.ndarray, rate_hz: int, bit_rate: int) -> np.ndarray:
    """Encoded, decoded, and on its own clock again."""
    with tempfile.TemporaryDirectory() as folder:
        stream = synth.Sound(samples.astype(np.float32)[:, None], rate_hz, bit_rate=bit_rate, block=1024)
        audio = decoded(synth.write(Path(folder) / "a.mp4", stream))
    first = round(-audio.start_s * rate_hz)
    return np.asarray(audio.samples[max(first, 0) :, 0][: len(samples)], float)


def drawn(*of: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32("/".join(map(str, of)).encode()))


def half(person: str) -> str:
    """Which half of the speakers: figures that hold for one half only would show."""
    return "AB"[zlib.crc32(person.encode()) % 2]


def sixteen_bits(samples: np.ndarray) -> np.ndarray:
    """As an editor writes them; louder than full scale stays, for it is the codec's and not the editor's."""
    return np.round(samples * 32768) / 32768


# -- splices -----------------------------------------------------------------------------------------------------------


def spliced(host: Sound, kind: str, others: Sequence[Sound]) -> tuple[np.ndarray, float] | None:
    """The samples with one join, and where; None where there is nothing to join."""
    random, rate = drawn(host.name, kind), host.rate_hz
    samples = host.samples.astype(float)
    at_s = random.uniform(2, host.seconds - 2)
    i = round(at_s * rate)
    if kind in ("take", "other", "fade_other", "aac_other"):
        same = kind == "take"
        donors = [
            o
            for o in others
            if o.name != host.name and (o.person == host.person) == same and (same or o.rate_hz >= rate)
        ]
        if not donors:
            return None
        donor = donors[random.integers(len(donors))]
        behind = soxr.resample(donor.samples.astype(float), donor.rate_hz, rate) * (loudness(host) / loudness(donor))
        behind = behind[round(random.uniform(0.5, len(behind) / rate - 3) * rate) :]
    else:
        behind = samples[i + round(random.uniform(0.3, 1.5) * rate) :]
    if len(behind) < rate / 2:
        return None
    if kind == "zero":
        crossings = np.flatnonzero((samples[:-1] < 0) & (samples[1:] >= 0)) + 1
        i = int(crossings[np.abs(crossings - i).argmin()])
        behind = behind[np.flatnonzero((behind[:-1] < 0) & (behind[1:] >= 0))[0] + 1 :]
    n = round(0.02 * rate) if kind.startswith("fade") else 0
    weight = np.linspace(0, 1, n)
    faded = samples[i : i + n] * (1 - weight) + behind[:n] * weight
    joined = sixteen_bits(np.concatenate([samples[:i], faded, behind[n:]]))
    rates = {"aac_cut": 128_000, "aac_other": 128_000, "low_cut": 48_000}
    return (through_aac(joined, rate, rates[kind]) if kind in rates else joined), (i + n / 2) / rate


def loudness(sound: Sound) -> float:
    """Root mean square of the speech."""
    parts = [sound.audio().mono(i)[0] for i in sound.spoken] or [sound.samples]
    return float(np.sqrt(np.mean(np.concatenate(parts).astype(float) ** 2))) + 1e-9


def told(samples: np.ndarray, rate_hz: int) -> list[tuple[float, float]] | None:
    """Instants of joins with how far they rise, down to the lowest threshold; None where none can be told."""
    audio, loose = planted.sound(samples, rate_hz), replace(SETTINGS, join_db=THRESHOLDS_DB[0])
    band = voice.empty_band(audio, audio.interval, loose)
    if band is None:
        return None
    events = voice.splices(audio, audio.interval, band, loose)
    return [((e.interval.start_s + e.interval.end_s) / 2, e.details["rise_db"]) for e in events]


def splice_job(job: tuple[Sound, list[Sound]]) -> dict[str, Any]:
    host, others = job
    found: dict[str, Any] = {"host": host, "untouched": told(host.samples, host.rate_hz)}
    for kind in KINDS:
        if (made := spliced(host, kind, others)) is not None:
            found[kind] = (made[1], told(made[0], host.rate_hz))
    return found


def hit(planted_at: tuple[float, list[tuple[float, float]] | None], threshold: float) -> bool:
    at_s, events = planted_at
    return events is not None and any(abs(t - at_s) <= WITHIN_S and r >= threshold for t, r in events)


def splice_lines(results: list[dict[str, Any]]) -> list[str]:
    able = [r for r in results if r["untouched"] is not None]
    lines = [
        f"{len(results)} recordings of {SHORTEST_S:.0f} s or more; joins can be told in {len(able)}: the others fill "
        "their band up to half the sampling rate (sound kept at 16 or 22.05 kHz) and are refused.",
        "",
        f"One join each, at a drawn instant; found: an event within {1000 * WITHIN_S:.0f} ms. Another speaker is "
        "brought to the host's rate and loudness. 16 bits after the join.",
        "",
        f"| planted | found at {SETTINGS.join_db:.0f} dB | of these half A | half B | refused after the join |",
        "|---|---|---|---|---|",
    ]
    for kind, name in KINDS.items():
        some = [r for r in able if kind in r]
        judged = [r for r in some if r[kind][1] is not None]
        cells = [
            share(sum(hit(r[kind], SETTINGS.join_db) for r in part), len(part)) if part else "–"
            for part in (judged, *([r for r in judged if half(r["host"].person) == h] for h in "AB"))
        ]
        lines.append(f"| {name} | {' | '.join(cells)} | {len(some) - len(judged)} |")
    lines += [
        "",
        "False events in untouched recordings:",
        "",
        "| kind of source | n | minutes | events | a minute | in |",
    ]
    lines.append("|---|---|---|---|---|---|")
    for name in ("all", "half A", "half B", *dict.fromkeys(r["host"].source for r in able)):
        part = [r for r in able if name in ("all", r["host"].source, f"half {half(r['host'].person)}")]
        lines.append(f"| {name} | {len(part)} | {false_cells(part, SETTINGS.join_db)} |")
    lines += ["", "The threshold:", "", "| dB | half | false a minute | cut | zero crossing | cut, AAC 128 |"]
    lines.append("|---|---|---|---|---|---|")
    for threshold in THRESHOLDS_DB:
        for h in "AB":
            part = [r for r in able if half(r["host"].person) == h]
            minutes = sum(r["host"].seconds for r in part) / 60
            n = sum(x >= threshold for r in part for _, x in r["untouched"])
            rates = [
                f"{np.mean([hit(r[k], threshold) for r in part if k in r]):.2f}" for k in ("cut", "zero", "aac_cut")
            ]
            lines.append(f"| {threshold:.0f} | {h} | {n / minutes:.2f} | {' | '.join(rates)} |")
    return lines


def false_cells(part: list[dict[str, Any]], threshold: float) -> str:
    minutes = sum(r["host"].seconds for r in part) / 60
    counts = {r["host"].name: sum(x >= threshold for _, x in r["untouched"]) for r in part}
    n = sum(counts.values())
    low, high = (bound / minutes for bound in poisson_interval(n))
    where = ", ".join(f"{name} {k}" for name, k in counts.items() if k) or "none"
    return f"{minutes:.1f} | {n} | {n / minutes:.2f} [{low:.2f}, {high:.2f}] | {where}"


# -- edges and hum -----------------------------------------------------------------------------------------------------


def edge_job(sound: Sound) -> list[tuple[float, str, float | None]]:
    """Edge planted, what it went through, and by how much the one found differs."""
    rows = []
    whole = voice.spectra(sound.audio(), sound.audio().interval)
    own = voice.edge(whole.hz, whole.average_db(), SETTINGS)
    for edge_hz in (3400.0, 4000.0, 5500.0, 7000.0, 8000.0, 11025.0, 12000.0, 14000.0, 16000.0):
        if edge_hz > (own.hz if own else sound.rate_hz / 2) - 1000:
            continue
        limited = planted.band_limited(sound.samples.astype(float), sound.rate_hz, edge_hz)
        for name, made in (
            ("as cut off", limited),
            ("AAC 128", through_aac(limited, sound.rate_hz, 128_000)),
            ("AAC 64", through_aac(limited, sound.rate_hz, 64_000)),
        ):
            audio = planted.sound(made, sound.rate_hz)
            spectra = voice.spectra(audio, audio.interval)
            found = voice.edge(spectra.hz, spectra.average_db(), SETTINGS)
            rows.append((edge_hz, name, found.hz - edge_hz if found else None))
    return rows


def edge_lines(rows: list[tuple[float, str, float | None]]) -> list[str]:
    lines = [
        "| edge Hz | through | n | within 200 Hz | median error Hz | 95 % of errors below Hz |",
        "|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((e, n) for e, n, _ in sorted(rows, key=lambda r: r[0])):
        errors = [d for e, n, d in rows if (e, n) == key]
        known = np.abs([d for d in errors if d is not None])
        within = share(int((known <= 200).sum()), len(errors))
        tail = f"{np.median(known):.0f} | {np.percentile(known, 95):.0f}" if len(known) else "– | –"
        lines.append(f"| {key[0]:.0f} | {key[1]} | {len(errors)} | {within} | {tail} |")
    return lines


def hum_lines(found: Sequence[Sound]) -> list[str]:
    """Mains planted into the two recordings of a minute and into noise, at stated levels over the noise beside it."""
    lines = ["| into | dB over the noise of 1 Hz | n | found | error below 0.02 Hz | largest error Hz |"]
    lines.append("|---|---|---|---|---|---|")
    minute = [s for s in found if 58 < s.seconds < 62]
    hosts = {f"{len(minute)} recordings of 60 s": minute, "white noise, 60 s": [noise_of(k) for k in range(6)]}
    for name, some in hosts.items():
        for snr_db in (10.0, 15.0, 20.0, 30.0):
            errors, n = [], 0
            for host in some:
                density = noise_density(host)
                for hz in (49.9, 49.97, 50.0, 50.08, 59.96, 60.03):
                    level = 10 * np.log10(density) + snr_db
                    whole = host.samples + planted.mains(hz, host.seconds, host.rate_hz, level)[: len(host.samples)]
                    audio = planted.sound(whole, host.rate_hz)
                    hum = voice.find_hum(audio, audio.interval, SETTINGS)
                    n += 1
                    errors += [abs(hum.hz - hz)] if hum else []
            good = share(sum(e < 0.02 for e in errors), len(errors)) if errors else "–"
            worst = f"{max(errors):.4f}" if errors else "–"
            lines.append(f"| {name} | {snr_db:.0f} | {n} | {share(len(errors), n)} | {good} | {worst} |")
    return lines


def noise_of(seed: int) -> Sound:
    return Sound(f"noise {seed}", str(seed), "made", planted.noise(60.0, 8000, -40, seed), 8000, [])


def noise_density(host: Sound) -> float:
    """Median power in 1 Hz round 100 and 120 Hz."""
    hz, power = scipy.signal.welch(host.samples.astype(float), host.rate_hz, nperseg=4 * host.rate_hz)
    return float(np.median(power[((hz > 94) & (hz < 99)) | ((hz > 113) & (hz < 118))]))


def untouched_job(sound: Sound) -> dict[str, list[str]]:
    """What the other detectors say of one untouched recording."""
    finding = voice.assess(planted.scene([], sound.audio(), []), SETTINGS)
    take, spectrum = finding[2], finding[3]
    off = [m for m in take.measurements if m.name == "hum_deviation"]
    return {
        "gaps": [sound.name for e in spectrum.events if e.kind == "spectral_gap"][:1],
        "mirror images": [sound.name for e in spectrum.events if e.kind == "mirror_image"][:1],
        "hum": [f"{sound.name} ({m.value:+.0f} mHz {m.reference})" for m in off],
        "phase jumps of the hum": [sound.name for e in take.events if e.details.get("cue") == "hum_phase"][:1],
    }


def untouched_lines(found: Sequence[Sound], told_of: Sequence[dict[str, list[str]]]) -> list[str]:
    minutes = sum(s.seconds for s in found) / 60
    lines = [f"{len(found)} recordings, {minutes:.1f} minutes.", "", "| what | recordings | which |", "|---|---|---|"]
    for kind in told_of[0]:
        names = [name for told_by in told_of for name in told_by[kind]]
        lines.append(f"| {kind} | {share(len(names), len(found))} | {', '.join(names) or 'none'} |")
    return lines


# -- measures ----------------------------------------------------------------------------------------------------------


def pulses(f0_hz: float, seconds: float, jitter: float, shimmer: float, seed: int, rate_hz: int = 24000) -> np.ndarray:
    """Pulses of 0.3 ms at uneven periods and heights; mean differences of neighbours as Praat's local measures take."""
    random, spread = np.random.default_rng(seed), np.sqrt(np.pi) / 2
    n = int(seconds * f0_hz) - 2
    at = np.cumsum((1 + jitter * spread * random.normal(0, 1, n)) / f0_hz)
    size = 1 + shimmer * spread * random.normal(0, 1, n)
    t_s, made = np.arange(round(seconds * rate_hz)) / rate_hz, np.zeros(round(seconds * rate_hz))
    for t, a in zip(at, size, strict=True):
        near = slice(max(0, round((t - 0.002) * rate_hz)), round((t + 0.002) * rate_hz))
        made[near] += a * np.exp(-0.5 * ((t_s[near] - t) / 0.00015) ** 2)
    return 0.3 * made


def measured(samples: np.ndarray, rate_hz: int, spoken: Sequence[Interval] = ()) -> dict[str, tuple[float, bool]]:
    """Every measure before any is withheld, and whether a report gives it."""
    audio = planted.sound(samples, rate_hz)
    some = list(spoken) or [planted.whole(audio)]
    heard = voice.hear(audio, some, SETTINGS)

    def clear_db(*band_hz: tuple[float, float]) -> float:
        return voice.clearness_db(heard.found, some, SETTINGS, *band_hz)

    without = voice.withheld(heard.voice_hz, clear_db(), SETTINGS)
    fine, _ = voice.measure_fine_structure(heard.fine, np.inf, lambda band_hz: np.inf, SETTINGS)
    given = {m.name for m in voice.measure_fine_structure(heard.fine, heard.voice_hz, clear_db, SETTINGS)[0]}
    found = {m.name: (m.value, m.name not in without) for m in voice.measure_voice(heard.stretches, SETTINGS)}
    above = {"fading": (fading_db(heard.found), True)} if rate_hz > 8000 else {}
    return found | {m.name: (m.value, m.name in given) for m in fine} | above


def pulse_job(job: tuple[str, float, float, int]) -> float:
    """Recovered over planted of a share, or HNR found minus planted in dB."""
    name, f0, value, seed = job
    if name == "hnr":
        clean = pulses(f0, 6.0, 0, 0, seed)
        level = 10 * np.log10(np.mean(clean**2)) - value
        return measured(clean + planted.noise(6.0, 24000, level, seed + 50), 24000)["hnr"][0] - value
    planted_as = (value, 0.0) if name == "jitter_local" else (0.0, value)
    found, _ = measured(pulses(f0, 6.0, *planted_as, seed=seed), 24000)[name]
    return found / drawn_truth(f0, 6.0, *planted_as, seed=seed)[name]


def pulse_lines(run: Callable[..., list[float]]) -> list[str]:
    """``run`` maps jobs to results, as ``pool.map`` does."""
    kinds = (
        ("jitter 0.5 to 2 %, within 5 %", "jitter_local", (0.005, 0.01, 0.02), 1.0, 0.05),
        ("shimmer 3 to 10 %, within 5 %", "shimmer_local", (0.03, 0.06, 0.1), 1.0, 0.05),
        ("HNR 5 to 30 dB, within 1 dB (differences)", "hnr", (5.0, 10.0, 20.0, 30.0), 0.0, 1.0),
    )
    lines = [
        "| planted | F0 Hz | n | recovered / planted: median, lowest, highest | within the aim |",
        "|---|---|---|---|---|",
    ]
    for title, name, values, aim, within in kinds:
        for f0 in (80, 120, 190, 300):
            ratios = run(pulse_job, [(name, f0, value, seed) for value in values for seed in range(3)])
            low, mid, high = np.percentile(ratios, (0, 50, 100))
            good = sum(abs(r - aim) <= within for r in ratios)
            cells = f"{len(ratios)} | {mid:.3f}, {low:.3f}, {high:.3f} | {share(good, len(ratios))}"
            lines.append(f"| {title} | {f0} | {cells} |")
    return lines


def drawn_truth(f0_hz: float, seconds: float, jitter: float, shimmer: float, seed: int) -> dict[str, float]:
    """The local measures of the very periods and heights that were drawn, in %."""
    random, spread = np.random.default_rng(seed), np.sqrt(np.pi) / 2
    n = int(seconds * f0_hz) - 2
    periods = (1 + jitter * spread * random.normal(0, 1, n)) / f0_hz
    size = 1 + shimmer * spread * random.normal(0, 1, n)
    return {
        "jitter_local": 100 * np.abs(np.diff(periods)).mean() / periods.mean(),
        "shimmer_local": 100 * np.abs(np.diff(size)).mean() / size.mean(),
    }


def telephone(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """300 to 3400 Hz."""
    sections = scipy.signal.butter(6, (300, 3400), "bandpass", fs=rate_hz, output="sos")
    return scipy.signal.sosfiltfilt(sections, samples)


def noisy(samples: np.ndarray, rate_hz: int, snr_db: float = 20.0) -> np.ndarray:
    """White noise so far below the whole."""
    level = 10 * np.log10(np.mean(samples**2)) - snr_db
    return samples + planted.noise(len(samples) / rate_hz, rate_hz, level)[: len(samples)]


CONDITIONS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "AAC 128": lambda s, r: through_aac(s, r, 128_000),
    "AAC 96": lambda s, r: through_aac(s, r, 96_000),
    "AAC 64": lambda s, r: through_aac(s, r, 64_000),
    "telephone band": telephone,
    "noise at 30 dB": lambda s, r: noisy(s, r, 30.0),
    "noise at 20 dB": noisy,
    "noise at 10 dB": lambda s, r: noisy(s, r, 10.0),
}


def shift_job(sound: Sound) -> tuple[str, dict[str, dict[str, tuple[float, bool]]]]:
    whole = sound.samples.astype(float)
    found = {"clean": measured(whole, sound.rate_hz, sound.spoken)}
    for name, spoil in CONDITIONS.items():
        found[name] = measured(spoil(whole, sound.rate_hz), sound.rate_hz, sound.spoken)
    return sound.person, found


def faded(results: list[tuple[str, dict[str, dict[str, tuple[float, bool]]]]], condition: str) -> str:
    values = np.array([r[condition]["fading"][0] for _, r in results if "fading" in r[condition]])
    below = share(int((values < SETTINGS.faded_db).sum()), len(values))
    return f"{condition}: {values.min():.1f} to {values.max():.1f} dB, below {below}"


def shift_lines(results: list[tuple[str, dict[str, dict[str, tuple[float, bool]]]]]) -> list[str]:
    persons, nothing = np.array([p for p, _ in results]), (np.nan, False)
    lines = [
        f"{len(results)} recordings of {len(set(persons))} persons, their first 8 s. Spread: standard deviation "
        "between recordings as they are. Of each condition minus clean: mean; root mean square with its 95 % interval "
        "by bootstrap over persons; and, where a report withholds the measure of some recordings in that condition, "
        "the root mean square of those it gives.",
        "",
        "Density of 4 to 5.5 kHz re 2.4 to 3.3 kHz, below which a band counts as faded out "
        f"({SETTINGS.faded_db:.0f} dB): "
        + "; ".join(faded(results, name) for name in ("clean", "telephone band"))
        + ".",
        "",
        "| measure | spread | given as it is | " + " | ".join(CONDITIONS) + " |",
        "|---|---|---|" + "---|" * len(CONDITIONS),
    ]
    for name in MEASURES:
        clean, as_it_is = np.array([r["clean"].get(name, nothing) for _, r in results]).T
        spread = float(np.nanstd(clean, ddof=1))
        cells = []
        for condition in CONDITIONS:
            values, given = np.array([r[condition].get(name, nothing) for _, r in results]).T
            known = np.isfinite(values - clean)
            shift, given = (values - clean)[known], given[known] > 0

            def rms(weights: np.ndarray, shift: np.ndarray = shift) -> np.ndarray:
                return np.sqrt((weights * shift**2).sum(-1) / weights.sum(-1))

            def marked(some: np.ndarray, spread: float = spread) -> str:
                value = float(np.sqrt(np.mean(some**2)))
                return f"{value:.2f}" + (" **> spread**" if value > spread else "")

            low, high = bootstrap(rms, persons[known])
            told = f"{shift.mean():+.2f}; {marked(shift)} [{low:.2f}, {high:.2f}]"
            if not given.all():
                told += f"; given {int(given.sum())} of {len(given)}" + (
                    f": {marked(shift[given])}" if given.any() else ""
                )
            cells.append(told)
        lines.append(f"| {name} | {spread:.2f} | {share(int(as_it_is.sum()), len(results))} | {' | '.join(cells)} |")
    return lines


# -- all of it ---------------------------------------------------------------------------------------------------------


def speed_lines(found: Sequence[Sound]) -> list[str]:
    host = next(s for s in found if 58 < s.seconds < 62)
    scene = planted.scene([], host.audio(), host.spoken)
    lines = ["| run | seconds of one core for 60 s of sound |", "|---|---|"]
    for name in ("first, imports included", "second", "third"):
        began = time.process_time()
        voice.assess(scene, SETTINGS)
        lines.append(f"| {name} | {time.process_time() - began:.2f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", required=True, type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=[""], help="words of titles of sections")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/voice.py needs ../shared/data, which is absent")
    found = sounds(options.cases)
    long = [s for s in found if s.seconds >= SHORTEST_S]
    plain = [s for s in long if s.source != "edited productions"]
    talking = [replace_short(s) for s in plain if sum(i.duration for i in s.spoken) >= 4][::EVERY_SHIFT]
    wide = [s for s in plain if s.rate_hz >= 44100 and s.seconds < 30][::EVERY_EDGE]
    head = (
        "# The voice's analyses on real recordings\n\n"
        "Made by `python tests/real/voice.py`, each section at the commit it names, on the authentic clips and real "
        f"voices of `../shared/data`: {len(found)} recordings, {sum(s.seconds for s in found) / 60:.1f} minutes, "
        f"{len({s.person for s in found})} persons. The threshold of joins was set after a look at all of them; "
        "halves of the speakers are printed apart. Everything here is a fact and never marked."
    )
    at = f"Commit {commit()}."
    printed = dict(part.split("\n\n", 1) for part in VOICE.read_text().strip().split("\n\n## ")[1:])
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        sections: dict[str, Callable[[], list[str]]] = {
            "Joins: samples that do not follow one another": lambda: splice_lines(
                pool.map(splice_job, [(s, long) for s in long], chunksize=1)
            ),
            "Gaps, mirror images and hum in untouched recordings": lambda: untouched_lines(
                found, pool.map(untouched_job, found, chunksize=4)
            ),
            "Pulse trains": lambda: pulse_lines(pool.map),
            "Edges of the band, planted into real speech": lambda: edge_lines(
                [row for rows in pool.map(edge_job, wide, chunksize=1) for row in rows]
            ),
            "The measures of real voices behind codecs, telephones and noise": lambda: shift_lines(
                pool.map(shift_job, talking, chunksize=1)
            ),
            "Mains hum": lambda: hum_lines(found),
            "Speed": lambda: speed_lines(found),
        }
        for title, section in sections.items():
            if any(word.lower() in title.lower() for word in options.only):
                printed[title] = "\n".join([at, "", *section()])
                told = [f"## {name}\n\n{printed[name]}" for name in sections if name in printed]
                VOICE.write_text("\n\n".join([head, *told]) + "\n")
                print(title, flush=True)


def replace_short(sound: Sound) -> Sound:
    """At most the first 8 s: enough for the measures."""
    n = min(len(sound.samples), 8 * sound.rate_hz)
    whole = Interval(0.0, n / sound.rate_hz)
    spoken = [common for i in sound.spoken if (common := i & whole)]
    return replace(sound, samples=sound.samples[:n], spoken=spoken)


if __name__ == "__main__":
    main()

"""A finished case as lanes of one time line: pure functions of what was seen and heard, thinned to what a screen shows.

A lane is a dictionary: ``name``, ``label``, ``kind``, ``note`` and, by its kind,

    curves   parts: [{label, points}], unit, low, high    points: (n, 2), s and value, NaN = a gap
    spans    spans: [{from, to, label, …}], s
    picture  levels: (bands, columns) uint8, from, to, unit, low, high    low, high: ends of the bands

Zooming asks again for the range that is seen, so that no lane ever holds more than ``MOST_POINTS`` points.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from forensics.analysis import blink, lighting, lipsync
from forensics.analysis.lighting.direction import light_over_time
from forensics.analysis.lighting.signal import longest_face, skin_samples, spread
from forensics.finding import NOT_ASSESSABLE, REASONS
from forensics.finished import FinishedCase
from forensics.method import restored
from forensics.report import phrases
from forensics.timeline import Audio, FaceTrack, Interval, Series, chunks

#: Points of a curve at once: screens have about as many columns; each column may need two.
MOST_POINTS = 2000
#: Stretches of one lane at once; closer ones run together on any screen.
MOST_SPANS = 1000
#: Spectrogram: columns and bands at most, window in samples, sounds looked at in each column, and decibels shown below
#: the loudest: quieter is black. Speech carries little above the frequency.
COLUMNS, BANDS, WINDOW, LOOKS, DEPTH_DB, TOP_HZ = 600, 96, 1024, 4, 70.0, 8000.0
#: Sound read at once for it, in s: 12 MB at 48 kHz.
READ_S = 60.0
#: Samples put together as lowest and highest, for the wave seen from afar.
BLOCK = 256

Lane = dict[str, Any]


# -- thinning --------------------------------------------------------------------------------------------------------


def thinned(t_s: np.ndarray, values: np.ndarray, interval: Interval, most: int = MOST_POINTS) -> np.ndarray:
    """Points (n, 2) of a curve inside ``interval``, and one beyond each end: at most ``most`` and those two.

    Where there are more, each of ``most / 2`` columns keeps its lowest and its highest value, in their order, so that
    no extreme is lost; a column without any finite value is a gap.
    """
    first, behind = np.searchsorted(t_s, (interval.start_s, interval.end_s))
    first, behind = max(int(first) - 1, 0), min(int(behind) + 1, len(t_s))
    t, v = np.asarray(t_s[first:behind], float), np.asarray(values[first:behind], float)
    if len(t) > most + 2:
        t, v = _columns(t, v, most // 2)
    return np.column_stack([t, v])


def _columns(t: np.ndarray, v: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest of each column, at their own times, in their order."""
    edges = np.linspace(0, len(t), columns + 1).astype(int)
    starts, sizes = edges[:-1], np.diff(edges)
    column = np.repeat(np.arange(columns), sizes)
    known = np.isfinite(v)
    picked = []
    for worst, better in ((np.inf, np.minimum), (-np.inf, np.maximum)):
        filled = np.where(known, v, worst)
        best = better.reduceat(filled, starts)
        hit = np.flatnonzero(filled == best[column])
        at = hit[np.searchsorted(column[hit], np.arange(columns))]  # the first that is so
        picked.append(at)
    rows = np.sort(np.stack(picked, 1), axis=1).ravel()
    return t[rows], v[rows]


def joined(parts: Iterable[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Several stretches as one curve, a gap between each two."""
    times, values = [np.zeros(0)], [np.zeros(0)]
    for t_s, v in parts:
        if len(t_s):
            times += [t_s, t_s[-1:]]
            values += [v, np.array([np.nan])]
    return np.concatenate(times), np.concatenate(values)


def fewer(spans: Sequence[Lane], interval: Interval, most: int = MOST_SPANS) -> list[Lane]:
    """Spans that reach into ``interval``; of more than ``most`` those that run together on a screen as one."""
    seen = [s for s in spans if s["from"] < interval.end_s and s["to"] >= interval.start_s]
    if len(seen) <= most:
        return seen
    near, kept = interval.duration / most, seen[:1]
    for span in seen[1:]:
        last = kept[-1]
        if span["from"] - last["to"] < near and span["to"] - last["from"] < 2 * near:
            kept[-1] = {"from": last["from"], "to": max(last["to"], span["to"]), "label": "several"}
        else:
            kept.append(span)
    return kept[:most]


# -- sound -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wave:
    """The sound and, block by block, its lowest and highest samples, at the times of the blocks' beginnings."""

    audio: Audio
    t_s: np.ndarray
    values: np.ndarray

    def points(self, interval: Interval) -> np.ndarray:
        """Points inside ``interval``, from the samples themselves where they are few."""
        if interval.duration * self.audio.rate_hz > BLOCK * MOST_POINTS:
            return thinned(self.t_s, self.values, interval)
        samples, start_s = self.audio.mono(interval)
        return thinned(start_s + np.arange(len(samples)) / self.audio.rate_hz, samples, interval)


def wave(audio: Audio) -> Wave:
    """The sound read once, in pieces."""
    lows, n = [], len(audio.samples)
    for rows in chunks(n, BLOCK * 4096):
        block = np.asarray(audio.samples[rows], np.float32).mean(1)
        starts = np.arange(0, len(block), BLOCK)
        lows.append(np.stack([np.minimum.reduceat(block, starts), np.maximum.reduceat(block, starts)], 1))
    values = np.concatenate(lows).ravel() if lows else np.zeros(0, np.float32)
    t_s = audio.start_s + np.repeat(np.arange(len(values) // 2) * BLOCK / audio.rate_hz, 2)
    return Wave(audio, t_s, values)


def spectrogram(audio: Audio, interval: Interval, columns: int = COLUMNS) -> Lane | None:
    """Power inside ``interval`` in ``BANDS`` bands up to ``TOP_HZ``, 0-255 over ``DEPTH_DB`` below the loudest.

    Each column is the mean of ``LOOKS`` windows spread over it: where it is longer than they are, parts of it are not
    looked at.
    """
    part = audio.interval & interval
    if part is None or len(audio.samples) < WINDOW:
        return None
    at = np.linspace(part.start_s, part.end_s, columns * LOOKS, endpoint=False) - audio.start_s
    starts = np.clip((at * audio.rate_hz).astype(np.int64) - WINDOW // 2, 0, len(audio.samples) - WINDOW)
    pieces = _pieces(audio, starts)
    hann = np.hanning(WINDOW)
    top = min(TOP_HZ, audio.rate_hz / 2)
    bins = np.linspace(1, top * WINDOW / audio.rate_hz, BANDS + 1).astype(int)
    power = np.empty((len(starts), BANDS))
    for k in chunks(len(starts), 256):
        lines = np.abs(np.fft.rfft(pieces(starts[k]) * hann, axis=1)) ** 2
        power[k] = np.add.reduceat(lines[:, : bins[-1]], bins[:-1], axis=1) / np.maximum(np.diff(bins), 1)
    level = 10 * np.log10(power.reshape(columns, LOOKS, BANDS).mean(1) + 1e-12)
    shown = np.clip(1 + (level - level.max()) / DEPTH_DB, 0, 1)
    about = {"from": part.start_s, "to": part.end_s, "unit": "kHz", "low": 0.0, "high": top / 1000}
    return {"levels": (255 * shown.T).astype(np.uint8), **about}


def _pieces(audio: Audio, starts: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Reads windows of the mean of all channels by their first samples: (n,) -> (n, WINDOW)."""
    first, behind, window = int(starts[0]), int(starts[-1]) + WINDOW, np.arange(WINDOW)
    if behind - first > READ_S * audio.rate_hz:  # far apart on disk: these alone, so that memory stays small
        return lambda wanted: np.asarray(audio.samples[wanted[:, None] + window], np.float32).mean(-1)
    block = np.asarray(audio.samples[first:behind], np.float32).mean(1)
    return lambda wanted: block[(wanted - first)[:, None] + window]


# -- the case --------------------------------------------------------------------------------------------------------


def _settings(case: FinishedCase, analysis: Any) -> Any:
    return restored(analysis.Settings, case.run.opened["settings"][analysis.ANALYSIS])


@dataclass
class Signals:
    """Curves and stretches of a finished case, each made when it is first asked for."""

    case: FinishedCase

    @property
    def whole(self) -> Interval:
        return self.case.scene.interval

    @cached_property
    def wave(self) -> Wave | None:
        audio = self.case.scene.observation.audio
        return None if audio is None else wave(audio)

    def _by_person(self, make: Callable[[FaceTrack], Series]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        made = {person: [make(track) for track in tracks] for person, tracks in self.case.scene.persons.items()}
        return {person: joined((s.t_s, s.values) for s in parts) for person, parts in made.items()}

    @cached_property
    def mouth(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By person: the gap of the inner lips in % of the face's height."""
        found = self._by_person(lipsync.mouth_opening)
        return {person: (t_s, 100 * values) for person, (t_s, values) in found.items()}

    @cached_property
    def eyes(self) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]:
        """By eye and person: openness, 1 = as open as around it."""
        settings = _settings(self.case, blink)
        return {
            eye: self._by_person(lambda track, eye=eye: blink.openness(track, eye, settings))  # type: ignore[misc]
            for eye in blink.EYES
        }

    @cached_property
    def light(self) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """By person whose light could be assessed: times, azimuth and elevation in deg."""
        settings, found = _settings(self.case, lighting), {}
        for person, tracks in self.case.scene.persons.items():
            if not self.why("lighting.direction", person):
                places = spread(longest_face(tracks), settings)
                skin = skin_samples(places, self.case.scene.observation.mesh, settings)
                found[person] = (skin.t_s, *lighting.direction(light_over_time(skin, settings)[:, 1:]))
        return found

    @cached_property
    def sync(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By appearance: how the mouth goes with the sound, in windows, from the table behind the report's chart."""
        paths = sorted((self.case.folder / "tables").glob("*-lipsync-speaker.csv"))
        if len(paths) != 1:
            return {}
        with paths[0].open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            return {}
        middle = np.array([float(row["middle_s"]) for row in rows])
        return {
            name.removeprefix("z_"): (middle, np.array([float(row[name] or "nan") for row in rows]))
            for name in rows[0]
            if name.startswith("z_")
        }

    def why(self, question: str, person: str | None = None) -> str:
        """Why a question could not be assessed, in words; empty where it was."""
        for finding in self.case.findings:
            if finding["question"] == question and finding["person"] in (person, None):
                refused = finding["state"] == NOT_ASSESSABLE
                return " ".join(REASONS[code][0] for code in finding["reasons"]) if refused else ""
        return "Not examined."

    def events(self, analyses: Sequence[str]) -> list[Lane]:
        """The events that these analyses told, in order of time."""
        found = [
            {
                "from": event["start_s"],
                "to": event["end_s"],
                "label": event["what"],
                "event": phrases.event(event["kind"]),
                "eye": event.get("eye", ""),
                "person": finding["person"],
                "unusual": event["unusual"],
            }
            for finding in self.case.findings
            if finding["analysis"] in analyses
            for event in finding["events"]
        ]
        return sorted(found, key=lambda event: (event["from"], event["to"]))

    @cached_property
    def tracks(self) -> list[FaceTrack]:
        """All faces, those set aside and too brief ones too."""
        scene = self.case.scene
        return sorted([*scene.tracks, *scene.brief, *scene.set_aside], key=lambda t: (t.interval, t.name))


def lanes(
    signals: Signals, interval: Interval, person: str | None, phonemes: Sequence[Sequence[Any]] | None = None
) -> list[Lane]:
    """Every lane of the time line inside ``interval``; curves of faces are those of one ``person``."""
    scene, whole = signals.case.scene, signals.whole
    inside = interval & whole or whole

    def curve(name: str, label: str, unit: str, parts: Mapping[str, Any], note: str = "", zero: bool = False) -> Lane:
        made = [{"label": text, "points": thinned(part[0], part[1], inside)} for text, part in parts.items()]
        return {"name": name, "label": label, "kind": "curves", "unit": unit, "parts": made, "note": note} | _range(
            made, zero
        )

    def spans(name: str, label: str, found: Sequence[Lane], note: str = "") -> Lane:
        note = note if found or note else "none found"
        return {"name": name, "label": label, "kind": "spans", "spans": fewer(found, inside), "note": note}

    who = person if person in scene.persons else next(iter(scene.persons), None)
    own = {t.name for t in scene.persons.get(who or "", ())}
    made: list[Lane] = []
    if signals.wave is not None:
        points = signals.wave.points(inside)
        largest = max(0.02, float(np.nanmax(np.abs(points[:, 1]), initial=0)))
        about = {"unit": "full scale", "note": "", "low": -largest, "high": largest}
        made.append(
            {"name": "wave", "label": "Sound", "kind": "curves", "parts": [{"label": "", "points": points}]} | about
        )
        if (shown := spectrogram(signals.wave.audio, inside)) is not None:
            made.append({"name": "spectrogram", "label": "Spectrogram", "kind": "picture", "note": "", **shown})
    speech = None if scene.speech is None else [_span(i, "speech") for i in scene.speech]
    made.append(spans("speech", "Speech", speech or [], "" if speech is not None else "There is no sound."))
    said = [{"from": a, "to": b, "label": name} for name, a, b in phonemes or ()]
    note = "being recognised" if phonemes is None else "decoded; single ones may be wrong"
    made.append(spans("phonemes", "Phonemes", said, note))
    refused = signals.why("lipsync.link", who)
    mouth = {"mouth": signals.mouth[who]} if who in signals.mouth else {}
    made.append(curve("mouth", "Mouth", "% of face", mouth, refused, zero=True))
    sync = {name: part for name, part in signals.sync.items() if name in own}
    made.append(curve("sync", "Lips with sound", "z", sync, "" if sync else signals.why("lipsync.speaker")))
    refused = signals.why("blink.rate", who)
    eyes = {f"{eye} eye": parts[who] for eye, parts in signals.eyes.items() if who in parts}
    made.append(curve("eyes", "Eyes", "1 = open", eyes, refused, zero=True))
    blinks = [e for e in signals.events(("blink",)) if e["person"] == who]
    made.append(spans("blinks", "Blinks", blinks, refused))
    light = {}
    if who in signals.light:
        t_s, azimuth, elevation = signals.light[who]
        light = {"azimuth": (t_s, azimuth), "elevation": (t_s, elevation)}
    made.append(curve("light", "Light", "deg", light, signals.why("lighting.direction", who)))
    made.append(
        spans("events", "Lips, light, file", signals.events(("lipsync", "lighting", "evidence", "coincidence")))
    )
    made.append(spans("voice", "Voice events", signals.events(("voice",)), signals.why("voice.take")))
    cuts = [{"from": s.start_s, "to": s.start_s, "label": f"cut at {s.start_s:.3f} s"} for s in scene.shots[1:]]
    made.append(spans("cuts", "Cuts", cuts))
    seen = [
        _span(t.interval, f"{t.name}: {t.named}" if t.named else t.name) | {"track": t.name} for t in signals.tracks
    ]
    made.append(spans("coverage", "Faces in view", seen))
    return made


def _span(interval: Interval, label: str) -> Lane:
    return {"from": interval.start_s, "to": interval.end_s, "label": label}


def _range(parts: Sequence[Mapping[str, Any]], zero: bool) -> dict[str, float]:
    """From the lowest to the highest value shown, a little wider; from 0 on where the quantity has a zero."""
    values = np.concatenate([np.zeros(0), *(part["points"][:, 1] for part in parts)])
    values = values[np.isfinite(values)]
    if not len(values):
        return {"low": 0.0, "high": 1.0}
    low, high = (0.0 if zero else float(values.min())), float(values.max())
    edge = 0.05 * (high - low) or 1.0
    return {"low": low if zero else low - edge, "high": high + edge}

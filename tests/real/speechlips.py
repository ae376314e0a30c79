"""How often speech and lips are told apart in untouched clips, and how much of what was planted is found.

    python tests/real/speechlips.py --cases FOLDER [--keep FOLDER]     (cases made by tests/real/gate.py --cases FOLDER)

Each clip is judged by a model fitted without its person (and without the person whose sound was put in). Planted into
the second half of authentic clips: a stranger's sound, a mouth that rests, no speech. Writes tests/real/SPEECHLIPS.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lipsync as protocol
import numpy as np
from gate import DATA, OTHER_SOUND, clips, commit, share

from forensics import training
from forensics.analysis import lipsync
from forensics.analysis.lipsync import verdict
from forensics.analysis.lipsync.model import Model
from forensics.finding import Finding
from forensics.scene import Scene
from forensics.timeline import Interval, Series, intersection, repeatability, total_s

SPEECHLIPS = Path(__file__).resolve().parent / "SPEECHLIPS.md"
SETTINGS = lipsync.Settings()
#: Strangers whose sound is put into each clip, and the shortest clip that something is planted into.
STRANGERS, SHORTEST_S = 2, 12.0
KINDS = APART, MOVING = "speech_without_lips", "lips_without_speech"


@dataclass(frozen=True)
class Heard:
    """A clip's scene with its sound's spectrum."""

    name: str
    scene: Scene
    spectrum: Series


def asked(heard: Heard, model: Model) -> list[Finding]:
    """The coverage of each person."""
    scene = heard.scene
    _, watched = verdict.watch_all(scene, heard.spectrum, SETTINGS, model)
    return [verdict.assess_coverage(p, tracks, scene, watched, SETTINGS) for p, tracks in scene.persons.items()]


def told_s(findings: Sequence[Finding], kind: str, within: Sequence[Interval]) -> float:
    return total_s(intersection([e.interval for f in findings for e in f.events if e.kind == kind], within))


# -- what is planted -------------------------------------------------------------------------------------------------


def later_half(heard: Heard) -> Interval:
    whole = max(heard.scene.tracks, key=lambda t: t.interval.duration).interval
    return Interval(whole.start_s + whole.duration / 2, whole.end_s)


def outside(heard: Heard, half: Interval) -> list[Interval]:
    whole = heard.scene.interval
    return [Interval(whole.start_s, half.start_s)] if half.start_s > whole.start_s else []


def with_sound_of(heard: Heard, other: Heard, half: Interval) -> Heard:
    """From the half on the other clip's sound, from its beginning on, round where it is shorter."""
    own = heard.spectrum.t_s >= half.start_s
    rows = np.arange(own.sum()) % len(other.spectrum.t_s)
    values = heard.spectrum.values.copy()
    values[own] = other.spectrum.values[rows]
    begin, length = float(other.spectrum.t_s[0]), len(other.spectrum.t_s) / 100
    moved = [
        Interval(i.start_s - begin + half.start_s + k * length, i.end_s - begin + half.start_s + k * length)
        for k in range(int(half.duration / length) + 1)
        for i in other.scene.speech or []
    ]
    kept = intersection(heard.scene.speech or [], outside(heard, half))
    speech = sorted([*kept, *intersection(moved, [half])])
    return replace(heard, spectrum=replace(heard.spectrum, values=values), scene=replace(heard.scene, speech=speech))


def with_resting_mouth(heard: Heard, half: Interval) -> Heard:
    """Each landmark as at the half's beginning, off by the model's own scatter."""
    made = []
    for track in heard.scene.tracks:
        points = np.array(track.landmarks[:])
        rows = np.flatnonzero((track.t_s >= half.start_s) & (track.t_s < half.end_s))
        if len(rows):
            error = 0.0 if track.repeats is None else repeatability(track.repeats.landmarks)
            noise = np.random.default_rng(0).normal(0, np.nan_to_num(error), (len(rows), *points.shape[1:]))
            points[rows] = points[rows[0]] + noise
        made.append(replace(track, landmarks=points))
    return replace(heard, scene=replace(heard.scene, tracks=made))


def without_speech(heard: Heard, half: Interval) -> Heard:
    floor = np.percentile(heard.spectrum.values, 5, axis=0)
    values = heard.spectrum.values.copy()
    values[heard.spectrum.t_s >= half.start_s] = floor
    kept = intersection(heard.scene.speech or [], outside(heard, half))
    return replace(heard, spectrum=replace(heard.spectrum, values=values), scene=replace(heard.scene, speech=kept))


# -- figures -----------------------------------------------------------------------------------------------------------


def untouched(some: Sequence[tuple[Heard, list[Finding]]]) -> str:
    """A row: clips, minutes, seconds told a minute, clips with any."""
    cells = []
    for kind in KINDS:
        of = [m for _, fs in some for f in fs for m in f.measurements if m.name == kind]
        minutes = sum(float(m.reference.split()[1]) for m in of) / 60
        told = [told_s(fs, kind, [h.scene.interval]) for h, fs in some]
        names = ", ".join(h.name for (h, _), s in zip(some, told, strict=True) if s)
        rate = f"{sum(told) / minutes:.2f}" if minutes else "–"
        cells += [
            f"{minutes:.1f}",
            f"{sum(told):.1f}",
            rate,
            share(sum(s > 0 for s in told), len(told)),
            names or "none",
        ]
    return f"{len(some)} | " + " | ".join(cells) + " |"


@dataclass(frozen=True)
class Planted:
    """Seconds planted and told of one scene, and told beside what was planted."""

    name: str
    of_s: float
    told_s: float
    beside_s: float
    beside_of_s: float


def planted_row(kind: str, some: Sequence[Planted]) -> str:
    any_told = sum(p.told_s > 0 for p in some)
    per_clip: dict[str, list[Planted]] = {}
    for p in some:
        per_clip.setdefault(p.name, []).append(p)
    names = sorted(per_clip)
    sums = np.array([[sum(p.told_s for p in per_clip[n]), sum(p.of_s for p in per_clip[n])] for n in names])
    draws = np.random.default_rng(0).integers(0, len(names), (2000, len(names)))
    low, high = np.percentile(sums[draws, 0].sum(1) / sums[draws, 1].sum(1), (2.5, 97.5))
    beside, of = sum(p.beside_s for p in some), sum(p.beside_of_s for p in some)
    return (
        f"| {kind} | {len(some)} | {len(names)} | {sums[:, 1].sum():.0f} | "
        f"{100 * sums[:, 0].sum() / sums[:, 1].sum():.1f} % [{100 * low:.1f}, {100 * high:.1f}] | "
        f"{any_told}/{len(some)} | {beside:.1f} of {of:.0f} |"
    )


def measure_planted(heard: Heard, made: Heard, half: Interval, model: Model, kind: str) -> Planted:
    found, near = asked(made, model), Interval(half.start_s - 2, half.end_s)
    spoken = made.scene.speech or []
    seen = [t.interval for t in made.scene.tracks]
    of = intersection(spoken if kind == APART else [half], intersection([half], seen))
    own = (
        intersection(spoken, [Interval(made.scene.interval.start_s, near.start_s)])
        if near.start_s > made.scene.interval.start_s
        else []
    )
    return Planted(heard.name, total_s(of), told_s(found, kind, of), told_s(found, APART, own), total_s(own))


def planted(
    fits: protocol.Fits, scored: Sequence[protocol.Clip], by_name: dict[str, Heard]
) -> dict[str, list[Planted]]:
    random = np.random.default_rng(0)
    made: dict[str, list[Planted]] = {
        "a stranger's sound in the second half": [],
        "a stranger's sound throughout": [],
        "the mouth rests in the second half": [],
        "the second half's speech taken out": [],
    }
    strange, whole, rests, hushed = made.values()
    for clip in scored:
        heard = by_name[clip.name]
        others = [c for c in scored if c.sample.unit != clip.sample.unit]
        for k in random.permutation(len(others))[:STRANGERS]:
            model, other = fits.without(clip, others[k])[0], by_name[others[k].name]
            every = heard.scene.interval
            whole.append(measure_planted(heard, with_sound_of(heard, other, every), every, model, APART))
            if len(clip.sample.lips) / 100 >= SHORTEST_S:
                half = later_half(heard)
                strange.append(measure_planted(heard, with_sound_of(heard, other, half), half, model, APART))
        if len(clip.sample.lips) / 100 >= SHORTEST_S:
            half, model = later_half(heard), fits.without(clip)[0]
            rests.append(measure_planted(heard, with_resting_mouth(heard, half), half, model, APART))
            hushed.append(measure_planted(heard, without_speech(heard, half), half, model, MOVING))
    return made


def all_heard(cases: Path) -> Iterator[Heard]:
    names = {Path(r["path"]).stem for r in clips()}
    for name, scene in training.scenes(cases, names, cases):
        if scene.observation.audio is not None and scene.speech is not None and scene.tracks:
            yield Heard(name, scene, lipsync.sound_spectrum(scene.observation.audio))


def text_of(cases: Path, keep: Path | None) -> str:
    all_clips = protocol.load(cases)
    fits, by_name = protocol.Fits(all_clips, keep), {h.name: h for h in all_heard(cases)}
    rows = {Path(r["path"]).stem: r for r in clips()}
    fitted = {c.name: c for c in all_clips}
    shipped = lipsync.shipped()
    found = {
        name: (h, asked(h, fits.without(fitted[name])[0] if name in fitted else shipped)) for name, h in by_name.items()
    }
    authentic = [v for n, v in found.items() if rows[n]["label"] == "authentic" and n not in OTHER_SOUND]
    groups = {
        "authentic": authentic,
        "of these kept by a correlation check (`t…`; flatters)": [v for v in authentic if v[0].name.startswith("t0")],
        "of these the others": [v for v in authentic if not v[0].name.startswith("t0")],
        "altered": [v for n, v in found.items() if rows[n]["label"] != "authentic"],
    }
    lowest = sorted(
        (round(float(f.evidence["watched"].z.values.min()), 1), h.name)
        for h, fs in authentic
        for f in fs
        if f.evidence and len(f.evidence["watched"].z.values)
    )
    return "\n".join(
        [
            "# Speech without lips, lips without speech",
            "",
            f"Made by `python tests/real/speechlips.py` at commit {commit()} on the clips of `../shared/data`. Each "
            "clip is judged by a model fitted without its person, in pairs without both. Facts, never marked. The "
            "limits were set after a look at these clips: the figures of untouched ones flatter by that.",
            "",
            "## Untouched clips",
            "",
            "| clips | n | speech min | `speech_without_lips` s | s a minute | clips with any | which | "
            "other sound min | `lips_without_speech` s | s a minute | clips with any | which |",
            "|" + "---|" * 12,
            *(f"| {title} | {untouched(some)}" for title, some in groups.items()),
            "",
            "Lowest z of a window (the limit is "
            f"{SETTINGS.most_apart_z:g}): " + ", ".join(f"{z} {name}" for z, name in lowest[:8]) + ".",
            "",
            "## Sound known not to be the mouths'",
            "",
            "| clip | person | state | shares % | events | z of its windows |",
            "|---|---|---|---|---|---|",
            *(line(h.name, f) for n, (h, fs) in sorted(found.items()) if n in OTHER_SOUND for f in fs),
            "",
            "## Planted",
            "",
            f"Into the second half of clips of {SHORTEST_S:g} s or more, {STRANGERS} strangers each. Told: share of "
            "the planted seconds inside an event; interval: 95 %, bootstrap over clips. Beside: seconds of speech "
            "told in the own half, 2 s or more before the change.",
            "",
            "| what | scenes | clips | s planted | told | scenes with any | told beside, s |",
            "|---|---|---|---|---|---|---|",
            *(
                planted_row(kind, some)
                for kind, some in planted(fits, [c for c in all_clips if c.scored], by_name).items()
            ),
            "",
        ]
    )


def line(name: str, f: Finding) -> str:
    shares = "; ".join(f"{m.name} {m.value:g} [{m.low:g}, {m.high:g}]" for m in f.measurements)
    events = "; ".join(
        f"{e.kind} {e.interval.start_s:.1f}-{e.interval.end_s:.1f} s ({e.details.get('mouth', '')})" for e in f.events
    )
    z = ", ".join(f"{v:.1f}" for v in f.evidence["watched"].z.values) if f.evidence else ""
    return (
        f"| {name} | {f.person} | {f.state} {', '.join(f.reasons)} | {shares or '–'} | {events or '–'} | {z or '–'} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="folder of finished cases")
    parser.add_argument("--keep", type=Path, help="keep the fits in this folder, and use those that lie there")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/speechlips.py needs ../shared/data, which is absent")
    SPEECHLIPS.write_text(text_of(options.cases, options.keep))
    print(SPEECHLIPS.read_text())


if __name__ == "__main__":
    main()

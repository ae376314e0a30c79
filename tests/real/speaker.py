"""How often the right face is named as the speaker: real clips set beside each other, so that the truth is known.

    python tests/real/speaker.py [--cases FOLDER]

The faces of two authentic clips of different persons are put side by side with the sound of the first (its face
speaks), with that of both in turn, and with that of a third (nobody in view speaks). Each clip is also taken alone,
with its own and with a stranger's sound.
Writes tests/real/SPEAKER.md.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from gate import DATA, OTHER_SOUND, clips, commit, share

from forensics import observe, pipeline
from forensics.analysis import lipsync
from forensics.analysis.lipsync import speaker, verdict
from forensics.analysis.lipsync.signal import GRID_HZ
from forensics.case import Case
from forensics.errors import ForensicsError
from forensics.scene import Scene
from forensics.timeline import Interval, Series, inside, runs

SPEAKER = Path(__file__).resolve().parent / "SPEAKER.md"
#: Windows compared in the table of the half they were chosen on, s.
WINDOWS_S = (2.0, 3.0, 4.0, 5.0)
#: Strangers drawn for each clip.
PARTNERS = 6
#: The made-up scenes.
KINDS = SPEAKS, TURNS, NEITHER, OWN, STRANGER = (
    "two faces, the first speaks",
    "two faces speak in turn",
    "two faces, neither speaks",
    "one face, its own sound",
    "one face, a stranger's sound",
)
#: Resamples of clips for the intervals.
RESAMPLES = 2000


@dataclass(frozen=True)
class Clip:
    """One authentic clip with its own sound: velocities by 10 ms over its longest face, and where speech is."""

    name: str
    units: frozenset[str]  # person, group, recording chain: what must not meet
    mouth: np.ndarray
    sound: np.ndarray
    spoken: np.ndarray

    @property
    def chosen_on(self) -> bool:
        """Which half of the persons: by a hash of the unit, so that it does not change with the list of clips."""
        return hashlib.sha256(min(self.units).encode()).digest()[0] % 2 == 0

    @property
    def kept_by_check(self) -> bool:
        return self.name.startswith("t")


def load(job: tuple[dict[str, str], str]) -> Clip | None:
    """The clip's signals through the pipeline, one worker; None where lips cannot be compared with sound."""
    row, folder = job
    path = DATA / row["path"]
    settings = pipeline.Settings(observe=replace(observe.Settings(), workers=1))
    try:
        with Case(Path(folder) / path.stem, path) as case:
            scene = pipeline.examine(case, settings=settings).scene
    except ForensicsError:
        return None
    return clip_of(path.stem, units_of(row), scene, settings.lipsync)


def units_of(row: dict[str, str]) -> frozenset[str]:
    name = Path(row["path"]).stem
    return frozenset({row["person"], row["group"], "grid" if name.startswith("grid") else ""} - {""})


def clip_of(name: str, units: frozenset[str], scene: Scene, settings: lipsync.Settings) -> Clip | None:
    audio = scene.observation.audio
    if audio is None or not scene.speech or not scene.tracks:
        return None
    track = max(scene.tracks, key=lambda t: t.interval.duration)
    spectrum = lipsync.sound_spectrum(audio)
    if verdict.refusals([track], [track.interval], scene.speech, spectrum, settings):
        return None
    start_s, end_s = (pick(float(spectrum.t_s[at]), float(track.t_s[at])) for pick, at in ((max, 0), (min, -1)))
    grid = np.arange(start_s, end_s, 1 / GRID_HZ)
    mouth = lipsync.mouth_velocity(track, grid, settings)
    return Clip(name, units, mouth, lipsync.sound_velocity(spectrum, grid, settings), inside(grid, scene.speech))


# -- the truth, made -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """Windows of one made-up scene: how many name the face that speaks, another one, or nobody."""

    clip: Clip  # whose face comes first, and speaks where anybody does
    right: int
    wrong: int
    windows: int


def trial(clip: Clip, faces: list[Clip], heard: list[Clip], settings: lipsync.Settings) -> Trial | None:
    """``faces`` side by side with the sound of ``heard``, cut to the shortest; None without a window.

    Two voices follow one another, each for half of the time, the second brought to the lag of the first: a recording
    has one.
    """
    n = min(len(c.sound) for c in (*faces, *heard))
    first, last = heard[0], heard[-1]
    early = np.arange(n) < (n if first is last else n // 2)
    behind = 0 if first is last else lag_steps(first, settings) - lag_steps(last, settings)
    sound = np.where(early, first.sound[:n], np.roll(last.sound[:n], behind))
    spoken = np.where(early, first.spoken[:n], np.roll(last.spoken[:n], behind))
    mouths = [speaker.Mouth(0, face.mouth[:n]) for face in faces]
    stretches = [Interval(a / GRID_HZ, b / GRID_HZ) for a, b in runs(spoken)]
    windows = speaker.follow(mouths, Series("sound", np.arange(n) / GRID_HZ, sound, "1"), stretches, settings)
    if windows is None:
        return None
    index = [faces.index(c) if c in faces else -2 for c in (first, last)]
    middle = np.round((windows.start_s + settings.window_s / 2) * GRID_HZ).astype(int)
    true = np.where(early[middle], *index)
    right, named = windows.named == true, windows.named >= 0
    return Trial(clip, int(right.sum()), int((named & ~right).sum()), len(named))


def lag_steps(clip: Clip, settings: lipsync.Settings) -> int:
    found = lipsync.compare(clip.mouth, clip.sound, settings)
    return round(lipsync.peak_ms(found.lags_ms, found.correlation) / 1000 * GRID_HZ)


def trios(all_clips: list[Clip]) -> Iterator[tuple[Clip, Clip, Clip]]:
    """Each clip with strangers of its own half, drawn with a fixed seed."""
    random = np.random.default_rng(0)
    for clip in all_clips:
        half = [c for c in all_clips if c.chosen_on == clip.chosen_on]
        strangers = [c for c in half if not c.units & clip.units]
        for k in random.permutation(len(strangers))[:PARTNERS]:
            thirds = [c for c in strangers if not c.units & strangers[k].units]
            yield clip, strangers[k], thirds[random.integers(len(thirds))]


def trials(all_clips: list[Clip], settings: lipsync.Settings) -> dict[str, list[Trial]]:
    """All made-up scenes by their kind."""
    made: dict[str, list[Trial | None]] = {kind: [] for kind in KINDS}
    for clip, other, third in trios(all_clips):
        made[SPEAKS].append(trial(clip, [clip, other], [clip], settings))
        made[TURNS].append(trial(clip, [clip, other], [clip, other], settings))
        made[NEITHER].append(trial(clip, [clip, other], [third], settings))
        made[STRANGER].append(trial(clip, [clip], [other], settings))
    made[OWN] = [trial(clip, [clip], [clip], settings) for clip in all_clips]
    return {kind: [t for t in some if t is not None] for kind, some in made.items()}


# -- figures ---------------------------------------------------------------------------------------------------------


def rate(some: list[Trial], count: str) -> str:
    """Share of windows with a bootstrap interval over clips; 0 is printed with the exact bound over clips."""
    names = sorted({t.clip.name for t in some})
    hits, all_of = (
        np.array([sum(value(t) for t in some if t.clip.name == name) for name in names])
        for value in (lambda t: getattr(t, count), lambda t: t.windows)
    )
    if not hits.sum():
        return f"0 (0 of {len(names)} clips, below {100 * (1 - 0.05 ** (1 / len(names))):.1f} %)"
    draws = np.random.default_rng(0).integers(0, len(names), (RESAMPLES, len(names)))
    low, high = np.percentile(hits[draws].sum(1) / all_of[draws].sum(1), (2.5, 97.5))
    return f"{100 * hits.sum() / all_of.sum():.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def row(kind: str, some: list[Trial]) -> str:
    clips_of = {t.clip.name for t in some}
    wronged = {t.clip.name for t in some if t.wrong}
    right = "–" if kind in (NEITHER, STRANGER) else rate(some, "right")
    return (
        f"| {kind} | {len(some)} | {sum(t.windows for t in some)} | {len(clips_of)} | {right} | "
        f"{rate(some, 'wrong')} | {share(len(wronged), len(clips_of))} |"
    )


HEAD = [
    "| scene | scenes | windows | clips | right | wrong | clips with any wrong window |",
    "|---|---|---|---|---|---|---|",
]


def tables(all_clips: list[Clip]) -> list[str]:
    """The half that chose, by window; the other half at the shipped settings, all and apart by how clips were kept."""
    settings = lipsync.Settings()
    lines = ["## First half of the persons: the choice of the window", ""]
    lines += [
        "| window s | two faces: right | wrong | neither speaks: named | own sound alone: right |",
        "|" + "---|" * 5,
    ]
    half = [c for c in all_clips if c.chosen_on]
    for window_s in WINDOWS_S:
        made = trials(half, replace(settings, window_s=window_s))
        figures = (
            rate(made[SPEAKS], "right"),
            rate(made[SPEAKS], "wrong"),
            rate(made[NEITHER], "wrong"),
            rate(made[OWN], "right"),
        )
        lines.append(f"| {window_s:g} | " + " | ".join(figures) + " |")
    made = trials([c for c in all_clips if not c.chosen_on], settings)
    groups = {
        "Second half of the persons": lambda t: True,
        "Of these, clips kept by a correlation check (`t…`; flatters)": lambda t: t.clip.kept_by_check,
        "Of these, the others": lambda t: not t.clip.kept_by_check,
    }
    for title, member in groups.items():
        lines += ["", f"## {title}", "", *HEAD]
        lines += [row(kind, own) for kind in KINDS if (own := [t for t in made[kind] if member(t)])]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", help="keep the cases in this folder, and use their caches")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/speaker.py needs ../shared/data, which is absent")
    rows = [r for r in clips() if r["label"] == "authentic" and Path(r["path"]).stem not in OTHER_SOUND]
    with tempfile.TemporaryDirectory() as scratch, multiprocessing.get_context("spawn").Pool(2) as pool:
        found = [c for c in pool.imap(load, [(r, options.cases or scratch) for r in rows]) if c is not None]
    SPEAKER.write_text(text_of(found))
    print(SPEAKER.read_text())


def text_of(found: list[Clip]) -> str:
    settings = lipsync.Settings()
    return "\n".join(
        [
            "# Which face moves with the sound",
            "",
            f"Made by `python tests/real/speaker.py` at commit {commit()}. {len(found)} authentic clips of "
            "`../shared/data` in which lips can be compared with their own sound. Faces of two clips are put side by "
            "side, so that the truth is known; both mouths talk, which is harder than a listener. Shares are of "
            f"windows of {settings.window_s:g} s every {settings.step_s:g} s with speech; what is neither right nor "
            'wrong is "not known". In turn: half of the time each, both at one lag, by the middle of the window; '
            "windows across the change count, too. Intervals: 95 %, bootstrap over clips, and Clopper-Pearson for "
            "counts of clips, whose partners are drawn from the same half.",
            "",
            "The limits were set after a look at all clips, and the window's choice repeated on the first half: the "
            "second half is no wholly untouched test.",
            "",
            *tables(found),
            "",
        ]
    )


if __name__ == "__main__":
    main()

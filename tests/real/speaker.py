"""How often the right face is named as the speaker: real clips set beside each other, so that the truth is known.

    python tests/real/speaker.py --cases FOLDER     (cases made by tests/real/gate.py --cases FOLDER)

The faces of two authentic clips of different persons are put side by side with the sound of the first (its face
speaks), with that of both in turn, and with that of a third (nobody in view speaks). Each clip is also taken alone,
with its own and with a stranger's sound. Ten folds by person; all faces and voices of a scene are of one fold, and the
model was fitted without it.
Writes tests/real/SPEAKER.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from gate import DATA, OTHER_SOUND, clips, commit, share

from forensics import statistics, training
from forensics.analysis import lipsync
from forensics.analysis.lipsync import speaker
from forensics.analysis.lipsync.components import Lips
from forensics.analysis.lipsync.signal import GRID_HZ
from forensics.timeline import Interval, Series, runs

SPEAKER = Path(__file__).resolve().parent / "SPEAKER.md"
#: Windows compared, s.
WINDOWS_S = (2.0, 3.0, 4.0)
#: Folds of persons, and strangers drawn for each clip from its own.
FOLDS, PARTNERS = 10, 6
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
    """One authentic clip with its own sound: weighted components (n, k) by 10 ms of its longest face and of the sound,
    by the fit without its fold, and where speech is."""

    name: str
    unit: int
    fold: int
    mouth: np.ndarray
    sound: np.ndarray
    spoken: np.ndarray

    @property
    def kept_by_check(self) -> bool:
        return self.name.startswith("t0")


def load(cases: Path) -> list[Clip]:
    samples = training.gather(cases, DATA / "index.tsv", sorted(OTHER_SOUND))
    rows = {Path(r["path"]).stem: r for r in clips()}
    groups = ["grid" if s.name.startswith("grid_") else rows[s.name]["group"] for s in samples]
    units = statistics.units([rows[s.name]["person"] for s in samples], groups)
    samples = [replace(s, unit=int(u)) for s, u in zip(samples, units, strict=True)]
    order = np.random.default_rng(0).permutation(max(units) + 1)
    found = []
    for fold in range(FOLDS):
        model = training.fit([s for s in samples if order[s.unit] % FOLDS != fold])
        found += [
            Clip(s.name, s.unit, fold, model.of_lips(s.lips), model.of_sound(s.sound), s.spoken)
            for s in samples
            if order[s.unit] % FOLDS == fold and not s.short
        ]
        print("fold", fold + 1, "of", FOLDS, flush=True)
    return found


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
    sound = np.where(early[:, None], first.sound[:n], np.roll(last.sound[:n], behind, axis=0))
    spoken = np.where(early, first.spoken[:n], np.roll(last.spoken[:n], behind))
    mouths = [Lips(0, face.mouth[:n]) for face in faces]
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


def trios(all_clips: Sequence[Clip]) -> Iterator[tuple[Clip, Clip, Clip]]:
    """Each clip with strangers of its own fold, drawn with a fixed seed."""
    random = np.random.default_rng(0)
    for clip in all_clips:
        strangers = [c for c in all_clips if c.fold == clip.fold and c.unit != clip.unit]
        for k in random.permutation(len(strangers))[:PARTNERS]:
            if thirds := [c for c in strangers if c.unit != strangers[k].unit]:
                yield clip, strangers[k], thirds[random.integers(len(thirds))]


def trials(all_clips: Sequence[Clip], settings: lipsync.Settings) -> dict[str, list[Trial]]:
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


def tables(all_clips: Sequence[Clip]) -> list[str]:
    """By window; then at the shipped settings, all and apart by how clips were kept."""
    settings = lipsync.Settings()
    lines = ["## By window", ""]
    lines += [
        "| window s | two faces: right | wrong | in turn: right | wrong | neither speaks: named | own sound: right |",
        "|" + "---|" * 7,
    ]
    for window_s in WINDOWS_S:
        made = trials(all_clips, replace(settings, window_s=window_s))
        figures = (
            rate(made[SPEAKS], "right"),
            rate(made[SPEAKS], "wrong"),
            rate(made[TURNS], "right"),
            rate(made[TURNS], "wrong"),
            rate(made[NEITHER], "wrong"),
            rate(made[OWN], "right"),
        )
        lines.append(f"| {window_s:g} | " + " | ".join(figures) + " |")
    made = trials(all_clips, settings)
    groups = {
        "All clips": lambda t: True,
        "Of these, clips kept by a correlation check (`t…`; flatters)": lambda t: t.clip.kept_by_check,
        "Of these, the others": lambda t: not t.clip.kept_by_check,
    }
    for title, member in groups.items():
        lines += ["", f"## {title}", "", *HEAD]
        lines += [row(kind, own) for kind in KINDS if (own := [t for t in made[kind] if member(t)])]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", required=True, help="finished cases, as tests/real/gate.py --cases makes them")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/speaker.py needs ../shared/data, which is absent")
    SPEAKER.write_text(text_of(load(Path(options.cases))))
    print(SPEAKER.read_text())


def text_of(found: Sequence[Clip]) -> str:
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
            f"windows across the change count, too. {FOLDS} folds by person and group; all faces and voices of a "
            "scene are of one fold, and the model was fitted without it. Intervals: 95 %, bootstrap over clips, and "
            "Clopper-Pearson for counts of clips, whose partners are drawn from the same fold.",
            "",
            "The limits and the window were set on these clips for an earlier signal, the mouth's velocity; they were "
            "kept.",
            "",
            *tables(found),
            "",
        ]
    )


if __name__ == "__main__":
    main()

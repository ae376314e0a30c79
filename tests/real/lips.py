"""Sound and mouth about each bilabial of a clip: sheets from which its offset of sound to lips is marked by hand.

    python tests/real/lips.py CLIP... --out FOLDER [--cases FOLDER] [--at S ...] [--larger TIMES]

Writes FOLDER/<stem>/sound_001.png … and lips_0001.23_001.png … about each time of the sound, outside the repository,
for private persons are shown. Without ``--at``: where the recogniser hears p, b or m, in the sound alone, as places to
look at. Look at all of the sound and note the times first; then at the lips, AROUND_S to either side.

Nothing that compares sound and lips is used. The mouth is cut by the smoothed place of its corners; each tile tells the
number of the decoded picture and its time. Sound and pictures are both on the presentation clock. The sound is drawn
in steps of 1 ms: the wave, then the spectrogram to HIGHEST_HZ; a burst is read from the wave, for the spectrogram's
window shows it WINDOW_S / 2 early.

offsets.json has by SHA-256 of the clip:

    {"clip": stem, "observer": "A",
     "releases": [{"phone": "p" | "b" | "m",  as it sounds; voiced or not is a guess in a language not understood
                   "sound_s": burst of p and b; of m, and of b without a burst, the abrupt rise to the vowel; "error_s",
                   "closed": number of the last picture with closed lips, "open": of the first in which they are parted,
                   "sure": edge, gap and pairing all plain; "note": ""}]}

Marked by one observer, before any offset of these clips was computed, printed or looked at; known was that the set's
lie between -160 and +220 ms. Places were those that the recogniser heard, and those where the landmarks of the lips
part. A clip's sound was looked at before its lips, but the times were written down with both seen. Which closure
belongs to which sound was told from the order, the length of the closure and the phone, and had to hold for all of a
clip. Where the same sound could belong to two closures, or a closure opens over several pictures, ``sure`` is false.
Left out after a look: latentsync_demo2_in (reverberant: no burst to be seen), t058 (60 pictures a second, most shown
twice, lips seldom closed), t076 (soft pictures, in which no closure opens at once).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import scipy.signal
from eyes import PLACE_S, SHAPE_S, sha256, smoothed, strip
from gate import HERE
from matplotlib.figure import SubFigure
from PIL import Image
from sheets import REPOSITORY, SHEET, TEXT, opened, save, tile

from forensics import open_case, pipeline
from forensics.case import Case
from forensics.scene import Scene
from forensics.speech import BILABIALS, phonemes
from forensics.timeline import Audio, FaceTrack, Interval

MARKS = HERE / "offsets.json"
#: Corners of the mouth: the person's right and left.
CORNERS = [61, 291]
#: Width and height of a tile in px: six a row.
MOUTH = (SHEET // 6 - 2, 140)
#: Width of a tile in widths of the mouth, over the 1.25 that ``eyes.strip`` leaves at the sides.
WIDER = 1.2
#: Lips are shown this far to either side of the sound, in s: further than a word's bilabial may be off.
AROUND_S = 0.36
#: Sound drawn to either side, s; windows of the spectrogram (short, to see the burst) and their step, s.
SOUND_S, WINDOW_S, STEP_S = 0.25, 0.006, 0.001
HIGHEST_HZ = 8000
#: Times on one sheet of sound.
SOUNDS = 4
#: Darkest level of the spectrogram below its highest, dB.
RANGE_DB = 70


def scene_of(clip: Path, cases: Path | None) -> Scene:
    """Of the finished case in ``cases``, else of a pass made now."""
    if cases and (cases / clip.stem).is_dir():
        case = open_case(cases / clip.stem)
        if case.state["evidence_sha256"] != sha256(clip):
            raise SystemExit(f"{cases / clip.stem} is the case of another file than {clip}.")
        return case.scene
    with tempfile.TemporaryDirectory() as folder, Case(Path(folder) / "case", clip) as made:
        return pipeline.examine(made).scene


def main_track(scene: Scene) -> FaceTrack:
    return max(scene.tracks, key=lambda t: len(t.t_s))


def draw_sounds(audio: Audio, times_s: Sequence[float], path: Path) -> None:
    """Wave and spectrogram about each of up to SOUNDS times, with a line every 10 ms."""
    figure = plt.figure(figsize=(SHEET / 100, 2.7 * len(times_s)), layout="constrained")
    for part, at_s in zip(np.atleast_1d(figure.subfigures(len(times_s))), times_s, strict=True):
        draw_sound(audio, Interval(at_s - SOUND_S, at_s + SOUND_S), part)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def draw_sound(audio: Audio, span: Interval, figure: SubFigure) -> None:
    x, start_s = audio.mono(Interval(span.start_s - WINDOW_S, span.end_s + WINDOW_S))
    n, step = round(WINDOW_S * audio.rate_hz), max(1, round(STEP_S * audio.rate_hz))
    f, t, made = scipy.signal.stft(x, audio.rate_hz, "hann", n, n - step, nfft=1024, boundary=None, padded=False)
    level = 20 * np.log10(np.abs(made) + 1e-9)
    wave, spectrum = figure.subplots(2, sharex=True, height_ratios=(1, 1.2))
    wave.plot(start_s + np.arange(len(x)) / audio.rate_hz, x, "k", linewidth=0.5)
    spectrum.pcolormesh(start_s + t, f, level, cmap="gray_r", vmin=level.max() - RANGE_DB, shading="nearest")
    spectrum.set(ylim=(0, min(HIGHEST_HZ, audio.rate_hz / 2)), xlim=(span.start_s, span.end_s))
    lines = np.arange(np.ceil(span.start_s * 100), span.end_s * 100) / 100
    for axes in (wave, spectrum):
        axes.set_xticks(lines, [f"{v:.2f}" if round(v * 100) % 2 == 0 else "" for v in lines], fontsize=7, rotation=90)
        axes.grid(axis="x", linewidth=0.3, color="tab:blue")


def mouths(clip: Path, scene: Scene, span: Interval, larger: int) -> Iterator[Image.Image]:
    """A tile of the main track's mouth for each picture in ``span``."""
    track = main_track(scene)
    corners = np.asarray(track.landmarks[:])[:, CORNERS].astype(float)
    across = corners[:, 1, :2] - corners[:, 0, :2]
    shape = np.column_stack([np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1), across])
    size, x, y = smoothed(track.t_s, shape, SHAPE_S).T
    centre, roll = smoothed(track.t_s, corners[:, :, :2].mean(1), PLACE_S), np.arctan2(y, x)
    width, height = (side * larger for side in (MOUTH[0], MOUTH[1] - TEXT))
    with opened(clip) as (_, pictures):
        for picture in pictures:
            if picture.t_s >= span.end_s:
                return
            row = np.searchsorted(track.frame, picture.index)
            if picture.t_s in span and row < len(track.frame) and track.frame[row] == picture.index:
                cut = strip(
                    Image.fromarray(picture.rgb()), centre[row], WIDER * size[row], float(roll[row]), width, height
                )
                yield tile(cut, f"{picture.index}   {picture.t_s:.3f} s", width)


def make(clip: Path, args: argparse.Namespace) -> None:
    scene, folder = scene_of(clip, args.cases), args.out / clip.stem
    audio = scene.observation.audio
    if audio is None or not scene.tracks:
        raise SystemExit(f"{clip.stem} has no sound or no face that is followed.")
    heard = [p.interval.start_s for p in phonemes(audio) if p.name in BILABIALS] if args.at is None else args.at
    folder.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(range(0, len(heard), SOUNDS), 1):
        draw_sounds(audio, heard[first : first + SOUNDS], folder / f"sound_{number:03d}.png")
    for at_s in heard:
        around = Interval(at_s - args.around, at_s + args.around)
        save(mouths(clip, scene, around, args.larger), folder, f"lips_{at_s:07.2f}")
    print(f"{clip.stem}: sound and lips about {', '.join(f'{s:.2f}' for s in heard)} s in {folder}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--cases", type=Path, help="folder of finished cases, by the clips' stems")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets, outside the repository")
    parser.add_argument("--at", type=float, nargs="+", help="times of the sound to be looked at, s")
    parser.add_argument("--around", type=float, default=AROUND_S, help="s of lips to either side")
    parser.add_argument("--larger", type=int, default=1, choices=(1, 2), help="times")
    args = parser.parse_args()
    if args.out.resolve().is_relative_to(REPOSITORY):
        raise SystemExit("--out lies in the repository: real persons' pictures stay outside it.")
    for clip in args.clips:
        make(clip, args)


if __name__ == "__main__":
    main()

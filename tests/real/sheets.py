"""Contact sheets: pictures of clips side by side with their times, for labelling by eye.

    python tests/real/sheets.py CLIP... --every S --out FOLDER      (S in s; without it --pictures of each clip)

Writes FOLDER/sheet_001.png …; FOLDER lies outside the repository, for private persons are shown. No detector is used:
what is labelled from these sheets (persons.json) may be held against any detector.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw

from forensics import decode

REPOSITORY = Path(__file__).resolve().parents[2]
#: Greatest width and height of a sheet, in px: what image viewers show without making it smaller.
SHEET = 1092
#: Height of the line of text above each picture, in px.
TEXT = 14


@contextmanager
def opened(clip: Path) -> Iterator[tuple[float | None, Iterator[decode.Picture]]]:
    """The clip's declared length in s, and the pictures of its first video stream."""
    fd = os.open(clip, os.O_RDONLY)
    try:
        with decode.open_container(fd) as container:
            stream, length = container.streams.video[0].index, container.duration
        # FFmpeg's container times are in microseconds
        yield length / 1e6 if length else None, decode.pictures(fd, stream, decode.Losses())
    finally:
        os.close(fd)


def sampled(clip: Path, args: argparse.Namespace) -> Iterator[Image.Image]:
    """The first picture at or after each step of ``every`` s, or ``pictures`` evenly spaced, as tiles."""
    every_s, (start, end) = args.every, args.between
    with opened(clip) as (length_s, pictures):
        if every_s is None:
            if not length_s:
                raise SystemExit(f"{clip.name} states no duration: say --every.")
            every_s = length_s / args.pictures
        due = None
        for picture in pictures:
            due = picture.t_s if due is None else due
            if picture.t_s >= due - 1e-6:
                due += every_s
                if picture.t_s > end:
                    return
                if picture.t_s >= start:
                    label = f"{clip.stem[:24]} {picture.t_s:.2f}"
                    yield tile(Image.fromarray(picture.rgb()), label, args.longest, args.grid)


def tile(picture: Image.Image, label: str, longest: int, grid: bool = False) -> Image.Image:
    """``picture`` with its longer side ``longest`` px under its ``label``; ``grid`` puts a dot at each tenth."""
    scale = longest / max(picture.size)
    width, height = (round(side * scale) for side in picture.size)
    made = Image.new("RGB", (width, height + TEXT))
    made.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (0, TEXT))
    draw = ImageDraw.Draw(made)
    draw.text((1, 1), label, fill="white")
    for x in range(1, 10) if grid else ():
        for y in range(1, 10):
            at, middle = (width * x // 10, TEXT + height * y // 10), 5 in (x, y)
            draw.ellipse([at[0] - 1, at[1] - 1, at[0] + 1, at[1] + 1], fill="red" if middle else "yellow")
    return made


def sheets(tiles: Iterable[Image.Image]) -> Iterator[Image.Image]:
    """Sheets filled from the left and the top, in order."""
    sheet, x, y, row = Image.new("RGB", (SHEET, SHEET)), 0, 0, 0
    for piece in tiles:
        if x + piece.width > SHEET:
            x, y, row = 0, y + row, 0
        if y + piece.height > SHEET:
            yield sheet
            sheet, x, y, row = Image.new("RGB", (SHEET, SHEET)), 0, 0, 0
        sheet.paste(piece, (x, y))
        x, row = x + piece.width + 2, max(row, piece.height)
    yield sheet.crop((0, 0, SHEET, y + row))


def save(tiles: Iterable[Image.Image], folder: Path, name: str = "sheet") -> list[Path]:
    """The sheets as ``folder``/``name``_001.png …; refused inside the repository."""
    if folder.resolve().is_relative_to(REPOSITORY):
        raise SystemExit("--out lies in the repository: real persons' pictures stay outside it.")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, sheet in enumerate(sheets(tiles), 1):
        paths.append(folder / f"{name}_{number:03d}.png")
        sheet.save(paths[-1], compress_level=1)  # a quarter of the time, an eighth larger
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description="Contact sheets of clips, with the time in s on each picture.")
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--every", type=float, help="step between pictures, in s")
    parser.add_argument("--between", type=float, nargs=2, default=(0.0, float("inf")), help="first and last time, in s")
    parser.add_argument("--pictures", type=int, default=6, help="pictures of each clip where --every is not given")
    parser.add_argument("--longest", type=int, default=216, help="longer side of each picture, in px")
    parser.add_argument("--grid", action="store_true", help="dots at each tenth of width and height, red at the half")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets, outside the repository")
    args = parser.parse_args()
    if (args.every is not None and args.every <= 0) or args.pictures < 1 or not 16 <= args.longest <= SHEET - TEXT:
        parser.error(f"--every is above 0 s, --pictures at least 1, --longest 16 to {SHEET - TEXT} px.")
    print(*save((piece for clip in args.clips for piece in sampled(clip, args)), args.out), sep="\n")


if __name__ == "__main__":
    main()

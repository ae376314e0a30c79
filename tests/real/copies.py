"""How far each number of the report moves when an untouched clip is encoded anew: pictures, rates, sizes, sound.

    python tests/real/copies.py [--clips N] [--seconds S] [--keep FOLDER]

The first seconds of authentic clips with sound, one a person, drawn by a hash of their name; copies that change one
thing each, so that what moved is its doing. Writes tests/real/COPIES.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from gate import DATA, OTHER_SOUND, clips, commit, share

from forensics import observe, pipeline
from forensics.case import Case
from forensics.errors import ForensicsError
from forensics.timeline import Interval

COPIES = Path(__file__).resolve().parent / "COPIES.md"
#: Fine enough for any picture rate here, and what Matroska keeps.
MILLISECONDS = Fraction(1, 1000)
#: What is needed of a clip, s, so that lips, voice and light can be measured in the copies.
LEAST_S = 8.0


@dataclass(frozen=True)
class Kind:
    """One way to encode anew. None: as it was; pictures not encoded are copied, sound not encoded is kept as PCM."""

    name: str
    codec: str = ""
    options: dict[str, str] = field(default_factory=dict)
    shrink: int = 1
    fps: int | None = None
    dropped: float = 0.0  # share of the pictures, drawn by chance, that a variable rate leaves out
    sound: str = "pcm_s16le"
    bit_rate: int | None = None
    rate_hz: int | None = None

    @property
    def encodes_pictures(self) -> bool:
        return bool(self.codec)


def x264(name: str, crf: int = 23, **more: Any) -> Kind:
    return Kind(name, "libx264", {"crf": str(crf), "preset": "medium"}, **more)


SAME = Kind("the same pictures and sound in another container")
KINDS = (
    SAME,
    x264("H.264, CRF 23", 23),
    x264("H.264, CRF 30", 30),
    x264("H.264, CRF 38", 38),
    Kind("HEVC, CRF 28", "libx265", {"crf": "28", "preset": "fast", "x265-params": "log-level=error"}),
    Kind("MPEG-4 part 2, quantiser 6", "mpeg4", {"qmin": "6", "qmax": "6"}),
    x264("half size, CRF 23", shrink=2),
    x264("15 pictures/s, CRF 23", fps=15),
    x264("60 pictures/s, CRF 23", fps=60),
    x264("variable rate: a fifth of the pictures left out, CRF 23", dropped=0.2),
    Kind("AAC 128 kbit/s", sound="aac", bit_rate=128_000),
    Kind("AAC 48 kbit/s", sound="aac", bit_rate=48_000),
    Kind("MP3 64 kbit/s", sound="libmp3lame", bit_rate=64_000),
    Kind("Opus 24 kbit/s", sound="libopus", bit_rate=24_000, rate_hz=48_000),
    Kind("telephone: 8 kHz", sound="pcm_s16le", rate_hz=8_000),
)


# -- copies ----------------------------------------------------------------------------------------------------------


def encode(path: Path, target: Path, kind: Kind, seconds: float) -> None:
    """The first ``seconds`` of ``path``, encoded anew as ``kind`` says, its time stamps kept."""
    with av.open(str(path)) as clip, av.open(str(target), "w", format="matroska") as out:
        picture, sound = clip.streams.video[0], clip.streams.audio[0]
        rate_hz = kind.rate_hz or sound.rate
        heard = out.add_stream(kind.sound, rate=rate_hz)
        heard.layout = sound.layout.name or "mono"
        if kind.bit_rate:
            heard.bit_rate = kind.bit_rate
        shape = av.AudioResampler(heard.format.name, heard.layout.name, rate_hz, frame_size=heard.frame_size or 0)
        if kind.encodes_pictures:
            shown = out.add_stream(kind.codec, rate=kind.fps or picture.average_rate, options=kind.options)
            shown.width, shown.height = (side // kind.shrink // 2 * 2 for side in (picture.width, picture.height))
            shown.pix_fmt, shown.time_base, shown.codec_context.time_base = "yuv420p", MILLISECONDS, MILLISECONDS
            for frame in retimed(clip.decode(picture), kind, seconds, path.stem):
                out.mux(shown.encode(frame.reformat(shown.width, shown.height, "yuv420p")))
            out.mux(shown.encode(None))
        else:
            shown = out.add_stream_from_template(picture)
            for packet in clip.demux(picture):
                if packet.dts is not None and packet.pts is not None and float(packet.pts * packet.time_base) < seconds:
                    packet.stream = shown
                    out.mux(packet)
        clip.seek(0)
        for frame in clip.decode(sound):
            if frame.time < seconds:
                out.mux([p for made in shape.resample(frame) for p in heard.encode(made)])
        out.mux([p for made in shape.resample(None) for p in heard.encode(made)])
        out.mux(heard.encode(None))


def retimed(frames: Iterator[av.VideoFrame], kind: Kind, seconds: float, name: str) -> Iterator[av.VideoFrame]:
    """Pictures with time stamps in ms: all; at each tick of a rate the last one shown; or some left out by chance."""
    chance = np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
    tick, last = 0, None
    for frame in frames:
        if frame.time is None or frame.time >= seconds:
            break
        if kind.fps is None:
            if chance.random() >= kind.dropped:
                yield at(frame, frame.time)
            continue
        while last is not None and tick / kind.fps < frame.time:
            yield at(last, tick / kind.fps)
            tick += 1
        if last is None:
            tick = int(np.ceil(frame.time * kind.fps))
        last = frame


def at(frame: av.VideoFrame, time_s: float) -> av.VideoFrame:
    """A copy of the picture that is shown at ``time_s``."""
    made = frame.reformat(format="yuv420p") if frame.format.name != "yuv420p" else frame
    if made is frame:
        made = av.VideoFrame.from_ndarray(frame.to_ndarray(), format=frame.format.name)
        made.colorspace, made.color_range = frame.colorspace, frame.color_range
    made.pts, made.time_base = round(time_s * 1000), MILLISECONDS
    return made


# -- one clip and its copies -----------------------------------------------------------------------------------------


def chosen(most: int) -> list[Path]:
    """Authentic clips with their own sound, one a person, in the order of a hash."""
    rows = [
        r for r in clips() if r["label"] == "authentic" and float(r["seconds"] or 0) >= LEAST_S and r["sound"] == "yes"
    ]
    rows = [r for r in rows if Path(r["path"]).stem not in OTHER_SOUND]
    rows.sort(key=lambda r: hashlib.sha256(Path(r["path"]).name.encode()).hexdigest())
    one_each = {r["person"] or r["path"]: r for r in reversed(rows)}
    return [DATA / r["path"] for r in rows if one_each[r["person"] or r["path"]] is r][:most]


def run(job: tuple[Path, Kind | None, float, Path]) -> dict[str, Any]:
    """Findings of a clip's first seconds (kind None), or of its copy."""
    path, kind, seconds, folder = job
    number = "original" if kind is None else f"{KINDS.index(kind):02d}"
    kept = folder / f"{path.stem}-{number}.json"
    if not kept.exists():
        place = folder / "copies" / f"{path.stem}-{number}.mkv"
        settings = pipeline.Settings(observe=replace(observe.Settings(), workers=1))
        try:
            if kind:
                place.parent.mkdir(exist_ok=True)
                encode(path, place, kind, seconds)
            with Case(folder / "cases" / place.stem, place if kind else path) as case:
                found = pipeline.examine(case, None if kind else Interval(0.0, seconds), settings).findings
        except ForensicsError as error:
            return {"clip": path.stem, "kind": kind and kind.name, "error": error.code, "findings": []}
        kept.write_text(json.dumps([flat(f) for f in found]))
    return {"clip": path.stem, "kind": kind and kind.name, "error": "", "findings": json.loads(kept.read_text())}


def flat(finding: Any) -> dict[str, Any]:
    return {
        "question": finding.question,
        "person": finding.person,
        "state": finding.state,
        "events": [e.kind for e in finding.events],
        "unusual": sum(item.unusual for item in (*finding.measurements, *finding.events)),
        "measured": {m.name: (m.value, m.low, m.high, m.unit) for m in finding.measurements},
    }


# -- the tables ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moved:
    """How far one number of one clip moved in one copy: None where the copy has none; whether beyond its interval."""

    kind: str
    by: float | None
    beyond: bool
    unit: str


def moves(results: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[Moved]]:
    """By question and measurement: each copy against its original, first person of each."""
    originals = {r["clip"]: by_question(r["findings"]) for r in results if r["kind"] is None}
    made: dict[tuple[str, str], list[Moved]] = {}
    for r in results:
        if r["kind"] is None:
            continue
        copy = by_question(r["findings"])
        for question, finding in originals[r["clip"]].items():
            for name, (value, low, high, unit) in finding["measured"].items():
                new = copy.get(question, {"measured": {}})["measured"].get(name)
                beyond = new is not None and low is not None and not low <= new[0] <= high
                made.setdefault((question, name), []).append(
                    Moved(r["kind"], None if new is None else new[0] - value, beyond, unit)
                )
    return made


def by_question(findings: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f["question"]: f for f in reversed(findings)}


def table(question: str, moved: dict[tuple[str, str], list[Moved]]) -> list[str]:
    names = [name for q, name in moved if q == question]
    lines = ["", f"### {question}", "", f"| copy | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for kind in KINDS:
        cells = [cell([m for m in moved[question, name] if m.kind == kind.name]) for name in names]
        lines.append(f"| {kind.name} | {' | '.join(cells)} |")
    return lines


def cell(moved: Sequence[Moved]) -> str:
    """Median and largest change, how often beyond the original's interval, and how often refused in the copy."""
    known = [m.by for m in moved if m.by is not None]
    if not known:
        return "–" if not moved else f"refused {len(moved)}/{len(moved)}"
    worst = max(known, key=abs)
    text = f"{np.median(np.abs(known)):.3g} [{worst:+.3g}] {moved[0].unit}"
    if beyond := sum(m.beyond for m in moved):
        text += f", beyond {beyond}/{len(known)}"
    return text + (f", refused {len(moved) - len(known)}/{len(moved)}" if len(known) < len(moved) else "")


def text_of(results: Sequence[dict[str, Any]], seconds: float) -> str:
    moved = moves(results)
    originals, copies = ([r for r in results if (r["kind"] is None) is own] for own in (True, False))

    def marked(some: Sequence[dict[str, Any]]) -> str:
        return share(sum(any(f["unusual"] for f in r["findings"]) for r in some), len(some))

    every = [m for some in moved.values() for m in some if m.by is not None]
    refused = [r for r in results if r["error"]]
    return "\n".join(
        [
            "# How far numbers move when a clip is encoded anew",
            "",
            f"Made by `python tests/real/copies.py` at commit {commit()}. The first {seconds:g} s of {len(originals)} "
            "authentic clips of `../shared/data`, one a person, drawn by a hash of their names; each copy changes one "
            "thing. Cells: median of the absolute change, [the largest, with its sign], unit; beyond: in how many the "
            "copy's value lies outside the original's 95 % interval; refused: in how many the copy has no such number. "
            "The original's interval is that of its own sampling; encoding adds to it.",
            "",
            f"Copies with anything `unusual`: {marked(copies)}; originals: {marked(originals)}. Of all numbers, beyond "
            f"the original's interval: {share(sum(m.beyond for m in every), len(every))}. Not examined: "
            f"{', '.join(r['clip'] + ' ' + str(r['kind']) + ' ' + r['error'] for r in refused) or 'none'}.",
            *(line for question in dict.fromkeys(q for q, _ in moved) for line in table(question, moved)),
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--keep", help="keep copies, cases and findings in this folder, and use the findings")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/copies.py needs ../shared/data, which is absent")
    with tempfile.TemporaryDirectory() as scratch, multiprocessing.get_context("spawn").Pool(2) as pool:
        folder = Path(options.keep or scratch)
        folder.mkdir(parents=True, exist_ok=True)
        jobs = [(p, kind, options.seconds, folder) for p in chosen(options.clips) for kind in (None, *KINDS)]
        work: Callable[..., Iterator[dict[str, Any]]] = pool.imap
        results = []
        for result in work(run, jobs):
            results.append(result)
            print(len(results), "of", len(jobs), result["clip"], result["kind"], result["error"], flush=True)
    COPIES.write_text(text_of(results, options.seconds))
    print(COPIES.read_text())


if __name__ == "__main__":
    main()

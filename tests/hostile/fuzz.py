"""`make fuzz`: whole clips damaged at random, each through the one path; what came of each is counted.

    python tests/hostile/fuzz.py [--n 1000] [--seed 1] [--jobs 2] [--only K] [--out tests/hostile/FUZZ.md]

Clip number K of a seed is always the same bytes. Each is examined as ``forensics report`` does it, up to the report,
with the children's own limits. The outcomes:

* refused: by a MediaError, counted by its code. ``E_DECODER_FAILED`` is a child that died: told, and counted apart.
* whole: as many pictures and samples as the clip before the damage.
* told: fewer, and the record says so: lost pictures, a count of losses, a gap, uneven steps, or a declared length
  that was not reached.
* partly: the loss in one stream is told, but not that in the other.
* redeclared: fewer, and the file itself may no longer claim more, so that nobody can know: a part is missing from a
  container without lengths (TS, MPEG, ADTS), or the damage hit the header, where the claims stand.
* silent: fewer, the file claims or holds more, and the record does not say so. None may be.
* crash: any other exception. None may be.
* hang: over ``HANG_S`` twice; once may be the machine's, which was stopped or had others to serve. None may be.
"""

from __future__ import annotations

import argparse
import collections
import functools
import hashlib
import math
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "hostile")]

import av  # noqa: E402
import numpy as np  # noqa: E402
import synth  # noqa: E402

from forensics import observe, pipeline  # noqa: E402
from forensics.case import Case  # noqa: E402
from forensics.errors import MediaError  # noqa: E402
from forensics.report.record import dumps, findings_json  # noqa: E402

#: Longest time for one clip of a second, in s; a usual one takes 2, on a loaded machine 10.
HANG_S = 180
ONE = pipeline.Settings(observe=observe.Settings(workers=1))
#: Less than this is no loss: one block of the coarsest coder here, in samples; an encoder's delay varies by it.
BLOCK = 1152
#: A declared length further than this beyond what was decoded tells of a loss, in s; of sound clips it is up to 0.01.
SHORT_S = 0.03
#: Containers that hold no length of their own: what a reader reports is where their last packet lies.
WITHOUT_LENGTH = {".ts", ".aac", ".mpg"}
MP3 = {"codec": "libmp3lame", "sample_format": "s16p"}
MP2 = {"codec": "mp2", "sample_format": "s16"}
PCM = {"codec": "pcm_s16le", "sample_format": "s16"}
Make = Callable[[Path], Path]


# -- clips before the damage ---------------------------------------------------------------------------------------


def film(
    name: str, sound: dict[str, object] | None = None, face: bool = False, fast: bool = False, **kind: object
) -> Make:
    """A second of pictures in which something moves, with a tone; ``fast``: an MP4 with its index in front."""

    def make(folder: Path) -> Path:
        still = synth.portrait(96) if face else synth.gradient(96, 64)
        pictures = synth.evenly([np.roll(still, k % 7, 1) for k in range(25)], **kind)  # type: ignore[arg-type]
        heard = [] if sound is None else [synth.Sound(synth.tone(1.0), **sound)]  # type: ignore[arg-type]
        return synth.write(folder / name, pictures, *heard, options={"movflags": "+faststart"} if fast else None)

    return make


def voice(name: str, **kind: object) -> Make:
    return lambda folder: synth.write(folder / name, synth.Sound(synth.tone(1.5), **kind))  # type: ignore[arg-type]


GROUPS = {"crf": "20", "preset": "ultrafast", "g": "8"}
OPUS = {"codec": "libopus", "sample_format": "flt"}
SEEDS: dict[str, Make] = {
    "h264+aac.mp4": film("a.mp4", {}, face=True, options=GROUPS),
    "h264b+aac.mp4": film("b.mp4", {}, fast=True, options={"crf": "20", "g": "12", "bf": "2"}),
    "hevc+aac.mp4": film("c.mp4", {}, fast=True, codec="libx265", options={"x265-params": "log-level=none:keyint=8"}),
    "h264+aac.mov": film("d.mov", {}, face=True, options=GROUPS),
    "mjpeg+pcm.mov": film("e.mov", PCM, fast=True, codec="mjpeg", pixels="yuvj420p", options={}),
    "h264+flac.mkv": film("f.mkv", {"codec": "flac", "sample_format": "s16"}, face=True, options=GROUPS),
    "vp9+opus.webm": film("g.webm", OPUS, codec="libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"}),
    "vp8+opus.webm": film("h.webm", OPUS, codec="libvpx", options={"deadline": "realtime", "cpu-used": "8"}),
    "mpeg4+pcm.avi": film("i.avi", PCM, codec="mpeg4", options={"g": "8"}, time_base=Fraction(1, 25)),
    "h264+aac.ts": film("j.ts", {}, options=GROUPS),
    "mpeg2+mp2.mpg": film("k.mpg", MP2, codec="mpeg2video", options={"g": "8"}, time_base=Fraction(1, 25)),
    "h264.mp4": film("l.mp4", face=True, fast=True, options=GROUPS),
    "pcm.wav": voice("m.wav", **PCM),
    "flac.flac": voice("n.flac", codec="flac", sample_format="s16"),
    "mp3.mp3": voice("o.mp3", **MP3),
    "opus.ogg": voice("p.ogg", **OPUS),
    "aac.m4a": voice("q.m4a"),
    "aac.aac": voice("r.aac"),
}


# -- damage --------------------------------------------------------------------------------------------------------


def flipped(data: bytes, random: np.random.Generator, low: int, high: int) -> bytes:
    """One to twenty bytes between ``low`` and ``high`` replaced."""
    out = bytearray(data)
    for at in random.integers(low, max(high, low + 1), random.integers(1, 21)):
        out[at] = random.integers(256)
    return bytes(out)


def header(data: bytes) -> tuple[int, int]:
    """Where the describing part lies: an MP4's index, else the first kilobyte."""
    at = data.find(b"moov")
    return (at - 4, at - 4 + int.from_bytes(data[at - 4 : at], "big")) if at >= 4 else (0, min(1000, len(data)))


def damage(data: bytes, other: bytes, random: np.random.Generator) -> tuple[str, bytes]:
    """``data`` damaged in one of seven ways, by name. ``other`` is what a splice goes on with."""
    low, high = header(data)
    a, b = sorted(random.integers(0, len(data), 2).tolist())
    span = min(b - a, len(data) // 4)
    ways: dict[str, Callable[[], bytes]] = {
        "header flipped": lambda: flipped(data, random, low, min(high, len(data))),
        "payload flipped": lambda: flipped(data, random, *((0, low) if low > len(data) // 2 else (high, len(data)))),
        "end cut": lambda: data[: max(1, b)],
        "hole cut": lambda: data[:a] + data[a + span :],
        "hole of zeros": lambda: data[:a] + bytes(span) + data[a + span :],
        "spliced": lambda: data[:b] + other[min(random.integers(len(other)), len(other)) :],
        "part repeated": lambda: data[: a + span] + data[a:],
    }
    way = list(ways)[random.integers(len(ways))]
    return way, ways[way]()


# -- what came of it -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What a run decoded, and what its record tells of losses, in a word for each kind of stream; empty: nothing."""

    pictures: int
    samples: int  # at 48 kHz, all channels
    picture_told: str
    sound_told: str
    streams: tuple[str, ...]


def examined(path: Path, folder: Path) -> Seen:
    with Case(folder, path) as case:
        done = pipeline.examine(case, settings=ONE)
        record = findings_json(done)
        dumps(record)
    clip, audio = record["clip"], done.scene.observation.audio
    return Seen(
        clip["frames_decoded"],
        0 if audio is None else round(math.prod(audio.samples.shape) * 48000 / audio.rate_hz),
        told(
            clip, "picture", "pictures lost" * bool(clip["frames_lost"]) or "uneven steps" * bool(clip["uneven_steps"])
        ),
        told(clip, "sound", "gap in the sound" * bool(clip["sound_gaps"])),
        tuple(s["kind"] for s in clip["streams"] if s["examined"]),
    )


def told(clip: dict, kind: str, missing: str) -> str:
    """What of the record tells of a loss in the stream of this kind."""
    if missing or any(clip["losses"].get(kind, {}).values()):
        return missing or "losses counted"
    stream = next((s for s in clip["streams"] if s["index"] == clip[f"{kind}_stream"]), None)
    if stream is None:
        return ""
    reached = clip[f"{kind}_duration_s"] or 0
    claimed = max(stream.get("duration_s") or 0, clip["declared_duration_s"] or 0)
    return "declared length not reached" if claimed - reached > SHORT_S else ""


@dataclass(frozen=True)
class Outcome:
    number: int
    clip: str
    way: str
    kind: str
    detail: str = ""


def judged(before: Seen, now: Seen, way: str, container: str) -> tuple[str, str]:
    pictures, samples = before.pictures - now.pictures, before.samples - now.samples
    signs = [sign for lost, sign in ((pictures > 0, now.picture_told), (samples > BLOCK, now.sound_told)) if lost]
    if not signs:
        return "whole", now.picture_told or now.sound_told
    if all(signs):
        return "told", " and ".join(dict.fromkeys(signs))
    detail = f"{pictures} pictures, {samples} samples"
    if any(signs):
        return "partly", detail
    without_length = Path(container).suffix in WITHOUT_LENGTH and way in ("end cut", "hole cut", "spliced")
    if without_length or way == "header flipped" or len(now.streams) < len(before.streams):
        return "redeclared", detail
    return "silent", detail


def alarm(*_: object) -> None:
    raise TimeoutError


def run(number: int, seed: int, clips: dict[str, bytes], before: dict[str, Seen]) -> Outcome:
    """Damage clip number ``number`` and examine it, again where it was not done in time."""
    first = attempt(number, seed, clips, before)
    return attempt(number, seed, clips, before) if first.kind == "hang" else first


def attempt(number: int, seed: int, clips: dict[str, bytes], before: dict[str, Seen]) -> Outcome:
    random = np.random.default_rng([seed, number])
    names = list(clips)
    name, other = names[number % len(names)], names[random.integers(len(names))]
    way, data = damage(clips[name], clips[other], random)
    outcome = functools.partial(Outcome, number, name, way)
    signal.signal(signal.SIGALRM, alarm)
    signal.alarm(HANG_S)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "evidence" / f"clip{Path(name).suffix}"
        path.parent.mkdir()
        path.write_bytes(data)
        digest = hashlib.sha256(data).digest()
        try:
            now = examined(path, Path(place) / "case")
            assert hashlib.sha256(path.read_bytes()).digest() == digest and len(list(path.parent.iterdir())) == 1
            return outcome(*judged(before[name], now, way, name))
        except TimeoutError:
            return outcome("hang")
        except MediaError as error:
            return outcome("refused", error.code)
        except BaseException:
            return outcome("crash", traceback.format_exc(limit=-3))
        finally:
            signal.alarm(0)


def made(folder: Path) -> tuple[dict[str, bytes], dict[str, Seen]]:
    """The clips before the damage, and what is decoded of each; none of them tells of a loss."""
    clips, before = {}, {}
    for k, (name, make) in enumerate(SEEDS.items()):
        (folder / str(k)).mkdir()
        path = make(folder / str(k))
        clips[name], before[name] = path.read_bytes(), examined(path, folder / f"case{k}")
        seen = before[name]
        assert seen.pictures + seen.samples and not seen.picture_told + seen.sound_told, (name, seen)
    return clips, before


# -- the table -------------------------------------------------------------------------------------------------------


def table(outcomes: Iterable[Outcome], rows: str) -> list[str]:
    """Markdown: outcomes by ``rows`` (``clip`` or ``way``)."""
    kinds = ("refused", "told", "partly", "redeclared", "whole", "silent", "crash", "hang")
    counts = collections.Counter((getattr(o, rows), o.kind) for o in outcomes)
    lines = [f"| {rows} | " + " | ".join(kinds) + " | n |", "|---" + "|--:" * (len(kinds) + 1) + "|"]
    for row in sorted({row for row, _ in counts}):
        each = [counts[row, kind] for kind in kinds]
        lines.append(f"| {row} | " + " | ".join(map(str, each)) + f" | {sum(each)} |")
    total = [sum(counts[row, kind] for row, k in counts if k == kind) for kind in kinds]
    return [*lines, "| **all** | " + " | ".join(map(str, total)) + f" | {sum(total)} |"]


def document(outcomes: list[Outcome], seed: int) -> str:
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True)
    codes = collections.Counter(o.detail for o in outcomes if o.kind == "refused")
    said = collections.Counter(o.detail for o in outcomes if o.kind == "told")
    noticed = sum(bool(o.detail) for o in outcomes if o.kind == "whole")
    bad = [o for o in outcomes if o.kind in ("silent", "crash", "hang")]
    dead = codes["E_DECODER_FAILED"]
    return "\n".join(
        [
            "# Damaged clips",
            "",
            f"`python tests/hostile/fuzz.py --n {len(outcomes)} --seed {seed}` on commit {commit.strip()}, "
            f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}. The words are explained in `fuzz.py`.",
            "",
            *table(outcomes, "way"),
            "",
            *table(outcomes, "clip"),
            "",
            "Refused: " + ", ".join(f"{code} {n}" for code, n in codes.most_common()) + ".",
            f"A decoder's process died in {dead} of {len(outcomes)}: each cost one child and was told.",
            "Told by: " + ", ".join(f"{what} {n}" for what, n in said.most_common()) + ".",
            f"Of the whole ones {noticed} tell of damage all the same.",
            "",
            "Silent, crashed or hung: "
            + ("none." if not bad else "; ".join(f"{o.number} ({o.clip}, {o.way}): {o.kind} {o.detail}" for o in bad)),
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    numbers = range(asked.n) if asked.only is None else [asked.only]
    with tempfile.TemporaryDirectory() as place:
        clips, before = made(Path(place))
        one = functools.partial(run, seed=asked.seed, clips=clips, before=before)
        outcomes = []
        with ProcessPoolExecutor(asked.jobs) as pool:
            for outcome in pool.map(one, numbers, chunksize=4):
                outcomes.append(outcome)
                print(outcome.number, outcome.clip, outcome.way, outcome.kind, outcome.detail, flush=True)
    text = document(outcomes, asked.seed)
    print(text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    sys.exit(any(o.kind in ("silent", "crash", "hang") for o in outcomes))


if __name__ == "__main__":
    main()

"""Long clips for the benches: one recording's packets written again and again with moved time stamps."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

ROOT = Path(__file__).resolve().parents[1]
#: A 1280×720 and a 640×320 recording of ../shared/data; without it the bundled sample (640×640) serves.
SHARED = ROOT.parent / "shared" / "data" / "clips" / "authentic"


def source(name: str) -> Path:
    path = SHARED / name
    return path if path.is_file() else ROOT / "samples" / "out" / "talker.mp4"


def join(path: Path, seconds: float, target: Path) -> Path:
    """``path`` repeated to at least ``seconds``, remuxed without encoding."""
    with av.open(str(path)) as probe:
        length = Fraction(max(s.duration * s.time_base for s in probe.streams if s.duration))
    with av.open(str(target), "w") as out:
        copies: dict[int, av.stream.Stream] = {}
        for k in range(-(-int(seconds) // int(length))):
            with av.open(str(path)) as part:
                streams = [s for s in part.streams if s.type in ("video", "audio")]
                copies = copies or {s.index: out.add_stream_from_template(s) for s in streams}
                for packet in part.demux(streams):
                    if packet.dts is None:
                        continue
                    moved = round(k * length / packet.time_base)
                    packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
                    packet.stream = copies[packet.stream_index]
                    out.mux(packet)
    return target


def thinned(path: Path, fps: float, size: tuple[int, int], target: Path) -> Path:
    """``path`` with ``fps`` of its pictures a second, enlarged to ``size`` (width, height), and all of its sound."""
    due = 0.0

    def shown(number: int, frame: av.VideoFrame) -> av.VideoFrame | None:
        nonlocal due
        if frame.time < due:
            return None
        due += 1 / fps
        return frame.reformat(*size)

    return _encoded_anew(path, target, shown, max(1, round(fps)), size, "23")


def half_faceless(path: Path, target: Path) -> Path:
    """``path`` encoded anew, the second half of its pictures upside down, in which the detector sees no face."""
    with av.open(str(path)) as clip:
        picture = clip.streams.video[0]
        half, rate, size = picture.frames // 2, picture.average_rate, (picture.width, picture.height)

    def shown(number: int, frame: av.VideoFrame) -> av.VideoFrame:
        rgb = frame.to_ndarray(format="rgb24")
        return av.VideoFrame.from_ndarray(rgb[::-1].copy() if number >= half else rgb, format="rgb24")

    return _encoded_anew(path, target, shown, rate, size, "20")


def _encoded_anew(
    path: Path,
    target: Path,
    shown: Callable[[int, av.VideoFrame], av.VideoFrame | None],
    rate: Fraction | int,
    size: tuple[int, int],
    crf: str,
) -> Path:
    """``path`` with each picture as ``shown(number, picture)`` gives it (None: left out), and its sound as it is."""
    with av.open(str(path)) as clip, av.open(str(target), "w") as out:
        picture, sound = clip.streams.video[0], clip.streams.audio[0]
        encoder = out.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": crf})
        (encoder.width, encoder.height), encoder.time_base = size, picture.time_base
        copied, number = out.add_stream_from_template(sound), 0
        for packet in clip.demux([picture, sound]):
            if packet.stream is sound and packet.dts is not None:
                packet.stream = copied
                out.mux(packet)
            elif packet.stream is picture:
                for frame in packet.decode():
                    made, number = shown(number, frame), number + 1
                    if made is not None:
                        made.pts, made.time_base = frame.pts, frame.time_base
                        out.mux(encoder.encode(made))
        out.mux(encoder.encode(None))
    return target

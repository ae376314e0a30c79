"""Long clips for the benches: one recording's packets written again and again with moved time stamps."""

from __future__ import annotations

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

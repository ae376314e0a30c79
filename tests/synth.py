"""Small recordings of known truth: pictures, sound and containers, written with PyAV."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
#: Fine enough for any picture rate here, and what Matroska keeps.
MILLISECONDS = Fraction(1, 1000)


# -- pictures ------------------------------------------------------------------------------------------------


def gradient(width: int, height: int) -> Rgb:
    """Red grows to the right, green downwards: every corner has its own colour."""
    red = np.linspace(0, 255, width).round().astype(np.uint8)
    green = np.linspace(0, 255, height).round().astype(np.uint8)
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[..., 0], picture[..., 1] = red, green[:, None]
    return picture


def portrait(width: int, height: int | None = None) -> Rgb:
    """A face: the astronaut of scikit-image, as wide as asked, on its own height or in the middle of ``height``."""
    import cv2
    import skimage.data

    head = skimage.data.astronaut()[:300, 80:380]
    side = min(width, height or width)
    picture = np.zeros((height or width, width, 3), np.uint8)
    top, left = (picture.shape[0] - side) // 2, (width - side) // 2
    picture[top : top + side, left : left + side] = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA)
    return picture


def plain(n: int, width: int = 64, height: int = 48) -> list[Rgb]:
    """``n`` pictures of one grey each; picture k is 10 + 8k dark, so that each tells its number."""
    return [np.full((height, width, 3), 10 + 8 * k % 240, np.uint8) for k in range(n)]


def corners(picture: Rgb) -> list[tuple[bool, bool]]:
    """Upper left, upper right, lower left, lower right of a ``gradient``: (from the right?, from below?)."""
    inset = 3
    return [tuple((picture[y, x, :2] > 127).tolist()) for y in (inset, -inset) for x in (inset, -inset)]


UPRIGHT = [(False, False), (True, False), (False, True), (True, True)]


# -- sound ---------------------------------------------------------------------------------------------------


def click(at_s: Sequence[float], seconds: float, rate_hz: int = 48000) -> NDArray[np.float32]:
    """Mono sound (n, 1): one sample at 0.9 for each time."""
    sound = np.zeros((round(seconds * rate_hz), 1), np.float32)
    sound[[round(t * rate_hz) for t in at_s]] = 0.9
    return sound


def tone(seconds: float, rate_hz: int = 48000, hz: float = 440.0) -> NDArray[np.float32]:
    t_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.3 * np.sin(2 * np.pi * hz * t_s)).astype(np.float32)[:, None]


def steps(channels: int, n: int = 4800) -> NDArray[np.float32]:
    """(n, channels): channel k holds the level (k + 1) / 16 in its first half and its negative in the second."""
    level = (np.arange(channels, dtype=np.float32) + 1) / 16
    return np.where(np.arange(n)[:, None] < n // 2, level, -level)


# -- files ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pictures:
    """A video stream: ``pictures`` shown from ``t_s`` (s), in the order of the file."""

    pictures: Sequence[Rgb]
    t_s: Sequence[float]
    codec: str = "libx264"
    pixels: str = "yuv420p"
    time_base: Fraction = MILLISECONDS
    options: dict[str, str] = field(default_factory=lambda: {"crf": "8", "preset": "ultrafast"})
    shape: Fraction | None = None  # of one pixel, width / height
    written_s: Sequence[float] | None = None  # times written in place of ``t_s``, in any order (not with B-frames)

    def packets(self, out: av.container.OutputContainer) -> list[av.Packet]:
        # The rate is only a hint here; the encoder would drop what comes faster than it.
        stream = out.add_stream(self.codec, rate=round(1 / self.time_base))
        stream.height, stream.width = self.pictures[0].shape[:2]
        stream.pix_fmt, context = self.pixels, stream.codec_context
        context.options, context.time_base, context.thread_count = dict(self.options), self.time_base, 1
        if self.shape:
            context.sample_aspect_ratio = self.shape
        packets = []
        for rgb, t_s in zip(self.pictures, self.t_s, strict=True):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = round(t_s / self.time_base), self.time_base
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for k, t_s in enumerate(self.written_s or ()):
            packets[k].pts = round(t_s / self.time_base)
            packets[k].dts = min(round(later / self.time_base) for later in self.written_s[k:])
        return packets


@dataclass(frozen=True)
class Sound:
    """An audio stream: ``samples`` (n, channels), full scale 1, the first at ``start_s``."""

    samples: NDArray[np.float32]
    rate_hz: int = 48000
    start_s: float = 0.0
    codec: str = "aac"
    sample_format: str = "fltp"
    layout: str = "mono"
    holes: tuple[tuple[float, float], ...] = ()  # blocks that start in these intervals (s) are left out
    block: int = 960
    bit_rate: int = 192_000  # of each channel: the AAC encoder swells and fades at its default

    def packets(self, out: av.container.OutputContainer) -> list[av.Packet]:
        stream = out.add_stream(self.codec, rate=self.rate_hz, layout=self.layout)
        context = stream.codec_context
        context.bit_rate = self.bit_rate * self.samples.shape[1]
        context.format, context.time_base = self.sample_format, Fraction(1, self.rate_hz)
        packets = []
        for first in range(0, len(self.samples), self.block):
            if any(a <= self.start_s + first / self.rate_hz < b for a, b in self.holes):
                continue
            planes = as_format(self.samples[first : first + self.block], self.sample_format)
            frame = av.AudioFrame.from_ndarray(planes, format=self.sample_format, layout=self.layout)
            frame.sample_rate, frame.time_base = self.rate_hz, Fraction(1, self.rate_hz)
            frame.pts = first + round(self.start_s * self.rate_hz)
            packets += stream.encode(frame)
        return packets + stream.encode(None)


def as_format(samples: NDArray[np.float32], sample_format: str) -> np.ndarray:
    """``samples`` (n, channels) as PyAV takes them: planar (channels, n), else (1, n * channels)."""
    kind = sample_format.removesuffix("p")
    values = {
        "u8": lambda s: np.round(s * 128 + 128).astype(np.uint8),
        "s16": lambda s: np.round(s * 2**15).astype(np.int16),
        "s32": lambda s: np.round(s.astype(np.float64) * 2**31).astype(np.int32),
        "flt": lambda s: s.astype(np.float32),
        "dbl": lambda s: s.astype(np.float64),
    }[kind](samples)
    planes = values.T if sample_format.endswith("p") else values.reshape(1, -1)
    return np.ascontiguousarray(planes)


def write(
    path: Path,
    *streams: Pictures | Sound,
    tags: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    container: str | None = None,
) -> Path:
    """A file of these streams; its name says the container where ``container`` does not."""
    with av.open(
        f"file:{path}" if container is None else str(path),
        "w",
        format=container,
        options={"fflags": "+bitexact", **(options or {})},
    ) as out:
        out.metadata.update(tags or {})
        out.mux([packet for stream in streams for packet in stream.packets(out)])
    return path


def evenly(pictures: Sequence[Rgb], fps: float = 25.0, start_s: float = 0.0, **kind: object) -> Pictures:
    """``pictures`` at a constant rate."""
    return Pictures(pictures, [start_s + k / fps for k in range(len(pictures))], **kind)  # type: ignore[arg-type]


# -- boxes of an MP4 -------------------------------------------------------------------------------------------


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def patched(data: bytes, kind: bytes, offset: int, value: bytes, which: int = 0) -> bytes:
    """``data`` with ``value`` at ``offset`` inside the content of its box number ``which`` of this ``kind``."""
    at = -1
    for _ in range(which + 1):
        at = data.index(kind, at + 1)
    at += 4 + offset
    return data[:at] + value + data[at + len(value) :]


def turned(data: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """``data`` with its first track's display matrix a, b, c, d: a picture's (x, y) is shown at (ax + cy, bx + dy)."""
    a, b, c, d = (part << 16 for part in matrix)
    return patched(data, b"tkhd", 40, struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))

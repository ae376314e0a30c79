"""Degraded copies of a part of the evidence, for controls and validations: the only encoder, in a limited child.

Pictures are taken as the pass takes them (upright, square pixels, 8 bits) and their presentation times are kept to the
tick: the copy begins at 0 with the part's first picture. The sound's channels are made one; it is kept sample for
sample, or encoded where the kind asks for it.
Nothing is written here: the copies leave the child as bytes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import Colorspace

from forensics import decode, pixels, sandbox
from forensics.errors import MediaError

ENCODER = "libx264"
#: What telephones, sites and cameras encode sound with; FFmpeg's own. A rate that it does not know becomes ``AAC_HZ``.
SOUND_ENCODER, AAC_HZ = "aac", 48_000
#: One thread and no macroblock tree: with it x264's fast routines read memory that nobody wrote at widths that are no
#: multiple of 128, and no two runs give the same pictures (measured; PyAV 18.1 with FFmpeg 8).
DETERMINISTIC = {"threads": "1", "x264-params": "mbtree=0"}
#: Ticks of a copy of another rate, in s: MPEG's clock, which 15, 25 and 30 pictures/s divide.
OWN_CLOCK = Fraction(1, 90_000)
#: Bytes a message takes, and samples a block of sound.
BLOCK, SAMPLES = 1 << 24, 1 << 12
#: Pictures between two messages that tell how far it is.
TOLD_EVERY = 25
#: Code of the colour of small pictures (ITU-T H.273), which decoders take where a file tells none.
BT601 = 6


def copies(
    fd: int, picture: int, sound: int | None, part: list[float], kinds: Sequence[dict[str, Any]], most_bytes: int
) -> Iterator[sandbox.Message]:
    """Runs in the child: the part ``[start, end)`` in s once for each of ``kinds`` (``degrading.Kind``).

    All copies together take ``most_bytes`` at most: they lie in the child's memory until each is whole. Messages:
    ``reached`` in s; then by copy its ``bytes`` in blocks and the number of its pictures as ``made``. Raises MediaError
    ``E_NO_ENCODER``, ``E_NO_FRAMES``, ``E_TOO_LARGE``.
    """
    if ENCODER not in av.codecs_available:
        raise MediaError(
            "E_NO_ENCODER",
            f"The FFmpeg that PyAV brings here cannot encode H.264 ({ENCODER} is not in it), so no copy is made.",
            "Install PyAV's own wheel, as requirements.lock names it.",
        )
    heard = None if sound is None else _sound(fd, sound, part)
    made: list[_Copy] = []
    for shown in decode.pictures(fd, picture, decode.Losses()):
        yield ({"reached": shown.t_s}, {}) if shown.index % TOLD_EVERY == 0 else sandbox.AT_WORK
        if shown.t_s >= part[1]:
            break
        if shown.t_s >= part[0]:
            rgb = shown.rgb()
            made = made or [_Copy(kind, rgb, shown, heard) for kind in kinds]
            for copy in made:
                copy.add(rgb, shown)
            if sum(copy.size_bytes for copy in made) > most_bytes:
                raise MediaError("E_TOO_LARGE", "The copies would be too large.", "Examine a shorter part.")
    if not made:
        raise MediaError("E_NO_FRAMES", "The part to be copied holds no picture.", "Examine another part.")
    for number, copy in enumerate(made):
        data = np.frombuffer(copy.finished(), np.uint8)
        for first in range(0, len(data), BLOCK):
            yield {"copy": number}, {"bytes": data[first : first + BLOCK]}
        yield {"copy": number, "made": copy.pictures}, {}


@dataclass(frozen=True)
class _Heard:
    """The part's sound: samples (n,) of all channels as one, their rate in Hz, the time of the first in s."""

    samples: np.ndarray
    rate_hz: int
    start_s: float

    def since(self, t_s: float) -> tuple[np.ndarray, int]:
        """The samples from ``t_s`` on, and how many samples later than it they begin."""
        gone = round((t_s - self.start_s) * self.rate_hz)
        return self.samples[max(0, gone) :], max(0, -gone)


def _sound(fd: int, stream: int, part: list[float]) -> _Heard | None:
    rate, start_s, position, first = 0, 0.0, 0, 0
    held: list[np.ndarray] = []
    for header, arrays in decode.sound(fd, stream):
        rate, start_s = header.get("rate_hz", rate), header.get("start_s", start_s)
        if "samples" not in arrays:
            continue
        first, behind = (max(0, round((end - start_s) * rate)) for end in part)
        held.append(arrays["samples"][max(0, first - position) : max(0, behind - position)].mean(axis=1))
        position += len(arrays["samples"])
        if position >= behind:
            break
    samples = np.concatenate(held) if held else np.zeros(0, np.float32)
    return _Heard(samples, rate, start_s + first / rate) if len(samples) else None


class _Copy:
    """One copy while it is made, in memory."""

    def __init__(self, kind: dict[str, Any], rgb: np.ndarray, first: decode.Picture, heard: _Heard | None) -> None:
        self._kind, self._file, self._chance = kind, io.BytesIO(), np.random.default_rng(0)
        self._first, self._held, self.pictures = first, (rgb, first), 0
        self._clock = OWN_CLOCK if kind["fps"] else first.time_base
        self._samples: np.ndarray = np.zeros(0, np.float32)
        self._late, self._rate = 0, heard.rate_hz if heard else 0
        if heard is not None:
            self._samples, self._late = heard.since(first.t_s)
        options = {"fflags": "+bitexact", "movie_timescale": str(self._rate or OWN_CLOCK.denominator)}
        self._out = av.open(self._file, "w", format="mov", options=options)
        self._shown = self._picture_stream(self._degraded(rgb).shape, first.transfer)
        self._heard = self._sound_stream() if heard else None

    @property
    def size_bytes(self) -> int:
        return self._file.getbuffer().nbytes

    def _picture_stream(self, shape: tuple[int, ...], transfer: int) -> Any:
        stream: Any = self._out.add_stream(ENCODER, rate=self._kind["fps"] or 30)  # no one reads it
        stream.height, stream.width, stream.pix_fmt = *shape[:2], "yuv420p"
        context = stream.codec_context
        context.options = {"crf": str(self._kind["crf"]), "preset": "medium", **DETERMINISTIC}
        context.thread_count = 1
        context.flags |= Flags.bitexact
        context.colorspace = context.color_primaries = BT601
        context.color_trc = transfer
        stream.time_base = context.time_base = self._clock
        return stream

    def _sound_stream(self) -> Any:
        bit_rate = self._kind["sound_bit_rate"]
        if not bit_rate:
            return self._out.add_stream("pcm_f32le", rate=self._rate, layout="mono")
        known = av.Codec(SOUND_ENCODER, "w").audio_rates or ()
        stream: Any = self._out.add_stream(SOUND_ENCODER, rate=self._rate if self._rate in known else AAC_HZ)
        stream.layout, stream.bit_rate = "mono", bit_rate
        stream.codec_context.flags |= Flags.bitexact
        return stream

    def _degraded(self, rgb: np.ndarray) -> np.ndarray:
        """The picture before it is encoded; sides even, as 4:2:0 wants them: at most one row and column go."""
        if self._kind["shrink"] > 1:
            rgb = pixels.scale(rgb, 1 / self._kind["shrink"])
        rgb = rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]
        if sd := self._kind["noise_sd"]:
            noise = sd * self._chance.standard_normal((*rgb.shape[:2], 1), np.float32)  # alike in all colours: grey
            rgb = np.clip(np.round(rgb + noise), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(rgb)

    def add(self, rgb: np.ndarray, shown: decode.Picture) -> None:
        """A picture of the part; at another rate each tick shows the last one that had begun by then."""
        if not self._kind["fps"]:
            self._encode(rgb, shown.pts - self._first.pts)
            return
        while self._tick_s < shown.t_s:
            self._encode(self._held[0], self._tick)
        self._held = (rgb, shown)

    @property
    def _tick(self) -> int:
        """Of the next picture at another rate, on the copy's clock."""
        return self.pictures * OWN_CLOCK.denominator // int(self._kind["fps"])

    @property
    def _tick_s(self) -> float:
        return self._first.t_s + float(self._tick * self._clock)

    def _encode(self, rgb: np.ndarray, pts: int) -> None:
        frame = av.VideoFrame.from_ndarray(self._degraded(rgb), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU601)
        frame.pts, frame.time_base = pts, self._clock
        self._out.mux(self._shown.encode(frame))
        self.pictures += 1
        self._hear(float(pts * self._clock))

    def _hear(self, until_s: float) -> None:
        """The sound up to that time of the copy, in blocks."""
        while self._heard is not None and len(self._samples) and self._late <= until_s * self._rate:
            block, self._samples = self._samples[:SAMPLES], self._samples[SAMPLES:]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block[None]), format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = self._rate, self._late, Fraction(1, self._rate)
            self._out.mux(self._heard.encode(frame))
            self._late += len(block)

    def finished(self) -> bytes:
        if self._kind["fps"] and self._tick_s <= self._held[1].t_s:
            self._encode(self._held[0], self._tick)
        self._out.mux(self._shown.encode(None))
        if self._heard is not None:
            self._hear(math.inf)
            self._out.mux(self._heard.encode(None))
        self._out.close()
        return self._file.getvalue()

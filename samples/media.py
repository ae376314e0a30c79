"""Picture and sound into MP4, and sound out again: the samples' only importer of ``av``.

Everything is set so that the same input gives the same bytes: one encoder
thread, bit-exact flags (no dates, no library versions in the file).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

CRF = "18"  # visually lossless by x264's own guide; keeps the mouth's edges
AUDIO_BITS_PER_S = 160_000  # mono; high enough that the room tone is not gated away
SMPTE170M = 6  # code of BT.601's 525-line colour in H.264: what decoders assume for small pictures
TV_RANGE = 1
BIT_EXACT = {"fflags": "+bitexact"}


def encode_picture(frames: Iterable[NDArray[np.uint8]], fps: int, numbers: Sequence[int] | None = None) -> bytes:
    """RGB frames (h, w, 3) as H.264 in an MP4 without sound; frame k is shown from k / fps s.

    ``numbers``, ascending, stand for k where frames were left out: each then lasts until the next.
    """
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options=BIT_EXACT) as out:
        stream = None
        for index, rgb in enumerate(frames):
            stream = stream or _picture_stream(out, rgb.shape, fps)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU601
            )
            frame.pts, frame.time_base = numbers[index] if numbers else index, Fraction(1, fps)
            out.mux(stream.encode(frame))
        if stream is not None:
            out.mux(stream.encode(None))
    return file.getvalue()


def decode_picture(picture: bytes) -> Iterator[NDArray[np.uint8]]:
    """The RGB frames (h, w, 3) of an encoded picture, in order."""
    with av.open(io.BytesIO(picture), "r") as source:
        for frame in source.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def _picture_stream(out: av.container.OutputContainer, shape: tuple[int, ...], fps: int) -> av.VideoStream:
    stream = out.add_stream("libx264", rate=fps)
    stream.height, stream.width = shape[:2]
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.options = {"crf": CRF, "preset": "faster", "threads": "1"}
    context.thread_count = 1
    context.flags |= Flags.bitexact
    context.colorspace = context.color_primaries = context.color_trc = SMPTE170M
    context.color_range = TV_RANGE
    return stream


def write_clip(path: Path, picture: bytes, sound: NDArray[np.float32], rate_hz: int, tags: dict[str, str]) -> None:
    """The encoded picture, packet for packet, with ``sound`` (n,) mono beside it as AAC.

    The encoder starts 1024 samples early (priming); the file's edit list takes
    them off again, so sample 0 of ``sound`` is presented at 0 s.
    """
    with (
        av.open(io.BytesIO(picture), "r") as source,
        av.open(str(path), "w", format="mp4", options=BIT_EXACT) as out,
    ):
        out.metadata.update(tags)
        film = out.add_stream_from_template(source.streams.video[0])
        voice = out.add_stream("aac", rate=rate_hz, layout="mono")
        voice.codec_context.bit_rate = AUDIO_BITS_PER_S
        voice.codec_context.thread_count = 1
        voice.codec_context.flags |= Flags.bitexact
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:  # the last one only says that the stream ends
                packet.stream = film
                out.mux(packet)
        frame = av.AudioFrame.from_ndarray(sound[None, :], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        out.mux(voice.encode(frame))
        out.mux(voice.encode(None))


def read_sound(path: Path) -> tuple[NDArray[np.float32], int, float]:
    """Mono sound (n,) as a player presents it: samples, rate in Hz, time of the first in s."""
    blocks: list[NDArray[np.float32]] = []
    with av.open(str(path)) as clip:
        stream = clip.streams.audio[0]
        start_s = None
        for frame in clip.decode(stream):
            start_s = frame.time if start_s is None else start_s
            blocks.append(frame.to_ndarray().reshape(-1).astype(np.float32))
        rate_hz = int(stream.rate)
    if start_s is None:
        raise ValueError(f"a clip with sound is needed; {path.name} decodes to no sample")
    return np.concatenate(blocks), rate_hz, float(start_s)

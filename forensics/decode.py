"""Pictures and sound with their presentation times, linear and in order: with ``encode`` the only importer of ``av``.

Runs inside the limited child of ``sandbox`` on a file descriptor, never on a path: nothing the file says can
make it open another one. Declared sizes and counts are claims; what was decoded is counted.
"""

from __future__ import annotations

import io
import os
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from forensics import pages
from forensics.errors import MediaError

#: Demuxers that read one self-contained file. Scripts and playlists (concat, hls, dash, image2 …) are not here.
CONTAINERS = (
    "mov",
    "matroska",
    "avi",
    "mpeg",
    "mpegts",
    "mpegvideo",
    "asf",
    "flv",
    "ogg",
    "wav",
    "w64",
    "aiff",
    "caf",
    "flac",
    "mp3",
    "aac",
    "amr",
    "au",
)
#: Decoders of what cameras, telephones, recorders, broadcasters, editors and sites make, by FFmpeg's names. FFmpeg
#: holds 400 more, for games and forgotten programs, little used and seldom mended: in FFmpeg 8.1.2, which the locked
#: PyAV carries, those of TDSC, APAC, FLIC and VVC write beyond their memory (``tools/parsers.py``). No byte of the
#: evidence reaches a decoder that is not here.
_PICTURE_DECODERS = (
    "h264 hevc av1 libdav1d vp6 vp6f vp8 vp9 libvpx libvpx-vp9 mpeg1video mpeg2video mpegvideo mpeg4 msmpeg4v1 "
    "msmpeg4v2 msmpeg4 h261 h263 h263i h263p flv wmv1 wmv2 wmv3 vc1 mjpeg jpeg2000 png dvvideo dnxhd prores cfhd ffv1 "
    "huffyuv ffvhuff utvideo rawvideo v210 theora svq1 svq3 cinepak indeo5 qtrle"
)
_SOUND_DECODERS = (
    "aac aac_fixed aac_latm mp1 mp1float mp2 mp2float mp3 mp3float ac3 eac3 dca truehd opus libopus vorbis flac alac "
    "wavpack speex wmav1 wmav2 wmapro wmalossless wmavoice amrnb amrwb libopencore_amrnb libopencore_amrwb gsm gsm_ms "
    "g722 g723_1 g726 g726le g729 qcelp evrc qdm2 nellymoser adpcm_ima_wav adpcm_ima_qt adpcm_ms adpcm_swf"
)
DECODERS = frozenset(
    [*_PICTURE_DECODERS.split(), *_SOUND_DECODERS.split()] + [c for c in av.codecs_available if c.startswith("pcm_")]
)
#: Longest text kept of any tag, in characters: tags come from outside and may be megabytes.
LONGEST_TAG = 300
#: A block of sound further than this from where the previous one ended is a gap or an overlap, in s.
#: Containers with millisecond clocks (Matroska) jitter by 1 ms; a lost AAC frame is 21 ms.
SOUND_JUMP_S = 0.010
#: Gaps are filled up to this much in all, in s; a jump beyond it is taken for a damaged time stamp.
LONGEST_GAP_S = 600.0
#: Sampling rates examined, in Hz; others are damage or no sound of the audible range.
RATES_HZ = (4_000, 768_000)
#: Widest and narrowest pixel believed (width / height); in use are 8/11 to 2.
SHAPES = (0.25, 4.0)
#: Sizes of the picture made for comparing neighbours, in px.
THUMBNAIL = (64, 36)

_NOT_MEDIA = "Check that this is the recording itself; if it plays elsewhere, ask for the original file."


class Descriptor(io.RawIOBase):
    """A read-only file on a descriptor with its own position, so that several children can share one."""

    def __init__(self, fd: int):
        self._fd, self._position = fd, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = os.pread(self._fd, size if size >= 0 else os.fstat(self._fd).st_size, self._position)
        self._position += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        n = os.preadv(self._fd, [buffer], self._position)
        self._position += n
        return n

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: os.fstat(self._fd).st_size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position


def open_container(fd: int) -> av.container.InputContainer:
    """The container on descriptor ``fd``. Raises MediaError ``E_NOT_MEDIA`` or ``E_TRUNCATED``."""
    head = os.pread(fd, 12, 0)
    try:
        return av.open(
            Descriptor(fd),
            mode="r",
            metadata_errors="replace",
            options={
                "format_whitelist": ",".join(CONTAINERS),
                "codec_whitelist": ",".join(sorted(DECODERS)),
                "protocol_whitelist": "",
            },
        )
    except (av.error.FFmpegError, ValueError) as error:
        if head[4:8] in (b"ftyp", b"mdat", b"wide", b"moov"):
            raise MediaError(
                "E_TRUNCATED",
                "The file starts like a film but its index is missing or damaged, so nothing in it can be located.",
                "Ask for the complete file, or for one repaired with the repair documented.",
            ) from error
        raise MediaError(
            "E_NOT_MEDIA", "The file is not a sound or video recording in a supported container.", _NOT_MEDIA
        ) from error


def _seconds(value: int | None, time_base: Any) -> float | None:
    return None if value is None or not time_base else float(value * time_base)


def _tags(metadata: dict[str, str]) -> dict[str, str]:
    return {str(k)[:LONGEST_TAG]: str(v)[:LONGEST_TAG] for k, v in sorted(metadata.items())[:100]}


def _decodable(stream: Any) -> bool:
    return bool(stream.codec_context) and stream.codec_context.name in DECODERS


def _describe_stream(stream: Any) -> dict[str, Any]:
    context = stream.codec_context
    about = {
        "index": stream.index,
        "kind": stream.type,
        "codec": context.name if context else "unknown",
        "decodable": _decodable(stream),
        "start_s": _seconds(stream.start_time, stream.time_base),
        "duration_s": _seconds(stream.duration, stream.time_base),
        "time_base": str(stream.time_base),
        "declared_frames": stream.frames,
        "tags": _tags(stream.metadata),
    }
    if stream.type == "video" and context:
        about |= {
            "width": context.width,
            "height": context.height,
            "pixel_format": context.pix_fmt or "unknown",
            "declared_fps": float(stream.average_rate) if stream.average_rate else None,
            "sample_aspect_ratio": str(stream.sample_aspect_ratio or "unknown"),
            "attached_picture": bool(stream.disposition & av.stream.Disposition.attached_pic),
        }
    if stream.type == "audio" and context:
        about |= {"rate_hz": context.sample_rate, "channels": context.channels, "layout": context.layout.name}
    return about


def probe(fd: int) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """One message: what the container and its streams declare."""
    with open_container(fd) as container:
        yield (
            {
                "container": container.format.name,
                "declared_start_s": _micro(container.start_time),
                "declared_duration_s": _micro(container.duration),
                "declared_bit_rate": container.bit_rate,
                "tags": _tags(container.metadata),
                "streams": [_describe_stream(s) for s in container.streams if s.type in ("video", "audio", "subtitle")],
            },
            {},
        )


def _micro(value: int | None) -> float | None:
    """FFmpeg's container times are in microseconds."""
    return None if value is None else value / 1e6


@dataclass(frozen=True)
class Coded:
    """One packet as the file holds it, not decoded: times in s (None: none), marks of the container, bytes."""

    stream: int
    t_s: float | None
    dts_s: float | None
    duration_s: float | None
    key: bool
    hidden: bool  # to be decoded, but not shown: outside the edit list
    data: bytes


def coding(container: Any) -> list[dict[str, Any]]:
    """How each picture or sound stream says that it is coded; ``extradata`` are the decoder's first bytes."""
    return [
        {
            "index": stream.index,
            "kind": stream.type,
            "codec": stream.codec_context.name,
            "profile": str(stream.codec_context.profile or "") or None,
            "level": _level(stream.codec_context),
            "fourcc": str(stream.codec_context.codec_tag),
            "declared_packets": stream.frames,
            "extradata": bytes(stream.codec_context.extradata or b""),
        }
        for stream in _coded(container)
    ]


def _coded(container: Any) -> list[Any]:
    """Its streams of picture and sound."""
    return [s for s in container.streams if s.type in ("video", "audio") and s.codec_context]


def _level(context: Any) -> int | None:
    level = getattr(context, "level", None)
    return level if level is not None and level >= 0 else None


def packets(container: Any, losses: Losses) -> Iterator[Coded]:
    """Every packet of picture and sound in the order of the file; nothing is decoded."""
    for packet in _demuxed(container, _coded(container), losses):
        if packet.size or packet.dts is not None:  # else it only tells the decoder that the end is reached
            yield Coded(
                packet.stream_index,
                _seconds(packet.pts, packet.time_base),
                _seconds(packet.dts, packet.time_base),
                _seconds(packet.duration or None, packet.time_base),
                packet.is_keyframe,
                packet.is_discard,
                bytes(packet),
            )


@dataclass
class Losses:
    """What did not come out of the decoder as it should: counts, filled while decoding."""

    decode_failures: int = 0
    without_time: int = 0  # decoded pictures or blocks with no presentation time: cannot be placed, left out
    time_steps_back: int = 0  # presentation time not after the previous one: left out
    size_changes: int = 0
    damaged: int = 0  # damage that the container or the decoder noticed and bridged: shown, partly guessed
    unreadable: int = 0  # places of the file that the container passed over: what stood there is missing


@dataclass
class Picture:
    """One decoded picture: its place in the stream, raw time stamp, time in s on the presentation clock, its tick."""

    index: int
    pts: int
    t_s: float
    time_base: Fraction
    _frame: Any = field(repr=False)
    _size: tuple[int, int] = field(repr=False)
    _scaler: VideoReformatter = field(repr=False)

    def rgb(self) -> np.ndarray:
        """Upright picture with square pixels: uint8 (h, w, 3), C-contiguous."""
        width, height = self._size
        # Bilinear: it concerns colour alone, whose samples lie apart; the default takes more than twice the time.
        picture = self._scaler.reformat(
            self._frame, width=width, height=height, format="rgb24", interpolation=Interpolation.BILINEAR
        ).to_ndarray()
        # Rows of some widths come padded, and a turned array is a view: the landmark model misreads both silently.
        return np.ascontiguousarray(_turned(picture, self._frame))

    @cached_property
    def thumbnail(self) -> np.ndarray:
        """Small luma picture for comparing neighbours: float32 (36, 64), 0-255."""
        width, height = THUMBNAIL
        small = self._scaler.reformat(
            self._frame, width=width, height=height, format="gray", interpolation=Interpolation.AREA
        )
        return small.to_ndarray().astype(np.float32)

    def small(self, side_px: int) -> np.ndarray:
        """As ``rgb``, for the eye: its shorter side no longer than ``side_px``, averaged where it shrinks."""
        factor = min(1.0, side_px / min(self._size))
        width, height = (max(1, round(side * factor)) for side in self._size)
        picture = self._scaler.reformat(
            self._frame, width=width, height=height, format="rgb24", interpolation=Interpolation.AREA
        ).to_ndarray()
        return np.ascontiguousarray(_turned(picture, self._frame))

    def checksum(self) -> int:
        """CRC-32 of the first decoded plane: equal for pictures that repeat the one before exactly."""
        return zlib.crc32(self._frame.planes[0])

    @property
    def transfer(self) -> int:
        """Declared transfer characteristic (ITU-T H.273 code; 16 and 18 are HDR, 2 is unspecified)."""
        return int(self._frame.color_trc)


def _turned(picture: np.ndarray, frame: Any) -> np.ndarray:
    """``picture`` as the frame's display matrix shows it: quarter turns, and mirroring as by front cameras."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return picture
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5]  # (x, y) is shown at (ax + cy, bx + dy)
    if abs(a) < abs(b):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def _square(frame: Any, stream: Any) -> tuple[int, int]:
    """Width and height in square pixels; a shape of pixels that no camera makes is taken for square."""
    ratio = stream.sample_aspect_ratio
    fits = ratio and SHAPES[0] <= ratio <= SHAPES[1]
    return (round(frame.width * ratio) if fits else frame.width), frame.height


def _demuxed(container: Any, streams: Any, losses: Losses) -> Iterator[Any]:
    """Packets in the order of the file; where the container itself is damaged, nothing behind can be located."""
    packets = container.demux(streams)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            losses.decode_failures += 1
            return
        if packet is None:
            return
        yield packet


def _unreadable(fd: int, container: Any) -> int:
    """Places that the container passes over without a word, in any of its streams."""
    if container.format.name != "ogg":
        return 0
    return pages.breaks(lambda at, n: os.pread(fd, n, at), os.fstat(fd).st_size)


def _decoded(container: Any, stream: Any, losses: Losses) -> Iterator[Any]:
    """All frames of one stream; a packet that cannot be decoded is counted, and the next one tried."""
    if not _decodable(stream):
        raise MediaError(
            "E_NO_STREAMS", "The stream asked for is of a kind that is not decoded here.", "Examine another copy."
        )
    # AVI holds no presentation times: a packet's time is its place in the file. Pictures are decoded in the order of
    # presentation, so they take those times in order.
    places: deque[int] | None = deque() if container.format.name == "avi" and stream.type == "video" else None
    for packet in _demuxed(container, stream, losses):
        losses.damaged += packet.is_corrupt
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            losses.decode_failures += 1
            continue
        if places is not None:
            places += [] if packet.dts is None else [packet.dts]
            for frame in frames:
                frame.pts = places.popleft() if places else None
        for frame in frames:
            losses.damaged += frame.is_corrupt and not packet.is_corrupt
            yield frame


def pictures(fd: int, stream_index: int, losses: Losses) -> Iterator[Picture]:
    """Pictures of one stream in presentation order, times strictly ascending."""
    with open_container(fd) as container:
        stream = container.streams[stream_index]
        stream.codec_context.thread_count = 1  # the workers are the parallelism; also keeps memory small
        losses.unreadable = _unreadable(fd, container)
        scaler, index, tick = VideoReformatter(), 0, stream.time_base or Fraction(1)
        last = shape = size = None
        for frame in _decoded(container, stream, losses):
            if frame.pts is None:
                losses.without_time += 1
                continue
            if last is not None and frame.pts <= last:
                losses.time_steps_back += 1
                continue
            size = size or _square(frame, stream)  # a later change of size is scaled to the first, and counted
            losses.size_changes += shape is not None and shape != (frame.width, frame.height)
            shape = (frame.width, frame.height)
            yield Picture(index, frame.pts, float(frame.pts * tick), tick, frame, size, scaler)
            last, index = frame.pts, index + 1


def _samples(frame: Any) -> np.ndarray:
    """Samples of a block as float32 (n, channels), full scale 1."""
    raw = frame.to_ndarray()
    channels = frame.layout.nb_channels
    samples = raw.T if frame.format.is_planar else raw.reshape(-1, channels)
    if samples.dtype.kind == "f":
        return np.ascontiguousarray(samples, np.float32)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    return samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)


def sound(fd: int, stream_index: int, block_s: float = 2.0) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """Messages with ``samples`` (n, channels) in order, gap-free, the first with ``start_s``; last one ``losses``.

    A gap of the file is filled with zeros and named in ``gap`` ``[start_s, end_s]``; an overlap is cut and counted
    as ``time_steps_back``. Samples that are not finite become zero and are counted as ``not_finite``.
    """
    losses, not_finite, held_n = Losses(), 0, 0
    held: list[np.ndarray] = []
    start_s, written, filled, rate, channels = None, 0, 0, 0, 0
    with open_container(fd) as container:
        stream = container.streams[stream_index]
        losses.unreadable = _unreadable(fd, container)
        for frame in _decoded(container, stream, losses):
            if not RATES_HZ[0] <= frame.sample_rate <= RATES_HZ[1]:
                losses.decode_failures += 1
                continue
            if frame.pts is None:
                losses.without_time += 1
                continue
            block, t_s = _samples(frame), float(frame.pts * frame.time_base)
            if start_s is None:
                start_s, rate, channels = t_s, frame.sample_rate, block.shape[1]
                yield {"start_s": start_s, "rate_hz": rate, "channels": channels}, {}
            if (frame.sample_rate, block.shape[1]) != (rate, channels):
                losses.size_changes += 1
                continue
            jump = round((t_s - start_s) * rate) - written
            if jump > SOUND_JUMP_S * rate and filled + jump > LONGEST_GAP_S * rate:
                losses.without_time += 1
                continue
            if jump > SOUND_JUMP_S * rate:
                if held:
                    yield {}, {"samples": np.concatenate(held)}
                    held, held_n = [], 0
                yield {"gap": [start_s + written / rate, t_s]}, {}
                for first in range(0, jump, rate):
                    yield {}, {"samples": np.zeros((min(rate, jump - first), channels), np.float32)}
                written, filled = written + jump, filled + jump
            elif jump < -SOUND_JUMP_S * rate:
                losses.time_steps_back += 1
                block = block[-jump:]
            bad = ~np.isfinite(block)
            not_finite += int(bad.sum())
            held.append(np.where(bad, 0, block))
            written, held_n = written + len(block), held_n + len(block)
            if held_n >= block_s * rate:
                yield {}, {"samples": np.concatenate(held)}
                held, held_n = [], 0
    if held:
        yield {}, {"samples": np.concatenate(held)}
    yield {"losses": vars(losses) | {"not_finite": not_finite}}, {}

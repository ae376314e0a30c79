"""The container without its pictures: boxes, packets, encoders' names, credentials. Nothing is decoded.

Runs in a child of its own beside the one pass. Per packet some 35 bytes are kept: six hours of picture and sound are
about 80 MB. All that a file says of itself is a claim, kept as text *as stated by the file*.
Reference: ISO/IEC 14496-12 (boxes), 14496-10 (H.264 slice types), 14496-2, 11172-2 and 13818-2 (picture types).
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics import boxes, credentials, sandbox
from forensics.method import Method
from forensics.text import Text, Untrusted, joined, wrapped

if TYPE_CHECKING:
    from forensics.decode import Coded

METHOD = Method("survey of boxes and packets", "1", "ISO/IEC 14496-12, 14496-10; own procedure, no publication")

#: Columns of a packet. ``picture`` is the letter I, P or B as a number, 0 where it is not known.
COLUMNS = {
    "stream": np.int16,
    "t_s": np.float64,
    "dts_s": np.float64,
    "duration_s": np.float64,
    "size": np.uint32,
    "key": np.bool_,
    "hidden": np.bool_,
    "same": np.bool_,  # the bytes of the packet before it in its stream, again
    "picture": np.uint8,
}
#: Packets sent at once.
BLOCK = 20_000
#: Packets of a stream, and bytes of each, in which an encoder's own name is looked for: they stand at the beginning.
SIGNED_PACKETS, SIGNED_BYTES = 3, 1 << 16
#: Names that encoders write into the stream itself, with the settings behind them.
SIGNATURES = re.compile(
    rb"(?:x264 - core|x265 \(build|Lavc\d|Lavf\d|LAME\d|XviD\d|DivX\d|libfaac|FAAC \d|libvpx|SVT-AV1|Xiph|MainConcept"
    rb"|Encoded with)[\x20-\x7e]{0,1200}"
)
MOST_SIGNATURES, LONGEST_SIGNATURE = 8, 1200
#: H.264 slice types modulo 5 (ITU-T H.264, table 7-6); SP counts as P and SI as I.
H264_SLICES = b"PBIPI"
#: Picture types of MPEG-1 and -2 (1 to 3) and MPEG-4 part 2 (0 to 3; S is predicted too).
MPEG_PICTURES, MPEG4_PICTURES = b"\0IPB\0\0\0\0", b"IPBP"


@dataclass(frozen=True)
class Survey:
    """``facts`` as the child told them, texts ``Untrusted``; ``packets``: the columns above, in the file's order."""

    facts: Mapping[str, Any]
    packets: Mapping[str, np.ndarray]
    picture: int | None = None  # the streams examined
    sound: int | None = None

    def of(self, stream: int | None) -> dict[str, np.ndarray]:
        """The columns of one stream."""
        rows = self.packets["stream"] == (-1 if stream is None else stream)
        return {name: values[rows] for name, values in self.packets.items()}


# -- in the child ----------------------------------------------------------------------------------------------------


def look(fd: int, trusted_pem: str) -> Iterator[sandbox.Message]:
    """Messages with the packets' columns; the last one with the facts."""
    from forensics import decode

    losses, signed, rows = decode.Losses(), _Signed(), _Rows()
    with decode.open_container(fd) as container:
        streams = decode.coding(container)
        for stream in streams:
            extradata = stream.pop("extradata")
            signed.look(stream["index"], extradata)
            rows.coded(stream["index"], stream["codec"], extradata)
        for packet in decode.packets(container, losses):
            signed.look(packet.stream, packet.data)
            rows.add(packet)
            if rows.full:
                yield {}, rows.taken()
        kind = container.format.name
    yield {}, rows.taken()
    size = os.fstat(fd).st_size
    boxed = boxes.described(lambda at, n: os.pread(fd, n, at), size) if kind.startswith("mov") else None
    file = io.BufferedReader(decode.Descriptor(fd))
    yield (
        {
            "facts": {
                "streams": streams,
                "losses": asdict(losses),
                "encoders": signed.found,
                "boxes": boxed,
                "credentials": credentials.read(file, None if boxed is None else boxed["credentials"], trusted_pem),
            }
        },
        {},
    )


@dataclass
class _Signed:
    """Names that encoders wrote into the first packets of each stream."""

    found: dict[str, list[str]] = field(default_factory=dict)
    _looked: Counter[int] = field(default_factory=Counter)

    def look(self, stream: int, data: bytes) -> None:
        self._looked[stream] += 1
        if self._looked[stream] > SIGNED_PACKETS + 1:  # the extradata is looked at too
            return
        names = self.found.setdefault(str(stream), [])
        for hit in SIGNATURES.findall(data[:SIGNED_BYTES]):
            name = hit.decode("ascii")[:LONGEST_SIGNATURE].rstrip()
            if name not in names and len(names) < MOST_SIGNATURES:
                names.append(name)


class _Rows:
    """Columns of packets not yet sent."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._last: dict[int, tuple[int, int]] = {}
        self._codecs: dict[int, tuple[str, int]] = {}

    def coded(self, stream: int, codec: str, extradata: bytes) -> None:
        self._codecs[stream] = codec, nal_length(extradata)

    def add(self, packet: Coded) -> None:
        content = (zlib.crc32(packet.data), len(packet.data))
        codec, length = self._codecs.get(packet.stream, ("", 0))
        self._rows.append(
            (
                packet.stream,
                *(np.nan if t is None else t for t in (packet.t_s, packet.dts_s, packet.duration_s)),
                len(packet.data),
                packet.key,
                packet.hidden,
                self._last.get(packet.stream) == content,
                picture_type(codec, packet.data, length),
            )
        )
        self._last[packet.stream] = content

    @property
    def full(self) -> bool:
        return len(self._rows) >= BLOCK

    def taken(self) -> dict[str, np.ndarray]:
        rows, self._rows = self._rows, []
        columns = zip(*rows, strict=True) if rows else ((),) * len(COLUMNS)
        return {name: np.array(c, kind) for (name, kind), c in zip(COLUMNS.items(), columns, strict=True)}


# -- types of pictures -----------------------------------------------------------------------------------------------


def picture_type(codec: str, data: bytes, length: int) -> int:
    """I, P or B (as a character's number) by the first slice or picture header; 0 where it is not known.

    ``length`` is the width of the lengths before H.264's units, 0 where start codes stand there. A picture of several
    slices may hold other types too.
    """
    if codec == "h264":
        return _h264_type(data, length)
    if codec in ("mpeg1video", "mpeg2video"):
        at = data.find(b"\0\0\1\0")  # picture_start_code; then 10 bits of temporal reference, 3 of type
        return MPEG_PICTURES[data[at + 5] >> 3 & 7] if 0 <= at < len(data) - 5 else 0
    if codec == "mpeg4":
        at = data.find(b"\0\0\1\xb6")  # vop_start_code; then 2 bits of type
        return MPEG4_PICTURES[data[at + 4] >> 6] if 0 <= at < len(data) - 4 else 0
    return 0


def nal_length(extradata: bytes) -> int:
    """Bytes of the lengths before H.264's units, as the decoder's configuration says; 0: start codes."""
    return (extradata[4] & 3) + 1 if len(extradata) > 6 and extradata[0] == 1 else 0


def _h264_type(data: bytes, length: int) -> int:
    for unit in _units(data, length):
        if unit and unit[0] & 31 in (1, 2, 5):  # a slice, its first partition, or one of a key picture
            bits = int.from_bytes(unit[1:13].ljust(12, b"\0"), "big")
            _, at = _exp_golomb(bits, 96)  # first_mb_in_slice
            kind, at = _exp_golomb(bits, at)
            return H264_SLICES[kind % 5] if at > 0 and kind < 10 else 0
    return 0


def _units(data: bytes, length: int, most: int = 32) -> Iterator[bytes]:
    """The first bytes of the first ``most`` units of a packet: enough for their headers."""
    at = 0
    for _ in range(most):
        if length:
            if at + length > len(data):
                return
            size = int.from_bytes(data[at : at + length], "big")
            yield data[at + length : at + length + 16]
            at += length + size
        else:
            at = data.find(b"\0\0\1", at) + 3
            if at < 3:
                return
            yield data[at : at + 16]


def _exp_golomb(bits: int, left: int) -> tuple[int, int]:
    """Unsigned Exp-Golomb value in the low ``left`` bits of ``bits``, and the bits left behind it (0: none)."""
    rest = bits & ((1 << left) - 1)
    zeros = left - rest.bit_length()
    behind = left - 2 * zeros - 1
    return ((rest >> behind) - 1, behind) if rest and behind > 0 else (0, 0)


# -- in our process --------------------------------------------------------------------------------------------------


def key(sha256: str, trusted_pem: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """Everything that the survey depends on."""
    return {
        "evidence": sha256,
        "methods": [asdict(METHOD)],
        "trusted": hashlib.sha256(trusted_pem.encode()).hexdigest(),
        "versions": dict(versions) | {"c2pa-python": credentials.version()},
    }


def make(fd: int, folder: Path, trusted_pem: str) -> dict[str, Any]:
    """Survey the file on ``fd`` in a child; the columns go into ``folder``, the facts are given back."""
    blocks: list[dict[str, np.ndarray]] = []
    facts: dict[str, Any] = {}
    for header, arrays in sandbox.stream("forensics.survey:look", fd, trusted_pem=trusted_pem):
        facts = header.get("facts", facts)
        blocks += [arrays] if arrays else []
    for name in COLUMNS:
        np.save(folder / f"packets_{name}.npy", np.concatenate([block[name] for block in blocks]))
    return facts


def load(folder: Path, facts: Mapping[str, Any], picture: int | None, sound: int | None) -> Survey:
    """The survey kept in ``folder``."""
    told = wrapped(facts, OURS, keyed={"unknown"})
    return Survey(told, {name: np.load(folder / f"packets_{name}.npy") for name in COLUMNS}, picture, sound)


# -- as text ---------------------------------------------------------------------------------------------------------

#: How much of the pattern of picture types is shown.
SHOWN_TYPES = 40
STATES = {
    credentials.NONE: "none found, which says nothing",
    credentials.MALFORMED: "malformed, or not of this content",
    credentials.UNTRUSTED: "intact; the signer is not among those trusted here",
    credentials.VALID: "valid, signed by one of those trusted here",
    credentials.NOT_EXAMINED: "not examined",
}

#: Our own words among the facts: states of content credentials, kinds of streams.
OURS = {*STATES, "video", "audio"}

#: About which part, what, and what the file says of it.
Row = tuple[Untrusted, str, Untrusted]


def stated(survey: Survey) -> list[Row]:
    """The facts as rows, as stated by the file or as laid out in it; texts from outside are as they came."""
    facts = survey.facts
    rows = _file_rows(facts["boxes"]) + _credential_rows(facts["credentials"])
    for stream in facts["streams"]:
        rows += _stream_rows(survey, stream)
    for number, track in enumerate((facts["boxes"] or {}).get("tracks", ()), 1):
        rows += _track_rows(number, track, facts["boxes"]["movie"])
    return rows


def _rows(about: Text, said: Mapping[str, Text]) -> list[Row]:
    """What is said of one part; no row of what is empty."""
    return [(joined([about]), what, joined([words])) for what, words in said.items() if words]


def _file_rows(found: Mapping[str, Any] | None) -> list[Row]:
    if found is None:
        return _rows("file", {"Layout": "not examined in this kind of container"})
    movie = found["movie"] or {}
    before = {True: "yes", False: "no", None: ""}[found["index_before_media"]]
    said = {
        "Boxes in order": joined([joined(found["layout"], ", "), " (walked in part)" if found["partial"] else ""]),
        "Index before the media": before,
        "Brands": _brands(found["brands"]),
        "Created (UTC, as stated)": movie.get("created", ""),
        "Modified (UTC, as stated)": movie.get("modified", ""),
        "Free space": _bytes(found["free_bytes"]),
        "User data": joined(found["user_data"], ", "),
        "Boxes of no known kind": joined((joined(counted, " ×") for counted in found["unknown"].items()), ", "),
        "Boxes that claim more than there is": joined(found["beyond_end"], ", "),
        "Behind the last box": _bytes(found["trailing_bytes"]),
    }
    return _rows("file", said)


def _brands(found: Mapping[str, Any] | None) -> Text:
    if found is None:
        return ""
    return joined([found["major"], " ", found["minor"], "; compatible: ", joined(found["compatible"], ", ")])


def _bytes(n: int) -> str:
    return f"{n} bytes" if n else ""


def _credential_rows(found: Mapping[str, Any]) -> list[Row]:
    said = {
        "Content credentials": joined([STATES[found["state"]], " (", found["why"], ")"]),
        "Content credentials: signer, as stated": joined(filter(None, (found["signer"], found["issuer"])), ", "),
        "Content credentials: signed at, as stated": found["signed"] or "",
        "Content credentials: made by, as stated": joined(found["made_by"], ", "),
    }
    return _rows("file", said)


def _stream_rows(survey: Survey, stream: Mapping[str, Any]) -> list[Row]:
    packets, kind = survey.of(stream["index"]), stream["kind"]
    level = stream["level"] and {"h264": 10, "hevc": 30}.get(stream["codec"])
    coded = [stream["codec"], stream["profile"], level and f"level {stream['level'] / level:g}"]
    fourcc = stream["fourcc"] if stream["fourcc"].isprintable() else ""
    said = {
        "Codec, profile, level": joined(filter(None, coded), ", "),
        "Code of the format": fourcc,
        "Names that encoders wrote": joined(survey.facts["encoders"].get(str(stream["index"]), ()), "; "),
        "Packets": f"{len(packets['t_s'])}",
        "Packets decoded and not shown (edit list)": _count(packets["hidden"]),
    }
    if kind == "video":
        said |= {
            "Packets with the bytes of the one before": _count(packets["same"]),
            "Key pictures": _keys(packets["key"]),
            "Types of pictures": _types(packets["picture"]),
        }
    return _rows(joined(["stream ", stream["index"], " (", kind, ")"]), said)


def _count(mask: np.ndarray) -> str:
    return f"{int(mask.sum())}" if mask.any() else ""


def _keys(key: np.ndarray) -> str:
    apart = np.diff(np.flatnonzero(key))
    told = f"{int(key.sum())} of {len(key)}"
    if not len(apart):
        return told
    few, most = int(apart.min()), int(apart.max())
    return f"{told}; {few} pictures apart" if few == most else f"{told}; {few} to {most} pictures apart"


def _types(kinds: np.ndarray) -> str:
    """Counts of each type, and the first ones in the order of decoding; nothing where none is known."""
    counts = [f"{chr(k)} {n}" for k in b"IPB" if (n := int((kinds == k).sum()))]
    first = "".join(chr(k) if k else "?" for k in kinds[:SHOWN_TYPES])
    more = "…" if len(kinds) > SHOWN_TYPES else ""
    return f"{', '.join(counts)}; in the order of decoding {first}{more}" if counts else ""


def _track_rows(number: int, track: Mapping[str, Any], movie: Mapping[str, Any] | None) -> list[Row]:
    said = {
        "Handler's name": track.get("handler", ""),
        "Sample formats": joined(track.get("formats", ()), ", "),
        "Compressor's name": joined(track.get("compressors", ()), ", "),
        "Created (UTC, as stated)": track.get("created", ""),
        "Modified (UTC, as stated)": track.get("modified", ""),
        "Media created (UTC, as stated)": track.get("media_created", ""),
        "Edit list": _edits(track, (movie or {}).get("scale", 0)),
    }
    return _rows(joined(["track ", number, " (", track.get("kind", ""), ")"]), said)


def _edits(track: Mapping[str, Any], scale: int) -> str:
    edits = track.get("edits", [])
    if not edits or not scale or not track["scale"]:
        return ""
    told = [
        f"nothing for {length / scale:.3f} s"
        if start == -1
        else f"{length / scale:.3f} s from {start / track['scale']:.3f} s" + ("" if rate == 1 else f" at rate {rate:g}")
        for length, start, rate in edits
    ]
    rest = track["edits_n"] - len(edits)
    return "; then ".join(told) + (f"; and {rest} more as stated" if rest > 0 else "")

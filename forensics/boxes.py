"""Boxes of MP4, MOV, M4A and 3GP files: what lies where, and what the file states of itself.

A declared size is a claim: nothing is allocated by it, and the walk is bounded in depth, boxes and bytes read. It is
pure: it sees the file through ``read(offset, n)``, which gives at most ``n`` bytes.
Reference: ISO/IEC 14496-12 (ISO base media file format); Apple, QuickTime File Format.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Read = Callable[[int, int], bytes]

#: Deepest box walked into; real files nest eight deep (moov/trak/mdia/minf/stbl/stsd/…).
MOST_DEEP = 16
#: Most boxes walked over; six hours in fragments of 2 s, as streaming writes them, have about 75,000.
MOST_BOXES = 100_000
#: Bytes read of one box's content at most: its fixed fields, and the first some hundred entries of a list.
MOST_CONTENT = 4096
#: Edits, tracks, brands, uuids and unknown boxes told of one file; more are counted.
MOST_LISTED = 32
#: Characters kept of a text.
LONGEST_TEXT = 300

#: Boxes that hold boxes and are walked into.
NESTS = frozenset(
    (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"meta", b"moof", b"traf", b"mvex", b"mfra")
)
#: Boxes that stand at top level in files of these formats.
TOP = frozenset(
    b"ftyp styp moov moof mdat free skip wide meta uuid pdin sidx ssix prft emsg mfra pnot udta imda".split()
)
#: Boxes known inside others (not inside ``udta`` and ``ilst``, where makers name their own).
KNOWN = (
    TOP
    | NESTS
    | frozenset(
        b"mvhd iods tkhd tref tapt clip matt load imap mdhd hdlr elng vmhd smhd hmhd sthd nmhd gmhd dinf stsd stts ctts"
        b" cslg stss stsh stps stsc stsz stz2 stco co64 sdtp sbgp sgpd subs saiz saio padb stdp elst mehd trex leva"
        b" mfhd tfhd trun tfdt tfra mfro keys ilst xml bxml iloc iinf ipro pitm iref iprp idat id32 ctab cmov rmra"
        b" trgr strk cprt tsel kind pssh senc".split()
    )
)
#: The kind of ``uuid`` box that holds content credentials (C2PA specification, embedding in BMFF).
CREDENTIALS = "d8fec3d61b0e483c92975828877ec481"
#: Where the formats' clock begins.
EPOCH = datetime(1904, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Box:
    """One box: ``size`` is what it has within its parent, ``declared`` what it claims; its ``content`` begins there."""

    kind: bytes
    offset: int
    size: int
    declared: int
    content: int
    path: tuple[bytes, ...]  # kinds of the boxes around it, and its own

    @property
    def end(self) -> int:
        return self.offset + self.size


@dataclass(frozen=True)
class Walk:
    """All boxes in the order of the file; ``trailing`` bytes behind the last are none. ``partial``: a limit was met."""

    boxes: tuple[Box, ...]
    trailing: int
    partial: bool


def walk(read: Read, size: int) -> Walk:
    """The boxes of a file of ``size`` bytes, depth first. Never fails: what is no box ends its level."""
    boxes: list[Box] = []
    trailing, partial = 0, False
    todo: list[tuple[int, int, tuple[bytes, ...]]] = [(0, size, ())]
    while todo:
        if len(boxes) >= MOST_BOXES:
            partial = True
            break
        at, end, around = todo.pop()
        box = _box(read, at, end, around)
        if box is None:
            trailing += end - at if not around else 0
            continue
        boxes.append(box)
        if box.end < end:
            todo.append((box.end, end, around))
        if box.kind in NESTS and box.content < box.end:
            if len(box.path) < MOST_DEEP:
                todo.append((_first_inside(read, box), box.end, box.path))
            else:
                partial = True
    return Walk(tuple(boxes), trailing, partial)


def _box(read: Read, at: int, end: int, around: tuple[bytes, ...]) -> Box | None:
    """The box at ``at``; None where there is none: too few bytes, an impossible size, or a kind that is no kind."""
    head = read(at, min(16, end - at)) if end - at >= 8 else b""
    if len(head) < 8:
        return None
    declared, kind = struct.unpack(">I4s", head[:8])
    header = 8
    if declared == 1 and len(head) == 16:
        (declared,), header = struct.unpack(">Q", head[8:]), 16
    elif declared == 0:  # reaches to the end
        declared = end - at
    plausible = all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind)
    strange = not around and declared > end - at and kind not in TOP  # text behind the last box reads like this
    if declared < header or not plausible or strange:
        return None
    return Box(kind, at, min(declared, end - at), declared, at + header, (*around, kind))


def _first_inside(read: Read, box: Box) -> int:
    """Where the first box inside ``box`` lies: ``meta`` has a version before it in ISO files, not in QuickTime's."""
    versioned = box.kind == b"meta" and read(box.content + 4, 4) != b"hdlr"
    return box.content + (4 if versioned else 0)


# -- what the file states --------------------------------------------------------------------------------------------


def described(read: Read, size: int) -> dict[str, Any]:
    """What the boxes of a file of ``size`` bytes state and how they lie, as plain values; texts as found, cut."""
    walked = walk(read, size)
    top = [box for box in walked.boxes if len(box.path) == 1]
    kinds = [box.kind for box in top]
    uuids = [read(box.content, 16).hex() for box in walked.boxes if box.kind == b"uuid"]
    unknown = Counter("/".join(map(_kind, box.path)) for box in walked.boxes if _is_unknown(box))
    return {
        "layout": _layout(kinds),
        "index_before_media": _before(kinds, b"moov", b"mdat"),
        "fragments": kinds.count(b"moof"),
        "brands": next((_brands(_content(read, box)) for box in top if box.kind == b"ftyp"), None),
        "movie": next((_movie(_content(read, b)) for b in walked.boxes if b.path == (b"moov", b"mvhd")), None),
        "tracks": [_track(read, part) for part in _tracks(walked.boxes)[:MOST_LISTED]],
        "free_bytes": sum(box.size for box in walked.boxes if box.kind in (b"free", b"skip")),
        "user_data": sorted({"/".join(map(_kind, b.path)) for b in walked.boxes if b.path[-2:-1] == (b"udta",)})[
            :MOST_LISTED
        ],
        "uuids": uuids[:MOST_LISTED],
        "credentials": CREDENTIALS in uuids,
        "unknown": dict(unknown.most_common(MOST_LISTED)),
        "beyond_end": ["/".join(map(_kind, b.path)) for b in walked.boxes if b.declared > b.size][:MOST_LISTED],
        "trailing_bytes": walked.trailing,
        "partial": walked.partial,
    }


def stated_time(seconds: int) -> str:
    """A time in s since 1904 as text. 0 means that the file states none; many cameras write local time for UTC."""
    if seconds == 0:
        return "not stated"
    try:
        return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:
        return f"{seconds} s after 1904"


def _kind(kind: bytes) -> str:
    return kind.decode("latin-1")


def _content(read: Read, box: Box, skip: int = 0) -> bytes:
    return read(box.content + skip, max(0, min(box.end - box.content - skip, MOST_CONTENT)))


def _numbers(data: bytes, form: str, at: int = 0) -> tuple[Any, ...] | None:
    """Fields of ``data`` from ``at``, big end first; None where it is too short."""
    return struct.unpack_from(">" + form, data, at) if len(data) >= at + struct.calcsize(">" + form) else None


def _text(data: bytes) -> str:
    """A text up to its zero byte; QuickTime's begin with their length instead."""
    if data[:1] and 0 < data[0] == len(data.rstrip(b"\0")) - 1:
        data = data[1:]
    return data.partition(b"\0")[0].decode("utf-8", "replace")[:LONGEST_TEXT]


def _layout(kinds: list[bytes]) -> list[str]:
    """Top-level boxes in order; repeats of one kind, or of a pair as fragments have them, are counted."""
    shown, at = [], 0
    while at < len(kinds):
        repeats = {width: _repeats(kinds, at, width) for width in (1, 2)}
        width = 2 if repeats[1] == 1 < repeats[2] else 1
        times = f" ×{repeats[width]}" if repeats[width] > 1 else ""
        shown.append("+".join(map(_kind, kinds[at : at + width])) + times)
        at += width * repeats[width]
    return shown if len(shown) <= MOST_LISTED else [*shown[:MOST_LISTED], f"and {len(shown) - MOST_LISTED} more"]


def _repeats(kinds: list[bytes], at: int, width: int) -> int:
    """How often the ``width`` kinds from ``at`` on stand there in a row."""
    n = 1
    while kinds[at + n * width : at + (n + 1) * width] == kinds[at : at + width]:
        n += 1
    return n


def _before(kinds: list[bytes], first: bytes, second: bytes) -> bool | None:
    return kinds.index(first) < kinds.index(second) if first in kinds and second in kinds else None


def _is_unknown(box: Box) -> bool:
    return box.kind not in KNOWN and not {b"udta", b"ilst"} & set(box.path[:-1])


def _brands(data: bytes) -> dict[str, Any]:
    major, minor = _numbers(data, "4sI") or (b"", 0)
    others = [data[k : k + 4] for k in range(8, len(data) - 3, 4)][:MOST_LISTED]
    return {"major": _kind(major), "minor": minor, "compatible": [_kind(b) for b in others if b.strip(b"\0")]}


def _times(data: bytes, rest: str) -> tuple[Any, ...] | None:
    """Creation and modification time and the fields ``rest`` behind them; W in it is as wide as the version says."""
    long = data[:1] == b"\x01"
    return _numbers(data, "QQ" + rest.replace("W", "Q") if long else "II" + rest.replace("W", "I"), 4)


def _movie(data: bytes) -> dict[str, Any] | None:
    if (found := _times(data, "IW")) is None:
        return None
    created, modified, scale, duration = found
    return {
        "created": stated_time(created),
        "modified": stated_time(modified),
        "scale": scale,
        "duration_s": duration / scale if scale else None,
    }


def _tracks(boxes: tuple[Box, ...]) -> list[list[Box]]:
    """The boxes inside each track but for its user data, by track."""
    found: list[list[Box]] = []
    for box in boxes:
        if box.path == (b"moov", b"trak"):
            found.append([])
        elif box.path[:2] == (b"moov", b"trak") and not {b"udta", b"meta"} & set(box.path) and found:
            found[-1].append(box)
    return found


def _track(read: Read, boxes: list[Box]) -> dict[str, Any]:
    contents = {box.kind: _content(read, box) for box in reversed(boxes) if box.kind in _FIELDS}
    scale = (_times(contents.get(b"mdhd", b""), "I") or (0, 0, 0))[2]
    found: dict[str, Any] = {"scale": scale}
    for kind, fields in _FIELDS.items():
        found |= fields(contents[kind]) if kind in contents else {}
    return found


def _header(data: bytes) -> dict[str, Any]:
    created, modified, number = _times(data, "I") or (0, 0, None)
    return {
        "id": number,
        "enabled": bool(data[3:4] and data[3] & 1),
        "created": stated_time(created),
        "modified": stated_time(modified),
    }


def _media(data: bytes) -> dict[str, Any]:
    created, modified, *_ = _times(data, "I") or (0, 0)
    return {"media_created": stated_time(created), "media_modified": stated_time(modified)}


def _handler(data: bytes) -> dict[str, Any]:
    (kind,) = _numbers(data, "4s", 8) or (b"",)
    return {"kind": _kind(kind), "handler": _text(data[24:])}


def _edits(data: bytes) -> dict[str, Any]:
    """Edits as [duration on the movie's clock, start on the track's own or -1 for an empty one, rate]."""
    (count,) = _numbers(data, "I", 4) or (0,)
    form, width = ("Qqhh", 20) if data[:1] == b"\x01" else ("Iihh", 12)
    rows = [_numbers(data, form, 8 + width * k) for k in range(min(count, MOST_LISTED))]
    return {
        "edits": [[d, start, whole + part / 65536] for d, start, whole, part in filter(None, rows)],
        "edits_n": count,
    }


def _formats(data: bytes) -> dict[str, Any]:
    """Sample formats by their four letters; for pictures the name that the compressor gave itself."""
    found: list[str] = []
    names: list[str] = []
    at = 8
    while (head := _numbers(data, "I4s", at)) and head[0] >= 16 and len(found) < MOST_LISTED:
        found.append(_kind(head[1]))
        length, name = (data[at + 50 : at + 51] or b"\0")[0], data[at + 51 : at + 82]
        if head[0] >= 86 and 0 < length <= 31 and name[:length].isascii() and name[:length].decode().isprintable():
            names.append(name[:length].decode())
        at += head[0]
    return {"formats": found, "compressors": names}


_FIELDS: dict[bytes, Callable[[bytes], dict[str, Any]]] = {
    b"tkhd": _header,
    b"mdhd": _media,
    b"hdlr": _handler,
    b"elst": _edits,
    b"stsd": _formats,
}

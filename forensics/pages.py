"""Pages of Ogg files: where what lies in the file cannot be read as one, so that what stood there is missing.

FFmpeg passes over such places without a word. It is pure: it sees the file through ``read(offset, n)``, which gives at
most ``n`` bytes. Reference: RFC 3533 (the Ogg encapsulation format).
"""

from __future__ import annotations

import struct
import zlib

from forensics.boxes import Read

MARK = b"OggS"
#: Bytes before a page's table of segments, and of the largest page.
FIXED, LARGEST = 27, 27 + 255 + 255 * 255
LAST_PAGE = 4  # flag of a stream's last page
#: Places told of at most: each may cost the checksum of a page, and a hostile file could hold one in every 27 bytes.
MOST = 1000
_STEP = 1 << 16
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def breaks(read: Read, size: int) -> int:
    """Places of a file of ``size`` bytes where a page should begin and none does, one is damaged, one does not follow
    the one before it in its stream, or a stream ends without its last page. At most ``MOST``; never fails."""
    found, at = 0, 0
    follows: dict[int, int] = {}  # by stream: the number of its next page
    while at < size and found < MOST:
        page = _page(read, at)
        if page is None:
            found, at = found + 1, _next_mark(read, at + 1, size)
            follows = {stream: -1 for stream in follows}  # what is missing there was counted just now
            continue
        flags, stream, number = struct.unpack_from("<5xB8xII", page)
        found += follows.get(stream, -1) not in (-1, number)
        follows[stream] = number + 1
        if flags & LAST_PAGE:
            del follows[stream]
        at += len(page)
    return min(found + len(follows), MOST)


def _page(read: Read, at: int) -> bytes | None:
    """The whole page at offset ``at``, if one lies there undamaged."""
    head = read(at, FIXED + 255)
    if head[:4] != MARK or len(head) < FIXED:
        return None
    segments = head[FIXED : FIXED + head[FIXED - 1]]
    page = read(at, FIXED + len(segments) + sum(segments))
    (stated,) = struct.unpack_from("<I", page, 22)
    return page if checksum(page[:22] + bytes(4) + page[26:]) == stated else None


def _next_mark(read: Read, at: int, size: int) -> int:
    """Offset of the next mark of a page from ``at`` on; ``size`` where none is."""
    while at < size:
        block = read(at, _STEP)
        if (place := block.find(MARK)) >= 0:
            return at + place
        if len(block) < len(MARK):
            break
        at += len(block) - len(MARK) + 1
    return size


def checksum(page: bytes) -> int:
    """Ogg's CRC-32: zlib's polynomial, but bits the other way round and nothing inverted."""
    crc = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)

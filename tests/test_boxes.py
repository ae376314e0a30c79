"""Boxes: planted ones are told, hostile ones cost neither time nor memory nor an exception."""

from __future__ import annotations

import os
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import box

from forensics import boxes


class File:
    """``read`` over bytes, that counts what is asked of it; ``size`` may be far more than there is."""

    def __init__(self, data: bytes, size: int | None = None):
        self.data, self.size, self.asked, self.reads = data, len(data) if size is None else size, 0, 0

    def read(self, offset: int, n: int) -> bytes:
        assert 0 <= n <= boxes.MOST_CONTENT and offset >= 0
        self.asked, self.reads = self.asked + n, self.reads + 1
        return self.data[offset : offset + n]


def walked(data: bytes, size: int | None = None) -> boxes.Walk:
    file = File(data, size)
    return boxes.walk(file.read, file.size)


def paths(data: bytes) -> list[str]:
    return ["/".join(kind.decode("latin-1") for kind in b.path) for b in walked(data).boxes]


def described(data: bytes) -> dict:
    file = File(data)
    return boxes.described(file.read, file.size)


def full(version: int, form: str, *values: object) -> bytes:
    return struct.pack(">B3x" + form, version, *values)


CREATED, MODIFIED = (
    3_600_000_000,
    3_600_000_060,
)  # 2018-01-28 16:00:00 UTC (2,082,844,800 s before 1970), a minute later


def movie(version: int = 0, edits: bytes = b"", name: bytes = b"a handler\0", compressor: bytes = b"") -> bytes:
    wide = "QQIQ" if version else "IIII"
    entry = struct.pack(">6xH16xHHIIIHB31sHh", 1, 64, 48, 0, 0, 0, 1, len(compressor), compressor, 24, -1)
    stsd = full(0, "I", 1) + box(b"avc1", entry)
    return box(
        b"moov",
        box(b"mvhd", full(version, wide, CREATED, MODIFIED, 1000, 2000))
        + box(
            b"trak",
            box(b"tkhd", struct.pack(">B2xB", version, 1) + struct.pack(">QQI" if version else ">III", CREATED, 0, 7))
            + (box(b"edts", box(b"elst", edits)) if edits else b"")
            + box(
                b"mdia",
                box(b"mdhd", full(version, wide, 0, 0, 12800, 25600))
                + box(b"hdlr", full(0, "I4s12x", 0, b"vide") + name)
                + box(b"minf", box(b"stbl", box(b"stsd", stsd))),
            ),
        ),
    )


FTYP = box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isomavc1")


# -- planted ---------------------------------------------------------------------------------------------------------


def test_boxes_come_in_the_order_of_the_file_with_their_place():
    data = FTYP + box(b"free", b"12345") + box(b"moov", box(b"udta", box(b"\xa9too", b"x")) + box(b"trak"))
    found = walked(data)
    assert paths(data) == ["ftyp", "free", "moov", "moov/udta", "moov/udta/©too", "moov/trak"]
    assert [(b.offset, b.size) for b in found.boxes[:3]] == [(0, 24), (24, 13), (37, len(data) - 37)]
    assert (found.trailing, found.partial) == (0, False)


@pytest.mark.parametrize("version", [0, 1])
def test_times_edits_names_and_formats_are_told_as_stated(version):
    form = "QqhhQqhh" if version else "IihhIihh"
    edits = full(version, "I" + form, 2, 500, -1, 1, 0, 2000, 1024, 1, 0)
    told = described(FTYP + movie(version, edits, compressor=b"Made-up 1.0"))
    assert told["brands"] == {"major": "isom", "minor": 512, "compatible": ["isom", "avc1"]}
    assert told["movie"] == {
        "created": "2018-01-28 16:00:00",
        "modified": "2018-01-28 16:01:00",
        "scale": 1000,
        "duration_s": 2.0,
    }
    (track,) = told["tracks"]
    assert (track["id"], track["enabled"], track["kind"], track["handler"]) == (7, True, "vide", "a handler")
    assert (track["created"], track["modified"]) == ("2018-01-28 16:00:00", "not stated")
    assert (track["edits"], track["edits_n"], track["scale"]) == ([[500, -1, 1.0], [2000, 1024, 1.0]], 2, 12800)
    assert (track["formats"], track["compressors"]) == (["avc1"], ["Made-up 1.0"])


def test_quicktime_names_begin_with_their_length():
    assert described(movie(name=b"\x09a handler"))["tracks"][0]["handler"] == "a handler"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "not stated"), (1, "1904-01-01 00:00:01"), (2**32 - 1, "2040-02-06 06:28:15"), (2**64 - 1, "after 1904")],
)
def test_a_time_is_told_as_stated_however_implausible(seconds, words):
    assert words in boxes.stated_time(seconds)


def test_order_of_index_and_media_and_fragments():
    assert described(FTYP + movie() + box(b"mdat"))["index_before_media"] is True
    assert described(FTYP + box(b"mdat") + movie())["index_before_media"] is False
    assert described(FTYP + movie())["index_before_media"] is None
    told = described(FTYP + movie() + 3 * (box(b"moof") + box(b"mdat", b"x")) + 2 * box(b"free"))
    assert told["layout"] == ["ftyp", "moov", "moof+mdat ×3", "free ×2"]
    assert (told["fragments"], told["free_bytes"]) == (3, 16)


@pytest.mark.parametrize("tail", [b"\0" * 20, b"Hello World, appended text", b"abc", b"PK\x03\x04" + bytes(50)])
def test_what_stands_behind_the_last_box_is_counted(tail):
    assert described(FTYP + box(b"mdat", b"xyz") + tail)["trailing_bytes"] == len(tail)


def test_a_box_cut_off_by_the_file_s_end_is_told():
    told = described((FTYP + box(b"mdat", bytes(1000)))[:-400])
    assert told["beyond_end"] == ["mdat"] and told["trailing_bytes"] == 0


def test_boxes_of_no_known_kind_are_told_but_not_those_of_user_data():
    told = described(FTYP + box(b"beam", b"1") + box(b"moov", box(b"udta", box(b"Xtra", b"2"))))
    assert told["unknown"] == {"beam": 1} and told["user_data"] == ["moov/udta/Xtra"]


def test_a_box_to_the_end_and_one_of_64_bits():
    assert [b.size for b in walked(struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4)).boxes] == [20]
    assert [b.size for b in walked(struct.pack(">I4s", 0, b"mdat") + bytes(92)).boxes] == [100]


def test_both_forms_of_meta_are_walked():
    hdlr = box(b"hdlr", bytes(24))
    assert paths(box(b"meta", hdlr)) == paths(box(b"meta", bytes(4) + hdlr)) == ["meta", "meta/hdlr"]


# -- hostile ---------------------------------------------------------------------------------------------------------


def test_3000_nested_boxes_end_at_the_deepest_walked_into():
    data = b""
    for _ in range(3000):
        data = box(b"moov", data)
    found = walked(data)
    assert found.partial and max(len(b.path) for b in found.boxes) == boxes.MOST_DEEP


def test_a_million_boxes_end_at_the_most():
    found = walked(box(b"free") * (boxes.MOST_BOXES + 10))
    assert found.partial and len(found.boxes) == boxes.MOST_BOXES


@pytest.mark.parametrize("declared", [2, 7, 2**31 - 1, 2**32 - 1])
def test_declared_sizes_are_claims(declared):
    file = File(struct.pack(">I4s", declared, b"moov") + box(b"mvhd") + bytes(10))
    boxes.described(file.read, file.size)
    assert file.asked < 10_000


@pytest.mark.parametrize("declared", [0, 15, 16, 2**63, 2**64 - 1])
def test_declared_sizes_of_64_bits_are_claims(declared):
    file = File(struct.pack(">I4sQ", 1, b"mdat", declared) + bytes(10))
    found = boxes.walk(file.read, file.size)
    assert all(b.end <= file.size for b in found.boxes) and file.asked < 10_000


def test_a_list_of_two_billion_edits_is_read_only_where_it_is():
    edits = full(0, "IIihh", 2**31, 2000, 0, 1, 0)
    (track,) = described(movie(edits=edits))["tracks"]
    assert track["edits"] == [[2000, 0, 1.0]] and track["edits_n"] == 2**31


def test_a_file_that_is_shorter_than_its_size_says_ends_the_walk():
    file = File(FTYP, 2**62)
    assert [b.kind for b in boxes.walk(file.read, file.size).boxes] == [b"ftyp"]


KINDS = st.sampled_from([*sorted(boxes.NESTS), b"mdat", b"elst", b"stsd", b"hdlr", b"mvhd", b"tkhd", b"mdhd", b"uuid"])


def nested(inner):
    return st.lists(st.builds(box, KINDS, inner), max_size=4).map(b"".join)


TREES = st.recursive(st.binary(max_size=60), nested, max_leaves=30)


@settings(deadline=None, max_examples=int(os.environ.get("FUZZ_EXAMPLES", "300")))
@given(st.one_of(st.binary(max_size=300), TREES, st.builds(bytes.__add__, TREES, st.binary(max_size=20))), st.data())
def test_whatever_the_bytes_the_walk_ends_soon_and_reads_little(data, draw):
    if data:
        at = draw.draw(st.integers(0, len(data) - 1))
        data = data[:at] + draw.draw(st.binary(min_size=1, max_size=8)) + data[at + 1 :]
    file, start = File(data), time.monotonic()
    told = boxes.described(file.read, file.size)
    assert time.monotonic() - start < 2 and file.reads < 50 + 8 * len(data)
    assert 0 <= told["trailing_bytes"] <= len(data)
    for found in boxes.walk(file.read, file.size).boxes:
        assert 8 <= found.size <= found.declared and found.end <= file.size and found.content <= found.offset + 16

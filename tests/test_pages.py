"""Pages of Ogg files: every page that is missing or damaged is told, an undamaged file tells of none."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import Sound, tone, write

from forensics import pages

EXAMPLES = settings(deadline=None, max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")))
OPUS = {"codec": "libopus", "sample_format": "flt"}


@pytest.fixture(scope="module")
def ogg(tmp_path_factory) -> bytes:
    return write(tmp_path_factory.mktemp("ogg") / "voice.ogg", Sound(tone(4.0), **OPUS)).read_bytes()


def breaks(data: bytes, size: int | None = None) -> int:
    return pages.breaks(lambda at, n: data[at : at + n], len(data) if size is None else size)


def starts(data: bytes) -> list[int]:
    return [k for k in range(len(data)) if data.startswith(pages.MARK, k)]


def without(data: bytes, page: int) -> bytes:
    first, behind = ([*starts(data), len(data)][k] for k in (page, page + 1))
    return data[:first] + data[behind:]


def test_an_undamaged_file_has_no_breaks_and_its_checksums_fit(ogg):
    assert len(starts(ogg)) >= 5 and breaks(ogg) == 0


def test_streams_one_behind_the_other_have_none(ogg):
    """The same stream's number may come again once it has ended."""
    assert breaks(ogg + ogg) == 0


@pytest.mark.parametrize("page", [2, 3])
def test_a_page_that_is_missing_is_one(ogg, page):
    assert breaks(without(ogg, page)) == 1


def test_a_last_page_that_is_missing_is_one(ogg):
    assert breaks(without(ogg, len(starts(ogg)) - 1)) == 1


def test_zeros_in_a_page_and_between_pages_are_one(ogg):
    at = starts(ogg)[3]
    assert breaks(ogg[: at + 60] + bytes(40) + ogg[at + 100 :]) == 1
    assert breaks(ogg[:at] + bytes(5000) + ogg[at:]) == 1


def test_a_file_cut_in_its_last_page_tells_of_it(ogg):
    assert breaks(ogg[:-30]) >= 1


@EXAMPLES
@given(st.data())
def test_any_byte_changed_is_told(ogg, data):
    at = data.draw(st.integers(0, len(ogg) - 1))
    change = data.draw(st.integers(1, 255))
    assert breaks(ogg[:at] + bytes([ogg[at] ^ change]) + ogg[at + 1 :]) >= 1


@EXAMPLES
@given(st.binary(max_size=2000), st.integers(0, 1 << 50))
def test_anything_else_never_fails(junk, size):
    assert 0 <= breaks(junk, size) <= pages.MOST
    assert 0 <= breaks(pages.MARK * 3 + junk, size) <= pages.MOST


def test_a_file_full_of_marks_is_given_up():
    """Each mark claims the largest page, whose checksum has to be taken."""
    data, asked = (pages.MARK + bytes(22) + b"\xff" + b"\xff" * 255) * 4000, []

    def read(at: int, n: int) -> bytes:
        asked.append(n)
        return data[at : at + n]

    assert pages.breaks(read, len(data)) == pages.MOST
    assert sum(asked) <= pages.MOST * (pages.FIXED + 255 + pages.LARGEST + (1 << 16))

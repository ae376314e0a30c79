"""Pictures handed from one child to others: whole, in order, bounded, and neither side waits for one that is gone."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

import numpy as np
import pytest

from forensics import handover
from forensics.errors import MediaError


@pytest.fixture
def line():
    """The memory and one line, with no other copy of its ends: a test may close them."""
    memory, ends = os.memfd_create("pictures"), handover.Line(*os.pipe(), *os.pipe())
    os.ftruncate(memory, handover.SHARED_BYTES)
    yield memory, ends
    closed(memory, *vars(ends).values())


def closed(*descriptors: int) -> None:
    for fd in descriptors:
        with suppress(OSError):
            os.close(fd)


def picture(k: int, shape: tuple[int, ...] = (4, 6, 3)) -> np.ndarray:
    return np.full(shape, k, np.uint8)


def giver(memory: int, line: handover.Line) -> handover.Giver:
    return handover.Giver(memory, [line.told_out], [line.freed_in])


def test_pictures_arrive_whole_and_in_order_though_there_are_more_than_slots(line):
    memory, ends = line
    given = 3 * handover.MOST_SLOTS

    def give():
        one = giver(memory, ends)
        for k in range(given):
            one.give(0, picture(k), {"k": k, "t_s": 0.1 * k})
            one.stay()
        closed(ends.told_out)

    thread = threading.Thread(target=give)
    thread.start()
    seen = []
    for got in handover.taken(memory, ends.told_in, ends.freed_out):
        if got is not None:
            rgb, about = got
            assert (rgb == about["k"]).all() and about["t_s"] == 0.1 * about["k"]
            seen.append(about["k"])
    thread.join()
    assert seen == list(range(given))


def test_who_gives_waits_while_all_slots_are_full(line):
    memory, ends = line
    one = giver(memory, ends)
    for k in range(handover.MOST_SLOTS):
        one.give(0, picture(k), k)
    blocked = threading.Thread(target=one.give, args=(0, picture(99), 99))
    blocked.start()
    blocked.join(0.2)
    assert blocked.is_alive()
    taken = handover.taken(memory, ends.told_in, ends.freed_out)
    rgb, about = next(taken)
    assert about == 0 and (rgb == 0).all()  # still unharmed: its slot was not given back
    next(taken)
    blocked.join(5)
    assert not blocked.is_alive()


def test_a_picture_may_be_turned_but_keeps_its_values(line):
    memory, ends = line
    one = giver(memory, ends)
    rgb = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    one.give(0, rgb, None)
    one.give(0, np.ascontiguousarray(rgb.swapaxes(0, 1)), None)
    taken = handover.taken(memory, ends.told_in, ends.freed_out)
    np.testing.assert_array_equal(next(taken)[0], rgb)
    np.testing.assert_array_equal(next(taken)[0], rgb.swapaxes(0, 1))


def test_each_taker_has_pictures_of_its_own():
    with handover.opened(2) as (memory, lines):
        one = handover.Giver(memory, [line.told_out for line in lines], [line.freed_in for line in lines])
        for k in range(6):
            one.give(k % 2, picture(k), k)
        for taker, line in enumerate(lines):
            taken = handover.taken(memory, os.dup(line.told_in), line.freed_out)
            got = [got for got in (next(taken) for _ in range(6)) if got is not None]
            assert [about for _, about in got] == [taker, taker + 2, taker + 4]
            assert [int(rgb[0, 0, 0]) for rgb, _ in got][-1] == taker + 4


def test_large_pictures_have_fewer_slots_and_the_largest_are_refused(line, monkeypatch):
    monkeypatch.setattr(handover, "USUAL_BYTES", 4 * 72)
    memory, ends = line
    one = giver(memory, ends)
    for k in range(4):
        one.give(0, picture(k), k)
    blocked = threading.Thread(target=one.give, args=(0, picture(4), 4))
    blocked.start()
    blocked.join(0.2)
    assert blocked.is_alive()
    next(taken := handover.taken(memory, ends.told_in, ends.freed_out))
    next(taken)
    blocked.join(5)
    monkeypatch.setattr(handover, "SHARED_BYTES", 71)
    with pytest.raises(MediaError, match="E_TOO_LARGE"):
        giver(memory, ends).give(0, picture(0), 0)


def test_who_gives_ends_when_the_taker_is_gone(line):
    memory, ends = line
    one = giver(memory, ends)
    closed(ends.freed_out)
    for k in range(handover.MOST_SLOTS):
        one.give(0, picture(k), k)
    with pytest.raises(BrokenPipeError):  # no slot will come back
        one.give(0, picture(0), 0)
    closed(ends.told_in)
    with pytest.raises(BrokenPipeError):  # nobody listens
        one.stay()


def test_who_takes_gets_the_last_picture_and_ends_when_the_giver_is_gone(line):
    memory, ends = line
    giver(memory, ends).give(0, picture(7), "last")
    closed(ends.told_out, ends.freed_in)
    got = [(int(rgb.max()), about) for rgb, about in handover.taken(memory, ends.told_in, ends.freed_out)]
    assert got == [(7, "last")]

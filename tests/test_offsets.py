"""The offset by hand (tests/real/offsets.py): a planted one is recovered, and what was marked can be read."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def offsets() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent / "real")
        import offsets

        return offsets


def marks(offsets: ModuleType, offset_s: float, fps: float, n: int) -> list:
    """Releases of lips at any time between two pictures, with a sound ``offset_s`` later."""
    lips_s = np.random.default_rng(0).uniform(1, 9, n)
    before = np.floor(lips_s * fps) / fps
    return [offsets.Release(t + offset_s, 0.0, b, b + 1 / fps) for t, b in zip(lips_s, before, strict=True)]


@pytest.mark.parametrize("offset_s", [-0.1, 0.0, 0.06])
@pytest.mark.parametrize("fps", [24.0, 60.0])
def test_a_planted_offset_lies_in_the_hands_interval(offsets, offset_s, fps):
    """Positive: the sound comes after the lips."""
    found = offsets.by_hand(marks(offsets, offset_s, fps, 40))
    assert found.low <= 1000 * offset_s <= found.high
    assert found.high - found.low < 1000 / fps


def test_marks_that_happen_to_agree_are_no_surer_than_their_pictures(offsets):
    alike = [offsets.Release(1.05, 0.001, 1.0, 1.04)] * 6
    assert offsets.by_hand(alike).sd == pytest.approx(40 / np.sqrt(12), rel=0.01)


def test_one_mark_has_no_interval(offsets):
    assert offsets.by_hand(marks(offsets, 0.0, 25.0, 1)).high == np.inf


def test_exact_phonemes_give_the_planned_offset_of_lips_that_part_at_once(offsets):
    opening = np.where((np.arange(100) % 20) < 3, -0.06, 0.5)
    ends = [k / 25 - 0.02 for k in range(23, 100, 20)]
    told = {
        "frames": 100,
        "av_offset_ms": 200,
        "bilabial_closures": [{"start_s": e - 0.1, "end_s": e} for e in ends],
    }
    releases = offsets.planned({"plan_per_frame": {"opening": opening.tolist()}}, told, 0.0)
    assert [r.offset_s for r in releases] == pytest.approx([0.2] * len(ends))


def test_what_was_marked_is_in_order_and_enough():
    labels = json.loads((Path(__file__).parent / "real" / "offsets.json").read_text("utf-8")).values()
    releases = [r for label in labels for r in label["releases"]]
    assert all(r["closed"] + 1 == r["open"] and 0 < r["error_s"] < 0.01 and r["phone"] in "pbm" for r in releases)
    assert sum(sum(r["sure"] for r in label["releases"]) >= 4 for label in labels) >= 5

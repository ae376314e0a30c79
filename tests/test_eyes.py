"""The tool for labelling blinks by eye (tests/real/eyes.py): where it cuts, and which labels it refuses."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

#: Distance of the outer corners of the planted eyes, px.
SPAN = 100.0


@pytest.fixture(scope="module")
def eyes() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent / "real")
        import eyes

        return eyes


def placed(eyes: ModuleType, frame: tuple[int, ...] = (3, 4, 8)) -> Any:
    n = len(frame)
    return eyes.Eyes(
        track="A1",
        frame=np.array(frame),
        pts=np.arange(n),
        t_s=np.arange(n) / 25,
        centre=np.linspace((100.0, 80.0), (104.0, 80.0), n),
        span=np.full(n, SPAN),
        roll=np.zeros(n),
        eye_px=33.0,
        frames=(frame[0], frame[-1]),
    )


@pytest.mark.parametrize("roll_deg", [-30.0, 0.0, 20.0])
@pytest.mark.parametrize("span", [SPAN, 4 * SPAN])
def test_strip_is_upright_with_the_outer_corners_a_tenth_from_its_sides(
    eyes: ModuleType, roll_deg: float, span: float
) -> None:
    centre, roll = np.array([330.0, 290.0]), np.radians(roll_deg)
    picture = Image.new("RGB", (700, 600))
    for side, colour in ((-1, "red"), (1, "lime")):
        x, y = centre + side * span / 2 * np.array([np.cos(roll), np.sin(roll)])
        r = span / 25
        ImageDraw.Draw(picture).ellipse([x - r, y - r, x + r, y + r], fill=colour)
    width, height = eyes.STRIP
    seen = np.asarray(eyes.strip(picture, centre, span, roll, width, height).resize((width, height)))
    for channel, share in ((0, 0.5 - 0.5 / eyes.MARGIN), (1, 0.5 + 0.5 / eyes.MARGIN)):
        y, x = np.nonzero(seen[:, :, channel] > 128)
        assert abs(x.mean() + 0.5 - share * width) < 2
        assert abs(y.mean() + 0.5 - height / 2) < 2


def test_a_lost_face_is_cut_by_its_neighbours_and_none_outside_the_track(eyes: ModuleType) -> None:
    track = placed(eyes)
    centre, span, roll = track.place(6)
    assert (*centre, span, roll) == (103.0, 80.0, SPAN, 0.0)
    assert track.place(2) is None
    assert track.place(9) is None


def test_smoothing_keeps_a_constant_and_hides_one_jump(eyes: ModuleType) -> None:
    t_s = np.cumsum(np.tile([0.02, 0.05], 20))
    values = np.column_stack([np.full(40, 7.0), np.zeros(40)])
    values[20, 1] = 1.0
    smooth = eyes.smoothed(t_s, values, 0.3)
    assert np.allclose(smooth[:, 0], 7.0)
    assert smooth[:, 1].max() < 0.1


def label(**changes: Any) -> dict[str, Any]:
    return {"observer": "A", "blinks": [{"onset": 4, "peak": 5, "offset": 7} | changes]}


def test_labels_are_filled_with_the_usual_values(eyes: ModuleType) -> None:
    told = eyes.checked(label(), placed(eyes), "x.json")
    assert told["frames"] == [3, 8]
    assert told["track"] == "A1"
    assert told["blinks"][0] == {
        "eye": "both", "complete": True, "sure": True, "note": "", "onset": 4, "peak": 5, "offset": 7
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        label(peak=8),
        label(onset=2),
        label(offset=9),
        label(peak=5.0),
        label(eye="middle"),
        label(sure="yes"),
        label(depth=1),
        label() | {"track": "B1"},
        label() | {"frames": [3, 9]},
        label() | {"observer": ""},
        label() | {"unreadable": [[7, 5]]},
        label() | {"blink": []},
    ],
)
def test_wrong_labels_are_refused(eyes: ModuleType, wrong: dict[str, Any]) -> None:
    with pytest.raises(SystemExit, match=r"x\.json"):
        eyes.checked(wrong, placed(eyes), "x.json")


def test_second_labels_stand_beside_the_first(eyes: ModuleType) -> None:
    first, other = ({"clip": "x"} | eyes.checked(label() | {"observer": o}, placed(eyes), "x.json") for o in "AB")
    both = eyes.placed(first, other, True, "x.json")
    assert both["observer"] == "A"
    assert both["second"] == {"observer": "B", "blinks": other["blinks"], "unreadable": []}
    assert eyes.placed(both, first, False, "x.json") == both
    for known in (None, first):
        with pytest.raises(SystemExit, match="another observer"):
            eyes.placed(known, first, True, "x.json")
    with pytest.raises(SystemExit, match="not those of the first"):
        eyes.placed(first | {"frames": [3, 7]}, other, True, "x.json")

"""(clip, instants) -> annotated pictures: the only second visit to the evidence, in a child, logged by its caller."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from forensics import sandbox
from forensics.errors import MediaError
from forensics.finding import Event, Finding
from forensics.timeline import FaceTrack

#: Height of a still in the report, in px, and pictures shown a person.
HEIGHT_PX, MOST = 360, 4
#: Events that each get a still, and how many at most: an examiner looks at every one of them.
ALL_SHOWN, MOST_SHOWN = frozenset({"missed_closure"}), 24
#: Further faces shown where the analyst merged several or set them aside; each is some 40 kB in the report.
MOST_VIEWS = 12
#: Blue of the chart palette: readable on skin and backgrounds with the white rim drawn under it.
_BLUE, _WHITE = (0, 114, 178), (255, 255, 255)


@dataclass(frozen=True)
class Still:
    name: str
    person: str
    t_s: float
    frame: int
    pts: int
    caption: str
    jpeg: bytes


@dataclass(frozen=True)
class Instant:
    """A picture to show: its track's row gives the face to mark."""

    name: str
    track: FaceTrack
    row: int
    caption: str


def draw(fd: int, stream_index: int, wanted: list[tuple[int, list[list[float]]]]) -> Iterator[sandbox.Message]:
    """Runs in the child: for each (number of a picture, points) the picture with those points marked, as JPEG."""
    from forensics import decode, pixels

    last = max(number for number, _ in wanted)
    for picture in decode.pictures(fd, stream_index, decode.Losses()):
        yield sandbox.AT_WORK
        for k, points in ((k, points) for k, (number, points) in enumerate(wanted) if number == picture.index):
            rgb = picture.rgb()
            factor = HEIGHT_PX / rgb.shape[0]
            rgb, xy = pixels.scale(rgb, factor), np.array(points) * factor
            corners = (*(xy.min(0) - 6).astype(int).tolist(), *(xy.max(0) + 6).astype(int).tolist())
            pixels.draw_box(rgb, corners, _WHITE, 3)
            pixels.draw_box(rgb, corners, _BLUE, 1)
            pixels.draw_points(rgb, xy, 1, _BLUE)
            yield {"k": k}, {"jpeg": np.frombuffer(pixels.as_jpeg(rgb), np.uint8)}
        if picture.index >= last:
            return


def instants(person: str, tracks: list[FaceTrack], findings: list[Finding]) -> list[Instant]:
    """One clear view of the person, then missed closures and flagged instants, or the first blinks without any.

    At the end a view of each other face that the analyst merged into this person.
    """
    longest = max(tracks, key=lambda t: len(t.t_s))
    chosen = [_view(f"{person}-view", longest)]
    events = [e for f in findings for e in f.events if "frame" in e.details and e.details.get("eye") != "left"]
    every = [e for e in events if e.kind in ALL_SHOWN][:MOST_SHOWN]
    events = [e for e in events if e.kind not in ALL_SHOWN]
    events = [e for e in events if e.unusual] or events[: MOST - 1]
    by_name = {t.name: t for t in tracks}
    for k, event in enumerate([*every, *events[: MOST - 1]], 1):
        track = by_name[event.details["track"]]
        row = int(np.flatnonzero(track.frame == event.details["frame"])[0])
        chosen.append(Instant(f"{person}-{event.kind}-{k}", track, row, _caption(event)))
    return chosen + views(person, [t for t in tracks if t.letter != longest.letter])


def views(person: str, tracks: Iterable[FaceTrack]) -> list[Instant]:
    """A clear view of each letter's longest appearance: a reader can see what was merged, or set aside."""
    longest: dict[str, FaceTrack] = {}
    for track in tracks:
        longest[track.letter] = max(longest.get(track.letter, track), track, key=lambda t: len(t.t_s))
    return [_view(f"{person}-{track.name}-view", track) for track in [*longest.values()][:MOST_VIEWS]]


def _view(name: str, track: FaceTrack) -> Instant:
    # Among the first pictures, so that decoding stops early: frontal and sharp.
    early = slice(0, 500)
    sharp = track.quality["sharpness"].values[early]
    clear = int(np.argmax(sharp / np.nanmax(sharp) - np.abs(track.quality["yaw"].values[early]) / 90))
    return Instant(name, track, clear, f"a clear view of appearance {track.name}, with the landmarks found")


def _caption(event: Event) -> str:
    return "a blink at its deepest point" if event.kind == "blink" else event.what


def ask(fd: int, stream_index: int, wanted: list[Instant]) -> Generator[sandbox.Message, None, None]:
    """A child begins to take the stills: until they are ``received`` its caller may do other work."""
    points = [(int(i.track.frame[i.row]), i.track.landmarks[i.row][:468, :2].tolist()) for i in wanted]
    return sandbox.stream("forensics.stills:draw", fd, stream_index=stream_index, wanted=points)


def take(fd: int, stream_index: int, wanted: list[Instant]) -> list[Still]:
    """The stills, in the order of ``wanted``."""
    return received(ask(fd, stream_index, wanted), wanted) if wanted else []


def received(messages: Iterable[sandbox.Message], wanted: list[Instant]) -> list[Still]:
    """The stills that were asked for, in the order of ``wanted``."""
    made = {header["k"]: arrays["jpeg"].tobytes() for header, arrays in messages}
    if len(made) < len(wanted):
        raise MediaError(
            "E_PICTURES_GONE",
            "Pictures that were examined could not be decoded a second time.",
            "Check that the evidence did not change, and run again.",
        )
    return [
        Still(
            i.name,
            i.track.person,
            float(i.track.t_s[i.row]),
            int(i.track.frame[i.row]),
            int(i.track.pts[i.row]),
            i.caption,
            made[k],
        )
        for k, i in enumerate(wanted)
    ]

"""(clip, instants) -> annotated pictures: the only second visit to the evidence, in a child, logged by its caller."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forensics import sandbox
from forensics.errors import MediaError
from forensics.finding import Event, Finding, Strip
from forensics.marking import Marked
from forensics.timeline import FaceTrack

#: Height of a still in the report, in px, and pictures shown a person.
HEIGHT_PX, MOST = 360, 4
#: Events that each get a still, and how many at most: an examiner looks at every one of them.
ALL_SHOWN, MOST_SHOWN = frozenset({"missed_closure"}), 24
#: Further faces shown where the analyst merged several or set them aside; each is some 40 kB in the report.
MOST_VIEWS = 12
#: Side of a picture of a strip, in px, and its side on the face: forehead to chin is 1.
STRIP_PX, STRIP_SIDE = 132, 0.55
#: Landmarks: forehead, chin, lips.
_FOREHEAD, _CHIN, _LIPS = 10, 152, (13, 14, 61, 291)
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
    question: str = ""  # of the finding whose strip it belongs to


@dataclass(frozen=True)
class Instant:
    """A picture to show: its track's row gives the face to mark, or, of a strip, the mouth to cut out."""

    name: str
    track: FaceTrack
    row: int
    caption: str
    question: str = ""

    @property
    def person(self) -> str:
        return self.track.person

    @property
    def t_s(self) -> float:
        return float(self.track.t_s[self.row])

    @property
    def frame(self) -> int:
        return int(self.track.frame[self.row])

    @property
    def pts(self) -> int:
        return int(self.track.pts[self.row])

    @property
    def points(self) -> list[list[float]]:
        return self.track.landmarks[self.row][:468, :2].tolist()


def draw(fd: int, stream_index: int, wanted: list[tuple[int, list[list[float]], bool]]) -> Iterator[sandbox.Message]:
    """Runs in the child: for each (number of a picture, points of a face, mouth alone?) the picture as JPEG."""
    from forensics import decode, pixels

    last = max(number for number, *_ in wanted)
    for picture in decode.pictures(fd, stream_index, decode.Losses()):
        yield sandbox.AT_WORK
        for k, (number, points, alone) in enumerate(wanted):
            if number == picture.index:
                drawn = _mouth(picture.rgb(), np.array(points)) if alone else _marked(picture.rgb(), np.array(points))
                yield {"k": k}, {"jpeg": np.frombuffer(pixels.as_jpeg(drawn), np.uint8)}
        if picture.index >= last:
            return


def _marked(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The whole picture, the face boxed and its landmarks drawn; without points the picture alone."""
    from forensics import pixels

    factor = HEIGHT_PX / rgb.shape[0]
    if not len(points):
        return pixels.scale(rgb, factor)
    rgb, xy = pixels.scale(rgb, factor), points * factor
    corners = (*(xy.min(0) - 6).astype(int).tolist(), *(xy.max(0) + 6).astype(int).tolist())
    pixels.draw_box(rgb, corners, _WHITE, 3)
    pixels.draw_box(rgb, corners, _BLUE, 1)
    pixels.draw_points(rgb, xy, 1, _BLUE)
    return rgb


def _mouth(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The mouth and what is around it, nothing drawn over it."""
    from forensics import pixels

    side = STRIP_SIDE * float(np.linalg.norm(points[_FOREHEAD] - points[_CHIN]))
    return pixels.cut_out(rgb, points[list(_LIPS)].mean(0) - side / 2, side, STRIP_PX / side)


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
    chosen += [i for f in findings for n, s in enumerate(f.evidence.get("strips", ())) for i in _strip(f, n, s, tracks)]
    return chosen + views(person, [t for t in tracks if t.letter != longest.letter])


def _strip(finding: Finding, number: int, strip: Strip, tracks: list[FaceTrack]) -> list[Instant]:
    """The pictures shown at a strip's instants, each once."""
    track = next(t for t in tracks if t.interval.start_s <= strip.t_s[0] <= t.interval.end_s)
    rows = dict.fromkeys(int(np.searchsorted(track.t_s, t_s, "right")) - 1 for t_s in strip.t_s)
    name = f"{finding.person}-strip-{number + 1}"
    return [
        Instant(f"{name}-{k}", track, row, strip.what, finding.question) for k, row in enumerate(rows, 1) if row >= 0
    ]


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


def ask(fd: int, stream_index: int, wanted: Sequence[Instant | Marked]) -> Generator[sandbox.Message, None, None]:
    """A child begins to take the stills: until they are ``received`` its caller may do other work."""
    points = [(i.frame, i.points, bool(i.question)) for i in wanted]
    return sandbox.stream("forensics.stills:draw", fd, stream_index=stream_index, wanted=points)


def take(fd: int, stream_index: int, wanted: Sequence[Instant | Marked]) -> list[Still]:
    """The stills, in the order of ``wanted``."""
    return received(ask(fd, stream_index, wanted), wanted) if wanted else []


def received(messages: Iterable[sandbox.Message], wanted: Sequence[Instant | Marked]) -> list[Still]:
    """The stills that were asked for, in the order of ``wanted``."""
    made = {header["k"]: arrays["jpeg"].tobytes() for header, arrays in messages}
    if len(made) < len(wanted):
        raise MediaError(
            "E_PICTURES_GONE",
            "Pictures that were examined could not be decoded a second time.",
            "Check that the evidence did not change, and run again.",
        )
    return [
        Still(i.name, i.person, i.t_s, i.frame, i.pts, i.caption, made[k], i.question) for k, i in enumerate(wanted)
    ]

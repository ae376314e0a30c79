"""The exhibit made worse: which copies, of which part, and what became of each answer in them.

The copies tell how robust the answers are (does a number stay within its own interval?) and how much worse the exhibit
could be before a planted alteration is told no more. Their pictures are real encodings; the alterations are planted in
what the pass measured of each copy. The sound is the same in all, so that questions about it are not asked again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forensics import sandbox
from forensics.analysis import blink, lighting, lipsync
from forensics.controls import planting
from forensics.controls.sizes import Size
from forensics.errors import MediaError
from forensics.finding import ASSESSED, Finding, rounded
from forensics.scene import Scene
from forensics.timeline import FaceTrack, Interval, intersection, total_s

#: Visually lossless by x264's own guide: what a copy loses then is its noise, its size or its rate.
FINE = 18
#: A part holds more than these many pictures/s for a copy at a lower rate to be one.
FASTER = 1.05
#: Bytes all copies of one exhibit take at most: a minute of 4K has less.
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Kind:
    """One way to make the exhibit worse: H.264 at ``crf``, smaller, fewer pictures/s, noise (sd in levels of 255).

    ``sound_bit_rate``: of AAC, bit/s; 0: the sound is kept sample for sample.
    """

    name: str
    what: str
    crf: int = FINE
    shrink: int = 1
    fps: int = 0
    noise_sd: float = 0.0
    sound_bit_rate: int = 0


def kinds(settings: Any, fps: float = math.inf) -> tuple[Kind, ...]:
    """The copies that ``settings`` (of the controls) ask for, of a part of ``fps`` pictures/s."""
    crf, half, fewer, sd = settings.crf, settings.shrink, settings.fps, settings.noise_sd
    slow = Kind(f"fps_{fewer}", f"{fewer} pictures/s, CRF {FINE}", fps=fewer)
    return (
        *(Kind(f"crf_{k}", f"H.264, CRF {k}", crf=k) for k in crf),
        Kind(f"size_{half}", f"1/{half} of the size, CRF {FINE}", shrink=half),
        *((slow,) if fps > FASTER * fewer else ()),
        Kind("noise", f"noise of sd {sd:g} of 255 levels, CRF {FINE}", noise_sd=sd),
    )


# -- which part ------------------------------------------------------------------------------------------------------


def refusals(scene: Scene) -> tuple[str, ...]:
    """Reason codes why no copies are examined: their answers would be about nobody."""
    return () if scene.tracks else (scene.nobody,)


def part(scene: Scene, seconds: float, grid_s: float) -> Interval | None:
    """What is copied: the ``seconds`` of the longest appearance with most speech; None: all that was examined."""
    return most_spoken(scene.interval, longest(scene.tracks).interval, scene.speech or [], seconds, grid_s)


def most_spoken(
    whole: Interval, seen: Interval, speech: Sequence[Interval], seconds: float, grid_s: float
) -> Interval | None:
    """The ``seconds`` of the appearance ``seen`` with most speech; None where the ``whole`` is no longer.

    It begins on the pass's own grid where it can, so that the copies' cells are nearly the exhibit's.
    """
    if whole.duration <= seconds:
        return None
    if seen.duration <= seconds:
        return seen
    starts = np.arange(math.ceil(seen.start_s / grid_s) * grid_s, seen.end_s - seconds, grid_s)
    windows = [Interval(float(at), float(at) + seconds) for at in starts] or [
        Interval(seen.start_s, seen.start_s + seconds)
    ]
    return max(windows, key=lambda window: total_s(intersection(speech, [window])))


def longest(tracks: Sequence[FaceTrack]) -> FaceTrack:
    return max(tracks, key=lambda track: track.interval.duration)


def same(scene: Scene, face: FaceTrack, late_s: float = 0.0, scale: float = 1.0) -> Scene | None:
    """The scene of a copy with the appearance alone that is ``face``; None where it is not found.

    ``late_s`` and ``scale``: of the copy's times and px against those of ``face``.
    """
    where = Interval(*(end - late_s for end in (face.interval.start_s, face.interval.end_s)))
    middle = _middle(face) * scale
    near = [
        t
        for t in scene.tracks
        if (common := t.interval & where) and common.duration > 0.5 * min(where.duration, scene.interval.duration)
    ]
    near = [t for t in near if np.linalg.norm(_middle(t) - middle) < scale * _height(face)]
    # Words told are of the exhibit's clock; no copy is asked about them.
    return replace(planting.with_face(scene, longest(near)), told=None) if near else None


def _middle(face: FaceTrack) -> np.ndarray:
    return np.asarray(np.nanmedian(face.landmarks[:][:, :, :2], axis=(0, 1)))


def _height(face: FaceTrack) -> float:
    return float(np.nanmedian(face.quality["face_height"].values))


# -- copies ----------------------------------------------------------------------------------------------------------


def make(
    fd: int,
    picture: int,
    sound: int | None,
    of: Interval,
    wanted: Sequence[Kind],
    folder: Path,
    reached: Callable[[float], None] = lambda t_s: None,
) -> dict[str, Any]:
    """Write the copies of the part ``of`` into ``folder`` as the child makes them; their numbers of pictures by name.

    Raises MediaError ``E_NO_ENCODER``, ``E_NO_FRAMES``, ``E_TOO_LARGE``, or what decoding raises.
    """
    made, size = {}, 0
    coming = sandbox.stream(
        "forensics.encode:copies",
        fd,
        picture=picture,
        sound=sound,
        part=[of.start_s, of.end_s],
        kinds=[asdict(kind) for kind in wanted],
        most_bytes=MOST_BYTES,
    )
    for header, arrays in coming:
        if "reached" in header:
            reached(float(header["reached"]))
            continue
        kind = wanted[int(header["copy"])]
        if "bytes" in arrays:
            size += arrays["bytes"].nbytes
            if size > MOST_BYTES:  # the child refuses sooner, but it reads what may have taken it over
                coming.close()
                raise MediaError("E_TOO_LARGE", "The copies would be too large.", "Examine a shorter part.")
            with (folder / f"{kind.name}.mov").open("ab") as file:
                file.write(arrays["bytes"].data)
        else:
            made[kind.name] = int(header["made"])
    return made


# -- what became of the answers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """A question in the exhibit's part and in a copy of it: reasons, none where it was answered; and its numbers.

    ``numbers`` by name: the exhibit's value, low, high, and the copy's value (None: it has none), rounded as
    measurements are printed, and their unit.
    """

    question: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    numbers: Mapping[str, tuple[float, float, float, float | None, str]]

    @property
    def outside(self) -> list[str]:
        """Numbers that left the exhibit's own interval."""
        return [
            name for name, (_, low, high, now, _) in self.numbers.items() if now is not None and not low <= now <= high
        ]

    def as_json(self) -> dict[str, Any]:
        """As findings.json has it."""
        keys = ("value", "low", "high", "copy", "unit")
        numbers = [{"name": name, **dict(zip(keys, of, strict=True))} for name, of in self.numbers.items()]
        return {
            "question": self.question,
            "reasons_before": list(self.before),
            "reasons": list(self.after),
            "numbers": numbers,
            "outside": self.outside,
        }


@dataclass(frozen=True)
class Copy:
    """A copy: what became of each answer, and the sizes from which alterations planted in it are told.

    ``refused``: a code where it could not be made or examined. The first of a list is the part as it was.
    """

    name: str
    what: str
    pictures: int = 0
    refused: str = ""
    answers: tuple[Answer, ...] = ()
    sizes: tuple[Size, ...] = ()

    def as_json(self) -> dict[str, Any]:
        own = {key: getattr(self, key) for key in ("name", "what", "pictures", "refused")}
        return {**own, "answers": [a.as_json() for a in self.answers], "sizes": [s.as_json() for s in self.sizes]}


def asked(scene: Scene, settings: Any) -> list[Finding]:
    """The questions about the one face of a scene; ``settings`` are the pipeline's."""
    found = [
        *lipsync.assess(scene, settings.lipsync),
        *blink.assess(scene, settings.blink),
        *lighting.assess(scene, settings.lighting),
    ]
    return [finding for finding in found if finding.person is not None]


def compared(before: Sequence[Finding], after: Sequence[Finding]) -> Iterator[Answer]:
    """Each question of the part beside the same of a copy."""
    now = {finding.question: finding for finding in after}
    for was in before:
        then = now.get(was.question)
        values = {m.name: rounded(m.value, m.unit) for m in then.measurements} if then else {}
        numbers = {}
        for m in was.measurements:
            if m.low is not None and m.high is not None:
                value, low, high = (rounded(v, m.unit) for v in (m.value, m.low, m.high))
                numbers[m.name] = (value, low, high, values.get(m.name), m.unit)
        reasons = ("face_not_found",) if then is None else then.reasons
        yield Answer(was.question, _why_not(was), () if then and then.state == ASSESSED else reasons, numbers)


def _why_not(finding: Finding) -> tuple[str, ...]:
    return () if finding.state == ASSESSED else finding.reasons

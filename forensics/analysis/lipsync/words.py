"""Do the lips close at the p, b and m of words that the analyst told? Each where it is heard, brought to the pictures.

Both lips meet for these three. A closure lasts 60 to 100 ms; the recogniser's and the offset's errors are added to
the phoneme on both sides, and only if the gap of the lips comes near closing at no picture of all that time is the
closure called missed: an instant, with its pictures. One is told only where everything speaks for it: the face large
and frontal, no picture left out or repeated, p, b or m heard there without the words, too. The person's own gaps while
speaking say what is open: people whose lips never quite meet in the landmarks are not held to an absolute measure.
Reference: Agarwal et al. 2020 (phonemes and visemes that do not go together); figures in tests/real/TRANSCRIPTS.md.
Not to be trusted: where the words are not those spoken; in fast speech, in which b and m may stay incomplete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.analysis.lipsync.closure import close, measure_rank, measure_rate
from forensics.analysis.lipsync.questions import WORDS
from forensics.analysis.lipsync.settings import WORDS_METHOD, Settings
from forensics.analysis.lipsync.signal import mouth_opening, repeated_openings
from forensics.finding import About, Event, Finding, Measurement
from forensics.speech import BILABIALS, Phoneme
from forensics.timeline import FaceTrack, Interval, Series, inside, repeatability

if TYPE_CHECKING:
    from forensics.scene import Scene
    from forensics.transcript import Told

#: What the lips do at one p, b or m.
CLOSED, MISSED, BETWEEN, UNCONFIRMED, NOT_SEEN, STRUCK = (
    "closed",
    "missed",
    "neither",
    "open, not heard without the words",
    "not seen",
    "struck out",
)


@dataclass(frozen=True)
class Lips:
    """What the lips do at the phoneme of that ``number`` (from 1, among all that were aligned).

    ``interval``: the phoneme on the pictures' clock. Where the mouth is seen: the lowest ``gap`` over face height, its
    ``rank`` among the person's while speaking (0 to 1), and its picture: ``track`` and ``row``.
    """

    number: int
    phoneme: Phoneme
    interval: Interval
    state: str
    gap: float = float("nan")
    rank: float = float("nan")
    track: FaceTrack | None = None
    row: int = -1


@dataclass(frozen=True)
class Mouths:
    """A person's mouth picture by picture: tracks with their gaps, and what counts.

    ``within``: time that may be judged; ``repeated_s`` (m,): pictures that show the one before again; ``speaking``
    (n,): gaps while the person speaks, in order of size; ``error``: the gap's standard error, NaN where not known.
    """

    tracks: Sequence[FaceTrack]
    gaps: Sequence[np.ndarray]
    within: Sequence[Interval]
    repeated_s: np.ndarray
    speaking: np.ndarray
    error: float


def mouths(
    tracks: Sequence[FaceTrack],
    spoken: Sequence[Interval],
    within: Sequence[Interval],
    repeated_s: np.ndarray,
    offset_s: float,
) -> Mouths:
    """``spoken`` on the sound's clock, which comes ``offset_s`` after the lips."""
    gaps = [mouth_opening(track).values for track in tracks]
    lips_s = [Interval(i.start_s - offset_s, i.end_s - offset_s) for i in spoken]
    own = [gap[inside(t.t_s, lips_s) & inside(t.t_s, within)] for t, gap in zip(tracks, gaps, strict=True)]
    speaking = np.sort(np.concatenate(own)) if own else np.zeros(0)
    return Mouths(tracks, gaps, within, repeated_s, speaking, repeatability(repeated_openings(tracks)))


def judge(told: Told, seen: Mouths, offset_s: float, reach_s: float, settings: Settings) -> list[Lips]:
    """The lips at each p, b, m of the words. ``reach_s``: how far the offset may be off."""
    found = []
    for place, phoneme in enumerate(told.phonemes):
        if phoneme.name not in BILABIALS:
            continue
        at = Interval(phoneme.interval.start_s - offset_s, phoneme.interval.end_s - offset_s)
        if place in told.struck:
            found.append(Lips(place + 1, phoneme, at, STRUCK))
            continue
        reach = settings.aligned_error_s + reach_s
        lips = _lowest(Lips(place + 1, phoneme, at, NOT_SEEN), reach, seen, settings)
        found.append(replace(lips, state=_state(lips, place in told.confirmed, seen.error, settings)))
    return found


def _lowest(lips: Lips, reach_s: float, seen: Mouths, settings: Settings) -> Lips:
    """With the lowest gap in reach; as it is where not each of its pictures shows the mouth well enough."""
    start_s, end_s = lips.interval.start_s - reach_s, lips.interval.end_s + reach_s
    if not any(i.start_s <= start_s and end_s <= i.end_s for i in seen.within):
        return lips
    if ((seen.repeated_s >= start_s) & (seen.repeated_s <= end_s)).any():
        return lips
    for track, gap in zip(seen.tracks, seen.gaps, strict=True):
        first, behind = np.searchsorted(track.t_s, (start_s, end_s))
        rows = slice(max(0, first - 1), behind + 1)  # with the pictures on both sides, so that no step is left out
        t_s = track.t_s[rows]
        if not (len(t_s) > 2 and t_s[0] <= start_s and t_s[-1] >= end_s):
            continue
        steady = np.diff(t_s).max() <= settings.longest_step_s
        large = track.quality["face_height"].values[rows].min() >= settings.least_words_px
        frontal = np.abs(track.quality["yaw"].values[rows]).max() <= settings.widest_words_yaw
        if steady and large and frontal and np.isfinite(gap[rows]).all():
            row = rows.start + int(np.argmin(gap[rows]))
            rank = float(np.searchsorted(seen.speaking, gap[row])) / max(1, len(seen.speaking))
            return replace(lips, gap=float(gap[row]), rank=rank, track=track, row=row)
    return lips


def _state(lips: Lips, confirmed: bool, error: float, settings: Settings) -> str:
    if lips.track is None:
        return NOT_SEEN
    if lips.rank < settings.closed_rank or lips.gap < settings.open_gap / 2:  # who pauses much has many such gaps
        return CLOSED
    least = settings.open_gap + 2 * float(np.nan_to_num(error))
    lasting = lips.phoneme.interval.duration <= settings.longest_closure_s  # a longer one was not placed well
    if lips.rank < settings.open_rank or lips.gap < least or not lasting:
        return BETWEEN
    return MISSED if confirmed else UNCONFIRMED


def missed(found: Sequence[Lips]) -> list[Event]:
    """One event for each missed closure, with the picture in which the lips come closest."""
    return [
        Event(
            "missed_closure",
            lips.interval,
            f"The lips do not come near closing at the {lips.phoneme.name.lower()} of “{lips.phoneme.word}” (phoneme "
            f"{lips.number}): the gap is {100 * lips.gap:.1f} % of the face's height or more, larger than in "
            f"{100 * lips.rank:.0f} % of the pictures of this person speaking.",
            details={
                "track": lips.track.name,
                "frame": int(lips.track.frame[lips.row]),
                "pts": int(lips.track.pts[lips.row]),
                "number": lips.number,
                "phoneme": lips.phoneme.name,
                "word": lips.phoneme.word,
                "gap_percent": round(100 * lips.gap, 2),
                "rank_percent": round(100 * lips.rank, 1),
            },
        )
        for lips in found
        if lips.state == MISSED and lips.track is not None
    ]


# -- the answer --------------------------------------------------------------------------------------------------------


def answer(person: str, tracks: Sequence[FaceTrack], scene: Scene, offset: Finding, gap: Series) -> Finding:
    """The finding on one person, from the ``offset``'s; ``gap`` of the lips on the grid."""
    told, settings = scene.told, offset.settings
    assert told is not None
    about = About(scene.interval, settings, offset.covered, person, offset.subjects)
    if offset.reasons:
        return WORDS.refuse(about, *offset.reasons)
    if not told.phonemes:
        return WORDS.refuse(about, *told.reasons)
    measured, within = offset.measurements[0], offset.evidence["within"]
    assert measured.low is not None and measured.high is not None
    # The interval need not be symmetric: too narrow a reach would miss a closure.
    reach_s = max(measured.high - measured.value, measured.value - measured.low) / 1000
    offset_s = measured.value / 1000
    pictures = scene.observation.pictures
    repeated_s = np.asarray(pictures["t_s"])[np.flatnonzero(pictures["repeated"])]
    seen = mouths(tracks, scene.speech or [], within, repeated_s, offset_s)
    found = judge(told, seen, offset_s, reach_s, settings)
    if all(lips.track is None for lips in found):
        return WORDS.refuse(about, "too_few_bilabials")
    own = replace(gap, values=np.where(inside(gap.t_s, within), gap.values, np.nan))
    return WORDS.answer(
        about,
        measurements=tuple(rates(found, own, offset_s, settings)),
        events=tuple(missed(found)),
        evidence={"lips": found, "told": told, "offset_s": offset_s, "gaps": seen, "examined": scene.interval},
    )


def rates(found: Sequence[Lips], gap: Series, offset_s: float, settings: Settings) -> list[Measurement]:
    """Rate and rank of closed lips as at decoded phonemes, without what was struck out; and the rate with it."""
    kept = [lips.phoneme.interval for lips in found if lips.state != STRUCK]
    counts = Counter(lips.state for lips in found)
    told = "; ".join(f"{counts[state]} {state}" for state in (CLOSED, MISSED, BETWEEN, UNCONFIRMED, NOT_SEEN, STRUCK))
    made = []
    if closures := close(gap, kept, offset_s, settings):
        made += [
            _told(measure_rate(closures, settings), "told_closure_rate", f"judged one by one: {told}"),
            _told(measure_rank(closures), "told_closure_percentile"),
        ]
    everything = [lips.phoneme.interval for lips in found]
    if len(kept) < len(found) and (whole := close(gap, everything, offset_s, settings)):
        made.append(_told(measure_rate(whole, settings), "told_closure_rate_all", "with what the analyst struck out"))
    return made


def _told(measurement: Measurement, name: str, remark: str = "") -> Measurement:
    reference = measurement.reference.replace(
        "untouched clips are far from 100 % because the recogniser mishears; ", ""
    )
    return replace(
        measurement,
        name=name,
        method=WORDS_METHOD.name,
        reference=f"{reference}; {remark}" if remark else reference,
    )


def states(found: Sequence[Lips]) -> list[dict[str, Any]]:
    """A row for each p, b, m of the words, for tables."""
    return [
        {
            "number": lips.number,
            "word": lips.phoneme.word,
            "phoneme": lips.phoneme.name,
            "start_s": lips.interval.start_s,
            "end_s": lips.interval.end_s,
            "lips": lips.state,
            "gap_percent": 100 * lips.gap,
            "rank_percent": 100 * lips.rank,
        }
        for lips in found
    ]

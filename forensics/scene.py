"""What analyses look at: everything seen and heard of a clip, put on its time line. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from forensics import speech, tracks
from forensics.errors import MediaError
from forensics.observe import Observation
from forensics.survey import Survey
from forensics.timeline import FaceTrack, Interval, Series, intersection
from forensics.transcript import Told


@dataclass(frozen=True)
class Scene:
    """All that analyses may look at. ``interval`` is the examined time."""

    interval: Interval
    observation: Observation
    tracks: list[FaceTrack]
    brief: list[FaceTrack]  # appearances too short to analyse
    shots: list[Interval]
    freezes: list[Interval]
    speech: list[Interval] | None  # None: there is no sound
    level: Series | None
    set_aside: Sequence[FaceTrack] = ()  # the analyst says that these are nobody
    survey: Survey | None = None  # of the container; None: it could not be made
    heard: Mapping[str, Any] = field(default_factory=dict)  # by analysis: what it took from the sound alone
    told: Told | None = None  # the words that the analyst told, at the sound; None: none were told

    @property
    def persons(self) -> dict[str, list[FaceTrack]]:
        """Tracks by person, in order of appearance."""
        by_person: dict[str, list[FaceTrack]] = {}
        for track in self.tracks:
            by_person.setdefault(track.person, []).append(track)
        return by_person

    @property
    def nobody(self) -> str:
        """Reason code why there is no person to analyse."""
        if not len(self.observation.pictures.get("t_s", ())):
            return "picture_not_decodable" if "picture" in self.observation.losses else "no_picture"
        if self.brief:
            return "too_few_visible_seconds"
        if self.set_aside:
            return "set_aside"
        sizes = tracks.sighted_px(self.observation.sightings)
        if not len(sizes):
            return "face_not_found"
        return "face_too_small" if np.median(sizes) < tracks.SMALL_PX else "face_not_fitted"

    @property
    def soundless(self) -> str:
        """Reason code why there is no sound to analyse."""
        return "sound_not_decodable" if "sound" in self.observation.losses else "no_sound"


def build(
    observation: Observation, interval: Interval | None, following: tracks.Settings, listening: speech.Settings
) -> Scene:
    """Tracks, shots, speech and level from an observation, over the examined time.

    Raises MediaError ``E_NO_FRAMES`` where the clip has nothing inside ``interval``.
    """
    pictures, audio = observation.pictures, observation.audio
    seen = len(pictures.get("t_s", ())) > 0
    found = (
        tracks.face_tracks(pictures, observation.faces, observation.repeats, observation.closeups, following)
        if seen
        else []
    )
    probability = observation.speech or (None if audio is None else speech.speech_probability(audio))
    return Scene(
        interval=examined(observation, interval),
        observation=observation,
        tracks=[t for t in found if t.interval.duration >= following.shortest_track_s],
        brief=[t for t in found if t.interval.duration < following.shortest_track_s],
        shots=tracks.shots(pictures, following) if seen else [],
        freezes=tracks.freezes(pictures, following) if seen else [],
        speech=None if probability is None else spoken(probability, interval, listening),
        level=None if audio is None else speech.sound_level(audio),
    )


def spoken(probability: Series, interval: Interval | None, settings: speech.Settings) -> list[Interval]:
    """Intervals of speech, inside ``interval`` where one is given."""
    found = speech.speech_intervals(probability, settings)
    return found if interval is None else intersection(found, [interval])


def within(scene: Scene, interval: Interval) -> Scene:
    """What was seen and heard inside ``interval``, for the same analyses; tracks keep their names.

    Left out is what is of the whole file or has to be made anew: the survey, the words told, what was heard. Raises
    MediaError ``E_NO_FRAMES`` where nothing lies there.
    """
    seen = scene.observation
    inside = examined(seen, interval)
    pictures, sightings = seen.pictures, seen.sightings
    if pictures:
        first, behind = np.searchsorted(pictures["t_s"], (interval.start_s, interval.end_s))
        own = (sightings["sighting_row"] >= first) & (sightings["sighting_row"] < behind)
        sightings = {name: values[own] for name, values in sightings.items()}
        sightings["sighting_row"] = sightings["sighting_row"] - first
        pictures = {name: values[first:behind] for name, values in pictures.items()}
    parts = {
        name: [part for track in getattr(scene, name) if (part := tracks.part(track, interval)) is not None]
        for name in ("tracks", "brief", "set_aside")
    }
    return replace(
        scene,
        interval=inside,
        observation=replace(
            seen, pictures=pictures, sightings=sightings, audio=seen.audio and seen.audio.between(interval)
        ),
        tracks=parts["tracks"],
        brief=parts["brief"],
        set_aside=parts["set_aside"],
        shots=_clipped(scene.shots, interval),
        freezes=_clipped(scene.freezes, interval),
        speech=None if scene.speech is None else _clipped(scene.speech, interval),
        level=None if scene.level is None else scene.level.between(interval),
        survey=None,
        heard={},
        told=None,
    )


def _clipped(parts: Sequence[Interval], interval: Interval) -> list[Interval]:
    """Each part inside the interval; those that touch stay apart."""
    return [common for part in parts if (common := part & interval) is not None]


def examined(observation: Observation, interval: Interval | None) -> Interval:
    """The time that pictures and sound fill, inside ``interval`` where one is given."""
    t_s, extent = observation.pictures.get("t_s", ()), []
    if observation.audio is not None:
        extent.append(observation.audio.interval)
    if len(t_s):
        extent.append(Interval(float(t_s[0]), tracks.picture_end_s(t_s)))
    whole = Interval(min(i.start_s for i in extent), max(i.end_s for i in extent))
    common = whole if interval is None else whole & interval
    if common is None:
        raise MediaError(
            "E_NO_FRAMES",
            f"The clip has nothing between the times given: it lies from {whole.start_s:.2f} to {whole.end_s:.2f} s.",
            "Call again with --from and --to inside it.",
        )
    return common

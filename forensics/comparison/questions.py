"""What is compared, for which statement of the analyst, and what forbids it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forensics.errors import ParameterError
from forensics.finding import Question
from forensics.method import Method, setting

ANALYSIS = "comparison"
METHOD = Method(
    "comparison with references beside their own spread",
    "1",
    "Zou & Donner 2008 (MOVER); Hahn & Meeker 1991, ch. 4 (prediction interval)",
)
PERSON, CAMERA, SESSION = "person", "camera", "session"
#: What the analyst may state that recordings have in common.
RELATIONS = (PERSON, CAMERA, SESSION)
#: Conditions that move quantities by themselves, as the report words them.
CONDITIONS = {
    "picture_rate": "picture rates differ",
    "face_height": "face sizes differ",
    "pose": "the head is turned otherwise",
    "picture_coding": "pictures are coded otherwise",
    "sound_coding": "the sound is coded or sampled otherwise",
}

_LIMITS = (
    "That the references have in common what is stated is the analyst's word; nothing here tests it.",
    "Task, mood, language, health, room and distance to the microphone are not measured; each moves these quantities.",
    "Intervals hold the scatter within a recording; recordings of one person differ by more than that.",
    "Parts of one recording given as several references show less spread than recordings made apart.",
    "With few references only large differences can lie beyond their spread: that none does says little.",
    "One reference tells nothing of how a person differs from one occasion to the next: of one untouched speaker on "
    "several occasions some four in ten of the voice's numbers lay apart (tests/real/COMPARE.md). Give several.",
    "How often untouched recordings of one person come out beyond their references was measured on very few persons "
    "(tests/real/COMPARE.md).",
)
_ALTERNATIVES = (
    "Another day, mood, task, language, microphone, room, camera or encoding than in the references; "
    "references that happen to be alike.",
)


@dataclass(frozen=True)
class Compared:
    """A question that compares ``names`` of the answer to ``source``, where ``relations`` let one expect them alike.

    ``forbidden_by``: for each condition the names it takes out. ``by_stretch``: the intervals come from resampling the
    ``n`` stretches of speech that each number was measured on, which are few: halves of untouched recordings lay apart
    in 13 of 100 comparisons until they were widened for that (COMPARE.md).
    """

    question: Question
    source: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]  # by relation
    forbidden_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_stretch: bool = False


def _question(slug: str, what: str, alternatives: tuple[str, ...] = ()) -> Question:
    return Question(
        f"{ANALYSIS}.{slug}",
        f"The recording was altered in a way that moved {what} away from the references'.",
        f"In {what} the recording differs from the references as recordings with that in common do anyhow.",
        METHOD,
        _LIMITS,
        _ALTERNATIVES + alternatives,
    )


_KINEMATICS = (
    *("lip_opening", "opening_range", "opening_speed", "gesture_rate", "spread_range", "spread_speed"),
    *("spread_frequency", "opening_with_spread", "corner_agreement"),
)
_VOICE = (
    *("f0_median", "jitter_local", "shimmer_local", "hnr", "formant_1", "formant_2", "formant_3"),
    "articulation_rate",
)
_BLINKS = ("blink_rate", "blink_duration")
_LIGHT = ("light_azimuth", "light_elevation", "light_directionality")

#: In the order of the report. Sources of what takes a quantity out: speeds fall with the picture rate (KINEMATICS.md);
#: the corners' agreement and the spread's frequency left their interval in smaller and otherwise coded copies, blink
#: durations moved by more than a picture (COPIES.md); shimmer, jitter and harmonicity move with codecs (COPIES.md).
#: The direction of light is told in the camera's frame: only a session's camera stays where it was.
COMPARED = (
    Compared(
        _question("sync", "how the sound goes with the lips", ("Players, editors and networks shift the sound.",)),
        ("lipsync.link", "lipsync.offset"),
        {PERSON: ("sync_percentile",), CAMERA: ("av_offset",), SESSION: ("sync_percentile", "av_offset")},
    ),
    Compared(
        _question("kinematics", "the mouth's movement"),
        ("lipsync.kinematics",),
        dict.fromkeys((PERSON, SESSION), _KINEMATICS),
        {
            "picture_rate": ("opening_speed", "gesture_rate", "spread_speed", "spread_frequency"),
            "face_height": ("spread_frequency", "corner_agreement"),
            "picture_coding": ("spread_frequency", "corner_agreement"),
            "pose": _KINEMATICS,
        },
    ),
    Compared(
        _question("blinking", "the blinks", ("Lip-synced clips keep their source's eyes.",)),
        ("blink.rate",),
        dict.fromkeys((PERSON, SESSION), _BLINKS),
        {"picture_rate": ("blink_duration",), "face_height": ("blink_duration",)},
    ),
    Compared(
        _question("light", "the light on the face", ("A lamp switched, a cloud, a step aside.",)),
        ("lighting.direction",),
        {SESSION: _LIGHT},
        {"pose": _LIGHT},
    ),
    Compared(
        _question("voice", "the voice's measures", ("A cold, a whisper, shouting, another microphone.",)),
        ("voice.measures",),
        dict.fromkeys((PERSON, SESSION), _VOICE),
        {"sound_coding": ("jitter_local", "shimmer_local", "hnr")},
        by_stretch=True,
    ),
)
#: Quantities that go round in 360 degrees.
CIRCULAR = ("light_azimuth",)


@dataclass(frozen=True)
class Settings:
    relation: str = setting(PERSON, "", "the analyst's statement: person, camera or session in common")
    level: float = setting(0.95, "1", "of intervals, and of all comparisons together; the field's convention")
    widest_rates: float = setting(
        1.25, "1", "ratio of picture rates: 24 to 30 a second; from 50 to 25 speeds fall (KINEMATICS.md)"
    )
    widest_heights: float = setting(1.5, "1", "ratio of face heights: at 2 quantities left their interval (COPIES.md)")
    widest_turn_deg: float = setting(
        15.0, "deg", "of the median yaw: half the widest at which mouths are measured; pose is taken out to a rest"
    )

    def __post_init__(self) -> None:
        if self.relation not in RELATIONS:
            raise ParameterError(f"what references have in common is one of {', '.join(RELATIONS)}", self.relation)


def conditions(questioned: Mapping[str, Any], reference: Mapping[str, Any], settings: Settings) -> set[str]:
    """Which conditions differ between two, each as ``facts`` tells them; what is not known of one forbids nothing."""
    found = set()
    for name, widest in (("picture_rate", settings.widest_rates), ("face_height", settings.widest_heights)):
        a, b = questioned.get(name), reference.get(name)
        if a and b and max(a, b) > widest * min(a, b):
            found.add(name)
    a, b = questioned.get("pose"), reference.get("pose")
    if a is not None and b is not None and abs(a - b) > settings.widest_turn_deg:
        found.add("pose")
    return found | {
        name
        for name in ("picture_coding", "sound_coding")
        if questioned.get(name) and reference.get(name) and questioned[name] != reference[name]
    }


def facts(clip: Mapping[str, Any], person: str | None) -> dict[str, Any]:
    """The conditions of one recording and person, from ``findings.json``'s clip."""
    own = [t for t in clip["tracks"] if t["person"] == person]
    longest = max(own, key=lambda t: t["end_s"] - t["start_s"], default=None)
    streams = {s["index"]: s for s in clip["streams"]}
    picture, sound = streams.get(clip["picture_stream"]), streams.get(clip["sound_stream"])
    return {
        "picture_rate": clip["mean_fps"],
        "face_height": longest and longest["median_face_height_px"],
        "pose": longest and longest["median_yaw_deg"],
        "picture_coding": picture and picture["codec"],
        "sound_coding": sound and (sound["codec"], clip["sound_rate_hz"]),
    }

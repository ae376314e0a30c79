"""The analyst's names for face tracks: which track is whom, which is nobody. A logged act; no face is compared here.

Names are kept in the case for the very observation they were given for: ``A1`` of another part of the recording, or
of another version, may be another face.

    case.json  observation  key, tracks: what ``forensics name`` can name
               names        by that key: the tracks, and what was given: name, actor, utc, entry of the log
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.errors import CaseError
from forensics.finding import rounded
from forensics.text import HIDDEN, hidden
from forensics.timeline import FaceTrack, Interval

if TYPE_CHECKING:
    from forensics.case import CaseFolder
    from forensics.scene import Scene

#: The reserved name: a face on a screen, on a poster, a false detection. Its tracks are set aside.
NOBODY = "nobody"
#: Characters of a name: one line of a table holds them.
LONGEST = 60
#: Longest time in s that two tracks of one person are in view together: a cross-fade shows a face twice, for less.
TOGETHER_S = 1.0
#: Names of tracks and letters listed in a refusal; ``forensics name CASE`` lists all.
MOST_LISTED = 40

Track = Mapping[str, Any]
Names = Mapping[str, str]


def letter(track: str) -> str:
    """``A`` of ``A1``."""
    return track.rstrip("0123456789")


def name_of(track: str, names: Names) -> str | None:
    """The name given to the track itself, else to its letter, else None."""
    return names.get(track) or names.get(letter(track))


def described(track: FaceTrack, brief: bool) -> dict[str, Any]:
    """What tells one track from another: name, seconds, face height."""
    return {
        "name": track.name,
        "start_s": rounded(track.interval.start_s, "s"),
        "end_s": rounded(track.interval.end_s, "s"),
        "face_height_px": rounded(float(np.nanmedian(track.quality["face_height"].values)), "px"),
        "brief": brief,
    }


def named(tracks: Iterable[FaceTrack], names: Names) -> list[FaceTrack]:
    return [replace(track, named=name_of(track.name, names)) for track in tracks]


def applied(scene: Scene, names: Names) -> Scene:
    """The scene with these names; tracks of nobody set aside."""
    long, brief = named(scene.tracks, names), named(scene.brief, names)
    return replace(
        scene,
        tracks=[t for t in long if t.named != NOBODY],
        brief=[t for t in brief if t.named != NOBODY],
        set_aside=[t for t in long + brief if t.named == NOBODY],
    )


# -- rules -----------------------------------------------------------------------------------------------------------


def valid(name: str) -> str:
    """The name as it is kept: composed (NFC), single spaces, characters that show themselves.

    Two names that look alike on paper would be two persons.
    """
    kept = " ".join(filter(None, unicodedata.normalize("NFC", name).split(" ")))
    if not kept or len(kept) > LONGEST:
        raise CaseError("E_NAME", f"A name has 1 to {LONGEST} characters, this one {len(kept)}.", "Give another name.")
    strange = hidden(kept.replace(" ", ""), HIDDEN | {"Zs"})  # of spaces the plain one alone
    if strange or not any(c.isalnum() for c in kept):
        found = f"found U+{ord(strange):04X}" if strange else "found none"
        raise CaseError("E_NAME", f"A name is written in letters, figures and signs, {found}.", "Give another name.")
    return NOBODY if kept.casefold() == NOBODY else kept


def changes(assignments: Iterable[str], tracks: Sequence[Track]) -> dict[str, str]:
    """``A1=Anna`` as {"A1": "Anna"}, for tracks and letters that there are; an empty text takes the name back."""
    known = _keys(tracks)
    wanted: dict[str, str] = {}
    for assignment in assignments:
        key, equals, name = assignment.partition("=")
        if not equals:
            raise CaseError("E_NAME", f"{_short(assignment)} names nothing.", "Write TRACK=NAME, such as A1=Anna.")
        if key not in known:
            more = f" and {len(known) - MOST_LISTED} more" if len(known) > MOST_LISTED else ""
            raise CaseError(
                "E_UNKNOWN_TRACK",
                f"There is no track or letter {_short(key)}.",
                f"There are: {', '.join(known[:MOST_LISTED])}{more}." if known else "No face was found.",
            )
        if key in wanted:
            raise CaseError("E_NAME", f"{key} is named twice.", "Give each track or letter one name.")
        wanted[key] = name and valid(name)
    return wanted


def _keys(tracks: Sequence[Track]) -> list[str]:
    """All that can be named: each letter, with its tracks behind it."""
    by_letter: dict[str, list[str]] = {}
    for track in tracks:
        by_letter.setdefault(letter(track["name"]), []).append(track["name"])
    return [key for a, own in by_letter.items() for key in (a, *own)]


def _short(text: str) -> str:
    return repr(text if len(text) <= LONGEST else text[:LONGEST] + "…")


def merged(names: Names, wanted: Names) -> dict[str, str]:
    """The names after the change."""
    for key, name in wanted.items():
        if not name and key not in names:
            by = f"; its letter {letter(key)} is named" if name_of(key, names) else ""
            raise CaseError("E_NAME", f"{key} has no name of its own to take back{by}.", "Take back one given.")
    return {key: name for key, name in {**names, **wanted}.items() if name}


def check(names: Names, tracks: Sequence[Track]) -> None:
    """Refuse names that would make one person of faces that the analyst did not merge, or cannot be one."""
    people: dict[str, list[Track]] = {}
    for track in tracks:
        if (name := name_of(track["name"], names)) not in (None, NOBODY):
            people.setdefault(str(name), []).append(track)
    for name, own in people.items():
        _check_letters(name, own, names, tracks)
        _check_together(name, [track for track in own if not track["brief"]])


def _check_letters(name: str, own: Sequence[Track], names: Names, tracks: Sequence[Track]) -> None:
    """A name that is also a track's or a letter's here stands for that one, or for nobody else."""
    taken = [t["name"] for t in tracks if name.upper() in (t["name"], letter(t["name"]))]
    foreign = [t["name"] for t in own if letter(t["name"]) != name]
    if foreign and any(name_of(track, names) != name for track in taken):
        raise CaseError(
            "E_NAME",
            f"{_short(name)} is the name of another track or letter here ({', '.join(taken[:MOST_LISTED])}).",
            "Give another name; to merge them, give both the same name.",
        )


def _check_together(name: str, own: Sequence[Track]) -> None:
    for a, b in combinations(own, 2):
        common = Interval(a["start_s"], a["end_s"]) & Interval(b["start_s"], b["end_s"])
        if common and common.duration > TOGETHER_S:
            raise CaseError(
                "E_NAMES_TOGETHER",
                f"{a['name']} and {b['name']} are in view together from {common.start_s:.2f} to {common.end_s:.2f} s: "
                "pooled as one person they would be counted twice.",
                f"Give them different names, or set one aside (a mirror, a screen) with {b['name']}={NOBODY}.",
            )


# -- in the case -----------------------------------------------------------------------------------------------------


def given(state: Mapping[str, Any], key: str | None = None) -> dict[str, dict[str, Any]]:
    """What was given for the observation of that key (the last one where None): by track or letter."""
    key = key or state.get("observation", {}).get("key")
    return dict(state.get("names", {}).get(key, {}).get("given", {}))


def names_in(state: Mapping[str, Any]) -> dict[str, str]:
    """The names that hold for the last observation."""
    return {key: valid(about["name"]) for key, about in given(state).items()}


def unapplied(state: Mapping[str, Any]) -> list[str]:
    """Names given for other observations, as ``A1=Anna``, where the last one has none."""
    if given(state):
        return []
    others = [given(state, key) for key in sorted(state.get("names", {}))]
    return list(dict.fromkeys(f"{key}={about['name']}" for other in others for key, about in sorted(other.items())))


def give(case: CaseFolder, assignments: Sequence[str]) -> None:
    """Name tracks of the case's last observation, and log it. Raises CaseError; then nothing is changed."""
    observation = observed(case.state())
    before, tracks = names_in(case.state()), observation["tracks"]
    after = merged(before, changes(assignments, tracks))
    check(after, tracks)
    state = case.state()
    kept, names = given(state), state.get("names", {})

    def change(entry: Mapping[str, Any]) -> dict[str, Any]:
        about = {"actor": entry["actor"], "utc": entry["utc"], "entry": entry["n"]}
        now = {key: kept[key] if before.get(key) == name else {"name": name, **about} for key, name in after.items()}
        return {"names": names | {observation["key"]: {"tracks": tracks, "given": now}}}

    case.log("named", change, observation=observation["key"], before=before, after=after)


def observed(state: Mapping[str, Any]) -> dict[str, Any]:
    """Key and tracks of the case's last observation."""
    if "observation" not in state:
        raise CaseError(
            "E_NO_OBSERVATION",
            "No recording was examined in this case yet, so there is no track to name.",
            "Run forensics report CLIP --out CASE first.",
        )
    return dict(state["observation"])

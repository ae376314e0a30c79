"""``findings.json``: an examination as plain values. No clock, id, host, path: those are the case's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from forensics import controls, landmarks, observe, search, speech, striking, survey, tracks, transcript
from forensics.examination import Examination
from forensics.finding import rounded
from forensics.method import Method, describe
from forensics.scene import Scene
from forensics.text import Text, for_json
from forensics.timeline import FOREVER_S, FaceTrack, Interval
from forensics.transcript import Told
from forensics.weights import table

SCHEMA = "forensics-findings-1"
#: Settings that change no number, so that results of machines with more cores stay equal byte by byte.
WITHOUT_EFFECT = {"workers"}
#: Longest fact of the container kept, in characters: the settings that x264 writes into its stream have about 900.
LONGEST_FACT = 1500
#: A step between pictures is uneven where it differs from the usual one by more than this share of it:
#: millisecond clocks round 33.4 ms to 33 or 34, a lost picture doubles the step.
UNEVEN = 0.2


def findings_json(examination: Examination) -> dict[str, Any]:
    """All that is known of the evidence and what was found: what ``json.loads`` of the file gives back."""
    return json.loads(
        dumps(
            {
                "schema": SCHEMA,
                "clip": clip_json(examination),
                "software": software(examination.versions),
                "methods": methods(examination.settings),
                "findings": [finding.as_json() for finding in examination.findings],
                **told(examination.scene.told),
                **calibrated(examination.settings.calibration.text),
                **planted(examination),
                **compared(examination),
            }
        )
    )


def dumps(values: Mapping[str, Any]) -> str:
    """JSON in its one spelling. Raises ValueError for NaN or infinity."""
    return json.dumps(values, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False, default=_plain) + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of ``findings.json``."""
    return table("findings.schema")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in findings.json")


def software(versions: Mapping[str, str]) -> dict[str, Any]:
    return {"packages": versions, "model": landmarks.MODEL_NAME, "model_sha256": landmarks.MODEL_SHA256}


def told(words: Told | None) -> dict[str, Any]:
    """What the examiner told: the transcript, where it was placed, its /p b m/ and which are struck out; or nothing."""
    if words is None:
        return {}
    struck = {number + 1 for number in words.struck}
    passages = [
        {
            "start_s": rounded(p.interval.start_s, "s"),
            "end_s": rounded(p.interval.end_s, "s"),
            "words": len(p.words),
            "reason": p.reason,
            "score": None if p.score is None else rounded(p.score, "1"),
            "agreement": None if p.agreement is None else rounded(p.agreement, "1"),
        }
        for p in words.passages
    ]
    return {
        "told": {
            "transcript": words.text,
            "sha256": transcript.digest(words.text),
            "passages": passages,
            "bilabials": [row | {"struck": row["number"] in struck} for row in striking.described(words)],
        }
    }


def calibrated(text: str) -> dict[str, Any]:
    """Which calibration the analyst named, and its stamp; nothing where none was."""
    from forensics.calibration import applying

    return {"calibration": applying.about(text)} if text else {}


def planted(examination: Examination) -> dict[str, Any]:
    """What was planted in this recording and its copies; nothing where it was not asked for."""
    if (found := examination.controls) is None:
        return {}
    return {
        "controls": {
            "planted": [control.as_json() for control in found.controls],
            "sizes": [size.as_json() for size in controls.sizes(found.controls)],
            "left": [{"appearance": name, "reason": reason} for name, reason in found.left],
            "part": found.part and _pair(found.part),
            "refused": list(found.refused),
            "copies": [copy.as_json() for copy in found.copies],
        }
    }


def compared(examination: Examination) -> dict[str, Any]:
    """What the recording was compared with, and what the analyst states they have in common; nothing where nothing."""
    if not examination.references:
        return {}
    given = [one.as_json() for one in examination.references]
    return {"references": {"relation": examination.settings.comparison.relation, "recordings": given}}


def methods(settings: Any) -> dict[str, Any]:
    """Method and settings of the steps that all questions share; each finding has its own beside it."""
    return {
        "observe": _method(observe.METHOD, settings.observe),
        "search": _method(search.METHOD, settings.search),
        "landmarks": _method(landmarks.METHOD),
        "tracks": _method(tracks.METHOD, settings.tracks),
        "speech": _method(speech.METHOD, settings.speech),
        "survey": _method(survey.METHOD),
        **({"transcript": _method(transcript.METHOD, settings.transcript)} if settings.transcript.text else {}),
        **({"controls": _method(controls.METHOD, settings.controls)} if settings.controls.planted else {}),
    }


def _method(method: Method, settings: Any = None) -> dict[str, Any]:
    rows = [] if settings is None else describe(settings)
    return {"method": vars(method), "settings": [row for row in rows if row["name"] not in WITHOUT_EFFECT]}


def clip_json(examination: Examination) -> dict[str, Any]:
    """Identity, what the container declares, what was decoded, who is in view when."""
    clip, scene = examination.clip, examination.scene
    return {
        "sha256": clip.sha256,
        "sha512": clip.sha512,
        "size_bytes": clip.size_bytes,
        **_container(clip.declared),
        "streams": [
            _stream(s) | {"examined": s["index"] in (clip.picture, clip.sound)} for s in clip.declared["streams"]
        ],
        "picture_stream": clip.picture,
        "sound_stream": clip.sound,
        "duration_s": _duration(scene),
        "examined": _pair(scene.interval),
        "excerpt": examination.excerpt and _asked(examination.excerpt),
        **_pictures(scene),
        **_frames(examination),
        **_sound(scene),
        "losses": scene.observation.losses,
        "shots": [_pair(i) for i in scene.shots],
        "freezes": [_pair(i) for i in scene.freezes],
        "speech": None if scene.speech is None else [_pair(i) for i in scene.speech],
        "tracks": [_track(t) for t in scene.tracks],
        "brief": [_track(t) for t in scene.brief],
        "sightings": _sightings(scene),
        "set_aside": [_track(t) for t in scene.set_aside],
        **_surveyed(scene),
    }


def _container(declared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "container": for_json(declared["container"]),
        "declared_duration_s": _rounded(declared["declared_duration_s"]),
        "declared_start_s": _rounded(declared["declared_start_s"]),
        "declared_bit_rate": declared["declared_bit_rate"],
        "tags": _tags(declared["tags"]),
    }


def _stream(declared: Mapping[str, Any]) -> dict[str, Any]:
    """What a stream declares, with texts made visible and times rounded."""
    values = {
        for_json(k): for_json(v) if isinstance(v, Text) else _rounded(v) if isinstance(v, float) else v
        for k, v in declared.items()
    }
    return values | {"tags": _tags(declared["tags"])}


def _tags(tags: Mapping[Text, Text]) -> dict[str, str]:
    """Tags come from outside: what would steer a terminal or turn a line around is spelled out."""
    return {for_json(name): for_json(text) for name, text in tags.items()}


def _extents(scene: Scene) -> list[Interval]:
    """The time the decoded pictures fill, and the time the decoded sound fills."""
    pictures = [scene.shots[0] | scene.shots[-1]] if scene.shots else []
    return pictures + ([scene.observation.audio.interval] if scene.observation.audio else [])


def _duration(scene: Scene) -> float:
    extents = _extents(scene)
    return rounded(max(i.end_s for i in extents) - min(i.start_s for i in extents), "s") if extents else 0.0


def _pictures(scene: Scene) -> dict[str, Any]:
    """Size, times and steps of the decoded pictures; null where there are none."""
    t_s = np.asarray(scene.observation.pictures.get("t_s", []))
    width, height = scene.observation.size or (None, None)
    steps_ms = np.diff(t_s) * 1000
    usual = float(np.median(steps_ms)) if len(steps_ms) else None
    return {
        "width": width,
        "height": height,
        "first_picture_s": _rounded(t_s[0]) if len(t_s) else None,
        "picture_duration_s": rounded((scene.shots[0] | scene.shots[-1]).duration, "s") if scene.shots else None,
        "mean_fps": round(1000 / float(steps_ms.mean()), 3) if usual else None,
        "picture_step_ms": None
        if usual is None
        else {
            "shortest": rounded(steps_ms.min(), "ms"),
            "median": rounded(usual, "ms"),
            "longest": rounded(steps_ms.max(), "ms"),
        },
        "uneven_steps": None if usual is None else int((abs(steps_ms - usual) > UNEVEN * usual).sum()),
        "repeated_pictures": int(np.sum(scene.observation.pictures["repeated"])) if len(t_s) else None,
    }


def _frames(examination: Examination) -> dict[str, int | None]:
    """Pictures declared, decoded, hidden by an edit list, lost; an excerpt, or no count, tells of no loss."""
    stream = examination.clip.stream(examination.clip.picture)
    decoded = len(examination.scene.observation.pictures.get("t_s", []))
    declared = (stream or {}).get("declared_frames") or None  # containers without a count say 0
    seen = examination.scene.survey
    hidden = None if seen is None else int(seen.of(examination.clip.picture)["hidden"].sum())
    lost = None if declared is None or examination.excerpt else max(0, declared - decoded - (hidden or 0))
    return {"frames_declared": declared, "frames_decoded": decoded, "frames_hidden": hidden, "frames_lost": lost}


def _sound(scene: Scene) -> dict[str, Any]:
    audio = scene.observation.audio
    if audio is None:
        return dict.fromkeys(("sound_rate_hz", "sound_channels", "sound_start_s", "sound_duration_s", "sound_gaps"))
    return {
        "sound_rate_hz": audio.rate_hz,
        "sound_channels": audio.samples.shape[1],
        "sound_start_s": _rounded(audio.start_s),
        "sound_duration_s": _rounded(audio.interval.duration),
        "sound_gaps": [_pair(gap) for gap in audio.gaps],
    }


def _track(track: FaceTrack) -> dict[str, Any]:
    heights, error = track.quality["face_height"].values, track.landmark_error_px
    yaw = track.quality.get("yaw")
    return {
        "name": track.name,
        "letter": track.letter,
        "person": track.person,
        "start_s": _rounded(track.interval.start_s),
        "end_s": _rounded(track.interval.end_s),
        "pictures": len(track.t_s),
        "median_face_height_px": rounded(float(np.nanmedian(heights)), "px"),
        "median_yaw_deg": None if yaw is None else rounded(float(np.nanmedian(np.abs(yaw.values))), "deg"),
        "landmark_error_px": None if np.isnan(error) else rounded(error, "px"),
    }


def _sightings(scene: Scene) -> dict[str, Any] | None:
    """Faces seen whose landmarks could not be found; null where there are none."""
    sides = tracks.sighted_px(scene.observation.sightings)
    if not len(sides):
        return None
    t_s = scene.observation.pictures["t_s"][scene.observation.sightings["sighting_row"]]
    return {
        "n": len(sides),
        "first_s": _rounded(t_s[0]),
        "last_s": _rounded(t_s[-1]),
        "smallest_px": rounded(sides.min(), "px"),
        "largest_px": rounded(sides.max(), "px"),
    }


def _surveyed(scene: Scene) -> dict[str, Any]:
    """What the file states of itself, as rows, and the state of its content credentials; null where not surveyed."""
    if scene.survey is None:
        return {"stated": None, "content_credentials": None}
    rows = [[for_json(text, LONGEST_FACT) for text in row] for row in survey.stated(scene.survey)]
    return {
        "stated": [dict(zip(("about", "what", "said"), row, strict=True)) for row in rows],
        "content_credentials": scene.survey.facts["credentials"]["state"],
    }


def _asked(excerpt: Interval) -> list[float | None]:
    """The bounds as they were given, null for an open end."""
    return [None if abs(bound) >= FOREVER_S else bound for bound in (excerpt.start_s, excerpt.end_s)]


def _pair(interval: Interval) -> list[float]:
    return [rounded(interval.start_s, "s"), rounded(interval.end_s, "s")]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else rounded(seconds, "s")


def persons(record: Mapping[str, Any]) -> list[str | None]:
    """Persons in order of appearance; None, the recording as a whole, stands last."""
    seen: Iterable[str | None] = [t["person"] for t in record["clip"]["tracks"]]
    asked = [f["person"] for f in record["findings"]]
    ordered = dict.fromkeys([*seen, *asked])
    return [p for p in ordered if p is not None] + ([None] if None in ordered else [])


def assigned(record: Mapping[str, Any]) -> list[str]:
    """Names and settings aside that the analyst gave, as ``forensics name`` takes them: ``A1=Anna``."""
    tracks = [t for place in ("tracks", "brief", "set_aside") for t in record["clip"][place]]
    return [f"{t['name']}={t['person']}" for t in tracks if t["person"] != t["letter"]]


def by_person(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The findings in the report's order."""
    return [f for person in persons(record) for f in record["findings"] if f["person"] == person]

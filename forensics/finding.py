"""The only result types: a Measurement is a number with its interval, an Event an instant, a Finding an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from forensics.errors import ParameterError
from forensics.method import Method, describe
from forensics.timeline import Interval, share, union

ASSESSED, NOT_ASSESSABLE = "assessed", "not_assessable"

#: Digits behind the point at which a value of a unit is printed: finer than any interval we report for it.
DIGITS = {
    "ms": 1,
    "ms/min": 1,
    "s": 3,
    "1/min": 2,
    "%": 2,
    "%/s": 1,
    "1/s": 2,
    "deg": 1,
    "Hz": 1,
    "mHz": 0,
    "dB": 1,
    "px": 2,
    "1": 3,
}

#: Reason codes: what an examiner reads, and what would help.
REASONS = {
    "no_picture": ("The file holds no picture.", "Ask for the recording with its video."),
    "face_not_found": ("No face was found.", "A clip in which the face is larger, upright and lit."),
    "set_aside": (
        "Every face that was found was set aside by the analyst.",
        "A recording in which a person is seen, or taking a name back with forensics name.",
    ),
    "face_not_fitted": (
        "A face is seen, but its landmarks cannot be found.",
        "A part in which the face is larger, turned to the camera and uncovered.",
    ),
    "landmarks_uncertain": (
        "The landmarks scatter too much in this recording for what is asked.",
        "The original at full resolution, or a part in which the face is larger and turned to the camera.",
    ),
    "face_too_small": ("The face is too small in the picture.", "The original at full resolution, or a closer view."),
    "eyes_too_small": ("The eyes are too small in the picture.", "The original at full resolution, or a closer view."),
    "frame_rate_too_low": ("There are too few pictures a second.", "The original at its full frame rate."),
    "too_few_visible_seconds": ("The face is visible for too short a time.", "A longer part of the recording."),
    "head_turned": ("The head is turned too far from the camera.", "A part in which the person faces the camera."),
    "no_sound": ("The file holds no sound.", "Ask for the recording with its sound."),
    "sound_is_silent": ("The sound track is silent.", "Ask for the recording with its sound."),
    "sound_too_short": ("The sound is too short.", "A longer part of the recording."),
    "no_speech": ("No speech was found in the sound.", "A part of the recording in which the person speaks."),
    "too_little_speech": ("There is too little speech.", "A longer part in which the person speaks."),
    "mouth_still": ("The mouth hardly moves.", "A part in which the person speaks in view."),
    "several_faces": (
        "Several faces are in view, and which one speaks is not known.",
        "A part with one face, or a longer one in which the mouths are seen clearly.",
    ),
    "not_the_speaker": (
        "While this person is in view another face moves with the sound.",
        "A part in which this person speaks.",
    ),
    "sync_not_established": (
        "The mouth's movement does not follow this sound more than shifted sound, so no offset can be read.",
        "A longer part with clear speech and a frontal face.",
    ),
    "too_few_bilabials": (
        "Too few of the sounds p, b and m were recognised while the mouth was in view.",
        "A longer part with clear speech.",
    ),
    "transcript_does_not_fit": (
        "The words told do not fit the sound.",
        "The words exactly as they are spoken, with time ranges; a part with clear speech of one person.",
    ),
    "transcript_too_long": (
        "A passage of the words told is too long to be placed in one piece.",
        "Time ranges of sentences in the transcript, such as [12.4-17.9].",
    ),
    "offset_outside_search": (
        "The best lag lies at the edge of the lags searched: the offset may lie beyond.",
        "A comparison by hand, or a wider search.",
    ),
    "eyes_still": (
        "The eyes do not move at all: a picture, a mask, dark glasses or a frozen image.",
        "A look at the eyes picture by picture.",
    ),
    "irises_hidden": (
        "The irises are hidden: the eyes are shut, narrowed or covered.",
        "A part in which the eyes are open and uncovered.",
    ),
    "picture_not_decodable": ("No picture of the video stream could be decoded.", "The complete original file."),
    "sound_not_decodable": ("No sound of the audio stream could be decoded.", "The complete original file."),
    "offset_not_unique": ("Several offsets fit about as well.", "A longer part with clear speech."),
    "light_too_flat": ("The light on the face is too even to have a direction.", "A part with directed light."),
    "light_fits_both": (
        "Light that stays with the place and light that turns with the head both fit.",
        "A part in which the head turns further under directed light.",
    ),
    "head_turned_too_little": (
        "The head turned too little to tell light that stays from light that turns with it.",
        "A part under steady light in which the head turns from side to side.",
    ),
    "light_ambiguous": ("The face does not constrain the light's direction.", "A part in which the head turns."),
    "light_ill_conditioned": (
        "The skin that is seen faces too few directions to hold the light's direction.",
        "A part in which the face is uncovered and turned to the camera.",
    ),
    "self_shadowed": (
        "Much of the face lies in its own shadow, and a direction read from it would err.",
        "A part in which the light falls on more of the face.",
    ),
    "already_marked": (
        "The question marks the recording as it is, so that a planted alteration could not be told from that.",
        "A part in which nothing is marked.",
    ),
    "others_longer": (
        "Other appearances are longer, and each takes minutes.",
        "The part in which this appearance is seen, by --from and --to.",
    ),
    "nothing_answered": (
        "No question about this appearance alone has an answer.",
        "A longer part in which the face is larger, turned to the camera and speaks.",
    ),
    "no_blinks": ("No blink was found.", "A longer part in which the eyes are seen."),
    "too_few_breaks": (
        "Too few breaks of more than one kind were found for a coincidence to be told.",
        "A longer part of the recording; where there is no break nothing can fall together.",
    ),
    "not_in_common": (
        "What recording and references are stated to have in common does not let this be expected alike.",
        "References of the same session, or of the same person.",
    ),
    "reference_person_unknown": (
        "Which person of the references is to be compared with is not told.",
        "The same name given with forensics name in both cases, or references with one person in view.",
    ),
    "conditions_differ": (
        "Recording and references differ too far in picture rate, size, pose or coding to be compared.",
        "References recorded and stored as the recording was.",
    ),
    "nothing_to_compare": (
        "The recording and its references have no quantity with an interval in common.",
        "Longer references, or a longer part of the recording, in which the person speaks in view.",
    ),
    "no_other_face": (
        "No other face is seen at the same time.",
        "A part in which two faces are in view together.",
    ),
    "surround_hidden": (
        "Too little skin is seen beside the face: hair, a collar, a beard or the background lies there.",
        "A part in which forehead or neck are uncovered.",
    ),
    "no_highlights": (
        "Both eyes have no clear highlight at the same time.",
        "A part in which both eyes are open, large and mirror a lamp or window.",
    ),
    "light_fit_poor": (
        "Light from one direction does not explain the face's shading.",
        "A part with simpler light, without shadow or hair on the face.",
    ),
    "too_dark": ("The face is too dark.", "A brighter part, or the original before re-encoding."),
    "over_exposed": ("The face is over-exposed.", "A part with less exposure."),
    "transfer_not_supported": (
        "The file declares a brightness curve that is not supported (HDR).",
        "A copy in standard dynamic range, with its making documented.",
    ),
    "container_not_surveyed": (
        "The process that reads the container's structure could not finish.",
        "The complete original file; the other findings do not rest on it.",
    ),
    "no_empty_band": (
        "The sound fills its band up to half the sampling rate, and no mains hum was found, or the part is too short "
        "for it: joins could not be looked for.",
        "The original file at its full sampling rate.",
    ),
    "band_too_narrow": (
        "The sound's band ends below 7 kHz, where what is asked could still be heard.",
        "The original file at its full sampling rate, before telephone or messenger.",
    ),
    "sound_too_noisy": ("Speech stands too little above the noise of its pauses.", "A quieter part, or the original."),
    "too_few_voiced_seconds": ("There is too little voiced speech.", "A longer part with speech."),
}


def rounded(value: float, unit: str) -> float:
    """``value`` at the resolution of its unit; never NaN or infinite, which JSON cannot hold."""
    if not math.isfinite(value):
        raise ParameterError("a reported value is finite", value)
    return round(float(value), DIGITS[unit]) + 0.0  # + 0.0 turns -0.0 into 0.0


@dataclass(frozen=True)
class Measurement:
    """A number in ``unit`` with its interval [``low``, ``high``] at ``level``, from ``n`` observations.

    ``reference`` is the range expected and where it is published, as text, or "" where there is none.
    ``unusual`` is true where the whole interval lies outside that range; facts are never unusual.
    """

    name: str
    value: float
    unit: str
    low: float | None
    high: float | None
    level: float | None
    n: int
    method: str
    reference: str = ""
    unusual: bool = False

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            if (number := getattr(self, name)) is not None:
                object.__setattr__(self, name, rounded(number, self.unit))
        if (self.low is None) != (self.high is None) or (self.low is None) != (self.level is None):
            raise ParameterError("low, high and level come together", (self.low, self.high, self.level))


@dataclass(frozen=True)
class Strip:
    """Pictures of a mouth to be shown side by side, beside a finding's answer: what they show, and when, in s."""

    what: str
    t_s: tuple[float, ...]


@dataclass(frozen=True)
class Event:
    """Something at an instant. ``what`` says it in words; ``details`` are plain values."""

    kind: str
    interval: Interval
    what: str
    unusual: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


#: Stands beside every likelihood ratio.
NOT_A_PROBABILITY = (
    "This is how much more probable these findings are under one proposition than under the other; "
    "it is not the probability that the recording was altered."
)


@dataclass(frozen=True)
class Strength:
    """LR = P(findings | ``h1``) / P(findings | ``h2``) as log10, its interval at ``level``, and its words.

    By the calibration of this SHA-256, learned from ``n_h1`` and ``n_h2`` recordings of so many units (persons and
    groups); held within ``bound``, the lowest and highest log10 LR that these can carry. ``questions``: whose scores
    entered.
    """

    pair: str
    h1: str
    h2: str
    questions: tuple[str, ...]
    log10_lr: float
    low: float
    high: float
    level: float
    words: str
    bound: tuple[float, float]
    n_h1: int
    n_h2: int
    units_h1: int
    units_h2: int
    scale: str
    calibration_sha256: str
    stamp: str

    def __post_init__(self) -> None:
        lowest, highest = self.bound
        if not lowest <= 0 <= highest or not self.low <= self.log10_lr <= self.high:
            raise ParameterError(
                "a ratio lies in its interval, and LR = 1 within its bounds", (self.bound, self.log10_lr)
            )

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the ratios themselves to two figures."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        ratios = {"lr": self.log10_lr, "lr_low": self.low, "lr_high": self.high}
        return {
            **plain,
            **{name: float(f"{10**value:.2g}") for name, value in ratios.items()},
            "questions": list(self.questions),
            "bound": list(self.bound),
            "remark": NOT_A_PROBABILITY,
        }


@dataclass(frozen=True)
class Withheld:
    """Why a calibration that was named gives no likelihood ratio here: (code, sentence) each."""

    pair: str
    h1: str
    h2: str
    reasons: tuple[tuple[str, str], ...]
    calibration_sha256: str
    stamp: str

    def as_json(self) -> dict[str, Any]:
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "reasons"}
        return {**plain, "withheld": [{"code": code, "why": why} for code, why in self.reasons]}


@dataclass(frozen=True)
class Finding:
    """The answer to one question about one person (or, with ``person`` None, about the sound).

    ``question`` is a stable slug; ``h1`` and ``h2`` the two hypotheses; ``coverage`` the part of the examined time
    that bears on it, 0 to 1; ``evidence`` what its chart is drawn from; ``score`` with its ``score_direction`` is
    what a calibration takes; ``strength`` stays None ("uncalibrated: descriptive only") until one is named.
    """

    analysis: str
    question: str
    person: str | None
    subjects: tuple[str, ...]
    h1: str
    h2: str
    state: str
    reasons: tuple[str, ...]
    coverage: float
    covered: tuple[Interval, ...]
    method: Method
    settings: Any
    limits: tuple[str, ...]
    alternatives: tuple[str, ...]
    measurements: tuple[Measurement, ...] = ()
    events: tuple[Event, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None
    score_direction: str = ""
    strength: Strength | Withheld | None = None
    source_sha256: str = ""

    def __post_init__(self) -> None:
        if self.state not in (ASSESSED, NOT_ASSESSABLE):
            raise ParameterError(f"a state is {ASSESSED} or {NOT_ASSESSABLE}", self.state)
        if unknown := [code for code in self.reasons if code not in REASONS]:
            raise ParameterError("a reason code is listed in REASONS", unknown)
        if (self.state == NOT_ASSESSABLE) != bool(self.reasons):
            raise ParameterError("reasons stand exactly where nothing could be assessed", self.reasons)
        if self.state == NOT_ASSESSABLE and (self.measurements or self.score is not None):
            raise ParameterError("what cannot be assessed has no measurement and no score", self.question)
        if self.strength is not None and self.score is None:
            raise ParameterError("only a score has a strength", self.question)
        if not 0.0 <= self.coverage <= 1.0:
            raise ParameterError("coverage lies between 0 and 1", self.coverage)

    @property
    def unusual(self) -> bool:
        return any(m.unusual for m in self.measurements) or any(e.unusual for e in self.events)

    def measurement(self, name: str) -> Measurement:
        return next(m for m in self.measurements if m.name == name)

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``findings.json``: everything but the evidence arrays."""
        return {
            "analysis": self.analysis,
            "question": self.question,
            "person": self.person,
            "subjects": list(self.subjects),
            "h1": self.h1,
            "h2": self.h2,
            "state": self.state,
            "reasons": list(self.reasons),
            "coverage": round(self.coverage, 4),
            "covered": [[rounded(i.start_s, "s"), rounded(i.end_s, "s")] for i in self.covered],
            "measurements": [vars(m) for m in self.measurements],
            "events": [
                {
                    "kind": e.kind,
                    "start_s": rounded(e.interval.start_s, "s"),
                    "end_s": rounded(e.interval.end_s, "s"),
                    "what": e.what,
                    "unusual": e.unusual,
                    **e.details,
                }
                for e in self.events
            ],
            "limits": list(self.limits),
            "alternatives": list(self.alternatives),
            "score": None if self.score is None else round(self.score, 4) + 0.0,
            "score_direction": self.score_direction,
            "strength": self.strength and self.strength.as_json(),
            "method": vars(self.method),
            "settings": describe(self.settings),
            "source_sha256": self.source_sha256,
        }


@dataclass(frozen=True)
class About:
    """Of whom and when a question is asked: ``covered`` is the time that bears on it, ``examined`` all there was."""

    examined: Interval
    settings: Any
    covered: Sequence[Interval] = ()
    person: str | None = None
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """What an analysis asks: a stable slug (``lipsync.offset``), both hypotheses, and what every answer shares."""

    slug: str
    h1: str
    h2: str
    method: Method
    limits: tuple[str, ...]
    alternatives: tuple[str, ...]

    def answer(self, about: About, **result: Any) -> Finding:
        """The Finding with what was measured: its measurements, events, evidence, score."""
        return self._finding(about, ASSESSED, (), **result)

    def refuse(self, about: About, *reasons: str) -> Finding:
        """The Finding that says by reason codes why there is no answer."""
        return self._finding(about, NOT_ASSESSABLE, reasons)

    def _finding(self, about: About, state: str, reasons: tuple[str, ...], **result: Any) -> Finding:
        return Finding(
            analysis=self.slug.partition(".")[0],
            question=self.slug,
            person=about.person,
            subjects=about.subjects,
            h1=self.h1,
            h2=self.h2,
            state=state,
            reasons=reasons,
            coverage=share(about.covered, about.examined),
            covered=tuple(union(about.covered)),
            method=self.method,
            settings=about.settings,
            limits=self.limits,
            alternatives=self.alternatives,
            **result,
        )

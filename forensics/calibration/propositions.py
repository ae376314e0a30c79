"""Pairs of propositions, written before anything is measured, and the questions whose scores bear on each.

A pair is about one act. "Altered" is no H1: a lip-synced clip with its own voice would be right and wrong at once.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Conditions of a recording that its calibration must have seen (``envelope``), by what is looked at or listened to.
FACE = ("face_height_px", "yaw_deg", "mean_fps", "bit_rate")
SOUND = ("speech_s", "noise_floor_db", "bit_rate", "sound_rate_hz")


@dataclass(frozen=True)
class Pair:
    """``name`` is also the label that a table of recordings gives to those of which H1 holds."""

    name: str
    h1: str
    h2: str
    questions: tuple[str, ...]  # slugs; a question bears on one pair
    conditions: tuple[str, ...]


PAIRS = {
    pair.name: pair
    for pair in (
        Pair(
            "lips",
            "The mouth's movement was generated for other sound.",
            "The mouth's movement was recorded with this sound.",
            ("lipsync.link", "lipsync.closure", "lipsync.words", "lipsync.kinematics"),
            tuple(dict.fromkeys((*FACE, "speech_s", "noise_floor_db"))),
        ),
        Pair("identity", "The face was replaced by another.", "The face was recorded as it is seen.", (), FACE),
        Pair(
            "animation",
            "The whole face was generated from a picture.",
            "The face was recorded.",
            ("blink.rate", "blink.gaze", "lighting.head_fixed"),
            FACE,
        ),
        Pair("voice", "The voice was synthesised.", "The voice was spoken.", ("voice.synthesis",), SOUND),
        Pair("edit", "The recording was interrupted.", "The recording is continuous.", ("voice.take",), SOUND),
    )
}
#: The pair of each question; a question that is not here gives facts: an offset, a direction of light, a band's edge
#: and the codecs of a container have common causes that are none of these acts.
PAIR_OF = {question: pair.name for pair in PAIRS.values() for question in pair.questions}

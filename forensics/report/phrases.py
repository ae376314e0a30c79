"""Values of ``findings.json`` as words and figures. Pure; rounds nothing that is not rounded there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from forensics.finding import DIGITS, REASONS

#: Instants of one kind named in the summary; the rest is counted.
MOST_INSTANTS = 8
#: Measurements of one finding named in the summary; the rest stands in its section.
MOST_NAMED = 3

UNITS = {
    "1": "",
    "deg": "°",
    "1/min": "per minute",
    "ms/min": "ms per minute",
    "%/s": "% per second",
    "1/s": "per second",
}
WHOLE = "The recording as a whole"

#: The analyses' own names.
FAMILIES = {
    "lipsync": "Lips and sound",
    "blink": "Eyes",
    "lighting": "Light on the face",
    "voice": "Sound and voice",
    "evidence": "The file",
    "comparison": "Beside the references",
}
#: The question families' own names; what is not listed here is printed from its slug.
QUESTIONS = {
    "lipsync.link": "Do the lips follow this sound",
    "lipsync.offset": "Offset between lips and sound",
    "lipsync.speaker": "Which face moves with the sound",
    "lipsync.coverage": "Speech without lips, lips without speech",
    "lipsync.closure": "Lips closed at p, b and m",
    "lipsync.words": "Lips at the p, b and m of the words told",
    "lipsync.kinematics": "How the mouth moves in speech",
    "blink.rate": "How often the person blinks",
    "blink.gaze": "Where the eyes look, and their irises",
    "lighting.direction": "Direction of the light on the face",
    "lighting.head_fixed": "Light that turns with the head",
    "lighting.between_faces": "Light on two faces at the same time",
    "lighting.surround": "The inner face and the skin around it",
    "lighting.highlights": "Highlights in both eyes",
    "coincidence.instants": "Breaks that fall together",
    "voice.measures": "Measures of the voice",
    "comparison.sync": "Sound and lips beside the references",
    "comparison.kinematics": "The mouth's movement beside the references",
    "comparison.blinking": "Blinks beside the references",
    "comparison.light": "Light on the face beside the references",
    "comparison.voice": "Measures of the voice beside the references",
    "evidence.container": "What the container tells of making and time line",
    "voice.recording": "Bandwidth and noise of the recorded sound",
    "voice.take": "One take: joins and mains hum",
    "voice.spectrum": "Edges, gaps, mirror images and fine structure of the spectrum",
    "voice.synthesis": "Phases like those of synthetic copies",
}
QUANTITIES = {
    "av_offset": "Offset of the sound behind the lips",
    "av_drift": "Change of that offset over time",
    "sync_percentile": "Rank of this sound among shifted and reordered ones",
    "mouth_opening_error": "Repeatability of the mouth's measured opening",
    "speaker_known": "Share of speech in view with a named speaker",
    "gaze_azimuth": "Usual direction of gaze, sideways from the camera",
    "gaze_elevation": "Usual direction of gaze, upwards from the camera",
    "gaze_spread": "Range of the eyes' sideways movement",
    "gaze_agreement": "Agreement of both eyes' sideways movement",
    "gaze_error": "Repeatability of one eye's measured direction",
    "vergence": "Vergence of the eyes",
    "iris_ratio": "Diameter of the left iris over the right",
    "iris_roundness": "Height over width of the irises",
    "speech_without_lips": "Share of speech that this mouth does not follow",
    "lips_without_speech": "Share of other sound with lips moving as fast as in speech",
    "closure_rate": "Share of recognised p, b, m with closed lips",
    "closure_percentile": "Rank of the lips' closeness at p, b, m among shifted sounds",
    "told_closure_rate": "Share of p, b, m of the words told with closed lips",
    "told_closure_rate_all": "The same with what was struck out",
    "told_closure_percentile": "Rank of the lips' closeness at them among shifted sounds",
    "lip_opening": "Usual opening of the lips in speech",
    "opening_range": "Range of the lips' opening",
    "opening_speed": "Speed of opening and closing",
    "gesture_rate": "Opening gestures a second of speech",
    "spread_range": "Range of the mouth's width",
    "spread_speed": "Speed of spreading and rounding",
    "spread_frequency": "Frequency of spreading and rounding",
    "opening_with_spread": "Correlation of opening and spreading speed",
    "corner_agreement": "Agreement of the mouth's corners",
    "light_azimuth": "Direction of the light, sideways",
    "light_elevation": "Direction of the light, upwards",
    "light_directionality": "Directionality of the light",
    "light_condition": "Condition number of the skin's directions for the light's",
    "light_misfit_ratio": "Misfit of light that stays over light that turns with the head",
    "light_follows_head": "How far the light turns with the head",
    "light_between_faces": "Angle between the lights on both faces",
    "surround_light": "Light of the skin around over that of the inner face",
    "surround_side": "That ratio on the picture's right over the same on its left",
    "surround_red": "Red over green around, against the inner face",
    "surround_blue": "Blue over green around, against the inner face",
    "surround_detail": "Detail and noise around over those of the inner face",
    "surround_flicker": "Change of the light around over the inner face's from look to look",
    "highlight_shift_x": "Highlight in the right eye against the left, sideways, of the iris",
    "highlight_shift_y": "Highlight in the right eye against the left, downwards, of the iris",
    "highlight_share": "Share of pictures with a highlight in both eyes",
    "breaks": "Breaks of picture, sound, light and lips",
    "breaks_together": "Breaks that fall together with one of another kind",
    "coincidence_percentile": "Rank of that number among circular shifts",
    "blink_rate_steady": "Blink rate, interval at a steady rate",
    "inter_blink_interval": "Median time from blink to blink",
    "blink_regularity": "Regularity of the time from blink to blink",
    "f0_median": "Median pitch of the voice",
    "jitter_local": "Jitter (period to period)",
    "shimmer_local": "Shimmer (period to period)",
    "hnr": "Harmonics-to-noise ratio",
    "synthesis_score": "Synthesis score, descriptive only",
    "key_picture_distance": "Time between key pictures",
    "uneven_steps": "Steps between pictures that are uneven",
    "picture_gaps": "Gaps between pictures",
    "dropped_pictures": "Room for pictures left out",
    "repeated_pictures": "Pictures that repeat the one before",
    "pictures_not_shown": "Pictures stored but not shown",
    "trailing_bytes": "Bytes behind the last box",
    "sound_jumps": "Gaps and overlaps of the sound's packets",
    "bandwidth": "Bandwidth of the sound",
    "lowest_edge": "Lowest edge of the band over time",
    "highest_edge": "Highest edge of the band over time",
    "codec_holes": "Empty cells below the edge of the band",
    "harmonic_contrast_low": "Depth between harmonics, 0.3 to 2 kHz",
    "harmonic_contrast_middle": "Depth between harmonics, 2 to 4 kHz",
    "harmonic_contrast_high": "Depth between harmonics, 4 to 7.5 kHz",
    "fine_play": "Play of the fine spectrum over time",
    "empty_band": "Beginning of the band without sound",
    "empty_band_level": "Level in the band without sound",
    "joins": "Instants at which the empty band sounds",
    "hum_deviation": "Mains hum off its nominal frequency",
    "hum_level": "Mains hum over the noise beside it",
    "formant_1": "Median first formant",
    "formant_2": "Median second formant",
    "formant_3": "Median third formant",
    "articulation_rate": "Syllables in speech without its pauses",
    "compared": "Quantities compared",
    "beyond": "Quantities beyond the references' spread, one by one",
    "beyond_together": "Quantities beyond the references' spread, all taken together",
    "outside_all": "Quantities above or below every reference",
    "apart": "Quantities further from the one reference than both scatter, one by one",
    "apart_together": "Quantities further from the one reference than both scatter, all taken together",
}
#: How the name of a quantity ends that is the recording's less its references' mean.
APART = "_apart"
EVENTS = {
    "light_jump": "the direction of the light jumps",
    "dropped_pictures": "room for pictures left out",
    "coincidence": "a break that falls together with one of another kind",
    "speaks": "mouth moves with the sound",
    "speech_without_face": "speech while no face is followed",
    "wink": "one eye closes alone",
    "repeated_blinks": "both eyes repeat a stretch with its blinks",
    "offset_jump": "the sound's place beside the lips changes",
    "missed_closure": "lips open at p, b or m of the words told",
    "speech_without_lips": "speech that this mouth does not follow",
    "lips_without_speech": "lips as fast as in speech without speech",
    "synthesis_score_high": "high synthesis score",
    "splice": "place where the sound may be joined",
    "spectral_gap": "gap in the spectrum",
    "mirror_image": "mirror image in the spectrum",
}
LOSSES = {
    "decode_failures": "parts that could not be decoded",
    "without_time": "decoded, but without a usable time: left out",
    "time_steps_back": "with a time not after the one before: left out or cut",
    "size_changes": "changes of format within the stream",
    "damaged": "damaged and bridged by the decoder: shown, partly guessed",
    "unreadable": "places where the file could not be read or ends before its end: what stood there is missing",
    "not_finite": "samples that are not numbers: set to zero",
}


# -- figures ---------------------------------------------------------------------------------------


def number(value: float | None, unit: str) -> str:
    return "—" if value is None else f"{value:.{DIGITS[unit]}f}".replace("-", "−")


def seconds(value: float | None) -> str:
    return number(value, "s")


def quantity(value: float, unit: str) -> str:
    """Number and unit, held together on one line."""
    name = UNITS.get(unit, unit)
    return number(value, unit) + (name if name == "°" else f"\u00a0{name}" if name else "")


def percent(share: float) -> str:
    return f"{100 * share:.4g}\u00a0%"


def timecode(t_s: float) -> str:
    """Hours, minutes, seconds and milliseconds on the presentation clock."""
    total = round(abs(t_s) * 1000)
    hours, minutes, rest = total // 3_600_000, total // 60_000 % 60, total % 60_000
    return f"{'−' if t_s < 0 else ''}{hours}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def instant(t_s: float) -> str:
    return f"{seconds(t_s)}\u00a0s ({timecode(t_s)})"


def stretch(start_s: float, end_s: float) -> str:
    """A time range in seconds and as timecode."""
    return f"{seconds(start_s)} to {seconds(end_s)}\u00a0s ({timecode(start_s)} to {timecode(end_s)})"


def listed(value: Any) -> str:
    """The value of a setting as text."""
    if value is None:
        return "—"
    if isinstance(value, list | tuple):
        return ", ".join(map(listed, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {listed(v)}" for k, v in value.items())
    if isinstance(value, float):
        return f"{value:.10g}".replace("-", "−")
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


# -- names -----------------------------------------------------------------------------------------


def family(analysis: str) -> str:
    return FAMILIES.get(analysis) or analysis.replace("_", " ").capitalize()


def question(slug: str) -> str:
    return QUESTIONS.get(slug) or slug.replace(".", ": ").replace("_", " ").capitalize()


def label(name: str) -> str:
    """A measurement's name in words."""
    if name.endswith(APART):
        return f"{label(name.removesuffix(APART))}: recording less references"
    plain = name.replace("_", " ")
    return QUANTITIES.get(name) or plain[:1].upper() + plain[1:]  # the rest may be a name


def event(kind: str) -> str:
    return EVENTS.get(kind) or kind.replace("_", " ")


def loss(name: str) -> str:
    return LOSSES.get(name) or name.replace("_", " ")


def told(text: str) -> str:
    """``text`` as a sentence of its own."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def inner(text: str) -> str:
    """``text`` as it stands within a sentence."""
    return text[:1].lower() + text[1:]


# -- sentences -------------------------------------------------------------------------------------


def spread(m: Mapping[str, Any]) -> str:
    """The ends of a measurement's interval."""
    return f"{number(m['low'], m['unit'])} to {number(m['high'], m['unit'])}"


def measured(m: Mapping[str, Any]) -> str:
    """A measurement within a sentence; unmarked ones are not called "within": ranges may be one-sided."""
    said = f"{inner(label(m['name']))} {quantity(m['value'], m['unit'])}"
    interval = "" if m["low"] is None else f" ({percent(m['level'])} interval {spread(m)})"
    return said + interval + (", outside the reference range" if m["unusual"] else "")


def sentence(finding: Mapping[str, Any]) -> str:
    """An assessed finding in one sentence for counsel: what is marked first."""
    first = sorted(finding["measurements"], key=lambda m: not m["unusual"])
    parts = [measured(m) for m in first[:MOST_NAMED]]
    if len(first) > MOST_NAMED:
        parts.append(f"{len(first) - MOST_NAMED} more among the observations")
    return ("; ".join([*parts, *_flagged(finding["events"])]) or "no event flagged") + "."


def _flagged(events: list[Mapping[str, Any]]) -> list[str]:
    """How many events of a kind are flagged; the others are facts, and stand among the observations."""
    kinds = Counter(e["kind"] for e in events if e["unusual"])
    return [f"flagged {n} ×: {event(kind)}" for kind, n in kinds.items()]


def reasons(finding: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Why a finding could not be assessed and what would help, in words."""
    return [REASONS[code] for code in finding["reasons"]]


def why(reason: str) -> str:
    """A reason code in words, within a sentence."""
    return inner(REASONS[reason][0])


def outstanding(finding: Mapping[str, Any]) -> list[str]:
    """What stood out: measurements outside their range, flagged events with their instants."""
    lines = [f"{measured(m)}. Reference: {m['reference']}" for m in finding["measurements"] if m["unusual"]]
    for kind in dict.fromkeys(e["kind"] for e in finding["events"] if e["unusual"]):
        at = [instant(e["start_s"]) for e in finding["events"] if e["unusual"] and e["kind"] == kind]
        more = f" and {len(at) - MOST_INSTANTS} more among the observations" if len(at) > MOST_INSTANTS else ""
        lines.append(f"{event(kind)}: {', '.join(at[:MOST_INSTANTS])}{more}")
    return lines


def signed(log10_lr: float) -> str:
    return f"{log10_lr:+.2f}".replace("-", "−")


def references(relation: str) -> str:
    """What stands above the table of references."""
    return (
        f"The examiner states that the item and each of these recordings have in common: the same {relation}. The "
        "software does not test that. Each has a case and findings of its own, by the methods and settings of this "
        "one: made for this comparison, or a finished case that the examiner gave instead, which was verified by its "
        "own log and only read. The custody log tells which. Of their bytes only these hashes enter here."
    )

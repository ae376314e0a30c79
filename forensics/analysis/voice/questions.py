"""What is asked of the sound: the hypotheses, the limits of every answer, and its other explanations."""

from __future__ import annotations

from forensics.analysis.voice.settings import METHOD
from forensics.finding import Question

LIMITS = (
    "Measured over running speech after the recording's codec: not comparable with clinical norms of held vowels.",
    "All channels are averaged; voices, music and noise at the same time are measured as one.",
)
ALTERNATIVES = (
    "Codecs, resampling, telephone bands, noise suppression, gates and automatic gain change band, level and noise.",
    "Editing for length, a change of scene or microphone, music that starts or stops, compressors.",
)

MEASURES = Question(
    "voice.measures",
    "The voice was synthesised or converted.",
    "The voice was spoken.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)
RECORDING = Question(
    "voice.recording",
    "The sound was interrupted or put together from several recordings.",
    "The sound was recorded without interruption.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)
TAKE = Question(
    "voice.take",
    "The sound was cut, or put together from several takes.",
    "The sound is one uninterrupted take.",
    METHOD,
    (
        "A cross-fade leaves no trace here, nor does a cut that was later encoded with a lower edge.",
        "A jump is told where the samples break, not who broke them; published recordings are cut for many reasons.",
        "Untouched speech has such instants too: 9 in 20 minutes (tests/real/VOICE.md), of clicks among others.",
    ),
    (
        "Editing for length or a change of scene; packets lost on the way; a click, a switch, a limiter.",
        "A motor, a held tone or a beep where mains hum would lie; mains that was switched.",
        "Several files of one recorder joined, a loop of music, software that conceals gaps.",
    ),
)
SPECTRUM = Question(
    "voice.spectrum",
    "The sound was resampled, re-encoded, filtered or generated.",
    "The sound is as the microphone gave it.",
    METHOD,
    (
        "What the spectrum lacks or doubles tells of processing, not of its purpose.",
        "The depth between harmonics and the play of the fine spectrum differ between voices and recordings about as "
        "far as between copies and their originals (tests/real/CANDIDATES.md): they bear on a comparison with other "
        "recordings of the same voice, not on one alone.",
        "Holes are those of MP3 and its like; AAC hides its own behind noise, so their absence says nothing.",
    ),
    (
        "Codecs at low rates, telephones, noise suppression, converters without filters, loudspeakers played to "
        "microphones, copies of copies.",
        "A hoarse or breathy voice, echo and noise fill what lies between harmonics; an even delivery, reading aloud "
        "and compressors still the fine spectrum.",
    ),
)

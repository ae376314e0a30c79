"""What is asked of lips and sound: each question with both hypotheses, its limits and innocent causes."""

from __future__ import annotations

from forensics.analysis.lipsync.settings import (
    CLOSURE_METHOD,
    COVERAGE_METHOD,
    KINEMATICS_METHOD,
    METHOD,
    SPEAKER_METHOD,
    WORDS_METHOD,
)
from forensics.finding import Question

LIMITS = (
    "An offset says how the recording's sound and picture lie, not who moved them.",
    "The method's zero was held against marks by hand in six recordings alone: what it prints lay 4 ms before to 23 ms "
    "after the hand's.",
    "An offset beside zero is usual: in 62 untouched recordings the median was 52 ms, nine in ten lay between -59 and "
    "140 ms, and the interval held zero in 23 (RESULTS.md).",
    "Offsets outside the searched lags are not found.",
    "The comparison was learned from few recordings (data/lipsync.md): other faces, voices and languages may fit less.",
    "With several faces in view a person is compared only where alone in view or found to move with the sound.",
)
#: Stands first where a person's time was chosen in company.
CHOSEN = (
    "Here others are in view, and the time measured is that in which this mouth was found to move with the sound: the "
    "result leans towards a link and a narrow offset, because it was chosen by one."
)
ALTERNATIVES = (
    "Players, editors, capture cards, wireless microphones and network links shift sound by tens to hundreds of ms.",
    "Dubbing, voice-over, music, another speaker off screen, a covered or hardly moving mouth.",
)

LINK = Question(
    "lipsync.link",
    "The mouth's movement was made for, or recorded with, other sound.",
    "The mouth's movement was recorded with this sound.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)
OFFSET = Question(
    "lipsync.offset",
    "The sound lies beside the picture by more than recording explains.",
    "Sound and picture lie as recorded.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)
CLOSURE = Question(
    "lipsync.closure",
    "The mouth's movement was made for, or recorded with, other words.",
    "The mouth's movement was recorded with these words.",
    CLOSURE_METHOD,
    (
        "The recogniser misses about one in three spoken p, b, m and hears some that were not said (CLOSURES.md): "
        "the rate is one of the clip, and no single instant is told.",
        "It was made for American English: in other languages it mishears more, so that the rate falls and the shifted "
        "sound does not. A low rate by itself says nothing.",
        "The recogniser hears the same words unlike in another encoding: in 10 s that moves the rate by ten points or "
        "so (COPIES.md).",
        "The lips are taken at the offset that was found, which leans the result towards closed lips.",
        "Software that fits lips to sound closes them at p, b and m, too.",
    ),
    (
        "Music, noise, several voices, a dialect or another language, fast or careless speech.",
        "A small or moving face, a beard, a hand before the mouth.",
    ),
)
COVERAGE = Question(
    "lipsync.coverage",
    "Speech is heard while no followed mouth moves with it, or a mouth moves as in speech while none is heard.",
    "While the face is in view, speech is heard where the mouth moves, and the mouth moves where speech is heard.",
    COVERAGE_METHOD,
    (
        "What is told lasts for seconds; single words of another voice are missed, and the ends of a stretch are known "
        "to about two seconds where the mouth moves otherwise, to one where it keeps still.",
        "Speech dubbed so that it fits the lips is not found.",
        "Speech that the detector misses (whispered, distant, under music) counts as none; singing may count as "
        "speech.",
        "Time in which a face is out of view, small or turned, or another face may be the speaker, is left out.",
        "Faces too small or turned to be measured, and those beyond the six largest, are not considered as speakers.",
        "Mouths moving without speech were held against seconds of untouched sound alone (SPEECHLIPS.md): one clip of "
        "78 has a stretch.",
        "Shares are lower bounds: where mouth and sound neither clearly go together nor clearly not, nothing is told.",
    ),
    (
        "A voice-over, commentary, translation or dubbed voice; a speaker off screen or behind the camera; music.",
        "A hand, a microphone or a beard before the mouth; humming, and speech through hardly moving lips.",
        "Chewing, laughing, yawning, mouthing or singing along; sound that was muted, masked or lost.",
        "Sound that lies beyond the lags searched.",
    ),
)
KINEMATICS = Question(
    "lipsync.kinematics",
    "The mouth's movement was made by software.",
    "The mouth's movement is that of the recorded person's speech.",
    KINEMATICS_METHOD,
    (
        "Facts about how this mouth moves: the ranges beside them are those of few recordings, people outside them are "
        "many, and no measure by itself says how a movement was made.",
        "Software that copies or renders real movement moves as people do; on our clips no measure tells all families "
        "of alteration from untouched recordings (KINEMATICS.md).",
        "Low picture rates, compression and smoothing by filters lower speeds and agreement; a person's speech differs "
        "from one occasion to the next.",
        "Depth is not measured, so that protrusion is not told; coupling to the sound is asked in lipsync.link.",
    ),
    (
        "Careful, lively, tired or mumbled speech, a smile, a foreign language, singing, reading aloud.",
        "A beard, a hand, a microphone, an illness or treatment of the face; beauty filters; repeated pictures.",
    ),
)
SPEAKER = Question(
    "lipsync.speaker",
    "None of the faces in view moves with the sound.",
    "A face in view moves with the sound.",
    SPEAKER_METHOD,
    (
        "A mouth that moves with the sound was fitted to it or spoke it: lip synchronisation software achieves the "
        "same.",
        "Within a window of several seconds one person is named at most; shorter turns and people who speak at once "
        "are missed.",
        "A face that is too small, turned away or not found may be the speaker: it is not compared.",
        "One lag between sound and picture is taken for the whole of the examined time.",
    ),
    (
        "A voice-over, a dubbed or translated voice, a speaker off screen.",
        "Chewing, laughing or singing along moves a mouth as speech does.",
    ),
)
#: Asked only where the analyst told the words.
WORDS = Question(
    "lipsync.words",
    "The mouth's movement was made for, or recorded with, other words than those told.",
    "The mouth's movement was recorded with the words told.",
    WORDS_METHOD,
    (
        "The words are the analyst's statement: a wrong one within a sentence that else fits is not noticed.",
        "American English: other languages are refused, as their words are not in the dictionary. Where foreign or "
        "dialect words are given their phonemes, how well they are placed was not tested.",
        "In fast speech b and m may stay incomplete or fall together with a neighbour: a single missed closure is a "
        "place to look at, not a result.",
        "Told are only clear cases in a large, frontal face at 23 pictures a second or more: many closures that are "
        "missing are not told, and where none is told nothing follows.",
        "Software that fits lips to sound closes them at p, b and m, too.",
    ),
    (
        "A word that was not said so: a slip, a swallowed or linked sound, a dialect, a wrong transcript.",
        "Speech through hardly closing lips: a smile, a bite, a dental brace, food, a facial palsy.",
        "Sound that was moved, dubbed or cleaned up; another speaker off screen.",
        "A beard, a hand or a microphone before the mouth; blurred or interpolated pictures.",
    ),
)

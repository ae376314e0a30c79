"""How lips and sound are compared: the methods' names and versions, and every value that was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.method import Method, setting

METHOD = Method(
    "correlation of learned components of lips and sound over lags",
    "4",
    "after Hotelling 1936; Slaney & Covell 2000; Rahimi & Recht 2008",
)
COVERAGE_METHOD = Method(
    "stretches in which speech and the mouth's movement do not go together",
    "1",
    "after Slaney & Covell 2000; limits from untouched recordings (tests/real/SPEECHLIPS.md)",
)
CLOSURE_METHOD = Method(
    "gap of the lips at decoded /p b m/ against shifted sound",
    "1",
    "after Agarwal et al. 2020; phonemes by CMU PocketSphinx 5 (Huggins-Daines et al. 2006)",
)
KINEMATICS_METHOD = Method(
    "movement of the lips in the face's own frame, in speech",
    "1",
    "after Ostry & Munhall 1985; Nelson 1983; Chandrasekaran et al. 2009; measures chosen in tests/real/KINEMATICS.md",
)
WORDS_METHOD = Method(
    "gap of the lips at the /p b m/ of words told by the analyst",
    "1",
    "after Agarwal et al. 2020; aligned by CMU PocketSphinx 5 (Huggins-Daines et al. 2006)",
)
SPEAKER_METHOD = Method(
    "correlation of learned components of each face's lips and of the sound in windows, at one shared lag",
    "2",
    "after Hershey & Movellan 1999; Cutler & Davis 2000",
)


@dataclass(frozen=True)
class Settings:
    earliest_ms: float = setting(-400.0, "ms", "searched lags; authentic dev clips lie from -202 to +299 (LIPSYNC.md)")
    latest_ms: float = setting(550.0, "ms", "searched lags; wider ones leave fewer independent shifts for the null")
    smoothing_s: float = setting(0.032, "s", "sigma; a syllable's opening lasts 80 ms or more, a picture 17-42 ms")
    floor_percentile: float = setting(5.0, "%", "of each band: silence of any depth counts as one level")
    least_visible_s: float = setting(5.0, "s", "with sound; below it fewer than three independent shifts remain")
    lowest_fps: float = setting(12.0, "1/s", "a syllable of 0.2 s is then seen at least twice")
    widest_yaw: float = setting(
        50.0, "deg", "median; a full profile hides half the lips and reads as 52 to 66 (tests/real/FACES.md)"
    )
    most_at_edge: float = setting(0.05, "1", "share of resampled offsets at an end of the search")
    least_speech_s: float = setting(2.0, "s", "about ten syllables")
    least_face_px: float = setting(60.0, "px", "face height; the mouth's gap is then 2-4 px")
    least_motion: float = setting(0.004, "1", "standard deviation of the mouth's gap over face height; a still mouth")
    least_z: float = setting(
        3.5,
        "1",
        "an offset is read only beyond it; strangers' sound reaches it in 1 of 100 pairings of people left out of the "
        "fit, their own in 64 of 64 (tests/real/LIPSYNC.md)",
    )
    block_s: float = setting(1.0, "s", "of the bootstrap: longer than a word")
    resamples: int = setting(400, "1", "of the bootstrap; seed 0")
    systematic_ms: float = setting(
        40.0,
        "ms",
        "half width added to the statistical interval: a further clip is expected -15 to +40 ms from marks by hand "
        "(6 recording chains, tests/real/OFFSETS.md); built samples measure -4 to -8 ms, clips of one recording chain "
        "scatter by 14 ms",
    )
    least_null: int = setting(199, "1", "shifts, and where these are fewer orders of blocks: steps of 0.5 % at most")
    course_s: float = setting(5.0, "s", "windows of the offset over time; dev clips' lie within 40 ms of the whole's")
    least_course_z: float = setting(4.5, "1", "of such a window; 2 of 1,000 windows of strangers' sound (LIPSYNC.md)")
    least_course: int = setting(4, "1", "windows for a slope: with fewer its interval is without bounds")
    least_drift_s: float = setting(20.0, "s", "between first and last window of a slope")
    least_jump_ms: float = setting(80.0, "ms", "two pictures at 25/s: twice the systematic part")
    widest_ms: float = setting(160.0, "ms", "full statistical width beyond which several offsets fit")
    strip_step_s: float = setting(0.08, "s", "between pictures shown side by side: two at 25/s")
    strip_pictures: int = setting(7, "1", "shown side by side: half a second, about two syllables")
    strip_within_s: float = setting(60.0, "s", "of what is in view; later pictures would be decoded for these alone")
    longest_gap_s: float = setting(0.2, "s", "without a picture of the mouth")
    error_ratio: float = setting(
        2.0, "1", "a mouth moves if its gap varies by this many standard errors: beyond what 95 % of errors reach"
    )
    window_s: float = setting(
        4.0, "s", "of the speaker; of 2, 3, 4, 5 s the shortest near the best (tests/real/SPEAKER.md)"
    )
    step_s: float = setting(0.5, "s", "between windows: about two syllables")
    least_spoken: float = setting(0.5, "1", "share of a window with speech, so that pauses decide nothing")
    least_in_view: float = setting(0.8, "1", "share of a window in which a face is seen; the rest counts as still")
    least_power: float = setting(0.05, "1", "of the mean power: a window with less is too quiet for a full correlation")
    least_window_z: float = setting(
        2.0,
        "1",
        "of a window, beside least_z of the shared lag, which keeps chance out (tests/real/SPEAKER.md)",
    )
    least_lead: float = setting(1.0, "1", "of z before the next face; chosen on dev clips (tests/real/SPEAKER.md)")
    shifts: int = setting(400, "1", "most far shifts of the null: its mean and deviation are then known to 5 %")
    still_s: float = setting(1.0, "s", "windows in which a mouth is still or moves: about four syllables")
    most_apart_z: float = setting(
        2.0,
        "1",
        "of a window, at the clip's lag: below it a mouth does not follow; own sound lies above (SPEECHLIPS.md)",
    )
    lag_reach_ms: float = setting(60.0, "ms", "round the clip's lag; windows of dev clips lie within 40 ms of it")
    least_speed: float = setting(
        0.13, "1/s", "root mean square speed of the lips' gap over face height; 95 % of seconds of speech exceed it"
    )
    shortest_apart_s: float = setting(
        2.0, "s", "of an event, in speech or between: a hummed pause lasts 1.7 s in dev clips"
    )
    speech_margin_s: float = setting(0.3, "s", "round speech: lips move before the voice sets in and after it")
    least_bilabials: int = setting(5, "1", "decoded /p b m/: with fewer the rate's interval spans most of 0 to 100 %")
    closed_rank: float = setting(0.15, "1", "of a clip's gaps: /p b m/ are a tenth of English speech, pauses add to it")
    least_shift_s: float = setting(1.0, "s", "of the closures' null: beyond the lags searched")
    closure_step_s: float = setting(0.5, "s", "between its shifts: two syllables, over which the gap forgets itself")
    aligned_error_s: float = setting(0.06, "s", "of an aligned phoneme's place: 95 % lie nearer (TRANSCRIPTS.md)")
    open_rank: float = setting(
        0.6, "1", "of a person's gaps while speaking; untouched lips stay lower at /p b m/ (TRANSCRIPTS.md)"
    )
    open_gap: float = setting(
        0.02, "1", "of face height, beside two standard errors; at /p b m/ of untouched clips 95 % lie below"
    )
    longest_step_s: float = setting(
        0.045, "s", "between pictures: a closure of 60 to 100 ms is then seen at least once"
    )
    longest_closure_s: float = setting(0.25, "s", "of an aligned /p b m/: longer ones hold a pause or were misplaced")
    least_words_px: float = setting(100.0, "px", "face height at a single closure: 0.02 of it is 2 px")
    widest_words_yaw: float = setting(30.0, "deg", "at a single closure: the lips' middle is then not hidden")
    least_kinematics_fps: float = setting(
        20.0, "1/s", "pictures that differ; at 20/s speeds fall by a third of the persons' spread (KINEMATICS.md)"
    )
    least_kinematics_s: float = setting(
        5.0, "s", "of speech in view: five blocks of the bootstrap, ten gestures; halves of 4 s agree (KINEMATICS.md)"
    )
    least_gesture: float = setting(
        0.15,
        "1",
        "of the opening's range: the gap's standard error three times in most dev clips, five in half (KINEMATICS.md)",
    )
    corner_smoothing_s: float = setting(
        0.06, "s", "sigma of the mouth's corners: at smoothing_s the landmarks' scatter weighs twice (KINEMATICS.md)"
    )
    kinematics_widening: float = setting(
        1.5, "1", "of the bootstrap's half widths: without it halves of dev clips lie 1.2 to 1.8 of them apart"
    )
    slow_s: float = setting(0.5, "s", "sigma of what counts as slow: smiles and pose, beside syllables of 0.2 s")

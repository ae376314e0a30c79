"""How blinks are told: the method's name and version, ranges, and every value that was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.errors import ParameterError
from forensics.method import Method, setting

METHOD = Method(
    "dips of both eyes' openness and of the model's eyeBlink, told by a logistic model",
    "3",
    "after Soukupová & Čech 2016; Garwood 1936; Cruz et al. 2011",
)

#: Ranges of blink rates by task, 1/min, in the studies reviewed by Doughty 2001. Persons scatter more widely.
TASKS = {"reading": (1.4, 14.4), "rest": (8.0, 21.0), "conversation": (10.5, 32.5), "unknown": (1.4, 32.5)}

_FITTED = "logistic regression on dips of dev clips labelled by eye (tests/real/BLINKS.md)"


@dataclass(frozen=True)
class Settings:
    task: str = setting("unknown", "", "the analyst's; unknown takes the widest of the published ranges")
    baseline_s: float = setting(2.0, "s", "half window for the open eye: long against a closure, short against gaze")
    baseline_percentile: float = setting(90.0, "%", "the open eye among blinks; holds with eyes shut most of the time")
    least_open: float = setting(
        0.5, "1", "of the track's open eye: what counts as open anywhere, so that eyes shut for seconds are not"
    )
    least_rise: float = setting(0.08, "1", "of closedness: every blink labelled by eye stands out by more")
    window_s: float = setting(1.2, "s", "in which a dip stands out from both sides: three usual blinks long")
    before_s: float = setting(0.25, "s", "from half closed back to the open eye: lids close within 0.1 s")
    behind_s: float = setting(0.4, "s", "from half closed on to the open eye: lids open within 0.3 s")
    lid_moves: float = setting(0.2, "1", "of the dip's height: where onset and offset are read; slow drift lies below")
    intercept: float = setting(-4.888, "1", _FITTED)
    openness_weight: float = setting(10.607, "1", f"of the fall in openness; {_FITTED}")
    shape_weight: float = setting(9.602, "1", f"of the rise in eyeBlink; {_FITTED}")
    longest_s: float = setting(0.5, "s", "at half depth; blinks last 0.1-0.4 s, longer ones are closures or glances")
    complete: float = setting(0.75, "1", "depth from which a closure counts as complete, or a long one as no glance")
    lasting: float = setting(0.6, "1", "closedness that eyes which stay shut keep; a whole closure reads about 1")
    wink_share: float = setting(0.25, "1", "an eye that falls by no more of the other's fall does not blink with it")
    wink_fall: float = setting(0.5, "1", "least fall of openness of an eye that closes alone: stricter, for it is rare")
    widest_yaw: float = setting(
        30.0, "deg", "beyond it the far lids are misread: of the false dips of dev clips most lay there"
    )
    smallest_eye_px: float = setting(12.0, "px", "corner to corner; under it the lids are under 4 px apart")
    lowest_fps: float = setting(12.0, "1/s", "a blink of 0.15 s must be seen at least once near its peak")
    least_recall: float = setting(
        0.67,
        "1",
        "below the share of labelled blinks found of the person in whom fewest were, of those with five or more "
        "(tests/real/BLINKS.md): widens the rate's upper end, for persons differ more than chance",
    )
    rate_variation: float = setting(
        0.37,
        "1",
        "coefficient of variation of one person's rate between stretches of 5 min: 0.30 in healthy adults, 0.37 in "
        "patients (Cruz et al. 2011); the larger, for shorter stretches vary more",
    )
    double_blinks: float = setting(
        0.2,
        "1",
        "share of blinks with a second one right behind, for which intervals allow: a caution; within dev clips of up "
        "to 14 s blinks come more evenly than by chance (variance over mean 0.5)",
    )
    most_spoken: float = setting(0.5, "1", "share of the visible time with speech, above which a talker is supposed")
    fewest_intervals: int = setting(8, "1", "between blinks: under it their variation is not told within a factor of 2")
    repeat_errors: float = setting(
        2.0,
        "1",
        "a repeated stretch differs by at most so many landmark repeatabilities (RMS, both eyes); loops made from "
        "dev clips 0.9-1.4 newly encoded, pairs of separate blinks from 1.7 on over 1 s",
    )
    repeat_share: float = setting(
        0.5, "1", "of the usual difference of separate blinks: whose blinks are all alike shows no loop; loops 0.2-0.4"
    )
    repeat_window_s: float = setting(1.0, "s", "around a blink, compared with the same around another")
    repeat_smooth_s: float = setting(0.4, "s", "over which a stretch's difference is averaged: a blink's length")
    shortest_repeat_s: float = setting(2.0, "s", "of a repeated stretch; in dev clips without a loop up to 1.4")
    most_repeat_error: float = setting(
        0.045, "1", "landmark repeatability; over it separate blinks of dev clips agree for up to 1.4 s, under it 0.5"
    )
    least_motion: float = setting(
        0.06,
        "1",
        "5th to 95th percentile of relative openness; dev clips without a blink: pictures "
        "animated at the mouth alone 0.02-0.07, filmed eyes from 0.085",
    )
    most_error: float = setting(
        0.0875, "1", "of relative openness between repeats: a dip then stands out by four standard deviations"
    )
    most_lost: float = setting(0.25, "1", "share of shifted and rescaled copies in which the face is not found again")
    shortest_s: float = setting(3.0, "s", "visible time; below it no rate within a factor of ten can be told")
    longest_gap_s: float = setting(0.15, "s", "without a picture of the eyes")
    smallest_gaze_px: float = setting(
        14.0, "px", "corner to corner; down to it vergence keeps within 2 deg of the full picture's (GAZE.md)"
    )
    widest_gaze_yaw: float = setting(20.0, "deg", "beyond it the far iris reads an eighth smaller than the near one")
    least_iris_shown: float = setting(0.5, "1", "lids' distance over the iris' diameter: under it half is hidden")
    most_gaze_error_deg: float = setting(
        3.0, "deg", "of one eye between repeats: scatter alone then spreads as far as half of usual clips' gaze"
    )
    least_gaze_motion: float = setting(
        6.0, "1", "spread over that error, from which agreement is told: scatter then takes at most a quarter of it"
    )
    shortest_gaze_s: float = setting(2.0, "s", "with both irises: several fixations")
    gaze_block_s: float = setting(1.0, "s", "resampled whole: longer than most fixations, about a third of a second")
    gaze_resamples: int = setting(200, "1", "of the bootstrap; seed 0")
    systematic_gaze_deg: float = setting(
        6.0, "deg", "half width added: the 95th percentile of the error of 24 persons who look into the lens (GAZE.md)"
    )
    systematic_spread_deg: float = setting(
        1.5, "deg", "half width added: pictures animated at the mouth alone, whose eyes rest, spread by 1.2 to 1.6"
    )
    systematic_vergence_deg: float = setting(
        12.0, "deg", "half width added: two standard deviations of it between authentic dev clips (GAZE.md)"
    )
    systematic_iris: float = setting(
        0.1,
        "1",
        "half width added: 69 of 72 authentic dev clips lie that near 1, turned heads farthest off (GAZE.md)",
    )

    @property
    def dispersion(self) -> float:
        """Variance over mean of a count in which a share ``double_blinks`` of Poisson events has a second."""
        return (1 + 3 * self.double_blinks) / (1 + self.double_blinks)

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ParameterError(f"a task is one of {', '.join(TASKS)}", self.task)

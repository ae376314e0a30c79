"""How blinks are told: the method's name and version, ranges, and every value that was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.errors import ParameterError
from forensics.method import Method, setting

METHOD = Method("blinks from the eye aspect ratio", "2", "Soukupová & Čech 2016; Garwood 1936")

#: Ranges of blink rates by task, 1/min, in the studies reviewed by Doughty 2001. Persons scatter more widely.
TASKS = {"reading": (1.4, 14.4), "rest": (8.0, 21.0), "conversation": (10.5, 32.5), "unknown": (1.4, 32.5)}


@dataclass(frozen=True)
class Settings:
    task: str = setting("unknown", "", "the analyst's; unknown takes the widest of the published ranges")
    baseline_s: float = setting(2.0, "s", "half window for the open eye: long against a closure, short against gaze")
    baseline_percentile: float = setting(90.0, "%", "the open eye among blinks; holds with eyes shut most of the time")
    shallowest: float = setting(0.45, "1", "of full closure; on dev clips landmark noise reaches 0.3")
    least_prominence: float = setting(0.35, "1", "a dip stands out by this from both sides")
    longest_s: float = setting(0.5, "s", "at half depth; blinks last 0.1-0.4 s, longer ones are closures or glances")
    complete: float = setting(0.75, "1", "depth from which a closure counts as complete")
    together_s: float = setting(0.1, "s", "both eyes' deepest points lie within this")
    widest_yaw: float = setting(35.0, "deg", "beyond it the far eye's corners are hidden")
    smallest_eye_px: float = setting(12.0, "px", "corner to corner; under it the lids are under 4 px apart")
    lowest_fps: float = setting(12.0, "1/s", "a blink of 0.15 s must be seen at least once near its peak")
    least_recall: float = setting(
        0.67,
        "1",
        "lower 95 % end of the share of blinks found, 17 of 19 counted by eye "
        "(`make real`): widens the rate's upper end",
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

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ParameterError(f"a task is one of {', '.join(TASKS)}", self.task)

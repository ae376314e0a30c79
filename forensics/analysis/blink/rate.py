"""How many blinks a minute, how long they last, and what so few seconds can say of it. Pure.

Which interval? Blinks do not come by chance at a steady rate, which is what the exact Poisson interval (Garwood 1936)
supposes: one person's rate varies by a third between stretches of minutes (Cruz et al. 2011), and where it does, that
interval misses the truth in 4 of 10 clips of 40 blinks (``tests/coverage_rates.py``). So the interval printed for
``blink_rate`` is the wider, over-dispersed one, the only one of the two that a witness can stand by without knowing how
this person blinks; Garwood's stands beside it as ``blink_rate_steady``, what would hold at a steady rate. A rate is
marked only where both lie below the range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.analysis.blink.settings import METHOD, TASKS, Settings
from forensics.finding import Measurement
from forensics.statistics import LEVEL, clustered_interval, poisson_interval
from forensics.timeline import Interval, intersection, total_s

#: Chances of no blink for which the length of a clip is told.
CHANCES = (0.05, 0.01)


def measure_rate(
    n: int, visible_s: float, settings: Settings, level: float = LEVEL, spoken: float | None = None
) -> Measurement:
    """Blinks per minute, ``n`` in ``visible_s``, with the over-dispersed interval of this person's usual rate.

    The upper end allows for blinks that the detector misses. ``spoken``: the share of the visible time with speech,
    which is told but chooses no range.
    """
    lowest, highest = TASKS[settings.task]
    steady, clustered = counts(n, settings, level)
    per_minute = 60 / visible_s
    return Measurement(
        "blink_rate",
        n * per_minute,
        "1/min",
        clustered[0] * per_minute,
        clustered[1] * per_minute,
        level,
        n,
        METHOD.name,
        f"{lowest} to {highest} 1/min, range of the studies reviewed, task {settings.task} (Doughty 2001)."
        f"{talking(spoken, settings)} Only a rate is marked of which both intervals, steady and "
        "over-dispersed, lie below: high rates are a trait of persons and tasks.",
        unusual=max(steady[1], clustered[1]) * per_minute < lowest,
    )


def measure_steady_rate(n: int, visible_s: float, settings: Settings, level: float = LEVEL) -> Measurement:
    """The same rate with the exact Poisson interval (Garwood 1936), its upper end widened alike; never marked."""
    low, high = counts(n, settings, level)[0]
    per_minute = 60 / visible_s
    return Measurement(
        "blink_rate_steady",
        n * per_minute,
        "1/min",
        low * per_minute,
        high * per_minute,
        level,
        n,
        METHOD.name,
        "none: for comparison, what would hold if blinks came by chance at a steady rate",
    )


def counts(n: int, settings: Settings, level: float = LEVEL) -> tuple[tuple[float, float], tuple[float, float]]:
    """Intervals of the expected count after ``n`` blinks found: at a steady rate, and over-dispersed."""
    intervals = (
        poisson_interval(n, level),
        clustered_interval(n, settings.rate_variation, settings.dispersion, level),
    )
    steady, clustered = ((low, high / settings.least_recall) for low, high in intervals)  # some blinks are missed
    return steady, clustered


# -- the task --------------------------------------------------------------------------------------------------------


def spoken_share(covered: Sequence[Interval], speech: Sequence[Interval] | None) -> float | None:
    """Share of the visible time in which speech is heard; None without sound or visible time."""
    seen = total_s(covered)
    return None if speech is None or not seen else total_s(intersection(covered, speech)) / seen


def talking(spoken: float | None, settings: Settings) -> str:
    """What the speech heard would say of a task that the analyst left open; "" where nothing."""
    if settings.task != "unknown" or spoken is None or spoken <= settings.most_spoken:
        return ""
    lowest, highest = TASKS["conversation"]
    return (
        f" Speech fills {100 * spoken:.0f} % of the visible time: if this person talks, the range is {lowest} to "
        f"{highest} 1/min (task conversation), which the analyst may choose; it was not used."
    )


# -- absence ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Absence:
    """Seconds of visible eyes that a task's lowest rate (1/min) needs before no blink says anything.

    ``steady`` and ``clustered``: until no blink has the CHANCES given; ``marked``: from which ``measure_rate`` marks
    it, which also allows for blinks that were not found.
    """

    task: str
    lowest: float
    steady: tuple[float, ...]
    clustered: tuple[float, ...]
    marked: float


def absences(settings: Settings) -> tuple[Absence, ...]:
    """How long a clip must be before an absence says anything: one row a task."""
    marked = max(high for _, high in counts(0, settings))
    return tuple(
        Absence(
            task,
            lowest,
            tuple(60 / lowest * blinks_missing(p, 0.0, 1.0) for p in CHANCES),
            tuple(60 / lowest * blinks_missing(p, settings.rate_variation, settings.dispersion) for p in CHANCES),
            60 / lowest * marked,
        )
        for task, (lowest, _) in TASKS.items()
    )


def blinks_missing(chance: float, variation: float, dispersion: float) -> float:
    """Expected blinks of which none comes with probability ``chance``: the model of ``clustered_interval``."""
    if variation == 0:
        return float(-dispersion * np.log(chance))
    return float(dispersion * (chance ** -(variation**2) - 1) / variation**2)


def none_by_chance(expected: np.ndarray, variation: float, dispersion: float) -> np.ndarray:
    """Probability of no blink where ``expected`` (n,) come on average: ``blinks_missing`` the other way round."""
    bursts = expected / dispersion
    return np.exp(-bursts if variation == 0 else -np.log1p(variation**2 * bursts) / variation**2)


def markdown(rows: Sequence[Absence]) -> str:
    """The table of absences, seconds rounded up."""
    lines = [
        "| task | lowest rate 1/min | no blink ≤ 5 %, steady | ≤ 1 %, steady | ≤ 5 %, over-dispersed "
        "| ≤ 1 %, over-dispersed | marked from |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = " | ".join(f"{np.ceil(s):.0f} s" for s in (*row.steady, *row.clustered, row.marked))
        lines.append(f"| {row.task} | {row.lowest} | {cells} |")
    return "\n".join(lines)


# -- duration --------------------------------------------------------------------------------------------------------

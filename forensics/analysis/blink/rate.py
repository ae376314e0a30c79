"""How many blinks a minute, how long they last, and what so few seconds can say of it. Pure."""

from __future__ import annotations

import numpy as np
import scipy

from forensics.analysis.blink.events import Closure
from forensics.analysis.blink.settings import METHOD, TASKS, Settings
from forensics.finding import Measurement
from forensics.statistics import poisson_interval


def measure_rate(n: int, visible_s: float, settings: Settings, level: float = 0.95) -> Measurement:
    """Blinks per minute with the exact Poisson interval (Garwood 1936) for ``n`` blinks in ``visible_s``.

    The upper end allows for blinks that the detector misses.
    """
    low, high = poisson_interval(n, level)
    high /= settings.least_recall  # some blinks are missed
    per_minute = 60 / visible_s
    lowest, highest = TASKS[settings.task]
    return Measurement(
        "blink_rate",
        n * per_minute,
        "1/min",
        low * per_minute,
        high * per_minute,
        level,
        n,
        METHOD.name,
        f"{lowest} to {highest} 1/min, range of the studies reviewed, task {settings.task} (Doughty 2001). "
        "Only a rate whose whole "
        "interval lies below is marked: high rates are a trait of persons and tasks.",
        unusual=high * per_minute < lowest,
    )


def measure_duration(pairs: list[tuple[Closure, Closure]]) -> Measurement | None:
    """Median time between half-depth crossings, mean of both eyes, with its distribution-free interval."""
    if not pairs:
        return None
    durations = np.sort([np.mean([c.end_s - c.start_s for c in pair]) * 1000 for pair in pairs])
    n = len(durations)
    # Order statistics around the median; below 6 blinks none reach 95 %, so no interval is given.
    k = int(scipy.stats.binom.ppf(0.025, n, 0.5))
    has = n >= 6
    return Measurement(
        "blink_duration",
        float(np.median(durations)),
        "ms",
        float(durations[k - 1]) if has else None,
        float(durations[n - k]) if has else None,
        0.95 if has else None,
        n,
        METHOD.name,
        "none applied: at half depth, so shorter than whole blinks; one picture lasts 17 to 42 ms",
    )

"""Where does each eye look, do both look together, and what do their irises measure? Pure.

The eyeball is a sphere that the head carries: its centre stands at a fixed place beside the middle of the eye's
corners, the iris at a fixed reach from it. Where the iris stands in the picture then gives the eye's direction, first
against the camera, then, with the head's rotation taken off, in the head. The person's own iris gives the millimetres.
Reference: Ishikawa et al. 2004 (eyeball against the eye's corners); Vakunov & Lagun 2020 (iris diameter).
Not to be trusted: for one person's absolute angles, off by the systematic part; behind strong or shining glasses; on
dark eyes without a visible rim; where a squint or an artificial eye is not known. The landmark model is a learned
average: odd pupils, iris colours and small defects of shape do not show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forensics.analysis.blink.settings import Settings
from forensics.finding import About, Finding, Measurement, Question
from forensics.method import Method
from forensics.timeline import FaceTrack, Interval, chunks, inside, repeatability, runs

if TYPE_CHECKING:
    from forensics.scene import Scene

METHOD = Method("gaze from iris landmarks on a fixed eyeball", "1", "Ishikawa et al. 2004; Vakunov & Lagun 2020")

#: Landmarks of the person's right eye, then the left: outer and inner corner; middle of the upper and the lower lid;
#: centre of the iris; its rim at the picture's right, top, left and bottom of an upright face.
LANDMARKS = np.array([[33, 133, 159, 145, 468, 469, 470, 471, 472], [263, 362, 386, 374, 473, 474, 475, 476, 477]])
OUTER, INNER, UPPER, LOWER, IRIS, RIGHTMOST, TOP, LEFTMOST, BOTTOM = range(9)

#: Diameter of the visible iris, mm, nearly the same in all people: 11.7 +- 0.5 (Vakunov & Lagun 2020).
IRIS_MM = 11.7
#: From the eyeball's centre to the plane of the iris' rim, mm: on a sphere of 12 mm radius (adults' eyeballs are 24 mm
#: across: Bekerman et al. 2014) that is where a circle of the iris' diameter lies.
REACH_MM = float(np.sqrt(12.0**2 - (IRIS_MM / 2) ** 2))
#: Centre of the eyeball from the middle of the eye's corners, mm in the head: to the temple, up, to the front. Fitted
#: to persons who by eye look into the lens (`python tests/real/gaze.py` prints the fit, and its error for persons left
#: out), so that it also holds the usual angle between the eye's axis and its line of sight.
CENTRE_MM = (1.3, 1.9, -2.5)
#: Passes of finding the iris' own size, which tells the direction, which tells the iris' foreshortening: at 35 deg each
#: halves what is wrong. And pictures looked at for it, evenly spaced.
ROUNDS, SIZED_PICTURES = 16, 400
#: Pictures of a person taken into the medians and their bootstrap, evenly spaced.
MOST_PICTURES = 6000

LIMITS = (
    "Angles of one person are off by some degrees that no clip tells: eyes, lids and corners differ between people.",
    "The landmark model has learned round irises of usual size: what is odd in an eye is partly smoothed away.",
    "A head's rotation that is measured wrongly moves both eyes alike, which raises their agreement.",
    "The scatter of repeated looks holds the iris and the corners, not the head's rotation.",
)
ALTERNATIVES = (
    "Reading, a second screen or a person beside the camera draws the gaze away from the lens.",
    "Squint, nystagmus, an artificial eye, contact lenses and glasses change direction, agreement and size.",
    "A lip-synced recording keeps the eyes of its source, so gaze says nothing about it.",
)
GAZE = Question(
    "blink.gaze",
    "The eyes were generated or replaced, so that they do not move or measure as a pair of eyes does.",
    "The eyes were recorded from a person.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)


@dataclass(frozen=True)
class Gaze:
    """Both eyes in n pictures, the person's right eye first; NaN = not measured.

    ``camera`` and ``head`` (n, 2, 2): azimuth and elevation of each eye in deg, against the line from the face to the
    camera and in the head; azimuth positive to the picture's right, elevation positive up. ``iris`` (n, 2): diameter
    over the distance of the outer corners; ``roundness`` (n, 2): its height over its width, as seen from the front.
    """

    t_s: np.ndarray
    camera: np.ndarray
    head: np.ndarray
    iris: np.ndarray
    roundness: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Gaze:
        return Gaze(self.t_s[rows], self.camera[rows], self.head[rows], self.iris[rows], self.roundness[rows])

    @property
    def seen(self) -> np.ndarray:
        """Pictures (n,) in which both eyes were measured."""
        return np.isfinite(self.head).all((1, 2))

    @property
    def vergence(self) -> np.ndarray:
        """How far both lines of sight close in on each other (n,), deg: positive where they meet before the face."""
        return self.head[:, 0, 0] - self.head[:, 1, 0]


# -- signal ----------------------------------------------------------------------------------------------------------


def eye_points(landmarks: np.ndarray) -> np.ndarray:
    """``LANDMARKS`` of landmarks (..., 478, 3) px as (..., 2, 9, 3), y up and z to the viewer."""
    return landmarks[..., LANDMARKS, :].astype(float) * np.array([1.0, -1.0, -1.0])


def directions(eyes: np.ndarray, rotation: np.ndarray, iris_share: float) -> np.ndarray:
    """Unit vectors (..., 2, 3) of both eyes' directions in the camera's frame, NaN where no eyeball fits.

    ``eyes`` as ``eye_points`` gives them; ``rotation`` (..., 3, 3) of the head; ``iris_share``: the iris' diameter over
    the distance of the outer corners.
    """
    temporal, up, front = CENTRE_MM
    centres = np.array([[-temporal, up, front], [temporal, up, front]]) @ np.swapaxes(rotation, -1, -2)
    across = (offsets_mm(eyes, iris_share) - centres[..., :2]) / REACH_MM
    left = 1 - (across**2).sum(-1, keepdims=True)
    fits = left > 0.1  # under 72 deg: no eye turns so far
    return np.where(fits, np.concatenate([across, np.sqrt(np.where(fits, left, 0))], -1), np.nan)


def offsets_mm(eyes: np.ndarray, iris_share: float) -> np.ndarray:
    """Where each iris stands in the picture against the middle of its eye's corners (..., 2 eyes, 2), mm."""
    offset = eyes[..., IRIS, :2] - eyes[..., (OUTER, INNER), :2].mean(-2)
    return offset * (IRIS_MM / (iris_share * corner_distance(eyes)))[..., None, None]


def corner_distance(eyes: np.ndarray) -> np.ndarray:
    """Distance of the eyes' outer corners (...,) px, in depth too, so that a turning head keeps it; NaN for none."""
    distance = np.linalg.norm(eyes[..., 0, OUTER, :] - eyes[..., 1, OUTER, :], axis=-1)
    return np.where(distance > 0, distance, np.nan)


def axes(eyes: np.ndarray, rotation: np.ndarray, looks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Width and height (..., 2) px of both irises as if seen from the front; ``looks`` as ``directions`` gives them.

    A disc that faces n shows sqrt(1 - (n.u)^2) of its diameter along u.
    """
    along = rotation[..., :2, 0] / np.linalg.norm(rotation[..., :2, 0], axis=-1, keepdims=True)
    upright = np.stack([-along[..., 1], along[..., 0]], -1)
    shown = [
        np.linalg.norm(eyes[..., a, :2] - eyes[..., b, :2], axis=-1)
        / np.sqrt(1 - np.einsum("...ei,...i->...e", looks[..., :2], u) ** 2)
        for a, b, u in ((RIGHTMOST, LEFTMOST, along), (TOP, BOTTOM, upright))
    ]
    return shown[0], shown[1]


def in_head(looks: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """``looks`` (..., 2, 3) as the head (..., 3, 3) has them: the head's own rotation taken off."""
    return looks @ rotation


def angles(vectors: np.ndarray) -> np.ndarray:
    """Azimuth and elevation (..., 2) in deg of unit vectors (..., 3)."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.degrees(np.stack([np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))], -1))


def gaze(track: FaceTrack, settings: Settings, frozen: Sequence[Interval] = ()) -> Gaze:
    """Both eyes over the pictures of a track; NaN where turned away, small, half shut, or the picture is ``frozen``."""
    eyes = np.concatenate([eye_points(track.landmarks[rows]) for rows in chunks(len(track.t_s), 512)])
    rotation, fit = _rotation(track.transform[:]), _fit(track, settings) & ~inside(track.t_s, frozen)
    share = iris_share(eyes[fit], rotation[fit])
    looks = directions(eyes, rotation, share)
    opening = np.linalg.norm(eyes[..., UPPER, :2] - eyes[..., LOWER, :2], axis=-1)
    shown = opening >= settings.least_iris_shown * share * corner_distance(eyes)[:, None]
    looks[~(shown & fit[:, None])] = np.nan
    width, height = axes(eyes, rotation, looks)
    own = angles(in_head(looks, rotation))
    return Gaze(track.t_s, angles(looks), own, width / corner_distance(eyes)[:, None], height / width)


def iris_share(eyes: np.ndarray, rotation: np.ndarray) -> float:
    """The person's own iris diameter over the distance of the outer corners, median over pictures; NaN without any."""
    keep = np.linspace(0, len(eyes) - 1, min(len(eyes), SIZED_PICTURES)).astype(int)
    eyes, rotation = eyes[keep], rotation[keep]
    across = np.linalg.norm(eyes[..., RIGHTMOST, :2] - eyes[..., LEFTMOST, :2], axis=-1)
    share = _median(across.mean(-1) / corner_distance(eyes))
    for _ in range(ROUNDS):
        width, _ = axes(eyes, rotation, directions(eyes, rotation, share))
        share = _median(width.mean(-1) / corner_distance(eyes))
    return share


def _median(values: np.ndarray) -> float:
    """Of what is positive; NaN without any."""
    good = values[values > 0]
    return float(np.median(good)) if len(good) else float("nan")


def gaze_again(track: FaceTrack, settings: Settings) -> np.ndarray:
    """Azimuth and elevation in the head (m, k, 2 eyes, 2), deg, in the k copies of the m sampled pictures that are fit.

    The copies have the head's rotation in common.
    """
    none = np.zeros((0, 2, 2, 2))
    if track.repeats is None:
        return none
    fit = _fit(track, settings)
    chosen, rows = fit[track.repeats.row], np.flatnonzero(fit)
    if not chosen.any():
        return none
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), SIZED_PICTURES)).astype(int)]
    share = iris_share(eye_points(track.landmarks[rows]), _rotation(track.transform[rows]))
    eyes = eye_points(track.repeats.landmarks[chosen])
    rotation = _rotation(track.transform[track.repeats.row[chosen]])[:, None]
    found = angles(in_head(directions(eyes, rotation, share), rotation))
    return found[np.isfinite(found).all((1, 2, 3))]


def _rotation(transform: np.ndarray) -> np.ndarray:
    return transform[..., :3, :3] / np.linalg.norm(transform[..., :3, :3], axis=-2, keepdims=True)


def _fit(track: FaceTrack, settings: Settings) -> np.ndarray:
    """Pictures (n,) in which the irises are large enough and not turned away."""
    return (np.abs(track.quality["yaw"].values) <= settings.widest_gaze_yaw) & (
        track.quality["eye_width"].values >= settings.smallest_gaze_px
    )


# -- measurements ----------------------------------------------------------------------------------------------------


def spread(found: Gaze) -> float:
    """5th to 95th percentile of both eyes' mean azimuth in the head, deg."""
    return float(np.ptp(np.percentile(found.head[:, :, 0].mean(1), (5, 95))))


def agreement(found: Gaze) -> float:
    """Correlation of both eyes' azimuths in the head, -1 to 1; NaN where an eye does not move at all."""
    away = found.head[:, :, 0] - found.head[:, :, 0].mean(0)
    size = float(np.sqrt((away**2).sum(0).prod()))
    return float(away.prod(1).sum()) / size if size > 0 else float("nan")


@dataclass(frozen=True)
class _Quantity:
    """A measurement to be: its statistic of all pictures, the setting that is its systematic part, what it says."""

    name: str
    unit: str
    of: Callable[[Gaze], float]
    systematic: str
    reference: str
    least: float = -np.inf  # what the quantity cannot fall below


QUANTITIES = (
    _Quantity(
        "gaze_azimuth",
        "deg",
        lambda g: float(np.median(g.camera[:, :, 0])),
        "systematic_gaze_deg",
        "none published: a fact; against the camera, 0 = into the lens, positive to the picture's right",
    ),
    _Quantity(
        "gaze_elevation",
        "deg",
        lambda g: float(np.median(g.camera[:, :, 1])),
        "systematic_gaze_deg",
        "none published: a fact; against the camera, 0 = into the lens, positive up",
    ),
    _Quantity(
        "gaze_spread",
        "deg",
        spread,
        "systematic_spread_deg",
        "none published: a fact; 5th to 95th percentile of both eyes' mean sideways direction in the head, the "
        "landmarks' scatter included",
        least=0.0,
    ),
    _Quantity(
        "vergence",
        "deg",
        lambda g: float(np.median(g.vergence)),
        "systematic_vergence_deg",
        "none published for a camera: a fact; 0 = as in persons who look into the lens, positive = turned in",
    ),
    _Quantity(
        "iris_ratio",
        "1",
        lambda g: float(np.median(g.iris[:, 1] / g.iris[:, 0])),
        "systematic_iris",
        "none published for a camera: a fact; left over right diameter",
    ),
    _Quantity(
        "iris_roundness",
        "1",
        lambda g: float(np.median(g.roundness)),
        "systematic_iris",
        "none published: a fact; height over width, lowered by lids and smoothed by the landmark model",
    ),
)
AGREEMENT = _Quantity(
    "gaze_agreement",
    "1",
    agreement,
    "",
    "none published: a fact; correlation of both eyes' sideways direction in the head, lowered by the landmark scatter",
)


def measured(parts: Sequence[Gaze], error: Measurement | None, settings: Settings) -> list[Measurement]:
    """The measurements of all pictures in which both eyes were seen; n is the stretches of time that are resampled.

    Agreement is left out where the eyes move too little against the landmarks' own scatter, or it was not sampled.
    """
    found, block = _joined(parts, settings)
    stuck = found.head[:, :, 0].std(0).min() == 0  # nothing can agree with it
    moves = error is not None and not stuck and spread(found) >= settings.least_gaze_motion * error.value
    made = (*QUANTITIES, AGREEMENT) if moves else QUANTITIES
    drawn = _resampled(found, block, made, settings)
    return [
        _measurement(quantity, quantity.of(found), values, int(block.max()) + 1, settings)
        for quantity, values in zip(made, drawn.T, strict=True)
    ]


def _measurement(what: _Quantity, value: float, drawn: np.ndarray, blocks: int, settings: Settings) -> Measurement:
    """With the interval of the resamples ``drawn``, if there are three stretches of time, and the systematic part."""
    bounds: tuple[float | None, float | None] = (None, None)
    if blocks >= 3:
        low, high = np.percentile(drawn[np.isfinite(drawn)], (2.5, 97.5))
        systematic = getattr(settings, what.systematic) if what.systematic else 0.0
        bounds = (max(what.least, min(low, value) - systematic), max(high, value) + systematic)
    return Measurement(
        what.name, value, what.unit, *bounds, 0.95 if blocks >= 3 else None, blocks, METHOD.name, what.reference
    )


def _joined(parts: Sequence[Gaze], settings: Settings) -> tuple[Gaze, np.ndarray]:
    """All pictures with both eyes, at most ``MOST_PICTURES``, and the number (n,) of each one's stretch of time."""
    found = [part[part.seen] for part in parts]
    keys = [np.column_stack([np.full(len(g.t_s), k), g.t_s // settings.gaze_block_s]) for k, g in enumerate(found)]
    joined = Gaze(*(np.concatenate([getattr(g, name) for g in found]) for name in Gaze.__dataclass_fields__))
    step = -(-len(joined.t_s) // MOST_PICTURES)
    block = np.unique(np.concatenate(keys)[::step], axis=0, return_inverse=True)[1]
    return joined[np.arange(0, len(joined.t_s), step)], block.ravel()


def _resampled(found: Gaze, block: np.ndarray, quantities: Sequence[_Quantity], settings: Settings) -> np.ndarray:
    """Values (resamples, quantities) where stretches of time are drawn with replacement: neighbours err together."""
    rows = np.split(np.arange(len(block)), np.flatnonzero(np.diff(block)) + 1)
    draws = np.random.default_rng(0).integers(0, len(rows), (settings.gaze_resamples, len(rows)))
    samples = (found[np.concatenate([rows[k] for k in draw])] for draw in draws)
    return np.array([[quantity.of(sample) for quantity in quantities] for sample in samples])


def measure_error(tracks: Sequence[FaceTrack], settings: Settings) -> Measurement | None:
    """Repeatability of one eye's azimuth, a standard deviation; None where it was not sampled."""
    parts = [part for track in tracks if len(part := gaze_again(track, settings))]
    if not parts:
        return None
    again = np.concatenate(parts)
    return Measurement(
        "gaze_error",
        repeatability(again[..., 0]),
        "deg",
        None,
        None,
        None,
        len(again),
        "repeated detection in shifted and rescaled copies",
        "none: a standard deviation of one eye's horizontal direction; it holds the model's scatter, not its bias",
    )


# -- verdict ---------------------------------------------------------------------------------------------------------


def refusals(
    tracks: Sequence[FaceTrack], parts: Sequence[Gaze], error: Measurement | None, settings: Settings
) -> tuple[str, ...]:
    """Reason codes why these eyes' gaze cannot be assessed; empty where it can."""
    eye = np.concatenate([t.quality["eye_width"].values for t in tracks])
    yaw = np.abs(np.concatenate([t.quality["yaw"].values for t in tracks]))
    reasons = []
    if np.median(eye) < settings.smallest_gaze_px:
        reasons.append("eyes_too_small")
    if np.median(yaw) > settings.widest_gaze_yaw:
        reasons.append("head_turned")
    if reasons:
        return tuple(reasons)
    if error is not None and error.value > settings.most_gaze_error_deg:
        return ("landmarks_uncertain",)
    in_view = sum(_fit(t, settings).mean() * t.interval.duration for t in tracks)
    if sum(g.seen.mean() * t.interval.duration for g, t in zip(parts, tracks, strict=True)) >= settings.shortest_gaze_s:
        return ()
    return ("irises_hidden",) if in_view >= settings.shortest_gaze_s else ("too_few_visible_seconds",)


def assess_gaze(
    person: str, tracks: list[FaceTrack], examined: Interval, settings: Settings, frozen: Sequence[Interval] = ()
) -> Finding:
    """Direction of each eye, vergence and iris of this person over time; ``frozen`` pictures show nothing."""
    parts = [gaze(track, settings, frozen) for track in tracks]
    covered = [
        Interval(float(g.t_s[a]), float(g.t_s[b]) if b < len(g.t_s) else t.interval.end_s)
        for t, g in zip(tracks, parts, strict=True)
        for a, b in runs(g.seen)
    ]
    about = About(examined, settings, covered, person, tuple(t.name for t in tracks))
    error = measure_error(tracks, settings)
    if reasons := refusals(tracks, parts, error, settings):
        return GAZE.refuse(about, *reasons)
    values = measured(parts, error, settings)
    return GAZE.answer(
        about,
        measurements=(*values, *([error] if error else [])),
        evidence={"gaze": parts, "examined": examined},
    )


def assess_all(scene: Scene, settings: Settings) -> list[Finding]:
    """One finding a person; one refusal where there is nobody."""
    if not scene.persons:
        return [GAZE.refuse(About(scene.interval, settings), scene.nobody)]
    return [
        assess_gaze(person, tracks, scene.interval, settings, scene.freezes) for person, tracks in scene.persons.items()
    ]

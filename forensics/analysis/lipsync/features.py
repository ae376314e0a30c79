"""What the learned comparison takes from picture and sound: the lips' shape without the head's pose; bands. Pure."""

from __future__ import annotations

import numpy as np
import scipy

from forensics.analysis.lipsync.signal import GRID_HZ
from forensics.timeline import FaceTrack, Series, chunks

#: Landmarks that no speech moves (corners of the eyes, bridge of the nose, forehead, temples, brows) and where they lie
#: in a face seen from the front: mean of the development set, in units of their distance from their middle (root mean
#: square), x right, y down, z away from the camera.
RIGID = {
    33: (-0.95, 0.15, 0.15),
    133: (-0.38, 0.17, 0.04),
    263: (0.95, 0.15, 0.15),
    362: (0.38, 0.17, 0.04),
    6: (0.0, 0.23, -0.42),
    168: (0.0, 0.06, -0.31),
    197: (0.0, 0.38, -0.53),
    195: (0.0, 0.50, -0.66),
    10: (0.0, -0.94, -0.16),
    8: (0.0, -0.13, -0.32),
    9: (0.0, -0.32, -0.34),
    151: (0.0, -0.64, -0.26),
    127: (-1.5, 0.25, 1.23),
    356: (1.5, 0.25, 1.23),
    46: (-1.17, -0.14, 0.07),
    276: (1.17, -0.14, 0.07),
}
#: Lips, jaw, cheeks and what lies between: landmarks of the right half with their mirror images; of the middle line.
MIRRORED = (
    *((61, 291), (146, 375), (91, 321), (181, 405), (84, 314), (185, 409), (40, 270), (39, 269), (37, 267)),
    *((78, 308), (95, 324), (88, 318), (178, 402), (87, 317), (191, 415), (80, 310), (81, 311), (82, 312)),
    *((148, 377), (176, 400), (149, 378), (150, 379), (136, 365), (172, 397), (50, 280), (205, 425), (187, 411)),
)
MIDDLE = (17, 0, 14, 13, 152, 2, 164, 18, 200)
#: Blendshapes of jaw and mouth; left and right are averaged.
SHAPES = (
    *((23,), (25,), (27,), (28, 29), (30, 31), (32,), (34, 35), (36, 37), (38,), (40,), (41,), (42,), (43,)),
    *((44, 45), (46, 47), (48, 49), (24, 26), (33, 39)),
)
#: Bring landmarks and blendshapes to the order of 1, so that one ridge fits both.
LANDMARK_SCALE, SHAPE_SCALE = 20.0, 4.0
#: Columns of ``lip_shapes``.
N_LIPS = 3 * len(MIRRORED) + 2 * len(MIDDLE) + len(SHAPES)
#: Smoothing of the lips (half a picture at 25/s), of the bands, and of the bands' slope; standard deviations in s.
LIPS_SMOOTHING_S, SOUND_SMOOTHING_S, SLOPE_SMOOTHING_S = 0.020, 0.015, 0.020
#: Slower changes of the mouth (a smile, the head's pose) are taken out: standard deviation of the mean around, in s.
SLOW_S = 1.0
#: What lies farther from an instant counts nothing there: where the Gaussians are cut off.
REACH_S = 4 * (SLOW_S + LIPS_SMOOTHING_S)


def without_pose(points: np.ndarray, rigid: np.ndarray) -> np.ndarray:
    """``points`` (n, k, 3) turned, scaled and moved so that ``rigid`` (n, 16, 3) of the face fit ``RIGID`` (Kabsch)."""
    target = np.array(list(RIGID.values()))
    target = target - target.mean(0)
    middle = rigid.mean(1, keepdims=True)
    u, s, vt = np.linalg.svd(np.swapaxes(rigid - middle, 1, 2) @ target)
    sign = np.ones_like(s)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))  # a turn, never a mirror image
    size = np.maximum(((rigid - middle) ** 2).sum((1, 2)), 1e-12)
    turn = (u * sign[:, None]) @ vt
    return (points - middle) @ turn * ((s * sign).sum(1) / size)[:, None, None]


def lip_shapes(track: FaceTrack, pictures: slice = slice(None)) -> np.ndarray:
    """Shape of the mouth's surroundings and its blendshapes, picture by picture: (n, N_LIPS)."""
    right, left = np.array(MIRRORED).T
    rigid, parts = list(RIGID), []
    start, stop, _ = pictures.indices(len(track.t_s))
    for rows in (slice(start + part.start, start + part.stop) for part in chunks(stop - start, 512)):
        points = np.asarray(track.landmarks[rows], float)
        chosen = [*right, *left, *MIDDLE]
        still = without_pose(points[:, chosen], points[:, rigid])
        a, b, middle = np.split(still, [len(right), 2 * len(right)], axis=1)
        both = (a * (1, 1, 1) + b * (-1, 1, 1)) / 2  # speech moves both halves alike
        shapes = np.asarray(track.blendshapes[rows], float)
        blended = np.stack([shapes[:, list(some)].mean(1) for some in SHAPES], 1)
        parts.append(
            np.concatenate(
                [
                    LANDMARK_SCALE * both.reshape(len(points), -1),
                    LANDMARK_SCALE * middle[:, :, 1:].reshape(len(points), -1),
                    SHAPE_SCALE * blended,
                ],
                1,
            )
        )
    return np.concatenate(parts)


def lips_on(track: FaceTrack, grid: np.ndarray, longest_gap_s: float) -> np.ndarray:
    """``lip_shapes`` without slow changes on ``grid`` (n,), by 10 ms: (n, N_LIPS); NaN where the face was not seen."""
    first, behind = np.searchsorted(track.t_s, (grid[0], grid[-1]))
    near = slice(max(0, int(first) - 1), int(behind) + 1)  # and a picture beyond each end, to lead over to
    t_s, shapes = track.t_s[near], lip_shapes(track, near)
    seen = np.isfinite(Series("", t_s, shapes[:, 0], "1").at(grid, longest_gap_s))
    if not seen.any():
        return np.full((len(grid), N_LIPS), np.nan)
    own = slice(int(seen.argmax()), len(seen) - int(seen[::-1].argmax()))
    # Holes are bridged for the filters and stay holes.
    whole = np.stack([np.interp(grid[own], t_s, column) for column in shapes.T], 1)
    whole = scipy.ndimage.gaussian_filter1d(whole, LIPS_SMOOTHING_S * GRID_HZ, axis=0)
    whole -= _slow(whole)
    made = np.full((len(grid), N_LIPS), np.nan)
    made[own] = whole
    made[~seen] = np.nan
    return made


def _slow(values: np.ndarray) -> np.ndarray:
    """Mean of ``values`` (n, d) around each instant, Gaussian, the ends mirrored; by FFT, as its kernel is long."""
    sigma = SLOW_S * GRID_HZ
    reach = np.arange(-round(4 * sigma), round(4 * sigma) + 1)
    kernel = np.exp(-0.5 * (reach / sigma) ** 2)
    padded = np.pad(values, ((reach[-1], reach[-1]), (0, 0)), "symmetric")
    return scipy.signal.oaconvolve(padded, (kernel / kernel.sum())[:, None], "valid", axes=0)


def sound_on(spectrum: Series, grid: np.ndarray, floor_percentile: float) -> np.ndarray:
    """Bands and their slopes on ``grid`` (n,), each standardised over it: (n, 2 * bands)."""
    floor = np.percentile(spectrum.values, floor_percentile, axis=0)
    bands = len(floor)
    made = np.empty((len(grid), 2 * bands), np.float32)
    for k in range(bands):
        level = np.interp(grid, spectrum.t_s, np.maximum(spectrum.values[:, k], floor[k]).astype(float))
        level = scipy.ndimage.gaussian_filter1d(level, SOUND_SMOOTHING_S * GRID_HZ)
        made[:, k] = _standard(level)
        made[:, bands + k] = _standard(scipy.ndimage.gaussian_filter1d(level, SLOPE_SMOOTHING_S * GRID_HZ, order=1))
    return made


def _standard(values: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1; 0 where nothing changes."""
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 1e-6 else np.inf)

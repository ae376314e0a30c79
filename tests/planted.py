"""Made-up faces, mouths, lids, voices and lit heads whose truth is known: what the analyses must find again.

Nothing here decodes or detects; every function is a plain formula. Seeds are arguments.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import signal
from scipy.spatial import Delaunay

from forensics import speech, tracks
from forensics.observe import Observation
from forensics.scene import Scene
from forensics.timeline import Audio, CloseUps, FaceTrack, Interval, Repeats

#: Landmarks by what they are: forehead and chin; inner and outer lips; corners and lids of each eye.
FOREHEAD, CHIN = 10, 152
INNER_LIPS, OUTER_LIPS, JAW_OPEN = (13, 14), (0, 17), 25
EYES = {"right": (33, 160, 158, 133, 153, 144), "left": (263, 387, 385, 362, 380, 373)}
OPEN_EYE = 0.3  # aspect ratio
EYE_BLINK, SHUT_SHAPE = (9, 10), 0.62  # left and right; what the model gives for shut eyes


# -- time --------------------------------------------------------------------------------------------------------------


def pictures_s(fps, seconds, start_s=0.0):
    """Times of pictures at a constant rate."""
    return start_s + np.arange(round(seconds * fps)) / fps


def uneven_s(fps, seconds, seed=0):
    """Times of pictures as a telephone takes them: steps of 0.6 to 1.4 times the usual, one in 40 twice as long."""
    random = np.random.default_rng(seed)
    steps = random.uniform(0.6, 1.4, round(2 * seconds * fps)) / fps
    steps[random.random(len(steps)) < 1 / 40] *= 2
    t_s = np.cumsum(steps)
    return t_s[t_s < seconds]


# -- faces -------------------------------------------------------------------------------------------------------------


def rotation(yaw=0.0, pitch=0.0, roll=0.0):
    """Matrix (3, 3) in the camera's frame: x right, y up, z to the viewer. Ry(yaw) Rx(pitch) Rz(roll), degrees."""
    (a, b, c), (sa, sb, sc) = np.cos(np.radians((yaw, pitch, roll))), np.sin(np.radians((yaw, pitch, roll)))
    about_y = np.array([[a, 0, sa], [0, 1, 0], [-sa, 0, a]])
    about_x = np.array([[1, 0, 0], [0, b, -sb], [0, sb, b]])
    about_z = np.array([[c, -sc, 0], [sc, c, 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def transform(yaw=0.0, pitch=0.0, roll=0.0, scale=1.0):
    made = np.eye(4)
    made[:3, :3] = scale * rotation(yaw, pitch, roll)
    made[:3, 3] = 0.0, 0.0, -60.0
    return made


def face(height_px=200.0, mouth=0.0, right_lid=1.0, left_lid=1.0, centre=(320.0, 320.0)):
    """Landmarks (n, 478, 3) px of a frontal face: gap of the lips over face height, openness 0-1 of each eye, (n,)."""
    mouth, right_lid, left_lid = np.broadcast_arrays(*(np.atleast_1d(v) for v in (mouth, right_lid, left_lid)))
    points = np.zeros((len(mouth), 478, 3))
    points[:, FOREHEAD, 1], points[:, CHIN, 1] = -0.5, 0.5
    points[:, INNER_LIPS, 1] = 0.25 + np.outer(mouth, (-0.5, 0.5))
    points[:, OUTER_LIPS, 1] = 0.25 + np.outer(mouth + 0.06, (-0.5, 0.5))
    for lid, side, eye in ((right_lid, -1, "right"), (left_lid, 1, "left")):
        outer, up1, up2, inner, low2, low1 = EYES[eye]
        width = 0.14
        points[:, outer, :2], points[:, inner, :2] = (side * 0.24, -0.1), (side * (0.24 - width), -0.1)
        gap = OPEN_EYE * width * lid
        for column, (up, low) in ((0.2, (up1, low1)), (0.14, (up2, low2))):
            points[:, (up, low), 0] = side * column
            points[:, up, 1], points[:, low, 1] = -0.1 - gap / 2, -0.1 + gap / 2
    return (points * height_px + (*centre, 0.0)).astype(np.float32)


def _lids(landmarks, eye):
    """Openness (n,) of one eye, 1 = that of ``face``."""
    outer, up1, up2, inner, low2, low1 = (landmarks[:, k, :2] for k in EYES[eye])
    gap = np.linalg.norm(up1 - low1, axis=1) + np.linalg.norm(up2 - low2, axis=1)
    width = np.linalg.norm(outer - inner, axis=1)
    return np.divide(gap, 2 * OPEN_EYE * width, out=np.ones(len(gap)), where=width > 0)


def track(t_s, landmarks, pose=None, jaw=0.0, name="A1", noise_px=0.0, seed=0, rgb=None, clipped=0.0):
    """A FaceTrack of these landmarks; ``noise_px`` is the standard deviation added to each."""
    n = len(t_s)
    shut = [1 - np.clip(_lids(landmarks, eye), 0, 1) for eye in ("left", "right")]  # before the noise
    landmarks = landmarks + np.random.default_rng(seed).normal(0, noise_px, landmarks.shape)
    blendshapes = np.zeros((n, 52), np.float32)
    blendshapes[:, JAW_OPEN] = jaw
    blendshapes[:, EYE_BLINK] = SHUT_SHAPE * np.stack(shut, 1)
    poses = np.broadcast_to(transform() if pose is None else pose, (n, 4, 4))
    rgb = np.full((n, 478, 3), 0.3) if rgb is None else rgb
    quality = tracks.quality(t_s, landmarks, poses, np.full(n, 50.0), np.full(n, clipped))
    rows = np.arange(n)
    return FaceTrack(name, t_s, rows, rows * 512, landmarks, blendshapes, poses, rgb, quality)


def scene(tracks, audio=None, spoken=None, interval=None, transfer=1, mesh=None):
    """What the analyses look at. Without ``audio`` the clip has no sound."""
    whole = interval or (tracks[0].interval if tracks else audio.interval)
    seen = np.concatenate([t.t_s for t in tracks]) if tracks else np.zeros(0)
    pictures = {"t_s": seen, "transfer": np.full(len(seen), transfer, np.int16)} if tracks else {}
    pictures |= {"repeated": np.zeros(len(seen), bool)} if tracks else {}
    return Scene(
        interval=whole,
        observation=Observation((640, 640), pictures, {}, {}, {}, {}, mesh or {}, audio, {}),
        tracks=tracks,
        brief=[],
        shots=[whole],
        freezes=[],
        speech=None if audio is None else spoken or [],
        level=None if audio is None else speech.sound_level(audio),
    )


def looked_again(track, noise_px, n=20, k=5, seed=0):
    """The track with ``k`` further looks at ``n`` of its pictures, each landmark off by ``noise_px``."""
    rows = np.linspace(0, len(track.t_s) - 1, n).astype(int)
    true = np.repeat(track.landmarks[rows][:, None], k, 1)
    noise = np.random.default_rng(seed).normal(0, noise_px, true.shape)
    return replace(track, repeats=Repeats(rows, true + noise, np.zeros((n, k, 52), np.float32)))


def looked_closely(
    track, around=(0.35, 0.2, 0.15), inside=(0.5, 0.3, 0.2), detail=(2.0, 2.0), spots=((0.1, -0.1), (0.1, -0.1)), seed=0
):
    """The track with a close-up each fifth of a second: skin of these colours around and inside, this detail (around,
    inside), one highlight in each eye at these places (in iris diameters), iris 20 px. A little noise on all."""
    rows = np.unique(np.searchsorted(track.t_s, np.arange(track.t_s[0], track.t_s[-1], 0.2)))
    n, random = len(rows), np.random.default_rng(seed)
    outside = np.arange(14) > 5.5  # the outline lies between the places at 0.95 and 1.0
    light = np.where(outside[:, None], around, inside) * random.normal(1, 0.01, (n, 36, 14, 3))
    fine = np.where(outside[:, None], detail[0], detail[1]) * random.normal(1, 0.02, (n, 36, 14, 2))
    glints = np.full((n, 2, 4, 4), np.nan)
    for eye, spot in enumerate(spots):
        if spot is not None:
            glints[:, eye, 0] = (*spot, 0.4, 0.01)
            glints[:, eye, 0, :2] += random.normal(0, 0.01, (n, 2))
    irises = np.broadcast_to((20.0, 0.9, 0.05), (n, 2, 3))
    return replace(track, closeups=CloseUps(rows, light, fine, np.full((n, 478, 2), 2.0), glints, irises))


# -- mouth and sound ---------------------------------------------------------------------------------------------------


class Talk:
    """Speech as a mouth's opening 0 to 1 at any time: about four syllables a second, of uneven size and rhythm."""

    def __init__(self, seed, seconds):
        random = np.random.default_rng(seed)
        self.at_s = np.cumsum(random.uniform(0.15, 0.42, round(seconds * 4)))
        self.at_s = self.at_s[self.at_s < seconds - 0.2]
        self.size = random.uniform(0.3, 1.0, len(self.at_s))
        self.width_s = random.uniform(0.04, 0.07, len(self.at_s))

    def opening(self, t_s):
        bumps = self.size * np.exp(-0.5 * ((np.asarray(t_s)[:, None] - self.at_s) / self.width_s) ** 2)
        return bumps.max(1)


def mouth_track(talk, t_s, height_px=200.0, noise_px=0.3, size=0.06, seed=0):
    """A face that says ``talk``."""
    opening = talk.opening(t_s)
    return track(t_s, face(height_px, size * opening), jaw=0.6 * opening, noise_px=noise_px, seed=seed)


def in_turn(first, second, at_s):
    """The sound of ``first`` until ``at_s``, that of ``second`` from then on."""
    t_s = first.start_s + np.arange(len(first.samples)) / first.rate_hz
    return replace(first, samples=np.where(t_s[:, None] < at_s, first.samples, second.samples))


def voice_of(talk, seconds, lag_s=0.0, rate_hz=16000, gain=1.0, start_s=0.0, seed=0):
    """Noise whose level follows ``talk`` over 40 dB, ``lag_s`` later than the mouth; first sample at ``start_s``."""
    t_s = start_s + np.arange(round(seconds * rate_hz)) / rate_hz
    coarse = np.arange(t_s[0], t_s[-1] + 0.002, 0.002)
    level_db = np.interp(t_s, coarse, -60 + 40 * talk.opening(coarse - lag_s))
    noise = np.random.default_rng(seed).normal(0, 1, len(t_s))
    return Audio((gain * noise * 10 ** (level_db / 20)).astype(np.float32)[:, None], rate_hz, start_s)


# -- lids --------------------------------------------------------------------------------------------------------------

CLOSING_S, OPENING_S = 0.08, 0.16


def lid(t_s, peaks_s, closing_s=CLOSING_S, opening_s=OPENING_S, shut=0.05):
    """Openness 0-1 over time: full closures at ``peaks_s``, faster to close than to open."""
    openness = np.ones(len(t_s))
    for peak in peaks_s:
        phase = np.where(t_s < peak, (peak - t_s) / closing_s, (t_s - peak) / opening_s)
        openness = np.minimum(openness, shut + (1 - shut) * np.sin(np.pi / 2 * np.clip(phase, 0, 1)) ** 2)
    return openness


# -- light -------------------------------------------------------------------------------------------------------------

#: Half axes of the head, px: narrower than high, as deep as wide.
HEAD = np.array([70.0, 100.0, 75.0])


def head_mesh():
    """Triangles (m, 3) and skin (478,) of the front of an egg; its points in half axes (478, 3), z to the viewer."""
    k = np.arange(478)
    radius, angle = np.sqrt((k + 0.5) / 478) * 0.97, k * np.pi * (3 - np.sqrt(5))  # sunflower: evenly spread
    flat = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    # The landmarks that tell a face's height lie at its top and bottom.
    for landmark, at in ((FOREHEAD, (0, 0.97)), (CHIN, (0, -0.97))):
        flat[landmark] = at
    on_sphere = np.column_stack([flat, np.sqrt(1 - (flat**2).sum(1))])
    return {"triangles": Delaunay(flat).simplices, "skin": np.ones(478, bool)}, on_sphere


def lit_track(
    azimuth,
    elevation,
    ambient=0.2,
    albedo_sd=0.0,
    yaw=0.0,
    pitch=0.0,
    n=20,
    level=0.4,
    seed=0,
    shape="even",
    clipped=0.0,
):
    """The mesh, and a track of an egg lit from one direction: the truth of ``lighting``.

    ``ambient`` is the share of the light that comes evenly from everywhere. ``shape`` "even" follows the first-order
    model (ambient + what grows with the cosine); "lambert" is matt skin, dark where it faces away.
    """
    mesh, on_sphere = head_mesh()
    turned = rotation(yaw, pitch)
    points = (on_sphere * HEAD) @ turned.T
    normals = on_sphere / HEAD  # the gradient of an ellipsoid, not the mesh's own guess
    normals = (normals / np.linalg.norm(normals, axis=1, keepdims=True)) @ turned.T
    a, e = np.radians((azimuth, elevation))
    light = np.array([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)])
    cosine = normals @ light
    shading = ambient + (1 - ambient) * (cosine if shape == "even" else np.maximum(cosine, 0))
    random = np.random.default_rng(seed)
    albedo = np.clip(random.normal(1, albedo_sd, 478), 0.3, 1.7) if albedo_sd else np.ones(478)
    rgb = np.clip(level * albedo * shading, 0, None)
    image = points * (1, -1, -1) + (320, 320, 0)  # picture: y down, z smaller = nearer
    t_s = pictures_s(25, n / 25)
    landmarks = np.broadcast_to(image, (n, 478, 3)).astype(np.float32)
    made = track(
        t_s,
        landmarks,
        pose=transform(yaw, pitch),
        rgb=np.broadcast_to(rgb[None, :, None], (n, 478, 3)),
        clipped=clipped,
    )
    return mesh, made


def swing_deg(seconds, size=15.0, fps=25, period_s=3.1):
    """Yaw (n,) of a head that turns from side to side."""
    return size * np.sin(2 * np.pi * pictures_s(fps, seconds) / period_s)


def turning_track(
    azimuth,
    elevation,
    yaw,
    follows=0.0,
    pitch=0.0,
    ambient=0.3,
    albedo=1.0,
    exposure=1.0,
    noise=0.0,
    noise_px=0.0,
    level=0.3,
    seed=0,
    fps=25,
    name="A1",
):
    """The mesh, and a track of an egg that turns by ``yaw`` (n,) deg in one light.

    ``follows`` 0: the light stays where the camera sees it; 1: it turns with the head, as painted on. ``azimuth`` and
    ``elevation``, of the light at yaw 0, may be one each or (n,). ``albedo`` (478,) is the colour of the skin.
    """
    mesh, on_sphere = head_mesh()
    n, random = len(yaw), np.random.default_rng(seed)
    azimuth, elevation, pitch, exposure = (np.broadcast_to(v, n) for v in (azimuth, elevation, pitch, exposure))
    own = on_sphere / HEAD
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    points, rgb = np.zeros((2, n, 478, 3))
    for k in range(n):
        turned = rotation(yaw[k], pitch[k])
        a, e = np.radians((azimuth[k], elevation[k]))
        light = rotation(follows * yaw[k], follows * pitch[k]) @ (
            np.cos(e) * np.sin(a),
            np.sin(e),
            np.cos(e) * np.cos(a),
        )
        shading = ambient + (1 - ambient) * (own @ turned.T) @ light
        points[k] = ((on_sphere * HEAD) @ turned.T) * (1, -1, -1) + (320, 320, 0)
        rgb[k] = (level * exposure[k] * albedo * shading)[:, None]
    rgb = np.clip(rgb + random.normal(0, noise, (n, 478, 1)), 0, None)
    poses = np.stack([transform(*angles) for angles in zip(yaw, pitch, strict=True)])
    return mesh, track(pictures_s(fps, n / fps), points, pose=poses, rgb=rgb, noise_px=noise_px, seed=seed, name=name)


# -- voices ------------------------------------------------------------------------------------------------------------


def vowel(f0_hz, seconds, rate_hz=24000, jitter=0.0, shimmer=0.0, level=0.1, seed=0):
    """A held vowel: glottal pulses at uneven periods through three resonances. ``jitter`` and ``shimmer``: shares.

    Periods differ independently, so that the mean difference of neighbours (Praat's local jitter) is
    2 / sqrt(pi) times the standard deviation; that factor is divided out.
    """
    random = np.random.default_rng(seed)
    spread = np.sqrt(np.pi) / 2
    periods = (1 + jitter * spread * random.normal(0, 1, round(2 * seconds * f0_hz))) / f0_hz
    at = np.cumsum(periods) * rate_hz
    at = at[at < seconds * rate_hz - 2]
    size = 1 + shimmer * spread * random.normal(0, 1, len(at))
    whole, part = np.floor(at).astype(int), at % 1
    pulses = np.zeros(round(seconds * rate_hz))
    np.add.at(pulses, whole, size * (1 - part))  # between samples, else the grid itself would be jitter
    np.add.at(pulses, whole + 1, size * part)
    sound = pulses
    for formant_hz, width_hz in ((700, 130), (1220, 140), (2600, 200)):
        r = np.exp(-np.pi * width_hz / rate_hz)
        sound = signal.lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * formant_hz / rate_hz), r * r], sound)
    sound = signal.lfilter([1], [1, -0.9], sound)
    return level * sound / np.abs(sound).max()


def noise(seconds, rate_hz=24000, level_db=-50.0, seed=0):
    """White noise, its power in dB re full scale."""
    return 10 ** (level_db / 20) * np.random.default_rng(seed).normal(0, 1, round(seconds * rate_hz))


def band_limited(samples, rate_hz, edge_hz):
    """Nothing above ``edge_hz``, as codecs and converters leave it, but the dither of 16 bits."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / rate_hz) > edge_hz] = 0
    return np.fft.irfft(spectrum, len(samples)) + noise(len(samples) / rate_hz, rate_hz, -98, seed=7)


def mains(hz, seconds, rate_hz=24000, level_db=-50.0, multiple=2, phase=0.0):
    """Mains hum at one multiple of ``hz``, its power in dB re full scale."""
    t_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.sqrt(2) * 10 ** (level_db / 20) * np.sin(2 * np.pi * multiple * hz * t_s + phase)


def cut(samples, rate_hz, at_s, length_s=0.7):
    """The samples without ``length_s`` of them from ``at_s`` on."""
    first, behind = round(at_s * rate_hz), round((at_s + length_s) * rate_hz)
    return np.concatenate([samples[:first], samples[behind:]])


def sound(samples, rate_hz=24000, start_s=0.0):
    """One channel as an Audio."""
    return Audio(np.asarray(samples, np.float32)[:, None], rate_hz, start_s)


def whole(audio):
    """The interval that the sound fills, rounded outwards by nothing: for ``spoken`` and ``examined``."""
    return Interval(audio.interval.start_s, audio.interval.end_s)

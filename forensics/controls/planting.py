"""Known alterations of what was seen and heard: a scene goes in, an altered one comes out. Pure.

They are planted in what the pass measured (landmarks, light, samples), not in the picture: codecs that come behind a
real alteration are not simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forensics.analysis.lighting import Settings as LightingSettings
from forensics.analysis.lighting import normals, pooled_light, signal
from forensics.closeup import RADII
from forensics.scene import Scene
from forensics.timeline import Audio, FaceTrack, Interval
from forensics.tracks import part

#: What a track holds of each picture.
PICTURES = ("landmarks", "blendshapes", "transform", "vertex_rgb")
#: Of the light planted: the share from everywhere, and how bright skin usually is.
AMBIENT, SKIN = 0.3, 0.35


def first_part(track: FaceTrack, seconds: float) -> FaceTrack:
    """The first seconds of a track, in memory."""
    first = part(track, Interval(float(track.t_s[0]), float(track.t_s[0]) + seconds))
    assert first is not None
    return first


def with_face(scene: Scene, track: FaceTrack) -> Scene:
    """The scene with this face alone."""
    return replace(scene, tracks=[track], brief=[], set_aside=())


# -- mouth and sound -------------------------------------------------------------------------------------------------


def early(track: FaceTrack, by_s: float) -> FaceTrack:
    """The pictures that much earlier: the sound is as much later beside them."""
    quality = {k: replace(s, t_s=s.t_s - by_s) for k, s in track.quality.items()}
    return replace(track, t_s=track.t_s - by_s, quality=quality)


def rolled(track: FaceTrack, share: float, since_s: float = -np.inf) -> FaceTrack:
    """From ``since_s`` on, each moment shows the face of another: turned on by a share of that time, in a circle."""
    rows = np.arange(len(track.t_s))
    own = np.flatnonzero(track.t_s >= since_s)
    rows[own] = np.roll(own, round(share * len(own)))
    arrays = {name: getattr(track, name)[:][rows] for name in PICTURES}
    quality = {k: replace(s, values=s.values[rows]) for k, s in track.quality.items()}
    return replace(track, **arrays, quality=quality)


def cut(audio: Audio, at_s: Sequence[float], length_s: float) -> tuple[Audio, list[float]]:
    """The sound without ``length_s`` from each instant on; the instants of the joins."""
    samples = np.asarray(audio.samples[:])
    keep, joins, gone = np.ones(len(samples), bool), [], 0
    for instant in sorted(at_s):
        first = round((instant - audio.start_s) * audio.rate_hz)
        n = round(length_s * audio.rate_hz)
        keep[first : first + n] = False
        joins.append(audio.start_s + (first - gone) / audio.rate_hz)
        gone += n
    return replace(audio, samples=samples[keep], gaps=()), joins


def resynthesised(audio: Audio, interval: Interval) -> Audio:
    """The sound of ``interval`` made anew from its mel spectrum by Griffin and Lim's method, as simple vocoders do."""
    import librosa

    mono, start_s = audio.mono(interval)
    mel = librosa.feature.melspectrogram(y=mono, sr=audio.rate_hz, n_fft=1024, hop_length=256, n_mels=80)
    # Seeded, else it would start from other phases each time.
    spectrum = librosa.feature.inverse.mel_to_stft(mel, sr=audio.rate_hz, n_fft=1024)
    made = librosa.griffinlim(spectrum, n_iter=32, hop_length=256, n_fft=1024, random_state=0)
    return Audio(made[:, None].astype(np.float32), audio.rate_hz, start_s)


# -- eyes ------------------------------------------------------------------------------------------------------------


def unblinking(track: FaceTrack, blinks: Sequence[Interval], margin_s: float = 0.1) -> FaceTrack:
    """Each blink replaced by a straight way from the face before it to the face behind it."""
    arrays: dict[str, Any] = {name: np.array(getattr(track, name)[:]) for name in ("landmarks", "blendshapes")}
    for blink in blinks:
        first = int(np.searchsorted(track.t_s, blink.start_s - margin_s)) - 1
        behind = int(np.searchsorted(track.t_s, blink.end_s + margin_s))
        if first < 0 or behind >= len(track.t_s):
            continue
        way = (np.arange(first, behind + 1) - first) / (behind - first)
        for values in arrays.values():
            steps = way.reshape(-1, *(1,) * (values.ndim - 1))
            values[first : behind + 1] = (1 - steps) * values[first] + steps * values[behind]
    return replace(track, **arrays)


def highlight_moved(track: FaceTrack, by: float) -> FaceTrack:
    """All highlights of the picture's right eye ``by`` iris diameters lower."""
    assert track.closeups is not None
    glints = np.array(track.closeups.glints[:])
    glints[:, 1, :, 1] += by
    return replace(track, closeups=replace(track.closeups, glints=glints))


# -- light -----------------------------------------------------------------------------------------------------------


def rod(angle_deg: float) -> np.ndarray:
    """A turn about the vertical axis."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def shade(facing: np.ndarray, lamp: np.ndarray) -> np.ndarray:
    """Light (n, v) on normals (n, v, 3) under one lamp (3,) or one a picture (n, 3), with light from everywhere."""
    lamps = np.broadcast_to(lamp, (len(facing), 3))
    return AMBIENT + (1 - AMBIENT) * np.maximum(0, np.einsum("nvi,ni->nv", facing, lamps))


@dataclass(frozen=True)
class Unlit:
    """A face with its own first-order light divided out, to be lit anew."""

    track: FaceTrack
    facing: np.ndarray
    rotation: np.ndarray
    flat: np.ndarray

    @classmethod
    def of(cls, track: FaceTrack, mesh: dict[str, np.ndarray], settings: LightingSettings) -> Unlit:
        """The track without its own light, on the ``mesh``'s normals."""
        points = track.landmarks[:].astype(float)
        parts = np.array_split(points, len(points) // 64 + 1)
        facing = np.concatenate([normals(part, mesh["triangles"]) for part in parts])
        light = pooled_light(signal.skin_samples(signal.spread([track], settings), mesh, settings), settings).light
        own = np.maximum(light[0] + facing @ light[1:], 0.2 * light[0])
        rotation = signal.rotations(track.transform[:].astype(float))
        return cls(track, facing, rotation, track.vertex_rgb[:] / own[..., None])

    def lit(self, lamp: np.ndarray) -> FaceTrack:
        """Under one lamp (3,) or one a picture (n, 3), as bright as skin usually is."""
        rgb = SKIN * self.flat * shade(self.facing, lamp)[..., None]
        rgb = np.clip(rgb / max(1.0, 2 * float(np.nanmedian(rgb))), 0, 1)
        return replace(self.track, vertex_rgb=rgb.astype(np.float32))

    def on_head(self, lamp: np.ndarray) -> FaceTrack:
        """A light that turns along: its usual place is ``lamp``."""
        middle = np.linalg.svd(self.rotation.mean(0))
        return self.lit((self.rotation @ (middle[0] @ middle[2]).T) @ lamp)

    def turned(self, angle_deg: float, at_s: float) -> FaceTrack:
        """A lamp that stands before the face and is turned by that angle at an instant."""
        ends = np.stack([rod(k * angle_deg / 2) @ [0, 0.3, 0.95] for k in (-1, 1)])
        return self.lit(ends[(self.track.t_s >= at_s).astype(int)])


def pasted(
    track: FaceTrack, colour: Sequence[float] = (1.0, 1.0, 1.0), detail: float = 1.0, within: float = 0.925
) -> FaceTrack:
    """The inner face times ``colour`` in linear light and times ``detail``, up to this share of the way outwards."""
    assert track.closeups is not None
    inside = within > RADII
    light, fine = np.array(track.closeups.rim_light[:], float), np.array(track.closeups.rim_detail[:], float)
    light[:, :, inside] *= colour
    fine[:, :, inside] *= detail
    return replace(track, closeups=replace(track.closeups, rim_light=light, rim_detail=fine))

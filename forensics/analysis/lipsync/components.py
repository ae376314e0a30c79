"""Lips and sound as components of the learned model on one grid of the examined time, taken once for all questions.

By parts with margins as wide as the filters reach, so that an hour of one face costs what its components take.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forensics.analysis.lipsync.features import REACH_S, lips_on, sound_on
from forensics.analysis.lipsync.model import LIPS_REACH, STRIDE, Model
from forensics.analysis.lipsync.settings import Settings
from forensics.analysis.lipsync.signal import GRID_HZ
from forensics.timeline import FaceTrack, Interval, Series, chunks, inside

#: Steps of the grid that are computed at once, and those on each side that the filters and the model reach to.
PART, MARGIN = 6000, round(REACH_S * GRID_HZ) + LIPS_REACH * STRIDE


@dataclass(frozen=True)
class Lips:
    """One track's lips by 10 ms from step ``first`` of the grid on: (m, k), NaN where not seen."""

    first: int
    values: np.ndarray


@dataclass(frozen=True)
class Components:
    """On ``grid`` (n,) s by 10 ms: the ``sound`` (n, k), and each track's ``lips`` by name. Not yet weighted."""

    grid: np.ndarray
    sound: np.ndarray
    lips: dict[str, Lips]
    model: Model

    def pair(self, tracks: Sequence[FaceTrack], within: Sequence[Interval]) -> tuple[Series, Series]:
        """Mouth, of these tracks and ``within`` this time alone, and sound, both weighted: (m, k) from the first
        picture of the tracks to their last."""
        own = [self.lips[t.name] for t in tracks]
        first, behind = min(one.first for one in own), max(one.first + len(one.values) for one in own)
        t_s, mouth = self.grid[first:behind], np.full((behind - first, self.sound.shape[1]), np.nan)
        for one in own:
            mouth[one.first - first : one.first - first + len(one.values)] = one.values
        mouth[~inside(t_s, within)] = np.nan
        return (
            Series("components of the mouth", t_s, self.model.weighted(mouth), "1"),
            Series("components of the sound", t_s, self.model.weighted(self.sound[first:behind]), "1"),
        )

    def weighted_lips(self, name: str) -> Lips:
        """One track's lips, weighted over all of its time."""
        return replace(self.lips[name], values=self.model.weighted(self.lips[name].values))

    def weighted_sound(self) -> Series:
        return Series("components of the sound", self.grid, self.model.weighted(self.sound), "1")


def take(
    tracks: Iterable[FaceTrack], spectrum: Series, examined: Interval, settings: Settings, model: Model
) -> Components | None:
    """Components of the sound in the ``examined`` time and of these tracks; None without sound there."""
    heard = Interval(float(spectrum.t_s[0]), float(spectrum.t_s[-1])) & examined
    if heard is None:
        return None
    grid = np.arange(heard.start_s, heard.end_s, 1 / GRID_HZ)
    sound = model.sound.components(sound_on(spectrum, grid, settings.floor_percentile))
    return Components(grid, sound, {t.name: lips_of(t, grid, settings, model) for t in tracks}, model)


def lips_of(track: FaceTrack, grid: np.ndarray, settings: Settings, model: Model) -> Lips:
    """Components of the track's lips where ``grid`` (n,) holds its time."""
    first, behind = np.searchsorted(grid, (track.t_s[0], track.t_s[-1]), "left")
    own = grid[first:behind]
    made = np.full((len(own), len(model.weights)), np.nan, np.float32)
    for rows in chunks(len(own), PART):
        wide = slice(max(0, rows.start - MARGIN), rows.stop + MARGIN)
        seen = model.lips_components(lips_on(track, own[wide], settings.longest_gap_s))
        made[rows] = seen[rows.start - wide.start :][: rows.stop - rows.start]
    return Lips(int(first), made)

"""The learned comparison: lips and sound become a few components each, alike where they belong together. Pure.

Both sides are the shape over some tenths of a second, plain and through fixed random units (Rahimi & Recht 2008), put
on the axes of a regularised canonical correlation (Hotelling 1936). How much each component counts was learned from how
far it tells right from shifted sound on people it was not fitted to. ``forensics.training`` makes the arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from forensics import weights
from forensics.timeline import chunks, runs

#: Steps between the instants seen together, in steps of the grid, and how many on each side: lips ±120, sound ±240 ms.
STRIDE, LIPS_REACH, SOUND_REACH = 4, 3, 6
#: The set of weights in ``forensics/data``.
NAME = "lipsync"


@dataclass(frozen=True)
class Side:
    """How one side's features (n, d), stacked over 2 * ``reach`` + 1 instants, become k components.

    ``axes`` (d, p) first reduces each instant; ``white`` (q, w), ``mix`` (w, h), ``bias`` (h,) make the random units;
    ``out`` (q + h, k) the components, q = (2 reach + 1) p.
    """

    axes: np.ndarray
    white: np.ndarray
    mix: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    reach: int

    def units(self, stacked: np.ndarray) -> np.ndarray:
        """Stacked features (n, q), centred, with the random units behind: (n, q + h)."""
        return np.concatenate([stacked, np.tanh(stacked @ self.white @ self.mix + self.bias)], 1)

    def components(self, features: np.ndarray) -> np.ndarray:
        """Of ``features`` (n, d), centred: (n, k). Computed by parts, so that memory grows with k alone."""
        reduced = features.astype(np.float32) @ self.axes
        return np.concatenate(
            [
                self.units(stack(reduced, np.arange(rows.start, min(rows.stop, len(reduced))), self.reach)) @ self.out
                for rows in chunks(len(reduced), 4096)
            ]
        )


@dataclass(frozen=True)
class Model:
    """Both sides, and how much each component counts: ``weights`` (k,), sum 1."""

    lips: Side
    sound: Side
    weights: np.ndarray

    def lips_components(self, features: np.ndarray) -> np.ndarray:
        """Of ``lips_on`` (n, d), NaN where not seen: (n, k), not yet weighted."""
        made = np.full((len(features), len(self.weights)), np.nan)
        for first, behind in runs(np.isfinite(features[:, 0])):
            made[first:behind] = self.lips.components(features[first:behind])
        return made

    def weighted(self, components: np.ndarray) -> np.ndarray:
        """Components (n, k) standardised over what was seen, so that a product of both sides weighs each as learned."""
        return standardised(components.astype(float)) * np.sqrt(self.weights)

    def of_lips(self, features: np.ndarray) -> np.ndarray:
        return self.weighted(self.lips_components(features))

    def of_sound(self, features: np.ndarray) -> np.ndarray:
        """Of ``sound_on`` (n, d): (n, k)."""
        return self.weighted(self.sound.components(features))


def standardised(values: np.ndarray) -> np.ndarray:
    """Columns of (n, k) with mean 0 and standard deviation 1 over the finite rows; 0 where a column does not move."""
    if not np.isfinite(values).any():
        return values
    spread = np.nanstd(values, axis=0)
    return (values - np.nanmean(values, axis=0)) / np.where(spread > 1e-9, spread, np.inf)


def stack(features: np.ndarray, rows: np.ndarray, reach: int) -> np.ndarray:
    """Each of ``rows`` with its ``reach`` neighbours on both sides, the ends repeated: (rows, (2 reach + 1) d)."""
    last = len(features) - 1
    return np.concatenate([features[np.clip(rows + k * STRIDE, 0, last)] for k in range(-reach, reach + 1)], 1)


def from_arrays(arrays: dict[str, np.ndarray]) -> Model:
    """A model from the plain arrays of ``to_arrays``."""

    def side(name: str, reach: int) -> Side:
        own = [f.name for f in fields(Side) if f.name != "reach"]
        return Side(**{key: arrays[f"{name}_{key}"].astype(np.float32) for key in own}, reach=reach)

    return Model(side("lips", LIPS_REACH), side("sound", SOUND_REACH), arrays["weights"].astype(float))


def to_arrays(model: Model) -> dict[str, np.ndarray]:
    """The model as plain arrays of float32."""
    made = {"weights": model.weights.astype(np.float32)}
    for name in ("lips", "sound"):
        for field in fields(Side):
            if field.name != "reach":
                made[f"{name}_{field.name}"] = getattr(getattr(model, name), field.name).astype(np.float32)
    return made


def shipped() -> Model:
    """The model that comes with the package. Raises CaseError where its file is not the shipped one."""
    return from_arrays(weights.shipped(NAME))

"""From authentic recordings to the weights of the lips' comparison with sound, and their model card.

    python -m forensics.training FOLDER --out FOLDER [--index TABLE] [--without NAME …]

``FOLDER`` holds finished cases, or clips (examined in a folder of their own first). ``TABLE`` (with a header; columns
file or path, label, person, group, licence_of_source) says who is seen, so that no person is fitted and tried at once;
without it each recording is a person of its own. Writes ``lipsync.npz``, ``lipsync.sha256`` and the model card
``lipsync.md``; the same recordings and seed give the same bytes.

What is fitted: one regularised canonical correlation of lips and sound, each seen over some tenths of a second, plain
and through fixed random units. The recordings' own lags are found on the way, each by a fit without its person, and so
are the weights of the components: those of a linear discriminant between right and shifted sound.
Reference: Hotelling 1936; Rahimi & Recht 2008 (random features); Fisher 1936.
Not to be trusted for recordings unlike those it was fitted to; the card says which these were.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy

from forensics import observe, pipeline, statistics, weights
from forensics.analysis import lipsync
from forensics.analysis.lipsync import features, measure, model, verdict
from forensics.analysis.lipsync.model import Model, Side
from forensics.analysis.lipsync.signal import BANDS, GRID_HZ
from forensics.case import Case
from forensics.errors import ForensicsError, ParameterError
from forensics.finished import FINDINGS, open_case
from forensics.method import describe, setting
from forensics.scene import Scene
from forensics.text import for_markdown
from forensics.timeline import inside

#: Refused for a finding, but good for a fit, which takes many recordings together.
SHORT = {"too_few_visible_seconds", "too_little_speech"}


@dataclass(frozen=True)
class Settings:
    components: int = setting(12, "1", "of 8, 12, 16 tried on dev clips")
    lips_axes: int = setting(30, "1", "principal axes of the mouth's shape; the next hold under 0.1 % of its variance")
    lips_white: int = setting(40, "1", "principal axes of the stacked lips that the random units see")
    lips_units: int = setting(200, "1", "random units; without any, 3 s windows are told apart less surely")
    sound_white: int = setting(60, "1", "principal axes of the stacked sound that the random units see")
    sound_units: int = setting(300, "1", "random units")
    unit_gain: float = setting(2.0, "1", "standard deviation of the random units' inputs: most leave the linear range")
    unit_bias: float = setting(0.5, "1", "standard deviation of the random units' thresholds")
    ridge_lips: float = setting(0.3, "1", "of the mean variance; of 0.03, 0.1, 0.3, 1 tried on dev clips")
    ridge_sound: float = setting(1.0, "1", "of the mean variance; of 0.03, 0.1, 0.3, 1 tried on dev clips")
    ridge_weights: float = setting(0.1, "1", "of the mean variance of chance products")
    first_lag_ms: float = setting(50.0, "ms", "median of dev clips, where velocities tell no lag")
    rounds: int = setting(2, "1", "of finding the recordings' lags; a third changed no figure")
    groups: int = setting(5, "1", "of persons, for lags and weights out of the fit")
    window_s: float = setting(3.0, "s", "of the products the weights are learned from")
    stride: int = setting(4, "1", "of the grid's steps between rows fitted: 40 ms, a picture at 25/s")
    shortest_s: float = setting(2.0, "s", "of a recording")
    seed: int = setting(0, "1", "any: the draws are repeatable, not chosen")


@dataclass(frozen=True)
class Sample:
    """One recording by 10 ms: ``lips`` (n, N_LIPS), NaN where not seen; ``sound`` (n, d); velocities (n,)."""

    name: str
    unit: int  # recordings of a person or group share it
    lips: np.ndarray
    sound: np.ndarray
    mouth_velocity: np.ndarray
    sound_velocity: np.ndarray
    spoken: np.ndarray
    short: bool = False
    licence: str = ""


# -- from recordings to samples --------------------------------------------------------------------------------------


def sample_of(name: str, unit: int, scene: Scene, settings: Settings, licence: str = "") -> Sample | None:
    """The longest face of a scene with its sound; None where the two cannot be compared."""
    own = lipsync.Settings()
    audio = scene.observation.audio
    if audio is None or not scene.speech or not scene.tracks:
        return None
    track = max(scene.tracks, key=lambda t: t.interval.duration)
    spectrum = lipsync.sound_spectrum(audio)
    refused = set(verdict.refusals([track], [track.interval], scene.speech, spectrum, own))
    start_s = max(float(spectrum.t_s[0]), float(track.t_s[0]))
    end_s = min(float(spectrum.t_s[-1]), float(track.t_s[-1]))
    if refused - SHORT or end_s - start_s < settings.shortest_s:
        return None
    grid = np.arange(start_s, end_s, 1 / GRID_HZ)
    return Sample(
        name,
        unit,
        features.lips_on(track, grid, own.longest_gap_s).astype(np.float32),
        features.sound_on(spectrum, grid, own.floor_percentile).astype(np.float32),
        lipsync.mouth_velocity(track, grid, own),
        lipsync.sound_velocity(spectrum, grid, own),
        inside(grid, scene.speech),
        bool(refused),
        licence,
    )


def read_index(path: Path | None) -> dict[str, dict[str, str]]:
    """Rows of the table by the stem of their file."""
    if path is None:
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        text = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        return {Path(row.get("file") or row["path"]).stem: row for row in text}


def scenes(folder: Path, names: set[str] | None, cases: Path) -> Iterator[tuple[str, Scene]]:
    """Each finished case, or clip, in ``folder`` with its name; of ``names`` alone where these are given."""
    for path in sorted(folder.iterdir()):
        if names is not None and path.stem not in names:
            continue
        try:
            if (path / FINDINGS).is_file():
                yield path.stem, open_case(path).scene
            elif path.is_file():
                settings = pipeline.Settings(observe=replace(observe.Settings(), workers=1))
                with Case(cases / path.stem, path) as case:
                    yield path.stem, pipeline.examine(case, settings=settings).scene
        except ForensicsError as error:
            print(f"{path.name} is left out: {error}")


def gather(
    folder: Path, index: Path | None = None, without: Sequence[str] = (), settings: Settings | None = None
) -> list[Sample]:
    """Samples of all authentic recordings in ``folder``; units are those of the table."""
    settings, rows = settings or Settings(), read_index(index)
    names = {n for n, row in rows.items() if row.get("label", "authentic") == "authentic"} - set(without)
    found: list[Sample] = []
    with tempfile.TemporaryDirectory() as cases:
        for name, scene in scenes(folder, names if rows else None, Path(cases)):
            licence = rows.get(name, {}).get("licence_of_source", "")
            sample = None if name in without else sample_of(name, len(found), scene, settings, licence)
            found += [] if sample is None else [sample]
    about = [rows.get(s.name, {}) for s in found]
    persons = [row.get("person", "") or s.name for row, s in zip(about, found, strict=True)]
    units = statistics.units(persons, [row.get("group", "") for row in about])
    return [replace(s, unit=int(unit)) for s, unit in zip(found, units, strict=True)]


# -- the fit ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moments:
    """Sums of products of centred rows: sound with sound, lips with lips, sound with lips; how many rows."""

    sound: np.ndarray
    lips: np.ndarray
    both: np.ndarray
    n: int

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.sound + other.sound, self.lips + other.lips, self.both + other.both, self.n + other.n)


def moments(sound: np.ndarray, lips: np.ndarray) -> Moments:
    x, y = sound - sound.mean(0), lips - lips.mean(0)
    return Moments(x.T @ x, y.T @ y, x.T @ y, len(x))


def total(parts: Sequence[Moments]) -> Moments:
    made = parts[0]
    for part in parts[1:]:
        made = made + part
    return made


def canonical(m: Moments, k: int, ridge_sound: float, ridge_lips: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Axes of sound (q, k) and lips (p, k) whose components correlate most, and their correlations (k,), ridged."""

    def whitened(c: np.ndarray, ridge: float) -> np.ndarray:
        c = c.astype(float) / m.n
        root = np.linalg.cholesky(c + ridge * np.trace(c) / len(c) * np.eye(len(c)))
        return scipy.linalg.solve_triangular(root, np.eye(len(c)), lower=True).T

    ws, wl = whitened(m.sound, ridge_sound), whitened(m.lips, ridge_lips)
    u, rho, vt = scipy.linalg.svd(ws.T @ (m.both.astype(float) / m.n) @ wl, full_matrices=False)
    return ws @ u[:, :k], wl @ vt[:k].T, rho[:k]


def principal(squares: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest eigenvalues (k,) and axes (d, k) of a matrix of products; signs fixed."""
    values, axes = np.linalg.eigh(squares.astype(float))
    axes = axes[:, ::-1][:, :k]
    signs = np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
    return np.maximum(values[::-1][:k], 0), axes * signs


def first_lags(samples: Sequence[Sample], settings: Settings) -> np.ndarray:
    """Lag of each sample in steps, from the velocities where these tell one."""
    lags = []
    for s in samples:
        found = measure.compare(s.mouth_velocity, s.sound_velocity, lipsync.Settings())
        clear = found.z > lipsync.Settings().least_z
        lags.append(measure.peak_ms(found.lags_ms, found.correlation) if clear else settings.first_lag_ms)
    return np.round(np.array(lags) / 1000 * GRID_HZ).astype(int)


def rows_of(sample: Sample, lag: int, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the lips that were seen, with the rows of the sound ``lag`` steps later."""
    lips = np.arange(0, len(sample.lips), settings.stride)
    sound = lips + lag
    fits = (sound >= 0) & (sound < len(sample.sound)) & np.isfinite(sample.lips[lips, 0])
    return lips[fits], sound[fits]


def random_units(
    covariance: np.ndarray, white: int, units: int, random: np.random.Generator, s: Settings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arrays ``white``, ``mix`` and ``bias`` of a Side whose stacked features have this ``covariance`` (q, q)."""
    if not units:
        return np.zeros((len(covariance), 1)), np.zeros((1, 0)), np.zeros(0)
    values, axes = principal(covariance, white)
    return (
        axes / np.sqrt(values + 0.02 * values[0]),  # the ridge keeps small axes small
        random.normal(0, s.unit_gain / np.sqrt(white), (white, units)),
        random.normal(0, s.unit_bias, units),
    )


def unfitted(samples: Sequence[Sample], settings: Settings) -> tuple[Side, Side]:
    """Both sides before ``out`` is fitted: axes and units rest on the features alone, not on what belongs together."""
    random = np.random.default_rng(settings.seed)
    seen = [s.lips[np.isfinite(s.lips[:, 0])] for s in samples]
    _, axes = principal(total_of(seen), settings.lips_axes)
    lips = [values @ axes.astype(np.float32) for values in seen]
    made = []
    for parts, reach, keep, keep_white, units in (
        (lips, model.LIPS_REACH, axes, settings.lips_white, settings.lips_units),
        ([s.sound for s in samples], model.SOUND_REACH, np.eye(2 * BANDS), settings.sound_white, settings.sound_units),
    ):
        stacked = [model.stack(p, np.arange(0, len(p), settings.stride), reach) for p in parts]
        n, squares = sum(map(len, stacked)), total_of(stacked)
        arrays = random_units(squares / n, keep_white, units, random, settings)
        axes, white, mix, bias = (a.astype(np.float32) for a in (keep, *arrays))
        made.append(Side(axes, white, mix, bias, np.zeros((len(squares) + units, 1), np.float32), reach))
    return made[0], made[1]


def total_of(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Sum of the parts' products, (d, d)."""
    return np.sum([p.T @ p for p in parts], axis=0)


@dataclass(frozen=True)
class Fitting:
    """Samples with both sides before the fit: what the rounds and the weights share."""

    samples: Sequence[Sample]
    lips: Side
    sound: Side
    group: np.ndarray  # of each sample, for what must not rest on its own person
    settings: Settings

    def rows(self, sample: Sample, lag: int) -> Moments:
        """Products of one sample, its sound ``lag`` steps later."""
        at_lips, at_sound = rows_of(sample, lag, self.settings)
        lips = np.nan_to_num(sample.lips) @ self.lips.axes
        return moments(
            self.sound.units(model.stack(sample.sound, at_sound, self.sound.reach)),
            self.lips.units(model.stack(lips, at_lips, self.lips.reach)),
        )

    def by_group(self, lags: np.ndarray) -> list[Moments]:
        return [
            total([self.rows(s, lag) for s, lag, g in zip(self.samples, lags, self.group, strict=True) if g == k])
            for k in range(self.group.max() + 1)
        ]

    def model(self, products: Moments, weighted: np.ndarray | None = None) -> Model:
        """The model of these products; weights of the Gaussian log likelihood ratio where none are given."""
        s = self.settings
        sound, lips, rho = canonical(products, s.components, s.ridge_sound, s.ridge_lips)
        counted = rho / (1 - rho**2) if weighted is None else weighted
        return Model(
            replace(self.lips, out=lips.astype(np.float32)),
            replace(self.sound, out=sound.astype(np.float32)),
            counted / counted.sum(),
        )

    def without_each_group(self, parts: list[Moments]) -> list[Model]:
        return [self.model(total([p for j, p in enumerate(parts) if j != k])) for k in range(len(parts))]


def prepare(samples: Sequence[Sample], settings: Settings) -> Fitting:
    """Groups of units by a seeded draw, and both sides before the fit."""
    units = sorted({s.unit for s in samples})
    if len(units) < settings.groups:
        raise ParameterError(f"at least {settings.groups} persons are fitted to", len(units))
    order = np.random.default_rng(settings.seed).permutation(len(units))
    group_of = {unit: int(k) % settings.groups for unit, k in zip(units, order, strict=True)}
    return Fitting(samples, *unfitted(samples, settings), np.array([group_of[s.unit] for s in samples]), settings)


def found_lags(fitting: Fitting, lags: np.ndarray) -> np.ndarray:
    """The lag of each sample by the fit without its group, where that stands clear; else as before."""
    models, made = fitting.without_each_group(fitting.by_group(lags)), lags.copy()
    for k, (s, group) in enumerate(zip(fitting.samples, fitting.group, strict=True)):
        own = models[group]
        found = measure.compare(own.of_lips(s.lips), own.of_sound(s.sound), lipsync.Settings())
        if found.z > lipsync.Settings().least_z:
            made[k] = round(measure.peak_ms(found.lags_ms, found.correlation) / 1000 * GRID_HZ)
    return made


def learned_weights(fitting: Fitting, lags: np.ndarray, parts: list[Moments]) -> np.ndarray:
    """How much each component counts (k,): Fisher's discriminant between own and shifted sound, none negative.

    Each window's products come from the fit without its group, so that components which fit only their own people count
    little.
    """
    settings, models = fitting.settings, fitting.without_each_group(parts)
    size = round(settings.window_s * GRID_HZ)
    shifts = range(size // 5, size - size // 5 + 1, size // 10)
    own, chance = [], []
    for s, lag, group in zip(fitting.samples, lags, fitting.group, strict=True):
        used = replace(models[group], weights=np.ones(settings.components))
        lips, sound = used.of_lips(s.lips), used.of_sound(s.sound)
        for start in range(max(0, -lag), min(len(lips), len(sound) - lag) - size + 1, size // 2):
            a, b = lips[start : start + size], sound[start + lag : start + lag + size]
            if np.isfinite(a).all():
                a, b = model.standardised(a), model.standardised(b)
                own.append((a * b).mean(0))
                chance += [(a * np.roll(b, shift, 0)).mean(0) for shift in shifts]
    if not own:
        raise ParameterError(f"some recording shows a face for {settings.window_s:g} s on end", "none")
    spread = np.cov(np.transpose(chance))
    ridge = settings.ridge_weights * np.trace(spread) / len(spread) * np.eye(len(spread))
    found = np.linalg.solve(spread + ridge, np.mean(own, 0) - np.mean(chance, 0))
    return np.maximum(found, 0)


def fit(samples: Sequence[Sample], settings: Settings | None = None) -> Model:
    """Weights from samples; deterministic. Raises ParameterError with fewer persons than groups."""
    settings = settings or Settings()
    return fit_at(samples, own_lags(samples, settings), settings)


def fit_at(samples: Sequence[Sample], lags: np.ndarray, settings: Settings) -> Model:
    """Weights from samples whose lags, in steps, are known."""
    fitting = prepare(samples, settings)
    parts = fitting.by_group(lags)
    return fitting.model(total(parts), learned_weights(fitting, lags, parts))


def own_lags(samples: Sequence[Sample], settings: Settings) -> np.ndarray:
    """Lag of each sample in steps of the grid: first from velocities, then from fits without its person."""
    plain = prepare(samples, replace(settings, lips_units=0, sound_units=0))
    lags = first_lags(samples, settings)
    for _ in range(settings.rounds):
        lags = found_lags(plain, lags)
    return lags


# -- tried on people it was not fitted to ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """Own sound against strangers' within each fold, by a fit without the fold: AUC over persons."""

    own: int
    pairs: int
    area: statistics.Estimate


def cross_checked(samples: Sequence[Sample], settings: Settings) -> Trial:
    """Recordings of 5 s or more in as many folds as groups; score: standard deviations of the clip's own shifts."""
    group = prepare(samples, replace(settings, lips_units=0, sound_units=0)).group
    scores, labels, units = [], [], []
    for fold in range(settings.groups):
        fitted = fit([s for s, g in zip(samples, group, strict=True) if g != fold], settings)
        tried = [s for s, g in zip(samples, group, strict=True) if g == fold and not s.short]
        lips, sounds = [fitted.of_lips(s.lips) for s in tried], [fitted.of_sound(s.sound) for s in tried]
        for k, a in enumerate(lips):
            for j, b in enumerate(sounds):
                if k == j or tried[k].unit != tried[j].unit:
                    n = min(len(a), len(b))
                    scores.append(measure.compare(a[:n], b[:n], lipsync.Settings()).z)
                    labels.append(k == j)
                    units.append(tried[k].unit)
    return Trial(sum(labels), len(labels) - sum(labels), statistics.auc(scores, labels, units))


# -- the model card --------------------------------------------------------------------------------------------------

CARD = """# Model card: lips and sound

Weights `{name}.npz`, SHA-256 `{digest}`, {size:.0f} kB, plain arrays. Made by `python -m forensics.training` at commit
{commit}.

## What it is

{method}

## What it was fitted to

{clips} recordings, taken for authentic recordings, of {units} persons or groups: {minutes:.1f} minutes of a face with
its sound. None of them comes with the software. Licences stated by the sources:

{licences}

## Tried on people it was not fitted to

{folds} folds by person and group, recordings of 5 s or more: own sound against strangers' sound, AUC {area:.4f}
{interval} ({own} recordings, {pairs} pairings; {how}). The protocol with every figure is
`tests/real/lipsync.py`.

## Limits

- Few persons and little time: faces, voices, languages, cameras and compressions unlike these were not seen. Skin
  tone, glasses, beard, sex, age and language were not tested apart.
- It tells whether lips and sound fit in time, which lip synchronisation software achieves, too. A score is no evidence
  of alteration by itself.
- Its zero is that of the recordings' mouths and sounds as they came: constant delays of recording are part of it.
- Several voices, music and noise lower the score; so do hidden, still and turned mouths.

## Settings

| name | value | why |
|---|---|---|
{settings}
"""


def card(samples: Sequence[Sample], trial: Trial, digest: str, size: int, settings: Settings) -> str:
    """The model card: what was fitted to what, how it fared, and what it is not good for."""
    licences: dict[str, list[int]] = {}
    for s in samples:
        licences.setdefault(s.licence or "not stated in the table", []).append(s.unit)
    area = trial.area
    return CARD.format(
        name=model.NAME,
        digest=digest,
        size=size / 1000,
        commit=_commit(),
        method=" ".join((model.__doc__ or "").partition("\n\n")[2].split()),
        clips=len(samples),
        units=len({s.unit for s in samples}),
        minutes=sum(len(s.lips) for s in samples) / GRID_HZ / 60,
        licences="\n".join(
            f"- {for_markdown(name)}: {len(units)} recordings of {len(set(units))} persons or groups"
            for name, units in sorted(licences.items())
        ),
        folds=settings.groups,
        area=area.value,
        interval="(no interval)"
        if area.low is None and area.high is None
        else f"(≥ {area.low:.3f})"
        if area.high is None
        else f"[{area.low:.4f}, {area.high:.4f}]",
        own=trial.own,
        pairs=trial.pairs,
        how=area.method,
        settings="\n".join(f"| {s['name']} | {s['value']:g} | {s['source']} |" for s in describe(settings)),
    )


def _commit() -> str:
    here = Path(__file__).resolve().parent
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "not known"
    return done.stdout.strip()


def main(words: Sequence[str] | None = None) -> None:
    """Reads the command line; prints where the weights lie."""
    parser = argparse.ArgumentParser(
        prog="python -m forensics.training", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="finished cases, or clips")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and model card")
    parser.add_argument("--index", type=Path, help="table of the recordings: who is seen, under which licence")
    parser.add_argument("--without", nargs="*", default=[], help="names of recordings to leave out")
    parser.add_argument("--seed", type=int, default=Settings().seed)
    options = parser.parse_args(words)
    settings = Settings(seed=options.seed)
    samples = gather(options.folder, options.index, options.without, settings)
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"{len(samples)} recordings, {len({s.unit for s in samples})} persons or groups: fitting.", flush=True)
    digest = weights.write(options.out, model.NAME, model.to_arrays(fit(samples, settings)))
    size = (options.out / f"{model.NAME}.npz").stat().st_size
    text = card(samples, cross_checked(samples, settings), digest, size, settings)
    (options.out / f"{model.NAME}.md").write_text(text, "utf-8")
    print(f"{options.out / model.NAME}.npz, SHA-256 {digest}")


if __name__ == "__main__":
    main()

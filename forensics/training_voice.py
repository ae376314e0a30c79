"""From spoken and synthetic voices to the direction that ``voice.synthesis`` measures along, and its model card.

    python -m forensics.training_voice FOLDER --index TABLE --out FOLDER

``TABLE`` has a header and the columns file (under FOLDER), label (``authentic``, or anything else for synthetic),
corpus (recordings of one source, kept together), pair (shared by an original and its copies; may be empty), generator
and licence_of_source. Writes ``voice.npz``, ``voice.sha256`` and the model card ``voice.md``; the same files give the
same bytes. The folder's files are decoded in this process: give it none that you do not trust.

What is fitted: one direction, by Fisher's discriminant in which the classes' difference is the mean difference of a
copy from its own original, and the spread is that of these differences, within and between generators and corpora,
together with that of authentic voices of all corpora, which each count alike. What corpora differ in is thus turned
away from.
Reference: Fisher 1936; Hatch et al. 2006.
Not to be trusted for synthesisers and recordings unlike those it was fitted to.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from forensics import decode, speech, statistics, weights
from forensics.analysis.voice import synthesis
from forensics.analysis.voice.synthesis import Model
from forensics.clip import opened
from forensics.errors import ForensicsError, MediaError, ParameterError
from forensics.method import describe, setting
from forensics.text import for_markdown
from forensics.timeline import Audio
from forensics.training import _commit as commit

AUTHENTIC = "authentic"


@dataclass(frozen=True)
class Settings:
    authentic: float = setting(
        1.0, "1", "weight of authentic voices' spread beside the differences'; of 0.1, 1, 10 tried"
    )
    ridge: float = setting(0.1, "1", "of the mean variance; of 0.005, 0.02, 0.1, 0.5 tried on dev voices")
    least_pairs: int = setting(5, "1", "below, the mean difference is one sentence's")


@dataclass(frozen=True)
class Voice:
    """One recording: ``figures`` (d,), the mean of its pieces; ``pair`` is shared by an original and its copies."""

    name: str
    corpus: str
    generator: str  # "" for an authentic voice
    pair: str
    figures: np.ndarray
    licence: str = ""

    @property
    def synthetic(self) -> bool:
        return bool(self.generator)


# -- from recordings to voices -----------------------------------------------------------------------------------------


def heard(path: Path) -> Audio:
    """The first sound of a file. Raises MediaError where there is none."""
    with opened(path) as fd:
        with decode.open_container(fd) as container:
            streams = [s.index for s in container.streams.audio]
        if not streams:
            raise MediaError("E_NO_SOUND", "The file holds no sound.", "Leave it out of the table.")
        told: dict[str, float] = {}
        blocks = []
        for message, arrays in decode.sound(fd, streams[0]):
            told |= {k: v for k, v in message.items() if k in ("rate_hz", "start_s")}
            blocks += list(arrays.values())
    if not blocks:
        raise MediaError("E_NO_SOUND", "No sound of the file could be decoded.", "Leave it out of the table.")
    return Audio(np.concatenate(blocks), int(told["rate_hz"]), told["start_s"])


def figures_of(audio: Audio, settings: synthesis.Settings | None = None) -> np.ndarray | None:
    """Mean figures (d,) of a recording's pieces of speech; None where it has too little."""
    settings = settings or synthesis.Settings()
    parts = synthesis.spoken_pieces(speech.speech_intervals(speech.speech_probability(audio)), settings)
    return synthesis.measure_pieces(audio, parts).mean(0) if parts else None


def read_index(path: Path) -> list[dict[str, str]]:
    """Rows of the table. Raises ParameterError where a column is missing."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
    if missing := {"file", "label", "corpus", "pair", "generator"} - set(rows[0] if rows else ()):
        raise ParameterError("the table has the columns file, label, corpus, pair and generator", sorted(missing))
    return rows


def gather(
    folder: Path, rows: Sequence[dict[str, str]], changed: Callable[[Audio], Audio] = lambda audio: audio
) -> list[Voice]:
    """The voices of the table, each ``changed`` first; what cannot be read or holds no speech is told and left out."""
    found = []
    for row in rows:
        try:
            measured = figures_of(changed(heard(folder / row["file"])))
        except ForensicsError as error:
            print(f"{row['file']} is left out: {error}")
            continue
        if measured is None:
            print(f"{row['file']} is left out: no speech is found in it")
            continue
        generator = "" if row["label"] == AUTHENTIC else row["generator"] or row["label"]
        licence = row.get("licence_of_source") or "not stated in the table"
        found.append(Voice(Path(row["file"]).stem, row["corpus"], generator, row["pair"], measured, licence))
    return found


# -- the fit -----------------------------------------------------------------------------------------------------------


def spread(rows: np.ndarray) -> np.ndarray:
    """Mean of products (d, d) of rows (n, d)."""
    return rows.T @ rows / len(rows)


def copies(voices: Sequence[Voice], values: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Differences (n, d) of copies from their originals, by corpus and generator."""
    original = {v.pair: x for v, x in zip(voices, values, strict=True) if v.pair and not v.synthetic}
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for v, x in zip(voices, values, strict=True):
        if v.synthetic and v.pair in original:
            found.setdefault((v.corpus, v.generator), []).append(x - original[v.pair])
    return {key: np.array(rows) for key, rows in sorted(found.items())}


def fit(voices: Sequence[Voice], settings: Settings | None = None) -> Model:
    """The direction from voices; deterministic. Raises ParameterError with fewer pairs than ``least_pairs``.

    The scores and errors of the model are empty: ``cross_checked`` makes them.
    """
    settings, values = settings or Settings(), np.array([v.figures for v in voices])
    own = [
        values[[v.corpus == corpus and not v.synthetic for v in voices]]
        for corpus in sorted({v.corpus for v in voices if not v.synthetic})
    ]
    centre = np.mean([rows.mean(0) for rows in own], 0)
    scale = np.sqrt(np.mean([((rows - centre) ** 2).mean(0) for rows in own], 0)) + 1e-9
    differences = list(copies(voices, values / scale).values())
    if sum(map(len, differences)) < settings.least_pairs:
        raise ParameterError(
            f"at least {settings.least_pairs} copies have their original beside them", sum(map(len, differences))
        )
    means = np.array([rows.mean(0) for rows in differences])
    mean = means.mean(0)
    within = np.mean([spread(rows - rows.mean(0)) for rows in differences], 0)
    authentic = np.mean([spread((rows - centre) / scale) for rows in own], 0)
    total = within + spread(means - mean) + settings.authentic * authentic
    total += settings.ridge * np.trace(total) / len(total) * np.eye(len(total))
    direction = np.linalg.solve(total, mean)
    direction /= np.sqrt(direction @ authentic @ direction)
    return Model(centre, scale, direction, np.zeros(0), np.zeros(0), np.full((3, 3), np.nan))


Fit = Callable[[Sequence[Voice]], Callable[[Sequence[Voice]], np.ndarray]]


def by_direction(settings: Settings | None = None) -> Fit:
    """``fit`` as a function from voices to that which scores others."""

    def fitted(voices: Sequence[Voice]) -> Callable[[Sequence[Voice]], np.ndarray]:
        model = fit(voices, settings)
        return lambda tried: model.score(np.array([v.figures for v in tried]))

    return fitted


def without_corpus(
    voices: Sequence[Voice], fitter: Fit, generator: str | None = None, tried: Sequence[Voice] | None = None
) -> np.ndarray:
    """Score (n,) of each of the ``tried`` (else of all) by the fit without its corpus, and without a ``generator``."""
    tried = voices if tried is None else tried
    scores = np.full(len(tried), np.nan)
    for corpus in sorted({v.corpus for v in tried}):
        scorer = fitter([v for v in voices if v.corpus != corpus and (generator is None or v.generator != generator)])
        own = [k for k, v in enumerate(tried) if v.corpus == corpus]
        scores[own] = scorer([tried[k] for k in own])
    return scores


def equal_error(scores: np.ndarray, labels: np.ndarray, units: Sequence[object]) -> statistics.Estimate:
    """Share at which as many authentic voices lie above a limit as synthetic ones below; bootstrap over ``units``."""
    order = np.argsort(-scores, kind="stable")
    y = labels[order]

    def rate(counts: np.ndarray) -> np.ndarray:
        w = counts[:, order]
        positive, negative = np.where(y, w, 0), np.where(y, 0, w)
        with np.errstate(invalid="ignore", divide="ignore"):
            missed = 1 - np.cumsum(positive, 1) / positive.sum(1, keepdims=True)
            alarms = np.cumsum(negative, 1) / negative.sum(1, keepdims=True)
        at = np.abs(missed - alarms).argmin(1)[:, None]
        return (np.take_along_axis(missed, at, 1) + np.take_along_axis(alarms, at, 1))[:, 0] / 2

    value = float(rate(np.ones((1, len(y))))[0])
    low, high = statistics.bootstrap(rate, units)
    n = len(set(units))
    return statistics.Estimate(value, low, high, len(y), n, f"two-sided 95 % bootstrap over {n} units")


def units_of(voices: Sequence[Voice]) -> list[str]:
    """What is drawn with replacement: an original with its copies, else a recording. Corpora are too few to draw."""
    return [v.pair or v.name for v in voices]


def cross_checked(voices: Sequence[Voice], settings: Settings | None = None) -> Model:
    """The fit to all voices, with their scores by fits without their corpora."""
    scores = without_corpus(voices, by_direction(settings))
    labels, units = np.array([v.synthetic for v in voices]), units_of(voices)
    eer, area = equal_error(scores, labels, units), statistics.auc(scores, labels, units)
    both = {v.corpus for v in voices if v.synthetic} & {v.corpus for v in voices if not v.synthetic}
    corpora, names = np.array([v.corpus for v in voices]), np.array(units)
    worst = max(
        (equal_error(scores[own], labels[own], names[own].tolist()) for own in (corpora == c for c in sorted(both))),
        key=lambda e: e.value,
        default=eer,
    )
    ends = [(e.value, e.low, e.high) for e in (eer, worst, area)]
    error = [[np.nan if end is None else end for end in row] for row in ends]
    made = fit(voices, settings)
    return Model(
        made.centre,
        made.scale,
        made.direction,
        np.sort(scores[~labels]),
        np.sort(scores[labels]),
        np.array(error),
    )


def to_arrays(model: Model) -> dict[str, np.ndarray]:
    """The model as plain arrays of float32."""
    return {f.name: getattr(model, f.name).astype(np.float32) for f in fields(Model)}


# -- the model card ----------------------------------------------------------------------------------------------------

CARD = """# Model card: neighbouring phases of spoken and synthetic voices

Weights `{name}.npz`, SHA-256 `{digest}`, {size:.0f} kB, plain arrays. Made by `python -m forensics.training_voice` at
commit {commit}.

## What it is

{method}

## What it was fitted to

{authentic} authentic recordings of {corpora} corpora or sources, {synthetic} synthetic ones ({paired} of them beside
their original): {generators}. None comes with the software. Licences stated by the sources:

{licences}

## Tried on corpora it was not fitted to

Each recording scored by a fit without its corpus: equal error rate {eer[0]:.2f} [{eer[1]:.2f}, {eer[2]:.2f}], AUC
{area[0]:.2f} [{area[1]:.2f}, {area[2]:.2f}] (95 % bootstrap over sentences: copies with their original). In the corpus
that fared worst alone: equal error rate {worst[0]:.2f} [{worst[1]:.2f}, {worst[2]:.2f}]. Only {made} corpora hold
synthetic voices: how far the figures move with yet another corpus these intervals do not show. The protocol with
every figure is `tests/real/synthesis.py`.

## Limits

- Descriptive: no limit is applied to the score, nothing is marked, no likelihood ratio follows from it.
- Few generators, all vocoders of 2016 to 2021; two voices corpora in English. Others may score like spoken
  voices: formant synthesis (eSpeak) does. With corpus and generator left out it fared about as chance does
  (`tests/real/SYNTHESIS.md`).
- Refused below 16 kHz or 7 kHz of band, under 4 s of speech, under 20 dB of speech over pauses.
- Noise suppression, voice changers and bandwidth extension invent phases, too, and were not tried.

## Settings

| name | value | why |
|---|---|---|
{settings}
"""


def card(voices: Sequence[Voice], model: Model, digest: str, size: int, settings: Settings) -> str:
    """The model card: what was fitted to what, how it fared, and what it is not good for."""
    own, made = [v for v in voices if not v.synthetic], [v for v in voices if v.synthetic]
    originals = {v.pair for v in own if v.pair}
    return CARD.format(
        name=synthesis.NAME,
        digest=digest,
        size=size / 1000,
        commit=commit(),
        method=" ".join((synthesis.__doc__ or "").partition("\n\n")[2].split()),
        authentic=len(own),
        corpora=len({v.corpus for v in own}),
        synthetic=len(made),
        paired=sum(v.pair in originals for v in made),
        made=len({v.corpus for v in made}),
        generators=", ".join(f"{for_markdown(g)} {n}" for g, n in sorted(Counter(v.generator for v in made).items())),
        licences="\n".join(
            f"- {for_markdown(name)}: {n} recordings" for name, n in sorted(Counter(v.licence for v in voices).items())
        ),
        eer=model.error[0],
        worst=model.error[1],
        area=model.error[2],
        settings="\n".join(f"| {s['name']} | {s['value']:g} | {s['source']} |" for s in describe(settings)),
    )


def main(words: Sequence[str] | None = None) -> None:
    """Reads the command line; prints where the weights lie."""
    parser = argparse.ArgumentParser(
        prog="python -m forensics.training_voice", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="folder of the table's recordings")
    parser.add_argument("--index", type=Path, required=True, help="table: file, label, corpus, pair, generator")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and model card")
    options = parser.parse_args(words)
    settings, voices = Settings(), gather(options.folder, read_index(options.index))
    options.out.mkdir(parents=True, exist_ok=True)
    model = cross_checked(voices, settings)
    digest = weights.write(options.out, synthesis.NAME, to_arrays(model))
    size = (options.out / f"{synthesis.NAME}.npz").stat().st_size
    (options.out / f"{synthesis.NAME}.md").write_text(card(voices, model, digest, size, settings), "utf-8")
    print(f"{len(voices)} recordings; {options.out / synthesis.NAME}.npz, SHA-256 {digest}")


if __name__ == "__main__":
    main()

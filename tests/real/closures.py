"""How well bilabials are heard, and what the lips do at them: own sound, strangers' sound, altered clips.

    python tests/real/closures.py --cases FOLDER [--keep FOLDER]     (cases made by tests/real/gate.py --cases FOLDER)

The recogniser is held against the studio clips, whose file names spell the sentence (aligned for its times), and the
samples, whose phonemes are known. Lags by models fitted without the person. Writes tests/real/CLOSURES.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import lipsync as protocol
import numpy as np
from gate import DATA, commit, share
from speechlips import Heard, all_heard

from forensics import statistics
from forensics.analysis.lipsync import closure, coverage, measure
from forensics.errors import ParameterError
from forensics.speech import BILABIALS, aligned, phonemes
from forensics.timeline import Audio, Interval, Series

HERE = Path(__file__).resolve().parent
CLOSURES, SAMPLES = HERE / "CLOSURES.md", HERE.parents[1] / "samples" / "out"
SETTINGS = protocol.SETTINGS
STRANGERS = 4
#: A heard bilabial is right where it comes this close to a spoken one: two pictures at 25/s.
NEAR_S = 0.08
#: The studio corpus' sentences (Cooke et al. 2006): a letter a word.
WORDS = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {},
    dict(
        zip("z123456789", ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], strict=True)
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


# -- the recogniser ---------------------------------------------------------------------------------------------------


def sentence(name: str) -> list[str]:
    """Words of a studio clip, from the six letters that end its name."""
    code = name.rpartition("_")[2]
    return [some.get(letter, "a" if letter == "a" else f"{letter}.") for some, letter in zip(WORDS, code, strict=True)]


@dataclass(frozen=True)
class Hearing:
    """Bilabials spoken and heard in one recording."""

    name: str
    spoken: Sequence[Interval]
    heard: Sequence[Interval]

    def hits(self, some: Sequence[Interval], others: Sequence[Interval]) -> int:
        """How many of ``some`` come near one of the ``others``."""
        return sum(any(a.start_s < b.end_s + NEAR_S and b.start_s < a.end_s + NEAR_S for b in others) for a in some)


def bilabials(audio: Audio) -> list[Interval]:
    return [p.interval for p in phonemes(audio) if p.name in BILABIALS]


def studio(by_name: dict[str, Heard]) -> Iterator[Hearing]:
    for name, heard in by_name.items():
        audio = heard.scene.observation.audio
        if name.startswith("grid_") and audio is not None:
            try:
                said = aligned(audio, audio.interval, sentence(name))
            except ParameterError as error:
                print(f"{name} is left out: {error}")
                continue
            yield Hearing(name, [p.interval for p in said if p.name in BILABIALS], bilabials(audio))


def samples() -> Iterator[Hearing]:
    """The bundled samples with voices of their own, if they are built."""
    if not (SAMPLES / "truth.json").exists():
        return
    truth = json.loads((SAMPLES / "truth.json").read_text())["files"]
    for name in ("talker.mp4", "talker_other_words.mp4", "two_talkers.mp4"):
        said = [p for p in truth[name]["phonemes"] if p["name"].strip("',%=|") in ("p", "b", "m")]
        yield Hearing(name, [Interval(p["start_s"], p["end_s"]) for p in said], bilabials(sound_of(SAMPLES / name)))


def sound_of(path: Path) -> Audio:
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        frames = list(file.decode(stream))
    block = np.concatenate([f.to_ndarray().reshape(f.to_ndarray().shape[0], -1).mean(0) for f in frames])
    return Audio(block.astype(np.float32)[:, None], frames[0].sample_rate, float(frames[0].time or 0))


def hearing_rows(some: Sequence[Hearing]) -> list[str]:
    return [
        f"| {h.name} | {len(h.spoken)} | {h.hits(h.spoken, h.heard)} | {len(h.heard)} | {h.hits(h.heard, h.spoken)} |"
        for h in some
    ]


def hearing_total(what: str, some: Sequence[Hearing]) -> str:
    recall = sum(h.hits(h.spoken, h.heard) for h in some), sum(len(h.spoken) for h in some)
    precise = sum(h.hits(h.heard, h.spoken) for h in some), sum(len(h.heard) for h in some)
    said = f"{what}: of spoken p, b, m heard " + (share(*recall) if recall[1] else "none spoken")
    return said + "; of heard ones spoken " + (share(*precise) if precise[1] else "none heard") + "."


# -- the lips ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lips:
    """One clip's gap of the lips, its lag, its bilabials."""

    clip: protocol.Clip
    gap: Series
    offset_s: float
    z: float
    bilabials: Sequence[Interval]

    def at(self, some: Sequence[Interval]) -> closure.Closures | None:
        return closure.close(self.gap, some, self.offset_s, SETTINGS)


def lips_of(clip: protocol.Clip, heard: Heard, fits: protocol.Fits) -> Lips:
    model, _ = fits.without(clip)
    found = measure.compare(model.of_lips(clip.sample.lips), model.of_sound(clip.sample.sound), SETTINGS)
    track = max(heard.scene.tracks, key=lambda t: t.interval.duration)
    gap = coverage.gap_on([track], clip.grid, SETTINGS)
    lag_s = measure.peak_ms(found.lags_ms, found.correlation) / 1000
    assert heard.scene.observation.audio is not None
    return Lips(clip, gap, lag_s, found.z, bilabials(heard.scene.observation.audio))


def excess(found: closure.Closures) -> float:
    """The finding's score."""
    return found.closeness - float(found.null.mean())


def beaten(found: closure.Closures) -> float:
    return closure.measure_rank(found).value


def rates(some: Sequence[closure.Closures]) -> str:
    own = np.concatenate([c.own for c in some])
    k = int((own < SETTINGS.closed_rank).sum())
    null = np.mean([np.nanmean(np.where(np.isnan(c.shifted), np.nan, c.shifted < SETTINGS.closed_rank)) for c in some])
    middle = np.median([excess(c) for c in some])
    return f"{len(some)} | {len(own)} | {100 * k / len(own):.0f} | {100 * null:.0f} | {middle:+.3f} |"


def text_of(cases: Path, keep: Path | None) -> str:
    all_clips = protocol.load(cases)
    fits, by_name = protocol.Fits(all_clips, keep), {h.name: h for h in all_heard(cases)}
    known = [c for c in all_clips if c.sample.unit in fits.fold]
    lips = [lips_of(c, by_name[c.name], fits) for c in known]
    synced = [one for one in lips if one.z >= SETTINGS.least_z and not one.clip.sample.short]
    own = [(one, found) for one in synced if not one.clip.family and (found := one.at(one.bilabials))]
    random, strange = np.random.default_rng(0), []
    for one, _ in own:
        others = [o for o, _ in own if o.clip.sample.unit != one.clip.sample.unit]
        for k in random.permutation(len(others))[:STRANGERS]:
            if found := one.at(others[k].bilabials):
                strange.append((one, found))
    families: dict[str, list[closure.Closures]] = {}
    for one in synced:
        if one.clip.family and (found := one.at(one.bilabials)):
            families.setdefault(one.clip.family, []).append(found)
    both = own + strange
    labels = [k < len(own) for k in range(len(both))]
    units = [one.clip.sample.unit for one, _ in both]
    area = statistics.auc([excess(f) for _, f in both], labels, units)
    authentic = np.array([excess(f) for _, f in own])
    studio_heard, sample_heard = list(studio(by_name)), list(samples())
    n_authentic = sum(not one.clip.family and not one.clip.sample.short for one in lips)
    return "\n".join(
        [
            "# Closed lips at p, b, m",
            "",
            f"Made by `python tests/real/closures.py` at commit {commit()} on the clips of `../shared/data` and the "
            "built samples.",
            "",
            "## The recogniser: PocketSphinx, American English, words unknown",
            "",
            hearing_total("Studio clips", studio_heard),
            hearing_total("Samples (espeak-ng)", sample_heard),
            f"Right: within {1000 * NEAR_S:g} ms, whichever of the three. Truth of the studio clips: the words that "
            "their names spell, aligned with the sound.",
            "",
            "| recording | spoken | of these heard | heard | of these spoken |",
            "|---|---|---|---|---|",
            *hearing_rows([*studio_heard, *sample_heard]),
            "",
            "## The lips at what was heard",
            "",
            f"{len(own)} of {n_authentic} authentic clips with {SETTINGS.least_bilabials} or more heard bilabials in "
            f"view and a lag that stands clear. Score: closeness at them less its mean over shifts. Own sound against "
            f"a stranger's bilabials ({len(strange)} pairings) at the own lag: AUC {area.value:.3f} "
            + (f"[{area.low:.3f}, {area.high:.3f}]" if area.high is not None and area.low is not None else "")
            + f" (bootstrap over persons). Rank of 95 % or more: own "
            f"{share(sum(beaten(f) >= 95 for _, f in own), len(own))}; strangers' "
            f"{share(sum(beaten(f) >= 95 for _, f in strange), len(strange))}. The stranger keeps no rhythm of the "
            "mouth's: what is told apart is sound that belongs from sound that does not, as the link does more surely.",
            "",
            "| clips | n | bilabials | closed % | closed %, shifted | score: median | share of authentic clips lower |",
            "|---|---|---|---|---|---|---|",
            f"| authentic | {rates([f for _, f in own])} |",
            f"| authentic, a stranger's bilabials | {rates([f for _, f in strange])} |",
            *(
                f"| {family} | {rates(some)} {np.mean([(authentic < excess(f)).mean() for f in some]):.2f} |"
                for family, some in sorted(families.items())
            ),
            "",
            "Languages: the table of the clips does not state them, so none was tested apart.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="folder of finished cases")
    parser.add_argument("--keep", type=Path, help="keep the fits in this folder, and use those that lie there")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/closures.py needs ../shared/data, which is absent")
    CLOSURES.write_text(text_of(options.cases, options.keep))
    print(CLOSURES.read_text())


if __name__ == "__main__":
    main()

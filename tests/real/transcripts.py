"""Words told by an analyst: do right ones fit and wrong ones not, and how many single closures are falsely missed.

    python tests/real/transcripts.py --cases FOLDER [--guessed FOLDER]    (cases made by tests/real/gate.py --cases)

Words that are known: the studio clips (their names spell the sentence) and the built samples. To have more bilabials in
untouched clips, words are also guessed by the recogniser with a language model (kept in --guessed): only those /p b m/
count that it also hears without words, as the product demands, and wrong guesses look like missed closures. Planted:
the same bilabials at another time of the clip, at which its sound does not belong. Writes tests/real/TRANSCRIPTS.md.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from closures import SAMPLES, sentence, sound_of
from gate import DATA, OTHER_SOUND, clips, commit, share

from forensics import speech, transcript
from forensics.analysis import lipsync
from forensics.analysis.lipsync import words
from forensics.errors import ForensicsError, ParameterError
from forensics.finished import open_case
from forensics.speech import BILABIALS, Aligner, Phoneme
from forensics.timeline import Audio, Interval
from forensics.transcript import Told

TRANSCRIPTS = Path(__file__).resolve().parent / "TRANSCRIPTS.md"
SETTINGS, WORDS = lipsync.Settings(), transcript.Settings()
#: s by which bilabials are moved round for the planted ones: beyond the reach of one, and of a syllable.
MOVED_S = (1.3, 2.1, 2.9, 3.7)


# -- words and sound ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """One sentence that is known, and where it is spoken."""

    name: str
    text: str
    audio: Audio
    interval: Interval


def known() -> Iterator[Said]:
    for path in sorted((DATA / "clips" / "authentic").glob("grid_*")):
        audio = sound_of(path)
        yield Said(path.stem, " ".join(sentence(path.stem)), audio, audio.interval)
    truth = json.loads((SAMPLES / "truth.json").read_text())["files"]
    for name in ("talker.mp4", "talker_other_words.mp4", "two_talkers.mp4"):
        audio = sound_of(SAMPLES / name)
        for one in truth[name]["sentences"]:
            yield Said(name, one["text"], audio, Interval(one["start_s"], one["end_s"]))


def fits(said: Said, text: str) -> transcript.Placed:
    told = transcript.place(said.audio, [said.interval], said.audio.interval, replace(WORDS, text=text))
    return told.passages[0]


def fitting() -> list[str]:
    """Right and wrong words, and how near the aligned closures lie."""
    every, right, wrong = list(known()), [], []
    for said in every:
        for text in dict.fromkeys(other.text for other in every):
            (right if text == said.text else wrong).append(fits(said, text))
    scored = [p.score for p in wrong if p.score is not None]
    passed = [not p.reason for p in right], [not p.reason for p in wrong]
    return [
        f"Right words: {share(sum(passed[0]), len(right))} fit, score {spread([p.score for p in right])}, share also "
        f"heard without the words {spread([p.agreement for p in right])}. Wrong words (each other sentence): "
        f"{share(sum(passed[1]), len(wrong))} fit; {len(wrong) - len(scored)} cannot be aligned at all, the others' "
        f"score {spread(scored)}. Limits {WORDS.least_score:g} and {WORDS.least_agreement:g}.",
        "",
        placing(),
    ]


def spread(values: Sequence[float | None]) -> str:
    found = np.array([v for v in values if v is not None])
    return f"{found.min():.2f} to {found.max():.2f} (median {np.median(found):.2f})"


def placing() -> str:
    """How far the middle of a known closure lies outside its aligned phoneme."""
    truth, far = json.loads((SAMPLES / "truth.json").read_text())["files"], []
    for name in ("talker.mp4", "two_talkers.mp4"):
        audio, about = sound_of(SAMPLES / name), truth[name]
        speech_s = [Interval(s["start_s"], s["end_s"]) for s in about["sentences"]]
        told = transcript.place(audio, speech_s, audio.interval, replace(WORDS, text=about["text"]))
        shut = [p.interval for p in told.phonemes if p.name in BILABIALS]
        true = sorted((c["start_s"] + c["end_s"]) / 2 for c in about["bilabial_closures"])
        if len(shut) == len(true):
            far += [max(0.0, a.start_s - t, t - a.end_s) for a, t in zip(shut, true, strict=True)]
    ms = 1000 * np.array(far)
    return (
        f"Closures of the samples ({len(ms)}, whole transcripts): their middle lies outside the aligned phoneme by "
        f"{np.percentile(ms, 95):.0f} ms or less in 95 %, {ms.max():.0f} ms at most; allowed are "
        f"{1000 * SETTINGS.aligned_error_s:g} ms, and half the offset's interval besides."
    )


# -- words that are guessed --------------------------------------------------------------------------------------------


def guesser() -> Any:
    from pocketsphinx import Decoder

    model = speech._model_path()
    files = {"hmm": "en-us", "dict": "cmudict-en-us.dict", "lm": "en-us.lm.bin"}
    return Decoder(**{k: f"{model}/{v}" for k, v in files.items()}, loglevel="FATAL")


def guessed(scene: Any, keep: Path) -> list[dict[str, Any]]:
    """Parts of speech with the words guessed for them, and their phonemes aligned; kept in a file."""
    if keep.exists():
        return list(json.loads(keep.read_text()))
    audio, rows, aligner, decoder = scene.observation.audio, [], Aligner(), guesser()
    for spoken in scene.speech or []:
        part = Interval(spoken.start_s - 0.1, spoken.end_s + 0.1) & audio.interval
        if part is None or not 0.8 <= part.duration <= 25:
            continue
        for samples, _ in speech._decodable(audio, [part]):
            speech._decode(decoder, samples)
            heard = [re.sub(r"\(\d+\)", "", s.word) for s in decoder.seg() or [] if re.match("[a-z']", s.word)]
            try:
                made = aligner.align(audio, part, heard)
            except ParameterError:
                continue
            block, start_s = audio.mono(part)
            free = speech.phonemes(Audio(block[:, None], audio.rate_hz, start_s))
            hits = [
                any(p.name == q.name and transcript._near(p.interval, [q.interval]) for q in free)
                for p in made.phonemes
            ]
            rows.append(
                {
                    "stats": [float(np.mean(hits)), made.score],
                    "phones": [
                        [p.name, p.interval.start_s, p.interval.end_s, 0, p.word]
                        for p in made.phonemes
                        if p.name in BILABIALS
                    ],
                    "free": [[p.name, p.interval.start_s, p.interval.end_s] for p in free if p.name in BILABIALS],
                }
            )
    keep.parent.mkdir(parents=True, exist_ok=True)
    keep.write_text(json.dumps(rows))
    return rows


def told_by(rows: Sequence[dict[str, Any]]) -> Told:
    """As the product takes a transcript: parts that fit, bilabials with what is heard without the words."""
    said: list[Phoneme] = []
    confirmed = set()
    for row in rows:
        agreement, score = row["stats"][:2]
        if score < WORDS.least_score or agreement < WORDS.least_agreement:
            continue
        free = [Interval(q[1], q[2]) for q in row["free"] if q[0] in BILABIALS]
        for name, start_s, end_s, _, word in row["phones"]:
            if name in BILABIALS:
                interval = Interval(start_s, end_s)
                if transcript._near(interval, free):
                    confirmed.add(len(said))
                said.append(Phoneme(name, interval, word.partition("(")[0]))
    return Told("", (), tuple(said), frozenset(confirmed))


def moved(told: Told, by_s: float, whole: Interval) -> Told:
    """The same bilabials later, round the clip."""

    def later(i: Interval) -> Interval:
        start_s = whole.start_s + (i.start_s - whole.start_s + by_s) % whole.duration
        return Interval(start_s, start_s + i.duration)

    return replace(told, phonemes=tuple(replace(p, interval=later(p.interval)) for p in told.phonemes))


@dataclass(frozen=True)
class Judged:
    name: str
    own: list[words.Lips]
    planted: list[list[words.Lips]]


def judged(name: str, folder: Path, keep: Path) -> Iterator[Judged]:
    """Each person of a clip whose offset is known, at the clip's guessed bilabials, and at the same moved."""
    try:
        case = open_case(folder)
        scene = case.scene
    except ForensicsError:
        return
    offsets = {f["person"]: f for f in case.findings if f["question"] == "lipsync.offset" and f["measurements"]}
    if not offsets or scene.observation.audio is None:
        return
    told, pictures = told_by(guessed(scene, keep / f"{name}.json")), scene.observation.pictures
    repeated_s = np.asarray(pictures["t_s"])[np.flatnonzero(pictures["repeated"])]
    for person, tracks in scene.persons.items():
        if person not in offsets:
            continue
        m, covered = offsets[person]["measurements"][0], offsets[person]["covered"]
        # Covered is speech: judged lips reach a little beyond it.
        within = [Interval(a - 0.3, b + 0.3) for a, b in covered]
        own = [t.interval for t in tracks]
        within = own if len(scene.persons) == 1 else within
        offset_s, reach_s = m["value"] / 1000, (m["high"] - m["low"]) / 2000
        seen = words.mouths(tracks, scene.speech or [], within, repeated_s, offset_s)
        others = [moved(told, s, scene.interval) for s in MOVED_S]
        yield Judged(
            name,
            heard_too(told, words.judge(told, seen, offset_s, reach_s, SETTINGS)),
            [heard_too(told, words.judge(other, seen, offset_s, reach_s, SETTINGS)) for other in others],
        )


def heard_too(told: Told, lips: Sequence[words.Lips]) -> list[words.Lips]:
    """Those that are seen, and heard without the words."""
    return [one for one in lips if one.track is not None and one.number - 1 in told.confirmed]


def counted(could: Sequence[words.Lips]) -> tuple[int, int]:
    return sum(one.state == words.MISSED for one in could), len(could)


def lips_table(cases: Path, keep: Path, only_kept: bool) -> list[str]:
    groups: dict[str, list[Judged]] = {}
    for row in clips():
        stem = Path(row["path"]).stem
        missing = only_kept and not (keep / f"{stem}.json").exists()
        if stem in OTHER_SOUND or missing or not (cases / stem).is_dir():
            continue
        group = "untouched" if row["label"] == "authentic" else row["generator"]
        groups.setdefault(group, []).extend(judged(stem, cases / stem, keep))
    lines = []
    for group, some in sorted(groups.items(), key=lambda pair: (pair[0] != "untouched", pair[0])):
        own, planted, n = [0, 0], [0, 0], 0
        for one in some:
            k, of = counted(one.own)
            own, n = [own[0] + k, own[1] + of], n + (of > 0)
            for other in one.planted:
                k, of = counted(other)
                planted = [planted[0] + k, planted[1] + of]
        if own[1]:
            there = share(*planted) if planted[1] else "-"
            lines.append(f"| {group} | {n} | {share(*own)} | {there} |")
    return lines


def text_of(cases: Path, keep: Path, only_kept: bool) -> str:
    return "\n".join(
        [
            "# Words told: transcripts at the sound, and single closures",
            "",
            f"Made by `python tests/real/transcripts.py` at commit {commit()} on the clips of `../shared/data` and the "
            "built samples.",
            "",
            "## Right and wrong words",
            "",
            "Seven studio sentences and fourteen of the samples (espeak-ng), each with its own words and the others'.",
            "",
            *fitting(),
            "",
            "## Lips at single bilabials",
            "",
            "Words guessed by the recogniser with its language model: parts that fit by the limits above, /p b m/ that "
            "are seen. Wrong guesses look like missed closures, so that the share of untouched "
            "clips is more than an analyst's words would give. Moved: the same bilabials "
            f"{', '.join(f'{s:g}' for s in MOVED_S)} s later, where the lips do other things: the share that is found.",
            "",
            "| clips | n | called missed, of p, b, m seen | called missed, moved |",
            "|---|---|---|---|",
            *lips_table(cases, keep, only_kept),
            "",
            "The studio clips themselves are too short (3 s) for an offset, so that no single closure is told of them. "
            "Languages: American English alone; the studio speakers are British.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="folder of finished cases")
    parser.add_argument("--guessed", type=Path, default=Path("guessed"), help="keep the guessed words in this folder")
    parser.add_argument("--only-kept", action="store_true", help="only clips whose words were guessed before")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/transcripts.py needs ../shared/data, which is absent")
    TRANSCRIPTS.write_text(text_of(options.cases, options.guessed, options.only_kept))
    print(TRANSCRIPTS.read_text())


if __name__ == "__main__":
    main()

"""How often a recording comes out beyond its references: the same person, an altered recording of it, a stranger.

    python tests/real/compare.py --cases FOLDER --work FOLDER    (cases made by tests/real/gate.py --cases FOLDER)

Parts of equal length of one authentic clip stand for recordings of one session: the first beside the second, and a
quarter beside the three others. Recordings of one person made apart are few: they are listed beside. Altered clips
stand beside parts of the authentic one they were made from; strangers beside parts of another person's clip. Voices of
several takes are examined anew, into --work. Units are persons and groups; intervals are clustered by them.
Writes tests/real/COMPARE.md.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from gate import DATA, OTHER_SOUND, commit

from forensics import comparison, observe, pipeline, statistics
from forensics.analysis import lipsync, voice
from forensics.analysis.lipsync import verdict
from forensics.case import Case
from forensics.comparison.questions import COMPARED
from forensics.errors import ForensicsError
from forensics.finding import ASSESSED
from forensics.finished import FinishedCase, open_case
from forensics.report.record import dumps, findings_json
from forensics.scene import build
from forensics.timeline import Interval

COMPARE = Path(__file__).resolve().parent / "COMPARE.md"
#: Shortest part compared, s: below it most questions are refused.
SHORTEST_PART_S = 4.0
#: Persons whose recordings are of several occasions, in other rooms; the other voices' takes are of one session.
OTHER_DAYS = ("trump",)
#: Strangers drawn for each clip; the same each time.
STRANGERS, SEED = 3, 0


@dataclass(frozen=True)
class Clip:
    name: str
    path: Path
    person: str
    group: str
    altered: str  # the family, "" where authentic
    record: dict[str, Any]

    @property
    def unit(self) -> str:
        return "grid" if self.name.startswith("grid_") else self.group or self.person


@dataclass(frozen=True)
class Trial:
    """One comparison of a quantity: of what kind, of which unit, beside how many references, what came out."""

    kind: str
    unit: str
    references: int
    question: str
    quantity: str
    beyond: bool
    beyond_all: bool


# -- recordings ------------------------------------------------------------------------------------------------------


def rows(folder: str) -> list[dict[str, str]]:
    with (DATA / "index.tsv").open(encoding="utf-8") as file:
        return [r for r in csv.DictReader(file, delimiter="\t") if r["path"].startswith(folder)]


def finished(cases: Path) -> list[tuple[Clip, FinishedCase]]:
    """The clips of authentic and altered recordings that have a finished case, but those whose sound is not theirs."""
    found = []
    for r in rows("clips/"):
        name, kind = Path(r["path"]).stem, r["path"].split("/")[1]
        if kind not in ("authentic", "altered") or name in OTHER_SOUND:
            continue
        try:
            case = open_case(cases / name)
        except ForensicsError:
            continue
        found.append((Clip(name, DATA / r["path"], r["person"], r["group"], r["generator"], dict(case.record)), case))
    return found


def parts(clip: Clip, case: FinishedCase, several: int, work: Path, measure: bool) -> list[dict[str, Any]]:
    """Records of ``several`` parts of equal length, measured from what the case saw; kept in ``work``."""
    start, end = clip.record["clip"]["examined"]
    if (end - start) / several < SHORTEST_PART_S:
        return []
    kept = work / f"{clip.name}-{several}.json"
    if kept.is_file():
        return json.loads(kept.read_text("utf-8"))
    if not measure:
        return []
    settings = pipeline.Settings()
    place = case.folder / "cache" / case.run.observed["cache"]
    about = json.loads((place / "about.json").read_text("utf-8"))["about"]
    made = []
    for k in range(several):
        part = Interval(start + (end - start) * k / several, start + (end - start) * (k + 1) / several)
        try:
            scene = build(observe.load(place, about), part, settings.tracks, settings.speech)
            if (sound := scene.observation.audio) is not None and scene.speech:
                # Phonemes take most of the time, and nothing compared here rests on them.
                heard = voice.hear(sound, scene.speech, settings.voice)
                lips = verdict.Heard(lipsync.sound_spectrum(sound), [])
                scene = replace(scene, heard={"lipsync": lips, "voice": heard})
            findings = pipeline.assess(scene, settings, clip.record["clip"]["sha256"], lambda what, share: None)
        except ForensicsError as error:
            print("no part", clip.name, k, error.code, flush=True)
            continue
        record = {
            "clip": clip.record["clip"] | {"examined": [part.start_s, part.end_s]},
            "findings": [f.as_json() for f in findings],
        }
        made.append(json.loads(dumps(record)))
    kept.write_text(json.dumps(made), "utf-8")
    return made


def voices(work: Path, measure: bool) -> list[Clip]:
    """Recordings of persons with several takes, examined whole."""
    kept = []
    for r in rows("voices/real"):
        path, person = DATA / r["path"], r["person"].rpartition("_")[0] if r["person"].startswith("vctk_p") else ""
        person = person or r["person"]
        place = work / f"voice-{path.stem}.json"
        if person not in ("lj", "trump") and not person.startswith("vctk_p"):
            continue
        if not place.is_file():
            if not measure:
                continue
            try:
                with Case(work / "voices" / path.stem, path) as case:
                    place.write_text(dumps(findings_json(pipeline.examine(case))), "utf-8")
            except ForensicsError as error:
                print("no voice", path.stem, error.code, flush=True)
                continue
        kept.append(Clip(path.stem, path, person, "", "", json.loads(place.read_text("utf-8"))))
    return kept


# -- trials ----------------------------------------------------------------------------------------------------------


def trials(
    kind: str, unit: str, questioned: dict[str, Any], references: Sequence[dict[str, Any]], relation: str
) -> Iterator[Trial]:
    """Every quantity of ``questioned`` that can be compared with ``references``."""
    named = [comparison.Reference(f"R{k}", record) for k, record in enumerate(references, 1)]
    for finding in comparison.assess(questioned, named, comparison.Settings(relation)):
        if finding.state == ASSESSED:
            for name, found in finding.evidence["apart"].items():
                yield Trial(kind, unit, found.references, finding.question, name, found.beyond, found.beyond_all)


def gather(cases: Path, work: Path, measure: bool = True) -> list[Trial]:
    clips = finished(cases)
    halves = {}
    found: list[Trial] = []
    for n, (clip, case) in enumerate(clips):
        print(n + 1, "of", len(clips), clip.name, flush=True)
        if clip.altered:
            continue
        if len(two := parts(clip, case, 2, work, measure)) == 2:
            halves[clip.name] = two
            found += trials("halves of one recording", clip.unit, two[0], two[1:], "session")
        if len(four := parts(clip, case, 4, work, measure)) == 4:
            found += trials("a quarter beside three", clip.unit, four[0], four[1:], "session")
    found += _of_persons([clip for clip, _ in clips if not clip.altered], "recordings of one person")
    heard = voices(work, measure)
    found += _of_persons((c for c in heard if c.person not in OTHER_DAYS), "takes of one voice in one session")
    found += _of_persons((c for c in heard if c.person in OTHER_DAYS), "one voice on several occasions")
    found += _altered([clip for clip, _ in clips], halves)
    return [*found, *_strangers([clip for clip, _ in clips if not clip.altered], halves)]


def _of_persons(clips: Iterable[Clip], kind: str) -> Iterator[Trial]:
    """Each recording beside the next one of its person, and beside the three next ones."""
    by_person: dict[str, list[Clip]] = {}
    for clip in clips:
        by_person.setdefault(clip.person, []).append(clip)
    for person, own in by_person.items():
        for many in (1, 3):
            for k in range(len(own) if len(own) > many else 0):
                others = [own[(k + j) % len(own)].record for j in range(1, many + 1)]
                yield from trials(kind, person, own[k].record, others, "person")


def _altered(clips: Sequence[Clip], halves: dict[str, list[dict[str, Any]]]) -> Iterator[Trial]:
    """Each altered clip beside a half of its authentic source, as a reference of the same session."""
    for clip in clips:
        sources = [c for c in clips if clip.altered and not c.altered and clip.group and c.group == clip.group]
        for source in sources:
            if source.name in halves:
                yield from trials(
                    f"altered: {clip.altered}", clip.unit, clip.record, halves[source.name][:1], "session"
                )


def _strangers(clips: Sequence[Clip], halves: dict[str, list[dict[str, Any]]]) -> Iterator[Trial]:
    """Halves beside halves of other persons, drawn once for all."""
    random, known = np.random.default_rng(SEED), [c for c in clips if c.name in halves]
    for clip in known:
        others = [c for c in known if c.unit != clip.unit]
        for k in random.permutation(len(others))[:STRANGERS]:
            yield from trials("strangers", clip.unit, halves[clip.name][0], halves[others[k].name][1:], "session")


# -- page ------------------------------------------------------------------------------------------------------------


def rate(trials: Sequence[Trial], all_: bool = False) -> str:
    """Share beyond with its interval: bootstrap over units; of none, or of all, exact over units."""
    hit = np.array([t.beyond_all if all_ else t.beyond for t in trials], float)
    units = [t.unit for t in trials]
    n, k = len(set(units)), int(hit.sum())
    text = f"{k}/{len(hit)} = {100 * hit.mean():.1f} %"
    if n < 2:
        return f"{text} (1 unit)"
    if 0 < k < len(hit):
        low, high = statistics.bootstrap(lambda w: (w @ hit) / w.sum(1), units)
    else:
        low, high = (0.0, statistics.upper_bound_of_none(n)) if not k else (0.05 ** (1 / n), 1.0)
    return f"{text} [{100 * low:.1f}, {100 * high:.1f}] ({n})"


def table(found: Sequence[Trial], by: Sequence[str], keys: Sequence[tuple[str, int]]) -> list[str]:
    """Rows ``by`` question or quantity, a column for each kind and number of references."""
    lines = ["| | " + " | ".join(f"{kind}; {n} reference{'s' * (n > 1)}" for kind, n in keys) + " |"]
    lines.append("|---" * (len(keys) + 1) + "|")
    for name in by:
        cells = []
        for kind, n in keys:
            own = [t for t in found if name in (t.question, t.quantity, "all") and (t.kind, t.references) == (kind, n)]
            own = [t for t in found if (t.kind, t.references) == (kind, n)] if name == "all" else own
            cells.append(rate(own) if own else "–")
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return lines


def page(found: Sequence[Trial], clips: int) -> str:
    order = {"halves": 0, "a quarter": 1, "recordings": 2, "takes": 3, "one voice": 3, "altered": 5, "strangers": 4}
    keys = sorted(
        {(t.kind, t.references) for t in found},
        key=lambda key: (next(v for k, v in order.items() if key[0].startswith(k)), key),
    )
    same = [key for key in keys if not key[0].startswith(("altered", "strangers"))]
    other = [key for key in keys if key[0].startswith(("altered", "strangers"))]
    questions = [c.question.slug for c in COMPARED]
    names = dict.fromkeys(n for c in COMPARED for several in c.names.values() for n in several)
    return "\n".join(
        [
            "# Recordings beside their references",
            "",
            f"Made by `python tests/real/compare.py` at commit {commit()} on the clips of `../shared/data`; {clips} "
            "authentic clips of 8 s or more were cut into parts. Cells: "
            "comparisons of one quantity that came out beyond, at 95 % each, 95 % bootstrap interval over units (their "
            "number: persons and groups); of none or all the exact bound over units. With one reference `apart`, with "
            "more `beyond`. What is unaltered and of one person should come out in 5 % or less.",
            "",
            "## The same person, unaltered: false rates",
            "",
            *table(found, ["all", *questions], same),
            "",
            "By quantity:",
            "",
            *table(found, list(names), same),
            "",
            "Beyond at the level of all comparisons of a report together (Bonferroni), share of single comparisons:",
            "",
            *[
                f"- {kind}, {n} references: {rate([t for t in found if (t.kind, t.references) == (kind, n)], True)}"
                for kind, n in same
            ],
            "",
            "## Altered clips beside their source, and strangers",
            "",
            *table(found, ["all", *questions], other),
            "",
            "By quantity:",
            "",
            *table(found, list(names), other),
            "",
        ]
    )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--cases", type=Path, required=True)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--kept", action="store_true", help="count what --work holds already, and measure nothing anew")
    given = ask.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    found = gather(given.cases, given.work, not given.kept)
    COMPARE.write_text(page(found, len(list(given.work.glob("*-2.json")))), "utf-8")
    print(COMPARE)


if __name__ == "__main__":
    main()

"""Which sizes of planted alterations are told in exhibits of different quality, and how often nothing is told as one.

    python tests/real/detectable.py [--cases FOLDER] [--copies S]

Three authentic clips with sound of their own and 20 s or more, by the shorter side of their picture, the first of each
kind by a hash of its name: chosen before any result was seen. False plantings: alterations of size nothing in ten other
authentic clips of 8 s or more, by the same hash. Writes tests/real/DETECTABLE.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gate import DATA, OTHER_SOUND, clips, commit, share

from forensics import controls, observe, pipeline
from forensics.case import Case
from forensics.report import findings_json, planted

DETECTABLE = Path(__file__).resolve().parent / "DETECTABLE.md"
#: Kinds of exhibits by the shorter side of their picture, px.
KINDS = {"high quality": (1000, 4000), "telephone or web": (400, 600), "small": (0, 260)}
#: Of an exhibit, so that most questions have an answer; of a clip for false plantings.
LEAST_S, LEAST_NONE_S, NONE = 20.0, 8.0, 10
#: Alterations of size nothing: of each kind that has a size.
NOTHING = controls.Settings(
    late_ms=(0.0,),
    turns=(0.0,),
    cuts=(1,),
    cut_s=0.0,
    blinks=(0.0,),
    light_deg=(0.0,),
    redder=(0.0,),
    lighter=(0.0,),
    smoother=(0.0,),
    moved_iris=(0.0,),
    appearances=1,
)
WITHOUT_SIZE = {"light_on_head", "voice_resynthesised"}


def ordered() -> list[dict[str, str]]:
    """Authentic clips with their own sound, by a hash of their name."""
    rows = [r for r in clips() if r["label"] == "authentic" and r["sound"] == "yes"]
    rows = [r for r in rows if Path(r["path"]).stem not in OTHER_SOUND]
    return sorted(rows, key=lambda r: hashlib.sha256(Path(r["path"]).name.encode()).hexdigest())


def exhibits() -> dict[str, dict[str, str]]:
    return {
        kind: next(r for r in ordered() if low <= shorter(r) < high and float(r["seconds"] or 0) >= LEAST_S)
        for kind, (low, high) in KINDS.items()
    }


def others() -> list[dict[str, str]]:
    used = {r["path"] for r in exhibits().values()}
    return [r for r in ordered() if r["path"] not in used and float(r["seconds"] or 0) >= LEAST_NONE_S][:NONE]


def shorter(row: dict[str, str]) -> int:
    return min(map(int, row["size"].split("x")))


def run(job: tuple[str, dict[str, str], Path, float]) -> dict[str, Any]:
    """What findings.json holds of an exhibit's controls; or, without a kind, what plantings of size nothing gave."""
    kind, row, folder, copied_s = job
    path = DATA / row["path"]
    kept = folder / f"{path.stem}-{kind or 'nothing'}-{copied_s:g}.json"
    if kept.exists():
        return dict(json.loads(kept.read_text()))
    asked = controls.Settings(planted=bool(kind), copied_s=copied_s)
    settings = pipeline.Settings(observe=replace(observe.Settings(), workers=1), controls=asked)
    with Case(folder / path.stem, path) as case:
        done = pipeline.examine(case, settings=settings)
    result: dict[str, Any] = {"kind": kind, "clip": path.stem, "row": row}
    if kind:
        result["record"] = {key: findings_json(done)[key] for key in ("clip", "controls")}
    else:
        found = controls.run(done.scene, settings, NOTHING).controls
        result["nothing"] = [c.as_json() for c in found if c.kind not in WITHOUT_SIZE]
    kept.write_text(json.dumps(result))
    return result


# -- the tables ------------------------------------------------------------------------------------------------------


def exhibit_lines(result: dict[str, Any]) -> list[str]:
    found, clip = result["record"]["controls"], result["record"]["clip"]
    face = max(clip["tracks"], key=lambda t: t["pictures"])["median_face_height_px"] if clip["tracks"] else None
    speech = sum(end - start for start, end in clip["speech"] or [])
    lines = [
        "",
        f"## {result['kind'].capitalize()}: {result['clip']}",
        "",
        f"{clip['width']}×{clip['height']}, {clip['mean_fps']:g} pictures/s, {clip['duration_s']:g} s, "
        f"{8e-3 * clip['size_bytes'] / clip['duration_s']:.0f} kbit/s, face {face} px high, {speech:.1f} s of speech.",
        *planted.notes(found),
    ]
    for table in (*planted.sizes(found), *planted.of_copies(found)):
        rows = [" | ".join(cells) for cells in (table.columns, ["---"] * len(table.columns), *table.rows)]
        lines += ["", f"### {table.caption}", "", *(f"| {row} |" for row in rows)]
    return [line.replace("\u00a0", " ") for line in lines]


def nothing_lines(results: Sequence[dict[str, Any]]) -> list[str]:
    """By kind: in how many clips a trial of size nothing was told; clips are the units, trials of one hang together."""
    n, told = Counter[str](), Counter[str]()
    trials = 0
    for r in results:
        kinds = {c["kind"] for c in r["nothing"] if c["n"]}
        n.update(kinds)
        told.update({c["kind"] for c in r["nothing"] if c["told"]})
        trials += sum(c["n"] for c in r["nothing"])
    asked = [r for r in results if any(c["n"] for c in r["nothing"])]
    if not asked:
        return []
    anything = sum(any(c["told"] for c in r["nothing"]) for r in asked)
    return [
        "",
        "## Size nothing",
        "",
        f"{trials} plantings of size nothing in {len(asked)} other clips: clips in which any was told "
        f"{share(anything, len(asked))}. The light's is the face lit anew by a lamp that is not turned, the cut's is "
        "the sound analysed anew at places where nothing is cut out; the others leave the numbers as they are, so that "
        "they test the rule alone.",
        "",
        "| planted | clips in which it was told |",
        "|---|---|",
        *(f"| {kind} | {share(told[kind], n[kind])} |" for kind in n),
        "",
        f"Clips: {', '.join(r['clip'] for r in results)}.",
    ]


def text_of(results: Sequence[dict[str, Any]], copied_s: float, jobs: int) -> str:
    sized = "; ".join(
        f"{kind}: shorter side {low} to {high} px" if low else f"{kind}: below {high} px"
        for kind, (low, high) in KINDS.items()
    )
    left = "" if len(results) == jobs else f" **Unfinished: {len(results)} of {jobs} clips examined.**"
    made = f"Copies are of {copied_s:g} s." if copied_s else "No degraded copies were made here."
    return "\n".join(
        [
            "# Which sizes of planted alterations are told, by exhibit",
            "",
            f"Made by `python tests/real/detectable.py` at commit {commit()}, by the function behind `forensics "
            f"controls`. Authentic clips of `../shared/data` of {LEAST_S:g} s or more with their own sound, the first "
            f"of each kind by a hash of its name, before results were seen ({sized}). {made} A planting is made in "
            f"what was measured, so that these are upper bounds; one recording each, no rate of error.{left}",
            *(line for r in results if r["kind"] for line in exhibit_lines(r)),
            *nothing_lines([r for r in results if not r["kind"]]),
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", help="keep the cases in this folder, and use their caches")
    parser.add_argument("--copies", type=float, default=controls.Settings().copied_s, help="s of each copy; 0: none")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/detectable.py needs ../shared/data, which is absent")
    with tempfile.TemporaryDirectory() as scratch, multiprocessing.get_context("spawn").Pool(2) as pool:
        folder = Path(options.cases or scratch)
        jobs = [(kind, row, folder, options.copies) for kind, row in exhibits().items()]
        jobs += [("", row, folder, options.copies) for row in others()]
        results = []
        for result in pool.imap(run, jobs):
            results.append(result)
            print(len(results), "of", len(jobs), result["clip"], flush=True)
            DETECTABLE.write_text(text_of(results, options.copies, len(jobs)))  # what is done is kept
    print(DETECTABLE.read_text())


if __name__ == "__main__":
    main()

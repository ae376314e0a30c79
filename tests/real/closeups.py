"""Close-ups against truth: two faces under known lamps, highlights by the iris's size, swaps planted in real faces.

    python tests/real/closeups.py --cases FOLDER

FOLDER holds finished cases by the clips' stems (``make real --cases``). Writes tests/real/CLOSEUPS.md.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gate import DATA, HERE
from light import (
    FACTS,
    SETTINGS,
    apart_deg,
    areas,
    centile,
    encoded,
    levels,
    seen_longest,
    told,
    written,
    yale,
)

from forensics import closeup, decode, pixels
from forensics import statistics as stats
from forensics.analysis.lighting import Rim, best_pairs, contrast, measure_surround, rims
from forensics.analysis.lighting.faces import apart
from forensics.analysis.lighting.highlights import highlights
from forensics.analysis.lighting.verdict import assess_highlights, assess_surround
from forensics.clip import identify, opened
from forensics.finding import About
from forensics.landmarks import CHIN, FOREHEAD, FaceModel
from forensics.timeline import FaceTrack

CLOSEUPS = HERE / "CLOSEUPS.md"
LOOKS = 30  # of each clip
IRISES_PX = (20, 16, 12, 10, 8, 6)
#: Irises at least this wide lend the truth for smaller ones.
LARGE_PX = 18.0
ANGLES_DEG = (0, 15, 30, 45, 60, 90)


def looks(row: dict[str, str], track: FaceTrack) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The pictures of a track's first close-ups, with their landmarks."""
    assert track.closeups is not None
    wanted = {int(track.frame[k]): int(k) for k in track.closeups.row[:LOOKS]}
    path = DATA / row["path"]
    with opened(path) as fd:
        for picture in decode.pictures(fd, identify(path, fd).picture, decode.Losses()):
            if picture.index in wanted:
                yield picture.rgb(), np.asarray(track.landmarks[wanted[picture.index]], float)
            if picture.index >= max(wanted):
                return


def one_a_person(folder: Path, label: str = "authentic") -> Iterator[tuple[dict[str, str], FaceTrack]]:
    persons: set[str] = set()
    for row, track in seen_longest(folder):
        person = row["person"] or row["path"]
        if row["label"] == label and person not in persons and track.closeups is not None:
            persons.add(person)
            yield row, track


# -- two faces under known lamps ------------------------------------------------------------------------------------


def two_faces() -> list[str]:
    """Pairs of photographs of two persons, as if seen together: the angle between their lights against the lamps'."""
    cases = [case for case in yale()[0] if not case.reasons]
    rows: dict[int, list[tuple[float, bool, bool]]] = defaultdict(list)
    for one, other in itertools.combinations(cases, 2):
        truth = apart_deg(one.lamp, other.lamp)
        nearest = min(ANGLES_DEG, key=lambda angle: abs(angle - truth))
        if one.unit != other.unit and abs(nearest - truth) <= 5:
            angle, low, high = apart(one.light, other.light, SETTINGS)
            rows[nearest].append((angle - truth, low <= truth <= high, low > 0))
    lines = [
        "Extended Yale B, 3 persons only: all pairs of two persons' assessed photographs whose lamps are as far "
        "apart as listed, within 5°. Pairs share photographs, so no interval is given. *Told apart*: the interval of "
        "`light_between_faces` does not reach 0.",
        "",
        "| lamps apart | pairs | median error | 90th percentile of its size | interval holds the truth | told apart |",
        "|---|---|---|---|---|---|",
    ]
    for angle in ANGLES_DEG:
        if found := rows[angle]:
            error = np.array([e for e, _, _ in found])
            lines.append(
                f"| {angle}° | {len(found)} | {np.median(error):+.1f}° | {np.percentile(np.abs(error), 90):.1f}° | "
                f"{np.mean([h for _, h, _ in found]):.2f} | {np.mean([t for _, _, t in found]):.2f} |"
            )
    return lines


# -- highlights -----------------------------------------------------------------------------------------------------


def shrunk_eyes(row: dict[str, str], track: FaceTrack, model: FaceModel) -> dict[int, tuple[np.ndarray, int]]:
    """By iris in px: shifts (n, 2) of the highlights in pictures scaled so, landmarks found anew; and looks."""
    assert track.closeups is not None
    iris = float(np.nanmedian(track.closeups.irises[:][:, :, 0]))
    found: dict[int, list[np.ndarray]] = {size: [] for size in (0, *IRISES_PX)}
    tried = 0
    for rgb, landmarks in looks(row, track):
        tried += 1
        low = np.maximum(landmarks[:, :2].min(0) - np.ptp(landmarks[:, 1]) / 2, 0).astype(int)
        high = (landmarks[:, :2].max(0) + np.ptp(landmarks[:, 1]) / 2).astype(int)
        crop = np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]])
        for size in found:
            small = crop if size == 0 else pixels.scale(crop, size / iris)
            if faces := model.detect(small):
                spots, _ = closeup.glints(small, faces[0].landmarks)
                left, right = best_pairs(spots[None], SETTINGS)
                found[size].append((right - left)[0])
    return {size: (np.array(shifts).reshape(-1, 2), tried) for size, shifts in found.items()}


def eye_lines(folder: Path) -> list[str]:
    by_size: dict[int, list[tuple[str, float, float, float]]] = defaultdict(list)
    clips = 0
    with FaceModel(1) as model:
        for row, track in seen_longest(folder):
            about = highlights([track], SETTINGS) if track.closeups is not None else None
            if about is None or not about.iris_px >= LARGE_PX or len(about.t_s) < SETTINGS.least_closeups:
                continue
            clips += 1
            made = shrunk_eyes(row, track, model)
            whole = np.nanmedian(made[0][0], 0)
            for size in IRISES_PX:
                shifts, tried = made[size]
                paired = shifts[np.isfinite(shifts[:, 0])]
                if len(paired) >= 5:
                    error = np.abs(100 * (np.median(paired, 0) - whole))
                    by_size[size].append((row["person"] or row["path"], *error, len(paired) / tried))
    lines = [
        f"{clips} clips, authentic and altered, with irises of {LARGE_PX:g} px and more and highlights in both: "
        f"the first {LOOKS} close-ups scaled so that the iris has the size listed, landmarks found anew, against the "
        "same at full size. Differences of the median shift in % of the iris, with 95 % intervals over persons.",
        "",
        "| iris | clips with 5 pairs | sideways: median, 90th percentile | down: median, 90th percentile | "
        "share of looks with a pair (median) |",
        "|---|---|---|---|---|",
    ]
    for size in IRISES_PX:
        rows = by_size[size]
        units = [u for u, *_ in rows]
        cells = [
            f"{centile([r[k] for r in rows], 50, units)}, {centile([r[k] for r in rows], 90, units)}" for k in (1, 2)
        ]
        share = f"{np.median([r[3] for r in rows]):.2f}" if rows else "–"
        lines.append(f"| {size} px | {len(rows)} | {cells[0]} | {cells[1]} | {share} |")
    return [*lines, "", *stranger_lines(folder)]


def stranger_lines(folder: Path) -> list[str]:
    """The shift between one person's eyes against that between eyes of two persons."""
    places: list[tuple[str, np.ndarray, np.ndarray]] = []
    for row, track in one_a_person(folder):
        found = highlights([track], SETTINGS)
        if len(found.t_s) >= SETTINGS.least_closeups:
            places.append((row["path"], np.median(found.left, 0), np.median(found.right, 0)))
    own = [float(np.linalg.norm(right - left)) for _, left, right in places]
    others = [
        float(np.linalg.norm(places[j][2] - places[i][1])) for i, j in itertools.permutations(range(len(places)), 2)
    ]
    units = np.array([*range(len(own)), *(i for i, _ in itertools.permutations(range(len(places)), 2))])
    labels = np.array([False] * len(own) + [True] * len(others))
    area = stats.auc(np.array(own + others), labels, units)
    return [
        f"Own against strangers' eyes ({len(own)} authentic persons with highlights): median distance "
        f"{100 * np.median(own):.1f} % of the iris in one person's eyes, {100 * np.median(others):.1f} % between a "
        f"left eye and another person's right eye; AUC {area.value:.2f} [{area.low:.2f}, {area.high:.2f}] over left "
        "eyes. Most lamps hang above and before the speaker, so strangers' highlights often agree too.",
    ]


# -- swaps planted --------------------------------------------------------------------------------------------------


def inner_mask(shape: tuple[int, int], landmarks: np.ndarray) -> np.ndarray:
    """Share (h, w) of the pasted face: its outline drawn in to 0.92, with a soft edge."""
    oval = landmarks[list(closeup.OVAL), :2]
    middle = oval.mean(0)
    mask = pixels.filled(middle + 0.92 * (oval - middle), shape).astype(np.float32)
    return pixels.blur(mask, 0.02 * float(np.linalg.norm(landmarks[CHIN] - landmarks[FOREHEAD])))


def changed(light: np.ndarray, landmarks: np.ndarray, kind: str, random: np.random.Generator) -> np.ndarray:
    """The face ``light`` (h, w, 3) linear as ``kind`` alters it."""
    height = float(np.linalg.norm(landmarks[CHIN, :2] - landmarks[FOREHEAD, :2]))
    if kind == "blurred by 1 % of its height":
        return pixels.blur(light, 0.01 * height)
    if kind == "redder by 10 %":
        return light * np.array([1.1, 1.0, 1.0], np.float32)
    if kind == "lighter by 20 %":
        return light * 1.2
    if kind == "lighter by 10 % in every other look":
        return light * random.choice([1.0, 1.1])
    if kind == "lit by 30 % more from the picture's right":
        x = (np.arange(light.shape[1]) - landmarks[:, 0].mean()) / (height / 2)
        return light * (1 + 0.3 * np.clip(x, -1, 1))[None, :, None].astype(np.float32)
    return light


KINDS = {
    "nothing but encoded anew": "surround_detail",
    "blurred by 1 % of its height": "surround_detail",
    "redder by 10 %": "surround_red",
    "lighter by 20 %": "surround_light",
    "lit by 30 % more from the picture's right": "surround_side",
    "lighter by 10 % in every other look": "surround_flicker",
}


def pasted(pictures: Sequence[tuple[np.ndarray, np.ndarray]], kind: str) -> Rim:
    """The rim as looked at anew in pictures whose inner face was altered, encoded at CRF 23."""
    random, made = np.random.default_rng(0), []
    for rgb, landmarks in pictures:
        light = closeup.linear_light(rgb)
        mask = inner_mask(rgb.shape[:2], landmarks)[:, :, None]
        shown = np.clip(light * (1 - mask) + changed(light, landmarks, kind, random) * mask, 0, 1)
        made.append(np.round(levels(shown)).astype(np.uint8))
    light, detail = [], []
    for rgb, (_, landmarks) in zip(encoded(made, 23, "medium"), pictures, strict=True):
        lit, fine, _ = closeup.rim(rgb, landmarks)
        light.append(lit)
        detail.append(fine[..., 0])
    return Rim(closeup.EVERY_S * np.arange(len(pictures)), np.array(light, float), np.array(detail, float))


def framed(row: dict[str, str], track: FaceTrack) -> list[tuple[np.ndarray, np.ndarray]]:
    """The pictures of a face, cut to one frame with even sides that holds all of them."""
    whole = list(looks(row, track))
    points = np.concatenate([landmarks[:, :2] for _, landmarks in whole])
    margin = 0.4 * np.ptp(whole[0][1][:, 1])
    low = np.maximum(points.min(0) - margin, 0).astype(int)
    high = np.minimum(points.max(0) + margin, whole[0][0].shape[1::-1]).astype(int)
    high -= (high - low) % 2
    return [
        (np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]]), landmarks - [*low, 0])
        for rgb, landmarks in whole
    ]


def swap_lines(folder: Path) -> list[str]:
    rows: dict[str, list[tuple[str, float, bool]]] = defaultdict(list)
    usual: dict[str, list[float]] = defaultdict(list)
    for row, track in one_a_person(folder):
        about = About(track.interval, SETTINGS, [track.interval], "A")
        finding = assess_surround([track], about, SETTINGS)
        if finding.reasons:
            continue
        for m in finding.measurements:
            usual[m.name].append(m.value)
        pictures = framed(row, track)
        frontal = len(rims([track], SETTINGS).t_s) >= 0.9 * len(track.closeups or ())
        if len(pictures) < LOOKS or not frontal:
            continue
        control: dict[str, Any] = {}
        for kind, name in KINDS.items():
            found = contrast(pasted(pictures, kind), SETTINGS)
            if len(found.spokes) < SETTINGS.least_spokes:
                continue
            measured = {m.name: m for m in measure_surround(found, SETTINGS)}
            control = control or measured
            if name in measured and name in control:
                was, now = control[name], measured[name]
                rows[kind].append((row["path"], now.value / was.value, not was.low <= now.value <= was.high))
    lines = [
        f"{len(rows[next(iter(KINDS))])} authentic clips, one a person, {LOOKS} close-ups each, the head turned "
        "little: the inner face, drawn in to 0.92 of its outline with a soft edge, altered and encoded at CRF 23. "
        "*Changed*: the number over that of the same clip encoded without alteration. *Beyond*: outside that "
        "control's own 95 % interval. *Usual*: 5th to 95th percentile of the number in untouched clips, which no "
        "single clip can be told from.",
        "",
        "| inner face | number | clips | changed by (median) | beyond | usual, untouched clips (n) |",
        "|---|---|---|---|---|---|",
    ]
    for kind, name in KINDS.items():
        found = rows[kind]
        low, high = np.percentile(usual[name], (5, 95))
        lines.append(
            f"| {kind} | `{name}` | {len(found)} | × {np.median([r for _, r, _ in found]):.2f} | "
            f"{told(sum(b for *_, b in found), len(found))} | {low:.2f} to {high:.2f} ({len(usual[name])}) |"
        )
    return lines


# -- families -------------------------------------------------------------------------------------------------------

NUMBERS = ("surround_detail", "surround_red", "surround_light", "surround_flicker")


def value(finding: Any, name: str) -> float | None:
    return next((m.value for m in finding.measurements if m.name == name), None)


def families(folder: Path) -> list[str]:
    by_family: dict[str, list[tuple[dict[str, str], list[Any]]]] = defaultdict(list)
    for row, track in seen_longest(folder):
        about = About(track.interval, SETTINGS, [track.interval], "A")
        found = [assess([track], about, SETTINGS) for assess in (assess_surround, assess_highlights)]
        by_family["authentic" if row["label"] == "authentic" else row["generator"]].append((row, found))
    lines = [
        "The face seen longest of each clip; medians where assessed. *Apart*: distance of the highlights, % of the "
        "iris.",
        "",
        f"| family | clips | surround assessed | {' | '.join(n.partition('_')[2] for n in NUMBERS)} | highlights "
        "assessed | apart |",
        "|" + "---|" * (len(NUMBERS) + 5),
    ]
    for family, rows in sorted(by_family.items(), key=lambda item: (item[0] != "authentic", item[0])):
        around = [f[0] for _, f in rows if not f[0].reasons]
        eyes = [f[1].score for _, f in rows if not f[1].reasons]
        cells = []
        for name in NUMBERS:
            told_of = [v for f in around if (v := value(f, name)) is not None]
            cells.append(f"{np.median(told_of):.2f}" if told_of else "–")
        lines.append(
            f"| {family} | {len(rows)} | {len(around)} | {' | '.join(cells)} | {len(eyes)} | "
            f"{f'{np.median(eyes):.1f}' if eyes else '–'} |"
        )
    every = [(family != "authentic", row, found) for family, own in by_family.items() for row, found in own]
    named: dict[str, Callable[[dict[str, str], Any], float | None]] = {
        f"`{name}`": lambda row, f, name=name: value(f[0], name)
        for name in NUMBERS  # type: ignore[misc]
    }
    named["distance of the highlights"] = lambda row, f: f[1].score
    return [*lines, "", *areas(every, named | FACTS)]


def main() -> None:
    written(
        "closeups.py",
        CLOSEUPS,
        "Close-ups against truth",
        {
            "Two faces under known lamps": lambda cases: two_faces(),
            "Highlights by the iris's size, and against strangers'": eye_lines,
            "Inner faces altered in authentic clips": swap_lines,
            "Families of alteration": families,
        },
        __doc__,
    )


if __name__ == "__main__":
    main()

"""The explorer in JupyterLab on minutes of 1080p: first picture, viewing copy, seeks, memory of kernel and page.

    python bench/explorer.py [--minutes 10] [--seeks 60]        (needs Debian's chromium)

The recording is a short one of 1080×1920 joined to itself; its pass is the short one's, repeated, so that no minutes
go into looking for faces: what is timed is the looking by a person. The longest of all is making the viewing copy.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
from joined import ROOT, join, source, thinned
from memory import held
from playwright.sync_api import Page

from forensics import observe, pipeline
from forensics.case import Case, write
from forensics.clip import identify, opened

sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import lab

#: Arrays that count rows of others, and which.
COUNTED = {"row": "t_s", "repeat_face": "row", "closeup_face": "row", "sighting_row": "t_s"}


def made(minutes: float, place: Path) -> tuple[Path, Path]:
    """A recording of so many minutes of 1080p, and its finished case."""
    short = source("P06_real.mp4")
    if short.name == "talker.mp4":
        short = thinned(short, 25, (1080, 1920), place / "short.mp4")
    clip, folder = join(short, 60 * minutes, place / "long.mp4"), place / "case"
    with Case(place / "short", short) as case:
        pipeline.report(case)
        seen = next(p.parent for p in (case.folder / "cache").glob("*/landmarks.npy"))
    with Case(folder, clip) as case, opened(clip) as fd:
        about = identify(clip, fd)
        case.claim(about.sha256)
        case.log("opened", sha256=about.sha256, sha512=about.sha512, **pipeline.procedure(None, pipeline.Settings()))
        kept, _, _ = case.cached({"bench": minutes}, lambda target: repeated(seen, clip, target))
        case.log("observed", cache=kept.name)
        write(folder / "findings.json", (place / "short" / "findings.json").read_bytes())
        case.reported()
    return clip, folder


def repeated(seen: Path, clip: Path, target: Path) -> dict[str, Any]:
    """The pass in ``seen`` again and again, at the pictures' own times in ``clip``."""
    with av.open(str(clip)) as container:
        picture = container.streams.video[0]
        pts = np.sort([p.pts for p in container.demux(picture) if p.pts is not None])
        t_s = pts * float(picture.time_base)
    arrays = {path.stem: np.load(path) for path in seen.glob("*.npy")}
    n, lengths = len(pts), {name: len(values) for name, values in arrays.items()}
    times = -(-n // lengths["t_s"])
    for name, values in arrays.items():
        if name in observe.MESH_ARRAYS:
            tiled = values
        elif name == "speech":
            tiled = np.concatenate([values + np.array([[k * values[0, -1]], [0]]) for k in range(times)], axis=1)
        else:
            step = lengths[COUNTED[name]] if name in COUNTED else 0
            tiled = np.concatenate([values + k * step if step else values for k in range(times)])
        if name in observe.PICTURE_ARRAYS:
            tiled = {"pts": pts, "t_s": t_s, "number": np.arange(n)}.get(name, tiled[:n])
        np.save(target / f"{name}.npy", tiled)
    kept = np.load(target / "row.npy") < n
    for name in observe.FACE_ARRAYS:
        np.save(target / f"{name}.npy", np.load(target / f"{name}.npy")[kept])
    return dict(json.loads((seen / "about.json").read_text("utf-8"))["about"])


def explored(browser: Any, address: str, cell: int) -> tuple[Page, float]:
    """A page with the explorer, and the seconds from the cell's keys to its first picture."""
    page = lab.opened(browser, address, "explore.ipynb", 1440, 1600)
    page.set_default_timeout(3_600_000)
    lab.run_cell(page, 0)
    page.wait_for_function("() => document.querySelector('.jp-InputPrompt').textContent.includes('1')")
    began = time.monotonic()
    lab.run_cell(page, cell)
    page.wait_for_selector(".fx canvas[data-row]")
    return page, time.monotonic() - began


def kernel_mb() -> float:
    """Memory of the kernel and its children, each shared page counted once."""
    own = [p for p in psutil.Process().children(recursive=True) if "ipykernel" in " ".join(p.cmdline())]
    return sum(held(p) + sum(held(c) for c in p.children(recursive=True)) for p in own) / 2**20


def page_mb() -> float:
    """Memory of the browser's pages: the largest of its renderers."""
    everyone = psutil.Process().children(recursive=True)
    return max([held(p) for p in everyone if "--type=renderer" in p.cmdline()], default=0) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeks", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, lab.chromium() as browser:
        place = Path(name)
        clip, case = made(options.minutes, place)
        lab.write_notebook(
            place / "explore.ipynb",
            "from forensics.explorer import explore",
            f"explore({str(case)!r}, {str(clip)!r})",
        )
        with lab.server(place) as address:
            page, first_s = explored(browser, address, 1)
            before = kernel_mb(), page_mb()
            began = time.monotonic()
            page.wait_for_function("() => document.querySelector('.fx-said').textContent.includes('is whole')")
            copied_s = time.monotonic() - began
            page.close()
        with lab.server(place) as address:  # a fresh kernel, as on another day
            page, again_s = explored(browser, address, 1)
            times = np.load(next(case.glob("cache/*/end.npy")).with_name("t_s.npy"))
            rows = np.random.default_rng(1).permutation(len(times))[: options.seeks].tolist()
            took = [page.evaluate(lab.SEEK, [f"{times[row] + 0.001:.6f}", row]) for row in rows]
            page.locator(".fx").get_by_role("button", name="Play", exact=True).click()
            page.wait_for_timeout(10_000)
            after = kernel_mb(), page_mb()
        size = sum(p.stat().st_size for p in case.glob("cache/*/pictures.jpegs")) / 2**20
    print(f"| {options.minutes:g} minutes of 1080×1920, {len(times)} pictures, case finished | |")
    print("|---|---|")
    print(f"| first picture, nothing copied yet | {first_s:.1f} s |")
    print(f"| viewing copy made in | {copied_s:.0f} s, {size:.0f} MB |")
    print(f"| first picture, copy there | {again_s:.1f} s |")
    print(f"| seek, median | {np.median(took):.0f} ms (n = {len(took)}) |")
    print(f"| seek, 90 % within | {np.percentile(took, 90):.0f} ms |")
    print(f"| kernel, while copying; after seeks and 10 s of playing | {before[0]:.0f} MB; {after[0]:.0f} MB |")
    print(f"| page, likewise | {before[1]:.0f} MB; {after[1]:.0f} MB |")


if __name__ == "__main__":
    main()

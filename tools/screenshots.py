"""`make screenshots`: docs/pictures from the bundled sample, in a headless Chromium (Debian's package chromium).

    python tools/screenshots.py [--keep FOLDER]     (FOLDER keeps the case, so that a second run takes seconds)

The window's size is fixed, and only parts are taken in which neither clock nor path nor a person's name stands.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import lab  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
SAMPLE = Path("samples/out/talker.mp4")
CASE = Path("case/notebooks/talker")  # as notebook 00 has it
NOTEBOOK = Path("notebooks/00_start_here.ipynb")
WIDTH, HEIGHT = 1000, 1000
LAB_WIDTH, LAB_HEIGHT = 1440, 1500
#: The finding that is shown, by its heading: short, with a chart.
FINDING = "Offset between lips and sound"
#: Where the mouth is wide open between two blinks.
INSTANT_S, ROW = 8.76, 219
#: Nothing is said of a viewing copy that is still being made or finished.
COPIED = "() => !/Making the viewing copy|not there yet|being finished/.test(document.querySelector('.fx').textContent)"
COLOURS = 128  # of a palette: text stays sharp, and the one photograph loses little
MOST_BYTES = 200_000  # a picture in a repository is there for good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path)
    keep = parser.parse_args().keep
    if lab.CHROMIUM is None:
        sys.exit("The pictures need Chromium, Debian's package chromium.")
    with nullcontext(keep) if keep else tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        examined(folder)
        with lab.chromium() as browser:
            report(browser, folder / CASE / "report.html")
            explorer(browser, folder)


def examined(folder: Path) -> None:
    """The sample, its finished case and notebook 00, laid out in ``folder`` as they are in the checkout."""
    for name in (SAMPLE, NOTEBOOK):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    command = [sys.executable, "-m", "forensics.cli", "report", str(SAMPLE), "--out", str(CASE)]
    subprocess.run([*command, "--examiner", "Examiner"], cwd=folder, check=True)


def report(browser: Any, page_of: Path) -> None:
    """The report's first screen, and one finding down to its chart."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(page_of.as_uri())
    kept(page.screenshot(), "report.png")
    heading = page.get_by_role("heading", name=FINDING)
    top = heading.bounding_box()["y"] - 12
    chart = heading.locator("xpath=following-sibling::figure[1]").bounding_box()
    area = {"x": 0, "y": top, "width": WIDTH, "height": chart["y"] + chart["height"] + 12 - top}
    kept(page.screenshot(full_page=True, clip=area), "finding.png")
    page.close()


def explorer(browser: Any, folder: Path) -> None:
    """The explorer in notebook 00, in JupyterLab."""
    cells = [c for c in json.loads((folder / NOTEBOOK).read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    begins = next(k for k, source in enumerate(sources) if "explore(" in source)
    with lab.server(folder) as address:
        page = lab.opened(browser, address, str(NOTEBOOK), LAB_WIDTH, LAB_HEIGHT)
        for number in (0, 1, begins):  # the parameters, the imports, the explorer
            lab.run_cell(page, number)
        page.wait_for_selector('.fx canvas[data-row="0"]', timeout=lab.PATIENCE_S * 1000)
        shown = page.locator(".fx")
        page.evaluate(lab.SEEK, [INSTANT_S, ROW])
        page.wait_for_function(COPIED, timeout=lab.PATIENCE_S * 1000)
        shown.scroll_into_view_if_needed()
        page.wait_for_timeout(1000)  # what is drawn last
        kept(shown.screenshot(), "explorer.png")
        page.close()


def kept(png: bytes, name: str) -> None:
    """As PNG with a palette."""
    made = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(made, "PNG", optimize=True)
    if len(made.getvalue()) > MOST_BYTES:
        sys.exit(f"{name} has {len(made.getvalue())} bytes, more than {MOST_BYTES}.")
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / name).write_bytes(made.getvalue())
    print(f"{name}: {len(made.getvalue())} bytes")


if __name__ == "__main__":
    main()

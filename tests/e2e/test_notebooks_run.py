"""Each notebook opened in JupyterLab, in a real browser, and run to its end; its explorer draws where it has one.

The notebooks run as copies, so that their stored output stays, on the cases in ``case/notebooks``, so that what was
seen once is not looked for again. One after the other: their cases have locks.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import lab
import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytest.importorskip("anywidget", reason="needs the extra notebooks")
pytest.importorskip("jupyterlab", reason="needs the extra notebooks")
ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(lab.CHROMIUM is None, reason="needs Chromium, Debian's package chromium"),
    pytest.mark.skipif(not (ROOT / "samples/out/talker.mp4").is_file(), reason="needs the samples: make samples"),
]
#: Where screenshots go, to be looked at; nowhere without it.
SHOTS = os.environ.get("EXPLORER_SHOTS")
#: Seconds for one notebook: the first of all examines the samples.
PATIENCE_S = 1800.0
SIZE = (1280, 800)


@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_to_its_end_in_the_browser(source: Path, browser: Any, tmp_path: Path) -> None:
    (ROOT / "case").mkdir(exist_ok=True)
    for name in ("samples", "case"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "notebooks").mkdir()
    copy = lab.copied(source, tmp_path / "notebooks")
    with lab.server(tmp_path) as address:
        page = lab.opened(browser, address, f"notebooks/{copy.name}", *SIZE)
        page.set_default_timeout(PATIENCE_S * 1000)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        lab.run_all(page, copy, PATIENCE_S)
        cells = lab.code_cells(copy)
        assert lab.errors(cells) == []
        explored = sum("explore(" in "".join(cell["source"]) for cell in cells)
        if explored:
            page.wait_for_selector(".fx canvas[data-row]")
            page.wait_for_selector('.fx[data-lanes="13"]')
            page.locator(".fx").first.scroll_into_view_if_needed()
        assert page.locator(".fx canvas[data-row]").count() == explored and complaints == []
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{source.stem}.png")
        page.close()

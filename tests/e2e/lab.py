"""JupyterLab, or Notebook 7, on loopback with a folder of its own, and a notebook of one cell: for tests and bench."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
#: Nothing of the browser's own leaves the machine; sound may play without a hand on the machine.
FLAGS = (
    "--no-sandbox",  # the page is ours, and Chromium's sandbox refuses root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
#: JupyterLab's own: it would ask over the picture, and it takes cells that are scrolled away out of the page.
SETTINGS = {
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
    "notebook-extension/tracker": '{"windowingMode": "none"}',
}
#: By the module that serves it: where a notebook's page lies, and JupyterLab's wish to begin with that page alone.
PAGES = {"jupyterlab": ("lab/tree", "&reset"), "notebook": ("notebooks", "")}
#: Seconds for the server to answer: a machine that builds something beside it is slow.
PATIENCE_S = 120.0
#: The notebook's sign that its kernel waits.
IDLE = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
#: Whether a cell runs or has run.
BEGUN = "k => /[*\\d]/.test(document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')[k].textContent)"
#: Resolves when the picture of a row is drawn, with the ms that took from the key's or the field's own event on.
SEEK = """
([seconds, row]) => new Promise((done, fail) => {
    const canvas = document.querySelector('.fx canvas[role="img"]');
    const field = document.querySelector('.fx input[aria-label="Position in seconds"]');
    const began = performance.now();
    const watcher = new MutationObserver(() => {
        if (canvas.dataset.row === String(row)) { watcher.disconnect(); done(performance.now() - began); }
    });
    watcher.observe(canvas, { attributes: true });
    setTimeout(() => fail(new Error("no picture " + row + ", there is " + canvas.dataset.row)), 60000);
    field.value = seconds;
    field.dispatchEvent(new Event("change"));
})
"""


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium without a window, driven by playwright; ended with the context."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def server(folder: Path, module: str = "jupyterlab") -> Iterator[str]:
    """Address of a page of ``folder`` in JupyterLab or Notebook, NAME in it for the file's; ended with the context."""
    own = folder / ".jupyter"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    places = {name: str(own / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    for name, text in SETTINGS.items():
        setting = own / "JUPYTER_CONFIG_DIR/lab/user-settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        setting.parent.mkdir(parents=True, exist_ok=True)
        setting.write_text(text)
    environment = os.environ | places | {"IPYTHONDIR": str(own / "ipython"), "JUPYTER_TOKEN": token}
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root", f"--ServerApp.root_dir={folder}"]
    options += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    process = subprocess.Popen(
        [sys.executable, "-m", module, *options],
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/api/status?token={token}", process)
        place, wish = PAGES[module]
        yield f"http://127.0.0.1:{port}/{place}/NAME?token={token}{wish}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    since = time.monotonic()
    while time.monotonic() - since < PATIENCE_S:
        assert process.poll() is None, "JupyterLab ended"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("JupyterLab does not answer")


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook of code cells, none of them run."""
    listed = [
        {"cell_type": "code", "id": f"c{k}", "execution_count": None, "metadata": {}, "outputs": [], "source": text}
        for k, text in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": listed, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def opened(browser: Any, address: str, name: str, width: int, height: int) -> Any:
    """A page with the notebook, its kernel ready."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(address.replace("NAME", name))
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PATIENCE_S * 1000)
    page.wait_for_selector(IDLE, timeout=PATIENCE_S * 1000)
    return page


def copied(source: Path, place: Path) -> Path:
    """A notebook's copy in the folder ``place``, as if it had never run."""
    notebook = json.loads(source.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    copy = place / source.name
    copy.write_text(json.dumps(notebook), "utf-8")
    return copy


def code_cells(path: Path) -> list[dict[str, Any]]:
    """The code cells of a notebook as its file has them."""
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def run_all(page: Any, path: Path, patience_s: float) -> None:
    """Run the notebook's cells by its menu until its file, saved by keys, tells of the last one's end or an error."""
    run_cell(page)  # it answers for the kernel
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
    since = time.monotonic()
    while time.monotonic() - since < patience_s:
        page.wait_for_timeout(2000)
        page.wait_for_selector(IDLE, timeout=patience_s * 1000)
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        cells = code_cells(path)
        if errors(cells) or all(cell["execution_count"] for cell in cells):
            return
    raise AssertionError(f"{path.name} does not come to its end")


def errors(cells: list[dict[str, Any]]) -> list[str]:
    """What went wrong in code cells."""
    found = [o for cell in cells for o in cell["outputs"] if o["output_type"] == "error"]
    return [f"{o['ename']}: {o['evalue']}" for o in found]


def run_cell(page: Any, number: int = 0) -> None:
    """Run one cell by its keys, again where JupyterLab lost them: it says idle before its kernel is connected.

    Where a slow machine makes it ask for the kernel, it is answered.
    """
    for _ in range(40):
        if (ask := page.locator(".jp-Dialog .jp-mod-accept")).count():
            ask.first.click()
            page.wait_for_timeout(3000)
        page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-editor").nth(number).click()
        page.keyboard.press("Control+Enter")
        try:
            page.wait_for_function(BEGUN, arg=number, timeout=1500)
            return
        except Exception as error:
            if type(error).__name__ != "TimeoutError":
                raise
    raise AssertionError("the cell does not run")

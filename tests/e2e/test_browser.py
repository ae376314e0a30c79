"""The report in a real browser: whatever the evidence says of itself, nothing is asked for, opened or run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus
import pytest
import synth

from forensics import observe, pipeline
from forensics.case import Case
from forensics.custody import Actor

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, Debian's package chromium")

FLAGS = (
    "--headless",
    "--no-sandbox",  # the page is ours, and Chromium's sandbox refuses root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
#: Seconds for one page: a browser that hangs is killed, which fails the test.
PATIENCE_S = 60
#: Nobody listens there; what is asked for is seen all the same.
ELSEWHERE = "http://127.0.0.1:9"
#: What runs, loads, or makes a heading or a row where it is not kept inert.
HOSTILE = corpus.TAGS | {
    "composer": f"<h1>Genuine</h1><img src='{ELSEWHERE}/a.png' onerror='alert(2)'>",
    "grouping": f"</td></tr><tr><td>a row</td></tr><iframe src='{ELSEWHERE}/b.html'></iframe>",
    "lyrics": f"</bdi></style><style>@import url({ELSEWHERE}/c.css);</style><meta http-equiv=refresh content=0>",
}
HARMLESS = dict.fromkeys(HOSTILE, "word")
#: Runs and loads in every browser that is not held back.
MARKUP = (
    f"<script>alert(1)</script><img src='{ELSEWHERE}/d.png' onerror='alert(2)'><iframe src='{ELSEWHERE}/e'></iframe>"
)

#: What the loaded page is; what a script may put off is waited for.
LOOK = """
new Promise(done => setTimeout(done, 300)).then(() => ({
    elements: [...document.querySelectorAll("*")].map(e => e.localName),
    headings: [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(e => e.localName + " " + e.textContent),
    rows: document.querySelectorAll("tr").length,
    handlers: [...document.querySelectorAll("*")].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith("on")),
    leads: [...document.querySelectorAll("[href], [src], [action]")]
        .map(e => e.getAttribute("href") || e.getAttribute("src") || e.getAttribute("action")),
    blank: [...document.images].filter(i => !i.naturalWidth).length,
    images: document.images.length,
    text: document.body.innerText,
}))
"""


@dataclass(frozen=True)
class Seen:
    """Addresses asked for; texts of dialogs; what the browser complained of; the document, as ``LOOK`` tells it."""

    requests: list[str]
    dialogs: list[str]
    complaints: list[str]
    document: dict[str, Any]


class Browser:
    """A headless Chromium, spoken to by the DevTools protocol: JSON between zero bytes, on descriptors 3 and 4."""

    def __init__(self, profile: Path):
        over = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null'
        self._process = subprocess.Popen(
            ["sh", "-c", over, "sh", str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._asked, self._rest = 0, b""

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _send(self, method: str, session: str | None, values: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": values} | ({"sessionId": session} if session else {})
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        self._process.stdin.flush()
        return self._asked

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\0" not in self._rest:
            chunk = os.read(self._process.stdout.fileno(), 1 << 16)
            assert chunk, "the browser ended or hung"
            self._rest += chunk
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def ask(self, method: str, session: str | None = None, events: list | None = None, **values: Any) -> dict[str, Any]:
        """The answer; what is told meanwhile goes into ``events``."""
        number = self._send(method, session, values)
        while (message := self._next()).get("id") != number:
            self._heed(message, session, events)
        assert "error" not in message, message
        return message["result"]

    def _heed(self, message: dict[str, Any], session: str | None, events: list | None) -> None:
        if events is not None and "method" in message:
            events.append(message)
        if message.get("method") == "Page.javascriptDialogOpening":  # an open dialog would stop the page
            self._send("Page.handleJavaScriptDialog", session, {"accept": True})

    def visit(self, path: Path) -> Seen:
        """Open the file in a new tab, wait until it is loaded, look."""
        guard = threading.Timer(PATIENCE_S, self._process.kill)
        guard.start()
        try:
            return self._visit(path)
        finally:
            guard.cancel()

    def _visit(self, path: Path) -> Seen:
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        events: list[dict[str, Any]] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable", session)
        self.ask("Page.navigate", session, events, url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in events):
            self._heed(self._next(), session, events)
        looked = self.ask("Runtime.evaluate", session, events, expression=LOOK, awaitPromise=True, returnByValue=True)[
            "result"
        ]["value"]
        self.ask("Target.closeTarget", targetId=target)

        def told(method: str) -> list[dict[str, Any]]:
            return [event["params"] for event in events if event["method"] == method]

        return Seen(
            [request["request"]["url"] for request in told("Network.requestWillBeSent")],
            [dialog["message"] for dialog in told("Page.javascriptDialogOpening")],
            [entry["entry"]["text"] for entry in told("Log.entryAdded")]
            + [str(said) for kind in ("consoleAPICalled", "exceptionThrown") for said in told(f"Runtime.{kind}")],
            looked,
        )


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def reported(folder: Path, name: str, tags: dict[str, str], actor: Actor) -> Path:
    """The report on half a second of a tone whose file, tags and examiner have these names."""
    (folder / "evidence").mkdir(parents=True)
    clip = synth.write(folder / "evidence" / name, synth.Sound(synth.tone(0.5)), tags=tags)
    with Case(folder / "case", clip, actor=actor) as case:
        pipeline.report(case, settings=pipeline.Settings(observe=observe.Settings(workers=1)))
    return folder / "case" / "report.html"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    actor = Actor("<script>alert(3)</script>", "</td></tr></table><h2>Genuine</h2>")
    return reported(tmp_path_factory.mktemp("hostile"), "<svg onload=alert(4)>.mp4", HOSTILE, actor)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reported(tmp_path_factory.mktemp("harmless"), "clip.mp4", HARMLESS, Actor("m. muster"))


def elsewhere(seen: Seen, page: Path) -> list[str]:
    """What was asked for beside the file itself and the pictures inside it."""
    return [url for url in seen.requests if url != page.as_uri() and not url.startswith("data:image/")]


def test_hostile_metadata_asks_for_nothing_opens_nothing_and_adds_nothing(browser, hostile, harmless):
    seen, calm = browser.visit(hostile), browser.visit(harmless)
    assert hostile.as_uri() in seen.requests and elsewhere(seen, hostile) == []
    assert seen.dialogs == [] and seen.complaints == []
    for part in ("headings", "rows", "elements", "leads"):
        assert seen.document[part] == calm.document[part], part
    assert seen.document["handlers"] == [] and "script" not in seen.document["elements"]
    assert len(seen.document["headings"]) > 10 and seen.document["rows"] > 20
    shown = seen.document["text"]
    for text in (*(t for t in HOSTILE.values() if t.isprintable() and len(t) < 100), "# Conclusion", "⟨U+001B⟩"):
        assert text in shown
    for text in ("<svg onload=alert(4)>.mp4", "<script>alert(3)</script>", "<h2>Genuine</h2>"):
        assert text in shown


@pytest.mark.parametrize("held", [True, False], ids=["with the policy", "without it"])
def test_markup_that_came_into_a_report_would_be_held_back_by_its_policy_alone(browser, harmless, tmp_path, held):
    """And without it this file's way to look sees requests, dialogs and elements: it would see them above."""
    policy, content = '<meta http-equiv="Content-Security-Policy"', harmless.read_text("utf-8")
    assert content.count(policy) == 1
    page = tmp_path / "page.html"
    page.write_text(content.replace("<main>", f"<main>{MARKUP}").replace(policy, policy if held else "<meta"), "utf-8")
    seen = browser.visit(page)
    assert "script" in seen.document["elements"]
    if held:
        assert seen.dialogs == [] and "Content Security Policy" in " ".join(seen.complaints)
    else:
        assert sorted(seen.dialogs) == ["1", "2"]
        assert {f"{ELSEWHERE}/d.png", f"{ELSEWHERE}/e"} <= set(elsewhere(seen, page))


def test_the_policy_lets_every_chart_and_still_be_seen(browser, face_case):
    page = face_case / "report.html"
    seen = browser.visit(page)
    assert seen.document["images"] > 1 and seen.document["blank"] == 0
    assert elsewhere(seen, page) == seen.dialogs == seen.complaints == []

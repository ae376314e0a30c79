"""The commands of the tutorial and of the page on many machines, run as they stand there, in their order.

Each by a shell, in a folder that holds what the pages speak of: recordings, words spoken, a declaration. Left out are
``make``, which would set up another environment, and JupyterLab, which other tests here open.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
import synth
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples/out"
#: The console scripts of the environment that runs the tests.
PROGRAMS = Path(sys.executable).parent
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SAMPLES / "talker.mp4").is_file(), reason="needs the samples: make samples"),
]
#: What `make report` does once its environment and its sample are there.
MADE = {"make report": "forensics report samples/out/talker.mp4 --out case/talker"}
#: Commands that the pages say are refused, with their exit status and code.
REFUSED = {"forensics report README.md --out case/wrong": (3, "E_NOT_MEDIA")}
#: Of the sample: sentences, and s behind them.
SENTENCES, PAUSE_S = 2, 0.5
#: Seconds for one command, and for a server to answer.
PATIENCE_S, ANSWER_S = 900, 60


def blocks(page: str, language: str) -> list[str]:
    tokens = MarkdownIt("commonmark").parse((ROOT / "docs" / page).read_text("utf-8"))
    return [t.content for t in tokens if t.type == "fence" and t.info == language]


def lines(page: str) -> list[str]:
    """The page's commands, continued lines joined, without those of ``make``; a comment is the shell's to skip."""
    written = "".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    known = [MADE.get(line, line) for line in written]
    return [line for line in known if line and not line.startswith("make ")]


class Desk:
    """The folder in which an examiner types, and what was printed there last."""

    def __init__(self, folder: Path):
        self.folder, self.printed = folder, ""
        self.environment = os.environ | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}

    def typed(self, line: str, place: str = ".") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["sh", "-c", line],
            check=False,
            cwd=self.folder / place,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        self.printed += done.stdout
        return done

    def noted(self) -> str:
        """The head hash that a command printed last."""
        return re.findall(r"head hash elsewhere: ([0-9a-f]{64})", self.printed)[-1]


def recordings(folder: Path) -> None:
    """Two small ones: a face, and nobody speaks."""
    folder.mkdir()
    for name, size in (("one.mp4", 200), ("two.mp4", 240)):
        synth.write(folder / name, synth.evenly([synth.portrait(size)] * 30, 10), synth.Sound(synth.tone(3.0)))


def shortened(source: Path, place: Path, end_s: float) -> None:
    """The beginning of a recording, its packets as they are: known alterations are planted into it three times."""
    with av.open(str(source)) as whole, av.open(str(place), "w") as part:
        streams = [part.add_stream_from_template(stream) for stream in whole.streams]
        for packet in whole.demux():
            if packet.pts is not None and packet.pts * packet.time_base < end_s:
                packet.stream = streams[packet.stream_index]
                part.mux(packet)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    said = json.loads((SAMPLES / "truth.json").read_text("utf-8"))["files"]["talker.mp4"]["sentences"][:SENTENCES]
    for name, sample in (("a recording", "talker"), ("first", "talker_variable_rate"), ("second", "talker_no_blinks")):
        shortened(SAMPLES / f"{sample}.mp4", folder / f"{name}.mp4", said[-1]["end_s"] + PAUSE_S)
    (folder / "samples").symlink_to(ROOT / "samples")
    for name in ("README.md", "forensics/report/declaration.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / "words.txt").write_text(" ".join(sentence["text"] for sentence in said), "utf-8")
    (folder / "notebooks").mkdir()
    recordings(folder / "RECORDINGS")
    return Desk(folder)


@pytest.mark.parametrize("line", lines("tutorial.md"), ids=lambda line: "-".join(line.split()[1:3]))
def test_a_command_of_the_tutorial_does_what_it_says(line: str, desk: Desk) -> None:
    done = desk.typed(re.sub(r"\bHASH\b", lambda _: desk.noted(), line))
    status, code = REFUSED.get(line, (0, ""))
    assert (done.returncode, done.stderr.partition(":")[0]) == (status, code), done.stdout + done.stderr


def test_the_tutorial_s_python_runs_where_jupyterlab_runs_it(desk: Desk) -> None:
    pytest.importorskip("anywidget", reason="needs the extra notebooks")
    (code,) = blocks("tutorial.md", "python")
    (desk.folder / "notebooks/cell.py").write_text(code, "utf-8")
    done = desk.typed("python cell.py", "notebooks")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert '"viewing"' in (desk.folder / "case/talker/custody.jsonl").read_text("utf-8")


# -- three terminals -------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    since = time.monotonic()
    while time.monotonic() - since < ANSWER_S and process.poll() is None:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.2)
    return False


@pytest.fixture
def started(desk: Desk) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Programs that go on until the test ends, each with what it starts."""
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for process in reversed(running):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(ANSWER_S)


def test_three_terminals_examine_a_folder(desk: Desk, started: list[subprocess.Popen[bytes]]) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    port = free_port()
    here = {"SCHEDULER": "127.0.0.1", "8786": str(port), ".venv/bin": str(PROGRAMS), "CASES": "ON-MANY"}
    scheduler, worker, batch = (
        re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], line) for line in lines("machines.md")
    )
    for line in (scheduler, worker):
        assert line.startswith(f"{PROGRAMS}/dask "), line
        process = subprocess.Popen(
            ["sh", "-c", f"exec {line}"],
            cwd=desk.folder,
            env=desk.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(process)
        assert answers(port, process), line
    done = desk.typed(batch)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "2 of 2 files have a report." in done.stdout

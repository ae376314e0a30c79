"""A folder of recordings: what is found in it, what is done again, what the summary says, and what stops it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import synth
from test_cli import Running, actions

from forensics import batch, cli, custody, naming, pipeline
from forensics.batch import case_name, cluster, entries, finished, summary, working
from forensics.batch.found import check_place
from forensics.batch.summary import EXAMINED, REFUSED, SKIPPED, Row, ranked
from forensics.case import BegunCase, Case, CaseFolder
from forensics.custody import Actor
from forensics.errors import CaseError, MediaError, ParameterError
from forensics.report import words

WHO = Actor("Dr. Test")
#: Files of the folder that hold the same recording.
NAMES = ("take 1.mkv", "sub/take 1.mkv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two recordings of one name and the same bytes, an empty file, and a link to one of them."""
    folder = tmp_path_factory.mktemp("batch") / "recordings"
    (folder / "sub").mkdir(parents=True)
    sound = synth.Sound(synth.tone(0.5), codec="flac", sample_format="s16")
    data = synth.write(folder / NAMES[0], sound).read_bytes()
    (folder / NAMES[1]).write_bytes(data)
    (folder / "empty.mp4").touch()
    (folder / "link.mkv").symlink_to(NAMES[0])
    return folder


@pytest.fixture(scope="module")
def alone(folder, tmp_path_factory) -> bytes:
    """The findings of that recording, examined by itself."""
    with Case(tmp_path_factory.mktemp("alone") / "case", folder / NAMES[0]) as case:
        pipeline.report(case)
    return (case.folder / "findings.json").read_bytes()


def seen(path: Path) -> list[tuple[str, bytes, int]]:
    return [(str(p), p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(path.rglob("*")) if p.is_file()]


def started_by(pid: int) -> list[int]:
    """Processes that any thread of this one started."""
    return [int(p) for path in Path(f"/proc/{pid}/task").glob("*/children") for p in path.read_text().split()]


def wait(ready, seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def check_result(out: Path, alone: bytes) -> None:
    """Each recording has one whole report, equal to its own; log and summary agree."""
    for name in NAMES:
        case = out / case_name(name)
        assert (case / "findings.json").read_bytes() == alone
        assert actions(case).count("reported") == 1
        assert not custody.verify(case).bad
    assert not custody.verify(out / "summary").bad
    rows = list(csv.DictReader(io.StringIO((out / "summary" / "summary.csv").read_text("utf-8"))))
    assert [(r["rank"], r["file"], r["state"], r["code"]) for r in rows] == [
        ("1", NAMES[1], EXAMINED, ""),
        ("2", NAMES[0], EXAMINED, ""),
        ("", "empty.mp4", REFUSED, "E_EMPTY"),
        ("", "link.mkv", SKIPPED, "E_NOT_REGULAR"),
    ]
    assert rows[1]["same_bytes_as"] == NAMES[1] and rows[1]["duration_s"] == "0.5"
    told = [json.loads(line) for line in (out / "summary" / "custody.jsonl").read_text().splitlines()][-1]
    assert told["cases"].keys() == {case_name(name) for name in NAMES}


# -- what lies in the folder ---------------------------------------------------------------------------------------


def test_only_regular_files_are_opened_and_links_are_not_followed(tmp_path):
    for name in ("b.mp4", "a.txt", "cases/x-1/report.html", "older/y-2/custody.jsonl", "older/y-2/cache/z.npy"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"123")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "s"))
    found = entries(tmp_path, tmp_path / "cases")
    assert [(e.file, e.size_bytes, e.code) for e in found] == [
        ("a.txt", 3, ""),
        ("b.mp4", 3, ""),
        ("loop", 0, "E_NOT_REGULAR"),
        ("older/y-2", 0, "E_IS_A_CASE"),
        ("pipe.mp4", 0, "E_NOT_REGULAR"),
        ("s", 0, "E_NOT_REGULAR"),
    ]


def test_a_folder_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    (tmp_path / "shut").mkdir()
    (tmp_path / "a").touch()
    scandir = os.scandir

    def refusing(path):
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert [(e.file, e.code) for e in entries(tmp_path, tmp_path / "x")] == [("a", ""), ("shut", "E_NOT_READABLE")]


def test_a_folder_without_files_is_refused(tmp_path):
    for place, code in ((tmp_path, "E_NO_RECORDINGS"), (tmp_path / "none", "E_NO_FOLDER")):
        with pytest.raises(MediaError) as refused:
            entries(place, tmp_path / "x")
        assert refused.value.code == code


def test_names_of_cases_are_distinct_stable_and_safe():
    odd = ["a/talk.mp4", "talk.mp4", "talk.mov", "-i.mp4", "..", "x\n\u202e.mp4", "\udcff.mp4", "é" * 120, "Gespräch 1"]
    names = [case_name(name) for name in odd]
    assert len(set(names)) == len(odd) and case_name("talk.mp4") == names[1]
    for name in names:
        assert re.fullmatch(r"\w[\w.-]*-[0-9a-f]{12}", name) and len(os.fsencode(name)) < 200, name
    assert case_name("Gespräch 1").startswith("Gespräch-1-")


def test_cases_lie_apart_from_recordings_and_other_files(tmp_path):
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    (home / "sub" / "a").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    found = entries(home, tmp_path / "x")
    for out in (home, tmp_path, home / "sub", tmp_path / "other", tmp_path / "other" / "file"):
        with pytest.raises(CaseError, match="E_CASE_PLACE"):
            check_place(out, out / "summary" / ".lock", home, found)
    for out in (home / "cases", tmp_path / "new"):
        check_place(out, out / "summary" / ".lock", home, found)


# -- the summary ---------------------------------------------------------------------------------------------------

ROW = Row(None, "", EXAMINED, case="c-1", sha256="00", duration_s=1.5, persons=1, questions=20, assessed=7)
ROWS = [
    replace(ROW, file="plain", sha256="01", coverage=0.9, unusual=0, events=0),
    replace(ROW, file="less seen", sha256="02", coverage=0.2, unusual=0, events=0),
    replace(ROW, file="events", sha256="03", coverage=0.7, unusual=0, events=5, kinds="level_jump 2, splice 3"),
    replace(ROW, file="outside", sha256="04", coverage=0.8, unusual=1, events=1, kinds="offset_jump 1"),
    replace(ROW, file="twin", sha256="04", coverage=0.8, unusual=1, events=1, kinds="offset_jump 1"),
    Row(None, "<script>alert(1)</script>", SKIPPED, "E_NOT_REGULAR", "A link."),
    Row(None, "=HYPERLINK(1)", REFUSED, "E_EMPTY", "The file is empty."),
]


def test_rows_are_ranked_by_what_deserves_a_look():
    rows = ranked(ROWS)
    assert [row.file for row in rows[:5]] == ["outside", "twin", "events", "less seen", "plain"]
    assert [row.rank for row in rows] == [1, 2, 3, 4, 5, None, None]
    assert [row.state for row in rows[5:]] == [REFUSED, SKIPPED]
    assert [row.same_bytes_as for row in rows] == ["", "outside", "", "", "", "", ""]
    assert ranked(reversed(ROWS)) == rows


def test_the_page_is_inert_gives_no_verdict_and_each_number_stands_in_the_table():
    rows = ranked(ROWS)
    page, table = summary.page(rows), summary.csv(rows)
    assert words.check(page) == []
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    assert "<script" not in page and "&lt;script&gt;" in page
    assert 'href="../c-1/report.html"' in page and summary.RANKED_BY in page
    cells = list(csv.DictReader(io.StringIO(table)))
    assert cells[5]["file"] == "'=HYPERLINK(1)"
    printed = re.search(
        r"<tbody>\n(<tr><td class=\"num\">3.*?</tr>)", page.replace("</tr>\n<tr>", "</tr>\n<tbody>\n<tr>"), re.S
    )
    assert printed
    numbers = [text.split("\xa0")[0] for text in re.findall(r'class="num">([^<]*)<', printed[1])]
    events = next(c for c in cells if c["file"] == "events")
    assert numbers == ["3", "0", "5", "70", "7 of 20", "1", "1.500"]
    assert [
        events[n] for n in ("rank", "unusual", "events", "coverage", "assessed", "questions", "persons", "duration_s")
    ] == [*("3", "0", "5", "0.7", "7", "20", "1", "1.5")]


def test_blinks_and_turns_of_speech_are_no_reason_to_look(face_case):
    record = json.loads((face_case / "findings.json").read_text("utf-8"))
    row = summary.examined("f", "c", record)
    assert (row.persons, row.questions) == (1, len(record["findings"])) and 0 < row.coverage < 1
    assert row.assessed == sum(f["state"] == "assessed" for f in record["findings"])
    planted = [{"kind": kind, "unusual": False} for kind in ("blink", "speaks", "splice", "splice")]
    record["findings"][0]["events"] = planted
    assert summary.examined("f", "c", record).events == row.events + 2
    assert "splice 2" in summary.examined("f", "c", record).kinds


# -- one recording -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (0, "a warning", ""),
        (3, "E_EMPTY: The file is empty. Ask again.\n", "E_EMPTY"),
        (4, "noise\nINTEGRITY_FAILED: It changed.\n", "INTEGRITY_FAILED"),
        (-9, "", "E_KILLED"),
        (1, "Traceback\nKeyError: 'x'\n", "CRASHED KeyError"),
        (1, "", "CRASHED exit status 1"),
    ],
)
def test_a_process_end_is_told_by_its_code(status, said, code):
    assert working.outcome(status, said).code == code


@pytest.fixture
def job(face_clip, face_case) -> working.Job:
    procedure = pipeline.procedure(None, pipeline.Settings())
    return working.Job(str(face_clip), str(face_case), (), WHO, procedure)


def test_a_report_is_kept_only_while_nothing_of_it_changed(job, tmp_path):
    assert finished(job) and working.Crew().work(job) == working.Outcome(kept=True)
    assert not finished(replace(job, folder=str(tmp_path / "none")))
    assert not finished(replace(job, clip=str(Path(job.folder) / "findings.json")))  # other bytes
    assert not finished(replace(job, clip=str(tmp_path / "gone")))
    for part in ("software_sha256", "versions", "settings", "methods"):
        assert not finished(replace(job, procedure=job.procedure | {part: {}})), part
    copy = Path(shutil.copytree(job.folder, tmp_path / "case"))
    assert finished(replace(job, folder=str(copy)))
    (copy / "summary.pdf").unlink()
    assert not finished(replace(job, folder=str(copy)))


def test_names_given_since_are_applied_by_the_next_batch(job, tmp_path, face_case):
    copy = Path(shutil.copytree(face_case, tmp_path / "case"))
    with CaseFolder(copy) as case:
        naming.give(case, ["A=Anna"])
    assert not finished(replace(job, folder=str(copy)))


# -- the whole way -------------------------------------------------------------------------------------------------


def test_what_was_killed_is_gone_on_with_and_nothing_is_done_twice(folder, alone, tmp_path, monkeypatch, capsys, kept):
    kept(folder / NAMES[1])
    out = folder / "cases"
    running = Running("batch", folder, "--out", out, "--workers", 2, "--examiner", "Dr. Test")
    wait(lambda: any((out / case_name(name) / "custody.jsonl").exists() for name in NAMES))
    workers = started_by(running.process.pid)
    running.process.kill()
    running.end()
    assert workers
    wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))

    def run(*options: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["forensics", "batch", str(folder), "--out", str(out), *map(str, options)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return ended.value.code or 0, said.out + said.err

    status, said = run("--examiner", "Dr. Test")
    assert status == 0 and "Refused: empty.mp4: E_EMPTY: " in said and "Not opened: link.mkv: E_NOT_REGULAR" in said
    assert "2 of 4 files have a report." in said and "summary.html" in said
    check_result(out, alone)
    assert json.loads((out / case_name(NAMES[0]) / "case.json").read_text())["examiner"] == "Dr. Test"
    before = [seen(out / case_name(name)) for name in NAMES]
    status, said = run("--examiner", "Dr. Test")
    assert status == 0 and said.count("  kept") == 2
    assert [seen(out / case_name(name)) for name in NAMES] == before
    assert run("--scheduler", "nonsense")[1].startswith("E_PARAMETER: ")
    shutil.rmtree(out)  # the folder is others' too


def test_ctrl_c_keeps_the_parts(tmp_path):
    (tmp_path / "in").mkdir()
    synth.write(tmp_path / "in" / "long.mp4", synth.evenly([synth.portrait(160)] * 600, 50))
    running = Running("batch", tmp_path / "in", "--out", tmp_path / "out")
    log = tmp_path / "out" / case_name("long.mp4") / "custody.jsonl"
    wait(lambda: log.exists() and "opened" in log.read_text())
    running.process.send_signal(signal.SIGINT)
    status, err = running.end()
    assert status == 130 and err.startswith("E_INTERRUPTED: ") and "Traceback" not in err
    assert actions(log.parent)[-1] == "interrupted" and actions(tmp_path / "out" / "summary")[-1] == "interrupted"


def test_on_dask_a_killed_worker_loses_nothing_and_doubles_nothing(folder, alone, tmp_path):
    distributed = pytest.importorskip("distributed")
    logs = [tmp_path / "out" / case_name(name) / "custody.jsonl" for name in NAMES]
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as made:
        with distributed.Client(made) as client:
            pids = list(client.run(os.getpid).values())

        def kill() -> None:
            wait(lambda: all(log.exists() and "opened" in log.read_text() for log in logs))
            os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        told: list[str] = []
        asked = batch.Batch(folder, tmp_path / "out", pipeline.Settings(), scheduler=made.scheduler_address)
        batch.batch(asked, WHO, lambda number, n, file, outcome, left: told.append(file))
        killer.join()
    assert sorted(told) == sorted([*NAMES, "empty.mp4"])
    check_result(tmp_path / "out", alone)
    assert sum(actions(log.parent).count("started") for log in logs) in (2, 3)  # 3: it was at work when it was killed


def test_a_worker_of_other_software_refuses(job):
    other = replace(job, procedure=job.procedure | {"software_sha256": "0" * 64})
    assert cluster.work(other).code == "E_OTHER_SOFTWARE"


def test_a_scheduler_that_does_not_answer_is_a_refusal(job, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "ANSWER_S", 0.2)
    with pytest.raises(ParameterError, match="--scheduler"):
        next(cluster.there([job], "tcp://127.0.0.1:9"))


def test_two_batches_do_not_share_a_folder(folder, tmp_path):
    with BegunCase(tmp_path / "out" / "summary"), pytest.raises(CaseError, match="E_CASE_LOCKED"):
        batch.batch(batch.Batch(folder, tmp_path / "out", pipeline.Settings()), WHO)

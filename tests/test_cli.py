"""The command: its exit codes, its one line on stderr, and what happens when it is stopped."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import corpus
import matplotlib
import pytest
import synth

from forensics import cli, pipeline
from forensics.case import LOG, Case
from forensics.timeline import Interval

COMMAND = [sys.executable, "-m", "forensics.cli"]


@pytest.fixture
def evidence(tmp_path, kept):
    folder = tmp_path / "evidence"
    folder.mkdir()
    sound = synth.Sound(synth.tone(2.0), codec="pcm_s16le", sample_format="s16")
    path = synth.write(folder / "talk.mkv", sound, tags=corpus.TAGS)
    yield kept(path)
    assert os.listdir(folder) == [path.name]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process: (exit status, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["forensics", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return ended.value.code or 0, out, err

    return run


def clip_json(folder: Path) -> dict:
    return json.loads((folder / "findings.json").read_text("utf-8"))["clip"]


def actions(folder: Path) -> list[str]:
    return [json.loads(line)["action"] for line in (folder / LOG).read_text("utf-8").splitlines()]


def test_asking_for_help_loads_nothing_large():
    heavy = {"numpy", "av", "mediapipe", "librosa", "matplotlib", "scipy", "cv2", "jinja2"}
    program = f"import sys, forensics.cli, forensics; print({heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def test_help_names_the_commands(run):
    status, out, _ = run("--help")
    assert status == 0 and "report" in out and "info" in out


def test_a_report_is_written_and_what_was_not_examined_is_named(run, tmp_path, kept):
    tracks = [synth.Sound(synth.tone(0.5), codec="flac", sample_format="s16") for _ in range(2)]
    (tmp_path / "evidence").mkdir()
    path = kept(synth.write(tmp_path / "evidence" / "two.mkv", *tracks))
    status, out, err = run("report", path, "--out", tmp_path / "case" / "new")
    assert (status, err) == (0, "")
    assert "Not examined: audio stream 1 (flac)." in out and "report.html" in out
    assert (tmp_path / "case" / "new" / "report.html").stat().st_size > 1000


def test_info_prints_hashes_and_inert_tags(run, evidence):
    import hashlib

    status, out, err = run("info", evidence)
    assert (status, err) == (0, "")
    data = evidence.read_bytes()
    assert hashlib.sha256(data).hexdigest() in out and hashlib.sha512(data).hexdigest() in out
    assert "<script>alert(1)</script>" in out and not {"\x1b", "\x07", "\u202e"} & set(out)
    assert len(out) < 8000


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["info", "report"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("empty.mp4", "E_EMPTY"),
        ("hls.mp4", "E_INDIRECT"),
        ("html.mp4", "E_NOT_MEDIA"),
        ("nothing.mp4", "E_NOT_FOUND"),
        ("pipe.mp4", "E_NOT_REGULAR"),
    ],
)
def test_a_refusal_is_one_line_that_begins_with_its_code(run, tmp_path, command, name, code):
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "empty.mp4").touch()
    corpus.named(folder, "hls", corpus.INDIRECT["hls"])
    corpus.named(folder, "html", corpus.NOT_MEDIA["html"])
    os.mkfifo(folder / "pipe.mp4")
    out_option = ["--out", tmp_path / "case"] if command == "report" else []
    for _ in range(2):  # the second time into a case that holds the refusal
        status, _, err = run(command, folder / name, *out_option)
        assert status == 3 and err.startswith(code + ": ") and err.count("\n") == 1
    if command == "report":
        assert actions(tmp_path / "case") == ["started", "refused"] * 2
        assert not (tmp_path / "case" / "findings.json").exists()


def test_a_case_in_use_and_one_of_other_evidence_are_refused(run, evidence, tmp_path):
    with Case(tmp_path / "case", evidence) as case:
        case.claim("a" * 64)
        case.log("started")
        status, _, err = run("report", evidence, "--out", tmp_path / "case")
        assert status == 3 and err.startswith("E_CASE_LOCKED: ")
    status, _, err = run("report", evidence, "--out", tmp_path / "case")
    assert status == 3 and err.startswith("E_CASE_OTHER_EVIDENCE: ")
    for folder in (evidence.parent, tmp_path):
        status, _, err = run("report", evidence, "--out", folder)
        assert status == 3 and err.startswith("E_CASE_PLACE: ")


@pytest.mark.parametrize(
    ("bounds", "status", "code"),
    [
        (("--from", 1.5, "--to", 0.5), 3, "E_PARAMETER"),
        (("--from", "nan"), 3, "E_PARAMETER"),
        (("--from", 100), 3, "E_NO_FRAMES"),
        (("--to", -1), 3, "E_NO_FRAMES"),
        (("--from", 1, "--to", 1), 3, "E_NO_FRAMES"),
        (("--from", "soon"), 2, "Usage"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused(run, evidence, tmp_path, bounds, status, code):
    got, _, err = run("report", evidence, "--out", tmp_path / "case", *bounds)
    assert got == status and err.startswith(code)


def test_a_time_outside_the_pictures_is_refused(run, tmp_path):
    path = synth.write(tmp_path / "silent.mp4", synth.evenly(synth.plain(5)))
    status, _, err = run("report", path, "--out", tmp_path / "case", "--from", 100)
    assert status == 3 and err.startswith("E_NO_FRAMES: ")


def test_a_part_is_examined(run, evidence, tmp_path):
    assert run("report", evidence, "--out", tmp_path / "case", "--from", 0.5, "--to", 1.25)[0] == 0
    about = clip_json(tmp_path / "case")
    assert about["examined"] == [0.5, 1.25] and about["excerpt"] and about["duration_s"] == pytest.approx(2.0, abs=0.01)
    assert run("report", evidence, "--out", tmp_path / "case", "--from", 0.5, "--to", "inf")[0] == 0
    assert clip_json(tmp_path / "case")["examined"] == [0.5, pytest.approx(2.0, abs=0.01)]


# -- names -------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_case(face_case, tmp_path):
    """A copy of the finished case of a face, without its evidence."""
    return Path(shutil.copytree(face_case, tmp_path / "case"))


def test_tracks_are_listed_named_and_taken_back(run, open_case):
    status, out, err = run("name", open_case)
    assert (status, err) == (0, "") and "A1 " in out and "not named" in out and "report CLIP" not in out
    status, out, err = run("name", open_case, "A=Anna B")
    assert (status, err) == (0, "") and "Anna B" in out and "run forensics report CLIP --out CASE again" in out
    assert "nobody (set aside)" in run("name", open_case, "A1=nobody")[1]
    assert "Anna B" in run("name", open_case, "A1=")[1]
    assert "not named" in run("name", open_case, "A=")[1]
    assert actions(open_case)[-4:] == ["named"] * 4


@pytest.mark.parametrize(
    ("assignment", "code"),
    [
        ("B=x", "E_UNKNOWN_TRACK"),
        ("A", "E_NAME"),
        ("A=a\nb", "E_NAME"),
        ("A=\u202e", "E_NAME"),
        ("A=" + "z" * 100_000, "E_NAME"),
        ("\n\x1b[31m=x", "E_UNKNOWN_TRACK"),
    ],
    ids=ascii,
)
def test_a_name_that_cannot_be_is_refused_in_one_line(run, open_case, assignment, code):
    before = actions(open_case)
    status, _, err = run("name", open_case, assignment)
    assert status == 3 and err.startswith(code + ": ") and err.count("\n") == 1 and len(err) < 400
    assert not {"\x1b", "\u202e"} & set(err) and actions(open_case) == before


def test_only_a_case_with_an_observation_can_be_named(run, evidence, tmp_path):
    status, _, err = run("name", tmp_path, "A=x")
    assert status == 3 and err.startswith("E_NO_CASE: ")
    with Case(tmp_path / "case", evidence) as case:
        case.log("started")
        assert run("name", tmp_path / "case")[2].startswith("E_CASE_LOCKED: ")
    status, _, err = run("name", tmp_path / "case")
    assert status == 3 and err.startswith("E_NO_OBSERVATION: ")
    assert run("report", evidence, "--out", tmp_path / "case")[0] == 0
    assert run("name", tmp_path / "case")[1] == "No face was found.\n"


def test_help_says_who_counts_as_a_person(run):
    out = " ".join(run("name", "--help")[1].split())
    assert "Faces on screens or in pictures are people until the analyst says nobody" in out


def test_a_report_says_which_names_it_does_not_apply(run, open_case, face_clip):
    run("name", open_case, "A=Anna")
    status, out, _ = run("report", face_clip, "--out", open_case, "--to", 1.5)
    assert status == 0 and "are not applied here: A=Anna." in out
    assert "Names not applied" in (open_case / "report.html").read_text("utf-8")


# -- as a process ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["option", "line", "not_utf8"])
def test_any_file_name_reaches_the_command(evidence, tmp_path, name):
    """Given as bytes, behind ``--``."""
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "film").write_bytes(evidence.read_bytes())
    corpus.renamed(folder / "film", corpus.NAMES[name])
    done = subprocess.run([*COMMAND, "info", "--", corpus.NAMES[name]], cwd=folder, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout.startswith(b"SHA-256")
    assert len(list(folder.iterdir())) == 2


def test_the_same_bytes_without_home_in_any_locale_and_time_zone(face_clip, face_case, tmp_path):
    place = tmp_path / "Fälle und mehr"
    bare = {
        "PATH": os.defpath,
        "TMPDIR": str(tmp_path),
        "TZ": "Asia/Kolkata",
        "LC_ALL": "tr_TR.ISO-8859-9",
        "PYTHONIOENCODING": "iso8859-9",
        "PYTHONUTF8": "0",
        "MPLCONFIGDIR": matplotlib.get_configdir(),
    }
    done = subprocess.run(
        [*COMMAND, "report", face_clip, "--out", place / "case"], env=bare, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    made = [p.relative_to(face_case) for p in (face_case / "findings.json", *face_case.glob("[cst]*s/*"))]
    assert {p.parent.name for p in made} == {"", "charts", "tables", "stills"}
    for name in made:
        assert (face_case / name).read_bytes() == (place / "case" / name).read_bytes(), name
    assert [p.name for p in tmp_path.iterdir()] == [place.name]


def test_a_full_disk_is_a_refusal_in_words(evidence, tmp_path):
    """The size of files is limited in its place; nothing half written is taken for whole later."""

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [*COMMAND, "report", evidence, "--out", tmp_path / "case"]
    done = subprocess.run(command, capture_output=True, preexec_fn=small_disk, check=False)
    assert done.returncode == 3 and done.stderr.startswith(b"E_CASE_NOT_WRITABLE: ") and b"Traceback" not in done.stderr
    with Case(tmp_path / "case", evidence) as case:
        assert not pipeline.examine(case).from_cache


@pytest.fixture
def long_clip(tmp_path, kept):
    """Long enough to be stopped while it is looked at."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    path = synth.write(folder / "long.mp4", synth.evenly([synth.portrait(160)] * 600, 50), synth.Sound(synth.tone(3.0)))
    yield kept(path)


class Running:
    """The command as a process whose stdout is awaited line by line."""

    def __init__(self, *arguments: object):
        # As on a terminal: what a shell starts in the background inherits that SIGINT is ignored.
        command = ["env", "--default-signal=INT", *COMMAND, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._guard = threading.Timer(60, self.process.kill)
        self._guard.start()

    def until(self, line: str) -> None:
        assert self.process.stdout is not None
        assert any(said.strip() == line for said in self.process.stdout), f"it never said {line!r}"

    def end(self) -> tuple[int, str]:
        _, err = self.process.communicate()
        self._guard.cancel()
        return self.process.returncode, err


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_ctrl_c_stops_it_and_the_next_run_works(long_clip, tmp_path):
    running = Running("report", long_clip, "--out", tmp_path / "case")
    running.until("looking")
    workers = children(running.process.pid)
    running.process.send_signal(signal.SIGINT)
    status, err = running.end()
    assert status == 130 and err.startswith("E_INTERRUPTED: ") and "Traceback" not in err
    assert workers and not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert actions(tmp_path / "case")[-1] == "interrupted"
    assert not (tmp_path / "case" / "findings.json").exists()
    assert not list((tmp_path / "case" / "cache").iterdir())  # no part taken for the whole
    with Case(tmp_path / "case", long_clip) as case:
        assert pipeline.examine(case, Interval(0.0, 0.2)).findings


def dropped_ctrl_c() -> None:
    """Ctrl-C whose KeyboardInterrupt goes nowhere, as in a destructor or a library's callback."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it was not raised where it was pressed")


@pytest.fixture
def terminal():
    """SIGINT as on a terminal: what a shell starts in the background inherits that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_ctrl_c_that_was_dropped_stops_it_at_the_next_progress(terminal, run, evidence, tmp_path, monkeypatch):
    def report(case, interval, settings, progress, **_):
        progress("looking", 0.0)
        dropped_ctrl_c()
        progress("looking", 0.5)
        pytest.fail("it went on")

    monkeypatch.setattr(pipeline, "report", report)
    before = signal.getsignal(signal.SIGINT)
    status, _, err = run("report", evidence, "--out", tmp_path / "case")
    assert status == 130 and err.startswith("E_INTERRUPTED: ")
    assert actions(tmp_path / "case")[-1] == "interrupted"
    assert signal.getsignal(signal.SIGINT) is before
    monkeypatch.undo()
    with cli.CtrlC.remembered():
        cli.Bar()("looking", 0.0)  # the next run knows nothing of it


def test_ctrl_c_stays_ignored_where_it_is():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with cli.CtrlC.remembered():
            signal.raise_signal(signal.SIGINT)
            cli.Bar()("looking", 0.0)
    finally:
        signal.signal(signal.SIGINT, before)


def test_evidence_that_changes_meanwhile_voids_the_run(tmp_path, face_clip):
    path = tmp_path / "evidence.mp4"
    path.write_bytes(face_clip.read_bytes())
    running = Running("report", path, "--out", tmp_path / "case")
    running.until("looking")
    with path.open("ab") as file:
        file.write(b"x")
    status, err = running.end()
    assert status == 4 and err.startswith("INTEGRITY_FAILED: ") and "Traceback" not in err
    assert "integrity_failed" in actions(tmp_path / "case")
    assert not (tmp_path / "case" / "findings.json").exists() and not (tmp_path / "case" / "report.html").exists()

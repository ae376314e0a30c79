"""The custody log: any change of it, of an output or of the evidence is named; a run that breaks off leaves it true."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import synth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_cli import COMMAND, Running, children

from forensics import case as case_module
from forensics import custody, naming, pipeline, replay
from forensics.case import LOG, STATE, Case, CaseFolder
from forensics.clip import hashes, opened
from forensics.custody import Actor, check_chain, sealed, sound, split, verify
from forensics.errors import CaseError, ForensicsError, IntegrityError, MediaError, ParameterError
from forensics.finished import open_case
from forensics.method import restored
from forensics.timeline import Interval

NEVER_BAD = {"EVIDENCE_NOT_AT_HAND"}
EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evidence")
    return synth.write(folder / "talk.wav", synth.Sound(synth.tone(1.5), codec="pcm_s16le", sample_format="s16"))


def reported(folder, clip, interval=None, actor=None):
    with Case(folder, clip, actor=actor) as case, case.run("report"):
        return pipeline.report(case, interval)


@pytest.fixture(scope="module")
def finished(evidence, tmp_path_factory):
    """The folder of a finished case of a second of sound: to look at."""
    folder = tmp_path_factory.mktemp("finished") / "case"
    reported(folder, evidence, Interval(0.0, 1.25), Actor("Dr. Ayşe Öz"))
    return folder


@pytest.fixture
def case(finished, tmp_path):
    """A copy of it to change."""
    return Path(shutil.copytree(finished, tmp_path / "case"))


def log(folder):
    return [json.loads(line) for line in (folder / LOG).read_text("utf-8").split("\n")[:-1]]


def actions(folder):
    return [entry["action"] for entry in log(folder)]


def bad(folder, **how):
    return [(v.code, v.entry) for v in verify(folder, **how).bad]


def codes(folder, **how):
    return {v.code for v in verify(folder, **how).verdicts}


def of(clip):
    with opened(clip) as fd:
        return hashes(fd)


def contents(folder):
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


# -- an entry ------------------------------------------------------------------------------------------------------


def test_an_entry_tells_who_when_where_with_what_on_which_item(finished, evidence):
    first, last = log(finished)[0], log(finished)[-1]
    assert (last["actor"], last["role"], last["action"]) == ("Dr. Ayşe Öz", "examiner", "reported")
    assert last["account"] and last["host"] and last["software"].startswith("forensics ")
    assert datetime.fromisoformat(last["utc"]).utcoffset().total_seconds() == 0
    assert last["item"] == of(evidence)[0] and first["item"] is None
    assert last["clock"]["source"] == "system clock" and last["clock"]["synchronised"] in (True, False, None)
    run = next(e for e in log(finished) if e["action"] == "opened")
    assert {"settings", "methods", "model_sha256", "versions", "software_sha256", "sha512"} <= run.keys()
    assert run["interval"] == {"start_s": 0.0, "end_s": 1.25}


def test_every_output_and_every_array_is_told_with_its_hash(finished):
    files = {p.relative_to(finished).as_posix() for p in finished.rglob("*") if p.is_file()}
    assert set(custody.told(log(finished))) == files - {LOG, STATE, ".lock"}
    assert any(name.startswith("cache/") for name in files) and "report.html" in files


@pytest.mark.parametrize(
    ("zone", "offset"), [("Asia/Kolkata", "+05:30"), ("UTC", "+00:00"), ("America/Lima", "-05:00")]
)
def test_the_machines_own_offset_is_told(monkeypatch, zone, offset):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert custody.local_offset(datetime(2026, 1, 2, tzinfo=UTC)) == offset
    finally:
        monkeypatch.undo()
        time.tzset()


def test_who_acts_is_given_or_the_environments_or_the_account(monkeypatch):
    for name in ("FORENSICS_EXAMINER", "FORENSICS_ROLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOGNAME", "somebody else")  # anyone can say so
    assert custody.actor() == Actor(custody.account(), "examiner") and custody.account() != "somebody else"
    monkeypatch.setenv("FORENSICS_EXAMINER", "Anna")
    monkeypatch.setenv("FORENSICS_ROLE", "reviewer")
    assert custody.actor() == Actor("Anna", "reviewer") and custody.actor("Bea", "witness") == Actor("Bea", "witness")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\u202eb", "x" * 61, "\udcff"], ids=ascii)
def test_a_name_that_steers_a_terminal_is_refused(name):
    with pytest.raises(CaseError, match="E_ACTOR"):
        Actor(name)


def test_where_the_kernel_says_nothing_the_clock_is_not_known(monkeypatch):
    monkeypatch.setattr(custody.ctypes, "CDLL", lambda _: object())
    assert custody.clock_source() == {"source": "system clock", "synchronised": None}


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b"1", b"\xff", b"[" * 100_000, b'{"n":1e400}'], ids=lambda b: ascii(b[:9])
)
def test_what_is_no_entry_is_none(line):
    assert sound(line) is None


@pytest.mark.parametrize(
    "values",
    [{"n": "1"}, {"n": True}, {"outputs": []}, {"outputs": {"a": 1}}, {"utc": 1}, {"n": -1}, {"found": {"a": 2}}],
)
def test_an_entry_of_other_kinds_of_values_is_none_whatever_its_hash(values):
    entry = {"n": 1, "utc": "", "action": "x", "previous": custody.START}
    assert sound(custody.line_of(sealed(entry))[:-1])
    assert sound(custody.line_of(sealed(entry | values))[:-1]) is None


# -- verify: all in order --------------------------------------------------------------------------------------------


def test_an_untouched_case_is_in_order_and_stays_as_it_is(finished, evidence, kept):
    kept(evidence)
    before = contents(finished)
    found = verify(finished, of(evidence), log(finished)[3]["hash"][:12])
    assert [v.code for v in found.verdicts] == ["HEAD_IN_LOG"] and not found.bad
    assert (found.entries, found.head) == (len(log(finished)), log(finished)[-1]["hash"])
    assert contents(finished) == before
    assert codes(finished) == NEVER_BAD
    assert any("tail" in s for s in found.cannot_show) and any("rewrite" in s for s in found.cannot_show)


def test_a_copy_that_cannot_be_written_is_verified(case):
    (case / ".lock").unlink()
    for path in (case, *case.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert bad(case) == []
    finally:
        for path in (case, *case.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_case_that_a_run_is_changing_is_not_judged(case):
    with CaseFolder(case), pytest.raises(CaseError, match="E_CASE_LOCKED"):
        verify(case)


def test_no_case_is_refused(tmp_path):
    with pytest.raises(CaseError, match="E_NO_CASE"):
        verify(tmp_path)


# -- verify: the log -------------------------------------------------------------------------------------------------


@EXAMPLES
@given(data=st.data())
def test_any_changed_byte_of_the_log_is_named(case, data):
    content = (case / LOG).read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != content[at]))
    (case / LOG).write_bytes(content[:at] + bytes([byte]) + content[at + 1 :])
    first = bad(case)[0]
    (case / LOG).write_bytes(content)
    line = content[:at].count(b"\n") + 1
    assert first == (("LAST_LINE_TORN" if at == len(content) - 1 else "ENTRY_ALTERED"), line)


@EXAMPLES
@given(data=st.data())
def test_any_line_removed_moved_or_repeated_is_named(case, data):
    content = (case / LOG).read_bytes()
    lines = content.splitlines(keepends=True)
    i, j = sorted(data.draw(st.lists(st.integers(1, len(lines)), min_size=2, max_size=2, unique=True)))
    k = data.draw(st.integers(1, len(lines) - 1))

    def first_bad(changed):
        (case / LOG).write_bytes(b"".join(changed))
        found = bad(case)
        (case / LOG).write_bytes(content)
        return found[0]

    assert first_bad(lines[: k - 1] + lines[k:]) == ("ENTRY_REMOVED", k)
    assert first_bad(lines[: len(lines) - k])[0] == "LOG_SHORTER"
    assert first_bad(lines[:k] + lines[k - 1 :]) == ("ENTRY_INSERTED", k)
    moved = lines[: i - 1] + [lines[j - 1]] + lines[i : j - 1] + [lines[i - 1]] + lines[j:]
    assert first_bad(moved) == ("ENTRIES_REORDERED", i)


def test_several_entries_removed_are_named_as_several(case):
    lines = (case / LOG).read_bytes().splitlines(keepends=True)
    (case / LOG).write_bytes(b"".join(lines[:2] + lines[4:]))
    first = verify(case).bad[0]
    assert (first.code, first.entry) == ("ENTRY_REMOVED", 3) and "Entries 3 to 4" in first.sentence


def test_an_entry_altered_with_its_own_hash_made_anew_is_named(case):
    lines, _ = split((case / LOG).read_bytes())
    forged = {k: v for k, v in json.loads(lines[4]).items() if k != "hash"} | {"actor": "Mallory"}
    lines[4] = custody.line_of(sealed(forged))[:-1]
    assert [(v.code, v.entry) for v in check_chain(lines)] == [("ENTRY_ALTERED", 5)]


def test_a_number_without_end_costs_no_time():
    entry = {"n": 10**15, "utc": "", "action": "x", "previous": custody.START}
    found = check_chain([custody.line_of(sealed(entry))[:-1]])
    assert [(v.code, v.entry) for v in found] == [("ENTRY_REMOVED", 1)]


def test_a_lost_tail_with_all_that_it_tells_of_is_no_breach_but_another_head_is(case, evidence):
    head, copy = log(case)[-1]["hash"], case.with_name("copy")
    shutil.copytree(case, copy)
    reported(case, evidence)
    assert bad(case, head=head) == []
    newer = log(case)[-1]["hash"]
    assert bad(copy) == [] and bad(copy, head=newer) == [("HEAD_NOT_IN_LOG", None)]
    with pytest.raises(CaseError, match="E_HEAD"):
        verify(copy, head="abc")


# -- verify: outputs and evidence ------------------------------------------------------------------------------------


@EXAMPLES
@given(data=st.data())
def test_any_changed_byte_of_any_output_is_named(case, data):
    names = sorted([*custody.told(log(case)), STATE])
    path = case / data.draw(st.sampled_from(names))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :])
    found = verify(case).bad
    path.write_bytes(content)
    assert [v.code for v in found] == ["OUTPUT_CHANGED"]
    assert found[0].sentence.startswith(path.relative_to(case).as_posix())


def test_any_changed_digit_of_the_state_is_a_change_and_no_cut_log(case):
    content = (case / STATE).read_bytes()
    for at in (k for k, byte in enumerate(content) if chr(byte).isalnum()):
        (case / STATE).write_bytes(content[:at] + b"%c" % (content[at] ^ 1) + content[at + 1 :])
        assert [v.code for v in custody._check_state(case, log(case), 0)] == ["OUTPUT_CHANGED"], at


def test_a_space_that_changes_no_value_is_a_change_of_the_log(case):
    lines = (case / LOG).read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b":", b": ", 1)
    (case / LOG).write_bytes(b"".join(lines))
    assert bad(case)[0] == ("ENTRY_ALTERED", 4)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda f: (f / "findings.json").unlink(), "LOG_LONGER"),
        (lambda f: (f / STATE).unlink(), "LOG_LONGER"),
        (lambda f: shutil.rmtree(f / "cache"), "LOG_LONGER"),
        (lambda f: (f / "charts" / "9-new.svg").write_text("<svg/>"), "LOG_SHORTER"),
        (lambda f: (f / LOG).write_bytes(b""), "LOG_SHORTER"),
        (lambda f: (f / "note.txt").write_text("x"), "UNLISTED_FILE"),
        (lambda f: os.symlink("/etc/passwd", f / "link"), "UNLISTED_FILE"),
        (lambda f: os.symlink("/etc", f / "folder"), "UNLISTED_FILE"),
        (
            lambda f: (f / "findings.json").rename(f / "moved") and os.symlink("moved", f / "findings.json"),
            "OUTPUT_CHANGED",
        ),
        (lambda f: (f / "findings.json").unlink() or os.mkfifo(f / "findings.json"), "OUTPUT_CHANGED"),
    ],
)
def test_what_is_missing_or_too_much_is_named(case, change, expected):
    change(case)
    assert bad(case)[0][0] == expected


def test_what_a_broken_run_left_is_a_remark(case):
    (case / "report.html.part").write_text("half")
    (case / "cache" / "x.partial").mkdir()
    (case / "cache" / "x.partial" / "half.npy").write_text("half")
    assert bad(case) == [] and "UNFINISHED_FILE" in codes(case)


def test_outputs_made_after_the_end_of_a_cut_log_are_not_called_altered(case, evidence):
    """Two runs; the log cut back to the first: its findings are newer, nobody changed them."""
    lines = (case / LOG).read_bytes()
    reported(case, evidence, Interval(0.0, 1.0))
    (case / LOG).write_bytes(lines)
    assert {code for code, _ in bad(case)} == {"LOG_SHORTER"}


def test_evidence_changed_and_evidence_not_at_hand_are_told_apart(finished, evidence):
    sha256, sha512 = of(evidence)
    assert bad(finished, evidence=(sha256, sha512)) == []
    for other in (("0" * 64, sha512), (sha256, "0" * 128)):
        assert [code for code, _ in bad(finished, evidence=other)] == ["EVIDENCE_CHANGED"]
    assert "EVIDENCE_NOT_AT_HAND" in codes(finished)


# -- the state -------------------------------------------------------------------------------------------------------


def test_a_state_changed_by_another_hand_is_told_of_for_ever(case, evidence):
    state = json.loads((case / STATE).read_text("utf-8"))
    (case / STATE).write_text(json.dumps(state | {"examiner": "Mallory"}))
    assert [code for code, _ in bad(case)] == ["OUTPUT_CHANGED"]
    reported(case, evidence)
    assert [code for code, _ in bad(case)] == ["STATE_CHANGED"]


def test_a_run_killed_between_an_entry_and_its_state_goes_on(case, evidence):
    before = (case / STATE).read_bytes()
    with CaseFolder(case) as folder:
        folder.log("seen")
    (case / STATE).write_bytes(before)
    assert [code for code, _ in bad(case)] == ["LOG_LONGER"]
    reported(case, evidence)
    assert bad(case) == [] and "state_kept" in actions(case)


def test_a_change_that_changes_nothing_is_no_entry(case):
    with CaseFolder(case) as folder:
        head = folder.log_head()
        folder.update(**folder.state())
        assert folder.log_head() == head
        folder.update(reviewer="Bea")
    assert log(case)[-1]["keys"] == ["reviewer"] and bad(case) == []


def test_a_lost_state_does_not_let_other_evidence_in(case, evidence, tmp_path):
    (case / STATE).write_text("{")
    other = synth.write(tmp_path / "other.wav", synth.Sound(synth.tone(1.0), codec="pcm_s16le", sample_format="s16"))
    with pytest.raises(CaseError, match="E_CASE_OTHER_EVIDENCE"):
        reported(case, other)


# -- a full disk, a killed run ---------------------------------------------------------------------------------------


def test_a_torn_last_line_is_kept_as_such_and_the_next_run_goes_on(case, evidence):
    whole = (case / LOG).read_bytes()
    (case / LOG).write_bytes(whole + b'{"account":"ro')
    entries = whole.count(b"\n")
    assert bad(case) == [("LAST_LINE_TORN", entries + 1)]
    reported(case, evidence)
    kept = log(case)[entries]
    assert (kept["action"], kept["fragment"]) == ("torn_line", '{"account":"ro') and bad(case) == []
    assert (case / LOG).read_bytes().startswith(whole)


def test_an_entry_cut_off_by_hand_is_not_taken_for_a_torn_one(case, evidence):
    (case / LOG).write_bytes((case / LOG).read_bytes()[:-20])
    reported(case, evidence)
    assert "torn_line" in actions(case) and [code for code, _ in bad(case)] == ["STATE_CHANGED"]


def test_a_first_line_that_was_torn_does_not_end_the_case(tmp_path, evidence):
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / LOG).write_bytes(b'{"acc')
    reported(tmp_path / "case", evidence)
    assert bad(tmp_path / "case") == [] and actions(tmp_path / "case")[0] == "torn_line"


def test_a_disk_that_fills_up_within_an_entry_leaves_whole_lines(case, monkeypatch):
    before = (case / LOG).read_bytes()

    class Full:
        """A file that takes forty bytes."""

        def __init__(self, file):
            self.file, self.left = file, 40

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            if not self.left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken, self.left = self.file.write(data[: self.left]), 0
            return taken

    opening = Path.open
    with CaseFolder(case) as folder, monkeypatch.context() as patch:
        patch.setattr(
            Path, "open", lambda p, *a, **k: Full(opening(p, *a, **k)) if p.name == LOG else opening(p, *a, **k)
        )
        with pytest.raises(CaseError, match="E_CASE_NOT_WRITABLE"), case_module.disk_errors():
            folder.log("seen")
    assert (case / LOG).read_bytes() == before and bad(case) == []


@pytest.mark.parametrize("name", ["findings.json", "report.html", STATE])
def test_a_disk_that_fills_up_is_told_of_and_the_next_run_goes_on(case, evidence, monkeypatch, kept, name):
    kept(evidence)
    replacing = os.replace

    def full(source, target):
        if Path(target).name == name and Path(target).parent == case and len(log(case)) > 16:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replacing(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CaseError, match="E_CASE_NOT_WRITABLE"), case_module.disk_errors():
        reported(case, evidence)
    monkeypatch.undo()
    with pytest.raises(CaseError):
        open_case(case)
    assert "RUN_NOT_FINISHED" in codes(case)
    reported(case, evidence)
    assert bad(case) == [] and log(case)[-1]["run"] == "reported"


@pytest.fixture
def film(tmp_path, kept):
    """Long enough to be stopped while it is looked at."""
    (tmp_path / "film").mkdir()
    pictures = synth.evenly([synth.portrait(160)] * 400, 50)
    return kept(synth.write(tmp_path / "film" / "film.mp4", pictures, synth.Sound(synth.tone(2.0))))


def test_a_run_killed_outright_is_seen_and_the_next_one_goes_on(film, tmp_path):
    running = Running("report", film, "--out", tmp_path / "case")
    running.until("looking")
    running.process.send_signal(signal.SIGKILL)
    running.end()
    found = verify(tmp_path / "case")
    assert not found.bad and "RUN_NOT_FINISHED" in {v.code for v in found.verdicts}
    assert not (tmp_path / "case" / "findings.json").exists()
    reported(tmp_path / "case", film, Interval(0.0, 0.2))
    assert bad(tmp_path / "case") == []
    assert [e["run_before"] for e in log(tmp_path / "case") if e["action"] == "started"] == [None, "running"]


def test_a_killed_child_is_a_refusal_and_the_next_run_goes_on(film, tmp_path):
    running = Running("report", film, "--out", tmp_path / "case")
    running.until("looking")
    for child in children(running.process.pid):
        os.kill(child, signal.SIGKILL)
    status, err = running.end()
    assert status == 3 and err.startswith("E_DECODER_FAILED: ")
    assert log(tmp_path / "case")[-1]["run"] == "refused E_DECODER_FAILED"
    assert bad(tmp_path / "case") == [] and "RUN_NOT_FINISHED" in codes(tmp_path / "case")
    reported(tmp_path / "case", film, Interval(0.0, 0.2))
    assert bad(tmp_path / "case") == []


# -- outputs of an earlier run ---------------------------------------------------------------------------------------


def test_the_outputs_of_an_earlier_run_are_not_left_for_those_of_a_failed_one(case, evidence, monkeypatch):
    earlier = (case / "findings.json").read_bytes()

    def fails(*_):
        raise MediaError("E_X", "It broke.", "Go on.")

    monkeypatch.setattr(pipeline, "assess", fails)
    for _ in range(2):
        with pytest.raises(MediaError):
            reported(case, evidence)
        assert not (case / "findings.json").exists() and not (case / "report.html").exists()
        assert (case / "earlier" / "findings.json").read_bytes() == earlier  # nor lost
        assert bad(case) == [] and "RUN_NOT_FINISHED" in codes(case)
    monkeypatch.undo()
    reported(case, evidence)
    assert not (case / "earlier").exists() and bad(case) == []


def test_evidence_changed_in_a_later_run_leaves_no_findings(case, evidence, tmp_path, monkeypatch):
    copy = Path(shutil.copy(evidence, tmp_path / "talk.wav"))
    before = bytearray(copy.read_bytes())
    assess = pipeline.assess

    def flip(*given):
        copy.write_bytes(bytes([*before[:5000], before[5000] ^ 1, *before[5001:]]))
        return assess(*given)

    monkeypatch.setattr(pipeline, "assess", flip)
    with pytest.raises(IntegrityError), Case(case, copy) as one, one.run("report"):
        pipeline.examine(one)
    assert not (case / "findings.json").exists() and not (case / "report.html").exists()
    assert "integrity_failed" in actions(case) and log(case)[-1]["run"] == "refused INTEGRITY_FAILED"
    assert bad(case) == [] and bad(case, evidence=of(copy)) != []
    monkeypatch.undo()
    copy.write_bytes(before)
    reported(case, copy)
    assert bad(case, evidence=of(copy)) == []


def test_an_output_found_changed_when_it_is_set_aside_is_remarked(case, evidence):
    (case / "report.html").write_text("x")
    reported(case, evidence)
    assert bad(case) == [] and "EARLIER_OUTPUT_CHANGED" in codes(case)


def test_a_cache_that_no_entry_tells_of_is_not_used(case, evidence):
    for about in (case / "cache").glob("*/about.json"):
        about.write_text(about.read_text().replace("48000", "47000"))
    with Case(case, evidence) as one:
        assert not pipeline.examine(one, Interval(0.0, 1.25)).from_cache
    assert "cache_changed" in actions(case) and bad(case) == []


def test_links_lead_no_run_out_of_its_case(case, evidence, tmp_path):
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "picture.svg").write_text("theirs")
    shutil.rmtree(case / "charts")
    (case / "charts").symlink_to(tmp_path / "others")
    (case / "earlier").symlink_to(tmp_path / "others")
    assert {code for code, _ in bad(case)} == {"LOG_LONGER", "UNLISTED_FILE"}
    with pytest.raises(CaseError, match=r"E_CASE_PLACE.* (charts|earlier) is a link"):
        reported(case, evidence)
    assert os.listdir(tmp_path / "others") == ["picture.svg"]


# -- the same case twice ---------------------------------------------------------------------------------------------


def test_two_folders_locales_and_time_zones_give_identical_findings(finished, evidence, tmp_path):
    bare = {"PATH": os.defpath, "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "MPLCONFIGDIR": str(tmp_path / "mpl")}
    command = [*COMMAND, "report", evidence, "--from", "0", "--to", "1.25", "--out"]
    for zone, locale in (("Asia/Kolkata", "tr_TR.UTF-8"), ("America/Lima", "C")):
        place = tmp_path / f"Fälle {zone[:4]}"
        environment = bare | {"TZ": zone, "LC_ALL": locale}
        done = subprocess.run([*command, place], env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert (place / "findings.json").read_bytes() == (finished / "findings.json").read_bytes()
        assert bad(place) == []
        assert {e["local_offset"] for e in log(place)} == {"+05:30" if "Asia" in zone else "-05:00"}


# -- replay ----------------------------------------------------------------------------------------------------------


def replayed(folder, clip, actor=None, **how):
    with CaseFolder(folder, actor=actor) as case:
        return replay.replay(case, clip, **how)


def test_a_second_examiner_finds_the_same_and_the_log_says_so(case, evidence, tmp_path, kept):
    kept(evidence)
    found = replayed(case, evidence, Actor("Bea", "second examiner"), out=tmp_path / "again")
    assert found.verdict == replay.IDENTICAL and not found.differences
    entry = log(case)[-1]
    assert (entry["action"], entry["actor"], entry["role"]) == ("replayed", "Bea", "second examiner")
    assert entry["verdict"] == "identical" and entry["findings_sha256"] == found.findings_sha256
    assert (tmp_path / "again" / "findings.json").read_bytes() == (case / "findings.json").read_bytes()
    assert bad(case) == [] == bad(tmp_path / "again")


def test_a_replay_looks_itself(case, evidence, monkeypatch):
    monkeypatch.setattr(pipeline, "observed", lambda *_: pytest.fail("looked"))
    with pytest.raises(pytest.fail.Exception, match="looked"):
        replayed(case, evidence)


def test_a_digit_changed_in_the_findings_is_what_differs(case, evidence):
    path = case / "findings.json"
    record = json.loads(path.read_text("utf-8"))
    finding = next(f for f in record["findings"] if f["question"] == "voice.recording")
    finding["measurements"][0]["value"] += 400.0
    path.write_text(replay.dumps(record), "utf-8")
    found = replayed(case, evidence)
    assert found.verdict == replay.DIFFERS and "not the one the log tells of" in found.remark
    (only,) = found.differences
    assert "voice.recording" in only.where and only.where.endswith(".value") and log(case)[-1]["differing"] == 1


def test_another_recording_and_an_unfinished_case_are_not_replayed(case, evidence, tmp_path):
    other = synth.write(tmp_path / "other.wav", synth.Sound(synth.tone(1.0), codec="pcm_s16le", sample_format="s16"))
    with pytest.raises(MediaError, match="E_OTHER_FILE"):
        replayed(case, other)
    assert actions(case)[-1] == "replay_refused" and bad(case) == []
    for place in (case / "inside", tmp_path):
        with pytest.raises(CaseError, match="E_CASE_PLACE"):
            replayed(case, evidence, out=place)
    with Case(tmp_path / "new", evidence) as new:
        new.log("started")
    with pytest.raises(CaseError, match="E_NOT_FINISHED"):
        replayed(tmp_path / "new", evidence)


def test_a_replay_gives_the_faces_the_names_they_had(face_case, face_clip, tmp_path):
    folder = Path(shutil.copytree(face_case, tmp_path / "case"))
    with CaseFolder(folder) as case:
        naming.give(case, ["A=Anna"])
    reported(folder, face_clip)
    with CaseFolder(folder) as case:
        naming.give(case, ["A=Berta"])  # not in the findings
    assert replayed(folder, face_clip).verdict == replay.IDENTICAL
    opened_case = open_case(folder)
    assert set(opened_case.scene.persons) == {"Anna"} and opened_case.run.names == {"A": "Anna"}


def test_settings_of_another_version_are_refused_by_name():
    values = pipeline.asdict(pipeline.Settings())
    assert restored(pipeline.Settings, json.loads(json.dumps(values))) == pipeline.Settings()
    del values["blink"]["longest_s"]
    assert restored(pipeline.Settings, values) == pipeline.Settings()
    values["blink"]["nonsense"] = 1
    with pytest.raises(ParameterError, match="nonsense"):
        restored(pipeline.Settings, values)


MEASURED = {"name": "hnr", "value": 12.0, "unit": "dB", "low": 10.0, "high": 14.0, "n": 5}


def record(version="1", **changed):
    findings = [{"question": "voice.measures", "person": None, "score": 0.25, "measurements": [MEASURED | changed]}]
    return json.dumps({"software": {"numpy": version}, "findings": findings}).encode()


@pytest.mark.parametrize(
    ("now", "verdict", "first"),
    [
        (record(), replay.IDENTICAL, None),
        (record("2"), replay.EQUAL, "software.numpy"),
        (record(value=12.4), replay.EQUAL, "findings[voice.measures].measurements[hnr].value"),
        (record(value=12.41), replay.DIFFERS, "findings[voice.measures].measurements[hnr].value"),
        (record("2", value=19.0), replay.DIFFERS, "software.numpy"),
        (record(n=6), replay.DIFFERS, "findings[voice.measures].measurements[hnr].n"),
        (record(value=None), replay.DIFFERS, "findings[voice.measures].measurements[hnr].value"),
        (record().replace(b"0.25", b"0.26"), replay.EQUAL, "findings[voice.measures].score"),
        (record().replace(b"0.25", b"0.27"), replay.DIFFERS, "findings[voice.measures].score"),
        (record().replace(b'"hnr"', b'"f0"'), replay.DIFFERS, "findings[voice.measures].measurements[hnr]"),
        (record() + b" ", replay.DIFFERS, None),
    ],
)
def test_equal_within_tolerance_is_told_from_different(now, verdict, first):
    found = replay.compare(record(), now)
    assert found.verdict == verdict
    assert (found.differences[0].where if found.differences else None) == first


def test_findings_that_are_no_text_differ():
    assert replay.compare(b"\xff{", record()).verdict == replay.DIFFERS


# -- opening ---------------------------------------------------------------------------------------------------------


def test_a_finished_case_opens_without_its_evidence_and_untouched(case):
    before = contents(case)
    finished = open_case(case)
    assert finished.findings == json.loads((case / "findings.json").read_text("utf-8"))["findings"]
    assert finished.scene.interval == Interval(0.0, 1.25) and finished.scene.observation.audio.rate_hz == 48000
    assert finished.head == log(case)[-1]["hash"] and contents(case) == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: (f / "findings.json").write_text("{}"), "E_FINDINGS_CHANGED"),
        (lambda f: (f / "findings.json").unlink(), "E_NOT_FINISHED"),
        (lambda f: (f / LOG).write_bytes(b""), "E_NOT_FINISHED"),
        (shutil.rmtree, "E_NOT_FINISHED"),
        (lambda f: shutil.rmtree(f / "cache"), "E_NO_CACHE"),
    ],
)
def test_a_case_that_cannot_be_trusted_is_not_opened(case, change, code):
    change(case)
    with pytest.raises(CaseError, match=code):
        _ = open_case(case).scene


# -- the commands ----------------------------------------------------------------------------------------------------


def ran(*arguments):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_verify_says_what_is_in_order_and_what_it_cannot_show(case, evidence):
    before = contents(case)
    done = ran("verify", case, "--clip", evidence, "--head", log(case)[-1]["hash"])
    assert (done.returncode, done.stderr) == (0, "") and "Everything recomputed is in order." in done.stdout
    assert all(sentence in done.stdout for sentence in custody.CANNOT_SHOW) and contents(case) == before
    assert ran("verify", case, "--log", "--examiner", "Bea").returncode == 0
    assert log(case)[-1]["action"] == "checked" and log(case)[-1]["actor"] == "Bea" and bad(case) == []


def test_verify_fails_with_the_first_bad_entry_in_one_line(case):
    (case / "\x1b[31mnote").write_text("x")
    lines = (case / LOG).read_bytes()
    (case / LOG).write_bytes(lines.replace(b'"n":4', b'"n":5', 1))
    done = ran("verify", case)
    assert done.returncode == 4 and done.stderr.startswith("INTEGRITY_FAILED: ") and done.stderr.count("\n") == 1
    assert "ENTRY_ALTERED: Line 4 " in done.stdout and "Line 4" in done.stderr and "\x1b" not in done.stdout


def test_replay_says_identical_or_what_differs(case, evidence):
    done = ran("replay", case, evidence)
    assert (done.returncode, done.stderr) == (0, "") and "identical" in done.stdout
    assert log(case)[-1]["role"] == "second examiner"
    text = (case / "findings.json").read_text("utf-8")
    (case / "findings.json").write_text(text.replace("voice.recording", "vOice.recording", 1), "utf-8")
    done = ran("replay", case, evidence)
    assert done.returncode == 5 and done.stderr.startswith("REPLAY_DIFFERS: ") and "vOice.recording" in done.stdout


def test_a_refusal_names_its_role_in_the_log(evidence, tmp_path):
    done = subprocess.run(
        [*COMMAND, "report", evidence, "--out", tmp_path / "case", "--from", "9"],
        env=os.environ | {"FORENSICS_EXAMINER": "Anna", "FORENSICS_ROLE": "trainee"},
        capture_output=True,
        check=False,
    )
    last = log(tmp_path / "case")[-1]
    assert done.returncode == 3 and (last["action"], last["actor"], last["role"]) == ("refused", "Anna", "trainee")
    assert issubclass(CaseError, ForensicsError) and sys.executable == COMMAND[0]

"""The case folder: whole files, one run at a time, one evidence, a chained log, a cache that knows what it holds."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import synth

from forensics import case as case_module
from forensics import clip, custody, landmarks, observe, pipeline, taking
from forensics.case import LOG, STATE, Case, CaseFolder, canonical, write
from forensics.errors import CaseError, IntegrityError, MediaError
from forensics.timeline import Interval


@pytest.fixture
def evidence(tmp_path):
    folder = tmp_path / "evidence"
    folder.mkdir()
    return synth.write(folder / "talk.wav", synth.Sound(synth.tone(1.0), codec="pcm_s16le", sample_format="s16"))


@pytest.fixture
def case(tmp_path, evidence):
    with Case(tmp_path / "case", evidence, lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) as case:
        yield case


def refusal(folder: Path, evidence: Path, words: str | None = None) -> str:
    with pytest.raises(CaseError, match=words) as caught, Case(folder, evidence):
        pass
    return caught.value.code


def entries(case: Case) -> list[dict]:
    """A line ends with a line feed alone: U+2028 inside a text ends none."""
    return [json.loads(line) for line in (case.folder / LOG).read_text("utf-8").split("\n")[:-1]]


# -- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", ["write_bytes", "replace"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, broken):
    def failing(*arguments):
        if broken == "write_bytes":
            with arguments[0].open("wb") as half:
                half.write(arguments[1][:3])
        raise OSError("no space left")

    write(tmp_path / "new" / "x.json", "what was there")
    monkeypatch.setattr(*((Path, broken) if broken == "write_bytes" else (os, broken)), failing)
    with pytest.raises(OSError, match="no space"):
        write(tmp_path / "new" / "x.json", "what comes")
    assert (tmp_path / "new" / "x.json").read_text() == "what was there"


def test_words_are_the_same_bytes_in_any_locale(tmp_path, evidence):
    """Python warns, if asked to, of each file read or written in the locale's encoding."""
    program = (
        "import sys; from forensics.case import Case\n"
        "with Case(*sys.argv[1:]) as case:\n"
        "    for _ in range(2): case.update(examiner='Ay\\u015fe'); case.log('named', examiner='Ay\\u015fe')\n"
        "    for _ in range(2): case.cached({'key': 1}, lambda folder: {'name': 'Ay\\u015fe'})\n"
    )
    subprocess.run(
        [
            sys.executable,
            "-X",
            "warn_default_encoding",
            "-W",
            "error::EncodingWarning",
            "-c",
            program,
            tmp_path / "case",
            evidence,
        ],
        check=True,
    )
    for name in (STATE, LOG):
        assert "Ayşe".encode() in (tmp_path / "case" / name).read_bytes()


# -- place, lock, claim ------------------------------------------------------------------------------------------


def test_the_case_is_neither_the_evidences_folder_nor_holds_it(tmp_path, evidence):
    (tmp_path / "link").symlink_to(evidence.parent)
    for folder in (evidence.parent, tmp_path, Path("/"), tmp_path / "link", evidence.parent / "x" / ".."):
        assert refusal(folder, evidence, "the evidence's folder or holds it") == "E_CASE_PLACE", folder
    assert refusal(evidence, evidence, "is a file") == "E_CASE_PLACE"
    assert os.listdir(evidence.parent) == [evidence.name]


def test_the_case_may_lie_in_a_folder_of_its_own_beside_the_evidence(evidence):
    with Case(evidence.parent / "case", evidence) as case:
        case.log("started")


def test_a_folder_with_other_files_is_left_alone(tmp_path, evidence):
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "picture.jpg").write_bytes(b"x")
    assert refusal(tmp_path / "holiday", evidence, "holds other files") == "E_CASE_PLACE"
    assert os.listdir(tmp_path / "holiday") == ["picture.jpg"]


def test_a_case_that_ended_before_its_first_entry_can_be_opened_again(tmp_path, evidence):
    for _ in range(2):
        with Case(tmp_path / "case", evidence):
            pass


def test_one_run_at_a_time(tmp_path, evidence, case):
    assert refusal(case.folder, evidence) == "E_CASE_LOCKED"
    with Case(tmp_path / "other", evidence):
        pass


def test_the_lock_ends_with_the_run(tmp_path, evidence):
    with pytest.raises(ZeroDivisionError), Case(tmp_path / "case", evidence):
        raise ZeroDivisionError
    with Case(tmp_path / "case", evidence):
        pass


def test_a_case_keeps_to_its_evidence(case):
    case.claim("a" * 64)
    case.claim("a" * 64)
    with pytest.raises(CaseError, match="E_CASE_OTHER_EVIDENCE"):
        case.claim("b" * 64)
    assert case.state()["evidence_sha256"] == "a" * 64


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path, evidence):
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file" / "case", evidence) == "E_CASE_NOT_WRITABLE"


def test_a_case_can_be_opened_by_its_folder_alone_but_not_made(tmp_path, case):
    (tmp_path / "other").mkdir()
    for folder in (tmp_path / "other", tmp_path / "nothing", case.evidence):
        with pytest.raises(CaseError, match="E_NO_CASE"), CaseFolder(folder):
            pass
    assert os.listdir(tmp_path / "other") == [] and not (tmp_path / "nothing").exists()
    case.log("started")
    with pytest.raises(CaseError, match="E_CASE_LOCKED"), CaseFolder(case.folder):
        pass
    case.__exit__()
    os.rename(case.evidence, case.evidence.with_suffix(".away"))
    with CaseFolder(case.folder) as alone:
        head = alone.log("seen")
        assert alone.log_head() == (head, 2) and alone.last_entry()["action"] == "seen"


# -- log ---------------------------------------------------------------------------------------------------------


def test_each_entry_holds_the_hash_of_the_one_before(case):
    heads = [case.log("step", k=k, words="a\nb\u2028c ä") for k in range(5)]
    previous = "0" * 64
    for n, entry in enumerate(entries(case), 1):
        digest = entry.pop("hash")
        assert entry["previous"] == previous and entry["n"] == n
        assert digest == hashlib.sha256(canonical(entry).encode()).hexdigest() == heads[n - 1]
        assert entry["utc"] == "2026-01-02T03:04:05.000+00:00"
        previous = digest
    assert case.log_head() == (heads[-1], 5)


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-1],
        lambda b: b[:-20],
        lambda b: b + b'{"n": 3',
        lambda b: b"",
        lambda b: b + b"{}\n",
        lambda b: b + b"[]\n",
    ],
)
def test_a_damaged_log_is_not_begun_anew(case, damage):
    case.log("one")
    case.log("two")
    log = case.folder / LOG
    log.write_bytes(before := damage(log.read_bytes()))
    with pytest.raises(CaseError, match="E_CASE_LOG"):
        case.log("three")
    assert log.read_bytes() == before


#: A run without faces: the pass and the container's survey, each with the evidence hashed behind it, and the end.
SEEN = ["claimed", "opened", "verified", "derived", "verified", "derived", "observed", "verified", "examined"]


def test_a_run_is_logged_from_opening_to_result(case, kept):
    kept(case.evidence)
    pipeline.examine(case)
    log = entries(case)
    sha256 = hashlib.sha256(case.evidence.read_bytes()).hexdigest()
    assert [e["action"] for e in log] == SEEN
    assert {e["sha256"] for e in log if e["action"] in ("opened", "verified")} == {sha256} == {e["item"] for e in log}


# -- integrity ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_suffix(".old")),
        lambda path: (path.rename(path.with_suffix(".old")), path.symlink_to(path.with_suffix(".old"))),
    ],
    ids=["grown", "deleted", "renamed", "replaced by a link"],
)
def test_evidence_that_changes_during_the_run_voids_it(case, monkeypatch, change):
    assess = pipeline.assess
    monkeypatch.setattr(pipeline, "assess", lambda *a: (change(case.evidence), assess(*a))[1])
    with pytest.raises(IntegrityError):
        pipeline.report(case)
    assert entries(case)[-1]["action"] == "integrity_failed"
    assert not (case.folder / "findings.json").exists() and not (case.folder / "report.html").exists()


def test_a_report_hashes_the_evidence_behind_each_visit_and_no_more(case):
    pipeline.report(case)
    assert [e["action"] for e in entries(case)] == [*SEEN, "reported"]
    pipeline.report(case)  # from the cache
    last = [e["action"] for e in entries(case)][len(SEEN) + 1 :]
    assert [action for action in last if action != "set_aside"] == [
        "opened",
        "observed",
        "verified",
        "examined",
        "reported",
    ]


def test_a_fault_of_the_second_visit_to_changed_evidence_is_the_change(case, monkeypatch):
    def gone(case, examination):
        case.evidence.unlink()
        raise MediaError("E_NOT_FOUND", "It is gone.", "Look for it.")

    monkeypatch.setattr(pipeline, "_stills", gone)
    with pytest.raises(IntegrityError):
        pipeline.report(case)
    assert entries(case)[-1]["action"] == "integrity_failed"


def test_a_fault_of_the_second_visit_to_unchanged_evidence_stays_what_it_is(case, monkeypatch):
    def fails(case, examination):
        raise MediaError("E_PICTURES_GONE", "They are gone.", "Run again.")

    monkeypatch.setattr(pipeline, "_stills", fails)
    with pytest.raises(MediaError, match="E_PICTURES_GONE"):
        pipeline.report(case)


def test_what_was_seen_while_the_evidence_changed_is_not_kept(case, monkeypatch):
    """Else the next run on the restored file would show it, verified."""
    before, hear = case.evidence.read_bytes(), observe.hear
    monkeypatch.setattr(observe, "hear", lambda *a: (case.evidence.write_bytes(before + b"x"), hear(*a))[1])
    with pytest.raises(IntegrityError):
        pipeline.examine(case)
    monkeypatch.undo()
    case.evidence.write_bytes(before)
    assert not pipeline.examine(case).from_cache


# -- cache -------------------------------------------------------------------------------------------------------


def test_the_second_run_does_not_decode_again(case, monkeypatch):
    first = pipeline.examine(case)
    monkeypatch.setattr(observe, "hear", None)
    second = pipeline.examine(case)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert [f.as_json() for f in first.findings] == [f.as_json() for f in second.findings]
    monkeypatch.undo()
    assert not pipeline.examine(case, Interval(0.2, 0.7)).from_cache


def test_the_key_holds_all_that_the_observation_depends_on(evidence, monkeypatch):
    def key(interval=None, settings=None, **changed):
        return canonical(taking.key_of(replace(known, **changed), interval, settings or pipeline.Settings()))

    def observing(**values):
        return pipeline.Settings(observe=observe.Settings(**values))

    with clip.opened(evidence) as fd:
        known = clip.identify(evidence, fd)
    keys = [
        key(),
        key(Interval(0, 1)),
        key(Interval(0, 2)),
        key(settings=observing(cell_s=1.0)),
        key(sha256="b" * 64),
        key(sound=1),
    ]
    for module in (observe, landmarks):
        with monkeypatch.context() as patch:
            patch.setattr(module, "METHOD", replace(module.METHOD, version="changed"))
            keys.append(key())
    with monkeypatch.context() as patch:
        patch.setattr(landmarks, "MODEL_SHA256", "c" * 64)
        keys.append(key())
    for package in ("av", "mediapipe", "numpy", "opencv-python"):
        with monkeypatch.context() as patch:
            version = importlib.metadata.version
            patch.setattr(importlib.metadata, "version", lambda n, p=package, v=version: "0" if n == p else v(n))
            keys.append(key())
    assert len(set(keys)) == len(keys) == 13
    assert key(settings=observing(workers=7)) == keys[0]


def test_a_result_that_broke_off_is_not_kept(case):
    def breaks(folder):
        (folder / "half.npy").write_bytes(b"half")
        raise MediaError("E_X", "It broke.", "Go on.")

    with pytest.raises(MediaError):
        case.cached({"key": 1}, breaks)
    assert list((case.folder / "cache").iterdir()) == []
    folder, about, known = case.cached({"key": 1}, lambda folder: {"made": str(folder.name)})
    assert not known and about["made"].endswith(".partial") and folder.is_dir()
    assert case.cached({"key": 1}, breaks)[2]


def test_what_a_killed_run_left_is_cleared(case):
    key = {"key": 1}
    folder, _, _ = case.cached(key, lambda folder: {})
    folder.rename(folder.with_name(folder.name + ".partial"))
    (folder.with_name(folder.name + ".partial") / "half.npy").write_bytes(b"half")
    folder, _, known = case.cached(key, lambda folder: {"n": 1})
    assert not known and [p.name for p in folder.iterdir()] == ["about.json"]


def test_a_full_disk_is_told_in_words():
    with pytest.raises(CaseError, match=r"E_CASE_NOT_WRITABLE.*No space left"), case_module.disk_errors():
        raise OSError(28, os.strerror(28))


# -- derivations -----------------------------------------------------------------------------------------------------


def test_a_derivation_is_logged_with_its_hash_used_again_and_can_be_removed(tmp_path, evidence):
    """Copies of the evidence lie apart from the cache; once removed the log still knows what they were."""
    made, case = [], Case(tmp_path / "case", evidence)

    def make(folder):
        made.append(folder)
        (folder / "copy.mov").write_bytes(b"a copy")
        return {"pictures": 1}

    with case:
        folder, about, known = case.cached({"copies": 1}, make, custody.DERIVATIONS)
        assert folder.parent == case.folder / custody.DERIVATIONS and (about, known) == ({"pictures": 1}, False)
        name = f"{custody.DERIVATIONS}/{folder.name}/copy.mov"
        assert custody.told(case.entries())[name][0] == hashlib.sha256(b"a copy").hexdigest()
        assert case.cached({"copies": 1}, make, custody.DERIVATIONS)[2] and len(made) == 1
        case.set_aside("a new run begins")
        assert (folder / "copy.mov").exists() and name in custody.told(case.entries())
        (folder / "copy.mov").write_bytes(b"another")
        assert not case.cached({"copies": 1}, make, custody.DERIVATIONS)[2] and len(made) == 2
    assert not custody.verify(case.folder).bad
    with case:
        case.discard()
        assert not (case.folder / custody.DERIVATIONS).exists() and name not in custody.told(case.entries())
        entries = len(case.entries())
        case.discard()
        assert len(case.entries()) == entries
    assert not custody.verify(case.folder).bad

"""References: examined in cases of their own, logged by hash, verified, replayed; what is none is refused."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import synth

from forensics import custody, pipeline, references, replay
from forensics.analysis.blink import Settings as BlinkSettings
from forensics.analysis.voice import Settings as VoiceSettings
from forensics.case import Case, CaseFolder
from forensics.errors import CaseError, MediaError
from forensics.report import schema
from forensics.timeline import Interval


def sound(path, seconds, hz=440):
    tone = synth.Sound(synth.tone(seconds, hz=hz), codec="pcm_s16le", sample_format="s16")
    return synth.write(path, tone)


def reported(folder, clip, *beside, interval=None, settings=None):
    with Case(folder, clip) as case, case.run("report"):
        return pipeline.report(case, interval, settings, beside=beside)


def replayed(folder, clip, *beside):
    with CaseFolder(folder) as case:
        return replay.replay(case, clip, beside=beside)


def log(folder):
    return [json.loads(line) for line in (folder / "custody.jsonl").read_text("utf-8").splitlines()]


def bad(folder):
    return [v.code for v in custody.verify(folder).bad]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return sound(tmp_path_factory.mktemp("evidence") / "talk.wav", 1.5)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A recording whose name would steer a terminal and a shell."""
    return sound(tmp_path_factory.mktemp("others") / "-i 'a'\n;touch x.wav", 1.2, 330)


@pytest.fixture(scope="module")
def finished(clip, other, tmp_path_factory):
    """A case with one reference: to look at."""
    folder = tmp_path_factory.mktemp("cases") / "case"
    reported(folder, clip, other)
    return folder


@pytest.fixture
def case(finished, tmp_path):
    """A copy of it to change."""
    return Path(shutil.copytree(finished, tmp_path / "case"))


def beneath(folder):
    (own,) = (folder / "references").iterdir()
    return own


def test_a_reference_has_a_case_of_its_own_and_stands_in_findings_and_log_by_hash(finished, other):
    record = json.loads((finished / "findings.json").read_text("utf-8"))
    jsonschema.validate(record, schema())
    (given,) = record["references"]["recordings"]
    own = beneath(finished)
    assert given["sha256"] == custody.digest_of(other) and own.name == given["sha256"][: references.DIGITS]
    assert given["findings_sha256"] == custody.digest_of(own / "findings.json")
    assert record["references"]["relation"] == "person" and (own / "report.html").is_file()
    (entry,) = [e for e in log(finished) if e["action"] == "references"]
    (told,) = entry["references"]
    assert told["head"] == log(own)[-1]["hash"] and told["case"] == f"references/{own.name}"
    assert other.name not in json.dumps(record) and "steer" not in own.name
    asked = {f["question"]: f["reasons"] for f in record["findings"] if f["analysis"] == "comparison"}
    assert asked["comparison.voice"] == ["nothing_to_compare"] and asked["comparison.light"] == ["not_in_common"]


def test_both_reports_list_the_reference(finished):
    given = json.loads((finished / "findings.json").read_text("utf-8"))["references"]["recordings"][0]
    html, pdf = ((finished / name).read_text("utf-8") for name in ("report.html", "report.json"))
    assert given["sha256"] in html and given["sha256"][:32] in pdf and "the same person" in html


def test_a_report_without_references_has_no_word_of_them(clip, tmp_path):
    examination = reported(tmp_path / "case", clip)
    record = json.loads((tmp_path / "case" / "findings.json").read_text("utf-8"))
    assert "references" not in record and not any(f.analysis == "comparison" for f in examination.findings)
    assert not (tmp_path / "case" / "references").exists()
    assert "references" not in [e["action"] for e in log(tmp_path / "case")]


def test_verify_recomputes_the_references_too(case):
    assert bad(case) == []
    content = (beneath(case) / "findings.json").read_bytes()
    (beneath(case) / "findings.json").write_bytes(content + b" ")
    assert set(bad(case)) == {"OUTPUT_CHANGED", "REFERENCE_CHANGED"}
    shutil.rmtree(beneath(case))
    assert bad(case) == ["REFERENCE_GONE"]
    (case / "references" / "stray.txt").write_text("x")
    assert "UNLISTED_FILE" in bad(case)


def test_a_replay_examines_the_references_again(case, clip, other, monkeypatch):
    assert replayed(case, clip, other).verdict == replay.IDENTICAL and bad(case) == []
    monkeypatch.setattr(pipeline, "observed", lambda *_: pytest.fail("looked"))
    with pytest.raises(CaseError, match=r"E_REFERENCES_NEEDED.*R1.*--reference"):
        replayed(case, clip)
    with pytest.raises(MediaError, match="E_OTHER_FILE"):
        replayed(case, clip, other, clip)
    assert log(case)[-1]["action"] == "replay_refused"


def test_a_finished_case_is_read_and_not_written(clip, finished, tmp_path):
    own = Path(shutil.copytree(beneath(finished), tmp_path / "elsewhere"))
    before = custody.digest_of(own / "custody.jsonl")
    reported(tmp_path / "case", clip, own)
    assert custody.digest_of(own / "custody.jsonl") == before and not (tmp_path / "case" / "references").exists()
    assert (tmp_path / "case" / "findings.json").read_bytes() == (finished / "findings.json").read_bytes()
    found = custody.verify(tmp_path / "case")
    assert not found.bad and "REFERENCE_ELSEWHERE" in [v.code for v in found.verdicts]


def crafted(folder, change, changed_log=lambda entry: None):
    """A case whose chain and hashes are in order, though its findings or its log hold what nobody here writes."""
    record = json.loads((folder / "findings.json").read_text("utf-8"))
    change(record)
    (folder / "findings.json").write_text(json.dumps(record), "utf-8")
    digest, chain = custody.digest_of(folder / "findings.json"), [{"hash": custody.START}]
    state = json.loads((folder / "case.json").read_text("utf-8"))
    for entry in log(folder):
        changed_log(entry)
        entry["previous"] = chain[-1]["hash"]
        if "findings.json" in entry.get("outputs", {}):
            entry["outputs"]["findings.json"] = digest
        if entry["n"] == state["log"]["entry"]:
            state["log"]["previous"] = entry["previous"]
            (folder / "case.json").write_text(json.dumps(state), "utf-8")
            entry["case_sha256"] = custody.digest_of(folder / "case.json")
        chain.append(custody.sealed({key: value for key, value in entry.items() if key != "hash"}))
    (folder / "custody.jsonl").write_bytes(b"".join(map(custody.line_of, chain[1:])))
    return folder


def _no_streams(record):
    del record["clip"]["streams"]


def _no_number(record):
    record["findings"][0]["coverage"] = float("nan")


def _no_interval(entry):
    if entry["action"] == "opened":
        entry["interval"] = [0, 1]


@pytest.mark.parametrize(
    ("change", "changed_log", "code"),
    [
        (_no_streams, lambda entry: None, "E_REFERENCE_DAMAGED"),
        (_no_number, lambda entry: None, "E_CASE_DAMAGED"),
        (lambda record: record.clear(), lambda entry: None, "E_REFERENCE_DAMAGED"),
        (lambda record: None, _no_interval, "E_CASE_DAMAGED"),
        (lambda record: None, lambda entry: entry.update(methods=["x"]), "E_CASE_DAMAGED"),
        (lambda record: None, lambda entry: entry.update(settings={"observe": 3}), "E_REFERENCE_OTHER_METHODS"),
    ],
)
def test_a_case_that_nobody_here_wrote_is_refused_in_one_sentence(change, changed_log, code, clip, finished, tmp_path):
    own = crafted(Path(shutil.copytree(beneath(finished), tmp_path / "own")), change, changed_log)
    assert bad(own) == []
    with pytest.raises(CaseError, match=f"^{code}: Reference R1: "):
        reported(tmp_path / "case", clip, own)


def test_a_finished_case_that_was_changed_is_no_reference(clip, finished, tmp_path):
    own = Path(shutil.copytree(beneath(finished), tmp_path / "own"))
    (own / "report.html").write_text("other", "utf-8")
    with pytest.raises(CaseError, match=r"^E_REFERENCE_DAMAGED: Reference R1: .*report\.html"):
        reported(tmp_path / "case", clip, own)


def test_a_recording_is_no_reference_for_itself_nor_twice_one(clip, other, tmp_path):
    with pytest.raises(CaseError, match=r"E_REFERENCE_SAME: Reference R1: .* the questioned recording"):
        reported(tmp_path / "a", clip, Path(shutil.copy(clip, tmp_path / "copy.wav")))
    with pytest.raises(CaseError, match=r"E_REFERENCE_SAME: Reference R2: .* R1"):
        reported(tmp_path / "b", clip, other, other)
    assert not (tmp_path / "b" / "findings.json").exists()


def test_another_part_of_the_recording_may_be_one(clip, tmp_path):
    reported(tmp_path / "part", clip, interval=Interval(0.8, 1.5))
    reported(tmp_path / "apart", clip, tmp_path / "part", interval=Interval(0.0, 0.7))
    with pytest.raises(CaseError, match="E_REFERENCE_SAME"):
        reported(tmp_path / "over", clip, tmp_path / "part", interval=Interval(0.0, 0.9))


def test_a_case_made_with_other_settings_or_methods_is_refused_by_name(clip, other, finished, tmp_path, monkeypatch):
    settings = replace(pipeline.Settings(), voice=VoiceSettings(lowest_f0_hz=70.0))
    with pytest.raises(CaseError, match=r"E_REFERENCE_OTHER_METHODS.* settings of voice\. Name the recording itself"):
        reported(tmp_path / "a", clip, beneath(finished), settings=settings)
    older = replace(pipeline.tracks.METHOD, version="0")
    monkeypatch.setattr(pipeline.tracks, "METHOD", older)
    with pytest.raises(CaseError, match=f"E_REFERENCE_OTHER_METHODS.*{older.name}"):
        reported(tmp_path / "b", clip, beneath(finished))


def test_what_was_told_of_the_questioned_recording_alone_hinders_no_comparison(clip, finished, tmp_path):
    settings = replace(pipeline.Settings(), blink=BlinkSettings(task="reading"))
    assert reported(tmp_path / "case", clip, beneath(finished), settings=settings).references


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda place: place.write_bytes(b""), "E_EMPTY"),
        (lambda place: place.write_text("ffconcat version 1.0"), "E_INDIRECT"),
        (os.mkfifo, "E_NOT_REGULAR"),
        (lambda place: place.symlink_to("/etc/passwd"), "E_NOT_REGULAR"),
        (lambda place: place.mkdir(), "E_NOT_FINISHED"),
        (lambda place: None, "E_NOT_FOUND"),
    ],
)
def test_what_is_no_recording_is_refused_as_a_reference(make, code, clip, tmp_path):
    make(tmp_path / "x.mp4")
    with pytest.raises((MediaError, CaseError), match=f"^{code}: Reference R1: "):
        reported(tmp_path / "case", clip, tmp_path / "x.mp4")
    assert log(tmp_path / "case")[-1]["action"] == "refused" and bad(tmp_path / "case") == []


def test_a_link_leads_no_reference_out_of_the_case(clip, other, tmp_path):
    reported(tmp_path / "case", clip)
    (tmp_path / "away").mkdir()
    (tmp_path / "case" / "references").symlink_to(tmp_path / "away")
    with pytest.raises(CaseError, match="E_CASE_PLACE"):
        reported(tmp_path / "case", clip, other)
    assert not list((tmp_path / "away").iterdir())

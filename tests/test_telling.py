"""What the examiner tells: dated, logged, refused where it hides something; FINAL only without blanks."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forensics import cli, custody, pipeline, telling
from forensics.case import BegunCase, Case
from forensics.custody import Actor
from forensics.errors import CaseError

WHOLE = {"examiner": "Dr M. Muster", "case_id": "K 12/24", "reviewer": None}


def begun(folder):
    minutes = count()

    def clock():
        return datetime(2024, 5, 6, tzinfo=UTC) + timedelta(minutes=next(minutes))

    return BegunCase(folder, clock, Actor("m. muster"))


def tell_all(case):
    telling.give(case, WHOLE, "Was the mouth generated?", ["lips"], ["It came by mail."], "I declare.")


def test_what_is_told_is_kept_with_who_when_and_where_the_log_says_so(tmp_path):
    with begun(tmp_path / "case") as case:
        tell_all(case)
        telling.give(case, {"reviewer": "N. N."}, None, ["voice = It was made. / It was spoken."], ["And a copy."])
        state, entries = case.state(), case.entries()
    report = telling.given(state)
    assert (state["examiner"], state["case_id"], state["reviewer"]) == ("Dr M. Muster", "K 12/24", "N. N.")
    assert report["question"]["text"] == "Was the mouth generated?"
    assert (report["question"]["actor"], report["question"]["entry"]) == ("m. muster", 1)
    assert report["question"]["utc"].startswith("2024-05-06T00:00") and report["declaration"]["text"] == "I declare."
    assert report["propositions"]["lips"]["h1"] == telling.PAIRS["lips"][0]
    assert (report["propositions"]["voice"]["h1"], report["propositions"]["voice"]["entry"]) == ("It was made.", 2)
    assert [line["text"] for line in report["told"]] == ["It came by mail.", "And a copy."]
    assert [e["action"] for e in entries] == ["told", "told"] and entries[0]["question"] == "Was the mouth generated?"
    assert custody.verify(tmp_path / "case").bad == ()


def test_each_pair_of_propositions_names_a_mechanism_and_none_says_altered():
    assert set(telling.PAIRS) == {"lips", "identity", "animation", "voice", "edit"}
    for h1, h2 in telling.PAIRS.values():
        assert h1 != h2 and "alter" not in (h1 + h2).lower()


@pytest.mark.parametrize(
    "told",
    [
        {"question": "a\x1b[31m"},
        {"question": "\u202eabc"},
        {"question": "…"},
        {"question": "x" * 2001},
        {"pairs": ["altered"]},
        {"pairs": ["lips = only one"]},
        {"told": [" "]},
        {"names": {"examiner": "a\nb"}},
        {"names": {"examiner": "x" * 61}},
    ],
    ids=lambda t: ascii(t)[:40],
)
def test_what_hides_itself_or_says_nothing_is_refused_and_changes_nothing(tmp_path, told):
    with begun(tmp_path / "case") as case:
        with pytest.raises(CaseError, match="E_TELL"):
            telling.give(case, told.pop("names", {}), **told)
        assert case.entries() == [] and case.state() == {}


def test_a_declaration_is_a_text(tmp_path):
    (tmp_path / "d.txt").write_text("Ich erkläre.\n\nAlles.", "utf-8")
    assert telling.read(tmp_path / "d.txt") == "Ich erkläre.\n\nAlles."
    (tmp_path / "d.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(CaseError, match="E_TELL"):
        telling.read(tmp_path / "d.txt")


def test_a_final_report_refuses_each_blank_by_name(tmp_path):
    with begun(tmp_path / "case") as case:
        with pytest.raises(CaseError, match=r"E_FINAL.*examiner.*question.*propositions.*declaration"):
            telling.finalise(case, True)
        assert case.entries() == []
        tell_all(case)
        assert telling.blanks(case.state(), case.entries()) == []
        telling.finalise(case, True)
        assert telling.given(case.state())["status"] == telling.FINAL
        telling.finalise(case, False)
        assert telling.given(case.state())["status"] == telling.DRAFT
        entries = len(case.entries())
        telling.finalise(case, False)  # a draft as ever: nothing to log
        assert len(case.entries()) == entries


def test_what_is_told_behind_the_measurements_is_not_put_beforehand(tmp_path):
    with begun(tmp_path / "case") as case:
        case.log("observed")
        tell_all(case)
        assert telling.blanks(case.state(), case.entries()) == [
            "the question, before anything was measured",
            "the propositions (lips), before anything was measured",
        ]


def test_a_folder_with_other_files_is_no_place_to_tell(tmp_path):
    (tmp_path / "letter.txt").write_text("x")
    with pytest.raises(CaseError, match="E_CASE_PLACE"), begun(tmp_path):
        pass


def test_by_command_from_the_first_word_to_the_final_report(face_clip, tmp_path, kept):
    kept(face_clip)
    run, folder = CliRunner(), tmp_path / "case"
    early = run.invoke(cli.app, ["report", str(face_clip), "--out", str(folder), "--final"])
    assert isinstance(early.exception, CaseError) and early.exception.code == "E_FINAL"
    assert not (folder / "report.pdf").exists() and not (folder / "findings.json").exists()
    (tmp_path / "declaration.txt").write_text("I declare.")
    told = ["--question", "Who speaks?", "--proposition", "lips", "--told", "Nothing.", "--case", "K 1"]
    told += ["--declaration", str(tmp_path / "declaration.txt"), "--examiner", "Dr Muster", "--reviewer", "N. N."]
    said = run.invoke(cli.app, ["tell", str(folder), *told])
    assert said.exit_code == 0, said.output
    assert "question: Who speaks?" in said.output and "Nothing is lacking" in said.output
    done = run.invoke(cli.app, ["report", str(face_clip), "--out", str(folder), "--final", "--exhibits"])
    assert done.exit_code == 0, done.output
    assert json.loads((folder / "case.json").read_text())["report"]["status"] == "FINAL"
    assert {"report.pdf", "summary.pdf", "report.json"} <= {p.name for p in folder.iterdir()}
    assert {p.suffix for p in (folder / "exhibits").iterdir()} == {".pdf", ".png"}
    assert "FINAL ·" in (folder / "report.html").read_text()
    checked = run.invoke(cli.app, ["check", str(folder)])
    assert checked.exit_code == 0, checked.output
    assert custody.verify(folder).bad == ()
    with Case(folder, face_clip) as case:  # a draft again, as the next run does not ask for a final one
        pipeline.report(case)
    assert "DRAFT ·" in (folder / "report.html").read_text()
    assert list((folder / "exhibits").glob("*")) == []
    assert (folder / "earlier").exists() is False and custody.verify(folder).bad == ()


def test_who_tells_in_a_role_is_named_in_it(tmp_path):
    run, folder = CliRunner(), str(tmp_path / "case")
    for who, role in (("Dr Muster", "examiner"), ("N. N.", "reviewer"), ("A clerk", "clerk")):
        assert run.invoke(cli.app, ["tell", folder, "--examiner", who, "--role", role]).exit_code == 0
    state = json.loads((tmp_path / "case" / "case.json").read_text())
    assert (state["examiner"], state["reviewer"]) == ("Dr Muster", "N. N.")
    listed = run.invoke(cli.app, ["tell", folder])
    assert "reviewer: N. N." in listed.output and "A final report lacks: the question" in listed.output


def test_the_environment_tells_the_log_who_acts_and_names_no_examiner_of_the_report(tmp_path, monkeypatch):
    """Batches and notebooks set it to the account; and it is the machine's, not the case's."""
    monkeypatch.setenv("FORENSICS_EXAMINER", "Dr Muster")
    run, folder = CliRunner(), tmp_path / "case"
    done = run.invoke(cli.app, ["tell", str(folder), "--question", "Who speaks?"])
    assert done.exit_code == 0 and "lacks: the examiner's name (--examiner)" in done.output
    assert [e["actor"] for e in map(json.loads, (folder / "custody.jsonl").read_text().splitlines())] == ["Dr Muster"]


def test_check_of_a_folder_without_a_report_is_refused(tmp_path):
    refused = CliRunner().invoke(cli.app, ["check", str(tmp_path)])
    assert isinstance(refused.exception, CaseError) and refused.exception.code == "E_NO_REPORT"


def test_the_proposed_declaration_is_for_editing_and_says_nothing_forbidden():
    from forensics.report import closing, words

    text = closing.proposed_declaration()
    assert words.check(f"<p>{text}</p>") == [] and telling.valid(text, telling.LONGEST_DECLARATION)
    assert Path(closing.__file__).with_name("declaration.txt").is_file()

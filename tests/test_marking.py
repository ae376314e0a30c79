"""The analyst's marks: what is refused, that each is logged, that reports print them and that none outlives its end."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest

from forensics import custody, marking, pipeline
from forensics.case import LOG, BegunCase, Case, CaseFolder
from forensics.custody import Actor
from forensics.errors import CaseError
from forensics.report import checking

#: What would be markup, an address or a formula wherever it is not kept inert.
HOSTILE = "<img src=x onerror=alert(1)> =HYPERLINK() #read {{7*7}} $\\foo{$"


@pytest.fixture
def case(face_case, tmp_path):
    """A copy of a finished case, to be changed."""
    return shutil.copytree(face_case, tmp_path / "case")


def entries(folder):
    return [json.loads(line) for line in (folder / LOG).read_text("utf-8").splitlines()]


def test_marks_are_numbered_logged_and_in_the_order_of_time(case):
    with CaseFolder(case, actor=Actor("Ada")) as opened:
        assert marking.give(opened, 3.0, None, "  later   one ") == 1
        assert marking.give(opened, 1.0004, 2.0, "earlier") == 2
        marks = marking.given(opened.state())
    assert [*marks] == [2, 1] and marks[1]["comment"] == "later one" and marks[1]["end_s"] == 3.0
    assert (marks[2]["start_s"], marks[2]["end_s"], marks[2]["actor"]) == (1.0, 2.0, "Ada")
    last = entries(case)[-1]
    assert (last["action"], last["number"], last["comment"], marks[2]["entry"]) == ("marked", 2, "earlier", last["n"])
    assert not custody.verify(case).bad


def test_a_mark_taken_back_keeps_its_number_and_its_entry(case):
    with CaseFolder(case, actor=Actor("Ada")) as opened:
        marking.give(opened, 1.0, None, "first")
        marking.take_back(opened, 1, "a slip")
        assert marking.given(opened.state()) == {}
        assert marking.give(opened, 2.0, None, "second") == 2
    assert [e["action"] for e in entries(case)[-3:]] == ["marked", "mark_taken_back", "marked"]
    assert entries(case)[-2]["reason"] == "a slip" and not custody.verify(case).bad


@pytest.mark.parametrize(
    ("start_s", "end_s", "comment"),
    [
        (float("nan"), None, "x"),
        (1.0, float("inf"), "x"),
        (1e9, None, "x"),
        (2.0, 1.0, "x"),
        (1.0, None, ""),
        (1.0, None, "..."),
        (1.0, None, "a\nb"),
        (1.0, None, "a\u202eb"),
        (1.0, None, "a\x1b[31m"),
        (1.0, None, "x" * 301),
        (-0.1, None, "before it begins"),
        (4.0, 5.1, "beyond its end"),
    ],
)
def test_refusals_change_nothing(case, start_s, end_s, comment):
    before = (case / LOG).read_bytes()
    with CaseFolder(case) as opened, pytest.raises(CaseError, match="E_MARK"):
        marking.give(opened, start_s, end_s, comment)
    with CaseFolder(case) as opened, pytest.raises(CaseError, match="There are: none"):
        marking.take_back(opened, 1, "x")
    assert (case / LOG).read_bytes() == before


def test_marks_lie_in_what_the_last_report_examined_where_there_is_one(case, tmp_path):
    end_s = json.loads((case / "findings.json").read_text("utf-8"))["clip"]["examined"][1]
    with CaseFolder(case) as opened:
        assert marking.give(opened, -0.0004, end_s + 0.0004, "all of it, to the millisecond") == 1
        with pytest.raises(CaseError, match=rf"reaches from 0\.000 to {end_s:.3f} s"):
            marking.give(opened, 5.2, None, "behind it")
    with BegunCase(tmp_path / "begun") as begun:
        begun.log("begun")
        assert marking.give(begun, 5.2, None, "nobody knows yet how long it is") == 1


def test_a_mark_shows_the_picture_that_is_seen_then():
    seen = {"t_s": np.array([1.0, 1.03333, 1.1]), "number": np.array([5, 6, 7]), "pts": np.array([50, 60, 70])}
    marks = {n: {"start_s": t} for n, t in enumerate([0.5, 1.0, 1.033, 1.09, 1.1, 9.0], 1)}
    assert [(m.name, m.frame) for m in marking.pictures(marks, seen)] == [
        ("mark-2", 5),
        ("mark-3", 6),  # kept to the millisecond, it is the picture of 1.03333 s
        ("mark-4", 6),
        ("mark-5", 7),
    ]
    assert marking.pictures(marks, {}) == []


@pytest.mark.slow
def test_both_reports_print_marks_with_their_pictures_until_they_are_taken_back(case, face_clip, kept):
    with CaseFolder(case, actor=Actor("Ada")) as opened:
        marking.give(opened, 1.2, None, HOSTILE)
        marking.give(opened, 2.0, 3.0, "the lips rest")
    with Case(case, kept(face_clip)) as opened:
        pipeline.report(opened)
    html, record = (case / "report.html").read_text("utf-8"), json.loads((case / "report.json").read_text("utf-8"))
    assert "Marked by the examiner" in html and "<img src=x" not in html and "&lt;img src=x onerror" in html
    assert "1.200\u00a0s (0:00:01.200)" in html and "2.000 to 3.000\u00a0s" in html
    assert re.search(r"mark-1[^>]*\.jpg|marked by the examiner, number 1", html)
    blocks = record["report.pdf"]["blocks"]
    table = next(b for b in blocks if b.get("caption") == "Marks of the examiner")
    assert len(table["rows"]) == 2 and any("the lips rest" in str(row) for row in table["rows"])
    assert len([p for p in (case / "stills").iterdir() if "mark-" in p.name]) == 2
    assert checking.check(case) == [] and not custody.verify(case).bad
    assert [e["numbers"] for e in entries(case) if e["action"] == "marks_applied"] == [[1, 2]]
    with CaseFolder(case, actor=Actor("Ada")) as opened:
        marking.take_back(opened, 1, "wrong clip")
        marking.take_back(opened, 2, "wrong clip")
    with Case(case, face_clip) as opened:
        pipeline.report(opened)
    assert "Marked by the examiner" not in (case / "report.html").read_text("utf-8")
    assert not [p for p in (case / "stills").iterdir() if "mark-" in p.name]

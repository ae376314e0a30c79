"""The analyst's names: who is merged, who is set aside, what is refused, and that no name outlives its observation."""

from __future__ import annotations

import html
import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import planted
import pytest
import synth

from forensics import naming, pipeline
from forensics.analysis import ANALYSES, blink
from forensics.case import LOG, Case, CaseFolder
from forensics.errors import CaseError
from forensics.report import dumps, findings_json
from forensics.timeline import Interval


def track(name, start_s=0.0, end_s=4.0, brief=False):
    return {"name": name, "start_s": start_s, "end_s": end_s, "face_height_px": 80.0, "brief": brief}


#: A face twice and a second one beside it; behind a cut two faces; one seen for a moment.
TRACKS = [
    track("A1", 0, 4),
    track("B1", 0, 4),
    track("A2", 4.6, 9),
    track("C1", 10, 15),
    track("D1", 10, 10.4, True),
]


def resolved(*assignments, names=None, tracks=TRACKS):
    """The name of each track that has one, after these."""
    after = naming.merged(names or {}, naming.changes(assignments, tracks))
    naming.check(after, tracks)
    return {t["name"]: name for t in tracks if (name := naming.name_of(t["name"], after))}


def refusal(call, *arguments):
    with pytest.raises(CaseError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    return str(caught.value)


# -- rules ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignments", "expected"),
    [
        (["A1=Anna"], {"A1": "Anna"}),
        (["A=Anna"], {"A1": "Anna", "A2": "Anna"}),
        (["A=Anna", "A2=Bea"], {"A1": "Anna", "A2": "Bea"}),
        (["A2=Bea", "A=Anna"], {"A1": "Anna", "A2": "Bea"}),  # a track's own name wins in any order
        (["A=Anna", "C=Anna"], {"A1": "Anna", "A2": "Anna", "C1": "Anna"}),
        (["B=nobody", "C1=NoBody"], {"B1": "nobody", "C1": "nobody"}),
        (["A=C", "C=C"], {"A1": "C", "A2": "C", "C1": "C"}),  # merged into C, by name
        (["A=A"], {"A1": "A", "A2": "A"}),
        (["A1=  Anna   of  it "], {"A1": "Anna of it"}),
        (["A1=a=b"], {"A1": "a=b"}),
        (["A1=E\u0301va", "C1=\u00c9va"], {"A1": "\u00c9va", "C1": "\u00c9va"}),  # one look, one person
        (["A1=" + "x" * 60], {"A1": "x" * 60}),
        (["A1=שרה", "C1=Ayşe Łukasz-O'Neil"], {"A1": "שרה", "C1": "Ayşe Łukasz-O'Neil"}),
        (["D1=Anna", "C1=Anna"], {"C1": "Anna", "D1": "Anna"}),  # a brief appearance is not analysed
    ],
)
def test_names_reach_their_tracks(assignments, expected):
    assert resolved(*assignments) == expected


def test_an_empty_name_takes_one_back_and_nothing_else():
    names = {"A": "Anna", "A2": "Bea"}
    assert resolved("A2=", names=names) == {"A1": "Anna", "A2": "Anna"}
    assert resolved("A=", names=names) == {"A2": "Bea"}
    assert "its letter A is named" in refusal(resolved_with, "A1=", names)
    assert "C has no name of its own" in refusal(resolved_with, "C=", names)


def resolved_with(assignment, names):
    return resolved(assignment, names=names)


@pytest.mark.parametrize(
    ("assignments", "words"),
    [
        (["E=Anna"], "E_UNKNOWN_TRACK: There is no track or letter 'E'. There are: A, A1, A2, B, B1, C, C1, D, D1."),
        (["a1=Anna"], "E_UNKNOWN_TRACK: .*'a1'"),
        (["z" * 100_000 + "=x"], "E_UNKNOWN_TRACK: "),
        (["=x"], "E_UNKNOWN_TRACK: "),
        (["A1"], "E_NAME: 'A1' names nothing"),
        (["A1=x", "A1=y"], "E_NAME: A1 is named twice"),
        (["A1= "], "E_NAME: .* 1 to 60 characters, this one 0"),
        (["A1=" + "x" * 61], "E_NAME: .* this one 61"),
        (["A1=" + "x" * 100_000], "E_NAME: .* this one 100000"),
        (["A1=a\nb"], r"E_NAME: .* found U\+000A"),
        (["A1=a\n"], r"E_NAME: .* found U\+000A"),
        (["A1=\x1b[31m"], r"E_NAME: .* found U\+001B"),
        (["A1=abc\u202egpj"], r"E_NAME: .* found U\+202E"),
        (["A1=a\u200bb"], r"E_NAME: .* found U\+200B"),
        (["A1=a\u2066b"], r"E_NAME: .* found U\+2066"),
        (["A1=a\u2028b"], r"E_NAME: .* found U\+2028"),
        (["A1=a\u00a0b"], r"E_NAME: .* found U\+00A0"),
        (["A1=a\udcffb"], r"E_NAME: .* found U\+DCFF"),
        (["A1=..."], "E_NAME: .* found none"),
        (["A1=C"], r"E_NAME: 'C' is the name of another track or letter here \(C1\)"),
        (["A1=c"], "E_NAME: 'c' is the name of another"),
        (["A1=C1"], "E_NAME: 'C1' is the name of another"),
        (["A=C", "C=Carl"], "E_NAME: 'C' is the name of another"),
        (["A1=D"], "E_NAME: 'D' is the name of another"),
        (["A1=Anna", "B1=Anna"], r"E_NAMES_TOGETHER: A1 and B1 are in view together from 0.00 to 4.00 s"),
    ],
    ids=lambda value: value[:20].encode("unicode_escape").decode() if isinstance(value, str) else value[-1][:12],
)
def test_a_bad_assignment_is_refused_in_words(assignments, words):
    assert re.match(words, said := refusal(resolved, *assignments)), said


def test_a_cross_fade_is_no_obstacle_to_merging():
    assert resolved("A=Anna", "B=Anna", tracks=[track("A1", 0, 4), track("B1", 3.2, 8)]).keys() == {"A1", "B1"}


def test_taking_back_a_name_cannot_leave_another_person_under_its_letter():
    assert "E_NAME: 'C'" in refusal(resolved_with, "C=", {"A": "C", "C": "C"})


# -- the act -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A case with an observation, closed; its evidence is nowhere."""
    with Case(tmp_path / "case", tmp_path / "gone" / "clip.mp4") as case:
        case.log("started")
        case.update(observation={"key": "k", "tracks": TRACKS})
    return tmp_path / "case"


def named(folder, *assignments, when=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)):
    with CaseFolder(folder, lambda: when) as case:
        naming.give(case, assignments)
        return case.state()


def log(folder):
    return [json.loads(line) for line in (folder / LOG).read_text("utf-8").split("\n")[:-1]]


def test_an_act_is_logged_with_before_and_after(folder):
    named(folder, "A=Anna", "B=nobody")
    state = named(folder, "A2=Bea", "B=", when=datetime(2026, 2, 3, tzinfo=UTC))
    first, second = (entry for entry in log(folder) if entry["action"] == "named")
    assert (first["action"], first["before"], first["after"]) == ("named", {}, {"A": "Anna", "B": "nobody"})
    assert (second["before"], second["after"]) == (first["after"], {"A": "Anna", "A2": "Bea"})
    assert first["observation"] == second["observation"] == "k"
    given = naming.given(state)
    assert given["A"] == {"name": "Anna", "actor": first["actor"], "utc": first["utc"], "entry": first["n"]}
    assert (given["A2"]["entry"], given["A2"]["utc"]) == (second["n"], second["utc"])
    assert state["names"]["k"]["tracks"] == TRACKS


def test_a_refused_act_changes_nothing(folder):
    named(folder, "A=Anna")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    for bad in (["C=Carl", "X=y"], ["B=Anna"], ["A1=a\u202e"], ["C="]):
        refusal(named, folder, *bad)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_case_in_which_nothing_was_seen_says_what_to_do(tmp_path):
    with Case(tmp_path / "case", tmp_path / "gone" / "clip.mp4") as case:
        case.log("started")
    assert "E_NO_OBSERVATION" in (said := refusal(named, tmp_path / "case", "A=Anna")) and "forensics report" in said


def test_names_hold_for_the_observation_they_were_given_for(folder):
    state = named(folder, "A=Anna", "B=nobody")
    assert naming.names_in(state) == {"A": "Anna", "B": "nobody"} and naming.unapplied(state) == []
    other = state | {"observation": {"key": "other", "tracks": TRACKS}}
    assert naming.names_in(other) == {} and naming.unapplied(other) == ["A=Anna", "B=nobody"]
    assert naming.unapplied({}) == []


def test_a_name_slipped_into_the_case_past_the_rules_is_refused(folder):
    state = named(folder, "A=Anna")
    state["names"]["k"]["given"]["A"]["name"] = "a\u202eb"
    assert "U+202E" in refusal(naming.names_in, state)


# -- what follows from it ------------------------------------------------------------------------------------------


def blinking(name, peaks_s, start_s):
    t_s = start_s + planted.pictures_s(30, 30.0)
    lids = planted.lid(t_s, start_s + np.array(peaks_s))
    return planted.track(t_s, planted.face(right_lid=lids, left_lid=lids), name=name)


def test_a_rate_pools_the_tracks_that_were_merged_and_no_others():
    tracks = [blinking("A1", (3.1, 9.3, 20.4), 0.0), blinking("B1", (5.2, 17.7), 40.0), blinking("C1", (8.8,), 80.0)]
    scene = planted.scene(naming.named(tracks, {"A": "Anna", "C": "Anna"}), interval=Interval(0, 110))
    found = blink.assess(scene, blink.Settings())
    rates = {f.person: f.measurement("blink_rate") for f in found if f.question == "blink.rate"}
    assert {person: rate.n for person, rate in rates.items()} == {"Anna": 4, "B": 2}
    assert rates["Anna"].value == pytest.approx(4.0, abs=0.05)  # in one minute


def test_nobody_left_is_its_own_reason():
    scene = planted.scene([], planted.sound(np.zeros(24000)), interval=Interval(0, 1))
    seen = SimpleNamespace(**vars(scene.observation) | {"pictures": {"t_s": np.arange(3.0)}})
    aside = blinking("A1", (), 0.0)
    scene = replace(scene, observation=seen)
    assert scene.nobody == "face_not_found"
    assert replace(scene, set_aside=[aside]).nobody == "set_aside"
    assert replace(scene, set_aside=[aside], brief=[aside]).nobody == "too_few_visible_seconds"


# -- the whole path ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A finished case: a face with its mirror image beside it (A, B), a grey stretch, the face again (C)."""
    face = synth.portrait(240)
    both = np.concatenate([face, face[:, ::-1]], 1)
    alone = np.full_like(both, 230)
    alone[:, 120:360] = face
    pictures = [*shaken(both, 15), *[np.full_like(both, 128)] * 5, *shaken(alone, 15)]
    clip = tmp_path_factory.mktemp("evidence") / "pair.mp4"
    synth.write(clip, synth.evenly(pictures, 10), synth.Sound(synth.tone(3.5)))
    folder = tmp_path_factory.mktemp("case") / "pair"
    reported(folder, clip)
    return folder, clip


def shaken(picture, n):
    return [np.roll(picture, k % 2, axis=0) for k in range(n)]


def reported(folder, clip, interval=None):
    with Case(folder, clip) as case:
        done = pipeline.report(case, interval)
    return done, json.loads((folder / "findings.json").read_text("utf-8")), (folder / "report.html").read_text("utf-8")


@pytest.fixture
def unnamed(pair):
    """The case of the pair, whose names are taken back afterwards."""
    folder, clip = pair
    yield folder, clip
    with CaseFolder(folder) as case:
        case.update(names={})


def persons(record):
    return {f["person"] for f in record["findings"]} - {None}


def test_named_faces_are_pooled_set_aside_and_told_of(unnamed):
    folder, clip = unnamed
    clip_away = clip.with_suffix(".away")
    os.rename(clip, clip_away)  # naming needs no evidence
    named(folder, "A=Anna", "C=Anna", "B=nobody")
    os.rename(clip_away, clip)
    done, record, page = reported(folder, clip)
    assert done.from_cache and persons(record) == {"Anna"}
    assert [(t["name"], t["letter"], t["person"]) for t in record["clip"]["tracks"]] == [
        ("A1", "A", "Anna"),
        ("C1", "C", "Anna"),
    ]
    assert [(t["name"], t["person"]) for t in record["clip"]["set_aside"]] == [("B1", "nobody")]
    assert next(f for f in record["findings"] if f["question"] == "blink.rate")["subjects"] == ["A1", "C1"]
    assert "Set aside by the analyst, " in page and "log entry" in page and "A1, C1" in page
    assert "A1=Anna C1=Anna B1=nobody" in page and "No faces were compared" in page
    views = sorted(p.name for p in (folder / "stills").iterdir())
    assert any("nobody-B1-view" in v for v in views)  # what was set aside, and what was merged, can be seen
    assert any(v.endswith("Anna-view.jpg") for v in views) and len(views) == 3
    applied = [e["names"] for e in log(folder) if e["action"] == "names_applied"]
    assert applied == [{"A": "Anna", "B": "nobody", "C": "Anna"}]


def test_the_same_names_give_the_same_bytes_and_no_names_the_first_ones(unnamed, tmp_path):
    folder, clip = unnamed
    first = examined(folder, clip)
    named(folder, "A=Anna", "C=Anna")
    with_names = examined(folder, clip)
    assert examined(tmp_path / "again", clip) == first
    named(tmp_path / "again", "C1=Anna", when=datetime(2027, 1, 1, tzinfo=UTC))
    named(tmp_path / "again", "A1=Anna", when=datetime(2027, 1, 2, tzinfo=UTC))
    assert examined(tmp_path / "again", clip) == with_names != first
    named(folder, "A=", "C=")
    assert examined(folder, clip) == first


def examined(folder, clip):
    """The text of findings.json."""
    with Case(folder, clip) as case:
        return dumps(findings_json(pipeline.examine(case)))


def test_names_of_the_whole_are_not_applied_to_a_part_and_come_back_with_the_whole(unnamed):
    folder, clip = unnamed
    named(folder, "A=Anna")
    _, part, page = reported(folder, clip, Interval(0.0, 1.3))
    assert persons(part) == {"A", "B"}
    assert "Names not applied" in page and "A=Anna" in page
    _, whole, page = reported(folder, clip)
    assert persons(whole) == {"Anna", "B", "C"} and "Names not applied" not in page


def test_names_are_not_applied_where_the_tracks_were_made_otherwise(unnamed, monkeypatch):
    folder, clip = unnamed
    named(folder, "A=Anna")
    settings = pipeline.Settings()
    other = replace(settings, tracks=replace(settings.tracks, longest_gap_s=0.4))
    with Case(folder, clip) as case:
        assert set(pipeline.examine(case, settings=other).scene.persons) == {"A", "B", "C"}
        assert naming.unapplied(case.state()) == ["A=Anna"]
        monkeypatch.setattr(pipeline.tracks, "METHOD", replace(pipeline.tracks.METHOD, version="changed"))
        assert set(pipeline.examine(case).scene.persons) == {"A", "B", "C"}
        monkeypatch.undo()
        assert set(pipeline.examine(case).scene.persons) == {"Anna", "B", "C"}


def test_where_all_are_set_aside_each_question_about_faces_says_so(unnamed):
    folder, clip = unnamed
    named(folder, "A=nobody", "B=nobody", "C=nobody")
    _, record, page = reported(folder, clip)
    about_faces = [f for f in record["findings"] if f["analysis"] not in ("voice", "evidence", "coincidence")]
    assert {f["analysis"] for f in about_faces} == {a.ANALYSIS for a in ANALYSES} - {"voice", "evidence"}
    assert [f["question"] for f in about_faces if "set_aside" not in f["reasons"]] == []
    assert "set aside by the analyst" in page and len(record["clip"]["set_aside"]) == 3


def test_hostile_names_are_only_names(unnamed):
    folder, clip = unnamed
    names = ("<script>alert(1)</script>", "=HYPERLINK(1)", "$\\foo{$ ../../x {{7*7}}")
    named(folder, *(f"{letter}={name}" for letter, name in zip("ABC", names, strict=True)))
    _, record, page = reported(folder, clip)
    assert persons(record) == set(names)
    assert all(html.escape(name) in page for name in names)
    assert page.count("<h1") == 1 and "<script" not in page
    for path in folder.rglob("*"):
        assert path.resolve().is_relative_to(folder.resolve()) and re.fullmatch(r"[\w.-]+", path.name)
    for path in (folder / "tables").iterdir():
        assert not any(line.startswith(("=", "+", "@")) for line in path.read_text("utf-8").splitlines())

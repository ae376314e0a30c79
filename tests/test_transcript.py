"""The analyst's words: hostile texts, their place at the sound, single closures, strike-outs; all of it logged."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import planted
import pytest
import synth
from chart_rules import faults

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "samples"))  # a folder of scripts, not a package

import speech as voices

from forensics import custody, pipeline, stills, striking, transcript
from forensics.analysis import lipsync
from forensics.analysis.lipsync import words
from forensics.case import LOG, Case, CaseFolder
from forensics.errors import CaseError
from forensics.finding import Event
from forensics.replay import EQUAL, IDENTICAL, replay
from forensics.speech import BILABIALS, Phoneme
from forensics.timeline import Interval
from forensics.transcript import Settings, Told

TEXT = "Bob bought a map of panama."
OTHER = "Seven people walked home in the rain."
SETTINGS = lipsync.Settings()


def refusal(call, *arguments):
    with pytest.raises(CaseError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 900 and str(caught.value).isprintable()
    return str(caught.value)


# -- the text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words_of"),
    [
        ("Bob bought\r\n a map.", [("bob", "bought", "a", "map")]),
        ("# a remark\n\nIt’s “Bob” — he said: no!", [("it's", "bob", "he", "said", "no")]),
        ("\ta well-known map", [("a", "well", "known", "map")]),
        ("a Bob-map", [("a", "bob", "map")]),
        ("bin red by k. seven", [("bin", "red", "by", "k.", "seven")]),
        ("[0-1.5] Bob\n[ 1.5 – 2 ] map", [("bob",), ("map",)]),
        ("xqzzy = P AE1 N\nXqzzy map", [("xqzzy", "map")]),
    ],
)
def test_words_are_read_as_they_are_written(text, words_of):
    read, _ = transcript._words_known(transcript.parsed(transcript.checked(text)))
    assert [p.words for p in read.passages] == words_of


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no words"),
        (" \n# only a remark", "has no words"),
        ("...", "has no words"),
        ("[1-2]", "has no words"),
        ("bob\x00map", r"Line 1 .*U\+0000"),
        ("bob\nm\u202eap", r"Line 2 .*U\+202E"),
        ("bob\x1b[31m", r"U\+001B"),
        ("b\u200bob", r"U\+200B"),
        ("bob\u2028map", r"U\+2028"),
        ("bob\rmap", r"U\+000D"),
        ("[1-2] bob\nmap", "some have none"),
        ("[2-1] bob", "time range in line 1"),
        ("[1-2 bob", "time range in line 1"),
        ("[1e9-2e9] bob", "time range in line 1"),
        ("[0-5] bob\n[4-6] map", "time range in line 2"),
        ("bob = P Q\nbob", "line 1|Line 1"),
        ("bob =\nbob", "Line 1"),
        ("= P\nbob", "Line 1"),
        ("b_b = P\nbob", "Line 1"),
        ("bob 12 maps", "E_TRANSCRIPT_WORDS: .* 12"),
        ("bob <s> map", "E_TRANSCRIPT_WORDS: .* <s>"),
        ("bob <sil> map", "E_TRANSCRIPT_WORDS: .* <sil>"),
        ("bob [noise]", "E_TRANSCRIPT_WORDS"),
        ("bob ++noise++", "E_TRANSCRIPT_WORDS"),
        ("map(2)", r"E_TRANSCRIPT_WORDS: .* map\(2"),
        ("zürich mąpa שרה", "E_TRANSCRIPT_WORDS: .* zürich, mąpa, שרה"),
        ("z" * 5000, "E_TRANSCRIPT_WORDS: .*cut"),
        (" ".join(f"xq{chr(97 + k)}zzy" for k in range(26)), "and 14 more"),
        ("bob " * 13000, "13000 words"),
        ("bob " * 20000, "65536 bytes"),
    ],
    ids=lambda value: value[:20].encode("unicode_escape").decode(),
)
def test_a_text_that_cannot_be_used_is_refused_in_words(text, said):
    assert re.search(said, found := refusal(transcript.checked, text)) and found.startswith("E_TRANSCRIPT"), found


def test_a_file_is_read_whole_or_refused(tmp_path):
    good, bom, latin = tmp_path / "good", tmp_path / "bom", tmp_path / "latin"
    good.write_text("Bob bought a map.", "utf-8")
    bom.write_bytes(b"\xef\xbb\xbfBob")
    latin.write_bytes("Bob café".encode("latin-1"))
    assert transcript.read(good) == "Bob bought a map." and transcript.read(bom) == "Bob"
    assert "not UTF-8" in refusal(transcript.read, latin)
    latin.write_bytes(b"\0" * (1 << 17))
    assert "65536 bytes" in refusal(transcript.read, latin)
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "nowhere"):
        assert "is no file" in refusal(transcript.read, tmp_path / name)


# -- at the sound ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sentence():
    ((said,), _) = voices.speak((TEXT,))
    return said


def placed(sentence, text, before_s=1.0, behind_s=1.0, settings=None, speech=None):
    """The words told, against the made voice in silence."""
    rate = sentence.rate_hz
    quiet = [planted.noise(s, rate, level_db=-60) for s in (before_s, behind_s)]
    sound = planted.sound(np.concatenate([quiet[0], sentence.pcm, quiet[1]]), rate)
    said = Interval(before_s, before_s + len(sentence.pcm) / rate)
    speech = [said] if speech is None else speech
    return transcript.place(sound, speech, sound.interval, replace(settings or Settings(), text=text)), said


def test_right_words_are_placed_at_every_closure(sentence):
    for text in (TEXT, f"[0.9-{1.1 + len(sentence.pcm) / sentence.rate_hz:.2f}] {TEXT}"):
        told, said = placed(sentence, text)
        assert [p.reason for p in told.passages] == [""] and told.passages[0].score > -27
        shut = [p for p in told.phonemes if p.name in BILABIALS]
        assert [(p.name.lower(), p.word[0]) for p in shut] == [
            (c.phoneme, w) for c, w in zip(sentence.closures, "bbbmmpp", strict=True)
        ]
        for heard, true in zip(shut, sentence.closures, strict=True):
            assert abs((heard.interval.start_s + heard.interval.end_s) / 2 - said.start_s - true.centre_s) < 0.12
        assert told.confirmed and {told.phonemes[k].name for k in told.confirmed} <= BILABIALS


def test_a_pause_does_not_spoil_the_fit():
    (first, second), _ = voices.speak((TEXT, OTHER))
    both = replace_pcm(first, np.concatenate([first.pcm, np.zeros(2 * first.rate_hz, np.float32), second.pcm]))
    told, _ = placed(both, f"{TEXT} {OTHER}")
    assert told.passages[0].reason == "" and told.phonemes[-1].word == "rain"


def replace_pcm(said, pcm):
    return replace(said, pcm=pcm)


def test_wrong_words_do_not_fit_and_leave_no_phoneme(sentence):
    for text in (OTHER, "Please compare my lips with my voice.", "Bob " * 30):
        told, _ = placed(sentence, text)
        assert told.reasons == ("transcript_does_not_fit",) and not told.phonemes


def test_where_nobody_speaks_and_what_is_too_long_is_told(sentence):
    assert placed(sentence, TEXT, speech=[])[0].reasons == ("no_speech",)
    assert placed(sentence, f"[50-60] {TEXT}")[0].reasons == ("no_speech",)
    short = replace(Settings(), longest_passage_s=1.0)
    assert placed(sentence, TEXT, settings=short)[0].reasons == ("transcript_too_long",)


def test_a_word_told_with_its_phonemes_is_placed(sentence):
    told, _ = placed(sentence, TEXT.replace("panama", "xqzzy") + "\nxqzzy = P AE1 N AH0 M AA2")
    assert not told.reasons and " ".join(p.name for p in told.phonemes if p.word == "xqzzy") == "P AE N AH M AA"


# -- the lips --------------------------------------------------------------------------------------------------------

AT_S = np.arange(1.0, 11.0)


def seen(closed_s=AT_S, fps=25, height_px=200.0, yaw=0.0, never=0.0, repeated=(), drop=None):
    """A mouth that opens and half closes four times a second, and closes for 80 ms at those times."""
    t_s = planted.pictures_s(fps, 12.0)
    t_s = t_s if drop is None else t_s[np.abs(t_s - drop) > 0.03]
    gap = 0.05 + 0.015 * np.sin(2 * np.pi * 4 * t_s)
    gap[(np.abs(t_s[:, None] - np.asarray(closed_s)) < 0.05).any(1)] = never
    track = planted.track(t_s, planted.face(height_px, gap), pose=planted.transform(yaw))
    whole = [Interval(0.0, 12.0)]
    return words.mouths([track], whole, [track.interval], np.asarray(repeated, float), 0.0)


def told_at(at_s=AT_S, struck=(), confirmed=None, length_s=0.08):
    said = tuple(
        p
        for t in at_s
        for p in (
            Phoneme("B", Interval(t - length_s / 2, t + length_s / 2), "bee"),
            Phoneme("IY", Interval(t + 0.05, t + 0.2), "bee"),
        )
    )
    confirmed = range(len(said)) if confirmed is None else confirmed
    return Told("bee", (), said, frozenset(confirmed), frozenset(struck))


def judged(told=None, offset_s=0.0, **face):
    return [f.state for f in words.judge(told or told_at(), seen(**face), offset_s, 0.045, SETTINGS)]


def test_closed_lips_are_closed_and_one_that_half_closes_is_not():
    assert judged() == [words.CLOSED] * 10
    found = words.judge(told_at(), seen(np.delete(AT_S, 4)), 0.0, 0.045, SETTINGS)
    assert [f.state == words.CLOSED for f in found] == [k != 4 for k in range(10)]


def test_lips_wide_open_are_one_event_with_its_picture_and_word():
    mouth = opened_wide(5.0)
    (event,) = words.missed(words.judge(told_at(), mouth, 0.0, 0.045, SETTINGS))
    assert (event.kind, event.unusual, event.details["word"], event.details["number"]) == (
        "missed_closure",
        False,
        "bee",
        9,
    )
    track = mouth.tracks[0]
    at = float(track.t_s[track.frame == event.details["frame"]][0])
    assert abs(at - 5.0) < 0.2 and 5.0 in event.interval and "“bee”" in event.what
    assert event.details["gap_percent"] > 7


def opened_wide(at_s, gap=0.08, **how):
    mouth = seen(**how)
    gaps = [np.where(np.abs(t.t_s - at_s) < 0.3, gap, g) for t, g in zip(mouth.tracks, mouth.gaps, strict=True)]
    return replace(mouth, gaps=gaps)


@pytest.mark.parametrize(
    ("state", "told", "face"),
    [
        (words.UNCONFIRMED, told_at(confirmed=()), {}),
        (words.STRUCK, told_at(struck=[8]), {}),
        (words.NOT_SEEN, told_at(), {"fps": 20}),
        (words.NOT_SEEN, told_at(), {"height_px": 90.0}),
        (words.NOT_SEEN, told_at(), {"yaw": 35.0}),
        (words.NOT_SEEN, told_at(), {"repeated": [5.04]}),
        (words.NOT_SEEN, told_at(), {"drop": 5.04}),
        (words.BETWEEN, told_at(length_s=0.3), {}),
    ],
)
def test_where_anything_speaks_against_it_nothing_is_told(state, told, face):
    found = words.judge(told, opened_wide(5.0, **face), 0.0, 0.045, SETTINGS)
    assert found[4].state == state and not words.missed(found)


def test_a_person_whose_lips_never_quite_meet_misses_nothing():
    assert words.MISSED not in judged(never=0.025) and words.MISSED not in judged(closed_s=[])
    found = words.judge(told_at(), opened_wide(5.0, gap=0.045, never=0.03), 0.0, 0.045, SETTINGS)
    assert found[4].state == words.BETWEEN  # wide by an absolute measure, usual for this person


def test_the_offset_brings_the_phonemes_to_the_lips():
    late, mouth = told_at(AT_S + 0.4), opened_wide(5.0)
    (event,) = words.missed(words.judge(late, mouth, 0.4, 0.045, SETTINGS))
    assert 5.0 in event.interval and not words.missed(words.judge(late, mouth, 0.0, 0.045, SETTINGS))


def test_the_rate_is_told_with_and_without_what_was_struck_out(monkeypatch):
    talk = planted.Talk(1, 14.0)
    t_s = planted.pictures_s(25, 14.0)
    inner = (talk.at_s[:-1] > 0.5) & (talk.at_s[1:] < 13.5)
    gaps = np.sort(np.argsort(np.diff(talk.at_s) * inner)[-8:])
    at_s = np.append((talk.at_s[:-1] + talk.at_s[1:])[gaps] / 2, talk.at_s[20]) + 0.1
    scene = planted.scene([planted.mouth_track(talk, t_s)], sound := planted.voice_of(talk, 14.0, 0.1))
    scene = replace(scene, speech=[planted.whole(sound)], interval=planted.whole(sound))
    monkeypatch.setattr("forensics.analysis.lipsync.verdict.phonemes", lambda _: [])

    def asked(**how):
        told = told_at(at_s, **how)
        found = {f.question: f for f in lipsync.assess(replace(scene, told=told), SETTINGS)}["lipsync.words"]
        return found, {m.name: m for m in found.measurements}

    finding, plain = asked()
    _, struck = asked(struck=[16])
    assert plain.keys() == {"told_closure_rate", "told_closure_percentile"} and plain["told_closure_rate"].n == 9
    assert struck["told_closure_rate"].n == 8
    assert struck["told_closure_rate"].value > plain["told_closure_rate"].value
    assert struck["told_closure_rate_all"].value == plain["told_closure_rate"].value
    assert not any(m.unusual for m in finding.measurements) and "1 struck out" in struck["told_closure_rate"].reference
    (chart,) = lipsync.charts(finding)
    assert faults(chart) == []
    assert "p, b, m" in chart.caption and list(chart.table["number"]) == list(range(1, 19, 2))
    assert "lipsync.words" not in {f.question for f in lipsync.assess(scene, SETTINGS)}
    refused, _ = asked_of(replace(scene, told=Told("x", (transcript.Placed(("x",), sound.interval, "no_speech"),), ())))
    assert refused.reasons == ("no_speech",)


def asked_of(scene):
    found = {f.question: f for f in lipsync.assess(scene, SETTINGS)}["lipsync.words"]
    return found, found.measurements


def test_each_missed_closure_gets_its_still():
    track = planted.track(planted.pictures_s(25, 4.0), planted.face(200.0, np.full(100, 0.03)))
    details = [{"track": "A1", "frame": int(track.frame[k])} for k in (3, 30, 60, 70, 80, 90)]
    events = [Event("missed_closure", Interval(k, k + 0.1), "open", details=d) for k, d in enumerate(details)]
    finding = replace(a_finding(), events=tuple(events))
    assert [i.row for i in stills.instants("A", [track], [finding])[1:]] == [3, 30, 60, 70, 80, 90]


def a_finding():
    about = words.About(Interval(0, 4), SETTINGS, [Interval(0, 4)], "A", ("A1",))
    return words.WORDS.answer(about)


# -- the acts --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory, sentence):
    """A case of a sound with a transcript."""
    clip = tmp_path_factory.mktemp("evidence") / "said.wav"
    quiet = np.zeros(sentence.rate_hz)
    pcm = np.concatenate([quiet, sentence.pcm, quiet]).astype(np.float32)
    synth.write(clip, synth.Sound(pcm[:, None], sentence.rate_hz, codec="pcm_s16le", sample_format="s16"))
    folder = tmp_path_factory.mktemp("case") / "said"
    reported(folder, clip)
    return folder, clip


def reported(folder, clip, text=TEXT):
    with Case(folder, clip) as case:
        pipeline.report(case, settings=replace(pipeline.Settings(), transcript=Settings(text=text)))
    return json.loads((folder / "findings.json").read_text("utf-8")), (folder / "report.html").read_text("utf-8")


def log(folder):
    return [json.loads(line) for line in (folder / LOG).read_text("utf-8").split("\n")[:-1]]


def struck(folder, numbers, reason="a cough covers it", restore=False):
    with CaseFolder(folder) as case:
        striking.give(case, numbers, reason, restore)


def replayed(folder, clip):
    with CaseFolder(folder) as case:
        return replay(case, clip)


def test_the_words_stand_in_case_log_report_and_come_back_in_a_replay(finished):
    folder, clip = finished
    record, page = reported(folder, clip)
    assert record["told"]["transcript"] == TEXT and record["told"]["sha256"] == transcript.digest(TEXT)
    assert "What the examiner told" in page and TEXT in page and record["told"]["sha256"] in page
    opened = [e for e in log(folder) if e["action"] == "opened"][-1]
    assert opened["settings"]["transcript"]["text"] == TEXT and opened["actor"]
    assert replayed(folder, clip).verdict == IDENTICAL
    assert not custody.verify(folder).bad


def test_a_phoneme_struck_out_is_logged_applied_replayed_and_restored(finished):
    folder, clip = finished
    plain, _ = reported(folder, clip)
    numbers = [p["number"] for p in plain["told"]["bilabials"]]
    assert len(numbers) == 7
    struck(folder, [numbers[2]])
    entry = log(folder)[-1]
    assert (entry["action"], entry["reason"]) == ("struck_out", "a cough covers it")
    assert [p["number"] for p in entry["phonemes"]] == [numbers[2]]
    record, page = reported(folder, clip)
    assert [p["number"] for p in record["told"]["bilabials"] if p["struck"]] == [numbers[2]]
    assert "a cough covers it" in page and f"log entry {entry['n']}" in page and "struck out 1 of the 7" in page
    assert replayed(folder, clip).verdict in (IDENTICAL, EQUAL) and replayed(folder, clip).verdict == IDENTICAL
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    for bad in (([numbers[2]],), ([9999],), ([numbers[0]], ""), ([numbers[0]], "a\u202eb"), ([numbers[0]], "x", True)):
        assert "E_STRIKE" in refusal(struck, folder, *bad)
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    struck(folder, [numbers[2]], "it is clean after all", restore=True)
    assert log(folder)[-1]["action"] == "restored"
    assert reported(folder, clip)[0] == plain
    assert not custody.verify(folder).bad


def test_strike_outs_hold_for_their_alignment_alone(finished):
    folder, clip = finished
    plain, _ = reported(folder, clip)
    number = plain["told"]["bilabials"][0]["number"]
    struck(folder, [number])
    other, _ = reported(folder, clip, "Bob bought a map of panama now.")
    assert not any(p["struck"] for p in other["told"]["bilabials"])
    again, _ = reported(folder, clip)
    assert [p["number"] for p in again["told"]["bilabials"] if p["struck"]] == [number]
    struck(folder, [number], "enough", restore=True)


def test_without_words_there_is_nothing_to_strike_out(finished, tmp_path):
    _, clip = finished
    record, page = reported(tmp_path / "case", clip, "")
    assert "told" not in record and "What the examiner told" not in page
    assert "E_NO_ALIGNMENT" in refusal(struck, tmp_path / "case", [1])


def test_a_hostile_reason_is_inert(finished):
    folder, clip = finished
    plain, _ = reported(folder, clip)
    number = plain["told"]["bilabials"][0]["number"]
    struck(folder, [number], "<script>alert(1)</script> {{7*7}}")
    _, page = reported(folder, clip)
    assert "<script>" not in page and "&lt;script&gt;" in page and "{{7*7}}" in page
    struck(folder, [number], "enough", restore=True)

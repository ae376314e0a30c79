"""Copies of authentic recordings: a planted effect of the encoder is found, none is 0.5, and no unit counts twice."""

from __future__ import annotations

import itertools
import json
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest
import synth

from forensics import custody, decode, encode, pipeline, validation
from forensics.clip import opened
from forensics.controls import degrading
from forensics.errors import MediaError, ParameterError
from forensics.report import words
from forensics.timeline import FOREVER_S, Interval
from forensics.validation import Answer, Copied, Recording, Result, Settings, TableError, copying, measure, validate
from forensics.validation.confounds import beside, measured, moving
from forensics.validation.copying import chosen, kinds, most_spoken
from forensics.validation.wording import still

QUESTION = "blink.rate"
SETTINGS = Settings(resamples=300, refits=50, copies=20)
AGAIN = kinds(SETTINGS, 25.0)[0]


def answered(score, unusual=False):
    reasons = () if score is not None else ("no_speech",)
    return {QUESTION: Answer(score is not None, score, "higher = more", reasons, unusual, 1)}


def recordings(n, label="authentic", apart=0.0, seed=0, **given):
    """``n`` recordings of as many units."""
    rng = np.random.default_rng([seed, *map(ord, label)])
    facts = {"mean_fps": 25.0, "height_px": 720.0, "bit_rate": 1e6, "face_height_px": 200.0, "sound_rate_hz": 48000.0}
    facts["persons"] = 1
    unit = 1000 * len(label)
    return [
        Result(
            Recording(f"{label}/{k}.mp4", label, f"{label} {k}", **given),
            unit + k,
            "",
            f"{unit + k:064x}",
            facts | {"bit_rate": 1e6 * float(np.exp(rng.normal()))},
            answered(float(rng.normal(apart))),
        )
        for k in range(n)
    ]


def copies(originals, by, noise=0.3, seed=5):
    """A copy of each whose score lies ``by`` higher, blurred by ``noise``."""
    rng = np.random.default_rng(seed)
    return [
        Copied(
            AGAIN.name,
            AGAIN.what,
            r,
            replace(r, answers=answered(r.score(QUESTION) + by + noise * float(rng.normal()))),
        )
        for r in originals
    ]


def score(copied, results, comparisons=()):
    (row,) = measured(copied, results, comparisons, SETTINGS)["scores"]
    return row


# -- figures of planted copies ---------------------------------------------------------------------------------------


def test_a_planted_effect_is_found_with_its_size():
    own = recordings(40)
    row = score(copies(own, 1.0), own)
    spread = np.std([r.score(QUESTION) for r in own], ddof=1)
    assert row["difference"]["value"] == pytest.approx(1.0 / spread, abs=3 * 0.3 / spread / 40**0.5)
    assert 0.1 < row["difference"]["high"] - row["difference"]["low"] < 0.3  # 4 standard errors are 0.21
    assert row["share"]["low"] > 0.85 and row["higher"] + row["lower"] == 40
    assert row["auc"]["low"] > 0.6 and row["auc"]["low"] < 0.76 < row["auc"]["high"]  # normal, 1 apart
    assert moving({"scores": [row]}) == [row]
    low = score(copies(own, -1.0), own)
    assert low["auc"]["high"] < 0.5 and low["share"]["high"] < 0.15 and moving({"scores": [low]})


def test_no_effect_is_one_half():
    rows = [score(copies(own, 0.0, seed=k), own) for k in range(20) for own in [recordings(25, seed=k)]]
    assert np.mean([row["auc"]["value"] for row in rows]) == pytest.approx(0.5, abs=0.01)
    assert len(moving({"scores": rows})) <= 3  # of twenty at 95 %
    assert sum(row["share"]["low"] > 0.5 or row["share"]["high"] < 0.5 for row in rows) <= 3


def test_copies_that_change_nothing_say_so_without_an_interval_of_nothing():
    own = recordings(12)
    row = score(copies(own, 0.0, noise=0.0), own)
    assert (row["higher"], row["lower"], row["same"], row["share"]) == (0, 0, 12, None)
    assert row["auc"]["value"] == 0.5 and row["difference"]["low"] is None and not moving({"scores": [row]})


def test_a_unit_counts_once_however_many_recordings_it_has():
    own = recordings(12)
    once, many = (score(copies(own, 0.5) * times, own) for times in (1, 10))
    for figure, end in itertools.product(("share", "difference", "auc"), ("value", "low", "high")):
        assert many[figure][end] == pytest.approx(once[figure][end], abs=1e-3), (figure, end)
    assert (many["pairs"], many["units"], many["higher"]) == (120, 12, once["higher"])
    five = [replace(c, copy=replace(c.copy, unit=k % 4)) for k, c in enumerate(copies(own, 0.5))]
    row = score(five, own)
    assert row["auc"] is None and row["difference"] is None and row["higher"] + row["lower"] == 4


def test_below_enough_pairs_only_what_is_exact_stands():
    own = recordings(9)
    row = score(copies(own, 9.0), own)
    assert row["auc"] is None and row["difference"] is None and row["higher"] == 9
    assert row["share"]["low"] == pytest.approx(0.025 ** (1 / 9), abs=1e-4) and row["share"]["high"] == 1.0


def test_answers_lost_and_gained_are_counted_and_never_scored():
    own = recordings(14)
    own[1] = replace(own[1], answers=answered(None))
    made = copies([r for r in own if r.score(QUESTION) is not None], 0.5)
    made[0] = replace(made[0], copy=replace(made[0].copy, answers=answered(None)))
    made.append(Copied(AGAIN.name, AGAIN.what, own[1], replace(own[1], answers=answered(1.0, unusual=True))))
    made[2] = replace(made[2], copy=Result(made[2].copy.recording, made[2].copy.unit, "E_NO_FRAMES"))
    found = measured(made, own, [], SETTINGS)
    (row,) = found["scores"]
    assert (row["copies"], row["pairs"], row["lost"], row["gained"]) == (14, 11, 2, 1)
    (kind,) = found["kinds"]
    assert kind["refused"] == {"E_NO_FRAMES": 1}
    assert (kind["unusual"]["marked"], kind["unusual"]["assessed"]) == (1, 12)
    assert found["originals"]["marked"] == 0 and found["originals"]["assessed"] == 13


# -- beside the classes ----------------------------------------------------------------------------------------------


def area(value, low, high):
    return {"value": value, "low": low, "high": high}


@pytest.mark.parametrize(
    ("of_copies", "of_class", "how"),
    [
        (area(0.7, 0.6, 0.8), area(0.7, 0.6, 0.8), "as_far"),
        (area(0.2, 0.1, 0.3), area(0.7, 0.6, 0.8), "as_far"),  # the other way: nobody knows who was encoded how often
        (area(0.55, 0.51, 0.59), area(0.8, 0.7, 0.9), "less_far"),
        (area(0.6, 0.51, 0.72), area(0.8, 0.7, 0.9), "open"),
        (area(0.9, 0.8, 0.95), area(0.55, 0.45, 0.65), ""),  # the class is not told apart
        (area(0.6, 0.45, 0.7), area(0.8, 0.7, 0.9), ""),  # the copies are not
        (area(1.0, 0.74, None), area(0.8, 0.7, 0.9), "as_far"),
        (area(0.45, 0.41, 0.49), area(0.0, None, 0.3), "less_far"),
        (None, area(0.8, 0.7, 0.9), ""),
    ],
)
def test_how_far_copies_lie_is_told_beside_a_class(of_copies, of_class, how):
    assert beside(of_copies, of_class) == how


def model(by, apart=3.0):
    own, far = recordings(30), recordings(30, "animation", apart)
    made = measure([*own, *far], SETTINGS, copies(own, by))
    (pair,) = [p for p in made["pairs"] if p["pair"] == "animation"]
    return made, pair["models"][0]


def test_a_score_that_moves_with_copies_as_far_as_with_the_class_earns_nothing():
    _, still = model(0.0)
    assert still["why_not"] == [] and still["moves_with"] == []
    made, less = model(0.6)
    assert less["why_not"] == [] and [row["how"] for row in less["moves_with"]] == ["less_far"]
    assert "blink.rate moves with H.264 CRF 30, AAC 64 kbit/s: AUC" in validation.markdown(made)
    for by in (6.0, -6.0):
        made, far = model(by)
        assert far["fitted"] is None and [row["how"] for row in far["moves_with"]] == ["as_far"]
        assert far["why_not"][-1].startswith("blink.rate moves with copies (H.264 CRF 30, AAC 64 kbit/s; AUC")
        assert "can be the encoder's." in validation.markdown(made)


def test_copies_too_few_to_tell_earn_nothing():
    own, far = recordings(30), recordings(30, "animation", 3.0)
    few = measure([*own, *far], SETTINGS, copies(own[:6], 0.0))
    (pair,) = [p for p in few["pairs"] if p["pair"] == "animation"]
    assert pair["models"][0]["fitted"] is None
    assert pair["models"][0]["why_not"] == [
        "blink.rate has too few copies with an answer to tell whether it moves with encoding."
    ]


def test_small_steps_one_way_and_scores_too_few_to_tell_are_told_where_no_area_moves():
    row = {"question": "blink.rate", "what": "half the size", "auc": area(0.52, 0.45, 0.6), "share": area(1, 0.74, 1)}
    even = row | {"question": "lipsync.link", "share": area(0.5, 0.2, 0.8)}
    few = even | {"question": "voice.take", "auc": None}
    assert still({"scores": [row, even, few]}) == (
        "No interval of the AUC leaves out 0.5 (blink.rate, lipsync.link). The share of copies that score higher does: "
        "blink.rate (half the size): small steps, mostly one way. Too few pairs to tell: voice.take."
    )
    assert still({"scores": [few]}).startswith("There are too few pairs")


def test_the_page_and_the_text_say_it_in_the_house_s_words():
    evil = "a`|<script>"
    own, far = recordings(30), recordings(30, evil, 3.0)
    found = measure([*own, *far], SETTINGS, copies(own, 6.0))
    html = validation.page(found)
    assert words.check(html) == [] and "<script" not in html and html == validation.page(json.loads(json.dumps(found)))
    text = words.own_text(html)
    for phrase in ("5 Copies encoded anew", "6 Methods and limits", "blink.rate moves with H.264 CRF 30"):
        assert phrase in text
    assert "are the only control" not in text
    printed = validation.markdown(found)
    assert all(line.count("`") % 2 == 0 for line in printed.splitlines())
    plain = measure([*own, *far], replace(SETTINGS, copies=0))
    assert "confounds" not in plain and "copies encoded anew are none (--copies)" in validation.markdown(plain)
    few = measure([*own, *far], SETTINGS, copies(own[:6], 6.0))
    assert "There are too few pairs to tell" in validation.markdown(few) and words.check(validation.page(few)) == []


# -- which are copied ------------------------------------------------------------------------------------------------


def test_recordings_are_chosen_by_a_hash_one_a_unit_before_any_score():
    own = recordings(30)
    first = [r.recording.file for r in chosen(own, 8)]
    blind = [replace(r, answers=answered(-r.score(QUESTION))) for r in own]
    random.Random(1).shuffle(blind)
    assert [r.recording.file for r in chosen(blind, 8)] == first and len(set(first)) == 8
    assert first != [r.recording.file for r in own[:8]]
    shared = [replace(r, unit=k // 2) for k, r in enumerate(own)]
    assert len({r.unit for r in chosen(shared, 99)}) == len(chosen(shared, 99)) == 15
    weak = [replace(r, recording=replace(r.recording, weak="by look")) for r in own]
    faceless = [replace(r, facts=r.facts | {"persons": 2}) for r in own]
    refused = [Result(r.recording, r.unit, "E_NOT_MEDIA") for r in own]
    assert chosen([*weak, *faceless, *refused, *recordings(5, "lips")], 8) == []


def test_copies_asked_for_in_vain_are_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "examine", lambda *_: pytest.fail("examined"))
    own = [Recording("a.mp4", "lips", "a"), Recording("b.mp4", "authentic", "b", weak="by look")]
    with pytest.raises(TableError, match="no authentic recording of firm label"):
        validate(own, tmp_path / "evidence", tmp_path / "out", settings=Settings(copies=2))
    with pytest.raises(ParameterError, match="not negative, found -1"):
        validate(own, tmp_path / "evidence", tmp_path / "out", settings=Settings(copies=-1))
    assert not (tmp_path / "out").exists()


def test_kinds_change_one_thing_each_and_a_slow_recording_is_not_slowed():
    again, half, slow = kinds(Settings(), 25.0)
    assert (again.crf, again.sound_bit_rate, again.shrink, again.fps) == (30, 64_000, 1, 0)
    assert (half.crf, half.sound_bit_rate, half.shrink, half.fps) == (degrading.FINE, 0, 2, 0)
    assert (slow.crf, slow.sound_bit_rate, slow.shrink, slow.fps) == (degrading.FINE, 0, 1, 15)
    assert kinds(Settings(), 15.0) == (again, half)


def test_of_a_long_recording_the_most_spoken_part_is_copied():
    def clip(end_s, tracks, speech):
        seen = [{"start_s": a, "end_s": b} for a, b in tracks]
        return {"examined": [0.0, end_s], "tracks": seen, "speech": speech}

    assert most_spoken(clip(30.0, [(0, 30)], [[0, 5]]), Settings()) is None
    found = most_spoken(clip(90.0, [(0, 10), (10, 90)], [[52, 80]]), Settings())
    assert found.duration == 30.0 and found.start_s <= 52 and found.end_s >= 80
    assert most_spoken(clip(90.0, [(5, 15)], None), Settings()) == Interval(5, 15)


# -- made and examined -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [16000, 44056])
def test_the_sound_of_a_copy_is_encoded_and_keeps_its_time(tmp_path, rate_hz):
    """44056 Hz is no rate of AAC."""
    pictures = [np.full((48, 64, 3), 8 * k, np.uint8) for k in range(30)]
    sound = synth.Sound(synth.click([0.5, 0.9], 1.2, rate_hz), rate_hz, codec="pcm_s16le", sample_format="s16")
    path = synth.write(tmp_path / "a.mkv", synth.Pictures(pictures, np.arange(30) / 25), sound)
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        with opened(path) as fd:
            degrading.make(fd, 0, 1, Interval(-FOREVER_S, FOREVER_S), [AGAIN], tmp_path / run)
    copy = tmp_path / "a" / "encoded.mov"
    assert copy.read_bytes() == (tmp_path / "b" / "encoded.mov").read_bytes()
    with opened(copy) as fd:
        blocks = list(decode.sound(fd, 1))
    header = blocks[0][0]
    samples = np.concatenate([arrays["samples"] for _, arrays in blocks if "samples" in arrays])[:, 0]
    rate = header["rate_hz"]
    assert rate == (16000 if rate_hz == 16000 else encode.AAC_HZ)
    for at_s in (0.5, 0.9):
        near = slice(round((at_s - 0.1 - header["start_s"]) * rate), round((at_s + 0.1 - header["start_s"]) * rate))
        loudest = near.start + int(np.argmax(abs(samples[near])))
        assert loudest / rate + header["start_s"] == pytest.approx(at_s, abs=0.003)


def test_copies_are_examined_once_and_removed(face_clip, tmp_path, kept, monkeypatch):
    """The whole way on a real pass, once interrupted: nothing stays behind; another run makes and examines nothing."""
    kept(face_clip)
    own, told = [Recording(face_clip.name, "authentic", "astronaut")], []

    def run(settings):
        return validate(
            own, face_clip.parent, tmp_path / "out", settings=settings, told_copies=lambda *about: told.append(about)
        )

    with monkeypatch.context() as broken:
        broken.setattr(copying.Case, "discard", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(Settings(copies=2))
    first = run(Settings(copies=2))
    case = tmp_path / "out" / "cases" / face_clip.stem
    assert not list(case.rglob("*.mov")) and not custody.verify(case).bad
    assert [(number, of, len(made)) for number, of, made in told] == [(1, 1, 2)]  # 10 pictures/s: none of 15
    assert [k["kind"] for k in first["confounds"]["kinds"]] == ["encoded", "size_2"]
    assert all(k["refused"] == {} and k["unusual"]["marked"] == 0 for k in first["confounds"]["kinds"])
    made = told[0][2]
    assert made[0].original.sha256 != made[0].copy.sha256 and made[1].copy.facts["height_px"] == 120
    assert made[0].copy.facts["bit_rate"] < made[0].original.facts["bit_rate"]
    rows = {(r["question"], r["kind"]): r for r in first["confounds"]["scores"]}
    again, half = (rows["lighting.surround", kind] for kind in ("encoded", "size_2"))
    assert (again["pairs"], again["lost"], again["auc"]) == (1, 0, None)
    assert (half["pairs"], half["lost"]) == (0, 1)  # half the size is too small a face to compare close up
    log = [e for e in map(json.loads, (case / "custody.jsonl").read_text().splitlines()) if e["action"] == "copied"]
    assert log[0]["copies"] == {one.kind: one.copy.sha256 for one in made} and len(log[0]["cases"]) == 2
    gone = shutil.copytree(case, tmp_path / "gone")
    shutil.rmtree(next((gone / "references").glob("copy-encoded-*")))
    assert [v.code for v in custody.verify(gone).bad] == ["REFERENCE_GONE"]

    monkeypatch.setattr(degrading, "make", lambda *_: pytest.fail("made again"))
    monkeypatch.setattr(pipeline, "examine", lambda *_: pytest.fail("examined again"))
    assert run(Settings(copies=2)) == first

    def refuse(*_):
        raise MediaError("E_NO_ENCODER", "There is none.", "Install it.")

    monkeypatch.setattr(degrading, "make", refuse)
    other = run(Settings(copies=2, copy_crf=38))["confounds"]["kinds"]
    assert [k["refused"] for k in other] == [{"E_NO_ENCODER": 1}, {}]

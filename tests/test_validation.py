"""A table of recordings in, figures out: what is planted is found; nothing is lost, or scored that may not be."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
import synth

from forensics import cli, naming, pipeline, plots, report, validation
from forensics.calibration import applying, file
from forensics.calibration.propositions import PAIRS
from forensics.case import Case, CaseFolder
from forensics.errors import CaseError, MediaError, ParameterError
from forensics.finding import Finding
from forensics.method import Method
from forensics.report import words
from forensics.validation import (
    Answer,
    Recording,
    Result,
    Seal,
    Settings,
    TableError,
    examining,
    learned,
    measure,
    read_table,
    sealed,
    tried,
    validate,
)
from forensics.validation.page import charts

QUESTION = "blink.rate"  # one that has a published range
SETTINGS = Settings(resamples=300, refits=50)
HEADER = "file,label,person,group,generator,condition\n"


# -- the table -------------------------------------------------------------------------------------------------------


def table(folder, text, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_table_is_read_by_its_columns(tmp_path):
    text = "person\tsource\tfile\tlabel\tweak\nAnna\tweb\ta b/c.mp4\tauthentic\tby look\n\n Ben \tweb\td.wav\tvoice\t\n"
    assert read_table(table(tmp_path, text, encoding="utf-8-sig")) == [
        Recording("a b/c.mp4", "authentic", "Anna", weak="by look"),
        Recording("d.wav", "voice", "Ben"),
    ]


def test_the_other_names_of_columns_are_known(tmp_path):
    text = "path,label,generator,person,group,label_is_weak,sha256\nx.mp4,lips,wav2lip,P1,G1,yes,00ff\n"
    assert read_table(table(tmp_path, text)) == [
        Recording("x.mp4", "lips", "P1", "G1", "wav2lip", weak="yes", sha256="00ff")
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,person\nx,y\n", "Line 1: There is no column label"),
        ("", "Line 1: There is no column file and no column label and no column person"),
        (HEADER, "no recording"),
        (HEADER + "a.mp4,authentic,A,,,\nb.mp4,authentic,,,,\n", "Line 3: The person is empty"),
        (HEADER + "a.mp4,authentic,A,,,\n\nb.mp4,,B,,,\n", "Line 4: The label is empty"),
        (HEADER + "a.mp4,authentic,A\n", "Line 2: It has 3 cells, the first line 6"),
        (HEADER + "a.mp4,authentic,A,,,\na.mp4,lips,B,,,\n", "Line 3: This file stands in an earlier line"),
        (HEADER + "/etc/x.mp4,authentic,A,,,\n", "Line 2: The file is not named from the root"),
        (HEADER + "a/../../x.mp4,authentic,A,,,\n", "Line 2: The file is not named from the root"),
    ],
)
def test_a_table_at_fault_is_refused_with_its_line(tmp_path, text, words):
    with pytest.raises(TableError, match=words) as refused:
        read_table(table(tmp_path, text))
    assert refused.value.code == "E_TABLE" and refused.value.next_step


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(TableError, match="not UTF-8"):
        read_table(tmp_path / "book.xlsx")
    with pytest.raises(TableError, match="cannot be read"):
        read_table(tmp_path / "absent.csv")


def test_files_of_one_stem_have_cases_of_their_own():
    names = validation.case_names([Recording(f, "x", "p") for f in ("a/talk.mp4", "b/talk.wav", "c.mp4")])
    assert len(set(names)) == 3 and names[2] == "c" and names[0].startswith("talk-")
    assert names[:2] == validation.case_names([Recording(f, "x", "p") for f in ("a/talk.mp4", "b/talk.wav")])


# -- figures of planted results --------------------------------------------------------------------------------------


def answer(score, unusual=False, reasons=()):
    return {QUESTION: Answer(not reasons, score, "" if reasons else "higher = closer", tuple(reasons), unusual, 1)}


def about(fps=25.0, height=720.0, bit_rate=1e6, face=200.0, sound=48000.0):
    keys = ("mean_fps", "height_px", "bit_rate", "face_height_px", "sound_rate_hz")
    return dict(zip(keys, (fps, height, bit_rate, face, sound), strict=True))


def results(n, label, apart=0.0, seed=0, facts_apart=0.0, answers=None, **given):
    """``n`` recordings of as many persons; the score and, by its logarithm, the bit rate lie ``apart``."""
    rng = np.random.default_rng([seed, *map(ord, label)])
    return [
        Result(
            Recording(f"{label}/{seed}/{k}.mp4", label, f"{label} {seed} {k}", **given),
            hash((label, seed, k)) % 10**9,
            "",
            f"{k:064x}",
            about(bit_rate=1e6 * np.exp(rng.normal(facts_apart))),
            answer(float(rng.normal(apart))) if answers is None else answers,
        )
        for k in range(n)
    ]


def row(validation_json, by="all", name="", label="lips"):
    (found,) = [c for c in validation_json["comparisons"] if (c["by"], c["name"], c["class"]) == (by, name, label)]
    return found


def test_a_planted_score_is_found_and_gains_on_facts_that_tell_nothing():
    found = row(measure(results(40, "authentic") + results(40, "lips", apart=1.5), SETTINGS))
    assert found["auc"]["low"] < 0.856 < found["auc"]["high"]  # normal scores 1.5 apart
    assert found["auc"]["low"] > 0.6 and found["gain"]["low"] > 0.05
    assert found["facts_alone"]["low"] < 0.5 < found["facts_alone"]["high"]
    assert found["score_direction"] == ["higher = closer"] and found["clips"] == []
    assert (found["auc"]["n"], found["auc"]["units"]) == (80, 80)


def test_a_score_that_only_follows_the_container_gains_nothing():
    """The bit rate tells the classes; the score is the bit rate, blurred."""
    both = results(40, "authentic") + results(40, "lips", facts_apart=2.0)
    rng = np.random.default_rng(1)
    echo = [
        Result(r.recording, r.unit, "", r.sha256, r.facts, answer(float(np.log(r.facts["bit_rate"]) + rng.normal())))
        for r in both
    ]
    found = row(measure(echo, SETTINGS))
    assert found["auc"]["low"] > 0.6 and found["facts_alone"]["low"] > 0.75
    assert found["gain"]["low"] <= 0 and found["gain"]["value"] < 0.03


def test_sound_files_have_the_facts_of_sound():
    silent = about(fps=None, height=None, face=None, bit_rate=256000.0)
    made = [
        Result(r.recording, r.unit, "", "", silent | {"sound_rate_hz": 16000.0 if r.authentic else 22050.0}, r.answers)
        for r in results(12, "authentic") + results(12, "voice")
    ]
    found = row(measure(made, SETTINGS), label="voice")
    assert found["facts_alone"]["value"] == 1.0 and found["facts_alone"]["low"] == pytest.approx(
        0.05 ** (1 / 12), abs=1e-4
    )


def test_below_ten_recordings_or_five_speakers_they_stand_one_by_one():
    authentic = results(20, "authentic")
    nine = row(measure(authentic + results(9, "lips", apart=9), SETTINGS))
    assert nine["auc"] is None and "fewer than 10 recordings or 5 speakers" in nine["why_no_figure"]
    assert [(c["lower"], c["of"]) for c in nine["clips"]] == [(20, 20)] * 9
    four = [Result(r.recording, k % 4, "", "", r.facts, r.answers) for k, r in enumerate(results(12, "lips"))]
    assert row(measure(authentic + four, SETTINGS))["auc"] is None
    five = [Result(r.recording, k % 5, "", "", r.facts, r.answers) for k, r in enumerate(results(12, "lips"))]
    assert row(measure(authentic + five, SETTINGS))["auc"]["n"] == 32


def test_one_by_one_is_not_compared_with_its_own_person():
    authentic, (altered, *_) = results(12, "authentic"), results(3, "lips", apart=9)
    source = Result(altered.recording, authentic[0].unit, "", "", altered.facts, altered.answers)
    (clip,) = row(measure([*authentic, source], SETTINGS))["clips"]
    assert clip["of"] == 11


def test_generators_and_conditions_have_figures_of_their_own():
    made = [
        *results(15, "authentic", condition="phone"),
        *results(15, "authentic", seed=1, condition="studio"),
        *results(12, "lips", apart=2, generator="good", condition="phone"),
        *results(6, "lips", seed=1, generator="rare"),
    ]
    found = measure(made, SETTINGS)
    assert row(found, "generator", "good")["auc"]["n"] == 42
    assert row(found, "generator", "rare")["auc"] is None and len(row(found, "generator", "rare")["clips"]) == 6
    assert row(found, "condition", "phone")["auc"]["n"] == 27
    assert row(found, "condition", "studio (against all lips)")["auc"]["n"] == 33


def test_weak_labels_are_in_no_figure_but_those_that_name_them():
    made = results(15, "authentic") + results(15, "lips", apart=1)
    weak = results(5, "authentic", seed=1, weak="by look", apart=50, answers=answer(50.0, unusual=True))
    found = measure(made + weak, SETTINGS)
    without = measure(made, SETTINGS)
    assert row(found) == row(without)
    assert row(found, "with weak labels", "by look")["auc"]["n"] == 35
    alarms = {(a["by"], a["name"], a["question"]): a for a in found["false_alarms"]}
    assert alarms["all", "", None]["marked"] == 0 and alarms["all", "", None]["rate"]["n"] == 15
    assert alarms["weak label", "by look", QUESTION]["marked"] == 5
    assert sum(bool(r["weak"]) for r in found["recordings"]) == 5


def test_what_was_not_assessed_is_counted_and_never_scored():
    refused = answer(None, reasons=["no_speech", "no_sound"])
    made = [
        *results(15, "authentic"),
        *results(12, "lips", apart=1),
        *results(3, "lips", seed=1, answers=refused),
        *results(2, "lips", seed=2, answers=answer(None)),  # facts without a score
        Result(Recording("lips/broken.mp4", "lips", "x"), 1, "E_NOT_MEDIA"),
    ]
    side = row(found := measure(made, SETTINGS))["h1"]
    assert side["recordings"] == 18 == 12 + 3 + 2 + 1
    assert (side["scored"], side["not_assessable"], side["without_score"]) == (12, 3, 2)
    assert side["reasons"] == {"no_speech": 3, "no_sound": 3} and side["refused"] == {"E_NOT_MEDIA": 1}
    assert row(found)["auc"]["n"] == 27
    assert "| `lips/broken.mp4` | `lips` | E_NOT_MEDIA |" in validation.markdown(found)


def test_copies_of_a_recording_narrow_nothing():
    once = results(12, "authentic") + results(12, "lips", apart=1)
    found, tenfold = (row(measure(made, SETTINGS))["auc"] for made in (once, once * 10))
    assert (tenfold["low"], tenfold["high"]) == (found["low"], found["high"]) and tenfold["n"] == 240


def test_false_alarms_are_counted_with_the_bound_that_fits():
    made = results(58, "authentic") + results(2, "authentic", seed=1, answers=answer(1.0, unusual=True))
    found = measure(made, SETTINGS)["false_alarms"][0]
    assert (found["marked"], found["rate"]["n"], found["rate"]["method"]) == (2, 60, "two-sided 95 % Clopper-Pearson")
    none = measure(made[:58], SETTINGS)
    assert none["false_alarms"][0]["rate"]["high"] == pytest.approx(1 - 0.05 ** (1 / 58), abs=1e-4)
    thrice = measure(made[:58] * 3, SETTINGS)["false_alarms"][0]  # copies narrow nothing
    assert (thrice["assessed"], thrice["rate"]) == (174, none["false_alarms"][0]["rate"])
    assert "0/58 | 58 | 0.0 (≤ 5.0, one-sided) |" in validation.markdown(none)


def test_an_alarm_in_any_person_counts_once():
    clip = {"tracks": [], "speech": None, "mean_fps": None, "size_bytes": 1, "duration_s": 0.0, "sound_rate_hz": None}
    document = {
        "clip": clip,
        "findings": [
            finding("B", 0.5, 3.0, unusual=True),
            finding("A", 0.9, 1.0),
            finding("C", 1.0, None, state="not_assessable"),
        ],
    }
    found = validation.answers(document)[QUESTION]
    assert (found.score, found.unusual, found.persons) == (1.0, True, 3)


def finding(person, coverage, score, state="assessed", unusual=False):
    return {
        "question": QUESTION,
        "person": person,
        "state": state,
        "coverage": coverage,
        "score": score,
        "score_direction": "",
        "reasons": [] if state == "assessed" else ["no_speech"],
        "measurements": [],
        "events": [{"unusual": unusual}],
    }


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (None, "–"),
        ({"value": 0.9, "low": 0.85, "high": 0.9512}, "0.900 [0.850, 0.951]"),
        ({"value": 1.0, "low": 0.74, "high": None}, "1.000 (≥ 0.740, one-sided)"),
        ({"value": 0.0, "low": None, "high": 0.05}, "0.000 (≤ 0.050, one-sided)"),
        ({"value": -0.1, "low": None, "high": None}, "−0.100 (no interval)"),
    ],
)
def test_an_estimate_is_printed_with_its_kind_of_interval(estimate, words):
    assert validation.text(estimate) == words


def test_names_from_outside_stay_inert():
    evil = "`</code><script>|a\n\n# Conclusion\u202e"
    made = results(3, "authentic", condition=evil) + results(3, "lips", generator=evil)
    made.append(Result(Recording(evil, evil, "x"), 5, "E_NOT_MEDIA"))
    printed = validation.markdown(measure(made, SETTINGS))
    clean = validation.markdown(
        measure([Result(Recording("x", "lips", "x"), 5, "E_NOT_MEDIA"), *results(3, "authentic")], SETTINGS)
    )
    assert [h for h in printed.splitlines() if h.startswith("#")] == [
        h for h in clean.splitlines() if h.startswith("#")
    ]
    for before, line in itertools.pairwise(printed.splitlines()):
        if before.startswith("| "):
            assert not line or line.count("|") == before.count("|")
        assert line.count("`") % 2 == 0 and "\u202e" not in line
        assert not any("script" in outside for outside in line.split("`")[0::2])


# -- pairs of propositions -------------------------------------------------------------------------------------------


def pair(found, name="animation"):
    (one,) = [p for p in found["pairs"] if p["pair"] == name]
    return one


def model(made, name="animation"):
    """The outcome of the pair's only set of scores."""
    (one,) = pair(outcomes(made), name)["models"]
    return one


def outcomes(made):
    """The pairs alone, without what else a validation measures."""
    return {"pairs": json.loads(report.dumps({"pairs": learned(made, SETTINGS)}))["pairs"]}


def separable(n=40, apart=3.0, **given):
    return results(n, "authentic", **given) + results(n, "animation", apart=apart, **given)


def test_a_score_that_tells_earns_a_ratio_and_its_file_gives_it():
    made = [replace(r, parts={QUESTION: PART}) for r in separable()]
    found = measure(made, SETTINGS)
    one = pair(found)["models"][0]
    assert one["why_not"] == [] and one["figures"]["cllr"]["high"] < 0.8 and one["figures"]["gain"]["low"] > 0
    assert -np.log10(41) < one["figures"]["bounds"][0] < -0.5 and 0.5 < one["figures"]["bounds"][1] < np.log10(41)
    assert one["figures"]["cllr"]["value"] == pytest.approx(
        one["figures"]["cllr_min"] + one["figures"]["cllr_cal"], abs=2e-4
    )
    text = sealed(found, made, Seal("2027-12-31"))
    values = file.parse(text)
    assert applying.about(text)["whole"] and values["stamp"] == file.STAMP
    assert len(values["data"]) == 40  # made-up hashes, alike in both classes
    weighed = applying.weighed(
        [scored(4.0), scored(-4.0)],
        {"sha256": "a" * 64, "size_bytes": 1, "duration_s": 1.0, "mean_fps": 25.0, "sound_rate_hz": 1}
        | {"speech": None, "tracks": []},
        values["steps"],
        values["model_sha256"],
        applying.Settings(text, opened="2026-11-22"),
    )
    ratios = [f.strength for f in weighed]
    assert (ratios[0].n_h1, ratios[0].units_h2) == (40, 40)
    assert 0 < ratios[0].log10_lr <= one["figures"]["bounds"][1] and ratios[1].log10_lr < 0


PART = {"name": "made up", "version": "1", "settings": {}, "score_direction": "higher = closer"}


def scored(score):
    """A finding of the planted question; persons differ, so that each has a ratio of its own."""

    @dataclass(frozen=True)
    class Plain:
        pass

    return Finding(
        *("blink", QUESTION, f"p{score}", (), "a", "b", "assessed", (), 1.0, ()),
        Method("made up", "1", "nobody"),
        *(Plain(), ("l",), ("a",)),
        score=score,
        score_direction="higher = closer",
    )


def test_a_calibration_is_tried_on_recordings_it_has_not_seen():
    def made(seed, apart=3.0):
        own = results(40, "authentic", seed=seed) + results(40, "animation", seed=seed, apart=apart)
        return [replace(r, parts={QUESTION: PART}, sha256=f"{n + 1000 * seed:064x}") for n, r in enumerate(own)]

    first, second = made(1), made(2)
    text = sealed(measure(first, SETTINGS), first, Seal("2027-12-31"))
    (good,) = tried(second, text, SETTINGS)["models"]
    assert good["cllr"]["high"] < 0.8 and good["weighed"] == {"h1": 40, "h2": 40}
    (useless,) = tried(made(3, 0.0), text, SETTINGS)["models"]
    assert useless["cllr"]["value"] > 1 and useless["misleading"]["h1"]["misleading"] > 20
    (own,) = tried(first, text, SETTINGS)["models"]
    assert own["cllr"] is None and own["refused"]["in_calibration_data"] == 80
    foreign = [replace(r, parts={QUESTION: PART | {"version": "2"}}) for r in second]
    assert tried(foreign, text, SETTINGS)["models"][0]["refused"]["foreign"] == 80
    edited = tried(second, text.replace('"level":0.95', '"level":0.99'), SETTINGS)
    assert edited["models"] == [] and "SHA-256 is another" in edited["reasons"][0]
    told = measure(second, SETTINGS) | {"tried": json.loads(report.dumps(tried(second, text, SETTINGS)))}
    assert "| animation | blink.rate | 40 | 40 | none |" in validation.markdown(told)
    assert words.check(validation.page(told)) == []


def test_noise_earns_nothing():
    """Over draws: the upper end of Cllr is hardly ever below 1, and no bound leaves room for much."""
    found = [model(results(25, "authentic", seed=k) + results(25, "animation", seed=k)) for k in range(5)]
    assert not any(o["fitted"] for o in found)
    assert max(o["figures"]["bounds"][1] for o in found) < 0.5


def test_a_score_that_only_follows_the_container_earns_nothing():
    both = results(40, "authentic") + results(40, "animation", facts_apart=3.0)
    rng = np.random.default_rng(1)
    echo = [replace(r, answers=answer(float(np.log(r.facts["bit_rate"]) + 0.3 * rng.normal()))) for r in both]
    found = model(echo)
    assert found["figures"]["cllr"]["high"] < 1 and found["fitted"] is None
    assert found["why_not"] == ["The scores add nothing to container facts alone that these recordings could show."]


def test_copies_of_a_recording_raise_no_bound_and_narrow_nothing():
    once = separable(15)
    few, many = (model(made)["figures"] for made in (once, once * 10))
    assert many["bounds"] == few["bounds"]
    for end in ("value", "low", "high"):
        assert many["cllr"][end] == pytest.approx(few["cllr"][end], abs=2e-3)
    assert many["misleading"]["h1"]["rate"] == few["misleading"]["h1"]["rate"]
    assert many["misleading"]["h1"]["recordings"] == 150


def test_a_pair_holds_its_own_class_and_firm_labels_alone():
    own = separable(15)
    others = results(15, "lips", apart=-9) + results(5, "animation", seed=1, weak="by look", apart=-9)
    refused = results(4, "animation", seed=2, answers=answer(None, reasons=["no_speech"]))
    assert model(own + others + refused)["figures"]["cllr"] == model(own)["figures"]["cllr"]
    assert pair(outcomes(own + others), "lips")["models"] == []  # its questions have no score here


def test_below_enough_recordings_there_is_no_ratio_and_why():
    found = model(separable(15)[:24])
    assert found["figures"] is None and found["why_not"] == ["Fewer than 10 recordings or 5 speakers of a class."]


def test_a_generator_that_is_not_told_when_left_out_takes_the_ratio_away():
    good = results(30, "animation", apart=4, generator="a")
    other = results(20, "animation", seed=1, apart=-4, generator="b")  # the other way round
    found = model(results(40, "authentic") + good + other)
    (row,) = [p for p in found["figures"]["parts"] if p["name"] == "b"]
    assert row["left_out"]["value"] > 1.5 and any("left out of them" in why for why in found["why_not"])


def test_weights_that_saw_the_recordings_earn_nothing():
    seen = [replace(r, recording=replace(r.recording, fitted=f"x {QUESTION}")) for r in separable()]
    assert model(seen)["why_not"] == [
        f"The weights behind {QUESTION} were fitted with 80 of these recordings: its scores flatter."
    ]


def test_classes_that_share_no_condition_earn_nothing():
    made = [
        replace(
            r,
            answers={QUESTION: replace(r.answers[QUESTION], conditions={"mean_fps": 25.0 if r.authentic else 50.0})},
        )
        for r in separable()
    ]
    assert model(made)["why_not"] == ["The classes share no range of: pictures a second."]


def test_several_scores_are_fused_where_all_are_there():
    rng = np.random.default_rng(0)

    def both(r, second):
        other = replace(r.answers[QUESTION], score=None if second is None else second + (0 if r.authentic else 2))
        return replace(r, answers=r.answers | {"lighting.head_fixed": other})

    made = [both(r, None if k % 4 == 0 else float(rng.normal())) for k, r in enumerate(separable(40, 2.0))]
    models = pair(outcomes(made))["models"]
    assert [m["questions"] for m in models] == [
        ["blink.rate", "lighting.head_fixed"],
        ["blink.rate"],
        ["lighting.head_fixed"],
    ]
    assert [m["h1"]["recordings"] for m in models] == [30, 40, 30]
    assert models[0]["figures"]["cllr_min"] < models[2]["figures"]["cllr_min"]


@pytest.fixture(scope="module")
def told():
    return measure(separable(20, condition="a`|<script>") + results(3, "lips"), SETTINGS)


def test_the_page_says_it_in_the_house_s_words(told):
    html = validation.page(told)
    assert words.check(html) == [] and "<script" not in html
    text = words.own_text(html)
    for phrase in ("The whole face was generated from a picture.", "Bounds of LR", "no likelihood ratio"):
        assert phrase in text
    assert html == validation.page(json.loads(json.dumps(told)))  # from the file alone, the same bytes
    assert html.count("<figure>") == 3
    assert "## Strength of evidence, by pair of propositions" in validation.markdown(told)


def test_charts_are_labelled_and_keep_their_numbers(told):
    drawn = list(charts(pair(told), pair(told)["models"][0]))
    assert [c.name for c in drawn] == ["tippett", "pav", "ece"]
    for chart in drawn:
        (ax,) = chart.figure.axes
        assert ax.get_xlabel().endswith(")") and ax.get_ylabel().endswith(")")
        assert chart.figure.get_figwidth() * 25.4 == pytest.approx(160)
        assert "does not show" in chart.caption and "n = 20 of H1 and 20 of H2" in chart.caption and chart.alt
        assert len({len(column) for column in chart.table.values()}) == 1
        assert plots.svg(chart.figure) == plots.svg(chart.figure)


def test_a_seal_has_a_day_and_a_stamp():
    for day in ("", "soon", "2027-02-30", "31.12.2027"):
        with pytest.raises(CaseError) as refused:
            Seal(day)
        assert refused.value.code == "E_CALIBRATION"
    for stamp in ("", " ", "x" * 200, "a\nb"):
        with pytest.raises(ParameterError, match="a stamp has"):
            Seal("2027-12-31", stamp)


def test_the_shipped_calibration_is_whole_and_stamped():
    text = file.read(file.DEMONSTRATION)
    assert applying.about(text)["whole"] and file.parse(text)["stamp"] == "demonstration, not validated for casework"
    assert set(file.parse(text)["pairs"]) == set(PAIRS)


# -- examining -------------------------------------------------------------------------------------------------------


@pytest.fixture
def sounds(tmp_path):
    """Four short tones in a folder of evidence, and their table."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    for k in range(4):
        synth.write(
            folder / f"s{k}.wav",
            synth.Sound(synth.tone(0.6, hz=200.0 + 50 * k), codec="pcm_s16le", sample_format="s16"),
        )
    (folder / "page.mp4").write_bytes(b"<html>" * 50)
    return [
        *(Recording(f"s{k}.wav", "authentic" if k < 2 else "voice", f"p{k}") for k in range(4)),
        Recording("page.mp4", "voice", "p4"),
        Recording("lost.mp4", "voice", "p5"),
    ]


def test_recordings_are_examined_once_and_refusals_listed(sounds, tmp_path, kept, monkeypatch):
    root, out = tmp_path / "evidence", tmp_path / "out"
    for recording in sounds[:-1]:
        kept(root / recording.file)
    told = []
    first = validate(sounds, root, out, told=lambda number, result: told.append((number, result.code)))
    assert told == [(1, "E_NOT_FOUND"), (2, "E_NOT_MEDIA"), (3, ""), (4, ""), (5, ""), (6, "")]
    written = (out / "validation.json").read_bytes(), (out / "validation.md").read_bytes()
    assert json.loads(written[0]) == first

    examine = pipeline.examine  # what is no recording is refused anew

    def again(case: Case, part=None):
        assert case.evidence.suffix != ".wav", "examined again"
        return examine(case)

    monkeypatch.setattr(pipeline, "examine", again)
    shuffled = sounds[:]
    random.Random(3).shuffle(shuffled)
    validate(shuffled, root, out)
    assert ((out / "validation.json").read_bytes(), (out / "validation.md").read_bytes()) == written
    assert str(tmp_path).encode() not in written[0] + written[1]


def test_findings_of_other_software_or_bytes_are_made_anew(sounds, tmp_path, monkeypatch):
    path, folder = tmp_path / "evidence" / "s0.wav", tmp_path / "case"
    runs, examine = [], pipeline.examine

    def counted(case, part=None):
        runs.append(case.evidence.name)
        return examine(case)

    monkeypatch.setattr(pipeline, "examine", counted)
    document = validation.examined(path, folder)
    assert validation.examined(path, folder) == document and len(runs) == 1
    findings = (folder / "findings.json").read_text("utf-8")
    (folder / "findings.json").write_text(findings.replace("voice", "vOice"))  # touched by another hand
    assert validation.examined(path, folder) == document and len(runs) == 2
    monkeypatch.setattr(examining, "_software_sha256", lambda: "another")
    assert validation.examined(path, folder) == document and len(runs) == 3


def test_the_software_is_known_by_all_its_files(tmp_path, monkeypatch):
    package = tmp_path / "package"
    (package / "analysis").mkdir(parents=True)
    monkeypatch.setattr(examining, "__file__", str(package / "validation" / "examining.py"))
    known = []
    for content in ("a = 1", "a = 2"):
        (package / "analysis" / "x.py").write_text(content)
        known.append(examining._software_sha256.__wrapped__())
    assert known[0] != known[1] == examining._software_sha256.__wrapped__()


def test_a_case_of_the_report_saves_the_looking(face_clip, face_case, tmp_path, monkeypatch):
    cases = tmp_path / "cases"
    shutil.copytree(face_case, cases / face_clip.stem)
    monkeypatch.setattr(pipeline, "observed", lambda *_: pytest.fail("looked again"))
    recordings = [Recording(face_clip.name, "authentic", "astronaut")]
    found = validate(recordings, face_clip.parent, tmp_path / "out", cases)
    (only,) = found["recordings"]
    assert only["answers"]["blink.rate"]["persons"] == 1
    assert only["facts"]["height_px"] == 240 and 60 < only["facts"]["face_height_px"] < 240
    assert only["facts"]["mean_fps"] == pytest.approx(10) and only["facts"]["bit_rate"] > 1000


def test_a_case_in_which_an_analyst_named_faces_is_refused(face_clip, face_case, tmp_path):
    folder = tmp_path / "case"
    shutil.copytree(face_case, folder)
    with CaseFolder(folder) as case:
        naming.give(case, ["A=nobody"])
    with pytest.raises(CaseError, match="Faces were named") as refused:
        validation.examined(face_clip, folder)
    assert refused.value.code == "E_CASE_NAMED"


def test_a_file_that_is_not_the_tables_is_refused(sounds, tmp_path):
    with pytest.raises(MediaError, match="SHA-256 is not the table's") as refused:
        validation.examined(tmp_path / "evidence" / "s0.wav", tmp_path / "case", "0" * 64)
    assert refused.value.code == "E_OTHER_FILE" and not (tmp_path / "case").exists()


def test_a_defect_of_ours_costs_one_row(sounds, tmp_path, monkeypatch, capsys):
    examine = pipeline.examine

    def broken(case: Case, part=None):
        if case.evidence.name == "s1.wav":
            raise ZeroDivisionError("planted")
        return examine(case)

    monkeypatch.setattr(pipeline, "examine", broken)
    found = validate(sounds[:3], tmp_path / "evidence", tmp_path / "out")
    assert [r["refused"] for r in found["recordings"]] == ["", "CRASHED ZeroDivisionError", ""]
    assert "planted" in capsys.readouterr().err


def test_a_full_disk_ends_the_run(sounds, tmp_path, monkeypatch):
    def full(case: Case, part=None):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pipeline, "examine", full)
    with pytest.raises(OSError, match="No space"):
        validate(sounds, tmp_path / "evidence", tmp_path / "out")


@pytest.mark.parametrize("out", ["evidence", "."])
def test_nothing_is_written_into_the_folder_of_evidence(sounds, tmp_path, out):
    before = sorted(p.name for p in tmp_path.rglob("*"))
    with pytest.raises(CaseError, match="holds recordings"):
        validate(sounds, tmp_path / "evidence", tmp_path / out)
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["forensics", "validate", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0, *capsys.readouterr()


def test_the_command_prints_each_recording_and_where_the_figures_are(sounds, tmp_path, monkeypatch, capsys):
    text = HEADER + "".join(f"{r.file},{r.label},{r.person},,,\n" for r in sounds)
    path = table(tmp_path / "evidence", text)
    status, out, err = run(monkeypatch, capsys, path, "--out", tmp_path / "out")
    assert (status, err) == (0, "")
    assert "2 of 6  page.mp4  E_NOT_MEDIA" in out and "4 of 6 recordings examined, 2 refused." in out
    assert "Pairs of propositions with a likelihood ratio: none." in out
    written = {p.name for p in (tmp_path / "out").glob("*.*")}
    assert written == {"validation.json", "validation.md", "validation.html"}
    day = ("--expires", "2027-12-31", "--stamp", "Laboratory of Nowhere, 2026")
    status, out, err = run(monkeypatch, capsys, path, "--out", tmp_path / "out", *day)
    values = file.parse(file.read(str(tmp_path / "out" / "calibration.json")))
    assert (status, err, values["stamp"]) == (0, "", "Laboratory of Nowhere, 2026") and "Calibration: " in out
    assert not any(pair["models"] for pair in values["pairs"].values())
    assert run(monkeypatch, capsys, path, "--out", tmp_path / "out", "--expires", "soon")[0] == 3


def test_the_command_refuses_a_bad_table_with_its_code(tmp_path, monkeypatch, capsys):
    status, _, err = run(monkeypatch, capsys, table(tmp_path, "file,label\n"), "--out", tmp_path / "out")
    assert status == 3 and err.startswith("E_TABLE: Line 1: There is no column person.")
    assert not (tmp_path / "out").exists()


def test_the_command_tells_a_defect_by_its_exit_status(sounds, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pipeline, "examine", lambda case, part: 1 / 0)
    path = table(tmp_path, HEADER + "s0.wav,authentic,p,,,\n")
    status, out, _ = run(monkeypatch, capsys, path, "--root", tmp_path / "evidence", "--out", tmp_path / "out")
    assert status == 1 and "CRASHED ZeroDivisionError" in out

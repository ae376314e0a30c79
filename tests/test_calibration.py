"""Scores to likelihood ratios: the field's check values, what copies and shuffled labels may not do, refusals."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, replace

import jsonschema
import numpy as np
import pytest
import test_report

from forensics import cli, pipeline, report
from forensics.calibration import applying, bounds, envelope, file, fusion, measures, propositions, scale
from forensics.case import Case
from forensics.errors import CaseError, ParameterError
from forensics.finding import Finding, Measurement, Strength, Withheld
from forensics.method import Method, describe, restored, setting
from forensics.report import words as report_words
from forensics.timeline import Interval

SCALE = scale.shipped()


def draw(n1=40, n2=40, apart=2.0, seed=0, copies=1):
    """Scores (n, 1) of normal classes ``apart``, labels, units; each recording ``copies`` times in its unit."""
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(apart / 2, 1, n1), rng.normal(-apart / 2, 1, n2)])
    labels, units = np.arange(n1 + n2) < n1, np.arange(n1 + n2)
    return np.tile(scores, copies)[:, None], np.tile(labels, copies), np.tile(units, copies)


def folds(units, k=10):
    return np.asarray(units) % k


# -- check values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("h1", "h2", "value"),
    [
        ([1, 1], [1, 1], 1.0),
        ([10], [0.1], 0.1375035237),
        ([100], [0.01], 0.0143552930),
        ([3, 3], [1 / 3, 1 / 3], 0.4150374993),
        ([1 / 3], [3], 2.0),
        ([100, 100, 0.01], [0.01, 0.01, 100], 2.2289740229),
    ],
)
def test_cllr_has_its_check_values(h1, h2, value):
    labels = np.arange(len(h1) + len(h2)) < len(h1)
    assert measures.cllr(np.log10([*h1, *h2]), labels) == pytest.approx(value, abs=1e-9)
    assert measures.cllr(np.log10([*h1, *h2]), labels, np.full(len(labels), 7.0)) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(("n", "cap"), [(20, 20), (50, 49), (100, 98), (1000, 1000)])
def test_the_bounds_have_their_check_values(n, cap):
    """Perfect separation; Vergeer et al. 2016 on a log10 grid of 0.01."""
    labels = np.arange(2 * n) < n
    low, high = bounds.elub(np.where(labels, 9.0, -9.0), labels)
    assert round(10**high) == cap and round(10**-low) == cap


#: Made once with NFI's lir 1.3.1 on the same draws (normal classes, rounded to 0.1 for ties).
ORACLE = [
    ((0, 30, 40, 1.0), 1.1109847486059672, 0.8440267064824036, (-0.50, 0.23)),
    ((1, 15, 60, 2.5), 0.20888077264396238, 0.11494328253732933, (-1.00, 1.49)),
    ((2, 80, 25, 0.3), 1.1810811945789377, 0.8759273347336712, (-0.28, 0.27)),
]


@pytest.mark.parametrize(("made", "cllr", "least", "elub"), ORACLE)
def test_the_oracle_agrees(made, cllr, least, elub):
    seed, n1, n2, apart = made
    rng = np.random.default_rng(seed)
    ratios = np.round(np.concatenate([rng.normal(apart / 2, 1, n1), rng.normal(-apart / 2, 1, n2)]), 1)
    labels = np.arange(n1 + n2) < n1
    found = measures.cost(ratios, labels)
    assert (found.value, found.discrimination) == pytest.approx((cllr, least), abs=1e-12)
    assert found.calibration == pytest.approx(cllr - least, abs=1e-12)
    assert bounds.elub(ratios, labels) == pytest.approx(elub, abs=1e-9)


# -- measures ----------------------------------------------------------------------------------------------------------


def test_pav_pools_violators_and_ties():
    """By hand: scores 1 2 2 3, classes H2, H1 and H2, H1 of weights ½ each: LR 0, 1, 1, inf."""
    found = measures.pav([1, 2, 2, 3], [False, True, False, True])
    assert found.tolist() == [-np.inf, 0.0, 0.0, np.inf]
    assert measures.pav([3, 1], [False, True]).tolist() == [0.0, 0.0]  # the wrong way round: one pool


def test_pav_is_the_best_monotone_calibration():
    scores, labels, _ = draw(seed=3)
    ratios = scores[:, 0]
    least = measures.cost(ratios, labels).discrimination
    for monotone in (ratios, 2 * ratios, ratios + 0.5, np.tanh(ratios), ratios**3):
        assert measures.cost(monotone, labels).discrimination == pytest.approx(least)
        assert measures.cllr(monotone, labels) >= least


def test_an_infinitely_wrong_ratio_costs_without_end():
    assert measures.cllr([np.inf, -np.inf], [True, False]) == 0.0
    assert measures.cllr([-np.inf, 0.0], [True, False]) == np.inf


def test_what_was_not_assessed_is_no_ratio_of_one():
    with pytest.raises(ParameterError, match="no ratio of 1"):
        measures.cllr([1.0, np.nan], [True, False])
    with pytest.raises(ParameterError, match="counted, not scored"):
        fusion.fit(np.array([[1.0], [np.nan]]), np.array([True, False]), np.ones(2))
    with pytest.raises(ParameterError, match="both propositions"):
        measures.cllr([1.0, 2.0], [True, True])


def test_tippett_ece_and_misleading_evidence_by_hand():
    ratios, labels = np.array([2.0, -1.0, 0.0, 1.0, -3.0]), np.array([True, True, True, False, False])
    h1, h2 = measures.tippett(ratios, labels, np.array([-4.0, 0.0, 1.5]))
    assert h1.tolist() == pytest.approx([1, 2 / 3, 1 / 3]) and h2.tolist() == pytest.approx([1, 0.5, 0])
    assert measures.misleading(ratios, labels).tolist() == [False, True, False, True, False]
    found = measures.entropy(ratios, labels, prior_log10_odds=np.array([0.0]))
    assert found.given[0] == pytest.approx(measures.cllr(ratios, labels)) and found.neutral[0] == pytest.approx(1.0)
    assert found.recalibrated[0] <= found.given[0]
    wide = measures.entropy(ratios, labels)
    assert (wide.recalibrated <= wide.neutral + 1e-9).all()  # after PAV never worse than saying nothing


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_useless_ratios_have_no_room():
    labels = np.arange(40) < 20
    assert bounds.elub(np.where(labels, -2.0, 2.0), labels) == (0.0, 0.0)
    assert bounds.elub(np.zeros(40), labels) == (0.0, 0.0)


def test_one_misleading_recording_lowers_its_bound():
    labels = np.arange(200) < 100
    clean = np.where(labels, 3.0, -3.0)
    one = clean.copy()
    one[150] = 3.0  # of H2, strongly for H1
    assert bounds.elub(one, labels)[1] < bounds.elub(clean, labels)[1] - 0.25
    assert bounds.elub(one, labels)[0] == pytest.approx(bounds.elub(clean, labels)[0], abs=0.011)


def test_copies_of_recordings_raise_no_bound():
    labels = np.arange(40) < 20
    ratios = np.where(labels, 5.0, -5.0)
    many_labels, units = np.tile(labels, 50), np.tile(np.arange(40), 50)
    weights = measures.balanced(many_labels, units)
    assert bounds.elub(np.tile(ratios, 50), many_labels, weights) == pytest.approx(bounds.elub(ratios, labels))
    assert bounds.elub(np.tile(ratios, 50), many_labels)[1] > 2.9  # what unweighted copies would do


# -- fusion ------------------------------------------------------------------------------------------------------------


def test_planted_likelihood_ratios_are_recovered():
    """Normal classes 2 apart: ln LR = 2 s, whatever the numbers of each class."""
    scores, labels, units = draw(4000, 400, 2.0)
    fitted = fusion.fit(scores, labels, measures.balanced(labels, units))
    at = np.array([[-2.0], [0.0], [1.5]])
    assert fitted.log10_lr(at) == pytest.approx(2 * at[:, 0] / np.log(10), abs=0.12)


def test_the_same_cue_twice_does_not_double():
    scores, labels, units = draw(40, 40, 2.0)
    once = fusion.fit(scores, labels, np.ones(len(labels)))
    twice = fusion.fit(np.repeat(scores, 2, axis=1), labels, np.ones(len(labels)))
    ratio = twice.log10_lr(np.array([[2.0, 2.0]]))[0] / once.log10_lr(np.array([[2.0]]))[0]
    assert 0.99 < ratio < 1.15
    assert twice.coefficients[1] == pytest.approx(twice.coefficients[2], rel=1e-3)


def test_two_independent_cues_say_more_than_one():
    rng = np.random.default_rng(0)
    labels = np.arange(600) < 300
    scores = rng.normal(np.where(labels, 0.75, -0.75)[:, None], 1, (600, 2))
    units, fold = np.arange(600), folds(np.arange(600))
    both, one = (measures.cllr(fusion.cross_fitted(s, labels, units, fold), labels) for s in (scores, scores[:, :1]))
    assert both < one - 0.1


def test_copies_move_neither_fit_nor_interval():
    once, tenfold = draw(20, 20), draw(20, 20, copies=10)
    fits = [fusion.fit(s, y, measures.balanced(y, u)) for s, y, u in (once, tenfold)]
    assert fits[0].coefficients == pytest.approx(fits[1].coefficients, abs=1e-6)
    spreads = [fusion.covariance(f, *made, 200, 0) for f, made in zip(fits, (once, tenfold), strict=True)]
    assert spreads[0] == pytest.approx(spreads[1], rel=1e-3)


def test_shuffled_labels_earn_nothing():
    """No fit of noise, tried on recordings it has not seen, has a cost below 1 by more than chance."""
    values = []
    for seed in range(30):
        scores, labels, units = draw(20, 30, 2.0, seed)
        shuffled = np.random.default_rng(seed).permutation(labels)
        values.append(measures.cllr(fusion.cross_fitted(scores, shuffled, units, folds(units)), shuffled))
    assert np.mean(values) > 1.0 and np.mean(np.array(values) < 0.95) <= 0.1


def test_no_fit_sees_the_unit_or_what_is_left_out():
    scores, labels, units = draw(20, 20)
    units = units // 2 * 2 + labels  # pairs
    fold = folds(units // 2, 5)
    ratios = fusion.cross_fitted(scores, labels, units, fold)
    changed = scores.copy()
    changed[fold == 0] += 50  # its own fold decides nothing of the fit that tries it
    others = fusion.cross_fitted(changed, labels, units, fold)
    slope = (others[fold == 0] - ratios[fold == 0]) / 50
    assert slope == pytest.approx(slope[0])
    out = np.zeros(len(labels), bool)
    out[:5] = True
    moved = scores.copy()
    moved[out] -= 100  # left out: no other recording's ratio moves
    kept = [fusion.cross_fitted(s, labels, units, fold, out)[~out] for s in (scores, moved)]
    assert kept[0] == pytest.approx(kept[1])


# -- words -------------------------------------------------------------------------------------------------------------

H1, H2 = "It was so.", "It was otherwise."


@pytest.mark.parametrize(
    ("log10", "degree"),
    [
        (0.3, "no appreciable"),
        (0.302, "weak"),
        (1.0, "weak"),
        (1.01, "moderate"),
        (2.5, "moderately strong"),
        (4.0, "strong"),
        (5.0, "very strong"),
        (6.01, "extremely strong"),
    ],
)
def test_words_follow_the_bands_and_the_sides(log10, degree):
    said = scale.words(log10, log10 + 3, H1, H2, SCALE)
    assert said.startswith(f"{degree} support")
    assert said == scale.words(-log10 - 3, -log10, H2, H1, SCALE)  # 1/LR with the propositions exchanged
    if degree != "no appreciable":
        assert said.index(H1) < said.index(H2)
        assert scale.words(-log10 - 3, -log10, H1, H2, SCALE).index(H2) < said.index(H2)


def test_an_interval_that_holds_one_supports_neither():
    assert scale.words(-0.01, 6.0, H1, H2, SCALE) == "no appreciable support for either proposition"
    assert scale.words(0.0, 6.0, H1, H2, SCALE) == "no appreciable support for either proposition"


def test_no_pair_says_altered_and_each_question_bears_on_one():
    assert set(propositions.PAIRS) == {"lips", "identity", "animation", "voice", "edit"}
    listed = [q for pair in propositions.PAIRS.values() for q in pair.questions]
    assert len(listed) == len(set(listed)) == len(propositions.PAIR_OF)
    from forensics.report import phrases

    assert set(listed) <= set(phrases.QUESTIONS)
    for pair in propositions.PAIRS.values():
        assert "altered" not in pair.h1.lower() and set(pair.conditions) <= set(envelope.NAMES)


# -- a case weighed by a file ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Own:
    window_s: float = setting(0.5, "s", "made up")


METHOD = Method("made up", "3", "nobody, 1999")
SHA = "0123456789abcdef" * 4
STEPS = {"observe": {"name": "look", "version": "2", "settings": {"cell_s": 4.0}}}
DIRECTION = "higher = closer"
CLIP = {
    "sha256": SHA,
    "size_bytes": 1_000_000,
    "duration_s": 10.0,
    "mean_fps": 25.0,
    "sound_rate_hz": 48000,
    "speech": [[0.0, 4.0], [5.0, 9.0]],
    "tracks": [{"person": "A", "pictures": 250, "median_face_height_px": 200.0, "median_yaw_deg": 5.0}],
}


def finding(question="lipsync.link", score=1.0, person="A", **changes):
    values = {
        "analysis": question.partition(".")[0],
        "question": question,
        "person": person,
        "subjects": ("A1",),
        "h1": "x",
        "h2": "y",
        "state": "assessed",
        "reasons": (),
        "coverage": 1.0,
        "covered": (Interval(0, 10),),
        "method": METHOD,
        "settings": Own(),
        "limits": ("l",),
        "alternatives": ("a",),
        "score": score,
        "score_direction": DIRECTION,
        "source_sha256": SHA,
    }
    return Finding(**values | changes)


def model(*questions, coefficients=(0.0, 1.0), covariance=None, bounds=(-1.5, 1.5), **changes):
    d = len(questions)
    values = {
        "questions": list(questions),
        "parts": {q: applying.part(METHOD, describe(Own())) | {"score_direction": DIRECTION} for q in questions},
        "mean": [0.0] * d,
        "spread": [1.0] * d,
        "coefficients": list(coefficients),
        "covariance": (0.01 * np.eye(d + 1)).tolist() if covariance is None else covariance,
        "level": 0.95,
        "bounds": list(bounds),
        "n_h1": 30,
        "n_h2": 40,
        "units_h1": 20,
        "units_h2": 35,
        "envelope": {"face_height_px": [100.0, 300.0], "mean_fps": [20.0, 60.0]},
        "metrics": {},
    }
    return values | changes


def calibration(*models, pair="lips", **changes):
    texts = propositions.PAIRS[pair]
    values = {
        "schema": file.SCHEMA,
        "stamp": file.STAMP,
        "expires": "2027-12-31",
        "languages": [],
        "scale": SCALE,
        "steps": STEPS,
        "model_sha256": SHA,
        "packages": {},
        "settings": {},
        "pairs": {pair: {"h1": texts.h1, "h2": texts.h2, "models": list(models), "why_not": []}},
        "data": ["f" * 64],
    }
    return file.sealed(values | changes)


def weigh(text, *findings, clip=CLIP, steps=STEPS, language="", opened="2026-11-22", model_sha256=SHA):
    settings = applying.Settings(text, language, opened)
    return [f.strength for f in applying.weighed(findings or [finding()], clip, steps, model_sha256, settings)]


def codes(strength):
    assert isinstance(strength, Withheld), strength
    return {code for code, _ in strength.reasons}


def test_a_score_becomes_a_ratio_with_all_that_stands_beside_it():
    (found,) = weigh(calibration(model("lipsync.link")))
    assert isinstance(found, Strength)
    assert (found.log10_lr, found.pair, found.n_h1, found.units_h2) == (1.0, "lips", 30, 35)
    reach = 1.959964 * np.sqrt(0.01 + 0.01)
    assert (found.low, found.high) == pytest.approx((1 - reach, 1 + reach), abs=0.006)
    assert found.words.startswith("weak support for “The mouth's movement was generated for other sound.”")
    assert (
        found.stamp == file.STAMP and "not the probability that the recording was altered" in found.as_json()["remark"]
    )
    assert found.as_json()["lr"] == 10.0


def test_ratio_and_interval_stay_within_the_bounds():
    (found,) = weigh(calibration(model("lipsync.link")), finding(score=40.0))
    assert (found.log10_lr, found.low, found.high, found.bound) == (1.5, 1.5, 1.5, (-1.5, 1.5))
    (found,) = weigh(calibration(model("lipsync.link", bounds=(-1.5, 0.0))), finding(score=40.0))
    assert found.log10_lr == 0 and found.words.startswith("no appreciable support")


def edited(text, old, new):
    assert old in text
    return text.replace(old, new)


TEXT = calibration(model("lipsync.link"))
WITHHELD = {
    "a digit": (edited(TEXT, "[100.0,300.0]", "[100.0,900.0]"), {}, "calibration_edited"),
    "the stamp": (edited(TEXT, "not validated", "validated"), {}, "calibration_edited"),
    "white space": (TEXT.replace(",", ", ", 1), {}, "calibration_edited"),
    "no number": (edited(TEXT, '"level":0.95', '"level":NaN'), {}, "calibration_edited"),
    "expired": (TEXT, {"opened": "2028-01-01"}, "calibration_expired"),
    "no day": (TEXT, {"opened": "yesterday"}, "calibration_expired"),
    "no such day of expiry": (calibration(model("lipsync.link"), expires="2027-13-31"), {}, "calibration_expired"),
    "another step": (TEXT, {"steps": {"observe": STEPS["observe"] | {"version": "9"}}}, "calibration_foreign"),
    "no such step": (TEXT, {"steps": {}}, "calibration_foreign"),
    "another face model": (TEXT, {"model_sha256": "0" * 64}, "calibration_foreign"),
    "another layout": (calibration(model("lipsync.link", mean=[0.0, 0.0])), {}, "calibration_foreign"),
    "a bound for more than 40 recordings": (
        calibration(model("lipsync.link", bounds=(-1.4, 1.7))),
        {},
        "calibration_foreign",
    ),
    "bounds beside 0": (calibration(model("lipsync.link", bounds=(0.2, 1.4))), {}, "calibration_foreign"),
    "too large": (calibration(model("lipsync.link", mean=[1e200])), {}, "calibration_foreign"),
    "other fields": (calibration(model("lipsync.link"), more=1), {}, "calibration_foreign"),
    "a face too small": (
        TEXT,
        {"clip": CLIP | {"tracks": [CLIP["tracks"][0] | {"median_face_height_px": 60.0}]}},
        "outside_envelope",
    ),
    "a rate not known": (TEXT, {"clip": CLIP | {"mean_fps": None}}, "outside_envelope"),
    "its own data": (calibration(model("lipsync.link"), data=[SHA]), {}, "in_calibration_data"),
    "no model": (calibration(), {}, "not_calibrated"),
    "another pair": (calibration(model("blink.rate"), pair="animation"), {}, "not_calibrated"),
    "another score": (calibration(model("lipsync.closure")), {}, "score_missing"),
    "a language": (calibration(model("lipsync.link"), languages=["en"]), {}, "language_not_told"),
    "another language": (calibration(model("lipsync.link"), languages=["en"]), {"language": "fi"}, "language_other"),
}


@pytest.mark.parametrize(("text", "given", "code"), WITHHELD.values(), ids=WITHHELD)
def test_without_its_conditions_there_is_no_ratio_and_a_reason(text, given, code):
    (found,) = weigh(text, **given)
    assert codes(found) == {code}
    assert all(why.endswith(".") for _, why in found.reasons)
    assert (found.h1, found.pair) == (propositions.PAIRS["lips"].h1, "lips")


def test_on_its_last_day_in_its_language_it_is_good():
    (found,) = weigh(calibration(model("lipsync.link"), languages=["en"]), language="en", opened="2027-12-31")
    assert isinstance(found, Strength)


@pytest.mark.parametrize(
    "other",
    [
        {"method": replace(METHOD, version="4")},
        {"method": replace(METHOD, name="another")},
        {"settings": Own(window_s=0.6)},
        {"score_direction": "lower = closer"},
    ],
)
def test_a_score_of_another_version_is_foreign(other):
    (found,) = weigh(TEXT, finding(**other))
    assert codes(found) == {"calibration_foreign"} and "lipsync.link" in found.reasons[0][1]


def test_other_propositions_are_foreign():
    text = json.loads(TEXT)
    text["pairs"]["lips"]["h1"] = "The recording was altered."
    (found,) = weigh(file.sealed({k: v for k, v in text.items() if k != "sha256"}))
    assert codes(found) == {"calibration_foreign"}


def test_a_pair_has_one_ratio_a_person():
    fused = model("lipsync.link", "lipsync.closure", coefficients=(0.0, 0.5, 0.5))
    text = calibration(fused, model("lipsync.closure"))
    both = weigh(text, finding(), finding("lipsync.closure", 3.0))
    assert both[0].log10_lr == 1.5 and both[0].questions == ("lipsync.link", "lipsync.closure")
    assert codes(both[1]) == {"counted_once"}
    alone = weigh(text, finding("lipsync.closure", 0.5), finding(score=None, state="assessed"))
    assert alone[0].log10_lr == 0.5 and alone[1] is None  # what has no score is no ratio of 1
    people = weigh(text, finding("lipsync.closure", 0.5), finding("lipsync.link", 1.0, person="B"))
    assert isinstance(people[0], Strength) and codes(people[1]) == {"score_missing"}  # no cue crosses persons


def test_facts_have_no_strength():
    assert weigh(TEXT, finding("lipsync.offset", 40.0), finding("lighting.direction", 1.0)) == [None, None]


def test_a_file_is_read_and_refused_in_plain_words(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text(TEXT)
    assert file.read(str(path)) == TEXT
    assert applying.about(TEXT) == {
        "stamp": file.STAMP,
        "expires": "2027-12-31",
        "sha256": json.loads(TEXT)["sha256"],
    } | {"whole": True}
    for content in (b"", b"[1]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"schema": 3}'):
        path.write_bytes(content)
        with pytest.raises(CaseError) as refused:
            file.read(str(path))
        assert refused.value.code == "E_CALIBRATION"
    for name in (tmp_path, tmp_path / "absent"):
        with pytest.raises(CaseError, match="no file"):
            file.read(str(name))


def test_a_strength_that_contradicts_itself_is_refused():
    (found,) = weigh(TEXT)
    for changed in ({"low": 1.2}, {"bound": (0.1, 2.0)}):
        with pytest.raises(ParameterError, match="lies in its interval"):
            replace(found, **changed)
    with pytest.raises(ParameterError, match="only a score"):
        finding(score=None, strength=found)


def test_strengths_fit_the_schema_of_findings():
    schema = report.schema()
    given, withheld = weigh(TEXT)[0], weigh(TEXT, opened="2030-01-01")[0]
    part = {"$defs": schema["$defs"], "$ref": "#/$defs/finding"}
    for strength in (given, withheld, None):
        jsonschema.validate(json.loads(report.dumps(finding(strength=strength).as_json())), part)
    spoiled = json.loads(report.dumps(finding(strength=given).as_json()))
    del spoiled["strength"]["h2"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoiled, part)


# -- the conditions ----------------------------------------------------------------------------------------------------


def test_conditions_are_those_of_the_person_seen_longest_and_of_the_sound():
    quiet = finding(
        "voice.recording",
        None,
        measurements=(Measurement("noise_floor", -61.23, "dB", None, None, None, 9, "m"),),
    )
    found = envelope.conditions(CLIP, [quiet.as_json()], "A")
    assert found == {
        "face_height_px": 200.0,
        "yaw_deg": 5.0,
        "mean_fps": 25.0,
        "bit_rate": 800_000,
        "speech_s": 8.0,
        "noise_floor_db": -61.2,
        "sound_rate_hz": 48000,
    }
    nobody = envelope.conditions(CLIP | {"speech": None}, [], None)
    assert nobody["face_height_px"] is None and nobody["speech_s"] is None and nobody["noise_floor_db"] is None


def test_an_envelope_is_what_both_classes_have_seen():
    known = [{"a": v, "b": None} for v in (10, 30, 20, 50)]
    labels = np.array([True, True, False, False])
    assert envelope.learned(known, labels, ["a", "b"]) == {"a": [20, 30]}
    assert envelope.empty({"a": [20, 30]}) == []
    assert envelope.empty(envelope.learned(known, np.array([True, False, True, False]), ["a"])) == ["a"]
    assert envelope.empty(envelope.learned([*known, {"b": 1}], np.append(labels, True), ["a", "b"])) == ["b"]
    assert envelope.outside({"mean_fps": [20, 30]}, {"mean_fps": 15.0}) == [
        "The pictures a second is 15 1/s; the calibration has seen 20 to 30 1/s."
    ]
    assert envelope.outside({"mean_fps": [20, 30]}, {"mean_fps": 30.0}) == []


# -- in the report -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weighed_page():
    """The report of a made-up examination of which one answer has a ratio and one has none."""
    given, withheld = weigh(TEXT)[0], weigh(TEXT, opened="2030-01-01")[0]
    found = [finding(strength=given), finding("lipsync.closure", 2.0, "B", strength=withheld), finding("blink.rate")]
    settings = pipeline.Settings(calibration=applying.Settings(TEXT, "", "2026-11-22"))
    examination = test_report.examination(found=found, settings=settings)
    record = report.findings_json(examination)
    jsonschema.validate(record, report.schema())
    assert record["calibration"]["stamp"] == file.STAMP
    return report.render(record, [], [], test_report.STATE, test_report.LOG)


def test_the_report_prints_a_ratio_with_what_must_stand_beside_it(weighed_page):
    said = report_words.own_text(weighed_page)
    pair = propositions.PAIRS["lips"]
    for words in (
        "Weak support for “The mouth's movement was generated for other sound.”",
        "LR = 10, 95 % interval 5.2 to 19",
        "log10 LR = 1, 0.72 to 1.28",
        f"H1 here: “{pair.h1}” H2 here: “{pair.h2}”",
        "it is not the probability that the recording was altered",
        "30 recordings of H1 (20 persons or groups)",
        "no likelihood ratio: The calibration was good until 2027-12-31, before the case was opened.",
        "uncalibrated: descriptive only",
    ):
        assert words in said, words
    assert weighed_page.count(file.STAMP) >= 3  # banner, both answers, limits
    assert "Nothing here is calibrated" not in said
    assert report_words.check(weighed_page) == []


def test_a_stamp_from_outside_stays_inert():
    evil = "<script>alert(1)</script>\u202e"
    text = calibration(model("lipsync.link"), stamp=evil)
    settings = pipeline.Settings(calibration=applying.Settings(text))
    found = [finding(strength=weigh(text)[0])]
    record = report.findings_json(test_report.examination(found=found, settings=settings))
    page = report.render(record, [], [], test_report.STATE, test_report.LOG)
    assert "<script" not in page and "\u202e" not in page


@pytest.mark.parametrize(("expires", "expired"), [("1999-12-31", True), ("2999-12-31", False)])
def test_a_case_is_weighed_on_the_day_it_was_opened(face_clip, face_case, tmp_path, monkeypatch, expires, expired):
    folder = tmp_path / "case"
    shutil.copytree(face_case, folder)
    monkeypatch.setattr(pipeline, "assess", lambda *_: [finding("blink.rate"), finding("lipsync.offset", 40.0)])
    text = calibration(model("blink.rate"), pair="animation", expires=expires)
    settings = pipeline.Settings(calibration=applying.Settings(text))
    with Case(folder, face_clip) as case:
        examination = pipeline.examine(case, settings=settings)
        opened = case.state()["opened_utc"][:10]
        told = next(e for e in reversed(case.entries()) if e["action"] == "opened")
    rate, offset = examination.findings
    assert ("calibration_expired" in codes(rate.strength)) == expired
    assert "calibration_foreign" in codes(rate.strength)  # its steps and settings are made up
    assert offset.strength is None
    assert restored(pipeline.Settings, told["settings"]) == examination.settings  # as a replay reads it
    assert examination.settings.calibration.opened == opened


def test_the_command_refuses_what_is_no_calibration_before_it_looks(face_clip, tmp_path, monkeypatch, capsys):
    arguments = ["forensics", "report", str(face_clip), "--out", str(tmp_path / "case"), "--calibration"]
    for name in (tmp_path / "absent.json", face_clip):
        monkeypatch.setattr(sys, "argv", [*arguments, str(name)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 3 and capsys.readouterr().err.startswith("E_CALIBRATION")
    assert not (tmp_path / "case").exists()

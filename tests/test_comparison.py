"""References planted with a known spread: what lies within it stays within, what lies beyond is told; refusals."""

import doctest

import numpy as np
import pytest

from forensics import comparison
from forensics.comparison import spread
from forensics.comparison.questions import COMPARED, CONDITIONS
from forensics.comparison.spread import Value, apart
from forensics.errors import ParameterError
from forensics.report import phrases, words

SPREAD, SCATTER, DRAWS = 1.0, 0.5, 2000


def test_the_example_in_the_docstring_holds():
    assert doctest.testmod(spread).failed == 0


def value(of, half=1.0):
    return Value(of, of - half, of + half)


def drawn(random, n, between=SPREAD, within=SCATTER):
    """Values of ``n`` recordings of one person, each with the interval of its own scatter."""
    return [value(v, 1.96 * within) for v in random.normal(0, between, n) + random.normal(0, within, n)]


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_further_recording_of_the_person_lies_beyond_no_more_often_than_stated(n):
    random = np.random.default_rng(n)
    found = [apart(*(lambda v: (v[0], v[1:]))(drawn(random, n + 1)), together=10) for _ in range(DRAWS)]
    assert np.mean([f.beyond for f in found]) < 0.06
    assert np.mean([f.beyond_all for f in found]) < 0.012
    assert np.mean([f.outside_all for f in found]) == pytest.approx(2 / (n + 1), abs=0.04)


def test_references_that_agree_by_chance_are_not_taken_for_agreeing():
    """Of two equal values alone nothing would be within; the recordings' own scatter holds the interval open."""
    assert not apart(value(11.0), [value(10.0), value(10.0)]).beyond
    assert apart(value(30.0), [value(10.0), value(10.0), value(10.0)]).beyond


def test_one_reference_knows_only_the_scatter_within():
    random = np.random.default_rng(1)
    same = [apart(*(lambda v: (v[0], v[1:]))(drawn(random, 2, between=0.0))) for _ in range(DRAWS)]
    other = [apart(*(lambda v: (v[0], v[1:]))(drawn(random, 2, between=SPREAD))) for _ in range(DRAWS)]
    assert np.mean([f.beyond for f in same]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([f.beyond for f in other]) > 0.2  # two recordings of a person differ by more: it says so
    assert same[0].outside_all is None


def test_a_planted_difference_is_told_and_more_of_it_at_the_familys_level():
    random = np.random.default_rng(2)
    references = drawn(random, 5)
    near, far = (apart(value(at), references, together=20) for at in (5.0, 15.0))
    assert near.beyond and not near.beyond_all and far.beyond_all
    assert near.apart == pytest.approx(5.0 - np.mean([r.value for r in references])) and near.low > 0


def test_the_side_of_an_interval_that_faces_the_other_counts():
    """A blink rate of a short clip may be far higher than it reads, and hardly lower."""
    skewed = Value(10.0, 9.0, 90.0)
    assert apart(value(5.0), [skewed]).beyond and not apart(value(50.0), [skewed]).beyond


def test_a_questioned_recording_that_scatters_more_widens_what_is_expected():
    references = [value(v) for v in (9.0, 10.0, 11.0)]
    assert apart(value(16.0, 0.1), references).beyond and not apart(value(16.0, 12.0), references).beyond


def test_intervals_from_few_stretches_are_widened_as_students_t_asks():
    few, many = spread.widened(value(10.0), 4), spread.widened(value(10.0), 400)
    assert few.high - 10.0 == pytest.approx(1.0 * 3.1824 / 1.95996 * (4 / 3) ** 0.5, rel=1e-4)
    assert many.high - 10.0 == pytest.approx(1.0, abs=0.01) and spread.widened(value(10.0), 1) is None


def test_angles_are_compared_the_short_way_round():
    turned = spread.unwrapped(value(-179.0), 178.0)
    assert (turned.value, turned.low) == (181.0, 180.0)


def test_nothing_is_compared_with_nothing():
    with pytest.raises(ParameterError, match="reference"):
        apart(value(1.0), [])


# -- records ---------------------------------------------------------------------------------------------------------

UNITS = {"lip_opening": "%", "opening_speed": "%/s", "f0_median": "Hz", "hnr": "dB", "av_offset": "ms",
         "sync_percentile": "%", "blink_rate": "1/min", "light_azimuth": "deg"}  # fmt: skip
PLACES = {"lipsync.kinematics": ("lip_opening", "opening_speed"), "voice.measures": ("f0_median", "hnr"),
          "lipsync.offset": ("av_offset",), "lipsync.link": ("sync_percentile",), "blink.rate": ("blink_rate",),
          "lighting.direction": ("light_azimuth",)}  # fmt: skip


def record(values=(), person="A", name=None, fps=25.0, height=200.0, yaw=2.0, picture="h264", sound="aac", sha="a"):
    """A ``findings.json`` of one person, as far as comparisons read it."""
    at = dict.fromkeys(UNITS, 10.0) | dict(values)
    findings = [
        {
            "question": question,
            "person": None if question.startswith("voice") else name or person,
            "state": "assessed",
            "coverage": 0.5,
            "covered": [[0.0, 5.0]],
            "subjects": ["A1"],
            "measurements": [
                {"name": n, "value": at[n], "unit": UNITS[n], "low": at[n] - 1, "high": at[n] + 1, "n": 9}
                for n in names
                if at[n] is not None
            ],
        }
        for question, names in PLACES.items()
    ]  # fmt: skip
    track = {"person": name or person, "letter": person, "start_s": 0.0, "end_s": 5.0,
             "median_face_height_px": height, "median_yaw_deg": yaw}  # fmt: skip
    clip = {
        "sha256": sha, "examined": [0.0, 10.0], "tracks": [track], "mean_fps": fps, "sound_rate_hz": 48000,
        "streams": [{"index": 0, "codec": picture}, {"index": 1, "codec": sound}],
        "picture_stream": 0, "sound_stream": 1,
    }  # fmt: skip
    return {"clip": clip, "findings": findings}


def compared(questioned, *references, relation="session"):
    named = [comparison.Reference(f"R{k}", r) for k, r in enumerate(references, 1)]
    found = comparison.assess(questioned, named, comparison.Settings(relation))
    return {f.question.partition(".")[2]: f for f in found}


def names(finding):
    return [m.name for m in finding.measurements]


def number(finding, name):
    return finding.measurement(name).value


def test_equal_recordings_have_nothing_beyond_and_the_finding_is_a_fact():
    found = compared(record(), record(sha="b"), record(sha="c"))
    assert list(found) == ["sync", "kinematics", "blinking", "light", "voice"]
    for finding in found.values():
        assert finding.state == "assessed" and not finding.unusual and finding.score is None
        assert number(finding, "beyond") == number(finding, "beyond_together") == number(finding, "outside_all") == 0
        assert finding.coverage == 0.5


def test_a_planted_difference_is_beyond_in_its_question_alone():
    spread_out = [record({"lip_opening": v, "f0_median": v}, sha=str(v)) for v in (9.5, 10.0, 10.5)]
    found = compared(record({"lip_opening": 60.0}), *spread_out)
    assert number(found["kinematics"], "beyond") == number(found["kinematics"], "outside_all") == 1
    assert number(found["voice"], "beyond") == 0
    moved = found["kinematics"].measurement("lip_opening_apart")
    assert moved.value == 50.0 and moved.low > 0 and moved.n == 3 and "R2 10 [9, 11]" in moved.reference


def test_one_reference_claims_no_more_than_the_scatter_within():
    found = compared(record({"lip_opening": 60.0}), record(sha="b"))["kinematics"]
    assert number(found, "apart") == 1 and "beyond" not in names(found) and "outside_all" not in names(found)
    assert "not known from one reference" in found.measurement("apart").reference


def test_the_family_is_all_that_the_report_compares():
    found = compared(record(), record(sha="b"))
    assert all("of 8 comparisons of this report together" in f.measurements[0].reference for f in found.values())
    assert (
        found["kinematics"]
        .measurement("apart")
        .reference.endswith("by chance 0.10 of 2 on average, were both recordings' true values the same")
    )


@pytest.mark.parametrize(
    ("relation", "asked"),
    [("person", {"kinematics", "blinking", "voice", "sync"}), ("camera", {"sync"}), ("session", None)],
)
def test_what_is_in_common_decides_what_is_compared(relation, asked):
    found = compared(record(), record(sha="b"), relation=relation)
    told = {name for name, f in found.items() if f.state == "assessed"}
    assert told == (asked or set(found))
    assert all(found[name].reasons == ("not_in_common",) for name in found.keys() - told)
    offset = "av_offset_apart" in names(found["sync"])
    assert offset == (relation != "person")


@pytest.mark.parametrize(
    ("unlike", "question", "out", "kept"),
    [
        ({"fps": 50.0}, "kinematics", "opening_speed", "lip_opening"),
        ({"sound": "opus"}, "voice", "hnr", "f0_median"),
    ],
)
def test_conditions_take_out_what_they_move_by_name(unlike, question, out, kept):
    found = compared(record(), record(sha="b", **unlike))[question]
    assert f"{kept}_apart" in names(found) and f"{out}_apart" not in names(found)
    left_out = found.measurement("compared").reference
    assert f"{out} (R1: " in left_out and any(words in left_out for words in CONDITIONS.values())


def test_a_pose_apart_leaves_nothing_of_the_mouth_and_says_so():
    found = compared(record(), record(sha="b", yaw=30.0))
    assert found["kinematics"].reasons == ("conditions_differ",) and found["light"].reasons == ("conditions_differ",)
    assert found["voice"].state == "assessed"


def test_a_reference_that_differs_leaves_the_others_in():
    found = compared(record(), record(sha="b"), record(sha="c", fps=50.0), record(sha="d"))["kinematics"]
    assert found.measurement("opening_speed_apart").n == 2 and found.measurement("lip_opening_apart").n == 3
    assert "opening_speed (R2: picture rates differ)" in found.measurement("compared").reference


def test_quantities_that_were_withheld_are_not_compared():
    found = compared(record({"hnr": None, "light_azimuth": None}), record(sha="b"))
    assert "hnr (no value with an interval in the recording)" in found["voice"].measurement("compared").reference
    assert found["light"].reasons == ("nothing_to_compare",)


def test_a_value_without_an_interval_is_not_compared():
    bare = record(sha="b")
    for finding in bare["findings"]:
        for m in finding["measurements"]:
            m["low"] = m["high"] = None
    assert {f.reasons for f in compared(record(), bare).values()} == {("nothing_to_compare",)}


def test_persons_are_compared_where_they_are_the_only_ones_or_bear_one_name():
    two = record(sha="b")
    two["clip"]["tracks"].append(two["clip"]["tracks"][0] | {"person": "B", "letter": "B"})
    assert compared(record(), two)["kinematics"].reasons == ("reference_person_unknown",)
    assert compared(record(), two)["voice"].reasons == ("reference_person_unknown",)  # either may be heard
    named = record(sha="b", name="Anna")
    named["clip"]["tracks"].append(named["clip"]["tracks"][0] | {"person": "B", "letter": "B"})
    assert compared(record(name="Anna"), named)["kinematics"].state == "assessed"
    assert compared(record(name="Berta"), named)["kinematics"].reasons == ("reference_person_unknown",)


def test_light_goes_round():
    found = compared(record({"light_azimuth": 179.0}), record({"light_azimuth": -179.0}, sha="b"))["light"]
    assert number(found, "light_azimuth_apart") == -2.0 and number(found, "apart") == 1


def test_what_is_in_common_is_one_of_three():
    with pytest.raises(ParameterError, match="person, camera, session"):
        comparison.Settings("look")


def test_every_text_of_it_is_fit_for_a_report():
    found = [
        f
        for relation in comparison.RELATIONS
        for references in ([record(sha="b")], [record(sha="b"), record(sha="c", fps=60.0, yaw=40.0)])
        for f in compared(record(), *references, relation=relation).values()
    ]
    texts = [t for f in found for t in (f"H1: {f.h1}", f.h2, *f.limits, *f.alternatives, phrases.question(f.question))]
    texts += [t for f in found for m in f.measurements for t in (m.reference, phrases.label(m.name))]
    texts += [c.caption + c.alt for f in found for c in comparison.charts(f)]
    texts += [phrases.references(relation) for relation in comparison.RELATIONS] + list(CONDITIONS.values())
    assert [fault for text in texts for fault in words.check(text)] == []
    assert not any("authentic" in text or "match" in text for text in texts)


def test_each_quantity_is_one_that_an_analysis_prints():
    known = set(phrases.QUANTITIES) | {"blink_rate", "blink_duration"}
    asked = {n for c in COMPARED for several in c.names.values() for n in several}
    assert asked <= known
    assert all(set(c.forbidden_by) <= set(CONDITIONS) for c in COMPARED)
    assert all(set(out) <= asked for c in COMPARED for out in c.forbidden_by.values())


def test_angles_behind_are_averaged_on_their_own_side():
    """References at 170 and -170 degrees lie 20 apart: their mean is behind, not before."""
    from forensics.comparison.verdict import _row

    finding = {"measurements": [{"name": "light_azimuth", "unit": "deg"}]}
    values = {f"R{k}": Value(v, v - 5, v + 5) for k, v in enumerate((170.0, -170.0))}
    row = _row("light_azimuth", finding, Value(0.0, -5.0, 5.0), values)
    mean = np.mean([v.value for v in row.references.values()])
    assert abs(mean) == pytest.approx(180) and np.ptp([v.value for v in row.references.values()]) == pytest.approx(20)

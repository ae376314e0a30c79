"""The result types refuse what a report must never hold."""

import json
from dataclasses import FrozenInstanceError, dataclass, replace

import numpy as np
import pytest

from forensics.errors import ParameterError
from forensics.finding import DIGITS, REASONS, Event, Finding, Measurement, rounded
from forensics.method import Method, describe, setting
from forensics.timeline import Interval


@dataclass(frozen=True)
class Settings:
    least_px: float = setting(60.0, "px", "made up")


RATE = Measurement("blink_rate", 12.3456, "1/min", 4.0, 30.0, 0.95, 7, "counting")
FINDING = Finding(
    analysis="blink",
    question="blink.rate",
    person="A",
    subjects=("A1",),
    h1="one",
    h2="other",
    state="assessed",
    reasons=(),
    coverage=0.51239,
    covered=(Interval(0.12345, 1.0),),
    method=Method("counting", "3", "nobody 1999"),
    settings=Settings(),
    limits=("a limit",),
    alternatives=("an alternative",),
    measurements=(RATE,),
    score=0.123456,
)
REFUSED = replace(FINDING, state="not_assessable", reasons=("face_too_small",), measurements=(), score=None)


# -- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (12.34567, "ms", 12.3),
        (0.0014999, "s", 0.001),
        (12.345678, "%", 12.35),
        (44.96, "deg", 45.0),
        (1 / 3, "1", 0.333),
    ],
)
def test_numbers_are_given_at_the_resolution_of_their_unit(value, unit, expected):
    assert rounded(value, unit) == expected


def test_minus_nothing_is_nothing():
    assert str(rounded(-0.001, "ms")) == "0.0"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -np.inf])
def test_a_value_that_is_not_a_number_is_refused(value):
    with pytest.raises(ParameterError, match="a reported value is finite, found"):
        rounded(value, "ms")
    with pytest.raises(ParameterError, match="finite"):
        replace(RATE, value=value)
    with pytest.raises(ParameterError, match="finite"):
        replace(RATE, high=value)


def test_a_unit_without_a_resolution_is_refused():
    with pytest.raises(KeyError):
        replace(RATE, unit="furlongs")
    assert set(DIGITS) >= {"ms", "1/min", "%", "deg", "Hz", "dB", "1"}  # units of the architecture's table


def test_measurements_round_themselves_and_become_plain_numbers():
    measured = replace(RATE, value=np.float32(3.14159), low=np.float64(1.005), high=9.999)
    assert (measured.value, measured.low, measured.high) == (3.14, 1.0, 10.0)
    assert {type(v) for v in (measured.value, measured.low, measured.high)} == {float}


@pytest.mark.parametrize("part", [{"low": None}, {"high": None}, {"level": None}, {"low": None, "high": None}])
def test_half_an_interval_is_refused(part):
    with pytest.raises(ParameterError, match="low, high and level come together"):
        replace(RATE, **part)
    assert replace(RATE, low=None, high=None, level=None).low is None


# -- findings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "maybe"}, "a state is assessed or not_assessable, found 'maybe'"),
        ({"reasons": ("bad_karma",)}, r"a reason code is listed in REASONS, found \['bad_karma'\]"),
        ({"reasons": ("no_sound",)}, "reasons stand exactly where nothing could be assessed"),
        ({"coverage": 1.01}, "coverage lies between 0 and 1, found 1.01"),
        ({"coverage": float("nan")}, "coverage lies between 0 and 1"),
    ],
)
def test_a_finding_that_contradicts_itself_is_refused(changes, words):
    with pytest.raises(ParameterError, match=words):
        replace(FINDING, **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reasons": ()}, "reasons stand exactly where nothing could be assessed"),
        ({"measurements": (RATE,)}, "what cannot be assessed has no measurement and no score, found 'blink.rate'"),
        ({"score": 0.5}, "what cannot be assessed has no measurement and no score"),
    ],
)
def test_a_refusal_needs_a_reason_and_has_no_number(changes, words):
    with pytest.raises(ParameterError, match=words):
        replace(REFUSED, **changes)


def test_every_reason_is_a_sentence_and_says_what_would_help():
    for code, (sentence, help_) in REASONS.items():
        assert code == code.lower() and sentence.endswith(".") and help_.endswith("."), code


def test_a_finding_is_unusual_where_any_part_of_it_is():
    event = Event("blink", Interval(0, 1), "an eye closes")
    assert not replace(FINDING, events=(event,)).unusual
    assert replace(FINDING, events=(event, replace(event, unusual=True))).unusual
    assert replace(FINDING, measurements=(RATE, replace(RATE, unusual=True))).unusual


def test_a_measurement_is_found_by_its_name():
    assert FINDING.measurement("blink_rate") is FINDING.measurements[0]
    with pytest.raises(StopIteration):
        FINDING.measurement("blink_colour")


def test_findings_are_never_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        FINDING.score = 1.0


# -- plain values --------------------------------------------------------------------------------------------------


def test_json_gives_back_what_was_put_in_but_the_evidence():
    event = Event("blink", Interval(0.98765, 1.2), "an eye closes", details={"eye": "left", "depth": 0.8})
    plain = replace(FINDING, events=(event,), evidence={"curve": np.zeros(3)}).as_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain  # nothing but plain values
    assert "evidence" not in plain and "curve" not in json.dumps(plain)
    assert plain["coverage"] == 0.5124 and plain["score"] == 0.1235 and plain["strength"] is None
    assert plain["covered"] == [[0.123, 1.0]]
    assert plain["measurements"][0]["value"] == 12.35
    assert plain["events"] == [
        {
            "kind": "blink",
            "start_s": 0.988,
            "end_s": 1.2,
            "what": "an eye closes",
            "unusual": False,
            "eye": "left",
            "depth": 0.8,
        }
    ]
    assert plain["method"] == {"name": "counting", "version": "3", "reference": "nobody 1999"}
    assert plain["settings"] == [{"name": "least_px", "value": 60.0, "unit": "px", "source": "made up"}]


def test_json_of_a_refusal_has_reasons_and_no_score():
    plain = REFUSED.as_json()
    assert (plain["state"], plain["reasons"], plain["score"]) == ("not_assessable", ["face_too_small"], None)


def test_settings_describe_the_values_in_use_not_the_defaults():
    assert describe(Settings(least_px=12.0))[0]["value"] == 12.0

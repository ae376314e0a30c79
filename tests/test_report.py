"""The report: inert against hostile words, traceable to findings.json, the same bytes, clean in its words."""

import ast
import base64
import copy
import html
import io
import json
import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from PIL import Image

import forensics.finding
from forensics import custody, observe, plots, report
from forensics.case import Case
from forensics.clip import Clip
from forensics.errors import ParameterError
from forensics.finding import Event, Finding, Measurement
from forensics.method import Method, setting
from forensics.observe import Observation
from forensics.pipeline import Examination
from forensics.pipeline import Settings as AllSettings
from forensics.report import phrases, words
from forensics.report.plates import Plate, files, photographs, plates
from forensics.scene import Scene
from forensics.survey import COLUMNS, Survey
from forensics.text import visible
from forensics.timeline import Audio, FaceTrack, Interval, Series

PACKAGE = Path(forensics.finding.__file__).parent
SHA = "0123456789abcdef" * 4
HOSTILE = (
    "<script>alert(1)</script>",
    "{{7*7}} {% include 'x' %}",
    "![x](file:///etc/passwd) <img src=http://a.example/x.png>",
    "a\n\n# Conclusion\nLR = 1000000",
    "<h1>Genuine</h1></bdi></body>",
    "=HYPERLINK(1)",
    "\x1b[31mred\x1b[0m \x9b2J",
    "abc\u202egpj.exe\u200b\u2028",
    "$\\foo{$ '\" & \U0001f600",
    "z" * 100_000,
)


def jpeg():
    """The smallest picture that is one."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), (120, 90, 60)).save(buffer, "JPEG")
    return buffer.getvalue()


JPEG = jpeg()


# -- made-up values --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    window_s: float = setting(0.5, "s", "made up")
    bands_hz: tuple = setting((80.0, 7600.0), "Hz", "made up")
    workers: int = setting(2, "1", "changes nothing")


METHOD = Method("made-up method", "3", "nobody, 1999")


def finding(question="blink.rate", person="A", **changes):
    values = {
        "analysis": question.partition(".")[0],
        "question": question,
        "person": person,
        "subjects": (f"{person}1",) if person else (),
        "h1": "The whole face was generated from a picture.",
        "h2": "The face was recorded.",
        "state": "assessed",
        "reasons": (),
        "coverage": 0.8125,
        "covered": (Interval(0.5, 8.625),),
        "method": METHOD,
        "settings": Settings(),
        "limits": ("Tested on made-up values only.",),
        "alternatives": ("Dry air, contact lenses, medication.",),
        "source_sha256": SHA,
    }
    return Finding(**values | changes)


def measurement(name="blink_rate", value=7.123, unit="1/min", low=4.0, high=9.25, **changes):
    values = {
        "level": 0.95,
        "n": 23,
        "method": "count over seen minutes, exact Poisson interval",
        "reference": "10.5 to 32.5 per minute in conversation (Doughty 2001)",
        "unusual": True,
    }
    return Measurement(name, value, unit, low, high, **values | changes)


def blinks(n):
    return tuple(
        Event(
            "blink",
            Interval(0.3 * k, 0.3 * k + 0.12),
            "both eyes closed and opened",
            False,
            {"frame": 9 * k, "pts": 3600 * k, "eye": "both", "depth": 0.75},
        )
        for k in range(n)
    )


def findings():
    yield finding(measurements=(measurement(),), events=blinks(47), score=1.25, score_direction="higher: fewer blinks")
    yield finding(
        "lipsync.closure",
        "B",
        measurements=(
            measurement(
                "closure_rate",
                95.0,
                "%",
                80.5,
                99.25,
                unusual=False,
                n=19,
                reference="made-up range, 70 to 100 %",
            ),
            measurement("av_offset", -12.3, "ms", -30.0, 5.5, unusual=False, n=412, reference=""),
        ),
        events=(Event("missed_closure", Interval(6.04, 6.12), "lips open at a p", True, {"frame": 151, "pts": 77312}),),
    )
    yield finding(
        "lighting.head_fixed",
        "A",
        state="not_assessable",
        reasons=("light_too_flat", "head_turned"),
        coverage=0.25,
    )
    yield finding(
        "voice.splice",
        None,
        measurements=(
            measurement("f0_median", 118.4, "Hz", None, None, level=None, unusual=False, n=804, reference=""),
        ),
    )
    yield finding("blink.rate", "B", state="not_assessable", reasons=("eyes_too_small",), coverage=0.0, covered=())


def track(name, start_s, n, height=180.0):
    t_s = start_s + np.arange(n) / 25
    return FaceTrack(
        name,
        t_s,
        np.arange(n),
        np.arange(n) * 512,
        *(np.zeros((n, 1)) for _ in range(4)),
        quality={"face_height": Series("face_height", t_s, np.full(n, height), "px")},
    )


def clip(title="holiday", name="a film.mp4"):
    stream = {"start_s": 0.0, "duration_s": 10.0, "time_base": "1/12800", "tags": {"handler_name": title}}
    streams = [
        stream
        | {
            "index": 0,
            "kind": "video",
            "codec": "h264",
            "declared_frames": 253,
            "width": 1280,
            "height": 720,
            "pixel_format": "yuv420p",
            "declared_fps": 25.0,
            "sample_aspect_ratio": "1",
            "attached_picture": False,
        },
        stream
        | {
            "index": 1,
            "kind": "audio",
            "codec": "aac",
            "declared_frames": 0,
            "rate_hz": 48000,
            "channels": 2,
            "layout": "stereo",
            "start_s": 1024 / 48000,
        },
        stream | {"index": 2, "kind": "audio", "codec": "unknown", "declared_frames": 0},
    ]
    declared = {
        "container": "mov,mp4",
        "declared_start_s": 0.0,
        "declared_duration_s": 10.02,
        "declared_bit_rate": 1234567,
        "tags": {"title": title, title[:100]: "a tag's name may be hostile too"},
        "streams": streams,
    }
    return Clip(Path(name), SHA, SHA * 2, 3758596, declared, 0, 1)


def surveyed(title):
    """A container whose every name is ``title``."""
    stream = {"index": 0, "kind": "video", "codec": "h264", "profile": title, "level": 31, "fourcc": title}
    signed = {"state": "signer_untrusted", "why": title, "signer": title, "issuer": None, "signed": None, "made_by": []}
    facts = {"streams": [stream], "encoders": {"0": [title]}, "boxes": None, "credentials": signed}
    return Survey(facts, {name: np.zeros(3, kind) for name, kind in COLUMNS.items()}, 0, None)


def examination(title="holiday", found=None, **changes):
    t_s = np.delete(np.arange(251) / 25, 100)
    observation = Observation(
        size=(1280, 720),
        pictures={"t_s": t_s, "repeated": np.zeros(len(t_s), bool)},
        faces={},
        repeats={},
        closeups={},
        sightings={},
        mesh={},
        audio=Audio(np.zeros((480000, 2), np.float32), 48000, 1024 / 48000, (Interval(4.0, 4.5),)),
        losses={"picture": {"decode_failures": 1}, "sound": {"not_finite": 0}},
    )
    scene = Scene(
        interval=Interval(0.0, 10.04),
        observation=observation,
        tracks=[track("A1", 0, 120), track("B1", 5, 100, 211.456)],
        brief=[track("C1", 9.2, 8, 61.0)],
        shots=[Interval(0, 5), Interval(5, 10.04)],
        freezes=[Interval(2, 2.4)],
        speech=[Interval(0.5, 4.25)],
        level=None,
        survey=surveyed(title),
    )
    values = {
        "clip": clip(title),
        "scene": scene,
        "findings": list(findings()) if found is None else found,
        "settings": AllSettings(),
        "versions": {"forensics": "0.1.0", "av": "18.1.0", "numpy": "2.4.1"},
        "from_cache": False,
        "excerpt": None,
    }
    return Examination(**values | changes)


def charts_of(found):
    """One chart for each assessed finding, last ones first: the report orders them itself."""
    for f in reversed([f for f in found if f.state == "assessed"]):
        drawn, ax = plots.figure()
        ax.plot([0, 5, 10], [1, 3, 2], color=plots.BLUE, marker="o")
        plots.time_axis(ax, Interval(0, 10.04))
        ax.set_ylabel("made-up quantity (1)")
        yield (
            f,
            [
                plots.Chart(
                    f.question,
                    drawn,
                    "Notice the rise. It does not show why.",
                    "a line that rises, then falls",
                    {"t_s": [0.0, 5.0, 10.0], "value": [1, 3, 2]},
                )
            ],
        )


def stills():
    shared = {"caption": "The mesh is drawn.", "jpeg": JPEG, "question": ""}
    yield SimpleNamespace(name="B-6.040", person="B", t_s=6.04, frame=151, pts=77312, **shared)
    yield SimpleNamespace(name="A/../first", person="A", t_s=0.2, frame=0, pts=0, **shared)


STATE = {
    "evidence_name": "a film.mp4",
    "evidence_sha256_after": SHA,
    "opened_utc": "2024-05-06T07:08:09+00:00",
}


def logged(*actions, **changes):
    """Entries of a log, one for each action."""
    return [
        custody.sealed(
            {"n": n, "utc": f"2024-05-06T07:08:{n:02d}.000+00:00", "actor": "m. muster", "role": "examiner"}
            | {"action": action, "previous": custody.START}
            | changes
        )
        for n, action in enumerate(actions, 1)
    ]


LOG = logged("started", "opened", "reported", "named", "started", "claimed", "opened", "examined")


@cache
def usual_page():
    return page(examination())


def page(of=None, state=STATE, pictures=stills, log=LOG):
    if of is None and state is STATE and log is LOG:
        return usual_page()
    of = of or examination()
    record = report.findings_json(of)
    drawn = plates(record, charts_of(of.findings))
    return report.render(record, drawn, photographs(record, pictures()), state, log)


class Reader(HTMLParser):
    """Elements with attributes, headings, and text of a page."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.headings, self.text, self._in = [], [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in words.VOID:
            self._in.append(tag)

    def handle_endtag(self, tag):
        assert self._in.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if "style" in self._in:
            return
        self.text.append(data)
        if re.fullmatch("h[1-6]", self._in[-1] if self._in else ""):
            self.headings.append((self._in[-1], data.strip()))


# -- findings.json ---------------------------------------------------------------------------------


def test_the_record_fits_its_schema():
    jsonschema.Draft202012Validator.check_schema(report.schema())
    jsonschema.validate(report.findings_json(examination()), report.schema())
    jsonschema.validate(report.findings_json(examination(HOSTILE[3], [])), report.schema())


def spoiled():
    def change(path, value):
        record = report.findings_json(examination())
        *way, last = path
        place = record
        for step in way:
            place = place[step]
        place[last] = value
        return record

    yield "unknown field", change(["findings", 0, "fake_percent"], 97)
    yield "unknown field of a measurement", change(["findings", 0, "measurements", 0, "verdict"], "x")
    yield "a strength", change(["findings", 0, "strength"], 3.0)
    yield "reasons beside a result", change(["findings", 0, "reasons"], ["no_speech"])
    yield "no reason", change(["findings", 2, "reasons"], [])
    yield "text for a number", change(["findings", 0, "measurements", 0, "value"], "7.1")
    yield "unusual without a reference", change(["findings", 0, "measurements", 0, "reference"], "")
    yield "no limits", change(["findings", 0, "limits"], [])
    yield "a short hash", change(["clip", "sha256"], SHA[:12])
    yield "one-sided stretch", change(["clip", "examined"], [0.0])


@pytest.mark.parametrize(("name", "record"), [pytest.param(*case, id=case[0]) for case in spoiled()])
def test_the_schema_refuses(name, record):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, report.schema())


def test_decoded_stands_beside_declared():
    facts = report.findings_json(examination())["clip"]
    assert (facts["frames_declared"], facts["frames_decoded"], facts["frames_lost"]) == (253, 250, 3)
    assert (facts["declared_duration_s"], facts["duration_s"]) == (10.02, 10.04)
    assert facts["mean_fps"] == 24.9
    assert (
        facts["picture_step_ms"] == {"shortest": 40.0, "median": 40.0, "longest": 80.0} and facts["uneven_steps"] == 1
    )
    assert facts["sound_gaps"] == [[4.0, 4.5]] and facts["sound_start_s"] == 0.021


def test_pictures_that_an_edit_list_hides_are_not_lost():
    of = examination()
    survey = of.scene.survey
    shown = survey.of(of.clip.picture)["hidden"]
    hidden = replace(survey, packets={**survey.packets, "hidden": survey.packets["stream"] == of.clip.picture})
    facts = report.findings_json(replace(of, scene=replace(of.scene, survey=hidden)))["clip"]
    assert facts["frames_hidden"] == len(shown) > 0 and facts["frames_lost"] == max(0, 3 - len(shown))
    assert f"{len(shown)}: stored in the file and, by its edit list" in page(
        replace(of, scene=replace(of.scene, survey=hidden))
    )


def test_an_excerpt_says_nothing_of_lost_pictures():
    of = examination(excerpt=Interval(0, 10))
    assert report.findings_json(of)["clip"]["frames_lost"] is None
    assert "--from 0 --to 10 --out" in page(of)


def test_a_container_that_counts_nothing_loses_nothing_known():
    of = examination()
    of.clip.declared["streams"][0]["declared_frames"] = 0
    assert report.findings_json(of)["clip"]["frames_lost"] is None


def test_sound_alone_and_picture_alone():
    of = examination(found=[])
    silent = replace(of.scene, observation=replace(of.scene.observation, audio=None), speech=None)
    unseen = replace(of.scene.observation, size=None, pictures={})
    blind = replace(of.scene, observation=unseen, tracks=[], brief=[], shots=[], freezes=[])
    for scene, without in ((silent, {"sound": None}), (blind, {"picture": None})):
        one = replace(of, scene=scene, clip=replace(of.clip, **without))
        jsonschema.validate(report.findings_json(one), report.schema())
        assert "None of the questions could be assessed" in page(one, pictures=list)
    assert report.findings_json(one)["clip"]["duration_s"] == 10.0


def test_no_number_is_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        report.dumps({"depth": math.nan})
    with pytest.raises(ValueError, match="not JSON compliant"):
        report.findings_json(
            examination(
                found=[finding(events=(Event("blink", Interval(0, 1), "blink", details={"depth": np.float32("nan")}),))]
            )
        )


def test_numpy_values_become_plain_ones():
    f = finding(events=(Event("blink", Interval(0, 1), "blink", details={"frame": np.int64(3)}),))
    assert report.findings_json(examination(found=[f]))["findings"][0]["events"][0]["frame"] == 3


def test_workers_and_names_of_files_are_not_in_the_record():
    of = examination()
    text = report.dumps(report.findings_json(of))
    more = replace(of, settings=AllSettings(observe=observe.Settings(workers=7)))
    assert report.dumps(report.findings_json(more)) == text
    assert "a film" not in text and "cell_s" in text


# -- report.html -----------------------------------------------------------------------------------


def test_it_loads_nothing_and_runs_nothing():
    source = page()
    elements = Reader(source).elements
    assert source.startswith("<!DOCTYPE html>") and ("html", {"lang": "en"}) in elements
    policy = [a["content"] for tag, a in elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert not {tag for tag, _ in elements} & {
        "script",
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "form",
        "video",
    }
    assert not re.search(r"https?:|@import|url\(|javascript:", source)
    for _, attributes in elements:
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("src", "data:image/").startswith("data:image/")
        assert attributes.get("href", "#").startswith("#")


@pytest.mark.parametrize("title", HOSTILE, ids=lambda t: t[:12].encode("unicode_escape").decode())
def test_hostile_words_are_inert(title):
    calm, source = Reader(page()), page(examination(title), STATE | {"evidence_name": title})
    reader = Reader(source)
    assert reader.headings == calm.headings
    tags = [t for t in reader.elements if t[0] != "br"]  # two tags' names may fall together
    assert {t for t, _ in tags} == {t for t, _ in calm.elements} - {"br"} and "49" not in visible(title)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", source)
    assert len(source) < len(page()) + 10_000
    shown = "".join(reader.text)
    assert visible(title)[:40] in shown
    assert not re.search(r"^\s*LR = ", shown, re.MULTILINE)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: t[:12].encode("unicode_escape").decode())
def test_our_own_texts_cannot_become_markup_either(text):
    """A caption or an event may one day quote the evidence."""

    def told(by):
        f = finding(events=(Event("blink", Interval(0, 1), by, True),), limits=(by,), h1=by)
        record = report.findings_json(examination(found=[f]))
        pictures = photographs(record, [SimpleNamespace(**vars(next(stills())) | {"caption": by})])
        return report.render(record, [Plate(1, 0, by, b"<svg/>", "", by, by)], pictures, STATE, LOG)

    calm, source = Reader(told("calm")), told(text)
    reader = Reader(source)
    assert [tag for tag, _ in reader.elements] == [tag for tag, _ in calm.elements]
    assert reader.headings == calm.headings
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", source)


def test_what_the_container_states_is_told_as_stated_and_null_where_it_was_not_surveyed():
    record = report.findings_json(examination("Maker 1.0"))
    told = {(row["about"], row["what"]): row["said"] for row in record["clip"]["stated"]}
    assert told["stream 0 (video)", "Names that encoders wrote"] == "Maker 1.0"
    assert record["clip"]["content_credentials"] == "signer_untrusted"
    assert "as stated by the file" in page() and "says nothing" in page()
    without = examination()
    without = replace(without, scene=replace(without.scene, survey=None))
    record = report.findings_json(without)
    jsonschema.validate(record, report.schema())
    assert record["clip"]["stated"] is None and "as stated by the file" not in page(without)


def test_hostile_words_are_inert_in_the_record():
    for title in HOSTILE:
        text = report.dumps(report.findings_json(examination(title)))
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", text)


def test_evidence_keeps_to_its_own_box():
    assert (
        page(state=STATE | {"evidence_name": "Genuine <b>"}).count('<bdi class="evidence">Genuine &lt;b&gt;</bdi>') == 1
    )


NUMBER = re.compile(r"(?<![\w.⟨+-])[−]?\d+(?:,\d{3})*(?:\.\d+)?")


def numbers_of(value):
    """All numbers in a value of the record, in its texts too, and how many entries its lists have."""
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, int | float):
        return {float(value), round(100 * value, 6)}
    if isinstance(value, str):
        return numbers_in(value)
    if isinstance(value, dict):
        return set().union(*map(numbers_of, [*value, *value.values()]))
    return {float(len(value))}.union(*map(numbers_of, value))


def numbers_in(text):
    times = re.findall(r"−?\d+:\d\d:\d\d\.\d{3}", text)
    rest = re.sub(r"−?\d+:\d\d:\d\d\.\d{3}", " ", text)
    seconds = {round(int(h) * 3600 + int(m) * 60 + float(s), 3) for h, m, s in (t.split(":") for t in times)}
    return seconds | {float(n.replace(",", "").replace("−", "-")) for n in NUMBER.findall(rest)}


def test_every_number_stands_in_the_record():
    record = report.findings_json(examination())
    ours = numbers_in(" ".join(Reader(re.sub(r"{[{%#].*?[#%}]}", " ", template())).text))
    beside = {
        1.0,
        2.0,
        3.0,
        7.0,
        512.0,
        47 - 40.0,
    }  # figures, stills, entries of the log; the rest of the events
    source = re.sub(r'<(\w+) class="hash">.*?</\1>|<code>.*?</code>', " ", page(state={}, log=[]))
    shown = numbers_in(" ".join(Reader(source).text))
    assert len(shown) > 100
    assert shown - numbers_of(record) - ours - beside == set()


def test_a_finding_is_told_in_full():
    text = re.sub(r"\s+", " ", " ".join(Reader(page()).text))
    for phrase in (
        "Person A",
        "Blink rate",
        "7.12 per minute",
        "4.00 to 9.25",
        "10.5 to 32.5 per minute in conversation (Doughty 2001)",
        "Outside the reference range",
        "The whole face was generated from a picture.",
        "81.25 % of the examined time",
        "Dry air, contact lenses, medication.",
        "Tested on made-up values only.",
        "made-up method, version 3",
        "80, 7600",
        "−12.3 ms",
        "…and 7 more in the CSV.",
        "events-A-blink.rate.csv",
    ):
        assert phrase in text.replace("\u00a0", " "), phrase


def test_what_stood_out_is_named_with_its_instants():
    text = " ".join(Reader(page()).text).replace("\u00a0", " ")
    part = text[text.index("What stood out") : text.index("What could not be assessed", text.index("What stood out"))]
    assert (
        "lips open at p, b or m of the words told: 6.040 s (0:00:06.040)" in part
        and "blink rate 7.12 per minute" in part
    )
    assert "is not evidence that the recording is unaltered" in part


def test_nothing_outside_the_ranges_is_no_evidence_of_anything():
    calm = [finding(measurements=(measurement(unusual=False),))]
    text = re.sub(r"\s+", " ", " ".join(Reader(page(examination(found=calm))).text))
    assert "No measurement was marked as lying outside its published range" in text
    assert "This is not evidence that the recording is unaltered" in text


def test_what_could_not_be_assessed_is_listed_with_reason_and_help():
    source = html.unescape(page().replace("<wbr>", ""))
    part = source[source.index('id="s4"') : source.index('id="s5"')]
    for code in ("light_too_flat", "head_turned", "eyes_too_small"):
        assert code in part and all(text in part for text in forensics.finding.REASONS[code])
    assert "C1" in part and "stream 2" in part


def test_a_changed_hash_is_loud():
    assert "equal to the hash before" in page()
    assert "DIFFERENT" in page(state=STATE | {"evidence_sha256_after": "0" * 64})
    assert "Hash after the run</dt><dd>\nnot recorded" in page(state={})


def test_pictures_have_text_and_figures_are_numbered_in_order():
    source = page()
    images = [a for tag, a in Reader(source).elements if tag == "img"]
    assert len(images) == 5 and all(len(a["alt"]) > 10 for a in images)
    svg = base64.b64decode(images[1]["src"].partition(",")[2])
    assert svg.lstrip().startswith(b"<?xml") and b"<script" not in svg
    figures = re.findall(
        r"<b>Figure (\d)\.</b> Item 0123456789ab, 0\.000 to 10\.040.*?tables/(\S+?)</code>", source, re.DOTALL
    )
    assert figures == [("1", "1-blink.rate.csv"), ("2", "2-lipsync.closure.csv"), ("3", "3-voice.splice.csv")]
    assert "made-up method version 3, n = 19, 412. Notice the rise." in source


def test_a_still_stands_with_the_finding_that_flags_its_instant():
    at = {"person": "A", "t_s": 6.04}
    listed = Event("blink", Interval(6, 6.1), "a blink")
    flagged = Event("missed_closure", Interval(6.04, 6.04), "open lips", True)
    found = [
        finding(events=(listed,)),
        finding("lipsync.closure", events=(flagged,)),
        finding("lighting.direction"),
    ]
    still = SimpleNamespace(**vars(next(stills())) | at)

    def place(of):
        return photographs(report.findings_json(examination(found=of)), [still])[0].place

    assert (place(found), place(found[:1]), place(found[2:])) == (1, 0, None)


def test_a_strip_stands_with_the_finding_it_was_taken_for_in_its_order():
    """Though a blink falls on it."""
    found = [finding(events=(Event("blink", Interval(6, 6.1), "a blink"),)), finding("lipsync.offset")]
    of = examination(found=found)
    strip = [
        SimpleNamespace(
            **vars(next(stills()))
            | {"person": "A", "t_s": 6.04 + k / 25, "question": "lipsync.offset", "name": f"A-{k}", "caption": what}
        )
        for what in ("Where they go together most", "Least")
        for k in range(3)
    ]
    assert [p.place for p in photographs(report.findings_json(of), strip)] == [1] * 6
    source = page(of, pictures=lambda: iter(strip))
    assert source.count('<figure class="strip">') == 2
    assert source.index("Stills 1 to 3.</b> Where they go together most") < source.index("Stills 4 to 6.</b> Least")


def test_stills_are_numbered_as_they_stand():
    source = page()
    assert source.index("1-A-..-first.jpg") < source.index("<h4>How often the person blinks</h4>")
    assert source.index("Lips closed at p, b and m</h4>") < source.index("2-B-6.040.jpg")


def test_a_chart_or_still_of_another_examination_is_refused():
    record = report.findings_json(examination())
    with pytest.raises(ParameterError, match="belongs to a finding"):
        plates(record, charts_of([finding("blink.other")]))
    with pytest.raises(ParameterError, match="belongs to a person"):
        photographs(record, [SimpleNamespace(**vars(next(stills())) | {"person": "Z"})])


# -- named persons ---------------------------------------------------------------------------------


def of_names(*names):
    """The usual examination with its tracks A1, B1 and C1 (brief) named, and what the case knows of it."""
    of = examination(found=[replace(f, person=names[0]) if f.person == "A" else f for f in findings()])
    tracks = [replace(t, named=n) for t, n in zip([*of.scene.tracks, *of.scene.brief], names, strict=True)]
    kept = [t for t in tracks[:2] if t.named != "nobody"]
    scene = replace(of.scene, tracks=kept, brief=tracks[2:], set_aside=[t for t in tracks[:2] if t.named == "nobody"])
    given = {
        t.name: {"name": t.named, "actor": "m. muster", "utc": "2024-05-06T07:08:09+00:00", "entry": 17}
        for t in tracks
        if t.named
    }
    state = STATE | {"observation": {"key": "k", "tracks": []}, "names": {"k": {"tracks": [], "given": given}}}
    people = {t.person for t in kept}
    return replace(of, scene=scene, findings=[f for f in of.findings if f.person in people | {None}]), state


def test_a_named_person_is_told_with_who_named_it():
    of, state = of_names("Anna", "nobody", "Carl")
    record = report.findings_json(of)
    jsonschema.validate(record, report.schema())
    assert [(t["name"], t["person"]) for t in record["clip"]["set_aside"]] == [("B1", "nobody")]
    shown = " ".join("".join(Reader(page(of, state, list)).text).split())
    assert "Person\u00a0Anna" in "".join(Reader(page(of, state, list)).text)
    assert "m. muster, 2024-05-06T07:08:09+00:00, log entry 17" in shown
    assert "Set aside by: m. muster" in shown and "forensics name CASE A1=Anna C1=Carl B1=nobody" in shown
    assert "The analyst named or set aside faces" in shown and "Names not applied" not in shown


def test_letters_are_told_as_such_and_names_of_another_run_as_not_applied():
    _, state = of_names("Anna", "nobody", "Carl")
    shown = " ".join("".join(Reader(page(state=state | {"observation": {"key": "other", "tracks": []}})).text).split())
    assert "Names not applied: A1=Anna, B1=nobody, C1=Carl." in shown
    assert "not named" in shown and "The analyst named" not in shown and "forensics name CASE A1" not in shown


@pytest.mark.parametrize("name", [text for text in HOSTILE if len(text) < 1000], ids=ascii)
def test_a_hostile_name_is_inert(name):
    """Even one that the rules of naming refuse, written into the case by hand."""
    calm, source = (page(*of_names(n, "nobody", "Carl"), list) for n in ("Anna", name))
    assert [t for t, _ in Reader(source).elements if t != "wbr"] == [t for t, _ in Reader(calm).elements if t != "wbr"]
    assert len(Reader(source).headings) == len(Reader(calm).headings)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", source)
    assert not words.check(source)


# -- the custody log -------------------------------------------------------------------------------


def custody_of(source):
    """Rows of the table of custody, each a tuple of its cells' texts."""
    table = re.search(r"<caption>Custody log.*?</table>", source, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table[0], re.DOTALL)[1:] if table else []
    return [tuple(html.unescape(re.sub("<.*?>", "", c)) for c in re.findall(r"<t[hd].*?</t[hd]>", r)) for r in rows]


def test_the_custody_log_is_told_for_this_run_with_its_head_and_what_it_cannot_show():
    rows = custody_of(page())
    assert [(row[0], row[4]) for row in rows] == [(str(e["n"]), e["action"]) for e in LOG[4:]]
    assert rows[1] == ("6", "2024-05-06 07:08:06.000", "m. muster", "examiner", "claimed", LOG[5]["hash"][:12])
    shown = html.unescape(page())
    assert (
        f'8 entries when this report was made; hash of the last: <span class="hash">{LOG[-1]["hash"]}</span>' in shown
    )
    assert all(f"<li>{sentence}</li>" in shown for sentence in custody.CANNOT_SHOW)


@pytest.mark.parametrize(
    ("actions", "first"),
    [
        ("claimed opened", 1),
        ("started opened reported claimed opened", 4),  # the second run was begun in a notebook
        ("started opened started opened", 3),  # the first was killed
        ("started refused named started interrupted started opened", 6),
        ("started opened broke_off opened", 4),
    ],
)
def test_the_entries_of_this_run_are_those_behind_the_end_of_the_one_before(actions, first):
    log = logged(*actions.split())
    assert [row[0] for row in custody_of(page(log=log))] == [str(n) for n in range(first, len(log) + 1)]


def test_a_log_without_entries_and_a_long_one():
    assert custody_of(page(log=[])) == [] and custody.START in page(log=[])
    long = page(log=logged(*["opened"] * 59))
    assert [row[0] for row in custody_of(long)] == [str(n) for n in range(30, 60)]
    assert "The last 30 of 59 entries of this run" in long


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: t[:12].encode("unicode_escape").decode())
def test_a_hostile_log_is_inert(text):
    """A case may come from anyone."""
    calm = Reader(page(log=logged("opened")))
    source = page(log=logged(text, utc=text, actor=text, role=text))
    reader = Reader(source)
    assert [tag for tag, _ in reader.elements] == [tag for tag, _ in calm.elements]
    assert reader.headings == calm.headings and len(custody_of(source)) == 1
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", source)


def test_fields_that_an_entry_lacks_are_told_as_absent():
    entry = custody.sealed({"n": 1, "utc": "then", "action": "opened", "previous": custody.START})
    assert custody_of(page(log=[entry])) == [("1", "then", "—", "—", "opened", entry["hash"][:12])]


def test_the_head_in_the_report_is_that_of_the_entry_before_it_was_reported(tmp_path):
    path = write(tmp_path, examination())
    with Case(tmp_path, Path("a film.mp4"), lambda: datetime(2024, 5, 6, tzinfo=UTC)) as case:
        head = case.log_head()[0]
        case.reported()
        assert case.entries()[-1]["previous"] == head and head in path.read_text()


# -- the case folder -------------------------------------------------------------------------------


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def write(folder, of):
    with Case(folder, Path("a film.mp4"), lambda: datetime(2024, 5, 6, tzinfo=UTC)) as case:
        case.log("opened")
        record = report.findings_json(of)
        return report.write(case, record, report.plates(record, charts_of(of.findings)), stills())


def test_the_same_examination_gives_the_same_bytes(tmp_path):
    assert write(tmp_path / "one", examination()) == tmp_path / "one" / "report.html"
    write(tmp_path / "two", examination())
    first = contents(tmp_path / "one")
    assert first == contents(tmp_path / "two")
    assert json.loads(first["findings.json"])["schema"] == "forensics-findings-1"
    assert {
        "charts/1-blink.rate.svg",
        "tables/1-blink.rate.csv",
        "tables/events-A-blink.rate.csv",
        "stills/2-B-6.040.jpg",
        "stills/1-A-..-first.jpg",
    } <= first.keys()
    assert len(first["tables/events-A-blink.rate.csv"].splitlines()) == 48


def test_names_that_look_alike_when_plain_keep_their_own_tables():
    """Letters keep their plain names; no name is taken for the sound, and none differs by case alone."""
    people = ("A", "AB", "Ж", "Ю", "a b", "a/b", "Anna", "anna", "sound", None)
    record = report.findings_json(examination(found=[finding(person=p, events=blinks(1)) for p in people]))
    names = [name.casefold() for name in files(record, [], [])]
    assert len(set(names)) == len(people)
    assert {"tables/events-a-blink.rate.csv", "tables/events-sound-blink.rate.csv"} <= set(names)
    assert all(re.fullmatch(r"[\w./-]+", name, re.ASCII) and ".." not in name for name in names)


def test_files_of_an_earlier_report_go(tmp_path):
    write(tmp_path, examination())
    write(tmp_path, examination(found=[finding(events=blinks(1))]))
    left = contents(tmp_path).keys()
    assert {n for n in left if n.startswith("charts/")} == {"charts/1-blink.rate.svg"}
    assert {n for n in left if n.startswith("tables/")} == {
        "tables/1-blink.rate.csv",
        "tables/events-A-blink.rate.csv",
        "tables/stills.csv",
    }


def test_the_record_is_not_changed_by_rendering():
    record = report.findings_json(examination())
    before = copy.deepcopy(record)
    report.render(record, [], [], STATE, LOG)
    assert record == before


def test_the_table_of_events_keeps_milliseconds_and_runs_nothing():
    f = finding(
        events=(
            Event("blink", Interval(20000.123, 20000.25), "=HYPERLINK(1)", details={"pts": 2560015744}),
            Event("blink", Interval(20001, 20002), "x"),
        )
    )
    record = report.findings_json(examination(found=[f]))
    table = files(record, [], [])["tables/events-A-blink.rate.csv"]
    assert "20000.123,20000.25,5:33:20.123,'=HYPERLINK(1),False,2560015744" in table


# -- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "This video is fake.",
        "a deepfake",
        "The recording is authentic.",
        "an authentic recording",
        "The voices match.",
        "This proves it.",
        "It is certain.",
        "certainly",
        "97 % confidence",
        "97% confident",
        "a zero error rate",
        "an error rate of 0",
        "beyond reasonable doubt",
        "to a reasonable degree of scientific certainty",
        "The video was manipulated.",
        "very likely",
        "The face is real.",
        "clearly shows",
        "conclusive",
        '<img alt="genuine speech">',
        "The speaker is lying",
        "<b>Fake</b>d",
        "92 % probability",
    ],
)
def test_the_lint_fails(said):
    assert words.check(f"<p>{said}</p>")


@pytest.mark.parametrize(
    "said",
    [
        "95 % interval 1.0 to 2.0",
        "uncertain",
        "95 % confidence interval",
        "no likelihood ratio is given",
        "81.25 % of the examined time",
        "This is not evidence that the recording is unaltered",
        "whether the video was edited",
        "<strong>H1</strong>: The face was replaced.",
        '<bdi class="evidence">genuine <i>fake</i></bdi>',
        "<style>.match { color: red }</style>",
        "The SHA-256 is equal.",
        "Digital Audio Authentication",
        "authentic dev clips",
        "template matching",
        "a value lying outside",
        "Innocent alternatives",
    ],
)
def test_the_lint_lets_pass(said):
    assert words.check(f"<p>{said}</p>") == []


def test_the_lint_reads_on_behind_the_evidence():
    assert words.check('<bdi class="evidence">a<br>b<i>c</i></bdi> fake')
    assert words.check("<style>p {}</style><p>fake</p>")


def test_the_report_says_nothing_forbidden():
    assert words.check(page()) == []
    assert words.check(page(examination(HOSTILE[4], []), {"evidence_name": "genuine.mp4"})) == []


def template():
    return "\n".join(p.read_text() for p in sorted((PACKAGE / "report/templates").glob("*.html.j2")))


def test_the_templates_say_nothing_forbidden():
    assert words.check(re.sub(r"{[{%#].*?[#%}]}", " ", template(), flags=re.DOTALL)) == []


def texts(path):
    """All texts of a module that are not docstrings."""
    tree = ast.parse(path.read_text())
    docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}
    return [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs
    ]


SPEAKING = [
    PACKAGE / "finding.py",
    PACKAGE / "report/phrases.py",
    PACKAGE / "telling.py",
    *(
        PACKAGE / f"report/{room}.py"
        for room in ("html", "asked", "opening", "item", "observed", "weighed", "closing", "matter", "document")
    ),
    *sorted((PACKAGE / "analysis").rglob("*.py")),
]


@pytest.mark.parametrize("path", SPEAKING, ids=lambda p: p.stem)
def test_modules_that_speak_say_nothing_forbidden(path):
    # A text on its own may be a hypothesis; said of the recording it is caught in the report.
    assert [hit for text in texts(path) for hit in words.check(html.escape(f"hypothesis {text}"))] == []


# -- phrases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t_s", "said"),
    [
        (0, "0:00:00.000"),
        (59.9996, "0:01:00.000"),
        (3723.4567, "1:02:03.457"),
        (-0.021, "−0:00:00.021"),
    ],
)
def test_timecode(t_s, said):
    assert phrases.timecode(t_s) == said


def test_visible_spells_out_what_steers():
    assert visible("a\u202eb\x1b\n") == "a⟨U+202E⟩b⟨U+001B⟩⟨U+000A⟩"
    assert visible("x" * 400) == "x" * 300 + " … (cut)"
    assert visible("Grüße, 東京 \U0001f600") == "Grüße, 東京 \U0001f600"


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (-12.0, "ms", "−12.0\u00a0ms"),
        (7.1, "1/min", "7.10\u00a0per minute"),
        (45.0, "deg", "45.0°"),
        (0.5, "1", "0.500"),
    ],
)
def test_a_quantity_is_printed_at_its_resolution(value, unit, said):
    assert phrases.quantity(value, unit) == said

"""The explorer: lanes keep what matters, picture k is picture k, hostile messages change nothing, acts are logged."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import planted
import pytest
import synth

from forensics import custody, open_case, pipeline
from forensics.case import Case
from forensics.custody import Actor
from forensics.errors import CaseError, MediaError, ParameterError
from forensics.explorer import asking, frames, measuring, signals
from forensics.scene import within
from forensics.timeline import Interval, Series

widget = pytest.importorskip("forensics.explorer.widget", reason="needs anywidget, of the extra notebooks")
ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "forensics/explorer/explorer.js"
WHO = Actor("Ada", "examiner")


# -- lanes ---------------------------------------------------------------------------------------------------------


def test_thinning_keeps_every_extreme_that_a_screen_could_show():
    rng = np.random.default_rng(1)
    t_s, values = np.arange(100_000) / 100, rng.normal(size=100_000)
    values[[12_345, 77_777]] = 40, -40
    points = signals.thinned(t_s, values, Interval(0, 1000))
    assert len(points) <= signals.MOST_POINTS + 2
    assert np.all(np.diff(points[:, 0]) >= 0)
    assert points[:, 1].max() == 40 and points[:, 1].min() == -40
    assert points[points[:, 1].argmax(), 0] == 123.45, "at its own time"
    near = (points[:, 0] >= 500) & (points[:, 0] < 510)
    assert points[near, 1].max() == values[50_000:51_000].max()


def test_what_fits_on_the_screen_is_not_thinned():
    t_s, values = np.arange(5000) / 100, np.sin(np.arange(5000))
    points = signals.thinned(t_s, values, Interval(10, 20))
    assert np.array_equal(points[1:-1, 1], values[1000:2000]), "and one point beyond each end"
    assert len(points) == 1002


@pytest.mark.parametrize("interval", [Interval(0, 1000), Interval(290, 320)])
def test_gaps_stay_gaps(interval):
    t_s, values = np.arange(100_000) / 100, np.ones(100_000)
    values[30_000:31_000] = np.nan
    points = signals.thinned(t_s, values, interval)
    inside = (points[:, 0] > 301) & (points[:, 0] < 309)
    assert inside.any() and np.isnan(points[inside, 1]).all()
    assert np.isfinite(points[(points[:, 0] < 299) | (points[:, 0] > 311), 1]).all()


def test_two_appearances_are_not_joined_by_a_line():
    t_s, values = signals.joined([(np.arange(3.0), np.ones(3)), (np.arange(10.0, 13.0), np.ones(3))])
    between = (t_s >= 2) & (t_s < 10)
    assert np.isnan(values[between]).any() and len(signals.joined([])[0]) == 0


def test_many_stretches_run_together_and_none_vanishes():
    spans = [{"from": k * 0.01, "to": k * 0.01 + 0.005, "label": "x"} for k in range(50_000)]
    shown = signals.fewer(spans, Interval(0, 500))
    assert len(shown) <= signals.MOST_SPANS
    assert shown[0]["from"] == 0 and shown[-1]["to"] == pytest.approx(499.995, abs=1.5)
    assert signals.fewer(spans, Interval(1, 1.05)) == [s for s in spans if s["to"] >= 1 and s["from"] < 1.05]


def test_the_wave_from_afar_keeps_a_click():
    samples = np.zeros(48_000 * 60, np.float32)
    samples[1_234_567] = 0.9
    wave = signals.wave(planted.sound(samples, rate_hz=48_000))
    points = wave.points(Interval(0, 60))
    assert len(points) <= signals.MOST_POINTS + 2
    assert points[points[:, 1].argmax()] == pytest.approx([1_234_567 / 48_000, 0.9], abs=signals.BLOCK / 48_000)
    close = wave.points(Interval(25.72, 25.721))
    assert len(close) >= 48 and len(close) <= 50


@pytest.mark.parametrize("part", [Interval(50, 53), Interval(0, 100)])
def test_the_spectrogram_shows_a_tone_where_it_sounds(part, monkeypatch):
    monkeypatch.setattr(signals, "READ_S", 10.0)  # both ways of reading
    samples = np.concatenate([np.zeros(24_000 * 50, np.float32), synth.tone(50.0, 24_000, 2000.0)[:, 0]])
    shown = signals.spectrogram(planted.sound(samples), part)
    assert shown is not None and shown["levels"].shape == (signals.BANDS, signals.COLUMNS)
    band = round(2 / shown["high"] * signals.BANDS)
    loud = shown["levels"][:, -10:].mean(1)
    assert abs(int(loud.argmax()) - band) <= 1 and loud.max() > 240
    if part.end_s == 100:
        assert shown["levels"][:, :250].max() == 0, "silence before it"


# -- pictures ------------------------------------------------------------------------------------------------------


def drawn(path, side=240, interval=None):
    """Rows and decoded grey levels of the copy of a file."""
    with path.open("rb") as file:
        messages = [m for m in frames.draw(file.fileno(), 0, side, interval) if m[0]]
    return [m[0]["row"] for m in messages], [cv2.imdecode(m[1]["jpeg"], cv2.IMREAD_COLOR) for m in messages]


@pytest.mark.parametrize(
    "times_s",
    [
        [k / 25 for k in range(30)],
        [1.5 + k / 25 for k in range(30)],  # it begins late
        np.cumsum([0.02 + 0.05 * (k % 3) for k in range(30)]).tolist(),  # a telephone's variable rate
    ],
)
def test_picture_k_is_picture_k_at_its_own_time(tmp_path, times_s):
    """B-pictures and one key picture: a player that seeks would have to decode from there."""
    levels = [8 * k for k in range(30)]
    made = synth.Pictures(
        [np.full((48, 64, 3), level, np.uint8) for level in levels],
        times_s,
        options={"crf": "4", "bf": "2", "g": "250"},
    )
    path = synth.write(tmp_path / "steps.mkv", made)
    rows, pictures = drawn(path)
    assert [row[0] for row in rows] == list(range(30))
    assert [row[2] for row in rows] == pytest.approx([round(t, 3) for t in times_s], abs=1e-9)
    assert [row[1] for row in rows] == [round(1000 * t) for t in times_s]
    assert [p.mean() for p in pictures] == pytest.approx(levels, abs=4)


def test_a_part_holds_its_own_pictures_alone(tmp_path):
    path = synth.write(tmp_path / "part.mkv", synth.evenly([np.full((48, 64, 3), 8 * k, np.uint8) for k in range(30)]))
    rows, pictures = drawn(path, interval=[0.4, 0.8])
    assert [row[0] for row in rows] == list(range(10, 20)) and pictures[0].mean() == pytest.approx(80, abs=4)


def test_a_turned_recording_is_shown_upright_and_small(tmp_path):
    face = synth.portrait(200, 320)
    path = synth.write(tmp_path / "up.mp4", synth.evenly([face] * 3, time_base=Fraction(1, 12_800)))
    path.write_bytes(synth.turned(path.read_bytes(), (0, 1, -1, 0)))
    _, pictures = drawn(path, side=100)
    height, width = face.shape[:2]
    assert pictures[0].shape[:2] == (
        round(width * 100 / min(face.shape[:2])),
        round(height * 100 / min(face.shape[:2])),
    )
    upright = cv2.resize(np.rot90(face, -1), pictures[0].shape[1::-1], interpolation=cv2.INTER_AREA)[..., ::-1]
    assert np.abs(upright.astype(float) - pictures[0]).mean() < 6


def test_long_recordings_get_smaller_pictures():
    assert frames.side_px(15_000, (1920, 1080)) == 720, "10 minutes at 25 pictures a second"
    assert frames.side_px(15_000, (640, 360)) == 360, "never larger than it is"
    assert frames.side_px(36_000, (1080, 1920)) < 720
    assert frames.side_px(10**7, (1920, 1080)) == frames.SIDES_PX[-1]


# -- a case --------------------------------------------------------------------------------------------------------


@pytest.fixture
def case(face_case, tmp_path):
    """A copy of the finished case of ``face_clip``, to be changed."""
    return shutil.copytree(face_case, tmp_path / "case")


@pytest.fixture
def explorer(case, face_clip, kept):
    made = widget.Explorer(open_case(case), kept(face_clip), WHO)
    made.sent = []
    made.send = lambda content, buffers=None: made.sent.append((content, buffers))
    yield made
    made.close()


def answered(explorer, kind, **fields):
    return explorer.answer(asking.checked({"kind": kind, "id": 1, **fields}))


def actions(case):
    return [json.loads(line)["action"] for line in (case / "custody.jsonl").read_text("utf-8").splitlines()]


def test_the_copy_is_a_logged_derivation_and_used_again(case, face_clip):
    first = frames.ViewingCopy(open_case(case), face_clip, WHO)
    first.wait(120)
    assert first.fault == "" and len(first.pictures) == first.expected == 50
    assert not custody.verify(case).bad and not list(case.glob(f"{frames.STAGED}*"))
    log = [json.loads(line) for line in (case / "custody.jsonl").read_text("utf-8").splitlines()]
    derived = [e for e in log if e["action"] == "derived"][-1]
    name = f"cache/{derived['cache']}/{frames.PICTURES}"
    assert derived["outputs"][name] == custody.digest_of(case / name) and derived["actor"] == "Ada"
    assert "viewing" in actions(case)
    again = frames.ViewingCopy(open_case(case), face_clip, WHO)
    assert again.phonemes == first.phonemes
    assert again.pictures.jpeg(49) == first.pictures.jpeg(49) and again.pictures.row(49) == first.pictures.row(49)
    seen = open_case(case).scene.observation.pictures
    assert [again.pictures.row(k)[1] for k in range(50)] == seen["pts"].tolist()
    again.wait(30)
    assert not again.changed and not again.fault
    assert open_case(case).findings, "the case is still the finished one"


@pytest.mark.parametrize("name", [frames.PICTURES, "pts.npy"])
def test_a_copy_that_was_changed_in_the_case_is_made_anew(case, face_clip, name):
    first = frames.ViewingCopy(open_case(case), face_clip, WHO)
    first.wait(120)
    path = next(case.glob(f"cache/*/{frames.PICTURES}")).with_name(name)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    again = frames.ViewingCopy(open_case(case), face_clip, WHO)
    again.wait(120)
    assert again.changed == (name == frames.PICTURES), "found with other pictures, or not found"
    assert again.fault == "" and path.read_bytes() == content
    assert actions(case)[-2:] == ["cache_changed", "derived"] and not custody.verify(case).bad


def test_the_case_stays_open_to_others_while_the_copy_is_made(case, face_clip, monkeypatch):
    begun, go_on = [], []

    def slow(self):
        begun.append(True)
        while not go_on:
            time.sleep(0.01)
        self.phonemes = []

    monkeypatch.setattr(frames.ViewingCopy, "_make", slow)
    copy = frames.ViewingCopy(open_case(case), face_clip, WHO)
    with Case(case, face_clip) as opened:
        opened.log("looked")
    assert custody.verify(case).bad == () and copy.working
    go_on.append(True)
    copy.wait(30)
    assert copy.fault == "" and actions(case)[-1] == "derived"


def test_what_a_killed_kernel_left_goes(case, face_clip):
    left = case / f"{frames.STAGED}999999999-x.partial"
    left.mkdir()
    (left / frames.PICTURES).write_bytes(b"x")
    assert not custody.verify(case).bad, "what is unfinished is no alarm"
    frames.ViewingCopy(open_case(case), face_clip, WHO).wait(120)
    assert not left.exists()


def test_another_recording_is_refused(case, tmp_path):
    other = synth.write(tmp_path / "other.mp4", synth.evenly(synth.plain(5)))
    with pytest.raises(CaseError, match="E_CASE_OTHER_EVIDENCE"):
        frames.ViewingCopy(open_case(case), other, WHO)


def test_pictures_that_are_not_those_examined_are_not_kept(case, face_clip, monkeypatch):
    finished = open_case(case)
    finished.scene.observation.pictures["pts"][7] += 1
    copy = frames.ViewingCopy(finished, face_clip, WHO)
    copy.wait(120)
    assert "not those that were examined" in copy.fault and actions(case)[-1] != "derived"


def test_a_copy_that_grows_too_large_ends_and_what_is_there_is_shown(explorer, case, face_clip, monkeypatch):
    monkeypatch.setattr(frames, "MOST_BYTES", 30_000)
    copy = frames.ViewingCopy(open_case(case), face_clip, WHO)
    copy.wait(120)
    assert 0 < len(copy.pictures) < copy.expected and copy.fault == ""


def test_the_page_gets_pictures_with_their_landmarks(explorer):
    explorer.copy.wait(120)
    about, (jpeg, points) = answered(explorer, "picture", row=12)
    track = explorer.case.scene.tracks[0]
    k = int(np.searchsorted(track.frame, about["number"]))
    assert about["t_s"] == pytest.approx(1.2) and about["faces"][0]["track"] == track.name
    size = np.array(explorer.case.scene.observation.size)
    found = np.frombuffer(points, np.float32).reshape(-1, 2) * size
    assert found == pytest.approx(track.landmarks[k][:, :2], abs=0.01)
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape[:2] == (240, 240)
    with pytest.raises(ParameterError, match="50 pictures"):
        answered(explorer, "picture", row=50)


def test_a_picture_that_is_not_there_yet_is_told(explorer):
    explorer.copy.wait(120)
    explorer.copy.pictures._rows = explorer.copy.pictures._rows[:5]
    about, buffers = answered(explorer, "picture", row=30)
    assert about["missing"] and about["made"] == 5 and not buffers


def test_lanes_are_few_points_and_measured_values(explorer):
    about, buffers = answered(explorer, "lanes", **{"from": 0.0, "to": 5.0, "person": None})
    lanes = {lane["name"]: lane for lane in about["lanes"]}
    assert list(lanes) == [
        "wave",
        "spectrogram",
        "speech",
        "phonemes",
        "mouth",
        "sync",
        "eyes",
        "blinks",
        "light",
        "events",
        "voice",
        "cuts",
        "coverage",
    ]
    mouth = np.frombuffer(buffers[lanes["mouth"]["parts"][0]["points"]], np.float32).reshape(-1, 2)
    assert np.isfinite(mouth[:-1, 1]).all() and len(mouth) == 51
    assert all(len(b) <= 8 * (signals.MOST_POINTS + 2) for b in buffers[:1])
    assert lanes["coverage"]["spans"][0]["track"] == "A1" and lanes["speech"]["spans"] == []
    assert lanes["blinks"]["note"] or lanes["blinks"]["spans"] is not None
    json.dumps(about, allow_nan=False)


def test_sound_is_the_files_own(explorer):
    about, (pcm,) = answered(explorer, "sound", **{"from": 1.0, "to": 1.5, "speed": 1})
    audio = explorer.case.scene.observation.audio
    samples, start_s = audio.mono(Interval(1.0, 1.5))
    assert about == {"from": start_s, "rate_hz": audio.rate_hz}
    assert np.frombuffer(pcm, np.int16) == pytest.approx(32767 * samples, abs=1)


@pytest.mark.parametrize(("rate", "played"), [(192_000, 96_000), (4_000, 8_000), (44_100, 44_100)])
def test_rates_that_browsers_do_not_play_keep_their_pitch(rate, played):
    tone = synth.tone(1.0, rate, 400.0)[:, 0]
    pcm, _, got = widget.played(planted.sound(tone, rate_hz=rate), Interval(0, 1))
    spectrum = np.abs(np.fft.rfft(pcm.astype(float)))
    assert got == played and len(pcm) == played and int(spectrum.argmax()) == 400


@pytest.mark.parametrize(("rate", "speed"), [(48_000, 0.25), (16_000, 0.5), (8_000, 0.25)])
def test_slowed_sound_keeps_its_pitch_and_its_times(rate, speed):
    """Silence, then a tone: twice or four times as long, begun as much later, of the same pitch and loudness."""
    tone = np.concatenate([np.zeros(rate), synth.tone(1.0, rate, 440.0)[:, 0]])
    pcm, start_s, got = widget.played(planted.sound(tone.astype(np.float32), rate_hz=rate), Interval(0, 2), speed)
    assert (start_s, got, len(pcm)) == (0.0, rate, round(2 * rate / speed))
    sounding = np.flatnonzero(np.abs(pcm.astype(float)) > np.abs(pcm).max() / 2)[0] / rate
    assert sounding == pytest.approx(1 / speed, abs=0.035 / speed), "to a piece of the wave"
    assert np.abs(pcm[-rate // 50 :]).max() > np.abs(pcm).max() / 2, "to its end"
    second = pcm[round(1.4 * rate / speed) :][:rate].astype(float)
    assert int(np.abs(np.fft.rfft(second)).argmax()) == pytest.approx(440, abs=2)
    assert second.max() / 32767 == pytest.approx(np.abs(tone).max(), rel=0.05)


def test_a_very_short_loop_is_slowed_without_a_word(recwarn):
    pcm, _, _ = widget.played(planted.sound(synth.tone(1.0, 48_000, 440.0)[:, 0]), Interval(0.5, 0.52), 0.25)
    assert len(pcm) == 4 * round(0.02 * 24_000) and np.abs(pcm).max() > 1000 and not recwarn.list


def test_a_stored_notebook_still_shows_what_it_was(explorer):
    bundle, _ = explorer._repr_mimebundle_()
    assert "item" in bundle["text/plain"] and "data:image/jpeg;base64," in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert not re.search(r"<script|https?:", bundle["text/html"])


# -- measuring a part ----------------------------------------------------------------------------------------------


def test_a_part_is_measured_as_the_command_measures_it(case, face_clip, tmp_path):
    """As ``forensics report --from 1 --to 4``: the search begins anew at its edge, so numbers may differ a little."""
    part = Interval(1.0, 4.0)
    found = {(f.question, f.person): f for f in measuring.measured(open_case(case), part)}
    with Case(tmp_path / "part", face_clip) as opened:
        asked = pipeline.examine(opened, part).findings
    asked = {(f.question, f.person): f for f in asked if f.analysis not in measuring.OF_THE_FILE}
    assert found.keys() == asked.keys()
    assert {k: (f.state, f.reasons) for k, f in found.items()} == {k: (f.state, f.reasons) for k, f in asked.items()}
    numbers = [(m, asked[k].measurement(m.name)) for k, f in found.items() for m in f.measurements]
    assert numbers, "something is measured"
    for mine, theirs in numbers:
        width = (theirs.high - theirs.low) / 2 if theirs.low is not None else abs(theirs.value)
        assert mine.value == pytest.approx(theirs.value, abs=width + 0.02 * abs(theirs.value)), mine.name


def test_rows_tell_values_intervals_and_refusals(case):
    table = measuring.rows(measuring.measured(open_case(case), Interval(0.0, 5.0)))
    assert any(row["reason"] and row["quantity"] == "not assessable" for row in table)
    assert any(row["interval"] not in ("", "none") and row["n"] for row in table)
    assert {frozenset(row) for row in table} == {frozenset(table[0])}


def test_a_scene_of_a_part_holds_nothing_else(case):
    scene = open_case(case).scene
    part = within(scene, Interval(1.0, 2.5))
    track = part.tracks[0]
    assert track.name == scene.tracks[0].name and track.t_s[0] >= 1.0 and track.t_s[-1] < 2.5
    first = int(np.searchsorted(scene.tracks[0].t_s, 1.0))
    assert np.array_equal(track.landmarks[3], scene.tracks[0].landmarks[first + 3])
    for name in ("repeats", "closeups"):
        kept, all_of_them = getattr(track, name), getattr(scene.tracks[0], name)
        times_s = scene.tracks[0].t_s[all_of_them.row]
        assert len(kept.row) and np.array_equal(track.t_s[kept.row], times_s[(times_s >= 1.0) & (times_s < 2.5)])
    assert len(part.observation.pictures["t_s"]) == 15 and part.survey is None
    audio = part.observation.audio
    assert [audio.interval.start_s, audio.interval.duration] == pytest.approx([1.0, 1.5], abs=1e-4)
    with pytest.raises(MediaError, match="E_NO_FRAMES"):
        within(scene, Interval(60.0, 70.0))


def test_what_is_clipped_keeps_its_edges_apart(case):
    scene = open_case(case).scene
    whole = scene.interval
    cut = Series("x", np.zeros(0), np.zeros(0), "1")
    from dataclasses import replace

    made = replace(scene, shots=[Interval(whole.start_s, 2.0), Interval(2.0, whole.end_s)], level=cut)
    assert [s.start_s for s in within(made, Interval(1.0, 3.0)).shots] == [1.0, 2.0]


# -- messages ------------------------------------------------------------------------------------------------------

HOSTILE = [
    None,
    [],
    "start",
    {},
    {"kind": "start"},
    {"kind": "__class__", "id": 1},
    {"kind": ["start"], "id": 1},
    {"kind": "picture", "id": 1, "row": -1},
    {"kind": "picture", "id": 1, "row": 1e99},
    {"kind": "picture", "id": 1, "row": True},
    {"kind": "picture", "id": 1, "row": "../../etc/passwd"},
    {"kind": "picture", "id": 1, "row": 1, "path": "/etc/passwd"},
    {"kind": "sound", "id": 1, "from": 0, "to": 1e6, "speed": 1},
    {"kind": "sound", "id": 1, "from": 2, "to": 1, "speed": 1},
    {"kind": "sound", "id": 1, "from": 1, "to": 2, "speed": 0.001},
    {"kind": "sound", "id": 1, "from": 1, "to": 2, "speed": [1]},
    {"kind": "lanes", "id": 1, "from": float("nan"), "to": 1, "person": None},
    {"kind": "lanes", "id": 1, "from": 0, "to": float("inf"), "person": None},
    {"kind": "lanes", "id": 1, "from": 0, "to": 1, "person": {"toString": 1}},
    {"kind": "measure", "id": 1, "from": 0, "to": 3600},
    {"kind": "mark", "id": 1, "from": 0, "to": 1, "text": "x" * 100_000},
    {"kind": "mark", "id": 1, "from": 0, "to": 1, "text": None},
    {"kind": "mark", "id": "1; rm -rf /", "from": 0, "to": 1, "text": "x"},
    {"kind": "strike", "id": 1, "number": 2.5, "text": "x"},
]


@pytest.mark.parametrize("message", HOSTILE, ids=lambda m: json.dumps(m, default=str)[:50])
def test_hostile_messages_are_refused_with_a_sentence(explorer, message):
    before = actions(explorer.case.folder)
    explorer._receive(explorer, message, [])
    (content, _), *rest = [s for s in explorer.sent if s[0]["kind"] != "progress"]
    assert content["kind"] == "refused" and not rest
    assert content["sentence"].rstrip(".").count("\n") == 0 and len(content["sentence"]) < 500
    assert actions(explorer.case.folder) == before or "viewing" in before


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"kind": "mark", "from": 1, "to": 1, "text": "  "}, "E_MARK"),
        ({"kind": "mark", "from": 1, "to": 1, "text": "a\u202eb"}, "E_MARK"),
        ({"kind": "mark", "from": 1, "to": 1, "text": "x" * 400}, "E_MARK"),
        ({"kind": "mark", "from": 1, "to": 60, "text": "beyond its end"}, "E_MARK"),
        ({"kind": "unmark", "number": 9, "text": "gone"}, "E_MARK"),
        ({"kind": "name", "track": "Z9", "text": "Anna"}, "E_UNKNOWN_TRACK"),
        ({"kind": "name", "track": "A1", "text": "\x1b[31m"}, "E_NAME"),
        ({"kind": "strike", "number": 1, "text": "reason"}, "E_NO_ALIGNMENT"),
        ({"kind": "restore", "number": 1, "text": "reason"}, "E_NO_ALIGNMENT"),
    ],
)
def test_what_the_commands_refuse_is_refused_here_too(explorer, message, code):
    explorer.copy.wait(120)
    before = actions(explorer.case.folder)
    explorer._receive(explorer, message | {"id": 4}, [])
    refused = [s[0] for s in explorer.sent if s[0]["kind"] == "refused"]
    assert refused[0]["code"] == code and refused[0]["id"] == 4
    assert actions(explorer.case.folder) == before


def test_marks_and_names_reach_the_case_and_its_log(explorer):
    explorer.copy.wait(120)
    words = "<script>alert(1)</script> & the lips stand still"
    about, _ = answered(explorer, "mark", **{"from": 1.2, "to": 1.4, "text": words})
    assert about["marks"] == [{"number": 1, "start_s": 1.2, "end_s": 1.4, "comment": words, "actor": "Ada"}]
    assert answered(explorer, "name", track="A1", text="Anna")[0]["names"] == {"A1": "Anna"}
    state = json.loads((explorer.case.folder / "case.json").read_text("utf-8"))
    assert state["marks"]["1"]["comment"] == words
    assert actions(explorer.case.folder)[-2:] == ["marked", "named"]
    assert answered(explorer, "unmark", number=1, text="a slip")[0]["marks"] == []
    assert not custody.verify(explorer.case.folder).bad


def test_phonemes_are_struck_out_as_by_the_command(explorer):
    explorer.copy.wait(120)
    with Case(explorer.case.folder, explorer.copy._evidence) as opened:
        rows = [{"number": 3, "word": "map", "phoneme": "M", "start_s": 1.0, "end_s": 1.1}]
        opened.log("words_aligned", {"alignment": {"key": "k", "phonemes": rows}})
    assert answered(explorer, "strike", number=3, text="noise")[0]["struck"] == [3]
    assert answered(explorer, "restore", number=3, text="it is heard")[0]["struck"] == []
    assert actions(explorer.case.folder)[-2:] == ["struck_out", "restored"]


def test_a_fault_of_ours_is_a_sentence_on_the_page_and_a_traceback_in_the_kernels_log(explorer, monkeypatch, caplog):
    monkeypatch.setattr(explorer, "answer", lambda asked: 1 / 0)
    with caplog.at_level("ERROR"):
        explorer._receive(explorer, {"kind": "start", "id": 9}, [])
    refused = [s[0] for s in explorer.sent if s[0]["kind"] == "refused"]
    assert [(r["id"], r["code"]) for r in refused] == [(9, "E_FAULT")]
    assert "ZeroDivisionError" in refused[0]["sentence"] and "Run the cell again" in refused[0]["sentence"]
    assert "Traceback" in caplog.text and "1 / 0" in caplog.text


def test_a_fault_while_the_copy_is_made_is_told_too(case, face_clip, monkeypatch, caplog):
    monkeypatch.setattr(frames.ViewingCopy, "_make", lambda self: {}["x"])
    copy = frames.ViewingCopy(open_case(case), face_clip, WHO)
    copy.wait(30)
    assert "The software failed (KeyError)." in copy.fault and "Run the cell again" in copy.fault
    assert "Traceback" in caplog.text and not list(case.glob(f"{frames.STAGED}*"))


def test_of_many_selections_one_is_measured_at_a_time_and_the_newest_wins(explorer, monkeypatch):
    """Ten are dragged while the first is measured: that one ends at its next step, the last is answered."""
    explorer.copy.wait(120)
    before, at_work, most, go_on = threading.active_count(), [], [], threading.Event()

    def assess(scene, settings, sha256, progress):
        at_work.append(scene.interval)
        most.append((len(at_work), threading.active_count()))
        go_on.wait(30)
        try:
            progress("measuring", 0.5)
            return []
        finally:
            at_work.pop()

    monkeypatch.setattr(pipeline, "assess", assess)
    for number in range(10):
        explorer._receive(explorer, {"kind": "measure", "id": number, "from": 1, "to": 2 + number / 10}, [])
        if number == 0:
            until(lambda: at_work)
    go_on.set()
    until(lambda: len([s for s in explorer.sent if s[0]["kind"] in ("measure", "refused")]) == 10)
    told = {s[0]["id"]: s[0].get("code", "answered") for s in explorer.sent if s[0]["kind"] in ("measure", "refused")}
    assert told == {k: "E_SELECTED_ANEW" for k in range(9)} | {9: "answered"}
    assert len(most) == 2 and max(most) <= (1, before), "the first and the last were begun, in one thread"


def test_a_fault_ends_no_later_measurement(explorer, monkeypatch, caplog):
    monkeypatch.setattr(pipeline, "assess", lambda *_: 1 / 0)
    explorer._receive(explorer, {"kind": "measure", "id": 1, "from": 1, "to": 2}, [])
    until(lambda: any(s[0].get("code") == "E_FAULT" for s in explorer.sent))
    monkeypatch.setattr(pipeline, "assess", lambda *_: [])
    explorer._receive(explorer, {"kind": "measure", "id": 2, "from": 1, "to": 2}, [])
    until(lambda: any(s[0]["kind"] == "measure" and s[0]["id"] == 2 for s in explorer.sent))


def until(true, patience_s=30.0):
    """Wait until ``true()`` is."""
    since = time.monotonic()
    while not true():
        assert time.monotonic() - since < patience_s
        time.sleep(0.01)


def test_an_act_while_another_run_works_is_refused_in_words(explorer, face_clip):
    explorer.copy.wait(120)
    with Case(explorer.case.folder, face_clip):
        explorer._receive(explorer, {"kind": "mark", "id": 7, "from": 1, "to": 1, "text": "x"}, [])
    assert [s[0]["code"] for s in explorer.sent if s[0]["kind"] == "refused"] == ["E_CASE_LOCKED"]


# -- the page ------------------------------------------------------------------------------------------------------


def test_the_page_sets_text_alone_and_loads_nothing():
    source = PAGE.read_text("utf-8")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "fetch(",
        "import(",
        "XMLHttp",
        "WebSocket",
        "localStorage",
        "http:",
        "https:",
    ):
        assert word not in source, word
    assert not re.search(r"^\s*import ", source, re.MULTILINE) and "var " not in source
    assert not re.search(r"[^=!]==[^=]|!=[^=]", source), "compared without conversion"
    assert not [n for n, line in enumerate(source.splitlines(), 1) if line.rstrip() != line or "\t" in line]
    assert re.findall(r"https?:|url\(", (PAGE.parent / "explorer.css").read_text("utf-8")) == []


def test_the_page_uses_the_houses_colours_alone():
    found = set(
        re.findall(r"#[0-9a-fA-F]{6}\b", PAGE.read_text("utf-8") + (PAGE.parent / "explorer.css").read_text("utf-8"))
    )
    assert {c.lower() for c in found} <= {
        *("#000000", "#0072b2", "#d55e00", "#009e73", "#8c8c8c", "#ffffff", "#595959"),
        *("#cfe3f0", "#d0d0d0"),  # light fills and grids, which carry nothing
    }


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js, Debian's package nodejs")
def test_the_pages_arithmetic():
    done = subprocess.run(
        ["node", "--test", str(ROOT / "tests/js/explorer.test.mjs")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "# fail 0" in done.stdout or "fail 0" in done.stdout

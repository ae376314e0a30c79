"""The table of hostile input, row by row: what comes in, what must happen, and what to look at to see it.

``test_rows.py`` runs every row through the command and holds it to this; ``table.py`` writes TABLE.md of them.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus
import jsonschema
import synth
from running import Ran

from forensics import report

Found = dict[str, Any]
REPORTED, REFUSED = 0, 3
#: Memory of the command and its children together, in MB; a child may map 8 GiB, of which the models take some.
MOST_MB = 3000
#: Time for one small file, in s; a usual one takes 5, on a loaded machine four times that.
MOST_S = 120
#: What a refusal looks like: its code, a sentence, what to do next.
REFUSAL = re.compile(r"(E_[A-Z_]+): [^\n]+\. [A-Z][^\n]+\.\n")


@dataclass(frozen=True)
class Row:
    """One input. ``must`` is a regular expression for what ``see`` says of the findings; or a refusal's code."""

    group: str
    name: str
    make: Callable[[Path], Path]
    must: str
    see: Callable[[Found], str] | None = None  # None: it must be refused
    most_mb: float = MOST_MB
    most_s: float = MOST_S
    heavy: bool = False  # for `make fuzz` alone


@dataclass(frozen=True)
class Elsewhere:
    """A row that is no file: the test that holds it, as ``file::test``."""

    group: str
    name: str
    must: str
    test: str


# -- what is looked at -----------------------------------------------------------------------------------------------


def pictures(found: Found) -> str:
    clip = found["clip"]
    return f"{clip['frames_decoded']} of {clip['frames_declared']} pictures decoded, {clip['frames_lost']} lost"


def cut_short(found: Found) -> str:
    clip = found["clip"]
    return f"{pictures(found)}; {clip['declared_duration_s']} s declared, {clip['duration_s']} s decoded"


def losses(found: Found) -> str:
    counts = found["clip"]["losses"]
    told = [f"{kind} {name} {n}" for kind in counts for name, n in counts[kind].items() if n]
    return f"{found['clip']['frames_decoded']} pictures, {', '.join(told) or 'no loss'}"


def streams(found: Found) -> str:
    listed = found["clip"]["streams"]
    said = {
        kind: [f"{s['kind']} {s['index']} {s['codec']}" for s in listed if s["examined"] is kind]
        for kind in (True, False)
    }
    return f"examined {', '.join(said[True]) or 'none'}; not examined {', '.join(said[False]) or 'none'}"


def size(found: Found) -> str:
    return f"{found['clip']['width']} x {found['clip']['height']}"


def rate(found: Found) -> str:
    step = found["clip"]["picture_step_ms"]
    return f"steps of {step['shortest']} to {step['longest']} ms, {found['clip']['uneven_steps']} uneven"


def reasons(found: Found) -> str:
    """Why what could not be assessed could not; whether anything is unusual; what was assessed."""
    # Whether breaks fall together rests on the other answers: where there are none it has nothing to add.
    codes = sorted({c for f in found["findings"] if f["analysis"] != "coincidence" for c in f["reasons"]})
    # The container's own facts can be told of any file that opens.
    assessed = [f["question"] for f in found["findings"] if f["state"] == "assessed" and f["analysis"] != "evidence"]
    return f"{' '.join(codes)}; assessed: {' '.join(assessed) or 'nothing'}"


def faces(found: Found) -> str:
    clip = found["clip"]
    seen = clip["sightings"]["n"] if clip["sightings"] else 0
    names = [t["name"] for t in clip["tracks"] + clip["brief"]]
    return f"{len(names)} faces followed ({' '.join(names)}), {seen} more seen; {reasons(found)}"


def standing_out(found: Found) -> str:
    marked = [m["name"] for f in found["findings"] for m in f["measurements"] if m["unusual"]]
    marked += [e["kind"] for f in found["findings"] for e in f["events"] if e.get("unusual")]
    assessed = sum(f["state"] == "assessed" for f in found["findings"])
    return f"{len(marked)} unusual, {assessed} questions assessed"


def title(found: Found) -> str:
    tags = found["clip"]["tags"]
    longest, steering = (
        max(map(len, tags.values())),
        {c for v in tags.values() for c in v if ord(c) < 32 or c == "\u202e"},
    )
    return f"{len(tags)} tags, the longest {longest} characters, {len(steering)} that steer"


# -- the rows ----------------------------------------------------------------------------------------------------------

NO_RECORDING = "0-byte, 1-byte, 200 kB random, HTML or PDF named .mp4"
CUT = "MP4 cut before `moov`; cut at 2/3; `moov` only; `mdhd` timescale 0"
CLAIMS = "`stts` count 2³¹-1; `stsz` 2³¹ entries; 3,000 nested boxes; 65535×65535 `stsd`"
SCRIPT = "ffconcat script or HLS playlist named .mp4"
NO_FILE = "FIFO, device, folder, symlink out or in a loop named x.mp4"
NAMES = "names that are options, protocols, patterns, commands, control characters, not UTF-8, 255 bytes"
TAGS = "title with markup, templates, paths, headings, ESC codes, formulas, 100 kB"
STREAMS = "two streams; resolution change; rotation; non-square pixels; VFR; PTS back; 1000 fps; 0.1 fps"
LITTLE = "video only, audio only, silence, clipped, 0.2 s of speech, NaN, black, no face, 60 faces, 12 px face, screen"
RUNS = "6 h of 1080p; evidence changed or deleted; disk full; Ctrl-C; child killed; two runs on one case"
ARCHIVE = "case archive with `../../x`, absolute paths, symlinks, a zip bomb"
PLACES = "locale tr_TR, TZ=Asia/Kolkata, no HOME, no DISPLAY, path with spaces and umlauts"
CLEAN = "clean phone clip, dubbed film clip, news clip with network delay"


def empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def bytes_named(name: str, data: bytes) -> Callable[[Path], Path]:
    return lambda folder: corpus.named(folder, name, data)


def script(name: str) -> Callable[[Path], Path]:
    """A script, beside the film that it would make a player open."""

    def make(folder: Path) -> Path:
        synth.write(folder / "secret.mp4", synth.evenly(synth.plain(3)))
        return corpus.named(folder, name, corpus.INDIRECT[name])

    return make


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "x.mp4")
    return folder / "x.mp4"


def inside(folder: Path) -> Path:
    (folder / "x.mp4").mkdir()
    return folder / "x.mp4"


def link(target: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        corpus.film(folder, "film.mp4", 5)
        (folder / "x.mp4").symlink_to(target)
        return folder / "x.mp4"

    return make


def called(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        sound = synth.write(folder / "sound.wav", synth.Sound(synth.tone(0.5), **corpus.PCM))
        renamed = corpus.renamed(sound, corpus.NAMES[name])
        sound.unlink()
        return renamed

    return make


def one_of(name: str) -> Callable[[Path], Path]:
    return lambda folder: corpus.uninformative(folder)[name]


def sample(name: str) -> Callable[[Path], Path]:
    """A copy of a bundled sample."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes((Path(__file__).resolve().parents[2] / "samples" / "out" / name).read_bytes())
        return path

    return make


refused = functools.partial(Row, see=None)
NOTHING = "assessed: nothing"
SOUND_ONLY = "(no_empty_band )?no_picture no_speech; assessed: voice.recording (voice.take )?voice.spectrum"
ROWS = [
    refused(NO_RECORDING, "0 bytes", empty, "E_EMPTY"),
    *(refused(NO_RECORDING, name, bytes_named(name, data), "E_NOT_MEDIA") for name, data in corpus.NOT_MEDIA.items()),
    refused(CUT, "cut before moov", corpus.cut_before_index, "E_TRUNCATED"),
    Row(CUT, "cut at 2/3", corpus.cut_at_two_thirds, r"3[234] of 50 .*, 1[678] lost; 2.0 s declared, 1.3", cut_short),
    refused(CUT, "moov only", corpus.index_only, "E_NO_FRAMES"),
    Row(CUT, "timescale 0", corpus.timescale_zero, "1 of 50 pictures decoded, 49 lost", pictures),
    Row(CLAIMS, "stts count 2³¹-1", corpus.endless_durations, r"50 of 214748364[78] .*, 21474835\d\d lost", pictures),
    refused(CLAIMS, "stsz 2³¹ entries", corpus.endless_sizes, "E_TRUNCATED"),
    Row(CLAIMS, "stsz 2³¹-1 equal sizes", corpus.endless_equal_sizes, "0 of 50 pictures decoded, 50 lost", pictures),
    refused(CLAIMS, "3,000 nested boxes", corpus.nested_boxes, "E_TRUNCATED"),
    Row(CLAIMS, "3,000 nested boxes behind a film", corpus.nested_in_film, "50 of 50 .*, 0 lost", pictures),
    Row(CLAIMS, "stsd 65535×65535", corpus.huge_picture, "50 of 50 .*, 0 lost", pictures),
    refused(CLAIMS, "JPEG 16000×16000 in 1 kB", corpus.huge_jpeg, "E_NO_FRAMES"),
    *(refused(SCRIPT, name, script(name), "E_INDIRECT") for name in corpus.INDIRECT),
    refused(NO_FILE, "FIFO", fifo, "E_NOT_REGULAR"),
    refused(NO_FILE, "device", lambda folder: Path("/dev/zero"), "E_NOT_REGULAR"),
    refused(NO_FILE, "folder", inside, "E_NOT_REGULAR"),
    refused(NO_FILE, "symlink out", link("/etc/hostname"), "E_NOT_REGULAR"),
    refused(NO_FILE, "symlink beside", link("film.mp4"), "E_NOT_REGULAR"),
    refused(NO_FILE, "symlink to itself", link("x.mp4"), "E_NOT_REGULAR"),
    *(Row(NAMES, name, called(name), ".*; assessed: nothing", reasons) for name in corpus.NAMES),
    Row(TAGS, "tags", corpus.tagged, r"\d+ tags, the longest (\d\d|[123]\d\d) characters, 0 that steer", title),
    Row(
        STREAMS,
        "two of each",
        corpus.two_of_each,
        "examined video 0 h264, audio 2 aac; not examined video 1 h264, audio 3 flac",
        streams,
    ),
    Row(STREAMS, "resolution change", corpus.changed_size, "24 pictures, .*picture size_changes 1", losses),
    Row(STREAMS, "rotation flag", corpus.turned, "96 x 160", size),
    Row(STREAMS, "non-square pixels", corpus.oblong_pixels, "256 x 144", size),
    Row(STREAMS, "VFR", corpus.variable_rate, "steps of 10.0 to 290.0 ms, 3 uneven", rate),
    Row(STREAMS, "PTS back", corpus.times_back, "5 pictures, picture time_steps_back 1", losses),
    Row(STREAMS, "1000 fps", corpus.fast, "steps of 1.0 to 1.0 ms, 0 uneven", rate),
    Row(STREAMS, "0.1 fps", corpus.slow, "steps of 10000.0 to 10000.0 ms, 0 uneven", rate),
    Row(
        STREAMS,
        "a decoder that is shut",
        corpus.closed_decoder,
        "examined audio 1 pcm_s16le; not examined video 0 magicyuv",
        streams,
    ),
    Row(LITTLE, "video only", one_of("picture_only"), f"face_not_found no_sound; {NOTHING}", reasons),
    Row(LITTLE, "audio only", one_of("sound_only"), SOUND_ONLY, reasons),
    Row(LITTLE, "silence", one_of("silence"), f"no_picture sound_is_silent; {NOTHING}", reasons),
    Row(LITTLE, "clipped", corpus.clipped, SOUND_ONLY, reasons),
    Row(LITTLE, "0.2 s of speech", corpus.short_speech, f"no_picture .*; {NOTHING}", reasons),
    Row(LITTLE, "NaN and Inf", corpus.not_finite, "0 pictures, sound not_finite 3", losses),
    Row(LITTLE, "black and silent", one_of("black"), f"face_not_found sound_is_silent; {NOTHING}", reasons),
    Row(LITTLE, "0.2 s", one_of("brief"), f"face_not_found no_speech sound_too_short; {NOTHING}", reasons),
    Row(LITTLE, "one picture", one_of("one_picture"), f"face_not_found no_sound; {NOTHING}", reasons),
    Row(LITTLE, "one sample", one_of("one_sample"), f"no_picture .*; {NOTHING}", reasons),
    Row(LITTLE, "no face", corpus.no_face, f"face_not_found no_sound; {NOTHING}", reasons),
    Row(LITTLE, "60 faces", corpus.crowd, r"\d+ faces followed \(.*\), [1-9]\d* more seen; ", faces),
    Row(
        LITTLE, "12 px face", corpus.tiny_face, f"0 faces followed .*(face_not_found|face_too_small).*{NOTHING}", faces
    ),
    Row(LITTLE, "face on a screen", corpus.face_on_a_screen, r"2 faces followed \(A1 B1\)", faces),
    Row(RUNS, "6 h of 1080p", corpus.six_hours, "37 pictures, no loss", losses, most_s=3600, heavy=True),
    Row(
        CLEAN, "other words under the picture", sample("talker_other_words.mp4"), "0 unusual", standing_out, heavy=True
    ),
    Row(CLEAN, "sound 200 ms late", sample("talker_sound_200ms_late.mp4"), "0 unusual", standing_out, heavy=True),
]

ELSEWHERE = [
    Elsewhere(
        NAMES, "relative names given behind --", "works", "tests/test_cli.py::test_any_file_name_reaches_the_command"
    ),
    Elsewhere(
        TAGS,
        "page, its tags and headings",
        "no extra element",
        "tests/hostile/test_hostile.py::test_tags_are_inert_in_the_report",
    ),
    Elsewhere(
        TAGS,
        "chart",
        "no mathematics parsed",
        "tests/test_plots.py::test_mathematics_in_a_text_from_outside_is_not_parsed",
    ),
    Elsewhere(TAGS, "CSV", "no formula", "tests/test_plots.py::test_a_table_holds_no_formula_and_keeps_its_numbers"),
    Elsewhere(TAGS, "terminal", "inert", "tests/test_cli.py::test_info_prints_hashes_and_inert_tags"),
    Elsewhere(
        CUT, "what was not decoded in a chart", "hatched", "tests/test_plots.py::test_what_was_not_measured_is_hatched"
    ),
    Elsewhere(
        LITTLE,
        "a face set aside by the analyst",
        "named and logged",
        "tests/test_naming.py::test_named_faces_are_pooled_set_aside_and_told_of",
    ),
    Elsewhere(
        RUNS,
        "evidence changed meanwhile",
        "INTEGRITY_FAILED, status 4",
        "tests/test_cli.py::test_evidence_that_changes_meanwhile_voids_the_run",
    ),
    Elsewhere(
        RUNS,
        "evidence deleted, renamed, replaced",
        "INTEGRITY_FAILED",
        "tests/test_case.py::test_evidence_that_changes_during_the_run_voids_it",
    ),
    Elsewhere(
        RUNS,
        "disk full",
        "E_CASE_NOT_WRITABLE, nothing half taken for whole",
        "tests/test_cli.py::test_a_full_disk_is_a_refusal_in_words",
    ),
    Elsewhere(
        RUNS,
        "Ctrl-C",
        "status 130, logged, no part taken for the whole",
        "tests/test_cli.py::test_ctrl_c_stops_it_and_the_next_run_works",
    ),
    Elsewhere(
        RUNS, "child killed", "E_DECODER_FAILED", "tests/test_sandbox.py::test_a_child_that_is_killed_is_a_refusal"
    ),
    Elsewhere(RUNS, "what a killed run left", "cleared", "tests/test_case.py::test_what_a_killed_run_left_is_cleared"),
    Elsewhere(
        RUNS,
        "two runs on one case",
        "E_CASE_LOCKED",
        "tests/test_cli.py::test_a_case_in_use_and_one_of_other_evidence_are_refused",
    ),
    Elsewhere(
        PLACES,
        "locale, zone, no HOME, no display",
        "the same bytes",
        "tests/test_cli.py::test_the_same_bytes_without_home_in_any_locale_and_time_zone",
    ),
    Elsewhere(
        CLEAN,
        "untouched sample",
        "nothing unusual",
        "tests/test_pipeline.py::test_an_untouched_recording_has_no_event_that_is_unusual",
    ),
    Elsewhere(
        CLEAN,
        "phone clips and others, real",
        "nothing unusual",
        "tests/real/test_real.py::test_real_clip_is_reported_and_nothing_authentic_is_flagged",
    ),
    Elsewhere(
        "a batch",
        "one file at fault",
        "the rest analysed",
        "tests/test_validation.py::test_recordings_are_examined_once_and_refusals_listed",
    ),
    Elsewhere(
        "a batch", "a defect of ours", "costs one row", "tests/test_validation.py::test_a_defect_of_ours_costs_one_row"
    ),
    Elsewhere(
        "decoding",
        "a child changes no file and connects to nothing",
        "refused by the kernel",
        "tests/test_sandbox.py::test_a_child_neither_changes_files_nor_connects",
    ),
]
#: Rows of the table that no command of this version can meet, and why.
NOT_APPLICABLE = [(ARCHIVE, "no command reads an archive")]


# -- what every row is held to -----------------------------------------------------------------------------------------


def faults(row: Row, ran: Ran) -> list[str]:
    """What is wrong with a run of the row; empty where all is as it must be."""
    wrong = {
        "a traceback": "Traceback" in ran.stderr + ran.stdout,
        f"changed outside the case: {ran.changed}": bool(ran.changed),
        f"sockets: {ran.sockets}": bool(ran.sockets),
        f"{ran.peak_mb:.0f} MB": ran.peak_mb > row.most_mb,
        f"{ran.seconds:.0f} s": ran.seconds > row.most_s,
        f"status {ran.status}: {ran.stderr[-300:]}": ran.status != (REFUSED if row.see is None else REPORTED),
    }
    found = [what for what, is_so in wrong.items() if is_so]
    return found or (_refusal_faults if row.see is None else _report_faults)(row, ran)


def _refusal_faults(row: Row, ran: Ran) -> list[str]:
    log = ran.log()
    wrong = {
        f"it said {ran.stderr!r}": not REFUSAL.fullmatch(ran.stderr) or ran.code != row.must,
        f"the log says {log[-1]}": [log[-1]["action"], log[-1].get("code")] != ["refused", row.must],
        "it left findings": (ran.case / "findings.json").exists() or (ran.case / "report.html").exists(),
    }
    return [what for what, is_so in wrong.items() if is_so]


_STEERING = set("\x1b\x07\u202e")


def _report_faults(row: Row, ran: Ran) -> list[str]:
    assert row.see is not None
    found = ran.found()
    jsonschema.validate(found, report.schema())
    wrong = {
        f"stderr: {ran.stderr!r}": bool(ran.stderr),
        f"it found {row.see(found)!r}": not re.match(row.must, row.see(found)),
        "the log does not end with the report": ran.log()[-1]["action"] != "reported",
        "no report": (ran.case / "report.html").stat().st_size < 1000,
        "it steers the terminal": bool(_STEERING & set(ran.stdout)),
        "it steers the page": bool(_STEERING & set((ran.case / "report.html").read_text("utf-8"))),
        "an output has the evidence's name": any(ran.evidence.stem in output.name for output in ran.case.rglob("*")),
    }
    return [what for what, is_so in wrong.items() if is_so]


def seen(row: Row, ran: Ran) -> str:
    """What came of the row, in a word."""
    return ran.code if row.see is None else row.see(ran.found())

"""``report.html``: a pure function of the record, its plates, the case's state and its custody log."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from forensics import custody, marking, naming, striking, telling
from forensics.finding import NOT_ASSESSABLE, REASONS
from forensics.report import phrases, planted, repeating
from forensics.report.plates import Photograph, Plate, events_name
from forensics.report.record import assigned, by_person, dumps, persons
from forensics.text import LONGEST, Untrusted, for_html, joined, wrapped
from forensics.timeline import Interval, union

#: Rows of events printed for one finding; the table beside the report holds all.
MOST_EVENTS = 40
#: Stretches of one kind (shots, freezes, gaps) printed; the rest stands in findings.json.
MOST_STRETCHES = 20
#: Entries of the custody log printed: a run makes some ten; the log holds all.
MOST_ENTRIES = 30
#: What ``case.json`` may hold for the report, and its name there.
CASE_FIELDS = {
    "case_id": "Case",
    "examiner": "Examiner",
    "reviewer": "Reviewer",
    "opened_utc": "Case opened (UTC)",
    "started_utc": "Run started (UTC)",
    "finished_utc": "Run ended (UTC)",
}


def render(
    record: Mapping[str, Any],
    plates: Sequence[Plate],
    photographs: Sequence[Photograph],
    state: Mapping[str, Any],
    log: Sequence[custody.Entry],
) -> str:
    """The report as one HTML5 file: no script, nothing loaded from anywhere. ``log``: its sound entries until now."""
    template = environment().get_template("report.html.j2")
    clip, findings, told, own = record["clip"], by_person(record), wrapped(state), extract(log)
    return template.render(
        record=record,
        clip=clip,
        findings=findings,
        persons=persons(record),
        standing_out=[(f, line) for f in findings for line in phrases.outstanding(f)],
        refused=refused(findings),
        people=people(clip, state),
        set_aside_by=joined(named_by(clip["set_aside"], naming.given(state)), "; "),
        assigned=assigned(record),
        repetition=repeating.commands(record, log),
        without_option=repeating.without_option(log),
        names_unapplied=naming.unapplied(state),
        told=record.get("told"),
        calibration=record.get("calibration"),
        controls=record.get("controls"),
        references=record.get("references"),
        struck_by=struck_by(state),
        marks=marks(state),
        losses=[(k, n, c) for k, counts in sorted(clip["losses"].items()) for n, c in sorted(counts.items()) if c],
        place=record["findings"].index,
        known=[(name, told[key]) for key, name in CASE_FIELDS.items() if key in told],
        unknown=[name for key, name in CASE_FIELDS.items() if key not in state],
        plates=plates,
        photographs=photographs,
        state=told,
        status=telling.given(state).get("status", telling.DRAFT),
        log_hash=log[-1]["hash"] if log else custody.START,
        log_entries=log[-1]["n"] if log else 0,
        custody=own[-MOST_ENTRIES:],
        run_entries=len(own),
        cannot_show=custody.CANNOT_SHOW,
        declared=declared(clip),
        methods=used(record),
        findings_sha256=hashlib.sha256(dumps(record).encode()).hexdigest(),
        most_events=MOST_EVENTS,
        most_stretches=MOST_STRETCHES,
    )


def environment() -> Environment:
    """The report's templates, in which every text is inert; a name that is not given is an error."""
    made = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"evidence": evidence, "code": code, "inner": phrases.inner}
    made.globals |= {
        "words": phrases,
        "planted": planted,
        "repeating": repeating,
        "whom": whom,
        "nobody": naming.NOBODY,
        "events_name": events_name,
        "marked": marking.MARKED,
    }
    return made


def _inert(value: Any) -> Any:
    """Every text printed: control and direction characters spelled out, markup escaped."""
    if value is None:
        return "—"
    if isinstance(value, str) and not isinstance(value, Markup):
        return for_html(value, longest=len(value))
    return value


def evidence(text: Any, longest: int = LONGEST) -> Markup:
    """A text from outside: cut, spelled out, its direction kept to itself, marked as the evidence's words."""
    return Markup('<bdi class="evidence">{}</bdi>').format(
        "—" if text is None else for_html(text if isinstance(text, Untrusted) else str(text), longest)
    )


def code(text: str) -> Markup:
    """A name of ours that may be broken behind its dots and underscores."""
    shown = for_html(text).replace("_", Markup("_<wbr>")).replace(".", Markup(".<wbr>"))
    return Markup("<code>{}</code>").format(shown)


def whom(*persons: str | None) -> Markup:
    """One or several persons, each name in its own box as the analyst's words; or nobody in particular."""
    if persons == (None,):
        return Markup(phrases.WHOLE)
    names = [phrases.inner(phrases.WHOLE) if person is None else evidence(person) for person in persons]
    return Markup("Person{}\u00a0{}").format("s" if len(persons) > 1 else "", Markup(", ").join(names))


def refused(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, Markup, str]]:
    """What could not be assessed as (question, about whom, why): persons with the same reasons together."""
    groups: dict[tuple[str, ...], list[str | None]] = {}
    for f in findings:
        if f["state"] == NOT_ASSESSABLE:
            groups.setdefault((f["question"], *f["reasons"]), []).append(f["person"])
    return [
        (phrases.question(question), whom(*persons), " ".join(REASONS[r][0] for r in reasons))
        for (question, *reasons), persons in groups.items()
    ]


# -- persons ---------------------------------------------------------------------------------------


def people(clip: Mapping[str, Any], state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each person examined: in which appearances, in view when, and who said so (from the case)."""
    given = naming.given(state)
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for track in clip["tracks"]:
        by_name.setdefault(track["person"], []).append(track)
    return [
        {
            "person": person,
            "tracks": [t["name"] for t in tracks],
            "seen": [(i.start_s, i.end_s) for i in union(Interval(t["start_s"], t["end_s"]) for t in tracks)],
            "named_by": named_by(tracks, given),
        }
        for person, tracks in by_name.items()
    ]


def named_by(tracks: Iterable[Mapping[str, Any]], given: Mapping[str, Mapping[str, Any]]) -> list[Untrusted]:
    """Who gave these tracks their names, when, and where the log says so; none where they have their letters."""
    acts = [(t, given.get(t["name"]) or given.get(t["letter"])) for t in tracks]
    said = [
        joined((a["actor"], a["utc"], f"log entry {a['entry']}"), ", ")
        for t, a in acts
        if a and a["name"] == t["person"]
    ]
    return list(dict.fromkeys(said))


def struck_by(state: Mapping[str, Any]) -> dict[int, Untrusted]:
    """By number of a phoneme that is struck out: why, by whom, when, and where the log says so."""
    return {
        int(number): joined((a["reason"], a["actor"], a["utc"], f"log entry {a['entry']}"), ", ")
        for number, a in striking.given(state).items()
    }


def marks(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The examiner's marks in the order of time: number, stretch, comment, and who marked when."""
    return [
        {
            "number": number,
            "when": phrases.instant(a["start_s"])
            if a["start_s"] == a["end_s"]
            else phrases.stretch(a["start_s"], a["end_s"]),
            "comment": Untrusted(a["comment"]),
            "by": joined((a["actor"], a["utc"], f"log entry {a['entry']}"), ", "),
        }
        for number, a in marking.given(state).items()
    ]


# -- custody ---------------------------------------------------------------------------------------


def extract(log: Sequence[custody.Entry]) -> list[dict[str, Any]]:
    """The log's entries of this run as rows; an entry of another's making may lack its actor and role."""
    return [
        {
            "n": entry["n"],
            "utc": entry["utc"].removesuffix("+00:00").replace("T", " "),  # as the table's head says
            "actor": entry.get("actor"),
            "role": entry.get("role"),
            "action": entry["action"],
            "hash": entry["hash"][:12],
        }
        for entry in custody.of_last_run(log)
    ]


# -- declared against decoded ----------------------------------------------------------------------

Row = tuple[str, str | None, str | None]


def declared(clip: Mapping[str, Any]) -> list[Row]:
    """Rows (what, declared, decoded) of the file and of the streams examined; None: no such value."""
    rows = [("Duration", _seconds(clip["declared_duration_s"]), _seconds(clip["duration_s"]))]
    if picture := _stream(clip, "picture_stream"):
        rows += _picture_rows(clip, picture)
    if sound := _stream(clip, "sound_stream"):
        rows += _sound_rows(clip, sound)
    return rows


def _stream(clip: Mapping[str, Any], role: str) -> Mapping[str, Any] | None:
    return next((s for s in clip["streams"] if s["index"] == clip[role]), None)


def _picture_rows(clip: Mapping[str, Any], stream: Mapping[str, Any]) -> list[Row]:
    return [
        ("Pictures: number", _count(clip["frames_declared"]), _count(clip["frames_decoded"])),
        ("Pictures: size", _size(stream), _size(clip)),
        ("Pictures: first at", _seconds(stream["start_s"]), _seconds(clip["first_picture_s"])),
        ("Pictures: duration", _seconds(stream["duration_s"]), _seconds(clip["picture_duration_s"])),
        ("Pictures: mean rate", _rate(stream.get("declared_fps")), _rate(clip["mean_fps"])),
    ]


def _sound_rows(clip: Mapping[str, Any], stream: Mapping[str, Any]) -> list[Row]:
    return [
        ("Sound: rate", _count(stream.get("rate_hz"), "\u00a0Hz"), _count(clip["sound_rate_hz"], "\u00a0Hz")),
        ("Sound: channels", _count(stream.get("channels")), _count(clip["sound_channels"])),
        ("Sound: first at", _seconds(stream["start_s"]), _seconds(clip["sound_start_s"])),
        ("Sound: duration", _seconds(stream["duration_s"]), _seconds(clip["sound_duration_s"])),
    ]


def _seconds(value: float | None) -> str | None:
    return None if value is None else phrases.quantity(value, "s")


def _count(value: int | None, unit: str = "") -> str | None:
    return None if value is None else f"{value}{unit}"


def _rate(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f} per second"


def _size(values: Mapping[str, Any]) -> str | None:
    return None if values.get("width") is None else f"{values['width']} × {values['height']}\u00a0px"


# -- methods ---------------------------------------------------------------------------------------


def used(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each method with its settings once: the shared steps first, then those of the findings."""
    shared = [part | {"for": name.capitalize()} for name, part in record["methods"].items()]
    asked = [
        {"for": phrases.question(f["question"]), "method": f["method"], "settings": f["settings"]}
        for f in by_person(record)
    ]
    merged: dict[str, dict[str, Any]] = {}
    for part in shared + asked:
        same = merged.setdefault(dumps({"method": part["method"], "settings": part["settings"]}), part | {"for": []})
        if part["for"] not in same["for"]:
            same["for"].append(part["for"])
    return list(merged.values())

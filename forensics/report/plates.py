"""What stands beside the report's text: numbered charts with their data, stills, tables of events."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.errors import ParameterError
from forensics.finding import Finding
from forensics.marking import MARKED
from forensics.naming import NOBODY
from forensics.plots import Chart, csv, svg
from forensics.report import planted
from forensics.report.phrases import stretch, timecode
from forensics.report.record import by_person, persons

#: The table that tells of all stills.
STILLS = "stills.csv"


@dataclass(frozen=True)
class Plate:
    """A chart with its number, drawn; ``place`` is its finding's place in the record."""

    number: int
    place: int
    name: str
    svg: bytes
    csv: str
    caption: str
    alt: str

    @property
    def stem(self) -> str:
        return f"{self.number}-{plain_name(self.name)}"

    @property
    def uri(self) -> str:
        return data_uri("image/svg+xml", self.svg)


@dataclass(frozen=True)
class Photograph:
    """A still with its number; ``place`` is that of the finding with an event at its time, or None."""

    number: int
    place: int | None
    still: Any

    @property
    def stem(self) -> str:
        return f"{self.number}-{plain_name(self.still.name)}"

    @property
    def uri(self) -> str:
        return data_uri("image/jpeg", self.still.jpeg)


def data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def plain_name(name: str) -> str:
    """``name`` with nothing in it that means something to a file system or a shell."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") or "unnamed"


def person_name(person: str | None) -> str:
    """A person as part of a file's name. A name's own hash keeps those apart that look alike when plain."""
    if person is None or re.fullmatch("[A-Z]+", person):
        return person or "sound"
    return f"{plain_name(person)}-{hashlib.sha256(person.encode()).hexdigest()[:8]}"


def plates(record: Mapping[str, Any], charts: Iterable[tuple[Finding, Sequence[Chart]]]) -> list[Plate]:
    """The charts, drawn and numbered in the order of the report."""
    pairs = list(charts)
    if strange := [f.question for f, _ in pairs if not any(_same(f, g) for g in record["findings"])]:
        raise ParameterError("a chart belongs to a finding of this examination", strange)
    drawn = [
        (record["findings"].index(f), chart)
        for f in by_person(record)
        for finding, several in pairs
        if _same(finding, f)
        for chart in several
    ]
    return [
        Plate(
            n,
            place,
            chart.name,
            svg(chart.figure),
            csv(chart.table),
            f"{_source(record, record['findings'][place])} {chart.caption}",
            chart.alt,
        )
        for n, (place, chart) in enumerate(drawn, 1)
    ]


def _same(finding: Finding, recorded: Mapping[str, Any]) -> bool:
    return (finding.question, finding.person) == (recorded["question"], recorded["person"])


def _source(record: Mapping[str, Any], finding: Mapping[str, Any]) -> str:
    """Item, time range, method and n: what every caption begins with."""
    clip, method = record["clip"], finding["method"]
    counts = dict.fromkeys(str(m["n"]) for m in finding["measurements"])
    parts = [
        f"Item {clip['sha256'][:12]}",
        stretch(*clip["examined"]),
        f"{method['name']} version {method['version']}",
    ]
    return ", ".join(parts + ([f"n = {', '.join(counts)}"] if counts else [])) + "."


def photographs(record: Mapping[str, Any], stills: Iterable[Any]) -> list[Photograph]:
    """The stills, numbered in the order of the report, each with the finding that has an event there."""
    placed = [(_place(record, still), still) for still in stills]
    about, findings = [NOBODY, *persons(record), MARKED], by_person(record)
    if strange := [still.person for _, still in placed if still.person not in about]:
        raise ParameterError("a still belongs to a person of this examination", strange)

    def order(pair: tuple[int | None, Any]) -> tuple[int, int]:
        place, still = pair
        return about.index(still.person), -1 if place is None else findings.index(record["findings"][place])

    return [Photograph(n, place, still) for n, (place, still) in enumerate(sorted(placed, key=order), 1)]


def _place(record: Mapping[str, Any], still: Any) -> int | None:
    """Place of the finding that the still was taken for, or that has an event of this person at its time.

    Flagged events come first.
    """
    if still.question:
        asked = [(f["question"], f["person"]) for f in record["findings"]]
        return asked.index((still.question, still.person))
    at = round(still.t_s, 3)
    events = [
        (not event["unusual"], place)
        for place, finding in enumerate(record["findings"])
        for event in finding["events"]
        if finding["person"] == still.person and event["start_s"] <= at <= event["end_s"]
    ]
    return min(events)[1] if events else None


def events_name(finding: Mapping[str, Any]) -> str:
    """Name of the table that holds all events of a finding."""
    return f"events-{person_name(finding['person'])}-{plain_name(finding['question'])}.csv"


def events_table(finding: Mapping[str, Any]) -> str:
    """All events of a finding as CSV; an empty field is a detail that this event does not have."""
    events = finding["events"]
    first = ("kind", "start_s", "end_s", "what", "unusual")
    others = dict.fromkeys(k for e in events for k in e if k not in first)
    rest = ("what", "unusual", *others)
    return csv(
        {
            "kind": [e["kind"] for e in events],
            "start_s": [e["start_s"] for e in events],
            "end_s": [e["end_s"] for e in events],
            "timecode": [timecode(e["start_s"]) for e in events],
            **{name: [e.get(name, "") for e in events] for name in rest},
        }
    )


def stills_table(pictures: Sequence[Photograph]) -> str:
    """When each still was taken, as CSV."""
    shown = [picture.still for picture in pictures]
    return csv(
        {
            "number": [picture.number for picture in pictures],
            "person": [still.person for still in shown],
            "t_s": [round(still.t_s, 3) for still in shown],
            "timecode": [timecode(still.t_s) for still in shown],
            "frame": [still.frame for still in shown],
            "pts": [still.pts for still in shown],
            "what": [still.caption for still in shown],
        }
    )


def files(
    record: Mapping[str, Any], figures: Sequence[Plate], pictures: Sequence[Photograph]
) -> dict[str, str | bytes]:
    """Content of every file beside the report, by its name in the case."""
    return {
        **{f"charts/{plate.stem}.svg": plate.svg for plate in figures},
        **{f"tables/{plate.stem}.csv": plate.csv for plate in figures},
        **{f"tables/{events_name(f)}": events_table(f) for f in record["findings"] if f["events"]},
        **{f"stills/{picture.stem}.jpg": picture.still.jpeg for picture in pictures},
        **({f"tables/{STILLS}": stills_table(pictures)} if pictures else {}),
        **planted.files(record),
    }

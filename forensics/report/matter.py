"""What both editions of the court report are made from, and the phrases they share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from forensics import custody, telling
from forensics.finding import ASSESSED
from forensics.report import phrases
from forensics.report.blocks import (
    Block,
    figure,
    mono,
    note,
    outside,
    strong,
)
from forensics.report.html import MOST_STRETCHES
from forensics.report.plates import Photograph, Plate
from forensics.report.record import by_person, dumps

#: What is printed where no calibration gave a strength.
DESCRIPTIVE = "uncalibrated: descriptive only"
#: Beside every likelihood ratio.
NOT_THE_ODDS = (
    "A likelihood ratio says how much better the findings fit the one proposition than the other. It is not the "
    "probability that the recording was altered, nor that it was not."
)


@dataclass(frozen=True)
class Matter:
    """All that both editions are made from. ``made``: the other files of the report, content by name in the case."""

    record: Mapping[str, Any]
    plates: Sequence[Plate]
    photographs: Sequence[Photograph]
    state: Mapping[str, Any]
    log: Sequence[custody.Entry]
    made: Mapping[str, str | bytes]

    @property
    def clip(self) -> Mapping[str, Any]:
        return self.record["clip"]

    @property
    def item(self) -> str:
        return self.clip["sha256"][:12]

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        return by_person(self.record)

    @property
    def assessed(self) -> list[dict[str, Any]]:
        return [f for f in self.findings if f["state"] == ASSESSED]

    @property
    def refused(self) -> list[dict[str, Any]]:
        return [f for f in self.findings if f["state"] != ASSESSED]

    @property
    def told(self) -> dict[str, Any]:
        return telling.given(self.state)

    @property
    def status(self) -> str:
        return self.told.get("status", telling.DRAFT)

    @property
    def calibrated(self) -> bool:
        return any(f["strength"] and not f["strength"].get("withheld") for f in self.findings)

    @property
    def head(self) -> str:
        return self.log[-1]["hash"] if self.log else custody.START

    @cached_property
    def findings_sha256(self) -> str:
        return hashlib.sha256(dumps(self.record).encode()).hexdigest()

    @property
    def version(self) -> int:
        """The number of this report in its case, from 1."""
        return 1 + sum(entry["action"] == "reported" for entry in self.log)

    @cached_property
    def id(self) -> str:
        """Changes with the findings, with what was told, and with each entry of the log."""
        return hashlib.sha256(f"{self.findings_sha256} {self.head}".encode()).hexdigest()[:12]

    @property
    def banner(self) -> str:
        strength = "likelihood ratios within the bounds printed" if self.calibrated else DESCRIPTIVE
        stamps = dict.fromkeys(f["strength"]["stamp"] for f in self.findings if (f["strength"] or {}).get("stamp"))
        no = "" if self.calibrated else "; no likelihood ratio is given"
        own = [f"calibration, in its own words: {stamp}" for stamp in stamps if self.calibrated]
        return " · ".join([self.status, strength + no, *own])

    def own(self, finding: Mapping[str, Any]) -> int:
        """The finding's place in the record, by which plates and stills belong to it."""
        return self.record["findings"].index(finding)


def whom(*persons: str | None) -> list[Any]:
    """Persons by name, each name set apart; or the recording as a whole."""
    if persons == (None,):
        return [phrases.WHOLE]
    names = [phrases.inner(phrases.WHOLE) if p is None else outside(p) for p in persons]
    commas = [part for name in names for part in (", ", name)][1:]
    return [f"Person{'s' if len(persons) > 1 else ''}\u00a0", *commas]


def about(finding: Mapping[str, Any]) -> list[Any]:
    return [", ", *whom(finding["person"])]


def more(items: Sequence[Any], most: int, what: str) -> list[Block]:
    """How many of a long list stand elsewhere."""
    return [note(f"And {len(items) - most} more {what} in the full report.")] if len(items) > most else []


def utc(text: str) -> str:
    """A time of the log without what its column or its line says anyway."""
    return text.removesuffix("+00:00").replace("T", " ", 1)


def dated(m: Matter, about: Mapping[str, Any]) -> list[Any]:
    """Who told something, when, and whether that was before anything was measured."""
    when = "before" if telling.before(about, m.log) else "AFTER"
    return [
        outside(about["actor"]),
        ", ",
        outside(utc(about["utc"])),
        f" UTC, log entry {about['entry']}: {when} anything was measured in this case",
    ]


def stretches(pairs: Sequence[Sequence[float]], none: str = "none found") -> str:
    """Time ranges in s and as timecode, the first of many."""
    shown = "; ".join(phrases.stretch(*pair) for pair in pairs[:MOST_STRETCHES])
    more = f"; and {len(pairs) - MOST_STRETCHES} more in findings.json" if len(pairs) > MOST_STRETCHES else ""
    return shown + more or none


def figure_of(plate: Plate) -> Block:
    """A chart at its full width, numbered, with the name of its data."""
    caption = [
        strong(f"Figure {plate.number}. "),
        phrases.told(plate.caption),
        " Data: tables/",
        mono(f"{plate.stem}.csv"),
        ".",
    ]
    return figure(f"charts/{plate.stem}.svg", plate.alt, *caption)


def state_of(f: Mapping[str, Any]) -> str:
    return "assessed" if f["state"] == ASSESSED else "not assessable: " + " ".join(w for w, _ in phrases.reasons(f))


def strength_of(strength: Mapping[str, Any] | None) -> list[str]:
    """Lines: the ratio with log10, interval and words together; then both propositions, bound, n, calibration."""
    if not strength:
        return [f"{DESCRIPTIVE}."]
    propositions = f"Pair {strength['pair']}. H1: {strength['h1']} H2: {strength['h2']}"
    calibration = (
        f"Calibration {strength['calibration_sha256'][:12]}, in its own words: {phrases.told(strength['stamp'])}"
    )
    if "withheld" in strength:
        why = " ".join(reason["why"] for reason in strength["withheld"])
        return [f"No likelihood ratio: {why}", propositions, calibration]
    lr, low, high = (phrases.listed(strength[key]) for key in ("lr", "lr_low", "lr_high"))
    log10 = [phrases.signed(strength[key]) for key in ("log10_lr", "low", "high")]
    return [
        f"{phrases.told(strength['words'])} Likelihood ratio {lr} ({phrases.percent(strength['level'])} interval {low} "
        f"to {high}); log10 {log10[0]} ({log10[1]} to {log10[2]}).",
        propositions,
        f"{bound_of(strength)}; n = {strength['n_h1']} under H1, {strength['n_h2']} under H2. Words: "
        f"{strength['scale']}.",
        calibration,
        NOT_THE_ODDS,
    ]


def bound_of(strength: Mapping[str, Any]) -> str:
    """The lowest and highest log10 LR that the validation set can bear."""
    low, high = (phrases.signed(end) for end in strength["bound"])
    return f"Bound by the validation set: log10 LR {low} to {high}"


def sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()

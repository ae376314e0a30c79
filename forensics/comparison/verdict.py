"""From the records of a recording and of its references to findings. Pure; facts, never marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.comparison.questions import (
    CAMERA,
    CIRCULAR,
    COMPARED,
    CONDITIONS,
    METHOD,
    Compared,
    Settings,
    conditions,
    facts,
)
from forensics.comparison.spread import Apart, Value, apart, unwrapped, widened
from forensics.finding import ASSESSED, About, Finding, Measurement
from forensics.timeline import Interval

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Reference:
    """A recording examined before: its name in the report (R1, R2, …) and its ``findings.json``."""

    name: str
    record: Record


@dataclass(frozen=True)
class Row:
    """One quantity that can be compared: of the questioned recording, and of each reference by its name."""

    name: str
    unit: str
    questioned: Value
    references: Mapping[str, Value]


@dataclass(frozen=True)
class Asked:
    """One question about one person: what can be compared, and why the rest cannot, by quantity; or the refusal."""

    compared: Compared
    about: About
    rows: tuple[Row, ...] = ()
    left_out: tuple[str, ...] = ()
    refused: str = ""


def assess(record: Record, references: Sequence[Reference], settings: Settings) -> list[Finding]:
    """A finding for each question and person of ``record``, beside the ``references``; pure.

    All are of ``findings.json``'s form and made by the same methods and settings, which is for the caller to see to.
    """
    asked = [
        _ask(compared, person, record, references, settings)
        for compared in COMPARED
        for person in _whom(compared, record)
    ]
    together = sum(len(one.rows) for one in asked)
    return [_answer(one, together, settings) for one in asked]


def _whom(compared: Compared, record: Record) -> list[str | None]:
    """Whom the other analyses answered this question about, in their order."""
    return list(dict.fromkeys(f["person"] for f in record["findings"] if f["question"] in compared.source))


def _ask(
    compared: Compared, person: str | None, record: Record, references: Sequence[Reference], settings: Settings
) -> Asked:
    own = {name: f for f, name in _answered(compared, person, record, settings)}
    covered = [Interval(*pair) for f in own.values() for pair in f["covered"]]
    subjects = tuple(dict.fromkeys(s for f in own.values() for s in f["subjects"]))
    about = About(Interval(*record["clip"]["examined"]), settings, covered, person, subjects)
    wanted = compared.names.get(settings.relation, ())
    if not wanted:
        return Asked(compared, about, refused="not_in_common")
    others = [(r, _counterpart(person, compared, record, r.record, settings)) for r in references]
    known = [(r, who[0]) for r, who in others if who]
    if not known:
        return Asked(compared, about, refused="reference_person_unknown")
    unlike = {
        r.name: conditions(facts(record["clip"], person), facts(r.record["clip"], who), settings) for r, who in known
    }
    rows, left_out = [], []
    for name in wanted:
        barred = {r: [c for c in sorted(unlike[r]) if name in compared.forbidden_by.get(c, ())] for r in unlike}
        values = {r.name: _of(compared, name, who, r.record, settings) for r, who in known if not barred[r.name]}
        found = {r: value for r, value in values.items() if value is not None}
        questioned = _value(compared, own.get(name), name)
        if questioned is not None and found:
            rows.append(_row(name, own[name], questioned, found))
        if why := _why(questioned, barred, found, [r.name for r in references]):
            left_out.append(f"{name} ({why})")
    if rows:
        return Asked(compared, about, tuple(rows), tuple(left_out))
    forbidden = any(unlike[r] & compared.forbidden_by.keys() for r in unlike) and bool(own)
    return Asked(compared, about, refused="conditions_differ" if forbidden else "nothing_to_compare")


def _row(name: str, finding: Record, questioned: Value, references: Mapping[str, Value]) -> Row:
    """Angles are turned to each other first, as their mean stands on one side; then all to the questioned one's."""
    unit = next(m["unit"] for m in finding["measurements"] if m["name"] == name)
    if name not in CIRCULAR:
        return Row(name, unit, questioned, dict(references))
    first = next(iter(references.values())).value
    near = {r: unwrapped(v, first) for r, v in references.items()}
    mean = sum(v.value for v in near.values()) / len(near)
    turn = unwrapped(Value(mean, mean, mean), questioned.value).value - mean
    return Row(name, unit, questioned, {r: Value(v.value + turn, v.low + turn, v.high + turn) for r, v in near.items()})


def _answered(
    compared: Compared, person: str | None, record: Record, settings: Settings
) -> Iterator[tuple[Record, str]]:
    for f in record["findings"]:
        if f["question"] in compared.source and f["person"] == person and f["state"] == ASSESSED:
            for m in f["measurements"]:
                if m["name"] in compared.names.get(settings.relation, ()):
                    yield f, m["name"]


def _of(compared: Compared, name: str, person: str | None, record: Record, settings: Settings) -> Value | None:
    return next(
        (_value(compared, f, name) for f, n in _answered(compared, person, record, settings) if n == name),
        None,
    )


def _value(compared: Compared, finding: Record | None, name: str) -> Value | None:
    """None where the quantity was not measured, or has no interval: how far it scatters is then not known."""
    if finding is None:
        return None
    m = next(m for m in finding["measurements"] if m["name"] == name)
    if m["low"] is None or m["high"] is None or not m["low"] < m["high"]:
        return None
    value = Value(m["value"], m["low"], m["high"])
    return widened(value, m["n"]) if compared.by_stretch else value


def _counterpart(
    person: str | None, compared: Compared, record: Record, reference: Record, settings: Settings
) -> list[str | None]:
    """The person of the reference to compare with, alone in a list; an empty one where it cannot be told.

    It is the one that the analyst gave the same name, or the only one where each recording shows one. A camera's delay
    is read off whoever spoke longest.
    """
    if person is None:
        seen = [{t["person"] for t in r["clip"]["tracks"]} for r in (record, reference)]
        # Two in view may both speak: whose voice is heard is not known.
        return [None] if settings.relation == CAMERA or all(len(people) <= 1 for people in seen) else []
    if settings.relation == CAMERA:
        answers = [f for f in reference["findings"] if f["question"] in compared.source and f["state"] == ASSESSED]
        longest = max(answers, key=lambda f: float(f["coverage"]), default=None)
        return [longest["person"]] if longest else []
    named = {t["person"] for t in reference["clip"]["tracks"] if t["person"] != t["letter"]}
    if person in named and any(t["person"] == person != t["letter"] for t in record["clip"]["tracks"]):
        return [person]
    here, there = (list(dict.fromkeys(t["person"] for t in r["clip"]["tracks"])) for r in (record, reference))
    return there if len(here) == len(there) == 1 else []


def _why(
    questioned: Value | None, barred: Mapping[str, list[str]], found: Mapping[str, Value], names: Sequence[str]
) -> str:
    """Why a quantity is not compared, or not with all references; nothing where it is."""
    if questioned is None:
        return "no value with an interval in the recording"
    lacking = [r for r in names if r not in found]
    unlike = {r: ", ".join(CONDITIONS[c] for c in barred.get(r, ())) for r in lacking}
    return "; ".join(f"{r}: {unlike[r] or 'no value with an interval'}" for r in lacking)


def _answer(asked: Asked, together: int, settings: Settings) -> Finding:
    question = asked.compared.question
    if asked.refused:
        return question.refuse(asked.about, asked.refused)
    found = {
        row.name: apart(row.questioned, list(row.references.values()), together, settings.level) for row in asked.rows
    }
    return question.answer(
        asked.about,
        measurements=(
            *_counts(list(found.values()), together, settings),
            _number("compared", len(found), len(asked.compared.names[settings.relation]), _left_out(asked)),
            *(_measured(row, found[row.name], settings) for row in asked.rows),
        ),
        evidence={"rows": asked.rows, "apart": found},
    )


def _counts(found: Sequence[Apart], together: int, settings: Settings) -> Iterator[Measurement]:
    """How many lie beyond, of those with several references and of those with one, each beside what chance gives."""
    one, several = [a for a in found if a.references == 1], [a for a in found if a.references > 1]
    share, family = 1 - settings.level, f"of {together} comparisons of this report together (Bonferroni)"
    for group, name, what in (
        (several, "beyond", "prediction interval of one further recording from the references"),
        (one, "apart", "interval of the difference from both recordings' own; how much recordings with that in common "
         "differ anyhow is not known from one reference"),
    ):  # fmt: skip
        if group:
            text = f"none: a fact; {what}; {settings.level:.0%}"
            yield _number(
                f"{name}_together", sum(a.beyond_all for a in group), len(group), f"{text} of the family, {family}"
            )
            alike = "both recordings' true values the same" if name == "apart" else "recordings drawn alike, and normal"
            chance = f"{text} each: by chance {share * len(group):.2f} of {len(group)} on average, were {alike}"
            yield _number(name, sum(a.beyond for a in group), len(group), chance)
    if several:
        by_chance = sum(2 / (a.references + 1) for a in several)
        yield _number(
            "outside_all",
            sum(bool(a.outside_all) for a in several),
            len(several),
            f"none: a fact; above or below every reference; by chance {by_chance:.2f} of {len(several)} on average: "
            "2/(references + 1) each, exact if recordings can be exchanged",
        )


def _left_out(asked: Asked) -> str:
    return "none: a fact" + (f"; not compared, or not with all: {'; '.join(asked.left_out)}" if asked.left_out else "")


def _number(name: str, count: int, n: int, reference: str) -> Measurement:
    return Measurement(name, count, "1", None, None, None, n, METHOD.name, reference)


def _measured(row: Row, found: Apart, settings: Settings) -> Measurement:
    """The difference; its interval holds 0 where the recording lies within the references' spread."""
    values = ", ".join(f"{r} {v.value:g} [{v.low:g}, {v.high:g}]" for r, v in row.references.items())
    kind = "interval of the difference" if found.references == 1 else "half-width of the prediction interval"
    text = f"none: a fact; here {row.questioned.value:g}, {values}; {kind}"
    return Measurement(
        f"{row.name}_apart", found.apart, row.unit, found.low, found.high, settings.level, found.references,
        METHOD.name, text,
    )  # fmt: skip

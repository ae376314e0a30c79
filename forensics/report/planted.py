"""What was planted in the recording and in its degraded copies, as tables: the same for HTML, PDF, CSV and terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.finding import REASONS
from forensics.plots import csv
from forensics.report import phrases

TITLE = "Controls planted in this recording"

#: What stands above the tables: what a negative finding weighs, and the limits, once.
ABOUT = (
    "Known alterations were planted in what was measured of this very recording (of the longest appearances of a face, "
    "at most the first two minutes of each, and of the sound's beginning), and the questions were asked again. That a "
    "question told nothing has weight against an alteration only where such an alteration, of this kind and size, is "
    "told here; it tells of these plantings only, not of all that the kind holds. Where a number merely left its "
    "interval beside the recording as it was, an examiner who has no such recording would not have been told: those "
    "lines say how finely the number can be read, and no more. What a codec does behind an alteration is not "
    "simulated. The trials are of one recording and no rate of error; they say nothing about whether the recording "
    "was altered."
)
COPIES = (
    "A part of the recording was encoded anew in worse quality, each copy was examined by the same pass, and the same "
    "alterations were planted in what was measured of it. The copies are derivations: the custody log holds their "
    "SHA-256. Sound, times of pictures and the person asked about are those of the part as it was."
)
#: Columns' heads of copies, by name; others as they are called.
HEADS = {"part": "as it was", "noise": "noise"}
NOT_MADE = {
    "E_NO_ENCODER": "no encoder of H.264 comes with this software's PyAV",
    "E_TOO_LARGE": "the copies would be too large",
    "E_NO_FRAMES": "no picture could be copied",
}


@dataclass(frozen=True)
class Table:
    """``rows`` as printed; ``shares`` of the width."""

    caption: str
    columns: tuple[str, ...]
    shares: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]


def sizes(found: Mapping[str, Any]) -> list[Table]:
    """Of the recording itself; ``found``: what findings.json holds under ``controls``."""
    return [table for table in (_sizes(found),) if table.rows]


def of_copies(found: Mapping[str, Any]) -> list[Table]:
    """Of its degraded copies; none without copies."""
    if not (copies := found["copies"]):
        return []
    return [table for table in (_told_in_copies(copies), _answers_in_copies(copies)) if table.rows]


def notes(found: Mapping[str, Any]) -> list[str]:
    """What was left out, and why; which part was copied."""
    by_reason: dict[str, list[str]] = {}
    for one in found["left"]:
        by_reason.setdefault(one["reason"], []).append(one["appearance"])
    said = [f"Nothing was planted in {', '.join(names)}. {REASONS[code][0]}" for code, names in by_reason.items()]
    if found["refused"]:
        said.append("No degraded copies were examined. " + " ".join(_why(code) for code in found["refused"]))
    for copy in found["copies"]:
        if copy["refused"]:
            said.append(f"The copy ({copy['what']}) was refused when it was examined: {copy['refused']}.")
    return said


def copied(found: Mapping[str, Any]) -> str:
    """What stands above the tables of copies; "" where there are none."""
    if not found["copies"]:
        return ""
    kinds = "; ".join(copy["what"] for copy in found["copies"][1:])
    return f"{COPIES} The part: {phrases.stretch(*found['part'])}. The copies: {kinds}."


def _why(code: str) -> str:
    return REASONS[code][0] if code in REASONS else phrases.told(f"{NOT_MADE.get(code, 'refused')} ({code})")


# -- rows ------------------------------------------------------------------------------------------------------------


def _sizes(found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            one["what"],
            one["appearance"] or "sound",
            f"{phrases.question(one['question'])}: {tells(one['told_by'])}",
            _trials(one),
            smallest(one),
        )
        for one in found["sizes"]
    )
    heads = ("Alteration planted", "In", "Question, and what tells it", "Told, of trials", "Smallest size told")
    return Table("Detectable sizes: what was planted, and from which size on it is told", heads, _SHARES, rows)


_SHARES = (0.25, 0.07, 0.26, 0.22, 0.2)


def tells(name: str) -> str:
    """A measurement, event or refusal by which a control is told, in words."""
    return phrases.inner(phrases.QUANTITIES.get(name) or phrases.EVENTS.get(name) or name.replace("_", " "))


def size(value: float, unit: str) -> str:
    return f"{value:g}\u00a0{unit}" if unit in ("ms", "%") else f"{value:g}{'°' if unit == 'deg' else ''}"


def _trials(one: Mapping[str, Any]) -> str:
    return "; ".join(
        ("" if t["size"] is None else f"{size(t['size'], one['unit'])}: ") + f"{t['told']} of {t['n']}"
        for t in one["trials"]
    )


def smallest(one: Mapping[str, Any]) -> str:
    """From which size on a kind is told; or that it is not, or why it cannot be."""
    if not one["trials"]:
        return "cannot be told here: " + " ".join(REASONS[code][0] for code in one["reasons"])
    beside = "number moved" if one["beside_untouched"] else ""
    told = ": ".join(part for part in (beside, _from(one)) if part)
    return f"{told} (beside the untouched recording only)" if beside and one["is_told"] else told


def _from(one: Mapping[str, Any]) -> str:
    """Within a cell of a wide table."""
    sized = [t["size"] for t in one["trials"] if t["size"] is not None]
    if not one["is_told"]:
        return f"not told up to {size(max(sized), one['unit'])}" if sized else "not told"
    missed = [size(value, one["unit"]) for value in one["missed"]]
    but = f", but not {', '.join(missed)}" if missed else ""
    return f"{size(one['smallest'], one['unit'])}{but}" if sized else "told"


def _told_in_copies(copies: Sequence[Mapping[str, Any]]) -> Table:
    kinds = {(one["kind"], one["what"]): None for copy in copies for one in copy["sizes"]}
    rows = []
    for kind, what in kinds:
        cells = []
        for copy in copies:
            one = next((one for one in copy["sizes"] if one["kind"] == kind), None)
            cells.append("no answer" if one is None or not one["trials"] else _from(one))
        if any(cell != "no answer" for cell in cells):
            beside = any(one["beside_untouched"] for copy in copies for one in copy["sizes"] if one["kind"] == kind)
            rows.append((f"{what} (number moved)" if beside else what, *cells))
    caption = "Smallest size told in the part as it was and in each degraded copy"
    return Table(caption, ("Alteration planted", *_heads(copies)), _even(len(copies)), tuple(rows))


def _answers_in_copies(copies: Sequence[Mapping[str, Any]]) -> Table:
    questions = dict.fromkeys(a["question"] for copy in copies for a in copy["answers"] if not a["reasons_before"])
    rows = []
    for slug in questions:
        own = [next((a for a in copy["answers"] if a["question"] == slug), None) for copy in copies[1:]]
        rows.append((phrases.question(slug), *map(_answer, own)))
    caption = "Answers of the part in each copy: numbers outside the interval they had, of those that have one"
    return Table(caption, ("Question", *_heads(copies[1:])), _even(len(copies) - 1), tuple(rows))


def _answer(answer: Mapping[str, Any] | None) -> str:
    if answer is None:
        return "not examined"
    if answer["reasons"]:
        return "no answer: " + " ".join(REASONS[code][0] for code in answer["reasons"])
    there = [n for n in answer["numbers"] if n["copy"] is not None]
    return f"{len(answer['outside'])} of {len(there)} outside" if there else "answered"


def _heads(copies: Sequence[Mapping[str, Any]]) -> list[str]:
    return [HEADS.get(copy["name"]) or copy["what"].split(", CRF 18")[0].removeprefix("H.264, ") for copy in copies]


def _even(n: int) -> tuple[float, ...]:
    return (0.23, *(0.77 / n for _ in range(n)))


# -- files and terminal ----------------------------------------------------------------------------------------------


def files(record: Mapping[str, Any]) -> dict[str, str]:
    """The tables' data as CSV: every size planted at every quality; every number of every copy."""
    if "controls" not in record:
        return {}
    found = record["controls"]
    made = {"tables/controls.csv": csv(_columns(list(_planted_rows(found))))}
    if numbers := list(_copied_rows(found)):
        made["tables/copies.csv"] = csv(_columns(numbers))
    return made


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


def _planted_rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for quality, several in [
        ("whole", found["sizes"]),
        *((copy["name"], copy["sizes"]) for copy in found["copies"]),
    ]:
        for one in several:
            for trial in one["trials"] or [{"size": None, "n": 0, "told": 0}]:
                yield {
                    "quality": quality,
                    **{key: one[key] for key in ("kind", "what", "appearance", "question", "told_by")},
                    "size": "" if trial["size"] is None else trial["size"],
                    "unit": one["unit"],
                    "n": trial["n"],
                    "told": trial["told"],
                    "beside_untouched": one["beside_untouched"],
                    "reasons": " ".join(one["reasons"]),
                }


def _copied_rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for copy in found["copies"]:
        for answer in copy["answers"]:
            for number in answer["numbers"]:
                yield {
                    "copy": copy["name"],
                    "question": answer["question"],
                    "reasons": " ".join(answer["reasons"]),
                    **{key: number[key] for key in ("name", "unit", "value", "low", "high")},
                    "value_in_copy": "" if number["copy"] is None else number["copy"],
                    "outside": number["name"] in answer["outside"],
                }


def lines(record: Mapping[str, Any]) -> Iterator[str]:
    """A short table for the terminal: told by the question itself, moved a number, not told; nothing without any."""
    if "controls" not in record:
        return
    found, seen = record["controls"], record["clip"]["tracks"]
    copied = max(seen, key=lambda track: track["end_s"] - track["start_s"], default={"name": ""})["name"]
    for one in found["sizes"]:
        worse = [
            f"{head} {_from(own)}"
            for head, copy in zip(_heads(found["copies"][1:]), found["copies"][1:], strict=True)
            for own in copy["sizes"]
            if own["kind"] == one["kind"] and own["trials"] and one["appearance"] == copied
        ]
        kept = f" In copies: {'; '.join(worse)}." if worse else ""
        yield f"{one['appearance'] or 'sound':6} {one['what']} {phrases.told(smallest(one))}{kept}".replace(
            "\u00a0", " "
        )
    yield from notes(found)

"""What the examiner tells of the case: the question asked, the propositions, what was told to whom, the declaration.

Logged acts, as naming is. Each is dated by its log entry, so that the report can say whether question and propositions
stood there before anything was measured: ``forensics tell`` begins a case that has no recording yet.

    case.json  case_id, examiner, reviewer   names
               report  question, declaration: text, actor, utc, entry of the log
                       propositions          by pair: h1, h2, actor, utc, entry
                       told                  a list: text, actor, utc, entry
                       status                FINAL where the report was made so; a DRAFT else
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.calibration.propositions import PAIRS as CALIBRATED
from forensics.errors import CaseError
from forensics.text import hidden, spelled

if TYPE_CHECKING:
    from forensics.case import CaseFolder
    from forensics.custody import Entry

#: Characters of a name, of a line told, of a declaration: a line, half a page, some pages.
LONGEST_NAME, LONGEST, LONGEST_DECLARATION = 60, 2000, 20_000
#: Pairs of propositions (H1, H2) that an examiner can put to a recording; "altered" is none, as it names no mechanism.
#: Reference: ENFSI guideline for evaluative reporting in forensic science (2015): at least two, mutually exclusive.
PAIRS = {name: (pair.h1, pair.h2) for name, pair in CALIBRATED.items()}
FINAL, DRAFT = "FINAL", "DRAFT"


# -- rules -----------------------------------------------------------------------------------------------------------


def valid(text: str, longest: int = LONGEST) -> str:
    """The text as it is kept: composed (NFC), line feeds kept, other characters that steer refused."""
    kept = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if (found := hidden(kept.replace("\n", ""))) is not None:
        raise CaseError("E_TELL", f"What is told shows itself, found {spelled(found)}.", "Word it otherwise.")
    if len(kept) > longest or not any(c.isalnum() for c in kept):
        raise CaseError(
            "E_TELL", f"What is told has words and at most {longest} characters, this {len(kept)}.", "Mend."
        )
    return kept


def name(text: str) -> str:
    """A person's name or a case's number: one line."""
    kept = valid(text, LONGEST_NAME)
    if "\n" in kept:
        raise CaseError("E_TELL", "A name or number stands on one line.", "Give it without a line feed.")
    return kept


def propositions(pairs: Iterable[str]) -> dict[str, tuple[str, str]]:
    """``lips`` as the pair of that name; ``lips = H1 text / H2 text`` in the examiner's own words."""
    found = {}
    for pair in pairs:
        key, own, words = (part.strip() for part in pair.partition("="))
        if key not in PAIRS:
            raise CaseError("E_TELL", f"There is no pair of propositions {key!r}.", f"There are: {', '.join(PAIRS)}.")
        h1, both, h2 = words.partition(" / ")
        if own and not both:
            raise CaseError("E_TELL", f"For {key} one proposition is told.", "Write: lips = H1 text / H2 text.")
        found[key] = (valid(h1), valid(h2)) if own else PAIRS[key]
    return found


def read(path: Path) -> str:
    """A declaration: a text in UTF-8."""
    try:
        return valid(path.read_text("utf-8"), LONGEST_DECLARATION)
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError("E_TELL", "The declaration cannot be read as text in UTF-8.", "Name a text file.") from error


# -- in the case -----------------------------------------------------------------------------------------------------


def given(state: Mapping[str, Any]) -> dict[str, Any]:
    return dict(state.get("report", {}))


def give(
    case: CaseFolder,
    names: Mapping[str, str | None],
    question: str | None = None,
    pairs: Sequence[str] = (),
    told: Sequence[str] = (),
    declaration: str | None = None,
) -> None:
    """Keep what is told in the case, dated, and log it; ``names``: case_id, examiner, reviewer. Raises CaseError."""
    kept = given(case.state())
    people = {key: name(text) for key, text in names.items() if text}
    put, lines = propositions(pairs), [valid(text) for text in told]
    texts = {"question": question and valid(question), "declaration": declaration}

    def change(entry: Mapping[str, Any]) -> dict[str, Any]:
        about = {"actor": entry["actor"], "utc": entry["utc"], "entry": entry["n"]}
        after = kept | {key: {"text": text, **about} for key, text in texts.items() if text}
        if put:
            own = {pair: {"h1": h1, "h2": h2, **about} for pair, (h1, h2) in put.items()}
            after["propositions"] = kept.get("propositions", {}) | own
        if lines:
            after["told"] = [*kept.get("told", []), *({"text": line, **about} for line in lines)]
        return people | {"report": after}

    said = {key: text for key, text in texts.items() if text} | people
    case.log("told", change, propositions={k: list(v) for k, v in put.items()}, told=lines, **said)


def listed(state: Mapping[str, Any]) -> list[str]:
    """What is told, line by line."""
    report = given(state)
    names = [f"{key.replace('_', ' ')}: {state[key]}" for key in ("case_id", "examiner", "reviewer") if state.get(key)]
    texts = [f"{key}: {report[key]['text']}" for key in ("question", "declaration") if key in report]
    pairs = [f"{pair}: H1 {a['h1']} H2 {a['h2']}" for pair, a in report.get("propositions", {}).items()]
    return [*names, *texts, *pairs, *(f"told {line['utc']}: {line['text']}" for line in report.get("told", []))]


def measured_at(entries: Iterable[Entry]) -> int | None:
    """The log's entry behind which something had been measured in this case; None where nothing was."""
    return next((entry["n"] for entry in entries if entry["action"] == "observed"), None)


def before(about: Mapping[str, Any], entries: Iterable[Entry]) -> bool:
    """Whether that was told before anything was measured in this case."""
    measured = measured_at(entries)
    return measured is None or about["entry"] < measured


def blanks(state: Mapping[str, Any], entries: Sequence[Entry]) -> list[str]:
    """What a final report may not lack, in words; empty where nothing is lacking."""
    report = given(state)
    question, pairs = report.get("question"), report.get("propositions", {})
    late = [pair for pair, about in pairs.items() if not before(about, entries)]
    lacking = {
        "the examiner's name (--examiner)": not state.get("examiner"),
        "the question": not question,
        "the question, before anything was measured": bool(question) and not before(question or {}, entries),
        "a pair of propositions": not pairs,
        f"the propositions ({', '.join(late)}), before anything was measured": bool(late),
        "the declaration": "declaration" not in report,
    }
    return [what for what, lacks in lacking.items() if lacks]


def finalise(case: CaseFolder, final: bool) -> None:
    """Mark the report to come FINAL, or a DRAFT again. Raises CaseError ``E_FINAL`` on blanks; then nothing changes."""
    state, report = case.state(), given(case.state())
    if not final and report.get("status", DRAFT) == DRAFT:
        return
    if final and (lacking := blanks(state, case.entries())):
        raise CaseError(
            "E_FINAL",
            f"A final report lacks: {'; '.join(lacking)}.",
            "Tell it with forensics tell CASE. Question and propositions have to be told before anything is "
            "measured: that another case of this recording was made before is not known here, and is yours to "
            "disclose.",
        )
    case.update(report=report | {"status": FINAL if final else DRAFT})

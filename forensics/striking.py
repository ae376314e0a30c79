"""The analyst's strike-outs: an aligned phoneme that is not to count, with the reason. A logged act, as naming is.

They are kept in the case for the very alignment they were given for: another transcript, part or version numbers its
phonemes otherwise. Only aligned phonemes can be struck out: of decoded ones no single instant is claimed.

    case.json  alignment  key, phonemes: the /p b m/ that ``forensics strike`` can strike out
               struck     by that key: by number what was given: reason, actor, utc, entry of the log
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forensics import wording
from forensics.errors import CaseError
from forensics.finding import rounded
from forensics.speech import BILABIALS
from forensics.transcript import Told

if TYPE_CHECKING:
    from forensics.case import CaseFolder

#: Characters of a reason: two lines of a table hold them.
LONGEST = 200
#: Numbers listed in a refusal; ``forensics strike CASE`` lists all.
MOST_LISTED = 40


def described(told: Told) -> list[dict[str, Any]]:
    """The aligned /p b m/ by their numbers, from 1 among all phonemes; seconds of the sound."""
    return [
        {
            "number": number,
            "word": phoneme.word,
            "phoneme": phoneme.name,
            "start_s": rounded(phoneme.interval.start_s, "s"),
            "end_s": rounded(phoneme.interval.end_s, "s"),
        }
        for number, phoneme in enumerate(told.phonemes, 1)
        if phoneme.name in BILABIALS
    ]


def applied(told: Told, numbers: Iterable[int]) -> Told:
    return replace(told, struck=frozenset(number - 1 for number in numbers))


# -- in the case -----------------------------------------------------------------------------------------------------


def aligned_in(state: Mapping[str, Any]) -> dict[str, Any]:
    """Key and phonemes of the case's last alignment."""
    if not state.get("alignment"):
        raise CaseError(
            "E_NO_ALIGNMENT",
            "No words were aligned in this case's last run, so there is no phoneme to strike out.",
            "Run forensics report CLIP --out CASE --transcript FILE first.",
        )
    return dict(state["alignment"])


def given(state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What was given for the last alignment, by number."""
    return dict(state.get("struck", {}).get((state.get("alignment") or {}).get("key"), {}))


def struck_in(state: Mapping[str, Any]) -> list[int]:
    """The numbers that are struck out of the last alignment."""
    return sorted(map(int, given(state)))


def give(case: CaseFolder, numbers: Iterable[int], reason: str, restore: bool = False) -> None:
    """Strike phonemes out, or ``restore`` them, and log it. Raises CaseError; then nothing is changed."""
    state, numbers, reason = case.state(), sorted(set(numbers)), wording.kept(reason, "reason", LONGEST, "E_STRIKE")
    alignment, before = aligned_in(state), given(state)
    known = [phoneme["number"] for phoneme in alignment["phonemes"]]
    if unknown := [number for number in numbers if number not in known]:
        listed = ", ".join(map(str, known[:MOST_LISTED])) + (" …" if len(known) > MOST_LISTED else "")
        raise CaseError("E_STRIKE", f"There is no aligned p, b, m of the number {unknown[0]}.", f"There are: {listed}.")
    for number in numbers:
        if (str(number) in before) != restore:
            is_so = "is not struck out" if restore else "is struck out already"
            raise CaseError("E_STRIKE", f"Number {number} {is_so}.", "forensics strike CASE lists them.")

    def change(entry: Mapping[str, Any]) -> dict[str, Any]:
        about = {"reason": reason, "actor": entry["actor"], "utc": entry["utc"], "entry": entry["n"]}
        after = {n: was for n, was in before.items() if int(n) not in numbers}
        after |= {} if restore else {str(n): about for n in numbers}
        return {"struck": state.get("struck", {}) | {alignment["key"]: after}}

    case.log(
        "restored" if restore else "struck_out",
        change,
        alignment=alignment["key"],
        phonemes=[p for p in alignment["phonemes"] if p["number"] in numbers],
        reason=reason,
    )

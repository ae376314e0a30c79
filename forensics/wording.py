"""What the analyst words, a reason or a comment, as the case keeps it."""

from __future__ import annotations

import unicodedata

from forensics.errors import CaseError
from forensics.text import HIDDEN, hidden, spelled


def kept(text: str, what: str, longest: int, code: str) -> str:
    """Composed (NFC), single spaces, at most ``longest`` characters, all of which show themselves.

    Raises CaseError ``code``, in words that call it a ``what``, which is the option's name, too.
    """
    found = " ".join(filter(None, unicodedata.normalize("NFC", text).split(" ")))
    if (first := hidden(found, HIDDEN)) is not None:
        raise CaseError(code, f"A {what} shows itself, found {spelled(first)}.", "Word it otherwise.")
    if len(found) > longest or not any(c.isalnum() for c in found):
        raise CaseError(
            code, f"A {what} has words and at most {longest} characters, this one {len(found)}.", f"Give --{what}."
        )
    return found

"""A calibration is a frozen file: canonical JSON that holds its own SHA-256. Edited by accident, it says nothing.

    schema, stamp, expires, language   what it is, under which name it may be used, until which date, of which language
    scale                              the words for intervals of LR
    steps, model_sha256                method versions and settings of what all analyses share, and the face model
    pairs                              by pair of propositions: both texts, the models earned, or why there is none
    data                               SHA-256 of each recording it was learned from
    metrics                            as printed in the validation report, for whoever reads the file

Nothing in it is code; it is read by anyone's eyes, or by ``json``. The hash guards against accidents: whoever changes
the file on purpose can make it anew, so note the hash that the report prints, and compare it with the laboratory's own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from forensics.custody import canonical
from forensics.errors import CaseError

SCHEMA = "forensics-calibration-1"
#: The name under which the file shipped with the package is asked for, and its stamp.
DEMONSTRATION = "demonstration"
STAMP = "demonstration, not validated for casework"
#: Bytes of the largest file read: ours have a few thousand.
LARGEST = 1 << 20


def sealed(values: Mapping[str, Any]) -> str:
    """The file's text: ``values`` with the SHA-256 of their canonical JSON."""
    plain = json.loads(canonical(values))
    return canonical({**plain, "sha256": digest(plain)}) + "\n"


def digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of a calibration without its own ``sha256``."""
    bare = {key: value for key, value in values.items() if key != "sha256"}
    return hashlib.sha256(canonical(bare).encode()).hexdigest()


def read(name: str) -> str:
    """Text of the calibration file ``name``, or of the one that is shipped. Raises CaseError ``E_CALIBRATION``.

    Whether it is whole, ours and in force is for ``applying`` to say in the report.
    """
    try:
        if name == DEMONSTRATION:
            text = (resources.files("forensics") / "data" / f"calibration-{name}.json").read_text("utf-8")
        else:
            path = Path(name)
            if not path.is_file() or path.stat().st_size > LARGEST:
                raise _refusal("The calibration is no file, or too large for one.")
            text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal("The calibration cannot be read as text.") from error
    parse(text)
    return text


def parse(text: str) -> dict[str, Any]:
    """The calibration's values, whole or edited. Raises CaseError where the text is none at all."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refusal("The calibration is no JSON.") from error
    if not isinstance(values, dict) or not str(values.get("schema", "")).startswith("forensics-calibration-"):
        raise _refusal("The file is no calibration.")
    return values


def _refusal(sentence: str) -> CaseError:
    return CaseError("E_CALIBRATION", sentence, "Name a calibration.json made by forensics validate, or demonstration.")


def day(text: str) -> date:
    """A day written 2027-12-31. Raises CaseError ``E_CALIBRATION``."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise _day_refusal()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _day_refusal() from error


def _day_refusal() -> CaseError:
    return CaseError("E_CALIBRATION", "The day of expiry is none.", "Write it as in 2027-12-31.")

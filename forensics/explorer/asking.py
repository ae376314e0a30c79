"""What the page may ask for: each message checked whole before anything is done, refused with a sentence else.

A message comes from a page, where other scripts run too: it is a text from outside. Only the kinds below are known,
each field has its kind and range, and no field is a path, a name of ours or code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from forensics.errors import ParameterError
from forensics.timeline import FOREVER_S

#: Longest text in a message, in characters: names and comments have shorter limits of their own.
LONGEST = 1000
#: Longest sound excerpt at once, in s: at 48 kHz some 3 MB, slowed as many times more; and longest interval that is
#: measured while one waits.
MOST_SOUND_S, MOST_MEASURED_S = 30.0, 120.0
#: Speeds at which sound is played.
SPEEDS = (1, 0.5, 0.25)

Asked = dict[str, Any]


def _second(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    if not abs(value) <= FOREVER_S:  # a comparison alone: an integer may be too large for a float
        raise ValueError
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise ValueError
    return value


def _speed(value: Any) -> float:
    if isinstance(value, bool) or value not in SPEEDS:
        raise ValueError
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ValueError
    return value


def _person(value: Any) -> str | None:
    return None if value is None else _text(value)


#: By kind of message: its fields and what each has to be. Each message also has an ``id``, which the answer repeats.
KINDS: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "start": {},
    "picture": {"row": _count},
    "sound": {"from": _second, "to": _second, "speed": _speed},
    "lanes": {"from": _second, "to": _second, "person": _person},
    "measure": {"from": _second, "to": _second},
    "mark": {"from": _second, "to": _second, "text": _text},
    "unmark": {"number": _count, "text": _text},
    "name": {"track": _text, "text": _text},
    "strike": {"number": _count, "text": _text},
    "restore": {"number": _count, "text": _text},
}
#: Longest stretch that a kind may ask for, in s.
LONGEST_S = {"sound": MOST_SOUND_S, "measure": MOST_MEASURED_S}


def checked(message: Any) -> Asked:
    """The message, with the fields of its kind and no other. Raises ParameterError."""
    if not isinstance(message, Mapping) or not isinstance(kind := message.get("kind"), str) or kind not in KINDS:
        raise ParameterError("a message is of a known kind", _short(message))
    fields = KINDS[kind]
    if set(message) != {"kind", "id", *fields}:
        raise ParameterError(f"a message {kind} has the fields {', '.join(['id', *fields])}", _short([*message]))
    asked: Asked = {"kind": kind}
    for name, make in {"id": _count, **fields}.items():
        try:
            asked[name] = make(message[name])
        except ValueError:
            raise ParameterError(
                f"the field {name} of a message {kind} is in its range", _short(message[name])
            ) from None
    if "from" in asked:
        if asked["to"] < asked["from"]:
            raise ParameterError("a stretch ends no earlier than it begins", (asked["from"], asked["to"]))
        if asked["to"] - asked["from"] > (most := LONGEST_S.get(kind, math.inf)):
            raise ParameterError(
                f"a stretch for {kind} lasts at most {most:g} s", round(asked["to"] - asked["from"], 3)
            )
    return asked


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"

"""Text from outside, and the one way by which it reaches each output. Imports nothing of ours.

A tag, a file's name, an encoder's name may hold whatever someone typed: markup, a terminal's commands, a formula, a
line that looks like a finding. As ``Untrusted`` it refuses to become text by itself, so that a forgotten escaper
raises where it is forgotten. Texts can be compared, asked and put together without leaving; out leads only
``for_html``, ``for_markdown``, ``for_terminal``, ``for_csv``, ``for_chart``, ``for_pdf``, ``for_json``. They also take
plain texts of ours, which may quote one from outside.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NoReturn, final

from markupsafe import Markup, escape

#: Longest text from outside that is printed, in characters.
LONGEST = 300
#: Longest text that a cell of a spreadsheet holds, in characters (Excel's limit, the narrowest of those in use).
LONGEST_CELL = 32_767
#: Unicode's categories of what steers or has no sign of its own: controls, formats (direction, zero width), lone
#: surrogates, private use, separators of lines and paragraphs.
STEERING = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
#: And those of no known sign, which what the analyst gives may not hold either.
HIDDEN = STEERING | {"Cn"}
#: What spreadsheets take for the beginning of a formula; those of full width too, in East Asian settings (OWASP, CSV
#: injection). Tab and carriage return, which stand there as well, are spelled out before.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@final
class Untrusted:
    """A text from outside. Equal to the plain text of the same characters, which shows nothing of it."""

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str):
        if not isinstance(text, str):
            raise TypeError(f"a text from outside is made of a str, found {type(text).__name__}")
        object.__setattr__(self, "_text", text)

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(
            "A text from outside becomes text only through the escaper of its output in forensics.text: "
            "for_html, for_markdown, for_terminal, for_csv, for_chart, for_pdf or for_json; joined() joins texts."
        )

    __str__ = __format__ = __add__ = __radd__ = __mod__ = __mul__ = __rmul__ = __iter__ = _refuse
    __reduce_ex__ = __setattr__ = __delattr__ = _refuse  # nor by pickling and copying; and it does not change

    def __repr__(self) -> str:
        return f"Untrusted({for_terminal(self)!r})"

    def __html__(self) -> Markup:
        """What Jinja and markupsafe ask for: ``{{ tag }}`` is safe where templates escape, and raises elsewhere."""
        return for_html(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Untrusted | str) and self._text == _characters(other)

    def __hash__(self) -> int:
        return hash(self._text)

    def __len__(self) -> int:
        return len(self._text)

    def __contains__(self, part: object) -> bool:
        return _characters(part) in self._text

    def isprintable(self) -> bool:
        return self._text.isprintable()


Text = str | Untrusted


def _characters(part: object) -> str:
    return part._text if isinstance(part, Untrusted) else str(part)


# -- coming in -------------------------------------------------------------------------------------------------------


def wrapped(value: Any, ours: Collection[str] = (), keyed: Collection[str] = (), keys: bool = False) -> Any:
    """Values of JSON with each text ``Untrusted``, but for the words ``ours``, which are a fixed list.

    Keys stay, as they name fields, except where they are told (``keys``) or below the fields ``keyed``, as tags' names.
    """
    if isinstance(value, str):
        return value if value in ours else Untrusted(value)
    if isinstance(value, Mapping):
        return {
            Untrusted(name) if keys and isinstance(name, str) else name: wrapped(part, ours, keyed, name in keyed)
            for name, part in value.items()
        }
    return [wrapped(part, ours, keyed) for part in value] if isinstance(value, list | tuple) else value


def joined(parts: Iterable[object], between: str = "") -> Untrusted:
    """Texts of ours, from outside, and numbers, as one text from outside."""
    return Untrusted(between.join(map(_characters, parts)))


# -- going out -------------------------------------------------------------------------------------------------------


def visible(text: Text, longest: int = LONGEST) -> str:
    """``text`` cut to ``longest``, each character that steers instead of showing spelled out: ⟨U+202E⟩.

    What all escapers begin with; by itself it is for none of the outputs.
    """
    whole = _characters(text)
    cut = whole if len(whole) <= longest else f"{whole[:longest]} … (cut)"
    if cut.isprintable():  # nothing of the categories Other and Separator but the space: most texts, in one step
        return "".join(cut)  # a plain text, whatever kind of str it was
    return "".join(spelled(c) if unicodedata.category(c) in STEERING else c for c in cut)


def hidden(text: str, kinds: Collection[str] = STEERING) -> str | None:
    """The first character of ``text`` of these Unicode categories, which steers or shows nothing; None without any."""
    return next((c for c in text if unicodedata.category(c) in kinds), None)


def spelled(character: str) -> str:
    """``character`` by its number, which does nothing anywhere."""
    return f"⟨U+{ord(character):04X}⟩"


def for_html(text: Text, longest: int = LONGEST) -> Markup:
    """For an element's content or a quoted attribute: ``& < > ' "`` as entities. Not for scripts, styles, addresses.

    ``Markup`` is escaped too: a text is not safe because it says so.
    """
    return escape(visible(text, longest))


def for_markdown(text: Text, longest: int = LONGEST) -> str:
    """As code within a line or a table's cell, where nothing but backticks and bars means anything: both spelled out.

    Headings, links, markup and formulas are plain characters in it; line feeds are spelled out, so it has one line.
    """
    shown = visible(text, longest)
    return "`" + shown.replace("`", spelled("`")).replace("|", spelled("|")) + "`" if shown else ""


def for_terminal(text: Text, longest: int = LONGEST) -> str:
    """In a line of a terminal or a log: no escape sequence, no line feed, no turning around."""
    return visible(text, longest)


def for_csv(text: Text, longest: int = LONGEST_CELL) -> str:
    """For a cell, which a CSV writer has yet to quote: what a spreadsheet would run begins with an apostrophe."""
    shown = visible(text, longest)
    return "'" + shown if shown.lstrip().startswith(FORMULA) else shown


def for_chart(text: Text, longest: int = LONGEST) -> str:
    """For matplotlib: ``$``, between two of which it reads mathematics, and a first ``_``, by which a legend hides."""
    shown = visible(text, longest).replace("$", spelled("$"))
    return spelled("_") + shown[1:] if shown.startswith("_") else shown


def for_pdf(text: Text, glyphs: Collection[int], longest: int = LONGEST) -> str:
    """For a string handed to typst as data, never as markup: a character without a sign among ``glyphs`` (code points
    of the fonts that go with the report) is spelled out; it would else be printed as an empty box."""
    return "".join(c if ord(c) in glyphs else spelled(c) for c in visible(text, longest))


def for_json(text: Text, longest: int = LONGEST) -> str:
    """For a text in JSON: no lone surrogate, which UTF-8 cannot hold; nothing that steers who prints it."""
    return visible(text, longest)

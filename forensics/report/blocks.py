"""What a page is made of, as plain values: headings, paragraphs, tables, figures. The layout is the template's.

A text is a list of parts: our own as ``str``; ``Untrusted``, the evidence's or the analyst's, set apart in a box of
its own; ``mono`` and ``strong``. Nothing here is markup: typst gets it all as JSON.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from forensics.text import Untrusted, for_pdf

Block = dict[str, Any]
#: A text: one part, or several.
Said = Any
#: Columns as (title, share of the width or None for as wide as needed, numbers?).
Column = tuple[str, float | None, bool]


def mono(text: str) -> dict[str, str]:
    """Hashes, names of files and of measurements."""
    return {"mono": text}


def strong(text: str) -> dict[str, str]:
    return {"strong": text}


def outside(text: Any) -> Untrusted | str:
    """A text of the evidence or the analyst; a dash where there is none."""
    return "—" if text is None or text == "" else text if isinstance(text, Untrusted) else Untrusted(str(text))


def whole(text: str) -> dict[str, str]:
    """A text of the examiner in full, where ``outside`` would cut it; as one paragraph."""
    return {"evidence": " ".join(text.split())}


def parts(said: Said) -> list[Any]:
    return list(said) if isinstance(said, list | tuple) else [said]


def heading(level: int, text: Said) -> Block:
    return {"kind": "heading", "level": level, "text": parts(text)}


def paragraph(*text: Any) -> Block:
    return {"kind": "paragraph", "text": list(text)}


def note(*text: Any) -> Block:
    return {"kind": "note", "text": list(text)}


def lead(text: str) -> Block:
    """A line that belongs to what follows, and stays on its page."""
    return {"kind": "lead", "text": [text]}


def banner(text: str) -> Block:
    return {"kind": "banner", "text": [text]}


def bullets(items: Iterable[Said]) -> list[Block]:
    """A list; nothing where there is nothing to list."""
    rows = [parts(item) for item in items]
    return [{"kind": "bullets", "items": rows}] if rows else []


def terms(rows: Iterable[tuple[str, Said]]) -> list[Block]:
    listed = [[name, parts(text)] for name, text in rows]
    return [{"kind": "terms", "rows": listed}] if listed else []


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Said]]) -> list[Block]:
    """A table; nothing where it has no row."""
    cells = [[parts(cell) for cell in row] for row in rows]
    head = [{"title": title, "share": share, "number": number} for title, share, number in columns]
    return [{"kind": "table", "caption": caption, "columns": head, "rows": cells}] if cells else []


def figure(path: str, alt: str, *caption: Any) -> Block:
    return {"kind": "figure", "path": path, "alt": alt, "caption": list(caption)}


def stills(pictures: Iterable[tuple[str, str, Said]], columns: int, caption: Said = ()) -> list[Block]:
    """Pictures side by side, as (path, alt, caption); and a caption for all."""
    own = [{"path": path, "alt": alt, "caption": parts(told)} for path, alt, told in pictures]
    return [{"kind": "stills", "pictures": own, "columns": columns, "caption": parts(caption)}] if own else []


#: A new line within a text.
BREAK = {"break": True}
CONTENTS: Block = {"kind": "contents"}
NEW_PAGE: Block = {"kind": "new page"}


def inert(value: Any, glyphs: Collection[int]) -> Any:
    """Plain JSON: each text with what steers, and what the fonts cannot show, spelled out; others' texts apart."""
    if isinstance(value, Untrusted):
        return {"evidence": for_pdf(value, glyphs)}
    if isinstance(value, str):
        return for_pdf(value, glyphs, len(value))
    if isinstance(value, Mapping):
        return {key: inert(part, glyphs) for key, part in value.items()}
    return [inert(part, glyphs) for part in value] if isinstance(value, list | tuple) else value

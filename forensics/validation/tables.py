"""The table of recordings: comma- or tab-separated values with a header, checked line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath

from forensics.errors import ForensicsError

AUTHENTIC = "authentic"
#: Columns of a table, and other names under which they are known.
COLUMNS = {"file": "path", "weak": "label_is_weak"}


class TableError(ForensicsError):
    """The table of recordings cannot be used as it is."""

    def __init__(self, line: int | None, sentence: str, next_step: str):
        place = "" if line is None else f"Line {line}: "
        super().__init__("E_TABLE", place + sentence, next_step)


@dataclass(frozen=True)
class Recording:
    """One row of the table. ``label``: ``authentic`` or the class's name; ``weak``: why the label is doubtful."""

    file: str  # under the root, with /
    label: str
    person: str
    group: str = ""
    generator: str = ""
    condition: str = ""
    weak: str = ""
    sha256: str = ""
    language: str = ""
    fitted: str = ""  # questions, by their slugs, whose own weights were fitted with this recording


def read_table(path: Path) -> list[Recording]:
    """Recordings of a table of comma- or tab-separated values with a header, in its order.

    Needs the columns file (or path), label and person; knows group, generator, condition, weak (or label_is_weak),
    sha256, language and fitted (questions whose weights saw the recording, between spaces); leaves others alone.
    Raises TableError with the line at fault.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise TableError(None, f"The table cannot be read ({error.strerror}).", "Name a file.") from error
    except UnicodeDecodeError as error:
        raise TableError(None, "The table is not UTF-8 text.", "Save it as UTF-8 text, not as a workbook.") from error
    lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in text.partition("\n")[0] else ",")
    header = [name.strip() for name in next(lines, [])]
    places = {f.name: _place(header, f.name) for f in fields(Recording)}
    if missing := [name for name in ("file", "label", "person") if places[name] is None]:
        raise TableError(1, f"There is no column {' and no column '.join(missing)}.", "Add it to the first line.")
    found: dict[str, Recording] = {}
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise TableError(
                lines.line_num, f"It has {len(cells)} cells, the first line {len(header)}.", "Complete the line."
            )
        row = Recording(**{name: cells[at].strip() for name, at in places.items() if at is not None})
        _check(row, lines.line_num, found)
        found[row.file] = row
    if not found:
        raise TableError(None, "The table has no recording.", "Add a line for each recording.")
    return list(found.values())


def _place(header: Sequence[str], name: str) -> int | None:
    return next((header.index(known) for known in (name, COLUMNS.get(name)) if known in header), None)


def _check(row: Recording, line: int, before: Mapping[str, Recording]) -> None:
    for name in ("file", "label", "person"):
        if not getattr(row, name):
            raise TableError(line, f"The {name} is empty.", "Fill it in: splits need to know who speaks.")
    if row.file in before:
        raise TableError(line, "This file stands in an earlier line too.", "Keep one line a file.")
    if row.file.startswith("/") or ".." in PurePosixPath(row.file).parts:
        raise TableError(line, "The file is not named from the root on.", "Name it from --root on, without .. in it.")

"""What lies in a folder of recordings, and the name of each one's case.

Every regular file is offered to the examination, which judges it by its content and refuses what is no recording: a
name's ending says nothing. Links, pipes, sockets and devices are not opened; folders are gone through, links to folders
are not followed, and folders of cases are told of and left alone.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from forensics.case import is_or_holds
from forensics.custody import LOG
from forensics.errors import CaseError, MediaError

#: Characters of a file's name in its case's name: with a digest it stays far below the 255 bytes of a file's name.
LONGEST_STEM = 40
#: Hexadecimal digits of the digest in a case's name: 48 bits, which chance does not hit within a folder.
DIGITS = 12


@dataclass(frozen=True)
class Entry:
    """One file below the folder. ``code`` and ``why`` tell why it is not opened; empty where it is."""

    file: str  # below the folder, as the system spells it: bytes that are no UTF-8 are surrogates
    size_bytes: int = 0
    code: str = ""
    why: str = ""


def entries(folder: Path, without: Path) -> list[Entry]:
    """All that lies below ``folder`` but for what lies in ``without``, in the order of their names.

    Raises MediaError where it is no folder, or holds nothing.
    """
    folder, left_out = Path(folder), os.path.realpath(without)
    if not folder.is_dir():
        raise MediaError("E_NO_FOLDER", "There is no folder of this name.", "Name the folder that holds the files.")
    found: list[Entry] = []

    def unreadable(error: OSError) -> None:
        why = f"The folder cannot be read ({os.strerror(error.errno or 0)})."
        found.append(Entry(os.path.relpath(error.filename, folder), code="E_NOT_READABLE", why=why))

    for place, folders, files in os.walk(folder, onerror=unreadable):
        if LOG in files and place != str(folder):  # another batch's, say: its outputs are no recordings
            folders.clear()
            found.append(Entry(os.path.relpath(place, folder), code="E_IS_A_CASE", why="This is a case's own folder."))
            continue
        linked = [name for name in folders if os.path.islink(os.path.join(place, name))]
        folders[:] = [n for n in folders if n not in linked and os.path.realpath(os.path.join(place, n)) != left_out]
        found += [_entry(folder, os.path.join(place, name)) for name in (*files, *linked)]
    if not found:
        raise MediaError("E_NO_RECORDINGS", "The folder holds no file.", "Name the folder that holds the files.")
    return sorted(found, key=lambda entry: os.fsencode(entry.file))


def _entry(folder: Path, path: str) -> Entry:
    name = os.path.relpath(path, folder)
    try:
        about = os.lstat(path)
    except OSError as error:
        code = "E_NOT_FOUND" if error.errno == errno.ENOENT else "E_NOT_READABLE"
        return Entry(name, code=code, why=f"The file cannot be looked at ({os.strerror(error.errno or 0)}).")
    if stat.S_ISREG(about.st_mode):
        return Entry(name, about.st_size)
    kind = "a link, which may lead elsewhere" if stat.S_ISLNK(about.st_mode) else "a pipe, socket or device"
    return Entry(name, code="E_NOT_REGULAR", why=f"This is {kind}, not a regular file.")


def case_name(file: str) -> str:
    """Name of a file's case: what can be read of its stem, and a digest of its whole name below the folder.

    So files of one stem, or of the same bytes, have cases of their own, and whatever else comes into the folder
    changes no name.
    """
    stem = re.sub(r"[^\w.-]+", "-", os.path.splitext(os.path.basename(file))[0])[:LONGEST_STEM].strip(".-")
    return f"{stem or 'file'}-{hashlib.sha256(os.fsencode(file)).hexdigest()[:DIGITS]}"


def check_place(out: Path, mark: Path, folder: Path, found: Iterable[Entry]) -> None:
    """Refuse to put cases where recordings lie, or among other files; ``mark`` is there where ``out`` is a batch's.

    As in ``forensics report``, it may be a folder of its own inside the evidence's. Raises CaseError ``E_CASE_PLACE``.
    """
    if any(is_or_holds(out, home) for home in {folder, *((folder / entry.file).parent for entry in found)}):
        raise CaseError(
            "E_CASE_PLACE",
            "The folder named for the cases is the recordings' folder or holds it.",
            "Name another with --out.",
        )
    if out.exists() and not out.is_dir():
        raise CaseError("E_CASE_PLACE", "The name given for the cases is a file.", "Name a folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not mark.is_file():
        raise CaseError(
            "E_CASE_PLACE", "The folder named for the cases holds other files.", "Name a new folder with --out."
        )

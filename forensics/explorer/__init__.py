"""The explorer: one clip of a finished case, looked at and listened to picture by picture, in a notebook.

    >>> from forensics.explorer import explore
    >>> explore("case/talker", "talker.mp4")

What it shows is what was measured: pictures and sound come from Python over the widget's own channel, no server, no
network, no player of the browser's. What the analyst does there (a mark, a name, a phoneme struck out) is the act of
the command of that name: in the case, in its log, and in the next report.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forensics import custody
from forensics.errors import CaseError
from forensics.finished import open_case

if TYPE_CHECKING:
    from forensics.explorer.widget import Explorer

__all__ = ["explore"]


def explore(case: str | Path, clip: str | Path, examiner: str | None = None, role: str | None = None) -> Explorer:
    """The explorer of the finished ``case`` and its recording ``clip``; who acts in it as with ``--examiner``.

    At first opening a viewing copy is made while one looks. Raises CaseError, MediaError where case and clip do not
    fit, or notebooks cannot show it.
    """
    try:
        from forensics.explorer.widget import Explorer
    except ModuleNotFoundError as error:
        raise CaseError(
            "E_NO_NOTEBOOK",
            f"The explorer needs the package {error.name}.",
            "Install it with pip install 'forensics[notebooks]'.",
        ) from error
    return Explorer(open_case(case), Path(clip), custody.actor(examiner, role))

"""The report as PDF/A-2a and PDF/UA-1, by typst: archived with its fonts, tagged for screen readers, the same bytes.

Data reach typst as JSON in memory, never as markup. It is given no system fonts, and of the file system the folder of
our templates alone. A figure without alt text is refused by it.
"""

from __future__ import annotations

import functools
import importlib.resources
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics.errors import ParameterError
from forensics.report.blocks import inert
from forensics.report.matter import Matter
from forensics.report.plates import data_uri

#: Archiving with all structure (ISO 19005-2, level A), and accessibility (ISO 14289-1).
STANDARDS = ("a-2a", "ua-1")
TEMPLATE = "report.typ"
#: Dots an inch of an exhibit sheet as a picture: what printers of courts take.
SHEET_PPI = 300


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as typst gets it: plain JSON, all its characters in the fonts."""
    return dict(inert(document, glyphs()))


def compiled(document: Mapping[str, Any], m: Matter, **form: Any) -> bytes:
    """PDF (or, with ``format="png"``, a picture) of a ``plain`` document. Raises ParameterError where typst refuses."""
    import typst  # slow to load: only where a PDF is made

    with importlib.resources.as_file(importlib.resources.files(__package__).joinpath("templates")) as templates:
        data = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
        sources = {
            "main.typ": (templates / TEMPLATE).read_bytes(),
            "document.json": data,
            **_pictures(document, m.made),
        }
        settings = form or {"format": "pdf", "pdf_standards": list(STANDARDS), "timestamp": _made(m.state)}
        try:
            made: Any = typst.compile(
                sources, root=templates, ignore_system_fonts=True, font_paths=[str(_fonts())], **settings
            )
        except typst.TypstError as error:
            raise ParameterError("typst accepts the document", str(error)) from error
    return bytes(made[0] if isinstance(made, list) else made)


def _pictures(document: Mapping[str, Any], made: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """The pictures as typst's files in memory, which are texts: SVG as it is, a JPEG whole within an SVG.

    It comes out of there into the PDF byte by byte (a test compares).
    """
    found = {}
    for name in named_in(document):
        content = made[name]
        content = content.encode() if isinstance(content, str) else content
        found[name if name.endswith(".svg") else f"{name}.svg"] = content if name.endswith(".svg") else _framed(content)
    return found


def _framed(jpeg: bytes) -> bytes:
    from PIL import Image

    width, height = Image.open(io.BytesIO(jpeg)).size
    uri = data_uri("image/jpeg", jpeg)
    size = f'width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><image {size} href="{uri}"/></svg>'.encode()


def named_in(document: Mapping[str, Any]) -> list[str]:
    """The pictures that a document shows, by their names in the case."""
    shown = [one for block in document["blocks"] for one in (block, *block.get("pictures", ()))]
    return [one["path"] for one in shown if "path" in one]


def _made(state: Mapping[str, Any]) -> datetime:
    """When the PDF says it was made: the time of the run, from the case; never the clock's."""
    told = state.get("finished_utc") or state.get("opened_utc")
    return (
        datetime.fromisoformat(told).astimezone(UTC).replace(microsecond=0)
        if told
        else datetime(1970, 1, 1, tzinfo=UTC)
    )


def _fonts() -> Path:
    """matplotlib's folder of fonts: DejaVu Sans stands in for what typst's own Libertinus Serif does not hold."""
    import matplotlib

    return Path(matplotlib.get_data_path(), "fonts", "ttf")


@functools.cache
def glyphs() -> frozenset[int]:
    """Code points that can be printed, plain and bold: those of DejaVu Sans. Libertinus is asked first."""
    from matplotlib.ft2font import FT2Font

    plain_face, bold = (FT2Font(str(_fonts() / f"DejaVuSans{kind}.ttf")).get_charmap() for kind in ("", "-Bold"))
    return frozenset(plain_face.keys() & bold.keys())

"""The notebooks' form: short cells that only call and show, the common headings, outputs stored in order."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
HEADINGS = [
    "question, as two hypotheses",
    "can and cannot show",
    "parameters",
    "look and listen",
    "the signal",
    "the measurement and its plot",
    "the controls",
    "the finding",
    "limits, references, versions",
]


def cells(path: Path, kind: str) -> list[dict]:
    return [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == kind]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def test_there_are_notebooks() -> None:
    assert [p.stem for p in NOTEBOOKS][:1] == ["00_start_here"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestNotebook:
    def test_cells_only_call_show_and_explain(self, path: Path) -> None:
        for cell in cells(path, "code"):
            text = source(cell)
            assert text.count("\n") < 15
            assert not re.search(r"^\s*(def|class)\s|^\s*[%!]|pip install", text, re.MULTILINE), text

    def test_length_is_a_lesson(self, path: Path) -> None:
        assert 10 <= len(cells(path, "code")) <= 20
        words = sum(len(source(c).split()) for c in cells(path, "markdown"))
        assert 400 <= words <= 1000

    def test_headings_stand_in_the_common_order(self, path: Path) -> None:
        text = "\n".join(
            line.lower() for c in cells(path, "markdown") for line in source(c).splitlines() if line.startswith("#")
        )
        places = [text.find(heading) for heading in HEADINGS]
        assert -1 not in places, HEADINGS[places.index(-1)]
        assert places == sorted(places)

    def test_one_parameters_cell_of_plain_literals(self, path: Path) -> None:
        tagged = [c for c in cells(path, "code") if "parameters" in c["metadata"].get("tags", [])]
        assert len(tagged) == 1
        assert all(re.fullmatch(r'\w+ = ("[^"]*"|[\d.]+|None)', line) for line in source(tagged[0]).splitlines())

    def test_stored_outputs_are_in_order_small_and_name_no_machine(self, path: Path) -> None:
        counts = [c["execution_count"] for c in cells(path, "code")]
        assert counts == list(range(1, len(counts) + 1))
        assert path.stat().st_size <= 500_000
        outputs = json.dumps([c["outputs"] for c in cells(path, "code")])
        assert not re.search(r"/(home|root|work|Users|tmp)/", outputs)
        assert not any(o["output_type"] == "error" for c in cells(path, "code") for o in c["outputs"])

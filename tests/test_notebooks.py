"""The notebooks' form: short cells that only call and show, the common headings, outputs stored in order."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest

from forensics import analysis
from forensics.analysis import ANALYSES
from forensics.finding import Question

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
STEMS = [
    "00_start_here",
    "01_evidence",
    "02_faces",
    "03_lipsync",
    "04_blink",
    "05_lighting",
    "06_voice",
    "07_case_report",
    "08_compare",
    "09_validate",
    "10_batch",
]
#: Those that ``forensics notebook`` runs on a recording of one's own; the others are about several.
ON_ONE = STEMS[:8]
#: What has one value a picture: loops over it belong into the package.
PICTURES = {"t_s", "frame", "pts", "landmarks", "blendshapes", "transform", "vertex_rgb", "yaw", "values"}
#: What a reader needs beside the package: tables, arithmetic, players; files and the command itself.
LIBRARY = {"hashlib", "itertools", "json", "pathlib", "subprocess", "sys"}
IMPORTS = {"forensics", "IPython", "librosa", "numpy", "pandas"} | LIBRARY


def cells(path: Path, kind: str) -> list[dict]:
    return [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == kind]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def nodes(path: Path) -> list[ast.AST]:
    """All that stands in the code cells, as syntax."""
    return [node for cell in cells(path, "code") for node in ast.walk(ast.parse(source(cell)))]


def parameters(path: Path) -> dict[str, str]:
    tagged = [c for c in cells(path, "code") if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1
    lines = [re.fullmatch(r'(\w+) = ("[^"]*"|[\d.]+|None)', line) for line in source(tagged[0]).splitlines()]
    assert all(lines), source(tagged[0])
    return {line[1]: line[2].strip('"') for line in lines if line}


def test_the_notebooks_keep_their_numbers_and_no_analysis_is_without_one() -> None:
    assert [p.stem for p in NOTEBOOKS][: len(STEMS)] == STEMS
    assert {a.ANALYSIS for a in ANALYSES} <= {p.stem[3:] for p in NOTEBOOKS}


def questions(family: str) -> dict[str, Question]:
    """The questions of an analysis, as its files word them."""
    homes = [m.name for m in pkgutil.walk_packages(analysis.__path__, "forensics.analysis.")]
    worded = [value for home in homes for value in vars(importlib.import_module(home)).values()]
    asked = {value.slug: value for value in worded if isinstance(value, Question)}
    return {slug: question for slug, question in asked.items() if slug.partition(".")[0] == family}


@pytest.mark.parametrize("family", [a.ANALYSIS for a in ANALYSES])
def test_the_hypotheses_of_a_lesson_are_those_of_the_report(family):
    (path,) = (p for p in NOTEBOOKS if p.stem[3:] == family)
    (cell,) = (source(c) for c in cells(path, "markdown") if "as two hypotheses" in source(c))
    told = re.findall(r"\*\*H1\*\*:? (.+?\.)[ -]*\*\*H2\*\*:? (.+?\.)", " ".join(cell.split()))
    assert set(told) == {(question.h1, question.h2) for question in questions(family).values()}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestNotebook:
    def test_cells_only_call_show_and_explain(self, path: Path) -> None:
        for cell in cells(path, "code"):
            text = source(cell)
            assert text.count("\n") < 15
            assert not re.search(r"^\s*[%!]|\bpip\b", text, re.MULTILINE), text
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.While)
        assert not [ast.unparse(node) for node in nodes(path) if isinstance(node, kinds)]

    def test_no_loop_runs_over_pictures(self, path: Path) -> None:
        for loop in (node for node in nodes(path) if isinstance(node, ast.For | ast.comprehension)):
            inside = [*ast.walk(loop.iter)]
            assert not {n.attr for n in inside if isinstance(n, ast.Attribute)} & PICTURES, ast.unparse(loop)
            assert not {n.id for n in inside if isinstance(n, ast.Name)} & (PICTURES | {"range"}), ast.unparse(loop)

    def test_they_call_the_package_and_open_no_media_themselves(self, path: Path) -> None:
        named = [n.module for n in nodes(path) if isinstance(n, ast.ImportFrom)]
        named += [alias.name for n in nodes(path) if isinstance(n, ast.Import) for alias in n.names]
        assert {str(name).partition(".")[0] for name in named} <= IMPORTS
        assert "pipeline" in {
            n.value.id for n in nodes(path) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
        }

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

    def test_one_parameters_cell_of_plain_literals_and_relative_paths(self, path: Path) -> None:
        given = parameters(path)
        assert "altered" in given and ("clip" in given) == (path.stem in ON_ONE)
        assert all(value.startswith("../") for value in given.values() if "/" in value)

    def test_the_controls_are_bundled_samples_set_beside_the_truth(self, path: Path) -> None:
        given = parameters(path)
        samples = {value for name, value in given.items() if name not in ("case", "cases")}
        assert all(value.startswith("../samples/out/") for value in samples)
        if path.stem != "00_start_here":  # it names what was done in its first lines
            assert given["truth"] == "../samples/out/truth.json"
            assert {"untouched", "truth"} <= {n.id for n in nodes(path) if isinstance(n, ast.Name)}

    def test_stored_outputs_are_in_order_small_and_name_no_machine(self, path: Path) -> None:
        counts = [c["execution_count"] for c in cells(path, "code")]
        assert counts == list(range(1, len(counts) + 1))
        assert path.stat().st_size <= 1_500_000  # a chart a question, and some pictures
        outputs = json.dumps([c["outputs"] for c in cells(path, "code")])
        assert not re.search(r"/(home|root|work|Users|tmp)/", outputs)
        assert not re.search(r"\b(actor|host)\b", outputs)  # as the custody log has them
        assert any("image/jpeg" in o.get("data", {}) for c in cells(path, "code") for o in c["outputs"])
        assert not any(o["output_type"] == "error" for c in cells(path, "code") for o in c["outputs"])

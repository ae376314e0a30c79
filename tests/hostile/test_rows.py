"""Every row of the table of hostile input, through the command in a process of its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from rows import ELSEWHERE, ROWS, faults
from running import Place, Preloaded, run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def command():
    with Preloaded() as command:
        yield command


@pytest.mark.parametrize("row", [row for row in ROWS if not row.heavy], ids=lambda row: ascii(row.name))
def test_row(row, command, tmp_path):
    place = Place(tmp_path)
    ran = run(command, place, row.make(place.evidence))
    assert faults(row, ran) == []


@pytest.mark.parametrize("row", ELSEWHERE, ids=lambda row: ascii(row.name))
def test_a_row_that_is_no_file_has_its_test(row):
    file, name = row.test.split("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

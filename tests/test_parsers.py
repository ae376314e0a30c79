"""The parsers that touch evidence are free of the critical faults we know; the lock keeps it so."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import parsers  # noqa: E402

from forensics.decode import DECODERS  # noqa: E402


@pytest.mark.parametrize("floor", parsers.FLOORS, ids=lambda floor: floor.fault[:15])
def test_what_is_installed_is_new_enough(floor):
    assert not parsers.too_old(floor)
    assert parsers.too_old(replace(floor, least="999.0"))


def test_the_lock_is_new_enough():
    """FFmpeg comes inside the locked wheel of PyAV, so its version is the installed one's."""
    locked = dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE))
    for floor in parsers.FLOORS:
        if (name := floor.parser.split()[0]) in locked:
            assert parsers.numbers(locked[name]) >= parsers.numbers(floor.least)


@pytest.mark.parametrize("fault", parsers.OPEN, ids=lambda fault: f"{fault.cve}-{fault.part}")
def test_a_fault_that_no_wheel_has_mended_cannot_be_reached(fault):
    assert not parsers.reachable(fault)


def test_the_check_fails_where_a_faulty_part_is_reached(monkeypatch, capsys):
    monkeypatch.setattr(parsers, "OPEN", [replace(parsers.OPEN[0], part=sorted(DECODERS)[0])])
    with pytest.raises(SystemExit) as ended:
        parsers.main()
    assert ended.value.code == 1 and "REACHED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "numbers"), [("8.1.2", (8, 1, 2)), ("n8.1.2-3", (8, 1, 2)), ("5.0.0.93", (5, 0, 0, 93))]
)
def test_versions_are_compared_by_their_numbers(text, numbers):
    assert parsers.numbers(text) == numbers


def test_a_version_without_numbers_is_not_passed_over():
    with pytest.raises(ValueError, match="invalid literal"):
        parsers.numbers("git-2026-11-01-abcdef")

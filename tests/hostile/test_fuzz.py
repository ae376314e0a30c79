"""Whatever stands in tags and case files: a value or a refusal, never a traceback; what is damaged is made anew.

FUZZ_EXAMPLES says how many of each are tried (`make fuzz`: 1,000; else 25).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics import cli
from forensics.case import LOG, STATE, Case
from forensics.decode import LONGEST_TAG
from forensics.report.html import evidence
from forensics.text import visible

EXAMPLES = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "25")),
    deadline=None,  # a loaded machine is no fault
    derandomize=True,  # the same ones in every run
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
STEERING = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}

#: Any JSON, with names that our files use.
NAMES = st.sampled_from(["observation", "names", "tracks", "key", "given", "name", "hash", "n", "about", "files"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
NESTED = st.integers(1, 5000).map(lambda n: b"[" * n + b"]" * n)


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """Any bytes, any JSON, nested without end, or ``whole`` with some bytes replaced and its end cut."""
    places = st.lists(st.tuples(st.integers(0, max(0, len(whole) - 1)), st.integers(0, 255)), min_size=1, max_size=5)
    cut = st.integers(0, len(whole))

    def replaced(changes: list[tuple[int, int]], end: int) -> bytes:
        out = bytearray(whole)
        for at, value in changes:
            out[at : at + 1] = bytes([value])
        return bytes(out[:end] if end % 2 else out)

    jsons = JSON.map(lambda values: json.dumps(values).encode())
    return st.binary(max_size=60) | jsons | NESTED | st.builds(replaced, places, cut)


class Tags(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


@EXAMPLES
@given(st.text(max_size=2 * LONGEST_TAG) | st.text(alphabet="<>&\"'/=!-[]{}%scriptbdi \u202e\x1b\n", max_size=60))
def test_any_tag_is_inert_in_the_page(text):
    import unicodedata

    shown = visible(text)
    assert not any(unicodedata.category(c) in STEERING for c in shown)
    assert Tags(f"<p>{evidence(text)}</p>").tags == ["p", "bdi"]


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit status of the command, run in this process; any other exception passes through."""
    monkeypatch.setattr(sys, "argv", ["forensics", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code or 0


@pytest.fixture
def folder(face_case, tmp_path):
    """A copy of a finished case's own files."""
    (tmp_path / "case").mkdir()
    for name in (STATE, LOG):
        shutil.copy(face_case / name, tmp_path / "case" / name)
    return tmp_path / "case"


@pytest.mark.parametrize("name", [STATE, LOG])
def test_any_case_file_is_read_or_refused(folder, monkeypatch, capsys, name):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    @EXAMPLES
    @given(damaged(before[name]), st.booleans())
    def attempt(data: bytes, act: bool) -> None:
        for file, content in before.items():
            (folder / file).write_bytes(content)
        (folder / name).write_bytes(data)
        assert ended(monkeypatch, "name", folder, *(["A=Anna"] if act else [])) in (0, 3)
        assert "Traceback" not in capsys.readouterr().err

    attempt()


@pytest.mark.parametrize("name", ["about.json", "values.npy"])
def test_a_damaged_cache_is_made_anew(tmp_path, name):
    import numpy as np

    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "x").touch()
    about = {"picture": {"size": [4, 3], "losses": {"damaged": 0}}}

    def make(place: Path) -> dict:
        np.save(place / "values.npy", np.arange(12.0))
        return about

    with Case(tmp_path / "case", tmp_path / "evidence" / "x") as case:
        kept, _, _ = case.cached({"key": 1}, make)
        whole = (kept / name).read_bytes()

        @EXAMPLES
        @given(damaged(whole))
        def attempt(data: bytes) -> None:
            (kept / name).write_bytes(data)
            again, found, known = case.cached({"key": 1}, make)
            assert found == about and known == (data == whole)
            assert (np.load(again / "values.npy") == np.arange(12.0)).all()

        attempt()

"""Whatever file comes: a report or a code, within limits; the evidence untouched, its words inert."""

from __future__ import annotations

import functools
import json
import os
import signal
from html.parser import HTMLParser
from pathlib import Path

import corpus
import jsonschema
import pypdfium2
import pytest
import synth

from forensics import observe, pipeline, report, sandbox
from forensics.case import Case
from forensics.errors import MediaError

#: One child: its start is most of the time here, and the number changes no result.
ONE = pipeline.Settings(observe=observe.Settings(workers=1))


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    """A minute, and half of the memory a child may have."""
    monkeypatch.setattr(sandbox, "Limits", functools.partial(sandbox.Limits, memory_bytes=4 << 30))
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture
def evidence(tmp_path):
    """The folder of the evidence, where no output belongs."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    return folder


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} in JSON")


def findings(folder: Path) -> dict:
    """findings.json of a case: valid, without NaN."""
    found = json.loads((folder / "findings.json").read_text("utf-8"), parse_constant=no_constant)
    jsonschema.validate(found, report.schema())
    return found


def examined(path: Path, folder: Path) -> dict:
    """findings.json of a run on ``path``, which writes nothing beside the case folder."""
    before = {*os.listdir(folder.parent), folder.name}
    with Case(folder, path) as case:
        pipeline.report(case, settings=ONE)
    assert set(os.listdir(folder.parent)) == before
    return findings(folder)


# -- no recording ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", corpus.INDIRECT)
def test_the_decoder_itself_opens_no_playlist(evidence, name):
    """The second lock: containers it knows, and no protocol."""
    from forensics import decode

    synth.write(evidence / "secret.mp4", synth.evenly(synth.plain(3)))
    fd = os.open(corpus.named(evidence, name, corpus.INDIRECT[name]), os.O_RDONLY)
    with pytest.raises(MediaError, match="E_NOT_MEDIA"):
        decode.open_container(fd)
    os.close(fd)


# -- damaged films -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_ends_with_a_code_or_with_values(evidence, tmp_path, kept, seed):
    path = kept(corpus.random_damage(evidence, seed))
    try:
        with Case(tmp_path / "case", path) as case:
            assert pipeline.examine(case, settings=ONE).findings
    except MediaError as error:
        assert error.code.startswith("E_")


# -- words from outside ------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a browser would make of a page: its tags, headings, and what is shown."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.shown = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.shown += data


def test_tags_are_inert_in_the_report(evidence, tmp_path, kept):
    sound = synth.Sound(synth.tone(0.5))
    plain = synth.write(evidence / "plain.mp4", sound, tags=dict.fromkeys(corpus.TAGS, "word"))
    tagged = kept(synth.write(evidence / "clip.mp4", sound, tags=corpus.TAGS))
    found, _ = (examined(path, tmp_path / path.stem) for path in (tagged, plain))
    assert found["clip"]["tags"]["title"] == corpus.TAGS["title"]  # evidence is quoted, not changed
    for value in found["clip"]["tags"].values():
        assert len(value) < 400 and not {"\x1b", "\x07", "\u202e", "\n"} & set(value)
    page, other = (Page((tmp_path / name / "report.html").read_text("utf-8")) for name in ("clip", "plain"))
    assert page.tags == other.tags and page.attributes == other.attributes
    assert "script" not in page.tags
    for text in ("<script>alert(1)</script>", "{{7*7}}", "=HYPERLINK(", "⟨U+001B⟩", "# Conclusion"):
        assert text in page.shown
    assert not {"\x1b", "\u202e"} & set(page.shown)
    assert page.shown.count("A" * 100) < 20
    with pypdfium2.PdfDocument(tmp_path / "clip" / "report.pdf") as printed:
        shown = "".join(page.get_textpage().get_text_range() for page in printed)
    assert "<script>alert(1)</script>" in shown and "{{7*7}}" in shown and not {"\x1b", "\u202e"} & set(shown)


def test_a_face_that_does_not_speak_is_found_and_its_voice_is_not(face_case):
    found = findings(face_case)
    assert [t["person"] for t in found["clip"]["tracks"]] == ["A"]
    reasons = {f["question"]: f["reasons"] for f in found["findings"]}
    assert all("face_not_found" not in codes and "no_picture" not in codes for codes in reasons.values())
    assert any("no_speech" in codes for question, codes in reasons.items() if question.startswith("voice"))

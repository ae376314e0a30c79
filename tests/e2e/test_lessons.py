"""Each lesson run by ``forensics notebook`` on recordings that are no sample: it ends, as a page of its own.

The recordings are a sample under another name, one without a blink, one without sound, one of two persons. What was
seen of the controls is taken from ``case/notebooks`` where it lies there; else they are examined first.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import lab
import pytest

from forensics import notebook
from forensics.custody import Actor
from forensics.errors import CaseError, MediaError

pytest.importorskip("papermill", reason="needs the extra notebooks")
ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples/out"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SAMPLES / "talker.mp4").is_file(), reason="needs the samples: make samples"),
]
WHO = Actor("Dr. Test", "examiner")
#: A recording's name and the sample that it is.
RECORDINGS = {"interview": "talker", "unblinking": "talker_no_blinks", "silent": "talker", "pair": "two_talkers"}
LESSONS = [name for name in notebook.names() if name < "08"]
#: What looks at sound has nothing to look at in a recording without.
OF_SOUND = {"03_lipsync", "06_voice"}
#: What an analyst says of a recording: no lesson puts a word of it into the log of the recording's own case.
SAID = {"named", "marked", "mark_taken_back", "told", "struck", "restored"}
#: Where pictures of the pages go, to be looked at; nowhere without it.
SHOTS = os.environ.get("EXPLORER_SHOTS")


def without_sound(sample: Path, place: Path) -> None:
    """The sample's pictures as they are coded, alone."""
    with av.open(str(sample)) as source, av.open(str(place), "w") as silent:
        stream = silent.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                silent.mux(packet)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recordings")
    clips = {name: folder / f"{name}.mp4" for name in RECORDINGS}
    for name, clip in clips.items():
        make = without_sound if name == "silent" else shutil.copy
        make(SAMPLES / f"{RECORDINGS[name]}.mp4", clip)
    return clips


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the pages, with the cases of the controls that were examined before."""
    out = tmp_path_factory.mktemp("own") / "out"
    (out / "cases").mkdir(parents=True)
    for case in (ROOT / "case/notebooks").glob("*talker*"):
        shutil.copytree(case, out / "cases" / case.name)
    return out


@pytest.fixture(scope="module")
def shot() -> Iterator[Any]:
    """Takes a picture of a page where one is asked for."""
    if SHOTS is None or lab.CHROMIUM is None:
        yield lambda page, name: None
        return
    with lab.chromium() as browser:

        def take(page: Path, name: str) -> None:
            shown = browser.new_page(viewport={"width": 1000, "height": 800})
            shown.goto(page.as_uri())
            shown.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
            shown.close()

        yield take


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("recording", RECORDINGS)
def test_it_ends_and_says_nothing_in_the_analysts_name(recording, lesson, clips, out, shot):
    clip = clips[recording]
    if recording == "silent" and lesson in OF_SOUND:
        with pytest.raises(MediaError, match="looks at sound, and the recording has none") as refused:
            notebook.run(lesson, clip, out, WHO)
        assert refused.value.code == "E_NOTEBOOK_LACKS"
        return
    page = notebook.run(lesson, clip, out, WHO)
    shot(page, f"{recording}-{lesson}")
    assert f"{recording}.mp4" in page.read_text("utf-8")
    log = [json.loads(line) for line in (out / "cases" / recording / "custody.jsonl").read_text("utf-8").splitlines()]
    assert not {entry["action"] for entry in log} & SAID
    assert {entry["actor"] for entry in log} == {WHO.name}


@pytest.mark.parametrize("lesson", [name for name in notebook.names() if name >= "08"])
def test_one_about_several_recordings_is_refused_before_anything_is_written(lesson, clips, tmp_path):
    with pytest.raises(CaseError, match=f"{lesson} is about several") as refused:
        notebook.run(lesson, clips["interview"], tmp_path / "out", WHO)
    assert refused.value.code == "E_NOTEBOOK_OF_SEVERAL" and not (tmp_path / "out").exists()

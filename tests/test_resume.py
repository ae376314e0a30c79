"""A pass that broke off: the next run goes on behind it, with the same bytes, or starts anew where it was changed."""

from __future__ import annotations

import pytest
import synth

from forensics import observe, pipeline
from forensics.case import Case

#: Two cells of the pass and a half, small pictures.
SECONDS, CELL_S = 5.0, 1.0
SETTINGS = pipeline.Settings(observe=observe.Settings(cell_s=CELL_S))


class Broken(Exception):
    """Stands for anything that ends a run."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    face = synth.portrait(128)
    pictures = synth.evenly([face if k % 40 else face[:, ::-1].copy() for k in range(round(SECONDS * 10))], fps=10)
    return synth.write(tmp_path_factory.mktemp("evidence") / "clip.mp4", pictures, synth.Sound(synth.tone(SECONDS)))


@pytest.fixture(autouse=True)
def always_kept(monkeypatch):
    monkeypatch.setattr(observe, "KEPT_EVERY_S", 0.0)


def run(folder, clip, break_after=None):
    """The times at which the pass told of its progress; it breaks off behind ``break_after`` of them."""
    told = []

    def progress(what, share):
        if what == "looking":
            told.append(share * SECONDS)
            if len(told) == break_after:
                raise Broken

    with Case(folder, clip) as case:
        pipeline.examine(case, settings=SETTINGS, progress=progress)
    return told


def seen(folder):
    return {p.name: p.read_bytes() for p in folder.glob("cache/*/*.npy")}


def actions(folder):
    with Case(folder, folder.parent / "none") as case:
        return [entry["action"] for entry in case.entries()]


@pytest.fixture(scope="module")
def whole(clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "case"
    assert len(run(folder, clip)) == 5
    return seen(folder)


def broken(folder, clip, after=3):
    with pytest.raises(Broken):
        run(folder, clip, break_after=after)
    assert len([*folder.glob("cache/*.partial")]) == 1 and actions(folder).count("kept") == after


def test_the_next_run_goes_on_where_it_broke_off_with_the_same_bytes(clip, whole, tmp_path):
    broken(tmp_path / "case", clip)
    told = run(tmp_path / "case", clip)
    assert len(told) == 2 and min(told) > 3 * CELL_S
    assert seen(tmp_path / "case") == whole
    assert not [*tmp_path.glob("case/cache/*.partial")]


def test_it_may_break_off_again(clip, whole, tmp_path):
    broken(tmp_path / "case", clip, after=1)
    with pytest.raises(Broken):
        run(tmp_path / "case", clip, break_after=2)
    assert len(run(tmp_path / "case", clip)) == 2 and seen(tmp_path / "case") == whole


@pytest.mark.parametrize("array", ["t_s", "landmarks"])
def test_what_was_changed_meanwhile_is_seen_anew(clip, whole, tmp_path, array):
    broken(tmp_path / "case", clip)
    (path,) = tmp_path.glob(f"case/cache/*.partial/{array}.npy")
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(bytes(data))
    assert len(run(tmp_path / "case", clip)) == 5 and seen(tmp_path / "case") == whole


def test_a_file_that_is_gone_is_seen_anew(clip, whole, tmp_path):
    broken(tmp_path / "case", clip)
    for path in tmp_path.glob("case/cache/*.partial/row.npy"):
        path.unlink()
    assert len(run(tmp_path / "case", clip)) == 5 and seen(tmp_path / "case") == whole


def test_nothing_is_kept_of_evidence_that_was_written_to(clip, tmp_path):
    evidence = tmp_path / "evidence" / "clip.mp4"
    evidence.parent.mkdir()
    evidence.write_bytes(clip.read_bytes())

    def touched(what, share):
        if what == "looking":
            evidence.touch()
            if share * SECONDS > 3:
                raise Broken

    with Case(tmp_path / "case", evidence) as case, pytest.raises(Broken):
        pipeline.examine(case, settings=SETTINGS, progress=touched)
    assert actions(tmp_path / "case").count("kept") == 1  # of the first cell, before it was touched

"""``forensics notebook``: the lesson on a recording of one's own is the command's result, without code."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from forensics import cli, notebook
from forensics.custody import Actor
from forensics.errors import CaseError, MediaError, ParameterError
from forensics.observe import Observation
from forensics.scene import Scene
from forensics.timeline import Interval

pytest.importorskip("papermill")
WHO = Actor("Dr. Test", "reviewer")
PARAMETERS = 'clip = "../samples/own.mp4"\naltered = "../samples/control.mp4"\ncases = "../case"'
EXAMINED = """from pathlib import Path
from forensics import Case, pipeline
from forensics.report import dumps, findings_json
with Case(Path(cases) / Path(clip).stem, Path(clip)) as case:
    examination = pipeline.examine(case)
    print("actor", case.actor.name, case.actor.role)
Path(cases, "seen.json").write_text(dumps(findings_json(examination)))
print("<script>alert(1)</script>", Path(altered).read_text())"""


@pytest.fixture
def home(tmp_path) -> Path:
    """A folder of one notebook, with its control."""
    home = tmp_path / "checkout" / "notebooks"
    home.mkdir(parents=True)
    (home.parent / "samples").mkdir()
    (home.parent / "samples" / "control.mp4").write_text("a control")
    write(home, EXAMINED)
    return home


def write(home: Path, code: str, parameters: str = PARAMETERS, tags: tuple[str, ...] = ()) -> None:
    cells = [nbformat.v4.new_markdown_cell("# A lesson\n\n**H1** or H2"), nbformat.v4.new_code_cell(parameters)]
    cells[1].metadata["tags"] = ["parameters", *tags]
    made = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell(code)])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, home / "03_lesson.ipynb")


def test_the_notebook_finds_what_the_command_finds_and_shows_no_code(home, face_clip, face_case, tmp_path, kept):
    kept(face_clip)
    out = tmp_path / "out"
    shutil.copytree(face_case, out / "cases" / "face")  # what was seen is taken from there
    page = notebook.run("03_lesson", face_clip, out, WHO, home=home).read_text("utf-8")
    findings = (face_case / "findings.json").read_bytes()
    assert (out / "cases" / "seen.json").read_bytes() == findings
    assert (out / "cases" / "face" / "findings.json").read_bytes() == findings
    assert "<h1" in page and "<strong>H1</strong>" in page and "a control" in page
    assert "pipeline" not in page and "<script" not in page and "&lt;script&gt;" in page and "http:" not in page
    assert "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'" in page
    assert "actor Dr. Test reviewer" in page
    log = [json.loads(line) for line in (out / "cases" / "face" / "custody.jsonl").read_text().splitlines()]
    began = next(k for k, entry in enumerate(log) if entry.get("notebook") == "03_lesson")
    assert {(entry["actor"], entry["role"]) for entry in log[began:]} == {("Dr. Test", "reviewer")}
    assert log[-1]["action"] == "examined"
    assert "pipeline.examine" in (out / "03_lesson.ipynb").read_text("utf-8")


@pytest.mark.parametrize("name", ['a"b', "line\nfeed", "\udcff", "tab\\t", "é\u202e", "'''", "{0}%s"], ids=ascii)
def test_any_file_name_reaches_the_notebook_as_it_is(name):
    from papermill.translators import PythonTranslator

    lines: dict[str, object] = {}
    exec(PythonTranslator.codify({"clip": f"/{name}/x.mp4"}), lines)
    assert lines["clip"] == f"/{name}/x.mp4"


def test_a_notebook_that_stops_is_a_refusal_in_one_line(home, face_clip, tmp_path, monkeypatch):
    monkeypatch.setattr(notebook.pipeline, "report", lambda case, progress: None)
    write(home, "\n1 / 0")
    with pytest.raises(MediaError, match="code cell 3 with ZeroDivisionError: division by zero") as refused:
        notebook.run("03_lesson", face_clip, tmp_path / "out", WHO, home=home)
    assert refused.value.code == "E_NOTEBOOK" and not list((tmp_path / "out").glob("*.html"))


@pytest.mark.parametrize(
    ("tag", "words"),
    [("needs-face", "a face that can be followed"), ("needs-sound", "sound"), ("needs-picture", "pic")],
)
def test_a_recording_without_what_the_notebook_looks_at_is_refused_once_its_report_is_written(
    home, face_clip, tmp_path, monkeypatch, tag, words
):
    nothing = Observation(None, *[{}] * 6, audio=None, losses={})
    seen = SimpleNamespace(scene=Scene(Interval(0.0, 1.0), nothing, [], [], [], [], None, None))
    monkeypatch.setattr(notebook.pipeline, "report", lambda case, progress: seen)
    write(home, "1 / 0", tags=(tag,))
    with pytest.raises(MediaError, match=f"looks at {words}") as refused:
        notebook.run("03_lesson", face_clip, tmp_path / "out", WHO, home=home)
    assert refused.value.code == "E_NOTEBOOK_LACKS"


def test_what_cannot_be_run_is_refused_before_anything_is_written(home, face_clip, tmp_path):
    def refused(kind, name="03_lesson", clip=face_clip, out=tmp_path / "out", place=home):
        with pytest.raises(kind) as told:
            notebook.run(name, clip, out, WHO, home=place)
        assert not (tmp_path / "out").exists()
        return str(told.value)

    assert "NAME is one of 03_lesson, found '3'" in refused(ParameterError, name="3")
    assert refused(CaseError, place=tmp_path).startswith("E_NO_NOTEBOOKS: ")
    for out in (face_clip.parent, home, home.parent, tmp_path):
        assert refused(CaseError, out=out).startswith("E_CASE_PLACE: ")
    write(home, EXAMINED, PARAMETERS.replace("clip", "questioned"))
    assert refused(CaseError).startswith("E_NOTEBOOK_OF_SEVERAL: 03_lesson is about several recordings")
    write(home, EXAMINED)
    (tmp_path / "control.mp4").write_bytes(face_clip.read_bytes())
    assert "A control of this notebook has the recording's name" in refused(CaseError, clip=tmp_path / "control.mp4")
    (home.parent / "samples" / "control.mp4").unlink()
    assert refused(CaseError).startswith("E_NO_SAMPLES: ")


def test_the_command_lists_the_names_and_refuses_what_is_no_recording(tmp_path, monkeypatch, capsys):
    (tmp_path / "in").mkdir()
    clip = tmp_path / "in" / "x.mp4"
    clip.touch()
    monkeypatch.setattr(notebook, "_check", lambda *_: None)  # the samples need not be built here
    for name, code, words in (("lipsync", "E_PARAMETER", "00_start_here, 01_evidence"), ("01_evidence", "E_EMPTY", "")):
        monkeypatch.setattr(sys, "argv", ["forensics", "notebook", name, str(clip), "--out", str(tmp_path / "out")])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        err = capsys.readouterr().err
        assert ended.value.code == 3 and err.startswith(code) and words in err

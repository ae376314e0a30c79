"""One of the notebooks run on a recording of one's own, with its controls, as a page without code.

    OUT/03_lipsync.html  03_lipsync.ipynb  cases/<the recording's stem>  cases/<each control's>

First the recording is examined as ``forensics report`` does it, in a case of its own; the notebook opens that case by
the same path, and finds there what was seen. Its kernel is a child of this process on this machine.
"""

from __future__ import annotations

import ast
import copy
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from forensics import pipeline
from forensics.case import Case, is_or_holds, write
from forensics.custody import Actor
from forensics.errors import CaseError, ForensicsError, MediaError, ParameterError
from forensics.report.html import environment
from forensics.text import joined
from forensics.timeline import Interval

if TYPE_CHECKING:
    from forensics.scene import Scene

#: The notebooks lie beside the package in its checkout, not in it.
HOME = Path(__file__).resolve().parents[1] / "notebooks"
#: Parameters by which a notebook is told where its cases lie.
PLACES = ("case", "cases")
#: What a notebook cannot do without, as tags of its parameters' cell: in words, and whether a recording has it.
NEEDS: Mapping[str, tuple[str, Callable[[Scene], bool]]] = {
    "needs-face": ("a face that can be followed", lambda scene: bool(scene.persons)),
    "needs-picture": ("pictures", lambda scene: len(scene.observation.pictures.get("t_s", ())) > 1),
    "needs-sound": ("sound", lambda scene: scene.observation.audio is not None),
}
#: The player's sampling rate: for the ear only, so that notebooks stay small.
EAR_HZ = 16000


def names(home: Path = HOME) -> list[str]:
    """The notebooks there are. Raises CaseError ``E_NO_NOTEBOOKS`` where this installation has none."""
    found = sorted(path.stem for path in home.glob("*.ipynb"))
    if not found:
        raise CaseError(
            "E_NO_NOTEBOOKS",
            "The notebooks lie in the checkout of this software, and this installation is not run from one.",
            "Call .venv/bin/forensics of a checkout (make venv).",
        )
    return found


def run(
    name: str,
    clip: Path,
    out: Path,
    actor: Actor,
    progress: pipeline.Progress = lambda what, share: None,
    home: Path = HOME,
) -> Path:
    """Run the notebook ``name`` on ``clip``; returns the page written into ``out``.

    Raises ParameterError for a name that is not there, MediaError where the recording cannot be examined or ends the
    notebook, CaseError where ``out`` cannot be used.
    """
    if name not in names(home):
        raise ParameterError(f"NAME is one of {', '.join(names(home))}", name)
    source = home / f"{name}.ipynb"
    given, needs = _parameters(source)
    if "clip" not in given:
        raise CaseError(
            "E_NOTEBOOK_OF_SEVERAL",
            f"{name} is about several recordings, and this command takes one.",
            "Open it in JupyterLab (.venv/bin/jupyter lab notebooks), set its parameters, and run it there.",
        )
    _check(given, clip, out, home)
    cases = out.absolute() / "cases"
    with Case(cases / clip.stem, clip, actor=actor) as case, case.run("report", interval=None, notebook=name):
        examination = pipeline.report(case, progress=progress)
    for what in (what for need, (what, has) in NEEDS.items() if need in needs and not has(examination.scene)):
        raise MediaError(
            "E_NOTEBOOK_LACKS",
            f"This notebook looks at {what}, and the recording has none.",
            "Its report, in the case under cases/, stands and names what could not be assessed.",
        )
    progress("running the notebook", 0.0)
    own = {"clip": str(clip.absolute())} | {place: str(cases) for place in PLACES if place in given}
    made = _executed(source, own, actor, home)
    write(out / f"{name}.ipynb", json.dumps(made, indent=1, ensure_ascii=True) + "\n")
    write(out / f"{name}.html", page(made, clip.name))
    progress("done", 1.0)
    return out / f"{name}.html"


def heard(scene: Scene) -> Any:
    """A second of the recording to listen to, from where speech begins, else from the sound's begin."""
    import librosa
    from IPython.display import Audio, Markdown

    sound = scene.observation.audio
    if sound is None:
        return Markdown("The recording has no sound.")
    begin_s = scene.speech[0].start_s if scene.speech else sound.start_s
    excerpt, _ = sound.mono(Interval(begin_s, begin_s + 1.0))
    return Audio(librosa.resample(excerpt, orig_sr=sound.rate_hz, target_sr=EAR_HZ), rate=EAR_HZ)


def _parameters(source: Path) -> tuple[dict[str, Any], set[str]]:
    """The notebook's own parameters, with the values they have there, and the tags of their cell."""
    cells = json.loads(source.read_text("utf-8"))["cells"]
    tagged = next(cell for cell in cells if "parameters" in cell["metadata"].get("tags", ()))
    lines = ast.parse("".join(tagged["source"])).body
    given = {
        ast.unparse(line.targets[0]): ast.literal_eval(line.value) for line in lines if isinstance(line, ast.Assign)
    }
    return given, set(tagged["metadata"]["tags"])


def _check(given: Mapping[str, Any], clip: Path, out: Path, home: Path) -> None:
    """Refuse a folder that may not be written to, controls that are not there, and a name that one of them has."""
    if is_or_holds(out, clip.parent) or is_or_holds(out, home):
        raise CaseError("E_CASE_PLACE", "The folder named holds recordings or notebooks.", "Name another with --out.")
    if out.exists() and not (out / "cases").is_dir() and (not out.is_dir() or any(out.iterdir())):
        raise CaseError("E_CASE_PLACE", "The folder named holds other files.", "Name a new folder with --out.")
    controls = [home / value for key, value in given.items() if key not in ("clip", *PLACES) and "/" in str(value)]
    if missing := [path.name for path in controls if not path.is_file()]:
        raise CaseError("E_NO_SAMPLES", f"The notebook's control {missing[0]} is not there.", "Run make samples.")
    if any(path.stem == clip.stem and not (clip.exists() and path.samefile(clip)) for path in controls):
        raise CaseError(
            "E_CASE_PLACE",
            "A control of this notebook has the recording's name, and cases are named so.",
            "Give the recording by a copy of another name.",
        )


def _executed(source: Path, own: Mapping[str, str], actor: Actor, home: Path) -> dict[str, Any]:
    """The notebook as it is after its run with the parameters ``own``. Ctrl-C ends its cell, and so the run."""
    try:
        import papermill
        from jupyter_client.manager import AsyncKernelManager
        from nbclient.exceptions import DeadKernelError
    except ImportError as error:
        raise ParameterError(
            "forensics notebook needs papermill: pip install 'forensics[notebooks]'", "no package papermill"
        ) from error
    kernels: list[AsyncKernelManager] = []

    class Kernel(AsyncKernelManager):
        def __init__(self, **about: Any) -> None:
            # Sockets in a folder of our own: by TCP, its default, others on this machine could listen.
            super().__init__(transport="ipc", connection_file=os.path.join(place, "kernel.json"), **about)
            kernels.append(self)

    # In the main thread papermill would take Ctrl-C for itself.
    with TemporaryDirectory() as place, _acting(actor), ThreadPoolExecutor(1) as aside:
        running = aside.submit(
            papermill.execute_notebook,
            str(source),
            None,
            dict(own),
            kernel_name="python3",
            progress_bar=False,
            cwd=str(home),
            kernel_manager_class=Kernel,
        )
        try:
            return json.loads(json.dumps(running.result()))
        except KeyboardInterrupt:
            for manager in kernels:
                with suppress(OSError):
                    os.kill(manager.provisioner.pid, signal.SIGINT)  # type: ignore[union-attr]
            raise
        except papermill.PapermillExecutionError as error:
            raise _stopped(f"code cell {error.exec_count}", error.ename, str(error.evalue)) from error
        except DeadKernelError as error:
            raise _stopped("a cell", "a process that ended", str(error)) from error


@contextmanager
def _acting(actor: Actor) -> Iterator[None]:
    """Processes started meanwhile act as ``actor``."""
    before = dict(os.environ)
    os.environ |= {"FORENSICS_EXAMINER": actor.name, "FORENSICS_ROLE": actor.role}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _stopped(where: str, what: str, why: str) -> ForensicsError:
    """What ended the notebook, in words: a refusal's own, else the error's name."""
    told = why if why.startswith("E_") else f"{what}: {why}"
    return MediaError(
        "E_NOTEBOOK",
        f"The notebook stopped at {where} with {told}",
        "The recording may lack what this notebook looks at; its report, in the case under cases/, stands.",
    )


def page(made: Mapping[str, Any], name: str) -> str:
    """The notebook's texts and outputs as one HTML5 file, without code: no script, nothing loaded from anywhere."""
    import nbformat
    from nbconvert import HTMLExporter

    shown = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_output_prompt=True, exclude_input_prompt=True
    )
    lesson = nbformat.from_dict(copy.deepcopy(made))
    for output in (o for cell in lesson["cells"] for o in cell.get("outputs", ())):
        output.get("data", {}).pop(
            "application/vnd.jupyter.widget-view+json", None
        )  # a page has no kernel: its picture
    body, _ = shown.from_notebook_node(lesson)
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(body=Markup(body), running="Notebook", name=joined([name]))
    )

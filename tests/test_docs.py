"""The documentation: builds without a warning, leads nowhere that is not there, names no command that is not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import typer
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors.index import slugify

import forensics
from forensics.cli import app
from forensics.finding import REASONS

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import generated  # noqa: E402

COMMANDS = typer.main.get_command(app).commands
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MANUAL = sorted((ROOT / "docs").glob("*.md"))


def text_of(path: Path) -> str:
    """The Markdown of a page, or of a notebook's cells."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n\n".join("".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "markdown")


def tokens(markdown: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        yield from (token, *(token.children or ()))


def anchors(markdown: str) -> set[str]:
    """The headings' anchors, as Markdown's hosts make them."""
    return {slugify(after.content) for token, after in pairwise(tokens(markdown)) if token.type == "heading_open"}


def astray(markdown: str, folder: Path) -> list[str]:
    """Relative links and pictures that lead to no file, or to no heading of it. Others' addresses are not looked at."""
    found = []
    for token in tokens(markdown):
        target = str(token.attrs.get("href") or token.attrs.get("src") or "")
        parts = urlsplit(target)
        if target and not parts.scheme:
            there = folder / unquote(parts.path)
            text = markdown if not parts.path else text_of(there) if there.suffix == ".md" and there.is_file() else ""
            if not there.exists() or (parts.fragment and parts.fragment not in anchors(text)):
                found.append(target)
    return found


def typed(markdown: str) -> str:
    """All that is set as code, continued lines joined, without comments."""
    code = "\n".join(t.content for t in tokens(markdown) if t.type in ("fence", "code_inline"))
    return re.sub(r"\s#\s.*", "", code.replace("\\\n", " "))


# -- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path):
    assert not astray(text_of(path), path.parent)


def test_what_leads_nowhere_is_found(tmp_path):
    (tmp_path / "there.md").write_text("# One `heading` of it\n")
    sound = "[a](there.md) [b](there.md#one-heading-of-it) [c](#d-e) ![p](there.md) [x](https://elsewhere.invalid/y)"
    gone = ["gone.md", "there.md#another", "#here", "gone.png"]
    text = f"# D, e\n\n{sound}\n\n[a](gone.md) [b](there.md#another) [c](#here) ![p](gone.png)\n"
    assert astray(text, tmp_path) == gone


# -- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, *MANUAL, *NOTEBOOKS], ids=lambda path: path.name)
def test_commands_and_options_are_there(path):
    code = typed(text_of(path))
    for name, rest in re.findall(r"^(?:\.venv/bin/)?forensics ([a-z]+)\b(.*)", code, re.MULTILINE):
        assert name in COMMANDS, name
        options = {option for each in COMMANDS[name].params for option in each.opts}
        assert set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", rest)) <= options, f"forensics {name}{rest}"
    targets = re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"^make ([a-z0-9]+)", code, re.MULTILINE)) <= set(targets)


# -- the site --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-n", "-W", "--keep-going", "-q", "-c", "docs", "."]
    built = subprocess.run([*command, folder], check=False, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert built.returncode == 0, built.stderr
    return folder


def test_the_site_builds_without_a_warning(site):
    assert (site / "index.html").is_file() and (site / "docs/tutorial.html").is_file()


def test_every_public_name_is_described(site):
    page = (site / "docs/python.html").read_text("utf-8")
    assert not [name for name in forensics.__all__ if f'id="forensics.{name}"' not in page]


def test_every_command_and_option_is_described(site):
    page = (site / "docs/commands.html").read_text("utf-8")
    for name, command in COMMANDS.items():
        assert f'id="forensics-{name}"' in page
        assert not [o for each in command.params for o in each.opts if o.startswith("--") and f">{o}<" not in page]


def test_every_code_is_listed_with_its_words(site):
    page = (site / "docs/refusals.html").read_text("utf-8")
    sources = [path.read_text("utf-8") for path in (ROOT / "forensics").rglob("*.py")]
    codes = {code for source in sources for code in re.findall(r'"(E_[A-Z_]+|INTEGRITY_FAILED)"', source)}
    assert len(codes) > 50 and not [code for code in codes if f">{code}<" not in page]
    assert "The file is empty (0 bytes)." in page and "Ask for the recording again." in page
    assert not [words for words in REASONS if f">{words}<" not in page]


def test_words_of_a_refusal_are_read_off_the_code():
    source = """
STEP = "Do it."
class Own(CaseError):
    def __init__(self, line, sentence):
        super().__init__("E_OWN", f"Line {line}: " + sentence, STEP)
def f(n):
    raise MediaError("E_ONE", f"There are {n} of {STEP}.", STEP)
    raise CaseError(code="E_TWO", sentence="It is so.", next_step=g(n))
    raise Own(n, "It is empty.")
    print("E_THREE: Stopped. Run again.")
"""
    assert sorted(generated.refused(source)) == [
        ("E_ONE", "There are … of ….", "Do it."),
        ("E_OWN", "Line …: It is empty.", "Do it."),
        ("E_THREE", "Stopped. Run again.", ""),
        ("E_TWO", "It is so.", ""),
    ]

"""What the pages take from the code itself: the commands, the refusals, the reasons and the terms of a report.

A line ``<!-- generated: NAME -->`` of a page becomes the Markdown that the function of that name makes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import forensics

PACKAGE = Path(forensics.__file__).parent
MARK = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
CODE = re.compile(r"E_[A-Z_]+|INTEGRITY_FAILED")
#: Stands for what is known only when it happens: a name, a number.
BLANK = "…"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; a bar in a cell is not the table's."""
    lines = [list(head), ["---"] * len(list(head)), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


# -- the command line ------------------------------------------------------------------------------------------------


def commands() -> str:
    """Each command: its usage, its own words, its arguments and options, from the app that the terminal runs."""
    import typer

    from forensics.cli import app

    return "\n\n".join(_command(name, each) for name, each in typer.main.get_command(app).commands.items())


def _command(name: str, command: Any) -> str:
    called = f"forensics {name}"
    context = command.make_context(called, [], resilient_parsing=True)
    usage = " ".join((called, *command.collect_usage_pieces(context)))
    rows = [record for each in command.params if (record := each.get_help_record(context))]
    listed = table(("argument or option", "what it is"), ((f"`{what}`", words) for what, words in rows))
    return f"## {called}\n\n{command.help}\n\n```text\n{usage}\n```\n\n{listed}"


# -- refusals ----------------------------------------------------------------------------------------------------------


def refusals() -> str:
    """Each code with its sentence and the next step, as they stand where the refusal is raised."""
    rows = sorted({row for path in sorted(PACKAGE.rglob("*.py")) for row in refused(path.read_text("utf-8"))})
    told = {code for code, sentence, step in rows if sentence}
    return table(
        ("code", "what it says", "what to do next"),
        ((f"`{c}`", s, step) for c, s, step in rows if s or c not in told),
    )


def refused(source: str) -> Iterator[tuple[str, str, str]]:
    """Code, sentence, next step of every call that holds a code. Words that are made elsewhere are left blank."""
    tree = ast.parse(source)
    known = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = [words(value, known) for value in (*node.args, *(k.value for k in node.keywords))]
            at = next((k for k, value in enumerate(given) if CODE.fullmatch(value)), None)
            if at is not None:
                sentence, step, *_ = *(w if w.strip(f"{BLANK} ") else "" for w in given[at + 1 :]), "", ""
                yield given[at], sentence, step


def words(node: ast.expr, known: dict[str, ast.expr]) -> str:
    """The text that an expression makes, with ``BLANK`` for its variable parts."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(words(part, known) for part in parts)
        case ast.IfExp(body=one, orelse=other):
            return f"{words(one, known)} / {words(other, known)}"
        case ast.Name(id=name) if name in known and not isinstance(known[name], ast.Name):
            return words(known[name], {})
    return BLANK


# -- words of the report -----------------------------------------------------------------------------------------------


def reasons() -> str:
    """Why a question could not be assessed, and what would help."""
    from forensics.finding import REASONS

    return table(("reason", "in words", "what would help"), ((f"`{c}`", *both) for c, both in sorted(REASONS.items())))


def questions() -> str:
    """The questions by their families."""
    from forensics.report.phrases import FAMILIES, QUESTIONS

    families = {slug: FAMILIES.get(slug.partition(".")[0], "") for slug in QUESTIONS}
    return table(("question", "in words", "family"), ((f"`{q}`", w, families[q]) for q, w in QUESTIONS.items()))


def measurements() -> str:
    """The measurements' names in words."""
    from forensics.report.phrases import QUANTITIES

    return table(("measurement", "in words"), ((f"`{name}`", words) for name, words in sorted(QUANTITIES.items())))


def terms() -> str:
    """The glossary that every report ends with."""
    from forensics.report.closing import glossary

    (block,) = glossary(None)  # type: ignore[arg-type]  # it says the same of every matter
    return table(("term", "meaning"), ((name, " ".join(map(str, text))) for name, text in block["rows"]))


def propositions() -> str:
    """The pairs of propositions, as they are worded here."""
    from forensics.calibration.propositions import PAIRS

    return table(("pair", "H1", "H2"), ((f"`{p.name}`", p.h1, p.h2) for p in PAIRS.values()))


MAKERS = {made.__name__: made for made in (commands, refusals, reasons, questions, measurements, terms, propositions)}


def _fill(_: Any, __: str, source: list[str]) -> None:
    source[0] = MARK.sub(lambda mark: MAKERS[mark[1]](), source[0])


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}

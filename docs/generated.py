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
CODE = re.compile(r"E_[A-Z_]+|INTEGRITY_FAILED|REPLAY_DIFFERS")
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
    worded = {code for code, sentence, _ in rows if sentence}
    return table(
        ("code", "what it says", "what to do next"),
        ((f"`{code}`", sentence, step) for code, sentence, step in rows if sentence or code not in worded),
    )


def refused(source: str) -> Iterator[tuple[str, str, str]]:
    """Code, sentence, next step of every call that holds a code; where a function words it, of each call of that."""
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    known = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    wording = dict(_wording(tree))
    for call in calls:
        if (row := _row(call, known)) is None:
            continue
        name, parameters = wording.get(call, ("", ()))
        callers = [c for c in calls if parameters and isinstance(c.func, ast.Name) and c.func.id == name]
        for caller in callers:
            yield _row(call, known | dict(zip(parameters, caller.args, strict=False))) or row
        if not callers:
            yield row


def _wording(tree: ast.Module) -> Iterator[tuple[ast.Call, tuple[str, list[str]]]]:
    """Of each call inside a function: that function's name (a class's, of its ``__init__``) and its parameters."""
    owners = {child: node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for child in node.body}
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        name = owners.get(function, "") if function.name == "__init__" else function.name
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                yield node, (name, [a.arg for a in function.args.args if a.arg != "self"])


def _row(call: ast.Call, known: dict[str, ast.expr]) -> tuple[str, str, str] | None:
    """What a call with a code says; a text that begins with one is whole."""
    given = [words(value, known) for value in (*call.args, *(k.value for k in call.keywords))]
    for k, text in enumerate(given):
        code, _, said = text.partition(": ")
        if CODE.fullmatch(code):
            after = [said] if said else given[k + 1 :]
            sentence, step, *_ = *(text if text.strip(f"{BLANK} .") else "" for text in after), "", ""
            return code, sentence, step
    return None


def words(node: ast.expr, known: dict[str, ast.expr]) -> str:
    """The text that an expression makes, with ``BLANK`` for its variable parts."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(words(part, known) for part in parts)
        case ast.IfExp(body=one, orelse=other):
            return " / ".join(filter(None, (words(one, known), words(other, known))))
        case ast.BinOp(op=ast.Add(), left=one, right=other):
            return words(one, known) + words(other, known)
        case ast.Name(id=name) if name in known:
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

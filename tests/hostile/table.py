"""`python tests/hostile/table.py`: the table of hostile input, every row run as the real command, into TABLE.md.

``--quick`` saves the command's imports (``running.Preloaded``) and leaves out the heavy rows; TABLE.md says so. Ends
with status 1 where a row is not as it must be.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "hostile")]

from rows import ELSEWHERE, NOT_APPLICABLE, ROWS, Row, faults, seen  # noqa: E402
from running import Place, Preloaded, Process, run  # noqa: E402

HEAD = """\
# Hostile input, row by row

Written by `python tests/hostile/table.py` (part of `make fuzz`) on commit {commit}: each row that is a file went
through `forensics report` as a process of its own{how}, in a place with a home and a temporary folder of its
own, and was held to all of this: exit status, code, one sentence and the next step, no traceback, nothing changed
outside the case (evidence's bytes, mode and time, its folder, home, temporary and current folder), no socket, memory
and time, an entry in the log, valid JSON without NaN. How each is seen, and what cannot be seen so, stands in
`running.py`. The one known exception is a list of fonts that matplotlib keeps in the user's home; here it is sent
elsewhere (MPLCONFIGDIR).

| row | input | must happen | seen | MB | s | test |
|---|---|---|---|--:|--:|---|
"""


def cells(*values: object) -> str:
    """One row of Markdown; nothing in a cell may end it."""
    plain = (str(v).replace("\\", "").replace("|", "∣").replace("\n", " ") for v in values)
    return "| " + " | ".join(plain) + " |"


def measured(row: Row, command: Process | Preloaded) -> tuple[str, bool]:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        try:
            ran = run(command, place, row.make(place.evidence), limit_s=row.most_s)
        except TimeoutError as error:
            return cells(row.group, row.name, row.must, error, "", "", ""), True
        wrong = faults(row, ran)
        told = "; ".join(wrong) if wrong else seen(row, ran)
    where = "`make fuzz`" if row.heavy else "`test_rows.py::test_row`"
    return cells(row.group, row.name, row.must, told, f"{ran.peak_mb:.0f}", f"{ran.seconds:.0f}", where), bool(wrong)


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    failed, left_out, lines = 0, 0, []
    with Preloaded() if quick else Process() as command:
        for row in ROWS:
            if quick and row.heavy:
                lines.append(cells(row.group, row.name, row.must, "not run in this table", "", "", "`make fuzz`"))
                left_out += 1
                continue
            line, wrong = measured(row, command)
            failed += wrong
            lines.append(line)
            print(line, flush=True)
    lines += [cells(e.group, e.name, e.must, "held by its test", "", "", f"`{e.test}`") for e in ELSEWHERE]
    lines += [cells(group, "", "", f"not applicable: {why}", "", "", "") for group, why in NOT_APPLICABLE]
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True).strip()
    text = (
        HEAD.format(commit=commit, how=", with its imports done before" if quick else "")
        + "\n".join(lines)
        + f"\n\n{len(ROWS) - left_out} files run, {failed} not as they must be; {left_out} left out.\n"
    )
    (ROOT / "tests" / "hostile" / "TABLE.md").write_text(text, encoding="utf-8")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()

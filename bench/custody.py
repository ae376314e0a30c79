"""What safe hands cost: seconds of hashing, of the custody log and of the children, and their share of a report.

    python bench/custody.py [--seconds 60] [--rounds 5]

Hashing and log are timed inside a whole report; hashing that is part of a log entry counts there. The start of a child
takes what an empty one takes that loads the same module (median), counted from its instant in the report: where several
start at once, once; their sum is printed beside it. The face model, which some load later, one process would load too.
That a child hands over its results is printed for the sound: the same work there and here.
"""

from __future__ import annotations

import argparse
import importlib
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from joined import join, source
from timing import seconds_of

from forensics import clip, custody, pipeline, sandbox
from forensics.case import Case, CaseFolder
from forensics.clip import opened
from forensics.timeline import Interval, union

#: The share of a report's wall time that hashing, log and children may cost together.
AIM = 0.10


class Timed:
    """Seconds spent in the functions it is put around; one called by another of them counts once."""

    def __init__(self) -> None:
        self.spent_s: Counter[str] = Counter()
        self._inside = threading.local()

    def around(self, place: Any, name: str, kind: str) -> None:
        plain = getattr(place, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            if getattr(self._inside, "now", False):
                return plain(*arguments, **named)
            began, self._inside.now = time.monotonic(), True
            try:
                return plain(*arguments, **named)
            finally:
                self._inside.now = False
                self.spent_s[kind] += time.monotonic() - began

        setattr(place, name, timed)


def drained(messages: Iterable[object]) -> None:
    for _ in messages:
        pass


def module_of(function: str) -> str:
    return function.split(":")[0]


def report(path: Path, folder: Path) -> tuple[float, Counter[str], list[tuple[str, float]]]:
    """Seconds of a whole report, those of hashing and log in it, and what its children ran from which instant on."""
    timed, started, stream = Timed(), [], sandbox.stream

    def noted(function: str, *arguments: Any, **named: Any) -> Any:
        started.append((function, time.monotonic()))
        return stream(function, *arguments, **named)

    sandbox.stream = noted  # type: ignore[assignment]
    for place, name in ((clip, "hashes"), (pipeline, "hashes")):
        timed.around(place, name, "hashing")
    for name in ("digest_of", "package_sha256"):
        timed.around(custody, name, "hashing")
    for name in ("log", "entries", "last_entry"):
        timed.around(CaseFolder, name, "log")
    began = time.monotonic()
    with Case(folder, path) as case, case.run("bench"):
        pipeline.report(case)
    whole = time.monotonic() - began
    sandbox.stream = stream
    return whole, timed.spent_s, started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    name = source("P03_real.mp4").name
    with tempfile.TemporaryDirectory() as place:
        path = join(source(name), options.seconds, Path(place) / "joined.mp4")
        whole, spent, started = report(path, Path(place) / "case")
        with opened(path) as fd:

            def start_s(module: str) -> float:
                """Of a child that loads ``module`` and ends."""
                return seconds_of(lambda: drained(sandbox.stream("empty:loaded", fd, module=module)), options.rounds)

            empty = start_s("forensics.sandbox")
            takes = {module: start_s(module) for module in {module_of(function) for function, _ in started}}
            sound = clip.identify(path, fd).sound
            decode = importlib.import_module("forensics.decode").sound
            apart = seconds_of(
                lambda: drained(sandbox.stream("forensics.decode:sound", fd, stream_index=sound)), options.rounds
            )
            here = seconds_of(lambda: drained(decode(fd, stream_index=sound)), options.rounds)
    starts = [Interval(t_s, t_s + takes[module_of(function)]) for function, t_s in started]
    waited, added = sum(i.duration for i in union(starts)), sum(i.duration for i in starts)
    print(f"{name} joined to {options.seconds:.0f} s: one report in {whole:.1f} s, with {len(started)} children")
    for module, seconds in sorted(takes.items()):
        print(f"a child that only loads {module} starts in {seconds:.2f} s (n = {options.rounds})")
    print(f"an empty child: {empty:.2f} s; the sound decoded in a child {apart:.2f} s, here {here:.2f} s")
    for what, seconds in (("hashing", spent["hashing"]), ("log", spent["log"]), ("starts of children", waited)):
        print(f"{what}: {seconds:.2f} s, {seconds / whole:.1%} of the report")
    total = spent["hashing"] + spent["log"] + waited
    print(f"together {total:.2f} s, {total / whole:.1%} of the report; the aim is at most {AIM:.0%}")
    print(f"(starts added up, as if none had run beside another: {added:.2f} s, {added / whole:.1%})")


if __name__ == "__main__":
    main()

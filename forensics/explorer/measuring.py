"""The measurements of a part of a finished case: the pipeline's own functions on what the pass saw and heard there."""

from __future__ import annotations

from typing import Any

from forensics import pipeline
from forensics.finding import ASSESSED, Finding
from forensics.finished import FinishedCase
from forensics.method import restored
from forensics.report import phrases
from forensics.scene import within
from forensics.timeline import Interval

#: Analyses of the whole file alone: which packets it holds is no question about a part.
OF_THE_FILE = ("evidence", "coincidence")


def measured(
    case: FinishedCase, interval: Interval, progress: pipeline.Progress = lambda what, share: None
) -> list[Finding]:
    """The findings on what lies inside ``interval``, with the case's own settings and names.

    Nothing is decoded again: with ``forensics report --from --to`` the search for faces begins anew at the edge, so
    tracks there may begin a picture earlier or later. Raises MediaError ``E_NO_FRAMES`` where nothing lies there.
    """
    settings = restored(pipeline.Settings, case.run.opened["settings"])
    sha256 = case.run.opened["sha256"]
    found = pipeline.assess(within(case.scene, interval), settings, sha256, progress)
    return [finding for finding in found if finding.analysis not in OF_THE_FILE]


def rows(findings: list[Finding]) -> list[dict[str, Any]]:
    """As a table in words: each measurement with its interval and n, each refusal with its reason."""
    table = []
    for finding in findings:
        record = finding.as_json()
        about = {"question": phrases.question(finding.question), "person": finding.person or "", "reason": ""}
        if finding.state != ASSESSED:
            reason = " ".join(why for why, _ in phrases.reasons(record))
            table.append(about | {"quantity": "not assessable", "value": "", "interval": "", "n": "", "reason": reason})
        for m in record["measurements"]:
            interval = "none" if m["low"] is None else f"{phrases.spread(m)} ({phrases.percent(m['level'])})"
            value = phrases.quantity(m["value"], m["unit"])
            about_it = {"quantity": phrases.label(m["name"]), "value": value, "interval": interval, "n": str(m["n"])}
            table.append(about | about_it)
        if finding.state == ASSESSED and finding.events:
            count = {"quantity": "events", "value": str(len(finding.events)), "interval": "none", "n": ""}
            table.append(about | count)
    return table

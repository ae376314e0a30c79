"""The commands that make a report's findings again: from the log's settings, as far as they differ from the usual."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from forensics import custody
from forensics.report.record import WITHOUT_EFFECT, assigned
from forensics.settings import Settings
from forensics.text import Untrusted

#: Options by the setting they give; FILE: its hash stands among the settings.
OPTIONS = {
    "blink.task": "--task",
    "evidence.trusted_signers": "--trust FILE",
    "transcript.text": "--transcript FILE",
    "comparison.relation": "--reference-for",
    "calibration.text": "--calibration FILE",
    "calibration.language": "--language",
    "controls.planted": "--controls",
}
#: Stands before settings that were changed and that no command gives.
NO_OPTION = "Settings that no option gives, which forensics replay takes from the log: "
#: A command in parts: our words, and apart from them the analyst's.
Command = list[str | Untrusted]


def commands(record: Mapping[str, Any], log: Sequence[custody.Entry]) -> list[Command]:
    """The report's command; behind it names and strike-outs, after which the first is given again."""
    changed = _changed(log)
    bounds = zip(("--from", "--to"), record["clip"]["excerpt"] or (None, None), strict=True)
    given = [f"{option} {bound}" for option, bound in bounds if bound is not None]
    given += [f"--reference {one['name']}" for one in record.get("references", {}).get("recordings", ())]
    first: Command = [" ".join(["forensics report RECORDING", *given])]
    for setting, option in OPTIONS.items():
        if setting in changed:
            own = isinstance(changed[setting], str) and not option.endswith("FILE")
            first += [f" {option} ", Untrusted(shlex.quote(changed[setting]))] if own else [f" {option}"]
    made = [[*first, " --out CASE"]]
    if names := assigned(record):
        made.append(["forensics name CASE ", Untrusted(shlex.join(names))])
    if struck := [str(p["number"]) for p in record.get("told", {}).get("bilabials", ()) if p["struck"]]:
        made.append([f"forensics strike CASE {' '.join(struck)} --reason TEXT"])
    return made


def without_option(log: Sequence[custody.Entry]) -> list[str]:
    """Settings changed that no option gives: from Python, or by the day."""
    return [name for name in _changed(log) if name not in OPTIONS]


def _changed(log: Sequence[custody.Entry]) -> dict[str, Any]:
    """Settings of the last run that are not the usual ones, by part and name, in the log's own form."""
    run = next((entry for entry in reversed(log) if entry["action"] == "opened"), {})
    usual = json.loads(custody.canonical(asdict(Settings())))
    return {
        f"{part}.{name}": value
        for part, values in run.get("settings", {}).items()
        for name, value in values.items()
        if name not in WITHOUT_EFFECT and value != usual[part][name]
    }

"""The command that a report prints for its repetition: what was asked for, no more, no less."""

import json
import shlex
from dataclasses import asdict, replace
from itertools import pairwise

import pytest
import test_report as made_up
import typer
from typer.testing import CliRunner

from forensics import cli, credentials, custody
from forensics.report import repeating
from forensics.settings import Settings
from forensics.text import for_json

#: Options of a report that change none of its numbers.
WITHOUT_NUMBERS = {"--out", "--final", "--exhibits", "--examiner", "--role", "--help"}
USUAL = Settings()


def log_of(settings):
    return made_up.logged("started", "opened", settings=json.loads(custody.canonical(asdict(settings))))


def record(excerpt=None, given=(), struck=(), tracks=()):
    clip = {"excerpt": excerpt, "tracks": tracks, "brief": [], "set_aside": []}
    bilabials = [{"number": n, "struck": n in struck} for n in (1, 2, 3)]
    return {"clip": clip, "references": {"recordings": [{"name": n} for n in given]}, "told": {"bilabials": bilabials}}


def printed(record, settings):
    return ["".join(for_json(part) for part in c) for c in repeating.commands(record, log_of(settings))]


def test_a_usual_report_is_repeated_by_the_command_alone():
    assert printed(record(), USUAL) == ["forensics report RECORDING --out CASE"]
    assert repeating.without_option(log_of(USUAL)) == []
    assert printed(record(), replace(USUAL, observe=replace(USUAL.observe, workers=1))) == printed(record(), USUAL)


def test_every_option_that_was_given_is_printed(tmp_path, monkeypatch):
    """All of them at once, through the command's own parser: an option added later is asked for here."""
    asked = {}
    monkeypatch.setattr(
        cli.reporting, "_reported", lambda case, command, interval, settings, *_: asked.update(s=settings)
    )
    monkeypatch.setattr(credentials, "signers", lambda path: "PEM")
    (tmp_path / "words.txt").write_text("my mother")
    given = ["--from", "1.5", "--to", "9.0", "--task", "reading", "--trust", "x", "--language", "British English"]
    given += ["--transcript", str(tmp_path / "words.txt"), "--calibration", "demonstration", "--controls"]
    given += ["--reference", "r.mp4", "--reference-for", "camera"]
    clip, out = str(tmp_path / "c.mp4"), str(tmp_path / "case")
    done = CliRunner().invoke(cli.app, ["report", clip, "--out", out, *given])
    assert done.exit_code == 0, done.output
    command = shlex.split(*printed(record([1.5, 9.0], ["R1"]), asked["s"]))
    options = {o for p in typer.main.get_command(cli.app).commands["report"].params for o in p.opts if o[:2] == "--"}
    assert {part for part in command if part[:2] == "--"} - {"--out"} == options - WITHOUT_NUMBERS
    assert command[3:9] == ["--from", "1.5", "--to", "9.0", "--reference", "R1"]
    assert ("--language", "British English") in pairwise(command)


def test_names_and_strike_outs_come_behind_it():
    tracks = [{"name": "A1", "person": "Anna B", "letter": "A"}, {"name": "B1", "person": "B", "letter": "B"}]
    assert printed(record(struck=(1, 3), tracks=tracks), USUAL)[1:] == [
        "forensics name CASE 'A1=Anna B'",
        "forensics strike CASE 1 3 --reason TEXT",
    ]


def test_settings_that_no_option_gives_are_named():
    tuned = replace(USUAL, blink=replace(USUAL.blink, task="rest", longest_s=0.4))
    assert repeating.without_option(log_of(tuned)) == ["blink.longest_s"]
    assert printed(record(), tuned) == ["forensics report RECORDING --task rest --out CASE"]


@pytest.mark.parametrize("language", [t for t in made_up.HOSTILE if len(t) < 300], ids=ascii)
def test_it_stands_in_both_reports_and_a_hostile_text_in_it_is_inert(language):
    own = replace(USUAL, calibration=replace(USUAL.calibration, language=language))
    calm = replace(USUAL, calibration=replace(USUAL.calibration, language="German"))
    pages = [made_up.page(made_up.examination(), log=made_up.LOG[:-2] + log_of(s)[1:]) for s in (own, calm)]
    heads = [made_up.Reader(page).headings for page in pages]
    assert heads[0] == heads[1] and "RECORDING --language" in pages[1] and "German" in pages[1]
    assert "<script>" not in pages[0]

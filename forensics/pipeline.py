"""The one path through the house: an open case in, findings out. Everything that examines a clip calls this."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from forensics import (
    coincidence,
    comparison,
    controls,
    copies,
    custody,
    landmarks,
    marking,
    naming,
    observe,
    references,
    search,
    speech,
    stills,
    striking,
    survey,
    telling,
    tracks,
    transcript,
)
from forensics.analysis import ANALYSES
from forensics.case import Case, canonical
from forensics.clip import Clip, identify, opened
from forensics.errors import MediaError
from forensics.examination import Examination
from forensics.finding import Finding
from forensics.method import describe
from forensics.scene import Scene, build
from forensics.settings import Settings
from forensics.taking import Progress, derived, heard_in, key_of, observed, refuse_if_changed, versions, versions_of
from forensics.timeline import Interval

#: Modules whose methods make the numbers that recordings are compared by.
MEASURING = (observe, search, landmarks, tracks, speech, *ANALYSES)


def examine(
    case: Case,
    interval: Interval | None = None,
    settings: Settings | None = None,
    progress: Progress = lambda what, share: None,
    beside: Sequence[Path] = (),
) -> Examination:
    """Examine the case's evidence: all of it, or the ``interval`` given in s on the presentation clock.

    ``beside``: recordings or finished cases that it is compared with. Raises MediaError where the file cannot be
    examined, IntegrityError where it changed meanwhile, CaseError where a reference is none.
    """
    examination = _examine(case, interval, settings or Settings(), progress, beside)
    _verify(case, examination)
    return examination


def _examine(
    case: Case,
    interval: Interval | None,
    settings: Settings,
    progress: Progress,
    beside: Sequence[Path] = (),
    afresh: bool = False,
) -> Examination:
    """``examine`` without its last look at the evidence, which stands behind the last visit to it.

    ``afresh``: the outputs of an earlier run are set aside first.
    """
    with opened(case.evidence) as fd:
        clip = identify(case.evidence, fd)
        case.claim(clip.sha256)
        settings = _dated(settings, case)
        case.log(
            "opened",
            {"run": "running", "started_utc": case.now(), "finished_utc": None, "evidence_sha256_after": None},
            sha256=clip.sha256,
            sha512=clip.sha512,
            bytes=clip.size_bytes,
            **procedure(interval, settings),
        )
        if afresh:
            case.set_aside("a new run begins")
        given = _references(case, clip, interval, settings, progress, beside)

        heard: dict[str, Any] = {}

        def look(place: Path) -> dict[str, Any]:
            return observed(case, clip, fd, place, interval, settings, heard, progress)

        folder, about, known = derived(case, clip, key_of(clip, interval, settings), look)
        surveyed = _survey(case, clip, fd, settings)
        scene = build(observe.load(folder, about), interval, settings.tracks, settings.speech)
        if scene.observation.audio is not None:
            heard = heard or heard_in(scene.observation.audio, scene.speech or [], settings)
        scene = _with_names(replace(scene, survey=surveyed, heard=heard), case, folder.name, known, settings)
        scene = replace(scene, told=_told(scene, case, folder.name, settings))
        findings = assess(scene, settings, clip.sha256, progress)
        planted = None
        if settings.controls.planted:
            planted = controls.run(scene, settings, settings.controls, progress)
            planted = copies.examined(planted, case, clip, fd, scene, interval, settings, progress)
    examination = Examination(clip, scene, findings, settings, versions(), known, interval, planted, given)
    return _compared(_weighed(examination))


def _references(
    case: Case,
    clip: Clip,
    interval: Interval | None,
    settings: Settings,
    progress: Progress,
    beside: Sequence[Path],
) -> tuple[references.Given, ...]:
    """What the recording is compared with, each examined by this very path."""
    procedure = {"measuring": _methods_of(MEASURING), "model_sha256": landmarks.MODEL_SHA256}
    return references.take(
        case,
        beside,
        (clip.sha256, interval),
        settings,
        procedure,
        lambda own: report(
            own, None, references.alone(settings), lambda what, share: progress(f"reference: {what}", share)
        ),
    )


def _compared(examination: Examination) -> Examination:
    """With the findings of the comparison, where references were given."""
    if not examination.references:
        return examination
    from forensics.report import record

    beside = [given.reference for given in examination.references]
    found = comparison.assess(record.findings_json(examination), beside, examination.settings.comparison)
    own = [replace(finding, source_sha256=examination.clip.sha256) for finding in found]
    return replace(examination, findings=[*examination.findings, *own])


def _dated(settings: Settings, case: Case) -> Settings:
    """Settings whose calibration is judged on the day the case was opened, unless they name another day."""
    if not settings.calibration.text or settings.calibration.opened:
        return settings
    return replace(settings, calibration=replace(settings.calibration, opened=str(case.state()["opened_utc"])[:10]))


def _weighed(examination: Examination) -> Examination:
    """With strengths of evidence, where the analyst named a calibration."""
    settings = examination.settings
    if not settings.calibration.text:
        return examination
    from forensics.calibration import applying
    from forensics.report import record

    findings = applying.weighed(
        examination.findings,
        record.clip_json(examination),
        {name: applying.part(step["method"], step["settings"]) for name, step in record.methods(settings).items()},
        landmarks.MODEL_SHA256,
        settings.calibration,
    )
    return replace(examination, findings=findings)


def procedure(interval: Interval | None, settings: Settings) -> dict[str, Any]:
    """All that a run's numbers depend on beside the evidence and the names: what ``forensics replay`` starts from."""
    return {
        "interval": interval and asdict(interval),
        "settings": asdict(settings),
        "methods": _methods_of((*MEASURING, transcript, coincidence, comparison, controls)),
        "model_sha256": landmarks.MODEL_SHA256,
        "versions": versions(),
        "software_sha256": custody.package_sha256(),
    }


def _methods_of(modules: Iterable[Any]) -> dict[str, str]:
    return {module.METHOD.name: module.METHOD.version for module in modules}


def _survey(case: Case, clip: Clip, fd: int, settings: Settings) -> survey.Survey | None:
    """The container's survey, kept in the cache; None where the child could not finish, which the log tells."""
    trusted = settings.evidence.trusted_signers
    key = survey.key(clip.sha256, trusted, versions_of(("av", "numpy")))
    try:
        folder, facts, _ = derived(case, clip, key, lambda place: survey.make(fd, place, trusted))
    except MediaError as error:  # the pictures and the sound were decoded: this costs one finding, not the case
        case.log("survey_refused", code=error.code)
        return None
    return survey.load(folder, facts, clip.picture, clip.sound)


def _with_names(scene: Scene, case: Case, cache: str, known: bool, settings: Settings) -> Scene:
    """The scene with the names given for these very tracks; those of nobody set aside. Notes in the case what was seen.

    ``cache`` is the key of the pass, ``known``: it was there. Tracks depend on their own method and settings too.
    """
    seen = [naming.described(t, brief=False) for t in scene.tracks]
    seen += [naming.described(t, brief=True) for t in scene.brief]
    seen.sort(key=lambda track: (track["start_s"], track["name"]))
    parts = {"pass": cache, "method": asdict(tracks.METHOD), "settings": describe(settings.tracks), "tracks": seen}
    key = hashlib.sha256(canonical(parts).encode()).hexdigest()[:32]
    about = {"cache": cache, "from_cache": known, "observation": key}
    listed = [[track["name"], track["start_s"], track["end_s"]] for track in seen]
    case.log("observed", {"observation": {"key": key, "tracks": seen}}, **about, tracks=listed)
    if names := naming.names_in(case.state()):
        case.log("names_applied", names=names)
    return naming.applied(scene, names)


def _told(scene: Scene, case: Case, cache: str, settings: Settings) -> transcript.Told | None:
    """The analyst's words at the sound, with what was struck out of this very alignment; None where none were told.

    Notes in the case which phonemes can be struck out.
    """
    audio, words = scene.observation.audio, settings.transcript
    if not words.text or audio is None:
        if case.state().get("alignment"):
            case.log("no_words_told", {"alignment": None})
        return transcript.Told(words.text, (), ()) if words.text else None
    told = transcript.place(audio, scene.speech or [], scene.interval, words)
    listed = striking.described(told)
    parts = {"pass": cache, "method": asdict(transcript.METHOD), "settings": asdict(words), "phonemes": listed}
    key = hashlib.sha256(canonical(parts).encode()).hexdigest()[:32]
    case.log(
        "words_aligned",
        {"alignment": {"key": key, "phonemes": listed}},
        alignment=key,
        transcript_sha256=transcript.digest(words.text),
        passages=[[p.interval.start_s, p.interval.end_s, p.reason] for p in told.passages],
    )
    if struck := striking.struck_in(case.state()):
        case.log("strikes_applied", numbers=struck)
    return striking.applied(told, struck)


def report(
    case: Case,
    interval: Interval | None = None,
    settings: Settings | None = None,
    progress: Progress = lambda what, share: None,
    final: bool = False,
    exhibits: bool = False,
    beside: Sequence[Path] = (),
) -> Examination:
    """Examine the case's evidence and write its findings and report into the case.

    ``final``: the report is no draft, which is refused before anything is done where it lacks what an examiner has to
    tell; ``exhibits``: each chart is also made a page of its own; ``beside``: as in ``examine``.
    """
    from forensics import report as writer  # templates and charts: only where a report is asked for

    telling.finalise(case, final)
    examination = _examine(case, interval, settings or Settings(), progress, beside, afresh=True)
    progress("drawing", 0.0)
    record = writer.findings_json(examination)
    try:
        with _stills(case, examination) as pictures:
            figures = writer.plates(record, [(finding, _charts(finding)) for finding in examination.findings])
            taken = pictures()
    except MediaError:
        refuse_if_changed(examination.clip, case)  # a fault of the second visit may be a change of the evidence
        raise
    _verify(case, examination)
    path = writer.write(case, record, figures, taken, exhibits)
    digests = {"findings_sha256": case.folder / "findings.json", "report_sha256": path}
    case.reported(**{name: custody.digest_of(made) for name, made in digests.items()})
    progress("done", 1.0)
    return examination


def _charts(finding: Finding) -> list[Any]:
    return next(a for a in (*ANALYSES, coincidence, comparison) if finding.analysis == a.ANALYSIS).charts(finding)


@contextmanager
def _stills(case: Case, examination: Examination) -> Iterator[Callable[[], list[stills.Still]]]:
    """The only second visit to the evidence's pictures: they are taken in a child until they are called for."""
    scene, clip = examination.scene, examination.clip
    wanted: list[stills.Instant | marking.Marked] = [*stills.views(naming.NOBODY, scene.set_aside)]
    wanted += [
        instant
        for person, appearances in scene.persons.items()
        for instant in stills.instants(person, appearances, [f for f in examination.findings if f.person == person])
    ]
    if marks := marking.given(case.state()):
        case.log("marks_applied", numbers=[*marks])
    wanted += marking.pictures(marks, scene.observation.pictures)
    if not wanted or clip.picture is None:
        yield list
        return
    with opened(case.evidence) as fd, closing(stills.ask(fd, clip.picture, wanted)) as coming:
        yield lambda: stills.received(coming, wanted)
    case.log("stills", frames=sorted({i.frame for i in wanted}))


def assess(scene: Scene, settings: Settings, source_sha256: str, progress: Progress) -> list[Finding]:
    """All analyses, in their order; where no face could be followed each question about faces is refused by name."""
    findings = []
    for k, analysis in enumerate(ANALYSES):
        progress("measuring", k / len(ANALYSES))
        findings += analysis.assess(scene, getattr(settings, analysis.ANALYSIS))
    findings.append(coincidence.assess(scene, findings, settings.coincidence))
    return [replace(finding, source_sha256=source_sha256) for finding in findings]


def _verify(case: Case, examination: Examination) -> None:
    """The evidence is still what was examined, behind the last visit to it; log it."""
    refuse_if_changed(examination.clip, case)
    case.log("examined", {"run": "examined"}, findings=len(examination.findings), sha256=examination.clip.sha256)

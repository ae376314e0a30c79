"""The PDFs: archived and tagged as their standards ask, inert, the same bytes, each number traceable to a twin."""

import hashlib
import io
import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import test_report as made_up

from forensics import controls, custody, report
from forensics.case import Case
from forensics.controls import Control, degrading
from forensics.errors import CaseError, ParameterError
from forensics.finding import Strength, Withheld
from forensics.report import checking, document, matter, pdf
from forensics.report.plates import files, photographs, plates
from forensics.report.record import planted as planted_record
from forensics.text import Untrusted
from forensics.timeline import Interval

ITEM = made_up.SHA[:12]
GIVEN = Strength(
    pair="lips",
    h1="The mouth's movement was generated.",
    h2="The mouth's movement was recorded.",
    questions=("lipsync.link",),
    log10_lr=-1.3,
    low=-1.62,
    high=-0.4,
    level=0.95,
    words="weak support for H2 over H1",
    bound=(-1.69, 1.71),
    n_h1=50,
    n_h2=57,
    units_h1=20,
    units_h2=30,
    scale="ENFSI 2015",
    calibration_sha256="ab" * 32,
    stamp="demonstration, not validated for casework",
)
STRENGTH = GIVEN.as_json()
WITHHELD = Withheld(
    "lips", GIVEN.h1, GIVEN.h2, (("calibration_expired", "It has expired."),), "ab" * 32, GIVEN.stamp
).as_json()
TOLD = {
    "question": {"text": "Was the mouth's movement generated?", "actor": "m. muster", "utc": "2024-05-06", "entry": 2},
    "propositions": {"lips": {"h1": "Generated.", "h2": "Recorded.", "actor": "a", "utc": "2024", "entry": 3}},
    "told": [{"text": "It was sent by a messenger.", "actor": "a", "utc": "2024", "entry": 4}],
    "declaration": {"text": "I declare.\n\nAll of it.", "actor": "a", "utc": "2024", "entry": 5},
    "status": "FINAL",
}


def matter_of(title="holiday", found=None, state=made_up.STATE, log=made_up.LOG, strengths=(), pictures=made_up.stills):
    of = made_up.examination(title, found)
    record = report.findings_json(of)
    drawn = plates(record, made_up.charts_of(of.findings))
    for finding, strength in zip(record["findings"], strengths, strict=False):
        finding["strength"] = strength
    taken = photographs(record, pictures())
    beside = {"findings.json": report.dumps(record), **files(record, drawn, taken)}
    return matter.Matter(record, drawn, taken, state, log, beside)


def printed(make, m):
    return pdf.compiled(pdf.plain(make(m)), m)


@pytest.fixture(scope="module")
def usual():
    return matter_of()


@pytest.fixture(scope="module")
def full(usual):
    return printed(document.full, usual)


@pytest.fixture(scope="module")
def counsel(usual):
    return printed(document.counsel, usual)


def pages(content):
    """The text of each page, white space made plain."""
    read = pypdfium2.PdfDocument(content)
    return [re.sub(r"\s+", " ", page.get_textpage().get_text_range()) for page in read]


def text(content):
    return " ".join(pages(content))


def opened(content):
    return pikepdf.open(io.BytesIO(content))


def elements(content):
    """Structure elements of a PDF: (kind, text for the blind)."""

    def below(node):
        kids = node.get("/K", [])
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                yield str(kid.S), str(kid.get("/Alt", ""))
                yield from below(kid)

    with opened(content) as read:
        yield from below(read.Root.StructTreeRoot)


# -- the standards -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edition", ["full", "counsel"])
def test_it_says_and_holds_what_archives_and_screen_readers_ask(edition, request):
    content = request.getfixturevalue(edition)
    with opened(content) as read:
        root, about = read.Root, read.open_metadata()
        assert (about["pdfaid:part"], about["pdfaid:conformance"]) == ("2", "A")
        assert about["pdfuaid:part"] == "1" and ITEM in about["dc:title"]
        assert root.MarkInfo.Marked and str(root.Lang) == "en-GB" and root.ViewerPreferences.DisplayDocTitle
        assert "/StructTreeRoot" in root and "/OutputIntents" in root
        assert not {"/JavaScript", "/EmbeddedFiles"} & set(root.get("/Names", {}))
        assert "/OpenAction" not in root and "/AcroForm" not in root and not read.is_encrypted


def test_every_font_is_embedded_and_every_page_can_be_searched(full):
    fonts = 0
    with opened(full) as read:
        for one in read.objects:
            if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor":
                assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(one.keys()), one.FontName
                fonts += 1
    assert fonts >= 3
    assert all(len(page) > 30 for page in pages(full))


def test_every_figure_has_its_text_and_tables_have_heads(full, usual):
    found = list(elements(full))
    told = [alt for kind, alt in found if kind == "/Figure"]
    assert len(told) >= len(usual.plates) + len(usual.photographs) and all(told)
    kinds = {kind for kind, _ in found}
    assert {"/Table", "/TH", "/TD", "/L", "/LI", "/H1", "/H2", "/H3", "/Caption"} <= kinds


def test_a_figure_without_text_for_the_blind_is_refused(usual):
    edition = pdf.plain(document.full(usual))
    for block in edition["blocks"]:
        if block["kind"] == "figure":
            block["alt"] = None
    with pytest.raises(ParameterError, match="alt"):
        pdf.compiled(edition, usual)


def test_charts_stay_vectors_and_stills_keep_their_bytes(full):
    with opened(full) as read:
        images = [o for o in read.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"]
        kept = [o for o in images if o.get("/Filter") == "/DCTDecode"]
        assert len(kept) == len(images) and {o.read_raw_bytes() for o in kept} == {made_up.JPEG}


def test_the_same_case_gives_the_same_bytes(full, counsel):
    again = matter_of()
    assert printed(document.full, again) == full and printed(document.counsel, again) == counsel


def test_the_time_it_tells_is_the_case_s(full):
    ended = matter_of(state=made_up.STATE | {"finished_utc": "2023-01-02T03:04:05.678+00:00"})
    with opened(printed(document.counsel, ended)) as read:
        assert str(read.docinfo["/CreationDate"]).startswith("D:20230102030405")


# -- inert ---------------------------------------------------------------------------------------------------------

TYPST = ('#read("/etc/passwd")', "#{1+1}", "$ x $ *bold* _it_ `raw` @ref <label> \\ // /* ", "= Heading", "#include x")


@pytest.mark.parametrize("title", [*TYPST, *made_up.HOSTILE], ids=lambda t: ascii(t[:12]))
def test_hostile_words_are_inert(title):
    state = made_up.STATE | {"evidence_name": title, "examiner": title, "report": {"question": TOLD["question"]}}
    log = made_up.logged("opened", title, actor=title, role=title)
    content = printed(document.full, matter_of(title, state=state, log=log))
    calm = printed(document.full, matter_of("x", state=state | {"evidence_name": "x", "examiner": "x"}, log=log))
    count = {
        edition: sorted(k for k, _ in elements(edition) if k.startswith(("/H", "/Table")))
        for edition in (content, calm)
    }
    assert count[content] == count[calm]
    said = text(content)
    assert "root:" not in said and "Conclusion LR" not in said
    shown = re.sub(r"\s", "", made_up.visible(title)[:20])
    assert shown in re.sub("[\\s\u200b\u2060\ufffe\x02]", "", said)


def test_what_the_fonts_do_not_hold_is_spelled_out_and_what_they_hold_is_shown():
    name = "東 Ж Ω שלום ☺ é"
    said = text(printed(document.counsel, matter_of(state=made_up.STATE | {"examiner": name})))
    assert "⟨U+6771⟩ Ж Ω" in said and "☺ é" in said
    assert ord("東") not in pdf.glyphs() and ord("é") in pdf.glyphs()


def test_our_templates_evaluate_no_text():
    source = (made_up.PACKAGE / "report/templates/report.typ").read_text()
    assert not re.search(r"\beval\(|\bread\(|\bplugin\(|#import|#include|sys\.inputs", source)


# -- content -------------------------------------------------------------------------------------------------------


def sections(content):
    found = list(elements(content))
    return sum(kind == "/H1" for kind, _ in found)


def test_the_full_edition_has_every_section(full):
    said = text(full)
    assert all(section in said for section in checking.SECTIONS)
    assert sections(full) == 17
    for phrase in ("DRAFT", "page 1 of", "not peer reviewed", ITEM, made_up.SHA, "Untested groups", "Not examined"):
        assert phrase in said, phrase


def test_without_a_calibration_it_is_descriptive_and_with_one_bounded(usual, full):
    assert matter.DESCRIPTIVE in text(full) and "No likelihood ratio" not in text(full)
    rated = matter_of(strengths=[STRENGTH, WITHHELD])
    said = text(printed(document.full, rated))
    for phrase in (
        "Weak support for H2 over H1. Likelihood ratio 0.05 (95 % interval 0.024 to 0.4);",
        "log10 −1.30 (−1.62 to −0.40).",
        "Bound by the validation set: log10 LR −1.69 to +1.71; n = 50 under H1, 57 under H2. Words: ENFSI 2015.",
        "demonstration, not validated for casework",
        "It is not the probability that the recording was altered",
        "No likelihood ratio: It has expired.",
        "H1: The mouth's movement was generated. H2: The mouth's movement was recorded.",
    ):
        assert phrase in said.replace("\u00a0", " "), phrase


def test_what_the_examiner_told_is_dated_against_the_measurements():
    log = made_up.logged("told", "told", "told", "told", "told", "opened", "observed")
    state = made_up.STATE | {"report": TOLD, "examiner": "Dr Muster"}
    said = text(printed(document.full, matter_of(state=state, log=log)))
    assert "FINAL" in said and "DRAFT" not in said and "I declare." in said
    assert "log entry 2: before anything was measured in this case" in said and "AFTER" not in said
    late = made_up.logged("opened", "observed", "told", "told", "told")
    assert "log entry 3: AFTER anything was measured" in text(printed(document.full, matter_of(state=state, log=late)))


def laid_out(of, state=made_up.STATE, told=None, log=made_up.LOG):
    """The text of the full edition of an examination without charts and stills."""
    record = report.findings_json(of) | ({"told": told} if told else {})
    m = matter.Matter(record, [], [], state, log, {"findings.json": report.dumps(record)})
    return text(printed(document.full, m)).replace("\u00a0", " ")


def test_sound_alone_and_picture_alone_are_told_as_such():
    of = made_up.examination(found=[])
    silent = replace(of.scene, observation=replace(of.scene.observation, audio=None), speech=None)
    unseen = replace(of.scene.observation, size=None, pictures={})
    blind = replace(of.scene, observation=unseen, tracks=[], brief=[], shots=[], freezes=[])
    for scene, without, told in ((silent, {"sound": None}, "no sound"), (blind, {"picture": None}, "no picture")):
        said = laid_out(replace(of, scene=scene, clip=replace(of.clip, **without)))
        assert f"the file holds {told}" in said and "None of the questions could be assessed" in said


def test_an_excerpt_names_set_aside_tracks_and_words_told_are_printed():
    of, state = made_up.of_names("Anna", "nobody", "Carl")
    passages = [{"start_s": 0.5, "end_s": 4.25, "words": 4, "reason": "", "score": 1.5, "agreement": 0.75}]
    passages += [{"start_s": 5.0, "end_s": 6.0, "words": 1, "reason": "no_speech", "score": None, "agreement": None}]
    bilabial = {"number": 3, "word": "mama", "phoneme": "M", "start_s": 0.7, "end_s": 0.8, "struck": True}
    told = {"transcript": "my mama is #here\n[5-6] x", "sha256": made_up.SHA, "passages": passages}
    asked = replace(of.settings, transcript=replace(of.settings.transcript, text=told["transcript"]))
    log = made_up.logged("opened", settings=json.loads(custody.canonical(asdict(asked))))
    said = laid_out(replace(of, excerpt=Interval(0, 10)), state, told | {"bilabials": [bilabial]}, log)
    for phrase in (
        "Person Anna",
        "m. muster, 2024-05-06T07:08:09+00:00, log entry 17",
        "B1, 5.000 to 9.000 s (0:00:05.000 to 0:00:09.000): set aside by the analyst as nobody",
        "too short to be examined",
        "--from 0 --to 10 --transcript FILE --out CASE, then forensics name CASE",
        "forensics strike CASE 3 --reason TEXT, then the first again",
        "my mama is #here",
        "no: no speech was found in the sound.",
        "Struck out: number 3, m of mama at 0.700 s",
        "not counted: only a part of the recording was examined",
    ):
        assert phrase.replace(" ", "") in re.sub("[\\s\u200b\ufffe]", "", said), phrase


def crowd():
    for n in range(60):
        person = chr(65 + n // 26) + chr(65 + n % 26)
        yield made_up.finding(person=person, measurements=(made_up.measurement(),), events=made_up.blinks(3))
        yield made_up.finding("lipsync.closure", person, state="not_assessable", reasons=("no_speech",))


def test_counsel_s_edition_keeps_to_two_pages(counsel):
    assert 1 <= len(pages(counsel)) <= 2
    told = {**TOLD, "question": TOLD["question"] | {"text": "w " * 900}, "told": TOLD["told"] * 9}
    many = matter_of(found=list(crowd()), state=made_up.STATE | {"report": told}, pictures=list)
    assert len(pages(printed(document.counsel, many))) == 2


def test_an_exhibit_sheet_is_one_page_with_all_that_tells_where_it_is_from(usual):
    for plate in usual.plates:
        edition = pdf.plain(document.sheet(usual, plate))
        (page,) = pages(pdf.compiled(edition, usual))
        for phrase in (f"figure {plate.number}", "made-up method, version 3", usual.clip["sha256"], plate.stem):
            assert phrase.replace(" ", "") in re.sub("[\\s\u200b\ufffe]", "", page), phrase
        picture = pdf.compiled(edition, usual, format="png", ppi=pdf.SHEET_PPI)
        assert picture.startswith(b"\x89PNG") and int.from_bytes(picture[16:20], "big") == round(210 / 25.4 * 300)


# -- controls --------------------------------------------------------------------------------------------------------


def controlled(usual):
    """The made-up matter with controls: told, moved, not planted; and a copy in which less is told."""
    late = ("sound_late", "The sound is later.", "lipsync.offset", "av_offset")
    cut = ("word_cut", "A word is cut out.", "voice.take", "splice")
    turned = ("light_jump", "The lamp is turned.", "lighting.direction", "light_jump")
    whole = (
        *(Control(*late, 2, told, (), True, ms, "ms", "A1") for ms, told in ((40.0, 1), (80.0, 2))),
        *(Control(*turned, 3, told, (), False, deg, "deg", "A1") for deg, told in ((30.0, 3), (90.0, 1))),
        Control(*cut, 0, 0, ("no_empty_band",), False, 1, "1"),
    )
    worse = tuple(replace(c, told=0) for c in whole[:4])
    answer = degrading.Answer("lipsync.offset", (), (), {"av_offset": (10.0, 0.0, 20.0, 31.0, "ms")})
    copies = (
        degrading.Copy("part", "the part as it was", 500, sizes=controls.sizes(whole[:4])),
        degrading.Copy("crf_38", "H.264, CRF 38", 500, "", (answer,), controls.sizes(worse)),
    )
    found = controls.Planted(whole, (("B1", "others_longer"),), Interval(2.0, 22.0), copies)
    examination = replace(made_up.examination(), controls=found)
    return replace(usual, record=usual.record | planted_record(examination))


def test_controls_are_printed_with_their_sizes_and_what_is_told_in_worse_copies(usual):
    said = " ".join(text(printed(document.full, controlled(usual))).replace("\u00a0", " ").split())
    for phrase in (
        "40 ms: 1 of 2; 80 ms: 2 of 2",
        "number moved: 80 ms (beside the untouched",
        "30°, but not 90°",
        "cannot be told here: The sound fills its",
        "Nothing was planted in B1. Other appearances are longer",
        "not told up to 80 ms",
        "1 of 1 outside",
        "CRF 38",
    ):
        assert phrase in said, phrase
    assert "Controls planted" not in text(printed(document.full, usual))


# -- numbers -------------------------------------------------------------------------------------------------------


def case_of(folder, **changes):
    """A written report of the made-up examination."""
    with Case(folder, Path("a film.mp4"), lambda: datetime(2024, 5, 6, tzinfo=UTC)) as case:
        case.log("opened")
        of = made_up.examination(**changes)
        record = report.findings_json(of)
        report.write(case, record, report.plates(record, made_up.charts_of(of.findings)), made_up.stills())
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return case_of(tmp_path_factory.mktemp("case") / "case")


def twins(folder):
    record = json.loads((folder / "findings.json").read_text())
    return [checking.numbers_of(record) | checking.read(folder, record), checking.tables(folder)]


def own_numbers(folder):
    """Numbers that lay a page out: of pages and sections; and those within hashes and names of files."""
    count = len(pypdfium2.PdfDocument((folder / "report.pdf").read_bytes()))
    return {float(n) for n in range(max(count, 17) + 1)}


@pytest.mark.parametrize("name", ["report.pdf", "summary.pdf"])
def test_each_number_printed_stands_in_a_twin(folder, name):
    """Read from the PDF itself, as a reader gets it."""
    edition = json.loads((folder / "report.json").read_text())[name]
    apart = [part for block in edition["blocks"] for part in monos(block)]
    said = text((folder / name).read_bytes())
    for part in sorted((p for p in apart if len(p) > 5), key=len, reverse=True):
        said = said.replace(part, " ")
    said = re.sub(r"[0-9a-f]{12,}|Annex [A-E]", " ", re.sub("[\u200b\ufffe\x02]", "", said))
    numbers = checking.numbers_in(said)
    assert len(numbers) > (100 if name == "report.pdf" else 20)
    exact, drawn = (sorted(values) for values in twins(folder))
    strange = [
        n
        for n, value in numbers.items()
        if value not in own_numbers(folder)
        and not checking._near(value, checking._half(n, 0.0), exact)
        and not checking._near(value, checking._half(n), drawn)
    ]
    assert strange == []


def monos(value):
    """Texts in mono and of others in a block."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key in ("mono", "evidence"):
                yield part
            else:
                yield from monos(part)
    elif isinstance(value, list):
        for part in value:
            yield from monos(part)


def test_the_check_passes_what_is_sound_and_names_what_is_not(folder, tmp_path):
    assert [f for f in checking.check(folder) if "caption lacks" not in f] == []  # made-up captions are short
    for content in (None, "[]", '{"report.pdf": {"blocks": [{}]}}', "\x00"):
        if content is not None:
            (tmp_path / "report.json").write_text(content)
            (tmp_path / "findings.json").write_text("{}")
        with pytest.raises(CaseError, match="E_NO_REPORT"):
            checking.check(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (
            lambda e: e["blocks"].append({"kind": "paragraph", "text": ["Found 7654.321 of them."]}),
            "7654.321 stands in no",
        ),
        (lambda e: e["blocks"].append({"kind": "paragraph", "text": ["This video is fake."]}), "fake"),
        (lambda e: e["blocks"].__delitem__(slice(-4, None)), "lacks the section"),
        (lambda e: next(b for b in e["blocks"] if b["kind"] == "figure").update(alt=""), "no text for the blind"),
        (lambda e: next(b for b in e["blocks"] if b["kind"] == "figure").update(caption=["x"]), "caption lacks"),
        (lambda e: [b.update(rows=[]) for b in e["blocks"] if b["kind"] == "terms"], "is not printed"),
        (lambda e: [b.update(rows=[]) for b in e["blocks"] if b.get("caption") == "Measurements"], "is not printed"),
    ],
)
def test_the_check_finds(folder, tmp_path, spoil, fault):
    spoiled = tmp_path / "case"
    case_of(spoiled)
    editions = json.loads((spoiled / "report.json").read_text())
    spoil(editions["report.pdf"])
    (spoiled / "report.json").write_text(json.dumps(editions))
    assert any(fault in f for f in checking.check(spoiled))


def test_a_likelihood_ratio_is_traced_to_its_twin():
    assert {0.05, 0.024, 0.4, -1.3} <= checking.numbers_of({"strength": STRENGTH})


def test_what_is_written_is_told_by_its_hash_and_lies_where_runs_write(folder):
    assert {"report.json", "report.pdf", "summary.pdf"} <= {p.name for p in folder.iterdir()}
    assert {"report.json", "report.pdf", "summary.pdf", "exhibits"} <= set(custody.OUTPUTS)
    said = re.sub("[\\s\u200b\ufffe]", "", text((folder / "report.pdf").read_bytes()))
    assert hashlib.sha256((folder / "tables/stills.csv").read_bytes()).hexdigest() in said


def test_texts_from_outside_are_set_apart():
    shown = pdf.plain({"blocks": [["a", Untrusted("b\x1b" + "c" * 400)]]})
    assert shown["blocks"][0][0] == "a" and shown["blocks"][0][1]["evidence"].startswith("b⟨U+001B⟩c")
    assert len(shown["blocks"][0][1]["evidence"]) < 330


def test_another_finding_gives_another_report_number(usual):
    other = replace(usual, log=made_up.logged("opened"))
    assert usual.id != other.id and usual.version == 2 and other.version == 1

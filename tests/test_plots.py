"""Every chart: labelled with units, readable in print, the same bytes twice, the reader's settings untouched."""

import io
from dataclasses import replace

import matplotlib
import numpy as np
import planted
import pytest
import test_coincidence
import test_comparison
import test_evidence
import test_synthesis
from chart_rules import faults
from matplotlib import image

from forensics import coincidence, comparison, plots
from forensics.analysis import ANALYSES, blink, evidence, lighting, lipsync, voice
from forensics.analysis.lipsync import verdict
from forensics.timeline import Interval

SECONDS = 10.0


def talking(seconds=SECONDS):
    """A person who speaks and blinks, with a background that jumps: something in every chart."""
    talk, t_s = planted.Talk(1, seconds), planted.pictures_s(25, seconds)
    opening, lid = talk.opening(t_s), planted.lid(t_s, np.arange(1.2, seconds, 2.7))
    azimuth = np.where(t_s < 2.0, -30.0, 30.0)
    mesh, lit = planted.turning_track(azimuth, 10, planted.swing_deg(seconds), noise=0.002)
    track = planted.track(
        t_s, planted.face(mouth=0.06 * opening, right_lid=lid, left_lid=lid), jaw=opening, noise_px=0.2
    )
    audio = planted.voice_of(talk, seconds, 0.1, rate_hz=24000)
    scene = planted.scene([track], audio, [Interval(0.5, 3.0), Interval(3.8, 0.9 * seconds)])
    lit = planted.looked_closely(lit)
    return scene, planted.scene([lit, replace(lit, name="B1")], mesh=mesh)


def with_bilabials(scene):
    """Sounds p, b, m as if they had been heard, each 0.8 s: a made-up voice has none."""
    said = [Interval(t, t + 0.08) for t in np.arange(0.6, scene.interval.end_s - 0.6, 0.8)]
    spectrum = lipsync.sound_spectrum(scene.observation.audio)
    return replace(scene, heard={"lipsync": verdict.Heard(spectrum, said)})


def findings_of(scene, lit):
    return [
        f
        for analysis, where in ((lipsync, with_bilabials(scene)), (blink, scene), (lighting, lit), (voice, scene))
        for f in analysis.assess(where, analysis.Settings())
    ]


@pytest.fixture(scope="module")
def findings():
    found = findings_of(*talking())
    tone = planted.vowel(150.0, 7.7, 48000) + planted.noise(7.7, 48000, -60) + planted.mains(50.02, 7.7, 48000)
    tone = planted.sound(planted.cut(planted.band_limited(tone, 48000, 15000), 48000, 2.1), 48000)
    voiced = voice.assess(planted.scene([], tone, [Interval(0.5, 6.5)]), voice.Settings())[:-1]
    hoarse, spoken = test_synthesis.spoken_sound()
    voiced.append(test_synthesis.assessed(hoarse, spoken=spoken))
    t_s = np.delete(planted.pictures_s(25, SECONDS), [60, 61, *range(120, 150)])
    contained = evidence.assess(test_evidence.scene(test_evidence.survey(t_s, key=t_s % 2 < 0.04)), evidence.Settings())
    broken = test_coincidence.assessed([2.0, 4.0, 6.0], [2.02, 4.05, 5.0])
    one, other = test_comparison.record(), test_comparison.record({"lip_opening": 60.0}, sha="b")
    beside = test_comparison.compared(one, other, test_comparison.record({"lip_opening": 62.0}, sha="c")).values()
    return [*(f for f in found if f.analysis != "voice"), *voiced, *contained, broken, *beside]


def analysis_of(finding):
    return next(a for a in (*ANALYSES, coincidence, comparison) if finding.analysis == a.ANALYSIS)


def charts_of(findings):
    return [chart for f in findings for chart in analysis_of(f).charts(f)]


@pytest.fixture(scope="module")
def charts(findings):
    return {chart.name: chart for chart in charts_of(findings)}


@pytest.fixture(scope="module", autouse=True)
def first(charts):
    """Each chart saved once, which lays it out."""
    return {name: plots.svg(chart.figure) for name, chart in charts.items()}


def test_every_question_that_is_answered_has_its_chart(findings, charts):
    """Made-up faces have no irises; test_gaze draws theirs."""
    assert all(f.state == "assessed" for f in findings if f.question != "blink.gaze")
    assert list(charts) == [
        "lipsync",
        "lipsync-offset",
        "lipsync-closure",
        "lipsync-kinematics",
        "lipsync-coverage",
        "lipsync-speaker",
        "blink",
        "blink-absence",
        "lighting",
        "lighting-turning",
        "lighting-faces",
        "lighting-surround",
        "lighting-highlights",
        "voice-f0",
        "voice-recording",
        "voice-take",
        "voice-spectrum",
        "voice-synthesis",
        "evidence",
        "coincidence",
        "comparison-sync",
        "comparison-kinematics",
        "comparison-blinking",
        "comparison-light",
        "comparison-voice",
    ]


def test_every_chart_keeps_the_rules(charts):
    """Units, 160 mm and 8 points, contrast, series told apart in grey, labels, no mathematics, caption, alt text."""
    assert [fault for chart in charts.values() for fault in faults(chart)] == []


@plots.styled
def made(draw=lambda ax: None, caption="Notice this. It does not show that.", alt="A line that rises and then falls."):
    """A chart with a line and its label that keeps the rules, but for what ``draw`` does to it."""
    fig, ax = plots.figure()
    ax.plot([0, 1, 2], [1, 3, 2], color=plots.BLUE, label="first")
    plots.time_axis(ax, Interval(0, 2))
    ax.set_ylabel("height (mm)")
    draw(ax)
    plots.legend(ax)
    plots.svg(fig)
    return plots.Chart("made", fig, caption, alt, {"t_s": [0, 1, 2]})


def test_the_rules_pass_a_chart_that_keeps_them():
    assert faults(made()) == []


@pytest.mark.parametrize(
    ("draw", "fault"),
    [
        (lambda ax: ax.set_ylabel("height"), "labelled 'height'"),
        (lambda ax: ax.set_xlabel(""), "labelled ''"),
        (lambda ax: ax.text(1, 2, "small", fontsize=7), "has 7"),
        (lambda ax: ax.text(1, 2, "pale", color=plots.ORANGE), "contrast of 3.9"),
        (lambda ax: ax.text(1, 2, "$x$", parse_math=True), "mathematics"),
        (lambda ax: ax.plot([0, 1], [1, 1], color="#56B4E9", ls="--", label="pale"), "contrast of 2.3"),
        (lambda ax: ax.plot([0, 1], [1, 1], color=plots.ORANGE, label="second"), "differ in colour alone"),
        (lambda ax: (ax.lines[0].set_label("_"), ax.plot([0, 1], [1, 1], color=plots.BLACK, ls=":")), "no label"),
        (lambda ax: ax.figure.set_size_inches(5, 2), "not as wide"),
    ],
)
def test_the_rules_find(draw, fault):
    assert any(fault in found for found in faults(made(draw))), faults(made(draw))


@pytest.mark.parametrize(("words", "fault"), [({"caption": "A line."}, "Notice"), ({"alt": "A line."}, "blind")])
def test_the_rules_read_caption_and_text_for_the_blind(words, fault):
    assert any(fault in found for found in faults(made(**words)))


def test_nothing_is_cut_off_at_the_edge_of_the_page(charts):
    for chart in charts.values():
        page = image.imread(io.BytesIO(plots.png(chart.figure)))[..., :3]
        for edge in (page[0], page[-1], page[:, 0], page[:, -1]):
            assert np.all(edge == 1), chart.name


def test_every_chart_comes_with_its_data_in_columns_of_equal_length(charts):
    for chart in charts.values():
        lengths = {len(column) for column in chart.table.values()}
        assert len(lengths) == 1 and lengths.pop() > 2, chart.name


def test_the_same_finding_gives_the_same_bytes_whatever_the_reader_s_own_settings(findings, first):
    own = {"font.size": 23.0, "axes.grid": True, "figure.constrained_layout.use": True}
    with matplotlib.rc_context(own):
        before = dict(matplotlib.rcParams)
        assert {chart.name: plots.svg(chart.figure) for chart in charts_of(findings)} == first
        assert dict(matplotlib.rcParams) == before
    assert all(b"<svg" in svg and b"<dc:date>" not in svg for svg in first.values())


def test_a_figure_saved_again_gives_the_same_bytes(charts, first):
    shown = {name: plots.png(chart.figure) for name, chart in charts.items()}  # as when a notebook shows it
    assert {name: plots.svg(chart.figure) for name, chart in charts.items()} == first
    name, chart = next(iter(charts.items()))
    assert plots.png(chart.figure) == shown[name] and b"tIME" not in shown[name]


def test_long_clips_give_the_same_bytes_twice_and_files_of_reasonable_size():
    """Ten minutes of eyes are 120,000 points."""
    t_s = planted.pictures_s(15, 600.0)
    lid = planted.lid(t_s, np.arange(3.0, 600, 4.0))
    finding, *_ = blink.assess(
        planted.scene([planted.track(t_s, planted.face(right_lid=lid, left_lid=lid), noise_px=0.2)]), blink.Settings()
    )
    first, second = (plots.svg(blink.charts(finding)[0].figure) for _ in range(2))
    assert first == second and len(first) < 2_000_000


def test_a_refusal_has_no_chart(findings):
    for finding in findings:
        refused = replace(finding, state="not_assessable", reasons=("face_not_found",), measurements=(), score=None)
        assert analysis_of(finding).charts(refused) == []


def test_a_chart_is_drawn_from_its_evidence_alone(findings):
    """Without the evidence there is nothing to draw from: no chart reads the clip again."""
    for finding in findings:
        if analysis_of(finding).charts(finding):
            with pytest.raises(KeyError):
                analysis_of(finding).charts(replace(finding, evidence={}))


def test_no_chart_is_left_open_in_pyplot(findings):
    from matplotlib import pyplot

    charts_of(findings)
    assert pyplot.get_fignums() == []


# -- shared bits ---------------------------------------------------------------------------------------------------


def spans(ax):
    """The shaded stretches, in s."""
    return sorted((round(p.get_x(), 6), round(p.get_x() + p.get_width(), 6)) for p in ax.patches)


def test_what_was_not_measured_is_hatched():
    fig, ax = plots.figure()
    plots.missing(ax, Interval(0, 10), [Interval(6, 8), Interval(1, 2), Interval(1.5, 4), Interval(-5, -3)])
    assert spans(ax) == [(0, 1), (4, 6), (8, 10)]
    assert {p.get_hatch() for p in ax.patches} == {"////"}
    assert ax.get_legend_handles_labels()[1] == ["not measured"]


def test_nothing_is_hatched_where_all_was_measured():
    fig, ax = plots.figure()
    plots.missing(ax, Interval(0, 10), [Interval(-1, 11)])
    assert spans(ax) == []


def test_shaded_stretches_have_one_entry_in_the_legend():
    fig, ax = plots.figure()
    plots.shade(ax, [Interval(0, 1), Interval(3, 4), Interval(0.5, 2)], "speech")
    plots.legend(ax)
    assert spans(ax) == [(0, 2), (3, 4)]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["speech"]


def test_mathematics_in_a_text_from_outside_is_not_parsed():
    fig, ax = plots.figure()
    ax.set_title(r"a clip named $\frac{")
    assert b"<svg" in plots.svg(fig)


def test_a_table_holds_no_formula_and_keeps_its_numbers():
    text = plots.csv({"t_s": np.array([0.0, 1 / 3]), "name": ["=1+1", "A1"], "value": [-1.5, np.nan]})
    assert text.splitlines()[0] == "t_s,name,value"
    assert text.splitlines()[1] == "0,'=1+1,-1.5"
    assert float(text.splitlines()[2].split(",")[0]) == pytest.approx(1 / 3, abs=1e-6)
    assert text.splitlines()[2].endswith(",A1,")  # not measured: empty

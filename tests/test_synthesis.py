"""Copies of known difference among corpora of known shift: what is learned from pairs holds where the corpus is new."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import planted
import pytest

from forensics import speech, statistics, training_voice, weights
from forensics.analysis import voice
from forensics.analysis.voice import synthesis
from forensics.errors import ParameterError
from forensics.timeline import Interval
from forensics.training_voice import Voice

FIGURES = len(synthesis.WINDOWS) * (len(synthesis.EDGES_HZ) - 1) * synthesis.FIGURES
RATE_HZ = 24000


def spoken_sound(seconds=9.0, rate_hz=RATE_HZ, noise_db=-70.0, seed=0):
    """A hoarse vowel that pauses from 4 to 5 s, and where it speaks."""
    sound = planted.vowel(140.0, seconds, rate_hz, jitter=0.01, seed=seed)
    sound = sound + 0.02 * np.random.default_rng(seed).normal(0, 1, len(sound)) * np.abs(sound)
    sound[4 * rate_hz : 5 * rate_hz] = 0
    spoken = [Interval(0.0, min(4.0, seconds)), *([Interval(5.0, seconds)] if seconds > 5 else [])]
    return sound + planted.noise(seconds, rate_hz, noise_db, seed), spoken


def assessed(samples, rate_hz=RATE_HZ, spoken=()):
    audio = planted.sound(samples, rate_hz)
    return voice.assess(planted.scene([], audio, list(spoken)), voice.Settings())[-1]


# -- the figures -------------------------------------------------------------------------------------------------------


def of_band(found, band, size=512):
    row = synthesis.WINDOWS.index(size) * (len(synthesis.EDGES_HZ) - 1) + band
    return found[row * synthesis.FIGURES : (row + 1) * synthesis.FIGURES]


def test_phases_of_noise_do_not_agree_and_those_of_clicks_do():
    """Neighbouring bins of a Hann window share noise, so theirs are held against clicks; the delay itself is even."""
    noise = planted.noise(3.0, synthesis.RATE_HZ, -20)
    clicks = np.zeros(3 * synthesis.RATE_HZ)
    clicks[::512] = 0.5
    of_noise, of_clicks = (synthesis.figures(s, synthesis.RATE_HZ) for s in (noise, clicks))
    for band in range(1, 9):
        assert abs(of_band(of_noise, band)[2]) < 0.7 and of_band(of_clicks, band)[3] > 0.5
        assert of_band(of_noise, band)[3] < of_band(of_clicks, band)[3]
        assert abs(of_band(of_noise, band)[6]) < 0.5  # windows half a window apart share noise, too


@pytest.mark.parametrize("gain", [0.01, 5.0, -1.0])
def test_loudness_and_polarity_change_no_figure(gain):
    sound, _ = spoken_sound(3.0)
    assert synthesis.figures(gain * sound, RATE_HZ) == pytest.approx(
        synthesis.figures(sound, RATE_HZ), abs=0.01
    )  # of the dither


def test_the_sampling_rate_changes_little():
    import soxr

    sound, _ = spoken_sound(3.0)
    again = soxr.resample(sound, RATE_HZ, 48000)
    change = synthesis.figures(again, 48000) - synthesis.figures(sound, RATE_HZ)
    assert np.abs(change).max() < 0.05


def test_only_the_first_speech_is_measured_in_phrases():
    settings = synthesis.Settings()
    parts = synthesis.spoken_pieces([Interval(0, 0.5), Interval(1, 6), Interval(6.2, 80)], settings)
    assert parts[0].start_s == 1.0 and parts[-1].end_s == pytest.approx(31.0, abs=1)
    assert all(settings.shortest_piece_s <= p.duration <= settings.piece_s for p in parts)
    assert synthesis.spoken_pieces([], settings) == []


# -- what is learned ---------------------------------------------------------------------------------------------------


def crowd(corpora=8, n=6, d=20, made_in=(0, 1, 2), lean=0.0, seed=0):
    """Corpora that differ by 3 along all axes but the last two; copies by 1 along axis 0 and the last.

    ``lean`` shifts what corpora with copies are like, so that a classifier of recordings learns the corpora.
    """
    random, voices = np.random.default_rng(seed), []
    across = np.r_[np.full(d - 2, 3.0), 0.3, 0.3]
    for k in range(corpora):
        shift = random.normal(0, 1, d) * across
        for j in range(n):
            own = shift + random.normal(0, 0.3, d)
            voices.append(Voice(f"{k}-{j}", f"corpus{k}", "", f"{k}-{j}", own))
            if k in made_in:
                step = np.zeros(d)
                step[[0, -1]] = 1.0
                copy = own + step + random.normal(0, 0.2, d)
                copy[1] += lean
                voices.append(Voice(f"{k}-{j}-copy", f"corpus{k}", "vocoder", f"{k}-{j}", copy))
    return voices


def test_the_difference_of_copies_is_found_where_corpora_do_not_hide_it():
    direction = training_voice.fit(crowd()).direction
    assert np.abs(direction).argmax() == len(direction) - 1  # not axis 0, in which corpora differ by more


def test_what_is_learned_holds_for_a_corpus_that_was_left_out():
    voices = crowd()
    labels = np.array([v.synthetic for v in voices])
    scores = training_voice.without_corpus(voices, training_voice.by_direction())
    assert statistics.auc(scores, labels, training_voice.units_of(voices)).value > 0.9


def test_copies_without_a_difference_are_not_told_apart():
    random = np.random.default_rng(5)
    voices = [
        Voice(v.name, v.corpus, v.generator, v.pair, v.figures * 0 + random.normal(0, 1, len(v.figures)))
        for v in crowd(corpora=12)
    ]
    labels = np.array([v.synthetic for v in voices])
    scores = training_voice.without_corpus(voices, training_voice.by_direction())
    assert 0.3 < statistics.auc(scores, labels, training_voice.units_of(voices)).value < 0.7


def test_no_fit_sees_the_corpus_nor_the_generator_it_is_tried_on():
    seen = []

    def spy(voices):
        seen.append(({v.corpus for v in voices}, {v.generator for v in voices}))
        return lambda tried: np.array([float(v.corpus not in seen[-1][0]) for v in tried])

    assert training_voice.without_corpus(crowd(), spy, "vocoder").min() == 1.0
    assert len(seen) == 8 and all("vocoder" not in generators for _, generators in seen)


def test_too_few_pairs_are_refused():
    with pytest.raises(ParameterError, match="at least 5 copies have their original"):
        training_voice.fit(crowd(n=1))


def test_the_equal_error_rate_is_that_of_two_normal_classes():
    """Two normal classes two standard deviations apart: the tail beyond one, 0.159."""
    random = np.random.default_rng(0)
    scores = np.r_[random.normal(0, 1, 4000), random.normal(2, 1, 4000)]
    labels = np.arange(8000) >= 4000
    found = training_voice.equal_error(scores[::8], labels[::8], range(1000))
    assert found.value == pytest.approx(0.159, abs=0.03) and found.low < found.value < found.high
    rising, later = np.arange(40.0), np.arange(40) >= 20
    assert training_voice.equal_error(rising, later, range(40)).value == 0.0
    assert training_voice.equal_error(-rising, later, range(40)).value == 1.0


def test_the_same_voices_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        weights.write(tmp_path / name, "voice", training_voice.to_arrays(training_voice.cross_checked(crowd())))
    assert (tmp_path / "a" / "voice.npz").read_bytes() == (tmp_path / "b" / "voice.npz").read_bytes()


def test_the_card_tells_counts_errors_and_limits():
    model = training_voice.cross_checked(crowd())
    text = training_voice.card(crowd(), model, "ab12", 5000, training_voice.Settings())
    for words in ("48 authentic recordings of 8 corpora", "18 synthetic ones (18 of them", "vocoder 18", "ab12"):
        assert words in text.replace("`", "")
    assert "## Limits" in text and "Descriptive" in text


def test_a_table_without_its_columns_is_refused(tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text("file\tlabel\na.wav\tauthentic\n")
    with pytest.raises(ParameterError, match="corpus"):
        training_voice.read_index(table)


def test_what_cannot_be_read_or_holds_no_speech_is_told_and_left_out(tmp_path, capsys):
    import soundfile

    (tmp_path / "noise.wav").write_bytes(b"no recording")
    soundfile.write(tmp_path / "still.wav", np.zeros(32000), 16000)
    rows = [dict(file=f, label="authentic", corpus="x", pair="", generator="") for f in ("noise.wav", "still.wav")]
    assert training_voice.gather(tmp_path, rows) == []
    told = capsys.readouterr().out
    assert "noise.wav is left out: E_" in told and "still.wav is left out: no speech" in told


# -- the finding -------------------------------------------------------------------------------------------------------


def test_a_score_stands_beside_its_errors_and_is_never_marked():
    sound, spoken = spoken_sound()
    finding = assessed(sound, spoken=spoken)
    score = finding.measurement("synthesis_score")
    assert finding.question == "voice.synthesis" and finding.score == pytest.approx(score.value, abs=1e-3)
    assert not finding.unusual and score.low < score.value < score.high
    assert "without their corpus; equal error rate" in score.reference
    assert finding.coverage == pytest.approx(8 / 9, abs=0.02)


def test_a_score_beyond_all_voices_is_not_marked_either():
    model = synthesis.shipped()
    scores = np.full(6, 1000.0)
    found = synthesis.measure_synthesis(scores, model)
    assert not found.unusual and f"{len(model.authentic)} of {len(model.authentic)} spoken" in found.reference


def test_two_runs_give_the_same_score():
    sound, spoken = spoken_sound()
    assert assessed(sound, spoken=spoken).as_json() == assessed(sound, spoken=spoken).as_json()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (dict(rate_hz=8000), "band_too_narrow"),
        (dict(noise_db=-30.0), "sound_too_noisy"),
        (dict(seconds=5.5), None),
        (dict(spoken=[Interval(0, 3)]), "too_little_speech"),
        (dict(spoken=[]), "no_speech"),
    ],
)
def test_outside_its_envelope_it_is_refused(change, reason):
    made = {k: v for k, v in change.items() if k != "spoken"}
    sound, spoken = spoken_sound(**made)
    finding = assessed(sound, made.get("rate_hz", RATE_HZ), change.get("spoken", spoken))
    assert finding.reasons == ((reason,) if reason else ())


def test_noise_is_seen_without_a_pause_too():
    sound = planted.vowel(140.0, 9.0, RATE_HZ, jitter=0.01)
    loud = 20 * np.log10(np.std(sound))
    found = assessed(sound + planted.noise(9.0, RATE_HZ, loud - 3), spoken=[Interval(0.0, 9.0)])
    assert "sound_too_noisy" in found.reasons


def test_a_telephone_s_band_in_a_wide_file_is_refused():
    from scipy import signal

    sound, spoken = spoken_sound()
    narrow = signal.sosfiltfilt(signal.butter(8, 3400, fs=RATE_HZ, output="sos"), sound)
    assert assessed(narrow, spoken=spoken).reasons == ("band_too_narrow",)


@pytest.mark.parametrize(
    "samples", [np.zeros(1), np.zeros(90000), np.full(90000, 0.5), np.full(1, 0.5)], ids=["1", "silence", "DC", "1 DC"]
)
def test_hostile_sound_is_refused_with_a_reason(samples):
    audio = planted.sound(samples, RATE_HZ)
    assert assessed(samples, spoken=[planted.whole(audio)]).state == "not_assessable"


def test_figures_of_digital_silence_and_of_one_sample_value_are_finite():
    for samples in (np.zeros(RATE_HZ), np.ones(RATE_HZ), np.r_[1.0, np.zeros(RATE_HZ)]):
        assert np.isfinite(synthesis.figures(samples.astype(np.float32), RATE_HZ)).all()


def test_scoring_needs_no_scikit_learn():
    code = (
        "import sys, numpy as np; from forensics.analysis.voice import synthesis as s;"
        "s.shipped().score(s.figures(np.random.default_rng(0).normal(0, 0.1, 32000), 16000));"
        "sys.exit('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=False)
    assert done.returncode == 0


def test_the_shipped_direction_is_small_plain_and_on_its_card():
    arrays, folder = weights.shipped(synthesis.NAME), Path(weights.__file__).parent / "data"
    assert all(a.dtype == np.float32 and np.isfinite(a).all() for a in arrays.values())
    assert (folder / "voice.npz").stat().st_size < 2_000_000
    assert (folder / "voice.sha256").read_text().split()[0] in (folder / "voice.md").read_text("utf-8")
    model = synthesis.shipped()
    assert model.direction.shape == (FIGURES,) and len(model.authentic) > len(model.synthetic) > 40
    assert model.error[0, 1] <= model.error[0, 0] <= model.error[0, 2]


def test_the_training_hears_speech_as_the_report_does():
    sound, spoken = spoken_sound()
    audio = planted.sound(sound, RATE_HZ)
    heard = training_voice.figures_of(audio)
    parts = synthesis.spoken_pieces(speech.speech_intervals(speech.speech_probability(audio)), synthesis.Settings())
    assert (heard is None) == (not parts)
    if parts:
        assert heard == pytest.approx(synthesis.measure_pieces(audio, parts).mean(0))

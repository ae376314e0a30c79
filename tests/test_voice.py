"""Voices, bands and backgrounds of known truth: found where and as large as they were planted."""

from dataclasses import replace

import numpy as np
import planted
import pytest
import scipy

from forensics import speech
from forensics.analysis import voice
from forensics.analysis.voice import Settings
from forensics.analysis.voice.fine import HARMONIC_S, contrasts
from forensics.timeline import Interval, Series

RATE_HZ = 24000


def assessed(audio, spoken, settings=None):
    """Findings on the voice's measures and on the recording."""
    return voice.assess(planted.scene([], audio, spoken), settings or Settings())


def measures(samples, rate_hz=RATE_HZ, spoken=None, start_s=0.0):
    audio = planted.sound(samples, rate_hz, start_s)
    return assessed(audio, [planted.whole(audio)] if spoken is None else spoken)[0]


def plain(samples, rate_hz=RATE_HZ):
    """Values of all measures by name, as they are taken before any is withheld: a held vowel never pauses."""
    audio = planted.sound(samples, rate_hz)
    stretches = voice.measure_stretches(audio, [planted.whole(audio)], Settings())
    return {m.name: m.value for m in voice.measure_voice(stretches, Settings())}


def recording(samples, rate_hz=RATE_HZ, spoken=()):
    return assessed(planted.sound(samples, rate_hz), list(spoken))[1]


def events(finding, kind):
    return [e for e in finding.events if e.kind == kind]


def steady(f0_hz, seconds=3.0, **kwargs):
    return planted.vowel(f0_hz, seconds, **kwargs) + planted.noise(seconds, level_db=-70)


# -- the voice -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f0_hz", [85.0, 123.4, 220.0, 310.0])
def test_fundamental_frequency_is_found_within_1_per_cent(f0_hz):
    assert measures(steady(f0_hz)).measurement("f0_median").value == pytest.approx(f0_hz, rel=0.01)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_the_sampling_rate_changes_no_pitch(rate_hz):
    samples = planted.vowel(150.0, 3.0, rate_hz)
    assert measures(samples, rate_hz).measurement("f0_median").value == pytest.approx(150.0, rel=0.01)


@pytest.mark.parametrize("jitter", [0.01, 0.02])
def test_planted_jitter_is_found_within_a_third(jitter):
    found = measures(steady(120.0, 5.0, jitter=jitter)).measurement("jitter_local")
    assert found.value == pytest.approx(100 * jitter, rel=0.33) and found.unit == "%"


def test_a_steady_voice_has_next_to_no_jitter_and_shimmer():
    finding = measures(steady(120.0))
    assert finding.measurement("jitter_local").value < 0.1
    assert finding.measurement("shimmer_local").value < 2.0


def test_planted_shimmer_is_found_above_the_steady_voice_s():
    """Resonances that ring on mix neighbouring periods: order of magnitude only."""
    found = measures(steady(120.0, 5.0, shimmer=0.1)).measurement("shimmer_local").value
    assert 4 < found < 15


def test_breath_lowers_harmonicity_as_it_should():
    """Harmonicity is the power of the voice over that of the noise, in dB."""
    tone = planted.vowel(150.0, 3.0)
    power_db = 10 * np.log10(np.mean(tone**2))
    for ratio_db in (30, 20, 10):
        noisy = tone + planted.noise(3.0, level_db=power_db - ratio_db)
        assert plain(noisy)["hnr"] == pytest.approx(ratio_db, abs=1.5)


@pytest.mark.parametrize("gain", [0.05, 4.0])
def test_loudness_changes_no_measure(gain):
    samples = steady(130.0, jitter=0.01)
    as_it_is, scaled = plain(samples), plain(gain * samples)
    for name in ("f0_median", "jitter_local", "hnr"):
        assert scaled[name] == pytest.approx(as_it_is[name], rel=0.02, abs=0.02)


def test_only_the_speech_is_measured():
    samples = np.concatenate([steady(100.0, 3.0), steady(200.0, 3.0)])
    for spoken, f0_hz in ((Interval(0, 3), 100), (Interval(3, 6), 200)):
        finding = measures(samples, spoken=[spoken])
        assert finding.measurement("f0_median").value == pytest.approx(f0_hz, rel=0.01)
        assert finding.coverage == pytest.approx(0.5)


def test_the_pitch_track_lies_on_the_clip_s_clock():
    """Silence, then a voice that begins at 12.0 s of a clip that begins at 10 s."""
    samples = np.concatenate([planted.noise(2.0, level_db=-80), steady(150.0, 2.0)])
    found = measures(samples, start_s=10.0).evidence
    voiced = found["t_s"][np.isfinite(found["f0_hz"])]
    assert voiced[0] == pytest.approx(12.0, abs=0.03) and voiced[-1] == pytest.approx(14.0, abs=0.03)


def test_a_long_stretch_is_measured_in_pieces_that_cover_it():
    parts = voice.pieces(Interval(5.0, 28.0), 10.0)
    assert [p.start_s for p in parts[1:]] == [p.end_s for p in parts[:-1]]
    assert (parts[0].start_s, parts[-1].end_s, len(parts)) == (5.0, 28.0, 3)
    assert voice.pieces(Interval(0, 10), 10.0) == [Interval(0, 10)]


def test_intervals_need_four_stretches_and_hold_the_value():
    samples = np.concatenate([steady(f, 1.5) for f in (118, 120, 121, 119, 122)])
    spoken = [Interval(1.5 * k, 1.5 * k + 1.4) for k in range(5)]
    few, many = (measures(samples, spoken=spoken[:n]).measurement("f0_median") for n in (3, 5))
    assert few.low is None and many.low <= many.value <= many.high
    assert many.low + 1 >= 118 and many.high - 1 <= 122


# -- the band ------------------------------------------------------------------------------------------------------


def shaped(gain_of_hz, rate_hz, seconds=4.0):
    """Noise of this gain at each frequency, over the dither of 16 bits."""
    spectrum = np.fft.rfft(planted.noise(seconds, rate_hz, -20))
    samples = np.fft.irfft(spectrum * gain_of_hz(np.fft.rfftfreq(round(seconds * rate_hz), 1 / rate_hz)))
    return samples + planted.noise(seconds, rate_hz, -98, seed=1)


def limited(edge_hz, rate_hz):
    """White noise up to an edge."""
    return shaped(lambda hz: (hz < edge_hz) * 1.0, rate_hz)


@pytest.mark.parametrize(("edge_hz", "rate_hz"), [(3400, 16000), (4000, 48000), (8000, 44100), (16000, 48000)])
def test_the_edge_of_the_band_is_found_within_5_per_cent(edge_hz, rate_hz):
    """Known to an eighth of an octave, which is no 95 % interval: none is given."""
    found = recording(limited(edge_hz, rate_hz), rate_hz).measurement("bandwidth")
    assert found.low is None and found.level is None
    assert found.value == pytest.approx(edge_hz, rel=0.05)
    assert "an edge of" in found.reference and found.unusual is False


@pytest.mark.parametrize("rate_hz", [8000, 48000])
def test_white_noise_has_no_edge(rate_hz):
    found = recording(planted.noise(4.0, rate_hz), rate_hz).measurement("bandwidth")
    assert found.value == rate_hz / 2 and "no edge" in found.reference


def test_a_converter_s_own_filter_is_no_edge():
    found = recording(limited(23300, 48000), 48000).measurement("bandwidth")
    assert found.value == 24000 and "no edge" in found.reference


def test_a_tone_above_the_edge_does_not_hide_it():
    """15,625 Hz: the line frequency of a television set in the room."""
    t_s = np.arange(4 * 48000) / 48000
    samples = limited(8000, 48000) + 0.01 * np.sin(2 * np.pi * 15625 * t_s)
    assert recording(samples, 48000).measurement("bandwidth").value == pytest.approx(8000, abs=100)


def test_a_gentle_slope_is_no_edge():
    """24 dB an octave above 3 kHz: distance, a blanket over the microphone."""
    samples = shaped(lambda hz: np.minimum(1, (3000 / np.maximum(hz, 1)) ** 4), 48000)
    assert "no edge" in recording(samples, 48000).measurement("bandwidth").reference


def test_loudness_moves_no_edge():
    samples = limited(8000, 44100)
    plain, quiet = (recording(g * samples, 44100).measurement("bandwidth").value for g in (1.0, 0.1))
    assert plain == pytest.approx(quiet, rel=0.02)


# -- the background ------------------------------------------------------------------------------------------------


def talk_over(background, spoken, level=0.2):
    """Loud tones where speech is said to be."""
    samples, t_s = background.copy(), np.arange(len(background)) / RATE_HZ
    for i in spoken:
        samples[(t_s >= i.start_s) & (t_s < i.end_s)] += level * np.sin(
            2 * np.pi * 220 * t_s[(t_s >= i.start_s) & (t_s < i.end_s)]
        )
    return samples


SPOKEN = [Interval(0.8, 2.0), Interval(2.8, 4.6), Interval(5.4, 7.0), Interval(8.0, 9.4)]


@pytest.mark.parametrize("step_db", [25, 40, -30])
def test_a_step_of_the_background_is_found_within_03_s_and_sized_within_3_db(step_db):
    """Between words, in the pause from 4.6 to 5.4 s."""
    background = np.concatenate(
        [
            planted.noise(5.0, level_db=-70 if step_db > 0 else -40),
            planted.noise(5.0, level_db=(-70 if step_db > 0 else -40) + step_db, seed=1),
        ]
    )
    finding = recording(talk_over(background, SPOKEN), spoken=SPOKEN)
    (jump,) = events(finding, "level_jump")
    assert jump.interval.end_s == pytest.approx(5.0, abs=0.3)
    assert jump.details["step_db"] == pytest.approx(step_db, abs=3)
    assert ("rises" if step_db > 0 else "falls") in jump.what


def test_a_step_under_a_word_is_found_at_its_edge():
    """While someone speaks the background is not heard: the step lies in the word, from 2.8 to 4.6 s."""
    background = np.concatenate([planted.noise(3.7, level_db=-75), planted.noise(6.3, level_db=-40, seed=1)])
    jumps = events(recording(talk_over(background, SPOKEN), spoken=SPOKEN), "level_jump")
    assert all(2.0 <= j.interval.start_s <= j.interval.end_s <= 5.4 for j in jumps)


@pytest.mark.parametrize("seed", range(4))
def test_a_constant_background_has_no_jump(seed):
    assert recording(talk_over(planted.noise(10.0, level_db=-60, seed=seed), SPOKEN), spoken=SPOKEN).events == ()


def test_a_background_that_breathes_has_no_jump():
    """Up and down by 12 dB in two seconds: traffic, breath, a fan."""
    t_s = np.arange(10 * RATE_HZ) / RATE_HZ
    samples = planted.noise(10.0, level_db=-60) * 10 ** (6 * np.sin(np.pi * t_s) / 20)
    assert recording(talk_over(samples, SPOKEN), spoken=SPOKEN).events == ()


@pytest.mark.parametrize("level_db", [-75.0, -45.0])
def test_noise_floor_is_the_level_of_the_pauses(level_db):
    found = recording(talk_over(planted.noise(10.0, level_db=level_db), SPOKEN), spoken=SPOKEN)
    assert found.measurement("noise_floor").value == pytest.approx(level_db, abs=1.5)


def test_without_pauses_there_is_no_noise_floor():
    samples = planted.noise(4.0, level_db=-50)
    finding = recording(samples, spoken=[Interval(0, 4)])
    assert [m.name for m in finding.measurements] == ["bandwidth"]


def test_digital_silence_is_found_and_is_no_background():
    samples = planted.noise(5.0, level_db=-60)
    samples[round(1.5 * RATE_HZ) : round(3.2 * RATE_HZ)] = 0.0
    finding = recording(samples)
    (silence,) = finding.events
    assert silence.kind == "digital_silence"
    assert silence.interval.start_s == pytest.approx(1.5, abs=0.011)
    assert silence.interval.end_s == pytest.approx(3.2, abs=0.011)
    assert finding.measurement("noise_floor").value == pytest.approx(-60, abs=1.5)


def test_sound_far_below_16_bits_is_no_background():
    """What decoders leave of digital silence: not zero, and nothing a microphone gives."""
    samples = planted.noise(5.0, level_db=-60)
    samples[round(1.5 * RATE_HZ) : round(3.2 * RATE_HZ)] *= 1e-4
    finding = recording(samples)
    assert not events(finding, "level_jump")
    assert finding.measurement("noise_floor").value == pytest.approx(-60, abs=1.5)


def test_a_few_zero_samples_are_no_digital_silence():
    samples = planted.noise(4.0, level_db=-60)
    samples[5000 : 5000 + round(0.012 * RATE_HZ)] = 0.0
    assert events(recording(samples), "digital_silence") == []


# -- refusals ------------------------------------------------------------------------------------------------------


def test_silence_is_refused_for_every_question():
    for samples in (np.zeros(3 * RATE_HZ), planted.noise(3.0, level_db=-95)):
        audio = planted.sound(samples)
        assert [f.reasons for f in assessed(audio, [])] == [("sound_is_silent",)] * 5


def test_no_speech_is_refused_for_the_voice_only():
    measures_, recording_, *_ = assessed(planted.sound(planted.noise(3.0)), [])
    assert measures_.reasons == ("no_speech",) and recording_.state == "assessed"


def test_whispers_have_no_voice_to_measure():
    audio = planted.sound(planted.noise(3.0, level_db=-30))
    assert assessed(audio, [planted.whole(audio)])[0].reasons == ("too_few_voiced_seconds",)


@pytest.mark.parametrize("samples", [1, 10, 500, 20000])
def test_sound_of_less_than_a_second_is_refused_for_its_length(samples):
    audio = planted.sound(planted.noise(samples / RATE_HZ, level_db=-20))
    findings = assessed(audio, [])
    assert findings[0].reasons == ("no_speech",) or samples < 240  # under 10 ms it has no level either
    assert {f.reasons for f in findings[1:-1]} <= {("sound_too_short",), ("no_sound",)}
    assert findings[-1].reasons in {("no_speech",), ("no_sound",)}


def test_a_clip_without_sound_is_refused_for_every_question():
    track = planted.track(planted.pictures_s(25, 1.0), planted.face(mouth=np.zeros(25)))
    assert [f.reasons for f in voice.assess(planted.scene([track]), Settings())] == [("no_sound",)] * 5


@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.16, 0.18, 0.3])
def test_a_stretch_shorter_than_praat_s_window_is_passed_over_and_a_longer_one_is_measured(seconds):
    """Twice 4.5 periods of 60 Hz are 150 ms: its windows for harmonicity are Gaussian and reach out that far."""
    found = voice.measure_stretch(planted.sound(steady(120.0)), Interval(1.0, 1.0 + seconds), Settings())
    assert np.isfinite(found.hnr_db) == (found.voiced_s > 0) == (seconds > 0.17)


# -- level and speech (forensics/speech.py) ------------------------------------------------------------------------


def test_level_is_the_power_of_each_10_ms():
    t_s = np.arange(RATE_HZ) / RATE_HZ
    level = speech.sound_level(planted.sound(0.5 * np.sin(2 * np.pi * 100 * t_s), start_s=2.0))
    np.testing.assert_allclose(level.values, 20 * np.log10(0.5) - 3.01, atol=0.01)
    assert level.t_s[0] == pytest.approx(2.005) and len(level.t_s) == 100


def test_gaps_of_the_file_are_neither_silence_nor_background():
    """Zeros that we put where the file holds nothing."""
    samples = planted.noise(4.0, level_db=-60)
    samples[2 * RATE_HZ : 3 * RATE_HZ] = 0.0
    audio = replace(planted.sound(samples), gaps=(Interval(2.0, 3.0),))
    level = speech.sound_level(audio)
    np.testing.assert_array_equal(np.isnan(level.values), (level.t_s > 1.99) & (level.t_s < 3.01))
    finding = assessed(audio, [])[1]
    assert finding.events == () and finding.measurement("noise_floor").value == pytest.approx(-60, abs=1.5)


def test_level_of_nothing_is_minus_infinity():
    assert np.isneginf(speech.sound_level(planted.sound(np.zeros(2400))).values).all()
    assert len(speech.sound_level(planted.sound(np.zeros(0))).t_s) == 0
    assert voice.digital_silences(Series("x", np.zeros(0), np.zeros(0), "dB"), Settings()) == []


# -- one take ------------------------------------------------------------------------------------------------------

FULL_HZ = 44100


def take(samples, rate_hz=FULL_HZ, **kwargs):
    return assessed(planted.sound(samples, rate_hz, **kwargs), [])[2]


def said(seconds=8.0, edge_hz=15000.0, rate_hz=FULL_HZ, level_db=-45.0):
    """A voice over noise, up to an edge."""
    whole = planted.vowel(140.0, seconds, rate_hz, jitter=0.01) + planted.noise(seconds, rate_hz, level_db)
    return planted.band_limited(whole, rate_hz, edge_hz)


@pytest.mark.parametrize("rate_hz", [22050, 44100, 48000])
@pytest.mark.parametrize("at_s", [2.0, 4.3217, 6.9])
def test_a_cut_is_found_within_5_ms(at_s, rate_hz):
    finding = take(planted.cut(said(edge_hz=0.35 * rate_hz, rate_hz=rate_hz), rate_hz, at_s), rate_hz, start_s=10.0)
    (splice,) = finding.events
    assert splice.kind == "splice" and splice.details["cue"] == "discontinuity" and not splice.unusual
    assert (splice.interval.start_s + splice.interval.end_s) / 2 == pytest.approx(10 + at_s, abs=0.005)
    assert finding.measurement("joins").value == 1


def test_each_of_several_cuts_is_found():
    samples = said(10.0)
    for at_s in (8.0, 5.0, 2.0):
        samples = planted.cut(samples, FULL_HZ, at_s, 0.4)
    found = [(e.interval.start_s + e.interval.end_s) / 2 for e in take(samples).events]
    np.testing.assert_allclose(found, [2.0, 4.6, 7.2], atol=0.005)


@pytest.mark.parametrize("seed", range(3))
def test_sound_of_one_piece_has_no_join(seed):
    whole = said() + planted.band_limited(planted.noise(8.0, FULL_HZ, -40, seed), FULL_HZ, 15000)
    assert take(whole).events == ()


def test_cross_faded_sound_leaves_no_join():
    """20 ms: what the limits of the question say."""
    samples, first, behind, n = said(), round(3.0 * FULL_HZ), round(4.0 * FULL_HZ), round(0.02 * FULL_HZ)
    weight = np.linspace(0, 1, n)
    faded = samples[first : first + n] * (1 - weight) + samples[behind : behind + n] * weight
    assert take(np.concatenate([samples[:first], faded, samples[behind + n :]])).events == ()


def test_clipped_sound_is_no_join():
    """A sample at full scale sounds at every frequency, as a join does."""
    samples = said()
    samples[3 * FULL_HZ] = 1.0
    assert take(samples).events == ()
    samples[3 * FULL_HZ] = 0.5
    assert len(take(samples).events) == 1


def test_the_ends_of_the_sound_and_of_gaps_in_the_file_are_no_joins():
    samples = said()
    samples[3 * FULL_HZ : 4 * FULL_HZ] = 0.0
    audio = replace(planted.sound(samples, FULL_HZ), gaps=(Interval(3.0, 4.0),))
    assert assessed(audio, [])[2].events == ()
    assert len(take(samples).events) == 2  # without the gap the same edges are told


def test_sound_that_fills_its_band_is_refused():
    assert take(planted.noise(8.0, FULL_HZ, -40)).reasons == ("no_empty_band",)


def test_loudness_moves_no_join():
    samples = planted.cut(said(), FULL_HZ, 3.0)
    (plain,), (loud,) = (take(g * samples).events for g in (1.0, 3.0))
    assert plain.interval == loud.interval


def test_an_excerpt_tells_of_its_own_joins_only():
    samples = planted.cut(planted.cut(said(10.0), FULL_HZ, 7.0), FULL_HZ, 2.0)
    audio = planted.sound(samples, FULL_HZ)
    scene = planted.scene([], audio, [], interval=Interval(4.0, 8.0))
    (splice,) = voice.assess(scene, Settings())[2].events
    assert splice.interval.start_s == pytest.approx(6.3, abs=0.01)


# -- mains hum -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hz", [49.93, 50.0, 50.07, 59.95, 60.02])
def test_the_mains_is_found_within_2_hundredths_of_a_hertz(hz):
    samples = planted.noise(60.0, 8000, -40) + planted.mains(hz, 60.0, 8000, -55)
    found = take(samples, 8000).evidence["hum"]
    assert found.hz == pytest.approx(hz, abs=0.02) and found.multiple == 2


def test_the_mains_is_told_by_how_much_it_is_off():
    samples = planted.noise(60.0, 8000, -40) + planted.mains(59.95, 60.0, 8000, -50)
    off = take(samples, 8000).measurement("hum_deviation")
    assert off.unit == "mHz" and off.low <= -50 <= off.high and 12 <= off.high - off.low < 16  # a clock 100 ppm off
    assert off.reference.startswith("from 60 Hz, read at 2 × the mains")


def test_the_phase_of_the_hum_jumps_where_the_sound_was_cut():
    samples = planted.noise(20.0, 8000, -50) + planted.mains(50.0, 20.0, 8000, -60)
    assert take(samples, 8000).events == ()
    (splice,) = take(planted.cut(samples, 8000, 8.0, 0.7525), 8000).events  # a quarter of a period of 100 Hz
    assert splice.details["cue"] == "hum_phase"
    assert splice.interval.start_s <= 8.0 <= splice.interval.end_s
    assert splice.details["phase_deg"] == pytest.approx(90, abs=15)


@pytest.mark.parametrize("absent", [False, True])
def test_hum_that_is_muted_or_missing_for_a_while_is_not_cut(absent):
    """It goes on in its phase behind 3 s of zeros, or behind time that the file does not hold."""
    samples = planted.noise(40.0, 8000, -60) + planted.mains(50.0, 40.0, 8000, -50)
    samples[8000 * 15 : 8000 * 18] = 0
    audio = planted.sound(samples, 8000)
    if absent:
        audio = replace(audio, gaps=(Interval(15.0, 18.0),))
    assert assessed(audio, [])[2].events == ()


def test_a_tone_that_comes_and_goes_is_not_a_cut():
    """A beep of 120.3 Hz, 6 s on and 4 s off, each time at another phase."""
    t_s = np.arange(40 * 8000) / 8000
    beep = np.where(t_s % 10 < 6, 0.01 * np.sin(2 * np.pi * 120.3 * t_s + (t_s // 10) * 1.1), 0)
    assert take(beep + planted.noise(40.0, 8000, -70), 8000).events == ()


@pytest.mark.parametrize("rate_hz", [100, 400, 1500])
def test_sound_of_a_few_samples_a_second_is_answered(rate_hz):
    findings = assessed(planted.sound(planted.noise(20.0, rate_hz, -30), rate_hz), [])
    assert len(findings) == 5 and findings[2].reasons == ("no_empty_band",)


@pytest.mark.parametrize("seed", range(3))
def test_noise_without_mains_has_no_hum(seed):
    assert take(planted.noise(20.0, 8000, -40, seed), 8000).reasons == ("no_empty_band",)


# -- the spectrum --------------------------------------------------------------------------------------------------


def spectrum(samples, rate_hz):
    return assessed(planted.sound(samples, rate_hz), [])[3]


@pytest.mark.parametrize("edge_hz", [3400.0, 8000.0, 11025.0, 16000.0])
def test_the_edge_is_found_within_100_hz_in_each_stretch(edge_hz):
    finding = spectrum(planted.band_limited(planted.noise(8.0, 48000, -30), 48000, edge_hz), 48000)
    assert finding.measurement("lowest_edge").value == pytest.approx(edge_hz, abs=100)
    assert finding.measurement("highest_edge").value == pytest.approx(edge_hz, abs=100)
    assert finding.events == ()


def test_an_edge_that_moves_is_followed():
    parts = [planted.band_limited(planted.noise(4.0, 48000, -30, k), 48000, e) for k, e in ((1, 8000), (2, 15000))]
    finding = spectrum(np.concatenate(parts), 48000)
    assert finding.measurement("lowest_edge").value == pytest.approx(8000, abs=100)
    assert finding.measurement("highest_edge").value == pytest.approx(15000, abs=100)


def test_a_gap_in_the_band_is_found_with_its_edges():
    samples = shaped(lambda hz: np.where((hz > 4000) & (hz < 4500), 0.001, 1.0), 24000)
    (gap,) = spectrum(samples, 24000).events
    assert gap.kind == "spectral_gap"
    assert gap.details["low_hz"] == pytest.approx(4000, abs=100)
    assert gap.details["high_hz"] == pytest.approx(4500, abs=100)


def test_a_mirror_image_is_found_where_samples_were_repeated():
    """Every sample of an 8 kHz recording twice: the image of the voice stands above 4 kHz, turned round."""
    low = planted.vowel(130.0, 6.0, 8000, jitter=0.01) + planted.noise(6.0, 8000, -60)
    (image,) = events(spectrum(np.repeat(low, 2), 16000), "mirror_image")
    assert image.details["mirror_hz"] == 4000
    clean = planted.vowel(130.0, 6.0, 16000, jitter=0.01) + planted.noise(6.0, 16000, -60)
    assert events(spectrum(clean, 16000), "mirror_image") == []


# -- what the measures are taken from ------------------------------------------------------------------------------


def test_formants_of_a_vowel_are_found_within_10_per_cent():
    found = plain(steady(120.0, 4.0))
    for name, hz in (("formant_1", 700), ("formant_2", 1220), ("formant_3", 2600)):
        assert found[name] == pytest.approx(hz, rel=0.1)


def test_sound_through_a_telephone_has_no_formants():
    """Five are sought below 5500 Hz; what ends at 3400 Hz does not hold them."""
    samples = planted.band_limited(planted.vowel(150.0, 3.0, 24000) + planted.noise(3.0, level_db=-50), 24000, 3400)
    finding = measures(samples)
    assert not [m for m in finding.measurements if m.name.startswith("formant")]
    reference = finding.measurement("f0_median").reference
    assert "band to 34" in reference or "band to 33" in reference


def test_sound_of_a_low_rate_has_no_formants():
    finding = measures(planted.vowel(150.0, 3.0, 8000), 8000)
    assert not [m for m in finding.measurements if m.name.startswith("formant")]


def test_syllables_are_counted():
    """Twelve bursts of a vowel in 4 s."""
    t_s = np.arange(4 * RATE_HZ) / RATE_HZ
    samples = steady(140.0, 4.0) * (0.05 + np.sin(np.pi * 3 * t_s) ** 2)
    assert measures(samples).measurement("articulation_rate").value == pytest.approx(3.0, abs=0.3)


def test_a_measure_says_what_it_was_taken_from():
    reference = measures(steady(120.0)).measurement("jitter_local").reference
    for told in ("Praat's jitter (local)", "voiced frames", "60 to 500 Hz", "24000 Hz"):
        assert told in reference


def paused(noise_db, seconds=4.0, rate_hz=RATE_HZ):
    """A voice that speaks for ``seconds`` and pauses for two, over noise all along; and where it speaks."""
    samples = np.concatenate([planted.vowel(140.0, seconds, rate_hz, jitter=0.01), np.zeros(2 * rate_hz)])
    return samples + planted.noise(seconds + 2, rate_hz, noise_db), [Interval(0.0, seconds)]


@pytest.mark.parametrize(
    ("noise_db", "withheld"),
    [(-60, set()), (-44, {"formant_1", "formant_2", "formant_3"}), (-36, {"hnr", "formant_1"})],
)
def test_noise_withholds_formants_first_and_harmonicity_then_and_says_so(noise_db, withheld):
    samples, spoken = paused(noise_db)
    finding = measures(samples, spoken=spoken)
    names = {m.name for m in finding.measurements}
    assert not names & withheld and {"f0_median", "jitter_local", "hnr"} - withheld <= names
    said = " ".join(finding.limits)
    assert ("Formants are not given" in said) == ("formant_1" in withheld)
    assert ("harmonics-to-noise ratio is not given" in said) == ("hnr" in withheld)
    assert not finding.unusual


def test_a_telephone_band_withholds_jitter_and_says_so():
    samples, spoken = paused(-60)
    narrow = measures(planted.band_limited(samples, RATE_HZ, 3400), spoken=spoken)
    assert "jitter_local" not in {m.name for m in narrow.measurements}
    assert any("Jitter is not given: the band ends by 3" in limit for limit in narrow.limits)
    faded = scipy.signal.sosfiltfilt(scipy.signal.butter(6, 3400, fs=RATE_HZ, output="sos"), samples)
    assert "Jitter is not given: the band ends by 4000" in " ".join(measures(faded, spoken=spoken).limits)  # no edge
    wide = measures(samples, spoken=spoken)
    assert wide.measurement("jitter_local").value == pytest.approx(1.0, rel=0.33)
    assert len(wide.limits) == len(voice.LIMITS)


# -- fine structure ------------------------------------------------------------------------------------------------


def fine(samples, spoken):
    return assessed(planted.sound(samples), list(spoken))[3]


def harmonics_over(noise_db, f0_hz=120.0, seconds=4.0, amplitude=0.004):
    """Even harmonics up to 8 kHz for ``seconds``, then two of pause, over white noise; and where it sounds."""
    t_s, random = np.arange(round(seconds * RATE_HZ)) / RATE_HZ, np.random.default_rng(0)
    tones = (np.cos(2 * np.pi * (h * f0_hz * t_s + random.random())) for h in range(1, int(8000 / f0_hz)))
    samples = np.concatenate([amplitude * sum(tones), np.zeros(2 * RATE_HZ)])
    return samples + planted.noise(seconds + 2, RATE_HZ, noise_db), [Interval(0.0, seconds)]


@pytest.mark.parametrize("noise_db", [-53, -48])
@pytest.mark.parametrize("f0_hz", [110.0, 205.0])
def test_the_depth_between_harmonics_is_found_within_1_db(noise_db, f0_hz):
    """Under a Hann window of N samples a tone's peak over the noise's mean logarithm is A^2 N / 6 s^2, + 2.5 dB."""
    finding = fine(*harmonics_over(noise_db, f0_hz))
    window = round(HARMONIC_S * RATE_HZ)
    expected = 10 * np.log10(0.004**2 * window / 6) - noise_db + 2.5
    for band in ("low", "middle", "high"):
        assert finding.measurement(f"harmonic_contrast_{band}").value == pytest.approx(expected, abs=1.0)


def test_noise_withholds_the_depth_between_harmonics_and_says_so():
    finding = fine(*harmonics_over(-34))
    assert not [m for m in finding.measurements if m.name.startswith(("harmonic", "fine"))]
    assert any("depth between harmonics in the high band is not given: from 4000" in limit for limit in finding.limits)
    assert "codec_holes" not in {m.name for m in finding.measurements}  # noise fills holes first
    assert any("share of empty cells is not given: from 3000" in limit for limit in finding.limits)


def test_a_band_that_ends_lower_has_no_depth_above_it():
    samples, spoken = harmonics_over(-66)
    finding = fine(planted.band_limited(samples, RATE_HZ, 5000), spoken)
    names = {m.name for m in finding.measurements}
    assert "harmonic_contrast_middle" in names and "harmonic_contrast_high" not in names
    assert any("the band ends by 49" in limit for limit in finding.limits)


def test_a_gliding_voice_is_read_where_it_turns_only():
    """Three semitones and more a tenth of a second: upper harmonics smear under the window."""
    t_s, samples = np.arange(0.0, 4.0, 0.0125), planted.noise(4.0, level_db=-30)
    glide = 120 * 2 ** (0.5 * np.sin(2 * np.pi * 1.5 * t_s))
    read = [len(contrasts(samples, RATE_HZ, t_s, f0_hz)) for f0_hz in (np.full(len(t_s), 120.0), glide)]
    assert read[0] > 140 and 0 < read[1] < 0.25 * read[0]


def rippled(depth_db, seconds=8.0, seed=0):
    """Noise whose spectrum has ten ripples over the mel axis to 4 kHz, turned round at random each 80 ms."""
    random = np.random.default_rng(seed)
    n, samples = round(0.08 * RATE_HZ), planted.noise(seconds, RATE_HZ, -30, seed)
    mel = 2595 * np.log10(1 + np.fft.rfftfreq(n, 1 / RATE_HZ) / 700)
    ripple = np.cos(10 * np.pi * mel / (2595 * np.log10(1 + 4000 / 700)))
    parts = []
    for part in samples[: len(samples) // n * n].reshape(-1, n):
        gain = 10 ** (depth_db * random.choice((-1, 1)) * ripple / 20)
        parts.append(np.fft.irfft(np.fft.rfft(part) * gain, n))
    pause = planted.noise(2.0, RATE_HZ, -80)
    return np.concatenate([*parts, pause]), [Interval(0.0, len(parts) * n / RATE_HZ)]


def test_the_play_of_the_fine_spectrum_grows_with_what_was_planted():
    still, once, twice = (fine(*rippled(depth)).measurement("fine_play") for depth in (0.0, 4.0, 8.0))
    grown = np.sqrt((twice.value**2 - still.value**2) / (once.value**2 - still.value**2))
    assert grown == pytest.approx(2.0, rel=0.1) and once.unit == "dB"
    assert still.low <= still.value <= still.high


def holed(share, seed=0, seconds=6.0):
    """Noise in which cells of 64 ms and 500 Hz from 1 to 10 kHz are empty, ``share`` of them; and where it sounds."""
    random, n = np.random.default_rng(seed), round(seconds * RATE_HZ)
    spectrum, hz = np.fft.rfft(planted.noise(seconds, RATE_HZ, -30, seed)), np.fft.rfftfreq(n, 1 / RATE_HZ)
    cell, made = round(0.064 * RATE_HZ), np.zeros(n)
    for low in np.arange(0, RATE_HZ / 2, 500):
        kept = np.repeat(random.random(n // cell + 1) >= share * (1000 <= low < 10000), cell)[:n]
        gate = scipy.ndimage.uniform_filter1d(kept.astype(float), 120)  # 5 ms: no click
        made += gate * np.fft.irfft(spectrum * ((hz >= low) & (hz < low + 500)), n)
    return np.concatenate([made, planted.noise(2.0, RATE_HZ, -80)]), [Interval(0.0, seconds)]


def test_cells_that_coding_left_empty_are_counted():
    counted = [fine(*holed(share)).measurement("codec_holes").value for share in (0.0, 0.02, 0.04)]
    assert counted[0] == 0 and counted[2] == pytest.approx(2 * counted[1], rel=0.25)
    assert 0.3 < counted[2] / 4 < 1.2  # a window that holds the edge of a cell is not empty


def test_holes_are_told_where_they_are():
    clean, holes = (planted.sound(holed(share)[0]) for share in (0.0, 0.05))
    samples = np.concatenate([clean.samples[: 6 * RATE_HZ, 0], holes.samples[:, 0]])
    course = fine(samples, [Interval(0, 12)]).evidence["holes"]
    assert course.values[course.t_s < 5.9].max() == 0 and course.values[course.t_s > 6.1].min() > 0.5


def test_a_lasting_gap_is_no_hole_of_coding():
    samples = shaped(lambda hz: np.where((hz > 4000) & (hz < 4500), 0.001, 1.0), 24000)
    finding = fine(np.concatenate([samples, planted.noise(1.0, RATE_HZ, -100)]), [Interval(0, 4)])
    assert finding.measurement("codec_holes").value == 0 and events(finding, "spectral_gap")


def test_too_little_speech_has_no_fine_structure():
    samples, _ = harmonics_over(-66)
    finding = fine(samples, [Interval(0, 0.2)])
    assert not [m for m in finding.measurements if m.name.startswith(("harmonic", "fine", "codec"))]


def test_no_fact_of_the_voice_is_ever_marked():
    for made, spoken in (harmonics_over(-66), rippled(8.0), holed(0.04), paused(-25)):
        assert not any(f.unusual for f in assessed(planted.sound(made), spoken))

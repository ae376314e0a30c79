"""Where someone speaks: two thresholds on a probability, and the detector itself on sound of known kind."""

import numpy as np
import planted
import pytest

from forensics.speech import RATE_HZ, STEP, Settings, speech_intervals, speech_probability
from forensics.timeline import Series

STEP_S = STEP / RATE_HZ


def intervals(*parts, start_s=0.0, settings=None):
    """Intervals of a probability made of (value, number of steps) parts, in steps from ``start_s``."""
    values = np.concatenate([np.full(n, p) for p, n in parts])
    t_s = start_s + (np.arange(len(values)) + 0.5) * STEP_S
    found = speech_intervals(Series("speech probability", t_s, values, "1"), settings)
    return [(round((i.start_s - start_s) / STEP_S, 6), round((i.end_s - start_s) / STEP_S, 6)) for i in found]


def test_speech_covers_whole_steps():
    assert intervals((0.0, 20), (0.9, 30), (0.0, 20)) == [(20, 50)]
    assert intervals((0.0, 20), (0.9, 30), (0.0, 20), start_s=7.3) == [(20, 50)]


def test_speech_begins_at_the_upper_and_ends_at_the_lower_threshold():
    assert intervals((0.0, 9), (0.4, 5), (0.9, 20), (0.4, 5), (0.0, 9)) == [(9, 39)]
    assert intervals((0.0, 9), (0.45, 40), (0.0, 9)) == []  # never above the upper one


def test_short_pauses_are_bridged_and_long_ones_are_not():
    """0.1 s is 3.1 steps."""
    assert intervals((0.9, 20), (0.0, 3), (0.9, 20)) == [(0, 43)]
    assert intervals((0.9, 20), (0.0, 4), (0.9, 20)) == [(0, 20), (24, 44)]


def test_a_click_is_too_short_for_speech():
    """0.25 s is 7.8 steps."""
    assert intervals((0.0, 9), (0.9, 7), (0.0, 9)) == []
    assert intervals((0.0, 9), (0.9, 8), (0.0, 9)) == [(9, 17)]


def test_a_probability_of_no_steps_has_no_speech():
    assert speech_intervals(Series("speech probability", np.zeros(0), np.zeros(0), "1")) == []


def test_thresholds_are_the_caller_s_to_set():
    assert intervals((0.0, 9), (0.45, 40), (0.0, 9), settings=Settings(begin=0.4, end=0.3)) == [(9, 49)]


@pytest.mark.parametrize("rate_hz", [8000, 44100])
def test_steps_lie_on_the_sound_s_clock(rate_hz):
    found = speech_probability(planted.sound(planted.noise(2.0, rate_hz), rate_hz, start_s=-0.5))
    assert found.t_s[0] == pytest.approx(-0.5 + STEP_S / 2)
    np.testing.assert_allclose(np.diff(found.t_s), STEP_S)
    assert len(found.t_s) == pytest.approx(2.0 / STEP_S, abs=1)
    assert np.all((found.values >= 0) & (found.values <= 1))


@pytest.mark.parametrize("samples", [np.zeros(48000), planted.noise(2.0, level_db=-40)])
def test_neither_silence_nor_noise_is_speech(samples):
    assert speech_intervals(speech_probability(planted.sound(samples))) == []


def test_a_sound_of_no_samples_has_no_speech():
    assert len(speech_probability(planted.sound(np.zeros(0))).t_s) == 0


def test_the_two_runs_of_the_detector_are_equal():
    """It is a recurrent network: a state left over from the first run would show."""
    sound = planted.sound(planted.vowel(140.0, 2.0) + planted.noise(2.0, level_db=-40))
    first, second = speech_probability(sound), speech_probability(sound)
    np.testing.assert_array_equal(first.values, second.values)

"""Where someone speaks: two thresholds on a probability, and the detector itself on sound of known kind."""

import sys
from pathlib import Path

import numpy as np
import planted
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "samples"))  # a folder of scripts, not a package

import speech as voices

from forensics.errors import ParameterError
from forensics.speech import (
    BILABIALS,
    RATE_HZ,
    STEP,
    Settings,
    aligned,
    phonemes,
    speech_intervals,
    speech_probability,
)
from forensics.timeline import Interval, Series

STEP_S = STEP / RATE_HZ
TEXT = "Bob bought a map of panama."


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


# -- phonemes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [np.zeros(48000), np.zeros(0), planted.noise(0.001), planted.noise(30.001)])
def test_silence_and_noise_have_no_phonemes(samples):
    """The last: a part decoded at once, and one of a millisecond behind it."""
    assert phonemes(planted.sound(samples)) == []


@pytest.fixture(scope="module")
def sentence():
    """A made voice whose closures are known."""
    ((said,), _) = voices.speak((TEXT,))
    return said


def test_phonemes_lie_on_the_sound_s_clock_and_do_not_depend_on_its_loudness(sentence):
    here = phonemes(planted.sound(sentence.pcm, sentence.rate_hz))
    later = phonemes(planted.sound(0.25 * sentence.pcm, sentence.rate_hz, start_s=7.3))
    assert len(here) > 10 and [p.name for p in here] == [p.name for p in later]
    np.testing.assert_allclose([p.interval.start_s + 7.3 for p in here], [p.interval.start_s for p in later], atol=1e-4)
    assert all(0 <= p.interval.start_s < p.interval.end_s <= len(sentence.pcm) / sentence.rate_hz + 0.1 for p in here)


def test_known_words_are_aligned_with_every_closure_in_its_place(sentence):
    """10 s into a recording; each p, b, m within 80 ms of where the voice shut its lips."""
    sound = planted.sound(sentence.pcm, sentence.rate_hz, start_s=10.0)
    found = aligned(sound, sound.interval, TEXT.lower().rstrip(".").split())
    shut = [p for p in found if p.name in BILABIALS]
    assert [p.name.lower() for p in shut] == [c.phoneme for c in sentence.closures]
    for heard, true in zip(shut, sentence.closures, strict=True):
        assert heard.interval.duration < 0.3
        assert heard.interval.start_s - 0.08 <= 10 + true.centre_s <= heard.interval.end_s + 0.08


def test_words_outside_the_dictionary_and_no_words_are_refused_by_name():
    sound = planted.sound(planted.vowel(140.0, 2.0))
    with pytest.raises(ParameterError, match="xqzzy"):
        aligned(sound, Interval(0.0, 2.0), ["hello", "xqzzy"])
    for words, interval in (([], Interval(0.0, 2.0)), (["hello"], Interval(5.0, 6.0))):
        with pytest.raises(ParameterError, match="are there"):
            aligned(sound, interval, words)

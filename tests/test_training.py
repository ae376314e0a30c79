"""Made-up people whose lips and sound share something: what is learned from some of them holds for others."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from forensics import training, weights
from forensics.analysis import lipsync
from forensics.analysis.lipsync import features, measure, model
from forensics.errors import CaseError, ParameterError

#: Small sides, so that a fit takes a second.
SMALL = training.Settings(
    components=3, lips_axes=6, lips_white=8, lips_units=10, sound_white=8, sound_units=10, groups=3, rounds=1
)
LAGS_MS = (-120, -40, 0, 70, 150, 260)


def person(seed, lag_ms=0, seconds=12.0, related=True):
    """Three slow quantities that both lips and bands follow, each in noise of its own; the sound ``lag_ms`` later."""
    random, n, lag = np.random.default_rng(seed), round(seconds * 100), round(lag_ms / 10)
    mixing = np.random.default_rng(7)  # the same in all people
    to_lips, to_sound = mixing.normal(0, 1, (3, features.N_LIPS)), mixing.normal(0, 1, (3, 52))
    smooth = np.exp(-0.5 * (np.arange(-20, 21) / 5) ** 2)

    def hidden():
        noise = random.normal(0, 1, (n + 200, 3))
        return np.stack([np.convolve(c, smooth, "same") for c in noise.T], 1)

    shared = hidden()
    heard = shared if related else hidden()
    lips = shared[100 : 100 + n] @ to_lips + random.normal(0, 3, (n, features.N_LIPS))
    sound = heard[100 - lag : 100 - lag + n] @ to_sound + random.normal(0, 3, (n, 52))
    sound = (sound - sound.mean(0)) / sound.std(0)
    quiet = np.random.default_rng(seed + 1000).normal(0, 1, (2, n))
    lips, sound = lips.astype(np.float32), sound.astype(np.float32)
    return training.Sample(str(seed), seed, lips, sound, *quiet, np.ones(n, bool))


@pytest.fixture(scope="module")
def people():
    return [person(k, LAGS_MS[k % len(LAGS_MS)]) for k in range(9)]


@pytest.fixture(scope="module")
def fitted(people):
    return training.fit_at(people, true_lags(people), SMALL)


def true_lags(people):
    return np.array([round(LAGS_MS[k % len(LAGS_MS)] / 10) for k in range(len(people))])


def compared(fitted, sample):
    return measure.compare(fitted.of_lips(sample.lips), fitted.of_sound(sample.sound), lipsync.Settings())


# -- the fit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag_ms", [-200, 0, 90, 310])
def test_the_lag_of_a_person_not_fitted_to_is_found(fitted, lag_ms):
    found = compared(fitted, person(50, lag_ms))
    assert found.z > 8 and measure.peak_ms(found.lags_ms, found.correlation) == pytest.approx(lag_ms, abs=10)


def test_lips_and_sound_that_share_nothing_do_not_stand_out(fitted):
    own = min(compared(fitted, person(k)).z for k in range(60, 66))
    strange = max(compared(fitted, person(k, related=False)).z for k in range(60, 80))
    assert own > 2 * strange and strange < 5


def test_unknown_lags_are_found_by_fits_without_the_person(people):
    """From a start that is up to 170 ms off in a third of them; their common zero may move with its mean error."""
    plain = training.prepare(people, replace(SMALL, lips_units=0, sound_units=0))
    true = true_lags(people)
    start = np.where(np.arange(len(people)) % 3 == 0, 5, true)
    assert (start != true).any()
    found = training.found_lags(plain, start)
    np.testing.assert_allclose(found, true, atol=4)
    np.testing.assert_allclose(found - np.median(found - true), true, atol=3)


def test_components_that_hold_for_nobody_else_weigh_little(people):
    """Of people whose lips and sound share nothing, whatever was fitted holds for themselves alone."""

    def weighed(some):
        fitting = training.prepare(some, replace(SMALL, lips_units=0, sound_units=0))
        lags = true_lags(some)
        return training.learned_weights(fitting, lags, fitting.by_group(lags))

    alone = weighed([person(k, related=False) for k in range(9)])
    assert weighed(people).min() > 3 * alone.max() and (alone >= 0).all()


def test_time_without_a_face_is_neither_fitted_nor_compared(fitted):
    whole = person(50, 90)
    lips = whole.lips.copy()
    lips[300:500] = np.nan
    made = fitted.of_lips(lips)
    assert np.isnan(made[300:500]).all() and np.isfinite(made[:300]).all() and np.isfinite(made[500:]).all()
    found = compared(fitted, replace(whole, lips=lips))
    assert measure.peak_ms(found.lags_ms, found.correlation) == pytest.approx(90, abs=10)
    used, _ = training.rows_of(replace(whole, lips=lips), 9, SMALL)
    assert not ((used >= 300) & (used < 500)).any() and len(used) > 200


def test_too_few_people_are_refused(people):
    with pytest.raises(ParameterError, match="at least 3 persons"):
        training.fit(people[:2], SMALL)


def test_the_same_people_and_seed_give_the_same_bytes(people, fitted, tmp_path):
    again = training.fit_at(people, true_lags(people), SMALL)
    digests = [weights.write(tmp_path, name, model.to_arrays(m)) for name, m in (("a", fitted), ("b", again))]
    assert digests[0] == digests[1]
    other = training.fit_at(people, true_lags(people), replace(SMALL, seed=1))
    assert weights.write(tmp_path, "c", model.to_arrays(other)) != digests[0]


def test_no_fold_is_tried_on_its_own_people(people):
    """Two recordings of one person are no pairing of strangers."""
    twice = [*people, replace(person(50), unit=0)]
    found = training.cross_checked(twice, replace(SMALL, lips_units=0, sound_units=0))
    assert found.own == len(twice) and found.area.value > 0.99
    group = training.prepare(twice, SMALL).group
    assert group[0] == group[-1]
    sizes = np.bincount(group)
    assert found.pairs == sum(n * (n - 1) for n in sizes) - 2


# -- weights as files ----------------------------------------------------------------------------------------------


def test_a_model_is_the_same_when_read_again(fitted, tmp_path):
    digest = weights.write(tmp_path, "some", model.to_arrays(fitted))
    assert digest == hashlib.sha256((tmp_path / "some.npz").read_bytes()).hexdigest()
    sample, again = person(50), model.from_arrays(weights.read(tmp_path, "some"))
    # The file's reaches are those of the shipped sides.
    np.testing.assert_allclose(again.of_lips(sample.lips), fitted.of_lips(sample.lips), atol=1e-5)
    np.testing.assert_allclose(again.of_sound(sample.sound), fitted.of_sound(sample.sound), atol=1e-5)


@pytest.mark.parametrize("harm", ["another byte", "no file", "no hash"])
def test_weights_that_are_not_those_of_their_hash_are_refused(fitted, tmp_path, harm):
    weights.write(tmp_path, "some", model.to_arrays(fitted))
    file = tmp_path / ("some.sha256" if harm == "no hash" else "some.npz")
    if harm == "another byte":
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    else:
        file.unlink()
    with pytest.raises(CaseError, match="E_WEIGHTS"):
        weights.read(tmp_path, "some")


def test_pickled_objects_are_no_weights(tmp_path):
    np.savez(tmp_path / "some.npz", a=np.array([{"code": 1}], dtype=object))
    content = (tmp_path / "some.npz").read_bytes()
    (tmp_path / "some.sha256").write_text(hashlib.sha256(content).hexdigest())
    with pytest.raises(ValueError, match="allow_pickle=False"):
        weights.read(tmp_path, "some")


def test_the_shipped_weights_are_small_plain_and_on_their_card():
    arrays = weights.shipped(model.NAME)
    assert all(a.dtype == np.float32 and np.isfinite(a).all() for a in arrays.values())
    folder = training.Path(weights.__file__).parent / "data"
    assert (folder / "lipsync.npz").stat().st_size < 2_000_000
    card = (folder / "lipsync.md").read_text("utf-8")
    assert (folder / "lipsync.sha256").read_text().split()[0] in card
    fitted = lipsync.shipped()
    assert fitted.weights.sum() == pytest.approx(1, abs=1e-5) and fitted.lips.out.shape[1] == len(fitted.weights)


# -- the command ---------------------------------------------------------------------------------------------------


def test_the_table_says_who_is_seen(tmp_path):
    table = tmp_path / "index.tsv"
    table.write_text("path\tlabel\tperson\tgroup\nx/a.mp4\tauthentic\tanna\t\nx/b.mp4\taltered\tben\tP1\n")
    rows = training.read_index(table)
    assert rows["a"]["person"] == "anna" and rows["b"]["group"] == "P1" and training.read_index(None) == {}


def test_a_card_names_licences_counts_and_limits(people):
    trial = training.Trial(9, 20, training.statistics.auc([1, 2, 3, 0, 1, 2], [1, 1, 1, 0, 0, 0], range(6)))
    samples = [replace(p, licence="CC-BY *x*" if k else "") for k, p in enumerate(people)]
    text = training.card(samples, trial, "ab12", 5000, SMALL)
    told = (
        "9 recordings, taken",
        "of 9 persons or groups",
        "1.8 minutes",
        "8 recordings of 8",
        "not stated in the table",
    )
    for words in (*told, "ab12"):
        assert words in text
    assert "`CC-BY *x*`" in text  # what a table says is text, never markup
    assert "## Limits" in text and "no evidence" in text


def test_recordings_that_cannot_be_read_are_told_and_left_out(tmp_path, capsys):
    (tmp_path / "noise.mp4").write_bytes(b"no recording")
    assert training.gather(tmp_path) == []
    assert "noise.mp4 is left out: E_" in capsys.readouterr().out

"""Decoding: each picture and sample comes back when and as it was put in, and what was lost is counted."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import synth
from synth import Pictures, Sound, click, evenly, gradient, plain, portrait, tone, write

from forensics import clip, decode
from forensics.decode import Losses
from forensics.errors import MediaError
from forensics.landmarks import FaceModel

#: Any picture, exactly: sizes may be odd, and nothing is rounded.
EXACT = {"codec": "ffv1", "pixels": "bgr0", "options": {}}


def see(path: Path, stream: int = 0) -> tuple[list[float], list[np.ndarray], Losses]:
    losses, fd = Losses(), os.open(path, os.O_RDONLY)
    seen = [(p.t_s, p.rgb()) for p in decode.pictures(fd, stream, losses)]
    os.close(fd)
    return [t for t, _ in seen], [rgb for _, rgb in seen], losses


def hear(path: Path, stream: int = 0) -> tuple[np.ndarray, dict]:
    """Samples (n, channels), and what the messages told: start_s, rate_hz, channels, gaps, losses."""
    fd, about, blocks = os.open(path, os.O_RDONLY), {"gaps": []}, []
    for header, arrays in decode.sound(fd, stream):
        about["gaps"] += [header["gap"]] if "gap" in header else []
        about |= header
        blocks += arrays.values()
    os.close(fd)
    return np.concatenate(blocks) if blocks else np.zeros((0, 1)), about


def clicks_s(path: Path, stream: int = 0) -> np.ndarray:
    """Times of the samples above half: those of ``synth.click``."""
    samples, about = hear(path, stream)
    return about["start_s"] + np.flatnonzero(np.abs(samples[:, 0]) > 0.4) / about["rate_hz"]


def order(pictures: list[np.ndarray]) -> list[int]:
    """The numbers of ``plain`` pictures."""
    return [round((float(p.mean()) - 10) / 8) for p in pictures]


# -- time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aac.mp4", {}),
        ("aac.mov", {}),
        ("aac.mkv", {}),
        ("opus.mkv", {"codec": "libopus", "sample_format": "flt"}),
        ("pcm.avi", {"codec": "pcm_s16le", "sample_format": "s16"}),
    ],
)
def test_a_click_returns_at_its_time_on_the_pictures_clock(tmp_path, name, kind):
    film = evenly(plain(30), time_base=Fraction(1, 25))
    times, _, _ = see(path := write(tmp_path / name, film, Sound(click([0.25, 0.9], 1.5), **kind)))
    np.testing.assert_allclose(times, np.arange(30) / 25, atol=1e-9)
    np.testing.assert_allclose(clicks_s(path, 1), [0.25, 0.9], atol=0.001)


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv"])
def test_sound_that_starts_later_than_the_picture_keeps_its_time(tmp_path, name):
    path = write(tmp_path / name, evenly(plain(40)), Sound(click([0.25], 1.0), start_s=0.4))
    assert see(path)[0][0] == 0
    np.testing.assert_allclose(clicks_s(path, 1), [0.65], atol=0.001)


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv"])
def test_a_picture_that_starts_later_than_the_sound_keeps_its_time(tmp_path, name):
    path = write(tmp_path / name, evenly(plain(10), start_s=0.6), Sound(click([0.25], 1.0)))
    assert see(path)[0][0] == pytest.approx(0.6, abs=1e-6)
    np.testing.assert_allclose(clicks_s(path, 1), [0.25], atol=0.001)


def test_an_edit_list_that_cuts_the_beginning_moves_the_rest(tmp_path):
    """Trimmed on a telephone: the file holds 20 pictures and shows them from number 5 on."""
    whole = write(tmp_path / "whole.mp4", evenly(plain(20), options={"crf": "8", "preset": "ultrafast", "g": "1"}))
    data = whole.read_bytes()
    scale = int.from_bytes(data[(at := data.index(b"mdhd") + 16) : at + 4], "big")
    whole.write_bytes(synth.patched(data, b"elst", 12, round(5 / 25 * scale).to_bytes(4, "big")))
    times, pictures, _ = see(whole)
    np.testing.assert_allclose(times, np.arange(15) / 25, atol=1e-6)
    assert order(pictures) == list(range(5, 20))


@pytest.mark.parametrize("name", ["phone.mp4", "phone.mkv"])
@pytest.mark.parametrize(
    "t_s",
    [
        [0.0, 0.033, 0.066, 0.1, 0.2, 0.21, 0.5],
        [k / 1000 for k in range(12)],
        [10.0 * k for k in range(4)],
    ],
    ids=["variable", "1000 fps", "0.1 fps"],
)
def test_pictures_keep_their_own_times(tmp_path, name, t_s):
    times, pictures, losses = see(write(tmp_path / name, Pictures(plain(len(t_s)), t_s)))
    np.testing.assert_allclose(times, t_s, atol=1e-9)
    assert order(pictures) == list(range(len(t_s))) and losses == Losses()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("b.mp4", {}),
        ("b.mkv", {}),
        ("b.mpg", {"codec": "mpeg2video"}),
        ("b.ts", {}),
        ("h264.avi", {}),
        ("mpeg4.avi", {"codec": "mpeg4"}),
    ],
)
def test_pictures_decoded_out_of_order_come_in_order(tmp_path, name, kind):
    """B-frames; AVI, which holds no presentation times, gives its packets' times in order."""
    options = {"bf": "2", "g": "12"} | ({} if kind else {"crf": "8"})
    film = evenly([p for p in plain(24)], time_base=Fraction(1, 25), options=options, **kind)
    times, pictures, losses = see(write(tmp_path / name, film))
    np.testing.assert_allclose(np.diff(times), 1 / 25, atol=1e-6)
    assert np.corrcoef([p.mean() for p in pictures], range(24))[0, 1] > 0.99
    assert losses == Losses()
    if name.endswith("avi"):
        assert times[0] == 0


def test_a_time_that_goes_back_is_left_out_and_counted(tmp_path):
    film = evenly(plain(6), codec="mjpeg", pixels="yuvj420p", options={}, written_s=[0.0, 0.04, 0.08, 0.06, 0.12, 0.16])
    times, pictures, losses = see(write(tmp_path / "back.mkv", film))
    assert times == [0.0, 0.04, 0.08, 0.12, 0.16] and order(pictures) == [0, 1, 2, 4, 5]
    assert losses == Losses(time_steps_back=1)


def test_a_picture_without_time_is_left_out_and_counted(tmp_path, monkeypatch):
    def forgetful(*arguments):
        for k, frame in enumerate(decoded(*arguments)):
            frame.pts = None if k == 2 else frame.pts
            yield frame

    decoded = decode._decoded
    monkeypatch.setattr(decode, "_decoded", forgetful)
    _, pictures, losses = see(write(tmp_path / "clip.mp4", evenly(plain(5))))
    assert order(pictures) == [0, 1, 3, 4] and losses == Losses(without_time=1)


def test_a_damaged_picture_is_counted_and_the_next_one_shown(tmp_path):
    path = write(tmp_path / "clip.mov", evenly(plain(8), codec="png", pixels="rgb24", options={}))
    data = bytearray(path.read_bytes())
    third = [k for k in range(len(data)) if data.startswith(b"\x89PNG", k)][2]
    data[third : third + 8] = bytes(8)
    path.write_bytes(data)
    _, pictures, losses = see(path)
    assert order(pictures) == [0, 1, 3, 4, 5, 6, 7] and losses == Losses(decode_failures=1)


def test_damage_that_the_decoder_bridges_is_counted(tmp_path):
    """The number of pictures is right, but some are guessed: not counted as failures by anybody else."""
    film = evenly([gradient(96, 64)] * 20, options={"crf": "8", "preset": "ultrafast", "g": "10"})
    path = write(tmp_path / "clip.mkv", film)
    times, _, losses = see(path)
    assert len(times) == 20 and losses == Losses()
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 40] = bytes(range(100, 140))
    path.write_bytes(data)
    assert see(path)[2].damaged > 0


def test_a_decoder_that_is_not_ours_is_never_run(tmp_path):
    """Its stream is named, not examined."""
    film = evenly(plain(3), codec="magicyuv", pixels="gbrp", options={})
    path = write(tmp_path / "clip.avi", film, Sound(tone(0.2), codec="pcm_s16le", sample_format="s16"))
    with clip.opened(path) as fd:
        known = clip.identify(path, fd)
    assert (known.picture, known.sound) == (None, 1)
    assert [(s["codec"], s["decodable"]) for s in known.others()] == [("magicyuv", False)]
    with pytest.raises(MediaError, match="E_NO_STREAMS"):
        see(path, 0)


def test_every_decoder_that_is_ours_exists():
    """A name that is spelled wrong would shut out recordings."""
    import av

    names = {av.codec.Codec(name, "r").name for name in decode.DECODERS}
    assert names == decode.DECODERS and {"h264", "hevc", "aac", "opus", "pcm_s16le"} <= names


# -- pictures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(1080, 608), (700, 394), (454, 256), (333, 201), (101, 75)])
def test_pictures_of_any_width_come_back_as_they_were(tmp_path, width, height):
    _, (picture,), _ = see(write(tmp_path / "exact.mkv", Pictures([gradient(width, height)], [0.0], **EXACT)))
    assert picture.flags.c_contiguous
    np.testing.assert_array_equal(picture, gradient(width, height))


@pytest.mark.parametrize(("width", "height"), [(1080, 608), (700, 394), (454, 256)])
def test_pictures_of_any_width_come_back_from_h264(tmp_path, width, height):
    _, (picture, *_), _ = see(write(tmp_path / "clip.mp4", evenly([gradient(width, height)] * 2)))
    assert picture.flags.c_contiguous
    assert np.abs(picture.astype(int) - gradient(width, height)).max() < 12  # 4:2:0 and 8 bits


def test_the_model_finds_the_face_at_any_width(tmp_path):
    """A padded or turned array is misread by it silently: nothing found, or found elsewhere."""
    with FaceModel() as model:
        for width in (1080, 700, 454, 333):
            kind = EXACT if width % 2 else {}
            film = Pictures([portrait(width, width // 2 * 2 if width % 2 == 0 else width)], [0.0], **kind)
            _, (picture,), _ = see(write(tmp_path / f"{width}.mkv", film))
            (face,) = model.detect(picture)
            centre = face.landmarks[:, :2].mean(0) / width
            np.testing.assert_allclose(centre, [0.47, 0.40], atol=0.05)


#: Display matrices as telephones write them: (a, b, c, d), and which corner of the stored picture is shown where.
TURNS = {
    "quarter clockwise": ((0, 1, -1, 0), [2, 0, 3, 1]),
    "half": ((-1, 0, 0, -1), [3, 2, 1, 0]),
    "quarter counter-clockwise": ((0, -1, 1, 0), [1, 3, 0, 2]),
    "mirrored": ((-1, 0, 0, 1), [1, 0, 3, 2]),
    "upside down mirrored": ((1, 0, 0, -1), [2, 3, 0, 1]),
    "mirrored on the diagonal": ((0, 1, 1, 0), [0, 2, 1, 3]),
}


@pytest.mark.parametrize("turn", TURNS)
def test_the_rotation_flag_is_honoured(tmp_path, turn):
    matrix, shown = TURNS[turn]
    path = write(tmp_path / "clip.mp4", evenly([gradient(160, 96)] * 2))
    path.write_bytes(synth.turned(path.read_bytes(), matrix))
    _, (picture, *_), _ = see(path)
    assert picture.shape == ((160, 96, 3) if matrix[0] == 0 else (96, 160, 3)) and picture.flags.c_contiguous
    assert synth.corners(picture) == [synth.UPRIGHT[k] for k in shown]


@pytest.mark.parametrize(("shape", "width"), [(Fraction(16, 11), 256), (Fraction(8, 9), 156), (None, 176)])
@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4", "clip.avi"])
def test_pixels_become_square(tmp_path, shape, width, name):
    film = evenly([gradient(176, 144)] * 2, shape=shape, time_base=Fraction(1, 25))
    _, (picture, *_), _ = see(write(tmp_path / name, film))
    assert picture.shape == (144, width, 3) and synth.corners(picture) == synth.UPRIGHT


@pytest.mark.parametrize("claim", [(30000, 1), (1, 30000)])
def test_a_shape_of_pixels_beyond_reason_is_not_believed(tmp_path, claim):
    """It would make a picture 5 million px wide, or 1 px."""
    path = write(tmp_path / "clip.mp4", evenly([gradient(176, 144)] * 2, shape=Fraction(16, 11)))
    path.write_bytes(synth.patched(path.read_bytes(), b"pasp", 0, struct.pack(">II", *claim)))
    _, (picture, *_), _ = see(path)
    assert picture.shape == (144, 176, 3)


def test_a_change_of_size_is_counted_and_scaled_to_the_first(tmp_path):
    first = write(tmp_path / "1.ts", evenly([gradient(160, 96)] * 4))
    second = write(tmp_path / "2.ts", evenly([gradient(80, 48)] * 4, start_s=1.0))
    (tmp_path / "joined.ts").write_bytes(first.read_bytes() + second.read_bytes())
    times, pictures, losses = see(tmp_path / "joined.ts")
    assert len(times) == 8 and {p.shape for p in pictures} == {(96, 160, 3)}
    assert losses.size_changes == 1


def test_the_first_stream_of_each_kind_is_chosen_and_the_others_are_listed(tmp_path):
    path = write(
        tmp_path / "clip.mkv",
        evenly(plain(5)),
        evenly([gradient(96, 64)] * 5),
        Sound(tone(0.2)),
        Sound(tone(0.2), codec="flac", sample_format="s16"),
    )
    with clip.opened(path) as fd:
        known = clip.identify(path, fd)
    assert (known.picture, known.sound) == (0, 2)
    assert [(s["index"], s["kind"], s["codec"]) for s in known.others()] == [(1, "video", "h264"), (3, "audio", "flac")]
    assert see(path, 1)[1][0].shape == (64, 96, 3)


# -- sound -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "sample_format", "name"),
    [
        ("pcm_u8", "u8", "a.wav"),
        ("pcm_s16le", "s16", "a.wav"),
        ("pcm_s32le", "s32", "a.wav"),
        ("pcm_f32le", "flt", "a.wav"),
        ("pcm_f64le", "dbl", "a.wav"),
        ("flac", "s16", "a.flac"),
        ("flac", "s32", "a.mkv"),
        ("alac", "s16p", "a.mov"),
        ("alac", "s32p", "a.mov"),
    ],
)
@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_samples_keep_level_sign_and_channel(tmp_path, codec, sample_format, name, layout):
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    sent = synth.steps(channels)
    got, about = hear(write(tmp_path / name, Sound(sent, 48000, 0.0, codec, sample_format, layout)))
    assert got.dtype == np.float32
    assert (about["start_s"], about["rate_hz"], about["channels"]) == (0.0, 48000, channels)
    np.testing.assert_allclose(got, sent, atol=1 / 128 if codec == "pcm_u8" else 1e-4)


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_planar_floats_keep_level_and_channel(tmp_path, layout):
    channels = 1 if layout == "mono" else 2
    got, about = hear(write(tmp_path / "a.m4a", Sound(tone(0.5) * np.arange(1, channels + 1), layout=layout)))
    assert about["channels"] == channels
    level = np.sqrt((got**2).mean(0) * 2)
    np.testing.assert_allclose(level, 0.3 * np.arange(1, channels + 1), rtol=0.05)


def test_samples_that_are_no_numbers_become_zero_and_are_counted(tmp_path):
    sent = tone(0.1)
    sent[[10, 20, 30], 0] = np.nan, np.inf, -np.inf
    got, about = hear(write(tmp_path / "a.wav", Sound(sent, codec="pcm_f32le", sample_format="flt")))
    assert about["losses"]["not_finite"] == 3
    assert got[[10, 20, 30], 0].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(got[40:], sent[40:])


def test_a_gap_is_filled_with_zeros_and_named(tmp_path):
    sent = np.full((48000, 1), 0.25, np.float32)
    sound = Sound(sent, codec="pcm_s16le", sample_format="s16", holes=((0.4, 0.6),))
    got, about = hear(write(tmp_path / "a.mkv", sound))
    assert about["gaps"] == [pytest.approx([0.4, 0.6], abs=0.001)]
    assert len(got) == 48000
    assert np.flatnonzero(got[:, 0] == 0)[[0, -1]] / 48000 == pytest.approx([0.4, 0.6], abs=0.001)


def test_a_time_stamp_beyond_reason_fills_no_disk(tmp_path):
    """Two gaps of 400 s: the second would pass the limit on all of them."""
    sound = Sound(tone(801, 8000), 8000, codec="pcm_s16le", sample_format="s16", holes=((0.5, 400.0), (400.5, 800.0)))
    got, about = hear(write(tmp_path / "a.mkv", sound))
    assert about["gaps"] == [pytest.approx([0.5, 400.0], abs=0.2)]
    assert about["losses"]["without_time"] > 0
    assert len(got) / 8000 == pytest.approx(400.5, abs=0.2)


@pytest.mark.parametrize("rate_hz", [1, 1000, 2**31 - 1])
def test_a_sampling_rate_beyond_reason_is_no_sound(tmp_path, rate_hz):
    path = write(tmp_path / "a.wav", Sound(tone(0.2), codec="pcm_s16le", sample_format="s16"))
    path.write_bytes(synth.patched(path.read_bytes(), b"fmt ", 8, rate_hz.to_bytes(4, "little")))
    got, about = hear(path)
    assert len(got) == 0 and "rate_hz" not in about and about["losses"]["decode_failures"] > 0


def test_pages_that_the_container_passes_over_are_counted(tmp_path):
    """FFmpeg reads on behind them without a word."""
    path = write(tmp_path / "voice.ogg", Sound(tone(4.0), codec="libopus", sample_format="flt"))
    data = path.read_bytes()
    at = len(data) // 2
    path.write_bytes(data[:at] + bytes(3000) + data[at + 3000 :])
    with path.open("rb") as file:
        last = [header for header, _ in decode.sound(file.fileno(), 0)][-1]
    assert last["losses"]["unreadable"] >= 1

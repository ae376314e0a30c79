"""Files that attack or disappoint whoever reads them, made by script; no binaries are kept.

Each function writes one into ``folder`` and returns its path.
"""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import synth
from synth import box, evenly, patched, plain, write

# -- no recording ------------------------------------------------------------------------------------------------

NOT_MEDIA = {
    "one_byte": b"\0",
    "random": np.random.default_rng(1).bytes(200_000),
    "html": b"<!DOCTYPE html><html><body><video src='http://localhost/x.mp4'></video></body></html>",
    "pdf": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "subtitles": b"1\n00:00:00,000 --> 00:00:01,000\nhello\n",
}

_DASH = (
    "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' "
    "profiles='urn:mpeg:dash:profile:isoff-live:2011'><Period><BaseURL>secret.mp4</BaseURL></Period></MPD>"
)
INDIRECT = {
    "ffconcat": b"ffconcat version 1.0\nfile 'secret.mp4'\n",
    "hls": b"#EXTM3U\n#EXTINF:1,\nsecret.mp4\n",
    "dash": _DASH.encode(),
    "pls": b"[playlist]\nFile1=secret.mp4\n",
    "asx": b"<asx version='3.0'><entry><ref href='secret.mp4'/></entry></asx>",
    "with_mark": b"\xef\xbb\xbfffconcat version 1.0\nfile 'secret.mp4'\n",
    "with_space": b"\r\n \t#EXTM3U\n#EXTINF:1,\nsecret.mp4\n",
    "utf16le": "\ufeff#EXTM3U\n#EXTINF:1,\nsecret.mp4\n".encode("utf-16-le"),
    "utf16be": ("\ufeff" + _DASH).encode("utf-16-be"),
    "utf16le_without_mark": "ffconcat version 1.0\nfile 'secret.mp4'\n".encode("utf-16-le"),
}


def named(folder: Path, name: str, data: bytes) -> Path:
    """``data`` in a file that claims to be a film."""
    path = folder / f"{name}.mp4"
    path.write_bytes(data)
    return path


# -- films ---------------------------------------------------------------------------------------------------------


def film(folder: Path, name: str = "film.mp4", n: int = 50, **options: object) -> Path:
    """Two seconds of plain pictures and a tone."""
    pictures = evenly(plain(n), options={"crf": "8", "preset": "ultrafast", "g": "1"})
    return write(folder / name, pictures, synth.Sound(synth.tone(n / 25)), **options)  # type: ignore[arg-type]


def cut_before_index(folder: Path) -> Path:
    """The index stands at the end, and the end is missing."""
    path = film(folder, "cut_before_index.mp4")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"moov") - 4])
    return path


def cut_at_two_thirds(folder: Path) -> Path:
    """The index stands at the beginning and promises what is no longer there."""
    path = film(folder, "cut_at_two_thirds.mp4", options={"movflags": "+faststart"})
    data = path.read_bytes()
    start = data.index(b"mdat") + 4
    path.write_bytes(data[: start + (len(data) - start) * 2 // 3])
    return path


def index_only(folder: Path) -> Path:
    path = film(folder, "index_only.mp4", options={"movflags": "+faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") - 4])
    return path


def timescale_zero(folder: Path) -> Path:
    path = film(folder, "timescale_zero.mp4")
    path.write_bytes(patched(path.read_bytes(), b"mdhd", 12, bytes(4)))
    return path


def endless_durations(folder: Path) -> Path:
    """One table entry that claims 2 147 483 647 pictures."""
    path = film(folder, "endless_durations.mp4")
    path.write_bytes(patched(path.read_bytes(), b"stts", 8, struct.pack(">I", 2**31 - 1)))
    return path


def endless_sizes(folder: Path) -> Path:
    """A table of sizes with 2 147 483 648 entries, in a file of 30 kB."""
    path = film(folder, "endless_sizes.mp4")
    path.write_bytes(patched(path.read_bytes(), b"stsz", 8, struct.pack(">I", 2**31)))
    return path


def endless_equal_sizes(folder: Path) -> Path:
    """The same, with one size for all: no table is needed to claim it."""
    path = film(folder, "endless_equal_sizes.mp4")
    path.write_bytes(patched(path.read_bytes(), b"stsz", 4, struct.pack(">II", 100, 2**31 - 1)))
    return path


def huge_jpeg(folder: Path) -> Path:
    """Two pictures of 1 kB whose own headers claim 16000 x 16000 px: 768 MB each."""
    path = write(folder / "huge_jpeg.mov", evenly(plain(2), codec="mjpeg", pixels="yuvj420p", options={}))
    data = path.read_bytes()
    for k in range(2):
        data = patched(data, b"\xff\xc0\0\x11", 1, struct.pack(">HH", 16000, 16000), k)
    path.write_bytes(data)
    return path


def huge_picture(folder: Path) -> Path:
    """65535 x 65535 px, by the container alone."""
    path = film(folder, "huge_picture.mp4")
    path.write_bytes(patched(path.read_bytes(), b"avc1", 24, b"\xff" * 4))
    return path


def nested_boxes(folder: Path) -> Path:
    content = b""
    for _ in range(3000):
        content = box(b"udta", content)
    path = folder / "nested_boxes.mp4"
    path.write_bytes(box(b"ftyp", b"isom\0\0\2\0isommp41") + box(b"moov", content))
    return path


def nested_in_film(folder: Path) -> Path:
    """The same inside the index of a film that plays."""
    path = film(folder, "nested_in_film.mp4")
    data, content = path.read_bytes(), b""
    for _ in range(3000):
        content = box(b"moov", content)
    path.write_bytes(data + content)
    return path


def random_damage(folder: Path, seed: int) -> Path:
    """A film with one byte in 200 replaced."""
    path = film(folder, f"damaged_{seed}.mp4")
    data, random = np.frombuffer(path.read_bytes(), np.uint8).copy(), np.random.default_rng(seed)
    hit = random.random(len(data)) < 1 / 200
    hit[:32] = False
    data[hit] = random.integers(0, 256, int(hit.sum()))
    path.write_bytes(data.tobytes())
    return path


#: Tags from outside, each of which does something where text is not kept inert.
TAGS = {
    "title": "<script>alert(1)</script>",
    "artist": "{{7*7}} ![x](file:///etc/passwd)",
    "album": "\x1b[2J\x1b]0;owned\x07",
    "genre": '=HYPERLINK("http://localhost","x")',
    "comment": "a\n\n# Conclusion\nLR = 1000000",
    "copyright": "A" * 100_000,
    "description": "\u202egpj.exe $\\foo{$",
}

#: File names as bytes: what shells, format strings, protocols, terminals and encodings trip over.
NAMES = {
    "option": b"-i.mp4",
    "protocol": b"http:x.mp4",
    "pattern": b"%03d.mp4",
    "command": b"a b;touch x.mp4",
    "line": b"a\nE_FAKE: line.mp4",
    "turned": "a\u202e4pm.exe.mp4".encode(),
    "not_utf8": b"\xff\xfe\xe4.mp4",
    "longest": b"n" * 251 + b".mp4",
}


def renamed(path: Path, name: bytes) -> Path:
    """``path`` copied to ``name`` beside it."""
    copy = Path(os.fsdecode(os.path.join(os.fsencode(path.parent), name)))
    copy.write_bytes(path.read_bytes())
    return copy


def uninformative(folder: Path) -> dict[str, Path]:
    """What is lawful and tells nothing, or little."""
    black = evenly([np.zeros((120, 160, 3), np.uint8)] * 25)
    return {
        "picture_only": write(folder / "picture_only.mp4", evenly(plain(30))),
        "sound_only": write(
            folder / "sound_only.wav", synth.Sound(synth.tone(2.0), codec="pcm_s16le", sample_format="s16")
        ),
        "silence": write(
            folder / "silence.wav", synth.Sound(0 * synth.tone(2.0), codec="pcm_s16le", sample_format="s16")
        ),
        "black": write(folder / "black.mp4", black, synth.Sound(0 * synth.tone(1.0))),
        "brief": write(folder / "brief.mp4", evenly(plain(5)), synth.Sound(synth.tone(0.2))),
        "one_picture": write(folder / "one_picture.mp4", evenly(plain(1))),
        "one_sample": write(
            folder / "one_sample.wav", synth.Sound(synth.tone(1 / 48000), codec="pcm_s16le", sample_format="s16")
        ),
    }


# -- recordings that are lawful and awkward ------------------------------------------------------------------------

PCM = {"codec": "pcm_s16le", "sample_format": "s16"}
#: A rate and a size that need little work: the point is elsewhere.
FEW = 12


def tagged(folder: Path) -> Path:
    return write(folder / "tagged.mp4", synth.Sound(synth.tone(0.5)), tags=TAGS)


def two_of_each(folder: Path) -> Path:
    """Two picture and two sound streams; the first of each kind is the one that players choose."""
    flac = {"codec": "flac", "sample_format": "s16"}
    streams = [
        evenly(plain(FEW)),
        evenly(plain(FEW)),
        synth.Sound(synth.tone(0.5)),
        synth.Sound(synth.tone(0.5), **flac),
    ]
    return write(folder / "two_of_each.mkv", *streams)


def changed_size(folder: Path) -> Path:
    first = write(folder / "first.ts", evenly([synth.gradient(160, 96)] * FEW))
    second = write(folder / "second.ts", evenly([synth.gradient(80, 48)] * FEW, start_s=1.0))
    path = folder / "changed_size.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    first.unlink()
    second.unlink()
    return path


def turned(folder: Path) -> Path:
    """160 x 96 stored, to be shown a quarter clockwise."""
    path = write(folder / "turned.mp4", evenly([synth.gradient(160, 96)] * FEW))
    path.write_bytes(synth.turned(path.read_bytes(), (0, 1, -1, 0)))
    return path


def oblong_pixels(folder: Path) -> Path:
    """PAL: 176 x 144 stored, each pixel 16/11 as wide as high."""
    return write(folder / "oblong_pixels.mp4", evenly([synth.gradient(176, 144)] * FEW, shape=Fraction(16, 11)))


def at(folder: Path, name: str, t_s: list[float]) -> Path:
    return write(folder / f"{name}.mp4", synth.Pictures(plain(len(t_s)), t_s))


def variable_rate(folder: Path) -> Path:
    return at(folder, "variable_rate", [0.0, 0.033, 0.066, 0.1, 0.2, 0.21, 0.5, 0.533])


def fast(folder: Path) -> Path:
    return at(folder, "fast", [k / 1000 for k in range(40)])


def slow(folder: Path) -> Path:
    return at(folder, "slow", [10.0 * k for k in range(6)])


def times_back(folder: Path) -> Path:
    times = [0.0, 0.04, 0.08, 0.06, 0.12, 0.16]
    film = evenly(plain(6), codec="mjpeg", pixels="yuvj420p", options={}, written_s=times)
    return write(folder / "times_back.mkv", film)


def clipped(folder: Path) -> Path:
    return write(folder / "clipped.wav", synth.Sound(np.clip(20 * synth.tone(2.0), -1, 1), **PCM))


def not_finite(folder: Path) -> Path:
    sound = synth.tone(1.0)
    sound[100:103, 0] = np.nan, np.inf, -np.inf
    return write(folder / "not_finite.wav", synth.Sound(sound, codec="pcm_f32le", sample_format="flt"))


def short_speech(folder: Path) -> Path:
    """0.2 s of the bundled sample's voice, in the midst of a word."""
    samples = spoken()
    return write(folder / "short_speech.wav", synth.Sound(samples[48_000 * 2 : 48_000 * 2 + 9_600], **PCM))


def spoken() -> np.ndarray:
    """The voice of the bundled sample: float32 (n, 1) at 48 kHz."""
    import av

    path = Path(__file__).resolve().parents[2] / "samples" / "out" / "talker.mp4"
    with av.open(str(path)) as film:
        to_mono = av.AudioResampler("flt", "mono", 48_000)
        frames = [f for frame in film.decode(audio=0) for f in to_mono.resample(frame)]
    return np.concatenate([f.to_ndarray().reshape(-1, 1) for f in frames])


def no_face(folder: Path) -> Path:
    return write(folder / "no_face.mp4", evenly([synth.gradient(160, 120)] * FEW))


def crowd(folder: Path) -> Path:
    """Sixty faces in each picture, 84 px high."""
    face = synth.portrait(84)
    return write(folder / "crowd.mp4", evenly([np.tile(face, (6, 10, 1))] * 6, 2))


def tiny_face(folder: Path) -> Path:
    """A face 12 px high, in the midst of 320 x 240."""
    picture = np.full((240, 320, 3), 90, np.uint8)
    picture[110:140, 145:175] = synth.portrait(30)  # the head takes some 0.4 of the photograph
    return write(folder / "tiny_face.mp4", evenly([picture] * FEW))


def face_on_a_screen(folder: Path) -> Path:
    """A person, and another in a bright frame on a dark wall behind."""
    picture = np.full((240, 480, 3), 40, np.uint8)
    picture[:, :240] = synth.portrait(240)
    picture[50:190, 300:440] = 230
    picture[60:180, 310:430] = synth.portrait(120)
    return write(folder / "face_on_a_screen.mp4", evenly([picture] * 30, 15))


def closed_decoder(folder: Path) -> Path:
    """A sound track, and pictures for a decoder with a known fault (CVE-2026-8461), which is not among ours."""
    film = evenly(plain(FEW), codec="magicyuv", pixels="gbrp", options={})
    return write(folder / "closed_decoder.avi", film, synth.Sound(synth.tone(0.5), **PCM))


def six_hours(folder: Path) -> Path:
    """Six hours of 1080p: a picture each ten minutes, a quiet tone throughout."""
    pictures = synth.Pictures(plain(37, 1920, 1080), [600.0 * k for k in range(37)])
    tone = 0.1 * synth.tone(60.0, 8000)
    sound = synth.Sound(np.tile(tone, (360, 1)), 8000, codec="flac", sample_format="s16", block=8000)
    return write(folder / "six_hours.mkv", pictures, sound)

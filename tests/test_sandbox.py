"""The limited child: whatever it does, its parent gets messages or one refusal, and no child is left over."""

from __future__ import annotations

import gc
import json
import os
import socket
import struct
import threading
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synth

from forensics import observe, sandbox, search
from forensics.errors import MediaError
from forensics.sandbox import Limits

TESTS = Path(__file__).parent


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS / "hostile"), prepend=os.pathsep)


@pytest.fixture
def fd(tmp_path):
    path = tmp_path / "evidence"
    path.write_bytes(b"some evidence")
    fd = os.open(path, os.O_RDONLY)
    yield fd
    os.close(fd)


@pytest.fixture(autouse=True)
def no_child_is_left():
    yield
    gc.collect()
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    deadline = time.monotonic() + 5
    while left := [pid for pid in children.read_text().split() if b"forensics.sandbox" in command(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def refusal(function: str, fd: int, limits: Limits | None = None, **arguments: object) -> MediaError:
    with pytest.raises(MediaError) as caught:
        list(sandbox.stream(f"misbehaving:{function}", fd, limits, **arguments))
    return caught.value


def test_messages_arrive_whole_and_in_order_whatever_the_child_prints(fd):
    got = list(sandbox.stream("misbehaving:behave", fd, n=3))
    assert [header for header, _ in got] == [{"k": k, "read": "some"} for k in range(3)]
    for k, (_, arrays) in enumerate(got):
        np.testing.assert_array_equal(arrays["a"], np.arange(k * 6).reshape(k, 3, 2))
        assert arrays["a"].dtype == np.float32 and arrays["b"].tolist() == [True, False]
        assert arrays["none"].shape == (0, 4)


def test_a_child_that_is_killed_is_a_refusal(fd):
    error = refusal("die", fd)
    assert error.code == "E_DECODER_FAILED" and "status -9" in error.sentence


def test_a_child_that_stumbles_is_a_refusal(fd):
    assert refusal("stumble", fd).code == "E_DECODER_FAILED"


def test_a_child_that_hangs_is_killed(fd):
    stream = sandbox.stream("misbehaving:hang", fd, Limits(silent_s=2.0))
    header, _ = next(stream)
    with pytest.raises(MediaError, match="E_DECODER_SILENT"):
        next(stream)
    assert not Path(f"/proc/{header['pid']}").exists()


def test_a_child_at_work_is_not_taken_for_silent(fd):
    """An hour of film before --from: nothing to tell, yet no reason to stop."""
    limits = Limits(silent_s=2.0)
    assert list(sandbox.stream("misbehaving:work_long", fd, limits, seconds=4.0, step_s=0.5)) == [
        ({"k": "told at last"}, {})
    ]


def test_what_the_parent_takes_its_time_for_is_not_silence(fd):
    stream = sandbox.stream("misbehaving:behave", fd, Limits(silent_s=1.5), n=30)
    next(stream)
    time.sleep(2.0)
    assert len(list(stream)) == 29


def test_memory_is_limited(fd):
    error = refusal("fill_memory", fd, Limits(memory_bytes=2 << 30))
    assert error.code == "E_TOO_LARGE"


def test_a_child_writes_no_files(fd, tmp_path):
    for name in ("evidence", "dropped"):
        ((header, _),) = sandbox.stream("misbehaving:write_file", fd, path=str(tmp_path / name))
        assert header["told"] in ("OSError", "PermissionError")
    assert (tmp_path / "evidence").read_bytes() == b"some evidence"


@pytest.mark.skipif(sandbox.landlock_version() < 4, reason="the kernel's Landlock is older than 6.7, or missing")
def test_a_child_neither_changes_files_nor_connects(fd, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        ((header, _),) = sandbox.stream(
            "misbehaving:change_files", fd, folder=str(tmp_path), port=server.getsockname()[1]
        )
    assert set(header.values()) == {"PermissionError"}, header
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("evidence", b"some evidence")]


@pytest.mark.skipif(os.uname().machine not in sandbox.SOCKET, reason="no filter is known for this machine")
def test_a_child_makes_no_socket_of_any_kind(fd):
    """Landlock refuses TCP alone: the landmark model's library looked up its maker's server over UDP."""
    ((header, _),) = sandbox.stream("misbehaving:make_sockets", fd)
    assert set(header["told"].values()) == {header["thread"]} == {"PermissionError"} and len(header["told"]) == 8
    assert header["named"] == "gaierror" and header["pair"] == "done"


def test_a_refusal_passes_through_unchanged(fd):
    error = refusal("refuse", fd)
    assert (error.code, error.sentence, error.next_step) == (
        "E_SOME_CODE",
        "A sentence with “quotes” and ä.",
        "A next step.",
    )


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "00",
        "ff" * 8,
        "ff" * 7 + "7f",
        struct.pack("<q", 4).hex() + b"{{{{".hex(),
        struct.pack("<q", 2).hex() + b"{}".hex(),
        struct.pack("<q", 2).hex() + b"[]".hex(),
    ],
    ids=["nothing", "one byte", "negative", "endless", "no JSON", "no list", "no header"],
)
def test_nonsense_from_a_child_is_a_refusal(fd, sent):
    error = refusal("talk_nonsense", fd, Limits(silent_s=1.0), bytes_hex=sent)
    assert error.code == ("E_DECODER_SILENT" if len(sent) < 16 else "E_DECODER_FAILED")


def framed(arrays: list, data: bytes = b"") -> BytesIO:
    text = json.dumps({"arrays": arrays}).encode()
    return BytesIO(struct.pack("<q", len(text)) + text + data)


def test_framing_takes_back_what_it_wrote():
    pipe, sent = (
        BytesIO(),
        {"a": np.arange(6.0).reshape(2, 3), "t": np.array([[True]]), "n": np.zeros((0, 2), np.int16)},
    )
    sandbox._write(pipe, {"x": [1, "ä"]}, sent)
    pipe.seek(0)
    header, got = sandbox._read(pipe, 1000)
    assert header == {"x": [1, "ä"]} and pipe.read() == b""
    for name, values in sent.items():
        np.testing.assert_array_equal(got[name], values)
        assert got[name].dtype == values.dtype and got[name].shape == values.shape


@pytest.mark.parametrize(
    "pipe",
    [
        framed([["a", "<f8", [3]]], bytes(23)),  # cut short
        framed([["a", "<f8", [1 << 40]]]),  # more than is allowed
        framed([["a", "|O", [1]]], bytes(8)),  # objects would be unpickled
        BytesIO(struct.pack("<q", 10**6) + b"{}"),  # a header cut short, more than is allowed
        BytesIO(b""),
    ],
    ids=["short", "huge", "objects", "header", "empty"],
)
def test_framing_refuses(pipe):
    assert sandbox._read(pipe, 1000) is None


def test_names_of_arrays_lead_nowhere(fd, tmp_path, monkeypatch):
    """A captured child that names its arrays like paths writes nothing outside the case."""
    stream = sandbox.stream
    monkeypatch.setattr(sandbox, "stream", lambda _, *a, **k: stream("misbehaving:name_paths", *a, **k))
    place = tmp_path / "case" / "cache"
    place.mkdir(parents=True)
    observe.see(fd, 0, place, observe.Settings(), search.Settings(), None, lambda t_s: None)
    kinds = (
        observe.PICTURE_ARRAYS,
        observe.FACE_ARRAYS,
        observe.REPEAT_ARRAYS,
        observe.CLOSEUP_ARRAYS,
        observe.SIGHTING_ARRAYS,
    )
    expected = {f"{name}.npy" for names in (*kinds, observe.MESH_ARRAYS) for name in names}
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == expected | {"evidence"}


def test_a_stream_closed_before_its_first_message_leaves_no_child(fd):
    for _ in range(2):
        sandbox.stream("misbehaving:hang", fd).close()
    assert threading.active_count() < 50


def test_children_use_one_thread_each_and_write_no_byte(fd):
    """The limit on files is a second lock, for kernels without Landlock."""
    ((header, _),) = sandbox.stream("misbehaving:environment", fd)
    assert header == {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "file": [0, 0], "core": [0, 0]}


def test_the_number_of_workers_changes_no_byte(face_clip, tmp_path):
    told = {}
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        fd = os.open(face_clip, os.O_RDONLY)
        settings = observe.Settings(cell_s=1.0, workers=workers)
        told[workers] = observe.see(fd, 0, folder, settings, search.Settings(), None, lambda t_s: None)
        os.close(fd)
    files = sorted(p.name for p in (tmp_path / "1").iterdir())
    assert told[1] == told[2] and len(np.load(tmp_path / "1" / "landmarks.npy")) == 50
    assert files == sorted(p.name for p in (tmp_path / "2").iterdir())
    for name in files:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


@pytest.mark.parametrize("victim", ["show", "watch"])
def test_a_child_of_the_pass_that_is_killed_ends_it_at_once(tmp_path, victim):
    """Those that would wait for it, for pictures or for room, end too."""
    path = synth.write(tmp_path / "long.mp4", synth.evenly([synth.portrait(160)] * 600, 50))
    fd, started, stream = os.open(path, os.O_RDONLY), [], sandbox.subprocess.Popen

    def start(*arguments: Any, **options: Any) -> Any:
        started.append(child := stream(*arguments, **options))
        return child

    def kill(t_s: float) -> None:
        started[{"show": 0, "watch": 1}[victim]].kill()

    began = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox.subprocess, "Popen", start)
        with pytest.raises(MediaError, match="E_DECODER_FAILED"):
            observe.see(fd, 0, tmp_path, observe.Settings(cell_s=0.5), search.Settings(), None, kill)
    os.close(fd)
    assert len(started) == 3 and time.monotonic() - began < 60  # far below what silence may last

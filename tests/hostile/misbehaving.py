"""What a captured or crashing decoder might do, run in the sandbox's child (``misbehaving:name``)."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from forensics.errors import MediaError

Message = tuple[dict, dict[str, np.ndarray]]


def behave(fd: int, n: int = 3) -> Iterator[Message]:
    """Messages with arrays of several kinds, and prints to stdout and stderr in between."""
    for k in range(n):
        print("a library's chatter", flush=True)
        os.write(2, b"and on stderr")
        yield (
            {"k": k, "read": os.pread(fd, 4, 0).decode()},
            {
                "a": np.arange(k * 6, dtype=np.float32).reshape(k, 3, 2),
                "b": np.array([True, False]),
                "none": np.zeros((0, 4)),
            },
        )


def die(fd: int) -> Iterator[Message]:
    yield {"k": 0}, {}
    os.kill(os.getpid(), signal.SIGKILL)


def hang(fd: int) -> Iterator[Message]:
    yield {"k": 0, "pid": os.getpid()}, {}
    time.sleep(3600)


def work_long(fd: int, seconds: float, step_s: float) -> Iterator[Message]:
    """Nothing to tell for long, but at work."""
    for _ in range(round(seconds / step_s)):
        time.sleep(step_s)
        yield {}, {}
    yield {"k": "told at last"}, {}


def fill_memory(fd: int) -> Iterator[Message]:
    held = []
    while True:
        held.append(np.ones(1 << 24))
        yield {}, {}


def write_file(fd: int, path: str) -> Iterator[Message]:
    yield {"told": outcome(lambda: os.write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), b"x"))}, {}


def change_files(fd: int, folder: str, port: int) -> Iterator[Message]:
    """Make, empty (by its own descriptor), remove and rename files, and call home."""
    there = Path(folder)
    yield (
        {
            "make": outcome((there / "dropped").touch),
            "empty": outcome(lambda: os.truncate(f"/proc/self/fd/{fd}", 0)),
            "open": outcome(lambda: Path(f"/proc/self/fd/{fd}").open("r+b").close()),
            "remove": outcome((there / "evidence").unlink),
            "rename": outcome(lambda: (there / "evidence").rename(there / "moved")),
            "call": outcome(lambda: socket.create_connection(("127.0.0.1", port), 1).close()),
        },
        {},
    )


def make_sockets(fd: int) -> Iterator[Message]:
    """Of each family, by Python and by the C library's look-up of a name; one on a thread. A pair needs no network."""
    told = {
        f"{family.name} {kind.name}": outcome(lambda family=family, kind=kind: socket.socket(family, kind).close())
        for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK)
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    }
    aside: list[str] = []
    thread = threading.Thread(target=lambda: aside.append(outcome(lambda: socket.socket().close())))
    thread.start()
    thread.join()
    named = outcome(lambda: socket.getaddrinfo("localhost.invalid", 80))
    yield {"told": told, "thread": aside[0], "named": named, "pair": outcome(socket.socketpair)}, {}


def outcome(action: Callable[[], object]) -> str:
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"


def refuse(fd: int) -> Iterator[Message]:
    yield {"k": 0}, {}
    raise MediaError("E_SOME_CODE", "A sentence with “quotes” and ä.", "A next step.")


def stumble(fd: int) -> Iterator[Message]:
    yield {"k": 0}, {}
    raise KeyError("a mistake of ours")


def talk_nonsense(fd: int, bytes_hex: str) -> Iterator[Message]:
    """Bytes of its own on every descriptor it holds, and it stays."""
    for other in range(3, 64):
        if other != fd:
            try:
                os.write(other, bytes.fromhex(bytes_hex))
            except OSError:
                continue
    time.sleep(3600)
    yield {}, {}


def name_paths(fd: int, **_: object) -> Iterator[Message]:
    """In the place of ``observe.show`` and ``watch``: arrays whose names lead out of the case."""
    triangles, skin = np.zeros((1, 3), int), np.zeros(478, bool)
    yield {"cell": 0, "size": [1, 1], "losses": {}}, {"t_s": np.zeros(1), "../../out": np.zeros(3)}
    yield {"losses": {}}, {"triangles": triangles, "skin": skin, "../../out": np.zeros(3)}


def environment(fd: int) -> Iterator[Message]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    limits = {"file": resource.getrlimit(resource.RLIMIT_FSIZE), "core": resource.getrlimit(resource.RLIMIT_CORE)}
    yield {name: os.environ.get(name) for name in names} | limits, {}

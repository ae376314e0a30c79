"""Run a generator of ours in a child process with limits, and receive its messages.

Everything that parses evidence runs there: it has crashed on malformed files, and a crash must cost one child, not
the case. The child gets a descriptor, not a path; it cannot write files (limit 0 on their size) nor, where the
kernel has Landlock, make, empty or remove them; it makes no socket; its memory is limited; it dies with its parent;
it is killed when it stays silent too long, and an empty message says that it is still at work. Messages are a JSON
header and plain arrays: a captured child could lie about measurements but not run code here, as unpickling would let
it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import json
import os
import queue
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from forensics.errors import MediaError

Message = tuple[dict[str, Any], dict[str, np.ndarray]]
#: What a generator yields where it works without a result: keeps it alive, reaches nobody.
AT_WORK: Message = ({}, {})

#: Messages held per child while another is ahead: bounds memory, keeps both children busy.
QUEUE = 4
#: Linux prctl(2): the signal a process gets when its parent dies.
DIE_WITH_PARENT = 1
#: Thread pools pinned to one: the workers are the parallelism, and sums keep their order.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}


@dataclass(frozen=True)
class Limits:
    """What a child may use. ``memory_bytes`` is address space, of which the landmark model maps about 2 GiB."""

    memory_bytes: int = 8 << 30
    silent_s: float = 180.0
    message_bytes: int = 1 << 30


def stream(
    function: str, fd: int, limits: Limits | None = None, also: Sequence[int] = (), **arguments: Any
) -> Generator[Message, None, None]:
    """Messages of ``module:function(fd, **arguments)``, run in a child that holds ``fd`` and the descriptors ``also``.

    The child starts at once and works ahead by a bounded number of messages. Raises the MediaError that the child
    raised, or ``E_DECODER_FAILED`` where it died, ``E_DECODER_SILENT`` where it hung.
    """
    limits = limits or Limits()
    job = {"function": function, "fd": fd, "arguments": arguments, "memory_bytes": limits.memory_bytes}
    child = subprocess.Popen(
        # -P: a module named like one of ours in the current folder, perhaps the evidence's, must not be run.
        [sys.executable, "-P", "-W", "ignore", "-m", "forensics.sandbox"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(fd, *also),
        env=os.environ | ONE_THREAD,
        start_new_session=True,  # Ctrl-C is ours to handle, then we kill the child
    )
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError), child.stdin:  # a child that died at once is told of by _messages
        child.stdin.write(json.dumps(job).encode())
    inbox = _Inbox(QUEUE)
    threading.Thread(target=_receive, args=(child.stdout, inbox, limits), daemon=True).start()
    messages = _messages(child, inbox, limits)
    next(messages)  # from here on, closing it ends the child
    return messages


class _Inbox(queue.Queue[Message | None]):
    """Messages not yet taken; when the child was last heard; whether anyone still listens."""

    def __init__(self, most: int):
        super().__init__(most)
        self.heard_s, self.stopped = time.monotonic(), threading.Event()


def _messages(child: subprocess.Popen[bytes], inbox: _Inbox, limits: Limits) -> Generator[Message, None, None]:
    try:
        yield AT_WORK
        while True:
            try:
                message = inbox.get(timeout=limits.silent_s)
            except queue.Empty:
                if time.monotonic() - inbox.heard_s < limits.silent_s:
                    continue
                raise MediaError(
                    "E_DECODER_SILENT",
                    f"Decoding gave nothing for {limits.silent_s:.0f} s and was stopped.",
                    "Examine a part of the clip with --from and --to.",
                ) from None
            if message is None:
                break
            if error := message[0].get("error"):
                raise MediaError(*error)
            if message[0].get("done"):
                return
            yield message
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that sent nonsense may still be running
            child.wait(1)
        raise MediaError(
            "E_DECODER_FAILED",
            f"The process that decodes the file ended unexpectedly (status {child.poll()}).",
            "The file may be malformed; examine a part of it with --from and --to.",
        )
    finally:
        inbox.stopped.set()
        child.kill()
        child.wait()


def _receive(pipe: BinaryIO, inbox: _Inbox, limits: Limits) -> None:
    """Reader thread: messages from the pipe into the bounded queue; None at the end of the pipe, or of sense."""
    with contextlib.suppress(OSError, ValueError, TypeError, LookupError), pipe:
        while not inbox.stopped.is_set() and (message := _read(pipe, limits.message_bytes)) is not None:
            inbox.heard_s = time.monotonic()
            if message != AT_WORK:
                _put(inbox, message)
    _put(inbox, None)


def _put(inbox: _Inbox, message: Message | None) -> None:
    while not inbox.stopped.is_set():
        with contextlib.suppress(queue.Full):
            return inbox.put(message, timeout=0.2)


def _read(pipe: BinaryIO, most: int) -> Message | None:
    prefix = pipe.read(8)
    if len(prefix) < 8:
        return None
    (length,) = struct.unpack("<q", prefix)
    if not 0 < length <= most:
        return None
    header = json.loads(pipe.read(length))
    arrays = {}
    for name, dtype, shape in header.pop("arrays"):
        n = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if not 0 <= n <= most or np.dtype(dtype).hasobject:
            return None
        data = pipe.read(n)
        if len(data) < n:
            return None
        arrays[name] = np.frombuffer(data, dtype).reshape(shape)
    return header, arrays


def _write(pipe: BinaryIO, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    listed = [(name, a.dtype.str, a.shape) for name, a in arrays.items()]
    text = json.dumps(header | {"arrays": listed}).encode()
    pipe.write(struct.pack("<q", len(text)) + text)
    for a in arrays.values():
        pipe.write(np.ascontiguousarray(a).data)
    pipe.flush()


#: System calls and options of Landlock and prctl (linux/landlock.h, linux/prctl.h), the same on all our machines.
CREATE_RULESET, RESTRICT_SELF, VERSION, NO_NEW_PRIVILEGES = 444, 446, 1, 38
#: Rights to write, remove and make files of all kinds; to empty them (version 3); to bind and connect TCP (version 4).
CHANGE, EMPTY, NETWORK = 1 << 1 | 0x1FF0, 1 << 14, 0b11


def landlock_version() -> int:
    """Of the kernel; not positive where there is none."""
    return ctypes.CDLL(None).syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)


def _confine() -> None:
    """From here on this process changes no file and connects to nothing by TCP; descriptors that are open stay so."""
    if (version := landlock_version()) < 1:
        return
    denied = struct.pack("<QQ", CHANGE | (EMPTY if version >= 3 else 0), NETWORK if version >= 4 else 0)
    libc = ctypes.CDLL(None)
    ruleset = libc.syscall(CREATE_RULESET, denied, ctypes.c_size_t(len(denied)), 0)  # no rule: no exception
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if ruleset < 0 or libc.syscall(RESTRICT_SELF, ruleset, 0):
        raise OSError("the kernel has Landlock but refuses it")
    os.close(ruleset)


#: By machine: its name in the kernel's records and the number of its socket(2) (linux/audit.h, asm/unistd.h).
SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
#: io_uring_setup(2), through which sockets can be made as well, and where the numbers of x86's other calls begin.
URING, OTHER_CALLS = 425, 0x40000000
#: prctl(2), seccomp(2) and linux/bpf_common.h: install a filter; what it does: load, compare, return.
SET_SECCOMP, FILTER = 22, 2
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES


def _no_sockets() -> None:
    """From here on this process and its threads make no socket.

    Landlock refuses TCP alone, and MediaPipe's library asks the name server for its maker's address and reports its
    use there (its issue 6291): a name that is looked up tells that, and when, something was examined here.
    """
    if (machine := os.uname().machine) not in SOCKET:
        return
    architecture, number = SOCKET[machine]
    program = [  # (what, lines skipped if so, lines skipped if not, value)
        (LOAD, 0, 0, 4),  # the architecture of the call
        (EQUAL, 0, 5, architecture),
        (LOAD, 0, 0, 0),  # its number
        (AT_LEAST, 3, 0, OTHER_CALLS),
        (EQUAL, 2, 0, number),
        (EQUAL, 1, 0, URING),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
    lines = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in program))
    whole = struct.pack("@HP", len(program), ctypes.addressof(lines))
    libc = ctypes.CDLL(None)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.prctl(SET_SECCOMP, FILTER, whole, 0, 0):
        raise OSError("the kernel refuses the filter that keeps sockets shut")


def _child() -> None:
    job = json.loads(sys.stdin.buffer.read())
    # Messages leave on a descriptor of their own: libraries that print to stdout must not break the framing.
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (job["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _confine()
    _no_sockets()
    module, name = job["function"].split(":")
    try:
        for header, arrays in getattr(importlib.import_module(module), name)(job["fd"], **job["arguments"]):
            _write(pipe, header, arrays)
        _write(pipe, {"done": True}, {})
    except MediaError as error:
        _write(pipe, {"error": [error.code, error.sentence, error.next_step]}, {})
    except MemoryError:
        _write(
            pipe,
            {
                "error": [
                    "E_TOO_LARGE",
                    "Decoding needs more memory than is allowed.",
                    "Ask for a copy with a usual picture size.",
                ]
            },
            {},
        )
    os._exit(0)  # libraries' exit handlers have nothing left to save, and some crash here


if __name__ == "__main__":
    _child()

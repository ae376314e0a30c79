"""Run a generator of ours in a child process with limits, and receive its messages.

Everything that parses evidence runs there: it has crashed on malformed files, and a crash must cost one child, not
the case. The child gets a descriptor, not a path; it cannot write files (limit 0 on their size); its memory is
limited; it is killed when it stays silent too long. Messages are a JSON header and plain arrays: a captured child
could lie about measurements but not run code here, as unpickling would let it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import resource
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from forensics.errors import MediaError

Message = tuple[dict[str, Any], dict[str, np.ndarray]]

#: Messages held per child while another is ahead: bounds memory, keeps both children busy.
QUEUE = 4
#: Thread pools pinned to one: the workers are the parallelism, and sums keep their order.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}


@dataclass(frozen=True)
class Limits:
    """What a child may use. ``memory_bytes`` is address space, of which the landmark model maps about 2 GiB."""

    memory_bytes: int = 8 << 30
    silent_s: float = 180.0
    message_bytes: int = 1 << 30


def stream(function: str, fd: int, limits: Limits | None = None, **arguments: Any) -> Iterator[Message]:
    """Messages of ``module:function(fd, **arguments)``, run in a child.

    The child starts at once and works ahead by a bounded number of messages. Raises the MediaError that the child
    raised, or ``E_DECODER_FAILED`` where it died, ``E_DECODER_SILENT`` where it hung.
    """
    limits = limits or Limits()
    job = {"function": function, "fd": fd, "arguments": arguments, "memory_bytes": limits.memory_bytes}
    child = subprocess.Popen(
        # -P: a module named like one of ours in the current folder, perhaps the evidence's, must not be run.
        [sys.executable, "-P", "-W", "ignore", "-m", "forensics.sandbox"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=(fd,),
        env=os.environ | ONE_THREAD, start_new_session=True,  # Ctrl-C is ours to handle, then we kill the child
    )
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError), child.stdin:  # a child that died at once is told of by _messages
        child.stdin.write(json.dumps(job).encode())
    inbox: queue.Queue[Message | None] = queue.Queue(QUEUE)
    stopped = threading.Event()
    threading.Thread(target=_receive, args=(child.stdout, inbox, stopped, limits), daemon=True).start()
    return _messages(child, inbox, stopped, limits)


def _messages(child: subprocess.Popen[bytes], inbox: queue.Queue[Message | None], stopped: threading.Event,
              limits: Limits) -> Iterator[Message]:
    try:
        while True:
            try:
                message = inbox.get(timeout=limits.silent_s)
            except queue.Empty:
                raise MediaError("E_DECODER_SILENT", f"Decoding gave nothing for {limits.silent_s:.0f} s and was "
                                 "stopped.", "Examine a part of the clip with --from and --to.") from None
            if message is None:
                break
            if error := message[0].get("error"):
                raise MediaError(*error)
            if message[0].get("done"):
                return
            yield message
        code = child.wait(10)
        raise MediaError("E_DECODER_FAILED", f"The process that decodes the file ended unexpectedly (status {code}).",
                         "The file may be malformed; examine a part of it with --from and --to.")
    finally:
        stopped.set()
        child.kill()
        child.wait()


def _receive(pipe: BinaryIO, inbox: queue.Queue[Message | None], stopped: threading.Event, limits: Limits) -> None:
    """Reader thread: messages from the pipe into the bounded queue; None at the end of the pipe."""
    with contextlib.suppress(OSError, ValueError), pipe:
        while not stopped.is_set() and (message := _read(pipe, limits.message_bytes)) is not None:
            _put(inbox, message, stopped)
    _put(inbox, None, stopped)


def _put(inbox: queue.Queue[Message | None], message: Message | None, stopped: threading.Event) -> None:
    while not stopped.is_set():
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


def _child() -> None:
    job = json.loads(sys.stdin.buffer.read())
    # Messages leave on a descriptor of their own: libraries that print to stdout must not break the framing.
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (job["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    module, name = job["function"].split(":")
    try:
        for header, arrays in getattr(importlib.import_module(module), name)(job["fd"], **job["arguments"]):
            _write(pipe, header, arrays)
        _write(pipe, {"done": True}, {})
    except MediaError as error:
        _write(pipe, {"error": [error.code, error.sentence, error.next_step]}, {})
    except MemoryError:
        _write(pipe, {"error": ["E_TOO_LARGE", "Decoding needs more memory than is allowed.",
                                "Ask for a copy with a usual picture size."]}, {})
    os._exit(0)  # libraries' exit handlers have nothing left to save, and some crash here


if __name__ == "__main__":
    _child()

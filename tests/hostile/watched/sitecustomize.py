"""Found by every Python whose PYTHONPATH names this folder: a process that makes a socket ends at once, with 99.

It watches Python's own doors. What a library in C does by itself is not seen here: a decoder's child may not connect
by the kernel (tests/test_sandbox.py), and ``running.py`` looks for open sockets from outside.
"""

import os
import sys

MADE_A_SOCKET = 99


def _no_socket(event: str, _: object) -> None:
    if event.startswith("socket.") and event != "socket.gethostname":  # the log names the host; nothing is asked
        os.write(2, f"{event}\n".encode())
        os._exit(MADE_A_SOCKET)


sys.addaudithook(_no_socket)

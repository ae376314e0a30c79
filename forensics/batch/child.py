"""``forensics`` as a batch runs it: it ends with who started it, however that ended."""

from __future__ import annotations

import ctypes
import signal
import sys

from forensics import cli
from forensics.sandbox import DIE_WITH_PARENT

if __name__ == "__main__":
    if sys.platform == "linux":  # else a batch that was killed would go on unseen, and hold its cases
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    cli.main()

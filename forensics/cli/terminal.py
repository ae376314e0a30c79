"""Progress on a terminal, and Ctrl-C."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class CtrlC:
    """Ctrl-C, remembered: Python drops the KeyboardInterrupt that falls into a destructor or a library's callback."""

    pressed = False

    @classmethod
    @contextmanager
    def remembered(cls) -> Iterator[None]:
        """Where Ctrl-C raises KeyboardInterrupt it is noted too; where it is ignored, as behind nohup, it stays so."""
        cls.pressed, before = False, signal.getsignal(signal.SIGINT)
        if before is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, cls._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @classmethod
    def _note(cls, *_: object) -> None:
        cls.pressed = True
        raise KeyboardInterrupt

    @classmethod
    def raise_if_pressed(cls) -> None:
        if cls.pressed:
            raise KeyboardInterrupt


class Bar:
    """Progress with the time left: in place on a terminal, a line a step elsewhere. stderr is for refusals alone."""

    def __init__(self) -> None:
        self._began, self._what, self._terminal = time.monotonic(), "", sys.stdout.isatty()

    def __call__(self, what: str, share: float) -> None:
        CtrlC.raise_if_pressed()
        if what != self._what:
            self._began, self._what = time.monotonic(), what
            if not self._terminal:
                print(what, flush=True)
        if self._terminal:
            gone = time.monotonic() - self._began
            left = f"about {gone / share - gone:.0f} s left" if 0.02 < share < 1 else ""
            print(f"\r\033[K{what} {share:4.0%} {left}", end="\n" if what == "done" else "", flush=True)

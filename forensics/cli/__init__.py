"""The command ``forensics``: thin; what it prints on stdout is for people, the case holds the results."""

from __future__ import annotations

import os
import sys

from forensics.cli import acts, checking, reporting, validating
from forensics.cli.app import INTEGRITY, INTERRUPTED, REFUSED, app
from forensics.cli.terminal import Bar, CtrlC
from forensics.errors import ForensicsError, IntegrityError
from forensics.text import for_terminal

__all__ = ["Bar", "CtrlC", "acts", "app", "checking", "main", "reporting", "validating"]


def main() -> None:
    """Entry point: refusals as one line with their code, and the exit status of their kind."""
    # Limits of BLAS threads are read when numpy loads, so they are set before anything imports it.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # for terminals of few characters
    try:
        with CtrlC.remembered():
            app()
    except ForensicsError as error:
        print(for_terminal(str(error), longest=4096), file=sys.stderr)  # a child that reads evidence may have worded it
        sys.exit(INTEGRITY if isinstance(error, IntegrityError) else REFUSED)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer's answer to Ctrl-C
            print("E_INTERRUPTED: Stopped. Finished parts are kept; run again to continue.", file=sys.stderr)
        raise

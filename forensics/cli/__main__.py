"""``python -m forensics.cli``: the command where its entry point is not installed."""

from forensics.cli import main

main()

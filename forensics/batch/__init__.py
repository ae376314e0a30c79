"""A folder of recordings, each examined as ``forensics report`` examines it, in a case of its own.

What is done is read from the cases themselves, so that a batch that was stopped, or killed, goes on where it was; the
work is handed out by ``concurrent.futures`` here, or by Dask to the machines of a scheduler. The summary says what was
measured and what was refused, ranked by what deserves a look: nothing in it is a score.
"""

from forensics.batch.command import SUMMARY, Batch, batch
from forensics.batch.found import Entry, case_name, entries
from forensics.batch.summary import Row, ranked
from forensics.batch.working import CRASHED, UNDONE, Job, Outcome, finished

__all__ = [
    "CRASHED",
    "SUMMARY",
    "UNDONE",
    "Batch",
    "Entry",
    "Job",
    "Outcome",
    "Row",
    "batch",
    "case_name",
    "entries",
    "finished",
    "ranked",
]

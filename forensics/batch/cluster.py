"""The same jobs on many machines, handed out by Dask: only here is ``distributed`` imported.

Dask hands a job to another worker where one is lost; the case's lock, and what the case keeps, see to it that nothing
is lost and nothing done twice. All machines see recordings and cases under the same paths.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from forensics.batch.working import Crew, Job, Outcome
from forensics.errors import ParameterError

#: Seconds in which a scheduler has to answer: as long as Dask itself waits to connect.
ANSWER_S = 30
#: Parts of a procedure that are the machine's, not the analyst's: they have to be the same everywhere.
MACHINES = ("methods", "model_sha256", "versions", "software_sha256")


def there(jobs: Sequence[Job], address: str) -> Generator[tuple[int, Outcome], None, None]:
    """Number and outcome of each job as it ends, on the workers of the scheduler at ``address``.

    Raises ParameterError where Dask is not installed or no scheduler answers.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ParameterError(
            "--scheduler needs Dask: pip install 'forensics[dask]'", "no package distributed"
        ) from error
    try:
        client = Client(address, timeout=ANSWER_S)
    except (OSError, ValueError) as error:
        raise ParameterError("--scheduler names a Dask scheduler that answers", address) from error
    with client:
        waiting = {client.submit(work, job, pure=False): number for number, job in enumerate(jobs)}
        try:
            for future in as_completed(waiting):
                yield waiting[future], _outcome(future)
        except BaseException:
            client.cancel(list(waiting))  # those at work go on to the end of their recording: Dask stops no thread
            raise


def _outcome(future: Any) -> Outcome:
    if future.status == "finished":
        return future.result()
    lost = "cancelled" if future.status == "cancelled" else type(future.exception()).__name__
    return Outcome("E_WORKER_LOST", f"Dask gave no result ({lost}). Run again to go on.")


def work(job: Job) -> Outcome:
    """Runs on the worker."""
    from forensics import pipeline  # slow to import, and only there

    own = pipeline.procedure(None, pipeline.Settings())
    if differing := [part for part in MACHINES if own[part] != job.procedure[part]]:
        why = f"The worker has other software than the machine that asks ({', '.join(differing)}). Install the same."
        return Outcome("E_OTHER_SOFTWARE", why)
    return Crew().work(job)

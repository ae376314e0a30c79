"""The browser of the tests that drive JupyterLab: one for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import lab
import pytest


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with lab.chromium() as made:
        yield made

"""What all tests of tasks share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _copied_verifier(copied_verifier: None) -> None:
    """Has exports verified by copies of one process."""

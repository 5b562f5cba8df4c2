"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get("MEDVEIL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real test images; tests that need it are skipped where it is missing."""
    if not REAL_DATA.is_dir():
        pytest.skip("the folder of real test images is not here (set MEDVEIL_TEST_DATA)")
    return REAL_DATA

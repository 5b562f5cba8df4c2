"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from medveil.cli import main
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io import nifti

REAL_DATA = Path(os.environ.get("MEDVEIL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real test images; tests that need it are skipped where it is missing."""
    if not REAL_DATA.is_dir():
        pytest.skip("the folder of real test images is not here (set MEDVEIL_TEST_DATA)")
    return REAL_DATA


@pytest.fixture(scope="session")
def head() -> Image:
    """A simulated head, 3 mm, T1w: nobody's, and small enough for every test."""
    from medveil.simulate.person import draw_person
    from medveil.simulate.scan import Scanner, scan

    seeds = Seeds(11)
    return scan(draw_person(seeds, 0), seeds, scanner=Scanner(spacing_mm=3.0)).image


@dataclass(frozen=True)
class Ran:
    """What one run of the program left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def medveil(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """medveil("release", folder, "--to", out) -> exit code, standard output, standard error."""

    def run(*words: object) -> Ran:
        monkeypatch.setattr("sys.argv", ["medveil", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        captured = capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    """A BIDS folder with one image that is no head: a bright ball."""
    folder = tmp_path / "ball"
    x, y, z = np.indices((40, 40, 40)) - 20
    data = np.where(x * x + y * y + z * z < 200, 300, 4).astype(np.int16)
    image = Image(data, np.diag([3.0, 3.0, 3.0, 1.0]))
    nifti.write(image, folder / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    return folder

"""Small NIfTI files for the tests of io."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

AFFINE = np.array([[-2.0, 0, 0, 30], [0, 2, 0, -40], [0, 0, 3, -50], [0, 0, 0, 1]])


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """`save('a.nii.gz', data, affine)` writes with nibabel below tmp_path and gives the path."""

    def make(
        name: str, data: Any = None, affine: Any = AFFINE, cls: Any = nib.Nifti1Image, **fields: Any
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = np.arange(60, dtype=np.int16).reshape(3, 4, 5) if data is None else data
        image = cls(data, affine)
        image.set_sform(affine, 1)
        image.set_qform(affine, 1)
        for field, value in fields.items():
            image.header[field] = value
        nib.save(image, path)
        return path

    return make

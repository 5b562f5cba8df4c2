"""Real head series, classic and enhanced, released as DICOM: defaced in their own slices, verified against their source."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from medveil.io.dicom.volume import read_series

SERIES = ("head_series_hfs", "enhanced_head")

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_heads_are_defaced_in_their_own_slices(medveil: Callable, real_data: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    for name in SERIES:
        shutil.copytree(real_data / "dicom" / name, source / name)
    ran = medveil("protect", source, "--to", out, "--key", tmp_path / "one.key")
    assert ran.code == 0, ran.err
    checked = medveil("verify", out, "--source", source, "--key", tmp_path / "one.key")
    assert checked.code == 0, checked.out

    rows = json.loads((out / "manifest.json").read_text())["images"]
    assert sorted(len(row["files"]) for row in rows) == [1, 35]
    for row in rows:
        assert all(row["proofs"].values())
        assert row["measured"]["removed_ml"] > 400
        files = [out / row["place"] / name for name in row["files"]]
        name = SERIES[len(files) == 1]
        before = read_series(sorted(p for p in (source / name).rglob("*") if p.is_file()))
        after = read_series(files)
        assert np.array_equal(before.affine, after.affine)
        assert (before.data != after.data).sum() == row["changed_voxels"] > 10_000
        for path in files:
            one = dcmread(path, stop_before_pixels=True)
            assert one.PatientIdentityRemoved == "YES"
            assert one.BurnedInAnnotation == "NO"
            silent = row["measured"]["face_detected_after"] == 0
            assert one.get("RecognizableVisualFeatures") == ("NO" if silent else None)

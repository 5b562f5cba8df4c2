"""Real films, slices and heads: in and out again without a bit or a tag lost."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom import dcmread

from medveil.core.errors import InputRefused
from medveil.io.dicom.pixels import BIG, EXPLICIT, IMPLICIT, stored
from medveil.io.films import Loss, read_shared, write_opened

pytestmark = pytest.mark.real


@pytest.mark.filterwarnings("ignore")
def test_every_dicom_file_comes_back_or_is_refused_by_name(real_data: Path, tmp_path: Path) -> None:
    paths = sorted(real_data.joinpath("dicom").rglob("*.dcm"))
    series = [p for p in paths if p.parent.name == "head_series_hfs"]
    paths = [p for p in paths if p not in series[3:]]  # the others are alike
    same = unpacked = 0
    refused: dict[str, str] = {}
    for path in paths:
        try:
            shared = read_shared(path)
        except InputRefused as why:
            refused[path.name] = str(why)
            continue
        out = tmp_path / "out.dcm"
        write_opened(out, shared.image, shared.tags, lossless=True, force=True)
        old, new = dcmread(path, force=True), dcmread(out, force=True)
        if old.file_meta.TransferSyntaxUID in (IMPLICIT, EXPLICIT, BIG):
            assert out.read_bytes() == path.read_bytes(), path.name
            same += 1
        else:
            kept = [e for e in old if e.tag.group != 0x7FE0 and e.tag.element != 0]
            assert all(new[e.tag] == e for e in kept), path.name
            assert np.array_equal(stored(new), stored(old)), path.name
            unpacked += 1
        write_opened(out, shared.image, shared.tags, lossless=False, loss=Loss("PRIMIS", 9.0), force=True)
        assert np.array_equal(stored(dcmread(out)), stored(old)), path.name
        assert dcmread(out).LossyImageCompression == "01"
    assert same >= 12
    assert unpacked >= 9
    known = ("colour", "no pixels", "16 bits", "fewer than 3", "several frames")
    assert all(any(word in why for word in known) for why in refused.values()), refused


def test_films_come_back_with_their_pixels(real_data: Path, tmp_path: Path) -> None:
    paths = [
        *sorted(real_data.joinpath("cxr").rglob("*.jp*g"))[::40],
        *sorted(real_data.joinpath("cxr").rglob("*.png"))[:3],
    ]
    assert len(paths) > 15
    for path in paths:
        shared = read_shared(path)
        assert np.array_equal(shared.image.data, np.asarray(Pillow.open(path).convert("L"))), path.name
        write_opened(tmp_path / "out.png", shared.image, shared.tags, lossless=True, force=True)
        assert np.array_equal(read_shared(tmp_path / "out.png").image.data, shared.image.data)


def test_a_head_comes_back_with_header_and_all(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "heads" / "adult_b_t2w_5mm_upperface.nii.gz"
    shared = read_shared(path)
    write_opened(tmp_path / "out.nii", shared.image, shared.tags, lossless=True)
    assert (tmp_path / "out.nii").read_bytes() == gzip.decompress(path.read_bytes())

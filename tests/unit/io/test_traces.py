"""Traces: what files give beside their pictures, of which kind, and what is none."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import nibabel
import numpy as np
import pytest

from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.io import bids, nifti
from medveil.io.traces import with_traces
from medveil.io.visits import visits

DATA = np.random.default_rng(0).integers(0, 900, (9, 10, 11)).astype(np.int16)
AFFINE = np.array([[-1.0, 0, 0, 12.5], [0, 1, 0, -30.25], [0, 0, 2, 7], [0, 0, 0, 1]])


def told(folder: Path, **settings: bool) -> list[dict[str, str]]:
    inventory = bids.inspect_folder(folder)
    return [dict(r.traces()) for r in with_traces(inventory.cohort, inventory, **settings)]


def written(path: Path, **fields: object) -> Path:
    """A file as careless tools write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = nibabel.Nifti1Image(DATA, AFFINE)
    for field, value in fields.items():
        made.header[field] = value
    nibabel.save(made, path)
    return path


def test_header_fields_are_traces_of_their_kinds_and_blank_ones_are_none(tmp_path: Path) -> None:
    written(tmp_path / "a" / "t1.nii.gz", descrip="Canary", aux_file="x.txt", toffset=2.5)
    (one,) = told(tmp_path, voxels=False)
    assert one["text.descrip"] == "Canary"
    assert one["text.aux_file"] == "x.txt"
    assert one["header.toffset"] == "2.5"
    assert one["geometry.srow_y"] == "0 1 0 -30.25"
    assert not any(
        k in one for k in ("text.db_name", "text.intent_name", "header.cal_max", "header.sizeof_hdr")
    )
    assert not any(k.startswith("voxels") for k in one)


def test_our_own_writer_leaves_geometry_only(tmp_path: Path) -> None:
    nifti.write(Image(DATA, AFFINE), tmp_path / "sub-01/anat/sub-01_T1w.nii.gz")
    (one,) = told(tmp_path, voxels=False)
    assert {k.partition(".")[0] for k in one} == {"geometry", "header", "name"}
    assert one["name.file"] == "T1w"


def test_the_names_and_times_that_gzip_keeps_are_traces(tmp_path: Path) -> None:
    plain = written(tmp_path / "x.nii").read_bytes()
    (tmp_path / "x.nii").unlink()
    with (
        (tmp_path / "a.nii.gz").open("wb") as raw,
        gzip.GzipFile("Doe_Jane.nii", "wb", 6, raw, 1234567) as packed,
    ):
        packed.write(plain)
    (one,) = told(tmp_path, voxels=False)
    assert one["name.gzip"] == "Doe_Jane.nii"
    assert one["date.gzip"] == (1234567).to_bytes(4, "little").hex()


def test_extensions_are_traces(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(DATA, AFFINE)
    made.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"scanned for Jane"))
    nibabel.save(made, tmp_path / "t1.nii")
    (one,) = told(tmp_path, voxels=False)
    assert b"Jane" in bytes.fromhex(one["text.extension"])


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("DeviceSerialNumber", "serial"),
        ("StationName", "serial"),
        ("SeriesInstanceUID", "identifier"),
        ("PatientID", "identifier"),
        ("AccessionNumber", "identifier"),
        ("AcquisitionTime", "date"),
        ("AcquisitionDateTime", "date"),
        ("SeriesDescription", "text"),
        ("InstitutionName", "text"),
        ("RepetitionTime", "acquisition"),
        ("EchoTime", "acquisition"),
        ("ShimSetting", "acquisition"),
    ],
)
def test_sidecar_keys_have_their_kinds(tmp_path: Path, key: str, kind: str) -> None:
    written(tmp_path / "sub-01/anat/sub-01_T1w.nii.gz")
    (tmp_path / "sub-01/anat/sub-01_T1w.json").write_text(
        json.dumps({key: [1, "x"], "Empty": "", "None": None})
    )
    (one,) = told(tmp_path, voxels=False)
    assert one[f"{kind}.{key}"] == '[1, "x"]'
    assert not any("Empty" in k or "None" in k for k in one)


def test_subject_and_session_labels_are_no_traces(tmp_path: Path) -> None:
    written(tmp_path / "bids/sub-07/ses-2/anat/sub-07_ses-2_acq-hi_T1w.nii.gz")
    written(tmp_path / "plain/smith.nii.gz")
    written(tmp_path / "plain/jones/jones_t1_0815.nii.gz")
    (one,) = told(tmp_path / "bids", voxels=False)
    assert one["name.file"] == "acq-hi_T1w"
    jones, smith = told(tmp_path / "plain", voxels=False)
    assert jones["name.file"] == "t1_0815"
    assert "name.file" not in smith


def test_what_scans_tables_say_is_a_trace_of_the_image_they_name(tmp_path: Path) -> None:
    for who in ("01", "02"):
        written(tmp_path / f"sub-{who}/anat/sub-{who}_T1w.nii.gz")
    (tmp_path / "sub-01/sub-01_scans.tsv").write_text(
        "filename\tacq_time\toperator\nanat/sub-01_T1w.nii.gz\t2020-01-01T10:00:00\tn/a\n"
    )
    (tmp_path / "sub-02/sub-02_scans.tsv").write_text("broken\n1\t2\n")
    one, two = told(tmp_path, voxels=False)
    assert one["date.acq_time"] == "2020-01-01T10:00:00"
    assert not any(k.startswith("scans.") for k in one)
    assert "date.acq_time" not in two


def test_images_without_files_have_their_voxels_and_their_place_in_space() -> None:
    record = Record("sub-1", "T1w", lambda: Image(DATA, AFFINE))
    flipped = Record("sub-2", "T1w", lambda: Image(DATA[::-1], AFFINE @ _flip(DATA.shape[0])))
    one, two = (dict(r.traces()) for r in with_traces(Cohort((record, flipped))))
    assert one["geometry.centre_mm"] == two["geometry.centre_mm"]
    assert one["geometry.size_mm"] == two["geometry.size_mm"] == "9.00 10.00 22.00"
    assert one["voxels.exact"] != two["voxels.exact"]
    assert one["voxels.values"] == two["voxels.values"]


def _flip(n: int) -> np.ndarray:
    out = np.diag([-1.0, 1, 1, 1])
    out[0, 3] = n - 1
    return out


def test_nothing_is_opened_before_it_is_asked_for_and_traces_travel(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nii.gz")
    inventory = bids.inspect_folder(tmp_path)
    traced = with_traces(inventory.cohort, inventory)
    assert pickle.loads(pickle.dumps(traced.records[0].traces))() == traced.records[0].traces()  # noqa: S301
    path.unlink()
    with pytest.raises(InputRefused, match="not there"):
        traced.records[0].traces()
    assert "Traces(...)" in repr(traced.records[0].traces)


@pytest.mark.parametrize("keep", [0, 100, 200])
def test_broken_files_are_refused_in_one_line(tmp_path: Path, keep: int) -> None:
    path = written(tmp_path / "a.nii.gz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputRefused):
        told(tmp_path)


def test_a_broken_sidecar_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "sub-01/anat/sub-01_T1w.nii.gz")
    (tmp_path / "sub-01/anat/sub-01_T1w.json").write_text("{")
    with pytest.raises(InputRefused, match="JSON"):
        told(tmp_path)


def test_visits_are_gathered_from_scans_and_sessions(tmp_path: Path) -> None:
    written(tmp_path / "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz")
    (tmp_path / "sub-01/ses-1/sub-01_ses-1_scans.tsv").write_text(
        "filename\tacq_time\nanat/sub-01_ses-1_T1w.nii.gz\t2020-01-01T10:00:00\n"
    )
    (tmp_path / "sub-01/sub-01_sessions.tsv").write_text(
        "session_id\tacq_time\nses-1\t2020-01-01\nses-2\tn/a\n"
    )
    written(tmp_path / "sub-02/anat/sub-02_T1w.nii.gz")
    (tmp_path / "sub-02/sub-02_sessions.tsv").write_text("a\ta\n")
    found, unread = visits(bids.inspect_folder(tmp_path))
    assert sorted(found["sub-01"]) == ["2020-01-01", "2020-01-01T10:00:00"]
    assert (list(found), unread) == (["sub-01"], 1)

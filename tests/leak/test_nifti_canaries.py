"""A made-up name, planted wherever a NIfTI or BIDS folder can hold one, must never come out."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medveil.core.errors import InputRefused, MedveilError
from medveil.io import bids, header, nifti, tables
from medveil.io.folder import Staging
from medveil.protect.header.participants import clean_participants, dropped_columns
from medveil.protect.header.sidecar import clean_description, clean_sidecar

CANARY = "Zyqua"  # short enough for every field; not a word of any format


def stained(cls: type[nib.Nifti1Image] = nib.Nifti1Image) -> bytes:
    """A NIfTI file with the canary in every text field, unused number, extension and gap."""
    data = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    image = cls(data, np.diag([2.0, 2, 2, 1]))
    image.set_sform(image.affine, 1)
    for field in ("descrip", "aux_file", "db_name", "intent_name", "data_type", "unused_str"):
        if field in image.header.structarr.dtype.names:
            image.header[field] = CANARY.encode()
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, f"comment by {CANARY}".encode()))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(4, f"AFNI {CANARY}@host".encode()))
    number = struct.unpack("<f", CANARY[:4].encode())[0]
    for field in ("cal_max", "cal_min", "intent_p1", "slice_duration", "toffset", "quatern_b", "qoffset_x"):
        image.header[field] = number
    image.header["pixdim"][5:8] = number
    image.header["slice_code"] = 3
    return bytes(image.to_bytes()) + f"behind the data: {CANARY}".encode()


def packed(content: bytes) -> bytes:
    """A gzip file whose own header names the canary, with a second member behind it."""
    deflate = zlib.compressobj(wbits=-15)
    body = deflate.compress(content) + deflate.flush()
    tail = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
    name = CANARY.encode()
    extra = struct.pack("<H", len(name) + 4) + b"MV" + struct.pack("<H", len(name)) + name
    start = b"\x1f\x8b\x08" + bytes([4 | 8 | 16]) + CANARY[:4].encode() + b"\0\3"
    return start + extra + name + b".nii\0" + name + b"\0" + body + tail + gzip.compress(b"more: " + name)


def found_in(content: bytes) -> bool:
    """Whether the canary, or the four letters of it that fit a number, are in some bytes, in any case."""
    return any(
        c in content.lower() for c in (CANARY.lower().encode(), CANARY.lower().encode("utf-16-le"))
    ) or (CANARY[:4].encode() in content)


def layers(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and what they unpack to."""
    content = path.read_bytes()
    yield content
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)


@pytest.fixture
def stained_dataset(tmp_path: Path) -> Path:
    """A BIDS folder with the canary in headers, sidecars (keys and values), tables and stray files."""
    root = tmp_path / "in"
    anat = root / "sub-01" / "anat"
    anat.mkdir(parents=True)
    (anat / "sub-01_T1w.nii.gz").write_bytes(packed(stained()))
    (anat / "sub-01_T2w.nii").write_bytes(stained(nib.Nifti2Image))
    (anat / f"{CANARY}.nii.gz").write_bytes(packed(stained()))
    sidecar = {
        "PatientName": CANARY, "EchoTime": 0.002, "FlipAngle": CANARY, CANARY: 1, "Manufacturer": CANARY,
        "ImageType": ["ORIGINAL", CANARY], "global": {"const": {CANARY: [CANARY]}}, "SeriesDescription": CANARY,
        "ScanningSequence": f"GR\\{CANARY}", "AcquisitionDateTime": CANARY, "RepetitionTime": 2.3,
    }  # fmt: skip
    (anat / "sub-01_T1w.json").write_text(json.dumps(sidecar))
    (root / "dataset_description.json").write_text(json.dumps({"Name": CANARY, "BIDSVersion": CANARY}))
    (root / "participants.tsv").write_text(
        f"participant_id\tage\tsex\t{CANARY}\tnote\nsub-01\t33\tM\t1\t{CANARY}\n{CANARY}\t4\tF\t1\tx\n"
        f"sub-02\t{CANARY}\t{CANARY}\t1\tx\n"
    )
    (root / "sub-01" / "sub-01_scans.tsv").write_text(f"filename\tacq_time\n{CANARY}\t{CANARY}\n")
    (root / f"{CANARY}.txt").write_text(CANARY)
    return root


def test_the_canary_is_really_planted(stained_dataset: Path) -> None:
    stained_files = [p for p in stained_dataset.rglob("*") if p.is_file() and any(map(found_in, layers(p)))]
    assert len(stained_files) == len([p for p in stained_dataset.rglob("*") if p.is_file()])
    first = stained_dataset / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    assert {"gzip FNAME", "gzip FCOMMENT", "gzip FEXTRA", "gzip time", "bytes after the gzip member",
            "header extension", "bytes after the data", "header field descrip", "header field aux_file",
            "header field db_name", "header field intent_name", "header field data_type",
            "numbers of an unused qform"} <= set(header.check_header(first))  # fmt: skip


def test_no_byte_of_a_release_and_no_word_said_holds_the_canary(
    stained_dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    inventory = bids.inspect_folder(stained_dataset)
    with Staging(tmp_path / "out", inputs=[stained_dataset]) as staging:
        for record, place in zip(inventory.cohort, bids.release_places(inventory.cohort), strict=True):
            source = inventory.root / str(record.place)
            image, facts = record.open(), header.read_facts(source)
            nifti.write(image, staging.folder / place, facts=facts)
            assert header.check_header(staging.folder / place, source) == []
            staging.done(place, "settings")
            said += [repr(record), repr(image), repr(facts), str(facts.remarks)]
            if record.place in inventory.sidecars:
                kept, removed = clean_sidecar(bids.read_sidecar(inventory.sidecars[record.place]))
                (staging.folder / place.parent / "sidecar.json").write_text(json.dumps(kept))
                said.append(str(removed))
        rows = list(inventory.cohort.participants.values())
        tables.write_tsv(
            clean_participants(rows), staging.folder / "participants.tsv", ["participant_id", "age", "sex"]
        )
        old = bids.read_sidecar([stained_dataset / "dataset_description.json"])
        (staging.folder / "dataset_description.json").write_text(json.dumps(clean_description(old, "0")))
        said += [str(dropped_columns(rows)), repr(inventory), repr(inventory.cohort), repr(inventory.skipped)]
        staging.finish()
    released = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert len(released) == 6
    for path in released:
        assert not found_in(str(path.relative_to(tmp_path)).encode())
        assert not any(map(found_in, layers(path)))
    out, err = capfd.readouterr()
    assert not found_in((out + err + "".join(said)).encode())


def test_names_of_files_and_folders_stay_at_home(tmp_path: Path) -> None:
    for name in (f"{CANARY}_t1.nii.gz", f"{CANARY} family/{CANARY}/flair.nii", f"{CANARY}/{CANARY}.nii.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(stained())
    inventory = bids.inspect_folder(tmp_path)
    places = bids.release_places(inventory.cohort)
    assert len(places) == 3
    assert not found_in(
        "".join([*map(str, places), *(r.name for r in inventory.cohort), repr(inventory)]).encode()
    )


def damaged() -> dict[str, bytes]:
    """Stained files that cannot be taken, each in its own way."""
    good = stained()
    zip_ = packed(good)
    return {
        "a.nii": good[:300], "b.nii": good[: 352 + 40], "c.nii.gz": zip_[: len(zip_) // 2],
        "d.nii.gz": zip_[:60] + bytes(30) + zip_[90:], "e.nii": CANARY.encode() * 200,
        "f.nii": good[:252] + bytes(4) + good[256:], "g.nii": good[:70] + struct.pack("<h", 128) + good[72:],
        "h.nii": good[:344] + b"ni1\0" + good[348:], "i.nii": b"\0" * 128 + b"DICM" + CANARY.encode() * 9,
        "j.nii": good[:280] + bytes(48) + good[328:], f"{CANARY}.mgz": good, f"{CANARY}.hdr": good,
        "k.nii": good[:40] + CANARY.encode() * 3 + good[55:],
    }  # fmt: skip


@pytest.mark.parametrize("name", damaged())
def test_no_error_quotes_what_it_found(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / CANARY / name
    path.parent.mkdir()
    path.write_bytes(damaged()[name])
    with pytest.raises(InputRefused) as caught:
        nifti.read(path)
    assert_silent(caught.value, capfd)
    with pytest.raises(InputRefused) as caught:
        bids.read_sidecar([path])
    assert_silent(caught.value, capfd)
    with pytest.raises(MedveilError) as failed:
        tables.read_scores(path)
    assert_silent(failed.value, capfd)
    assert not found_in(" ".join(str(w.message) for w in recwarn).encode())


def assert_silent(error: MedveilError, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = capfd.readouterr()
    assert not found_in((str(error) + repr(error) + out + err).encode())
    assert error.__suppress_context__ or error.__context__ is None  # nor does a traceback

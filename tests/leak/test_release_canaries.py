"""A made-up name planted wherever a name can be: after a release, not one byte of it is left."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import pytest

from medveil.core.image import Image

NAME = "Qanary"


def _bytes_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            yield str(path.relative_to(folder)), data
            if data[:2] == b"\x1f\x8b":
                yield str(path.relative_to(folder)), gzip.decompress(data)


def _found(folder: Path) -> list[str]:
    needles = [NAME.lower().encode(), NAME.lower().encode("utf-16-le")]
    return [place for place, data in _bytes_below(folder) if any(n in data.lower() for n in needles)]


def _plant(path: Path, head: Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(head.data, head.affine)
    image.header["descrip"] = f"{NAME}^Jane 19700101".encode()
    image.header["aux_file"] = NAME.encode()
    image.header["db_name"] = NAME.encode()
    image.header["intent_name"] = NAME.encode()
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", NAME.encode()))
    nib.save(image, path.with_suffix(""))
    raw = path.with_suffix("").read_bytes() + NAME.encode()
    path.with_suffix("").unlink()
    with open(path, "wb") as file, gzip.GzipFile(f"{NAME}.nii", "wb", fileobj=file) as packed:
        packed.write(raw)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["bids", "plain"])
def test_no_planted_name_leaves(medveil: Callable, tmp_path: Path, head: Image, layout: str) -> None:
    folder = tmp_path / "in"
    place = "sub-01/anat/sub-01_T1w" if layout == "bids" else f"{NAME}_Jane/{NAME}_t1"
    _plant(folder / f"{place}.nii.gz", head)
    facts = {
        "EchoTime": 0.003,
        "PatientName": f"{NAME}^Jane",
        "ProtocolName": NAME,
        NAME: 1,
        "Nested": {"a": NAME},
    }
    (folder / f"{place}.json").write_text(json.dumps(facts))
    if layout == "bids":
        (folder / "participants.tsv").write_text(
            f"participant_id\tage\tsex\t{NAME}\nsub-01\t44\tF\t{NAME}\n{NAME}\t3\tM\tx\n"
        )
        (folder / "dataset_description.json").write_text(json.dumps({"Name": NAME, "Authors": [NAME]}))
    (folder / f"{NAME}.txt").write_text(NAME)
    assert len(_found(folder)) >= 3

    ran = medveil("protect", folder, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 0, ran.err
    assert _found(tmp_path / "out") == []
    assert not [p for p in (tmp_path / "out").rglob("*") if NAME in p.name]
    assert NAME not in ran.out + ran.err
    kept = json.loads(next((tmp_path / "out").rglob("sub-*.json")).read_text())
    assert kept == {"EchoTime": 0.003}

    seen = medveil("inspect", folder)
    assert NAME not in seen.out + seen.err
    checked = medveil("verify", tmp_path / "out", "--source", folder)
    assert checked.code == 0, checked.out
    assert NAME not in checked.out + checked.err


@pytest.mark.slow
def test_a_touched_release_fails_verification(medveil: Callable, tmp_path: Path, head: Image) -> None:
    _plant(tmp_path / "in" / "sub-01" / "anat" / "sub-01_T1w.nii.gz", head)
    out = tmp_path / "out"
    assert medveil("protect", tmp_path / "in", "--to", out, "--jobs", "1").code == 0
    (out / "extra.txt").write_text("hello")
    image = next(out.rglob("*.nii.gz"))
    data = bytearray(gzip.decompress(image.read_bytes()))
    data[len(data) // 2] ^= 1
    image.write_bytes(gzip.compress(bytes(data), mtime=0))
    ran = medveil("verify", out, "--source", tmp_path / "in")
    assert ran.code == 5
    assert "extra.txt: is not in the manifest" in ran.out
    assert "has changed since it was released" in ran.out

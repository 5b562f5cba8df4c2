"""What chance writes is no residue; what somebody left is one, however short."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.io import nifti
from medveil.io.chance import left_behind
from medveil.io.residual import Identifier, Residue, residues

NUMBER, SHORT, DAY = Identifier("id", "481516"), Identifier("name", "Zyra"), Identifier("date", "19870412")


@pytest.mark.parametrize("identifier", [NUMBER, DAY])
@pytest.mark.parametrize(
    "around", ["2.25.3019{}2334445566677788899", "ab" * 20 + "{:a<24}", '"psnr_db": 31.22{}99']
)
def test_digits_in_drawn_and_computed_numbers_say_nothing(
    tmp_path: Path, identifier: Identifier, around: str
) -> None:
    (tmp_path / "a").write_text(around.format(identifier.value))
    assert residues(tmp_path, [identifier]) != []
    assert left_behind(tmp_path, [identifier]) == []
    (tmp_path / "a").write_text(around.format(identifier.value) + f" ID {identifier.value}.")
    assert left_behind(tmp_path, [identifier]) == [Residue(1, identifier.kind, "bytes")]


def _image(data: bytes) -> Image:
    return Image(np.frombuffer(data.ljust(4096, b"\7"), np.uint8).reshape((16, 16, 16), order="F"), np.eye(4))


def test_four_letters_among_voxels_say_nothing_but_in_a_header_they_do(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    nifti.write(_image(b"\1Zyra\2"), path)
    assert residues(tmp_path, [SHORT]) != []
    assert left_behind(tmp_path, [SHORT]) == []
    content = bytearray(path.read_bytes())
    content[148:152] = b"Zyra"
    path.write_bytes(bytes(content))
    assert left_behind(tmp_path, [SHORT]) == [Residue(1, "name", "bytes")]
    path.write_bytes(path.read_bytes()[:148] + bytes(204) + path.read_bytes()[352:] + b" Zyra")
    assert left_behind(tmp_path, [SHORT]) == [Residue(1, "name", "bytes")]


def test_a_long_name_counts_among_voxels_too(tmp_path: Path) -> None:
    nifti.write(_image(b"\1Zyquartovex\2"), tmp_path / "a.nii.gz")
    assert left_behind(tmp_path, [Identifier("name", "Zyquartovex")]) == [Residue(1, "name", "packed bytes")]


def test_a_short_name_in_a_gzip_header_counts(tmp_path: Path) -> None:
    nifti.write(_image(b""), tmp_path / "a.nii")
    with open(tmp_path / "b.nii.gz", "wb") as file, gzip.GzipFile("Zyra.nii", "wb", fileobj=file) as packed:
        packed.write((tmp_path / "a.nii").read_bytes())
    assert left_behind(tmp_path, [SHORT]) == [Residue(2, "name", "bytes")]


def test_a_word_of_the_page_is_none_of_the_person_and_another_is(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("one mark of Zyra")
    names = [Identifier("name", "Mark"), SHORT]
    assert left_behind(tmp_path, names, lambda: frozenset({"mark"})) == [Residue(1, "name", "bytes")]
    (tmp_path / "report.html").rename(tmp_path / "notes.html")
    assert left_behind(tmp_path, names, lambda: frozenset({"mark"})) == [Residue(1, "name", "bytes", 2)]
    assert left_behind(tmp_path, [Identifier("name", "Zyra^Mark")]) == [Residue(1, "name", "bytes")]


def test_digits_of_an_id_in_a_day_or_an_hour_of_dicom_say_nothing(tmp_path: Path) -> None:
    day = b"\x08\0\x20\0DA\x08\x0020481516\x08\0\x30\0TM\x06\x00481516"
    (tmp_path / "a").write_bytes(day)
    assert left_behind(tmp_path, [NUMBER]) == []
    assert left_behind(tmp_path, [Identifier("date", "20191105")]) == []
    (tmp_path / "a").write_bytes(day + b"\x10\0\x20\0LO\x06\x00481516")
    assert left_behind(tmp_path, [NUMBER]) == [Residue(1, "id", "bytes")]
    (tmp_path / "a").write_bytes(day.replace(b"20481516", b"20191105"))
    assert left_behind(tmp_path, [Identifier("date", "20191105")]) == [Residue(1, "date", "bytes")]


def test_file_names_count_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "zyra_1.txt").write_text("")
    assert left_behind(tmp_path, [SHORT]) == [Residue(1, "name", "file name")]

"""MINC files are recognised by their content, and refused with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from medveil.core.errors import InputRefused
from medveil.io.minc import looks_like_minc, refuse_minc

HDF5 = b"\x89HDF\r\n\x1a\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mnc", b"CDF\x01rest"),
        ("a.dat", b"CDF\x02rest"),
        ("a.mnc", HDF5 + bytes(99)),
        ("a", HDF5 + b"\0minc-2.0\0"),
    ],
)
def test_minc_is_refused_with_a_hint(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputRefused, match="MINC") as error:
        refuse_minc(path)
    assert "mnc2nii" in error.value.hint


@pytest.mark.parametrize(
    ("name", "content"), [("a.h5", HDF5 + bytes(99)), ("a.mnc", b""), ("a.nii", b"\x5c\1\0\0")]
)
def test_other_files_pass(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert not looks_like_minc(path)
    refuse_minc(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="could not be read"):
        refuse_minc(tmp_path / "none.mnc")

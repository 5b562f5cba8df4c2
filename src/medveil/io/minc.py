"""MINC: recognised, and refused.

A MINC file holds its history (command lines, with paths and people's names) and patient attributes, and HDF5
leaves deleted bytes where they were. So nothing is cut out of one: it is converted first.
"""

from __future__ import annotations

from pathlib import Path

from medveil.core.errors import InputRefused

HINT = "convert it to .nii.gz with mnc2nii, or with nibabel, then run again"
_NETCDF = (b"CDF\x01", b"CDF\x02")
_HDF5 = b"\x89HDF\r\n\x1a\n"


def looks_like_minc(path: Path) -> bool:
    """Whether a file is MINC 1 (NetCDF) or MINC 2 (HDF5 with a root `minc-2.0`), by its content.

    Raises:
        InputRefused: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(1 << 16)
    except OSError:
        raise InputRefused("image: could not be read") from None
    if start[:4] in _NETCDF:
        return True
    return start[:8] == _HDF5 and (b"minc-2.0" in start or path.name.lower().endswith(".mnc"))


def refuse_minc(path: Path) -> None:
    """Do nothing, or say why a MINC file is not taken.

    Raises:
        InputRefused: it is one, or cannot be read.
    """
    if looks_like_minc(path):
        raise InputRefused("image: is a MINC file, expected NIfTI, MGH or NRRD", hint=HINT)

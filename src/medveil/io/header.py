"""What of a NIfTI header may leave the house: an allowlist, as values.

A NIfTI header has some forty fields; eleven facts of them are needed to put stored numbers back into their
place in space, and only those are carried from a source to its release. A released header is always built
anew from them, so a field that is not listed here (descrip, aux_file, db_name, intent_name, extensions,
slack bytes, slice codes, ...) has no way through. `check_header` proves it from the outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused

Affine = npt.NDArray[np.float64]

# Largest shift of a corner of the grid between sform and qform that passes as rounding.
DISAGREE_MM = 0.1
TYPES = {
    2: "uint8", 4: "int16", 8: "int32", 16: "float32", 64: "float64", 256: "int8",
    512: "uint16", 768: "uint32", 1024: "int64", 1280: "uint64",
}  # fmt: skip
_REFUSED = {
    1: "one bit a voxel", 32: "complex numbers", 1792: "complex numbers", 2048: "complex numbers",
    128: "RGB colours", 2304: "RGBA colours", 1536: "128-bit floats",
}  # fmt: skip
_FARTHEST = 1e7  # of any length in a header: ten metres in micrometres
_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # unknown, metre, millimetre, micrometre


@dataclass(frozen=True)
class HeaderFacts:
    """The facts of one header that a release keeps; everything else is written as NIfTI's neutral value.

    Args:
        version: 1 or 2. endianness: '<' or '>'.
        dtype: name of the stored type, `int16`. shape: 3 or 4 axes.
        slope, intercept: scaling; (1, 0) where the file declares none.
        sform_code, qform_code: 0 (absent) to 5. srow: 12 numbers, row by row; zeros where absent.
        quatern, qoffset: the qform's 3 + 3 numbers; zeros where absent. qfac: -1 or 1.
        zooms: voxel size along the three axes, in the header's unit. tr: pixdim[4].
        xyzt_units: NIfTI's code of the spatial and temporal unit.
    """

    version: Literal[1, 2]
    endianness: Literal["<", ">"]
    dtype: str
    shape: tuple[int, ...]
    slope: float
    intercept: float
    sform_code: int
    qform_code: int
    srow: tuple[float, ...]
    quatern: tuple[float, float, float]
    qoffset: tuple[float, float, float]
    qfac: float
    zooms: tuple[float, float, float]
    tr: float
    xyzt_units: int

    @property
    def unit_mm(self) -> float:
        """Length of the header's spatial unit; an undeclared one is taken as the millimetre."""
        return _MM[self.xyzt_units & 7]

    @property
    def sform_mm(self) -> Affine | None:
        """(4, 4) voxel to RAS+ mm as the sform says, None where it has no code."""
        if not self.sform_code:
            return None
        affine = np.eye(4)
        affine[:3] = np.reshape(self.srow, (3, 4)) * self.unit_mm
        return affine

    @property
    def qform_mm(self) -> Affine | None:
        """(4, 4) voxel to RAS+ mm as the qform says, None where it has no code."""
        if not self.qform_code:
            return None
        from nibabel.quaternions import fillpositive, quat2mat

        affine = np.eye(4)
        try:
            rotation = quat2mat(fillpositive(self.quatern, w2_thresh=-1e-5))
        except ValueError:
            raise InputRefused(
                "qform: is not a rotation", hint="repair the qform of the file, or set its sform"
            ) from None
        affine[:3, :3] = rotation * (np.array(self.zooms) * (1, 1, self.qfac)) * self.unit_mm
        affine[:3, 3] = np.array(self.qoffset) * self.unit_mm
        return affine

    @property
    def affine(self) -> Affine:
        """(4, 4) voxel to RAS+ mm: the sform if it has a code, else the qform.

        Raises:
            InputRefused: neither has one, so nobody can say which side is left.
        """
        sform = self.sform_mm
        affine = self.qform_mm if sform is None else sform
        if affine is None:
            raise InputRefused(
                "sform_code and qform_code: are both 0, so left and right are not known",
                hint="set the sform or the qform of the file, then run again",
            )
        return affine

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know about the place in space, as short sentences."""
        sform, said = self.sform_mm, []
        qform = self.qform_mm if sform is None or self._rotation_is_sound else None
        if sform is not None and qform is not None:
            corners = np.stack(np.meshgrid(*((0, n - 1) for n in self.shape[:3]), indexing="ij"), axis=-1)
            apart = corners.reshape(-1, 3) @ (sform - qform)[:3, :3].T + (sform - qform)[:3, 3]
            if np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0:
                said.append("sform and qform disagree about left and right; the sform was used")
            elif not np.linalg.norm(apart, axis=1).max() <= DISAGREE_MM:
                said.append("sform and qform disagree about the place in space; the sform was used")
        if sform is not None and self.qform_code and not self._rotation_is_sound:
            said.append("qform is not a rotation; the sform was used")
        if self.unit_mm != 1:
            said.append("the header's unit is not the millimetre; lengths were converted")
        return tuple(said)

    @property
    def _rotation_is_sound(self) -> bool:
        return sum(q * q for q in self.quatern) <= 1 + 1e-5

    @property
    def data_offset(self) -> int:
        """Where the stored numbers begin in a file that medveil writes."""
        return 352 if self.version == 1 else 544

    def __repr__(self) -> str:
        return f"HeaderFacts(NIfTI-{self.version}, shape={self.shape}, dtype={self.dtype})"


def facts_of(header: Any) -> HeaderFacts:
    """The allowlisted facts of a nibabel header that was made with `check=False`.

    Numbers that mean nothing (a qform with code 0, a voxel size beside an sform that contradicts it, unknown
    codes and units) are replaced by neutral ones, since they could carry something else.

    Raises:
        InputRefused: a type that is no real number, axes that are not 3 or 4, scaling that is not finite.
    """
    code = int(header["datatype"])
    if code not in TYPES:
        what = _REFUSED.get(code, "an unknown type")
        raise InputRefused(f"datatype: holds {what}, expected one real number a voxel")
    slope, intercept = _scaling(float(header["scl_slope"]), float(header["scl_inter"]))
    sform_code, qform_code = _code(int(header["sform_code"])), _code(int(header["qform_code"]))
    srow = [float(x) for a in "xyz" for x in header[f"srow_{a}"]] if sform_code else [0.0] * 12
    quatern = [float(header[f"quatern_{a}"]) for a in "bcd"] if qform_code else [0.0] * 3
    qoffset = [float(header[f"qoffset_{a}"]) for a in "xyz"] if qform_code else [0.0] * 3
    if not all(math.isfinite(x) and abs(x) < _FARTHEST for x in (*srow, *quatern, *qoffset)):
        raise InputRefused("sform or qform: holds a number that is not finite, or no length in a scanner")
    pixdim = [float(x) for x in header["pixdim"]]
    zooms = _zooms(pixdim[1:4], srow if sform_code else None, bool(qform_code))
    return HeaderFacts(
        version=1 if int(header["sizeof_hdr"]) == 348 else 2,
        endianness="<" if header.endianness == "<" else ">",
        dtype=TYPES[code],
        shape=_shape([int(n) for n in header["dim"]]),
        slope=slope,
        intercept=intercept,
        sform_code=sform_code,
        qform_code=qform_code,
        srow=tuple(srow),
        quatern=(quatern[0], quatern[1], quatern[2]),
        qoffset=(qoffset[0], qoffset[1], qoffset[2]),
        qfac=-1.0 if qform_code and pixdim[0] < 0 else 1.0,
        zooms=zooms,
        tr=pixdim[4] if math.isfinite(pixdim[4]) and pixdim[4] >= 0 else 0.0,
        xyzt_units=_units(int(header["xyzt_units"])),
    )


def fresh_header(facts: HeaderFacts) -> Any:
    """A nibabel header that says these facts and nothing else."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    header = (Nifti1Header if facts.version == 1 else Nifti2Header)(endianness=facts.endianness)
    dtype = np.dtype(facts.dtype)
    header["dim"] = [len(facts.shape), *facts.shape, *[1] * (7 - len(facts.shape))]
    header["datatype"] = next(code for code, name in TYPES.items() if name == facts.dtype)
    header["bitpix"] = dtype.itemsize * 8
    header["pixdim"] = [facts.qfac, *facts.zooms, facts.tr, 1, 1, 1]
    header["vox_offset"] = facts.data_offset
    header["scl_slope"], header["scl_inter"] = facts.slope, facts.intercept
    header["xyzt_units"] = facts.xyzt_units
    header["qform_code"], header["sform_code"] = facts.qform_code, facts.sform_code
    for axis, value in zip("bcd", facts.quatern, strict=True):
        header[f"quatern_{axis}"] = value
    for row, axis in enumerate("xyz"):
        header[f"qoffset_{axis}"] = facts.qoffset[row]
        header[f"srow_{axis}"] = facts.srow[4 * row : 4 * row + 4]
    return header


def read_facts(path: Path) -> HeaderFacts:
    """The allowlisted facts of a NIfTI file.

    Raises:
        InputRefused: as `nifti.read` does, for all that can be seen from the header.
    """
    from medveil.io.nifti import open_nifti

    with open_nifti(path) as stream:
        return stream.facts


def check_header(released: Path, source: Path | None = None) -> list[str]:
    """Everything in a released file beside its stored numbers and the facts it may hold; [] is good.

    Looks at the gzip header (name, comment, extra field, time), at every field of the NIfTI header, at
    extensions, and at bytes after the data and after the gzip member. With `source`, the facts must also
    be the source's. The list names fields, never what they hold.

    Raises:
        InputRefused: `released` is no NIfTI file at all.
    """
    from medveil.io.outside import unexpected_bytes

    facts = read_facts(released)
    problems = unexpected_bytes(released, facts)
    if source is not None:
        theirs = read_facts(source)
        problems += [f"{name} differs from the source" for name in vars(facts)
                     if vars(facts)[name] != vars(theirs)[name]]  # fmt: skip
    return problems


def _scaling(slope: float, intercept: float) -> tuple[float, float]:
    if math.isnan(slope) or slope == 0:
        return 1.0, 0.0  # the standard: no scaling declared
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise InputRefused("scl_slope or scl_inter: is not finite")
    return slope, intercept


def _shape(dim: list[int]) -> tuple[int, ...]:
    if not 1 <= dim[0] <= 7:
        raise InputRefused("dim: the header gives no sensible number of axes")
    shape = dim[1 : 1 + dim[0]]
    if any(n < 0 for n in shape):
        raise InputRefused("dim: an axis has a negative length")
    if 0 in shape:
        raise InputRefused("image: is empty, an axis has no voxels")
    while len(shape) > 4 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 4:
        raise InputRefused(
            f"image: has {len(shape)} axes, expected 3 or 4",
            hint="split vector images before protecting them",
        )
    if len(shape) < 3 or 1 in shape[:3]:
        raise InputRefused(
            "image: is a single slice, expected a volume",
            hint="medveil protects volumes; a single slice has no head to find",
        )
    return tuple(shape)


def _zooms(stored: list[float], srow: list[float] | None, qform: bool) -> tuple[float, float, float]:
    sound = all(0 < z < _FARTHEST for z in stored)
    if qform:
        if not sound:
            if srow is None:
                raise InputRefused("pixdim: a voxel size is not positive, so the qform means nothing")
        else:
            return stored[0], stored[1], stored[2]
    if srow is None:
        return (stored[0], stored[1], stored[2]) if sound else (1.0, 1.0, 1.0)
    size = np.linalg.norm(np.reshape(srow, (3, 4))[:, :3], axis=0)
    if sound and np.allclose(stored, size, rtol=1e-3, atol=0):
        return stored[0], stored[1], stored[2]
    a, b, c = (float(np.float32(s)) for s in size)
    return a, b, c


def _code(code: int) -> int:
    """Codes beyond the standard's become 2, 'aligned to something else'."""
    return 0 if code <= 0 else code if code <= 5 else 2


def _units(code: int) -> int:
    space, time = code & 7, code & 56
    return (space if space in _MM else 0) | (time if time <= 48 else 0)

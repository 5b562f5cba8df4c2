"""Traces: what lies beside the picture and may tie it to another copy of itself.

    file name, gzip header ──> name.*  date.*        scans.tsv ──> date.*  scans.*
    NIfTI header ────────────> text.*  geometry.*  header.*
    DICOM ───────────────────> serial.*  identifier.*  date.*  text.*  acquisition.*
    sidecar ─────────────────> serial.*  identifier.*  date.*  text.*  acquisition.*
    stored numbers ──────────> voxels.*              (see `fingerprint`)

A trace is a name and a value. The part of the name before the first dot is its kind, and kinds are all that anybody but the
attack ever gets to see. Fields that say nothing (empty, zero) are no traces. The subject's label is none either, nor its
part of a BIDS name: labels are how a cohort says who is who, so an attack that read them would peek. Nor is the time of
the file itself, which copying and unpacking set anew.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from medveil.core.cells import is_missing
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.io import tables
from medveil.io.bids import Inventory, read_sidecar
from medveil.io.dicom.traces import dicom_traces
from medveil.io.fingerprint import fingerprint
from medveil.io.names import BidsName, is_nifti, placed_name, stem
from medveil.io.nifti import open_nifti

_TEXT_FIELDS = {"data_type", "db_name", "intent_name", "descrip", "aux_file"}
_GEOMETRY = ("pixdim", "dim", "quatern", "qoffset", "srow", "qform", "sform")
_NO_TRACE = {"sizeof_hdr", "magic", "vox_offset", "bitpix", "eol_check"}
_CLOCKS = {"AcquisitionTime", "SeriesTime", "StudyTime", "ContentTime", "TimeZero", "InstanceCreationTime"}


@dataclass(frozen=True, repr=False)
class Traces:
    """Gathers the traces of one image when it is called.

    Args:
        subject: label, whose presence in a name is no trace.
        open: opens the image.
        path: its file, None where it has none; `place`: that below the cohort's root.
        chain: its sidecars, the most general first.
        listed: what scans.tsv says of it, by column.
        voxels: whether the stored numbers are looked at as well.
        slices: of DICOM, the file of the first slice, read in place of `path`.
    """

    subject: str
    open: Callable[[], Image]
    path: Path | None = None
    place: PurePosixPath | None = None
    chain: tuple[Path, ...] = ()
    listed: tuple[tuple[str, str], ...] = ()
    voxels: bool = True
    slices: Path | None = None

    def __call__(self) -> Mapping[str, str]:
        """Traces by name.

        Raises:
            InputRefused: the image, its header or a sidecar cannot be read.
        """
        out: dict[str, str] = {}
        if self.path is not None:
            place = self.place or PurePosixPath(self.path.name)
            out |= _file_name(place, self.subject)
            out |= _header(self.path) if is_nifti(place) else {}
        if self.slices is not None:
            out |= dicom_traces(self.slices)
        if self.chain:
            out |= _sidecar(read_sidecar(self.chain))
        out |= {_listed_name(column): cell for column, cell in self.listed if not is_missing(cell)}
        if self.voxels:
            image = self.open()
            out |= fingerprint(image)
            out |= _position(image)
        return out

    def __repr__(self) -> str:
        return "Traces(...)"


def with_traces(cohort: Cohort, inventory: Inventory | None = None, *, voxels: bool = True) -> Cohort:
    """The cohort with traces to be gathered from its files; nothing is opened yet.

    Args:
        cohort: its records' places lie below the inventory's root.
        inventory: of the folder the cohort came from; None for images without files (simulated ones).
        voxels: whether stored numbers are fingerprinted too; it opens every image, some seconds each at 1 mm.
    """
    listed = _scans_tables(inventory) if inventory is not None else {}
    return replace(cohort, records=tuple(_traced(r, inventory, listed, voxels) for r in cohort))


def _traced(
    record: Record,
    inventory: Inventory | None,
    listed: Mapping[PurePosixPath, tuple[tuple[str, str], ...]],
    voxels: bool,
) -> Record:
    if inventory is not None and inventory.series:
        slices = _first_slice(inventory, record.place)
        return replace(record, traces=Traces(record.subject, record.open, voxels=voxels, slices=slices))
    if inventory is None or record.place is None:
        return replace(record, traces=Traces(record.subject, record.open, voxels=voxels))
    return replace(
        record,
        traces=Traces(
            record.subject,
            record.open,
            inventory.root / record.place,
            record.place,
            inventory.sidecars.get(record.place, ()),
            listed.get(record.place, ()),
            voxels,
        ),
    )


def _first_slice(inventory: Inventory, place: PurePosixPath | None) -> Path | None:
    """The first file of a series, which a cohort calls by that file's place or, in a release, by its folder's."""
    for first in inventory.series:
        if place in (first, first.parent):
            return inventory.root / first
    return None


def _scans_tables(inventory: Inventory) -> dict[PurePosixPath, tuple[tuple[str, str], ...]]:
    """What every readable scans.tsv says, by the place of the image it speaks of."""
    out = {}
    for place in inventory.tables:
        if not place.name.endswith("scans.tsv"):
            continue
        try:
            rows = tables.read_tsv(inventory.root / place)
        except InputRefused:
            continue  # `inspect` reports tables that cannot be read
        for row in rows:
            cells = tuple((column, cell) for column, cell in row.items() if column != "filename")
            out[place.parent / row.get("filename", "")] = cells
    return out


def _listed_name(column: str) -> str:
    return f"date.{column}" if re.search(r"time|date", column.lower()) else f"scans.{column}"


def _file_name(place: PurePosixPath, subject: str) -> dict[str, str]:
    """The name of the file without what says who it is of; nothing if that is all it says."""
    name = placed_name(place)
    said = (
        f"{name.entities}_{name.suffix}" if isinstance(name, BidsName) else stem(place).replace(subject, "")
    )
    said = re.sub(r"(^|_)ses-[A-Za-z0-9+]+", "", said).strip("_- .")
    return {"name.file": said} if said else {}


def _header(path: Path) -> dict[str, str]:
    """Every field of the NIfTI header that says something, and the fields of gzip's own header."""
    with open_nifti(path) as stream:  # refuses what is no NIfTI file
        version, order = stream.facts.version, stream.facts.endianness
    out: dict[str, str] = {}
    with open(path, "rb") as raw:
        start = raw.read(1 << 16)
    if start[:2] == b"\x1f\x8b":
        out |= _gzip(start)
        with gzip.open(path, "rb") as unpacked:
            try:
                start = unpacked.read(1 << 16)
            except (EOFError, OSError, zlib.error):
                raise InputRefused("image: the compressed file is damaged") from None
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    kind, length = (Nifti1Header, 348) if version == 1 else (Nifti2Header, 540)
    header = kind(start[:length], endianness=order, check=False)
    for field in header.structarr.dtype.names:
        if field in _NO_TRACE:
            continue
        text = _said(header[field])
        if text:
            out[f"{_header_kind(field)}.{field}"] = text
    extension = start[length + 4 : int(header["vox_offset"])]
    if start[length : length + 1] not in (b"", b"\0") and any(extension):
        out["text.extension"] = extension.hex()
    return out


def _header_kind(field: str) -> str:
    if field in _TEXT_FIELDS:
        return "text"
    return "geometry" if field.startswith(_GEOMETRY) else "header"


def _said(value: Any) -> str:
    """A header field as text, empty where it is blank or zero; six digits, so that rounding is no difference."""
    array = np.asarray(value)
    if array.dtype.kind == "S":
        return bytes(array).rstrip(b"\0 ").decode("latin-1")
    numbers = np.nan_to_num(array.astype(np.float64).ravel())
    return " ".join(f"{x:.6g}" for x in numbers) if np.any(numbers != 0) else ""


def _gzip(start: bytes) -> dict[str, str]:
    """Name and time that gzip keeps of the file it once packed (RFC 1952)."""
    out = {}
    if any(start[4:8]):
        out["date.gzip"] = start[4:8].hex()
    at = 10
    if start[3] & 4:
        at += 2 + int.from_bytes(start[at : at + 2], "little")
    if start[3] & 8:
        out["name.gzip"] = start[at:].split(b"\0", 1)[0].decode("latin-1")
    return out


def _sidecar(facts: Mapping[str, Any]) -> dict[str, str]:
    out = {}
    for key, value in facts.items():
        if value not in (None, "", [], {}):
            out[f"{_sidecar_kind(key)}.{key}"] = json.dumps(value, sort_keys=True)
    return out


def _sidecar_kind(key: str) -> str:
    if "Serial" in key or key == "StationName":
        return "serial"
    if re.search(r"UID|^Patient|AccessionNumber|StudyID|OtherPatientIDs", key):
        return "identifier"
    if key in _CLOCKS or re.search(r"Date(Time)?$", key):
        return "date"
    if re.search(r"Name|Description|Comments|Institution|Address|Acknowledge|Sources|Instructions", key):
        return "text"
    return "acquisition"


def _position(image: Image) -> dict[str, str]:
    """Where the middle of the grid lies and how large it is: the same however the axes are turned."""
    if image.kind in ("photo", "film"):
        return {}
    shape = np.array(image.data.shape[:3])
    centre = image.affine @ np.append((shape - 1) / 2, 1.0)
    size = sorted(float(s * n) for s, n in zip(image.spacing_mm, shape, strict=True))
    return {
        "geometry.centre_mm": " ".join(f"{x:.2f}" for x in centre[:3]),
        "geometry.size_mm": " ".join(f"{x:.2f}" for x in size),
    }

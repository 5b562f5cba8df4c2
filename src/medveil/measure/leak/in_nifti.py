"""Plants markers in a NIfTI file: unused text, unused numbers, extensions, gaps, and the gzip header around it.

gzip header: name, comment, extra field ── header: 6 texts, 8 numbers ── extensions ── gap ── voxels ── tail
"""

from __future__ import annotations

import gzip
import struct
import zlib
from typing import Any

from medveil.core.image import Image
from medveil.measure.leak.marker import Mint

_TEXTS = {"descrip": 80, "aux_file": 24, "db_name": 18, "intent_name": 16, "data_type": 10}
_NUMBERS = ("cal_max", "cal_min", "intent_p1", "intent_p2", "slice_duration", "toffset")
_GAP = 12  # fewer than 16 bytes can be no extension, so readers pass over them
_EXTENSIONS = ((0, "private"), (4, "AFNI history"), (6, "comment"))


def stained_nifti(mint: Mint, image: Image) -> bytes:
    """A NIfTI-1 file of these voxels, gzipped, with a marker wherever one fits."""
    import nibabel as nib
    from nibabel.nifti1 import Nifti1Extension

    file = nib.Nifti1Image(image.data, image.affine)
    file.set_sform(image.affine, 1)
    group = "NIfTI header"
    for name, size in _TEXTS.items():
        # A field may be shorter than a marker: then four letters of it are the marker.
        value = mint.plant(group, name, "text" if size > 10 else "number")
        file.header[name] = value.encode()
    for name in _NUMBERS:
        file.header[name] = struct.unpack("<f", mint.plant(group, name, "number").encode())[0]
    for code, what in _EXTENSIONS:
        text = f"by {mint.plant('NIfTI extensions', what)}"
        file.header.extensions.append(Nifti1Extension(code, text.encode()))
    file.header.extensions.append(Nifti1Extension(2, _dicom(mint)))
    plain = bytes(file.to_bytes())
    offset = int(file.header["vox_offset"]) or int(struct.unpack("<f", plain[108:112])[0])
    gap = mint.plant("NIfTI extensions", "gap before the voxels").encode().ljust(_GAP, b"\0")
    fixed = bytearray(plain[:offset] + gap + plain[offset:])
    fixed[108:112] = struct.pack("<f", offset + _GAP)
    extents = mint.plant(group, "extents", "number").encode()
    fixed[32:36] = extents  # a leftover of Analyze, which no reader looks at
    tail = mint.plant("NIfTI extensions", "behind the voxels").encode()
    return packed(mint, bytes(fixed) + tail)


def packed(mint: Mint, content: bytes) -> bytes:
    """A gzip file whose header has a name, a comment and an extra field, and which has a second member."""
    deflate = zlib.compressobj(6, wbits=-15)
    body = deflate.compress(content) + deflate.flush()
    end = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
    group = "gzip header"
    name, comment = (mint.plant(group, what).encode() for what in ("file name", "comment"))
    extra = mint.plant(group, "extra field").encode()
    start = b"\x1f\x8b\x08" + bytes([4 | 8 | 16]) + b"\0\0\0\0\0\3"
    field = b"MV" + struct.pack("<H", len(extra)) + extra
    second = gzip.compress(mint.plant(group, "second member").encode(), mtime=0)
    return (
        start
        + struct.pack("<H", len(field))
        + field
        + name
        + b".nii\0"
        + comment
        + b"\0"
        + body
        + end
        + second
    )


def _dicom(mint: Mint) -> bytes:
    """A small DICOM dataset, as extension code 2 holds a whole one."""
    from pydicom.dataset import Dataset
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    data: Any = Dataset()
    data.PatientName = mint.plant("NIfTI extensions", "DICOM dataset: PatientName")
    data.PatientBirthDate = mint.plant("NIfTI extensions", "DICOM dataset: PatientBirthDate", "date")
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    write_dataset(out, data)
    raw: bytes = out.getvalue()
    return raw

"""The whole planted set: every file, every marker, and what a later score needs to know of them.

dicom/   one patient with two visits, six odd files, a DICOMDIR       bids/   sidecars, tables, texts, pictures
nifti/   one stained volume
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io.dicom_facts import Facts, facts_of
from medveil.measure.leak import in_bids, in_dicom, in_nifti, in_odd_dicom
from medveil.measure.leak.marker import Marker, Mint

FORMATS = ("dicom", "nifti", "bids")


@dataclass(frozen=True)
class PlantedFile:
    """One file of the set.

    Args:
        place: below the planted folder.
        content: its bytes.
        expected: whether a de-identifier has to give something back for it; others it may withhold.
        facts: of a DICOM image. shape: of a NIfTI volume, which no other planted one has.
    """

    place: str
    content: bytes
    expected: bool = False
    facts: Facts | None = None
    shape: tuple[int, ...] = ()


@dataclass
class Planted:
    """Files and markers."""

    files: list[PlantedFile] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)


def plant(formats: Collection[str], seeds: Seeds, volume: Callable[[], Image]) -> Planted:
    """Make the set.

    Args:
        formats: some of dicom, nifti, bids.
        seeds: of the values.
        volume: gives the voxels of NIfTI files; called only if one is made.

    Raises:
        UsageError: no format, or one that is not known.
    """
    if not formats or not set(formats) <= set(FORMATS):
        raise UsageError("formats: expected some of dicom, nifti, bids")
    mint, out = Mint(seeds), Planted()
    if "dicom" in formats:
        from pydicom.config import disable_value_validation

        with disable_value_validation():
            _dicom(mint, out)
    if {"nifti", "bids"} & set(formats):
        head = volume()
        if "nifti" in formats:
            _nifti(mint, out, head)
        if "bids" in formats:
            _bids(mint, out, head)
    out.markers = mint.markers
    return out


def _dicom(mint: Mint, out: Planted) -> None:
    def add(place: str, content: bytes, *, expected: bool = True) -> None:
        facts = facts_of(io.BytesIO(content)) if expected else None
        out.files.append(PlantedFile(place, content, expected, facts))

    mint.format = "dicom"
    named = mint.draw()
    mint.file = f"dicom/visit-1/{named}.dcm"
    first = in_dicom.stained_file(mint)
    mint.note("file names", "name of a DICOM file", "text", named)
    add(mint.file, in_dicom.to_bytes(first))
    for instance, visit in ((2, 1), (3, 2)):
        mint.file = f"dicom/visit-{visit}/image-{instance}.dcm"
        add(mint.file, in_dicom.to_bytes(in_dicom.later_image(mint, first, instance, visit)))
    folder = mint.draw()
    for instance, charset in ((4, "ISO_IR 148"), (5, "ISO_IR 192"), (6, "ISO 2022 IR 87")):
        mint.file = f"dicom/{folder}/charset-{instance}.dcm"
        add(mint.file, in_dicom.to_bytes(in_odd_dicom.charset_image(mint, instance, charset)))
    mint.note("file names", "folder of DICOM files", "text", folder)
    mint.file = "dicom/odd/odd.dcm"
    add(mint.file, in_dicom.to_bytes(in_odd_dicom.odd_image(mint, 7)))
    mint.file = "dicom/odd/deflated.dcm"
    add(mint.file, in_dicom.to_bytes(in_odd_dicom.deflated_image(mint, 8)))
    mint.file = "dicom/odd/frames.dcm"
    add(mint.file, in_dicom.to_bytes(in_odd_dicom.framed_image(mint, 9)))
    mint.file = "dicom/odd/dual.dcm"
    dual = in_odd_dicom.odd_base(mint, 10)
    dual.preamble = in_odd_dicom.tiff_preamble(mint)
    add(mint.file, in_dicom.to_bytes(dual))
    mint.file = "dicom/DICOMDIR"
    add(mint.file, in_odd_dicom.media_directory(mint), expected=False)


def _volume(head: Image, less: int) -> Image:
    """The head with some slices less at the bottom, so that each planted volume has a shape of its own."""
    affine = head.affine.copy()
    affine[:3, 3] += less * affine[:3, 2]
    return Image(np.ascontiguousarray(head.data[..., less:]), affine, head.kind, head.slope, head.intercept)


def _nifti(mint: Mint, out: Planted, head: Image) -> None:
    mint.format = "nifti"
    named = mint.draw()
    mint.file = f"nifti/{named}.nii.gz"
    image = _volume(head, 1)
    mint.note("file names", "name of a NIfTI file", "text", named)
    out.files.append(
        PlantedFile(mint.file, in_nifti.stained_nifti(mint, image), True, shape=image.data.shape)
    )


def _bids(mint: Mint, out: Planted, head: Image) -> None:
    def add(place: str, make: Callable[[Mint], str | bytes]) -> None:
        mint.file = f"bids/{place}"
        content = make(mint)
        out.files.append(PlantedFile(mint.file, content.encode() if isinstance(content, str) else content))

    mint.format = "bids"
    image = _volume(head, 2)
    stem = "sub-01/ses-1/anat/sub-01_ses-1_T1w"
    mint.file = f"bids/{stem}.nii.gz"
    content = in_nifti.stained_nifti(mint, image)
    out.files.append(PlantedFile(mint.file, content, True, shape=image.data.shape))
    add(f"{stem}.json", in_bids.sidecar)
    add("dataset_description.json", in_bids.description)
    add("participants.tsv", in_bids.participants)
    add("sub-01/ses-1/sub-01_ses-1_scans.tsv", lambda m: in_bids.scans(m, "anat/sub-01_ses-1_T1w.nii.gz"))
    add("sub-01/sub-01_sessions.tsv", in_bids.sessions)
    for name in ("README", "CHANGES", ".bidsignore", "derivatives/tool/logs/run.log"):
        add(name, lambda m, name=name: in_bids.text(m, name))  # type: ignore[misc]
    add("derivatives/tool/sub-01/figure.png", in_bids.png)
    add("sourcedata/photo.jpg", in_bids.jpeg)
    named = mint.draw()
    add(f"sub-01/ses-1/anat/{named}.txt", lambda m: in_bids.text(m, "stray text file"))
    mint.note("file names", "name of a stray file", "text", named)

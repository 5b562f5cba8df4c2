"""Any folder of images: NIfTI and BIDS first, DICOM where there is none of them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from medveil.core.cohort import Cohort
from medveil.core.errors import InputRefused
from medveil.io import bids
from medveil.io.bids import Inventory
from medveil.io.dicom.folder import inspect_dicom
from medveil.io.names import is_image
from medveil.io.walk import walk


def open_cohort(folder: Path) -> Cohort:
    """The images of a folder, or of a single file; see `inspect_folder`."""
    return inspect_folder(folder).cohort


def inspect_folder(folder: Path) -> Inventory:
    """What is in a folder (or a single file) of NIfTI or of DICOM; of both, the NIfTI images are taken.

    Raises:
        InputRefused: the folder is not there, cannot be read, or holds no image.
    """
    try:
        return bids.inspect_folder(folder)
    except InputRefused as refused:
        if not _may_be_dicom(folder):
            raise
        try:
            return inspect_dicom(folder)
        except InputRefused as also:
            raise (also if "DICOM" in refused.message else refused) from None


def _may_be_dicom(folder: Path) -> bool:
    if folder.is_file():
        return not is_image(PurePosixPath(folder.name))
    return folder.is_dir() and not any(is_image(place) for place in walk(folder, []))

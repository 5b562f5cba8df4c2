"""A folder of DICOM files: which series it holds, and what of it is no image.

    any names, any depth                     patient A   study 1   series 01   35 files
    IM0001  IM0002  a/b/x.dcm  DICOMDIR  ->  patient A   study 1   series 02    1 file
    report.dcm  notes.txt                    skipped: directory of files, report ...

Only headers are read here, and of them only the elements that sort; pixels when an image is asked for.
Names of records are made of counts, never of text out of a file.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused
from medveil.io.bids import Inventory
from medveil.io.dicom.contrast import FACTS, contrast_of
from medveil.io.dicom.series import Series
from medveil.io.dicom.volume import read_series
from medveil.io.nifti import looks_like_dicom
from medveil.io.walk import Skipped, walk

_NO_IMAGE = "no image, not part of a release"
_UNREADABLE = "cannot be parsed as DICOM"
_KEYWORDS = (
    "SOPClassUID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality",
    "StudyDate", "StudyTime", "SeriesNumber", "SeriesDescription", "ProtocolName", "Rows", "Columns",
    *FACTS,
)  # fmt: skip


def inspect_dicom(folder: Path) -> Inventory:
    """The series below a folder, or that of a single file; one record for each.

    Subjects are in the order of their identifiers, studies in that of their dates, series in that of their numbers.

    Raises:
        InputRefused: the folder is not there, cannot be read, or holds no DICOM image.
    """
    skipped: list[Skipped] = []
    if folder.is_file():
        root, places = folder.parent, [PurePosixPath(folder.name)]
    elif folder.is_dir():
        root, places = folder, list(walk(folder, skipped))
    else:
        raise InputRefused("input: is not there", hint="give a folder of DICOM files, or one of them")
    files: dict[tuple[str, str, str], list[tuple[PurePosixPath, _Header]]] = {}
    for place in places:
        header = _header(root / place)
        if isinstance(header, str):
            skipped.append(Skipped(place, header))
        elif not header.subject or not header.uid:
            skipped.append(
                Skipped(place, "names no patient and no study" if header.uid else "names no series")
            )
        else:
            files.setdefault((header.subject, header.study, header.uid), []).append((place, header))
    if not files:
        if any("permission" in s.reason for s in skipped):
            raise InputRefused("input: permission to read its files is missing")
        raise InputRefused("input: holds no DICOM image", hint=f"found {len(skipped)} other files")
    found = [_series(root, of) for of in files.values()]
    records = tuple(_records(found))
    return Inventory(
        root=root,
        layout="dicom",
        cohort=Cohort(records),
        sidecars={},
        tables=(),
        skipped=tuple(sorted(skipped, key=lambda s: str(s.place))),
        series={s.places[0]: s for s in found},
    )


@dataclass(frozen=True, repr=False)
class _Header:
    """What one file says of itself; the fields are those of `Series`."""

    subject: str
    study: str
    uid: str
    modality: str
    contrast: str
    frame_of_reference: str
    when: str


def _header(path: Path) -> _Header | str:
    """What an image says of itself, or why the file is none."""
    from pydicom import config
    from pydicom.datadict import tag_for_keyword
    from pydicom.filereader import read_partial

    pixels = []

    def stop(tag: Any, vr: str | None, length: int) -> bool:
        if tag in (0x7FE00008, 0x7FE00009, 0x7FE00010):
            pixels.append(tag)
        return bool(pixels)

    try:
        with open(path, "rb") as file:
            if not looks_like_dicom(file.read(140)):
                return _UNREADABLE if path.suffix.lower() in (".dcm", ".ima") else _NO_IMAGE
            file.seek(0)
            with warnings.catch_warnings(), config.disable_value_validation():
                warnings.simplefilter("ignore")  # pydicom's warnings show values
                tags: Any = [tag_for_keyword(k) for k in _KEYWORDS]
                dataset = read_partial(file, stop, force=True, specific_tags=tags)
                if pixels and dataset.get("Rows") and dataset.get("Columns"):
                    return _read(dataset)
                stated = dataset.file_meta.get("MediaStorageSOPClassUID", "")
                return _why_not(_text(dataset, "SOPClassUID") or str(stated))
    except PermissionError:
        return "permission to read it is missing"
    except Exception:  # noqa: BLE001 - whatever a broken file does to the parser, it is not an image
        return _UNREADABLE


def _read(dataset: Any) -> _Header:
    careful = _Careful(dataset)
    study, modality = _text(dataset, "StudyInstanceUID"), _text(careful, "Modality")
    number = _text(careful, "SeriesNumber")
    padded = f"{int(number):012d}" if number.isascii() and number.isdigit() else "9" * 12
    words = tuple(_text(careful, k) for k in ("SeriesDescription", "ProtocolName"))
    return _Header(
        subject=_text(dataset, "PatientID") or study,
        study=study,
        uid=_text(dataset, "SeriesInstanceUID"),
        modality=modality,
        contrast=contrast_of(modality, words, careful),
        frame_of_reference=_text(careful, "FrameOfReferenceUID"),
        when=f"{_text(careful, 'StudyDate')} {_text(careful, 'StudyTime')} {padded}",
    )


def _why_not(sop_class: str) -> str:
    """Why an object without pixels is not taken, by the name of its class in PS3.6 table A-1."""
    from pydicom.uid import UID_dictionary

    name = UID_dictionary.get(sop_class, ("",))[0]
    if not sop_class:
        return _UNREADABLE
    if "Media Storage Directory" in name:
        return "directory of files"
    if "Encapsulated" in name:
        return "encapsulated document"
    reports = (" SR ", "Presentation State", "Key Object", "Report", "Procedure Log", "Structured Display")
    if any(word in name for word in reports) or sop_class.startswith("1.2.840.10008.5.1.4.1.1.88."):
        return "report or presentation state"
    return "a DICOM object without pixels"


def _series(root: Path, files: list[tuple[PurePosixPath, _Header]]) -> Series:
    files = sorted(files, key=lambda f: str(f[0]))
    said = {f.name: getattr(files[0][1], f.name) for f in fields(_Header)}
    return Series(root=root, places=tuple(place for place, _ in files), **said)


def _records(found: Iterable[Series]) -> Iterator[Record]:
    studies: dict[str, list[str]] = {}
    counts: dict[tuple[str, str], int] = {}
    began: dict[tuple[str, str], str] = {}
    for series in found:
        key = series.subject, series.study
        date = series.when.rpartition(" ")[0]
        began[key] = min(began.get(key, date), date)

    def order(series: Series) -> tuple[str, ...]:
        at = began[series.subject, series.study]
        return series.subject, at, series.study, series.when.rpartition(" ")[2], series.uid

    for series in sorted(found, key=order):
        of = studies.setdefault(series.subject, [])
        if series.study not in of:
            of.append(series.study)
        key = series.subject, series.study
        counts[key] = counts.get(key, 0) + 1
        yield Record(
            subject=series.subject,
            name=f"study-{of.index(series.study) + 1}_series-{counts[key]:02d}",
            open=partial(read_series, series.paths),
            contrast=series.contrast,
            place=series.places[0],
        )


def _text(dataset: Any, keyword: str) -> str:
    """The value as text, several with a backslash between; as `protect/header/dicom/person.py` reads a PatientID."""
    value = dataset.get(keyword)
    if value is None:
        return ""
    several = value if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]
    return "\\".join(str(v) for v in several).strip(" \0")


class _Careful:
    """A dataset whose broken values are missing values."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def get(self, keyword: str) -> Any:
        try:
            return self.dataset.get(keyword)
        except Exception:  # noqa: BLE001 - a value pydicom cannot convert says nothing about the contrast
            return None

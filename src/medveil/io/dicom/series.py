"""A series: the files of one scan as they lie on disk, and the few facts by which it is ordered and named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, repr=False)
class Series:
    """The files of one series.

    Args:
        root: the folder that was given.
        places: of the files below `root`, sorted.
        subject: PatientID, or the UID of the study where there is none.
        study, uid: UIDs of the study and of the series.
        modality: as DICOM writes it (MR, CT, PT).
        contrast: as `Record.contrast` has it, or ''.
        frame_of_reference: UID, or ''.
        when: date and time of the study, then the number of the series: for sorting only.
    """

    root: Path
    places: tuple[PurePosixPath, ...]
    subject: str
    study: str
    uid: str
    modality: str
    contrast: str
    frame_of_reference: str
    when: str

    @property
    def paths(self) -> tuple[Path, ...]:
        """Of the files, in the order of `places`."""
        return tuple(self.root / place for place in self.places)

    def __repr__(self) -> str:
        return f"Series({self.contrast or 'unknown'}, {len(self.places)} files)"

"""DICOM headers: each element stays only for a reason that can be printed; the rest goes.

    dataset ──policy──> refused? ──clean──> new dataset ──marks──> what was done, in the file ──write──> bytes
              classes.py            clean.py             marks.py                          write.py

`rules.py` holds table E.1-1 of PS3.15 and its options, `allowed.py` and `private.py` what may stay although no
table names it, `values.py` how one value is judged. `Dicom` is the part that a recipe names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medveil.core.errors import UsageError
from medveil.protect.header.dicom.rules import Options


@dataclass(frozen=True)
class Dicom(Options):
    """Which options of the confidentiality profiles apply to the headers of DICOM files; see `rules.Options`."""

    name: ClassVar[str] = "header.dicom"
    summary: ClassVar[str] = (
        "rebuild DICOM headers from what has a reason to stay; names, dates and UIDs by a key"
    )

    def check(self) -> None:
        """Refuse what a release cannot do yet.

        Raises:
            UsageError: people of several issuers; a release tells people apart by their ID alone.
        """
        if self.issuers:
            raise UsageError(
                f"{self.name}: issuers works in Python only, a release tells people apart by PatientID",
                hint="release each issuer's files in a run of its own, with a key of its own",
            )

    def describe(self) -> str:
        return (
            f"rebuild DICOM headers by the {super().describe()} of PS3.15, new names, dates and UIDs by a key"
        )

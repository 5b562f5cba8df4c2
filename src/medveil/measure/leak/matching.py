"""Which output belongs to which planted image, whatever it is called now; and what should have been done to it.

First by the pixels, which no two planted images share; where a tool changed those, by the instance number.
"""

from __future__ import annotations

from collections.abc import Sequence

from medveil.io.dicom_facts import Facts
from medveil.measure.leak.midi import Action, Case, day_of

_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "PatientBirthDate")
_UIDS = (
    "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
    "ReferencedImageSequence.ReferencedSOPInstanceUID",
)  # fmt: skip
_KEPT = ("EchoTime", "RepetitionTime", "FlipAngle", "PixelSpacing", "ImagePositionPatient",
         "ImageOrientationPatient", "SliceThickness")  # fmt: skip


def match(planted: Sequence[Facts], outputs: Sequence[Facts]) -> list[Facts | None]:
    """The output of each planted image, None where there is none; no output serves twice."""
    free = list(range(len(outputs)))
    out: list[Facts | None] = [None] * len(planted)
    for same in (_pixels, _number):
        for i, facts in enumerate(planted):
            if out[i] is None:
                hit = next((j for j in free if same(facts, outputs[j])), None)
                if hit is not None:
                    out[i] = outputs[hit]
                    free.remove(hit)
    return out


def cases(planted: Sequence[Facts], outputs: Sequence[Facts]) -> list[Case]:
    """A case for each planted image, with the actions its values call for."""
    return [
        Case(facts.values.get("PatientID", ""), facts, after, actions(facts))
        for facts, after in zip(planted, match(planted, outputs), strict=True)
    ]


def actions(facts: Facts) -> tuple[Action, ...]:
    """What a de-identifier that shifts dates and maps UIDs should do to this image."""
    values = facts.values
    out = [Action("tag_retained", "Modality"), Action("text_notnull", "SOPInstanceUID")]
    if values.get("PatientID"):
        out += [Action("text_removed", "PatientID"), Action("patid_consistent", "PatientID")]
    out += [Action("date_shifted", k) for k in _DATES if day_of(values.get(k))]
    for keyword in _UIDS:
        if values.get(keyword):
            out += [Action("uid_changed", keyword), Action("uid_consistent", keyword)]
    out += [Action("text_retained", k) for k in _KEPT if values.get(k)]
    return (*out, Action("pixels_retained")) if facts.digest else tuple(out)


def _pixels(a: Facts, b: Facts) -> bool:
    return bool(a.digest) and a.digest == b.digest


def _number(a: Facts, b: Facts) -> bool:
    number = a.values.get("InstanceNumber")
    return bool(number) and number == b.values.get("InstanceNumber")

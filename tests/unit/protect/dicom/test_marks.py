"""The marks: said only of what was measured."""

import pytest
from pydicom.dataset import Dataset

from medveil.core.errors import UsageError
from medveil.protect.header.dicom.marks import codes, marks
from medveil.protect.header.dicom.rules import Options


def marked(**given: object) -> Dataset:
    ds = Dataset()
    marks(ds, **{"options": Options(), **given})
    return ds


def values(ds: Dataset) -> list[str]:
    return [item.CodeValue for item in ds.DeidentificationMethodCodeSequence]


def test_the_profile_and_its_options_are_written_as_text_and_codes() -> None:
    ds = marked()
    assert ds.PatientIdentityRemoved == "YES"
    assert values(ds) == ["113100", "113107", "113111"]
    assert list(ds.DeidentificationMethod) == ["medveil", *(f"DICOM PS3.15 {v}" for v in values(ds))]
    assert {item.CodingSchemeDesignator for item in ds.DeidentificationMethodCodeSequence} == {"DCM"}
    assert ds.LongitudinalTemporalInformationModified == "MODIFIED"


def test_nothing_is_said_about_faces_and_pixels_that_nobody_looked_at() -> None:
    ds = marked()
    assert "RecognizableVisualFeatures" not in ds
    assert "BurnedInAnnotation" not in ds
    assert not {"113101", "113102"} & set(values(ds))


def test_a_face_measured_gone_and_pixels_searched_are_said() -> None:
    ds = marked(face_removed=True, pixels_cleaned=True)
    assert (ds.RecognizableVisualFeatures, ds.BurnedInAnnotation) == ("NO", "NO")
    assert values(ds) == ["113100", "113101", "113102", "113107", "113111"]


def test_a_face_or_text_that_was_left_is_said_too_and_has_no_code() -> None:
    ds = marked(face_removed=False, pixels_cleaned=False)
    assert (ds.RecognizableVisualFeatures, ds.BurnedInAnnotation) == ("YES", "YES")
    assert not {"113101", "113102"} & set(values(ds))


def test_dates_are_said_as_they_are() -> None:
    assert marked(options=Options(modified_dates=False)).LongitudinalTemporalInformationModified == "REMOVED"
    kept = marked(options=Options(modified_dates=False, full_dates=True))
    assert kept.LongitudinalTemporalInformationModified == "UNMODIFIED"
    assert "113106" in values(kept)


def test_the_meanings_are_those_of_the_standard() -> None:
    from pydicom.sr.codedict import codes as published

    everything = Options(
        uids=True,
        device=True,
        institution=True,
        characteristics=True,
        descriptors=True,
        structured=True,
        graphics=True,
    )
    full = Options(modified_dates=False, full_dates=True)
    both = {
        *codes(everything, face_removed=True, pixels_cleaned=True),
        *codes(full, face_removed=None, pixels_cleaned=None),
    }
    known = {
        published.cid7050.__getattr__(name).value: published.cid7050.__getattr__(name).meaning
        for name in published.cid7050.dir()
    }
    assert dict(both) == known


def test_marks_of_somebody_else_are_not_written_over() -> None:
    ds = marked()
    with pytest.raises(UsageError, match="marks already"):
        marks(ds, options=Options())

"""Quasi: columns by their names, and what of a name may be shown."""

from __future__ import annotations

import pytest

from medveil.core.quasi import judged, kind_of, label_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("age", "age"),
        ("Age_at_scan", "age"),
        ("ageAtOnset", "age"),
        ("AGE", "age"),
        ("page", None),
        ("stage", None),
        ("language", "language"),
        ("dob", "birth date"),
        ("date_of_birth", "birth date"),
        ("scan_date", "date"),
        ("acq_time", "date"),
        ("EchoTime", None),
        ("gender", "sex"),
        ("sex_at_birth_certificate", "birth date"),
        ("EHI", "handedness"),
        ("Years of Education", "education"),
        ("BMI", "body mass index"),
        ("marital_status", "marital status"),
        ("site", "site"),
        ("scanner_serial", "site"),
        ("group", "group"),
        ("Diagnosis", "diagnosis"),
        ("MMSE_total", "score"),
        ("patient_name", "name"),
        ("name", "name"),
        ("hospital_record_no", "site"),
        ("mrn", "record number"),
        ("participant_id", "participant"),
        ("APOE4", "gene"),
        ("", None),
        ("7", None),
    ],
)
def test_kinds_by_name(name: str, kind: str | None) -> None:
    found = kind_of(name)
    assert (found.name if found else None) == kind


@pytest.mark.parametrize("name", ["age_Jane_Doe", "dr_smith_score", "", "ward 12345", "Ağe"])
def test_names_with_foreign_words_are_shown_by_their_place(name: str) -> None:
    assert label_of(name, 4) == "column 4"


@pytest.mark.parametrize("name", ["age", "age_at_scan", "MMSE_total", "score 2", "sex"])
def test_names_of_known_words_are_shown(name: str) -> None:
    assert label_of(name, 4) == name


def test_named_columns_replace_the_guess_of_their_role_only() -> None:
    found = judged(["age", "sex", "shoe", "group"], quasi=["shoe"])
    assert {n: c.role for n, c in found.items()} == {
        "age": "not judged",
        "sex": "not judged",
        "shoe": "quasi-identifier",
        "group": "sensitive",
    }
    assert found["age"].reason == "not among the quasi-identifiers that were named"

"""Table E.1-1 and the options: rows looked up by hand in the standard."""

import hashlib
import importlib.util
import json
from pathlib import Path

import pytest

from medveil.core.errors import UsageError
from medveil.protect.header.dicom import allowed, private, rules
from medveil.protect.header.dicom.classes import kind, refusal
from medveil.protect.header.dicom.rules import Options, Row, table
from medveil.protect.header.dicom.terms import is_term, known_words

ROOT = Path(__file__).parents[4]
BARE = Options(modified_dates=False, safe_private=False)


@pytest.mark.parametrize(
    ("tag", "options", "action"),
    [
        (0x00080050, BARE, "Z"),  # accession number
        (0x00100010, BARE, "Z"),  # patient's name
        (0x00100020, BARE, "D"),  # patient ID is Z/D: the right-most is valid for every type
        (0x00080018, BARE, "U"),  # SOP instance UID
        (0x00080018, Options(uids=True), "K"),
        (0x00104000, BARE, "X"),  # patient comments
        (0x0008103E, Options(descriptors=True), "C"),  # series description
        (0x00080022, BARE, "Z"),  # acquisition date is X/Z
        (0x00080022, Options(), "C"),
        (0x00080022, Options(modified_dates=False, full_dates=True), "K"),
        (0x00081140, BARE, "U"),  # referenced images are X/Z/U*
        (0x00181000, BARE, "D"),  # device serial number is X/Z/D
        (0x00181000, Options(device=True), "K"),
        (0x00080080, Options(institution=True), "K"),
        (0x00101010, BARE, "X"),
        (0x00101010, Options(characteristics=True), "K"),
        (0x0040A730, Options(structured=True), "C"),
    ],
)
def test_a_row_says_what_the_standard_says(tag: int, options: Options, action: str) -> None:
    assert table()[tag].action(options) == action


def test_the_table_holds_all_rows_and_names_its_source() -> None:
    assert len(table()) == 617
    assert set(rules.patterns()) == {"50xxxxxx", "60xx3000", "60xx4000", "odd"}
    assert "commit 7f4749d" in rules.edition()


def test_cleaning_wins_over_keeping_and_an_unknown_action_is_refused() -> None:
    row = Row("X", (("device", "K"), ("descriptors", "C")))
    assert row.action(Options(device=True)) == "K"
    assert row.action(Options(device=True, descriptors=True)) == "C"
    with pytest.raises(UsageError, match="unknown"):
        Row("Q").action(BARE)


def test_dates_cannot_be_both_kept_and_shifted() -> None:
    with pytest.raises(UsageError, match="not both"):
        Options(full_dates=True)


def test_the_script_makes_the_table_from_the_standards_json(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_table", ROOT / "benchmarks/metadata/make_table.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    source = json.dumps(
        [
            {"name": "B", "tag": "(0010,0020)", "id": "1", "stdCompIOD": "Y", "basicProfile": "Z/D"},
            {"name": "A", "tag": "(0008,0022)", "id": "2", "basicProfile": "X/Z", "rtnLongFullDatesOpt": "K"},
            {"name": "P", "tag": "(GGGG,EEEE) WHERE GGGG IS ODD", "id": "3", "basicProfile": "X"},
        ]
    ).encode()
    lines = script.lines(source, "made up")
    assert lines[2:] == [
        "# edition: made up",
        f"# sha256 of the source: {hashlib.sha256(source).hexdigest()}",
        "00080022\tX/Z\tfull_dates=K",
        "00100020\tZ/D",
        "odd\tX",
    ]
    with pytest.raises(SystemExit, match="unknown column"):
        script.lines(b'[{"tag": "(0008,0022)", "newOpt": "K"}]', "made up")


def test_every_allowed_element_has_its_keyword_and_is_not_named_by_the_table() -> None:
    from pydicom.datadict import keyword_for_tag

    for tag, fact in allowed.FACTS.items():
        assert keyword_for_tag(tag) == fact.keyword
        assert tag not in table()
    assert len(allowed.lines()) == len(allowed.FACTS) + len(allowed.TELLING) + 3
    assert len(private.lines()) == len(private.SAFE)


@pytest.mark.parametrize(
    ("tag", "value", "fine"),
    [
        (0x00080070, "GE MEDICAL SYSTEMS", True),
        (0x00080070, "Doe, Jane", False),
        (0x00081090, "Prisma_fit", True),
        (0x00081090, "Doe^Jane", False),
        (0x00081090, "Ankara Üniversitesi", False),
        (0x00181020, "syngo MR E11", True),
        (0x00180024, "*tfl3d1_16ns", True),
        (0x00281054, "HU", True),
        (0x00080100, "name with blanks", False),
    ],
)
def test_an_allowed_text_has_its_shape(tag: int, value: str, fine: bool) -> None:
    assert allowed.fits(allowed.FACTS[tag], value) is fine


@pytest.mark.parametrize(
    "code", ["ORIGINAL", "MR", "HFS", "3D", "ISO_10918_1", "YBR_FULL_422", "FOR PRESENTATION", ""]
)
def test_defined_terms_are_known(code: str) -> None:
    assert is_term(code)


@pytest.mark.parametrize(
    "code", ["JANE", "DOE_JANE", "19500512", "brain", "BRAIN JANE", "A" * 17, "HEAD\0DOE", "Ö"]
)
def test_other_words_are_no_terms(code: str) -> None:
    assert not is_term(code)


def test_descriptions_lose_names_dates_and_numbers_of_people() -> None:
    assert known_words("ep2d_diff 20240301 Jane 4711999 b1000") == "ep2d diff"
    assert known_words("") == ""


def test_kinds_of_objects() -> None:
    assert kind("1.2.840.10008.5.1.4.1.1.4.1") == "image"  # enhanced MR
    assert kind("1.2.840.10008.5.1.4.1.1.7.4") == "secondary capture"
    assert kind("1.2.840.10008.5.1.4.1.1.104.3") == "document"  # encapsulated STL
    assert kind("1.2.840.10008.5.1.4.1.1.66") == "other"  # raw data
    assert refusal("1.2.840.10008.5.1.4.1.1.7", Options(secondary_capture=True)) == ""
    assert refusal("1.2.840.10008.5.1.4.1.1.88.22", Options(structured_reports=True)) == ""
    assert (
        refusal("1.2.840.10008.5.1.4.1.1.104.1", Options(structured_reports=True)) == "encapsulated document"
    )
